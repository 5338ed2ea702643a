"""A synapse card as Brian2 text in its plain form: every synapse has all states of its own, moved exactly from event to event, or
every step where noise, thresholds or a state of the whole cell ask for it.

With rules at both ends, what belongs to one end (a trace) moves after everything else: a spike meets the traces of earlier steps.
"""

import ast
import re

from brian2 import Equations
from brian2.utils.stringtools import word_substitute

from fwbio.cards.equations import split, texts
from fwbio.spiking.between import LAST, statements
from fwbio.spiking.synapses import declared


def of_cell(card) -> list[str]:
    """States of the whole postsynaptic cell: those that no spike of a single synapse moves."""
    moved = {split(rule, "rule")["name"] for rule in all_rules(card)}
    return [name for name, state in card["state"].items() if state["index"] == ["post"] and name not in moved]


def own_numbers(card) -> list[str]:
    """The parameters and needs that a synapse uses itself; the others belong to the cell or to the rate form."""
    odes = [text for text in card["spiking"].get("ode", []) if split(text, "ode")["ode"] not in of_cell(card)]
    told = [*odes, *all_rules(card), *(text for key, text in texts(card["spiking"]) if key in ("read", "pool", "effective", "pre"))]
    used = {word for text in told for word in re.findall(r"\w+", text)}
    return [key for key in {**card.get("needs", {}), **card["param"]} if key in used]


def all_rules(card) -> list[str]:
    """What spikes at either end do, but for reading."""
    spiking = card["spiking"]
    return [*spiking.get("write", []), *(rule for end in ("pre", "post") for rule in spiking.get(end, {}).get("do", []))]


def noisy(card) -> bool:
    return any(re.search(r"\bxi\b", text) for text in card["spiking"].get("ode", []))


def clocked(card) -> bool:
    """Whether its states must move every step; else they move exactly from event to event."""
    return noisy(card) or "pool" in card["spiking"] or any(re.search(r"\b(step|clip)\b", text) for text in card["spiking"].get("ode", []))


def moved(card) -> list[str]:
    """The statements that move coupled states at each event; none where every step does, or Brian2."""
    return [] if clocked(card) else statements(card)


def model(card, weights: str, target) -> tuple[Equations, dict[str, str]]:
    """The equations of one synapse, and which names of the card became others in them."""
    cell, lines, entries = of_cell(card), [], {**card.get("needs", {}), **card["param"]}
    odes = {split(text, "ode")["ode"]: text for text in card["spiking"].get("ode", [])}
    moves, ours = "clock-driven" if clocked(card) else "event-driven", bool(moved(card))
    for name, state in card["state"].items():
        if name not in cell and not weights.startswith(f"{name} :"):
            lines.append(f"{brian(odes[name])} ({moves})" if name in odes and not ours else f"{name} : {declared(state)}")
    lines += [LAST] if ours else []
    lines += [*card["spiking"].get("pool", []), *(card["spiking"][key] for key in ("effective",) if key in card["spiking"]), weights]
    lines += [f"{key} : {declared(entries[key])} (shared, constant)" for key in own_numbers(card)]
    taken = [name for name in Equations("\n".join(lines)).names if name in target.variables]
    rename = {name: f"{name}_post" for name in cell} | {name: f"{name}_syn" for name in taken if f"{name}_post" not in cell}
    return Equations("\n".join(in_synapse(line, rename) for line in lines)), rename


def in_synapse(text, rename):
    """A line of equations with names changed, on the left side too."""
    if not isinstance(text, str):
        return text
    for old, new in rename.items():
        text = text.replace(f"d{old}/dt", f"d{new}/dt")
    return word_substitute(text, rename)


def pathways(card, read: str) -> dict[str, list[str]]:
    """Rules by pathway. With rules at both ends, what belongs to one end moves last: a spike meets the traces of earlier steps."""
    spiking, found = card["spiking"], {"pre": [read]}
    both = "post" in spiking
    for end, rules in (("pre", spiking.get("write", [])), ("post", spiking.get("post", {}).get("do", []))):
        for rule in rules:
            of_end = card["state"][split(rule, end)["name"]]["index"] == [end]
            found.setdefault(f"{end}_own" if both and of_end else end, []).append(rule)
    if "pre" in spiking:
        found["pre_late"] = spiking["pre"]["do"]
    return {pathway: moved(card) + rules for pathway, rules in found.items()}


class InBrian(ast.NodeTransformer):
    """step(a - b) is 1 where a >= b: Brian2 has no such function."""

    def visit_Call(self, node):
        self.generic_visit(node)
        if node.func.id == "step":
            a = node.args[0]
            minus = isinstance(a, ast.BinOp) and isinstance(a.op, ast.Sub)
            left, right = (a.left, a.right) if minus else (a, ast.Constant(0))
            return ast.Call(ast.Name("int"), [ast.Compare(left, [ast.GtE()], [right])], [])
        return node


def brian(text: str) -> str:
    """An equation of a card as Brian2 reads it."""
    parts = split(text, "equation")
    if "step" not in parts["rhs"]:
        return text
    right = ast.unparse(InBrian().visit(ast.parse(parts["rhs"].strip(), mode="eval")))
    left = f"d{parts['ode']}/dt" if parts["ode"] else parts["name"]
    flags = f" ({parts['flags']})" if parts["flags"] else ""
    unit = f" : {parts['unit']}{flags}" if parts["unit"] else ""
    return f"{left} {parts['op']} {right}{unit}"
