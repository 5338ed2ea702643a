"""``fwbio import``: weights of others and a map become a card, NEW.toml with NEW.npz beside it."""

import hashlib
import json
import math
import os
import re
from pathlib import Path

import numpy as np

from fwbio.cards import network, reader
from fwbio.errors import BadInput
from fwbio.outside import files, mapping
from fwbio.quantities import quantity

SYNAPSE = {"previous": "hebbian", "late": "hebbian_late", "preliminary": "hebbian"}
PHASE, SPIKES = 50, {"neurons": 100, "r0": "20 Hz"}  # ms; what the map's [spikes] may change
GIVEN = {"tokens": "E", "through": "C", "bias": "b_z"}
AXES = {"E": ["symbol", "embedding"], "C": ["unit", "embedding"], "W": ["unit", "unit"]}

CARD = """kind  = "network"
name  = "{name}"
title = "A fast-weight RNN trained elsewhere ({file}), as populations of spiking neurons"
sources = [
  {{key = "Ba2016", text = "Ba, Hinton, Mnih, Leibo & Ionescu. Using fast weights to attend to the recent past. NIPS 29 (2016)", doi = "10.48550/arXiv.1610.06258"}},
]

[trained]
file    = "{name}.npz"
sha256  = "{sha256}"
command = "fwbio import {file} --map {map} --card {name}.toml"
log     = "{map}"
axes    = {axes}

[clock]
token = "{token}"
inner = {inner}

[population.unit]
size     = {units}
neurons  = {neurons}
r0       = "{r0}"
neuron   = "poisson"
phi      = "relu(u)"
{norm}
[projection.slow]
from    = "unit"
to      = "unit"
synapse = "static"
weight  = "trained.W"
reads   = "last"
{levels}
[rnn]
W          = "projection.slow"
reads      = "{reads}"
norm_first = {norm_first}
[input]
{given}
[readout]
from   = "spike counts of the last phase"
layers = {layers}
{answers}[protocol]
{task}trials = 100
reset  = "trial"
[record]
trials = 4
[expose]
{expose}
"token" = "clock.token"
"r0" = "population.unit.r0"
"neurons" = "population.unit.neurons"
"""


def make(file, map_file, card) -> list[Path]:
    """Writes the card and its weights; both paths. Raises BadInput before anything is written, or if the new card does not load."""
    path = Path(card)
    if path.suffix != ".toml" or not reader.NAME.fullmatch(path.stem):
        raise BadInput(f"--card {card}: write NAME.toml; a name has letters, digits and _ only, and starts with a letter")
    written = [path, path.with_suffix(".npz")]
    for target in written:
        if os.path.lexists(target):
            raise BadInput(f"--card {card}: {target} exists; choose another name")
    outside = mapping.apply(mapping.read(map_file), files.read(file))
    arrays = {name: value for name, value in outside.arrays.items() if np.ndim(value)}
    try:
        np.savez_compressed(written[1], **arrays)
        path.write_text(text(outside, arrays, path.stem, Path(file).name, Path(map_file).name, written[1]))
        network.load(path)
    except BaseException:
        for target in written:
            target.unlink(missing_ok=True)
        raise
    return written


def text(outside, arrays, name, file, map_file, npz) -> str:
    """The card as TOML. Trained arrays are pointed at; a norm's single numbers stand in the card."""
    rnn = outside.tables["rnn"]
    spikes = {"token": f"{PHASE * (rnn['inner'] + 1)} ms", **SPIKES, **outside.tables.get("spikes", {})}
    token = quantity(spikes["token"], "s", "map: spikes.token", low=1e-3, high=3600)
    return CARD.format(
        name=name,
        file=plain(file),
        map=plain(map_file),
        sha256=hashlib.sha256(npz.read_bytes()).hexdigest(),
        axes=inline({key: axes(key, outside) for key in arrays}),
        inner=rnn["inner"],
        units=outside.units,
        norm=norm(outside.arrays, rnn),
        levels="".join(
            level(f"fast{k if len(outside.lam) > 1 else ''}", SYNAPSE[rnn["reads"]], lam, eta, token)
            for k, (lam, eta) in enumerate(zip(outside.lam, outside.eta), start=1)
        ),
        reads=rnn["reads"],
        norm_first=str(rnn["norm"] == "both").lower(),
        given="\n".join([f'{key} = "trained.{array}"' for key, array in GIVEN.items() if array in arrays] + order(outside)),
        layers=inline([[f"trained.{key}" for key in layer] for layer in outside.layers]),
        answers=f'answers = "{outside.tables["readout"]["answers"]}"\n' if "answers" in outside.tables["readout"] else "",
        task='task   = "retrieval"\npairs  = 4\n' if retrieves(outside) else "",
        expose="\n".join(
            f'"fast{k}.{key}" = "projection.fast{k}.{key}"'
            for k in ([""] if len(outside.lam) == 1 else range(1, len(outside.lam) + 1))
            for key in ("tau", "eta")
        ),
        **spikes,
    )


def retrieves(outside) -> bool:
    """Whether its symbols and answers are those of associative retrieval."""
    from fwbio.tasks import SYMBOLS

    symbols = outside.tables.get("tokens", {}).get("symbols")
    return symbols is not None and sorted(symbols) == sorted(SYMBOLS) and "answers" in outside.tables["readout"]


def order(outside) -> list[str]:
    """The line with the symbols in the network's own order; tokens and answers of others come in it."""
    symbols = outside.tables.get("tokens", {}).get("symbols")
    return [] if symbols is None else [f"symbols = {json.dumps(symbols)}"]


def axes(name, outside) -> list[str]:
    if name in AXES:
        return AXES[name]
    kind, k = name[0], name[1:]
    if kind in "Vc" and k.isdigit():
        after = "class" if int(k) == len(outside.layers) else f"readout{k}"
        return [after, "unit" if k == "1" else f"readout{int(k) - 1}"] if kind == "V" else [after]
    return ["unit"]


def norm(arrays, rnn) -> str:
    """The population's lines about its norms."""
    if rnn["norm"] == "none":
        return ""

    def bound(key):
        return f"trained.{key}" if np.ndim(arrays[key]) else repr(arrays[key])

    lines = ['norm     = "layer_norm"', f"bind     = {inline({'gain': bound('g'), 'bias': bound('b'), 'eps': repr(float(rnn['eps']))})}"]
    if rnn["norm"] == "both":
        lines.append(f"first    = {inline({'gain': bound('g0'), 'bias': bound('b0')})}")
    return "\n".join(lines) + "\n"


def level(name, synapse, lam, eta, token) -> str:
    tau = -token / math.log(lam)
    lines = [
        'from    = "unit"',
        'to      = "unit"',
        f'synapse = "{synapse}"',
        f"bind    = {inline({'tau': f'{tau!r} s', 'eta': repr(eta)})}",
    ]
    return "\n".join([f"[projection.{name}]", *lines, f'note    = "lambda = {lam!r} a token"', 'reads   = "inner"', 'writes  = "last"', ""])


def inline(value) -> str:
    """Tables, lists and texts as TOML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {inline(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(inline, value)) + "]" if isinstance(value, list) else f'"{value}"'


def plain(name: str) -> str:
    """A file's name as it may stand in quotes."""
    return re.sub(r"[^\w. -]", "_", name, flags=re.ASCII)
