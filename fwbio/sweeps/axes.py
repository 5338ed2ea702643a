"""The axes of a sweep: ``--over NAME=FROM:TO:log:N`` or ``NAME=A,B,C``, and the points of their grid.

A point is known by its values in SI units, not by its place: enlarging a grid keeps old points, their keys and their seeds.
"""

import hashlib
import itertools
import json
from dataclasses import dataclass

import numpy as np

from fwbio.cards.changes import bindable, place
from fwbio.errors import BadInput, nearest
from fwbio.quantities import NUMBER, dimension, quantity, unit_of, whole

OPTIONS = ("neurons", "trials", "neuron")  # of the command, besides the card's own parameters
MOST = 1_000_000  # points, without --yes


@dataclass(frozen=True)
class Axis:
    """name : as it was written. full : the card's own name of it. values : texts such as ``"200 ms"``. numbers : in SI units, or words."""

    name: str
    full: str
    values: tuple[str, ...]
    numbers: tuple


@dataclass(frozen=True)
class Point:
    """names, values : of every axis. numbers : in SI units. replicate : which of the ``--seeds``."""

    names: tuple[str, ...]
    values: tuple[str, ...]
    identity: str
    replicate: int

    @property
    def key(self) -> str:
        return f"{hashlib.sha256(self.identity.encode()).hexdigest()[:16]}-{self.replicate}"

    def seed(self, root: int) -> int:
        """Of trials and spikes: of this point alone, whatever grid it stands in."""
        words = np.frombuffer(hashlib.sha256(self.identity.encode()).digest()[:16], "<u4").tolist()
        state = np.random.SeedSequence(root, spawn_key=(*words, self.replicate)).generate_state(1, np.uint64)
        return int(state[0] >> np.uint64(1))

    def settings(self) -> dict[str, str]:
        return dict(zip(self.names, self.values))


def parse(text: str, tables: dict) -> Axis:
    """The axis that ``--over text`` names; raises BadInput with the likely spellings."""
    if "=" not in text:
        raise BadInput(f"--over {text}: write NAME=FROM:TO:log:N or NAME=A,B,C, for instance --over fast.tau=100ms:5min:log:13")
    name, values = (part.strip() for part in text.split("=", 1))
    full, old = meaning(name, tables)
    where = f"--over {name}"
    texts = spaced(values, old, where) if ":" in values else [part.strip() for part in values.split(",")]
    if not values or not all(texts):
        raise BadInput(f"{where}: a value is missing in {values!r}; write NAME=A,B,C or NAME=FROM:TO:log:N")
    numbers = [number(value, old, where) for value in texts]
    if len(set(numbers)) != len(numbers):
        twice = next(texts[k] for k, n in enumerate(numbers) if n in numbers[:k])
        raise BadInput(f"{where}: {twice} stands there twice; leave one out")
    return Axis(name, full, tuple(texts), tuple(numbers))


def meaning(name: str, tables: dict):
    """(full name, present value) of what an axis sweeps."""
    if name in OPTIONS and tables["kind"] == "network":
        return name, {"neurons": 1, "trials": 1, "neuron": "poisson"}[name]
    exposed = tables.get("expose", {})
    full = exposed.get(name, name)
    table, key = place(tables, full)
    if table is None:
        known = [*(OPTIONS if tables["kind"] == "network" else ()), *exposed, *bindable(tables)]
        raise BadInput(f"--over {name}: not a parameter of {tables['name']}{nearest(name, known)}")
    return full, table[key]


def number(value: str, old, where: str):
    """The value in SI units, rounded to 12 digits so that 1 s and 1000 ms are one; the word itself where the old value is no number."""
    if isinstance(old, bool):
        return value
    if isinstance(old, int):
        return whole(value, where, low=0)
    if isinstance(old, float) or NUMBER.fullmatch(old):
        return float(f"{quantity(value, '1' if isinstance(old, float) else unit_of(old), where):.12g}")
    return value


def spaced(text: str, old, where: str) -> list[str]:
    """FROM:TO:log:N or FROM:TO:lin:N as N texts, in the unit of FROM."""
    parts = [part.strip() for part in text.split(":")]
    if len(parts) != 4 or parts[2] not in ("log", "lin"):
        raise BadInput(f"{where} = {text}: a range is FROM:TO:log:N or FROM:TO:lin:N, for instance 100ms:5min:log:13")
    if isinstance(old, bool) or isinstance(old, str) and not NUMBER.fullmatch(old):
        raise BadInput(f"{where} = {text}: {old!r} is a word, and words have no ranges; write NAME=A,B,C")
    count = whole(parts[3], f"{where}: N", low=2, high=MOST)
    low, high = (float(number(part, old, where)) for part in parts[:2])
    if parts[2] == "log" and not (low > 0 and high > 0):
        raise BadInput(f"{where} = {text}: a logarithmic range runs between values above 0; use lin")
    numbers = np.geomspace(low, high, count) if parts[2] == "log" else np.linspace(low, high, count)
    if isinstance(old, int):
        return [str(n) for n in np.unique(np.round(numbers).astype(int))]
    unit = NUMBER.fullmatch(parts[0])[2]
    scale = dimension(unit, where)[0] if unit else 1.0
    return [f"{n / scale:.12g} {unit}".strip() for n in numbers]


def joined(axes: list[Axis], zipped: list[str]) -> list[list[Axis]]:
    """The axes as factors of the grid: those of one ``--zip A,B`` move together, all others by themselves."""
    by, bundles, used = {axis.name: axis for axis in axes}, {}, set()
    if len(by) != len(axes):
        raise BadInput(f"--over: {next(a.name for k, a in enumerate(axes) if a.name in [b.name for b in axes[:k]])} stands there twice")
    for text in zipped:
        group = [part.strip() for part in text.split(",")]
        for name in group:
            if name not in by or name in used:
                raise BadInput(f"--zip {text}: '{name}' is not an axis that is free{nearest(name, by.keys() - used)}")
            used.add(name)
        lengths = {name: len(by[name].values) for name in group}
        if len(set(lengths.values())) != 1:
            raise BadInput(
                f"--zip {text}: axes that move together have equal lengths, not {', '.join(f'{k} {n}' for k, n in lengths.items())}"
            )
        bundles[group[0]] = [by[name] for name in group]
    return [bundles.get(axis.name, [axis]) for axis in axes if axis.name in bundles or axis.name not in used]


def size(factors, replicates: int) -> int:
    return int(np.prod([len(bundle[0].values) for bundle in factors], dtype=object)) * replicates


def points(factors, replicates: int):
    """Every point in grid order, the last axis fastest, replicates faster still."""
    names = tuple(axis.name for bundle in factors for axis in bundle)
    full = [axis.full for bundle in factors for axis in bundle]
    for place_ in itertools.product(*(range(len(bundle[0].values)) for bundle in factors)):
        chosen = [(axis.values[k], axis.numbers[k]) for bundle, k in zip(factors, place_) for axis in bundle]
        identity = json.dumps(sorted(zip(full, (n for _, n in chosen))))
        for replicate in range(replicates):
            yield Point(names, tuple(text for text, _ in chosen), identity, replicate)
