"""Synapses from neuron to neuron, nothing reduced: cards with rules at both ends, [spiking] post, or with states of the whole cell.

Rates are given. One Brian2 network in a child process, its synapses made by ``fwbio.synapses``: every synapse has its own traces and weight, so
for small networks.
"""

import numpy as np

from fwbio.quantities import quantity
from fwbio.spiking.away import away

WARM = 0.5  # s of the trains before a tetanus counts: its quick states (calcium) are settled by then


def run(network, x, seed: int = 0) -> np.ndarray:
    """Weights of the only projection when each input ends, mean over presynaptic units: (inputs, units, neurons, pre units).

    All neurons to all, autapses left out. x : (inputs, units), each lasting ``network.every``; h is phi of it.
    """
    from fwbio.pacing import free_gains
    from fwbio.rate.equations import Right

    (projection,) = network.projections.values()
    gain = free_gains(network.dendrite.values["tau_h"], projection.tau, network.dt)[1]
    job = {key: getattr(network, key) for key in ("units", "neurons", "dt", "every", "r0")}
    job |= {"synapse": projection.synapse.card, "threshold": network.neuron.card["spiking"]["threshold"]}
    job["values"] = {key: repr(float(value)) for key, value in {**projection.synapse.values, "write_gain": gain}.items()}
    found = away(held, job, seed, h=Right(network.phi, {})({"u": x}))
    return found["A"].reshape(len(x), network.units, network.neurons, network.units)


def tetanus(card, rates, duration: float, size: int, state: str, dt: float, seed: int = 0) -> np.ndarray:
    """``state`` of ``size`` independent synapses at each of ``rates`` after a tetanus, (rates, size), in SI units.

    rates : (axon, cell) in Hz, Poisson trains that have run for WARM seconds when ``state`` is put at its start. duration, dt : s
    """
    job = {"synapse": card, "duration": duration, "size": size, "state": state, "dt": dt}
    return away(tetani, job, seed, rates=np.asarray(rates, float))[state].reshape(len(rates), size)


def presented(card, drives, given, duration: float, size: int, state: str, dt: float, seed: int = 0) -> np.ndarray:
    """``state`` of ``size`` independent synapses under each of ``drives`` after ``duration``, (drives, size), in SI units.

    drives : {"h_pre": of the axon, whose spikes are Poisson at h_pre r0; "h": the target's drive, and one each by name for needs of the
    card}, each (drives,), in SI units. given : other needs and parameters, as for ``fwbio.synapses``; r0 among them. duration, dt : s
    """
    job = {"synapse": card, "given": given, "duration": duration, "size": size, "state": state, "dt": dt}
    return away(presentation, job, seed, **drives)[state].reshape(-1, size)


def matrices(
    card, states, rates, duration: float, dt: float, seed: int = 0, tail: float = 0.0, fast=None, target="numpy", **given
) -> dict[str, np.ndarray]:
    """States of matrices of synapses after ``duration`` and a silent ``tail``, in SI units; every axon of a matrix to every cell of it.

    states : by name, (matrices, cells, axons), or (matrices, cells) for states of the cell; all the card's but pools
    duration, tail, dt : s; what is on its way when the states are taken (a delayed rule) is lost, so let the tail outlast it
    rates : [of the axons (matrices, axons), of the cells (matrices, cells)] in Hz, of Poisson trains
    fast : (card, parameters) of a Hebbian fast weight beside, whose state A must be among ``states``; drive h_post is the cell's rate/r0
    target : of Brian2, also ``"cpp_standalone"``. given : parameters that differ, as for ``fwbio.synapses``
    """
    job = {"synapse": card, "duration": duration, "tail": tail, "dt": dt}
    job |= {"fast": fast, "given": given, "target": target, "states": list(states)}
    return away(shown, job, seed, axon_rates=np.asarray(rates[0], float), cell_rates=np.asarray(rates[1], float), **states)


def held(job, given):
    """The child's part of ``run``."""
    from brian2 import Equations, Network, NeuronGroup, TimedArray, hertz, second

    from fwbio.spiking.own import synapses

    units, n = job["units"], job["neurons"]
    space = {"given": TimedArray(given["h"], dt=job["every"] * second, name="given"), "n_neurons": n, "r0": job["r0"] * hertz}
    equations = Equations("h = given(t, i//n_neurons) : 1\nI : 1")
    neurons = NeuronGroup(units * n, equations, threshold=job["threshold"], reset="", dt=job["dt"] * second, namespace=space)
    card, tau = job["synapse"], float(job["values"]["tau"])
    unit = {key: entry["unit"] for key, entry in card["needs"].items()} | {k: "s" for k in ("tau", "tau_trace")}
    values = {key: f"{value} {unit.get(key, '')}".replace(" 1", "") for key, value in job["values"].items()}
    made = synapses(card, neurons, neurons, connect="i != j", dt=job["dt"] * second, **values)
    network, found = Network(neurons, made), []
    place = np.asarray(made.j) * units + np.asarray(made.i) // n
    share = np.bincount(place, minlength=units * n * units)
    for _ in given["h"]:
        network.run(job["every"] * second)
        now = made.A[:] * np.exp(-(float(network.t) - made.variables["lastupdate"].get_value()) / tau)
        found.append(np.bincount(place, now, units * n * units) / share)
    return {"A": np.array(found)}


def tetani(job, given):
    """The child's part of ``tetanus``: axon k to cell k."""
    from brian2 import Equations, Network, NeuronGroup, PoissonGroup, hertz, second

    from fwbio.spiking.own import cell_equations, synapses

    axon, cell = np.repeat(given["rates"], job["size"], axis=0).T * hertz
    axons = PoissonGroup(len(axon), axon, dt=job["dt"] * second)
    equations = Equations("I : volt\nrate : Hz (constant)") + cell_equations(job["synapse"])
    cells = NeuronGroup(len(cell), equations, method="euler", threshold="rand() < rate*dt", reset="", dt=job["dt"] * second)
    cells.rate = cell
    made = synapses(job["synapse"], axons, cells, connect="i == j", dt=job["dt"] * second)
    network, state = Network(axons, cells, made), job["state"]
    network.run(WARM * second)
    setattr(made, state, job["synapse"]["state"][state]["start"])
    network.run(job["duration"] * second)
    return {state: np.asarray(made.variables[state].get_value())}


def presentation(job, given):
    """The child's part of ``presented``: axon k to dendrite k. A state of a synapse is what it was at its last spike, or moved every step."""
    from brian2 import Network, NeuronGroup, PoissonGroup, hertz, second

    from fwbio.spiking.own import synapses
    from fwbio.spiking.synapses import declared

    step, size, needs = job["dt"] * second, job["size"], job["synapse"]["needs"]
    drives = {name: np.repeat(values, size) for name, values in given.items()}
    rate = drives.pop("h_pre") * quantity(job["given"]["r0"], "Hz", "r0")
    axons = PoissonGroup(len(rate), rate * hertz, dt=step)
    told = [f"{name} : {declared(needs[name]) if name in needs else 1} (constant)" for name in drives]
    dendrites = NeuronGroup(len(rate), "\n".join(["I : Hz", *told]), dt=step)
    for name, values in drives.items():
        dendrites.variables[name].set_value(values)
    follow = {name: name for name in drives if name in needs}
    made = synapses(job["synapse"], axons, dendrites, weight="1 Hz", connect="i == j", dt=step, **job["given"], **follow)
    Network(axons, dendrites, made).run(job["duration"] * second)
    return {job["state"]: np.asarray(made.variables[job["state"]].get_value())}


def shown(job, given):
    """The child's part of ``matrices``."""
    from brian2 import Equations, Network, NeuronGroup, PoissonGroup, Quantity, TimedArray, hertz, second

    from fwbio.spiking.own import cell_equations, synapses

    (size, axons), cells = given["axon_rates"].shape, given["cell_rates"].shape[1]
    step, matrix = job["dt"] * second, np.arange(size)[:, None, None]
    until = job["duration"] * second
    own_rate = TimedArray(np.stack([given["axon_rates"].ravel(), 0 * given["axon_rates"].ravel()]) * hertz, dt=until)
    sources = PoissonGroup(size * axons, "own_rate(t, i)", dt=step, namespace={"own_rate": own_rate})
    equations = Equations("I : volt\nI_fast : Hz\nrate : Hz (constant)\ndrive : 1 (constant)") + cell_equations(job["synapse"])
    fires = "rand() < rate*dt*int(t < until)"
    targets = NeuronGroup(size * cells, equations, method="euler", threshold=fires, reset="", dt=step, namespace={"until": until})
    targets.rate = given["cell_rates"].ravel() * hertz
    i, j = np.broadcast_arrays(matrix * axons + np.arange(axons), matrix * cells + np.arange(cells)[:, None])
    connect = {"i": i.ravel(), "j": j.ravel()}
    made = [synapses(job["synapse"], sources, targets, connect=connect, dt=step, **job["given"])]
    if job["fast"]:
        card, numbers = job["fast"]
        targets.drive = given["cell_rates"].ravel() / quantity(numbers["r0"], "Hz", "r0")
        made.append(synapses(card, sources, targets, into="I_fast", drive="drive", weight="1 Hz", connect=connect, dt=step, **numbers))
    of_cell = {name for name, state in job["synapse"]["state"].items() if state["index"] == ["post"]}
    owner = {k: targets if k in of_cell else made[k not in job["synapse"]["state"]] for k in job["states"]}
    for name, group in owner.items():
        setattr(group, name, Quantity(given[name].ravel(), dim=group.variables[name].dim))
    network = Network(sources, targets, *made)
    network.run((job["duration"] + job["tail"]) * second)
    found = {name: np.array(group.variables[name].get_value()).reshape(given[name].shape) for name, group in owner.items()}
    if job["fast"]:
        last = np.array(made[1].variables["lastupdate"].get_value()).reshape(found["A"].shape)
        found["A"] *= np.exp(-(job["duration"] + job["tail"] - last) / np.array(made[1].tau).item())
    return found
