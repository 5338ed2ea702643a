"""``fwbio run`` and ``fwbio compare`` of a circuit card: from the words on the command line to a results folder."""

import resource

import numpy as np

from fwbio import circuit, circuit_comparison, results
from fwbio.cards import network
from fwbio.cards.check import circuit_cost
from fwbio.errors import BadInput
from fwbio.progress import Progress
from fwbio.quantities import whole

SAYS = {  # what the options of networks would mean for a circuit: nothing, and what to type instead
    "trials": "a circuit runs through its protocol once; for another run use another --seed",
    "neurons": "a circuit's sizes stand in its card; use --set population.NAME.size=N",
    "neuron": "each population names its own neuron card; use --set population.NAME.neuron=CARD",
    "no_fast": "a circuit has no fast weights of its own kind; use another synapse card, --set projection.NAME.synapse=static",
}


def carry_out(card, levels, *, changes, seed, out, force, quiet, plain=False, **others) -> circuit_comparison.Comparison:
    """Runs ``levels`` (None: rate and spiking) through the protocol, writes the results folder, returns the comparison.

    Raises BadInput before anything is computed, EnvironmentProblem if the spiking circuit cannot be run.
    """
    for name, value in others.items():
        if value not in (None, False):
            option = name.replace("_", "-")
            raise BadInput(f"--{option}: {SAYS.get(name, 'this is for fast-weight networks; leave it out for a circuit')}")
    seed = whole(seed, "seed", low=0, high=2**31 - 1)
    model, levels = network.load(card, set=changes), levels or list(circuit.LEVELS)
    if bad := [level for level in levels if level not in circuit.LEVELS]:
        raise BadInput(f"--level {bad[0]}: a circuit has no discrete RNN; use rate or spiking")
    if plain and "spiking" not in levels:
        raise BadInput(f"--plain: there are no synapses to spell out in level {levels[0]}; leave it out or use --level spiking")
    if plain:
        circuit.check_plain(model)
    if "rate" in levels:
        from fwbio.rate.circuit import System

        System(model)  # says now what the mean field cannot do
    circuit_cost(model)
    folder, runs = results.claim(out, model.name, force), {}
    for level in levels:
        progress = Progress(level, quiet=quiet)
        runs[level] = circuit.run(model, level, seed=seed, progress=progress, say=progress.say, plain=plain)
    comparison = circuit_comparison.compare(*runs.values())
    seconds = {level: round(run.seconds, 3) for level, run in runs.items()}
    build, children = (max(getattr(run, key) for run in runs.values()) for key in ("build_seconds", "memory_mb"))
    comparison.figures["seconds"] = {"build": round(build, 3), "run": round(sum(seconds.values()), 3), **seconds}
    comparison.figures["peak_memory_mb"] = round(children + resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    comparison.figures["folder"] = str(folder)
    from fwbio import circuit_figures

    results.write(folder, comparison.figures, arrays(runs), circuit_figures.of(comparison), model)
    return comparison


def arrays(runs) -> dict:
    """What ``arrays.npz`` holds: LEVEL_t, LEVEL_rate.GROUP, LEVEL_PROJECTION.STATE.GROUP, and spike_t, spike_i of each population."""
    found = {}
    for level, run in runs.items():
        found[f"{level}_t"] = run.t
        found |= {f"{level}_rate.{group}": rate.astype(np.float32) for group, rate in run.rate.items()}
        for projection, states in run.states.items():
            found |= {f"{level}_{projection}.{s}.{g}": v.astype(np.float32) for s, groups in states.items() for g, v in groups.items()}
        for population, (t, i) in (run.spikes or {}).items():
            found |= {f"spike_t.{population}": t, f"spike_i.{population}": i}
    return found
