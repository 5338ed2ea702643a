"""The tasks that a network can be trained on, one function each: the training set, or ``validation`` or ``test``, as tensors.

``digits``: real handwritten digits (scikit-learn's, 8 x 8 pixels, 16 grey levels; E. Alpaydin & C. Kaynak, UCI 1998), seen as nine
glimpses of 4 x 4 pixels that overlap by half, in random order. A token is the glimpse and where it was looked at, one of nine; after the
last one the digit is asked for. 1,097 images train, 200 validate, 500 test; the same images in every seed.
"""

from typing import NamedTuple

import numpy as np
import torch

from fwbio.tasks import SPLITS
from fwbio.tasks import reassigned as reassigned_retrieval
from fwbio.tasks import retrieval as associative_retrieval

HELD_OUT = {
    "retrieval": {"validation": 10_000, "test": 20_000},
    "reassigned": {"validation": 10_000, "test": 20_000},
    "digits": {"validation": 1000, "test": 2000},
}
IMAGES = {"train": slice(700, 1797), "validation": slice(500, 700), "test": slice(500)}
CORNERS, SIDE = (0, 2, 4), 4


class Data(NamedTuple):
    """tokens : (trials, length) symbols, or (trials, length, inputs) numbers. target : (trials,). inputs : how many symbols or numbers."""

    tokens: torch.Tensor
    target: torch.Tensor
    inputs: int
    symbols: bool
    classes: int


def split(recipe, name: str) -> Data:
    """The part ``name`` (train, validation or test) of the recipe's task."""
    trials = HELD_OUT[recipe.task].get(name, recipe.train_size)
    return {"retrieval": retrieval, "reassigned": reassigned, "digits": digits}[recipe.task](recipe, name, trials)


def retrieval(recipe, name, trials) -> Data:
    task = associative_retrieval(recipe.pairs, trials, recipe.seed, name)
    return Data(torch.from_numpy(task.tokens), torch.from_numpy(task.target), len(task.symbols), True, task.classes)


def reassigned(recipe, name, trials) -> Data:
    task = reassigned_retrieval(recipe.pairs, trials, recipe.seed, name)
    return Data(torch.from_numpy(task.tokens), torch.from_numpy(task.target), len(task.symbols), True, task.classes)


def digits(recipe, name, trials) -> Data:
    """Image after image, as often as ``trials`` asks for, each time in another order of glimpses."""
    from sklearn.datasets import load_digits

    given = load_digits()
    images = np.random.default_rng(0).permutation(len(given.images))[IMAGES[name]]
    rng = np.random.default_rng(np.random.SeedSequence(recipe.seed, spawn_key=(SPLITS.index(name), 8)))
    rows = np.resize(images, trials)
    corners = [(top, left) for top in CORNERS for left in CORNERS]
    seen = np.stack([given.images[:, top : top + SIDE, left : left + SIDE].reshape(-1, SIDE**2) for top, left in corners], 1) / 16
    tokens = np.concatenate([seen, np.broadcast_to(np.eye(len(corners)), (len(seen), len(corners), len(corners)))], 2)
    order = rng.random((trials, len(corners))).argsort(axis=1)
    tokens = tokens[rows[:, None], order].astype(np.float32)
    return Data(torch.from_numpy(tokens), torch.from_numpy(given.target[rows].astype(np.int64)), tokens.shape[2], False, 10)
