"""How many items does each memory hold, and how often must it see them? Hidden units, an LSTM's cells, presynaptic plasticity and fast weights learn
associative retrieval with K = 1, 2, 4 … pairs, shown once, until they miss 90 %; slow weights learn one fixed table of K pairs by gradient descent.

Writes results/capacity_and_speed/run.json as it goes on; networks that are there are not trained again. Half an hour on one core.

    python simulations/capacity_and_speed.py
"""

import json
from pathlib import Path

import torch

from fwbio.ann.layer_norm import LayerNorm
from fwbio.ann.recipe import Recipe
from fwbio.ann.training import train

OUT, WANTED = Path("results/capacity_and_speed"), 0.9
MEMORIES = {  # model, its options, learning rate
    "irnn": ("irnn", {}, 1e-3),
    "lstm": ("lstm", {}, 4e-3),
    "short_term_plasticity": ("short_term_plasticity", {}, 2e-3),
    "fast_weights": ("fast_weights", {"start": 0.6}, 2e-3),
}
SIZES, PAIRS, EPOCHS, PATIENCE = (10, 20), (1, 2, 4, 8, 16), 40, 8
TABLES, RATES, MOST = (2, 4, 8, 16, 32, 64, 128, 256, 512), (0.03, 0.1, 0.3, 1.0, 3.0), 300  # pairs, learning rates, presentations


def keep(record) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "run.json").write_text(json.dumps(record, indent=1))


def within(label, units, pairs, seed=1) -> float:
    """Share of test sequences whose pair is recalled, each pair having been shown once."""
    folder = OUT / f"{label}-{units}-{pairs}-{seed}"
    if not (folder / "weights.npz").exists():
        model, options, lr = MEMORIES[label]
        recipe = Recipe(model=model, options=options, units=units, pairs=pairs, epochs=EPOCHS, patience=PATIENCE, lr=lr, seed=seed)
        train(recipe, folder, lambda line: None)
    return json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["test"]


def slow(units, pairs, lr, seed=1) -> int | None:
    """Presentations of a pair until 90 % of a table are recalled by W alone, one pair a step; None if MOST are not enough.

    Random keys (100 numbers) through fixed random C and V and layer norm: only W, (units, units), is learned.
    """
    draws = torch.Generator().manual_seed(seed)
    keys = torch.randn(pairs, 100, generator=draws) @ torch.randn(100, units, generator=draws) / 10
    values = torch.randint(10, (pairs,), generator=draws)
    V, norm = torch.randn(10, units, generator=draws) / units**0.5, LayerNorm(units).requires_grad_(False)
    h = torch.relu(norm(keys))
    W = torch.zeros(units, units, requires_grad=True)
    optimiser = torch.optim.SGD([W], lr=lr, momentum=0.0)

    def logits(rows):
        return torch.relu(norm(keys[rows] + h[rows] @ W.T)) @ V.T

    everything = torch.arange(pairs)
    for shown in range(1, MOST + 1):
        for row in torch.randperm(pairs, generator=draws).split(1):
            loss = torch.nn.functional.cross_entropy(logits(row), values[row])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            if (logits(everything).argmax(1) == values).double().mean() >= WANTED:
                return shown
    return None


def main() -> None:
    torch.set_num_threads(1)
    record = {"within": [], "slow": []}
    for units in SIZES:
        for pairs in TABLES:
            took = {lr: slow(units, pairs, lr) for lr in RATES}
            record["slow"].append({"units": units, "pairs": pairs, "presentations": took})
            print(units, pairs, took, flush=True)
            keep(record)
            if not any(took.values()):
                break
    for units in SIZES:
        for label in MEMORIES:
            for pairs in PAIRS:
                record["within"].append({"memory": label, "units": units, "pairs": pairs, "recall": within(label, units, pairs)})
                print(record["within"][-1], flush=True)
                keep(record)
                if record["within"][-1]["recall"] < WANTED / 2:
                    break


if __name__ == "__main__":
    main()
