"""When is what was stored asked for? The ages that count, and how often each is asked for."""

from dataclasses import dataclass

import numpy as np

from fwbio.errors import BadInput
from fwbio.quantities import quantity

MOST = 1e9  # T/t0 for which the best banks have been found and held against each other
POINTS = 600  # Gauss-Legendre points in the logarithm of age


@dataclass(frozen=True)
class AgeDemand:
    """Ages from t0 to T, times with unit, asked for with density p(t); default p = 1/(t ln(T/t0)), every factor of age as often as any other.

    p : a function of ages in s, positive; it is normalised. Kept in s.

    Raises BadInput unless 0 < t0 < T < 1e9 t0 are finite times and p is positive and finite there.
    """

    t0: float
    T: float
    p: object = None

    def __post_init__(self):
        t0, T = quantity(self.t0, "s", "AgeDemand: t0"), quantity(self.T, "s", "AgeDemand: T")
        if t0 <= 0:
            raise BadInput(f"AgeDemand: t0 = {t0:g} s: the youngest age has to be above 0; nothing is asked for while it is written")
        if T <= t0:
            raise BadInput(f"AgeDemand: T = {T:g} s is not above t0 = {t0:g} s; the oldest age comes second")
        if T / t0 > MOST:
            raise BadInput(f"AgeDemand: T = {T:g} s is {T / t0:.3g} times t0 = {t0:g} s; ages are planned over up to nine powers of ten")
        object.__setattr__(self, "t0", t0)
        object.__setattr__(self, "T", T)
        if self.p is not None:
            values = np.asarray(self.p(np.geomspace(t0, T, POINTS)), float)
            if values.shape != (POINTS,) or not np.isfinite(values).all() or (values <= 0).any():
                raise BadInput("AgeDemand: p has to give one positive, finite density for each age it is asked for")

    @property
    def R(self) -> float:
        """T/t0, the only number that shapes depend on."""
        return self.T / self.t0

    def ages(self) -> tuple[np.ndarray, np.ndarray]:
        """(ages in s, their weights): sums over them are integrals over p."""
        x, w = np.polynomial.legendre.leggauss(POINTS)
        log_R = np.log(self.R)
        t = self.t0 * np.exp(log_R * (x + 1) / 2)
        w = w * (1.0 if self.p is None else t * self.p(t))
        return t, w / w.sum()
