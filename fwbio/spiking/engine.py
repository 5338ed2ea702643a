"""Build once, run many: a content-addressed cache of compiled networks, and runs as child processes that are checked.

A build is keyed by the structure, the sources that turn it into C++, the versions and the CPU; it is made in a temporary
folder and renamed into place, so that several processes may share the cache. A run is a child with a folder of its own. It
counts only if the exit code is 0, nothing stands on standard error, the completed fraction is exactly 1, every parameter
comes back equal to what was asked, the arrays have their lengths and everything is finite.
A child does not outlive its parent, and a build that is damaged on disk is made again.
"""

import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from fwbio.errors import EnvironmentProblem
from fwbio.memory import free_mb
from fwbio.spiking.structure import Structure


@dataclass(frozen=True)
class Outcome:
    """arrays by name; seconds of the child; its peak memory in MB."""

    arrays: dict
    seconds: float
    memory_mb: float


class NonFinite(EnvironmentProblem):
    """A state that is not a number any more. arrays : everything that the run brought back, for inspection."""

    def __init__(self, message, arrays):
        super().__init__(message)
        self.arrays = arrays


LARGEST = float(np.finfo(np.float32).max)  # of any state, 3.4e38: what is kept is float32, and nothing real comes near
LEAST = 4_000_000_000  # bytes of address space that a child may always have; Python's libraries reserve two of them and use a tenth
RUNNING = {}  # child process to (thread that waits for it, why it was killed)


def kill_all(thread: int | None = None, why: str = "interrupted") -> None:
    """Kills the children that run now, of one thread or of all."""
    for process, (owner, _) in list(RUNNING.items()):
        if thread in (None, owner):
            RUNNING[process] = owner, why
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def default_target() -> str:
    """C++ where there is a compiler, else NumPy."""
    return "cpp_standalone" if shutil.which("g++") or shutil.which("clang++") else "numpy"


def keep(arrays, path: Path) -> None:
    """Arrays of a run that failed, for inspection; nothing if there are none or they cannot be written."""
    if arrays:
        with contextlib.suppress(OSError):
            np.savez_compressed(path, **arrays)


def cache() -> Path:
    """``$FWBIO_CACHE``, or ``~/.cache/fwbio``, or where that cannot be written a folder of this user among the temporary ones (said once)."""
    chosen = Path(os.environ.get("FWBIO_CACHE") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "fwbio")
    try:
        chosen.mkdir(parents=True, exist_ok=True)
        if os.access(chosen, os.W_OK):
            return chosen
    except OSError:
        pass
    return elsewhere(chosen)


@functools.cache
def elsewhere(chosen: Path) -> Path:
    place = Path(tempfile.gettempdir()) / f"fwbio-cache-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    place.mkdir(mode=0o700, exist_ok=True)
    if place.is_symlink() or hasattr(os, "getuid") and place.stat().st_uid != os.getuid():  # somebody else's programs are not run
        place = Path(tempfile.mkdtemp(prefix="fwbio-cache-"))
    print(f"fwbio: {chosen} cannot be written; compiled networks are kept in {place} (export FWBIO_CACHE=…)", file=sys.stderr)
    return place


def key(s: Structure, shapes: dict) -> str:
    """The name of the build of ``s``."""
    text = json.dumps([asdict(s), shapes, origin()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


@functools.cache
def origin() -> list[str]:
    """What makes other programs of the same structure: our sources, versions, the CPU."""
    sources = b"".join(
        path.read_bytes()
        for path in sorted(Path(__file__).parent.rglob("*.[pc]*"))
        if path.suffix in (".py", ".cpp") and path.name != "engine.py"
    )
    flags = Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0] if os.path.exists("/proc/cpuinfo") else ""
    versions = [importlib.metadata.version(p) for p in ("brian2", "numpy")] + [platform.python_version(), platform.machine()]
    return [hashlib.sha256(sources).hexdigest(), *versions, flags]


def build(s: Structure, values: dict, say=None) -> tuple[Path, float]:
    """The folder of the compiled network and the seconds it took (0.0 if it was there).

    Of several that want the same network at once, threads or processes, one builds and the others wait.
    """
    shapes = {name: list(np.shape(value)) for name, value in values.items()}
    folder = cache() / key(s, shapes)
    if complete(folder):
        return folder, 0.0
    if default_target() == "numpy":
        raise EnvironmentProblem("no C++ compiler found; install one (Debian: apt-get install g++) or use the numpy target")
    start = time.monotonic()
    with locked(folder):
        if complete(folder):
            return folder, 0.0
        if say:
            say("building the network (once; it is kept)")
        work = Path(tempfile.mkdtemp(prefix=".build-", dir=cache()))
        try:
            compile_in(work, s, shapes)
            if folder.exists():  # left behind incomplete or damaged
                shutil.rmtree(folder, ignore_errors=True)
            work.rename(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return folder, time.monotonic() - start


def complete(folder: Path) -> bool:
    """Whether a build is there as it was made: its manifest is written last and knows the size of the program."""
    try:
        return json.loads((folder / "manifest.json").read_text())["size"] == (folder / "main").stat().st_size
    except (OSError, ValueError, KeyError, TypeError):
        return False


@contextlib.contextmanager
def locked(folder: Path):
    """One at a time for this build; the system opens the lock when its holder ends, however it ends."""
    with open(f"{folder}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def compile_in(work: Path, s: Structure, shapes: dict) -> None:
    (work / "structure.json").write_text(json.dumps(asdict(s)))
    (work / "shapes.json").write_text(json.dumps(shapes))
    command = [sys.executable, "-m", "fwbio.spiking.worker", "build", str(work)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(0))
    made = work / "main"
    if done.returncode or not (work / "manifest.json").is_file() or not made.is_file():
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise EnvironmentProblem(f"building the spiking network failed (exit code {done.returncode}):\n{tail}")
    for scrap in work.glob("code_objects/*.o"):
        scrap.unlink()
    manifest = json.loads((work / "manifest.json").read_text())
    sealed = {**manifest, "size": made.stat().st_size, "sha256": hashlib.sha256(made.read_bytes()).hexdigest()}
    (work / "manifest.json").write_text(json.dumps(sealed))


def damaged(folder: Path) -> bool:
    """Whether a build is not what was made; it is then removed."""
    try:
        sealed = json.loads((folder / "manifest.json").read_text())["sha256"]
        fine = hashlib.sha256((folder / "main").read_bytes()).hexdigest() == sealed
    except (OSError, ValueError, KeyError, TypeError):
        fine = False
    if not fine:
        shutil.rmtree(folder, ignore_errors=True)
    return not fine


def environment(seed: int) -> dict:
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH")) if p)
    return {**os.environ, "FWBIO_SEED": str(seed), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": path}


def run(folder: Path, s: Structure, values: dict, seed: int, progress=None) -> Outcome:
    """One run of a compiled network in a folder of its own. Raises EnvironmentProblem if any check fails.

    Where it fails because the build is damaged on disk, the network is built again and run once more.
    """
    try:
        return run_once(folder, s, values, seed, progress)
    except (EnvironmentProblem, OSError, ValueError, KeyError):
        if not damaged(folder):
            raise
    build(s, values)
    return run_once(folder, s, values, seed, progress)


def run_once(folder: Path, s: Structure, values: dict, seed: int, progress) -> Outcome:
    manifest = json.loads((folder / "manifest.json").read_text())
    with tempfile.TemporaryDirectory(prefix="fwbio-run-") as scratch:
        results = Path(scratch) / "results"
        results.mkdir()
        arguments = []
        for name, value in values.items():
            target = name if "." in name else f"{name}.values"
            if np.ndim(value):
                path = Path(scratch) / f"{name}.dat"
                np.ascontiguousarray(value, dtype=np.float64).tofile(path)
                arguments.append(f"{target}={path}")
            else:
                arguments.append(f"{target}={float(value)!r}")
        command = [str(folder / "main"), "--results_dir", f"{results}/", *arguments]
        seconds, memory = child(command, folder, seed, progress)
        finished = (results / "last_run_info.txt").read_text().split()
        if float(finished[1]) != 1.0:
            raise EnvironmentProblem(f"the run stopped after {float(finished[1]):.1%}; nothing of it is used")
        read_back(manifest["back"], results, values)
        arrays = {name: np.fromfile(results / file, dtype) for name, (file, dtype) in manifest["outputs"].items()}
    return Outcome(shape(arrays, s), seconds, memory)


def interpret(s: Structure, values: dict, seed: int, progress=None) -> Outcome:
    """One run under Brian2's NumPy or Cython target, in a child process: no compiler needed, slow for large networks."""
    with tempfile.TemporaryDirectory(prefix="fwbio-run-") as scratch:
        (Path(scratch) / "structure.json").write_text(json.dumps(asdict(s)))
        np.savez(Path(scratch) / "parameters.npz", **values)
        command = [sys.executable, "-W", "ignore", "-m", "fwbio.spiking.worker", "run", scratch]
        seconds, memory = child(command, scratch, seed, progress, quiet=False)
        with np.load(Path(scratch) / "outputs.npz", allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    return Outcome(shape(arrays, s), seconds, memory)


def child(command, folder, seed, progress, quiet=True) -> tuple[float, float]:
    """Runs the command to its end; seconds and peak memory in MB. Kills it if this process is interrupted."""
    start = time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(seed), start_new_session=True
    )
    RUNNING[process] = threading.get_ident(), ""
    confine(process)
    errors = []
    listener = threading.Thread(target=lambda: errors.append(process.stderr.read()), daemon=True)
    listener.start()
    try:
        said, peak = [], None
        for line in process.stdout:
            if line.startswith("progress"):
                if progress:
                    progress(float(line.split()[1]))
            elif line.startswith("peak"):  # its own word: what the system counts for a child includes its parent at the fork
                peak = float(line.split()[1]) / 1024
            else:
                said.append(line)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        _, why = RUNNING.pop(process)
    listener.join()
    if why:
        raise EnvironmentProblem(f"the spiking run was killed: {why}")
    complaint = (errors[0] if errors else "").strip()
    if process.returncode or (quiet and complaint):
        cause = f"signal {-process.returncode}" if process.returncode < 0 else f"exit code {process.returncode}"
        if process.returncode == -9 or "bad_alloc" in complaint or "MemoryError" in complaint:
            cause += f", probably out of memory (peak {usage.ru_maxrss / 1024:.0f} MB)"
        tail = "\n".join((complaint or "".join(said)).splitlines()[-8:])
        raise EnvironmentProblem(f"the spiking run failed: {cause}\n{tail}".rstrip())
    return time.monotonic() - start, peak or usage.ru_maxrss / 1024


def confine(process) -> None:
    """A child that wants more memory than there is ends by itself, before the system kills whom it likes."""
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(OSError, ValueError):  # it has ended, or has a lower limit already
            most = max(int(free_mb() * 1e6), LEAST)
            resource.prlimit(process.pid, resource.RLIMIT_AS, (most, most))


def read_back(back: dict, results: Path, values: dict) -> None:
    """Raises EnvironmentProblem unless the program used exactly the parameters it was given."""
    for name, value in values.items():
        file, dtype = back[name]
        used = np.fromfile(results / file, dtype)
        wanted = np.asarray(value, dtype=np.float64).ravel()
        if (
            used.size == 0
            or (wanted.size != 1 and used.size != wanted.size)
            or not np.array_equal(used, np.broadcast_to(wanted, used.shape))
        ):
            raise EnvironmentProblem(f"parameter mismatch: {name} was not what was asked for; nothing of this run is used")


def shape(arrays: dict, s: Structure) -> dict:
    """The flat arrays of a run with their shapes; raises EnvironmentProblem for wrong lengths, NonFinite."""
    shapes = s.shapes(arrays)
    shaped = {}
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not (fine := np.abs(array) <= LARGEST).all():  # NaN is not either
            worst = array[int(np.argmin(fine))]
            raise NonFinite(
                f"non-finite values: {name} is {worst:.3g} after {int(np.argmin(fine))} numbers; nothing of this run is used", arrays
            )
        try:
            shaped[name] = array.reshape(shapes[name]) if name in shapes else array
        except ValueError:
            raise EnvironmentProblem(f"{name} came back with {array.size} numbers, which is not {shapes[name]}") from None
    return {name: array[..., 0] if name in ("h", "I") else array for name, array in shaped.items()}
