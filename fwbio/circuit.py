"""A circuit card run through its protocol, as spikes or as its mean field, and what both say about each group."""

import time
from dataclasses import dataclass, field

import numpy as np

from fwbio.errors import BadInput, nearest

LEVELS = ("rate", "spiking")
PLAIN = 2_000_000  # synapses that the plain form may take: it runs each with its own u and x
WITHIN, HALF, APART = 0.01, 0.5, 0.05  # a population spike: within 10 ms as many spikes as half the group; the next is 50 ms later or more


@dataclass(frozen=True)
class CircuitRun:
    """What one description of a circuit did.

    t : (samples,) in s. rate : group to (samples,) in Hz, in spikes the mean since the sample before
    states : {projection: {state: {group: (samples,)}}}, means over the group's axons (none in the plain form)
    spikes : population to (times in s, neurons), None for the mean field. arrays : everything that the program brought back
    """

    level: str
    circuit: object
    seed: int
    t: np.ndarray
    rate: dict
    states: dict
    seconds: float
    spikes: dict | None = field(default=None, repr=False)
    arrays: dict | None = field(default=None, repr=False)
    build_seconds: float = 0.0
    memory_mb: float = 0.0

    def mean_rate(self, group: str, start: float, stop: float) -> float:
        """The group's rate in Hz from ``start`` to ``stop`` (s)."""
        if self.spikes is None:
            inside = (self.t >= start) & (self.t <= stop)
            return float(np.trapezoid(self.rate[group][inside], self.t[inside]) / np.ptp(self.t[inside])) if inside.sum() > 1 else 0.0
        t, cells = self.of_group(group)
        return float(np.count_nonzero((t >= start) & (t < stop)) / cells / (stop - start))

    def of_group(self, group: str) -> tuple[np.ndarray, int]:
        """The group's spike times in s, and how many neurons it has."""
        population, first, last = spans(self.circuit)[group]
        t, i = self.spikes[population]
        return t[(i >= first) & (i < last)], last - first

    def population_spikes(self, group: str) -> np.ndarray:
        """When the group's population spikes begin, in s."""
        t, cells = self.of_group(group)
        counts = np.histogram(t, np.arange(0, self.circuit.duration + WITHIN, WITHIN / 2))[0]
        busy = np.flatnonzero(counts[:-1] + counts[1:] >= HALF * cells) * WITHIN / 2
        return busy[np.diff(busy, prepend=-np.inf) >= APART]


def spans(circuit) -> dict[str, tuple[str, int, int]]:
    """Group to (population, first neuron, after the last): ``E.item1``, ``E.rest``; ``I`` for a population without groups."""
    found = {}
    for p in circuit.populations.values():
        groups = {**p.groups, "rest": (p.size - p.rest, p.size)} if p.groups else {}
        found |= {f"{p.name}.{label}": (p.name, *span) for label, span in groups.items() if span[1] > span[0]} or {
            p.name: (p.name, 0, p.size)
        }
    return found


def run(circuit, level: str, *, seed: int = 0, progress=None, say=None, plain=False, wiring=False, target=None) -> CircuitRun:
    """One description of a circuit (of ``fwbio.load``) through its protocol.

    level : rate or spiking. seed : of wiring, noise and shares of cells; the mean field draws nothing
    plain : u and x once a synapse (small circuits). wiring : arrays hold the synapses too, PROJECTION.pre, .post, .w, .delay in SI units
    target : cpp_standalone, numpy or cython; None: C++ if there is a compiler

    Raises BadInput for a level a circuit does not have, EnvironmentProblem if a spiking run cannot be made.
    """
    if level not in LEVELS:
        hint = ": a circuit has no discrete RNN" if level == "rnn" else nearest(level, LEVELS)
        raise BadInput(f"level = {level!r}: use rate or spiking{hint}")
    start = time.monotonic()
    if level == "rate":
        from fwbio.rate import circuit as field_of

        trace = field_of.run(circuit, progress=progress)
        return CircuitRun(level, circuit, seed, trace.t, trace.rate, trace.states, time.monotonic() - start)
    return spiking(circuit, seed, start, progress, say, plain, wiring, target)


def spiking(circuit, seed, start, progress, say, plain, wiring, target) -> CircuitRun:
    from fwbio.spiking import circuit_structure, engine

    if target is None:
        target = engine.default_target()
        if target == "numpy" and say:
            say("no C++ compiler found: Brian2's NumPy target is used, which is slow; Debian: apt-get install g++")
    if plain:
        check_plain(circuit)
    s = circuit_structure.structure(circuit, plain=plain, wiring=wiring, target=target)
    values = circuit_structure.parameters(circuit, s, seed)
    own = int(np.random.SeedSequence(seed).generate_state(1)[0])
    if target == "cpp_standalone":
        folder, build_seconds = engine.build(s, values, say)
        outcome = engine.run(folder, s, values, own, progress)
    else:
        build_seconds, outcome = 0.0, engine.interpret(s, values, own, progress)
    arrays = outcome.arrays
    spikes = {name: within(circuit, arrays[f"{name}.t"], arrays[f"{name}.i"]) for name in circuit.populations}
    found = CircuitRun(
        "spiking",
        circuit,
        seed,
        *binned(circuit, spikes),
        states(circuit, arrays),
        time.monotonic() - start - build_seconds,
        spikes,
        arrays,
        build_seconds,
        outcome.memory_mb,
    )
    if progress:
        progress(1.0)
    return found


def within(circuit, t, i) -> tuple[np.ndarray, np.ndarray]:
    """The spikes of the protocol, without the step that only shows its end."""
    inside = t < circuit.duration - circuit.dt / 2
    return t[inside], i[inside]


def check_plain(circuit) -> None:
    """Raises BadInput where the plain form would be too large, or cannot do what a step asks for."""
    total = sum(round(synapses(circuit, p)) for p in circuit.projections.values())
    if total > PLAIN:
        raise BadInput(f"--plain: {total:,} synapses with a u and an x each; up to {PLAIN:,} are run so, use a smaller circuit")
    for step in circuit.steps.values():
        if any(projection for projection, _ in step.wipe):
            raise BadInput(
                f"--plain: protocol.step.{step.name} wipes what lives on axons, which the plain form has on synapses; leave one out"
            )


def synapses(circuit, p) -> float:
    """How many synapses a projection has (with p: on average)."""
    pre, post = circuit.populations[p.source].size, circuit.populations[p.target].size
    each = p.connect.get("indegree") or p.connect.get("p", 1) * (pre - (p.source == p.target and not p.own))
    return post * each


def binned(circuit, spikes) -> tuple[np.ndarray, dict]:
    """Sample times in s and each group's rate in Hz since the sample before."""
    samples = round(circuit.duration / circuit.every) + 1
    t, rate = np.arange(samples) * circuit.every, {}
    for group, (population, first, last) in spans(circuit).items():
        times, i = spikes[population]
        inside = (i >= first) & (i < last)
        counts = np.bincount(((times[inside] + circuit.dt / 2) / circuit.every).astype(int), minlength=samples - 1)
        rate[group] = np.append(0.0, counts[: samples - 1] / (last - first) / circuit.every)
    return t, rate


def states(circuit, arrays) -> dict:
    """{projection: {state: {group: (samples,)}}} of what lives on axons; a sample is what the time step at its t begins with."""
    found = {}
    for name, p in circuit.projections.items():
        groups = [g for g, (population, *_) in spans(circuit).items() if population == p.source]
        for key, value in arrays.items():
            projection, _, state = key.partition(".")
            if projection == name and value.ndim == 2:
                found.setdefault(name, {})[state] = {group: value[:, k] for k, group in enumerate(groups)}
    return found
