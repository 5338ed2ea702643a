"""Levels with few values: does it matter then whether levels stand side by side or hand on to one another?

With real numbers a chain and a bank remember alike. Here a synapse has P values in all, shared equally among m variables, hard bounds
and stochastic rounding (fwbio/levels/states.py, exact: no sampling). The guarantee for ages from 1 to 1000 writes is made as large
as Nelder and Mead's search makes it, with as many free numbers for either (3 m - 1), from two starts: the best bank for real numbers and
the chain that is the same, with steps such that a bound is 1.5 or 3 standard deviations away. Values found are lower bounds of what is
possible. Writes results/bounded_levels (about 20 minutes on one core).

    python simulations/bounded_levels.py
"""

import json
import math
from pathlib import Path

import numpy as np
from scipy.linalg import solve_continuous_lyapunov
from scipy.optimize import minimize

from fwbio import results
from fwbio.levels.bank import bank as level_bank
from fwbio.levels.guarantee import best
from fwbio.levels.states import curve

LONGEST = 1000  # writes
SIZES = {16: (1, 2, 3, 4), 32: (1, 2, 3, 4), 64: (1, 2, 3)}  # P: numbers of levels
BOUNDS, TRIES = (1.5, 3.0), 150  # standard deviations; steps of the search a free number
OUT = Path("results/bounded_levels")


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
    found, m, edge = level_bank(levels.tau, levels.gain).to_chain(), len(levels.tau), (np.array(n) - 1) / 2
    C, g, tau, b = found.C, found.g, levels.tau, levels.gain
    L = np.diag(g + np.append(0, g[:-1])) - np.diag(g[:-1], 1) - np.diag(g[:-1], -1)
    spread = np.sqrt(np.diag(solve_continuous_lyapunov(L / C[:, None], np.diag(np.eye(m)[0]) / C[0] ** 2)))
    q = bound * spread / edge
    as_chain = np.log(np.concatenate([g / C, g[:-1] / C[1:], q[1:] / q[:-1], [1 / C[0] / q[0]]]))
    q = bound * b * np.sqrt(tau / 2) / edge
    return {"chain": as_chain, "bank": np.log(np.concatenate([1 / tau, b / q, q[1:] / q[:-1]]))}


def search(kind, levels, n):
    """The best guarantee found: (value, M, write, read)."""
    m, make, ages = len(n), {"chain": chain, "bank": bank}[kind], np.arange(1, LONGEST + 1)

    def loss(z):
        M, write, read = make(np.clip(z, -12, 4), m)
        if np.diag(M).min() < -1:
            return 50.0
        return -math.log(max((math.e * ages * curve(M, write, read, n, LONGEST)[1:]).min(), 1e-20))

    ends = []
    for bound in BOUNDS:
        z = starts(levels, n, bound)[kind]
        for _ in range(2):  # again from where it got stuck
            z = minimize(loss, z, method="Nelder-Mead", options={"maxfev": TRIES * len(z) // 2, "xatol": 1e-3, "fatol": 1e-4}).x
        ends.append((loss(z), z))
    value, z = min(ends, key=lambda end: end[0])
    return math.exp(-value), *make(np.clip(z, -12, 4), m)


def main() -> None:
    levels = [best(float(LONGEST), m) for m in (1, 2, 3, 4)]  # a write a second
    rows = [{"kind": "real numbers", "m": k, "guarantee": found.phi} for k, found in enumerate(levels, 1)]
    for P, numbers in SIZES.items():
        for m in numbers:
            n = [(P + k) // m for k in range(m)]
            for kind in ("chain", "bank")[: min(m, 2)]:
                value, M, write, read = search(kind, levels[m - 1], n)
                rows.append({"P": P, "m": m, "kind": kind, "n": n, "guarantee": value})
                rows[-1] |= {"M": M.tolist(), "write": write.tolist(), "read": read.tolist()}
                print(f"P = {P}, {m} levels of {n} values, {kind}: guarantee {value:.5f}", flush=True)
                with results.publishing(OUT) as scratch:  # after each, so that what is there can be looked at
                    (scratch / "run.json").write_text(json.dumps({"longest": LONGEST, **results.provenance(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
