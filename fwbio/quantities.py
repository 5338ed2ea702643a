"""Quantities as strings with units: ``"2 s"``, ``"200 ms"``, ``"5 mV/ms"``. A whitelist, never ``eval``."""

import math
import re

from fwbio.errors import BadInput

# unit: (value in SI, exponents of second, volt, ampere)
BASE = {
    "s": (1.0, (1, 0, 0)),
    "Hz": (1.0, (-1, 0, 0)),
    "V": (1.0, (0, 1, 0)),
    "A": (1.0, (0, 0, 1)),
    "F": (1.0, (1, -1, 1)),
    "S": (1.0, (0, -1, 1)),
    "ohm": (1.0, (0, 1, -1)),
}
PREFIX = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}
UNITS = {p + u: (f * v, d) for u, (v, d) in BASE.items() for p, f in PREFIX.items()}
UNITS |= {"min": (60.0, (1, 0, 0)), "h": (3600.0, (1, 0, 0)), "1": (1.0, (0, 0, 0)), "": (1.0, (0, 0, 0))}
SPELLINGS = {
    (0, 0, 0): "0.5",
    (1, 0, 0): "2 s, 200 ms or 1.6 min",
    (-1, 0, 0): "20 Hz or 0.02 kHz",
    (0, 1, 0): "15 mV",
    (0, 0, 1): "250 pA",
    (1, -1, 1): "40 pF",
    (0, -1, 1): "10 nS",
    (0, 1, -1): "100 Mohm",
}
NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*", re.ASCII)
FACTOR = re.compile(r"([A-Za-z]+|1)(?:\^(-?\d))?")


def dimension(unit: str, where: str) -> tuple[float, tuple[int, int, int]]:
    """Value in SI and dimension of a unit such as ``mV``, ``1/s`` or ``mV/ms``."""
    scale, exponents, sign = 1.0, [0, 0, 0], 1
    for k, part in enumerate(re.split(r"([*/])", unit)):
        part = part.strip()
        if part in "*/" and part:
            sign = -1 if part == "/" else 1
            continue
        match = FACTOR.fullmatch(part)
        if (part or k) and (match is None or match[1] not in UNITS):
            raise BadInput(f"{where}: unknown unit '{part or unit}'; units are s ms min h Hz kHz V mV A nA pA F pF S nS ohm Mohm")
        value, dims = UNITS[match[1]] if match else UNITS[""]
        power = sign * int(match[2] or 1) if match else 1
        scale *= value**power
        exponents = [e + power * d for e, d in zip(exponents, dims, strict=True)]
    return scale, tuple(exponents)


def quantity(value, unit: str, where: str, low: float = -math.inf, high: float = math.inf) -> float:
    """``value`` in SI units, after checking that it has the dimension of ``unit`` and lies in [low, high].

    value : a string such as ``"200 ms"``, a Brian2 quantity, or a plain number where ``unit`` is ``"1"``
    where : how the field is called in messages, for instance ``projection.fast.tau``

    Raises BadInput with the likely spellings: missing, wrong or unknown unit, NaN, infinity, boolean, out of range.
    """
    scale, wanted = dimension(unit, where)
    hint = f"write for instance {SPELLINGS.get(wanted, f'a number of {unit}')}"
    if truth(value) or not isinstance(value, str) and (not hasattr(value, "__float__") or getattr(value, "shape", ()) != ()):
        raise BadInput(f"{where} = {value!r}: not a quantity; {hint}")
    if hasattr(value, "dimensions"):  # a Brian2 quantity: ask it for its number in the wanted unit
        from brian2 import amp, have_same_dimensions, second, volt

        target = second ** wanted[0] * volt ** wanted[1] * amp ** wanted[2]
        if not have_same_dimensions(value, target):
            raise BadInput(f"{where} = {value!r}: wrong unit; {hint}")
        number, factor, dims = float(value / target), 1.0, wanted
    elif isinstance(value, str):
        match = NUMBER.fullmatch(value)
        if match is None:
            raise BadInput(f"{where} = {value!r}: not a number with a unit; {hint}")
        number = float(match[1])
        try:
            factor, dims = dimension(match[2], f"{where} = {value!r}")
        except BadInput as error:
            raise BadInput(f"{error}; {hint}") from None
    else:
        try:
            number, factor, dims = float(value), 1.0, (0, 0, 0)
        except OverflowError:
            raise BadInput(f"{where} = {value!r}: not finite; {hint}") from None
    if dims != wanted:
        what = "needs a unit" if dims == (0, 0, 0) else "takes no unit" if wanted == (0, 0, 0) else "wrong unit"
        raise BadInput(f"{where} = {value!r}: {what}; {hint}")
    result = number * factor
    if not math.isfinite(result):
        raise BadInput(f"{where} = {value!r}: not finite; {hint}")
    if not low <= result <= high:
        raise BadInput(f"{where} = {value!r}: outside {low:g} to {high:g} {unit if unit != '1' else ''}".rstrip())
    return result


def unit_of(value: str) -> str:
    """The unit that a quantity is written in: ``ms`` of ``"200 ms"``, ``1`` of ``"0.5"``."""
    match = NUMBER.fullmatch(value)
    return match[2] or "1" if match else "1"


def truth(value) -> bool:
    """Whether ``value`` is a boolean of Python's or NumPy's, which Python would take for 0 or 1."""
    return isinstance(value, bool) or str(getattr(value, "dtype", "")) == "bool"


def whole(value, where: str, low: int = 1, high: int = 10**9) -> int:
    """``value`` as an integer in [low, high]; raises BadInput (2.5 neurons are refused, not rounded)."""
    try:
        if truth(value) or float(value) != int(float(value)):
            raise ValueError
        number = int(value) if hasattr(value, "__index__") else int(float(value))  # a float holds 53 bits
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{where} = {value!r}: use a whole number from {low} up") from None
    if not low <= number <= high:
        raise BadInput(f"{where} = {number}: use a whole number from {low} to {high:,}")
    return number
