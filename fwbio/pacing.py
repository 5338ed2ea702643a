"""The theta/gamma clock of a paced network: when synapses transmit and write, and by how much their windows correct.

A token of length Delta has S + 1 phases of length T = Delta/(S + 1). In a phase units fire at a constant rate; what their
spikes bring is latched when the phase ends. Fast weights are read in phases 0 .. S-1; in the last one slow weights are read
and fast weights written. A decays all the while, so that a read window sees, and a write window leaves, less than one
instant would. Each is divided by its own window's mean of the decay, and token to token the mean is exactly
lambda A + eta h h^T, for each projection with its own tau (no correction where no clock decays the weight, tau infinite):

    read in phase s:   c = mean over the window of exp(-t/tau),           t since the token began
    write:             c = mean over the window of exp(-(Delta - t)/tau)

A synapse that reads late sees A as it stood one token earlier, latched before the last write: its t counts from that token on.

The mean is an integral in continuous time (``dt = 0``) and a sum over the steps at which a spike can fall in discrete time.
The first ``settle`` of every phase belongs to no window.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Gate:
    """1/window in Hz for each phase of a token (0: shut), divided by the window's mean of the decay."""

    read: np.ndarray
    write: np.ndarray


def gate(network, projection, dt: float = 0.0) -> Gate:
    """The gates of one projection, arrays of inner + 1 values in Hz."""
    S, tau, lag = network.inner, projection.tau, network.token * (projection.reads_A == "late")
    read, write = np.zeros(S + 1), np.zeros(S + 1)
    for s in range(S + 1):
        start = s * network.phase + network.settle
        if projection.reads == ("last" if s == S else "inner"):
            read[s] = 1 / (network.window * mean_decay(start + lag, network.window, tau, dt))
        if projection.writes == "last" and s == S:
            write[s] = 1 / (network.window * mean_decay(start - network.token, network.window, -tau, dt))
    return Gate(read, write)


def free_gains(tau_read, tau_write, dt):
    """Read and write gain in Hz of a free-running synapse in steps of dt: 1/tau, such that the mean over the steps is exact.

    The dendrite's current is seen one step after the spike, not yet decayed: sum exp(-k dt/tau), k = 0, 1, … = 1/(1 - exp(-dt/tau)).
    A weight is seen at the next step or later, decayed since its spike:      k = 1, 2, …             = 1/(exp(dt/tau) - 1).
    A weight that no clock decays (tau infinite) is written at 1 Hz: what a card calls a dose is then a rate in 1/s.
    """
    return -np.expm1(-dt / tau_read) / dt, np.expm1(dt / tau_write) / dt if np.isfinite(tau_write) else 1.0


def mean_decay(start, window, tau, dt):
    """Mean of exp(-t/tau) over t from ``start`` to ``start + window``; with dt, over t = start, start + dt, …"""
    if np.isinf(tau):
        return 1.0
    if dt:
        return float(np.mean(np.exp(-(start + dt * np.arange(round(window / dt))) / tau)))
    return float(np.exp(-start / tau) * -np.expm1(-window / tau) * tau / window)
