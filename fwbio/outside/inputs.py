"""Inputs of one's own: a task read from ``.npz``, in the place of the card's."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fwbio.cards import weights
from fwbio.errors import BadInput
from fwbio.tasks import drive

LONGEST, MOST = 10_000, 1_000_000  # tokens a trial, tokens in all


@dataclass(frozen=True)
class Given:
    """Trials of one length, decided at their end. tokens : (trials, length) whole numbers, or vectors (trials, length, k).

    target : (trials,) the class that is right, or None where nobody said. total : trials in the file, of which these are the first
    """

    name: str
    tokens: np.ndarray
    target: np.ndarray | None
    symbols: str | None
    total: int
    seed: int = 0
    sequences: int = 1
    warm: int = 0
    since: int = 0

    @property
    def trials(self) -> int:
        return len(self.tokens)

    @property
    def length(self) -> int:
        return self.tokens.shape[1]

    @property
    def asked(self) -> np.ndarray:
        return np.array([self.length - 1])

    def x(self, network) -> np.ndarray:
        """(trials, length, units)."""
        return drive(network, self.tokens)

    def text(self, trial: int) -> str:
        """One sign a token; a dot where it has none."""
        if self.symbols is None or self.tokens.ndim > 2:
            return "·" * self.length
        return "".join(self.symbols[k] for k in self.tokens[trial])


def read(path, network, trials=None) -> Given:
    """The task of ``path``: an ``.npz`` with ``tokens`` (or ``x``, vectors) and perhaps ``target``; its first ``trials``.

    Raises BadInput with both shapes where they do not fit the network.
    """
    path, says = Path(path), network.card["input"]
    if not path.is_file():
        raise BadInput(f"--inputs {path}: no such file; save tokens (trials, length), or x (trials, length, k), with numpy.savez")
    arrays = weights.unpack(path)
    if not network.paced or "through" not in says or "readout" not in network.card:
        raise BadInput(f"--inputs: {network.path.name} takes no tokens; use a card with a [clock], trained weights and a read-out")
    key = "tokens" if "tokens" in says else "x"
    if key not in arrays:
        kind = "whole numbers (trials, length)" if key == "tokens" else "vectors (trials, length, k)"
        raise BadInput(f"{path}: array '{key}' is missing, {kind}; there is {', '.join(arrays) or 'nothing'}")
    tokens = symbols(arrays[key], network, path) if key == "tokens" else vectors(arrays[key], network, path)
    if 0 in tokens.shape or tokens.shape[1] > LONGEST or tokens.shape[0] * tokens.shape[1] > MOST:
        raise BadInput(f"{path}: {key} has shape {tokens.shape}: at least one trial, at most {LONGEST:,} tokens each and {MOST:,} in all")
    target = arrays.get("target")
    if target is not None:
        classes = len(network.trained[network.card["readout"]["layers"][-1][0].removeprefix("trained.")])
        if target.shape != (len(tokens),) or target.dtype.kind not in "iu" or target.min() < 0 or target.max() >= classes:
            raise BadInput(
                f"{path}: target {target.dtype} {target.shape}: ({len(tokens)},) whole numbers from 0 to {classes - 1} are wanted"
            )
    kept = slice(None if trials is None else trials)
    return Given(path.name, tokens[kept], None if target is None else target[kept], says.get("symbols"), len(tokens))


def symbols(tokens, network, path):
    known = len(network.trained[network.card["input"]["tokens"].removeprefix("trained.")])
    if tokens.ndim != 2 or tokens.dtype.kind not in "iu":
        raise BadInput(f"{path}: tokens are {tokens.dtype} of shape {tokens.shape}: whole numbers (trials, length) are wanted")
    if tokens.size and (tokens.min() < 0 or tokens.max() >= known):
        wrong = tokens.min() if tokens.min() < 0 else tokens.max()
        raise BadInput(f"{path}: token {wrong}: this network knows {known} symbols, 0 to {known - 1}")
    return tokens


def vectors(x, network, path):
    k = network.trained[network.card["input"]["through"].removeprefix("trained.")].shape[1]
    if x.ndim != 3 or x.shape[2] != k or x.dtype.kind != "f":
        raise BadInput(f"{path}: x is {x.dtype} of shape {x.shape}: (trials, length, {k}) is wanted")
    if not np.isfinite(x).all():
        raise BadInput(f"{path}: x{[int(v) for v in np.argwhere(~np.isfinite(x))[0]]} is not finite")
    return x.astype(np.float64)
