"""Levels that can take few values: exact memory curves of integer variables with hard bounds and stochastic rounding.

A synapse holds m variables x_k of n_k values -(n_k - 1)/2 ... (n_k - 1)/2. At every write v = +-1, in units of each variable's step,

    x' = round(clip(x + M x + write v)),        W = read . x

round : up with the fractional part as its probability, each variable by itself; clip : to the bounds. A bank has a diagonal M (-1/tau_j)
and writes into every variable; a chain has a tridiagonal M, is written and read at its first variable only. Synapses are independent, so
the memory curve is that of one of them, a finite Markov chain with T = (T_+ + T_-)/2 and stationary distribution pi. Age t in writes:

    s(t) = corr(W, v of t writes ago)^2 = [pi (T_+ - T_-)/2 T^t W]^2/Var_pi(W),      SNR^2 = N s(t)  as without bounds (r = 1 a write)
"""

import numpy as np


def transitions(M, write, n):
    """(states (S, m), T_+, T_-), sparse (S, S): from row to column. M : (m, m); write : (m,); n : values of each variable."""
    from scipy.sparse import csr_array

    M, write, n = np.asarray(M, float), np.asarray(write, float), np.asarray(n)
    top = n - 1
    index = np.indices(n).reshape(len(n), -1).T
    x = index - top / 2
    strides = np.append(np.cumprod(n[::-1])[-2::-1], 1).astype(int)
    found = []
    for v in (1, -1):
        target = np.clip(x + x @ M.T + v * write + top / 2, 0, top)
        low = np.minimum(target.astype(int), np.maximum(top - 1, 0))
        up = target - low
        rows, columns, values = [], [], []
        for corner in np.ndindex(*(2,) * len(n)):
            corner = np.array(corner)
            chance = np.where(corner, up, 1 - up).prod(axis=1)
            kept = chance > 0
            rows.append(np.flatnonzero(kept))
            columns.append(((low + corner) @ strides)[kept])
            values.append(chance[kept])
        where = (np.concatenate(rows), np.concatenate(columns))
        found.append(csr_array((np.concatenate(values), where), shape=(len(x), len(x))))
    return x, *found


def stationary(T) -> np.ndarray:
    """The distribution that T leaves alone, (S,)."""
    from scipy.sparse.linalg import eigs

    if T.shape[0] > 100:
        pi = eigs(T.T.tocsr(), k=1, v0=np.ones(T.shape[0]), tol=1e-13)[1][:, 0].real
        return pi / pi.sum()
    balance = T.toarray().T - np.eye(T.shape[0])
    balance[-1] = 1.0  # sums to 1
    return np.linalg.solve(balance, np.append(np.zeros(T.shape[0] - 1), 1.0))


def curve(M, write, read, n, longest: int) -> np.ndarray:
    """s at ages 0, 1, ... ``longest`` writes."""
    x, plus, minus = transitions(M, write, n)
    T = ((plus + minus) / 2).T.tocsr()
    pi, W = stationary(T.T), x @ np.asarray(read, float)
    moved = (plus - minus).T @ pi / 2
    signal = np.empty(longest + 1)
    for t in range(longest + 1):
        signal[t] = moved @ W
        moved = T @ moved
    return signal**2 / (pi @ W**2 - (pi @ W) ** 2)
