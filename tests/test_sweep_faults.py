"""Real signals: workers and parents are killed at random moments, Ctrl-C once and twice, states that overflow. Nothing is lost or doubled.

A point is a real spiking network in C++ (3 units of 3 neurons), one build for all. The quick counts are the default; `pytest -m faults` has
the full ones: 50 kills of each kind, 200 overflows. Kills are at random times, fixed seed; that they hit something is asserted.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fwbio.spiking import engine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(engine.default_target() == "numpy" or sys.platform != "linux", reason="needs a C++ compiler and /proc"),
]
SETTINGS = {"population.unit.size": "3", "population.unit.neurons": "3", "protocol.duration": "500 ms"}
OVER = ["--over", "fast.tau=0.5s:5s:log:20", "--trials", "2", "--levels", "spiking"]
SET = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]


def begin(folder, *words):
    line = [sys.executable, "-m", "fwbio", "sweep", "random_recurrent", *OVER, *SET, "--out", str(folder), *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # whoever starts the tests in the background of a shell hands down a Ctrl-C that is ignored
    return subprocess.Popen(
        line, **pipes, start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
    )


def finish(folder, *words):
    """What a user does: fwbio resume, or the sweep's own line again where it was killed before anything stood there."""
    if not (Path(folder) / "manifest.json").is_file():
        assert begin(folder).wait() == 0
    done = subprocess.run([sys.executable, "-m", "fwbio", "resume", str(folder), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return (Path(folder) / "table.csv").read_bytes()


def children(parent: int) -> list[int]:
    """The compiled networks that run now for this process."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                after = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
                name = os.readlink(f"/proc/{entry}/exe")
            except OSError:
                continue
            if int(after[1]) == parent and name.endswith("/main"):
                found.append(int(entry))
    return found


def points(folder):
    return sorted(p.name for p in (Path(folder) / "points").rglob("*.npz"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """(table.csv, names of all point files) of a sweep that nothing happens to; the build is there afterwards."""
    os.environ["FWBIO_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    folder = tmp_path_factory.mktemp("sweep") / "undisturbed"
    assert begin(folder, "--seeds", "1").wait() == 0
    again = tmp_path_factory.mktemp("sweep") / "again"
    assert begin(again, "--workers", "1").wait() == 0
    assert points(again) == points(folder) and (again / "table.csv").read_bytes() == (folder / "table.csv").read_bytes()
    yield (folder / "table.csv").read_bytes(), points(folder)
    os.environ.pop("FWBIO_CACHE")


def kill_parents(kills, undisturbed, tmp_path):
    """Kill, resume, kill …: how many kills came while points were being made."""
    table, names = undisturbed
    rng, folder, hits, sweeps = np.random.default_rng(1), tmp_path / "s0", 0, 0
    for _ in range(kills):
        had = len(points(folder))
        enough = rng.integers(had, len(names))  # killed when so many points are there, or before there is one more
        process = begin(folder)
        while had < enough and process.poll() is None and len(points(folder)) < enough:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.05 if had < enough else 2.0))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for _ in range(50):  # children of a dead parent end by themselves
            if not children(1) and not children(process.pid):
                break
            time.sleep(0.1)
        assert not children(process.pid)
        there = points(folder)
        assert set(there) <= set(names) and len({n.split(".")[0] for n in there}) == len(there)
        hits += 0 < len(there) < len(names)
        if len(there) == len(names):
            assert finish(folder) == table
            sweeps += 1
            folder = tmp_path / f"s{sweeps}"
    assert finish(folder) == table and points(folder) == names
    return hits


def kill_workers(kills, undisturbed, tmp_path):
    table, names = undisturbed
    rng, done, turn = np.random.default_rng(2), 0, 0
    while done < kills:
        turn += 1
        folder = tmp_path / f"s{turn}"
        process = begin(folder)
        while process.poll() is None and done < kills:
            time.sleep(rng.uniform(0.02, 0.15))
            if found := children(process.pid):
                try:
                    os.kill(int(rng.choice(found)), rng.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT]))
                    done += 1
                except ProcessLookupError:
                    pass
        process.communicate()
        failed = [json.loads(p.read_text())["reason"] for p in (folder / "failed").glob("*.json")]
        assert all("signal" in reason for reason in failed)
        assert len(points(folder)) + len(failed) == len(names)
        assert finish(folder, "--retry") == table and points(folder) == names
        assert turn < 100


def test_parents_are_killed(undisturbed, tmp_path):
    assert kill_parents(4, undisturbed, tmp_path) >= 2


def test_workers_are_killed(undisturbed, tmp_path):
    kill_workers(6, undisturbed, tmp_path)


@pytest.mark.faults
def test_fifty_parents_are_killed(undisturbed, tmp_path):
    assert kill_parents(50, undisturbed, tmp_path) >= 25


@pytest.mark.faults
def test_fifty_workers_are_killed(undisturbed, tmp_path):
    kill_workers(50, undisturbed, tmp_path)


def interrupted(folder, undisturbed, twice: bool):
    table, names = undisturbed
    process = begin(folder, "--seeds", "1")
    while not points(folder):
        time.sleep(0.02)
        assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)
    start = time.monotonic()
    if twice:
        time.sleep(0.05)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode in (130, 0) and "Traceback" not in err, err
    assert time.monotonic() - start < 5 or not twice
    assert not children(process.pid)
    assert finish(folder) == table and points(folder) == names
    return process.returncode == 130


def test_ctrl_c_once_and_twice(undisturbed, tmp_path):
    ended = [interrupted(tmp_path / f"i{k}", undisturbed, twice=k % 2 == 1) for k in range(4)]
    assert sum(ended) >= 2


@pytest.mark.faults
def test_ctrl_c_thirty_times(undisturbed, tmp_path):
    assert sum(interrupted(tmp_path / f"i{k}", undisturbed, twice=k % 2 == 1) for k in range(30)) >= 15


def overflows(many, tmp_path):
    """eta of 1e300 on half of the points: each is found, none is published, the others are."""
    line = [
        sys.executable,
        "-m",
        "fwbio",
        "sweep",
        "random_recurrent",
        "--over",
        "fast.eta=0.25,1e300",
        "--seeds",
        str(many),
        "--levels",
        "spiking",
    ]
    line += ["--trials", "2", *SET, "--set", "fast.tau=1s", "--out", str(tmp_path / "s"), "--json"]
    done = subprocess.run(line, capture_output=True, text=True)
    said = json.loads(done.stdout)
    assert done.returncode == 1 and (said["done"], said["failed"]) == (many, many), said
    assert all("non-finite" in f["reason"] and f["fast.eta"] == "1e300" for f in said["failures"])


def test_overflows_are_found(undisturbed, tmp_path):
    overflows(5, tmp_path)


@pytest.mark.faults
def test_two_hundred_overflows_are_found(undisturbed, tmp_path):
    overflows(200, tmp_path)


def test_a_hung_point_is_killed_at_its_limit(undisturbed, tmp_path):
    code = subprocess.run(
        [sys.executable, "-m", "fwbio", "sweep", "random_recurrent", "--over", "fast.tau=1s,2s", "--trials", "2", *SET, "--set", "protocol.duration=2000 s",
         "--levels", "spiking", "--limit", "1 s", "--out", str(tmp_path / "s"), "--workers", "2"],
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert code.returncode == 1 and "the limit is 1 s" in code.stdout


def test_a_damaged_build_is_made_again(undisturbed, tmp_path, monkeypatch):
    """The compiled program is overwritten with zeros; the sweep notices, builds it again and has the same bytes in the end."""
    table, names = undisturbed
    # the first build of this cache is that of the undisturbed sweep
    built = min((path for path in engine.cache().iterdir() if engine.complete(path)), key=lambda path: path.stat().st_mtime)
    mine = tmp_path / "cache"
    shutil.copytree(built, mine / built.name)
    program = mine / built.name / "main"
    program.write_bytes(b"\x00" * program.stat().st_size)
    program.chmod(0o755)
    monkeypatch.setenv("FWBIO_CACHE", str(mine))
    assert begin(tmp_path / "s").wait() == 0
    assert (tmp_path / "s/table.csv").read_bytes() == table and points(tmp_path / "s") == names
    assert program.read_bytes()[:4] == b"\x7fELF"
