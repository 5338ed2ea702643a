"""One network, one task, one of the three descriptions: ``run(network, task, "rnn" | "rate" | "spiking")``."""

import time
from dataclasses import dataclass, field, replace

import numpy as np

from fwbio import rnn
from fwbio import wipe as wipes
from fwbio.errors import BadInput, nearest

LEVELS = ("rnn", "rate", "spiking")


@dataclass(frozen=True)
class Run:
    """What one description did with the trials of a task.

    h : (trials, tokens, units); free-running networks: (trials, samples, units) at the times ``t`` in s
    A : (trials kept, tokens, post, pre) after each token (or input) of a trial's last sequence. kept : which trials those are
    I : the dendrites' current like h, free-running only
    logits : (decisions, classes), one wherever ``task`` asks, trial after trial; None where there is nothing to decide
    spikes : the SpikingTrace behind it, None for the other two
    levels : the terms of A, by projection
    """

    level: str
    network: object
    task: object
    h: np.ndarray
    A: np.ndarray
    kept: np.ndarray
    logits: np.ndarray | None
    t: np.ndarray | None
    I: np.ndarray | None  # noqa: E741 (the symbol of the card)
    seconds: float
    spikes: object = None
    levels: dict = field(default_factory=dict)

    @property
    def decisions(self) -> np.ndarray:
        """The class that is chosen wherever the task asks, (decisions,)."""
        return self.logits.argmax(axis=1)

    @property
    def right(self) -> np.ndarray | None:
        """Which decisions are right, (trials, decisions a trial); None where nobody said what is."""
        return None if self.task.target is None else (self.decisions == self.task.target).reshape(len(self.h), -1)

    @property
    def accuracy(self) -> float:
        """The share of decisions that are right."""
        return float(self.right.mean())


def run(network, task=None, level: str | None = None, *, seed: int = 0, wipe=None, spikes=None, progress=None, say=None, **options):
    """Runs every trial of ``task`` through ``network`` (of ``fwbio.load``) as ``level``; a Run.

    A circuit has a protocol in place of a task: ``run(circuit, level="rate")`` gives a ``fwbio.circuit.CircuitRun``.

    seed : of the spikes; the other two levels draw nothing
    wipe : {"what": "h", "A" or "W", "before": token}, in place of the card's (``fwbio.wipe``); paced networks only
    spikes : the SpikingTrace of this run, if it was made beside others (``fwbio.spiking.pack``)
    progress : called with the fraction done
    options : of the level's own ``run``, for instance ``rtol`` (rate), ``plain`` or ``target`` (spiking)

    Raises BadInput for a level that the network does not have, EnvironmentProblem if a spiking run cannot be made.
    """
    if hasattr(network, "populations"):
        from fwbio import circuit

        return circuit.run(network, task if level is None else level, seed=seed, progress=progress, say=say, **options)
    if level not in LEVELS:
        raise BadInput(f"level = {level!r}: use rnn, rate or spiking{nearest(level, LEVELS)}")
    if level != "rnn" and network.card.get("rnn", {}).get("reads") == "preliminary":
        raise BadInput(f'{network.name}: rnn.reads = "preliminary" has a discrete form only; use level rnn')
    if wipe is not None:
        network = replace(network, wipe=wipes.of(wipe, network.paced, "wipe"))
    x, start = task.x(network), time.monotonic()
    wipes.check(network.wipe, x.shape[1])
    keep = network.card.get("record", {}).get("trials", 0)
    if level == "spiking":
        from fwbio.spiking import batches

        if spikes is None:
            spikes = batches.run(network, x, seed=seed, keep=keep, since=task.since, progress=progress, say=say, **options)
        spikes = replace(spikes, A=spikes.A[:keep], levels={name: A[:keep] for name, A in spikes.levels.items()})
        trace, h, t, current = spikes, spikes.h, spikes.t, spikes.I
        kept, read_from = batches.kept_trials(len(x), keep, network, options.get("plain", False), options.get("batch")), spikes.seen
    else:
        trace, t = (
            (discrete(network, x, **{"since": task.since, **options}), None)
            if level == "rnn"
            else continuous(network, task, progress, **options)
        )
        h, current = trace.h, getattr(trace, "I", None)
        kept, read_from = np.arange(len(trace.A)), h
    seconds = time.monotonic() - start
    logits = read_out(network, read_from[:, list(task.asked)]) if "readout" in network.card else None
    return Run(level, network, task, h, trace.A, kept, logits, t, current, seconds, spikes, trace.levels)


def discrete(network, x, **options) -> rnn.Trace:
    """The NumPy RNN with the conventions that the card names."""
    if not network.paced:
        raise BadInput(f"{network.name} is free-running (no [clock]): it has no discrete RNN; use rate or spiking")
    plastic = [name for name, p in network.projections.items() if not p.associative and "ode" in p.synapse.card["spiking"]]
    if plastic:
        raise BadInput(f"{network.name}: projection.{plastic[0]} is not a fixed slow weight, so this network has no discrete RNN")
    says = network.card["rnn"]
    norm = {key: network.norm.values[key] for key in ("gain", "bias", "eps")} if network.norm else {}
    first = {f"{key}0": network.norm_first.values[key] for key in ("gain", "bias")} if network.norm_first else {}
    arguments = {
        **norm,
        **first,
        "levels": rnn.rules(network),
        "inner": network.inner,
        "reads": says["reads"],
        "norm_first": says["norm_first"],
        "keep": min(len(x), 200),
        "wipe": network.wipe,
    }
    return rnn.run(network.projections[says["W"].removeprefix("projection.")].weight, x, **{**arguments, **options})


def continuous(network, task, progress, **options):
    x = task.x(network)
    if network.paced:
        from fwbio.rate import paced

        return paced.run(network, x, keep=min(len(x), 200), since=task.since, progress=progress, **options), None
    from fwbio.rate import free

    t = np.arange(0, network.every * x.shape[1] - network.dt / 2, network.sample)
    return free.run(network, x, t, **options), t


def read_out(network, h) -> np.ndarray:
    """Logits (decisions, classes) of states (trials, tokens that are asked, units), with the card's layers."""
    layers = [[network.trained[name.removeprefix("trained.")] for name in pair] for pair in network.card["readout"]["layers"]]
    return rnn.read_out(h.reshape(-1, h.shape[-1]), layers)
