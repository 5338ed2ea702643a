"""``fwbio doctor``: what this machine has, what does not fit together, and the line to type. Packages are tried in a process of their own.

``clean`` empties the cache of compiled networks: what is half-built, damaged or whole, unless a process is building it now.
"""

import contextlib
import fcntl
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("brian2", "numpy", "scipy", "matplotlib", "click")
EXTRAS = {"ann": ("torch", "safetensors", "scikit-learn"), "sweep": ("xarray", "h5netcdf", "distributed"), "bench": ("nest-simulator",)}
TRIED = """import brian2
G = brian2.NeuronGroup(1, "dv/dt = -v/(10*ms) : 1", method="exact")
brian2.prefs.codegen.target = "numpy"
brian2.run(1 * brian2.ms)"""
PROGRAM = "#include <vector>\nint main() { return std::vector<int>(1).size() == 1 ? 0 : 1; }\n"


@dataclass(frozen=True)
class Finding:
    """One line of the answer. ok : None where it is an extra that is not there. fix : the line to type."""

    name: str
    says: str
    ok: bool | None = True
    fix: str = ""


def examine() -> list[Finding]:
    """Everything fwbio stands on, in the order it is needed."""
    return [
        Finding("fwbio", importlib.metadata.version("fwbio")),
        Finding("python", f"{platform.python_version()}, {platform.system()} {platform.machine()}"),
        *(package(name) for name in NEEDED),
        brian(),
        *(extra(name, names) for name, names in EXTRAS.items()),
        compiler(),
        cached(),
        memory(),
    ]


def version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def package(name: str) -> Finding:
    found = version(name)
    return Finding(name, found or "missing", bool(found), "" if found else f"pip install {name}")


def brian() -> Finding:
    """A network of one neuron, in a child: an import that fails or kills Python is told, and happens to nobody else."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", TRIED], capture_output=True, text=True)
    if done.returncode == 0:
        return Finding("brian2 runs", "one neuron, 1 ms")
    last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    old = tuple(int(part) for part in (version("brian2") or "0.0").split(".")[:2]) < (2, 10)
    new = tuple(int(part) for part in (version("numpy") or "0.0").split(".")[:2]) >= (2, 4)
    if old and new:
        return Finding(
            "brian2 runs", f"no: Brian2 {version('brian2')} does not fit NumPy {version('numpy')}", False, "pip install 'numpy<2.4'"
        )
    return Finding("brian2 runs", f"no: {last}", False, "pip install --force-reinstall brian2 'numpy<2.4'")


def extra(name: str, packages) -> Finding:
    found = {p: version(p) for p in packages}
    missing = [p for p, v in found.items() if v is None]
    says = ", ".join(f"{p} {v}" for p, v in found.items() if v)
    if missing:
        says = f"{says + '; ' if says else ''}not installed: {', '.join(missing)}"
    return Finding(f"extra {name}", says, None if missing else True, f"pip install 'fwbio[{name}]'" if missing else "")


def compiler() -> Finding:
    """Compiles a program of two lines, as a build would."""
    name = next((c for c in ("g++", "clang++") if shutil.which(c)), None)
    if name is None:
        return Finding(
            "compiler", "none: spikes run on NumPy, slowly", False, "apt-get install g++ (Debian); xcode-select --install (macOS)"
        )
    done = subprocess.run([name, "-x", "c++", "-std=c++17", "-", "-o", os.devnull], input=PROGRAM, capture_output=True, text=True)
    if done.returncode:
        return Finding(
            "compiler", f"{name} fails: {(done.stderr.strip().splitlines() or ['?'])[-1]}", False, "apt-get install g++ (Debian)"
        )
    said = subprocess.run([name, "--version"], capture_output=True, text=True).stdout.splitlines()
    return Finding("compiler", said[0] if said else name)


def cached() -> Finding:
    from fwbio.spiking import engine

    folder = engine.cache()
    builds = [path for path in folder.iterdir() if path.is_dir()]
    whole = sum(engine.complete(path) for path in builds)
    megabytes = sum(file.stat().st_size for path in builds for file in path.rglob("*") if file.is_file()) / 1e6
    broken = len(builds) - whole
    says = f"{folder}: {whole} networks, {megabytes:,.0f} MB" + (f"; {broken} unfinished, damaged or of an older fwbio" if broken else "")
    if folder.name.startswith("fwbio-cache-"):
        fix = "export FWBIO_CACHE=a folder that can be written and is kept"
        return Finding(
            "cache", f"{says}; the usual place cannot be written, and this one is lost when the machine starts again", False, fix
        )
    return Finding("cache", says, True, "fwbio doctor --clean" if broken else "")


def memory() -> Finding:
    from fwbio.memory import free_mb, total_mb

    disk = shutil.disk_usage(Path.cwd()).free / 1e9
    says = f"{free_mb() / 1e3:.1f} of {total_mb() / 1e3:.1f} GB free; {os.cpu_count()} cores; disk here {disk:.1f} GB free"
    return Finding("memory", says, disk > 0.1, "" if disk > 0.1 else "free some space")


def clean() -> tuple[int, float, int]:
    """Empties the cache. (networks and leftovers removed, megabytes, networks left because a process is building them now)."""
    from fwbio.spiking import engine

    removed, freed, busy = 0, 0.0, 0
    folder = engine.cache()
    for lock in folder.glob("*.lock"):
        with open(lock) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                busy += 1
                continue
            freed += drop(lock.with_suffix(""))
            removed += 1
            lock.unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.is_dir() and not (busy and path.name.startswith(".build-")) and not path.with_name(f"{path.name}.lock").exists():
            freed += drop(path)
            removed += 1
    return removed, freed, busy


def drop(path: Path) -> float:
    """Removes a folder; its megabytes."""
    size = 0
    for file in path.rglob("*") if path.is_dir() else ():
        with contextlib.suppress(OSError):
            size += file.stat().st_size
    shutil.rmtree(path, ignore_errors=True)
    return size / 1e6


def told(findings, as_json: bool) -> str:
    if as_json:
        return json.dumps([vars(f) for f in findings], indent=1)
    marks = {True: "ok", False: "NO", None: "-"}
    return "\n".join(
        f"{marks[f.ok]:3} {f.name:12} {f.says}" + (f"\n{'':16} type: {f.fix}" if f.fix and f.ok is not None else "") for f in findings
    )
