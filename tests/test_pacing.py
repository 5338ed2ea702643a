"""The theta/gamma clock: window means against quadrature and brute force, and the promise that a token is lambda A + eta h h^T."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

import fwbio
from fwbio.pacing import gate, mean_decay

CARD = fwbio.load("retrieval")
LIF = fwbio.load("retrieval", neuron="lif")  # has a settle time and another dt


def paced(network, inner, token=0.12, dt=1e-3, tau=None):
    """The shipped network with another clock; ``tau`` of the fast weights in s."""
    fast = network.projections["fast"]
    values = {**fast.synapse.values, "tau": tau or fast.synapse.values["tau"]}
    projections = {**network.projections, "fast": replace(fast, synapse=replace(fast.synapse, values=values))}
    return replace(network, token=token, inner=inner, dt=dt, projections=projections)


# --- the mean of a window ------------------------------------------------------------------------------------------------

WINDOWS = [(0.0, 0.05, 0.95), (0.06, 0.04, 0.1), (-0.03, 0.02, 5.0), (0.0, 1e-3, 100.0)]


@pytest.mark.parametrize("start, window, tau", WINDOWS)
def test_continuous_mean_is_an_integral(start, window, tau):
    wanted = quad(lambda t: np.exp(-t / tau), start, start + window, epsabs=0, epsrel=1e-13)[0] / window
    assert mean_decay(start, window, tau, 0.0) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("start, window, tau", WINDOWS)
def test_discrete_mean_is_a_sum_over_steps(start, window, tau):
    dt, steps = window / 40, 40  # a spike can fall at start, ..., start + 39 dt, not at the window's end
    assert mean_decay(start, window, tau, dt) == pytest.approx(
        sum(np.exp(-(start + k * dt) / tau) for k in range(steps)) / steps, rel=1e-13
    )


def test_discrete_becomes_continuous():
    # left Riemann sum: relative error (window/tau)/2 per step, so ten times as many steps are ten times as near (first order: 10 +- 0.1)
    start, window, tau = 0.0, 0.05, 0.1
    exact = mean_decay(start, window, tau, 0.0)
    errors = [mean_decay(start, window, tau, window / steps) - exact for steps in (100, 1000)]
    assert errors[0] / errors[1] == pytest.approx(10, abs=0.1)


def test_no_decay_no_correction():
    assert mean_decay(0.3, 0.05, np.inf, 1e-3) == mean_decay(0.3, 0.05, np.inf, 0.0) == 1.0


# --- which phase does what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", [CARD, LIF], ids=["poisson", "lif"])
@pytest.mark.parametrize("inner", [0, 1, 2, 3])
def test_phases(network, inner):
    network = paced(network, inner)
    slow, fast = (gate(network, network.projections[name]) for name in ("slow", "fast"))
    last = np.arange(inner + 1) == inner
    np.testing.assert_array_equal(slow.read > 0, last)
    np.testing.assert_array_equal(fast.read > 0, ~last)
    np.testing.assert_array_equal(fast.write > 0, last)
    assert not slow.write.any()
    assert slow.read[-1] == pytest.approx(1 / (0.12 / (inner + 1) - network.settle), rel=1e-12)  # a slow weight needs no correction


@pytest.mark.parametrize("lam_or_tau, product", [(dict(tau=-0.12 / np.log(0.9)), 0.949), (dict(tau=0.12), 0.619)])
def test_known_corrections(lam_or_tau, product):
    # S = 1, uncorrected: read and write each shrink by (1 - exp(-T/tau)) tau/T, T = token/2 (science.md, section 4)
    network = paced(CARD, inner=1, **lam_or_tau)
    gains = gate(network, network.projections["fast"])
    shrinks = 1 / (gains.read[0] * network.window * gains.write[1] * network.window)
    x = network.phase / network.tau
    assert shrinks == pytest.approx(product, abs=5e-4)
    assert shrinks == pytest.approx(((1 - np.exp(-x)) / x) ** 2, rel=1e-12)


# --- token to token: lambda A + eta h h ----------------------------------------------------------------------------------


def one_synapse(network, gains, h_pre, h_post, dt, eta):
    """A at the end of each token, and what each phase reads: every spike train replaced by its mean, step by step.

    In a step the presynaptic population brings r0 h_pre dt spikes a neuron; each adds write_gain eta h_post/r0 to A and
    read_gain A/r0 to the current. Then A decays for one step.
    """
    A, ends, read = 0.0, [], []
    steps, settle = round(network.phase / dt), round(network.settle / dt)
    for pre, post in zip(h_pre, h_post, strict=True):
        for s in range(network.inner + 1):
            current = 0.0
            for step in range(steps):
                if step >= settle:
                    current += gains.read[s] * A * pre * dt
                    A += gains.write[s] * eta * post * pre * dt
                A *= np.exp(-dt / network.tau)
            read.append(current)
        ends.append(A)
    return np.array(ends), np.array(read).reshape(len(h_pre), -1)


@pytest.mark.parametrize("tau", [0.05, 0.12, 1.139])
@pytest.mark.parametrize("network, dt", [(CARD, 1e-3), (LIF, 2e-4)], ids=["poisson", "lif"])
@pytest.mark.parametrize("inner", [0, 1, 2])
def test_a_token_is_lambda_A_plus_eta_h_h(inner, network, dt, tau):
    # the steps' sums are what the gates divide by: exact but for rounding, 600 steps of 1e-16 each
    network = paced(network, inner, dt=dt, tau=tau)
    h_pre, h_post, eta = np.array([1.5, 0.2, 0.9]), np.array([0.7, 2.0, 1.1]), 0.5
    ends, read = one_synapse(network, gate(network, network.projections["fast"], dt), h_pre, h_post, dt, eta)
    lam = np.exp(-network.token / tau)
    A = [0.0]
    for pre, post in zip(h_pre, h_post, strict=True):
        A.append(lam * A[-1] + eta * post * pre)
    np.testing.assert_allclose(ends, A[1:], rtol=1e-12)
    np.testing.assert_allclose(
        read[:, :inner], np.outer(A[:-1] * h_pre, np.ones(inner)), rtol=1e-12
    )  # every phase reads A h_pre of the token's start
    assert not read[:, inner].any()
