"""``--pack``: which points run side by side in one network, and what each of them then has of it.

A pack holds points of one compiled structure and equal clocked tables. Which of their parameters differ is found once, from the axes, so that
all packs share a build. Points whose pack fails are computed alone: one that overflows costs the others nothing.
"""

import threading
from dataclasses import dataclass
from functools import partial

from fwbio import tasks
from fwbio.errors import BadInput
from fwbio.spiking import pack
from fwbio.spiking.engine import key
from fwbio.spiking.structure import Structure, parameters
from fwbio.sweeps.axes import size
from fwbio.sweeps.point import compute
from fwbio.sweeps.spec import Spec, chosen_levels


@dataclass(frozen=True)
class Member:
    """A point with its network, inputs x, the structure it has alone, and the name of what it can be packed with."""

    point: object
    network: object
    task: object
    x: object
    structure: Structure
    group: str
    parameters: dict


class Packs:
    """Hands out lists of points to any number of threads: those of one pack, or single ones where nothing is packed."""

    def __init__(self, spec: Spec, todo):
        self.spec, self.todo, self.lock, self.waiting = spec, iter(todo), threading.Lock(), {}
        if spec.pack:
            check(spec)
            self.own, self.points = varying(spec), size(spec.axes(), spec.seeds)

    def take(self) -> tuple[list, object]:
        """(points that run together, what computes their files; None if they are to be computed alone). No points when none are left."""
        with self.lock:
            for point in self.todo:
                if not self.spec.pack:
                    return [point], None
                found = member(self.spec, point, point.settings(), point.seed(self.spec.root))
                group = self.waiting.setdefault(found.group, [])
                group.append(found)
                if len(group) >= self.room(found):
                    return self.ready(found.group)
            return self.ready(next(iter(self.waiting))) if self.waiting else ([], None)

    def room(self, found: Member) -> int:
        return min(self.points, room(self.spec, found))

    def ready(self, group: str):
        members = self.waiting.pop(group)
        pays = self.room(members[0]) > 1
        return [m.point for m in members], partial(self.together, members) if pays else None

    def together(self, members: list[Member]) -> list[bytes]:
        """Each point's file. Raises whatever a run of them all can raise."""
        first = members[0]
        networks, xs = [m.network for m in members], [m.x for m in members]
        seeds = [m.point.seed(self.spec.root) for m in members]
        traces = pack.run(first.structure, networks, xs, seeds, self.own, self.room(first))
        return [
            compute(self.spec, m.point.settings(), seed, (m.network, m.task, spikes))
            for m, seed, spikes in zip(members, seeds, traces, strict=True)
        ]


def room(spec: Spec, found: Member) -> int:
    return pack.room(found.network, len(found.x), spec.plain)


def check(spec: Spec) -> None:
    """Raises BadInput where there is nothing to pack."""
    if spec.reads_circuit():
        raise BadInput(f"--pack: {spec.card} is a circuit, which fills a run by itself; leave --pack out")
    if "spiking" not in chosen_levels(spec):
        raise BadInput("--pack packs spiking networks, and --levels names none; leave --pack out")


def member(spec: Spec, point, settings: dict, seed: int) -> Member:
    network, trials = spec.model(settings, seed)
    task = tasks.of(network, trials, seed)
    x = task.x(network)
    s = pack.alone(network, x, since=task.since, plain=spec.plain, target=spec.target)
    values = parameters(network, s, x[: s.trials], seed)
    tables = {name: value.tolist() for name, value in pack.shared(values).items()}
    return Member(point, network, task, x, s, f"{key(s, tables)} {len(x)}", values)


def varying(spec: Spec) -> set[str]:
    """The parameters that differ between points of one structure: each axis is tried value by value, and two seeds."""
    factors = spec.axes()
    start = {axis.name: axis.values[0] for bundle in factors for axis in bundle}
    found = set()
    for bundle in factors:
        rows = [{**start, **{axis.name: axis.values[k] for axis in bundle}} for k in range(len(bundle[0].values))]
        groups = {}
        for made in (member(spec, None, row, seed) for row in rows for seed in (0, 1)[: 1 + (row is rows[0])]):
            groups.setdefault(made.group, []).append(made.parameters)
        found |= {name for each in groups.values() for name in pack.differing(each)}
    return found
