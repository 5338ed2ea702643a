"""One network, one task, one of the three descriptions: ``run(network, task, "rnn" | "rate" | "spiking")``."""

import time
from dataclasses import dataclass

import numpy as np

from fwbio import rnn
from fwbio.errors import BadInput, nearest

LEVELS = ("rnn", "rate", "spiking")


@dataclass(frozen=True)
class Run:
    """What one description did with the trials of a task.

    h : (trials, tokens, units); free-running networks: (trials, samples, units) at the times ``t`` in s
    A : (trials kept, tokens, post, pre) after each token (or input). kept : which trials those are
    I : the dendrites' current like h, free-running only
    logits : (trials, classes), None where there is nothing to decide
    spikes : the SpikingTrace behind it, None for the other two
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

    @property
    def decisions(self) -> np.ndarray:
        """The class each trial is given, (trials,)."""
        return self.logits.argmax(axis=1)

    @property
    def accuracy(self) -> float:
        """The share of trials decided right."""
        return float((self.decisions == self.task.target).mean())


def run(network, task=None, level: str | None = None, *, seed: int = 0, progress=None, say=None, **options):
    """Runs every trial of ``task`` through ``network`` (of ``fwbio.load``) as ``level``; a Run.

    A circuit has a protocol in place of a task: ``run(circuit, level="rate")`` gives a ``fwbio.circuit.CircuitRun``.

    seed : of the spikes; the other two levels draw nothing. progress : called with the fraction done
    options : of the level's own ``run``, for instance ``rtol`` (rate), ``plain`` or ``target`` (spiking)

    Raises BadInput for a level that the network does not have, EnvironmentProblem if a spiking run cannot be made.
    """
    if hasattr(network, "populations"):
        from fwbio import circuit

        return circuit.run(network, task if level is None else level, seed=seed, progress=progress, say=say, **options)
    if level not in LEVELS:
        raise BadInput(f"level = {level!r}: use rnn, rate or spiking{nearest(level, LEVELS)}")
    x, start = task.x(network), time.monotonic()
    keep = network.card.get("record", {}).get("trials", 0)
    spikes = None
    if level == "spiking":
        from fwbio.spiking import batches

        spikes = batches.run(network, x, seed=seed, keep=keep, progress=progress, say=say, **options)
        h, A, t, current = spikes.h, spikes.A, spikes.t, spikes.I
        kept, read_from = batches.kept_trials(len(x), keep, network, options.get("plain", False)), spikes.seen
    else:
        trace, t = (discrete(network, x, **options), None) if level == "rnn" else continuous(network, x, progress, **options)
        h, A, current = trace.h, trace.A, getattr(trace, "I", None)
        kept, read_from = np.arange(len(A)), h
    seconds = time.monotonic() - start
    logits = read_out(network, read_from[:, -1]) if "readout" in network.card else None
    return Run(level, network, task, h, A, kept, logits, t, current, seconds, spikes)


def discrete(network, x, **options) -> rnn.Trace:
    """The NumPy RNN with the conventions that the card names."""
    if not network.paced:
        raise BadInput(f"{network.name} is free-running (no [clock]): it has no discrete RNN; use rate or spiking")
    plastic = [name for name, p in network.projections.items() if not p.associative and "ode" in p.synapse.card["spiking"]]
    if plastic or network.fast_name is None:
        raise BadInput(
            f"{network.name}: projection.{(plastic or ['?'])[0]} is not a fixed slow weight, so this network has no discrete RNN"
        )
    says = network.card["rnn"]
    norm, first = network.norm.values, (network.norm_first or network.norm).values
    arguments = {
        "gain": norm["gain"],
        "bias": norm["bias"],
        "gain0": first["gain"],
        "bias0": first["bias"],
        "eps": norm["eps"],
        "lam": network.lam,
        "eta": network.eta,
        "inner": network.inner,
        "reads": says["reads"],
        "norm_first": says["norm_first"],
        "keep": min(len(x), 200),
    }
    return rnn.run(network.projections[says["W"].removeprefix("projection.")].weight, x, **{**arguments, **options})


def continuous(network, x, progress, **options):
    if network.paced:
        from fwbio.rate import paced

        return paced.run(network, x, keep=min(len(x), 200), progress=progress, **options), None
    from fwbio.rate import free

    t = np.arange(0, network.every * x.shape[1] - network.dt / 2, max(network.dt, 1e-3))
    return free.run(network, x, t, **options), t


def read_out(network, h) -> np.ndarray:
    """Logits of the last token's state, with the card's layers."""
    layers = [[network.trained[name.removeprefix("trained.")] for name in pair] for pair in network.card["readout"]["layers"]]
    return rnn.read_out(h, layers)
