"""How many neurons does a trained memory need? One recipe, with no noise, with that of 100 neurons a unit (the shipped network), and with that of
10: decisions against each network's own RNN over neurons a unit.

Trains the two that do not ship (6 minutes on one core; left alone where they are there) and writes results/noise_aware_training: agreement
in spikes (400 trials a point) and as the noise theory predicts it (2,000). 10 minutes.

    python simulations/noise_aware_training.py
"""

import json
from pathlib import Path

import numpy as np

import fwbio
from fwbio import noise
from fwbio.ann.recipe import Recipe
from fwbio.ann.training import train
from fwbio.cards import reader
from fwbio.comparison import clopper_pearson
from fwbio.describe import read_out
from fwbio.outside import card

OUT, NOISE = Path("results/noise_aware_training"), (0, 10)  # neurons a unit; without noise none
NEURONS, PREDICTED = (3, 6, 9, 13, 18, 25, 50), (3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 24, 28, 40, 57, 80)
TRIALS, SURE = 400, 2000
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


def trained(neurons) -> Path:
    """The card of the shipped network's recipe with the noise of ``neurons`` a unit; nothing else differs."""
    folder = OUT / f"trained-{neurons}"
    if not (folder / "weights.npz").exists():
        train(Recipe(noise_neurons=float(neurons), activity=0.003), folder)
    new = folder / f"noise_{neurons}.toml"
    for old in (new, new.with_suffix(".npz")):
        old.unlink(missing_ok=True)
    card.make(folder / "weights.npz", OUT / "map.toml", new)
    return new


def predicted(network, task, exact) -> tuple:
    """(neurons a unit, share of same decisions, spikes a decision)."""
    found = noise.predict(network, task.x(network))
    same = read_out(network, found.seen[:, -1:]).argmax(axis=1) == exact.decisions
    return network.neurons, float(same.mean()), found.spikes


def measured(network, task, exact, seed) -> dict:
    same = fwbio.run(network, task, "spiking", seed=seed).decisions == exact.decisions
    low, high = clopper_pearson(int(same.sum()), len(same))
    return {"neurons": network.neurons, "agreement": float(same.mean()), "low": low, "high": high}


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "map.toml").write_text(MAP)
    record = {}
    cards = {f"noise of {n} neurons" if n else "no noise": trained(n) for n in NOISE} | {"noise of 100 neurons": reader.find("retrieval")}
    task, spikes = fwbio.tasks.retrieval(4, SURE, 77), fwbio.tasks.retrieval(4, TRIALS, 78)
    for label, path in cards.items():
        exact, few = (fwbio.run(fwbio.load(path), t, "rnn") for t in (task, spikes))
        theory = [predicted(fwbio.load(path, neurons=n), task, exact) for n in PREDICTED]
        record[label] = {"accuracy": exact.accuracy, "mean_h": float(exact.h.mean()), "predicted": theory, "measured": []}
        for k, n in enumerate(NEURONS):
            record[label]["measured"].append(measured(fwbio.load(path, neurons=n), spikes, few, k))
            print(label, record[label]["measured"][-1], flush=True)
            (OUT / "run.json").write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
