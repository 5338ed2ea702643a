"""What decides the compiled network: sizes, equations, clocks. Everything else is a parameter of a run.

``Structure`` is plain data (it travels to the child process as JSON and its hash is the key of the build);
``parameters`` are the numbers and arrays of one run, by the name of the Brian2 variable they set.
"""

import math
from dataclasses import dataclass

import numpy as np

from fwbio.cards import modes
from fwbio.cards.equations import names, split
from fwbio.errors import BadInput
from fwbio.pacing import free_gains, gate
from fwbio.spiking.streams import drawn, streams

H_STEP, H_MAX = 1e-3, 20.0  # the drive of a neuron card with an inverse is tabulated over h


@dataclass(frozen=True)
class Structure:
    """See the module. ``plain`` expands every reduction: a dendrite a neuron, a decay a synapse."""

    trials: int
    units: int
    neurons: int
    phi: str
    neuron: dict
    dendrite: dict | None
    norm: dict | None
    norm_first: bool
    projections: dict[str, dict]
    paced: bool
    dt: float
    tick: float  # how often the dendrites compute h: a phase, or dt when free-running
    gate_step: float  # resolution of the gates
    token: float  # or, free-running, how long an input lasts
    inputs: int  # how many inputs a trial has
    phases: int
    duration: float
    record: int
    sample: float  # how often h is recorded
    plain: bool = False
    clamp: bool = False  # h follows the input alone, whatever the synapses bring
    wipe: str | None = None  # h, A or W: what the clocked number ``keep``, one a token, multiplies
    target: str = "cpp_standalone"
    quiet: int = 0  # inputs before spikes and weights are recorded
    apart: int = 1  # trial 0, apart, 2 apart … are recorded: the first of each point, where several points run side by side
    own: tuple[str, ...] = ()  # GROUP.VARIABLE of the parameters that those points do not share

    @property
    def draws(self) -> bool:
        return drawn(self.neuron)

    @property
    def per_trial(self) -> int:
        """Neurons of one trial."""
        return self.units * self.neurons

    @property
    def recorded(self) -> int:
        """Inputs of which spikes and weights are recorded."""
        return self.inputs - self.quiet

    @property
    def cells(self) -> int:
        """Dendrites a unit: one, or in the plain form one a neuron."""
        return self.neurons if self.plain else 1

    def shapes(self, arrays: dict) -> dict:
        """The shape of every array that a run brings back and that is no list.

        h : (samples, trials, units). counts : (samples, trials, units), cumulated.
        a projection's weights : (samples, trials kept, pre units, neurons, post units, cells)
        """
        samples, pairs = len(arrays["t"]), (-1, self.record, self.units, self.neurons, self.units, self.cells)
        seen = (samples, self.trials, self.units)
        return {"h": (*seen, self.cells), "I": (*seen, self.cells), "counts": seen, **{name: pairs for name in self.projections}}


def structure(network, inputs: int, trials: int, record: int, *, plain=False, clamp=False, target="cpp_standalone", quiet=0) -> Structure:
    """The structure of ``trials`` copies of ``network`` side by side, each with ``inputs`` inputs, the first ``quiet`` unrecorded."""
    network = modes.apart(network)
    for name, p in network.projections.items():
        if "post" in p.synapse.card["spiking"]:
            raise BadInput(
                f"projection.{name}: {p.synapse.name} writes at postsynaptic spikes, which a unit's dendrite does not have; "
                "use fwbio.spiking.pairs, or another synapse card"
            )
    paced = network.paced
    tick = network.phase if paced else network.dt
    settle_steps, phase_steps = round(network.settle / network.dt), round(network.phase / network.dt)
    return Structure(
        trials=trials,
        units=network.units,
        neurons=network.neurons,
        phi=network.phi,
        neuron=network.neuron.card,
        dendrite=network.dendrite.card if network.dendrite else None,
        norm=network.norm.card if network.norm else None,
        norm_first=network.norm_first is not None,
        projections={name: p.synapse.card for name, p in network.projections.items() if network.fast or not p.associative},
        paced=paced,
        dt=network.dt,
        tick=tick,
        gate_step=math.gcd(settle_steps, phase_steps) * network.dt if paced else network.dt,
        token=network.token if paced else network.every,
        inputs=inputs,
        phases=network.inner + 1 if paced else 1,
        duration=inputs * (network.token if paced else network.every) + network.dt,  # one step more, to see the end
        record=record,
        sample=network.sample,
        plain=plain,
        clamp=clamp,
        wipe=network.wipe.what if network.wipe else None,
        target=target,
        quiet=quiet,
    )


def parameters(network, s: Structure, x: np.ndarray, seed: int = 0, first: int = 0) -> dict[str, float | np.ndarray]:
    """Every parameter of one run, in SI units. x : (trials, inputs, units), padded with copies up to ``s.trials``.

    seed, first : of the spikes, and the number of the first of these trials among all that belong to the seed
    """
    network, rows = modes.apart(network), np.resize(np.arange(len(x)), s.trials)
    values = {"x": x[rows].transpose(1, 0, 2).reshape(s.inputs, -1)}
    if s.draws:
        values["neurons.stream"] = streams(seed, range(first, first + s.trials), s.per_trial)
    for key, value in network.neuron.values.items():
        if key in {**network.neuron.card.get("needs", {}), **network.neuron.card.get("param", {})}:
            values[f"neurons.{key}"] = value
    if network.dendrite:
        values |= {f"dendrites.{k}": v for k, v in network.dendrite.values.items()}
    if network.norm:
        values["pool_in.units"] = s.units * s.cells
        values["dendrites.eps"] = network.norm.values["eps"]
        for mechanism, suffix in ((network.norm, ""), (network.norm_first, "_first")):
            for key in ("gain", "bias") if mechanism else ():
                one_trial = np.repeat(np.broadcast_to(mechanism.values[key], s.units), s.cells)
                values[f"dendrites.{key}{suffix}"] = np.tile(one_trial, s.trials)
    if "inverse" in s.neuron["rate"]:
        values["drive_of_h"] = drive_table(network)
    if s.paced:
        values["first"] = np.append(np.tile(np.arange(s.phases) == 0, s.inputs), 1).astype(float)
        if any("latch" in card["spiking"] for card in s.projections.values()):
            values["latch"] = np.append(np.tile(np.arange(s.phases) == s.phases - 1, s.inputs), 0).astype(float)
        values["window_open"] = gate_series(s, network, np.ones(s.phases))
    if s.wipe:
        values["keep"] = (np.arange(s.inputs + 1) != network.wipe.before).astype(float)
    for name in s.projections:
        projection = network.projections[name]
        for key, value in projection.synapse.values.items():
            if key in network.neuron.values:  # one owner of a name: the neuron
                continue
            if key in presynaptic(projection.synapse.card):
                values[f"{name if s.plain else 'neurons'}.{name}_{key}"] = value
            else:
                values[f"{name}.{key}"] = value
        if projection.weight is not None:
            values[f"{name}_weight"] = projection.weight
        if s.paced:
            gates = gate(network, projection, s.dt)
            values[f"{name}_read_gain"] = gate_series(s, network, gates.read)
            if projection.associative:
                values[f"{name}_write_gain"] = gate_series(s, network, gates.write)
        else:
            read_gain, write_gain = free_gains(network.dendrite.values["tau_h"], projection.tau, s.dt)
            values[f"{name}.read_gain"] = read_gain
            if projection.associative:
                values[f"{name}.write_gain"] = write_gain
    return values


def presynaptic(card) -> set[str]:
    """The states that live on the axon, and the parameters that only their equations use: reduction 1 keeps both on the neuron."""
    states = {name for name, state in card["state"].items() if state["index"] == ["pre"]}
    moves = [split(text, "ode") for text in card["spiking"].get("ode", [])] + [
        split(text, "write") for text in card["spiking"].get("write", [])
    ]
    return states | {
        k for k in card.get("param", {}) for move in moves if (move["ode"] or move["name"]) in states and k in names(move["rhs"], k)
    }


def gate_series(s: Structure, network, per_phase: np.ndarray) -> np.ndarray:
    """The gate over a whole trial in steps of ``gate_step``, shut while a phase settles and after the end."""
    steps, shut = round(s.tick / s.gate_step), round(network.settle / s.gate_step)
    phase = np.arange(steps) >= shut
    return np.append(np.tile((per_phase[:, None] * phase).ravel(), s.inputs), 0.0)


def drive_table(network) -> np.ndarray:
    """The neuron card's drive for h = 0, H_STEP, … H_MAX: solves curve(drive) = r0 h (clipped)."""
    from fwbio.siegert import inverse

    values = network.neuron.values
    rates = np.clip(network.r0 * np.arange(0, H_MAX, H_STEP), values["r_min"], values["r_max"])
    return inverse(rates, values, network.dt)
