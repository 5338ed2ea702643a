"""One step of a protocol: for a while, or for a share of the cells, a background times a factor; or a state wiped at a time."""

from dataclasses import dataclass

import numpy as np

from fwbio.errors import BadInput, nearest
from fwbio.quantities import quantity


@dataclass(frozen=True)
class Step:
    """From ``start`` to ``stop`` (s) the background of the target is ``factor`` times its own. wipe : (projection or None, state) pairs.

    share : of the target's cells, drawn at random. label : the group it means, ``rest``, or None for the whole population
    """

    name: str
    population: str
    label: str | None
    start: float
    stop: float
    factor: float
    share: float
    wipe: tuple[tuple[str | None, str], ...]

    def members(self, population, rng) -> np.ndarray:
        """Which neurons of the population it means, (size,) of 0 and 1."""
        inside = np.ones(population.size)
        if self.label == "rest":
            inside[: population.size - population.rest] = 0
        elif self.label is not None:
            first, last = population.groups[self.label]
            inside[:first], inside[last:] = 0, 0
        cells = np.flatnonzero(inside)
        left_out = rng.permutation(cells)[round(self.share * len(cells)) :]
        inside[left_out] = 0
        return inside


def step(name, table, populations, projections, duration, dt, file) -> Step:
    """The step of a checked table. Raises BadInput naming field, value and fix."""
    where = f"{file}: protocol.step.{name}"
    label_of = {p: [*populations[p].groups, "rest"] for p in populations}
    targets = [*populations, *(f"{p}.{label}" for p, labels in label_of.items() for label in labels)]
    if table["target"] not in targets:
        raise BadInput(f"{where}.target = {table['target']!r}: no such population or group{nearest(table['target'], targets)}")
    population, _, label = table["target"].partition(".")
    if populations[population].neuron is None:
        raise BadInput(f"{where}.target = {table['target']!r}: its spikes are given, it has no background and no state")
    start = quantity(table["start"], "s", f"{where}.start", low=0)
    length = quantity(table["length"], "s", f"{where}.length", low=dt) if "length" in table else np.inf
    for key, span in {"start": start, "length": length}.items():
        on_grid(span, dt, f"{where}.{key}")
    if start >= duration:
        raise BadInput(
            f"{where}.start = {table['start']}: the protocol ends at {duration:g} s; start earlier or lengthen protocol.duration"
        )
    if not 0 <= table.get("share", 1.0) <= 1:
        raise BadInput(f"{where}.share = {table['share']}: a share is from 0 to 1")
    if ("factor" in table) == ("wipe" in table):
        raise BadInput(f'{where}: give it either factor = 1.15 (of the background) or wipe = ["V"]')
    if "wipe" in table and "length" in table:
        raise BadInput(f"{where}.length: a state is wiped at one time; leave length out")
    wipe = tuple(wiped(text, populations[population], projections, where) for text in table.get("wipe", ()))
    return Step(
        name, population, label or None, start, start + length, float(table.get("factor", 1.0)), float(table.get("share", 1.0)), wipe
    )


def wiped(text, population, projections, where) -> tuple[str | None, str]:
    """``V`` as (None, "V"), ``EE.u`` as ("EE", "u")."""
    own = list(population.neuron.card.get("state", {}))
    sent = [f"{name}.{s}" for name, p in projections.items() if p.source == population.name for s in p.synapse.card["state"]]
    if text not in [*own, *sent]:
        raise BadInput(f"{where}.wipe: '{text}' is no state of {population.name} or of its axons{nearest(text, [*own, *sent])}")
    projection, dot, state = text.rpartition(".")
    return (projection if dot else None), state


def on_grid(span: float, dt: float, where: str) -> None:
    """Raises BadInput unless the span is a whole number of time steps (or endless)."""
    if np.isfinite(span) and abs(span / dt - round(span / dt)) > 1e-6:
        raise BadInput(f"{where} = {span * 1e3:g} ms is not a multiple of the time step {dt * 1e3:g} ms; choose one that is")


def changes(circuit) -> list[float]:
    """The times at which something changes, from 0 to the end: between two of them everything is constant."""
    inner = {t for s in circuit.steps.values() for t in (s.start, s.stop) if s.wipe or s.factor != 1}
    return sorted({0.0, circuit.duration} | {t for t in inner if 0 < t < circuit.duration})


def epochs(circuit) -> list[tuple[str, float, float]]:
    """(name, from, to) of each stretch between changes: the steps that act in it, or what it comes after."""
    times, found, last = changes(circuit), [], None
    for start, stop in zip(times, times[1:]):
        acting = [s.name for s in circuit.steps.values() if not s.wipe and s.factor != 1 and s.start <= start < s.stop]
        wipes = [s.name for s in circuit.steps.values() if s.wipe and s.start == start]
        last = (acting + wipes or [last])[-1]
        name = " + ".join(acting) or (f"after {last}" if last else "before")
        found.append((name, start, stop))
    return found
