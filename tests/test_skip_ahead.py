"""Silent synapses skipped ahead: against every step in Brian2, against the closed form by hand, and what cannot be skipped, in words."""

import numpy as np
import pytest

from fwbio import skip_ahead
from fwbio.cards import reader
from fwbio.errors import BadInput
from fwbio.skip_ahead import ahead
from fwbio.spiking import own, pairs

CARD = reader.read("tagging_capture")
P = own.chosen(CARD, None, {}, "")


def states(seed, matrices, cells, axons, calcium=1.1):
    """Synapses here and there: calcium below its thresholds, changes of both signs around theta_tag, cells around theta_pro."""
    rng = np.random.default_rng(seed)
    shape = (matrices, cells, axons)
    h = P["h0"] + P["theta_tag"] * rng.uniform(-1.5, 1.5, shape) * rng.uniform(0.2, 1, (matrices, cells, 1))
    return {"c": rng.uniform(0, calcium, shape), "h": h, "z": rng.uniform(-0.2, 0.5, shape), "p": rng.uniform(0, 0.5, shape[:2])}


def crossed(start, end):
    """Synapses that lost their tag, cells whose sum fell below theta_pro."""
    tags, sums = ([f(s) for s in (start, end)] for f in (lambda s: np.abs(s["h"] - P["h0"]) >= P["theta_tag"], sums_above))
    return (tags[0] & ~tags[1]).sum(), (sums[0] & ~sums[1]).sum()


def sums_above(s):
    return np.abs(s["h"] - P["h0"]).sum(axis=-1) >= P["theta_pro"]


def against_every_step(start, duration, target):
    """The largest error of each state, relative to its largest value."""
    silence = [np.zeros((len(start["h"]), n)) for n in (start["h"].shape[2], start["h"].shape[1])]
    full = pairs.matrices(CARD, start, silence, duration, 2e-4, target=target)
    skipped = {k: v[-1] for k, v in ahead(CARD, start, [duration]).items()}
    assert all(np.abs(full[k] - start[k]).max() > 0 for k in start)
    return full, {k: np.abs(skipped[k] - full[k]).max() / np.abs(full[k]).max() for k in "hzp"} | {
        "c": np.abs(skipped["c"] - full["c"]).max()
    }


def test_a_short_silence_is_that_of_every_step():
    """Brian2's own error: one step's delay of the pool, dt/tau_p/p, 4e-7; crossings to one step."""
    start = states(0, 1, 3, 4)
    start["h"].flat[:4] = P["h0"] + P["theta_tag"] * (1 + np.array([1, 2, 3, 4]) * 1e-4)  # these lose their tag in 0.7 to 2.8 s
    full, off = against_every_step(start, 3.0, "numpy")
    assert crossed(start, full)[0] >= 4 and max(off.values()) <= 1e-6, off


@pytest.mark.full
def test_an_hour_of_silence_is_that_of_every_step():
    full, off = against_every_step(start := states(2, 2, 8, 6), 3600.0, "cpp_standalone")
    tags, sums = crossed(start, full)
    assert tags >= 5 and sums >= 2 and max(off.values()) <= 1e-6, off


def test_the_error_falls_with_the_square_of_the_step(monkeypatch):
    """Two hours, thresholds crossed, even steps: of 32 s against 8 s, each against 1 s, root mean square: second order is a sixteenth."""
    monkeypatch.setattr(skip_ahead, "FIRST", 1e3)
    start, hours = states(3, 1, 10, 10), [2 * 3600.0]
    fine, *coarse = (ahead(CARD, start, hours, longest=step)["z"] for step in (1.0, 32.0, 8.0))
    errors = [np.sqrt(np.mean((z - fine) ** 2)) for z in coarse]
    assert 0 < errors[1] <= errors[0] / 8 and errors[1] <= 1e-6, errors


def test_one_synapse_goes_as_by_hand():
    """d exp(-t/T); a tag until t_g; proteins made all along: z = 1 - exp(-(t_g - tau_p (1 - exp(-t_g/tau_p)))/tau_z)."""
    d, T, times = 1.5 * P["theta_tag"], P["tau_h"] / 0.1, np.array([60.0, 1800.0, 3600.0])
    found = ahead(CARD, {"c": np.zeros((1, 5)), "h": np.full((1, 5), P["h0"] + d), "z": np.zeros((1, 5)), "p": np.zeros(1)}, times)
    tagged = np.minimum(times, T * np.log(1.5))
    z = -np.expm1(-(tagged - P["tau_p"] * -np.expm1(-tagged / P["tau_p"])) / P["tau_z"])
    assert 5 * d * np.exp(-3600 / T) > P["theta_pro"] and tagged[-1] < times[-1]
    assert np.abs(found["h"][:, 0, 0] / (P["h0"] + d * np.exp(-times / T)) - 1).max() <= 1e-12
    assert (
        np.abs(found["z"][:, 0, 0] / z - 1).max() <= 1e-5 and np.abs(found["p"][:, 0] / -np.expm1(-times / P["tau_p"]) - 1).max() <= 1e-12
    )


def test_calcium_above_its_thresholds_moves_h_as_by_hand():
    """c from 5: above theta_p until t_p, above theta_d until t_d; h relaxes at one constant rate after the other."""
    found = ahead(CARD, {"c": np.full((1, 1), 5.0), "h": np.full((1, 1), P["h0"]), "z": np.zeros((1, 1)), "p": np.zeros(1)}, [0.5])
    t_p, t_d = (P["tau_c"] * np.log(5 / P[k]) for k in ("theta_p", "theta_d"))
    h = P["h0"]
    for lasts, up, down in ((t_p, P["gamma_p"], P["gamma_d"]), (t_d - t_p, 0, P["gamma_d"]), (0.5 - t_d, 0, 0)):
        rate = 0.1 + up + down
        goal = (0.1 * P["h0"] + up * P["h_max"]) / rate
        h = goal + (h - goal) * np.exp(-rate * lasts / P["tau_h"])
    assert abs(h / P["h0"] - 1) > 0.04 and abs(found["h"].item() / h - 1) <= 1e-5


def test_a_fast_weight_decays_with_its_own_set():
    found = ahead(reader.read("hebbian"), {"A": np.ones((2, 2))}, [96.0], set="Erickson_fast")
    assert np.abs(found["A"] - np.exp(-1)).max() <= 1e-12


@pytest.mark.parametrize(
    "ode, says",
    [
        (["dA/dt = -A*A/tau : 1"], "not linear in A"),
        (["dA/dt = -A/tau + B/tau : 1", "dB/dt = A/tau - B/tau : 1"], "A, B depend on each other in a circle"),
    ],
)
def test_what_cannot_be_skipped_is_said(ode, says):
    card = reader.read("hebbian")
    card["spiking"]["ode"] = ode
    with pytest.raises(BadInput, match=says):
        ahead(card, {"A": np.ones((1, 1)), "B": np.ones((1, 1))}, [1.0])


def test_matrices_come_back_as_they_were_laid_out():
    """Axon 1 of matrix 0 and cell 2 of matrix 1 fire: calcium where they end, nowhere else; the fast weight where both meet, and so on."""
    start = {
        "c": np.zeros((2, 3, 4)),
        "h": np.full((2, 3, 4), P["h0"]),
        "z": np.zeros((2, 3, 4)),
        "p": np.zeros((2, 3)),
        "A": np.zeros((2, 3, 4)),
    }
    rates = [np.zeros((2, 4)), np.zeros((2, 3))]
    rates[0][0, 1], rates[1][0], rates[1][1, 2] = 400, 100, 400
    rates[1][0, 0] = 0
    fast = ("hebbian", {"set": "Erickson_fast", "r0": "100 Hz", "write_gain": "10 Hz"})
    end = pairs.matrices(CARD, start, rates, 0.1, 1e-3, seed=1, fast=fast)
    fires = np.zeros((2, 3, 4), bool)
    fires[0, :, 1] = fires[1, 2] = True
    assert (end["c"][fires] > 0).all() and not end["c"][1, :2].any() and not end["c"][0, 0, [0, 2, 3]].any()
    written = end["A"] != 0
    assert written[0, 1:, 1].all() and written.sum() == 2 and np.ptp(end["A"][0, 1:, 1]) == 0
