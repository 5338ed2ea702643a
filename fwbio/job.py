"""``fwbio run`` and ``fwbio compare``: from the words on the command line to a results folder."""

import resource

import numpy as np

from fwbio import budget as error_budget
from fwbio import describe, results, sizing, tasks
from fwbio.cards import legal
from fwbio.cards.check import affordable
from fwbio.cards.network import load
from fwbio.comparison import Comparison, compare, row
from fwbio.errors import BadInput
from fwbio.outside import inputs as given
from fwbio.outside import outputs as outside_outputs
from fwbio.progress import Progress
from fwbio.quantities import quantity, whole

CHOSEN_BY = 1000  # trials


def carry_out(
    card,
    levels,
    *,
    changes,
    trials,
    neurons,
    neuron,
    seed,
    no_fast,
    out,
    force,
    quiet,
    plain=False,
    target_error=None,
    target_agreement=None,
    budget=False,
    inputs=None,
    ann=None,
    resample=False,
) -> Comparison:
    """Runs ``levels`` (None: all that the card has) on the same trials, writes the results folder, returns the comparison.

    budget : whether the error is split; None: unless sequences come in a row, where that would take as long as all the rest
    inputs, ann : files with trials of the user's own and with what an ANN made of them (``fwbio.outside``), in place of the card's task

    Raises BadInput before anything is computed, EnvironmentProblem if the spiking network cannot be run.
    """
    seed = whole(seed, "seed", low=0, high=2**31 - 1)
    network = load(card, set=changes, neurons=neurons, neuron=neuron, fast=not no_fast, seed=seed)
    levels = levels or (describe.LEVELS if network.paced else describe.LEVELS[1:])
    if "spiking" in levels:
        legal.check(network, plain)
    elif plain:
        raise BadInput(f"--plain: there are no synapses to spell out in level {levels[0]}; leave it out or use --level spiking")
    if inputs is None:
        affordable(network, network.card["protocol"]["trials"] if trials is None else whole(trials, "trials"), plain)
        task = tasks.of(network, trials, seed)
    else:
        task = given.read(inputs, network, None if trials is None else whole(trials, "trials"))
        affordable(network, task.trials, plain, task.length)
    outputs = outside_outputs.read(ann, network, task, resample) if ann is not None else None
    folder = results.claim(out, network.name, force)
    runs, plan = {}, None
    for level in levels:
        if level == "spiking" and (target_error is not None or target_agreement is not None):
            choose_by = task if inputs is not None else tasks.of(network, CHOSEN_BY, seed + 1)
            network, plan = sized(network, task, runs, target_error, target_agreement, choose_by)
            legal.check(network, plain)
        options = {"plain": True} if plain and level == "spiking" else {}
        progress = Progress(level, quiet=quiet)
        runs[level] = describe.run(network, task, level, seed=seed, progress=progress, say=progress.say, **options)
    comparison = compare(*runs.values()) if {"rnn", "rate"} & set(levels) else alone(runs["spiking"])
    if outputs is not None:
        comparison.figures["beside_ann"] = outside_outputs.beside(runs, outputs, task)
    if plan:
        comparison.figures["target"] = plan
    if budget or budget is None and tasks.in_a_row(network)[0] == 1:
        progress, reference = Progress("budget", quiet=quiet), runs[comparison.figures["reference"]]
        comparison.figures["spiking"]["budget"] = error_budget.split(runs["spiking"], reference, seed, progress.say, plain=plain)
    comparison.figures.update(costs(runs), folder=str(folder))
    from fwbio import figures

    results.write(folder, comparison.figures, arrays(runs, task), figures.of(comparison), network)
    return comparison


def costs(runs) -> dict:
    """Seconds of the build, of the run and of every description; peak memory of this process and its children together."""
    spikes = runs["spiking"].spikes if "spiking" in runs else None
    build = spikes.build_seconds if spikes else 0.0
    seconds = {level: round(run.seconds - (build if run.spikes else 0.0), 3) for level, run in runs.items()}
    memory = (spikes.memory_mb if spikes else 0.0) + resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": {"build": round(build, 3), "run": round(sum(seconds.values()), 3), **seconds}, "peak_memory_mb": round(memory, 1)}


def sized(network, task, runs, target_error, target_agreement, choose_by):
    """The network of the size that theory asks for, and what was asked for and chosen.

    choose_by : a task by whose input an agreement is planned: other sequences than those it is then measured on, where the card can make some
    """
    if "rnn" not in runs:
        raise BadInput("--target-error, --target-agreement: the prediction is there for paced networks only; this card is free-running")
    if target_error is not None and target_agreement is not None:
        raise BadInput("--target-error and --target-agreement: choose one of them")
    if target_error is not None:
        plan = sizing.for_error(network, task, runs["rnn"].h, share(target_error, "--target-error"))
        network = sizing.of_neurons(network, plan.neurons)
        told = {"error": plan.target, "neurons": plan.neurons, "predicted": plan.predicted}
    else:
        choice = sizing.for_agreement(network, choose_by.x(network), share(target_agreement, "--target-agreement"))
        size = choice.size
        network = sizing.of_neurons(sizing.at_pace(network, size.token, size.r0), size.neurons)
        told = {"agreement": choice.target, **vars(size), "tried": [vars(other) for other in choice.tried]}
    affordable(network, task.trials)
    return network, told


def share(text, option) -> float:
    """``"5%"`` or ``"0.05"`` as a number."""
    text = str(text).strip()
    return quantity(text.removesuffix("%").strip(), "1", option) / (100 if text.endswith("%") else 1)


def alone(spiking) -> Comparison:
    """The spiking description by itself, with nothing beside it."""
    figures = {"card": spiking.network.name, "trials": spiking.task.trials, **row(spiking.network, spiking.task)}
    figures["units"] = spiking.network.units
    figures |= {"neurons": spiking.network.neurons, "neuron": spiking.network.neuron.name, "fast": spiking.network.fast}
    figures |= {"seed": spiking.task.seed, "reference": "spiking", "spiking": {}}
    if spiking.logits is not None and spiking.task.target is not None:
        figures["spiking"]["accuracy"] = spiking.accuracy
    figures["spiking"]["rate_hz"] = float(spiking.network.r0 * spiking.h.mean())
    figures |= {"verdict": "inconclusive", "reason": "one description alone; `fwbio compare` holds it against the others", "rule": ""}
    return Comparison(figures, {"spiking": spiking})


def arrays(runs, task) -> dict:
    """What ``arrays.npz`` holds: each description's h, A, logits and decisions, and the spikes of the first trial."""
    found = {name: value for name in ("tokens", "target") if (value := getattr(task, name, None)) is not None}
    for level, run in runs.items():
        found |= {f"{level}_h": run.h.astype(np.float32), f"{level}_A": run.A[:4].astype(np.float32), f"{level}_kept": run.kept[:4]}
        for name, A in run.levels.items() if len(run.levels) > 1 else ():
            found[f"{level}_A_{name}"] = A[:4].astype(np.float32)
        if run.logits is not None:
            found |= {f"{level}_logits": run.logits, f"{level}_decisions": run.decisions}
        if run.t is not None:
            found[f"{level}_t"] = run.t
        if run.spikes is not None:
            found |= {"spike_t": run.spikes.spike_t, "spike_i": run.spikes.spike_i, "A_axon": run.spikes.A_axon}
            if run.spikes.seen is not None:
                found["spiking_seen"] = run.spikes.seen.astype(np.float32)
    return found
