"""A circuit card, checked and in SI units: populations of point neurons, projections between them, steps of a protocol.

A projection's state of ["pre"] is kept once an axon (reduction 1), also with a delay: a spike carries what the read rule needs. That is
exact for dt <= delay <= shortest interval between two spikes of a neuron, which its refractory time, or its spike train, guarantees.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fwbio.cards import equations, reader, steps, trains
from fwbio.cards.network import LONGEST, Mechanism, mechanism
from fwbio.errors import BadInput, nearest
from fwbio.quantities import quantity, whole

GIVEN = {"n": 1.0, "r0": 1.0, "read_gain": 1.0}  # a neuron is its own unit, h its rate in Hz: a spike delivers w times what it releases


@dataclass(frozen=True)
class Population:
    """size neurons; groups : label to (first, after the last). background : of the input ``drive``, V or Hz. spikes : (step, i) or None."""

    name: str
    size: int
    groups: dict[str, tuple[int, int]]
    neuron: Mechanism | None
    background: float
    spikes: tuple | None = field(repr=False, default=None)

    @property
    def drive(self) -> str:
        """Which input of the neuron card the background is."""
        return self.neuron.card["rate"].get("inverse", "h")

    @property
    def rest(self) -> int:
        """Neurons in no group."""
        return self.size - sum(b - a for a, b in self.groups.values())


@dataclass(frozen=True)
class Projection:
    """Synapses from ``source`` to ``target``. delay : (low, high) in s. weight : same, other, onto_rest in the unit of ``into``, and share."""

    name: str
    source: str
    target: str
    synapse: Mechanism
    into: str
    connect: dict
    own: bool  # whether a neuron may project to itself
    delay: tuple[float, float]
    weight: dict[str, float]


@dataclass(frozen=True)
class Circuit:
    """A circuit card, ready to be described; times in s."""

    name: str
    card: dict
    path: Path
    populations: dict[str, Population]
    projections: dict[str, Projection]
    steps: dict[str, steps.Step]
    dt: float
    duration: float
    every: float

    @property
    def labels(self) -> list[str]:
        """Every group, by a name that populations may share: synapses are ``same`` between groups of one name."""
        return list(dict.fromkeys(label for p in self.populations.values() for label in p.groups))


def build(tables: dict, path: Path) -> Circuit:
    """The circuit of checked tables. Raises BadInput naming file, field, value and fix."""
    file, protocol = path.name, tables["protocol"]
    dt = quantity(protocol["dt"], "s", f"{file}: protocol.dt", low=1e-6, high=0.01)
    duration = quantity(protocol["duration"], "s", f"{file}: protocol.duration", low=dt, high=LONGEST)
    every = quantity(tables["record"]["every"], "s", f"{file}: record.every", low=dt, high=duration)
    populations = {name: populate(name, p, path, dt, duration) for name, p in tables["population"].items()}
    projections = {name: project(name, p, populations, dt, file) for name, p in tables.get("projection", {}).items()}
    if same := populations.keys() & projections.keys():
        raise BadInput(f"{file}: '{same.pop()}' is a population and a projection; give them different names")
    planned = {name: steps.step(name, s, populations, projections, duration, dt, file) for name, s in protocol.get("step", {}).items()}
    for name, span in {"protocol.duration": duration, "record.every": every}.items():
        steps.on_grid(span, dt, f"{file}: {name}")
    return Circuit(tables["name"], tables, path, populations, projections, planned, dt, duration, every)


def populate(name, table, path, dt, duration) -> Population:
    where = f"{path.name}: population.{name}"
    size = whole(table["size"], f"{where}.size")
    groups, first = {}, 0
    for group, g in table.get("groups", {}).items():
        count, each = (whole(g[key], f"{where}.groups.{group}.{key}") for key in ("count", "size"))
        for k in range(count):
            groups[group if count == 1 else f"{group}{k + 1}"] = (first, first := first + each)
    if first > size:
        raise BadInput(f"{where}.groups: {first} neurons stand in groups and size = {size}; make size larger or the groups smaller")
    if bad := {"rest", "same"} & groups.keys():
        raise BadInput(f"{where}.groups.{bad.pop()}: this name is taken; call the group something else")
    if ("neuron" in table) == ("spikes" in table):
        raise BadInput(f'{where}: give it either neuron = "lif" and a background, or spikes = "trains.npz"')
    if "spikes" in table:
        for key in ("bind", "background"):
            if key in table:
                raise BadInput(f"{where}.{key}: a population of given spikes has no equations; leave it out")
        return Population(name, size, groups, None, 0.0, trains.read(path.parent, table["spikes"], size, dt, duration, where))
    cell = mechanism(table["neuron"], "neuron", {"r0": "1 Hz", **table.get("bind", {})}, {}, {}, where)
    known = {**cell.card.get("param", {}), **cell.card.get("needs", {})}
    for key in table.get("bind", {}):
        if key not in known:
            raise BadInput(f"{where}.bind.{key}: {cell.name} has no such parameter{nearest(key, known)}")
    if "background" not in table:
        raise BadInput(f"{where} lacks 'background': what drives its neurons, for instance background = \"15 mV\"")
    unit = "V" if "inverse" in cell.card["rate"] else "Hz"
    background = quantity(table["background"], unit, f"{where}.background", low=0 if unit == "Hz" else -np.inf)
    return Population(name, size, groups, cell, background)


def project(name, table, populations, dt, file) -> Projection:
    where = f"{file}: projection.{name}"
    for end in ("from", "to"):
        if table[end] not in populations:
            raise BadInput(f"{where}.{end} = {table[end]!r}: no such population{nearest(table[end], populations)}")
    source, target = populations[table["from"]], populations[table["to"]]
    if target.neuron is None:
        raise BadInput(f"{where}.to = {target.name!r}: its spikes are given, it listens to nobody")
    card = reader.read(table["synapse"])
    if card.get("role") == "synapse":
        check_synapse(card, where)
    sets, chosen = card.get("sets", {}), table.get("set")
    if chosen is not None and chosen not in sets:
        raise BadInput(f"{where}.set = {chosen!r}: {card['name']} has no such set{nearest(chosen, sets)}")
    bound = {**sets.get(chosen, {}), **table.get("bind", {})}
    for key in bound:
        if key not in card.get("param", {}):
            raise BadInput(f"{where}.bind.{key}: {card['name']} has no such parameter{nearest(key, card.get('param', {}))}")
    synapse = mechanism(table["synapse"], "synapse", bound, GIVEN, {}, where)
    states = target.neuron.card.get("state", {})
    if table["into"] not in states:
        raise BadInput(f"{where}.into = {table['into']!r}: {target.neuron.name} has no such state{nearest(table['into'], states)}")
    unit = states[table["into"]]["unit"]
    own = table.get("self", False)
    connect = table["connect"] if isinstance(table["connect"], dict) else {"all": True}
    check_connect(connect, source.size - (source is target and not own), where)
    delay = delays(table["delay"], source, dt, where)
    weight = weights(table["weight"], unit, source, target, where)
    return Projection(name, source.name, target.name, synapse, table["into"], connect, own, delay, weight)


def check_synapse(card, where) -> None:
    """Raises BadInput for a synapse card whose states a circuit cannot keep once an axon."""
    if "post" in card["spiking"] or "read" not in card["spiking"]:
        raise BadInput(
            f"{where}.synapse: {card['name']} listens to postsynaptic spikes; a circuit takes cards that read and write at presynaptic"
        )
    for name, state in card["state"].items():
        if state["start"] != "weight" and state["index"] != ["pre"]:
            raise BadInput(
                f"{where}.synapse: {card['name']} moves '{name}', a state of index {state['index']}; a circuit takes a fixed weight and "
                'states on ["pre"], for instance tsodyks_markram'
            )
    if equations.written(card, ("post", "pre")):
        raise BadInput(f"{where}.synapse: {card['name']} writes its weight; a circuit's weights are fixed, use tsodyks_markram or static")


def check_connect(connect, candidates, where) -> None:
    if len(connect) != 1:
        raise BadInput(f'{where}.connect = {connect!r}: write {{indegree = 100}}, {{p = 0.2}} or "all"')
    if "indegree" in connect and not 1 <= connect["indegree"] <= candidates:
        raise BadInput(
            f"{where}.connect.indegree = {connect['indegree']}: each target draws from {candidates} neurons; use 1 to {candidates}"
        )
    if "p" in connect and not 0 <= connect["p"] <= 1:
        raise BadInput(f"{where}.connect.p = {connect['p']}: a probability is from 0 to 1")


def delays(given, source, dt, where) -> tuple[float, float]:
    """(low, high) in s, where carrying what an axon releases is exact; else BadInput says why not."""
    table = given if isinstance(given, dict) else {"low": given, "high": given}
    low, high = (quantity(table[key], "s", f"{where}.delay", low=0) for key in ("low", "high"))
    if low > high:
        raise BadInput(f"{where}.delay: low = {table['low']} is above high = {table['high']}; exchange them")
    if round(low / dt) < 1:
        raise BadInput(f"{where}.delay = {table['low']}: below the time step, {dt * 1e3:g} ms; a delay is one step or more")
    shortest = shortest_interval(source, dt)
    if round(high / dt) > shortest:
        raise BadInput(
            f"{where}.delay = {table['high']}: {source.name} may fire again after {shortest * dt * 1e3:g} ms, and a spike carries what its axon "
            "releases until the next one; use a shorter delay or a longer refractory time"
        )
    return low, high


def shortest_interval(population, dt) -> int:
    """Steps between two spikes of one neuron, at least: its refractory time in Brian2's rounding, or as its train has it."""
    if population.spikes is not None:
        return trains.shortest(*population.spikes)
    name = population.neuron.card["spiking"].get("refractory")
    return max(1, int((population.neuron.values[name] + 1e-3 * dt) / dt)) if name else 1  # timestep(t, dt) of Brian2


def weights(given, unit, source, target, where) -> dict[str, float]:
    """same, other, onto_rest and share, in SI units; one value stands for all."""
    table = given if isinstance(given, dict) else {"same": given, "other": given}
    found = {key: quantity(table[key], unit, f"{where}.weight.{key}") for key in ("same", "other", "onto_rest") if key in table}
    share = table.get("share", 1.0 if "onto_rest" in found else 0.0)
    if not 0 <= share <= 1:
        raise BadInput(f"{where}.weight.share = {share}: a share is from 0 to 1")
    if isinstance(given, dict) and not source.groups.keys() & target.groups.keys():
        raise BadInput(f"{where}.weight: {source.name} and {target.name} have no group of one name; write one value, or name groups")
    return {"onto_rest": found["other"], **found, "share": float(share)}
