"""The best bank for a known demand: the information recalled, averaged over the ages that are asked for.

    J = integral of p(t) U(SNR^2(t)) dt,  U = 1/2 log2(1 + SNR^2) bits,  SNR^2 = A K^2/V,  A = N/r

The limit for all kernels, not only banks [proved]: water-filling, SNR^2 = [p/lambda - 1]+ with area A. Certificate of a bank (first order: proved for
a small further level, of any time constant; J is not concave, so a large one is only searched for):

    D(a) = integral of K (2 A p U'/V - lambda) exp(-a t),  lambda = 2 A/V^2 integral of p U' K^2;   D <= 0 for all a, 0 at the bank's own
"""

from dataclasses import dataclass

import numpy as np

from fwbio.levels.bank import LevelBank, bank, energy

RATES = 4000


@dataclass(frozen=True)
class Best:
    """The best bank of m levels; its J in bits; the largest D, in units of J: what a small further level adds a unit of its weight."""

    memory: LevelBank
    bits: float
    slope: float


def bits(memory, demand, A: float) -> float:
    """J of a bank, in bits."""
    t, w = demand.ages()
    return float(w @ (0.5 * np.log2(1 + A * memory.kernel(t) ** 2 / memory.energy())))


def best(demand, A: float, levels: int) -> list[Best]:
    """The best banks of 1 … ``levels`` levels for N/r = A s."""
    from scipy.optimize import minimize

    t, w = demand.ages()
    t = t / demand.t0
    A = A / demand.t0

    def value(z):
        m = len(z) // 2
        tau, gain = np.exp(z[:m]), np.exp(z[m:])
        decay = np.exp(-t[:, None] / tau)
        K, (V, V_tau, V_gain) = decay @ gain, energy(tau, gain)
        s = A * K**2 / V
        by_s = w / (2 * np.log(2) * (1 + s))  # p U'
        by_K, by_V = 2 * A * by_s * K / V, -(by_s @ s) / V
        K_tau = decay * t[:, None] * gain / tau
        slope = np.concatenate([by_K @ K_tau + by_V * V_tau, (by_K @ decay) * gain + by_V * V_gain])
        return -float(w @ (0.5 * np.log2(1 + s))), -slope

    found, logs = [], np.log(demand.R)
    for m in range(1, levels + 1):
        starts = [np.linspace(low * logs, high * logs, m + 2)[1:-1] for low, high in ((0, 1), (0.2, 0.9), (0.3, 0.7))]
        starts = [np.concatenate([start, -start / 2]) for start in starts]
        if found:
            before = found[-1].memory
            at = np.log(before.tau / demand.t0)
            ends = np.concatenate([[0.0], at, [logs]])
            for new in (ends[:-1] + ends[1:]) / 2:
                height = np.interp(new, at, np.log(before.gain)) - 1
                starts.append(np.concatenate([at, [new], np.log(before.gain), [height]]))
        limits = [(-8.0, logs + 8)] * m + [(None, None)] * m
        options = {"maxiter": 2000, "ftol": 1e-14, "gtol": 1e-10}
        done = min((minimize(value, z, jac=True, method="L-BFGS-B", bounds=limits, options=options) for z in starts), key=lambda d: d.fun)
        z = done.x[:m] + 1e-9 * np.arange(m)  # two that have met are one
        memory = bank(demand.t0 * np.exp(z), np.exp(done.x[m:] - np.logaddexp.reduce(done.x[m:])))
        found.append(Best(memory, -float(done.fun), steepest(memory, demand, A * demand.t0)))
    return found


def steepest(memory, demand, A) -> float:
    """The largest D(a) over all rates, relative to its own cost, lambda times the integral of K exp(-a t): 0 (to rounding) if no further level helps."""
    t, w = demand.ages()
    K, V, a = memory.kernel(t), memory.energy(), 1 / memory.tau
    by_s = w / (2 * np.log(2) * (1 + A * K**2 / V))
    lam = 2 * A / V**2 * (by_s @ K**2)
    rates = np.geomspace(1e-3 / demand.T, 1e3 / demand.t0, RATES)
    gain = np.exp(-np.outer(rates, t)) @ (2 * A * by_s * K / V)
    cost = lam * ((1 / np.add.outer(rates, a)) @ memory.gain)
    return float((gain / cost).max() - 1)


def ceiling(demand, A: float) -> tuple[float, np.ndarray]:
    """(J of the best kernel whatever, in bits; its SNR^2 at the demand's ages): water-filling by bisection of lambda."""
    from scipy.optimize import brentq

    t, w = demand.ages()
    x, g = np.polynomial.legendre.leggauss(len(t))
    dt = g * np.log(demand.R) / 2 * t  # the ages' own widths
    p = w / dt

    def area(log_lam):
        return np.maximum(p / np.exp(log_lam) - 1, 0) @ dt - A

    log_lam = brentq(area, np.log(p.min()) - 60, np.log(p.max()))
    snr2 = np.maximum(p / np.exp(log_lam) - 1, 0)
    return float(w @ (0.5 * np.log2(1 + snr2))), snr2
