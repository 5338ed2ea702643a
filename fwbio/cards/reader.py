"""Reads one card: TOML to plain tables that fit the grammar, or a message that says what to type instead."""

import functools
import json
import math
import os
import re
import tomllib
from pathlib import Path

from fwbio.cards import equations
from fwbio.cards.grammar import BOOL, EQUATION, INT, KINDS, NUMBER, TEXT, VALUE, Either, ListOf, OneOf
from fwbio.errors import BadInput, nearest
from fwbio.quantities import dimension, quantity, unit_of

LARGEST = 1_000_000  # bytes; a card fits on one screen
DEEPEST = 20  # tables within tables
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)


@functools.cache
def folder() -> Path:
    """Where the shipped cards stand: ``fwbio/models`` in an installed package, ``models`` in a checkout."""
    inside = Path(__file__).parents[1] / "models"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "models"


def shipped() -> dict[str, Path]:
    """Name to path of every shipped card; the directory listing is the registry."""
    return {path.stem: path for path in sorted(folder().glob("*.toml"))}


def find(card) -> Path:
    """The file of a card given by shipped name or by path."""
    text = str(card)
    if text.endswith(".toml") or "/" in text:
        if not os.path.isfile(text):
            raise BadInput(f"card {text}: no such file; `fwbio models` lists the shipped cards")
        return Path(text)
    path = folder() / f"{text}.toml"
    if not NAME.fullmatch(text) or not path.is_file():
        raise BadInput(f"card {text!r}: no such card{nearest(text, shipped())}; `fwbio models` lists them, a path ends in .toml")
    return path


def read(card) -> dict:
    """The checked tables of a card. Raises BadInput naming file, key, value and fix."""
    path = find(card)
    stamp = os.stat(path)
    return json.loads(parsed(path, stamp.st_mtime_ns, stamp.st_size))


@functools.lru_cache(maxsize=64)
def parsed(path: Path, _mtime: int, size: int) -> str:
    """The checked tables of a file as it was last written, as a text of which each reader makes tables of its own."""
    if size > LARGEST:
        raise BadInput(f"{path}: {size} bytes; a card has at most {LARGEST}")
    try:
        tables = tomllib.loads(path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save the card as UTF-8") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: not TOML: {error}") from None
    tame(tables, path)
    kind = tables.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise BadInput(f"{path}: kind = {kind!r}; use 'mechanism', 'network' or 'circuit'")
    fit(tables, KINDS[kind], f"{path.name}:", "")
    check_names(tables, path.name)
    if kind == "mechanism":
        check_mechanism(tables, path.name)
    return json.dumps(tables)


def tame(value, path, depth=0):
    """Raises BadInput for nesting that no card needs, and for whole numbers beyond TOML's 64 bits."""
    if depth > DEEPEST:
        raise BadInput(f"{path}: tables or lists nested more than {DEEPEST} deep")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise BadInput(f"{path}: a whole number of {value.bit_length()} bits; TOML has 64")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        tame(item, path, depth + 1)


def check_names(card, file):
    """A card's name is a plain word, its files stand beside it."""
    if not NAME.fullmatch(card["name"]):
        raise BadInput(f"{file}: name = {card['name']!r}: a name has letters, digits and _ only, and starts with a letter")
    for key in ("file", "log"):
        text = card.get("trained", {}).get(key, "plain")
        if Path(text).name != text or not text.isprintable():
            raise BadInput(f"{file}: trained.{key} = {text!r}: write a plain file name; the file stands beside the card")


def fit(value, grammar, file, where):
    """Raises BadInput unless ``value`` fits ``grammar``."""
    say = f"{file} {where} = {value!r}"
    if isinstance(grammar, dict):
        fit_table(value, grammar, file, where)
    elif isinstance(grammar, ListOf):
        if not isinstance(value, list):
            raise BadInput(f"{say}: write a list, [ … ]")
        for k, item in enumerate(value):
            fit(item, grammar.item, file, f"{where}[{k}]")
    elif isinstance(grammar, OneOf):
        if not isinstance(value, str) or value not in grammar.choices:
            raise BadInput(f"{say}: use {' or '.join(map(repr, grammar.choices))}{nearest(value, grammar.choices)}")
    elif isinstance(grammar, Either):
        fit(value, next((g for g in grammar.options if suits(value, g)), grammar.options[0]), file, where)
    elif grammar in (TEXT, EQUATION, VALUE):
        if not isinstance(value, str) or not value.strip():
            hint = ' (quantities are strings with a unit, "200 ms"; pure numbers too, "0.5")' if grammar is VALUE else ""
            raise BadInput(f"{say}: write {grammar} in quotes{hint}")
    elif grammar is BOOL:
        if not isinstance(value, bool):
            raise BadInput(f"{say}: write true or false")
    elif isinstance(value, bool) or not isinstance(value, int if grammar is INT else (int, float)):
        raise BadInput(f"{say}: write {grammar}")
    elif not math.isfinite(value) or grammar is INT and value < 0:
        raise BadInput(f"{say}: write {grammar}, finite and not negative")


def suits(value, grammar) -> bool:
    """Whether ``value`` has the type that ``grammar`` is about: a table, a list, a number, else a text."""
    if isinstance(grammar, dict | ListOf):
        return isinstance(value, dict if isinstance(grammar, dict) else list)
    return isinstance(value, int | float if grammar in (INT, NUMBER) else str)


def fit_table(table, grammar, file, where):
    if not isinstance(table, dict):
        raise BadInput(f"{file} {where} = {table!r}: write a table, [{where}] or {{ … }}")
    allowed = {key.rstrip("!"): rule for key, rule in grammar.items()}
    for key, value in table.items():
        full = f"{where}.{key}" if where else key
        if key not in allowed and "*" not in allowed:
            raise BadInput(f"{file} unknown key '{full}'{nearest(key, allowed)}")
        if key not in allowed and not all(NAME.fullmatch(part) for part in key.split(".")):
            raise BadInput(f"{file} '{full}': a name has letters, digits and _ only")
        fit(value, allowed.get(key, allowed.get("*")), file, full)
    for key in grammar:
        if key.endswith("!") and key[:-1] not in table:
            raise BadInput(f"{file} [{where}] lacks '{key[:-1]}'" if where else f"{file} '{key[:-1]}' is missing")


def check_mechanism(card, file):
    """Every name in an equation is declared, every value has a unit, every parameter's source is among the card's sources."""
    declared = {*card.get("needs", {}), *card.get("param", {}), *card.get("state", {})}
    if "effective" in card["spiking"]:
        declared.add(equations.split(card["spiking"]["effective"], f"{file}: spiking.effective")["name"])
    for block in ("spiking", "rate", "counts"):
        for key, text in equations.texts(card.get(block, {})):
            if key not in ("dt", "settle", "valid", "inverse"):
                equations.check(text, declared, f"{file}: {block}.{key}")
    for key in {"pre", "post"} & card["spiking"].keys():
        delay, params = card["spiking"][key].get("delay"), card.get("param", {})
        if delay is not None and delay not in params:
            raise BadInput(f"{file}: spiking.{key}.delay = {delay!r}: name the parameter that holds it{nearest(delay, params)}")
    for name, state in card.get("state", {}).items():
        if state["start"] != "weight":
            equations.check(state["start"], declared, f"{file}: state.{name}.start")
    for block in ("needs", "state"):
        for name, entry in card.get(block, {}).items():
            dimension(entry["unit"], f"{file}: {block}.{name}.unit = {entry['unit']!r}")
            if "default" in entry:
                quantity(entry["default"], entry["unit"], f"{file}: {block}.{name}.default")
    for key in {"dt", "settle"} & card["spiking"].keys():
        quantity(card["spiking"][key], "s", f"{file}: spiking.{key}", low=0)
    for block in ("sets", "spreads"):
        for name, values in card.get(block, {}).items():
            for key in values.keys() - card.get("param", {}).keys():
                raise BadInput(f"{file}: {block}.{name}.{key}: this card has no such parameter{nearest(key, card.get('param', {}))}")
    for block, found in [("spreads", card.get("spreads", {})), *((f"mixes.{k}", mix) for k, mix in card.get("mixes", {}).items())]:
        for name in found.keys() - card.get("sets", {}).keys():
            raise BadInput(f"{file}: {block}.{name}: no such set{nearest(name, card.get('sets', {}))}")
    for name, mix in card.get("mixes", {}).items():
        if abs(sum(mix.values()) - 1) > 1e-9:
            raise BadInput(f"{file}: mixes.{name}: shares add up to 1, not {sum(mix.values()):g}")
    for role, key in card.get("rnn", {}).items():
        if role not in ("rule", "reads") and key not in card.get("param", {}):
            raise BadInput(f"{file}: rnn.{role} = {key!r}: this card has no such parameter{nearest(key, card.get('param', {}))}")
    keys = {source["key"] for source in card["sources"]}
    for name, param in card.get("param", {}).items():
        where, unit = f"{file}: param.{name}.value", unit_of(param["value"])
        dimension(unit, f"{where} = {param['value']!r}")
        quantity(param["value"], unit, where)
        if param["source"] not in keys:
            raise BadInput(f"{file}: param.{name}.source = {param['source']!r}: not among the sources{nearest(param['source'], keys)}")
