"""Circuits in spikes: wiring, steps, delays and trains come out as the card says, and the reduction changes nothing.

Tiny circuits on Brian2's NumPy target. Random checks have fixed seeds and bounds of four standard errors: by chance a correct
program fails one of them in 6e-5 of all seeds.
"""

import numpy as np
import pytest

import fwbio
from fwbio import circuit
from fwbio.errors import BadInput

ROUND_OFF = 1e-10
NO_NOISE = {"tau_m": "10 ms", "V_th": "1 V", "V_r": "0 mV", "sigma": "0 mV"}  # far below threshold: a membrane and nothing else
DT, TAU = 1e-4, 0.01


def spikes(model, seed=3, **options):
    return circuit.run(model, "spiking", seed=seed, target="numpy", **{"wiring": True, **options})


def steps_of(run, population):
    t, i = run.spikes[population]
    return np.round(t / run.circuit.dt).astype(int), i


# --- the reduction ---------------------------------------------------------------------------------------------------------


def hard_driven(small):
    """EE delays up to 2 ms, the refractory time; item1 driven so hard that it fires again as soon as it can."""
    alone = {"population.I": None, "projection.IE": None, "projection.EI": None, "protocol.duration": "60 ms"}
    return small({**alone, "projection.EE.delay": {"low": "0.1 ms", "high": "2 ms"}, "protocol.step.cue.factor": 40.0})


def test_plain_and_reduced_fire_the_same_spikes_and_release_the_same(small):
    model = hard_driven(small)
    reduced, plain = spikes(model), spikes(model, plain=True)
    (step, i), (other, j) = steps_of(reduced, "E"), steps_of(plain, "E")
    assert len(step) > 300 and np.array_equal(step, other) and np.array_equal(i, j)
    order = np.lexsort((step, i))
    intervals = np.diff(step[order])[np.diff(i[order]) == 0]
    assert intervals.min() == 20  # exactly the refractory time, as legality assumes: no shorter, and as short as that
    assert np.abs(reduced.arrays["E.V"] - plain.arrays["E.V"]).max() <= ROUND_OFF * 1e-3
    a, b = reduced.arrays, plain.arrays
    assert np.array_equal(a["EE.pre"], b["EE.pre"]) and np.array_equal(a["EE.w"], b["EE.w"])
    last = np.full(60, -1)
    np.maximum.at(last, a["E.i"], np.round(a["E.t"] / DT).astype(int))
    arrived = (last[a["EE.pre"]] > 0) & (last[a["EE.pre"]] + np.round(a["EE.delay"] / DT) <= round(model.duration / DT))
    u, x = (a[f"EE.last_{s}"][a["EE.pre"]][arrived] for s in "ux")  # as the last spike found them; the plain form's are as it left them
    after = u + 0.2 * (1 - u)
    assert arrived.sum() > 400 and np.ptp(u) > 0.3
    assert np.abs(after - b["EE.last_u"][arrived]).max() <= ROUND_OFF
    assert np.abs(x - after * x - b["EE.last_x"][arrived]).max() <= ROUND_OFF


@pytest.mark.slow
def test_another_seed_gives_another_circuit(small):
    model = hard_driven(small)
    a, b = spikes(model, seed=3), spikes(model, seed=4)
    assert not np.array_equal(a.arrays["EE.pre"], b.arrays["EE.pre"]) and not np.array_equal(a.spikes["E"][0][:99], b.spikes["E"][0][:99])


def test_the_plain_form_says_what_it_cannot_do(small):
    wiping = small({"protocol.step.cue": {"target": "E", "start": "1 ms", "wipe": ["EE.u"]}})
    with pytest.raises(BadInput, match="wipes what lives on axons"):
        spikes(wiping, plain=True)
    with pytest.raises(BadInput, match="synapses with a u and an x each"):
        circuit.run(fwbio.load("mongillo"), "spiking", plain=True)


# --- wiring ----------------------------------------------------------------------------------------------------------------


def test_wiring_is_what_the_card_says(small):
    larger = {"population.E.size": 300, "population.E.groups.item": {"count": 2, "size": 100}, "projection.EE.connect": {"indegree": 60}}
    run = spikes(small({**larger, "protocol.duration": "5 ms", "protocol.step": {}}))
    a = run.arrays
    pre, post, w = a["EE.pre"], a["EE.post"], a["EE.w"]
    assert np.array_equal(np.bincount(post, minlength=300), np.full(300, 60)) and len(set(zip(pre, post))) == len(pre)
    assert not np.any(pre == post) and np.abs(np.bincount(pre, minlength=300) - 60).max() < 4.5 * 60**0.5  # binomial, 300 of them
    group = np.repeat([0, 1, 2], 100)
    within = (group[post] < 2) & (group[pre] == group[post])
    assert np.all(w[within] == 2e-3) and np.all(w[(group[post] < 2) & ~within] == 5e-4)
    onto_rest = w[group[post] == 2]
    assert set(onto_rest) == {2e-3, 5e-4} and abs((onto_rest == 2e-3).mean() - 0.3) < 4 * (0.21 / len(onto_rest)) ** 0.5
    delay = a["EE.delay"]
    assert delay.min() >= 1e-4 and delay.max() <= 1e-3 and abs(delay.mean() - 5.5e-4) < 4 * 9e-4 / (12 * len(delay)) ** 0.5
    assert abs(len(a["IE.pre"]) / 4500 - 0.5) < 4 * 0.5 / 4500**0.5 and np.all(a["IE.w"] == 5e-4)
    assert len(set(zip(a["EI.pre"], a["EI.post"]))) == 15 * 300  # all


@pytest.mark.slow
def test_self_connections_are_made_if_the_card_says_so(small):
    one = {
        "population.I": None,
        "projection.IE": None,
        "projection.EI": None,
        "protocol.duration": "1 ms",
        "record.every": "1 ms",
        "protocol.step": {},
    }
    for rule in ("all", {"p": 1.0}, {"indegree": 60}):
        a = spikes(small({**one, "projection.EE.connect": rule, "projection.EE.self": True})).arrays
        assert len(a["EE.pre"]) == 3600 and np.sum(a["EE.pre"] == a["EE.post"]) == 60
    a = spikes(small({**one, "projection.EE.connect": {"indegree": 59}})).arrays
    assert np.sum(a["EE.pre"] == a["EE.post"]) == 0 and np.array_equal(np.bincount(a["EE.post"]), np.full(60, 59))


# --- steps -----------------------------------------------------------------------------------------------------------------


def membranes(small, steps, **more):
    """Last potentials of 60 membranes without noise, threshold or synapses."""
    quiet = {"population.I": None, "projection": {}, "population.E.bind": NO_NOISE, "population.E.background": "10 mV"}
    return spikes(small({**quiet, "protocol.duration": "60 ms", "record.every": "10 ms", "protocol.step": steps, **more}))


def test_steps_multiply_the_background_of_whom_they_mean_and_while_they_last(small):
    steps = {
        "up": {"target": "E", "factor": 1.5, "start": "20 ms", "length": "20 ms"},
        "item": {"target": "E.item2", "factor": 2.0, "start": "30 ms"},
        "few": {"target": "E.rest", "factor": 3.0, "share": 0.25, "start": "40 ms", "length": "20 ms"},
    }
    run = membranes(small, steps)
    few = run.circuit.steps["few"].members(run.circuit.populations["E"], np.random.default_rng(np.random.SeedSequence(3, spawn_key=(2,))))
    assert few.sum() == 5

    def last(background):  # Euler's scheme, a time step at a time, from the first potential: forgotten by e^-6
        v = 0.0
        for k in range(601):
            v += DT / TAU * (background(k) - v)
        return v

    in_up = lambda k: 1.5 if 200 <= k < 400 else 1.0  # noqa: E731
    wanted = np.full(60, last(lambda k: 0.01 * in_up(k)))
    wanted[20:40] = last(lambda k: 0.01 * in_up(k) * (2.0 if k >= 300 else 1.0))
    wanted[few == 1] = last(lambda k: 0.01 * in_up(k) * (3.0 if 400 <= k < 600 else 1.0))
    start = 1.0 * (1 - DT / TAU) ** 601  # V starts somewhere between 0 and V_th
    assert np.all(run.arrays["E.V"] >= wanted - 1e-12) and np.all(run.arrays["E.V"] <= wanted + start + 1e-12)
    assert np.ptp(wanted) > 0.01 > 3 * start


@pytest.mark.slow
def test_membranes_are_wiped_at_their_time(small):
    run = membranes(small, {"off": {"target": "E.item1", "wipe": ["V"], "start": "60 ms"}}, **{"protocol.duration": "60.1 ms"})
    later = membranes(small, {"off": {"target": "E.item1", "wipe": ["V"], "start": "20 ms"}})
    assert np.all(np.abs(run.arrays["E.V"][20:] - 0.01) < 0.003) and np.std(run.arrays["E.V"][:20]) > 0.15  # rand()*V_th again
    assert np.std(later.arrays["E.V"][:20]) < 0.03


# --- trains, delays and what is released -----------------------------------------------------------------------------------

TRAIN = {0: [3, 60, 80, 300, 320], 1: [100], 3: [20, 40, 60, 80, 100, 120]}  # steps


def driven(small, tmp_path, **more):
    """Four given trains, each onto every one of two membranes, with Tsodyks-Markram synapses."""
    t, i = np.array([(s * DT, k) for k, train in TRAIN.items() for s in train]).T
    order = np.argsort(t, kind="stable")
    np.savez(tmp_path / "own.npz", t=t[order], i=i[order].astype(int))
    cells = {
        "population": {"in": {"size": 4, "spikes": "own.npz"}, "out": {"size": 2, "neuron": "lif", "bind": NO_NOISE, "background": "0 mV"}}
    }
    wire = {"from": "in", "to": "out", "synapse": "tsodyks_markram_a", "into": "V", "connect": "all", "delay": "2 ms", "weight": "3 mV"}
    return small({**cells, "projection": {"one": wire}, "protocol.step": {}, "protocol.duration": "40 ms", **more})


def released(train, until, U=0.2, tau_d=0.2, tau_f=1.5):
    """What each spike of a train before ``until`` releases: Tsodyks, Pawelzik & Markram (1998), u as it is after the jump."""
    found, u, x, before = {}, 0.0, 1.0, 0
    for s in train:
        u, x = u * np.exp(-(s - before) * DT / tau_f), 1 - (1 - x) * np.exp(-(s - before) * DT / tau_d)
        u += U * (1 - u)
        found[s], x, before = u * x, x - u * x, s
    return {s: r for s, r in found.items() if s < until}


def test_given_trains_come_out_as_given_and_deliver_what_the_axon_released_after_the_delay(small, tmp_path):
    run = spikes(driven(small, tmp_path))
    step, i = steps_of(run, "in")
    assert {k: sorted(step[i == k]) for k in set(i)} == TRAIN
    a = 1 - DT / TAU
    arrivals = [(s + 20, r) for train in TRAIN.values() for s, r in released(train, 400 - 20).items()]
    wanted = sum(3e-3 * r * a ** (400 - s) for s, r in arrivals)  # arrives in step s; the last step is number 400
    start = a**401  # the membranes start between 0 and V_th = 1 V
    out = run.arrays["out.V"]
    assert wanted > 5e-4 and np.all(out >= wanted - 1e-12) and np.all(out <= wanted + start)
    assert out[0] - out[1] == pytest.approx(
        (first := spikes(driven(small, tmp_path, **{"projection": {}})).arrays["out.V"])[0] - first[1], abs=1e-15
    )
    assert out - first == pytest.approx(wanted, rel=1e-10)  # linear: what remains of the start is taken away


def test_a_delay_equal_to_the_shortest_interval_still_finds_its_own_value(small, tmp_path):
    """TRAIN has intervals of 20 steps, the delay is 20 steps; one more is refused (and would deliver the next spike's value)."""
    with pytest.raises(BadInput, match="in may fire again after 2 ms"):
        driven(small, tmp_path, **{"projection.one.delay": "2.1 ms"})


@pytest.mark.slow
def test_what_is_wiped_is_gone_for_the_axons_that_are_meant(small, tmp_path):
    def last(wipe):
        cells = {"population.E.bind": NO_NOISE, "population.E.background": "0 mV"}
        step = {"protocol.step": {"off": {"target": "E.item1", "start": "30 ms", "wipe": wipe}} if wipe else {}}
        wire = {"from": "in", "to": "E", "synapse": "static", "into": "V", "connect": "all", "delay": "1 ms", "weight": "20 V"}
        own = {"population.in": {"size": 1, "spikes": "own.npz"}, "projection.go": wire, "protocol.duration": "45 ms"}
        alone = {
            "population.I": None,
            "projection.IE": None,
            "projection.EI": None,
            "projection.EE.connect": "all",
            "projection.EE.delay": "2 ms",
        }
        np.savez(tmp_path / "own.npz", t=np.array([0.01, 0.02, 0.04]), i=np.array([0, 0, 0]))
        return spikes(small({**cells, **step, **own, **alone, "population.E.bind": {**NO_NOISE, "tau_m": "1 ms"}}))

    kept = last([])
    means = kept.states["EE"]
    assert means["u"]["E.item1"][5] == means["u"]["E.rest"][5] > 0.3
    assert len(kept.spikes["E"][0]) == 180
    gone = last(["EE.u"]).states["EE"]["u"]
    assert (
        gone["E.item1"][6] == 0.0
        and gone["E.rest"][6] > 0.3
        and np.allclose(gone["E.item2"], means["u"]["E.item2"], rtol=0, atol=ROUND_OFF)
    )
    silent = last(["EE.w"]).arrays["E.V"] - kept.arrays["E.V"]
    assert np.all(silent < 0)  # what item1 sends after 30 ms is lost to everybody


def test_group_means_of_axons_follow_the_trains(small, tmp_path):
    run = spikes(driven(small, tmp_path, **{"population.in.groups": {"a": {"count": 1, "size": 3}}}))
    u = run.states["one"]["u"]

    def at(train, k):
        value, before = 0.0, 0
        for s in [s for s in train if s < k]:
            value = value * np.exp(-(s - before) * DT / 1.5)
            value, before = value + 0.2 * (1 - value), s
        return value * np.exp(-(k - before) * DT / 1.5)

    samples = np.arange(0, 401, 50)
    wanted = [np.mean([at(TRAIN.get(n, []), k) for n in (0, 1, 2)]) for k in samples]
    assert u["in.a"] == pytest.approx(wanted, abs=1e-12) and u["in.rest"] == pytest.approx([at(TRAIN[3], k) for k in samples], abs=1e-12)


def test_rates_are_counts(small):
    run = spikes(small({"protocol.duration": "50 ms"}))
    t, i = run.spikes["E"]
    assert len(t) > 50
    assert run.mean_rate("E.item1", 0.0, 0.05) == pytest.approx(np.sum(i < 20) / 20 / 0.05)
    for group, (first, last) in {"E.item1": (0, 20), "E.rest": (40, 60)}.items():
        assert run.rate[group].sum() * 0.005 * (last - first) == pytest.approx(np.sum((i >= first) & (i < last)))


def test_compare_as_it_is_typed_takes_a_circuit(monkeypatch, tmp_path):
    """No option of fast-weight networks is on by itself: the command gets as far as running the circuit; one that is typed is refused."""
    from click.testing import CliRunner

    from fwbio.cli import main

    def run(*_args, **_options):
        raise BadInput("this far")

    monkeypatch.setattr("fwbio.circuit.run", run)
    monkeypatch.chdir(tmp_path)
    assert "this far" in CliRunner().invoke(main, ["compare", "mongillo"]).output
    assert "--budget: this is for fast-weight networks" in CliRunner().invoke(main, ["compare", "mongillo", "--budget"]).output
