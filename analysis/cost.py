"""What does a spiking run cost, against neurons, synapses, spikes, trials and duration? And from which batch on is a trial no cheaper?

    python analysis/cost.py        about ten minutes, most of it builds; results/speed/cost.json and analysis/figures/cost.png

CPU seconds of the compiled programs alone, single-threaded, the least of three runs; slopes of the logarithms, by least squares.
"""

import json
import resource
from pathlib import Path

import numpy as np

from fwbio import load, tasks
from fwbio.figures import canvas
from fwbio.spiking import batches

HERE, RUNS = Path(__file__).parent, 3
WHY = {
    "neurons": "each is looked at every step",
    "synapses": "only at a spike: nothing until there are many",
    "spikes": "each visits all synapses of its axon",
    "trials": "copies side by side",
    "duration": "steps",
}
BATCHES, TRIALS = (1, 2, 5, 10, 25, 50), 50


def cost(network, trials, batch) -> tuple[float, int]:
    """(CPU seconds of the least of RUNS runs, spikes of the first trial); the build is not counted."""
    x = tasks.of(network, trials, 1).x(network)
    batches.run(network, x[:batch], seed=0, keep=0, workers=1, batch=batch)
    found = []
    for seed in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = batches.run(network, x, seed=seed, keep=0, workers=1, batch=batch)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found), len(run.spike_t)


def free(units=16, neurons=100, r0=50, duration=4) -> object:
    changes = {"population.unit.size": units, "r0": f"{r0} Hz", "protocol.duration": f"{duration} s"}
    return load("random_recurrent", set={key: str(value) for key, value in changes.items()}, neurons=neurons)


def series() -> dict:
    """{of what: (numbers, seconds)}; of neurons and synapses the other is held, synapses by units: N neurons a trial have N R of them."""
    found = {}
    counts = (200, 400, 800, 1600)
    found["neurons"] = [(n * 8, cost(free(units=8, neurons=n, r0=50 * 200 / n), 1, 1)[0]) for n in counts]
    found["synapses"] = [(1600 * units, cost(free(units=units, neurons=1600 // units), 1, 1)[0]) for units in (4, 8, 16, 32, 64)]
    found["spikes"] = [cost(free(units=64, neurons=25, r0=r0), 1, 1)[::-1] for r0 in (25, 50, 100, 200, 400)]
    found["trials"] = [(trials, cost(free(duration=2), trials, 10)[0]) for trials in (10, 20, 40, 80)]
    found["duration"] = [(seconds, cost(free(duration=seconds), 1, 1)[0]) for seconds in (2, 4, 8, 16)]
    return found


def slope(points) -> float:
    return float(np.polyfit(*np.log(np.array(points, float)).T, 1)[0])


def main() -> None:
    found, network = series(), load("retrieval", neurons=100)
    a_trial = [(batch, cost(network, TRIALS, batch)[0] / TRIALS) for batch in BATCHES]
    knee = next(batch for batch, seconds in a_trial if seconds <= 1.1 * min(s for _, s in a_trial))
    slopes = {name: slope(points) for name, points in found.items()}
    for name, value in slopes.items():
        print(f"{name:10} slope {value:5.2f}   {WHY[name]}")
    print("a trial of retrieval, n = 100: " + ", ".join(f"{1e3 * s:.0f} ms in batches of {b}" for b, s in a_trial) + f"; knee at {knee}")
    out = Path("results/speed")
    out.mkdir(parents=True, exist_ok=True)
    (out / "cost.json").write_text(json.dumps({"series": found, "slopes": slopes, "a trial": a_trial, "knee": knee}, indent=1))
    caption = (
        "Left: CPU seconds of a run against each of five sizes, the others held; dashed: proportional. Right: what a trial of the retrieval network "
        f"costs, by how many run side by side; from {knee} on within 10 % of the least."
    )
    with canvas(10, 4.6, caption, 1, 2) as (figure, (left, right)):
        for name, points in found.items():
            x, y = np.array(points, float).T
            left.loglog(x / x[0], y / y[0], "o-", label=f"{name}, slope {slopes[name]:.2f}")
        left.loglog([1, 16], [1, 16], "--", color="0.6")
        left.set(xlabel="size over its smallest (1)", ylabel="CPU time over that of the smallest (1)")
        left.legend(fontsize=8)
        right.loglog(*np.array([(b, 1e3 * s) for b, s in a_trial]).T, "o-")
        right.set(xlabel="trials side by side (1)", ylabel="CPU time of a trial (ms)")
    figure.savefig(HERE / "figures/cost.png", dpi=150)


if __name__ == "__main__":
    main()
