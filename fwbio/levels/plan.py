"""How many levels pay? Every further variable has a price c, in synapses: with m of them the same budget buys N/(1 + c (m - 1)) synapses.

guarantee   phi(m)/(1 + c (m - 1)) is largest      ages unknown: the share of a tuned slot's SNR^2 at every age at once
recall      J(m; N/(1 + c (m - 1))) is largest     ages known by their demand: bits recalled
lifetime    one level, at any price [proved]       SNR >= theta for as long as possible: tau = 2 t*, t* = N/(e r theta^2)
"""

import math
from dataclasses import dataclass

import numpy as np

from fwbio.errors import BadInput, nearest
from fwbio.levels import few, guarantee, recall
from fwbio.levels.bank import LevelBank, bank
from fwbio.quantities import quantity, whole

OBJECTIVES = ("guarantee", "recall", "lifetime")
MOST_VALUES, OLDEST = 64, 3000  # values a synapse; associations
FLAT, RECALLED = 1e-3, 6  # relative gain that counts as none where levels are free; most levels for recall (more have not paid anywhere)


@dataclass(frozen=True)
class LevelPlan:
    """m levels, ``bank``, for an objective at a price.

    values : the objective with 1, 2, … levels, each at its price (phi, bits, or s); gross : of the same banks if levels were free.
    marginal_gains : what level 2, 3, … adds to ``values``.
    certificate : ``{"bound": what no bank exceeds, "proved": …, "says": a sentence}``. shapes : the best bank (or ``FewValues``) of each number of levels
    """

    objective: str
    price: float
    m: int
    bank: LevelBank
    values: list
    gross: list
    certificate: dict
    shapes: list

    @property
    def value(self) -> float:
        return self.values[self.m - 1]

    @property
    def marginal_gains(self) -> list:
        return [float(gain) for gain in np.diff(self.values)]

    def __str__(self) -> str:
        from fwbio.levels.report import lines

        return "\n".join(lines(self))


def plan_levels(demand, objective="guarantee", price=0.1, N=1000, r="1 Hz", theta=1.0, states=None, say=None) -> LevelPlan:
    """The number of levels that pays for ``demand`` (AgeDemand), and their bank.

    price : of one more variable, in synapses (1: as dear as a synapse; 0: free). N : fan-in of a read-out unit, r : associations a second with unit,
    theta : the least SNR that counts; the guarantee needs none of these three, recall not theta.

    states : P, the values that all levels of a synapse have together (None: real numbers), for the guarantee, with r associations a second. A search
    of minutes (``fwbio.levels.few``), for at most 64 values and 3,000 associations; ``shapes`` are then ``FewValues``, ``bank`` what the
    chosen one would be with real numbers. say : called with each number of levels as it is found

    Raises BadInput for an unknown objective, a price that is negative or not finite, or values out of range.
    """
    if objective not in OBJECTIVES:
        raise BadInput(f"objective = {objective!r}: use {', '.join(OBJECTIVES)}{nearest(str(objective), OBJECTIVES)}")
    price = quantity(price, "1", "price")
    if price < 0:
        raise BadInput(
            f"price = {price:g}: what one more level costs, in synapses, cannot be negative; 0.03 to 0.1 is a molecule, 1 a synapse"
        )
    A = quantity(N, "1", "N", low=1, high=1e15) / quantity(r, "Hz", "r", low=1e-12, high=1e12)
    theta = quantity(theta, "1", "theta", low=1e-6, high=1e6)
    if states is not None:
        if objective != "guarantee":
            raise BadInput(
                f"states = {states!r}: levels of few values are planned for the guarantee; leave states out, or objective = 'guarantee'"
            )
        return for_states(demand, price, whole(states, "states", low=2, high=MOST_VALUES), quantity(r, "Hz", "r", low=1e-12), say)
    if objective == "lifetime":
        return for_lifetime(price, A, theta)
    return for_guarantee(demand, price) if objective == "guarantee" else for_recall(demand, price, A)


def cost(price, m):
    return 1 + price * (np.asarray(m) - 1)


def for_guarantee(demand, price) -> LevelPlan:
    if demand.p is not None:
        raise BadInput("objective = 'guarantee' holds at every age alike and takes no density; leave p out, or use 'recall'")
    found, limit = [], np.inf
    while len(found) < guarantee.MOST:
        found.append(guarantee.best(demand.R, len(found) + 1))
        limit = min(limit, found[-1].bound)
        net = [b.phi / cost(price, k + 1) for k, b in enumerate(found)]
        if limit / cost(price, len(found) + 1) <= max(net) or limit < (1 + FLAT) * found[-1].phi:
            break
    m = int(np.argmax(np.array(net) >= (1 - (FLAT if price == 0 else 0)) * max(net))) + 1
    further = limit / cost(price, len(found) + 1)
    says = (
        f"no bank, of whatever time constants and however many levels, guarantees more than {limit:.4f}; at this price none of more than {len(found)} "
        f"levels more than {further:.4f}"
    )
    shapes = [bank(demand.t0 * b.tau, b.gain) for b in found]
    certificate = {"bound": float(limit), "further_levels_at_most": float(further), "proved": True, "says": says}
    return LevelPlan("guarantee", price, m, shapes[m - 1], [float(v) for v in net], [b.phi for b in found], certificate, shapes)


def for_states(demand, price, P, r, say=None) -> LevelPlan:
    youngest, oldest = math.floor(demand.t0 * r), math.ceil(demand.T * r)
    if youngest < 1 or oldest > OLDEST:
        raise BadInput(
            f"states: ages of {demand.t0:g} s to {demand.T:g} s are {demand.t0 * r:.3g} to {oldest:,} associations at r = {r:g} Hz; "
            f"integers are counted out write by write, for 1 to {OLDEST:,}; change r or the demand"
        )
    found = []
    for m in range(1, min(P // 2, guarantee.MOST) + 1):  # a level of one value holds nothing
        kinds = ("chain", "bank") if m > 1 else ("bank",)
        found.append(max((few.search(kind, m, P, youngest, oldest) for kind in kinds), key=lambda f: f.guarantee))
        if say:
            say(
                f"{m} level{'s' * (m > 1)} of {', '.join(map(str, found[-1].n))} values, as a {found[-1].kind}: guarantee {found[-1].guarantee:.4g}"
            )
        if len(found) > 1 and found[-1].guarantee < found[-2].guarantee:  # each has fewer values than it can do with
            break
    net = [f.guarantee / cost(price, k + 1) for k, f in enumerate(found)]
    m = int(np.argmax(net)) + 1
    limit = for_guarantee(demand, 0.0).certificate["bound"]
    says = (
        f"found by search, a lower bound of what {P} values can do; with real numbers no bank guarantees more than {limit:.4f} [proved]; levels were added "
        "until one more was worse"
    )
    certificate = {"bound": float(limit), "proved": False, "says": says}
    gross = [f.guarantee for f in found]
    return LevelPlan("guarantee", price, m, found[m - 1].modes(r), [float(v) for v in net], gross, certificate, found)


def for_recall(demand, price, A) -> LevelPlan:
    if price == 0:
        found = recall.best(demand, A, RECALLED)
    else:
        found = [recall.best(demand, A / cost(price, m), m)[-1] for m in range(1, RECALLED + 1)]
    values = np.array([b.bits for b in found])
    m = int(np.argmax(values >= values.max() - (1e-6 if price == 0 else 0))) + 1
    limit, _ = recall.ceiling(demand, A)
    steep = found[m - 1].slope
    says = f"no kernel whatever recalls more than {limit:.4f} bits; " + (
        "no small further level helps, of any time constant"
        if steep < 1e-5
        else f"a free further level would help (D is up to {steep:.2g} of its cost)"
    )
    certificate = {"bound": limit, "largest_D": steep, "proved": True, "says": says}
    shapes = [b.memory for b in found]
    gross = [recall.bits(memory, demand, A) for memory in shapes]
    return LevelPlan("recall", price, m, shapes[m - 1], [float(v) for v in values], gross, certificate, shapes)


def for_lifetime(price, A, theta) -> LevelPlan:
    longest = A / (np.e * theta**2)
    says = f"no bank with gains above 0, and no chain, stays above theta for longer than N/(e r theta^2) = {longest:.4g} s"
    certificate = {"bound": longest, "proved": True, "says": says}
    one = bank([2 * longest], [1.0])
    return LevelPlan("lifetime", price, 1, one, [float(longest)], [float(longest)], certificate, [one])
