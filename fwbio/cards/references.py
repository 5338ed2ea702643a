"""What a network card points at from one table to another must be there, and have the shape the other side expects."""

import numpy as np

from fwbio.errors import BadInput, nearest
from fwbio.tasks import SYMBOLS


def check(tables: dict, trained: dict, units: int, norms: list, file: str) -> None:
    """Raises BadInput at the first pointer of [input], [readout], [rnn] or a normalisation that leads nowhere."""
    if tables["protocol"].get("task"):
        need(tables, ("protocol", "pairs"), ("input", "tokens"), ("input", "through"), ("readout", "layers"), file=file)
        E, C = (array(tables["input"][key], trained, f"{file}: input.{key}") for key in ("tokens", "through"))
        if E.ndim != 2 or len(E) != len(SYMBOLS) or C.shape != (units, E.shape[1]):
            raise BadInput(f"{file}: input: tokens {E.shape} and through {C.shape}; ({len(SYMBOLS)}, k) and ({units}, k) are wanted")
    else:
        need(tables, ("input", "sd"), file=file)
    for pair in tables.get("readout", {}).get("layers", []):
        if len(pair) != 2:
            raise BadInput(f"{file}: readout.layers: {pair}: write pairs of weight and bias")
        for name in pair:
            array(name, trained, f"{file}: readout.layers")
    for norm in norms:
        for key, value in norm.values.items():
            if isinstance(value, np.ndarray) and value.shape != (units,):
                raise BadInput(f"{file}: {norm.name}: {key} has shape {value.shape}, {(units,)} is wanted")
    if "clock" in tables:
        need(tables, ("rnn", "W"), file=file)
        projections = [f"projection.{name}" for name in tables["projection"]]
        if tables["rnn"]["W"] not in projections:
            raise BadInput(f"{file}: rnn.W = {tables['rnn']['W']!r}: no such thing in this card{nearest(tables['rnn']['W'], projections)}")


def need(tables, *places, file) -> None:
    for table, key in places:
        if key not in tables.get(table, {}):
            raise BadInput(f"{file}: [{table}] lacks '{key}'")


def array(name, trained, where) -> np.ndarray:
    """The trained array that ``trained.W`` names."""
    key = name.removeprefix("trained.")
    if key not in trained or key == name:
        raise BadInput(f"{where} = {name!r}: no such trained array{nearest(name, [f'trained.{k}' for k in trained])}")
    return trained[key]
