"""A world in which associations go out of date: values are +-1, redrawn after a validity D, and shown with noise.

D is log-uniform between its limits: P(D > s) = ln(b/s)/ln(b/a), E[D] = (b - a)/ln(b/a) (21.8 s for 0.5 to 120 s). Presentations are Poisson.
"""

from dataclasses import dataclass, field

import numpy as np

from fwbio.errors import BadInput
from fwbio.quantities import quantity, whole


@dataclass(frozen=True)
class Stream:
    """Presentations in order of time. t : (n,) in s; item : (n,) which association; value, teacher : (n, d), true and as shown; key : (n, inputs)."""

    t: np.ndarray
    item: np.ndarray
    value: np.ndarray
    teacher: np.ndarray
    key: np.ndarray


@dataclass(frozen=True)
class SwitchingWorld:
    """``items`` associations of d outputs; each is presented at ``rate`` (with unit) with teacher noise sigma and valid from ``shortest`` to ``longest``.

    inputs, active : of a matrix: keys are ``active`` of ``inputs`` numbers, each 1/sqrt(active); one input alone is the slot itself
    p_new : the chance that an association which goes out of date gets another key too

    Raises BadInput for values out of range. Kept in s and Hz.
    """

    rate: float
    sigma: float
    outputs: int = 64
    items: int = 1
    inputs: int = 1
    active: int = 1
    p_new: float = 0.0
    shortest: float = field(default="0.5 s")
    longest: float = field(default="120 s")

    def __post_init__(self):
        for name, unit, low in (
            ("rate", "Hz", 1e-6),
            ("sigma", "1", 0),
            ("p_new", "1", 0),
            ("shortest", "s", 1e-6),
            ("longest", "s", 1e-6),
        ):
            object.__setattr__(self, name, quantity(getattr(self, name), unit, f"SwitchingWorld: {name}", low=low))
        for name in ("outputs", "items", "inputs", "active"):
            object.__setattr__(self, name, whole(getattr(self, name), f"SwitchingWorld: {name}"))
        if self.longest <= self.shortest:
            raise BadInput(f"SwitchingWorld: longest = {self.longest:g} s is not above shortest = {self.shortest:g} s")
        if self.p_new > 1 or self.active > self.inputs:
            raise BadInput("SwitchingWorld: p_new is a probability, and no more inputs can be active than there are")

    @property
    def validity(self) -> float:
        """E[D] in s."""
        return (self.longest - self.shortest) / np.log(self.longest / self.shortest)

    def unchanged(self, s) -> np.ndarray:
        """P(the value at a random moment is still that of s seconds before): the integral of P(D > s') from s on, over E[D]."""
        s, a, b = np.abs(np.asarray(s, float)), self.shortest, self.longest
        inside = np.clip(s, a, b)
        return np.where(s < a, 1 - s / self.validity, np.where(s < b, (b - inside - inside * np.log(b / inside)) / (b - a), 0.0))

    def stream(self, seconds: float, seed: int) -> Stream:
        """All presentations of ``seconds`` s. The first switch of every item comes at a moment that is stationary."""
        rng = np.random.default_rng(seed)
        parts = []
        for item in range(self.items):
            switches = self.switches(rng, seconds)
            values = rng.choice((-1.0, 1.0), (len(switches) + 1, self.outputs))
            keys = [self.new_key(rng)]
            for _ in switches:
                keys.append(self.new_key(rng) if rng.random() < self.p_new else keys[-1])
            t = np.sort(rng.uniform(0, seconds, rng.poisson(self.rate * seconds)))
            now = np.searchsorted(switches, t)
            parts.append((t, np.full(len(t), item), values[now], np.array(keys)[now]))
        t, item, value, key = (np.concatenate(column) for column in zip(*parts))
        order = np.argsort(t)
        teacher = value + self.sigma * rng.standard_normal(value.shape)
        return Stream(t[order], item[order], value[order], teacher[order], key[order])

    def switches(self, rng, seconds) -> np.ndarray:
        t, found = -10 * self.longest, []
        while t < seconds:
            t += self.shortest * (self.longest / self.shortest) ** rng.random()
            found.append(t)
        return np.array([s for s in found if s > 0])

    def new_key(self, rng) -> np.ndarray:
        key = np.zeros(self.inputs)
        key[rng.choice(self.inputs, self.active, replace=False)] = self.active**-0.5
        return key
