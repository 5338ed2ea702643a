"""What a network card points at from one table to another must be there, and have the shape the other side expects."""

import numpy as np

from fwbio.errors import BadInput, nearest
from fwbio.tasks import N_DIGITS, SYMBOLS


def check(tables: dict, trained: dict, units: int, norms: list, file: str) -> None:
    """Raises BadInput at the first pointer of [input], [readout], [rnn] or a normalisation that leads nowhere."""
    if tables["protocol"].get("task"):
        need(tables, ("protocol", "pairs"), ("input", "tokens"), ("input", "through"), ("readout", "layers"), file=file)
    if "through" in tables["input"]:
        check_input(tables["input"], trained, units, len(SYMBOLS) if tables["protocol"].get("task") else None, file)
    else:
        need(tables, ("input", "sd"), file=file)
    if "readout" in tables:
        check_readout(tables, trained, units, file)
    for norm in norms:
        for key, value in norm.values.items():
            if isinstance(value, np.ndarray) and value.shape != (units,):
                raise BadInput(f"{file}: {norm.name}: {key} has shape {value.shape}, {(units,)} is wanted")
    if "clock" in tables:
        need(tables, ("rnn", "W"), file=file)
        projections = [f"projection.{name}" for name in tables["projection"]]
        if tables["rnn"]["W"] not in projections:
            raise BadInput(f"{file}: rnn.W = {tables['rnn']['W']!r}: no such thing in this card{nearest(tables['rnn']['W'], projections)}")


def check_input(given: dict, trained: dict, units: int, symbols: int | None, file: str) -> None:
    """The chain from tokens (or vectors) to units fits. symbols : how many the task has."""
    C = array(given["through"], trained, f"{file}: input.through")
    if C.ndim != 2 or len(C) != units:
        raise BadInput(f"{file}: input.through has shape {C.shape}, ({units}, k) is wanted")
    if "tokens" in given:
        E = array(given["tokens"], trained, f"{file}: input.tokens")
        if E.ndim != 2 or symbols not in (None, len(E)) or E.shape[1] != C.shape[1]:
            wanted = "n" if symbols is None else symbols
            raise BadInput(f"{file}: input: tokens {E.shape} and through {C.shape}; ({wanted}, k) and ({units}, k) are wanted")
    if symbols and sorted(given.get("symbols", SYMBOLS)) != sorted(SYMBOLS):
        raise BadInput(f"{file}: input.symbols = {given['symbols']!r}: the task's symbols, each once, are {SYMBOLS}")
    if "tokens" in given and "symbols" in given and len(given["symbols"]) != len(E):
        raise BadInput(f"{file}: input.symbols names {len(given['symbols'])} symbols, tokens has shape {E.shape}: one row each is wanted")
    if "bias" in given and (b := array(given["bias"], trained, f"{file}: input.bias")).shape != (units,):
        raise BadInput(f"{file}: input.bias has shape {b.shape}, {(units,)} is wanted")


def check_readout(tables: dict, trained: dict, units: int, file: str) -> None:
    """The chain from units to classes fits, and the classes are those of the task."""
    where, width = f"{file}: readout.layers", units
    for layer in tables["readout"]["layers"]:
        if len(layer) not in (1, 2):
            raise BadInput(f"{where}: {layer}: write pairs of weight and bias, or a weight alone")
        shapes = [array(name, trained, where).shape for name in layer]
        if len(shapes[0]) != 2 or shapes[0][1] != width or shapes[1:] not in ([], [shapes[0][:1]]):
            told = " and ".join(map(str, shapes))
            raise BadInput(f"{where}: {layer} have shapes {told}; (m, {width}) and (m,) are wanted, one row a unit of the next layer")
        width = shapes[0][0]
    answers = {"digit": N_DIGITS, "symbol": len(SYMBOLS)}[tables["readout"].get("answers", "digit")]
    if tables["protocol"].get("task") == "retrieval" and width != answers:
        raise BadInput(f'{file}: readout: {width} classes, but the task\'s answers are {answers}; 37 classes take answers = "symbol"')


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
