"""The best levels that can take few values: P values a synapse, shared equally by m variables with hard bounds and stochastic rounding (``states``).

    guarantee = min over ages t0 r … T r, in writes, of e t s(t)                     as without bounds, but s is exact for integers, and so asks for r

Nelder and Mead's search over logarithms, 3 m - 1 of them, for a chain and for a bank, from two starts each: the best bank for real numbers and the chain that
is the same, with steps such that a bound is 1.5 or 3 standard deviations away. What it finds is a lower bound of what is possible; nothing here is proved.
"""

import math
from dataclasses import dataclass

import numpy as np

from fwbio.levels.bank import LevelBank
from fwbio.levels.bank import bank as level_bank
from fwbio.levels.guarantee import best
from fwbio.levels.states import curve

BOUNDS, TRIES = (1.5, 3.0), 150  # standard deviations; steps of the search a free number


@dataclass(frozen=True)
class FewValues:
    """Levels of n_k values. kind : "chain" or "bank"; M (m, m), write (m,), read (m,): as in ``states``, in steps and writes; guarantee : found by search."""

    kind: str
    n: tuple
    M: np.ndarray
    write: np.ndarray
    read: np.ndarray
    guarantee: float

    def modes(self, r: float) -> LevelBank:
        """The bank that it would be with real numbers, for r writes a second; gains sum to 1."""
        rates, V = np.linalg.eig(np.eye(len(self.n)) + self.M)
        gain = (self.read @ V) * np.linalg.solve(V, self.write)
        keep = np.abs(gain) > 1e-9 * np.abs(gain).sum()
        tau, gain = -1 / np.log(rates[keep].real) / r, np.abs(gain[keep].real)
        return level_bank(tau * (1 + 1e-9 * np.arange(len(tau))), gain / gain.sum())

    def share(self, oldest: int) -> np.ndarray:
        """e t s(t) at ages of 1 … ``oldest`` writes: the share of a tuned slot's SNR^2."""
        return math.e * np.arange(1, oldest + 1) * curve(self.M, self.write, self.read, self.n, oldest)[1:]


def chain(z, m):
    """(M, write, read) from logarithms: g_k/C_k, g_{k-1}/C_k, steps q_{k+1}/q_k, size of a write in steps."""
    down, up, step, size = np.split(np.exp(z), (m, 2 * m - 1, 3 * m - 2))
    M = -np.diag(down + np.append(0, up))
    M[np.arange(m - 1), np.arange(1, m)] = down[:-1] * step
    M[np.arange(1, m), np.arange(m - 1)] = up / step
    return M, np.append(size, np.zeros(m - 1)), np.eye(m)[0]


def bank(z, m):
    """(M, write, read) from logarithms: 1/tau, sizes of a write in steps, steps q_{k+1}/q_k."""
    rate, size, step = np.split(np.exp(z), (m, 2 * m))
    return -np.diag(rate), size, np.append(1, np.cumprod(step))


def starts(levels, n, bound):
    """Logarithms for ``chain`` and ``bank`` that are the best bank for real numbers, ``bound`` standard deviations inside the bounds."""
    from scipy.linalg import solve_continuous_lyapunov

    found, m, edge = level_bank(levels.tau, levels.gain).to_chain(), len(levels.tau), (np.array(n) - 1) / 2
    C, g, tau, b = found.C, found.g, levels.tau, levels.gain
    spread = np.sqrt(np.diag(solve_continuous_lyapunov(found.flow(), np.diag(np.eye(m)[0]) / C[0] ** 2)))
    q = bound * spread / edge
    as_chain = np.log(np.concatenate([g / C, g[:-1] / C[1:], q[1:] / q[:-1], [1 / C[0] / q[0]]]))
    q = bound * b * np.sqrt(tau / 2) / edge
    return {"chain": as_chain, "bank": np.log(np.concatenate([1 / tau, b / q, q[1:] / q[:-1]]))}


def search(kind, m, P, youngest: int, oldest: int, tries: int = TRIES) -> FewValues:
    """The best levels found of this kind, m of them with P values in all, for ages of ``youngest`` to ``oldest`` writes."""
    from scipy.optimize import minimize

    make, ages, n = {"chain": chain, "bank": bank}[kind], np.arange(youngest, oldest + 1), tuple((P + k) // m for k in range(m))
    levels = best(float(oldest / youngest), m)
    levels = level_bank(youngest * levels.tau, levels.gain)

    def guarantee(z):
        M, write, read = make(np.clip(z, -12, 4), m)
        if np.diag(M).min() < -1:
            return 0.0
        return (math.e * ages * curve(M, write, read, n, oldest)[youngest:]).min()

    def loss(z):
        value = guarantee(z)
        return -math.log(max(value, 1e-20)) if value else 50.0

    ends = []
    for bound in BOUNDS:
        z = starts(levels, n, bound)[kind]
        for _ in range(2):  # again from where it got stuck
            z = minimize(loss, z, method="Nelder-Mead", options={"maxfev": tries * len(z) // 2, "xatol": 1e-3, "fatol": 1e-4}).x
        ends.append((guarantee(z), z))
    value, z = max(ends, key=lambda end: end[0])
    return FewValues(kind, n, *make(np.clip(z, -12, 4), m), float(value))
