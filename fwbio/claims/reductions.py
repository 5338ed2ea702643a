"""Three reductions save a factor of 10 to 1000 and change nothing: the plain per-synapse form fires the same spikes.

1. u, x once an axon     all synapses of one axon see the same spikes, and start alike: their u and x stay equal for ever
2. dendritic weights     A_i,jb += eta h_i/r0 holds no property of the postsynaptic neuron but its unit's drive h_i: all n synapses from
                         axon jb to the neurons of unit i stay equal, and one on the unit's dendrite stands for them
3. one shared decay      dA/dt = -A/tau is linear with one tau: A(t) = a exp(-(t - t_0)/tau), where a moves at spikes only; all a are
                         multiplied by exp(-(t - t_0)/tau), t_0 <- t, every few tokens, before a or the exponential overflow. Several
                         projections may end on one dendrite, each with its own decay; one that decays with use has none to share

The plain form (``--plain``) is another program: every neuron has its own dendrite and every synapse its own u, x, A and time of last
update. Only the seed of the spikes is common: were one drive off by 1e-6, some spike would soon differ, and then everything.
Bound 1e-10 for h, I and A (1e-12 is the size of round-off over 10 minutes: every perturbation decays with tau_h, tau_d, tau_f or tau, so
that it does not grow with time but stays below eps times the events within the longest of them, some 1e4). A network's spikes are a
function of its drives: if the trains are equal, and only then, the figure is a number.

What is no reduction is refused in words (``fwbio.cards.legal``): a decay that is not linear, a tau of each synapse's own, synapses of
one axon that differ (rand()), a state on ["pre"] that looks at the other side. A transmission
delay would set reduction 1 conditions of its own (dt <= delay <= shortest interval); the grammar knows no ``delay``: a card that has
one is refused, as for any unknown key.
"""

import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from fwbio.cards import legal, network, reader
from fwbio.claims import Finding
from fwbio.describe import run
from fwbio.errors import BadInput
from fwbio.tasks import RandomInput, retrieval

ROUND_OFF = 1e-10
USE = {"synapse": "hebbian_use", "bind": {"gamma_p": "5", "gamma_m": "5"}}


def clock(tau, eta="0.25"):
    """A level whose weights decay with time."""
    return {"synapse": "hebbian", "bind": {"tau": tau, "eta": eta}}


CASES = {  # slow synapse, levels of fast weights; each with 3 units of 4 neurons
    "u, x on the axon": ("tsodyks_markram", ()),
    "fast weights on the dendrite": ("static", (clock("2 s"),)),
    "shared decay, renormalised": ("static", (clock("20 ms"),)),
    "all three": ("tsodyks_markram", (clock("300 ms"),)),
    "two decays on one dendrite": ("static", (clock("50 ms"), clock("2 s"))),
    "decay with use": ("static", (USE,)),
}


def measure(full=False):
    """A finding a case, one of the paced network, one of 10 minutes if ``full``, and one of what is refused."""
    seconds, options = (5.0 if full else 0.5), {"target": "numpy"}
    nets = {name: free(*case, seconds, dt=5e-4) for name, case in CASES.items()}
    found = [compare(name, net, RandomInput(1, 0), **options) for name, net in nets.items()]
    neuron = "lif" if full else "poisson"
    paced = network.load("retrieval", neurons=4, neuron=neuron)
    found.append(compare(f"paced, {neuron}", paced, retrieval(trials=1, seed=1), **options))
    if full:
        name = "all three"
        long = free(*CASES[name], 600.0, dt=1e-4)
        found.append(compare(f"{name}, 10 minutes, dt 0.1 ms", long, RandomInput(1, 0), target="cpp_standalone"))
    missed = [name for name in ILLEGAL if not refusal(name)]
    return [*found, Finding("illegal uses that are not refused", float(len(missed)), 0.0)]


def free(slow, levels, seconds, dt):
    """A free-running network of 3 units of 4 neurons."""
    tables = reader.read("random_recurrent")
    one, fast = (tables["projection"][name] for name in ("slow", "fast"))
    tables["projection"] = {"slow": one | {"synapse": slow}} | {f"fast{k}": fast | level for k, level in enumerate(levels)}
    tables["population"]["unit"] |= {"size": 3, "neurons": 4}
    net = network.build(tables, reader.find("random_recurrent"))
    return replace(net, duration=seconds, dt=dt)


def compare(name, net, task, **options):
    """Largest difference of h, I and A between the two forms; infinite if one spike differs, or if there is nothing to compare."""
    with ThreadPoolExecutor(2) as pool:
        reduced, plain = pool.map(lambda form: run(net, task, "spiking", seed=3, plain=form, batch=1, **options), (False, True))
    trains = [(one.spikes.spike_t, one.spikes.spike_i) for one in (reduced, plain)]
    same = len(trains[0][0]) > 50 and all(np.array_equal(*pair) for pair in zip(*trains))
    steps = trains[0][0] / net.dt
    same = same and np.abs(steps - np.round(steps)).max() < 1e-6 * max(1.0, steps.max() * 1e-6)  # multiples of dt, after 6e6 steps too
    watched = ["h"] + ["I"] * (not net.paced) + ["A"] * bool(net.levels)
    differences = {key: np.abs(getattr(reduced, key) - getattr(plain, key)) for key in watched}
    alive = all(np.abs(getattr(reduced, key)).max() > 1e-3 for key in watched)
    figure = max(float(d.max()) for d in differences.values()) if same and alive else np.inf
    data = {key: thin(d.reshape(d.shape[1], -1).max(axis=1)) for key, d in differences.items()}
    data |= {"seconds": np.array([reduced.seconds, plain.seconds]), "spikes": np.array(len(steps))}
    data["end"] = np.array(net.duration if not net.paced else net.token * task.length)
    return Finding(f"{name}: same spikes, h, I and A as the plain form", figure, ROUND_OFF, data=data)


def thin(course, most=600):
    """The largest value in each of at most ``most`` stretches."""
    return np.array([part.max() for part in np.array_split(course, min(most, len(course)))])


# --- what is refused -----------------------------------------------------------------------------------------------------


def mechanism(card, **changes):
    """A shipped synapse card with parts of it replaced, put to the test."""
    tables = copy.deepcopy(reader.read(card))
    for block, values in changes.items():
        tables[block] |= values
    legal.check_synapse(tables, f"{card}.toml")


def projection(**changes):
    """The free-running card with its projection tables changed."""
    tables = reader.read("random_recurrent")
    for name, values in changes.items():
        tables["projection"][name] = tables["projection"].get(name, tables["projection"]["fast"]) | values
    reader.fit(tables, reader.KINDS["network"], "random_recurrent.toml:", "")
    network.build(tables, reader.find("random_recurrent"))


OF_PAIR = {"index": ["post", "pre"], "start": "1", "unit": "s", "meaning": "its own"}
ILLEGAL = {
    "a decay that is not linear": lambda: mechanism("hebbian", spiking={"ode": ["dA/dt = -A**2/tau : 1"]}),
    "a decay towards something else": lambda: mechanism("hebbian", spiking={"ode": ["dA/dt = (eta - A)/tau : 1"]}),
    "a tau of each synapse's own": lambda: mechanism("hebbian", state={"T": OF_PAIR}, spiking={"ode": ["dA/dt = -A/T : 1"]}),
    "a tau from an array": lambda: projection(fast={"bind": {"tau": "trained.tau", "eta": "0.25"}}),
    "release failure": lambda: mechanism("hebbian", spiking={"read": "I_post += (rand() < 0.5)*read_gain*A/(n*r0)"}),
    "synapses that start apart": lambda: mechanism("hebbian", state={"A": {**OF_PAIR, "start": "rand()", "unit": "1"}}),
    "an axon that reads the other side": lambda: mechanism("tsodyks_markram", spiking={"write": ["x += -u*x*h_post", "u += U*(1 - u)"]}),
    "an axon that reads one synapse": lambda: mechanism("tsodyks_markram", spiking={"write": ["x += -u*x*w", "u += U*(1 - u)"]}),
    "a trace of each postsynaptic cell": lambda: mechanism("hebbian", state={"q": {**OF_PAIR, "index": ["post"]}}),
    "a delay": lambda: projection(fast={"delay": "2 ms"}),
    "a plain form too large": lambda: legal.check(network.load("retrieval", neurons=100), plain=True),
}


def refusal(name) -> str:
    """The message that an illegal use is refused with; empty if it is not."""
    try:
        ILLEGAL[name]()
    except BadInput as error:
        return str(error)
    return ""


def draw(findings):
    """The largest difference between the two forms in time, case by case, and what each form cost."""
    from fwbio.figures import canvas

    cases = [f for f in findings if f.data]
    caption = (
        "Left: largest difference of any h, I or A between reduced and plain form, in stretches of the run (1e-18: "
        "none). A point above the "
        "dashed line, or a difference that grows with time, would be a failure. Right: seconds that the two forms took "
        "(small networks: most of it "
        "is start-up or compiling; the reductions pay with more neurons)."
    )
    with canvas(9, 4.2, caption, 1, 2) as (figure, (course, cost)):
        for k, found in enumerate(cases):
            keys = [key for key in ("h", "I", "A") if key in found.data]
            for key in keys:
                values = np.maximum(found.data[key], 1e-18)
                at = (np.arange(len(values)) + 1) / len(values)
                course.semilogy(at, values, ".", ms=2, color=f"C{k}", label=found.claim.split(":")[0] if key == "h" else None)
            for form, marker in enumerate("os"):
                label = ("reduced", "plain")[form] if not k else None
                cost.plot(found.data["seconds"][form], k, marker, color="C0", mfc=("C0", "white")[form], label=label)
        course.axhline(ROUND_OFF, color="black", ls="--", lw=0.8)
        course.set(xlabel="time (share of the run)", ylabel="largest difference (1)", ylim=(5e-19, 1e-5))
        course.legend(fontsize=7, loc="upper left", ncols=2, markerscale=3)
        cost.set(xlabel="time of the run (s)", xlim=(0, None), yticks=range(len(cases)), ylim=(len(cases) - 0.5, -0.5))
        cost.set_yticklabels([f.claim.split(":")[0] for f in cases], fontsize=7)
        cost.legend()
    return figure
