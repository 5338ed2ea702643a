"""Mean field of a circuit: the rate of each group, and u and x of its axons.

    tau dr_a/dt = -r_a + siegert(mu_a, sigma_a)                                                   (Brunel 2000, eqs. 4, 21)
    mu_a        = background_a + tau sum_b C_ab J_ab e_b r_b,     sigma_a^2 = sigma^2 + tau sum_b C_ab <J_ab^2> e_b^2 r_b

C_ab : synapses from group b onto one neuron of a; e_b : what one spike of b releases, the synapse card's read rule at its own rate
states. Valid where neurons fire asynchronously and inputs are many and small; a population spike is neither.
A step that means a random share of the cells splits its group in two parts.

Left out is what a finite network adds. Inputs are jumps: the free membrane, of variance s^2 = sigma_a^2/2, has the third cumulant
kappa_a = (tau/3) sum_b C_ab <J_ab^3> e_b^3 r_b (Campbell's theorem), so its density at threshold, and with it the rate, is
1 + kappa_a He3(z)/(6 s^3) times the Gaussian's, z = (V_th - mu_a)/s, He3(z) = z^3 - 3z (Edgeworth's first term; for rates well below 1/tau).
And neurons share inputs: inhibitory feedback takes away a population's common fluctuations (Tetzlaff et al., PLoS Comput Biol 8 (2012)
e1002596), at most all of them, which leaves 1 - C_ab/N_b of the variance. ``run(circuit, finite=True)`` has the one and all of the other: how
far that moves the rates is the mean field's own error bar.
"""

import ast
from dataclasses import dataclass

import numpy as np

from fwbio.cards import steps
from fwbio.errors import BadInput
from fwbio.rate.equations import Right, moving, settled
from fwbio.siegert import siegert

RTOL, ATOL = 1e-8, 1e-10
CURVE = ("mu", "tau", "sigma", "V_th", "V_r", "t_ref")  # the arguments of siegert, in its order


@dataclass(frozen=True)
class Part:
    """Cells of one population that are alike: its group (None: the rest), and in which sharing steps they are."""

    population: str
    label: str | None
    size: float
    steps: frozenset[str]


@dataclass(frozen=True)
class Trace:
    """t : (samples,) in s. rate : group to (samples,) in Hz. states : {projection: {state: {group: (samples,)}}}"""

    t: np.ndarray
    rate: dict
    states: dict


def parts(circuit) -> list[Part]:
    """The populations' groups, split by every step that means a share of their cells; empty ones are left out."""
    found = []
    for p in circuit.populations.values():
        spans = {**{label: b - a for label, (a, b) in p.groups.items()}, None: p.rest}
        pieces = [Part(p.name, label, size, frozenset()) for label, size in spans.items()]
        for step in circuit.steps.values():
            pieces = [piece for whole in pieces for piece in divided(whole, step)]
        found += [piece for piece in pieces if piece.size > 0]
    return found


def divided(part, step) -> list[Part]:
    """The part that the step means, and the part that it does not."""
    named = step.label is None or step.label == (part.label or "rest")
    if part.population != step.population or not named:
        return [part]
    inside = Part(part.population, part.label, step.share * part.size, part.steps | {step.name})
    return [inside, Part(part.population, part.label, (1 - step.share) * part.size, part.steps)]


class System:
    """The right-hand side: y holds the parts' rates, then each axon state of each projection for the parts of its source."""

    def __init__(self, circuit, finite=False):
        self.circuit, self.parts, self.finite = circuit, parts(circuit), finite
        self.of = {name: np.array([k for k, p in enumerate(self.parts) if p.population == name]) for name in circuit.populations}
        for name, p in circuit.populations.items():
            if p.neuron is None:
                raise BadInput(f"{circuit.path.name}: population.{name}: the mean field knows rates, not given spikes; use --level spiking")
        self.curve = {name: curve(p, circuit.dt) for name, p in circuit.populations.items()}
        self.share, self.count, self.mean, self.square, self.cube = {}, {}, {}, {}, {}
        self.read, self.odes, self.limits, self.place, start = {}, {}, {}, {}, [np.zeros(len(self.parts))]
        for name, p in circuit.projections.items():
            self.share[name], self.count[name], self.mean[name], self.square[name], self.cube[name] = self.synapses(p)
            card, values = p.synapse.card, p.synapse.values
            self.read[name] = Right(
                card["rate"]["read"], {**values, **{k: 1.0 for k, s in card["state"].items() if s["start"] == "weight"}}
            )
            self.read[name].summed = False  # what each axon releases; the sum has its own weights
            self.odes[name], self.limits[name] = moving(card, values)
            for state in self.odes[name]:
                first, sources = sum(map(len, start)), self.of[p.source]
                self.place[name, state] = slice(first, first + len(sources))
                start.append(np.full(len(sources), float(Right(card["state"][state]["start"], values)({}))))
        self.start = np.concatenate(start)

    def synapses(self, p):
        """(share connected, count, mean weight, of its square, of its cube), all but the first (parts of the target, parts of the source)."""
        target, source = (self.circuit.populations[name] for name in (p.target, p.source))
        posts, pres = ([self.parts[k] for k in self.of[name]] for name in (p.target, p.source))
        alone = p.target == p.source and not p.own
        there = np.array([[pre.size - (alone and post is pre) for pre in pres] for post in posts])
        share = p.connect.get("indegree", 0) / max(source.size - alone, 1) or p.connect.get("p", 1.0)
        mixed = [[self.weight(p, pre, post) for pre in pres] for post in posts]
        moments = (np.array([[sum(q * w**k for w, q in pair) for pair in row] for row in mixed]) for k in (1, 2, 3))
        return share, share * there, *moments

    @staticmethod
    def weight(p, pre, post) -> list[tuple[float, float]]:
        """The weights between two parts, each with its share."""
        w = p.weight
        if post.label is None:
            return [(w["onto_rest"], w["share"]), (w["other"], 1 - w["share"])]
        return [(w["same"] if pre.label == post.label else w["other"], 1.0)]

    def states(self, y, name) -> dict:
        """The axon states of a projection, by name, (parts of its source,)."""
        found = {state: y[self.place[name, state]] for state in self.odes[name]}
        rate = y[: len(self.parts)][self.of[self.circuit.projections[name].source]]
        return found | settled(self.limits[name], {**found, "h_pre": rate})

    def inputs(self, y, backgrounds, kept):
        """(mu, sigma squared, 3 kappa) of every part. kept : projection to what is left of its weights, (parts of its source,)."""
        rate = y[: len(self.parts)]
        mu, variance, third = backgrounds.copy(), np.zeros(len(self.parts)), np.zeros(len(self.parts))
        for name, p in self.circuit.projections.items():
            source, target = self.of[p.source], self.of[p.target]
            released = kept[name] * self.read[name]({**self.states(y, name), "h_pre": np.ones(len(source))})
            tau = self.curve[p.target][1]
            mu[target] += tau * (self.count[name] * self.mean[name]) @ (released * rate[source])
            own = self.count[name] * (1 - self.share[name] if self.finite else 1)
            variance[target] += tau * (own * self.square[name]) @ (released**2 * rate[source])
            third[target] += tau * (self.count[name] * self.cube[name]) @ (released**3 * rate[source])
        return mu, variance, third

    def slope(self, _, y, backgrounds, kept):
        mu, variance, third = self.inputs(y, backgrounds, kept)
        moves = np.empty_like(y)
        for name, own in self.of.items():
            stationary, tau = self.curve[name]
            moves[own] = (stationary(mu[own], variance[own], third[own] if self.finite else 0.0) - y[own]) / tau
        for name, odes in self.odes.items():
            views = {**self.states(y, name), "h_pre": y[self.of[self.circuit.projections[name].source]]}
            for state, ode in odes.items():
                moves[self.place[name, state]] = ode(views)
        return moves

    def given(self, t):
        """(backgrounds of the parts, what is left of each projection's weights) just after time t."""
        found = np.array([self.circuit.populations[part.population].background for part in self.parts])
        kept = {name: np.ones(len(self.of[p.source])) for name, p in self.circuit.projections.items()}
        for step in self.circuit.steps.values():
            means = np.array([step.name in part.steps for part in self.parts])
            if not step.wipe and step.start <= t < step.stop:
                found[means] *= step.factor
            for projection, _ in step.wipe if t >= step.start else ():
                if projection and (projection, _) not in self.place:
                    kept[projection][means[self.of[self.circuit.projections[projection].source]]] = 0.0
        return found, kept

    def wiped(self, y, t):
        """y with what is wiped at time t: activity gone, axon states at their start."""
        y = y.copy()
        for step in self.circuit.steps.values():
            means = np.array([step.name in part.steps for part in self.parts])
            for projection, state in step.wipe if step.start == t else ():
                if projection is None:
                    y[: len(means)][means] = 0.0
                elif (projection, state) in self.place:
                    where, own = self.place[projection, state], self.of[self.circuit.projections[projection].source]
                    y[where] = np.where(means[own], self.start[where], y[where])
        return y


def curve(population, dt):
    """(function of mu, variance and 3 kappa of what arrives, time constant): the neuron card's stationary rate in Hz."""
    card, values = population.neuron.card, population.neuron.values
    if "curve" not in card["rate"]:
        rate = Right(card["rate"]["rate"], values)
        return (lambda mu, *_: rate({"h": mu})), dt
    call = ast.parse(card["rate"]["curve"], mode="eval").body
    bound = {key: values[a.id] for key, a in zip(CURVE[1:], call.args[1:], strict=True)}
    tau, sigma, rest = bound["tau"], bound["sigma"], (bound[key] for key in CURVE[3:])
    V_th, V_r, t_ref = rest

    def stationary(mu, variance, third):
        s = np.sqrt((sigma**2 + variance) / 2)
        z = (V_th - mu) / s
        edge = np.maximum(1 + third / 18 * (z**3 - 3 * z) / s**3, 0.0)
        return edge * siegert(mu, tau, np.sqrt(2) * s, V_th, V_r, t_ref, dt)

    return stationary, tau


def run(circuit, *, finite=False, progress=None, rtol=RTOL, atol=ATOL) -> Trace:
    """The mean field through the protocol, from silence, sampled every ``circuit.every``. finite : with what a finite network adds."""
    from scipy.integrate import solve_ivp

    system, y, columns = System(circuit, finite), None, []
    t = np.arange(0, circuit.duration + circuit.every / 2, circuit.every)[: round(circuit.duration / circuit.every) + 1]
    times, y = steps.changes(circuit), system.start
    for start, stop in zip(times, times[1:]):
        y = system.wiped(y, start)
        own = t[(t >= start - 1e-12) & (t < stop - 1e-12 if stop < circuit.duration else t <= stop + 1e-12)]
        at = np.unique(np.append(np.clip(own, start, stop), stop))
        found = solve_ivp(system.slope, (start, stop), y, "LSODA", at, args=system.given(start), rtol=rtol, atol=atol)
        if not found.success:
            raise FloatingPointError(f"solve_ivp stopped between {start:g} and {stop:g} s: {found.message}")
        columns.append(found.y[:, : len(own)])
        y = found.y[:, -1]
        if progress:
            progress(stop / circuit.duration)
    return trace(system, t, np.concatenate(columns, axis=1))


def trace(system, t, y) -> Trace:
    """Means over the parts of each group."""
    groups = {}
    for k, part in enumerate(system.parts):
        groups.setdefault(name_of(system.circuit, part), []).append(k)
    size = np.array([part.size for part in system.parts])
    rate = {group: np.average(y[own], axis=0, weights=size[own]) for group, own in groups.items()}
    states = {}
    for (projection, state), where in system.place.items():
        source = system.of[system.circuit.projections[projection].source]
        inside = {group: np.flatnonzero(np.isin(source, own)) for group, own in groups.items() if np.isin(own, source).all()}
        seen = {group: np.average(y[where][k], axis=0, weights=size[source][k]) for group, k in inside.items()}
        states.setdefault(projection, {})[state] = seen
    return Trace(t, rate, states)


def name_of(circuit, part) -> str:
    """``E.item1``, ``E.rest``; ``I`` for a population without groups."""
    return f"{part.population}.{part.label or 'rest'}" if circuit.populations[part.population].groups else part.population


def fixed_point(circuit, finite=False) -> dict[str, float]:
    """Group rates in Hz that the equations come to with the backgrounds of the start, by integration from silence over 20 s."""
    from scipy.integrate import solve_ivp

    system = System(circuit, finite)
    found = solve_ivp(system.slope, (0, 20.0), system.start, "LSODA", args=system.given(-1.0), rtol=RTOL, atol=ATOL)
    return {group: float(r[0]) for group, r in trace(system, found.t[-1:], found.y[:, -1:]).rate.items()}
