"""Recurrent memories, one a file, each a ``Cell``: the files that stand here are the models that ``fwbio train --model`` knows.

A cell takes the input of every token, a tensor (length, batch, columns), ``columns`` of its own choosing, and gives the states
h of every token, a list of (batch, units). What differs between cells is only what happens from one token to the next.
"""

from importlib import import_module
from inspect import signature
from pathlib import Path

from fwbio.errors import BadInput, nearest


def names() -> list[str]:
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def named(model: str) -> str:
    """``model`` again. Raises BadInput if there is no such file."""
    if model not in names():
        raise BadInput(f"--model {model}: no such cell{nearest(model, names())}")
    return model


def find(model: str):
    """The class ``Cell`` of the file ``model``."""
    return import_module(f"{__name__}.{named(model)}").Cell


def options(model: str, texts: dict) -> dict:
    """``{"lam": "0.95"}`` as the cell's own keyword arguments, of the type of their default. Raises BadInput naming option and value."""
    if not texts:
        return {}
    known = {name: p.default for name, p in signature(find(model)).parameters.items() if name != "units"}
    found = {}
    for name, text in texts.items():
        if name not in known:
            raise BadInput(f"--with {name}: {model} has no such option{nearest(name, known)}")
        found[name] = typed(text, known[name], f"--with {name}={text}")
    return found


def typed(text, default, where):
    """``text`` as a value of the type of ``default``; a tuple is written with commas."""
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(default, tuple):
            return tuple(typed(part, default[0], where) for part in text.split(","))
        return type(default)(text)
    except (ValueError, KeyError):
        raise BadInput(f"{where}: write it like {default!r}") from None
