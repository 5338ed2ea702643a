"""CPU seconds (user and system, of one single-threaded process; others on the machine do not enter) and spikes of each workload in each engine.

Every function returns (spikes, seconds). Building is never timed. The recorded arrays of a run are written by every program that is timed.
"""

import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SECONDS = {"w1": 10, "traces": 5, "dendrites": 5}


def children(function, *arguments):
    """(what the function returns, CPU seconds of the child processes it ran)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = function(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def said(*command) -> tuple[int, float]:
    """What a program that times itself prints: spikes and seconds."""
    out = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
    spikes, seconds = out.strip().splitlines()[-1].split()[:2]
    return int(spikes), float(seconds)


def compile_floor(folder) -> None:
    subprocess.run(shlex.split(f"cc -O3 -march=native -ffast-math -o {folder}/floor {HERE}/floor.c -lm"), check=True)


def floor(workload, folder, seed):
    return said(folder / "floor", workload, seed, SECONDS[workload])


def build_plain(workload, folder) -> None:
    """The plain Brian2 C++ program of a workload in ``folder``/WORKLOAD."""
    target = folder / workload
    if not (target / "main").is_file():
        subprocess.run([sys.executable, HERE / "plain_brian.py", workload, "cpp_standalone", target], check=True, capture_output=True)
    (target / "results").mkdir(exist_ok=True)


def plain(workload, folder, _seed):
    _, seconds = children(lambda: subprocess.run(["./main"], cwd=folder / workload, check=True, capture_output=True))
    (file,) = (folder / workload / "results").glob("_dynamic_array_spikemonitor_t_*")
    return os.path.getsize(file) // 8, seconds


def cython(workload, _folder, _seed):
    return said(sys.executable, HERE / "plain_brian.py", workload, "cython", SECONDS[workload])


def nest(workload, _folder, _seed):
    return said(sys.executable, HERE / "plain_nest.py", workload)


def fwbio(workload, _folder, seed):
    """The card of the workload by the public interface; the network is built before."""
    return {"w1": circuit, "traces": traces, "dendrites": network}[workload](seed)


def circuit(seed, card="w1.toml", **changes):
    from fwbio import circuit, load

    model = load(HERE / card, set=changes)
    run, seconds = children(lambda: circuit.run(model, "spiking", seed=seed))
    return len(run.spikes["E"][0]), seconds if run.build_seconds == 0 else np.nan


def network(seed):
    from fwbio import load
    from fwbio.spiking import batches

    model = load(HERE / "w2.toml")
    trace, seconds = children(lambda: batches.run(model, np.ones((1, 1, 1000)), seed=seed, workers=1, batch=1, keep=1))
    return len(trace.spike_t), seconds if trace.build_seconds == 0 else np.nan


def traces(_seed):
    """Rules at both ends run in a network of one's own, ``fwbio.synapses(…, reduced=True)``: a program like the plain one."""
    folder = Path(os.environ["FWBIO_TRACES"])
    if not (folder / "main").is_file():
        subprocess.run([sys.executable, HERE / "traces.py", folder], check=True, capture_output=True)
    (folder / "results").mkdir(exist_ok=True)
    return plain(folder.name, folder.parent, 0)
