"""The ladder: the blind fit finds its time constants, Poisson means are exact, and a wrong card or a missing component is noticed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fwbio.cards import reader
from fwbio.claims import ladder
from fwbio.spiking import axon


@pytest.fixture(scope="module")
def quick():
    return ladder.measure()


def test_it_holds(quick):
    assert [f.claim for f in quick if f.verdict != "holds"] == []
    assert sum("fitted blind" in f.claim for f in quick) == 5


@pytest.mark.full
def test_it_holds_at_full_size():
    assert [f.claim for f in ladder.measure(full=True) if f.verdict != "holds"] == []


def test_the_figure_has_units_and_says_what_fails(quick):
    figure = ladder.draw(quick)
    assert all("(" in axis.get_xlabel() and "(" in axis.get_ylabel() for axis in figure.axes)
    assert "failure" in figure.get_supxlabel() and all(axis.lines for axis in figure.axes)


def decays(kind, values, t, without=None):
    """log g over g_0 with these time constants, sizes chosen here; one component may be missing."""
    size = {"enhancement": [0.9, 0.5, 0.8, 0.7], "depression": [0.7, 0.3, 0.4]}[kind]
    form, n = ladder.FORMS[kind]
    size = np.array([1e-12 if k == without else s for k, s in enumerate(size)])
    first = np.log(size) if kind == "enhancement" else np.log(size / (1 - size))
    return form(np.concatenate([first, np.log(values)]), t)


@pytest.mark.parametrize(("kind", "name"), [("enhancement", "PTP_60"), ("depression", "depression")])
def test_a_time_constant_that_is_doubled_or_missing_is_found_out(kind, name):
    """What is fitted is the data's, not the card's: a decay with another tau gives that tau, and the claim fails."""
    card = reader.read("ladder")
    right = axon.values(card, card["sets"][name])
    values, t = np.array([right[key][0] for key in ladder.TAUS[kind]]), np.geomspace(0.01, 600, 60)
    assert ladder.blind(card, kind, name, t, decays(kind, values, t)).verdict == "holds"
    for k in range(len(values)):
        wrong = values.copy()
        wrong[k] *= 1.25
        found = ladder.blind(card, kind, name, t, decays(kind, wrong, t))
        assert found.verdict == "fails" and abs(found.figure - 0.25) < 0.01
        assert ladder.blind(card, kind, name, t, decays(kind, values, t, without=k)).verdict == "fails"


def test_exact_means_have_their_known_limits():
    """One state alone obeys its own equation; without spikes the first release stays U."""
    card = reader.read("ladder")
    values = {key: float(v[0]) for key, v in axon.values(card, {**card["sets"]["depression"], "d2": "0", "d3": "0"}).items()}
    rate, t = 20.0, 0.7
    decay = 1 / values["tau_1"] + rate * values["d1"]
    end = 1 / values["tau_1"] / decay
    assert abs(ladder.exact(card, values, rate, t) / values["U"] - (end + (1 - end) * np.exp(-decay * t))) <= 1e-12
    assert abs(ladder.exact(card, values, 0.0, t) - values["U"]) <= 1e-15


@pytest.mark.parametrize(("key", "old", "new"), [("write", "D1 += -d1*D1", "D1 += -1.3*d1*D1"), ("ode", "-F2/tau_F2", "-F2/(4*tau_F2)")])
def test_another_spiking_form_does_not_have_the_exact_means(key, old, new):
    card = reader.read("ladder")
    wrong = {**card, "spiking": {**card["spiking"], key: [text.replace(old, new) for text in card["spiking"][key]]}}
    assert wrong["spiking"][key] != card["spiking"][key]
    values = {k: float(v[0]) for k, v in axon.values(card).items()}
    right, changed = (np.array([ladder.exact(c, values, rate, 1.0) for rate in ladder.POISSON]) for c in (card, wrong))
    assert np.abs(changed / right - 1).max() > 0.05  # eight standard errors at full size


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    shares=st.lists(st.floats(0, 1), min_size=7, max_size=7),
    levels=st.lists(st.floats(0, 20), min_size=4, max_size=4),
    U=st.floats(1e-3, 1),
    gaps=st.lists(st.floats(1e-4, 100), min_size=1, max_size=30),
)
def test_release_and_pools_stay_in_bounds(shares, levels, U, gaps):
    """0 <= release <= 1, 0 <= D <= 1, 0 <= F <= F_max, for any numbers and any train, through the card's own text."""
    card, names = reader.read("ladder"), ("f1", "f2", "a", "p", "d1", "d2", "d3")
    values = {k: float(v[0]) for k, v in axon.values(card).items()}
    values |= dict(zip(names, shares)) | dict(zip(("F1_max", "F2_max", "A_max", "P_max"), levels)) | {"U": U}
    known = {**values, **dict.fromkeys(("read_gain", "n", "r0", "w"), 1.0)}
    q, tau = {"F1": 0.0, "F2": 0.0, "A": 0.0, "P": 0.0, "D1": 1.0, "D2": 1.0, "D3": 1.0}, {"D1": "tau_1", "D2": "tau_2", "D3": "tau_3"}
    for gap in gaps:
        released = float(READ({**known, **q}))
        assert -1e-15 <= released <= 1 + 1e-15
        for rule in WRITES:
            q[rule] += float(WRITES[rule]({**known, **q}))
        for state in q:
            assert -1e-12 <= q[state] <= (1 if state in tau else values[f"{state}_max"]) + 1e-12
            rest = 1.0 if state in tau else 0.0
            q[state] = rest + (q[state] - rest) * np.exp(-gap / values[tau.get(state, f"tau_{state}")])


def rights():
    from fwbio.cards.equations import split
    from fwbio.rate.equations import Right

    spiking = reader.read("ladder")["spiking"]
    parts = [split(rule, "write") for rule in spiking["write"]]
    return Right(split(spiking["read"], "read")["rhs"], {}), {p["name"]: Right(p["rhs"], {}) for p in parts}


READ, WRITES = rights()
