"""Spike counts from the membrane's density, against Siegert's rate, renewal theory and plain simulated neurons.

The simulations have fixed seeds. Each figure is held to 4.5 standard errors of the simulation (false alarm 7e-6 each, 32 of
them: 2e-4 for a new seed) plus 1 % of bias of the voltage cells: with cells a quarter as wide the density's rates rise by
0.1 to 0.7 % from 2 to 100 Hz.
"""

import numpy as np
import pytest

import fwbio
from fwbio.density import count_moments, transition
from fwbio.siegert import inverse, siegert

LIF = fwbio.load("retrieval", neuron="lif")
VALUES, DT = LIF.neuron.values, LIF.dt
MEMBRANE = {k: VALUES[k] for k in ("tau_m", "sigma", "V_th", "V_r", "t_ref")}
CELLS = 0.01


def drive(*rates, values=VALUES):
    return inverse(np.array(rates, dtype=float), values, DT)


# --- stationary ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [2, 5, 10, 20, 50, 100])
def test_stationary_rate_is_siegerts(rate):
    # begun in its stationary state a renewal process has mean count rate x time; both are approximations of order dt/tau_m = 4 %
    mu = drive(rate)
    mean, _ = count_moments(mu, mu, 1250, 0, dt=DT, most=24 + rate // 4, **MEMBRANE)
    assert mean[0, 0] / 0.25 == pytest.approx(rate, rel=0.015)


def test_half_the_time_step_is_nearer_to_continuous_time():
    mu = inverse(np.array([10.0]), VALUES, 0.0)
    losses = [1 - count_moments(mu, mu, round(0.2 / dt), 0, dt=dt, **MEMBRANE)[0][0, 0] / 2 for dt in (4e-4, 2e-4, 1e-4)]
    assert losses[0] > losses[1] > losses[2] > 0.02  # the square root of dt: still 4 % at 0.1 ms


def test_rare_spikes_are_poisson_and_frequent_ones_regular():
    # renewal theory: Var/E -> CV^2 over long windows; escape far below threshold has CV 1, a strong drive with a dead time CV << 1
    rare, frequent = (
        count_moments(mu, mu, 500, 0, dt=DT, most=50, **MEMBRANE) for mu in (drive(0.5), drive(200))
    )  # 20 interspike times of the faster
    assert rare[1][0, 0] / rare[0][0, 0] == pytest.approx(1, abs=0.03)
    assert frequent[1][0, 0] / frequent[0][0, 0] < 0.3


def test_the_first_moment_of_several_drives_is_each_ones_own():
    before, now = drive(0.2, 20), drive(5, 20, 60)
    together = count_moments(before, now, 200, 50, dt=DT, **MEMBRANE)
    for i in range(2):
        for k in range(3):
            alone = count_moments(before[i : i + 1], now[k : k + 1], 200, 50, dt=DT, **MEMBRANE)
            np.testing.assert_allclose([m[i, k] for m in together], [m[0, 0] for m in alone], rtol=5e-3)  # other lower end of the cells


# --- against simulated neurons -------------------------------------------------------------------------------------------


def simulate(mu_before, mu_now, steps, skip, neurons, seed, settle=1000, *, tau_m, sigma, V_th, V_r, t_ref):
    """Spike counts of Euler neurons, (neurons,). As in Brian2 one that spikes at step k is updated again at step k + t_ref/dt."""
    rng, a = np.random.default_rng(seed), DT / tau_m
    V, held, counts = np.full(neurons, V_r), np.zeros(neurons, int), np.zeros(neurons, int)
    for step in range(-settle, steps):
        mu = mu_before if step < 0 else mu_now
        held -= 1
        free = held < 1
        V += free * (a * (mu - V) + sigma * np.sqrt(a) * rng.standard_normal(neurons))
        fired = free & (V > V_th)
        V[fired], held[fired] = V_r, max(round(t_ref / DT), 1)
        if step >= skip:
            counts += fired
    return counts


def agrees(counts, mean, variance):
    """Mean and variance of simulated counts are within 4.5 standard errors and 1 % of the predicted ones."""
    off = counts - counts.mean()
    se = (counts.var() / len(counts)) ** 0.5, ((np.mean(off**4) - counts.var() ** 2) / len(counts)) ** 0.5
    assert abs(counts.mean() - mean) < 4.5 * se[0] + CELLS * mean
    assert abs(counts.var() - variance) < 4.5 * se[1] + 2 * CELLS * variance


WINDOWS = {"whole phase": (250, 0), "settled": (250, 50), "first 10 ms": (50, 0)}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("before, now", [(0.2, 40), (100, 5), (20, 20), (2, 150)])
def test_counts_of_simulated_neurons(before, now, window):
    # 10,000 neurons: a mean of 1 is known to 1 %
    mu, (steps, skip) = drive(before, now), WINDOWS[window]
    mean, variance = count_moments(mu[:1], mu[1:], steps, skip, dt=DT, **MEMBRANE)
    agrees(simulate(*mu, steps, skip, 10_000, seed=21, **MEMBRANE), mean[0, 0], variance[0, 0])


def test_there_is_a_transient():
    # the case is not empty: from rest the first 10 ms bring less than the stationary rate, from 100 Hz the held ones delay it
    mu = drive(0.2, 40)
    first = count_moments(mu, mu[1:], 50, 0, dt=DT, **MEMBRANE)[0][:, 0]
    assert first[0] < 0.8 * first[1] == pytest.approx(0.8 * 0.4, rel=0.02)


# --- membranes other than the card's -------------------------------------------------------------------------------------

OTHERS = {
    "little noise": dict(sigma=5e-4),  # a step's noise is narrower than 0.02 V_th: the cells must shrink with it
    "no refractory time": dict(t_ref=0.0),
    "one dead step": dict(t_ref=DT),
    "deep reset": dict(V_r=-0.01),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_membranes(name):
    membrane = {**MEMBRANE, **OTHERS[name]}
    mu = drive(30, 60, values={**VALUES, **membrane})
    mean, variance = count_moments(mu[:1], mu[1:], 250, 0, dt=DT, **membrane)
    agrees(simulate(*mu, 250, 0, 10_000, seed=22, **membrane), mean[0, 0], variance[0, 0])
    assert siegert(mu[1], **membrane, dt=DT) == pytest.approx(60, rel=1e-3)


def test_strong_drive_alone():
    # both drives far above threshold: the cells must still reach below the reset
    mu = drive(200)
    mean, _ = count_moments(mu, mu, 500, 0, dt=DT, most=50, **MEMBRANE)
    assert mean[0, 0] / 0.1 == pytest.approx(200, rel=0.02)


# --- the step ------------------------------------------------------------------------------------------------------------


def test_a_step_moves_mean_and_variance_as_eulers():
    # far from both ends: mean V + leak (mu - V); variance noise^2 + width^2/12, the cell's own spread
    width, noise, leak, mu = 0.1, 1.0, 0.02, 3.0
    V = np.arange(-20, 20, width)
    P = transition(V, mu, width, noise, leak)
    i = len(V) // 2
    mean = P[i] @ V
    assert P[i].sum() == pytest.approx(1, abs=1e-12)
    assert mean == pytest.approx(V[i] + leak * (mu - V[i]), abs=1e-12)
    assert P[i] @ (V - mean) ** 2 == pytest.approx(noise**2 + width**2 / 12, rel=1e-9)


def test_what_is_lost_has_crossed_the_threshold():
    from scipy.stats import norm

    V = np.arange(-20, 20, 0.1)
    P = transition(V, 0.0, 0.1, 1.0, 0.0)
    np.testing.assert_allclose(1 - P.sum(axis=1), norm.sf(V[-1] + 0.05 - V, scale=1.0), atol=1e-14)
    assert (P >= 0).all() and P[0].sum() == pytest.approx(1, abs=1e-12)  # nothing leaves below
