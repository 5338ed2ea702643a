"""``--set NAME=VALUE``: a card's tables with some of its parameters replaced."""

import copy

from fwbio.cards import reader
from fwbio.errors import BadInput, nearest
from fwbio.quantities import quantity, whole


def change(tables: dict, changes: dict, file: str) -> dict:
    """The tables with ``changes`` made, by exposed or full name; raises BadInput for a name that is not a parameter."""
    tables = copy.deepcopy(tables)
    exposed, tried = tables.get("expose", {}), copy.deepcopy(tables)
    for name, full in exposed.items():
        if place(tried, full)[0] is None:
            raise BadInput(f"{file}: expose.{name} = {full!r}: no such value in this card")
    for name, value in changes.items():
        full = exposed.get(name, name)
        table, key = place(tables, full)
        if table is None:
            raise BadInput(f"{file}: '{name}' is not a parameter of this card{nearest(name, [*exposed, *bindable(tables)])}")
        old = table[key]
        if isinstance(old, str):
            table[key] = str(value)
        elif isinstance(old, bool):
            table[key] = {"true": True, "false": False}.get(str(value).lower(), value)
        elif isinstance(old, int):
            table[key] = whole(value, full, low=0)
        else:
            table[key] = quantity(str(value), "1", full)
    reader.fit(tables, reader.KINDS[tables["kind"]], f"{file}:", "")
    return tables


def place(tables: dict, full: str):
    """(table, key) where the value of ``projection.fast.tau`` stands; (None, None) if it is not a parameter.

    A mechanism's own parameter that the network leaves at its default, or at its set's value, is first bound to that.
    """
    *path, key = full.split(".")
    if not path or path[0] in ("trained", "expose", "sources"):
        return None, None
    table = tables
    for step in path:
        table = table.get(step) if isinstance(table, dict) else None
    if isinstance(table, dict) and key not in table:
        default = bindable(tables).get(full)
        if default is not None and key not in table.get("bind", {}):
            table.setdefault("bind", {})[key] = default
        table = table.get("bind")
    found = isinstance(table, dict) and key in table and not isinstance(table[key], (dict, list))
    return (table, key) if found else (None, None)


def bindable(tables: dict) -> dict[str, str]:
    """Full name to default (of the set that is named, or the card's) of every parameter of the mechanisms that the network names."""
    found = {}
    for section, roles in (("population", ("neuron", "dendrite", "norm")), ("projection", ("synapse",))):
        for name, table in tables.get(section, {}).items():
            for role in roles:
                if isinstance(table.get(role), str):
                    card = reader.read(table[role])
                    named = card.get("sets", {}).get(table.get("set"), {})
                    found |= {f"{section}.{name}.{key}": named.get(key, p["value"]) for key, p in card.get("param", {}).items()}
    return found
