"""The rate description: paced it is the RNN, free-running it solves equations written down here by hand, term by term."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import fwbio
from fwbio import tasks
from fwbio.describe import discrete
from fwbio.pacing import gate
from fwbio.rate import free, paced
from fwbio.rate.equations import Right, Synapse

RETRIEVAL = fwbio.load("retrieval")
FREE = fwbio.load("random_recurrent")

# --- a card's text as a function -----------------------------------------------------------------------------------------

RNG = np.random.default_rng(41)
H, A, W = RNG.random((3, 5)), RNG.standard_normal((3, 5, 5)), RNG.standard_normal((5, 5))  # 3 trials, 5 units


def test_static_card_reads_the_matrix_product():
    static = Synapse(replace(RETRIEVAL.projections["slow"], weight=W))
    found = static.read(static.views(H, {}, read_gain=7.0, write_gain=0.0))
    np.testing.assert_allclose(found, 7 * np.einsum("ij,nj->ni", W, H), rtol=1e-13)


def test_hebbian_card_reads_the_matrix_product_and_moves_by_the_outer_product():
    hebbian = Synapse(RETRIEVAL.projections["fast"])
    values = RETRIEVAL.projections["fast"].synapse.values
    views = hebbian.views(H, {"A": A}, read_gain=7.0, write_gain=3.0)
    np.testing.assert_allclose(hebbian.read(views), 7 * np.einsum("nij,nj->ni", A, H), rtol=1e-13)
    wanted = -A / values["tau"] + 3 * values["eta"] * np.einsum("ni,nj->nij", H, H)
    np.testing.assert_allclose(hebbian.odes["A"](views), wanted, rtol=1e-12, atol=1e-13)


def test_post_is_the_row_and_pre_the_column():
    values = {"h_pre": H[:, None, :], "h_post": 2 * H[:, :, None], "w": W}
    summed = Right("I_post = w*h_post*h_pre : 1 (summed)", {})
    assert summed.summed and summed(values).shape == (3, 5)
    np.testing.assert_allclose(summed(values), 2 * H * (H @ W.T), rtol=1e-13)
    square = Right("dA/dt = h_post - h_pre/tau : 1", {"tau": 4.0})
    assert square.name == "A"
    np.testing.assert_allclose(square({k: values[k] for k in ("h_pre", "h_post")}), 2 * H[:, :, None] - H[:, None, :] / 4, rtol=1e-13)


def test_functions_of_the_cards():
    u = np.array([-1.5, 0.0, 0.5, 3.0])
    for text, wanted in {
        "relu(u)": np.where(u > 0, u, 0),
        "tanh(relu(u))": np.tanh(np.where(u > 0, u, 0)),
        "clip(u, 0, 1)": [0, 0, 0.5, 1],
        "u - mean(u)": u - 0.5,
        "step(u)": [0, 1, 1, 1],
    }.items():
        np.testing.assert_allclose(Right(f"h = {text} : 1", {})({"u": u}), wanted, rtol=1e-14, atol=1e-15)


# --- paced ---------------------------------------------------------------------------------------------------------------


def rate_is_rnn(network, trials=3, seed=42):
    """The phases' integrals are exact but for the tolerance, 1e-10 a phase, which the network may multiply some times: 1e-9."""
    x = tasks.retrieval(4, trials, seed).x(network)
    wanted, found = discrete(network, x, keep=trials), paced.run(network, x, keep=trials)
    np.testing.assert_allclose(found.h, wanted.h, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.A, wanted.A, rtol=0, atol=1e-9)
    return found


def test_paced_rate_is_the_rnn():
    found = rate_is_rnn(RETRIEVAL)
    assert found.h.max() > 1 and found.A.max() > 1


CLOCKS = {
    "two inner phases": dict(set={"clock.inner": 2, "token": "120 ms"}),
    "decay within a token": dict(set={"fast.tau": "100 ms"}),
    "settling neurons": dict(neuron="lif"),
    "no fast weights": dict(fast=False),
    "no normalisation of h_0": dict(set={"rnn.norm_first": "false"}),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_paced_rate_is_the_rnn_of_another_clock(name):
    network = fwbio.load("retrieval", **CLOCKS[name])
    h = rate_is_rnn(network, trials=2).h
    assert np.abs(h - discrete(RETRIEVAL, tasks.retrieval(4, 2, 42).x(network)).h).max() > 1e-3 or name == "settling neurons"


def test_trials_do_not_meet_in_a_chunk():
    # solve_ivp's step is the chunk's: results agree to the tolerance, not to the last bit
    x = tasks.retrieval(4, 5, 43).x(RETRIEVAL)[:, :4]
    together, apart = (paced.run(RETRIEVAL, x, keep=3, chunk=chunk) for chunk in (5, 2))
    np.testing.assert_allclose(apart.h, together.h, rtol=0, atol=1e-9)
    assert apart.A.shape == together.A.shape == (3, 4, 50, 50)
    np.testing.assert_allclose(apart.A, together.A, rtol=0, atol=1e-9)


def test_within_a_phase_the_equations_are_those_of_the_card():
    # one token by hand: A' = -A/tau in the reading phase, I = gain * integral of A h; then A' = -A/tau + gain eta h h
    network = fwbio.load("retrieval", set={"fast.tau": "80 ms"})
    synapses = {name: Synapse(p) for name, p in network.projections.items()}
    gates = {name: gate(network, p) for name, p in network.projections.items()}
    start = RNG.random((2, 50, 50))
    h, T, tau, eta = RNG.random((2, 50)), network.phase, network.tau, 0.5
    current, states = paced.phase(network, synapses, gates, 0, h, {("fast", "A"): start}, 1e-10, 1e-12)
    seen = start * (1 - np.exp(-T / tau)) * tau * gates["fast"].read[0]
    np.testing.assert_allclose(current, np.einsum("nij,nj->ni", seen, h), rtol=1e-9)
    np.testing.assert_allclose(states["fast", "A"], start * np.exp(-T / tau), rtol=1e-9)
    current, states = paced.phase(network, synapses, gates, 1, h, {("fast", "A"): start}, 1e-10, 1e-12)
    written = eta * np.einsum("ni,nj->nij", h, h) * (1 - np.exp(-T / tau)) * tau * gates["fast"].write[1]
    np.testing.assert_allclose(current, np.einsum("ij,nj->ni", network.projections["slow"].weight, h), rtol=1e-9)
    np.testing.assert_allclose(states["fast", "A"], start * np.exp(-T / tau) + written, rtol=1e-9)


# --- free-running --------------------------------------------------------------------------------------------------------


def by_hand(x, t, W, tau_h, tau, eta, every):
    """One trial of I' = -I/tau_h + (W + A) h/tau_h, A' = -A/tau + eta h h^T/tau, h = tanh(relu(I + x)), by LSODA."""
    units, y = len(W), np.zeros(len(W) * (len(W) + 1))
    h, A = [], []

    def slope(_, y, given):
        now, fast = np.tanh(np.maximum(y[:units] + given, 0)), y[units:].reshape(units, units)
        return np.concatenate([(-y[:units] + W @ now + fast @ now) / tau_h, ((-fast + eta * np.outer(now, now)) / tau).ravel()])

    for k, given in enumerate(x):
        own = t[(t >= k * every) & (t < (k + 1) * every)]
        found = solve_ivp(
            slope, (k * every, (k + 1) * every), y, "LSODA", np.append(own, (k + 1) * every), rtol=1e-11, atol=1e-13, args=(given,)
        )
        h += list(np.tanh(np.maximum(found.y[:units, :-1].T + given, 0)))
        y = found.y[:, -1]
        A.append(y[units:].reshape(units, units))
    return np.array(h), np.array(A)


@pytest.mark.parametrize("fast", [True, False])
def test_free_running_is_an_integration_by_hand(fast):
    # each solver is off by its tolerance, 1e-10, a step and takes some 100 a jump of input; I forgets in 10 ms, A in 2 s: 1e-7 is generous
    network = fwbio.load("random_recurrent", fast=fast)
    values = network.projections["fast"].synapse.values
    x, t = tasks.of(network, trials=2, seed=44).x(network)[:, :6], np.arange(0.005, 0.6, 0.01)
    found = free.run(network, x, t)
    given = dict(tau_h=network.dendrite.values["tau_h"], tau=values["tau"], eta=values["eta"] * fast, every=network.every)
    for trial in range(2):
        h, A = by_hand(x[trial], t, network.projections["slow"].weight, **given)
        np.testing.assert_allclose(found.h[trial], h, rtol=0, atol=1e-7)
        np.testing.assert_allclose(found.A[trial], A, rtol=0, atol=1e-7)
        assert h.std() > 0.1 and (np.abs(A).max() > 0.01) == fast


def test_free_running_at_rest_and_at_its_fixed_point():
    # no input: h = 0. eta = 0, constant input: I = W h in the end, here after 60 time constants (e^-60)
    network = fwbio.load("random_recurrent", fast=False)
    t = np.array([0.0, 0.3, 0.5999])
    assert not free.run(network, np.zeros((1, 6, 8)), t).h.any()
    x = np.repeat(tasks.of(network, trials=1, seed=45).x(network)[:, :1], 6, axis=1)
    h = free.run(network, x, t).h[0, -1]
    np.testing.assert_allclose(h, np.tanh(np.maximum(network.projections["slow"].weight @ h + x[0, 0], 0)), atol=1e-9)


def test_samples_at_a_jump_show_the_new_input_and_the_end_may_be_asked_for():
    x = tasks.of(FREE, trials=1, seed=46).x(FREE)[:, :2]
    found = free.run(FREE, x, np.array([0.0, 0.1 - 1e-7, 0.1, 0.2]))
    np.testing.assert_allclose(found.h[0, 0], np.tanh(np.maximum(x[0, 0], 0)), atol=1e-15)  # I(0) = 0
    jump = np.arctanh(found.h[0, 2]) - np.arctanh(found.h[0, 1])
    both = (found.h[0, 1] > 0) & (found.h[0, 2] > 0)
    assert both.any()
    np.testing.assert_allclose(jump[both], (x[0, 1] - x[0, 0])[both], atol=1e-4)  # I moves by at most |I'| 1e-7 s = 1e-5 |(W + A) h|
    just_before = free.run(FREE, x, np.array([0.2 - 1e-7])).h[0, 0]
    np.testing.assert_allclose(found.h[0, 3], just_before, atol=1e-4)


def test_the_tolerance_is_kept():
    # N6: the error in the norm that solve_ivp controls, r.m.s. of |h - h_fine|/(atol + rtol |h|); h forgets each step within 10 ms
    x, t = tasks.of(FREE, trials=2, seed=47).x(FREE)[:, :3], np.arange(0, 0.3, 0.01)
    fine = free.run(FREE, x, t, rtol=1e-12, atol=1e-14).h
    errors = [
        np.sqrt(np.mean(((free.run(FREE, x, t, rtol=tol, atol=tol).h - fine) / (tol + tol * fine)) ** 2)) for tol in (1e-4, 1e-6, 1e-8)
    ]
    assert max(errors) < 5 and min(errors) > 1e-4
