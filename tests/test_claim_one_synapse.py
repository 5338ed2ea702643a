"""Release of one synapse, spike by spike: the claim holds, its oracles are right, and a wrong card is found out."""

import numpy as np
import pytest

from fwbio.cards import reader
from fwbio.claims import one_synapse
from fwbio.errors import BadInput
from fwbio.spiking import axon

STEADY = {  # steady release at 5, 10, 20, 50 Hz, computed elsewhere, four digits
    "Mongillo": (0.4805, 0.3572, 0.2150, 0.0947),
    "TM98_depressing": (0.1811, 0.1051, 0.0571, 0.0241),
    "TM98_facilitating": (0.0874, 0.1347, 0.1655, 0.1218),
    "E1": (0.4180, 0.3398, 0.2154, 0.0970),
    "E2": (0.1454, 0.0979, 0.0596, 0.0277),
    "E3": (0.3014, 0.2241, 0.1344, 0.0585),
}


@pytest.fixture(scope="module")
def quick():
    return one_synapse.measure()


@pytest.mark.slow
def test_the_claim_holds(quick):
    assert [finding.claim for finding in quick if finding.verdict != "holds"] == []
    assert {"numpy", "cpp_standalone"} <= {word.rstrip(":") for finding in quick for word in finding.claim.split()}
    assert all(finding.data["error"].size >= 2000 for finding in quick if "error" in finding.data)


@pytest.mark.full
def test_the_claim_holds_at_full_size():
    assert [finding.claim for finding in one_synapse.measure(full=True) if finding.verdict != "holds"] == []


@pytest.mark.slow
def test_the_figure_has_units_and_says_what_fails(quick):
    figure = one_synapse.draw(quick)
    assert all("(" in axis.get_xlabel() and "(" in axis.get_ylabel() for axis in figure.axes)
    assert "failure" in figure.get_supxlabel() and all(axis.lines for axis in figure.axes)


def mutate(monkeypatch, name, key, value):
    right = reader.read

    def mutated(card):
        tables = right(card)
        if card == name:
            tables["spiking"][key] = value
        return tables

    monkeypatch.setattr(reader, "read", mutated)


@pytest.mark.parametrize(
    ("convention", "key", "wrong"),
    [
        ("B", "write", ["u += U*(1 - u)"]),  # x not depleted
        ("A", "read", "I_post += read_gain*w*u*x/(n*r0)"),  # A's u before its jump
        ("A", "write", ["x += -u*x", "u += U*(1 - u)"]),  # A depletes by u before its jump
        ("C", "ode", ["du/dt = -u/tau_f : 1", "dx/dt = (1 - x)/tau_d : 1"]),  # C relaxes to 0
        ("D", "write", ["x += -u*x", "u += U*(1 - u)"]),  # D with its mass balance mended is B
    ],
)
def test_a_wrong_card_is_found_out(convention, key, wrong, monkeypatch):
    mutate(monkeypatch, one_synapse.CARDS[convention], key, wrong)
    found = one_synapse.each_spike("numpy", convention, spikes=10)
    assert "fails" in [finding.verdict for finding in found]


@pytest.mark.parametrize("name", STEADY)
def test_closed_form_and_recursion_against_the_published_table(name):
    U, tau_d, tau_f = (float(v[0]) for v in axon.values(reader.read("tsodyks_markram"), SETS[name]).values())
    for rate, printed in zip(one_synapse.RATES, STEADY[name], strict=True):
        exact = one_synapse.closed_form(U, tau_d, tau_f, rate)
        assert abs(exact - printed) <= 5.1e-5
        assert abs(one_synapse.recursion("B", U, tau_d, tau_f, np.arange(45 * rate) / rate)[-1] / exact - 1) <= 1e-10


SETS = reader.read("tsodyks_markram")["sets"]


def test_conventions_differ_where_they_should():
    times = np.cumsum(np.random.default_rng(0).exponential(0.1, 200))
    A, B, C, D = (np.array(one_synapse.recursion(c, 0.2, 0.2, 1.5, times)) for c in "ABCD")
    assert np.abs(A - B).max() <= 1e-14
    assert np.abs(C - B).max() > 0.1 and np.abs(D - B).max() > 0.05


def test_no_facilitation_is_the_limit_itself():
    """tau_f = 0 gives u = U exactly at every spike, one step apart or many, in both forms; with every x = 1 (tau_d = 0), no plasticity."""
    card = reader.read("tsodyks_markram")
    given = axon.values(card, {"U": "0.3", "tau_f": "0 ms", "tau_d": "0 ms"}, {"U": "0.3", "tau_f": "0 ms", "tau_d": "500 ms"})
    train = np.array([0, 1, 2, 50, 51, 400])
    seen = axon.release({"one": card}, {"one": given}, [train, train], 1e-4)
    depression = one_synapse.recursion("B", 0.3, 0.5, 0.0, train * 1e-4)
    for form in axon.FORMS:
        assert np.array_equal(seen["one", form][0], np.full(6, 0.3))
        assert np.abs(seen["one", form][1] - depression).max() <= 1e-14


def test_the_callers_brian2_is_not_touched():
    import brian2

    before = (brian2.get_device(), brian2.prefs.codegen.target, brian2.defaultclock.dt)
    card = reader.read("tsodyks_markram")
    axon.release({"one": card}, {"one": axon.values(card)}, [np.arange(3)], 1e-3)
    assert before == (brian2.get_device(), brian2.prefs.codegen.target, brian2.defaultclock.dt)


@pytest.mark.parametrize("train", [[3, 3], [5, 2], [-1, 4], [0.5, 1.5]])
def test_trains_that_cannot_be_run_are_refused(train):
    card = reader.read("tsodyks_markram")
    with pytest.raises(BadInput, match="rising whole numbers"):
        axon.release({"one": card}, {"one": axon.values(card)}, [np.array(train)], 1e-3)


def test_a_set_with_a_name_that_is_no_parameter_is_refused():
    with pytest.raises(BadInput, match="tau_fac"):
        axon.values(reader.read("tsodyks_markram"), {"tau_fac": "1 s"})
