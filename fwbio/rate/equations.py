"""A card's rate block made into NumPy functions, through Brian2's equation parser and SymPy.

Brian2's own notation is the matrix product: ``x_pre`` and ``x_post`` are a row and a column, a state that lives on
[post, pre] is the matrix, and ``(summed)`` sums over pre. Arrays carry the trials on their first axis.
"""

import numpy as np

from fwbio.cards.equations import AT_ONCE, divisors, split
from fwbio.shot_noise import above

NUMPY = {
    "relu": lambda u: np.maximum(u, 0.0),
    "mean": lambda u: u.mean(axis=-1, keepdims=True),
    "clip": np.clip,
    "step": lambda u: np.heaviside(u, 1.0),
    "above": above,
}


def function(expression: str):
    """(callable, argument names) of an arithmetic expression over NumPy arrays."""
    import sympy
    from brian2.parsing.sympytools import str_to_sympy

    tree = str_to_sympy(expression)
    arguments = sorted(symbol.name for symbol in tree.free_symbols)
    return sympy.lambdify([sympy.Symbol(a, real=True) for a in arguments], tree, modules=[NUMPY, "numpy"]), arguments


class Right:
    """The right-hand side of one equation of a card, called with a mapping from names to arrays."""

    def __init__(self, text: str, constants: dict):
        from brian2 import Equations

        if "=" not in text:
            text = f"value = {text}"
        if ":" not in text:
            text += " : 1"
        (equation,) = Equations(text).values()
        self.name = equation.varname
        self.summed = "summed" in equation.flags
        self.call, self.arguments = function(equation.expr.code)
        self.constants = {k: v for k, v in constants.items() if k in self.arguments}

    def __call__(self, values):
        result = self.call(**{a: values[a] if a in values else self.constants[a] for a in self.arguments})
        return result.sum(axis=-1) if self.summed else result


def moving(card, values) -> tuple[dict[str, Right], dict[str, Right]]:
    """The rate equations of a synapse card by state: those to integrate, and those whose time constant is 0 (see ``settled``)."""
    odes, limits = {}, {}
    for text in card["rate"].get("ode", []):
        where = limits if any(values[name] == AT_ONCE for name in divisors(text)) else odes
        where[split(text, "rate.ode")["ode"]] = Right(text, values)
    return odes, limits


def settled(limits: dict[str, Right], views: dict) -> dict[str, np.ndarray]:
    """The states that relax at once, where their equations f = dq/dt, linear in their own state q, are 0: q = f(0)/(f(0) - f(1)).

    Another such state can matter to f through spikes only, by 1e-12 s times their rate.
    """
    found = {}
    for state, ode in limits.items():
        at = [ode({**dict.fromkeys(limits, 0.0), **views, **found, state: q}) for q in (0.0, 1.0)]
        found[state] = at[0] / (at[0] - at[1])
    return found


class Synapse:
    """One projection's rate equations: its states, what it reads into the dendrite, how its states move."""

    def __init__(self, projection):
        card, values = projection.synapse.card, projection.synapse.values
        self.odes, self.limits = moving(card, values)
        self.read = Right(card["rate"]["read"], values)
        self.latch = [Right(text, values) for text in card["rate"].get("latch", [])]
        self.fixed = {k: projection.weight for k, s in card["state"].items() if s["start"] == "weight"}
        self.states = list(self.odes)
        self.index = {state: card["state"][state]["index"] for state in self.states}
        self.start = {state: card["state"][state]["start"] for state in self.states}
        self.constants = values

    def initial(self, trials: int, units: int) -> dict[str, np.ndarray]:
        """Each state at its start, (trials, units or 1, units or 1): post and pre where the state lives on them."""
        shapes = {k: (trials, units if "post" in i else 1, units if "pre" in i else 1) for k, i in self.index.items()}
        return {k: np.full(shape, float(Right(self.start[k], self.constants)({}))) for k, shape in shapes.items()}

    def views(self, h, states, read_gain, write_gain):
        found = {
            **self.fixed,
            **states,
            "h_pre": h[:, None, :],
            "h_post": h[:, :, None],
            "read_gain": read_gain,
            "write_gain": write_gain,
        }
        return found | settled(self.limits, found)


def initial_states(synapses, trials, units) -> dict:
    """Every state of every projection at its start, by (projection, state)."""
    return {(name, state): value for name, synapse in synapses.items() for state, value in synapse.initial(trials, units).items()}


def split_states(y, like: dict, trials, units):
    """The flat vector of solve_ivp as the dendrites' current (trials, units) and each state by key, in the shapes of ``like``."""
    cuts = np.cumsum([trials * units, *(value.size for value in like.values())])
    current, *states = np.split(y, cuts[:-1])
    return current.reshape(trials, units), {k: v.reshape(like[k].shape) for k, v in zip(like, states, strict=True)}
