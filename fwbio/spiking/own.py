"""A synapse card in one's own Brian2 network: ordinary ``Synapses``, one set of states a synapse, on any device and target.

    import brian2, fwbio
    axons = brian2.PoissonGroup(20, 10 * brian2.Hz)
    cells = brian2.NeuronGroup(3, "dv/dt = -v/(10*ms) : volt", method="exact")
    made = fwbio.synapses("tsodyks_markram", axons, cells, set="E1", into="v", weight="0.5 mV", connect=True)

Each spike then does v += w*u*x. States and parameters are variables of the object (``made.u``, ``made.tau_d``), for monitors too.
What a unit's dendrite needs and a single synapse does not (n, r0, read_gain, write_gain) is 1, or the card's default, and can be given
like a parameter, or as the name of a variable of ``target``, which may change in time: ``write_gain="plastic"``.
A name that ``target`` has too becomes NAME_syn here (Brian2 allows one owner): Izhikevich's u leaves ``made.u_syn``.
Rules at either end are pathways of their own: ``pre`` transmits and writes, ``post`` writes, ``pre_own`` and ``post_own`` move what
belongs to one end (a trace) after both, ``pre_late`` is the card's own delayed rule, whatever the delay of transmission.
A chain of variables (``hebbian_chain``) has its modes for states, ``A_1``, ``A_2`` …, the weight being their sum: ``fwbio.cards.modes``.
"""

import re

from brian2 import Equations, Quantity, Synapses, amp, get_device, have_same_dimensions, second, volt
from brian2.units.fundamentalunits import get_unit
from brian2.utils.stringtools import word_substitute

from fwbio.cards import modes, reader
from fwbio.cards.equations import split
from fwbio.errors import BadInput, nearest
from fwbio.quantities import NUMBER, dimension, quantity
from fwbio.spiking import own_reduced, rows
from fwbio.spiking.axon import values as parameters
from fwbio.spiking.plain import all_rules, brian, clocked, in_synapse, model, noisy, of_cell, own_numbers, pathways
from fwbio.spiking.synapses import declared

BRIANS_OWN = {"N", "i", "j", "t", "dt", "t_in_timesteps", "lastupdate", "last_event", "delay"}
MOMENT = {"pre": -1, "pre_late": -1, "post": 1, "pre_own": 2, "post_own": 2}  # within a time step; Brian2's default: pre, post


class CardSynapses(Synapses):
    """Brian2's Synapses, whose ``connect`` also gives every synapse the starting values of its card."""

    by_row = False  # whether they run through an axon's synapses in order, for which one ``connect`` has to make them all

    def __init__(self, *args, starts, **options):
        self.starts = starts
        super().__init__(*args, **options)

    def connect(self, *args, level=0, **options):
        if self.by_row and self._connect_called:
            raise BadInput(
                f"{self.name}: reduced synapses are connected by one call; give all pairs at once, connect(i=…, j=…), sorted by i"
            )
        super().connect(*args, level=level + 1, **options)
        for name, value in self.starts.items():
            self.__setattr__(name, value, level=level + 1)

    def before_run(self, run_namespace):
        super().before_run(run_namespace)
        listed = getattr(
            get_device(), "synapses", None
        )  # C++ standalone looks at those that the Network names, not at what belongs to them
        if listed is not None:
            listed.update(part for part in self.contained_objects if isinstance(part, Synapses))


def synapses(
    card,
    source,
    target,
    *,
    set=None,
    into="I",
    weight=None,
    drive="h",
    delay=None,
    connect=None,
    name="synapses*",
    dt=None,
    token=None,
    reduced=False,
    **given,
) -> CardSynapses:
    """The synapse card (name, path or tables) between two groups of one's own network, as Brian2 Synapses.

    set : a named parameter set of the card, for instance ``"E1"``. given : parameters that differ, with unit: ``tau_d="0.2 s"``
    into : variable of ``target`` that the card's I_post is. weight : in its unit, a number, quantity, array or Brian2 expression; it is
    the card's own w where there is one, else a factor g of what a spike adds. Default 1, or the card's own unit
    drive : variable of ``target`` that is the card's h_post. delay : of transmission, s. connect : True (all), a condition, or
    a table of the arguments of ``connect``; None leaves connecting to the caller. Every ``connect`` sets all starting values.
    token : how long a token lasts, for a card that latches a state once a token (at its end).
    reduced : store what belongs to a neuron once a neuron, and decay all weights by one number, exactly (``fwbio.spiking.own_reduced``): for
    many synapses; the weight is then ``made.A_now``, and delays are those given here.

    Raises BadInput for anything that does not fit, before anything is compiled.
    """
    tables = synapse_card(card)
    label = f"fwbio.synapses({tables['name']!r})"
    check_groups(tables, source, target, into, drive, label)
    tables, given = followed(tables, target, given, label)
    numbers = chosen(tables, set, given, label)
    for key in given.keys() - own_numbers(tables):
        raise BadInput(f"{label}: {key} is not a number of the synapse but of its cell; give it to fwbio.cell_equations")
    tables, numbers = modes.together(tables, numbers)
    starts = {k: s["start"] for k, s in tables["state"].items() if k not in of_cell(tables) and s["start"] not in ("0", "weight")}
    read, weights = scaled(tables, target, into, starts, weight, label)
    if reduced:
        own_reduced.check(tables, label)
        starts = {
            key: value for key, value in starts.items() if tables["state"].get(key, {"index": None})["index"] not in (["pre"], ["post"])
        }
    equations, rename = (own_reduced.model(tables, weights), {}) if reduced else model(tables, weights, target)
    rename = {"h_post": f"{drive}_post", "I_post": f"{into}_post", **rename}
    rules = {
        pathway: "\n".join(word_substitute(brian(rule), rename) for rule in own)
        for pathway, own in (own_reduced.rules if reduced else pathways)(tables, read).items()
    }
    delays = {} if delay is None else {p: quantity(delay, "s", f"{label}: delay", low=0) * second for p in ("pre", "pre_own") if p in rules}
    latch = [word_substitute(brian(rule), rename) for rule in tables["spiking"].get("latch", [])]
    if latch and token is None:
        raise BadInput(f"{label}: this card does {', '.join(latch)} once a token; say how long one lasts, for instance token='100 ms'")
    token = None if token is None else quantity(token, "s", f"{label}: token", low=1e-9)
    late = tables["spiking"].get("pre", {}).get("delay")
    if late:
        delays["pre_late"] = numbers[late] * second
    made = CardSynapses(
        source,
        target,
        equations,
        on_pre={p: code for p, code in rules.items() if p.startswith("pre")},
        on_post={p: code for p, code in rules.items() if p.startswith("post")} or None,
        delay=delays or None,
        method="heun" if noisy(tables) else "exact" if not clocked(tables) else "exponential_euler",
        namespace={},
        starts={rename.get(key, key): in_synapse(value, rename) for key, value in starts.items()},
        name=name,
        dt=None if dt is None else quantity(dt, "s", f"{label}: dt", low=1e-9) * second,
    )
    for pathway in rules:
        getattr(made, pathway).order = MOMENT[pathway]
    if reduced and not delays:
        made.by_row = "pre" in rules and rows.by_row(made.pre)
        if "post" in rules:
            rows.by_row(made.post)
    if reduced:
        own_reduced.attach(made, tables, source, target, numbers, delays.get("pre"), made._clock.dt)
    if latch:
        made.run_regularly("\n".join(latch), dt=token * second)
    for key in own_numbers(tables):
        made.variables[rename.get(key, key)].set_value(numbers[key])
    if connect is not None:
        made.connect(level=1, **(connect if isinstance(connect, dict) else {} if connect is True else {"condition": connect}))
    return made


def cell_equations(card, *, set=None, **given) -> Equations:
    """What ``target`` must have for a card with states of the whole cell (proteins), to be added to its equations; else empty.

    set, given : as in ``synapses``; the numbers stand in the equations.
    """
    tables = synapse_card(card)
    numbers = chosen(tables, set, given, f"fwbio.cell_equations({tables['name']!r})")
    odes = {split(text, "ode")["ode"]: text for text in tables["spiking"].get("ode", [])}
    text = "\n".join(brian(odes[k]) if k in odes else f"{k} : {declared(tables['state'][k])}" for k in of_cell(tables))
    units = {k: units_of(declared(entry)) for k, entry in {**tables["param"], **tables.get("needs", {})}.items()}
    return Equations(text, **{k: v * units[k] for k, v in numbers.items() if re.search(rf"\b{k}\b", text)})


def synapse_card(card) -> dict:
    tables = card if isinstance(card, dict) else reader.read(card)
    if tables.get("role") != "synapse":
        raise BadInput(f"{tables['name']} is not a synapse card; `fwbio models` lists them")
    tables = {"param": {}, "state": {}, **tables}
    for name in [*tables["param"], *tables["state"]]:
        if name in BRIANS_OWN or name.endswith(("_pre", "_post")):
            raise BadInput(f"{tables['name']}: '{name}' means something else to Brian2 in a synapse; call it otherwise in the card")
    return tables


def chosen(card, set, given, label) -> dict[str, float]:
    """Every parameter and need in SI units: the card's, else the named set's, else the caller's."""
    sets, needs = card.get("sets", {}), card.get("needs", {})
    if set is not None and set not in sets:
        raise BadInput(f"{label}: set = {set!r}: no such set{nearest(set, sets)}" if sets else f"{label}: this card has no named sets")
    known = {*card["param"], *needs} - {"h_post", "h_pre"}
    for key in given.keys() - known:
        raise BadInput(f"{label}: {card['name']} has no parameter '{key}'{nearest(key, known)}")
    own = {key: value for key, value in given.items() if key in card["param"]}
    signed = {k: quantity(own.pop(k, card["param"][k]["value"]), "1", f"{label}: {k}") for k in negative(card)}
    numbers = parameters({**card, "param": {k: v for k, v in card["param"].items() if k not in signed}}, {**sets.get(set, {}), **own})
    found = {key: float(value[0]) for key, value in numbers.items()} | signed
    return found | {
        key: quantity(given.get(key, e.get("default", f"1 {e['unit']}".removesuffix(" 1"))), e["unit"], f"{label}: {key}")
        for key, e in needs.items()
    }


def followed(card, target, given, label):
    """(the card, what else is given) with every need that was given as the name of a variable of ``target`` read there."""
    names = {key: name for key, name in given.items() if key in card.get("needs", {}) and isinstance(name, str) and name.isidentifier()}
    for key, name in names.items():
        unit = units_of(declared(card["needs"][key]))
        if name not in target.variables:
            like = f"a quantity (in {card['needs'][key]['unit']}) or the name of a variable of target"
            raise BadInput(f"{label}: {key} = {name!r}: give {like}{nearest(name, sorted(target.variables))}")
        if not have_same_dimensions(Quantity(1, dim=target.variables[name].dim), unit):
            raise BadInput(
                f"{label}: {key} = {name!r}: this variable of target is in {units_text(target.variables[name].dim)}, not in {unit!r}"
            )
    if not names:
        return card, given
    there = {key: f"{name}_post" for key, name in names.items()}
    read = {key: in_rules(value, lambda text: in_synapse(text, there)) for key, value in card["spiking"].items()}
    needs = {key: entry for key, entry in card["needs"].items() if key not in names}
    return card | {"needs": needs, "spiking": read}, {key: value for key, value in given.items() if key not in names}


def in_rules(value, change):
    """A value of [spiking] with ``change`` made in every text of it."""
    if isinstance(value, dict):
        return {key: in_rules(inner, change) for key, inner in value.items()}
    return [change(text) for text in value] if isinstance(value, list) else change(value)


def negative(card) -> list[str]:
    """Parameters that may be negative, as the card's own value is."""
    return [key for key, entry in card["param"].items() if entry["value"].lstrip().startswith("-")]


def check_groups(card, source, target, into, drive, label) -> None:
    for what, group in (("source", source), ("target", target)):
        if not (hasattr(group, "variables") and hasattr(group, "events")):
            raise BadInput(f"{label}: {what} = {group!r}: give a Brian2 group, for instance a NeuronGroup")
    for what, group in (("source", source), *((("target", target),) if "post" in card["spiking"] else ())):
        if "spike" not in group.events:
            raise BadInput(f"{label}: {what} '{group.name}' does not spike, and the card has rules at its spikes; give it a threshold=")
    wanted = {into: "the card's I_post; name another with into="}
    if any(re.search(r"\bh_post\b", text) for text in [*all_rules(card), card["spiking"]["read"]]):
        wanted[drive] = "the card's h_post, the cell's drive; name another with drive="
    for variable, why in wanted.items():
        if variable not in target.variables:
            raise BadInput(f"{label}: target has no variable '{variable}' ({why}){nearest(variable, sorted(writable(target)))}")
    if target.variables[into].read_only:
        raise BadInput(f"{label}: into = {into!r}: this variable cannot be added to (it is constant or computed); name a state of target")
    missing = [name for name in of_cell(card) if name not in target.variables]
    if missing:
        raise BadInput(
            f"{label}: target lacks {', '.join(missing)}, which belong to the whole cell; "
            f"add them to its equations: NeuronGroup(N, model + fwbio.cell_equations({card['name']!r}))"
        )


def writable(group) -> list[str]:
    return [name for name, variable in group.variables.items() if not (variable.read_only or name.startswith("_"))]


def scaled(card, target, into, starts, weight, label):
    """(the rule that reads, the equations of its weight): the card's w in the target's unit, a factor g, or a weight that has a unit."""
    dim, read = target.variables[into].dim, card["spiking"]["read"]
    unit = units_text(dim)
    if "effective" in card["spiking"]:
        own = split(card["spiking"]["effective"], "effective")
        if not have_same_dimensions(units_of(own["unit"]), Quantity(1, dim=dim)):
            raise BadInput(f"{label}: into = {into!r} is in {unit}, but this card's weight is in {own['unit']}; name another variable")
        if weight is not None:
            raise BadInput(f"{label}: weight = {weight!r}: this card has its own weight, {card['spiking']['effective']!r}; leave it out")
        return read, ""
    owner = next((k for k, state in card["state"].items() if state["start"] == "weight"), "g")
    starts[owner] = in_unit_of(weight, dim, unit, label)
    if owner != "g":
        return read, f"{owner} : {unit}"
    if "g" in {*card["state"], *card["param"], *card.get("needs", {})}:
        raise BadInput(f"{label}: '{card['name']}' uses the name g, which is the weight here; call it otherwise in the card")
    parts = split(read, "read")
    return f"{parts['name']} += g*({parts['rhs']})", f"g : {unit}"


def in_unit_of(weight, dim, unit, label):
    """The weight as Brian2 takes it, after checking its unit; a text that is no quantity is an expression that Brian2 checks."""
    like = Quantity(1, dim=dim)
    if weight is None:
        if not have_same_dimensions(like, 1):
            raise BadInput(f"{label}: give weight=, in {unit}, for instance weight='0.5 {get_unit(dim)}'")
        return 1.0
    if isinstance(weight, str) and (match := NUMBER.fullmatch(weight)):
        scale, powers = dimension(match[2], f"{label}: weight = {weight!r}")
        weight = float(match[1]) * scale * second ** powers[0] * volt ** powers[1] * amp ** powers[2]
    if not isinstance(weight, str) and not have_same_dimensions(weight, like):
        raise BadInput(
            f"{label}: weight = {weight!r}: wrong unit; the variable it is added to is in {unit}; write for instance weight='0.5 {get_unit(dim)}'"
        )
    return weight


def units_of(text: str):
    return Equations(f"x : {text}")["x"].unit


def units_text(dim) -> str:
    """Brian2's name of the SI unit of a dimension, such as volt."""
    name = repr(get_unit(dim))
    base = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "candle")
    return "1" if dim.is_dimensionless else name if name.isidentifier() else "*".join(f"{n}**{p:g}" for n, p in zip(base, dim._dims) if p)
