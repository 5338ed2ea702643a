"""How long the calcium of Poisson spike trains stays above a threshold: the stationary density of shot noise, no simulation.

c jumps by c_1 at rate r_1 and by c_2 at rate r_2 and decays with tau. In equilibrium what flows down through a level x by decay flows
up through it by jumps (Gilbert & Pollak, Bell Syst Tech J 39 (1960) 333; Graupner & Brunel, PNAS 109 (2012) 3991, SI):

    x P(x)/tau = sum_k r_k [F(x) - F(x - c_k)],    P = dF/dx

Below the smallest jump F(x) is proportional to x^(nu - 1) x, nu = tau (r_1 + r_2): that starts the integration upwards. For nu < 1
P is infinite at 0, so the equation is solved for G = F/x^nu, which is flat there:  G' = -x^(-nu - 1) tau sum_k r_k F(x - c_k).
"""

import numpy as np

STEPS = 400  # a jump of the smaller kind


def above(theta, tau, c_1, r_1, c_2, r_2):
    """The share of time that c > theta, for rates r_1, r_2 in Hz (numbers or arrays that fit each other); tau in s."""
    rates = np.broadcast_arrays(np.asarray(r_1, float), np.asarray(r_2, float))
    pairs, place = np.unique(np.stack([r.ravel() for r in rates]), axis=1, return_inverse=True)
    found = np.array([share_above(theta, tau, [(c_1, a), (c_2, b)]) for a, b in pairs.T])
    return found[np.ravel(place)].reshape(rates[0].shape)


def share_above(theta, tau, jumps) -> float:
    """The same for one set of jumps (size, rate)."""
    jumps = [(size, rate * tau) for size, rate in jumps if rate * size > 0]
    nu = sum(rate for _, rate in jumps)
    if nu == 0:
        return 0.0
    smallest = min(size for size, _ in jumps)
    mean, spread = (sum(rate * size**k for size, rate in jumps) for k in (1, 2))
    top = max(theta, mean + 12 * np.sqrt(spread / 2)) + 6 * max(size for size, _ in jumps)
    dx = smallest / STEPS
    x = dx * np.arange(1, int(np.ceil(top / dx)) + 1)
    F = distribution(x, dx, jumps, nu, smallest)
    return float(1 - np.interp(theta, x, F) / F[-1])


def distribution(x, dx, jumps, nu, smallest):
    """F at the levels x up to a factor. A block no wider than the smallest jump needs only F of earlier blocks."""
    log_x, F = np.log(x / x[-1]), np.zeros(len(x))
    G, last, start = 1.0, 0.0, 0  # last : the slope where the block before ended
    while start < len(x):
        own = slice(start, min(start + STEPS, len(x)))
        back = sum(rate * shifted(F, x[own] - size, dx, nu, own.start) for size, rate in jumps)
        slope = back * np.exp(-nu * log_x[own]) / x[own]
        fall = np.cumsum((slope + np.concatenate([[last], slope[:-1]])) / 2 * dx)
        F[own] = (G - fall) * np.exp(nu * log_x[own])
        G, last, start = G - fall[-1], slope[-1], own.stop
    return F


def shifted(F, at, dx, nu, known):
    """F at the levels ``at`` (0 below 0), between its nodes linear, below the first one as x^nu."""
    place = at / dx
    inner = np.interp(place, np.arange(1, known + 1), F[:known]) if known else np.zeros(len(at))
    near = F[0] * np.maximum(place, 0.0) ** nu if known else np.zeros(len(at))
    return np.where(place <= 0, 0.0, np.where(place < 1, near, inner))
