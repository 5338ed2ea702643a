"""Circuit cards: what is refused and in which words, what is shown, what is planned."""

import numpy as np
import pytest

import fwbio
from fwbio.cards import changes, circuit, new, reader, steps
from fwbio.cards.check import check, circuit_cost
from fwbio.cards.show import show
from fwbio.errors import BadInput

CIRCUITS = [name for name in reader.shipped() if reader.read(name)["kind"] == "circuit"]
STEP = "protocol.step.more"


def refused(function, *args, **options) -> str:
    with pytest.raises(BadInput) as fault:
        function(*args, **options)
    assert "\n" not in str(fault.value)
    return str(fault.value)


@pytest.mark.parametrize("name", CIRCUITS)
def test_a_shipped_circuit_is_built_and_every_exposed_name_can_be_set(name):
    card = reader.read(name)
    told = {short: place[key] for short, full in card["expose"].items() for place, key in [changes.place(card, full)]}
    assert told and fwbio.load(name, set=told).card == card


def test_what_a_set_of_the_synapse_card_says_is_used_and_can_be_changed(small):
    assert small().projections["EI"].synapse.values["tau_d"] == pytest.approx(0.706)
    assert changes.bindable(small().card)["projection.EI.tau_d"] == "706 ms"
    changed = changes.change(small().card, {"projection.EI.tau_d": "50 ms"}, "small.toml")
    values = circuit.build(changed, small().path).projections["EI"].synapse.values
    assert values["tau_d"] == pytest.approx(0.05) and values["tau_f"] == pytest.approx(0.021)


@pytest.mark.parametrize(
    "change, says",
    [
        ({"population.E.siez": 3}, "unknown key 'population.E.siez'; did you mean 'size'?"),
        ({"population.E.size": 0}, "size = 0: use a whole number from 1"),
        ({"population.E.size": 30}, "40 neurons stand in groups and size = 30"),
        ({"population.E.groups": {"rest": {"count": 1, "size": 3}}}, "groups.rest: this name is taken"),
        ({"population.E.neuron": None}, 'give it either neuron = "lif" and a background, or spikes'),
        ({"population.E.neuron": "static"}, "'static' is not a neuron card"),
        ({"population.E.background": None}, "lacks 'background'"),
        ({"population.E.background": "24"}, "background = '24': needs a unit"),
        ({"population.E.background": "24 Hz"}, "wrong unit"),
        ({"population.E.bind.tau_n": "1 ms"}, "bind.tau_n: lif has no such parameter; did you mean 'tau_m'?"),
        ({"population.E.bind.tau_m": "0 ms"}, "lif divides by it"),
        ({"projection.E": {}}, "lacks 'from'"),
        ({"projection.EE.to": "F"}, "projection.EE.to = 'F': no such population"),
        ({"projection.EE.set": "Mongilo"}, "set = 'Mongilo': tsodyks_markram_a has no such set; did you mean 'Mongillo'?"),
        ({"projection.EE.bind": {"tau": "1 s"}}, "bind.tau: tsodyks_markram_a has no such parameter"),
        ({"projection.EE.synapse": "hebbian"}, "tsodyks_markram"),
        ({"projection.EE.synapse": "hebbian_traces"}, "listens to postsynaptic spikes"),
        ({"projection.EE.into": "I"}, "into = 'I': lif has no such state; known here: V"),
        ({"projection.EE.connect": "some"}, "use 'all'"),
        ({"projection.EE.connect": {}}, 'write {indegree = 100}, {p = 0.2} or "all"'),
        ({"projection.EE.connect": {"indegree": 12, "p": 0.5}}, 'write {indegree = 100}, {p = 0.2} or "all"'),
        ({"projection.EE.connect": {"indegree": 60}}, "each target draws from 59 neurons; use 1 to 59"),
        ({"projection.EE.connect": {"p": 1.5}}, "a probability is from 0 to 1"),
        ({"projection.EE.delay": "0 ms"}, "a delay is one step or more"),
        ({"projection.EE.delay": "0.04 ms"}, "below the time step"),
        ({"projection.EE.delay": {"low": "2 ms", "high": "1 ms"}}, "exchange them"),
        ({"projection.EE.delay": "2.1 ms"}, "E may fire again after 2 ms, and a spike carries what its axon releases until the next one"),
        ({"projection.EE.delay": "1 mV"}, "wrong unit"),
        ({"projection.EE.weight": "1 ms"}, "weight.same = '1 ms': wrong unit"),
        ({"projection.EE.weight": "1"}, "needs a unit"),
        ({"projection.EE.weight.share": 2.0}, "a share is from 0 to 1"),
        ({"projection.IE.weight": {"same": "1 mV", "other": "2 mV"}}, "E and I have no group of one name"),
        ({"protocol.duration": "100.05 ms"}, "duration = 100.05 ms is not a multiple of the time step"),
        ({"record.every": "0.25 ms"}, "record.every = 0.25 ms is not a multiple"),
        ({STEP: {"target": "E.item3", "start": "1 ms", "factor": 1.0}}, "did you mean 'E.item"),
        ({STEP: {"target": "E", "start": "1 ms"}}, "give it either factor = 1.15"),
        ({STEP: {"target": "E", "start": "2 s", "factor": 1.1}}, "the protocol ends at 0.1 s"),
        ({STEP: {"target": "E", "start": "0.25 ms", "factor": 1.1}}, "start = 0.25 ms is not a multiple"),
        ({STEP: {"target": "E", "start": "1 ms", "factor": 1.1, "share": 1.5}}, "a share is from 0 to 1"),
        ({STEP: {"target": "E", "start": "1 ms", "wipe": ["v"]}}, "'v' is no state of E or of its axons; did you mean 'V'?"),
        ({STEP: {"target": "I", "start": "1 ms", "wipe": ["EE.u"]}}, "'EE.u' is no state of I"),
        ({STEP: {"target": "E", "start": "1 ms", "wipe": ["V"], "length": "1 ms"}}, "a state is wiped at one time"),
        ({"population.E.spikes": "t.npz"}, "give it either"),
    ],
)
def test_what_makes_no_sense_is_refused(small, change, says):
    assert says in refused(small, change)


@pytest.mark.parametrize("delay", ["2 ms", "0.1 ms"])
def test_delays_up_to_the_shortest_interval_are_allowed(small, delay):
    assert small({"projection.EE.delay": delay}).projections["EE"].delay == (float(delay.split()[0]) / 1e3,) * 2


def test_without_a_refractory_time_one_step_is_the_longest_delay(small):
    poisson = {"population.E.neuron": "poisson", "population.E.bind": None, "population.E.background": "5 Hz"}
    poisson |= {"projection.EE": None, "projection.EI": None}
    assert "may fire again after 0.1 ms" in refused(small, poisson)
    assert small({**poisson, "projection.IE.delay": "0.1 ms"}).populations["E"].background == 5.0


# --- trains of one's own ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arrays, says",
    [
        ({"t": [0.01], "i": [60]}, "i = 60: the population has neurons 0 to 59"),
        ({"t": [0.01], "i": [-1]}, "i = -1"),
        ({"t": [0.01], "i": [1.0]}, "neurons are whole numbers"),
        ({"t": [0.01]}, "array 'i' is missing"),
        ({"t": [0.01, 0.02], "i": [1]}, "one time and one neuron a spike"),
        ({"t": [], "i": []}, "one time and one neuron a spike"),
        ({"t": [np.nan], "i": [1]}, "no finite number"),
        ({"t": [0.02, 0.01], "i": [1, 2]}, "t falls at spike 1; put the spikes in the order of time"),
        ({"t": [-0.01], "i": [1]}, "t = -0.01 s is outside the protocol, 0 to 0.1 s"),
        ({"t": [0.1], "i": [1]}, "outside the protocol"),
        ({"t": [0.01, 0.01002], "i": [1, 1]}, "neuron 1 fires twice at 0.01 s"),
        ({"t": [0.01, 0.0108], "i": [1, 1]}, "E may fire again after 0.8 ms"),
        ({"t": np.array([None]), "i": [1]}, "write it with numpy.savez"),
    ],
)
def test_spike_trains_that_cannot_be_used_are_refused(small, tmp_path, arrays, says):
    np.savez(tmp_path / "own.npz", **{key: np.asarray(value) for key, value in arrays.items()}, allow_pickle=True)
    assert says in refused(small, GIVEN)


GIVEN = {"population.E.neuron": None, "population.E.bind": None, "population.E.background": None, "population.E.spikes": "own.npz"}
GIVEN |= {"projection.EE": None, "projection.EI": None, "protocol.step": {}}


def test_files_of_spikes_stand_beside_the_card(small, tmp_path):
    assert "no such file beside the card" in refused(small, GIVEN)
    assert "plain file name" in refused(small, {**GIVEN, "population.E.spikes": "../own.npz"})
    (tmp_path / "own.npz").write_text("no archive")
    assert "not a plain .npz file" in refused(small, GIVEN)


# --- what is made of a card ------------------------------------------------------------------------------------------------


def test_epochs_are_the_stretches_without_a_change(small):
    more = {STEP: {"target": "E", "start": "50 ms", "factor": 0.9}, "protocol.step.off": {"target": "E", "start": "30 ms", "factor": 1.0}}
    found = steps.epochs(small(more))
    assert [name for name, *_ in found] == ["before", "cue", "cue + more", "more"]
    assert [start for _, start, _ in found] + [found[-1][2]] == pytest.approx([0, 0.02, 0.05, 0.06, 0.1])


def test_a_share_means_so_many_cells_of_the_target_and_no_others(small):
    model = small({STEP: {"target": "E.rest", "start": "1 ms", "factor": 0.9, "share": 0.15}})
    drawn = [model.steps["more"].members(model.populations["E"], np.random.default_rng(seed)) for seed in range(20)]
    assert {int(d.sum()) for d in drawn} == {3} and all(d[:40].sum() == 0 for d in drawn)
    assert len({tuple(d) for d in drawn}) > 15


def test_show_prints_every_value_and_reference(small):
    shown = " ".join(show(small().path).split())
    for text in (
        "60 lif neurons",
        "2 x 20 item",
        "indegree 12",
        "none to itself",
        "p 0.5",
        "all",
        "0.5 ms",
        "-0.4 mV",
        "onto rest 2 mV",
        "share 0.3",
        "set I2",
    ):
        assert text in shown
    assert "doi:10.1126/science.1150769" in shown and "target E.item1, factor 1.5, start 20 ms, length 40 ms" in shown


def test_check_tells_the_cost_and_compiles_nothing(small, monkeypatch):
    assert "fine" in check("mongillo")[0] and "MB" in check("mongillo")[1]
    memory, seconds = circuit_cost(fwbio.load("mongillo"))
    assert 300 < memory < 3000 and 5 < seconds < 90
    monkeypatch.setattr("fwbio.cards.check.free_mb", lambda: 1.0)
    assert "MB are free; use a smaller circuit" in refused(check, small().path)


def test_a_copy_takes_its_spike_trains_along(small, tmp_path):
    (there := tmp_path / "there").mkdir()
    text = small.text.replace(
        'neuron     = "lif"\nbind       = {tau_m = "15 ms", V_r = "16 mV", sigma = "1 mV"}\nbackground = "24 mV"', 'spikes = "own.npz"', 1
    )
    (tmp_path / "small.toml").write_text(text)
    np.savez(tmp_path / "own.npz", t=np.array([0.01]), i=np.array([1]))
    assert {p.name for p in new.copy(str(tmp_path / "small.toml"), "mine", there)} == {"mine.toml", "own.npz"}


@pytest.mark.parametrize("option", [{"neurons": 3}, {"neuron": "lif"}, {"fast": False}])
def test_options_of_networks_are_refused(option):
    assert "is a circuit" in refused(fwbio.load, "mongillo", **option)
