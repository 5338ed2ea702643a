"""Tasks: the inputs that every description of a memory gets, and the answers it should give.

Associative retrieval is the task of Ba, Hinton, Mnih, Leibo & Ionescu (2016), section 4.1:
K (letter, digit) pairs, two question marks, one of the letters; the answer is that letter's digit.
Letters are drawn without replacement, digits with. Example, K = 4: ``c9k8j3f1??c`` -> ``9``.

Descriptions reset h and A before every trial and at no other time. A trial is one sequence, as in the paper, or several in a row,
each asked at its end, so that what older sequences left in A is there to interfere.
"""

import math
import string
from dataclasses import dataclass, replace

import numpy as np

from fwbio.errors import BadInput
from fwbio.quantities import whole

SYMBOLS = string.ascii_lowercase + string.digits + "?"
N_LETTERS, N_DIGITS, QUESTION = 26, 10, 36
SPLITS = ("test", "train", "validation")
SETTLED = 3  # time constants after which A is within exp(-3) = 5 % of where it ends


@dataclass(frozen=True)
class Task:
    """A batch of trials.

    tokens : int array (trials, length), indices into ``symbols``: ``sequences`` in a row, the first ``warm`` of which are not asked
    target : int array (decisions,), the class that is right wherever the network is asked, trial after trial
    """

    name: str
    tokens: np.ndarray
    target: np.ndarray
    classes: int
    symbols: str
    pairs: int
    seed: int
    split: str
    sequences: int = 1
    warm: int = 0

    @property
    def trials(self) -> int:
        return len(self.tokens)

    def x(self, network) -> np.ndarray:
        """The input C E[token] of every token, (trials, tokens, units)."""
        known = network.card["input"].get("symbols", self.symbols)
        return drive(network, np.array([known.index(symbol) for symbol in self.symbols])[self.tokens])

    @property
    def length(self) -> int:
        return self.tokens.shape[1]

    @property
    def asked(self) -> np.ndarray:
        """The tokens of a trial after which the network decides: the ends of its sequences, less the first ``warm``."""
        return np.arange(self.warm + 1, self.sequences + 1) * (self.length // self.sequences) - 1

    @property
    def since(self) -> int:
        """The first token of a trial's last sequence: from there on A and spikes are kept."""
        return self.length - self.length // self.sequences

    def text(self, trial: int) -> str:
        """The trial's last sequence as the paper prints it, ``c9k8j3f1??c``."""
        return "".join(self.symbols[k] for k in self.tokens[trial, self.since :])


def drive(network, tokens) -> np.ndarray:
    """The input C E[token] + b of every token, (trials, tokens, units), with what the card's [input] names.

    tokens : (trials, length) indices of symbols, or, for a network whose input has no ``tokens``, real vectors (trials, length, k)
    """
    says = network.card["input"]
    given = {key: network.trained[says[key].removeprefix("trained.")] for key in ("tokens", "through", "bias") if key in says}
    C, b = given["through"], given.get("bias", 0.0)
    return (given["tokens"] @ C.T)[tokens] + b if "tokens" in given else tokens @ C.T + b


@dataclass(frozen=True)
class RandomInput:
    """Gaussian input that jumps every ``network.every``, new in each trial; nothing to decide."""

    trials: int
    seed: int
    name: str = "random input"
    target: None = None
    sequences: int = 1
    since: int = 0
    asked: tuple = (-1,)

    def x(self, network) -> np.ndarray:
        """(trials, inputs, units)."""
        inputs = round(network.duration / network.every)
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(len(SPLITS),)))
        return network.card["input"]["sd"] * rng.standard_normal((self.trials, inputs, network.units))


def of(network, trials: int | None = None, seed: int = 0):
    """The task that a network card names, with the card's number of trials unless told."""
    protocol = network.card["protocol"]
    trials = protocol["trials"] if trials is None else whole(trials, "trials")
    sequences, warm = in_a_row(network)
    if protocol.get("task") == "retrieval":
        known = network.card["input"].get("symbols", SYMBOLS)
        answers = known if network.card["readout"].get("answers") == "symbol" else string.digits
        return retrieval(protocol["pairs"], trials, whole(seed, "seed", low=0, high=2**63), sequences=sequences, warm=warm, answers=answers)
    if "through" in network.card["input"]:
        raise BadInput(f"{network.path.name}: this card has no task of its own; give inputs with `fwbio compare CARD --inputs FILE.npz`")
    return RandomInput(trials, whole(seed, "seed", low=0, high=2**63))


def stationary_after(network, length: int) -> float:
    """How many sequences of ``length`` tokens last SETTLED time constants of the fast weights."""
    return SETTLED * network.tau / (length * network.token) if network.fast else 1.0


def in_a_row(network) -> tuple[int, int]:
    """From the card's [protocol]: sequences of a trial, and how many of them, at the start, are not asked.

    reset = "trial" : one sequence. "never" : ``sequences``; left out is what comes before A is stationary, but no more than half
    (a memory of minutes would need hundreds).

    Raises BadInput for a card without a reset that does not say how many sequences, or has none.
    """
    protocol = network.card["protocol"]
    if protocol["reset"] == "trial":
        return 1, 0
    for key, example in (("task", '"retrieval"'), ("sequences", "20")):
        if key not in protocol:
            raise BadInput(f'{network.path.name}: protocol.reset = "never" is for several sequences in a row; add {key} = {example}')
    sequences = whole(protocol["sequences"], f"{network.path.name}: protocol.sequences")
    return sequences, math.ceil(min(stationary_after(network, 2 * protocol["pairs"] + 3), sequences // 2))


def retrieval(
    pairs: int = 4, trials: int = 100, seed: int = 0, split: str = "test", sequences: int = 1, warm: int = 0, answers=string.digits
) -> Task:
    """Associative retrieval with ``pairs`` = K pairs; ``sequences`` of 2K + 3 tokens a trial, all but the first ``warm`` asked.

    The same ``(seed, split)`` gives the same sequences, in the same order however they are shared out among trials, and the first
    m of them do not depend on ``trials``. ``answers`` : the sign of every class, the digits among them. The three splits use disjoint random streams of ``numpy.random.SeedSequence``.

    Raises BadInput if ``pairs`` is not in 1..26, ``trials`` or ``sequences`` < 1, ``warm`` not below ``sequences``, ``seed`` < 0,
    one of them is not whole, or ``split`` is unknown.
    """
    pairs, trials, seed = whole(pairs, "pairs"), whole(trials, "trials"), whole(seed, "seed", low=0, high=2**63)
    sequences = whole(sequences, "sequences")
    warm = whole(warm, "warm", low=0, high=sequences - 1)
    if pairs > N_LETTERS:
        raise BadInput(f"pairs = {pairs}: letters are drawn without replacement, so use 1 to {N_LETTERS}")
    if split not in SPLITS:
        raise BadInput(f"split = {split!r}: use one of {', '.join(SPLITS)}")
    streams = np.random.SeedSequence(seed, spawn_key=(SPLITS.index(split), pairs)).spawn(3)
    letter_rng, digit_rng, query_rng = map(np.random.default_rng, streams)
    rows = np.arange(trials * sequences)
    letters = letter_rng.random((len(rows), N_LETTERS)).argsort(axis=1)[:, :pairs]
    digits = digit_rng.integers(N_DIGITS, size=(len(rows), pairs))
    query = query_rng.integers(pairs, size=len(rows))
    tokens = np.full((len(rows), 2 * pairs + 3), QUESTION)
    tokens[:, 0 : 2 * pairs : 2] = letters
    tokens[:, 1 : 2 * pairs : 2] = N_LETTERS + digits
    tokens[:, -1] = letters[rows, query]
    target = digits[rows, query].reshape(trials, sequences)[:, warm:].ravel()
    target = np.array([answers.index(digit) for digit in string.digits])[target]
    return Task("retrieval", tokens.reshape(trials, -1), target, len(answers), SYMBOLS, pairs, seed, split, sequences, warm)


def misread(task: Task, error: float, seed: int = 0) -> Task:
    """The same sequences and answers, but every letter and digit is, with probability ``error``, replaced by any of its kind."""
    rng = np.random.default_rng(np.random.SeedSequence(whole(seed, "seed", low=0), spawn_key=(len(SPLITS) + 1,)))
    letter, digit = task.tokens < N_LETTERS, (task.tokens >= N_LETTERS) & (task.tokens < QUESTION)
    wrong = rng.random(task.tokens.shape) < error
    any_letter, any_digit = rng.integers(N_LETTERS, size=task.tokens.shape), N_LETTERS + rng.integers(N_DIGITS, size=task.tokens.shape)
    tokens = np.where(wrong & letter, any_letter, np.where(wrong & digit, any_digit, task.tokens))
    return replace(task, tokens=tokens)


def reassigned(pairs: int = 4, trials: int = 100, seed: int = 0, split: str = "test") -> Task:
    """Retrieval with re-assigned keys: ``pairs`` = K letters with digits, then 2K times one of these letters, at random: every other time, on average, with
    its digit (a confirmation), else with another.

    Asked is a letter that was re-assigned, for its latest digit; ``a1b2a1b2a7b2??a`` -> ``7``. 6K + 3 tokens. Streams and errors as of ``retrieval``.
    """
    first = retrieval(pairs, trials, seed, split)
    rng = np.random.default_rng(np.random.SeedSequence(first.seed, spawn_key=(SPLITS.index(split), first.pairs, 9)))
    rows, K = np.arange(first.trials), first.pairs
    letters, latest = first.tokens[:, 0 : 2 * K : 2], first.tokens[:, 1 : 2 * K : 2].copy()
    tokens = np.full((len(rows), 6 * K + 3), QUESTION)
    tokens[:, : 2 * K] = first.tokens[:, : 2 * K]
    changed = np.zeros((len(rows), K), bool)
    for k in range(2 * K):
        which, another = rng.integers(K, size=len(rows)), rng.random(len(rows)) < 0.5
        if k == 2 * K - 1:
            another |= ~changed.any(axis=1)  # one at least
        step = np.where(another, rng.integers(1, 10, size=len(rows)), 0)  # to one of the nine other digits
        latest[rows, which] = N_LETTERS + (latest[rows, which] - N_LETTERS + step) % 10
        changed[rows, which] |= another
        tokens[:, 2 * (K + k)], tokens[:, 2 * (K + k) + 1] = letters[rows, which], latest[rows, which]
    asked = np.where(changed, rng.random(changed.shape), -1.0).argmax(axis=1)
    tokens[:, -1] = letters[rows, asked]
    return Task("reassigned", tokens, latest[rows, asked] - N_LETTERS, 10, SYMBOLS, K, first.seed, split)
