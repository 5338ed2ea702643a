"""``fwbio.synapses(…, reduced=True)``: the same weights at a fraction of the cost, for many synapses.

What belongs to one end (u, x, a trace) is stored once a neuron, in groups of their own that belong to the Synapses; where the weight
decays, dA/dt = -A/tau, the stored number is A exp((t - t_last)/tau) and one shared ``decay`` makes it the weight: read ``A_now``.
"""

import re

from brian2 import Equations, NeuronGroup, Synapses, second
from brian2.utils.stringtools import word_substitute

from fwbio.cards.equations import linear_decay, split
from fwbio.errors import BadInput
from fwbio.spiking.plain import all_rules, brian, clocked, moved, of_cell, own_numbers, pathways
from fwbio.spiking.synapses import declared

PAIR = ["post", "pre"]
TIMES = 10  # time constants between renormalisations of a shared decay: e**10 = 2e4 loses four digits of range, none of precision


def check(card, label) -> None:
    """Raises BadInput for a card that has to be simulated synapse by synapse."""
    odes = {split(text, "ode")["ode"]: text for text in card["spiking"].get("ode", [])}
    pairs = [name for name, state in card["state"].items() if state["index"] == PAIR]
    why = None
    if clocked(card) or of_cell(card) or "pre" in card["spiking"] or "latch" in card["spiking"] or "effective" in card["spiking"]:
        why = "noise, thresholds, states of the whole cell, delayed or latched rules"
    elif any(name in odes and not linear_decay(odes[name]) for name in pairs):
        why = "a weight that does more than decay"
    elif len({linear_decay(odes[name])[1] for name in pairs if name in odes}) > 1:
        why = "weights with several time constants"
    elif any(re.search(r"_post\b", rule) for rule in all_rules(card) if card["state"][split(rule, "rule")["name"]]["index"] == ["pre"]):
        why = "a state of the axon that is told something by the target"
    if why:
        raise BadInput(f"{label}: reduced=True: {card['name']} has {why}; each synapse needs its own states: leave reduced out")


def ends(card) -> dict[str, list[str]]:
    """The states of either end: {"pre": [...], "post": [...]}."""
    return {end: [name for name, state in card["state"].items() if state["index"] == [end]] for end in ("pre", "post")}


def decays(card) -> dict[str, str]:
    """Weight to its time constant."""
    found = [linear_decay(ode) for ode in card["spiking"].get("ode", [])]
    return dict(pair for pair in found if pair and card["state"][pair[0]]["index"] == PAIR)


def model(card, weights: str) -> Equations:
    """The equations of one synapse without what belongs to its ends."""
    entries = {**card.get("needs", {}), **card["param"]}
    lines = [
        f"{name} : {declared(state)}" for name, state in card["state"].items() if state["index"] == PAIR and state["start"] != "weight"
    ]
    lines += [weights] if weights else []
    lines += [f"{key} : {declared(entries[key])} (shared, constant)" for key in own_numbers(card)]
    for tau in set(decays(card).values()):
        lines += ["t_last : second (shared)", f"decay = exp(-(t - t_last)/{tau}) : 1 (shared)"]
    return Equations("\n".join(lines + [f"{name}_now = {name}*decay : 1" for name in decays(card)]))


def rules(card, read: str) -> dict[str, list[str]]:
    """Rules of the synapses by pathway, in the numbers that are stored; what moves an end is left to ``at_end``."""
    found, own = {}, {name for names in ends(card).values() for name in names}
    for pathway, lines in pathways(card, read).items():
        for line in lines:
            parts = split(line, "rule")
            if parts["name"] in own or line in moved(card):
                continue
            right = word_substitute(parts["rhs"], {name: f"({name}*decay)" for name in decays(card)})
            right = f"({right})/decay" if parts["name"] in decays(card) else right
            found.setdefault(pathway, []).append(f"{parts['name']} {parts['op']} {right}")
    return found


def at_end(card, end: str, group, numbers, delay, dt, name):
    """(neurons that hold the states of one end of every synapse, Synapses that move them); None where there are none."""
    states = ends(card)[end]
    if not states:
        return None
    odes = {split(text, "ode")["ode"]: text for text in card["spiking"].get("ode", [])}
    entries = {**card.get("needs", {}), **card["param"]}
    told = [line for lines in pathways(card, card["spiking"]["read"]).values() for line in lines if line not in moved(card)]
    moves = [line for line in told if split(line, "rule")["name"] in states]
    lines = [brian(odes[state]) if state in odes else f"{state} : {declared(card['state'][state])}" for state in states]
    known = [key for key in own_numbers(card) if any(word_substitute(text, {key: ""}) != text for text in [*lines, *moves])]
    lines += [f"{key} : {declared(entries[key])} (shared, constant)" for key in known]
    holder = NeuronGroup(len(group), Equations("\n".join(lines)), method="exact", dt=dt, namespace={}, name=f"{name}_{end}_end")
    for key in known:
        holder.variables[key].set_value(numbers[key])
    for state in states:
        if (start := card["state"][state]["start"]) != "0":
            setattr(holder, state, start)
    code = "\n".join(word_substitute(line, {key: f"{key}_post" for key in [*states, *known]}) for line in moves)
    mover = Synapses(group, holder, on_pre=code, delay=delay if end == "pre" else None, dt=dt, namespace={}, name=f"{name}_{end}_moves")
    mover.connect(j="i")
    mover.pre.order = 3  # after everything the spike does at the synapses
    return holder, mover


def attach(made, card, source, target, numbers, delay, dt) -> None:
    """Gives the Synapses their ends, which run wherever they run, and renormalises the shared decay."""
    for end, group, index in (("pre", source, "_presynaptic_idx"), ("post", target, "_postsynaptic_idx")):
        if parts := at_end(card, end, group, numbers, delay, dt, made.name):
            for state in ends(card)[end]:
                made.variables.add_reference(state, parts[0], state, index=index)
            made._contained_objects += parts
    for tau in set(decays(card).values()):
        every = TIMES * numbers[tau] * second
        made.run_regularly("\n".join(f"{name} = {name}*decay" for name in decays(card)), dt=every, when="before_start", order=0)
        made.run_regularly("t_last = t", dt=every, when="before_start", order=1)
