"""What becomes of synapses while no spike comes: their card's own equations, from [spiking], with spikes and noise off.

Nothing of a mechanism stands here. Each state must be linear in itself, dx/dt = a + b x, where a and b may hold states that come before
it (calcium, early phase, pool, proteins, late phase). Over a step D with a and b constant it then moves exactly,

    x(t + D) = x(t) exp(b D) + a (exp(b D) - 1)/b

and a, b are the means over both ends of the step (second order: Hochbruck & Ostermann, Acta Numerica 19 (2010) 209). A threshold,
step(u), counts by the share of the step in which u >= 0, u taken as a straight line: so steps of seconds meet crossings well within.
Steps begin short and grow with the time passed, so that what decays in milliseconds is followed too.
"""

import numpy as np

from fwbio.cards.equations import split
from fwbio.errors import BadInput
from fwbio.rate.equations import NUMPY, Right

FIRST, GROWTH = 1e-4, 0.02  # s; a step is at most FIRST + GROWTH of the time passed


def ahead(card, states, times, longest: float = 2.0, set=None, **given) -> dict[str, np.ndarray]:
    """The states of silent synapses at ``times`` (s, rising) from now, by name, each (times, shape it was given in), SI units.

    card : tables of a synapse card. states : by name, (..., cells, axons), or (..., cells) where the card's index is ["post"]; the
    leading axes are any. longest : step, s; the error falls with its square. set, given : parameters, as for ``fwbio.synapses``
    Raises BadInput for a card with an equation that is not linear in its own state, or whose states depend on each other in a circle.
    """
    from fwbio.spiking import own

    numbers = own.chosen(card, set, given, f"skip_ahead({card['name']!r})")
    pools = [Right(text, numbers) for text in card["spiking"].get("pool", [])]
    moves = in_order(
        [Move(text, numbers) for text in card["spiking"].get("ode", [])], {pool.name.removesuffix("_post"): pool for pool in pools}
    )
    flat = {name: card["state"][name]["index"] == ["post"] for name in states}
    now = {name: np.array(value, float)[..., None] if flat[name] else np.array(value, float) for name, value in states.items()}
    found, t = {name: [] for name in states}, 0.0
    for end in times:
        while t < end:
            rest = end - t
            D = min(longest, FIRST + GROWTH * t, rest)
            D = rest if rest - D < 1e-9 * end else D
            now = moved(now, D, moves)
            t = end if D == rest else t + D
        for name in states:
            found[name].append(now[name][..., 0] if flat[name] else now[name])
    return {name: np.array(value) for name, value in found.items()}


def moved(now, D, moves):
    """All states a step later: one after the other, each seeing both ends of those before it."""
    ends = {}
    for name, move in moves:
        if isinstance(move, Move):
            later = move(now[name], ends, D)
            ends[name] = np.stack([now[name], later])
        else:
            ends[name] = move(ends)[..., None]
    return {name: ends[name][1] if name in ends else value for name, value in now.items()}


class Move:
    """One differential equation, dx/dt = a + b x."""

    def __init__(self, text, numbers):
        import sympy
        from brian2.parsing.sympytools import str_to_sympy

        parts = split(text, "ode")
        self.name = parts["ode"]
        x, xi = (sympy.Symbol(name, real=True) for name in (self.name, "xi"))
        right = str_to_sympy(parts["rhs"]).subs(xi, 0)
        b = sympy.diff(right, x)
        if x in b.free_symbols:
            raise BadInput(f"d{self.name}/dt is not linear in {self.name}: it cannot be skipped ahead; integrate it step by step")
        a = right.subs(x, 0)
        self.needs = {symbol.name for part in (a, b) for symbol in part.free_symbols} - numbers.keys()
        self.arguments = sorted(symbol.name for symbol in a.free_symbols | b.free_symbols)
        own = [{**NUMPY, "step": share}, "numpy"]
        self.call = sympy.lambdify([sympy.Symbol(k, real=True) for k in self.arguments], [a, b], modules=own)
        self.numbers = numbers

    def __call__(self, x, ends, D):
        a, b = self.call(*(ends[k] if k in ends else self.numbers[k] for k in self.arguments))
        a, b = (np.mean(part, axis=0) if np.ndim(part) else part for part in (a, b))
        full = b * D
        return x * np.exp(full) + a * D * np.where(full == 0, 1.0, np.expm1(full) / np.where(full == 0, 1.0, full))


def share(u):
    """The share of a step in which u >= 0. u : (start and end, ...), between them a straight line; the answer is (1, ...)."""
    low, high = u.min(axis=0), u.max(axis=0)
    return np.where(low >= 0, 1.0, np.where(high < 0, 0.0, high / np.where(high > low, high - low, 1.0)))[None]


def in_order(moves, pools) -> list:
    """(name, move or pool), everything after what it needs."""
    waiting, order = (
        {
            **{move.name: (move, move.needs) for move in moves},
            **{k: (pool, {*pool.arguments} - {*pool.constants}) for k, pool in pools.items()},
        },
        [],
    )
    while waiting:
        ready = [name for name, (_, needs) in waiting.items() if not needs & waiting.keys()]
        if not ready:
            raise BadInput(
                f"{', '.join(waiting)} depend on each other in a circle: they cannot be skipped ahead; integrate them step by step"
            )
        order += [(name, waiting.pop(name)[0]) for name in ready]
    return order
