"""Two ways to build a memory of m variables a synapse: side by side (a bank), or pushed on from one to the next (a chain).

    bank    dA_j/dt = -A_j/tau_j + v k^T,  W = sum_j b_j A_j                          K = sum_j b_j exp(-t/tau_j)
    chain   C_k du_k/dt = g_(k-1) (u_(k-1) - u_k) - g_k (u_k - u_(k+1)),  u_(m+1) = 0       written and read at u_1   (Benna & Fusi 2016)

They are the same memories. C^-1 L of a chain is similar to a symmetric tridiagonal matrix: its eigenvalues are the 1/tau_j, and the squared first
components of its eigenvectors the gains. Back, Lanczos' iteration on diag(1/tau) from the vector sqrt(b) gives that tridiagonal matrix, and it
gives C and g one after the other. Both ways are exact; numbers of 50 digits (mpmath) keep them so for time constants of any spread.
"""

from dataclasses import dataclass

import numpy as np

from fwbio.errors import BadInput
from fwbio.quantities import quantity

DIGITS, LARGEST = 50, 32  # levels: more than any bank needs


def numbers(values, unit, where) -> np.ndarray:
    """Positive numbers in SI units of a list of quantities, or of one Brian2 array."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise BadInput(f"{where} = {values!r}: give a list, one value a level")
    if not 1 <= len(values) <= LARGEST:
        raise BadInput(f"{where}: {len(values)} levels; 1 to {LARGEST} are possible")
    found = np.array([quantity(value, unit, f"{where}[{k}]") for k, value in enumerate(values)])
    if (found <= 0).any():
        raise BadInput(f"{where} = {found.tolist()}: every value has to be above 0")
    return found


def energy(tau, gain) -> tuple:
    """(V, dV/d ln tau, dV/d ln b): V = integral of K^2 = sum over pairs of b_j b_k tau_j tau_k/(tau_j + tau_k)."""
    sums = np.add.outer(tau, tau)
    half = (np.outer(tau, tau) / sums) @ gain
    return gain @ half, 2 * gain * tau * ((tau[None, :] / sums) ** 2 @ gain), 2 * gain * half


@dataclass(frozen=True)
class LevelBank:
    """m levels side by side. tau : time constants with unit, one a level; gain : b_j > 0, numbers. Kept in s, fastest first.

    Raises BadInput for a bare number where a time belongs, lists of different length, or a value that is not above 0.
    """

    tau: np.ndarray
    gain: np.ndarray

    def __post_init__(self):
        tau, gain = numbers(self.tau, "s", "LevelBank: tau"), numbers(self.gain, "1", "LevelBank: gain")
        if len(tau) != len(gain):
            raise BadInput(f"LevelBank: {len(tau)} time constants and {len(gain)} gains; give one of each a level")
        if len(np.unique(tau)) != len(tau):
            raise BadInput(f"LevelBank: tau = {tau.tolist()}: two levels are the same; add their gains")
        order = np.argsort(tau)
        object.__setattr__(self, "tau", tau[order])
        object.__setattr__(self, "gain", gain[order])

    def __len__(self):
        return len(self.tau)

    def kernel(self, t) -> np.ndarray:
        """K at ages t in s, an array of any shape."""
        return np.exp(-np.asarray(t, float)[..., None] / self.tau) @ self.gain

    def energy(self) -> float:
        """V, the integral of K^2, in s."""
        return float(energy(self.tau, self.gain)[0])

    def to_chain(self) -> "BeakerChain":
        """The one chain of m beakers with this kernel; C_1 = 1 and ``write`` = sum of the gains."""
        from mpmath import matrix, mp, mpf, sqrt

        with mp.workdps(DIGITS):
            m = len(self)
            rates, weights = [1 / mpf(float(t)) for t in self.tau], [mpf(float(b)) for b in self.gain]
            total = sum(weights)
            vectors, alpha, beta = [matrix([sqrt(w / total) for w in weights])], [], []
            for k in range(m):
                v = vectors[k]
                u = matrix([rate * x for rate, x in zip(rates, v)])
                alpha.append((u.T * v)[0])
                for earlier in vectors:  # all of them: nothing is lost
                    u -= (u.T * earlier)[0] * earlier
                beta.append(sqrt((u.T * u)[0]))
                if k < m - 1:
                    vectors.append(u / beta[k])
            C, g, before = [mpf(1)], [], mpf(0)
            for k in range(m):
                g.append(alpha[k] * C[k] - before)
                before = g[k]
                if k < m - 1:
                    C.append(g[k] ** 2 / (beta[k] ** 2 * C[k]))
            return chain([float(c) for c in C], [float(x) for x in g], float(total))


@dataclass(frozen=True)
class BeakerChain:
    """m beakers in a row. C : capacities, numbers; g : conductances in 1/s, g[k] from beaker k to k + 1, the last one into nothing.

    write : how much K(0) one event adds to the first level. Raises BadInput like ``LevelBank``.
    """

    C: np.ndarray
    g: np.ndarray
    write: float = 1.0

    def __post_init__(self):
        C, g = numbers(self.C, "1", "BeakerChain: C"), numbers(self.g, "Hz", "BeakerChain: g")
        if len(C) != len(g):
            raise BadInput(
                f"BeakerChain: {len(C)} capacities and {len(g)} conductances; give one of each a beaker, the last one's leak too"
            )
        object.__setattr__(self, "C", C)
        object.__setattr__(self, "g", g)
        object.__setattr__(self, "write", quantity(self.write, "1", "BeakerChain: write", low=1e-300))

    def __len__(self):
        return len(self.C)

    def flow(self) -> np.ndarray:
        """C^-1 L in 1/s, (m, m): du/dt = -flow u."""
        L = np.diag(self.g + np.concatenate([[0.0], self.g[:-1]])) - np.diag(self.g[:-1], 1) - np.diag(self.g[:-1], -1)
        return L / self.C[:, None]

    def kernel(self, t) -> np.ndarray:
        """K at ages t in s."""
        return self.to_bank().kernel(t)

    def energy(self) -> float:
        """V, the integral of K^2, in s."""
        return self.to_bank().energy()

    def to_bank(self) -> LevelBank:
        """The bank with this kernel: 1/tau_j are the eigenvalues of C^-1 L, gains the squared first components of its eigenvectors."""
        from mpmath import eigsy, matrix, mp, mpf, sqrt

        with mp.workdps(DIGITS):
            m = len(self)
            C, g = [mpf(float(c)) for c in self.C], [mpf(float(x)) for x in self.g]
            S = matrix(m, m)
            for k in range(m):
                S[k, k] = (g[k] + (g[k - 1] if k else 0)) / C[k]
                if k < m - 1:
                    S[k, k + 1] = S[k + 1, k] = -g[k] / sqrt(C[k] * C[k + 1])
            rates, Q = eigsy(S)
            return bank([float(1 / rate) for rate in rates], [float(self.write * Q[0, j] ** 2) for j in range(m)])


def bank(tau, gain) -> LevelBank:
    """A LevelBank of plain numbers, tau in s."""
    return LevelBank([f"{float(t)!r} s" for t in tau], [float(b) for b in gain])


def chain(C, g, write=1.0) -> BeakerChain:
    """A BeakerChain of plain numbers, g in 1/s."""
    return BeakerChain([float(c) for c in C], [f"{float(x)!r} Hz" for x in g], float(write))
