"""A network card with its mechanisms, its numbers in SI units and its trained weights: what the descriptions read."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fwbio import wipe as wipes
from fwbio.cards import equations, reader, references, weights
from fwbio.cards.changes import change
from fwbio.errors import BadInput, nearest
from fwbio.quantities import dimension, quantity, unit_of, whole

AT_RUN_TIME = {"h", "drive", "read_gain", "write_gain"}  # what a description, not the card, gives to a mechanism
LONGEST = 86400.0  # s
PAIR = ("post", "pre")


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

    @property
    def associative(self) -> bool:
        """Whether its synapses write a state of their own pair: fast weights (not presynaptic plasticity)."""
        return self.fast_state is not None

    @property
    def fast_state(self) -> str | None:
        """The state of a pair that its synapses write, the fast weight A of the cards."""
        return next((equations.split(rule, "write")["name"] for rule in equations.written(self.synapse.card, PAIR)), None)

    @property
    def reads_A(self) -> str:
        """Which A its synapses read at a token: "previous", or "late", that of one token earlier (``fwbio.rnn``)."""
        return self.synapse.card.get("rnn", {}).get("reads", "previous")

    @property
    def tau(self) -> float:
        """Time constant in s of the clock that its fast weights decay by; infinite where there is none."""
        decays = filter(None, (equations.linear_decay(ode) for ode in self.synapse.card["spiking"].get("ode", [])))
        return next((self.synapse.values[tau] for state, tau in decays if state == self.fast_state), math.inf)


@dataclass(frozen=True)
class Network:
    """A network card, ready to be described.

    token, settle, r0, dt, duration, every, recorded are floats in s or Hz (every: how long an input lasts); ``trained`` holds the arrays of the ``.npz``.
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
    recorded: float
    fast: bool
    wipe: wipes.Wipe | None = None

    @property
    def phase(self) -> float:
        """Length T of a phase in s: token / (inner + 1)."""
        return self.token / (self.inner + 1)

    @property
    def window(self) -> float:
        """The part of a phase in which synapses transmit, in s."""
        return self.phase - self.settle

    @property
    def sample(self) -> float:
        """How often h is kept, in s: each phase; free-running each step, but not more often than 1 ms, or as [record] says."""
        return self.phase if self.paced else self.recorded or max(self.dt, 1e-3)

    @property
    def levels(self) -> dict[str, Projection]:
        """The projections whose synapses write pre x post: A is the sum over them. None with fast weights off."""
        return {name: p for name, p in self.projections.items() if p.associative and self.fast}

    @property
    def tau(self) -> float:
        """Time constant of the fast weights in s, the longest if there are several levels; infinite without a clock decay."""
        return max((p.tau for p in self.projections.values() if p.associative), default=math.inf)

    @property
    def eta(self) -> float:
        """What one co-activation writes, all levels with a clock decay together; 0 with fast weights off."""
        named = [(p.synapse.values, p.synapse.card.get("rnn", {}).get("eta")) for p in self.levels.values()]
        return sum((values[eta] for values, eta in named if eta), 0.0)

    @property
    def lam(self) -> float:
        """Decay of the (longest-lived) fast weights from token to token, lambda = exp(-token/tau)."""
        return math.exp(-self.token / self.tau)


def load(card, *, set=None, neurons=None, neuron=None, fast=True, seed=0):
    """A network card (``Network``) or circuit card (``fwbio.cards.circuit.Circuit``) by name or path.

    set : parameters to change, by exposed or full name, for instance ``{"fast.tau": "5 s"}``
    neurons : neurons a unit; neuron : the neuron card; fast : False switches fast weights off in every description
    seed : of weights that the card draws at random (trained weights do not depend on it)
    A circuit takes ``set`` alone: its sizes and neurons stand in the card, and its seed is that of a run.

    Raises BadInput naming file, field, value and fix.
    """
    path = reader.find(card)
    tables = reader.read(path)
    if tables["kind"] == "circuit":
        from fwbio.cards import circuit

        if neurons is not None or neuron is not None or not fast:
            raise BadInput(
                f"{path.name} is a circuit: it has no units and no fast weights to switch; change the card's own values with set"
            )
        return circuit.build(change(tables, set or {}, path.name), path)
    if tables["kind"] != "network":
        known = [name for name in reader.shipped() if reader.read(name)["kind"] != "mechanism"]
        raise BadInput(
            f"{path.name} is a {tables['role']} card: a part of networks, for `fwbio show` (and fwbio.synapses); networks and circuits are "
            f"{', '.join(known)}"
        )
    if neuron is not None and reader.NAME.fullmatch(neuron) and neuron not in reader.shipped():
        raise BadInput(
            f"neuron = {neuron!r}: no such card{nearest(neuron, with_role('neuron'))}; neuron cards are {', '.join(with_role('neuron'))}"
        )
    for population in tables["population"].values() if neuron is not None else ():
        population["neuron"] = neuron
    network = build(change(tables, set or {}, path.name), path, neurons=neurons, fast=fast, seed=seed)
    for name, p in network.projections.items():
        if not network.paced and "latch" in p.synapse.card["spiking"]:
            raise BadInput(f"{path.name}: projection.{name}: {p.synapse.name} latches once a token, and this network has none; add [clock]")
    return network


def networks() -> list[str]:
    return [name for name in reader.shipped() if reader.read(name)["kind"] == "network"]


def build(tables: dict, path: Path, *, neurons=None, fast=True, seed=0) -> Network:
    """The network of checked tables; see ``load``."""
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
    if equations.split(pop["phi"], f"{where}.phi")["op"] or equations.names(pop["phi"], f"{where}.phi") - {"u"}:
        raise BadInput(f"{where}.phi = {pop['phi']!r}: write an expression in u, for instance 'relu(u)'")
    cell = mechanism(pop["neuron"], "neuron", bound, {"r0": r0}, trained, where)
    dendrite = mechanism(pop["dendrite"], "dendrite", bound, {}, trained, where) if "dendrite" in pop else None
    norm = norm_first = None
    if "norm" in pop:
        norm = mechanism(pop["norm"], "normalisation", bound, {"units": units}, trained, where)
        first = {**bound, **pop.get("first", {})}
        norm_first = mechanism(pop["norm"], "normalisation", first, {"units": units}, trained, f"{where}.first")
        if not tables.get("rnn", {}).get("norm_first", True):
            norm_first = None
    references.check(tables, trained, units, [m for m in (norm, norm_first) if m], file)
    check_bound(pop, [cell, dendrite, norm], where)
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
        duration=quantity(protocol.get("duration", "1 s"), "s", f"{file}: protocol.duration", low=1e-3, high=LONGEST),
        every=quantity(given.get("every", "1 s"), "s", f"{file}: input.every", low=1e-3, high=LONGEST),
        recorded=recorded(tables, clock is not None, file),
        fast=fast,
        wipe=wipes.of(protocol.get("wipe"), clock is not None, f"{file}: protocol.wipe"),
    )
    check_steps(network, file)
    check_reads(network, file)
    return network


def recorded(tables, paced, file) -> float:
    """How often [record] wants h, in s; 0 where it does not say."""
    if "every" not in tables.get("record", {}):
        return 0.0
    if paced:
        raise BadInput(f"{file}: record.every: a paced network is recorded once a phase; leave it out")
    return quantity(tables["record"]["every"], "s", f"{file}: record.every", low=1e-6, high=LONGEST)


def mechanism(name, role, bound, given, trained, where) -> Mechanism:
    """The mechanism card with its needs and parameters bound to numbers in SI units or to trained arrays."""
    card = reader.read(name)
    if card["kind"] != "mechanism" or card["role"] != role:
        raise BadInput(f"{where}: '{name}' is not a {role} card; {role} cards are {', '.join(with_role(role))}")
    wanted = {k: v["unit"] for k, v in card.get("needs", {}).items()}
    values = dict(given)
    for key, param in card.get("param", {}).items():
        unit = unit_of(param["value"])
        if dimension(unit, key)[1] == dimension("s", key)[1]:
            values[key] = quantity(bound.get(key, param["value"]), "s", f"{where}.{key}", low=0)
        else:
            values[key] = quantity(bound.get(key, param["value"]), unit, f"{where}.{key}")
    for key, unit in wanted.items():
        if key in bound:
            values[key] = (
                references.array(bound[key], trained, f"{where}.{key}")
                if bound[key].startswith("trained.")
                else quantity(bound[key], unit, f"{where}.{key}")
            )
        elif "default" in card["needs"][key]:
            values.setdefault(key, quantity(card["needs"][key]["default"], unit, f"{where}.{key}"))
    for key in wanted.keys() - values.keys() - AT_RUN_TIME:
        raise BadInput(f"{where}: bind lacks '{key}', which {name} needs: {card['needs'][key]['meaning']}")
    for key in {name for ode in card["spiking"].get("ode", []) for name in equations.divisors(ode)} & card.get("param", {}).keys():
        if values[key] == 0 and key in equations.at_once(card):
            values[key] = equations.AT_ONCE
        if values[key] <= 0:
            raise BadInput(f"{where}.{key} = {bound.get(key)!r}: {name} divides by it; use a value above 0")
    return Mechanism(card, values)


def check_bound(pop, mechanisms, where) -> None:
    """Raises BadInput for a value that no mechanism of the population has: a typo is never ignored."""
    cards = [reader.read(pop["neuron"]), *(m.card for m in mechanisms if m)]
    known = {name for card in cards for block in ("param", "needs") for name in card.get(block, {})}
    for table in ("bind", "first"):
        for key in pop.get(table, {}):
            if key not in known:
                raise BadInput(f"{where}.{table}.{key}: no mechanism of this population has it{nearest(key, known)}")


def with_role(role) -> list[str]:
    return [name for name in reader.shipped() if reader.read(name).get("role") == role]


def project(name, table, tables, pop_name, units, given, trained, rng, file) -> Projection:
    where, bind = f"{file}: projection.{name}", table.get("bind", {})
    for end in ("from", "to"):
        if table[end] != pop_name:
            raise BadInput(f"{where}.{end} = {table[end]!r}: no such population{nearest(table[end], [pop_name])}")
    synapse = mechanism(table["synapse"], "synapse", {**named_set(table, where), **bind}, given, trained, where)
    for key in bind:
        if key not in synapse.card.get("param", {}) and key not in synapse.card.get("needs", {}):
            raise BadInput(f"{where}.bind.{key}: {synapse.name} has no such parameter{nearest(key, synapse.card.get('param', {}))}")
    weight = table.get("weight")
    if isinstance(weight, str):
        weight = references.array(weight, trained, f"{where}.weight")
        if weight.shape != (units, units):
            raise BadInput(f"{where}.weight has shape {weight.shape}, but the population has size {units}: {(units, units)} is wanted")
    if isinstance(weight, dict):
        weight = weight["sd"] * rng.standard_normal((units, units))
    if weight is None and any(s["start"] == "weight" for s in synapse.card.get("state", {}).values()):
        raise BadInput(f'{where}: {synapse.name} starts from a weight; add weight = "trained.W" or {{draw = "normal", sd = …}}')
    if "clock" in tables and "reads" not in table:
        raise BadInput(f'{where}: a paced network says in which phases a synapse reads; add reads = "inner" or "last"')
    return Projection(name, synapse, weight, table.get("reads"), table.get("writes"))


def named_set(table, where) -> dict:
    """The values of the synapse card's set that the projection names."""
    sets = reader.read(table["synapse"]).get("sets", {})
    if "set" in table and table["set"] not in sets:
        raise BadInput(f"{where}.set = {table['set']!r}: {table['synapse']} has no such set{nearest(table['set'], sets)}")
    return sets.get(table.get("set"), {})


def check_reads(network: Network, file: str) -> None:
    """Raises BadInput unless the synapses read the A that [rnn] says. "preliminary" has a discrete form only (``fwbio.describe``)."""
    says = network.card.get("rnn", {}).get("reads", "previous")
    for name, p in network.projections.items():
        if network.paced and p.associative and says not in ("preliminary", p.reads_A):
            cards = [c for c in with_role("synapse") if reader.read(c).get("rnn", {}).get("reads", "previous") == says]
            raise BadInput(
                f'{file}: rnn.reads = "{says}", but {p.synapse.name} (projection.{name}) reads "{p.reads_A}"; write rnn.reads = '
                f'"{p.reads_A}", or use a synapse that reads "{says}", of {", ".join(cards)}'
            )


def check_steps(network: Network, file: str) -> None:
    """Raises BadInput unless the time steps, windows and time constants fit each other."""
    dt = network.dt
    spans = (
        {"clock.token": network.token, "a phase, clock.token/(inner + 1),": network.phase, "settle": network.settle}
        if network.paced
        else {"protocol.duration": network.duration, "input.every": network.every, "record.every": network.sample}
    )
    for name, span in spans.items():
        if abs(span / dt - round(span / dt)) > 1e-6:
            raise BadInput(f"{file}: {name} = {span * 1e3:g} ms is not a multiple of the time step {dt * 1e3:g} ms; choose one that is")
    if network.paced and network.window < 5 * dt:
        raise BadInput(
            f"{file}: a phase of {network.phase * 1e3:g} ms leaves {network.window * 1e3:g} ms after settling; use a longer clock.token"
        )
    for name, p in network.projections.items() if network.paced else ():
        if p.tau < network.token / 100:
            raise BadInput(
                f"{file}: projection.{name}: tau = {p.tau:g} s is below a hundredth of a token ({network.token:g} s): nothing is left to "
                "read; use a longer tau"
            )
