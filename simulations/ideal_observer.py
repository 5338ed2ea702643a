"""How much of what anybody could answer do the descriptions answer, when letters and digits are misread? The shipped network, trained on clean sequences, as RNN
(5,000 sequences) and as spikes (500, 25 neurons a unit), beside the ideal observer. Writes results/ideal_observer/run.json. Two minutes.

    python simulations/ideal_observer.py
"""

import json
from pathlib import Path

import numpy as np

import fwbio
from fwbio import ideal, tasks

OUT, ERRORS, TRIALS, SPIKES, NEURONS = Path("results/ideal_observer"), (0.0, 0.02, 0.05, 0.1, 0.2, 0.4), 5000, 500, 25


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    network, record = fwbio.load("retrieval", neurons=NEURONS), []
    for k, error in enumerate(ERRORS):
        task = tasks.misread(tasks.retrieval(4, TRIALS, seed=k), error, seed=k)
        few = tasks.misread(tasks.retrieval(4, SPIKES, seed=k), error, seed=k)
        posterior = ideal.retrieval(task, error)
        row = {
            "error": error,
            "ideal": float(np.mean(posterior.argmax(axis=1) == task.target)),
            "expected": float(posterior.max(axis=1).mean()),
        }
        row |= {"rnn": fwbio.run(network, task, "rnn").accuracy, "spiking": fwbio.run(network, few, "spiking", seed=k).accuracy}
        record.append(row)
        print(row, flush=True)
        (OUT / "run.json").write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
