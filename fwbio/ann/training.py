"""``fwbio train``: one network on one task, with the splits of the paper (100k / 10k / 20k).

Adam; the learning rate rises over the first epoch and falls as a cosine; gradient norm clipped. Training ends early when the
validation set was answered without an error three epochs in a row, or got no better for ``patience`` epochs. Fast weights may be
trained with the Poisson noise of the spiking network, faded in over the epochs ``noise_from`` to ``noise_full``.

After every epoch the whole state is kept in ``checkpoint.pt`` (``fwbio.ann.checkpoint``): training goes on where it was
interrupted and ends with the weights of an uninterrupted run.
"""

import json
import math
import time
from dataclasses import asdict
from inspect import signature
from pathlib import Path

import numpy as np
import torch

from fwbio.ann import cells, checkpoint
from fwbio.ann.data import HELD_OUT, split
from fwbio.ann.network import Network
from fwbio.ann.recipe import Recipe
from fwbio.errors import BadInput

SURE = 3  # epochs in a row without an error on the validation set


def noise(recipe, epoch: float) -> dict:
    """What ``Network`` is told of noise at that point of training; nothing before it fades in."""
    fade = min(max((epoch - recipe.noise_from) / (recipe.noise_full - recipe.noise_from), 0.0), 1.0)
    return {"noise": torch.tensor([fade / recipe.noise_neurons, recipe.noise_spikes])} if recipe.noise_neurons and fade else {}


def build(recipe, data) -> Network:
    cell = cells.find(recipe.model)(recipe.units, **recipe.options)
    if recipe.noise_neurons and "noise" not in signature(cell.forward).parameters:
        raise BadInput(f"--noise-neurons {recipe.noise_neurons:g}: {recipe.model} is not trained with spike noise; leave it out")
    return Network(cell, recipe.units, data.inputs, data.classes, data.symbols)


@torch.no_grad()
def accuracy(model, tokens, target, **noise):
    right = sum((model(x, **noise)[0].argmax(-1) == y).sum().item() for x, y in zip(tokens.split(1000), target.split(1000)))
    return right / len(target)


class Training:
    """What changes while a network is trained: ``state`` is all of it, for a checkpoint."""

    def __init__(self, recipe):
        torch.manual_seed(recipe.seed)
        torch.set_num_threads(1)  # the same sums in the same order: the weights repeat from the seed
        self.recipe = recipe
        data = split(recipe, "train")
        self.tokens, self.target = data.tokens, data.target
        self.held_out = split(recipe, "validation")[:2]
        self.model = build(recipe, data)
        if recipe.compiled:
            torch.compiler.reset()  # of many trainings in a row the ninth would else run uncompiled
        self.forward = torch.compile(self.model, dynamic=False) if recipe.compiled else self.model
        self.batch = min(recipe.batch, len(self.tokens))
        self.steps = len(self.tokens) // self.batch
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=recipe.lr, fused=True)
        total = recipe.epochs * self.steps
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda step: min(1.0, (step + 1) / self.steps) * 0.5 * (1 + math.cos(math.pi * step / total))
        )
        self.rows, self.best, self.best_weights = [], -1.0, {}

    def state(self) -> dict:
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": {"last_epoch": self.schedule.last_epoch},
            "random": torch.get_rng_state(),
            "rows": self.rows,
            "best": self.best,
            "best_weights": self.best_weights,
        }

    def restore(self, state):
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.last_epoch = state["schedule"]["last_epoch"]
        self.rows, self.best, self.best_weights = state["rows"], state["best"], state["best_weights"]
        torch.set_rng_state(state["random"])

    def epoch(self) -> float:
        """One pass over the training set in random order; the mean loss."""
        recipe, total = self.recipe, 0.0
        for k, rows in enumerate(torch.randperm(len(self.tokens))[: self.steps * self.batch].split(self.batch)):
            logits, states = self.forward(self.tokens[rows], **noise(recipe, len(self.rows) + k / self.steps))
            loss = torch.nn.functional.cross_entropy(logits, self.target[rows])
            cost = recipe.activity * torch.stack(states).square().mean() if recipe.activity else 0.0
            self.optimiser.zero_grad()
            (loss + cost).backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), recipe.clip, foreach=True)
            self.optimiser.step()
            self.schedule.step()
            total += loss.item()
        return total / self.steps

    def judge(self, loss, seconds) -> dict:
        """The log's row of the epoch that has just ended; keeps the weights if they are the best so far."""
        row = {"epoch": len(self.rows) + 1, "loss": round(loss, 6), "validation": accuracy(self.model, *self.held_out)}
        deciding = row["validation"]
        if self.recipe.noise_neurons:
            deciding = row["validation_noisy"] = accuracy(self.model, *self.held_out, **noise(self.recipe, math.inf))
        row |= {"seconds": round(seconds, 1)}
        self.rows.append(row)
        if not math.isfinite(loss):
            raise BadInput(f"epoch {row['epoch']}: the loss is {loss}; try a lower --lr than {self.recipe.lr:g}")
        if deciding > self.best:
            self.best = deciding
            self.best_weights = {k: v.clone() for k, v in self.model.state_dict().items()}
        return row

    @property
    def done(self) -> bool:
        """All epochs, or nothing left to gain."""
        key = "validation_noisy" if self.recipe.noise_neurons else "validation"
        scores = [row[key] for row in self.rows]
        if len(scores) >= self.recipe.epochs or (len(scores) >= SURE and min(scores[-SURE:]) == 1.0):
            return True
        return len(scores) - 1 - (scores.index(max(scores)) if scores else -1) >= self.recipe.patience


def train(recipe: Recipe, out: Path, say=print):
    """Trains one network, or goes on with one; writes ``weights.npz`` (best on validation) and ``log.jsonl`` to ``out``."""
    training, out = Training(recipe), Path(out)
    out.mkdir(parents=True, exist_ok=True)
    if (saved := checkpoint.read(out)) is not None:
        checkpoint.check(saved, recipe, out)
        training.restore(saved["state"])
        say(f"goes on after epoch {len(training.rows)}")
    before = training.rows[-1]["seconds"] if training.rows else 0.0
    start = time.monotonic() - before
    torch.set_flush_denormal(True)
    try:
        while not training.done:
            row = training.judge(training.epoch(), time.monotonic() - start)
            checkpoint.write(out, {"recipe": asdict(recipe), "state": training.state()})
            say(json.dumps(row))
    finally:
        torch.set_flush_denormal(False)  # it is the whole process's
    training.model.load_state_dict(training.best_weights)
    np.savez(out / "weights.npz", **training.model.weights())
    test = {"test": accuracy(training.model, *split(recipe, "test")[:2]), "test_size": HELD_OUT[recipe.task]["test"]}
    head = {"recipe": asdict(recipe), "parameters": sum(p.numel() for p in training.model.parameters()), "torch": torch.__version__}
    (out / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [head, *training.rows, test]))
    checkpoint.remove(out)
    return test
