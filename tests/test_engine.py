"""Runs of compiled networks count only when everything about them checks out. Real programs, real signals."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import fwbio
from fwbio.errors import EnvironmentProblem
from fwbio.spiking import engine
from fwbio.spiking.streams import streams
from fwbio.spiking.structure import parameters, structure
from fwbio.tasks import retrieval

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler: Debian has it as g++")


@pytest.fixture(scope="module")
def built():
    """A small compiled network: folder, structure, parameters of one run."""
    net = fwbio.load("retrieval", neurons=20)
    task = retrieval(trials=25, seed=0)
    x = task.x(net)
    s = structure(net, x.shape[1], 25, 1)
    values = parameters(net, s, x)
    folder, _ = engine.build(s, values)
    return folder, s, values


@needs_compiler
def test_a_second_build_is_free_and_a_run_repeats_from_its_seed(built):
    folder, s, values = built
    assert engine.build(s, values) == (folder, 0.0)
    others = {**values, "neurons.stream": streams(2, range(s.trials), s.per_trial)}
    first, again, other = (engine.run(folder, s, given, 1).arrays for given in (values, values, others))
    assert len(first["spike_t"]) > 1000
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["spike_t"][:1000], other["spike_t"][:1000])


@needs_compiler
def test_parameters_reach_the_program(built):
    folder, s, values = built
    silent = engine.run(folder, s, {**values, "fast.eta": 0.0}, 1).arrays
    assert np.abs(silent["fast"]).max() == 0.0


@needs_compiler
@pytest.mark.parametrize("name", ["x", "first", "slow_weight", "dendrites.gain"])
def test_a_truncated_parameter_file_is_never_accepted(built, name, monkeypatch):
    """Brian2 keeps the default values and exits with 0."""
    folder, s, values = built
    popen = subprocess.Popen

    def truncating(command, **options):
        (file,) = [part.split("=", 1)[1] for part in command if part.startswith((f"{name}.values=", f"{name}="))]
        os.truncate(file, os.path.getsize(file) - 8)
        return popen(command, **options)

    monkeypatch.setattr(engine.subprocess, "Popen", truncating)
    with pytest.raises(EnvironmentProblem):
        engine.run(folder, s, values, 1)


@needs_compiler
def test_a_program_that_ignores_a_parameter_is_found_out(built, monkeypatch):
    folder, s, values = built
    popen = subprocess.Popen
    monkeypatch.setattr(
        engine.subprocess, "Popen", lambda command, **options: popen([part for part in command if "fast.tau" not in part], **options)
    )
    with pytest.raises(EnvironmentProblem, match="fast.tau"):
        engine.run(folder, s, values, 1)


@needs_compiler
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGINT, signal.SIGTERM])
def test_a_killed_run_gives_nothing(built, number, monkeypatch):
    """SIGINT above all: Brian2 then exits with 0 and part of the data."""
    folder, s, values = built
    popen, whole = subprocess.Popen, min(engine.run(folder, s, values, 1).seconds for _ in range(3))

    def doomed(command, **options):
        process = popen(command, **options)
        threading.Timer(0.4 * whole, process.send_signal, (number,)).start()
        return process

    monkeypatch.setattr(engine.subprocess, "Popen", doomed)
    with pytest.raises(EnvironmentProblem):
        engine.run(folder, s, values, 1)


@needs_compiler
def test_non_finite_values_are_never_returned(built):
    folder, s, values = built
    with pytest.raises(EnvironmentProblem):
        engine.run(folder, s, {**values, "dendrites.eps": float("nan")}, 1)
    with pytest.raises(EnvironmentProblem, match="non-finite"):
        engine.run(folder, s, {**values, "fast.eta": 1e308}, 1)


@needs_compiler
def test_an_unfinished_build_is_replaced(built, tmp_path, monkeypatch):
    """A cache entry without its manifest is what a killed build leaves; it is not trusted, and two builders do not collide."""
    folder, s, values = built
    monkeypatch.setenv("FWBIO_CACHE", str(tmp_path))
    broken = tmp_path / folder.name
    broken.mkdir()
    (broken / "main").write_text("half a program")
    with ThreadPoolExecutor(2) as pool:
        folders = [f.result()[0] for f in [pool.submit(engine.build, s, values) for _ in range(2)]]
    assert folders == [broken, broken]
    assert json.loads((broken / "manifest.json").read_text())["outputs"]
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == [broken.name]
    engine.run(broken, s, values, 1)


def test_without_a_compiler_it_says_so_and_the_numpy_target_works(monkeypatch, tmp_path):
    net = fwbio.load("retrieval", neurons=3)
    task = retrieval(trials=1, seed=0)
    s = structure(net, 11, 1, 1)
    monkeypatch.setattr(engine.shutil, "which", lambda name: None)
    monkeypatch.setenv("FWBIO_CACHE", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="g\\+\\+"):
        engine.build(s, parameters(net, s, task.x(net)))
    said = []
    found = fwbio.run(net, task, "spiking", say=said.append)
    assert "apt-get install g++" in said[0]
    assert len(found.spikes.spike_t) > 100


def test_a_cache_that_cannot_be_written_is_replaced_by_a_temporary_one(monkeypatch):
    monkeypatch.setenv("FWBIO_CACHE", "/proc/fwbio")
    folder = engine.cache()
    assert folder.is_dir() and os.access(folder, os.W_OK) and stat.S_ISDIR(folder.stat().st_mode)
    folder.rmdir()


def test_an_interrupted_parent_leaves_no_child(built):
    """The child is killed when the run is broken off from within."""
    folder, s, values = built

    class Enough(Exception):
        pass

    def stop(_fraction):
        raise Enough

    before = time.monotonic()
    with pytest.raises(Enough):
        engine.run(folder, replace(s), values, 1, stop)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert str(folder / "main") not in listed
    assert time.monotonic() - before < 30


def test_a_child_that_wants_too_much_memory_dies_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "LEAST", 1_000_000_000)
    monkeypatch.setattr(engine, "free_mb", lambda: 500.0)
    with pytest.raises(EnvironmentProblem, match="out of memory"):
        engine.child([sys.executable, "-c", "import time; time.sleep(0.2); bytearray(1_500_000_000)"], tmp_path, 1, None)
    engine.child([sys.executable, "-c", "import time; time.sleep(0.2); bytearray(100_000_000)"], tmp_path, 1, None)


def test_a_cache_that_cannot_be_written_is_replaced_and_said_once(tmp_path):
    """/dev/null is no folder, not for root either. The other place is the same for the next process."""
    code = "from fwbio.spiking import engine; print(engine.cache()); print(engine.cache())"
    env = {**os.environ, "FWBIO_CACHE": "/dev/null/fwbio", "TMPDIR": str(tmp_path)}
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env) for _ in range(2)]
    (place,) = {line for run in runs for line in run.stdout.splitlines()}
    assert os.path.dirname(place) == str(tmp_path) and os.stat(place).st_mode & 0o77 == 0
    assert all(run.stderr.count("cannot be written") == 1 and place in run.stderr for run in runs)
