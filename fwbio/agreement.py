"""Every mechanism card's own claim, [agree]: its spiking form against its rate form, under the protocol it names.

``clamped``        one synapse a unit, presynaptic rate and postsynaptic drive held for 1 s; the quantity's mean over the last
                   quarter, relative to the rate form's
``pairs``          two neurons a synapse (``fwbio.spiking.pairs``), presynaptic and postsynaptic rate held for 1 s, as above
``single synapses`` independent synapses whose axon fires at a given rate under a given drive and broadcast M for one presentation of 1 s;
                   the quantity's mean over them, off the rate form's
``tetanus``        independent synapses whose axon and cell fire at given rates for 1 s, the quick states settled before; the quantity's
                   mean over the synapses, off the rate form's
``rate curve``     free neurons held at h; their rate, relative to the rate form's
``random drives``  the pool's normalisation of random drives; the largest difference
``stationary rates``  a circuit through its protocol; every group's rate where the mean field holds (``fwbio.circuit_comparison``)

The bound is the card's own expression, four standard errors of the noise it predicts (false alarm 6e-5 a figure), no fit.
"""

from dataclasses import dataclass, replace

import numpy as np

from fwbio.cards import network, reader
from fwbio.cards.equations import linear_decay
from fwbio.rate.equations import Right

NEURONS, PAIRED, TETANI, TETANUS_STEP, DURATION, SETTLE = 400, 100, 400, 5e-4, 1.0, 0.2
DRIVES = {
    "clamped": (0.2, 0.5, 1.0),
    "single synapses": ((1.0, 0.5, 0.0), (0.5, 1.0, 0.0), (1.0, -1.0, 4.0)),  # h_pre, h_post, M in Hz
    "tetanus": ((20, 50), (40, 0), (40, 80), (100, 100), (0, 100)),
    "rate curve": (0.1, 0.25, 1.0, 2.5, 5.0),
}


@dataclass(frozen=True)
class Agreement:
    """figure and bound, one each a drive (or one); ``holds`` if no figure is above its bound."""

    card: str
    quantity: str
    figure: np.ndarray
    bound: np.ndarray

    @property
    def holds(self) -> bool:
        return bool(np.all(self.figure <= self.bound))


def agree(card: str, seed: int = 0, target: str | None = None) -> Agreement:
    """Measures the mechanism card's [agree] block. target : of Brian2, like ``fwbio.spiking.batches.run``."""
    tables = reader.read(card)
    says = tables["agree"]
    if tables["kind"] == "circuit":
        return stationary_rates(card, says, seed, target)
    protocols = {
        "clamped": clamped,
        "pairs": pairs,
        "single synapses": single_synapses,
        "tetanus": tetanus,
        "rate curve": rate_curve,
        "random drives": random_drives,
    }
    figure, known = protocols[says["protocol"]](tables, seed, target)
    for name, text in says.get("where", {}).items():
        known = {**known, name: Right(text, known)({})}
    bound = np.broadcast_to(Right(says["bound"], known)({}), np.shape(figure))
    return Agreement(tables["name"], says["quantity"], np.asarray(figure), bound)


def clamped(card, seed, target):
    """Each unit drives itself through one diagonal synapse, with h held at a few values."""
    h = np.array(DRIVES["clamped"])
    synapse = card["name"] if card["role"] == "synapse" else "static"
    tables = reader.read(synapse)
    decays = filter(None, (linear_decay(text) for text in tables["spiking"].get("ode", [])))
    bind = {tau: "300 ms" for state, tau in decays if "post" in tables["state"][state]["index"]}  # weights' decay short enough to be seen
    net = held(h, {"synapse": synapse, "bind": bind})
    wanted, got = both(net, h, seed, target, dt=1e-3)
    late = slice(3 * len(wanted.t) // 4, None)
    if card["agree"]["quantity"] == "A":
        exact, found = (np.diagonal(run.A[0, -1]) for run in (wanted, got))
    else:
        exact, found = (run.I[0, late].mean(axis=0) for run in (wanted, got))
    values = {**net.projections["one"].synapse.values, **net.dendrite.values}
    return np.abs(found / exact - 1), {**values, "h_pre": h, "duration": DURATION}


def pairs(card, seed, _target):
    """Each unit writes onto itself, neuron by neuron, with h held at a few values; mean over the neurons of both ends."""
    from fwbio.describe import run
    from fwbio.spiking import pairs

    h = np.array(DRIVES["clamped"])
    net = held(h, {"synapse": card["name"], "bind": {"tau": "300 ms"}}, neurons=PAIRED)
    net = replace(net, dt=1e-3, every=DURATION, duration=DURATION)
    wanted = run(net, Held(h[None, None, :]), "rate", clamp=True)
    found, exact = np.diagonal(pairs.run(net, h[None, :], seed)[-1].mean(axis=1)), np.diagonal(wanted.A[0, -1])
    return np.abs(found / exact - 1), {**net.projections["one"].synapse.values, "h_pre": h, "duration": DURATION}


def single_synapses(card, seed, _target):
    """A state of TETANI synapses under each drive, each an axon and a dendrite of its own, against its rate equations."""
    from fwbio.spiking import own, pairs

    h_pre, h_post, M = np.array(DRIVES["single synapses"]).T
    given = {"r0": "200 Hz", "write_gain": f"{1 / DURATION} Hz"} | {tau: "1 s" for tau in card["param"] if tau.startswith("tau")}
    values = {**own.chosen(card, None, given, card["name"]), "h_pre": h_pre, "h_post": h_post, "M": M}
    state = card["agree"]["quantity"]
    wanted = integrated(card, values, len(M))[state]
    found = pairs.presented(card, {"h_pre": h_pre, "h": h_post, "M": M}, given, DURATION, TETANI, state, TETANUS_STEP, seed).mean(axis=1)
    return np.abs(found - wanted), {**values, "n": TETANI, "duration": DURATION}


def tetanus(card, seed, _target):
    """A state of TETANI synapses at each pair of rates, against its rate equation."""
    from fwbio.spiking import own, pairs

    state, values = card["agree"]["quantity"], own.chosen(card, None, {}, card["name"])
    axon, cell = np.array(DRIVES["tetanus"]).T
    values |= {"h_pre": axon / values["r0"], "h_post": cell / values["r0"]}
    wanted = integrated(card, values, len(axon), only=state)[state]
    found = pairs.tetanus(card, DRIVES["tetanus"], DURATION, TETANI, state, TETANUS_STEP, seed).mean(axis=1)
    return np.abs(found - wanted), {**values, "n": TETANI, "duration": DURATION}


def integrated(card, values, size: int, only: str | None = None) -> dict[str, np.ndarray]:
    """States of ``size`` synapses after DURATION, by the card's rate equations. only : a state whose equation holds no other."""
    from scipy.integrate import solve_ivp

    slopes = {right.name: right for right in (Right(text, values) for text in card["rate"]["ode"]) if only in (None, right.name)}
    start = np.concatenate([np.full(size, Right(card["state"][name]["start"], values)({})) for name in slopes])

    def slope(_, y):
        states = dict(zip(slopes, y.reshape(-1, size)))
        return np.concatenate([np.broadcast_to(right(states), size) for right in slopes.values()])

    end = solve_ivp(slope, (0, DURATION), start, "DOP853", rtol=1e-9, atol=1e-15).y[:, -1]
    return dict(zip(slopes, end.reshape(-1, size)))


def rate_curve(card, seed, target):
    """Rates of free neurons over 1 s, after 0.2 s for them to settle."""
    h = np.array(DRIVES["rate curve"])
    net = held(h, {"synapse": "static"}, neuron=card["name"])
    dt = float(card["spiking"]["dt"].split()[0]) * 1e-3
    _, got = both(net, h, seed, target, dt=dt, duration=SETTLE + DURATION)
    late = (got.spikes.spike_t >= SETTLE) & (got.spikes.spike_t < SETTLE + DURATION)
    counts = np.bincount(got.spikes.spike_i[late] // NEURONS, minlength=len(h))
    exact = Right(card["rate"]["rate"], {"r0": net.r0})({"h": h})
    return np.abs(counts / (NEURONS * DURATION) / exact - 1), {"n": NEURONS, "r0": net.r0, "h_pre": h, "duration": DURATION}


def random_drives(card, seed, target):
    """u for random drives in five trials, through the pool and through the rate form."""
    h = np.random.default_rng(seed).standard_normal((5, 1, 8))
    net = held(h[0, 0], {"synapse": "static"}, norm=card["name"], phi="u")
    wanted, got = both(net, h, seed, target, dt=1e-3)
    return np.abs(wanted.h - got.h).max(), {}


def stationary_rates(card, says, seed, target):
    """The circuit's protocol with the changes its [agree] names: every group in every epoch that the mean field is meant for."""
    from fwbio import circuit, circuit_comparison

    model = network.load(card, set=says.get("set"))
    found = circuit_comparison.settled(circuit.run(model, "rate"), circuit.run(model, "spiking", seed=seed, target=target))
    return Agreement(model.name, says["quantity"], *(np.array([row[key] for row in found]) for key in ("off", "bound")))


def held(h, projection, neuron="poisson", norm=None, phi="u", neurons=NEURONS):
    """A free-running network of len(h) units whose h follows its input alone, every unit driving itself with weight 1."""
    tables = reader.read("random_recurrent")
    unit = {**tables["population"]["unit"], "size": len(h), "neurons": neurons, "neuron": neuron, "phi": phi, "r0": "20 Hz"}
    if norm:
        unit |= {"norm": norm, "bind": {**unit["bind"], "gain": "1.5", "bias": "0.3", "eps": "1e-5"}}
    states = reader.read(projection["synapse"])["state"].values()
    if any(state["start"] == "weight" for state in states):
        projection = {**projection, "weight": {"draw": "normal", "sd": 1.0}}
    tables = {**tables, "population": {"unit": unit}, "projection": {"one": {"from": "unit", "to": "unit", **projection}}}
    net = network.build(tables, reader.find("random_recurrent"))
    one = net.projections["one"]
    return replace(net, projections={"one": replace(one, weight=None if one.weight is None else np.eye(len(h)))})


def both(net, h, seed, target, dt, duration=DURATION):
    """The rate and the spiking Run of a held network."""
    from fwbio.describe import run

    net = replace(net, dt=dt, every=duration, duration=duration)
    task = Held(h if np.ndim(h) == 3 else np.asarray(h)[None, None, :])
    return run(net, task, "rate", clamp=True), run(net, task, "spiking", seed=seed, clamp=True, target=target)


@dataclass(frozen=True)
class Held:
    """A task that is one constant input."""

    values: np.ndarray
    target: None = None
    sequences: int = 1
    since: int = 0
    asked: tuple = (-1,)

    def x(self, _network) -> np.ndarray:
        return self.values
