"""How long a synapse holds a pattern: the derived curves against closed forms, the volleys against both, and wrong versions noticed."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fwbio import forgetting
from fwbio.cards import reader
from fwbio.spiking import volleys

AXONS, TRIALS, WAITS = 100, 50, np.array([0.01, 0.1, 0.5, 1.0, 3.0])
HEBBIAN = {"tau": "1 s", "eta": "2"}


@pytest.fixture(scope="module")
def shown():
    """What volleys bring cells with hebbian synapses: ``both``, ``apart``, ``silent``, and ``both`` again. One Brian2 network."""
    card = reader.read("hebbian")
    given, values = forgetting.numbers(card, **HEBBIAN)
    kinds = [*forgetting.KINDS.values(), forgetting.KINDS["both"]]
    return card, given, values, volleys.volleys(card, kinds, WAITS, AXONS, TRIALS, forgetting.SHOW, forgetting.GAP, 1e-3, given, seed=3)


def kept(shown, monkeypatch, rows=(0, 1, 2), **wrong):
    card, given, values, heard = shown
    monkeypatch.setattr(volleys, "volleys", lambda *_: heard[list(rows)])
    return forgetting.keep(card, given, {**values, **wrong}, WAITS, AXONS, TRIALS)


def test_derived_hebbian_is_the_closed_form():
    card = reader.read("hebbian")
    d, bias = forgetting.derived(card, forgetting.numbers(card, **HEBBIAN)[1], WAITS, 9)
    for question in forgetting.QUESTIONS:
        np.testing.assert_allclose(d[question], 3 * 2 * (1 - math.exp(-1)) * np.exp(-WAITS), rtol=1e-5)
        assert bias[question].max() < 1e-10


def test_derived_depression_is_the_closed_form():
    """u = U at each spike: dx/dt = (1 - x)/tau_d - U r x while shown, whatever the cell does."""
    card = reader.read("tsodyks_markram")
    values = forgetting.numbers(card, "TM98_depressing")[1]
    U, tau, r = values["U"], values["tau_d"], forgetting.RATE
    settled = 1 / (1 + U * tau * r)
    end = settled + (1 - settled) * math.exp(-forgetting.SHOW / (tau * settled))
    d, _ = forgetting.derived(card, values, WAITS, 4)
    np.testing.assert_allclose(d["axons"], 2 * (end - 1) * np.exp(-WAITS / tau), rtol=1e-4)
    assert np.abs(d["pairs"]).max() == 0


def test_volleys_at_rest_are_binomial(shown):
    """Silent cells hear n p of their axons and scatter by its binomial: 5 standard errors of each, false alarms below 1e-6."""
    silent = shown[3][2].ravel()
    n, p = AXONS, volleys.VOLLEY
    assert silent.size == 250 and abs(silent.mean() - n * p) < 5 * math.sqrt(n * p * (1 - p) / silent.size)
    assert abs(silent.std(ddof=1) / math.sqrt(n * p * (1 - p)) - 1) < 5 / math.sqrt(2 * silent.size)


def test_spikes_hold_what_is_derived(shown, monkeypatch):
    """Ten figures and two rates within 5 standard errors of their derived values, the first of them more than ten from 0."""
    found = kept(shown, monkeypatch)
    for question in forgetting.QUESTIONS:
        assert found.off(question) < forgetting.ERRORS < 10 < found.measured[question][0] / found.error[question][0]
        rate = forgetting.decay(found, question)
        assert rate["one"] and abs(rate["derived"] - 1) < 1e-4 and abs(rate["rate"] - 1) < rate["bound"] < 0.5


def test_a_doubled_tau_is_noticed(shown, monkeypatch):
    found = kept(shown, monkeypatch, tau=2.0)
    rate = forgetting.decay(found, "axons")
    assert found.off("axons") > forgetting.ERRORS and abs(rate["rate"] - rate["derived"]) > rate["bound"]


def test_apart_shown_as_both_is_noticed(shown, monkeypatch):
    """The pairing is gone, which axons fired is not."""
    found = kept(shown, monkeypatch, rows=(0, 3, 2))
    assert found.off("pairs") > forgetting.ERRORS > found.off("axons")


def test_a_gain_of_the_axons_read_as_a_pairing_is_noticed(shown, monkeypatch):
    """A cell whose axons carry nothing, taken for one that was active apart from them."""
    found = kept(shown, monkeypatch, rows=(0, 0, 2))
    assert abs(found.measured["pairs"]).max() < 1e-12 and found.off("pairs") > forgetting.ERRORS


def test_decay_knows_one_exponential_from_two():
    t = np.array([0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10])
    nothing, error = np.zeros_like(t), np.full_like(t, 0.01)
    one, two = np.exp(-t / 2), np.exp(-t / 0.2) + np.exp(-t / 5)
    plain = forgetting.Kept(t, {"axons": one}, {"axons": error}, {"axons": one}, {"axons": nothing})
    found = forgetting.decay(plain, "axons")
    assert found["one"] and not found["crosses"] and abs(found["rate"] - 0.5) < 1e-6
    assert not forgetting.decay(replace(plain, measured={"axons": two}, derived={"axons": two}), "axons")["one"]
    turned = np.exp(-t / 5) - 2 * np.exp(-t / 0.2)
    assert forgetting.decay(replace(plain, measured={"axons": turned}, derived={"axons": turned}), "axons")["crosses"]
    biased = forgetting.decay(replace(plain, bias={"axons": 0.1 * one}), "axons")
    assert biased["bound"] > found["bound"]


def test_rest_goes_from_step_to_step_in_decades():
    """Every run starts at a whole number of its own steps, and together they are the wait."""
    import gc

    from brian2 import defaultclock, second

    runs = []

    class Network:
        def run(self, duration, namespace):
            runs.append((float(defaultclock.dt), float(duration)))

    before = defaultclock.dt
    try:
        assert volleys.rest(Network(), 1513, 61513, 1e-3) == 61513
        steps, spans = np.round(np.array(runs).T * 1e3).astype(int)
        assert spans.sum() == 60000 and len(runs) < 12 and steps.max() == 10000
        starts = 1513 + np.cumsum([0, *spans[:-1]])
        assert not np.any(starts % steps) and not np.any(spans % steps)
        runs.clear()
        volleys.rest(Network(), 1513, 2513, 1e-3, longest=1)
        assert runs == [(1e-3, 1.0)] and defaultclock.dt == 1e-3 * second
    finally:
        defaultclock.dt = before
        gc.unfreeze()


def test_waits_reach_five_of_the_slowest_clock():
    for clocks, last in (({"a": 0.3, "b": 2.0}, 10), ({"a": math.inf}, 600), ({}, 600)):
        grid = forgetting.waits(clocks)
        assert grid[0] == 0.01 and grid[-2] < last <= grid[-1] * (1 + 1e-9) and np.all(np.diff(grid) > 0)
