"""Siegert's rate of a leaky integrate-and-fire neuron in white noise, with the correction for a finite time step.

    1/r = t_ref + tau_m sqrt(pi) int_{(V_r - mu)/sigma}^{(V_th - mu)/sigma} exp(u^2) (1 + erf u) du    (Brunel 2000, eq. 21)

for tau_m dV/dt = mu - V + sigma sqrt(tau_m) xi; sigma/sqrt(2) is the s.d. of the free membrane. Simulated by Euler's scheme,
V' = V + (mu - V) a + sigma sqrt(a) N(0, 1) with a = dt/tau_m,

    the free membrane is exactly the same process with tau_m -> -dt/ln(1 - a), sigma^2 -> sigma^2/(1 - a/2), seen every dt;
    it can cross and come back unseen, which acts like a threshold higher by 0.5826 sigma sqrt(dt/tau_m), the mean overshoot
        of a random walk (0.5826 = -zeta(1/2)/sqrt(2 pi)); the reset stays, because the membrane is put exactly there;
    Brian2 releases it one step before t_ref has passed.
"""

import math

import numpy as np

from fwbio.errors import BadInput

OVERSHOOT = 0.5825971579390106
NODES, WEIGHTS = np.polynomial.legendre.leggauss(80)


def siegert(mu, tau_m, sigma, V_th, V_r, t_ref, dt=0.0):
    """Stationary rate in Hz for input ``mu`` (array, V); sigma is a scalar or like mu, all others are scalars, in SI units.

    dt : time step of the simulation in s; 0 gives Siegert's formula for continuous time.
    """
    from scipy.special import erfcx

    mu, sigma = np.asarray(mu, dtype=float)[..., None], np.asarray(sigma, dtype=float)[..., None]
    if dt:
        a = dt / tau_m
        tau_m, sigma = -dt / math.log1p(-a), sigma / math.sqrt(1 - a / 2)
    lift = OVERSHOOT * sigma * math.sqrt(dt / tau_m)
    low, high = (V_r - mu) / sigma, (V_th + lift - mu) / sigma
    u = low + (high - low) * (NODES + 1) / 2
    with np.errstate(over="ignore"):  # exp(u^2)(1 + erf u) = erfcx(-u); infinite far below threshold, where the rate is 0
        integral = (erfcx(-u) * WEIGHTS).sum(axis=-1) * (high - low)[..., 0] / 2
    return 1 / (max(t_ref - dt, 0.0) + tau_m * math.sqrt(math.pi) * integral)


def inverse(rates, values, dt):
    """The input mu in V at which a neuron with the card's ``values`` fires at ``rates`` (array, Hz)."""
    tau_m, sigma, V_th, V_r, t_ref = (values[k] for k in ("tau_m", "sigma", "V_th", "V_r", "t_ref"))
    limit = 1 / (t_ref - dt) if t_ref > dt else np.inf
    if np.max(rates) > 0.9 * limit:
        raise BadInput(
            f"{np.max(rates):g} Hz is asked of a neuron that cannot fire above {limit:g} Hz: stay below {0.9 * limit:g} Hz or shorten t_ref"
        )
    mu = np.linspace(V_th - 8 * sigma, V_th + 8 * sigma, 4001)
    while siegert(mu[-1], tau_m, sigma, V_th, V_r, t_ref, dt) < np.max(rates):
        mu = np.append(mu, mu[-1] + (mu[-1] - V_r) * np.linspace(0.001, 1, 1000))
    curve = siegert(mu, tau_m, sigma, V_th, V_r, t_ref, dt)
    return np.interp(np.log(rates), np.log(np.maximum(curve, 1e-300)), mu)
