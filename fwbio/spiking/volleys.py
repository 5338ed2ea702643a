"""A pattern shown to synapses, a wait, one volley: any synapse card from neuron to neuron, by Brian2 in a child process."""

import gc

import numpy as np

from fwbio.quantities import quantity
from fwbio.spiking.away import away

VOLLEY = 0.5  # probability that an axon takes part in a volley


def volleys(card, kinds, waits, axons: int, trials: int, show: float, gap: float, dt: float, given: dict, seed: int = 0) -> np.ndarray:
    """What one volley brings each cell, summed over its axons, (kinds, waits, trials); every wait has cells and axons of its own.

    kinds : rows (rate of the axons while shown, rate of the cell while shown, rate of the cell before it), in units of r0 of ``given``
    First the cells alone for ``show`` seconds, ``gap`` of silence, then axons and cells for ``show``, ``waits`` (s, rising) of silence,
    and a volley in which every axon fires with probability VOLLEY. given : parameters and needs of the card, with unit.
    A card without a slow weight of its own stands beside a static one. Both transmit 1 a spike and unit of weight. dt : s, of spikes
    """
    job = {"synapse": card, "axons": axons, "trials": trials, "show": show, "gap": gap, "dt": dt, "given": given}
    return away(heard, job, seed, kinds=np.asarray(kinds, float), waits=np.asarray(waits, float))["I"]


def heard(job, given):
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
