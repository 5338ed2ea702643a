"""Error measures, exact intervals of an agreement, and the verdict at its edges."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binomtest

import fwbio
from fwbio import tasks
from fwbio.comparison import MARGIN, SLACK, against, clopper_pearson, judge, rmse

# --- error measures ------------------------------------------------------------------------------------------------------


def test_rmse_by_hand():
    # errors 1, -1, 1, -1: opposite signs do not cancel, r.m.s. 1; the reference 0, 2, 4, 6 has variance 5
    reference = np.array([0.0, 2, 4, 6])
    assert rmse(reference + [1, -1, 1, -1], reference) == pytest.approx(1 / 5**0.5, rel=1e-15)
    assert rmse(reference, reference) == 0.0


def fake(level, h, A, kept=None, logits=None):
    kept = np.arange(len(A)) if kept is None else np.asarray(kept)
    decisions = None if logits is None else np.asarray(logits).argmax(axis=1)
    right = None if logits is None else (decisions == 0)[:, None]
    found = {"decisions": decisions, "right": right, "accuracy": None if logits is None else right.mean()}
    return SimpleNamespace(level=level, h=np.asarray(h), A=np.asarray(A), I=None, kept=kept, logits=logits, **found)


def test_standard_error_of_the_rmse_is_the_spread_over_samples():
    # 400 sets of 50 trials: the s.d. of their rmse is known to 1/sqrt(800) = 3.5 %; 20 % is 5.6 s.e. (false alarm 2e-8)
    rng = np.random.default_rng(31)
    h, A = rng.standard_normal((50, 4, 3)), np.zeros((0, 4, 3, 3))
    found = [
        against(fake("rate", h + rng.standard_normal(h.shape) * rng.exponential(size=(50, 1, 1)), A), fake("rnn", h, A)) for _ in range(400)
    ]
    spread = np.std([f["hidden_rmse"] for f in found])
    assert np.mean([f["hidden_rmse_se"] for f in found]) == pytest.approx(spread, rel=0.2)


def test_A_is_compared_on_the_trials_that_both_kept():
    h, A = np.random.default_rng(0).standard_normal((2, 5, 2, 2)), np.arange(1.0, 41).reshape(5, 2, 2, 2)
    # a spiking run hands back only the trials it kept, here 1 and 3, both 10 % too large: Frobenius norms 0.1
    assert against(fake("spiking", h[0], 1.1 * A[[1, 3]], kept=[1, 3]), fake("rnn", h[1], A))["A_error"] == pytest.approx(0.1, rel=1e-12)
    assert against(fake("rate", h[0], 1.1 * A), fake("rnn", h[1], A))["A_error"] == pytest.approx(0.1, rel=1e-12)
    assert against(fake("spiking", h[0], A[[1, 4]], kept=[1, 4]), fake("rnn", h[1], A[:3]))["A_error"] == 0.0  # the reference kept three
    assert against(fake("rate", h[0], A), fake("rnn", h[1], 0 * A))["A_error"] is None  # relative to nothing
    assert "A_error" not in against(fake("rate", h[0], A[:0]), fake("rnn", h[1], A))


def test_agreement_is_with_the_reference_not_the_target():
    h, A = np.random.default_rng(0).standard_normal((4, 2, 2)), np.zeros((0, 2, 2, 2))
    reference = fake("rnn", h, A, logits=[[1, 0], [1, 0], [0, 1], [0, 1]])
    found = against(fake("rate", h, A, logits=[[9, 0], [0, 1], [0, 3], [0, 2]]), reference)
    assert found["agreement"] == 0.75 and found["accuracy_difference"] == -0.25  # class 0 is right: one of two of four is lost
    assert (found["agreement_low"], found["agreement_high"]) == clopper_pearson(3, 4)


# --- exact intervals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hits, trials", [(0, 10), (1, 10), (5, 10), (10, 10), (95, 100), (599, 600), (57, 1000)])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_intervals_are_scipys_exact_ones(hits, trials, confidence):
    low, high = clopper_pearson(hits, trials, confidence)
    for alternative, side, ours in (("greater", "low", low), ("less", "high", high)):
        wanted = getattr(binomtest(hits, trials, alternative=alternative).proportion_ci(confidence, "exact"), side)
        assert ours == pytest.approx(wanted, rel=1e-9, abs=1e-12)


def test_all_hits_by_hand():
    # P(all of n | p) = p^n = 0.05 at the lower bound
    assert clopper_pearson(59, 59) == (pytest.approx(0.05 ** (1 / 59), rel=1e-12), 1.0)
    assert clopper_pearson(0, 59) == (0.0, pytest.approx(1 - 0.05 ** (1 / 59), rel=1e-12))


# --- the verdict ---------------------------------------------------------------------------------------------------------


def agreeing(hits, trials):
    low, high = clopper_pearson(hits, trials)
    return {"agreement": hits / trials, "agreement_low": low, "agreement_high": high}


def spiking(hits=100, trials=100, error=1.0, se=0.01, predicted=1.0):
    return {**agreeing(hits, trials), "hidden_rmse": error, "hidden_rmse_se": se, "hidden_rmse_predicted": predicted}


def rate(hits=100, trials=100, error=1e-12, se=0.0, bound=1e-9):
    return {**agreeing(hits, trials), "hidden_rmse": error, "hidden_rmse_se": se, "hidden_bound": bound}


VERDICTS = {
    # 0.95^59 = 0.0485 < 5 % < 0.95^58 = 0.0510: 59 trials, all the same, are the fewest that show 95 %
    "59 of 59": (spiking(59, 59), "equivalent"),
    "58 of 58": (spiking(58, 58), "inconclusive"),
    # 100 trials at 95 %: P(K >= 99) = 0.037 < 5 % < P(K >= 98) = 0.118; P(K <= 91) = 0.063 > 5 % > P(K <= 90) = 0.028
    "99 of 100": (spiking(99), "equivalent"),
    "98 of 100": (spiking(98), "inconclusive"),
    "91 of 100": (spiking(91), "inconclusive"),
    "90 of 100": (spiking(90), "different"),
    # the error against 1.2 of the predicted one, 1.645 s.e. aside
    "at the bound": (spiking(error=SLACK, se=0.0), "equivalent"),
    "just above, not sure": (spiking(error=SLACK + 0.01, se=0.01), "inconclusive"),
    "above, sure": (spiking(error=SLACK + 0.02, se=0.01), "different"),
    "below, not known well": (spiking(error=1.0, se=0.4), "inconclusive"),
    "far below": (spiking(error=0.1, se=0.01), "equivalent"),
    # what cannot be told is never equivalent
    "error is NaN": (spiking(error=np.nan), "different"),
    "prediction is NaN": (spiking(predicted=np.nan), "different"),
    "error is infinite": (spiking(error=np.inf), "different"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict_on_spiking(name):
    found, verdict = VERDICTS[name]
    assert judge({"rate": rate(), "spiking": found})[0] == verdict
    assert judge({"spiking": found})[0] == verdict


@pytest.mark.parametrize(
    "found, verdict",
    [
        (rate(error=1e-9), "equivalent"),
        (rate(error=1.001e-9), "different"),  # no slack: the bound is the integrator's tolerance
        (rate(error=np.nan), "different"),
        (rate(hits=90), "different"),
        (rate(hits=58, trials=58), "inconclusive"),
    ],
)
def test_verdict_on_rate(found, verdict):
    assert judge({"rate": found})[0] == verdict
    assert judge({"rate": found, "spiking": spiking()})[0] == verdict


def test_one_refutation_outweighs_open_questions():
    verdict, reason = judge({"rate": rate(), "spiking": spiking(hits=98, error=2.0)})
    assert verdict == "different" and "2" in reason and "spiking" in reason


def test_a_network_that_decides_nothing_is_not_called_equivalent():
    found = {"hidden_rmse": 0.1}
    assert judge({"rate": {"hidden_rmse": 1e-12}, "spiking": found})[0] == "inconclusive"


def test_margins_are_those_of_the_rule():
    from fwbio.comparison import RULE

    assert f"{MARGIN:.0%}".replace("%", " %") in RULE and f"{SLACK} times" in RULE


# --- two real runs -------------------------------------------------------------------------------------------------------


def test_rnn_and_rate_of_the_shipped_network_are_equivalent():
    network, task = fwbio.load("retrieval"), tasks.retrieval(4, 60, seed=5)
    runs = [fwbio.run(network, task, level) for level in ("rnn", "rate")]
    found = fwbio.compare(*runs)
    assert found.verdict == "equivalent"
    assert found.figures["reference"] == "rnn" and found.figures["rate"]["agreement"] == 1.0
    assert 0 < found.figures["rate"]["hidden_rmse"] <= found.figures["rate"]["hidden_bound"] < 1e-4
    assert found.figures["rate"]["A_error"] < found.figures["rate"]["hidden_bound"]
    # the same rate run against another network's RNN: fast weights off
    off = fwbio.run(fwbio.load("retrieval", fast=False), task, "rnn")
    assert fwbio.compare(off, runs[1]).verdict == "different"
