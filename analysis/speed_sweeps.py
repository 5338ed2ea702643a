"""What does a sweep cost beyond its simulations? 32 points of W1 (1 s each) against a hand-written Cython loop, and a folder of 10,000 points.

    python analysis/speed_sweeps.py      about ten minutes; results/speed/sweeps.json

Two processes each, so wall-clock seconds: run it on a quiet machine. The loop has its caches warm; fwbio begins without any.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from workloads.measure import HERE

POINTS, MANY = 32, 10_000
CARD = str(HERE / "w1.toml")
SCAN = """
import resource, sys, time
from pathlib import Path
from fwbio.sweeps import job, store
from fwbio.sweeps.spec import Spec
folder = Path(sys.argv[1])
spec = Spec.of(store.manifest(folder)["spec"])
start = time.monotonic()
done = store.finished(folder)
todo = [point for point in spec.points() if point.key not in done]
seconds = time.monotonic() - start
table = job.resume(folder)
print(len(done), len(todo), seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, table.counts()["done"])
"""


def loop(first, last):
    return subprocess.Popen([sys.executable, HERE / "plain_brian.py", "loop", str(first), str(last)], stdout=subprocess.PIPE)


def by_hand() -> float:
    """Wall-clock seconds of the Cython loop in two processes, caches warm."""
    loop(0, 1).communicate()
    start = time.monotonic()
    for process in [loop(0, POINTS // 2), loop(POINTS // 2, POINTS)]:
        process.communicate()
        if process.returncode:
            sys.exit("the Cython loop failed")
    return time.monotonic() - start


def swept(axis, out) -> float:
    import fwbio

    start = time.monotonic()
    table = fwbio.sweep(CARD, axis, set={"protocol.duration": "1 s"}, levels="spiking", workers=2, out=out)
    if table.counts()["done"] != POINTS:
        sys.exit(f"{table.counts()}: {table.reasons}")
    return time.monotonic() - start


def programs(count) -> float:
    """Wall-clock seconds of the compiled program alone, ``count`` times by two processes at a time, as the sweep ran it."""
    from fwbio import load
    from fwbio.spiking import circuit_structure, engine

    model = load(CARD, set={"protocol.duration": "1 s"})
    s = circuit_structure.structure(model)
    values = circuit_structure.parameters(model, s, 0)
    folder, _ = engine.build(s, values)
    with tempfile.TemporaryDirectory() as scratch:
        np.asarray(values["E.stream"]).tofile(f"{scratch}/stream")
        words = [f"{key}={float(value)!r}" for key, value in values.items() if key != "E.stream"] + [f"E.stream={scratch}/stream"]
        places = [Path(scratch) / f"{k}" for k in range(count)]  # a folder each: some file systems wait when a file is written anew
        for place in places:
            place.mkdir()
        start = time.monotonic()
        for k in range(0, count, 2):
            both = [
                subprocess.Popen(
                    [folder / "main", "--results_dir", f"{place}/", *words],
                    cwd=folder,
                    env={**os.environ, "FWBIO_SEED": str(k)},
                    stdout=subprocess.DEVNULL,
                )
                for place in places[k : k + 2]
            ]
            for process in both:
                process.wait()
        return time.monotonic() - start


def scan(folder) -> list[float]:
    """Points found, points missing, seconds of the scan, MB of the process, rows of the table; points are written by the store, not simulated."""
    from fwbio.sweeps import job, store
    from fwbio.sweeps.point import written

    spec = job.specify(CARD, f"tau_f=100ms:10s:log:{MANY}", levels="spiking")
    store.start(folder, spec)
    rng = np.random.default_rng(0)
    for point in spec.points():
        found = {f"rate.{epoch}.E.spiking": rng.random() for epoch in ("all", "late")}
        store.publish(folder, point.key, written(found, point.settings(), point.seed(spec.root)))
    out = subprocess.run([sys.executable, "-c", SCAN, folder], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [float(word) for word in out.split()]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="fwbio-speed-") as scratch:
        os.environ["FWBIO_CACHE"] = f"{scratch}/cache"
        hand = by_hand()
        first = swept(f"tau_f=500ms:2s:lin:{POINTS}", f"{scratch}/first")
        second = swept(f"tau_d=100ms:400ms:lin:{POINTS}", f"{scratch}/second")
        beyond = 1e3 * (second - programs(POINTS)) / POINTS
        done, missing, seconds, memory, rows = scan(Path(scratch) / "many")
    if (done, missing, rows) != (MANY, 0, MANY):
        sys.exit(f"of {MANY} points {done:.0f} were found, {missing:.0f} missing, {rows:.0f} in the table")
    found = [
        (f"{POINTS} points from nothing / Cython loop ({hand:.1f} s)", first / hand, 0.7),
        (f"the second sweep / Cython loop ({second:.1f} s)", second / hand, 0.3),
        ("overhead a point beyond the program, ms", beyond, 10),
        (f"scan of {MANY:,} points, s", seconds, 3),
        (f"resume of {MANY:,} points with its table, MB", memory, 500),
    ]
    for what, value, goal in found:
        print(f"{what:55} {value:8.3f} {goal:>6} {'met' if value <= goal else 'MISSED'}")
    out = Path("results/speed")
    out.mkdir(parents=True, exist_ok=True)
    (out / "sweeps.json").write_text(json.dumps([{"what": w, "value": v, "goal": g} for w, v, g in found], indent=1))
    return 0 if all(value <= goal for _, value, goal in found) else 1


if __name__ == "__main__":
    sys.exit(main())
