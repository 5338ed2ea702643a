"""What no bank of fixed levels can do better than, and what one validity costs.

Any bank of fixed levels, of whatever time constants and gains, Hebbian or by the delta rule, predicts with a linear combination of what was shown, whose
weights do not depend on the values (orthogonal keys). So its mean squared error is at least that of the best linear estimator,

    1 - k^T (R + sigma^2 I)^-1 k,    k_i = P(unchanged since presentation i),  R_ij = P(unchanged between i and j)              [proved]

averaged over Poisson histories of presentations.
"""

import numpy as np


def linear_bank_bound(world, histories: int = 200, seed: int = 0) -> tuple[float, float]:
    """(the least mean squared error of any bank of fixed levels in a ``SwitchingWorld`` of one item, its standard error over drawn histories)."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(histories):
        age = np.sort(rng.uniform(0, world.longest, rng.poisson(world.rate * world.longest)))
        if not len(age):
            found.append(1.0)
            continue
        k, R = world.unchanged(age), world.unchanged(age[:, None] - age)
        found.append(1 - k @ np.linalg.solve(R + world.sigma**2 * np.eye(len(age)), k))
    return float(np.mean(found)), float(np.std(found, ddof=1) / histories**0.5)


def segment_cost(n: int, sigma: float, eta: float | None = None, jump: float = 2.0) -> float:
    """Summed squared error per output over one validity of n presentations after a jump of mean square ``jump`` (2 for values +-1).

    eta : of a fixed gain; None: of an adaptive slot with ideal detection. [proved]

        fixed     jump (1 - (1 - eta)^2n)/(eta (2 - eta)) + n sigma^2 eta/(2 - eta)
        adaptive  jump + sigma^2 H_(n-1)
    """
    if eta is None:
        return float(jump + sigma**2 * np.sum(1 / np.arange(1, n)))
    return float(jump * (1 - (1 - eta) ** (2 * n)) / (eta * (2 - eta)) + n * sigma**2 * eta / (2 - eta))


def best_fixed_cost(n: int, sigma: float, jump: float = 2.0) -> float:
    """The least of ``segment_cost`` over eta: a fixed gain that knows n."""
    from scipy.optimize import minimize_scalar

    return float(minimize_scalar(lambda eta: segment_cost(n, sigma, eta, jump), bounds=(1e-4, 1), method="bounded").fun)
