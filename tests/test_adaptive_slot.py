"""The adaptive slot, its world, the bound of any bank and the ideal observer, each against another derivation."""

import itertools

import numpy as np
import pytest

import fwbio
from fwbio.slot import bound, fixed, observer
from fwbio.slot.labile import LabileSlot, SurpriseSignal
from fwbio.slot.world import Stream, SwitchingWorld

TABLE = {(0.5, 1): 0.155, (1, 1): 0.250, (1, 4): 0.135, (2, 1): 0.408, (2, 2): 0.314, (2, 4): 0.238}


def shown(value, sigma, seed=0, every=1.0) -> Stream:
    """Values (n, d), one every so many seconds, with noise."""
    rng, n = np.random.default_rng(seed), len(value)
    return Stream(every * np.arange(n), np.zeros(n, int), value, value + sigma * rng.standard_normal(value.shape), np.ones((n, 1)))


def test_the_worlds_values_stay_as_long_as_its_formula_says():
    """Share of pairs of presentations s apart with the same value: P + (1 - P)/2 for +-1. 3,000 validities, 64 outputs; 1.5 points are four errors."""
    world = SwitchingWorld("5 Hz", 0.0)
    stream = world.stream(60_000, 1)
    assert world.validity == pytest.approx(21.8, abs=0.05)
    for s in (0.3, 2.0, 10.0, 40.0, 90.0):
        later = np.searchsorted(stream.t, stream.t + s)
        k = np.flatnonzero(later < len(stream.t))
        k = k[np.abs(stream.t[later[k]] - stream.t[k] - s) < 0.1][:20_000:7]
        same = np.mean(stream.value[k, 0] == stream.value[later[k], 0])
        gap = np.mean(stream.t[later[k]] - stream.t[k])
        assert same == pytest.approx(0.5 + world.unchanged(gap) / 2, abs=0.04)


@pytest.mark.parametrize(("sigma", "rate"), TABLE)
def test_the_bound_is_the_reference(sigma, rate):
    found, error = fwbio.linear_bank_bound(SwitchingWorld(f"{rate} Hz", sigma), histories=150)
    assert abs(found - TABLE[sigma, rate]) <= 4 * error + 5e-4 and error < 0.02 * found + 0.002


def test_the_bound_is_below_a_predictor_fitted_by_brute_force():
    """Least squares over the last twelve presentations, in-sample over 40,000 targets: a linear predictor that knows no history beyond them."""
    world = SwitchingWorld("1 Hz", 1.0, outputs=16)
    stream = world.stream(2600, 3)
    ages = np.arange(1, 13)
    rows = np.arange(len(stream.t))[12:]
    X = np.stack([stream.teacher[rows - lag] for lag in ages], 0).reshape(12, -1)
    y = stream.value[rows].ravel()
    weights = np.linalg.lstsq(X @ X.T, X @ y, rcond=None)[0]
    fitted = np.mean((weights @ X - y) ** 2)
    least, error = bound.linear_bank_bound(world, 150)
    assert least * 0.8 < least - 3 * error < fitted < 1.5 * least  # one seed has some hundred switches: 10 % either way


def test_fixed_costs_are_those_of_the_recursion():
    """One validity of n presentations: (1 - eta)^k of the jump is left, and noise adds up; expectations by hand, no closed form."""
    n, sigma, eta = 9, 0.7, 0.3
    left, noise, cost = 2.0, sigma**2 * eta / (2 - eta), 0.0
    for _ in range(n):
        cost += left + noise
        left *= (1 - eta) ** 2
    assert fwbio.segment_cost(n, sigma, eta) == pytest.approx(cost, rel=1e-12)
    assert fwbio.segment_cost(4, 2.0) == pytest.approx(2 + 4 * (1 + 1 / 2 + 1 / 3))
    assert [round(bound.best_fixed_cost(n, 1.0), 2) for n in (3, 10, 30, 100)] == [3.62, 5.58, 8.81, 15.18]


def test_confirmations_are_averaged_and_a_switch_is_overwritten():
    """A1: gains 1/2, 1/3, 1/4 … while nothing surprises, and 0.8 or more at a switch; then 90 % is learnt at the next one or two."""
    value = np.repeat(np.random.default_rng(0).choice((-1.0, 1.0), (2, 64)), (20, 6), axis=0)
    stream, gains = shown(value, 0.3), []
    found = LabileSlot(kappa=4.0, tau0=None, tau_rec=None).predict(stream, gains)  # a threshold that noise alone passes with 1e-4
    np.testing.assert_allclose(gains[:6], [1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6, 1 / 7], rtol=1e-9)
    assert gains[20] >= 0.8
    jump = value[20] - value[19]
    learnt = [1 - (value[20] - found[20 + j]) @ jump / (jump @ jump) for j in range(3)]
    assert learnt[0] < 0.2 and max(learnt[1:]) >= 0.9


def test_the_mean_after_k_confirmations_is_the_running_mean():
    """Without surprise, decay and recovery the slot is (its prior 0 + the sum of what was shown)/(k + 1)."""
    stream = shown(np.ones((12, 5)), 1.0, seed=4)
    found = LabileSlot(tau0=None, tau_rec=None, lesions=("surprise",)).predict(stream)
    k = np.arange(12)[:, None]
    np.testing.assert_allclose(found[1:], (np.cumsum(stream.teacher, axis=0)[:-1] / (k[1:] + 1)), rtol=1e-9)


def test_surprise_is_one_in_a_quiet_world_and_scatters_as_derived():
    """A2: q has mean 1 and standard deviation sqrt(2/d); 4,000 errors, four standard errors."""
    signal, rng, q = SurpriseSignal(kappa=1e9, E=1.0), np.random.default_rng(5), []
    for _ in range(4000):
        q.append(signal.ratio(rng.standard_normal(64), 0.0))
    assert abs(np.mean(q) - 1) < 4 * (2 / 64 / 4000) ** 0.5
    assert np.std(q) == pytest.approx((2 / 64) ** 0.5, rel=0.06)


def test_adapting_beats_every_bank_where_switches_are_seen():
    """Two fresh seeds at (1, 4); the margin is some 40 %, a seed scatters by 8 %. And where it should not, at (2, 1), it does not."""
    for (sigma, rate), better in (((1.0, 4), True), ((2.0, 1), False)):
        world = SwitchingWorld(f"{rate} Hz", sigma)
        least, _ = bound.linear_bank_bound(world, 60)
        streams = [world.stream(1500, seed) for seed in (11, 12)]
        error = np.mean([fixed.mse(LabileSlot().predict(s)[50:], s.value[50:]) for s in streams])
        assert (error < least) == better


def test_equations_and_events_are_one_rule():
    """ODE at 1 ms against the recursion, decay and recovery off: mean squared error within the 13 % that were seen elsewhere."""
    stream = SwitchingWorld("1 Hz", 1.0, outputs=32).stream(250, 6)
    slot = LabileSlot(tau0=None, tau_rec=None)
    events, equations = (fixed.mse(found[20:], stream.value[20:]) for found in (slot.predict(stream), slot.integrate(stream)))
    assert 0.9 < equations / events < 1.15 and events < 0.6


def test_the_ideal_observer_is_the_sum_over_all_histories(monkeypatch):
    """Five presentations a second apart, one output, time steps of 1 s: the posterior by enumerating every set of switches and every value."""
    monkeypatch.setattr(observer, "STEP", 1.0)
    world = SwitchingWorld("1 Hz", 0.8, outputs=1, shortest="1 s", longest="6 s")
    n, rng = 5, np.random.default_rng(8)
    teacher = rng.standard_normal((n, 1)) + 1
    stream = Stream(np.arange(n) + 0.5, np.zeros(n, int), np.ones((n, 1)), teacher, np.ones((n, 1)))
    edges = np.clip(np.arange(7.0), 1, 6)
    survive = np.log(6 / edges) / np.log(6)
    hazard = np.append(1 - survive[1:] / np.maximum(survive[:-1], 1e-300), 1.0)[:6]
    hazard[-1] = 1.0
    stationary = survive[:-1] / survive[:-1].sum()
    for k in range(n):
        top = total = 0.0
        for age in range(6):
            for drawn in itertools.product((False, True), repeat=k):
                p, now, value_of = stationary[age], age, [0]
                for new in drawn:
                    p *= hazard[now] if new else 1 - hazard[now]
                    now = 0 if new else now + 1
                    value_of.append(value_of[-1] + new)
                    if p == 0:
                        break
                if p == 0:
                    continue
                for values in itertools.product((-1.0, 1.0), repeat=value_of[-1] + 1):
                    likelihood = np.prod([np.exp(-0.5 * ((teacher[j, 0] - values[value_of[j]]) / 0.8) ** 2) for j in range(k)])
                    weight = p * 0.5 ** len(values) * likelihood
                    top, total = top + weight * values[value_of[k]], total + weight
        assert observer.bayes(world, stream)[k, 0] == pytest.approx(top / total, abs=1e-9)


def test_nothing_beats_the_ideal_observer():
    world = SwitchingWorld("2 Hz", 1.0, outputs=32)
    stream = world.stream(800, 9)
    ideal = fixed.mse(observer.bayes(world, stream)[20:], stream.value[20:])
    rivals = {**fixed.tuned(stream), "adaptive": LabileSlot().predict(stream)}
    assert all(ideal < fixed.mse(found[20:], stream.value[20:]) for found in rivals.values())


@pytest.mark.parametrize(
    "make",
    [
        lambda: SwitchingWorld(4, 1.0),
        lambda: SwitchingWorld("4 Hz", -1.0),
        lambda: SwitchingWorld("4 Hz", 1.0, shortest="9 s", longest="2 s"),
        lambda: SwitchingWorld("4 Hz", 1.0, p_new=1.5),
        lambda: LabileSlot(tau0=30.0),
        lambda: LabileSlot(z_range=(2.0, 20.0)),
        lambda: LabileSlot(kappa=-1.0),
        lambda: LabileSlot(lesions=("surprize",)),
    ],
)
def test_impossible_slots_and_worlds_are_refused(make):
    with pytest.raises(fwbio.BadInput):
        make()
