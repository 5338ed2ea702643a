"""What a memory is worth at each age.

    SNR^2(t) = (N/r) s(t),  s(t) = K(t)^2/V,  V = integral of K^2          one association of age t against all others, N the fan-in of a read-out unit

[proved] The area of SNR^2 is N/r for every kernel: levels shape it and add nothing. [proved] With gains above 0 no memory stays at SNR >= theta for
longer than N/(e r theta^2), and one level with tau = twice that lifetime does.
"""

from dataclasses import dataclass

import numpy as np

from fwbio.levels.bank import BeakerChain, LevelBank
from fwbio.quantities import quantity


@dataclass(frozen=True)
class MemoryCurve:
    """The SNR of ``memory`` (LevelBank or BeakerChain) whose read-out units have fan-in N, while r associations a second are written.

    Raises BadInput unless N is at least 1 and r a positive frequency with unit.
    """

    memory: LevelBank
    N: float
    r: float

    def __post_init__(self):
        object.__setattr__(self, "N", quantity(self.N, "1", "MemoryCurve: N", low=1))
        object.__setattr__(self, "r", quantity(self.r, "Hz", "MemoryCurve: r", low=1e-12))
        if isinstance(self.memory, BeakerChain):
            object.__setattr__(self, "memory", self.memory.to_bank())

    def snr(self, t) -> np.ndarray:
        """SNR at ages t in s, an array of any shape, or one time with unit."""
        t = quantity(t, "s", "MemoryCurve.snr: t", low=0) if isinstance(t, str) or hasattr(t, "dimensions") and t.shape == () else t
        return self.memory.kernel(t) * (self.N / self.r / self.memory.energy()) ** 0.5

    def area(self) -> float:
        """The integral of SNR^2 over all ages, in s, by quadrature: N/r, whatever the kernel."""
        from scipy.integrate import quad

        fastest, slowest = self.memory.tau.min(), self.memory.tau.max()
        low, high = np.log(fastest * 1e-9), np.log(40 * slowest)
        pieces = np.linspace(low, high, 40)
        return sum(
            quad(lambda y: np.exp(y) * float(self.snr(np.exp(y))) ** 2, a, b, epsabs=0, epsrel=1e-11)[0] for a, b in zip(pieces, pieces[1:])
        )

    def lifetime(self, theta: float = 1.0) -> float:
        """The age in s up to which SNR >= theta at all ages; 0 if it never is. K falls, so it is the one crossing."""
        from scipy.optimize import brentq

        theta = quantity(theta, "1", "MemoryCurve.lifetime: theta", low=1e-300)
        if self.snr(0.0) < theta:
            return 0.0
        high = self.memory.tau.max()
        while self.snr(high) > theta:
            high *= 2
        return float(brentq(lambda t: self.snr(t) - theta, 0.0, high, xtol=1e-14 * high, rtol=1e-14))

    def guarantee(self, demand) -> float:
        """phi = the least of e t s(t) over the demand's ages: the share of SNR^2 that a slot tuned to that very age (tau = 2t) would have."""
        from fwbio.levels.guarantee import phi

        return phi(self.memory, demand.t0, demand.T)
