"""Predicted spike noise against variances that can be written down, and against spikes drawn one by one.

Sample variances of N = 20,000 trials have a relative standard error of sqrt(2/N) = 1 % (Gaussian; 1.3 % for the products
below). They are held to 6 %, that is 4.5 standard errors or more (false alarm below 7e-6 each, some 60 of them).
"""

from dataclasses import replace

import numpy as np
import pytest

import fwbio
from fwbio import noise, tasks
from fwbio.describe import discrete

TRIALS, CLOSE = 20_000, 0.06


def linear(network, W, phi="relu(u)"):
    """The network with ``W``, no normalisation: h_0 = relu(W h + x)."""
    projections = {**network.projections, "slow": replace(network.projections["slow"], weight=np.asarray(W, dtype=float))}
    return replace(network, projections=projections, norm=None, norm_first=None, units=len(W), phi=phi)


def same_input(*tokens):
    return np.broadcast_to(np.array(tokens, dtype=float), (TRIALS, len(tokens), len(tokens[0])))


# --- slow weights --------------------------------------------------------------------------------------------------------

X1, X2 = np.array([0.5, 1.0, 3.0]), np.array([20.0, 30.0, 25.0])
SLOW = np.array([[0.5, -1.0, 0.3], [0.0, 0.2, 1.0], [1.5, 0.0, -0.4]])


def of_one_neuron(network, h):
    """Variance of N/mu for one Poisson neuron, at most one spike in each of ``window/dt`` steps: h (1 - r0 h dt)/mu."""
    return h * (1 - network.r0 * h * network.dt) / (network.r0 * network.window)


@pytest.mark.parametrize("neurons, r0", [(25, "20 Hz"), (400, "20 Hz"), (100, "5 Hz")])
def test_noise_of_a_rate_goes_through_one_step(neurons, r0):
    network = linear(fwbio.load("retrieval", fast=False, neurons=neurons, set={"r0": r0}), SLOW)
    found = noise.predict(network, same_input(X1, X2), seed=51)
    np.testing.assert_array_equal(found.h[:, 0], same_input(X1)[:, 0])  # nothing has fired yet
    variance = of_one_neuron(network, X1) / neurons
    np.testing.assert_allclose(found.seen[:, 0].var(axis=0), variance, rtol=CLOSE)
    # x2 keeps every unit above 0, so that h(2) = W h^(1) + x2
    np.testing.assert_allclose(found.h[:, 1].mean(axis=0), SLOW @ X1 + X2, atol=4.5 * (SLOW**2 @ variance / TRIALS).max() ** 0.5)
    np.testing.assert_allclose(found.h[:, 1].var(axis=0), SLOW**2 @ variance, rtol=CLOSE)
    assert found.h[:, 1].min() > 0


# --- fast weights --------------------------------------------------------------------------------------------------------

Y1, Y2 = np.array([0.5, 1.0, 3.0]), np.array([2.0, 0.2, 1.0])


def fast_only(neurons, r0, **other):
    return linear(fwbio.load("retrieval", neurons=neurons, set={"r0": r0, **other}), np.zeros((3, 3)))


@pytest.mark.parametrize("neurons, r0", [(100, "20 Hz"), (400, "5 Hz"), (400, "2 Hz")])
def test_noise_of_a_score_has_a_term_of_its_own_axons(neurons, r0):
    # One neuron's two counts are independent, with means h1, h2 and variances V1, V2 (in units of mu): the score, the mean of n
    # products summed over units, has variance sum (V1 V2 + V1 h2^2 + V2 h1^2)/n. The Gaussian form adds V1 V2/n^2, at most 1 % of that.
    # At 2 Hz, 400 neurons the first term is three quarters of the whole; the score stays 4 s.d. above what would shut a unit
    network = fast_only(neurons, r0)
    eta = network.projections["fast"].synapse.values["eta"]
    h2 = noise.predict(network, same_input(Y1, Y2), seed=52).h[:, 1]
    V1, V2 = of_one_neuron(network, Y1), of_one_neuron(network, Y2)
    score_variance = np.sum(V1 * V2 + V1 * Y2**2 + V2 * Y1**2) / neurons
    np.testing.assert_allclose(((h2 - Y2) / (eta * Y1)).var(axis=0), score_variance, rtol=CLOSE)
    np.testing.assert_allclose(((h2 - Y2) / (eta * Y1)).mean(axis=0), Y1 @ Y2, atol=4.5 * (score_variance / TRIALS) ** 0.5)


def test_the_same_from_spikes_drawn_one_by_one():
    # counts of every neuron from the binomial law, weights per axon: A_i,jb = eta h_i(1) N_jb(1)/mu, read by the same axon's N_jb(2)
    network, n = fast_only(20, "10 Hz"), 20
    rng, mu, steps = np.random.default_rng(53), network.r0 * network.window, round(network.window / network.dt)
    first, second = (rng.binomial(steps, network.r0 * h * network.dt, size=(TRIALS, n, 3)) / mu for h in (Y1, Y2))
    counted = Y2 + 0.5 * Y1 * (first * second).sum(axis=2).mean(axis=1)[:, None]
    predicted = noise.predict(network, same_input(Y1, Y2), seed=53).h[:, 1]
    np.testing.assert_allclose(predicted.mean(axis=0), counted.mean(axis=0), rtol=0.02)
    np.testing.assert_allclose(predicted.var(axis=0), counted.var(axis=0), rtol=2**0.5 * CLOSE + 1 / n)  # two samples, and V1 V2/n^2


def test_older_tokens_have_decayed():
    # Y1 is written, two silent tokens pass, Y2 reads: lambda^2 of the score; lambda^0 were it read at once
    network = fast_only(400, "20 Hz")
    silent = -np.ones(3)
    late = noise.predict(network, same_input(Y1, silent, silent, Y2), seed=54).h[:, 3] - Y2
    np.testing.assert_allclose(late.mean(axis=0), 0.5 * network.lam**2 * Y1 * (Y1 @ Y2), rtol=0.01)


def test_weights_of_the_noisy_network():
    # eq. 3 with the counts in the place of h_pre: A(2)_ij = eta (lambda h_i(1) h^_j(1) + h_i(2) h^_j(2))
    network = fast_only(50, "20 Hz")
    found = noise.predict(network, same_input(Y1, Y2), seed=55)
    A = noise.weights(network, found, slice(3, 6))
    h, seen = found.h[3:6], found.seen[3:6]
    wanted = 0.5 * (network.lam * np.einsum("ni,nj->nij", h[:, 0], seen[:, 0]) + np.einsum("ni,nj->nij", h[:, 1], seen[:, 1]))
    np.testing.assert_allclose(A[:, 1], wanted, rtol=1e-12)
    assert np.abs(A[:, 1] - A[:, 1].transpose(0, 2, 1)).max() > 0.01  # post is the drive, pre the count


# --- the trained network -------------------------------------------------------------------------------------------------

X = tasks.retrieval(4, 100, seed=56).x(fwbio.load("retrieval"))


def error(neurons, r0="20 Hz"):
    network = fwbio.load("retrieval", neurons=neurons, set={"r0": r0})
    reference = discrete(network, X, keep=0).h
    return np.sqrt(np.mean((noise.predict(network, X, seed=57).h - reference) ** 2)) / reference.std()


def test_error_falls_as_the_root_of_the_number_of_neurons():
    # many neurons, small noise, linear response: slope -0.5; 100 trials x 11 tokens x 50 units tell each error to some 2 %, the slope to 0.01
    n = np.array([400, 1600, 6400, 25600])
    slope = np.polyfit(np.log(n), np.log([error(k) for k in n]), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.05)


def test_neurons_and_spikes_enter_separately():
    # n mu = 400 three times: fewer spikes of more neurons cost the term 1/(n mu^2) of science.md
    errors = [error(400, "20 Hz"), error(1600, "5 Hz"), error(8000, "1 Hz")]
    assert errors[0] * 1.1 < errors[1] < errors[1] * 1.3 < errors[2]


def test_no_noise_no_error():
    network = fwbio.load("retrieval", neurons=10**9)
    np.testing.assert_allclose(noise.predict(network, X[:10], seed=58).h, discrete(network, X[:10]).h, atol=0.01)


def test_a_seed_is_a_pass():
    network = fwbio.load("retrieval")
    one, again, other = (noise.predict(network, X[:5], seed).h for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.01


# --- neurons whose counts are tabulated ----------------------------------------------------------------------------------


def test_tabulated_counts_of_lif_neurons():
    # stationary before and now: the mean is h (Siegert, cells: 1.5 %) and the count is more regular than Poisson's h/mu
    network = fwbio.load("retrieval", neuron="lif")
    h = np.array([0.5, 1.0, 2.0, 4.0])
    mean, variance = noise.counts(network)(h, h)
    np.testing.assert_allclose(mean, h, rtol=0.015)
    ratio = variance / (h / (network.r0 * network.window))
    assert (np.diff(ratio) < 0).all() and 0.3 < ratio[-1] < ratio[0] < 1


def test_long_windows_count_to_the_end(monkeypatch):
    # 190 ms at 160 Hz are 30 spikes: more than the 24 that count_moments tells apart by itself. Poisson stays below 30 + 5 sqrt(30) but for 1e-6
    from fwbio import density

    asked = {}
    monkeypatch.setattr(
        density, "count_moments", lambda before, now, *_, **options: asked.update(options) or np.ones((2, len(before), len(now)))
    )
    noise.counts(fwbio.load("retrieval", neuron="lif", set={"token": "400 ms"}))
    assert asked["most"] > 30 + 5 * 30**0.5
