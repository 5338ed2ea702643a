"""Several small networks of one structure in one run, side by side like the trials of one network, each with its own parameters.

The neurons' random numbers belong to the trial (``fwbio.spiking.draws``), so each network does exactly what it does alone.
"""

from dataclasses import replace

import numpy as np

from fwbio.cards import modes
from fwbio.spiking import batches, engine
from fwbio.spiking.structure import Structure, parameters, structure

NEURONS = 20_000  # side by side; beyond, a step costs what its neurons cost and nothing is saved
MOST = 64  # networks; what a run that fails has to do again, alone


def room(network, trials: int, plain: bool = False) -> int:
    """How many such networks a run should hold; 1: packing does not pay, or cannot be done (noise drawn within a step)."""
    card = network.neuron.card
    others = [*card["spiking"].get("ode", []), *(state["start"] for state in card.get("state", {}).values())]
    chains = modes.apart(network).projections.keys() != network.projections.keys()  # its parameters are not those of the synapses that run
    if chains or any("xi" in text or "rand()" in text for text in others) or trials > batches.batch_size(network, plain):
        return 1
    cells = network.neurons if plain else 1
    fit = min(NEURONS // (network.units * network.neurons), batches.LARGEST // (2 * network.neurons * network.units**2 * cells))
    return max(1, min(MOST, fit // trials))


def alone(network, x, *, since=0, plain=False, target=None) -> Structure:
    """The structure of one such network, all its trials in one run."""
    target = target or engine.default_target()
    return structure(network, x.shape[1], batches.batch_size(network, plain), 1, plain=plain, target=target, quiet=since)


def shared(values: dict) -> dict:
    """The tables that all networks of a run must have in common: clocked gates and the like, but neither inputs nor weights."""
    return {k: v for k, v in values.items() if "." not in k and k != "x" and not k.endswith("_weight")}


def run(s: Structure, networks, xs, seeds, own, most: int, *, say=None) -> list[batches.SpikingTrace]:
    """Each network's SpikingTrace, as ``batches.run`` gives it.

    s : of ``alone``, the same for all. xs : (trials, inputs, units) each. own : names of parameters that may differ between them
    most : networks that the compiled program has room for; what is left over repeats the last
    """
    trials = len(xs[0])
    one = replace(s, trials=trials)
    side_by_side = replace(s, trials=most * trials, record=most, apart=trials, own=tuple(sorted(own)))
    each = [parameters(network, one, x, seed) for network, x, seed in zip(networks, xs, seeds, strict=True)]
    values = joined(one, each + each[-1:] * (most - len(each)), own)
    if s.target == "cpp_standalone":
        outcome = engine.run(engine.build(side_by_side, values, say)[0], side_by_side, values, seeds[0])
    else:
        outcome = engine.interpret(side_by_side, values, seeds[0])
    return [
        batches.reduce(network, one, replace(outcome, arrays=part(one, outcome.arrays, k, network)), trials, first=True)
        for k, network in enumerate(networks)
    ]


def joined(one: Structure, each: list[dict], own) -> dict:
    """The parameters of all networks: arrays one after the other, numbers that differ once for every neuron or dendrite."""
    values = {}
    for name, first in each[0].items():
        found = [values_of[name] for values_of in each]
        if name == "x" or name in own and name.endswith("_weight"):
            values[name] = np.concatenate(found, axis=1)
        elif np.ndim(first) and "." in name:
            values[name] = np.concatenate(found)
        elif name in own:
            group, key = name.split(".", 1)
            size = one.units * one.cells if group == "dendrites" else one.per_trial
            full = f"neurons.{group}_own_{key}" if group in one.projections else name
            values[full] = np.repeat(np.array(found, float), one.trials * size)
        else:
            values[name] = first
    return values


def differing(each: list[dict]) -> set[str]:
    """The parameters that are not the same everywhere, of those that need not be."""
    return {
        name
        for name, first in each[0].items()
        if name.endswith("_weight") or "." in name and not np.ndim(first)
        if any(not np.array_equal(first, values[name]) for values in each[1:])
    }


def part(one: Structure, arrays: dict, k: int, network) -> dict:
    """What the run brought back of network ``k``."""
    trials, own = slice(k * one.trials, (k + 1) * one.trials), {"t": arrays["t"]}
    low = k * one.trials * one.per_trial
    mine = (arrays["spike_i"] >= low) & (arrays["spike_i"] < low + one.per_trial)
    own |= {"spike_i": arrays["spike_i"][mine] - low, "spike_t": arrays["spike_t"][mine]}
    own |= {name: arrays[name][:, trials] for name in ("h", "I", "counts") if name in arrays}
    return own | {name: arrays[name][:, k : k + 1] for name in network.levels}
