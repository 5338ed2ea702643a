"""How long do fast weights want to last? Associative retrieval, R = 20, with lambda trained: one for the network, one a unit, and two levels at once, from several
starts. Writes results/learned_decay/LABEL (weights and log each). Half an hour on one core.

    python simulations/learned_decay.py
"""

from pathlib import Path

from fwbio.ann.recipe import Recipe
from fwbio.ann.training import train

OUT, UNITS, EPOCHS, PATIENCE, LR = Path("results/learned_decay"), 20, 40, 15, 2e-3
RUNS = {  # label: the cell's options
    "fixed 0.9": {"start": 0.6},
    "network, from 0.5": {"start": 0.6, "lam": (0.5,), "learn": "network"},
    "network, from 0.97": {"start": 0.6, "lam": (0.97,), "learn": "network"},
    "unit, from 0.9": {"start": 0.6, "learn": "unit"},
    "two levels, from 0.6 and 0.95": {"start": 0.6, "lam": (0.6, 0.95), "learn": "network"},
}


def main() -> None:
    for label, options in RUNS.items():
        folder = OUT / label.replace(", ", "-").replace(" ", "_")
        if not (folder / "weights.npz").exists():
            recipe = Recipe(units=UNITS, options=options, epochs=EPOCHS, patience=PATIENCE, lr=LR)
            print(label, train(recipe, folder, lambda line: None), flush=True)


if __name__ == "__main__":
    main()
