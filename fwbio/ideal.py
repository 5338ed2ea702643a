"""The ideal observer of associative retrieval: what anybody could answer who knows how the sequences are made, when symbols are misread.

Hidden: K distinct letters with a digit each, and which of them is asked for. Every letter and digit is seen as it is with probability 1 - e, else as any of
its kind, all alike. One pass over the sequence multiplies the chances of each pair's letter and digit (a forward filter, as pairs are drawn one
after another); the last letter then weighs the pairs:

    P(d) ~ sum over pairs q and letters l of  c(l) a_q(l) b_q(d) D_q(l)

a, b, c : chances of what was seen at a letter, a digit and the end. D_q(l) : the other pairs' chance, their letters distinct from each other and from l, by
inclusion and exclusion over the set partitions of the pairs (Moebius function (-1)^(n-1) (n-1)! for each block of n).
"""

import math

import numpy as np

from fwbio.errors import BadInput
from fwbio.quantities import quantity
from fwbio.tasks import N_DIGITS, N_LETTERS


def retrieval(task, error: float) -> np.ndarray:
    """P of every digit, (trials, 10), given the tokens of a retrieval task that were misread with probability ``error`` (``tasks.misread``).

    Raises BadInput for another task, several sequences in a row, more than 6 pairs, or an error that is no probability.
    """
    e = quantity(error, "1", "error", low=0, high=1)
    if task.name != "retrieval" or task.sequences > 1 or task.pairs > 6:
        raise BadInput("the ideal observer knows associative retrieval, one sequence a trial, of at most 6 pairs")
    K, rows = task.pairs, np.arange(task.trials)

    def chances(seen, kinds):
        found = np.full((len(seen), kinds), e / kinds)
        found[rows, seen] += 1 - e
        return found

    a = [chances(task.tokens[:, 2 * k], N_LETTERS) for k in range(K)]
    b = [chances(task.tokens[:, 2 * k + 1] - N_LETTERS, N_DIGITS) for k in range(K)]
    c = chances(task.tokens[:, -1], N_LETTERS)
    posterior = np.zeros((task.trials, N_DIGITS))
    for q in range(K):
        others = [a[k] for k in range(K) if k != q]
        weight = (c * a[q] * distinct(others)).sum(axis=1)
        posterior += weight[:, None] * b[q]
    return posterior / posterior.sum(axis=1, keepdims=True)


def distinct(chances) -> np.ndarray:
    """(trials, letters): for each letter, the chance of the others' letters, summed over all that are distinct and not that letter."""
    if not chances:
        return 1.0
    total = 0.0
    for partition in partitions(list(range(len(chances)))):
        term = 1.0
        for block in partition:
            product = np.prod([chances[k] for k in block], axis=0)
            term = term * (-1) ** (len(block) - 1) * math.factorial(len(block) - 1) * (product.sum(axis=1, keepdims=True) - product)
        total = total + term
    return np.maximum(total, 0.0)


def partitions(items):
    """All ways to put the items into blocks."""
    if not items:
        yield []
        return
    first, *rest = items
    for smaller in partitions(rest):
        for k in range(len(smaller)):
            yield [*smaller[:k], [first, *smaller[k]], *smaller[k + 1 :]]
        yield [[first], *smaller]
