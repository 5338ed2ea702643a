"""How many neurons does a trained memory need? The shipped network, trained with the noise of 100 neurons a unit, beside the same one
trained without (results/table1/fast_weights-50-1, of simulations/table1.py): decisions against the RNN over neurons a unit.

Writes results/noise_aware_training: agreement in spikes (200 trials a point) and as the noise theory predicts it (2,000). 10 minutes.

    python simulations/noise_aware_training.py
"""

import json
import shutil
from pathlib import Path

import numpy as np

import fwbio
from fwbio import noise
from fwbio.cards import reader
from fwbio.comparison import clopper_pearson
from fwbio.describe import read_out
from fwbio.outside import card

OUT, WITHOUT = Path("results/noise_aware_training"), Path("results/table1/fast_weights-50-1/weights.npz")
NEURONS, PREDICTED = (6, 12, 25, 50, 100, 200, 400), (5, 7, 10, 14, 20, 28, 40, 57, 80, 113, 160, 226, 320, 452, 640, 905, 1280)
TRIALS, SURE = 200, 2000
MAP = """[arrays]
E = "E"
C = "C"
W = "W"
g0 = "g0"
b0 = "b0"
g = "g"
b = "b"
[readout]
layers = [["V1", "c1"], ["V2", "c2"]]
answers = "digit"
[rnn]
reads = "previous"
norm = "both"
eps = 1e-5
lam = 0.9
eta = 0.5
inner = 1
[tokens]
symbols = "abcdefghijklmnopqrstuvwxyz0123456789?"
"""


def predicted(network, task, exact) -> float:
    seen = noise.predict(network, task.x(network)).seen[:, -1:]
    return float((read_out(network, seen).argmax(axis=1) == exact.decisions).mean())


def measured(network, task, exact, seed) -> dict:
    same = fwbio.run(network, task, "spiking", seed=seed).decisions == exact.decisions
    low, high = clopper_pearson(int(same.sum()), len(same))
    return {"neurons": network.neurons, "agreement": float(same.mean()), "low": low, "high": high}


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    (OUT / "map.toml").write_text(MAP)
    card.make(WITHOUT, OUT / "map.toml", OUT / "without.toml")
    record = {}
    for label, path in (("with noise", reader.find("retrieval")), ("without", OUT / "without.toml")):
        task, spikes = fwbio.tasks.retrieval(4, SURE, 77), fwbio.tasks.retrieval(4, TRIALS, 78)
        exact, few = (fwbio.run(fwbio.load(path), t, "rnn") for t in (task, spikes))
        theory = [(n, predicted(fwbio.load(path, neurons=n), task, exact)) for n in PREDICTED]
        record[label] = {"accuracy": exact.accuracy, "mean_h": float(exact.h.mean()), "predicted": theory, "measured": []}
        for k, n in enumerate(NEURONS):
            record[label]["measured"].append(measured(fwbio.load(path, neurons=n), spikes, few, k))
            print(label, record[label]["measured"][-1], flush=True)
            (OUT / "run.json").write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
