"""The error budget of a paced spiking network: how many neurons a wanted error takes, and what a measured error is made of.

Before simulating: ``fwbio.noise`` predicts the error of h for any number of neurons n; the smallest n that meets the target is
found by bisection (the error falls with n, down to the bias of the neuron card).

After: every trial is run twice, with spikes of its own each time, and twice again with half the time step. With e and e' the errors of
h of the two runs, means over tokens and units in units of the variance of the reference's h,

    variance    = mean (e - e')^2/2                what the spikes scatter: falls as 1/n
    b(dt)       = mean e e'                        what both have in common: does not fall with n
    integration = 2 (b(dt) - b(dt/2))              the part of it that goes with dt -> 0, to first order in dt
    bias        = b(dt) - integration              what is left for dt -> 0
    total       = mean (e^2 + e'^2)/2              their sum

each with the 95 % interval of a mean over trials. A square that is 0 comes out below 0 half of the time: then the interval says so.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fwbio import noise
from fwbio.errors import BadInput

MOST = 100_000  # neurons a unit
TRIALS = 25  # run again to split a measured error: one batch


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
    """bias, variance, integration and total of the spiking run's error of h: each {square, low, high, rms}; and how many trials.

    spiking, reference : Runs of the same trials, of which the first TRIALS are run again (see the module)
    options : of ``fwbio.spiking.batches.run``, for instance ``target``
    """
    from fwbio.spiking import batches

    network, x, wanted = spiking.network, spiking.task.x(spiking.network)[:TRIALS], reference.h[:TRIALS]
    finer = replace(network, dt=network.dt / 2)
    again = batches.run(network, x, seed=seed + 1, keep=0, say=say, **options).h
    fine = batches.run(finer, np.concatenate([x, x]), seed=seed + 2, keep=0, say=say, **options).h
    pairs = [(spiking.h[:TRIALS] - wanted, again - wanted), (fine[: len(x)] - wanted, fine[len(x) :] - wanted)]
    common, common_fine = ((e * f).mean(axis=(1, 2)) / reference.h.var() for e, f in pairs)
    variance = ((pairs[0][0] - pairs[0][1]) ** 2).mean(axis=(1, 2)) / reference.h.var() / 2
    integration = 2 * (common - common_fine)
    terms = {"bias": common - integration, "variance": variance, "integration": integration, "total": common + variance}
    return {"trials": len(x), **{name: interval(values) for name, values in terms.items()}}


def interval(values) -> dict:
    """Mean square over trials with its 95 % interval, and the root of the mean where it is above 0."""
    mean, half = float(values.mean()), float(1.96 * values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("inf")
    return {"square": mean, "low": mean - half, "high": mean + half, "rms": max(mean, 0.0) ** 0.5}
