"""How many spikes a leaky integrate-and-fire neuron fires in a window, without simulating one: the density of its membrane.

The probability of (V, spikes so far) is carried forward step by step with the exact transition of the Euler scheme,
V' = V + (mu - V) dt/tau_m + sigma sqrt(dt/tau_m) N(0, 1), from the stationary density of the phase before. It gives mean and
variance of the count, and so both the transient at the start of a phase and a Fano factor below 1 (renewal theory, no spikes).
"""

import math

import numpy as np

CELL = 0.02  # of V_th: largest width of a voltage cell


def count_moments(mu_before, mu_now, steps, skip, *, tau_m, sigma, V_th, V_r, t_ref, dt, most=24):
    """Mean and variance of the spike count, arrays (len(mu_before), len(mu_now)).

    mu_before, mu_now : input in V during the phase before and now. steps : of the whole phase; skip : its first steps that
    do not count. most : largest count told apart.
    """
    steps_up = math.ceil((V_th - V_r) / min(CELL * V_th, sigma * math.sqrt(dt / tau_m)))
    width = (V_th - V_r) / (steps_up + 0.5)  # the reset is the middle of a cell, the threshold the edge of one
    reset = math.ceil((V_r - min(np.min(mu_before), np.min(mu_now), V_r) + 4 * sigma) / width)
    V, dead = V_r + width * np.arange(-reset, steps_up + 1), max(round(t_ref / dt) - 1, 0)
    noise = (sigma**2 * dt / tau_m - width**2 / 12) ** 0.5  # a cell's own spread is part of the step
    starts = [stationary(transition(V, mu, width, noise, dt / tau_m), reset, dead) for mu in mu_before]
    mean, variance = np.empty((2, len(mu_before), len(mu_now)))
    counts = np.arange(most + 1)
    for k, mu in enumerate(mu_now):
        step = transition(V, mu, width, noise, dt / tau_m)
        p = np.zeros((len(starts), most + 1, len(V)))
        p[:, 0] = [free for free, _ in starts]
        waiting = np.zeros((dead, len(starts), most + 1))  # released after 1, 2, … dead steps
        waiting[:, :, 0] = np.array([held for _, held in starts]).T
        for now in range(steps):
            moved = p @ step
            fired = p.sum(axis=2) - moved.sum(axis=2)
            p = moved
            if now >= skip:
                fired = np.concatenate([np.zeros((len(starts), 1)), fired[:, :-2], fired[:, -2:-1] + fired[:, -1:]], axis=1)
            waiting = np.concatenate([waiting, fired[None]])
            p[:, :, reset] += waiting[0]
            waiting = waiting[1:]
        chance = p.sum(axis=2) + waiting.sum(axis=0)
        mean[:, k] = chance @ counts
        variance[:, k] = chance @ counts**2 - mean[:, k] ** 2
    return mean, variance


def transition(V, mu, width, noise, leak):
    """P[i, j]: from cell i to cell j in a step. What is missing in a row has crossed the threshold."""
    from scipy.special import ndtr

    centre = V + leak * (mu - V)
    edges = np.append(V - width / 2, V[-1] + width / 2)
    below = ndtr((edges[None, :] - centre[:, None]) / noise)
    below[:, 0] = 0.0  # nothing leaves at the bottom
    return np.diff(below, axis=1)


def stationary(step, reset, dead):
    """Density over the cells, and what is held refractory, after firing for long at constant input."""
    size = len(step)
    p = np.full(size, 1 / size)
    p = np.linalg.matrix_power(step + np.outer(1 - step.sum(axis=1), np.arange(size) == reset), 2000)[reset]
    fired = 1 - p @ step.sum(axis=1)
    held = np.full(dead, fired)
    total = p.sum() + held.sum()
    return p / total, held / total
