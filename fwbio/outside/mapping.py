"""The map: where in a weights file the parts of a fast-weight RNN stand, and which conventions it was trained under.

    z = W h + b_W + C x + b_C        (x = E[token], or a vector)
    h_0 = f(LN_0[z]),  h_s+1 = f(LN[z + A h_s]),  A <- lambda A + eta h h^T          (fwbio.rnn)
    logits = … V2 relu(V1 h + c1) + c2

Shapes here are (out, in): W (units, units), C (units, k), V (classes, units), E (symbols, k). A matrix that is multiplied from the
other side says transpose = true; one that is part of a larger one says which columns (counted after transposition) are meant.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fwbio.cards.grammar import BOOL, INT, NUMBER, TEXT, VALUE, Either, ListOf, OneOf
from fwbio.cards.reader import fit
from fwbio.errors import BadInput
from fwbio.outside import files

PART = Either(TEXT, {"name!": TEXT, "transpose": BOOL, "columns": ListOf(INT)})
VECTOR = Either(TEXT, NUMBER)
LEVELS = Either(TEXT, NUMBER, ListOf(NUMBER))
MAP = {
    "arrays!": {"W!": PART, "C!": PART, "E": PART, "b_W": TEXT, "b_C": TEXT, "g0": VECTOR, "b0": VECTOR, "g": VECTOR, "b": VECTOR},
    "readout!": {"layers!": ListOf(ListOf(PART)), "answers": OneOf("digit", "symbol")},
    "rnn!": {
        "reads!": OneOf("previous", "late", "preliminary"),
        "norm!": OneOf("both", "inner", "none"),
        "eps": NUMBER,
        "lam!": LEVELS,
        "eta!": LEVELS,
        "inner!": INT,
    },
    "tokens": {"symbols": TEXT},
    "spikes": {"token": VALUE, "neurons": INT, "r0": VALUE},
}


@dataclass(frozen=True)
class Outside:
    """A network as the map finds it. arrays : E, C, W, b_z, g0, … V1, c1, …, (out, in), float64; a norm's values may be single numbers.

    lam, eta : one number a level. tables : the checked map.
    """

    arrays: dict
    layers: list
    lam: list
    eta: list
    tables: dict

    @property
    def units(self) -> int:
        return len(self.arrays["W"])


def read(path) -> dict:
    """The checked tables of a map. Raises BadInput naming key, value and fix."""
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"--map {path}: no such file; without --map one is proposed")
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        raise BadInput(f"{path}: not TOML: {error}") from None
    unanswered = [f"{t}.{k}" for t, table in tables.items() if isinstance(table, dict) for k, value in table.items() if value == "?"]
    if unanswered:
        raise BadInput(f"{path.name}: {', '.join(unanswered)}: still '?'; weights do not tell, so you must")
    fit(tables, MAP, f"{path.name}:", "")
    return tables


def apply(tables: dict, arrays: dict) -> Outside:
    """The network that the map finds among ``arrays`` (of ``files.read``). Raises BadInput with both shapes where one does not fit."""
    names, rnn = tables["arrays"], tables["rnn"]
    found = {"W": part(arrays, names["W"], "arrays.W")}
    units = found["W"].shape[0]
    shaped(found["W"], (units, units), "arrays.W", "W is square, (units, units)")
    found["C"] = part(arrays, names["C"], "arrays.C")
    shaped(found["C"], (units, None), "arrays.C", f"W has {units} units")
    if "E" in names:
        found["E"] = part(arrays, names["E"], "arrays.E")
        shaped(found["E"], (None, found["C"].shape[1]), "arrays.E", f"C is {found['C'].shape}")
    elif "tokens" in tables:  # a symbol is a unit vector
        found["E"] = np.eye(found["C"].shape[1])
    biases = [vector(arrays, names[key], units, f"arrays.{key}") for key in ("b_W", "b_C") if key in names]
    if biases:
        found["b_z"] = sum(biases) + np.zeros(units)
    found |= norms(arrays, names, rnn, units)
    layers, width = [], units
    for k, layer in enumerate(tables["readout"]["layers"], start=1):
        width = add_layer(found, layers, arrays, layer, width, k)
    lam, eta = (levels(arrays, rnn[key], f"rnn.{key}") for key in ("lam", "eta"))
    if len(lam) != len(eta):
        raise BadInput(f"map: rnn.lam has {len(lam)} levels and rnn.eta {len(eta)}; write as many of each")
    for value in lam:
        if not 0 < value < 1:
            raise BadInput(f"map: rnn.lam = {value:g}: above 0 and below 1 (tau = -token/ln(lam)); for no decay at all write 0.999999")
    symbols = tables.get("tokens", {}).get("symbols")
    if symbols is not None and len(symbols) != len(found["E"]):
        raise BadInput(f"map: tokens.symbols: {len(symbols)} of them, but E has shape {found['E'].shape}: one row a symbol is wanted")
    return Outside(found, layers, lam, eta, tables)


def part(arrays, says, where) -> np.ndarray:
    says = {"name": says} if isinstance(says, str) else says
    found = files.array(arrays, says["name"], f"map: {where}")
    if found.ndim != 2:
        raise BadInput(f"map: {where}: '{says['name']}' has shape {found.shape}, a matrix is wanted")
    found = found.T if says.get("transpose") else found
    if "columns" in says:
        columns = says["columns"]
        if len(columns) != 2 or not 0 <= columns[0] < columns[1] <= found.shape[1]:
            raise BadInput(f"map: {where}.columns = {columns}: write [from, to] within 0 to {found.shape[1]}")
        found = found[:, slice(*columns)]
    return found


def shaped(found, wanted, where, why) -> None:
    """Raises BadInput unless each axis has the length that is wanted (None: any)."""

    def fits(shape):
        return len(shape) == len(wanted) and all(w in (None, n) for n, w in zip(shape, wanted))

    if not fits(found.shape):
        told = ", ".join("k" if w is None else str(w) for w in wanted)
        hint = "; turned over it fits: add transpose = true (or take it away)" if found.ndim == 2 and fits(found.shape[::-1]) else ""
        raise BadInput(f"map: {where} has shape {found.shape}, ({told}) is wanted, as {why}{hint}")


def vector(arrays, says, units, where):
    """One number, or one a unit."""
    if not isinstance(says, str):
        return float(says)
    found = files.array(arrays, says, f"map: {where}")
    if found.size == 1:
        return float(found.reshape(()))
    shaped(found, (units,), where, f"W has {units} units")
    return found


def norms(arrays, names, rnn, units) -> dict:
    """Gains and biases of the norms that there are. Raises BadInput for one too many or too few."""
    wanted = {"both": ("g0", "b0", "g", "b"), "inner": ("g", "b"), "none": ()}[rnn["norm"]]
    for key in ("g0", "b0", "g", "b"):
        if key in names and key not in wanted:
            raise BadInput(f'map: arrays.{key}: rnn.norm = "{rnn["norm"]}" has no such norm; leave it out, or write "both"')
    for key in wanted[::2]:
        if key not in names:
            raise BadInput(f'map: arrays.{key} is missing: rnn.norm = "{rnn["norm"]}" has it; a norm without a gain has {key} = 1.0')
    if wanted and "eps" not in rnn:
        raise BadInput("map: rnn.eps is missing: the epsilon of the norm, for instance 1e-5 (PyTorch) or 1e-12")
    return {key: vector(arrays, names.get(key, 0.0), units, f"arrays.{key}") for key in wanted}


def add_layer(found, layers, arrays, layer, width, k) -> int:
    """Adds the k-th read-out layer; how many units it has."""
    where = f"readout.layers[{k - 1}]"
    if len(layer) not in (1, 2):
        raise BadInput(f"map: {where}: write a matrix, or a matrix and a bias, in brackets")
    V = part(arrays, layer[0], where)
    shaped(V, (None, width), where, f"the layer before it has {width} units")
    found[f"V{k}"], pair = V, [f"V{k}"]
    if len(layer) == 2:
        if not isinstance(layer[1], str):
            raise BadInput(f"map: {where}: a bias is named in quotes")
        c = files.array(arrays, layer[1], f"map: {where}")
        shaped(c, (len(V),), where, f"its matrix has {len(V)} rows")
        found[f"c{k}"] = c
        pair.append(f"c{k}")
    layers.append(pair)
    return len(V)


def levels(arrays, says, where) -> list[float]:
    if isinstance(says, str):
        return [float(v) for v in files.array(arrays, says, f"map: {where}").ravel()]
    return [float(v) for v in (says if isinstance(says, list) else [says])]
