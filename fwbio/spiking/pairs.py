"""Synapses from neuron to neuron, nothing reduced: cards with rules at both ends, [spiking] post, or with states of the whole cell.

Rates are given. One Brian2 network in a child process (``python -m fwbio.spiking.pairs PROTOCOL FOLDER``), its synapses made by
``fwbio.synapses``: every synapse has its own traces and weight, so for small networks.
"""

import gc
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from fwbio.quantities import quantity

WARM = 0.5  # s of the trains before a tetanus counts: its quick states (calcium) are settled by then
VOLLEY = 0.5  # probability that an axon takes part in a volley


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
    found = child("held", job, seed, h=Right(network.phi, {})({"u": x}))
    return found["A"].reshape(len(x), network.units, network.neurons, network.units)


def tetanus(card, rates, duration: float, size: int, state: str, dt: float, seed: int = 0) -> np.ndarray:
    """``state`` of ``size`` independent synapses at each of ``rates`` after a tetanus, (rates, size), in SI units.

    rates : (axon, cell) in Hz, Poisson trains that have run for WARM seconds when ``state`` is put at its start. duration, dt : s
    """
    job = {"synapse": card, "duration": duration, "size": size, "state": state, "dt": dt}
    return child("tetani", job, seed, rates=np.asarray(rates, float))[state].reshape(len(rates), size)


def volleys(card, kinds, waits, axons: int, trials: int, show: float, gap: float, dt: float, given: dict, seed: int = 0) -> np.ndarray:
    """What one volley brings each cell, summed over its axons, (kinds, waits, trials); every wait has cells and axons of its own.

    kinds : rows (rate of the axons while shown, rate of the cell while shown, rate of the cell before it), in units of r0 of ``given``
    First the cells alone for ``show`` seconds, ``gap`` of silence, then axons and cells for ``show``, ``waits`` (s, rising) of silence,
    and a volley in which every axon fires with probability VOLLEY. given : parameters and needs of the card, with unit.
    A card without a slow weight of its own stands beside a static one. Both transmit 1 a spike and unit of weight. dt : s, of spikes
    """
    job = {"synapse": card, "axons": axons, "trials": trials, "show": show, "gap": gap, "dt": dt, "given": given}
    return child("shown", job, seed, kinds=np.asarray(kinds, float), waits=np.asarray(waits, float))["I"]


def child(protocol, job, seed, **arrays) -> dict[str, np.ndarray]:
    from fwbio.spiking import engine

    with tempfile.TemporaryDirectory(prefix="fwbio-pairs-") as scratch:
        folder = Path(scratch)
        (folder / "job.json").write_text(json.dumps(job))
        np.savez(folder / "job.npz", **arrays)
        engine.child([sys.executable, "-W", "ignore", "-m", "fwbio.spiking.pairs", protocol, scratch], folder, seed, None, quiet=False)
        with np.load(folder / "outputs.npz", allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}


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


def shown(job, given):
    """The child's part of ``volleys``."""
    from brian2 import Network, NeuronGroup, defaultclock, hertz, second

    from fwbio.spiking.own import synapses

    defaultclock.dt, n, ms = job["dt"] * second, job["axons"], 1 / job["dt"]
    shape = (len(given["kinds"]), len(given["waits"]), job["trials"])
    kind, wait, _ = (index.ravel() for index in np.indices(shape))
    r0 = quantity(job["given"]["r0"], "Hz", "r0")
    cells = NeuronGroup(kind.size, "h : 1\nI : 1", threshold="rand() < r0*h*dt", reset="", namespace={"r0": r0 * hertz})
    axons = NeuronGroup(kind.size * n, "chance : 1", threshold="rand() < chance", reset="")
    cards = [job["synapse"]]
    if all(state["start"] != "weight" for state in cards[0]["state"].values()):
        cards.append("static")
    where, made = {"i": np.arange(len(axons)), "j": np.arange(len(axons)) // n}, []
    for card in cards:
        own = {key: value for key, value in job["given"].items() if card != "static" or key in ("n", "r0", "read_gain")}
        made.append(synapses(card, axons, cells, weight=1.0, connect=where, **own))
    network, show, gap = Network(axons, cells, *made), round(job["show"] * ms), round(job["gap"] * ms)
    axon, cell, before = given["kinds"].T
    cells.h, axons.thresholder["spike"].active = before[kind], False  # asleep, so that silence costs nothing
    now = rest(network, 0, show, job["dt"], longest=1)
    cells.h = 0
    now = rest(network, now, now + gap, job["dt"])
    cells.h, axons.chance, axons.thresholder["spike"].active = cell[kind], np.repeat(axon[kind], n) * r0 * job["dt"], True
    end = rest(network, now, now + show, job["dt"], longest=1)
    cells.h, cells.I, axons.chance, axons.thresholder["spike"].active = 0, 0, 0, False
    now = end
    for k, steps in enumerate(np.round(given["waits"] * ms).astype(int)):
        now = rest(network, now, end + steps, job["dt"])
        axons.chance, axons.thresholder["spike"].active = np.repeat(wait == k, n) * VOLLEY, True
        now = rest(network, now, now + 1, job["dt"])
        axons.thresholder["spike"].active = False
    return {"I": np.asarray(cells.I).reshape(shape)}


def rest(network, now: int, until: int, dt: float, longest: int = 10**9) -> int:
    """Runs from step ``now`` to step ``until`` of dt (s), in the longest steps of 1, 10, 100, … dt that divide the time so far.

    Where nothing spikes this is exact: the states of synapses move from event to event, whatever the step.
    """
    from brian2 import defaultclock, second

    while now < until:
        step = 1
        while step < longest and now % (10 * step) == 0 and now + 10 * step <= until:
            step *= 10
        end = until - until % step
        if step < longest:
            end = min(end, (now // (10 * step) + 1) * 10 * step)
        defaultclock.dt = step * dt * second
        network.run((end - now) * dt * second, namespace={})
        gc.freeze()  # Brian2 collects garbage after every run: .3 s each, were all that was built looked through again
        now = end
    defaultclock.dt = dt * second
    return now


def main(protocol, folder) -> None:
    import brian2

    brian2.prefs.codegen.target = "numpy"
    brian2.seed(int(os.environ["FWBIO_SEED"]))
    with np.load(folder / "job.npz", allow_pickle=False) as archive:
        given = {name: archive[name] for name in archive.files}
    found = {"held": held, "tetani": tetani, "shown": shown}[protocol](json.loads((folder / "job.json").read_text()), given)
    np.savez(folder / "outputs.npz", **found)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
