"""``fwbio sweep --plan``: points, structural builds, memory, disk and time, before anything runs."""

from dataclasses import dataclass

import numpy as np

from fwbio import tasks
from fwbio.cards import check
from fwbio.sweeps.axes import size
from fwbio.sweeps.spec import Spec, chosen_levels

BUILD, POINT_BYTES = 20.0, 4096  # seconds, and what a point's file takes on disk
START = 0.05  # seconds to start a program, write its parameters and read what it brought


@dataclass(frozen=True)
class Plan:
    """points : in all; there : already computed. builds : networks to compile. structural : the axes that cause them.

    packs : whether ``--pack`` pays. memory_mb : of all workers together. seconds : about, on ``workers`` cores, builds included
    """

    points: int
    there: int
    workers: int
    builds: int
    structural: tuple[str, ...]
    memory_mb: float
    seconds: float
    target: str
    packs: str

    def __str__(self) -> str:
        why = f" (structural: {', '.join(self.structural)})" if self.structural else " (no axis is structural)"
        minutes = f"{self.seconds / 60:,.0f} min" if self.seconds > 120 else f"{self.seconds:,.0f} s"
        return "\n".join(
            [
                f"points         {self.points:,}, of which {self.there:,} are there",
                f"builds         {self.builds}{why}",
                f"target         {self.target}",
                f"workers        {self.workers}",
                f"packing        {self.packs}",
                f"memory         about {self.memory_mb:,.0f} MB in all workers",
                f"disk           about {self.points * POINT_BYTES / 1e6:,.1f} MB",
                f"time           about {minutes}, of which builds {self.builds * BUILD:.0f} s",
            ]
        )


def plan(spec: Spec, workers: int, there: int = 0) -> Plan:
    """What the sweep would take. Which axes are structural is found by the keys of their builds, one axis at a time."""
    factors = spec.axes()
    start = {axis.name: axis.values[0] for bundle in factors for axis in bundle}
    builds, structural = 1, []
    spiking = "spiking" in chosen_levels(spec)
    for bundle in factors if spiking else ():
        rows = [{**start, **{axis.name: axis.values[k] for axis in bundle}} for k in range(len(bundle[0].values))]
        keys = {build_key(spec, row) for row in rows}
        builds *= len(keys)
        structural += ["+".join(axis.name for axis in bundle)] if len(keys) > 1 else []
    points = size(factors, spec.seeds)
    costs = [cost(spec, {axis.name: axis.values[k] for b in factors for axis in b}) for k in (0, -1)] if spiking else [(100.0, 0.1)]
    memory, seconds = np.max(costs, axis=0)[0], np.mean(costs, axis=0)[1]
    target = spec.target or engine_target()
    left = (points - there) / workers * (seconds + 0.05) + (builds * BUILD if target == "cpp_standalone" and spiking else 0)
    return Plan(
        points,
        there,
        workers,
        builds if target == "cpp_standalone" and spiking else 0,
        tuple(structural),
        workers * memory,
        left,
        why(target),
        packing_of(spec, points, seconds) if spiking else "there are no spikes to pack",
    )


def packing_of(spec: Spec, points: int, seconds: float) -> str:
    """Whether it pays to run points side by side: their simulation must be short beside starting a program and writing its files."""
    from fwbio.sweeps import packing

    if spec.reads_circuit():
        return "a circuit fills a run by itself"
    start = {axis.name: axis.values[0] for bundle in spec.axes() for axis in bundle}
    found = packing.member(spec, None, start, 0)
    most = min(points, packing.room(spec, found))
    if most < 2:
        return "does not pay: one point fills a run, or its neurons draw noise inside a step"
    share = len(found.x) / found.structure.trials  # alone, a point simulates as many trials as a run has room for
    gain = (START + seconds) / (START / most + seconds * share)
    return f"--pack {'pays' if gain > 1.2 else 'hardly pays'}: {most} points a run, about {gain:.1f} times as fast after its own build"


def engine_target() -> str:
    from fwbio.spiking.engine import default_target

    return default_target()


def why(target: str) -> str:
    return {
        "cpp_standalone": "C++ standalone: each network is built once and run as a program of its own",
        "numpy": "NumPy: nothing to compile, slow for large networks",
        "cython": "Cython: compiled piece by piece into Brian2's own cache, a Python process a point",
    }[target]


def build_key(spec: Spec, settings: dict) -> str:
    """The name of the build that this point runs in."""
    from fwbio.spiking import engine

    model, trials = spec.model(settings)
    if hasattr(model, "populations"):
        from fwbio.spiking import circuit_structure as form

        s = form.structure(model, plain=spec.plain)
        values = form.parameters(model, s, 0)
    else:
        from fwbio.spiking import structure as form
        from fwbio.spiking.batches import batch_size

        x = tasks.of(model, trials, 0).x(model)
        count = batch_size(model, spec.plain)
        s = form.structure(model, x.shape[1], count, 1, plain=spec.plain)
        values = form.parameters(model, s, x[:count])
    return engine.key(s, {name: list(np.shape(value)) for name, value in values.items()})


def cost(spec: Spec, settings: dict) -> tuple[float, float]:
    """(megabytes, seconds) of one point on one core."""
    model, trials = spec.model(settings)
    if hasattr(model, "populations"):
        return check.circuit_cost(model)
    memory, seconds = check.affordable(model, tasks.of(model, trials, 0).trials, spec.plain)
    return memory, 2 * seconds
