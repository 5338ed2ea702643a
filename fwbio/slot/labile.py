"""The surprise-gated labile slot: a rule with a state of plasticity z at every axon and one broadcast number.

    dA_ij/dt = z_j x_j e_i - min(z_j, 1) A_ij/tau_0,   e_i = teacher_i - sum_j A_ij x_j                          (error at the dendrite)
    dz_j/dt  = -x_j^2 z_j^2 + x_j^2-gated M(t) + (1 - z_j)/tau_rec,   z_min <= z <= z_max
    M: a burst of area u = gamma [(q - 1)/sqrt(2/d) - kappa]+^2 at a presentation,  q = |e|^2/(d E (1 + mean z of the active axons, at most 1))

As a card for networks of one's own, where M and the error are variables of the target: ``models/labile.toml``.

E is the slow, robust mean of |e|^2/d over some 50 presentations: the noise that is expected. By events (integral of x^2 = 1 a
presentation; the ODE solved, surprise first):  z <- z + u,  g = z/(1 + z),  A <- A + g e x,  z <- max(g, z_min).

A fresh slot (z = 1) takes 1/2, 1/3, 1/4 … of each confirmation, a running mean, and keeps ever longer; a surprise lets it be overwritten at once.
"""

from dataclasses import dataclass, field

import numpy as np

from fwbio.errors import BadInput
from fwbio.quantities import quantity

PRESENTATIONS = 50  # over which expected noise is averaged


@dataclass
class SurpriseSignal:
    """The broadcast: how much more error there is than expected. kappa : threshold in standard deviations; gamma : size. State: E."""

    kappa: float = 1.5
    gamma: float = 0.1
    E: float | None = None

    def ratio(self, error, z) -> float:
        """q of an error (d,) where z is the mean of the active axons: 1 on average, standard deviation sqrt(2/d), unless the value has changed."""
        return float(error @ error / len(error) / (1 + min(z, 1.0)) / self.E)

    def __call__(self, error, z) -> float:
        """The area u of the burst that an error calls forth; then learns what noise to expect, a surprising error counted as one at the threshold."""
        size, deviation = float(error @ error / len(error)), np.sqrt(2 / len(error))
        if self.E is None:
            self.E = size / (1 + min(z, 1.0))
        u = self.gamma * max((self.ratio(error, z) - 1) / deviation - self.kappa, 0.0) ** 2
        self.E += (min(size, self.E * (1 + min(z, 1.0)) * (1 + self.kappa * deviation)) - self.E) / PRESENTATIONS
        return u


@dataclass(frozen=True)
class LabileSlot:
    """The rule by events. tau0, tau_rec : times with unit, or None to leave the term out. Kept in s.

    lesions : of ``surprise`` (u = 0), ``own`` (one z for all axons), ``learning`` (z held at its resting value of a fixed gain)

    Raises BadInput for values out of range.
    """

    kappa: float = 1.5
    gamma: float = 0.1
    z_range: tuple = (0.01, 20.0)
    tau0: float | None = field(default="30 s")
    tau_rec: float | None = field(default="100 s")
    lesions: tuple = ()

    def __post_init__(self):
        for name in ("kappa", "gamma"):
            object.__setattr__(self, name, quantity(getattr(self, name), "1", f"LabileSlot: {name}", low=0))
        low, high = (quantity(z, "1", "LabileSlot: z_range", low=0) for z in self.z_range)
        if not 0 < low < 1 < high:
            raise BadInput(f"LabileSlot: z_range = {self.z_range}: the lower limit is below 1, the resting value, the upper one above")
        for name in ("tau0", "tau_rec"):
            value = getattr(self, name)
            object.__setattr__(self, name, np.inf if value is None else quantity(value, "s", f"LabileSlot: {name}", low=1e-6))
        if unknown := set(self.lesions) - {"surprise", "own", "learning"}:
            raise BadInput(f"LabileSlot: lesions {sorted(unknown)}: there are surprise, own and learning")

    def predict(self, stream, gains=None) -> np.ndarray:
        """What was predicted just before each presentation, (n, d). gains : a list that gets the mean g of every one."""
        n, d = stream.teacher.shape
        inputs, (z_min, z_max) = stream.key.shape[1], self.z_range
        A, z, surprise = np.zeros((inputs, d)), np.ones(inputs), SurpriseSignal(self.kappa, self.gamma)
        predictions, last = np.empty((n, d)), stream.t[0]
        for k in range(n):
            gap, last = stream.t[k] - last, stream.t[k]
            if np.isfinite(self.tau0):
                A *= np.exp(-np.minimum(z, 1) * gap / self.tau0)[:, None]
            if np.isfinite(self.tau_rec):
                z = 1 + (z - 1) * np.exp(-gap / self.tau_rec)
            x = stream.key[k]
            on = np.flatnonzero(x)
            seen = A[on]
            predictions[k] = x[on] @ seen
            error = stream.teacher[k] - predictions[k]
            u = surprise(error, z[on].mean())
            u = 0.0 if "surprise" in self.lesions else u
            raised = np.minimum(z[on] + u, z_max)
            g = np.full(len(on), 0.12) if "learning" in self.lesions else raised / (1 + raised)
            A[on] = seen + np.outer(g * x[on], error)
            if "own" in self.lesions:  # every axon is as labile as these now are, in proportion to how many they are
                z = np.clip(z + (np.maximum(g, z_min).mean() - z.mean()) * len(on) / inputs + u * len(on) / inputs, z_min, z_max)
                z[:] = z.mean()
            else:
                z[on] = np.maximum(g, z_min)
            if gains is not None:
                gains.append(float(g.mean()))
        return predictions

    def integrate(self, stream, lasts=0.2, dt=1e-3) -> np.ndarray:
        """The same rule as differential equations, one association: predictions before each presentation, (n, d).

        lasts : of a presentation, s, during which x^2 = 1/lasts; the burst M comes in its first fifth. dt : of Euler's method, s.
        """
        n, d = stream.teacher.shape
        A, z, surprise, found, now = np.zeros(d), 1.0, SurpriseSignal(self.kappa, self.gamma), np.empty((n, d)), stream.t[0]
        steps = round(lasts / dt)
        for k in range(n):
            gap = max(stream.t[k] - now, 0.0)
            A, z = A * np.exp(-min(z, 1) * gap / self.tau0), 1 + (z - 1) * np.exp(-gap / self.tau_rec)
            now = max(stream.t[k], now) + lasts
            found[k] = A
            burst = surprise(stream.teacher[k] - A, z) / (lasts / 5)
            for step in range(steps):
                error = stream.teacher[k] - A
                A = A + dt * (z * error / lasts - min(z, 1) * A / self.tau0)
                z += dt * (-(z**2) / lasts + burst * (step < steps // 5) + (1 - z) / self.tau_rec)
                z = min(max(z, self.z_range[0]), self.z_range[1])
        return found
