"""The best bank for ages that nobody knows beforehand: the largest share of a tuned slot that holds at every age from t0 to T.

    phi(m) = max over banks of m levels of  min over t in [t0, T] of  e t K(t)^2/V

Scaled so that the least sqrt(e t) K(t) is 1, phi = 1/V: a smooth problem in log tau and log b, with one constraint an age. It knows R = T/t0 alone.

Certificate. Let mu_i >= 0 belong to ages t_i, and D(a) = sum_i mu_i sqrt(e t_i) exp(-a t_i) - 2 integral of K(t) exp(-a t) <= 0 for all rates a. Any
other bank K', with the same scaling, has V' = integral of K'^2 >= 2 integral of K K' - V >= sum_i mu_i sqrt(e t_i) K'(t_i) - V >= sum_i mu_i - V. So

    no bank, of whatever time constants and however many levels, has a phi above 1/(sum_i mu_i - V)        [proved, for the mu found; a found numerically]
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fwbio.levels.bank import LevelBank, bank, energy

AGES, RATES = 200, 4000  # points in the logarithm
POLISH = 2  # rounds
MOST = 10  # levels that are tried


@dataclass(frozen=True)
class Best:
    """The best bank of m levels for ages 1 to R; its phi; and what no bank of any size exceeds."""

    tau: np.ndarray
    gain: np.ndarray
    phi: float
    bound: float


def phi(memory: LevelBank, t0: float, T: float) -> float:
    """min over [t0, T] of e t K^2/V: the least of a fine grid, refined around it."""
    from scipy.optimize import minimize_scalar

    def share(log_t):
        t = np.exp(log_t)
        return np.e * t * memory.kernel(t) ** 2

    grid = np.linspace(np.log(t0), np.log(T), 2000)
    values = share(grid)
    k = int(values.argmin())
    least = values[k]
    if 0 < k < len(grid) - 1:
        least = min(least, minimize_scalar(share, bounds=(grid[k - 1], grid[k + 1]), method="bounded", options={"xatol": 1e-10}).fun)
    return float(least / memory.energy())


@lru_cache(maxsize=64)
def best(R: float, m: int) -> Best:
    """The best bank of m levels for ages from 1 to R (time in units of t0)."""
    starts = [np.geomspace(2 * R**low, R**high, m + 1)[1:] for low, high in ((0.2, 0.8), (0.05, 0.95), (0.4, 0.9))]
    if m > 1:
        starts = starts[: 3 if m < 5 else 2]
        before = best(R, m - 1).tau
        ends = np.concatenate([[before[0] / 2], before, [before[-1] * 1.5]])
        widest = int(np.argmax(np.diff(np.log(ends))))
        starts.append(np.insert(before, widest, np.sqrt(ends[widest] * ends[widest + 1])))
    grid = np.geomspace(1, R, AGES)
    tau, gain = min((solve(grid, start, np.ones(m), 1e-10) for start in starts), key=lambda pair: energy(*pair)[0])
    for _ in range(POLISH):
        tau, gain = solve(np.concatenate([[1, R], lowest(R, tau, gain)]), tau, gain, 1e-15, follow=True)
    memory = bank(tau, gain / gain.sum())
    share = phi(memory, 1.0, R)
    return Best(memory.tau, memory.gain, share, bound(R, memory, share))


def lowest(R, tau, gain) -> np.ndarray:
    """The ages between 1 and R at which e t K^2 has its local minima, on a fine grid."""
    log_t = np.linspace(0, np.log(R), 40 * AGES)
    share = 0.5 * log_t + np.log(np.exp(-np.exp(log_t)[:, None] / tau) @ gain)
    return np.exp(log_t[1:-1][(share[1:-1] < share[:-2]) & (share[1:-1] < share[2:])])


def minima(t, tau, b):
    """The local minima of e t K^2 next to the ages t, by Newton's method in log t; the first two ages, the ends, stay."""
    log_t = np.log(t)
    for _ in range(4):
        s = np.exp(log_t)[:, None] / tau
        part = np.exp(-s) * b
        part /= part.sum(axis=1, keepdims=True)
        mean, square = (part * s).sum(axis=1), (part * s**2).sum(axis=1)
        bend = square - mean**2 - mean
        step = np.where(bend > 0, (0.5 - mean) / np.where(bend > 0, bend, 1), 0)
        step[:2] = 0
        log_t = log_t - np.clip(step, -0.1, 0.1)
    return np.exp(log_t)


def solve(t, tau, gain, exact, follow=False):
    """tau and b that have the least V with sqrt(e t) K(t) >= 1 at the ages t, from a start.

    follow : at the ``minima`` next to t, which move with tau and b (by the envelope theorem their slopes are those of fixed ages)
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp, softmax

    m = len(tau)

    def parts(z):
        """Ages over tau and the logarithm of every level's part of sqrt(e t) K(t)."""
        tau = np.exp(z[:m])
        at = minima(t, tau, np.exp(z[m:])) if follow else t
        return at[:, None] / tau, 0.5 * (1 + np.log(at[:, None])) - at[:, None] / tau + z[m:]

    def objective(z):
        V, by_tau, by_gain = energy(np.exp(z[:m]), np.exp(z[m:]))
        return np.log(V), np.concatenate([by_tau, by_gain]) / V

    def constraint(z):
        return logsumexp(parts(z)[1], axis=1)

    def slopes(z):
        ages, terms = parts(z)
        terms = softmax(terms, axis=1)
        return np.concatenate([terms * ages, terms], axis=1)

    start = np.log(np.concatenate([tau, gain]))
    start[m:] -= constraint(start).min()
    limits = [(np.log(1e-3), np.log(1e3 * t.max()))] * m + [(-60, 60)] * m
    done = minimize(
        objective, start, jac=True, bounds=limits, constraints={"type": "ineq", "fun": constraint, "jac": slopes}, method="SLSQP",
        options={"maxiter": 500, "ftol": exact},
    )  # fmt: skip
    z = done.x
    z[m:] -= constraint(z).min()
    return np.exp(z[:m]), np.exp(z[m:])


def bound(R, memory, share) -> float:
    """What no bank exceeds, by the certificate of ``memory``: mu from its own first-order conditions (non-negative least squares)."""
    from scipy.optimize import nnls

    V, b = 1 / share, memory.gain / np.sqrt(share * memory.energy())  # scaled: least sqrt(e t) K = 1
    t, a = np.geomspace(1, R, 20 * AGES), 1 / memory.tau
    tight = np.sqrt(np.e * t) * (np.exp(-np.outer(t, a)) @ b)
    near = t[(tight < 1 + 1e-4)]
    sums = np.add.outer(a, a)
    rows = np.concatenate([np.exp(-np.outer(a, near)), near * np.exp(-np.outer(a, near))]) * np.sqrt(np.e * near)
    wanted = np.concatenate([2 * (1 / sums) @ b, 2 * (1 / sums**2) @ b])
    mu, _ = nnls(rows / wanted[:, None], np.ones(len(wanted)), maxiter=100 * len(near))
    rates = np.geomspace(1e-4 / R, 1e3, RATES)
    over = np.exp(-np.outer(rates, near)) @ (mu * np.sqrt(np.e * near)) / (2 * (1 / np.add.outer(rates, a)) @ b)
    total = mu.sum() / max(over.max(), 1e-300)
    return float(1 / (total - V)) if total > V else np.inf


def by_gains(tau, R) -> float:
    """phi of the best gains for given time constants and ages 1 to R: a convex problem, min b M b with sqrt(e t) K(t) >= 1, b >= 0.

    With M = L L^T and y = L^T b it asks for the point nearest to 0 in a polyhedron: least distance programming, by non-negative least squares
    (Lawson & Hanson 1974, chapter 23).
    """
    from scipy.linalg import solve_triangular
    from scipy.optimize import nnls

    t, M = np.geomspace(1, R, AGES), np.outer(tau, tau) / np.add.outer(tau, tau)
    scale = np.sqrt(np.diag(M))
    L = np.linalg.cholesky(M / np.outer(scale, scale))
    G = np.concatenate([np.sqrt(np.e * t)[:, None] * np.exp(-t[:, None] / tau), np.eye(len(tau))]) / scale
    rows = solve_triangular(L, G.T, lower=True).T
    wanted = np.concatenate([np.ones(len(t)), np.zeros(len(tau))])
    E = np.concatenate([rows.T, wanted[None]])
    u, _ = nnls(E, np.append(np.zeros(len(tau)), 1.0), maxiter=20 * len(t))
    residual = E @ u - np.append(np.zeros(len(tau)), 1.0)
    y = -residual[:-1] / residual[-1]
    gain = solve_triangular(L.T, y) / scale
    return phi(bank(tau, np.maximum(gain, 1e-12 * gain.max())), 1.0, R)
