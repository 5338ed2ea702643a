"""Does a free-running spiking network follow its rate equations, and how does the error fall with the number of neurons?

The random_recurrent card (8 units, nothing latched, new input every 100 ms, 2 s) in spikes and under solve_ivp, for 10 to 640
neurons a unit, six trials for each of four random networks. Writes results/free_running (about two minutes).

    python simulations/free_running.py
"""

import json
from pathlib import Path

import fwbio
from fwbio.tasks import RandomInput

NEURONS = (10, 20, 40, 80, 160, 320, 640)
SEEDS = (0, 1, 2, 3)
OUT = Path("results/free_running")


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    rows = []
    for seed in SEEDS:
        task = RandomInput(trials=6, seed=seed)
        rate = fwbio.run(fwbio.load("random_recurrent", seed=seed), task, "rate")
        for neurons in NEURONS:
            spiking = fwbio.run(fwbio.load("random_recurrent", neurons=neurons, seed=seed), task, "spiking", seed=seed)
            found = fwbio.compare(rate, spiking).figures
            rows.append(found)
            s = found["spiking"]
            print(
                f"seed {seed} n = {neurons:4}: error of h {s['hidden_rmse']:.4f}, of I {s['current_rmse']:.4f}, of A {s['A_error']:.4f}",
                flush=True,
            )
    (OUT / "run.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
