"""What a query reads from the fast weights, split by who wrote it: the query's own sequence, or older ones.

The attention form (Ba et al. 2016, eq. 4) is a sum over the past, so the split is exact. For the query h_0 at the last of L tokens

    A h_0 = eta sum_{k=1..L-1} lambda^(k-1) h(-k) [h(-k) . h_0]   own sequence
          + lambda^(L-1) A(before the sequence) h_0               older ones

If every write met the query with the same overlap, the two would be as (1 - lambda^(L-1)) to lambda^(L-1); layer normalisation sees
what is left of each after the mean over units, so their spread over units is what counts.
"""

from dataclasses import dataclass

import numpy as np

from fwbio import describe
from fwbio.rnn import layer_norm, relu, rules


@dataclass(frozen=True)
class Read:
    """own, older : what the query of each trial's last token reads from A, (trials, units). z : its slow input."""

    own: np.ndarray
    older: np.ndarray
    z: np.ndarray


def split(network, task) -> Read:
    """The RNN's last query of every trial of ``task`` (at most 200), first pass of the inner loop.

    Without fast weights, or where the trial is one sequence, ``older`` is 0 but for round-off.
    """
    x = task.x(network)[:200]
    h = describe.discrete(network, x, keep=0).h
    slow = next(p for p in network.projections.values() if not p.associative)
    z = h[:, -2] @ slow.weight.T + x[:, -1]
    first = network.norm_first.values if network.norm_first else None
    query = relu(layer_norm(z, first["gain"], first["bias"], first["eps"]) if first else z)
    age = np.arange(h.shape[1] - 2, -1, -1)
    weight = sum(rule.eta * rule.lam**age for rule in rules(network).values())
    terms = weight * np.einsum("tkj,tj->tk", h[:, :-1], query)
    own, older = (np.einsum("tk,tki->ti", terms[:, part], h[:, :-1][:, part]) for part in (slice(task.since, None), slice(task.since)))
    return Read(own, older, z)
