"""What no input may break: 1,400 cases, the same ones at every run, through the cards' own text and the RNN's own code."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fwbio import rnn
from fwbio.cards import reader
from fwbio.cards.equations import AT_ONCE
from fwbio.claims.mean_field import CARDS, Events

ROUND_OFF = 4e-15  # some tens of roundings of numbers up to 1
taus = st.one_of(st.just(AT_ONCE), st.floats(1e-4, 100))
spike_trains = st.lists(st.floats(1e-4, 100), min_size=1, max_size=40)  # intervals, s
releases = st.floats(1e-3, 1)


@cache
def card(convention):
    return reader.read(CARDS[convention])


def events(convention, U, tau_d, tau_f):
    return Events(card(convention), {"U": np.float64(U), "tau_d": np.float64(tau_d), "tau_f": np.float64(tau_f)})


@pytest.mark.parametrize("convention", CARDS)
def test_release_and_resources_stay_in_bounds(convention):
    """U <= u at release <= 1, 0 <= x <= 1, before and after every spike."""

    @settings(derandomize=True, max_examples=300, deadline=None)
    @given(U=releases, tau_d=taus, tau_f=taus, train=spike_trains)
    def holds(U, tau_d, tau_f, train):
        axon = events(convention, U, tau_d, tau_f)
        for gap in train:
            share = axon.read({**axon.states, "x": 1.0})
            assert U - ROUND_OFF <= share <= 1 + ROUND_OFF
            assert -ROUND_OFF <= axon.spike() <= 1 + ROUND_OFF
            assert -ROUND_OFF <= axon.states["x"] <= 1 + ROUND_OFF
            axon.wait(gap)
            assert -ROUND_OFF <= axon.states["x"] <= 1 + ROUND_OFF

    holds()


@pytest.mark.parametrize("convention", CARDS)
def test_what_is_released_is_what_is_lost(convention):
    """Mass balance, which convention D alone breaks, by U (1 - u) x a spike."""
    axon = events(convention, 0.3, 0.4, 0.8)
    for gap in np.random.default_rng(0).exponential(0.1, 50):
        axon.wait(gap)
        before = dict(axon.states)
        surplus = before["x"] - axon.spike() - axon.states["x"]
        expected = 0.3 * (1 - before["u"]) * before["x"] if convention == "D" else 0.0
        assert abs(surplus - expected) <= ROUND_OFF
        assert expected > 0.001 or convention != "D"


@pytest.mark.parametrize("convention", CARDS)
def test_silence_brings_everything_back_to_rest(convention):
    axon, fresh = events(convention, 0.2, 0.2, 1.5), events(convention, 0.2, 0.2, 1.5)
    for _ in range(20):
        axon.spike()
        axon.wait(0.05)
    assert abs(axon.states["x"] - 1) > 0.1
    axon.wait(60.0)
    assert all(abs(axon.states[name] - fresh.states[name]) <= 1e-10 for name in axon.states)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    lam=st.floats(0, 0.999),
    eta=st.floats(0, 5),
    scale=st.floats(0, 5),
    inner=st.integers(0, 3),
    reads=st.sampled_from(["previous", "late"]),
)
def test_fast_weights_stay_in_bounds(seed, lam, eta, scale, inner, reads):
    """|A| <= eta/(1 - lambda) max(h)^2: the geometric sum of the largest write."""
    rng = np.random.default_rng(seed)
    W, x = scale * rng.standard_normal((6, 6)), scale * rng.standard_normal((2, 15, 6))
    found = rnn.run(W, x, gain=1.0, bias=0.1, eps=1e-5, lam=lam, eta=eta, inner=inner, reads=reads, keep=2)
    assert np.abs(found.A).max() <= eta / (1 - lam) * (found.h.max() ** 2) * (1 + 1e-12)
