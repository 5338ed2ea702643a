"""Levels of few values: the exact Markov chain against synapses that are simulated, against real numbers, and against a published law."""

import math

import numpy as np
import pytest
from scipy.linalg import expm

from fwbio import AgeDemand, plan_levels
from fwbio.errors import BadInput
from fwbio.levels import few, guarantee, report, states
from fwbio.levels.bank import bank


def drawn_curve(M, write, read, n, ages, synapses, steps, rng):
    """corr(W, v of ``age`` writes ago) of synapses that are simulated, and its standard error over synapses."""
    n, M, write = np.array(n), np.array(M), np.array(write)
    edge = (n - 1) / 2
    x, past, found = rng.integers(n, size=(synapses, len(n))) - edge, [], []
    for step in range(steps):
        v = rng.choice((-1.0, 1.0), synapses)
        target = np.clip(x + x @ M.T + v[:, None] * write, -edge, edge) + edge
        x = np.floor(target + rng.random(target.shape)).clip(0, n - 1) - edge
        past = [v, *past[: max(ages)]]
        if len(past) > max(ages) and step > steps // 3:
            W = x @ np.array(read)
            found.append([W * past[age] for age in ages] + [W**2])
    mean = np.mean(found, axis=0)  # (ages + 1, synapses)
    noise = np.sqrt(mean[-1].mean())
    return mean[:-1].mean(axis=1) / noise, mean[:-1].std(axis=1, ddof=1) / math.sqrt(synapses) / noise


@pytest.mark.parametrize(
    "M, write, read, n",
    [
        ([[-0.1]], [0.7], [1], [6]),
        ([[-0.3, 0.2], [0.05, -0.06]], [0.8, 0], [1, 0], [7, 4]),
        ([[-0.3, 0], [0, -0.02]], [0.6, 0.3], [1, 0.5], [5, 8]),
    ],
)
def test_integer_states_are_what_is_simulated(M, write, read, n):
    """5 standard errors over 2,000 synapses, eight figures each (false alarms 6e-7 a figure), and they tell the ages apart."""
    ages = [0, 1, 2, 4, 8, 16, 24, 32]
    found, error = drawn_curve(M, write, read, n, ages, 2000, 600, np.random.default_rng(8))
    wanted = np.sqrt(states.curve(M, write, read, n, 32)[ages])
    assert (np.abs(found - wanted) < 5 * error).all() and wanted[0] - wanted[-1] > 50 * error.max()


def test_many_states_are_real_numbers():
    """A leaky variable of 400 values: s -> K^2/sum K^2 of the geometric kernel, up to rounding (variance 1/6 of a step a write)."""
    a, size = 0.05, 8.0
    found, kernel = states.curve([[-a]], [size], [1], [400], 60), (1 - a) ** np.arange(61)
    np.testing.assert_allclose(found, kernel**2 * (1 - (1 - a) ** 2), rtol=0.01)


def test_lifetime_of_one_bounded_variable_is_the_published_law():
    """t* = 0.207 n sqrt(N)/theta writes at N = 1e4, best of sizes of a write (levels without decay): within 6 % for n = 8, 16, 32."""
    for n in (8, 16, 32):
        lives = []
        for size in np.geomspace(0.02, 1, 25):
            s = states.curve([[0]], [size], [1], [n], 1000)
            lives.append(np.argmax(1e4 * s < 1) if 1e4 * s[0] > 1 else 0)
        assert max(lives) == pytest.approx(0.207 * n * 100, rel=0.06)


def test_starts_of_the_search_for_bounded_levels_have_the_kernel_of_the_best_bank():
    levels = guarantee.best(1000.0, 3)
    for kind in ("chain", "bank"):
        M, write, read = getattr(few, kind)(few.starts(levels, (5, 5, 6), 1.5)[kind], 3)
        kernel = np.array([read @ expm(M * t) @ write for t in (0, 1, 10, 300)])
        np.testing.assert_allclose(kernel / kernel[0], bank(levels.tau, levels.gain).kernel([0, 1, 10, 300]), rtol=1e-9)


def test_a_plan_for_few_values_says_what_its_levels_guarantee():
    """12 values, 1 to 100 associations: the guarantee again from synapses that are simulated, 2,000 of them, at three ages (4.5 s.e.: 1e-5)."""
    said = []
    plan = plan_levels(AgeDemand("1 s", "100 s"), price=0.1, states=12, say=said.append)
    best = plan.shapes[plan.m - 1]
    assert plan.m >= 2 and len(said) == len(plan.shapes) and best.kind == "chain" and sum(best.n) == 12
    assert plan.gross[plan.m - 1] > 1.2 * plan.gross[0] and plan.certificate["proved"] is False
    assert max(plan.gross) < plan.certificate["bound"]
    ages = [1, 8, 39]
    found, error = drawn_curve(best.M, best.write, best.read, best.n, ages, 2000, 900, np.random.default_rng(3))
    exact = states.curve(best.M, best.write, best.read, best.n, 100)
    assert (np.abs(found - np.sqrt(exact[ages])) < 4.5 * error).all()
    share = math.e * np.arange(1, 101) * exact[1:]
    assert share.min() == pytest.approx(plan.gross[plan.m - 1], rel=1e-9)
    assert f"{best.n[0]}, {best.n[1]}" in str(plan) and len(plan.bank) >= 1
    age, drawn = report.shares(best, np.array([0.3, 100.0]), 2.0)  # two associations a second
    assert age[0] == 0.5 and age[-1] == 100 and drawn[:100] == pytest.approx(share, rel=1e-12)


@pytest.mark.parametrize(
    "options, word",
    [
        ({"objective": "recall", "states": 16}, "guarantee"),
        ({"states": 1}, "states"),
        ({"states": 1000}, "states"),
        ({"states": 16, "r": "0.1 Hz"}, "associations"),
        ({"states": 16, "r": "1 kHz"}, "associations"),
    ],
)
def test_a_plan_for_few_values_that_cannot_be_made_is_refused(options, word):
    with pytest.raises(BadInput, match=word):
        plan_levels(AgeDemand("1 s", "40 s"), **options)
