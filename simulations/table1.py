"""Which memory can associative retrieval (K = 4)? Table 1 of Ba et al. (2016) again: every model, three sizes, several seeds.

Trains one after another on one core, hours in all: a training that was interrupted goes on, one that has ended is left alone.
Writes results/table1/MODEL-UNITS-SEED (weights and log each). Name models to train those only.

    python simulations/table1.py [MODEL ...]
"""

import sys
from dataclasses import asdict, replace
from pathlib import Path

from fwbio.ann.recipe import Recipe
from fwbio.ann.training import train
from fwbio.errors import BadInput

OUT = Path("results/table1")
LONG = {"start": 0.6, "lam": (0.97,)}
SHORT = {"start": 0.6, "lam": (0.9,)}
BARE = SHORT | {"norm": False, "eta": 0.001}  # with eta 0.005 it overflows in the first epoch
NOISE = {"noise_neurons": 100, "activity": 0.003}  # of 100 Poisson neurons a unit, as the shipped network had it: it generalises better


def run(label, units, epochs, patience, lr, seeds, model=None, **recipe) -> tuple:
    """Label, seeds, and the recipe of all but the seed. model : by default what the label says."""
    return label, seeds, Recipe(model=model or label, units=units, epochs=epochs, patience=patience, lr=lr, **recipe)


# fast weights: of lambda 0.9, 0.97 and lambda 0.9 with noise, "fast_weights" is what did best on validation at that size
RUNS = [
    run("fast_weights", 20, 120, 1000, 2e-3, (1, 2, 3), options=LONG),
    run("fast_weights", 50, 120, 1000, 1e-3, (1, 2, 3), options=SHORT, **NOISE),
    run("fast weights, lambda 0.9", 20, 120, 1000, 2e-3, (1, 2, 3), "fast_weights", options=SHORT),
    run("fast weights, lambda 0.9", 50, 40, 1000, 2e-3, (1, 2, 3), "fast_weights", options=SHORT),
    run("fast weights, lambda 0.97", 50, 40, 1000, 2e-3, (1, 2, 3), "fast_weights", options=LONG),
    run("lstm", 20, 60, 20, 4e-3, (1, 2, 3)),
    run("lstm", 50, 100, 40, 4e-3, (1, 2, 3)),
    run("irnn", 20, 60, 20, 1e-3, (1, 2, 3)),
    run("irnn", 50, 60, 20, 1e-3, (1, 2, 3)),
    run("layer norm, no fast weights", 20, 60, 20, 2e-3, (1, 2, 3), "layer_norm"),
    run("inner pass, no fast weights", 20, 60, 20, 2e-3, (1, 2, 3), "inner_pass"),
    run("fast weights, no layer norm", 20, 60, 20, 2e-3, (1, 2, 3), "fast_weights", options=BARE),
    run("delta_rule", 20, 60, 20, 2e-3, (1, 2, 3), options={"start": 0.6}),
    run("fast_weights", 100, 30, 1000, 1e-3, (1, 2, 3), options=SHORT),
    run("irnn", 100, 100, 40, 1e-3, (1, 2, 3)),
    run("lstm", 100, 60, 40, 4e-3, (1, 2, 3)),
    run("associative_lstm", 20, 40, 15, 4e-3, (1, 2, 3)),
    run("associative_lstm", 50, 60, 20, 4e-3, (1, 2, 3)),
    run("associative_lstm", 100, 40, 20, 4e-3, (1, 2, 3)),
    run("layer norm, no fast weights", 50, 60, 20, 2e-3, (1, 2), "layer_norm"),
    run("inner pass, no fast weights", 50, 60, 20, 2e-3, (1, 2), "inner_pass"),
    run("delta_rule", 50, 40, 20, 2e-3, (1, 2, 3), options={"start": 0.6}),
]


def main() -> None:
    wanted = sys.argv[1:]
    for seed in (1, 2, 3):  # every model once, then again
        for label, seeds, recipe in RUNS:
            if seed not in seeds or (wanted and label not in wanted):
                continue
            folder = OUT / f"{label.replace(', ', '-').replace(' ', '_')}-{recipe.units}-{seed}"
            if (folder / "weights.npz").exists():
                continue
            recipe = replace(recipe, seed=seed)
            try:
                print(folder, asdict(recipe), train(recipe, folder), flush=True)
            except BadInput as error:  # the next one may still do
                print(folder, error, flush=True)


if __name__ == "__main__":
    main()
