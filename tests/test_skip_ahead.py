"""Silence skipped is silence integrated: the card's own equations by Brian2, step by step, noise off."""

import numpy as np
import pytest

from fwbio import skip_ahead
from fwbio.cards import reader
from fwbio.errors import BadInput
from fwbio.spiking import pairs

CARD = reader.read("tagging_capture")
h0, MV = 4.20075e-3, 1e-3


def after_a_tetanus(cells=3, axons=3):
    """Early phases on both sides of theta_tag, above and below rest, sums on both sides of theta_pro; calcium still above its thresholds."""
    shape = (1, cells, axons)
    h = h0 + np.linspace(-1.5, 3.0, cells * axons).reshape(shape) * MV
    return {"h": h, "z": np.linspace(0, 0.3, h.size).reshape(shape), "c": np.full(shape, 4.0), "p": np.full(shape[:2], 0.2)}


def integrated(states, seconds, dt, target="numpy"):
    silent = [np.zeros((1, states["h"].shape[2])), np.zeros((1, states["h"].shape[1]))]
    return pairs.matrices(CARD, states, silent, seconds, dt, target=target, sigma_pl="0 mV")


def worst(one, other):
    scale = {"h": h0, "z": 1.0, "p": 1.0, "c": 1.0}
    return max(float(np.abs(one[name] - other[name]).max()) / scale[name] for name in scale)


def test_half_a_second_of_silence():
    """Calcium falls through both thresholds. Bound: the integrated crossing is late by up to a step, and h moves by 1 mV/s more or less there."""
    states, dt = after_a_tetanus(), 1e-4
    full = integrated(states, 0.5, dt)
    skipped = {name: value[0] for name, value in skip_ahead.ahead(CARD, states, [0.5]).items()}
    moved = (1645.6 * (10 * MV - states["h"].min()) + 313.1 * states["h"].max()) / 688.4  # V/s, the fastest
    assert np.abs(full["h"] - states["h"]).max() > 0.02 * MV
    assert worst(full, skipped) <= 3 * dt * moved / h0


@pytest.mark.full
def test_an_hour_of_silence_at_a_fifth_of_a_millisecond():
    """18 million steps of Brian2 in C++; calcium at rest, thresholds of tag and proteins crossed. Bound 1e-6 of h0, and of z, p."""
    states = after_a_tetanus() | {"c": np.zeros((1, 3, 3))}
    full = integrated(states, 3600.0, 2e-4, "cpp_standalone")
    skipped = {name: value[0] for name, value in skip_ahead.ahead(CARD, states, [3600.0]).items()}
    assert np.abs(full["z"] - states["z"]).max() > 0.1 and np.abs(full["h"] - states["h"]).max() > MV
    assert worst({k: full[k] for k in full}, skipped) <= 1e-6


def test_steps_of_ten_seconds_are_short_enough():
    """The simulation's steps against steps of half a second, over eight hours: second order, so a four-hundredth would stay."""
    states, times = after_a_tetanus() | {"c": np.zeros((1, 3, 3))}, [600.0, 3600.0, 8 * 3600.0]
    coarse, fine = (skip_ahead.ahead(CARD, states, times, longest=longest) for longest in (10.0, 0.5))
    assert worst(coarse, fine) <= 1e-5
    longer = skip_ahead.ahead(CARD, states, times, longest=40.0)
    assert worst(longer, fine) > worst(coarse, fine)


def test_known_decays():
    """h by one exponential, c gone, z of a synapse below its tag unmoved; a wrong tau is noticed."""
    states = after_a_tetanus() | {"c": np.full((1, 3, 3), 1.0)}
    found = skip_ahead.ahead(CARD, states, [7200.0])
    wanted = h0 + (states["h"] - h0) * np.exp(-0.1 * 7200 / 688.4)
    assert np.abs(found["h"][0] - wanted).max() <= 1e-9 * h0
    doubled = skip_ahead.ahead(CARD, states, [7200.0], tau_h="1376.8 s")
    assert np.abs(doubled["h"][0] - wanted).max() > 0.1 * MV
    quiet = np.abs(states["h"] - h0) < 0.84 * MV
    assert quiet.any() and np.array_equal(found["z"][0][quiet], states["z"][quiet])


def test_an_equation_that_is_not_linear_is_refused():
    wrong = {**CARD, "spiking": {**CARD["spiking"], "ode": [text.replace("-c/tau_c", "-c**2/tau_c") for text in CARD["spiking"]["ode"]]}}
    with pytest.raises(BadInput, match="not linear in c"):
        skip_ahead.ahead(wrong, after_a_tetanus(), [1.0])
