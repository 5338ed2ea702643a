"""Handwritten digits in nine glimpses: which memory reads them, at equal numbers of parameters, and does the best with fast weights
read them as spikes? Hidden units, an LSTM, fast weights with layer norm and without.

Writes results/digits/MODEL-SEED (weights and log) and results/digits/spikes (`fwbio compare --inputs` on 500 test images, each once,
with the fast-weight network that layer norm keeps bounded). One learning rate for all, the best of 1e-3 to 8e-3 by the sum of the validation
accuracies of IRNN and fast weights, seed 1. About 10 minutes.

    python simulations/digits.py
"""

import json
from pathlib import Path

import numpy as np

from fwbio.ann import data
from fwbio.ann.recipe import Recipe
from fwbio.ann.training import train
from fwbio.job import carry_out
from fwbio.outside import card

OUT, EPOCHS, LR, SEEDS, IMAGES = Path("results/digits"), 30, 8e-3, (1, 2, 3, 4, 5), 500
BOUNDED = {"start": 1.0, "eta": 0.005, "lam": (0.95,)}
RUNS = {  # name: model, units (total parameters 6,100 to 6,800), options
    "irnn": ("irnn", 33, {}),
    "lstm": ("lstm", 20, {}),
    "fast_weights": ("fast_weights", 32, {"start": 1.0, "norm": False, "eta": 0.0003, "lam": (0.95,)}),
    "fast_weights_layer_norm": ("fast_weights", 32, BOUNDED),
}
MAP = """[arrays]
C = "C"
W = "W"
g0 = "g0"
b0 = "b0"
g = "g"
b = "b"
[readout]
layers = [["V1", "c1"], ["V2", "c2"]]
[rnn]
reads = "previous"
norm = "both"
eps = 1e-5
lam = 0.95
eta = 0.005
inner = 1
[spikes]
neurons = 100
token = "200 ms"
"""


def recipe(name, seed) -> Recipe:
    model, units, options = RUNS[name]
    return Recipe(
        task="digits", model=model, units=units, options=options, epochs=EPOCHS, lr=LR, seed=seed, train_size=20_000, compiled=False
    )


def main() -> None:
    for seed in SEEDS:
        for name in RUNS:
            folder = OUT / f"{name}-{seed}"
            if not (folder / "weights.npz").exists():
                print(name, seed, train(recipe(name, seed), folder, lambda line: None), flush=True)
    best = max(
        SEEDS, key=lambda s: max(json.loads(row).get("validation", 0) for row in (OUT / f"fast_weights_layer_norm-{s}/log.jsonl").open())
    )
    found = data.split(recipe("fast_weights_layer_norm", best), "test")
    np.savez(OUT / "test.npz", x=found.tokens[:IMAGES].double().numpy(), target=found.target[:IMAGES].numpy())
    (OUT / "map.toml").write_text(MAP)
    new = OUT / "digits.toml"
    for old in (new, new.with_suffix(".npz")):
        old.unlink(missing_ok=True)
    card.make(OUT / f"fast_weights_layer_norm-{best}" / "weights.npz", OUT / "map.toml", new)
    options = dict(changes={}, trials=None, neurons=None, neuron=None, seed=0, no_fast=False, out=OUT / "spikes", force=True, quiet=False)
    print(carry_out(new, None, **options, inputs=OUT / "test.npz"))


if __name__ == "__main__":
    main()
