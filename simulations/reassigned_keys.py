"""When a letter's digit changes within a sequence, which fast weights answer with the latest? Fixed decays, the delta rule, and axons whose gain adapts, with
and without their surprise: R = 20, four letters; eight times one of them is shown again, every other time with another digit. Keys are the state before (a letter predicts its digit) or, as in Ba et al., the state itself.

Writes results/reassigned_keys/MODEL-SEED (weights and log each). Three hours on one core; trainings that are there are left alone.

    python simulations/reassigned_keys.py [MEMORY ...]
"""

import sys
from pathlib import Path

from fwbio.ann.recipe import Recipe
from fwbio.ann.training import train

OUT, UNITS, PAIRS, EPOCHS, PATIENCE, LR, SEEDS = Path("results/reassigned_keys"), 20, 4, 30, 12, 2e-3, (1, 2, 3)
OWN, BEFORE = {"start": 0.6}, {"start": 0.6, "key": "before"}
RUNS = {
    "adaptive": ("labile", BEFORE),
    "fixed 0.8": ("fast_weights", BEFORE | {"lam": (0.8,)}),
    "fixed 0.9": ("fast_weights", BEFORE | {"lam": (0.9,)}),
    "fixed 0.95": ("fast_weights", BEFORE | {"lam": (0.95,)}),
    "fixed 0.6": ("fast_weights", BEFORE | {"lam": (0.6,)}),
    "delta rule": ("delta_rule", BEFORE | {"lam": 1.0, "beta": 1.0}),
    "adaptive, no surprise": ("labile", BEFORE | {"surprise": False}),
    "own key, fixed 0.8": ("fast_weights", OWN | {"lam": (0.8,)}),
    "own key, fixed 0.7": ("fast_weights", OWN | {"lam": (0.7,)}),
    "own key, fixed 0.9": ("fast_weights", OWN | {"lam": (0.9,)}),
    "own key, delta rule": ("delta_rule", OWN),
    "own key, adaptive": ("labile", OWN),
}
LONG = {  # one seed, epochs: does more training change the order?
    "adaptive, long": ("labile", BEFORE, 90),
    "fixed 0.9, long": ("fast_weights", BEFORE | {"lam": (0.9,)}, 90),
    "fixed, learnt, long": ("fast_weights", BEFORE | {"lam": (0.9,), "learn": "network"}, 60),
}


def main() -> None:
    wanted = sys.argv[1:]
    for seed in SEEDS:
        for label, (model, options, *epochs) in {**RUNS, **(LONG if seed == 1 else {})}.items():
            if wanted and label not in wanted:
                continue
            folder = OUT / f"{label.replace(', ', '-').replace(' ', '_')}-{seed}"
            if (folder / "weights.npz").exists():
                continue
            recipe = Recipe(
                task="reassigned",
                pairs=PAIRS,
                model=model,
                units=UNITS,
                options=options,
                epochs=epochs[0] if epochs else EPOCHS,
                patience=1000 if epochs else PATIENCE,
                lr=LR,
                seed=seed,
            )
            print(label, seed, train(recipe, folder, lambda line: None), flush=True)


if __name__ == "__main__":
    main()
