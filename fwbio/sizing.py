"""How large must a spiking network be? Before simulating, ``fwbio.noise`` predicts what n neurons a unit do, so that n can be chosen.

For a wanted error of h: the smallest n, by bisection (the error falls with n, down to the bias of the neuron card).

For a wanted share of decisions that are the reference's, three numbers are free: n, the rate r0 that stands for h = 1, and the length Delta of
a token. Noise falls with the spikes n r0 T per unit of h in a phase, and its part that enters through A once more with r0 T alone. So r0
is as high as the fastest unit may fire; Delta is tried from half to fifty times the card's, with lambda = exp(-Delta/tau) held, and n is
the smallest for each. The choice is the fewest spikes a decision; of what costs about the same, the shortest token.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fwbio import noise
from fwbio.cards.changes import change
from fwbio.cards.equations import linear_decay
from fwbio.cards.network import build
from fwbio.comparison import clopper_pearson
from fwbio.describe import discrete, read_out
from fwbio.errors import BadInput

MOST = 100_000  # neurons a unit, for an error
LARGEST = 1000  # neurons a unit, for an agreement: more than this and a longer token is cheaper
TOKENS = (0.5, 1, 2, 5, 10, 20, 50)  # times the card's
FASTEST, STEP = 100.0, 0.1  # Hz; spikes a neuron in a time step
NOISY = 4000  # decisions by which an agreement is predicted
ABOUT = 1.1  # what costs up to 10 % more is about the same


@dataclass(frozen=True)
class Plan:
    """neurons a unit that meet ``target`` (relative RMS error of h), and the error predicted for them."""

    target: float
    neurons: int
    predicted: float


@dataclass(frozen=True)
class Size:
    """neurons a unit, r0 in Hz, token in s; the agreement predicted for them and its lower 95 % limit; spikes a decision."""

    neurons: int
    r0: float
    token: float
    predicted: float
    low: float
    spikes: float


@dataclass(frozen=True)
class Choice:
    """For ``target``, a share of same decisions: the cheapest size, and the smallest one for every token that was tried."""

    target: float
    size: Size
    tried: list


def for_error(network, task, reference_h, target: float) -> Plan:
    """The smallest number of neurons a unit whose predicted error is at most ``target``.

    Raises BadInput if no number up to 100,000 does, saying the best to be had and what else to change.
    """
    if not 0 < target < 1:
        raise BadInput(f"--target-error {target:g}: a share of the standard deviation of h, above 0 and below 1 (2% or 0.02)")
    x = task.x(network)[:100]
    h = reference_h[: len(x)]

    @lru_cache
    def error(n):
        passes = [noise.predict(of_neurons(network, n), x, seed).h for seed in range(max(1, 200 // len(x)))]
        return float(np.sqrt(np.mean([(p - h) ** 2 for p in passes])) / h.std())

    if error(MOST) > target:
        raise BadInput(
            f"--target-error {target:g}: {network.neuron.name} neurons cannot go below {error(MOST):.3g} here, whatever their number "
            f"(with 1,000 it is {error(1000):.3g}). What is left is a bias: lengthen the token with lambda fixed "
            f"(--set token={2e3 * network.token:g}ms --set fast.tau={2 * network.tau:.6g}s), or use --neuron poisson"
        )
    n = smallest(lambda n: error(n) <= target, MOST)
    return Plan(target, n, error(n))


def for_agreement(network, x, target: float) -> Choice:
    """The cheapest size whose decisions are, by its lower 95 % limit, the discrete RNN's in ``target`` of all cases.

    x : (trials, tokens, units) input of trials by which to choose; spikes are not drawn. Token and tau change together.

    Raises BadInput if no size up to 1,000 neurons a unit does, saying the best to be had.
    """
    if not 0 < target < 1:
        raise BadInput(f"--target-agreement {target:g}: a share of decisions, above 0 and below 1 (99% or 0.99)")
    if "readout" not in network.card or not network.paced:
        raise BadInput(
            f"--target-agreement: {network.path.name} decides nothing; use --target-error, or a card with a [clock] and a read-out"
        )
    exact = discrete(network, x, keep=0).h
    wanted, repeats = decisions(network, exact), -(-NOISY // len(x))
    rate = min(FASTEST, STEP / network.dt, network.neuron.values.get("r_max", np.inf)) / exact.max()
    rate = float(f"{rate:.2g}")

    def sized(token, n) -> Size:
        changed = of_neurons(at_pace(network, token, rate), n)
        passes = [noise.predict(changed, x, seed) for seed in range(repeats)]
        same = np.array([decisions(changed, p.seen) == wanted for p in passes])
        return Size(
            n, rate, token, float(same.mean()), clopper_pearson(same.sum(), same.size)[0], float(np.mean([p.spikes for p in passes]))
        )

    tried = []
    for factor in TOKENS:
        size = lru_cache(lambda n, token=factor * network.token: sized(token, n))
        n = smallest(lambda n, size=size: size(n).low >= target, LARGEST, coarse=0.02)
        tried.append(size(n))
    enough = [size for size in tried if size.low >= target]
    if not enough:
        best = max(tried, key=lambda size: size.low)
        raise BadInput(
            f"--target-agreement {target:g}: the best to be had is {best.predicted:.2%} (above {best.low:.2%}), with {best.neurons:,} neurons a "
            f"unit, r0 = {best.r0:g} Hz, token = {1e3 * best.token:g} ms, {best.spikes:,.0f} spikes a decision; ask for less, or train with spike noise "
            "(fwbio train --noise-neurons)"
        )
    least = min(size.spikes for size in enough)
    return Choice(target, next(size for size in enough if size.spikes <= ABOUT * least), tried)


def smallest(enough, most: int, coarse: float = 0.0) -> int:
    """The smallest n with ``enough(n)``, by bisection, to a share ``coarse`` of it; ``most`` if nothing is enough."""
    low, high = 0, most
    while high - low > max(1, coarse * low):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def decisions(network, h) -> np.ndarray:
    return read_out(network, h[:, -1:]).argmax(axis=1)


def of_neurons(network, n: int):
    """The same network with n neurons a unit."""
    projections = {
        name: replace(p, synapse=replace(p.synapse, values={**p.synapse.values, "n": n})) for name, p in network.projections.items()
    }
    return replace(network, neurons=n, projections=projections)


def at_pace(network, token: float, r0: float):
    """The same network with tokens of ``token`` s and r0 Hz, lambda as it was."""
    tables = change(network.card, pace(network, token, r0), network.path.name)
    made = build(tables, network.path, neurons=network.neurons, fast=network.fast)
    weights = {name: replace(p, weight=network.projections[name].weight) for name, p in made.projections.items()}
    return replace(made, projections=weights)


def pace(network, token: float, r0: float) -> dict:
    """What to ``set``: token, r0 and, for lambda to stay, every tau by which the fast weights decay."""
    (population,) = network.card["population"]
    changes = {f"population.{population}.r0": f"{r0} Hz", "clock.token": f"{token} s"}
    for name, p in network.projections.items():
        for state, tau in filter(None, map(linear_decay, p.synapse.card["spiking"].get("ode", []))):
            if state == p.fast_state:
                changes[f"projection.{name}.{tau}"] = f"{p.synapse.values[tau] * token / network.token!r} s"
    return changes
