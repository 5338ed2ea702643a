"""Tasks: the inputs that every description of a memory gets, and the answers it should give.

Associative retrieval is the task of Ba, Hinton, Mnih, Leibo & Ionescu (2016), section 4.1:
K (letter, digit) pairs, two question marks, one of the letters; the answer is that letter's digit.
Letters are drawn without replacement, digits with. Example, K = 4: ``c9k8j3f1??c`` -> ``9``.
"""

import string
from dataclasses import dataclass

import numpy as np

from fwbio.errors import BadInput
from fwbio.quantities import whole

SYMBOLS = string.ascii_lowercase + string.digits + "?"
N_LETTERS, N_DIGITS, QUESTION = 26, 10, 36
SPLITS = ("test", "train", "validation")


@dataclass(frozen=True)
class Task:
    """A batch of trials.

    tokens : int array (trials, length), indices into ``symbols``
    target : int array (trials,), the class that is right
    """

    name: str
    tokens: np.ndarray
    target: np.ndarray
    classes: int
    symbols: str
    pairs: int
    seed: int
    split: str

    @property
    def trials(self) -> int:
        return len(self.tokens)

    def x(self, network) -> np.ndarray:
        """The input C E[token] of every token, (trials, tokens, units)."""
        given = network.card["input"]
        E, C = (network.trained[given[key].removeprefix("trained.")] for key in ("tokens", "through"))
        return (E @ C.T)[self.tokens]

    @property
    def length(self) -> int:
        return self.tokens.shape[1]

    def text(self, trial: int) -> str:
        """The trial as the paper prints it, ``c9k8j3f1??c``."""
        return "".join(self.symbols[k] for k in self.tokens[trial])


@dataclass(frozen=True)
class RandomInput:
    """Gaussian input that jumps every ``network.every``, new in each trial; nothing to decide."""

    trials: int
    seed: int
    name: str = "random input"
    target: None = None

    def x(self, network) -> np.ndarray:
        """(trials, inputs, units)."""
        inputs = round(network.duration / network.every)
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(len(SPLITS),)))
        return network.card["input"]["sd"] * rng.standard_normal((self.trials, inputs, network.units))


def of(network, trials: int | None = None, seed: int = 0):
    """The task that a network card names, with the card's number of trials unless told."""
    protocol = network.card["protocol"]
    trials = protocol["trials"] if trials is None else whole(trials, "trials")
    if protocol.get("task") == "retrieval":
        return retrieval(protocol["pairs"], trials, whole(seed, "seed", low=0))
    return RandomInput(trials, whole(seed, "seed", low=0))


def retrieval(pairs: int = 4, trials: int = 100, seed: int = 0, split: str = "test") -> Task:
    """Associative retrieval with ``pairs`` = K pairs; sequences of 2K + 3 tokens.

    The same ``(seed, split)`` gives the same trials, and the first m of them do not depend on ``trials``.
    The three splits use disjoint random streams of ``numpy.random.SeedSequence``.

    Raises BadInput if ``pairs`` is not in 1..26, ``trials`` < 1, ``seed`` < 0, one of them is not whole, or ``split`` is unknown.
    """
    pairs, trials, seed = whole(pairs, "pairs"), whole(trials, "trials"), whole(seed, "seed", low=0, high=2**63)
    if pairs > N_LETTERS:
        raise BadInput(f"pairs = {pairs}: letters are drawn without replacement, so use 1 to {N_LETTERS}")
    if split not in SPLITS:
        raise BadInput(f"split = {split!r}: use one of {', '.join(SPLITS)}")
    streams = np.random.SeedSequence(seed, spawn_key=(SPLITS.index(split), pairs)).spawn(3)
    letter_rng, digit_rng, query_rng = map(np.random.default_rng, streams)
    letters = letter_rng.random((trials, N_LETTERS)).argsort(axis=1)[:, :pairs]
    digits = digit_rng.integers(N_DIGITS, size=(trials, pairs))
    query = query_rng.integers(pairs, size=trials)
    tokens = np.full((trials, 2 * pairs + 3), QUESTION)
    tokens[:, 0 : 2 * pairs : 2] = letters
    tokens[:, 1 : 2 * pairs : 2] = N_LETTERS + digits
    rows = np.arange(trials)
    tokens[:, -1] = letters[rows, query]
    return Task("retrieval", tokens, digits[rows, query], N_DIGITS, SYMBOLS, pairs, seed, split)
