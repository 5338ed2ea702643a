"""Several levels of fast weights, weights that decay with use, and wipes: the three descriptions meet, and refusals are in words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import fwbio
from fwbio import agreement, noise, rnn
from fwbio.cards import changes, network, reader
from fwbio.comparison import compare, noise_prediction, rmse
from fwbio.describe import discrete, run
from fwbio.errors import BadInput
from fwbio.pacing import gate
from fwbio.rate.equations import Right
from fwbio.tasks import RandomInput, retrieval
from fwbio.wipe import Wipe

TASK, QUICK = retrieval(trials=6, seed=9), {"target": "numpy", "batch": 3}


def first(trials):
    return replace(TASK, tokens=TASK.tokens[:trials], target=TASK.target[:trials])


def paced(levels, neurons=100):
    """The trained network with other fast weights: ``levels`` are tables by name, put in the place of its own."""
    tables = reader.read("retrieval")
    fast = tables["projection"].pop("fast")
    tables["projection"] |= {name: {**fast, "bind": {}, **level} for name, level in levels.items()}
    del tables["expose"]["fast.tau"], tables["expose"]["fast.eta"]
    return network.build(tables, reader.find("retrieval"), neurons=neurons)


TWO = {"quick": {"bind": {"tau": "300 ms", "eta": "0.25"}}, "lasting": {"bind": {"tau": "3 s", "eta": "0.25"}}}
USE = {"labile": {"synapse": "hebbian_use", "bind": {"gamma_p": "0.05", "gamma_m": "0.02", "A_max": "8"}}}
KINDS = {"two decays": TWO, "use": USE, "both": {**TWO, **USE}}


# --- three descriptions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_rnn_and_rate_equations_are_the_same_network(kind):
    net = paced(KINDS[kind])
    wanted, got = run(net, TASK, "rnn"), run(net, TASK, "rate")
    assert rmse(got.h, wanted.h) <= compare(wanted, got).figures["rate"]["hidden_bound"] < 1e-3
    assert set(got.levels) == set(KINDS[kind])
    for name, A in wanted.levels.items():
        assert np.abs(A).max() > 0.05
        np.testing.assert_allclose(got.levels[name], A, atol=1e-6 * A.max())
    np.testing.assert_allclose(wanted.A, sum(wanted.levels.values()), rtol=1e-12)


def test_a_level_split_in_two_is_the_same_network():
    whole = paced({"one": {"bind": {"tau": "1 s", "eta": "0.5"}}})
    halves = paced({"one": {"bind": {"tau": "1 s", "eta": "0.1"}}, "two": {"bind": {"tau": "1 s", "eta": "0.4"}}})
    for level in ("rnn", "rate"):
        one, two = run(whole, TASK, level), run(halves, TASK, level)
        np.testing.assert_allclose(one.h, two.h, atol=1e-8)
        np.testing.assert_allclose(one.A, two.A, atol=1e-8)
    assert halves.tau == 1.0 and halves.eta == pytest.approx(0.5) and halves.lam == whole.lam


def test_spikes_follow_two_decays_as_predicted():
    """6 trials of 11 tokens and 50 units at n = 20: the ratio scatters by some 6 %; held to 25 % like every prediction of small runs."""
    net = paced(TWO, neurons=20)
    wanted, got = run(net, TASK, "rnn"), run(net, TASK, "spiking", seed=2, **QUICK)
    assert 0.75 < rmse(got.h, wanted.h) / noise_prediction(net, wanted, 60)[1]["hidden_rmse_predicted"] < 1.25
    for name in TWO:  # of each level the spikes' A is as far off as A as a whole, not systematically another
        slope = (got.levels[name] * wanted.levels[name][got.kept]).sum() / (wanted.levels[name][got.kept] ** 2).sum()
        assert slope == pytest.approx(1, abs=0.15)
    np.testing.assert_allclose(got.A, sum(got.levels.values()), rtol=1e-12)


def test_each_projection_has_its_own_gate():
    net = paced(TWO)
    quick, lasting = (gate(net, net.projections[name]) for name in TWO)
    assert quick.read[0] > lasting.read[0] * 1.05 > 1.05 / net.window
    assert quick.write[1] > lasting.write[1] * 1.05
    labile = gate(paced(USE), paced(USE).projections["labile"])
    assert labile.read[0] == labile.write[1] == 1 / net.window  # no clock, no correction


def test_attention_form_is_the_sum_over_levels():
    net = paced(TWO)
    x = TASK.x(net)
    np.testing.assert_allclose(discrete(net, x, form="attention", keep=0).h, discrete(net, x).h, atol=1e-9)
    with pytest.raises(BadInput, match="no sum over the past"):
        discrete(paced(USE), x, form="attention")


def test_noise_of_use_is_refused_not_guessed():
    net = paced(USE, neurons=4)
    assert not noise.predictable(net)
    with pytest.raises(BadInput, match="not predicted"):
        noise.predict(net, TASK.x(net))
    found = compare(run(net, first(1), "rnn"), run(net, first(1), "spiking", **QUICK))
    assert found.verdict != "equivalent" and "hidden_rmse_predicted" not in found.figures["spiking"] and str(found)


# --- decay with use --------------------------------------------------------------------------------------------------


@settings(derandomize=True, max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), gain=st.floats(0, 50), loss=st.floats(0, 50), most=st.floats(0, 10), inner=st.integers(0, 2))
def test_weights_that_decay_with_use_stay_in_bounds(seed, gain, loss, most, inner):
    rng = np.random.default_rng(seed)
    levels = {"A": rnn.Use(gain, loss, most)}
    found = rnn.run(
        rng.standard_normal((6, 6)), 2 * rng.standard_normal((2, 15, 6)), gain=1.0, bias=0.1, eps=1e-5, levels=levels, inner=inner, keep=2
    )
    assert found.A.min() >= 0 and found.A.max() <= most * (1 + 1e-12)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), gain=st.floats(0, 1e3), loss=st.floats(0, 1e3), most=st.floats(0.01, 10))
def test_so_do_those_of_a_synapse_at_any_spikes(seed, gain, loss, most):
    """The card's own write rules, 50 spikes at random times and drives, doses far beyond 1."""
    card, rng = reader.read("hebbian_use"), np.random.default_rng(seed)
    values = {"gamma_p": gain, "gamma_m": loss, "A_max": most, "tau_trace": 0.02, "r0": 20.0, "write_gain": 20.0, "dt": 1e-3}
    rules = [(text.split(" += ")[0], Right(text.split(" += ")[1], values)) for text in card["spiking"]["write"]]
    state = {"A": most * rng.random(), "p": 0.0}
    for gap, h in zip(rng.exponential(0.02, 50), 3 * rng.random(50)):
        state["p"] *= np.exp(-gap / 0.02)
        for name, rule in rules:
            state[name] += float(rule({**values, **state, "h_post": h}))
            assert -1e-12 <= state["A"] <= most * (1 + 1e-12)


def test_the_discrete_rule_solves_the_papers_equation():
    gain, loss, most, (post, pre), start = 0.7, 0.3, 2.0, (1.3, 0.8), 0.4
    exact = solve_ivp(lambda _, A: gain * (most - A) * post * pre - loss * A * pre**2, (0, 1), [start], rtol=1e-12, atol=1e-14).y[0, -1]
    h = np.array([[post, pre]])
    A = np.full((1, 2, 2), start)
    assert rnn.Use(gain, loss, most).write(A, h)[0, 0, 1] == pytest.approx(exact, abs=1e-10)
    silent = rnn.Use(gain, loss, most).write(A, np.zeros((1, 2)))
    np.testing.assert_array_equal(silent, A)  # no use, no change; 0/0 is no number


@pytest.mark.slow
def test_erasing_goes_with_the_square_of_the_presynaptic_rate():
    """h_post = 0, h_pre = 1, 2: the dose grows fourfold. 200 axons, 1 s: the noise of spike pairs (card, [agree]) is within 4 s.d."""
    h = np.array([0.0, 1.0, 2.0])
    left = []
    for write in (0.5, 0.0):
        net = agreement.held(h, {"synapse": "hebbian_use", "bind": {"gamma_p": "0.5", "gamma_m": f"{write}"}}, neurons=400)
        net = replace(net, dt=1e-3, every=1.0, duration=2.0)
        x = np.array([[[1.0, 1.0, 1.0], h]])  # written in the first second, used in the second
        left.append(run(net, agreement.Held(x), "spiking", seed=4, clamp=True, target="numpy").A[0, :, 0])
    (written, used), (_, untouched) = left
    dose = -np.log(used[1:] / written[1:])
    noise_of_dose = 4 * 0.5 / 20 * np.sqrt((4 * 20 * h[1:] ** 3 + h[1:] ** 2 / 0.04) / 400)
    bias = 0.5 * h[1:] ** 2 * 0.02 * 2 + 0.5**2 * h[1:] ** 3 / 20 * 1.5  # the trace's start and end; A and p know the same spikes
    assert np.all(np.abs(dose - 0.5 * h[1:] ** 2) <= noise_of_dose + bias)
    assert dose[1] > 3 * dose[0]  # not in proportion to the rate
    assert untouched[1] == pytest.approx(left[1][0][1], rel=1e-12)


# --- sets ------------------------------------------------------------------------------------------------------------


def test_a_projection_may_name_a_set(tmp_path):
    net = paced({"quick": {"set": "Erickson_fast"}, "lasting": {"set": "Erickson_slow", "bind": {"eta": "0.1"}}})
    assert [p.tau for p in net.levels.values()] == pytest.approx([96, 1140])
    assert net.projections["lasting"].synapse.values["eta"] == 0.1 and net.tau == pytest.approx(1140)
    with pytest.raises(BadInput, match="no such set; did you mean 'Erickson_fast'"):
        paced({"quick": {"set": "Ericson_fast"}})


def test_a_set_can_be_changed_and_is_not_overwritten_by_what_is_exposed():
    tables = reader.read("random_recurrent")
    tables["projection"]["fast"] = {k: v for k, v in tables["projection"]["fast"].items() if k != "bind"} | {"set": "Erickson_fast"}

    def tau(**words):
        return network.build(changes.change(tables, words, "x"), reader.find("random_recurrent")).tau

    assert tau() == pytest.approx(96)
    assert tau(**{"projection.fast.set": "Erickson_slow"}) == pytest.approx(1140)
    assert tau(**{"fast.tau": "5 s"}) == 5.0


# --- wipes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["h", "A", "W"])
@pytest.mark.parametrize("kind", ["two decays", "use"])
def test_a_wipe_is_the_same_in_rnn_and_rate_equations(kind, what):
    net = paced(KINDS[kind])
    wipe = {"what": what, "before": 8}
    whole, wanted, got = run(net, TASK, "rnn"), run(net, TASK, "rnn", wipe=wipe), run(net, TASK, "rate", wipe=wipe)
    np.testing.assert_allclose(got.h, wanted.h, atol=1e-5)
    np.testing.assert_array_equal(wanted.h[:, :8], whole.h[:, :8])
    first = 9 if what == "W" else 8  # what W has brought to the dendrites already is activity
    np.testing.assert_array_equal(wanted.h[:, 8:first], whole.h[:, 8:first])
    assert np.abs(wanted.h[:, first:] - whole.h[:, first:]).max(axis=(0, 2)).min() > 0.01
    if what == "A":
        np.testing.assert_allclose(discrete(net, TASK.x(net), keep=0, wipe=Wipe("A", 1)).h[:, 0], whole.h[:, 0])


@pytest.mark.slow
@pytest.mark.parametrize("what", ["h", "A", "W"])
def test_a_wipe_is_the_same_in_spikes(what):
    """Up to the wipe not one spike differs; after it h is as close to the RNN's as it was before, and far from the unwiped."""
    net, wipe = fwbio.load("retrieval", neurons=30), {"what": what, "before": 8}
    task = first(3)
    whole, wiped = (run(net, task, "spiking", seed=6, wipe=w, **QUICK) for w in (None, wipe))
    wanted, unwiped = run(net, task, "rnn", wipe=wipe), run(net, task, "rnn")
    before = [one.spikes.spike_t[one.spikes.spike_t < 8 * net.token - 1e-9] for one in (whole, wiped)]
    assert len(before[0]) > 300 and np.array_equal(*before)
    late = slice(9 if what == "W" else 8, None)
    assert rmse(wiped.h[:, late], wanted.h[:, late]) < 0.35 * rmse(wiped.h[:, late], unwiped.h[:, late])
    if what == "A":
        np.testing.assert_allclose(wiped.A[:, 7], whole.A[:, 7], rtol=1e-12)  # what a token left is seen before it is wiped
        assert wiped.A[:, 8].sum() < 0.5 * whole.A[:, 8].sum()


@pytest.mark.slow
def test_a_wipe_is_the_same_without_reductions():
    net, task = fwbio.load("retrieval", neurons=2), replace(first(1), tokens=TASK.tokens[:1, :6])
    for what in ("A", "W"):
        wipe = {"what": what, "before": 4}
        forms = [run(net, task, "spiking", seed=6, wipe=wipe, plain=plain, **QUICK) for plain in (False, True)]
        assert np.array_equal(*(form.spikes.spike_t for form in forms))
        assert np.abs(forms[0].A - forms[1].A).max() <= 1e-10


def test_predicted_noise_knows_of_the_wipe():
    silent = fwbio.load("retrieval", neurons=10**9)
    for what in ("h", "A", "W"):
        net = replace(silent, wipe=Wipe(what, 8))
        wanted = discrete(net, TASK.x(net))
        found = noise.predict(net, TASK.x(net), seed=1)
        np.testing.assert_allclose(found.h, wanted.h, atol=0.02)
        np.testing.assert_allclose(noise.weights(net, found, slice(0, 6)), wanted.A, atol=0.02)


@pytest.mark.parametrize(
    "wipe, says",
    [
        ({"what": "B", "before": 8}, "wipe.what = 'B': use h, A or W"),
        ({"what": "A"}, 'write {what = "A", before = 8}'),
        ({"what": "A", "before": 0}, "wipe.before = 0"),
        ({"what": "A", "before": 2.5}, "wipe.before = 2.5"),
        ({"what": "A", "before": 11}, "these trials have 11 tokens; use 1 to 10"),
        ("A", "write {what"),
    ],
)
def test_a_wipe_that_makes_no_sense_is_refused(wipe, says):
    with pytest.raises(BadInput, match=says.replace("{", r"\{")):
        run(fwbio.load("retrieval"), TASK, "rnn", wipe=wipe)


def test_a_free_running_network_has_no_tokens_to_wipe_between():
    with pytest.raises(BadInput, match="no tokens to wipe between"):
        run(fwbio.load("random_recurrent"), RandomInput(1, 0), "rate", wipe={"what": "A", "before": 2})


def test_a_card_may_wipe():
    tables = reader.read("retrieval")
    tables["protocol"]["wipe"] = {"what": "A", "before": 8}
    net = network.build(tables, reader.find("retrieval"))
    np.testing.assert_array_equal(run(net, TASK, "rnn").h, run(fwbio.load("retrieval"), TASK, "rnn", wipe=net.wipe).h)


# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_card_without_a_discrete_rule_has_no_rnn():
    net = paced({"traced": {"synapse": "hebbian_traces"}})
    with pytest.raises(BadInput, match=r"hebbian_traces \(projection.traced\) has no \[rnn\]"):
        run(net, TASK, "rnn")
    net = paced({"early": {"reads": "last"}})
    with pytest.raises(BadInput, match='projection.early: the discrete RNN takes reads = "inner"'):
        run(net, TASK, "rnn")


def test_a_level_too_short_to_read_is_named():
    with pytest.raises(BadInput, match="projection.quick: tau = 0.0001 s is below a hundredth of a token"):
        paced({**TWO, "quick": {"bind": {"tau": "0.1 ms"}}})
