"""Which memory can associative retrieval (K = 4)? Table 1 of Ba et al. (2016) again: every model, three sizes, several seeds.

Trains one after another on one core, hours in all: a training that was interrupted goes on, one that has ended is left alone.
Writes results/table1/MODEL-UNITS-SEED (weights and log each). Name models to train those only.

    python simulations/table1.py [MODEL ...]
"""

import sys
from dataclasses import asdict
from pathlib import Path

from fwbio.ann.recipe import Recipe
from fwbio.ann.training import train
from fwbio.errors import BadInput

OUT = Path("results/table1")
FAST = {"start": 0.6, "lam": (0.97,)}  # lambda: of 0.9 and 0.97, the better on validation
SHORT = {"start": 0.6, "lam": (0.9,)}
# label, model, its options, units, epochs at most, patience, learning rate, seeds
RUNS = [
    ("fast_weights", "fast_weights", FAST, 20, 120, 1000, 2e-3, (1, 2, 3)),
    ("fast_weights", "fast_weights", FAST, 50, 40, 1000, 2e-3, (1, 2, 3)),
    ("fast weights, lambda 0.9", "fast_weights", SHORT, 20, 120, 1000, 2e-3, (1, 2, 3)),
    ("fast weights, lambda 0.9", "fast_weights", SHORT, 50, 40, 1000, 2e-3, (1, 2, 3)),
    ("lstm", "lstm", {}, 20, 60, 20, 4e-3, (1, 2, 3)),
    ("lstm", "lstm", {}, 50, 100, 40, 4e-3, (1, 2, 3)),
    ("irnn", "irnn", {}, 20, 60, 20, 1e-3, (1, 2, 3)),
    ("irnn", "irnn", {}, 50, 60, 20, 1e-3, (1, 2, 3)),
    ("layer norm, no fast weights", "layer_norm", {}, 20, 60, 20, 2e-3, (1, 2, 3)),
    ("inner pass, no fast weights", "inner_pass", {}, 20, 60, 20, 2e-3, (1, 2, 3)),
    ("fast weights, no layer norm", "fast_weights", SHORT | {"norm": False}, 20, 60, 20, 2e-3, (1, 2, 3)),
    ("delta_rule", "delta_rule", SHORT, 20, 60, 20, 2e-3, (1, 2, 3)),
    ("associative_lstm", "associative_lstm", {}, 20, 40, 15, 4e-3, (1,)),
    ("associative_lstm", "associative_lstm", {}, 50, 60, 20, 4e-3, (1,)),
    ("fast_weights", "fast_weights", SHORT, 100, 30, 1000, 1e-3, (1, 2, 3)),
    ("irnn", "irnn", {}, 100, 100, 40, 1e-3, (1, 2, 3)),
    ("lstm", "lstm", {}, 100, 60, 40, 4e-3, (1, 2, 3)),
    ("layer norm, no fast weights", "layer_norm", {}, 50, 60, 20, 2e-3, (1,)),
    ("inner pass, no fast weights", "inner_pass", {}, 50, 60, 20, 2e-3, (1,)),
    ("delta_rule", "delta_rule", SHORT, 50, 40, 20, 2e-3, (1,)),
    ("associative_lstm", "associative_lstm", {}, 100, 40, 20, 4e-3, (1,)),
]


def main() -> None:
    wanted = sys.argv[1:]
    for seed in (1, 2, 3):  # every model once, then again
        for label, model, options, units, epochs, patience, lr, seeds in RUNS:
            if seed not in seeds or (wanted and label not in wanted):
                continue
            folder = OUT / f"{label.replace(', ', '-').replace(' ', '_')}-{units}-{seed}"
            if (folder / "weights.npz").exists():
                continue
            recipe = Recipe(model=model, options=options, units=units, epochs=epochs, patience=patience, lr=lr, seed=seed)
            try:
                print(folder, asdict(recipe), train(recipe, folder), flush=True)
            except BadInput as error:  # the next one may still do
                print(folder, error, flush=True)


if __name__ == "__main__":
    main()
