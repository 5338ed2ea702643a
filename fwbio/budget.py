"""The error budget of a paced spiking network: what a measured error of h is made of.

Every trial is run twice, with spikes of its own each time, and twice again with half the time step. With e and e' the errors of
h of the two runs, means over tokens and units in units of the variance of the reference's h,

    variance    = mean (e - e')^2/2                what the spikes scatter: falls as 1/n
    b(dt)       = mean e e'                        what both have in common: does not fall with n
    integration = 2 (b(dt) - b(dt/2))              the part of it that goes with dt -> 0, to first order in dt
    bias        = b(dt) - integration              what is left for dt -> 0
    total       = mean (e^2 + e'^2)/2              their sum

each with the 95 % interval of a mean over trials. A square that is 0 comes out below 0 half of the time: then the interval says so.
"""

from dataclasses import replace

import numpy as np

TRIALS = 25  # run again to split a measured error: one batch


def split(spiking, reference, seed: int = 0, say=None, **options) -> dict:
    """bias, variance, integration and total of the spiking run's error of h: each {square, low, high, rms}; and how many trials.

    spiking, reference : Runs of the same trials, of which the first TRIALS are run again (see the module)
    options : of ``fwbio.spiking.batches.run``, for instance ``target``
    """
    from fwbio.spiking import batches

    network, x, wanted = spiking.network, spiking.task.x(spiking.network)[:TRIALS], reference.h[:TRIALS]
    finer = replace(network, dt=network.dt / 2, recorded=network.sample)  # h at the same moments
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
