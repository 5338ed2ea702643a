"""A network card with its mechanisms, its numbers in SI units and its trained weights: what the descriptions read."""

import copy
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fwbio.cards import equations, reader, weights
from fwbio.errors import BadInput, nearest
from fwbio.quantities import quantity, whole


@dataclass(frozen=True)
class Mechanism:
    """A mechanism card whose parameters and needs are bound: ``values`` in SI units, by name."""

    card: dict
    values: dict

    @property
    def name(self) -> str:
        return self.card["name"]


@dataclass(frozen=True)
class Projection:
    """Synapses from every neuron to every dendrite. weight : (post, pre) or None; reads, writes : which phases."""

    name: str
    synapse: Mechanism
    weight: np.ndarray | None
    reads: str | None
    writes: str | None


@dataclass(frozen=True)
class Network:
    """A network card, ready to be described.

    token, settle, r0, dt, duration, every are floats in s or Hz; ``trained`` holds the arrays of the ``.npz``.
    ``paced`` networks have tokens and phases; free-running ones have a duration and no token (0.0).
    """

    name: str
    card: dict
    path: Path
    units: int
    neurons: int
    r0: float
    phi: str
    neuron: Mechanism
    dendrite: Mechanism | None
    norm: Mechanism | None
    norm_first: Mechanism | None
    projections: dict[str, Projection]
    trained: dict[str, np.ndarray] = field(repr=False)
    paced: bool
    token: float
    inner: int
    settle: float
    dt: float
    duration: float
    every: float
    fast: bool

    @property
    def phase(self) -> float:
        """Length T of a phase in s: token / (inner + 1)."""
        return self.token / (self.inner + 1)

    @property
    def window(self) -> float:
        """The part of a phase in which synapses transmit, in s."""
        return self.phase - self.settle

    @property
    def tau(self) -> float:
        """Time constant of the fast weights in s."""
        synapse = self.projections[self.fast_name].synapse
        return synapse.values[equations.linear_decay(synapse.card["spiking"]["ode"][0])[1]]

    @property
    def fast_name(self) -> str:
        """The projection whose synapses write."""
        return next(name for name, p in self.projections.items() if "write" in p.synapse.card["spiking"])

    @property
    def lam(self) -> float:
        """Decay of the fast weights from token to token, lambda = exp(-token/tau)."""
        return math.exp(-self.token / self.tau)


def load(card, *, set=None, neurons=None, neuron=None, fast=True, seed=0) -> Network:
    """A network card by name or path.

    set : parameters to change, by exposed or full name, for instance ``{"fast.tau": "5 s"}``
    neurons : neurons a unit; neuron : the neuron card; fast : False switches fast weights off in every description
    seed : of weights that the card draws at random (trained weights do not depend on it)

    Raises BadInput naming file, field, value and fix.
    """
    path = reader.find(card)
    tables = reader.read(path)
    if tables["kind"] != "network":
        raise BadInput(f"{path.name} is a {tables['role']} card; networks are {', '.join(networks())}")
    tables = change(tables, set or {}, path.name)
    return build(tables, path, neurons, neuron, fast, seed)


def networks() -> list[str]:
    return [name for name in reader.shipped() if reader.read(name)["kind"] == "network"]


def change(tables: dict, changes: dict, file: str) -> dict:
    """The tables with some values replaced; raises BadInput for a name that is not a parameter."""
    tables = copy.deepcopy(tables)
    exposed = tables.get("expose", {})
    for name, value in changes.items():
        full = exposed.get(name, name)
        keys = full.split(".")
        table = tables
        for key in keys[:-1]:
            table = table.get(key, {}) if isinstance(table, dict) else {}
        if isinstance(table.get("bind"), dict) and keys[-1] not in table:
            table = table["bind"]
        if keys[-1] not in table or isinstance(table[keys[-1]], (dict, list)) or keys[0] in ("trained", "expose"):
            raise BadInput(f"{file}: '{name}' is not a parameter of this card{nearest(name, exposed)}")
        old = table[keys[-1]]
        if isinstance(old, str):
            table[keys[-1]] = str(value)
        elif isinstance(old, bool):
            table[keys[-1]] = {"true": True, "false": False}.get(str(value).lower(), value)
        elif isinstance(old, int):
            table[keys[-1]] = whole(value, full, low=0)
        else:
            table[keys[-1]] = quantity(str(value), "1", full)
    reader.fit(tables, reader.KINDS["network"], f"{file}:", "")
    return tables


def build(tables: dict, path: Path, neurons, neuron, fast, seed) -> Network:
    file = path.name
    if len(tables["population"]) != 1:
        raise BadInput(f"{file}: population: describe one population of units; {len(tables['population'])} stand here")
    (pop_name, pop), *_ = tables["population"].items()
    trained = {}
    if "trained" in tables:
        t = tables["trained"]
        trained = weights.read(path.parent / t["file"], t["axes"], t["sha256"])
    where = f"{file}: population.{pop_name}"
    units = whole(pop["size"], f"{where}.size")
    neurons = whole(pop["neurons"] if neurons is None else neurons, "neurons" if neurons is not None else f"{where}.neurons")
    r0 = quantity(pop["r0"], "Hz", f"{where}.r0", low=1e-3, high=1e4)
    bound = pop.get("bind", {})
    cell = mechanism(neuron or pop["neuron"], "neuron", bound, {"r0": r0}, trained, where)
    dendrite = mechanism(pop["dendrite"], "dendrite", bound, {}, trained, where) if "dendrite" in pop else None
    norm = norm_first = None
    if "norm" in pop:
        norm = mechanism(pop["norm"], "normalisation", bound, {"units": units}, trained, where)
        first = {**bound, **pop.get("first", {})}
        norm_first = mechanism(pop["norm"], "normalisation", first, {"units": units}, trained, f"{where}.first")
        if not tables.get("rnn", {}).get("norm_first", True):
            norm_first = None
    given = {"n": neurons, "r0": r0}
    projections = {
        name: project(name, p, tables, pop_name, units, given, trained, np.random.default_rng([seed, k]), file)
        for k, (name, p) in enumerate(tables["projection"].items())
    }
    clock, protocol, given = tables.get("clock"), tables["protocol"], tables["input"]
    dt = protocol.get("dt", cell.card["spiking"]["dt"])
    network = Network(
        name=tables["name"],
        card=tables,
        path=path,
        units=units,
        neurons=neurons,
        r0=r0,
        phi=pop["phi"],
        neuron=cell,
        dendrite=dendrite,
        norm=norm,
        norm_first=norm_first,
        projections=projections,
        trained=trained,
        paced=clock is not None,
        token=quantity(clock["token"], "s", f"{file}: clock.token", low=1e-3, high=3600) if clock else 0.0,
        inner=whole(clock["inner"], f"{file}: clock.inner", high=20) if clock else 0,
        settle=quantity(cell.card["spiking"]["settle"], "s", f"{cell.name}.toml: spiking.settle", low=0) if clock else 0.0,
        dt=quantity(dt, "s", f"{file}: protocol.dt", low=1e-6, high=0.01),
        duration=quantity(protocol.get("duration", "1 s"), "s", f"{file}: protocol.duration", low=1e-3),
        every=quantity(given.get("every", "1 s"), "s", f"{file}: input.every", low=1e-3),
        fast=fast,
    )
    check_steps(network, file)
    return network


def mechanism(name, role, bound, given, trained, where) -> Mechanism:
    """The mechanism card with its needs and parameters bound to numbers in SI units or to trained arrays."""
    card = reader.read(name)
    if card["kind"] != "mechanism" or card["role"] != role:
        raise BadInput(f"{where}: '{name}' is not a {role} card; {role} cards are {', '.join(with_role(role))}")
    wanted = {k: v["unit"] for k, v in card.get("needs", {}).items()}
    values = dict(given)
    for key, param in card.get("param", {}).items():
        unit = unit_of(param["value"])
        values[key] = quantity(bound.get(key, param["value"]), unit, f"{where}.{key}", low=0 if unit == "s" else -math.inf)
    for key, unit in wanted.items():
        if key in bound:
            values[key] = array(bound[key], trained, f"{where}.{key}") if bound[key].startswith("trained.") else quantity(bound[key], unit, f"{where}.{key}")
    return Mechanism(card, values)


def with_role(role) -> list[str]:
    return [name for name in reader.shipped() if reader.read(name).get("role") == role]


def unit_of(value: str) -> str:
    return value.split(maxsplit=1)[1] if " " in value.strip() else "1"


def array(name, trained, where) -> np.ndarray:
    key = name.removeprefix("trained.")
    if key not in trained:
        raise BadInput(f"{where} = {name!r}: no such trained array{nearest(key, trained)}")
    return trained[key]


def project(name, table, tables, pop_name, units, given, trained, rng, file) -> Projection:
    where = f"{file}: projection.{name}"
    for end in ("from", "to"):
        if table[end] != pop_name:
            raise BadInput(f"{where}.{end} = {table[end]!r}: no such population{nearest(table[end], [pop_name])}")
    synapse = mechanism(table["synapse"], "synapse", table.get("bind", {}), given, trained, where)
    for key in table.get("bind", {}):
        if key not in synapse.card.get("param", {}) and key not in synapse.card.get("needs", {}):
            raise BadInput(f"{where}.bind.{key}: {synapse.name} has no such parameter{nearest(key, synapse.card.get('param', {}))}")
    for ode in synapse.card["spiking"].get("ode", []):
        decay = equations.linear_decay(ode)
        if decay and synapse.values[decay[1]] <= 0:
            raise BadInput(f"{where}.{decay[1]} = {table['bind'][decay[1]]!r}: a decay needs a time constant above 0")
    weight = table.get("weight")
    if isinstance(weight, str):
        weight = array(weight, trained, f"{where}.weight")
        if weight.shape != (units, units):
            raise BadInput(f"{where}.weight has shape {weight.shape}, but the population has size {units}: {(units, units)} is wanted")
    if isinstance(weight, dict):
        weight = weight["sd"] * rng.standard_normal((units, units))
    if weight is None and any(s["start"] == "weight" for s in synapse.card.get("state", {}).values()):
        raise BadInput(f"{where}: {synapse.name} starts from a weight; add weight = \"trained.W\" or {{draw = \"normal\", sd = …}}")
    if "clock" in tables and "reads" not in table:
        raise BadInput(f"{where}: a paced network says in which phases a synapse reads; add reads = \"inner\" or \"last\"")
    return Projection(name, synapse, weight, table.get("reads"), table.get("writes"))


def check_steps(network: Network, file: str) -> None:
    """Raises BadInput unless the time steps, windows and time constants fit each other."""
    dt = network.dt
    spans = {"clock.token": network.token, "a phase, clock.token/(inner + 1),": network.phase, "settle": network.settle} if network.paced else {
        "protocol.duration": network.duration, "input.every": network.every}
    for name, span in spans.items():
        if abs(span / dt - round(span / dt)) > 1e-6:
            raise BadInput(f"{file}: {name} = {span * 1e3:g} ms is not a multiple of the time step {dt * 1e3:g} ms; choose one that is")
    if network.paced and network.window < 5 * dt:
        raise BadInput(f"{file}: a phase of {network.phase * 1e3:g} ms leaves {network.window * 1e3:g} ms after settling; use a longer clock.token")
    if network.paced and network.tau < network.token / 100:
        raise BadInput(f"{file}: fast.tau = {network.tau:g} s is below a hundredth of a token ({network.token:g} s): nothing is left to read; use a longer tau")
