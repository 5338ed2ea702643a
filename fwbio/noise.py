"""What spike noise does to a paced network, predicted without spikes and without a fit.

Between the descriptions stands only that a population of n neurons shows its rate h as a count. In a window in which one
neuron fires mu = r0 window spikes per unit of h (mean and variance of its count from the neuron card's [counts] block):

    slow weights, read-out   see  h^ = sum of counts / (n mu):         mean E[N]/mu, variance Var[N]/(n mu^2)
    fast weights             see  F_i = sum_tau (sum over levels of eta lambda^(t-tau)) phi_i(tau) score(tau, t)
                             score = (1/n) sum_b,j N_jb(tau)/mu N_jb(t)/mu
                                   = h^(tau) . h^(t)  +  a term of mean 0 and variance sum_j Var[N_j(tau)] Var[N_j(t)]/(n mu^4)

The last term is there because a synapse belongs to one axon, whose own counts meet again at read-out: for Poisson counts it is
sum_j h_j(tau) h_j(t)/(n mu^2). n and mu enter separately. Central limit theorem: all of it Gaussian (the diffusion
approximation), and the trained network carries it through its own nonlinearity, here as the attention form of the RNN. There is no
prediction for weights that decay with use: they are no sum over the past.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fwbio.errors import BadInput
from fwbio.rate.equations import Right
from fwbio.rate.paced import normaliser
from fwbio.rnn import Decay, rules


@dataclass(frozen=True)
class Prediction:
    """h : (trials, tokens, units) of a noisy network; seen : the same as its spike counts show it. spikes : of a trial, mean."""

    h: np.ndarray
    seen: np.ndarray
    spikes: float


def counts(network):
    """Function (h before, h now) -> mean and variance of one neuron's count in the window, divided by mu and mu^2."""
    mu = network.r0 * network.window
    block, values = network.neuron.card["counts"], network.neuron.values
    if "density" in block:
        return tabulated(network, mu)
    constants = {**values, "window": network.window, "dt": network.dt}
    mean, variance = (Right(block[k], constants) for k in ("mean", "variance"))
    return lambda before, now: (mean({"h": now}) / mu, variance({"h": now}) / mu**2)


H_BEFORE = np.array([0, 0.1, 0.25, 0.5, 1, 2, 4, 8.0])
H_NOW = np.array([0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 6.5, 8.0])


def tabulated(network, mu):
    """The same for a neuron card whose counts come from the density of its membrane."""
    from scipy.interpolate import RegularGridInterpolator

    numbers = tuple(sorted(network.neuron.values.items()))
    tables = membrane_counts(numbers, network.r0, network.phase, network.settle, network.dt)
    look_up = RegularGridInterpolator((H_BEFORE, H_NOW), tables, bounds_error=False, fill_value=None)

    def moments(h_before, h_now):
        found = look_up(np.stack([np.minimum(h_before, H_BEFORE[-1]), h_now], axis=-1))
        return found[..., 0] / mu, np.maximum(found[..., 1], 0) / mu**2

    return moments


@lru_cache(maxsize=8)
def membrane_counts(numbers, r0, phase, settle, dt):
    """Mean and variance of the count for every (h before, h now); kept, because it takes seconds and n does not enter."""
    from fwbio.density import count_moments
    from fwbio.siegert import inverse

    values = dict(numbers)

    def drive(h):
        return inverse(np.clip(r0 * h, values["r_min"], values["r_max"]), values, dt)

    membrane = {k: values[k] for k in ("tau_m", "sigma", "V_th", "V_r", "t_ref")}
    highest = min(r0 * H_NOW[-1], values["r_max"]) * (phase - settle)
    most = math.ceil(highest + 6 * math.sqrt(highest) + 6)  # a Poisson count stays below this but for 1e-9
    moments = count_moments(drive(H_BEFORE), drive(H_NOW), round(phase / dt), round(settle / dt), dt=dt, most=most, **membrane)
    return np.stack(moments, axis=-1)


def predict(network, x, seed: int = 0) -> Prediction:
    """One noisy pass of every trial. x : (trials, tokens, units). Draws only Gaussian numbers, from ``seed``.

    Raises BadInput for a network with a level that has no prediction (see ``predictable``).
    """
    if not predictable(network):
        raise BadInput(f"{network.name}: the noise of weights that decay with use is not predicted; measure it")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(77,)))
    trials, tokens, units = x.shape
    n, S, wipe, levels = network.neurons, network.inner, network.wipe, rules(network).values()
    W = next(p for p in network.projections.values() if not p.associative).weight
    oldest = 0  # the first token that A still knows
    late = network.card["rnn"]["reads"] == "late"
    norm, norm_first, phi = normaliser(network.norm), normaliser(network.norm_first), Right(network.phi, {})
    moments = counts(network)

    def spikes(before, now):
        mean, variance = moments(before, now)
        return mean + np.sqrt(variance / n) * rng.standard_normal(now.shape), variance

    fired = 0.0  # sum of h over phases
    h, seen = np.zeros((2, trials, tokens, units))
    spread = np.zeros((trials, tokens, units))
    state, slow = np.zeros((2, trials, units))
    for t in range(tokens):
        if wipe and wipe.before == t:
            slow, W, oldest = slow * (wipe.what != "h"), W * (wipe.what != "W"), t if wipe.what == "A" else 0
        z = slow + x[:, t]
        before, state = state, phi({"u": norm_first(z)})
        fired += state.sum()
        for _ in range(S):
            probe, probe_variance = spikes(before, state)
            read = slice(oldest, max(t - late, oldest))
            score = np.einsum("tkj,tj->tk", seen[:, read], probe)
            score += np.sqrt(np.einsum("tkj,tj->tk", spread[:, read], probe_variance) / n) * rng.standard_normal(score.shape)
            weight = sum(rule.eta * rule.lam ** np.arange(read.stop - read.start - 1, -1, -1) for rule in levels)
            fast = np.einsum("tk,tki->ti", weight * score, h[:, read])
            before, state = state, phi({"u": norm(z + fast)})
            fired += state.sum()
        h[:, t] = state
        seen[:, t], spread[:, t] = spikes(before, state)
        slow = seen[:, t] @ W.T
    return Prediction(h, seen, n * network.r0 * network.phase * fired / trials)


def predictable(network) -> bool:
    """Whether every level decays by the clock, so that its noise is a sum over the past."""
    return all(isinstance(rule, Decay) for rule in rules(network).values())


def weights(network, prediction: Prediction, trials: slice, since: int = 0) -> np.ndarray:
    """A after each token from ``since`` on as the noisy network has it, (trials, tokens, post, pre): eq. 3 with what the spikes showed."""
    h, seen = prediction.h[trials], prediction.seen[trials]
    A = np.zeros((len(h), h.shape[1] - since, h.shape[2], h.shape[2]))
    for rule in rules(network).values():
        level = 0.0
        for t in range(h.shape[1]):
            if network.wipe and (network.wipe.what, network.wipe.before) == ("A", t):
                level = 0.0
            level = rule.lam * level + rule.eta * h[:, t, :, None] * seen[:, t, None, :]
            if t >= since:
                A[:, t - since] += level
    return A
