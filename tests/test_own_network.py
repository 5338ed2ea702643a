"""``fwbio.synapses``: what a card becomes in somebody's own Brian2 network. Numbers against plain-Python recursions; faults in words.

Networks run in a child process, as users run them: a script of their own, which chooses device and target.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import brian2
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import fwbio
from fwbio.cards import reader
from fwbio.claims.one_synapse import CARDS, recursion
from fwbio.errors import BadInput
from fwbio.rate.equations import Right
from fwbio.spiking import own

SYNAPSES = [name for name in reader.shipped() if reader.read(name).get("role") == "synapse"]
ROOT = str(Path(__file__).parents[1])


def script(text, *arguments) -> dict:
    """Runs a script and returns the JSON object it prints last."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", text, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


RELEASE = """
import json, sys, tempfile
import brian2, fwbio, numpy as np
target, wanted = sys.argv[1], json.loads(sys.argv[2])
if target == "cpp_standalone":
    brian2.set_device("cpp_standalone", build_on_run=False)
else:
    brian2.prefs.codegen.target = target
ms = brian2.ms
axons = brian2.SpikeGeneratorGroup(len(wanted["trains"]), np.repeat(np.arange(len(wanted["trains"])), [len(t) for t in wanted["trains"]]),
                                   np.concatenate(wanted["trains"]) * ms, dt=1 * ms)
cells = brian2.NeuronGroup(len(wanted["trains"]), "\\n".join(f"I_{k} : 1" for k in range(len(wanted["cards"]))), dt=1 * ms)
made = [fwbio.synapses(card, axons, cells, set=set, into=f"I_{k}", connect="i == j", dt=1 * ms)
        for k, (card, set) in enumerate(wanted["cards"])]
seen = brian2.StateMonitor(cells, [f"I_{k}" for k in range(len(made))], record=True, when="end", dt=1 * ms)
brian2.Network(axons, cells, *made, seen).run(wanted["steps"] * ms)
if target == "cpp_standalone":
    brian2.device.build(directory=tempfile.mkdtemp(), compile=True, run=True)
print(json.dumps([np.asarray(getattr(seen, f"I_{k}")).tolist() for k in range(len(made))]))
"""


@pytest.mark.parametrize("target", ["numpy", *(pytest.param(t, marks=pytest.mark.slow) for t in ("cython", "cpp_standalone"))])
def test_every_spike_releases_what_the_recursion_says_with_two_sets_side_by_side(target):
    """Bound: a release below 1 is seen as a difference of sums below 20: a few 1e-15; the states themselves, see claims.one_synapse."""
    rng, steps = np.random.default_rng(0), 1500
    trains = [np.cumsum(rng.geometric(rate * 1e-3, 30)) for rate in (8, 20, 60)]
    trains, steps = [*(train[train < steps].tolist() for train in trains), [5, 4400]], 4500  # the last: silence of 1500 tau_psc
    cards = [(card, "E1") for card in CARDS.values()] + [(CARDS["B"], "E2"), (CARDS["B"], "TM98_depressing")]
    own_sets = {card: reader.read(CARDS["B"])["sets"] for card in CARDS.values()}
    cards = [(card, set if set in reader.read(card).get("sets", {}) else None) for card, set in cards]
    sums = np.array(script(RELEASE, target, json.dumps({"trains": trains, "cards": cards, "steps": steps})))
    spikes = 0
    for (card, set), seen in zip(cards, sums, strict=True):
        numbers = own_sets[card][set] if set else {k: p["value"] for k, p in reader.read(card)["param"].items()}
        convention = next(k for k, name in CARDS.items() if name == card)
        U, tau_d, tau_f = (own.quantity(numbers[k], u, k) for k, u in (("U", "1"), ("tau_d", "s"), ("tau_f", "s")))
        for train, course in zip(trains, seen, strict=True):
            got = np.diff(course, prepend=0.0)[train]
            assert np.abs(got - recursion(convention, U, tau_d, tau_f, train, 1e-3)).max() <= 1e-12
            assert np.count_nonzero(np.diff(course, prepend=0.0)) == len(train)
            spikes += len(train)
    assert spikes > 300


ALL_CARDS = """
import json, sys
import brian2, fwbio, numpy as np
from brian2 import ms, Hz, mV
brian2.prefs.codegen.target = "numpy"
before = brian2.defaultclock.dt/ms, brian2.get_device().__class__.__name__
found = {}
for card in sys.argv[1:]:
    brian2.seed(1)
    axons = brian2.PoissonGroup(3, 200*Hz)
    equations = brian2.Equations("I : 1\\nu : 1\\nv : volt\\nh : 1") + fwbio.cell_equations(card)
    cells = brian2.NeuronGroup(2, equations, threshold="rand() < 0.02", reset="", method="euler")
    cells.h, cells.u = 0.5, 7
    volts = card == "tagging_capture"
    made = fwbio.synapses(card, axons, cells, into="v" if volts else "I", connect=True, delay="1 ms", token="20 ms")
    net = brian2.Network(axons, cells, made)
    net.run(100*ms)
    found[card] = [len(made), float(np.abs(np.asarray(cells.v if volts else cells.I)).max()), float(np.ptp(cells.u)), sorted(made.equations.names)]
found["clock"] = before == (brian2.defaultclock.dt/ms, brian2.get_device().__class__.__name__)
print(json.dumps(found))
"""


def test_every_synapse_card_runs_in_a_network_of_ones_own():
    """One that has h and u of its own, which the cards know too. Anything that changed clock or device would be seen."""
    found = script(ALL_CARDS, *SYNAPSES)
    assert found.pop("clock") and set(found) == set(SYNAPSES) and len(found) >= 9
    for card, (size, got, moved, names) in found.items():
        assert size == 6 and got > 0 and moved == 0.0, card
        assert not {"u", "h"} & set(names), card


TRACES = """
import json, sys
import brian2, fwbio, numpy as np
from brian2 import ms
brian2.prefs.codegen.target = "numpy"
pre, post = json.loads(sys.argv[1])
axon = brian2.SpikeGeneratorGroup(1, [0]*len(pre), np.array(pre)*ms, dt=1*ms)
cell = brian2.NeuronGroup(1, "I : 1\\ndue : 1", threshold="on(t) > 0", reset="", dt=1*ms)
fires = np.zeros(200); fires[post] = 1
on = brian2.TimedArray(fires, dt=1*ms)
made = fwbio.synapses("hebbian_traces", axon, cell, connect=True, dt=1*ms, tau="300 ms", tau_trace="20 ms", eta="0.5", r0="20 Hz")
net = brian2.Network(axon, cell, made); net.run(200*ms)
now = made.A[0]*np.exp(-(0.2 - float(made.variables["lastupdate"].get_value()[0]))/0.3)
print(json.dumps({"A": now}))
"""


def test_traces_at_both_ends_meet_only_earlier_spikes():
    """A = sum over pairs of the trace of one spike at the other, halves for simultaneous ones left out: written by hand."""
    pre, post = [10, 30, 31, 90, 120], [10, 33, 70, 120, 121]
    jump = (np.exp(1 / 20) - 1) / (20 * 1e-3)
    wanted = sum(0.5 / (2 * 20) * jump * np.exp(-abs(a - b) / 20) * np.exp(-(200 - max(a, b)) / 300) for a in pre for b in post if a != b)
    assert abs(script(TRACES, json.dumps([pre, post]))["A"] - wanted) <= 1e-14 and wanted > 0.01


CHAIN = """
import json, sys
import brian2, fwbio, numpy as np
from brian2 import ms
brian2.prefs.codegen.target = "numpy"
train = json.loads(sys.argv[1])
axon = brian2.SpikeGeneratorGroup(1, [0]*len(train), np.array(train)*ms, dt=1*ms)
cell = brian2.NeuronGroup(1, "I : 1\\nh : 1", dt=1*ms)
cell.h = 0.5
made = fwbio.synapses("hebbian_chain", axon, cell, connect=True, dt=1*ms, C2="4", n="2", r0="20 Hz")
seen = brian2.StateMonitor(cell, "I", record=True, when="end", dt=1*ms)
brian2.Network(axon, cell, made, seen).run((train[-1] + 1)*ms)
print(json.dumps(np.asarray(seen.I)[0].tolist()))
"""


def test_a_chain_is_read_as_the_matrix_exponential_says():
    """Three vessels moved by expm from spike to spike, in a row of code each; the network holds modes. Bound: sums of 1e-16 parts."""
    train = [5, 9, 40, 300, 310, 2500, 9000]
    C, (g1, g2, g3) = np.array([1, 4, 16.74]), (1.824, 0.4632, 0.08568)
    flow = np.array([[-g1, g1, 0], [g1, -g1 - g2, g2], [0, g2, -g2 - g3]]) / C[:, None]
    level, last, wanted = np.zeros(3), 0, []
    for spike in train:
        level = expm(flow * (spike - last) * 1e-3) @ level
        wanted.append(level[0] / (2 * 20))  # read, then written
        level[0] += 0.5 / 20
        last = spike
    course = script(CHAIN, json.dumps(train))
    assert np.abs(np.diff(course, prepend=0.0)[train] - wanted).max() <= 1e-15 and min(wanted[1:]) > 1e-4


SLOT = """
import json, sys
import brian2, fwbio, numpy as np
from brian2 import ms, Hz
brian2.prefs.codegen.target = "numpy"
brian2.seed(3)
axons = brian2.PoissonGroup(400, 200*Hz, dt=0.5*ms)
cells = brian2.NeuronGroup(1, '''dP/dt = -P/(5*ms) : 1
                                 v : 1
                                 plastic : 1
                                 err = plastic*(v - P) : 1
                                 reads = 1/(5*ms) : Hz
                                 writes = plastic/(100*ms) : Hz
                                 surprise : Hz''', method="exact", dt=0.5*ms)
made = fwbio.synapses("labile", axons, cells, into="P", drive="err", read_gain="reads", write_gain="writes", M="surprise",
                      n="400", r0="200 Hz", connect=True, dt=0.5*ms)
net, found = brian2.Network(axons, cells, made), []
for v, M in json.loads(sys.argv[1]):
    cells.v, cells.plastic, cells.surprise = v, 0, 0*Hz
    net.run(30*ms)
    cells.plastic, cells.surprise = 1, M*Hz
    net.run(100*ms)
    found.append(float(np.mean(made.A)))
print(json.dumps(found))
"""


def test_a_labile_slot_corrects_its_own_error_as_its_rate_equations_and_its_events_say():
    """Four confirmations, then the opposite value with a surprise of u = 8; the error is the dendrite's own, v - P.

    Bound: 400*200*0.1 spikes a presentation, four standard errors; z varies by 1/20 of its square a spike, whence a bias below 1/(4*20); a spike
    reads itself before it writes, 1/(400*200*0.005). The events lack tau_h: an error seen late by 0.05 of a presentation corrects up to 0.05 more.
    """
    shows, card = [(1, 0), (1, 0), (1, 0), (1, 0), (-1, 80)], reader.read("labile")
    values = {**own.chosen(card, None, {"n": "400", "r0": "200 Hz"}, "labile"), "h_pre": 1.0}
    odes = {right.name: right for right in (Right(text, values) for text in card["rate"]["ode"])}
    state, rate, events, z = np.array([0.0, 1.0, 0.0]), [], [], 1.0  # A, z, P
    for v, M in shows:
        for seconds, plastic in ((0.03, 0), (0.1, 1)):

            def slope(_, y, v=v, M=M, plastic=plastic):
                now = {"A": y[0], "z": y[1], "M": plastic * M, "write_gain": 10.0 * plastic, "h_post": plastic * (v - y[2])}
                return [odes["A"](now), odes["z"](now), (y[0] - y[2]) / 0.005]

            state = solve_ivp(slope, (0, seconds), state, "DOP853", rtol=1e-8, atol=1e-10).y[:, -1]
        rate.append(state[0])
        z = (z + 0.1 * M) / (1 + z + 0.1 * M)
        events.append((events[-1] if events else 0.0) * (1 - z) + z * v)
    found = np.array(script(SLOT, json.dumps(shows)))
    assert np.abs(found - rate).max() <= 4 / np.sqrt(8000) + 1 / 80 + 1 / 400
    assert np.abs(np.array(rate) - events)[:4].max() <= 0.05 and rate[4] < -0.8 and events[4] < -0.7
    assert found[0] > 0.4 and found[4] < -0.7


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"M": "surprize"}, "M = 'surprize': give a quantity .in Hz. or the name of a variable of target; did you mean 'surprise'"),
        ({"M": "v"}, "M = 'v': this variable of target is in volt, not in"),
        ({"M": "surprise", "reduced": True}, "reduced=True: labile has noise, thresholds"),
    ],
)
def test_a_need_is_a_quantity_or_a_variable_of_the_target_of_its_unit(given, says):
    axons = brian2.PoissonGroup(2, 10 * brian2.Hz)
    cells = brian2.NeuronGroup(1, "I : 1\nh : 1\nv : volt\nsurprise : Hz")
    with pytest.raises(BadInput, match=says):
        fwbio.synapses("labile", axons, cells, **given)


def test_what_the_target_tells_an_axon_cannot_be_kept_once_an_axon():
    card = reader.read("tsodyks_markram")
    card = card | {"spiking": card["spiking"] | {"ode": ["du/dt = (U - u)/tau_f : 1"], "write": ["u += U*(1 - u)*h_post"]}}
    axons, cells = brian2.PoissonGroup(2, 10 * brian2.Hz), brian2.NeuronGroup(1, "I : 1\nh : 1")
    with pytest.raises(BadInput, match="a state of the axon that is told something by the target"):
        fwbio.synapses(card, axons, cells, reduced=True)


def test_the_example_in_the_documentation_runs():
    text = re.search(r"\n\n((?:    .+\n)+)", own.__doc__)[1].replace("\n    ", "\n").strip()
    found = script(
        "import json\n" + text + "\nbrian2.prefs.codegen.target = 'numpy'\nbrian2.Network(axons, cells, made).run(300*brian2.ms)\n"
        "print(json.dumps([float(cells.v[0]), float(made.w[0]), float(made.tau_d/brian2.second), sorted(set(made.u[:].tolist()))]))"
    )
    assert found[0] > 0 and found[1] == 0.5e-3 and found[2] == 0.194 and found[3][0] >= 0.28 - 1e-12


# --- in words --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def groups():
    axons = brian2.SpikeGeneratorGroup(2, [0], [1] * brian2.ms)
    cells = brian2.NeuronGroup(3, "dv/dt = -v/(10*ms) : volt\nI : 1\nfixed : 1 (constant)\nsilent = v/mV : 1")
    return axons, cells


@pytest.mark.parametrize(
    "card, options, says",
    [
        ("retrieval", {}, "retrieval is not a synapse card"),
        ("tsodyks", {}, "no such card; did you mean 'tsodyks_markram'?"),
        ("tsodyks_markram", {"set": "E9"}, "set = 'E9': no such set"),
        ("static", {"set": "E1"}, "this card has no named sets"),
        ("hebbian", {"set": "Erickson", "drive": "I"}, "set = 'Erickson': no such set; did you mean 'Erickson_"),
        ("tsodyks_markram", {"into": "V"}, "target has no variable 'V' (the card's I_post; name another with into=); did you mean 'v'?"),
        ("tsodyks_markram", {"into": "silent"}, "into = 'silent': this variable cannot be added to"),
        ("tsodyks_markram", {"into": "v"}, "give weight=, in volt"),
        ("tsodyks_markram", {"into": "v", "weight": "3 nA"}, "weight = 3. * namp: wrong unit; the variable it is added to is in volt"),
        ("tsodyks_markram", {"into": "v", "weight": 0.5}, "weight = 0.5: wrong unit"),
        ("tsodyks_markram", {"tau_r": "1 s"}, "no parameter 'tau_r'; did you mean 'tau_f'?"),
        ("tsodyks_markram", {"tau_d": "1 mV"}, "tau_d = '1 mV': wrong unit"),
        ("tsodyks_markram", {"tau_d": float("nan")}, "tau_d = nan"),
        ("tsodyks_markram", {"delay": "1 mV"}, "delay = '1 mV': wrong unit"),
        ("hebbian", {}, "target has no variable 'h' (the card's h_post, the cell's drive; name another with drive=)"),
        ("hebbian_late", {"drive": "I"}, "this card does B = A once a token; say how long one lasts, for instance token='100 ms'"),
        ("hebbian_traces", {}, "target 'neurongroup' does not spike, and the card has rules at its spikes; give it a threshold="),
    ],
)
def test_what_does_not_fit_is_said(groups, card, options, says):
    with pytest.raises(BadInput) as fault:
        fwbio.synapses(card, *groups, **options)
    assert says in re.sub(r"neurongroup_\d+", "neurongroup", str(fault.value))


def test_a_card_with_states_of_the_cell_says_how_the_cell_gets_them(groups):
    axons, _ = groups
    cells = brian2.NeuronGroup(2, "v : volt", threshold="v > 1*volt", reset="")
    with pytest.raises(BadInput, match=r"target lacks S, p.*fwbio.cell_equations\('tagging_capture'\)"):
        fwbio.synapses("tagging_capture", axons, cells, into="v")
    cells = brian2.NeuronGroup(
        2, brian2.Equations("v : volt\nI : 1") + fwbio.cell_equations("tagging_capture"), threshold="I > 1", reset=""
    )
    for options, says in (
        ({"into": "v", "weight": "1 mV"}, "has its own weight"),
        ({"into": "I"}, "into = 'I' is in 1, but this card's weight is in volt"),
        ({"into": "v", "tau_p": "2 h"}, "not a number of the synapse but of its cell"),
    ):
        with pytest.raises(BadInput, match=re.escape(says)):
            fwbio.synapses("tagging_capture", axons, cells, **options)
    assert "7.2" in str(fwbio.cell_equations("tagging_capture", tau_p="2 h")) and not fwbio.cell_equations("hebbian").names


def test_a_group_must_be_one(groups):
    with pytest.raises(BadInput, match="give a Brian2 group"):
        fwbio.synapses("static", 3, groups[1])


REDUCED = """
import json, sys
import brian2, fwbio, numpy as np
from brian2 import Hz, NeuronGroup, Network, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, defaultclock, ms
brian2.prefs.codegen.target = "numpy"
rng = np.random.default_rng(1)
trains = np.unique(np.stack([rng.choice(3000, 300), rng.integers(0, 12, 300)]), axis=1)

def run(card, options, reduced):
    source = SpikeGeneratorGroup(12, trains[1], trains[0]*defaultclock.dt)
    cells = NeuronGroup(7, "dI/dt = -I/(10*ms) : 1\\nh : 1", threshold="rand() < 100*Hz*dt", reset="", method="exact")
    cells.h = 0.7
    brian2.seed(3)
    made = fwbio.synapses(card, source, cells, connect="(i + j) % 5 > 0", reduced=reduced, **options)
    seen, spikes = StateMonitor(cells, "I", record=True), SpikeMonitor(cells)
    net = Network(source, cells, made, seen, spikes)
    net.run(300*ms)
    now = np.zeros(1)
    if card.startswith("hebbian"):
        since = float(net.t) - np.asarray(made.variables["lastupdate"].get_value()) if not reduced else 0
        now = np.asarray(made.A_now) if reduced else np.asarray(made.A)*np.exp(-since/made.variables["tau"].get_value())
    return np.asarray(seen.I), now, spikes.num_spikes

found = {}
for name, card, options in json.loads(sys.argv[1]):
    (I, A, fired), (J, B, again) = (run(card, options, reduced) for reduced in (False, True))
    found[name] = [float(np.abs(v).max()) for v in (I, I - J, A, A - B)] + [int(fired), int(again)]
print(json.dumps(found))
"""


def test_reduced_synapses_do_the_same():
    """tau of 5 ms: the shared decay is renormalised six times. The second and third state of tsodyks_markram_3state are coupled."""
    cases = [
        ("traces", "hebbian_traces", {"tau": "50 ms", "delay": "1 ms"}),
        ("renormalised", "hebbian_traces", {"tau": "5 ms"}),
        ("dendrite", "hebbian", {"tau": "1 s", "weight": 2.0}),
        ("axon", "tsodyks_markram", {"set": "E1", "delay": "2 ms"}),
        ("coupled", "tsodyks_markram_3state", {}),
    ]
    for name, (current, off, A, A_off, fired, again) in script(REDUCED, json.dumps(cases)).items():
        assert current > 0.5 and off <= 1e-12 * current and fired == again > 100, name
        assert A_off <= 1e-12 * A and (A > 0.5 or name in ("axon", "coupled")), name


COMPILED = """
import json, tempfile
import brian2, fwbio, numpy as np
from brian2 import NeuronGroup, Network, SpikeGeneratorGroup, StateMonitor, TimedArray, ms
brian2.set_device("cpp_standalone", build_on_run=False)
rng, dt = np.random.default_rng(1), 0.1*ms
trains = np.unique(np.stack([rng.choice(3000, 300), rng.integers(0, 12, 300)]), axis=1)
fires = TimedArray((rng.random((3000, 7)) < 0.01)*1.0, dt=dt)
source = SpikeGeneratorGroup(12, trains[1], trains[0]*dt, dt=dt)
parts, seen = [], {}
for name, condition in (("blocks", "(i + j) % 5 > 0"), ("all", True)):
    for reduced in (False, True):
        cells = NeuronGroup(7, "dI/dt = -I/(10*ms) : 1", threshold="fires(t, i) > 0", reset="", method="exact", dt=dt)
        made = fwbio.synapses("hebbian_traces", source, cells, connect=condition, reduced=reduced, tau="5 ms", dt=0.1*ms)
        monitor = StateMonitor(cells, "I", record=True, dt=1*ms)
        seen[name, reduced] = monitor, made
        parts += [cells, made, monitor]
try:
    made.connect(i=0, j=0)
    again = ""
except fwbio.BadInput as error:
    again = str(error)
net = Network(source, *parts)
net.run(300*ms)
with tempfile.TemporaryDirectory() as folder:
    brian2.device.build(directory=folder, compile=True, run=True)
    I = {key: np.asarray(monitor.I) for key, (monitor, _) in seen.items()}
    by_row = seen["all", True][1].by_row
off = max(np.abs(I[name, False] - I[name, True]).max() for name, _ in seen)
print(json.dumps([float(min(v.max() for v in I.values())), float(off), by_row, again]))
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_reduced_synapses_do_the_same_row_by_row():
    """In C++ an axon's synapses are gone through in order, without a queue: runs of four targets, and all of them."""
    largest, off, by_row, again = script(COMPILED)
    assert largest > 0.5 and off <= 1e-12 * largest and by_row
    assert "connected by one call" in again


def test_what_cannot_be_reduced_is_said(groups):
    with pytest.raises(BadInput, match="hebbian_late has noise, thresholds.*leave reduced out"):
        fwbio.synapses("hebbian_late", *groups, drive="I", token="1 s", reduced=True)
