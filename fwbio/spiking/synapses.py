"""A synapse card's spiking block as Brian2 text, with its exact reductions or without them.

1. One axon, one u and x: a state that lives on ["pre"] stays on the neuron, and its write rules run after the spike is sent.
2. A dendrite a unit (``fwbio.spiking.network``): synapses end on dendrites, not on each neuron.
3. One clock for one decay: where the card says dA/dt = -A/tau, the stored number is A exp((t - t_last)/tau); A is that times one
   shared scalar ``decay`` = exp(-(t - t_last)/tau), renormalised now and then.
What belongs to the axon is called PROJECTION_state wherever it stands (a dendrite has a u of its own).
Plain form: the card's own equations, integrated exactly at each event of each synapse.
"""

from brian2 import Equations
from brian2.equations.equations import SingleEquation
from brian2.utils.stringtools import word_substitute

from fwbio.cards.equations import linear_decay, split, written
from fwbio.errors import BadInput
from fwbio.quantities import dimension, unit_of
from fwbio.spiking.between import LAST, statements
from fwbio.spiking.structure import presynaptic

# powers of second, volt, ampere to Brian2's name
BRIAN_UNIT = {
    (0, 0, 0): "1",
    (1, 0, 0): "second",
    (-1, 0, 0): "hertz",
    (0, 1, 0): "volt",
    (0, 0, 1): "amp",
    (1, -1, 1): "farad",
    (0, -1, 1): "siemens",
    (0, 1, -1): "ohm",
}


def declared(entry: dict) -> str:
    """Brian2's unit of a card's parameter, need or state."""
    unit = entry["unit"] if "unit" in entry else unit_of(entry["value"])
    powers = dimension(unit, "unit")[1]
    if powers not in BRIAN_UNIT:
        raise BadInput(f"unit {unit!r}: a synapse's parameters and states are numbers or in {', '.join(list(BRIAN_UNIT.values())[1:])}")
    return BRIAN_UNIT[powers]


def model(card, projection: str, values_on_clock: dict[str, str], of_neuron: set, plain: bool) -> Equations:
    """Equations of one synapse: states, parameters shared by all of them, gains that follow the clock.

    values_on_clock : name of a gain to the expression that gives it, for instance ``{"read_gain": "fast_read_gain(t)"}``
    of_neuron : what the presynaptic neuron knows already (Brian2 wants one owner of a name, and ``_pre`` reaches it)
    """
    lines, own, decays, ours = [], presynaptic(card), decaying(card), plain and statements(card)
    if plain:
        lines += [in_plain(line, ours) for line in on_axon(card, projection)[0]]
    if ours:
        lines.append(LAST)
    for name, entry in {**card.get("needs", {}), **card.get("param", {})}.items():
        if name in values_on_clock:
            lines.append(f"{name} = {values_on_clock[name]} : {declared(entry)} (shared)")
        elif name not in of_neuron and name not in own:
            lines.append(f"{name} : {declared(entry)} (shared, constant)")
    odes = {split(text, "ode")["ode"]: text for text in card["spiking"].get("ode", [])}
    for name, state in card["state"].items():
        if name in own:
            continue
        if plain and name in odes:
            lines.append(in_plain(odes[name], ours))
        else:
            lines.append(f"{name} : {declared(state)}")
        if name == fast_state(card) and name not in decays:
            lines.append(f"{name}_now = {name} : 1")
        if name in decays:
            since = f"exp(-(t - lastupdate)/{decays[name]})" if plain else "decay"
            lines.append(f"{name}_now = {name}*{since} : 1")
    for tau in () if plain else set(decays.values()):  # one, says fwbio.cards.legal
        lines += ["t_last : second (shared)", f"decay = exp(-(t - t_last)/{tau}) : 1 (shared)"]
    return Equations("\n".join(lines))


def in_plain(line: str, ours) -> str:
    """A line of equations for a synapse by itself: Brian2 moves its state at each event, or ``between`` does (``ours``)."""
    parts = split(line, "ode") if "/dt" in line else None
    return line if parts is None else f"{parts['ode']} : {parts['unit']}" if ours else f"{line} (event-driven)"


def each_its_own(equations: Equations, names=None) -> Equations:
    """The same equations, but the parameters ``names`` (default: all), and what depends on them, are not shared within the group."""
    own = set(equations.names if names is None else names)
    for e in equations.values():
        if e.expr is not None and e.type == "subexpression" and own & e.identifiers:
            own.add(e.varname)
    return Equations(
        [
            SingleEquation(e.type, e.varname, e.dim, e.var_type, e.expr, [f for f in e.flags if f != "shared" or e.varname not in own])
            for e in equations.values()
        ]
    )


def on_pre(card, name: str, of_neuron: set, plain: bool) -> str:
    """What one presynaptic spike does: first read, then write."""
    rename = {need: f"{need}_pre" for need in of_neuron & set(card.get("needs", {}))}
    rename |= {state: f"{name}_{state}{'' if plain else '_pre'}" for state in presynaptic(card)}
    before = statements(card) if plain else []
    rules = [*before, card["spiking"]["read"], *(card["spiking"].get("write", []) if plain else written(card, ("post", "pre")))]
    rules = [word_substitute(rule, rename) for rule in rules]
    for state in () if plain else decaying(card):
        for k, rule in enumerate(rules):
            parts = split(rule, "rule")
            right = word_substitute(parts["rhs"], {state: f"({state}*decay)"})
            if parts["name"] == state:
                right = f"({right})/decay"
            rules[k] = f"{parts['name']} {parts['op']} {right}"
    return "\n".join(rules)


def on_axon(card, name: str) -> tuple[list[str], list[str]]:
    """Reduction 1 for projection ``name``: equations for the presynaptic neuron, and what follows each of its spikes."""
    own = presynaptic(card)
    rename = {key: f"{name}_{key}" for key in own}
    odes = [word_substitute(text, rename) for text in card["spiking"].get("ode", []) if split(text, "ode")["ode"] in own]
    odes = [text.replace(f"d{state}/dt", f"d{name}_{state}/dt") for text in odes for state in own if f"d{state}/dt" in text]
    lines = odes + [f"{name}_{key} : {declared(card['param'][key])} (shared, constant)" for key in sorted(own & set(card.get("param", {})))]
    return lines, [word_substitute(rule, rename) for rule in written(card, ("pre",))]


def fast_state(card) -> str | None:
    """The state of a pair that its synapses write, the fast weight; None for a slow one."""
    return next((split(rule, "write")["name"] for rule in written(card, ("post", "pre"))), None)


def decaying(card) -> dict[str, str]:
    """State name to the name of its time constant, for every linear decay of a synapse's own state (the axon's move on the neuron)."""
    found = [linear_decay(ode) for ode in card["spiking"].get("ode", [])]
    return dict(pair for pair in found if pair and pair[0] not in presynaptic(card))
