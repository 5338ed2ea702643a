"""The error budget of a paced spiking network: how many neurons a wanted error takes, and what a measured error is made of.

Before simulating: ``fwbio.noise`` predicts the error of h for any number of neurons n; the smallest n that meets the target is
found by bisection (the error falls with n, down to the bias of the neuron card).

After: with e(n, dt) the mean square error of h over trials, in units of the variance of the reference's h,

    e(n, dt) = bias + variance/n + integration,
    variance/n  = e(n/2, dt) - e(n, dt)                      at n
    integration = 4/3 (e(n, dt) - e(n, dt/2))                an error of first order in dt counts in the square
    bias        = e(n, dt) - variance/n - integration

Each from runs with their own spikes, with the 95 % interval of a mean over trials. Squares are never signed means of h, but their
differences may come out below 0 by chance: then the interval says so.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fwbio import noise
from fwbio.errors import BadInput

MOST = 100_000  # neurons a unit


@dataclass(frozen=True)
class Plan:
    """neurons a unit that meet ``target`` (relative RMS error of h), and the error predicted for them."""

    target: float
    neurons: int
    predicted: float


def plan(network, task, reference_h, target: float) -> Plan:
    """The smallest number of neurons a unit whose predicted error is at most ``target``.

    Raises BadInput if no number up to 100,000 does, saying the best to be had and what else to change.
    """
    if not 0 < target < 1:
        raise BadInput(f"--target-error {target:g}: a share of the standard deviation of h, above 0 and below 1 (2% or 0.02)")
    x = task.x(network)[:100]
    h = reference_h[: len(x)]

    @lru_cache
    def error(n):
        passes = [noise.predict(replace_neurons(network, n), x, seed).h for seed in range(max(1, 200 // len(x)))]
        return float(np.sqrt(np.mean([(p - h) ** 2 for p in passes])) / h.std())

    if error(MOST) > target:
        raise BadInput(
            f"--target-error {target:g}: {network.neuron.name} neurons cannot go below {error(MOST):.3g} here, whatever their number "
            f"(with 1,000 it is {error(1000):.3g}). What is left is a bias: lengthen the token with lambda fixed "
            f"(--set token={2e3 * network.token:g}ms --set fast.tau={2 * network.tau:.6g}s), or use --neuron poisson"
        )
    low, high = 0, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if error(middle) <= target else (middle, high)
    return Plan(target, high, error(high))


def replace_neurons(network, n: int):
    """The same network with n neurons a unit."""
    projections = {
        name: replace(p, synapse=replace(p.synapse, values={**p.synapse.values, "n": n})) for name, p in network.projections.items()
    }
    return replace(network, neurons=n, projections=projections)


def split(spiking, reference, seed: int = 0, say=None, **options) -> dict:
    """bias, variance and integration of the spiking run's error of h: each {share of the square, low, high}.

    spiking, reference : Runs of the same trials. Two more spiking runs are made: half the neurons, and half the time step.
    options : of ``fwbio.spiking.batches.run``, for instance ``target``
    """
    from fwbio.describe import run

    network, task = spiking.network, spiking.task
    if network.neurons < 2:
        raise BadInput("--budget needs at least 2 neurons a unit: it runs half of them as well")
    half = run(replace_neurons(network, network.neurons // 2), task, "spiking", seed=seed + 1, say=say, **options)
    finer = run(replace(network, dt=network.dt / 2), task, "spiking", seed=seed + 2, say=say, **options)
    size = reference.h.var()
    at_n, at_half, at_finer = (((r.h - reference.h) ** 2).mean(axis=(1, 2)) / size for r in (spiking, half, finer))
    ratio = network.neurons / half.network.neurons - 1  # 1 for an even number
    variance = (at_half - at_n) / ratio
    integration = 4 / 3 * (at_n - at_finer)
    terms = {"bias": at_n - variance - integration, "variance": variance, "integration": integration, "total": at_n}
    return {name: interval(values) for name, values in terms.items()}


def interval(values) -> dict:
    """Mean square over trials with its 95 % interval, and the root of the mean where it is above 0."""
    mean, half = float(values.mean()), float(1.96 * values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("inf")
    return {"square": mean, "low": mean - half, "high": mean + half, "rms": max(mean, 0.0) ** 0.5}
