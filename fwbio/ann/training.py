"""``fwbio train retrieval``: trains the network that ships, with the splits of the paper (100k / 10k / 20k).

Adam, batch 128, learning rate falling as a cosine, gradient norm clipped at 5. The Poisson noise of the spiking
network is faded in over the first ``noise_from`` to ``noise_full`` epochs.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from fwbio.ann.fast_weights import FastWeights
from fwbio.tasks import retrieval

HELD_OUT = {"validation": 10_000, "test": 20_000}


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights."""

    units: int = 50
    pairs: int = 4
    lam: float = 0.9
    eta: float = 0.5
    inner: int = 1
    epochs: int = 30
    batch: int = 128
    lr: float = 2e-3
    clip: float = 5.0
    noise_neurons: float = 100.0
    noise_spikes: float = 1.0
    noise_from: float = 2.0
    noise_full: float = 6.0
    activity: float = 3e-3
    seed: int = 1
    train_size: int = 100_000


def split(recipe, name):
    task = retrieval(recipe.pairs, HELD_OUT.get(name, recipe.train_size), recipe.seed, name)
    return torch.from_numpy(task.tokens), torch.from_numpy(task.target), task


@torch.no_grad()
def accuracy(model, tokens, target, n=np.inf, mu=1.0):
    right = sum((model(x, n, mu)[0].argmax(-1) == y).sum().item() for x, y in zip(tokens.split(1000), target.split(1000)))
    return right / len(target)


def train(recipe: Recipe, out: Path, say=print):
    """Trains one network; writes ``weights.npz`` (best validation accuracy with noise) and ``log.jsonl`` to ``out``."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)  # the same sums in the same order: the weights repeat from the seed
    tokens, target, task = split(recipe, "train")
    held_out = split(recipe, "validation")[:2]
    model = FastWeights(recipe.units, len(task.symbols), task.classes, recipe.lam, recipe.eta, recipe.inner)
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.lr)
    steps = recipe.epochs * -(-len(tokens) // recipe.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    best, start, out = -1.0, time.monotonic(), Path(out)
    out.mkdir(parents=True, exist_ok=True)
    log = (out / "log.jsonl").open("w")
    log.write(json.dumps({"recipe": asdict(recipe), "torch": torch.__version__}) + "\n")
    step = 0
    for epoch in range(recipe.epochs):
        total = 0.0
        for rows in torch.randperm(len(tokens)).split(recipe.batch):
            progress = step * recipe.epochs / steps
            fade = min(max((progress - recipe.noise_from) / (recipe.noise_full - recipe.noise_from), 0.0), 1.0)
            n = recipe.noise_neurons / fade if fade else np.inf
            logits, h = model(tokens[rows], n, recipe.noise_spikes)
            loss = torch.nn.functional.cross_entropy(logits, target[rows])
            optimiser.zero_grad()
            (loss + recipe.activity * h.square().mean()).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimiser.step()
            schedule.step()
            total += loss.item() * len(rows)
            step += 1
        row = {
            "epoch": epoch + 1,
            "loss": round(total / len(tokens), 6),
            "validation": accuracy(model, *held_out),
            "validation_noisy": accuracy(model, *held_out, recipe.noise_neurons, recipe.noise_spikes),
            "mean_h": round(h.mean().item(), 4),
            "max_h": round(h.max().item(), 3),
            "seconds": round(time.monotonic() - start, 1),
        }
        log.write(json.dumps(row) + "\n")
        log.flush()
        say(json.dumps(row))
        if row["validation_noisy"] > best:
            best = row["validation_noisy"]
            weights = {k: v.detach().numpy().astype(np.float64) for k, v in model.state_dict().items()}
            np.savez(out / "weights.npz", **weights)
    best_weights = {k: torch.from_numpy(v).float() for k, v in weights.items()}
    model.load_state_dict(best_weights)
    log.write(json.dumps({"test": accuracy(model, *split(recipe, "test")[:2]), "test_size": HELD_OUT["test"]}) + "\n")
    log.close()
