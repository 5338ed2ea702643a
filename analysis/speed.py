"""How long do the two neutral workloads take, next to Brian2 as its documentation would write it, to NEST and to a hand-written C loop?

    python analysis/speed.py [FOLDER]      programs are built in FOLDER (default: a new temporary one); results/speed/workloads.json

A benchmark: seconds depend on the machine, so every figure is a ratio within this run. CPU seconds of single-threaded
processes, the least of five runs in turn, because what else runs on a core's other thread slows a process down.
"""

import json
import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from workloads import measure

RUNS, AGREE = 5, 0.05  # W1 is recurrent: integration schemes and delays differ by a step; Poisson counts of W2 scatter by 0.3 %
ENGINES = {
    "w1": ("fwbio", "plain", "cython", "nest", "floor"),
    "traces": ("fwbio", "plain", "cython", "nest", "floor"),
    "dendrites": ("fwbio", "plain", "floor"),
}
GOALS = [  # workload, of whom, workload whose time divides, by whom, goal (None: reported)
    ("w1", "fwbio", "w1", "plain", 0.5),
    ("w1", "fwbio", "w1", "nest", 0.12),
    ("w1", "fwbio", "w1", "cython", None),
    ("w1", "fwbio", "w1", "floor", None),
    ("traces", "fwbio", "traces", "plain", 0.18),
    ("traces", "fwbio", "traces", "nest", 0.12),
    ("traces", "fwbio", "traces", "floor", None),
    ("dendrites", "fwbio", "traces", "plain", 0.10),
    ("dendrites", "fwbio", "dendrites", "plain", None),
    ("dendrites", "floor", "dendrites", "plain", None),
    ("dendrites", "fwbio", "dendrites", "floor", None),
]


def timed(folder) -> dict:
    """{workload: {engine: [mean spikes, least seconds]}} of RUNS rounds, in which every engine has its turn."""
    measure.compile_floor(folder)
    found = {}
    for workload, engines in ENGINES.items():
        measure.build_plain(workload, folder)
        if "nest" in engines and not find_spec("nest"):
            print("NEST is not installed (pip install nest-simulator); its ratios are left out")
            engines = [engine for engine in engines if engine != "nest"]
        found[workload], runs = {}, {engine: [] for engine in engines}
        for turn in range(RUNS + 1):
            for engine in engines:
                if turn == 0 or engine != "cython" or turn == 1:
                    runs[engine].append(getattr(measure, engine)(workload, folder, turn))
        for engine, all_runs in runs.items():  # the first builds and fills the caches
            spikes, seconds = zip(*all_runs[1:])
            found[workload][engine] = [sum(spikes) / len(spikes), min(seconds)]
            print(f"{workload:10} {engine:7} {found[workload][engine][0]:9.0f} spikes {min(seconds):8.3f} s", flush=True)
    return found


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="fwbio-speed-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["FWBIO_TRACES"] = str(folder / "fwbio_traces")
    found, missed = timed(folder), 0
    for workload, engines in found.items():
        spikes = [count for count, _ in engines.values()]
        if max(spikes) > (1 + AGREE) * min(spikes):
            sys.exit(f"{workload}: spike counts {spikes} differ by more than {AGREE:.0%}: the engines do not do the same work")
    print(f"\n{'what':50} {'ratio':>7} {'goal':>6}")
    rows = []
    for workload, who, other, whom, goal in GOALS:
        if whom in found[other]:
            ratio = found[workload][who][1] / found[other][whom][1]
            verdict = "reported" if goal is None else "met" if ratio <= goal else "MISSED"
            missed += verdict == "MISSED"
            rows.append({"what": f"{who} on {workload} / {whom} on {other}", "ratio": ratio, "goal": goal, "verdict": verdict})
            print(f"{rows[-1]['what']:50} {ratio:7.3f} {goal or '':>6} {verdict}")
    out = Path("results/speed")
    out.mkdir(parents=True, exist_ok=True)
    (out / "workloads.json").write_text(json.dumps({"seconds": found, "rows": rows}, indent=1))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
