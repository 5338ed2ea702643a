"""How many neurons a unit does a trained fast-weight memory need in spikes?

The retrieval card in all three descriptions on the same trials, for 10 to 200 Poisson and LIF neurons a unit, and with
1,000 trials at 100 neurons. Writes results/neurons_per_unit (about 15 minutes on two cores; --quick: two).

    python simulations/neurons_per_unit.py [--quick]
"""

import json
import sys
from pathlib import Path

import fwbio

QUICK = "--quick" in sys.argv
NEURONS = (10, 20, 50, 100, 200)
SEED, TRIALS, MANY = 2026, 50 if QUICK else 200, 1000
OUT = Path("results/neurons_per_unit")


def figures(neurons: int, neuron: str, trials: int, fast: bool = True) -> dict:
    """What ``fwbio compare`` says for this many neurons."""
    model = fwbio.load("retrieval", neurons=neurons, neuron=neuron, fast=fast)
    task = fwbio.tasks.retrieval(pairs=4, trials=trials, seed=SEED)
    runs = [fwbio.run(model, task, level, seed=SEED) for level in ("rnn", "rate", "spiking")]
    spikes = runs[-1].spikes
    found = fwbio.compare(*runs).figures
    found["seconds"] = {"build": spikes.build_seconds, "run": runs[-1].seconds - spikes.build_seconds}
    found["peak_memory_mb"] = spikes.memory_mb
    print(
        f"{neuron:8} n = {neurons:4} {trials:5} trials: error of h {found['spiking']['hidden_rmse']:.4f}, "
        f"{found['spiking']['hidden_rmse_predicted']:.4f} predicted; same decision {found['spiking']['agreement']:.2%}",
        flush=True,
    )
    return found


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    rows = []
    for neuron in ("lif", "poisson"):
        for neurons in NEURONS:
            rows.append(figures(neurons, neuron, TRIALS))
        if not QUICK:
            rows.append(figures(100, neuron, MANY))
        rows.append(figures(100, neuron, TRIALS, fast=False))
        (OUT / "run.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
