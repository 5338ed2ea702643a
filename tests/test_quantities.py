"""Quantities: what may be typed for a number with a unit, what it is in SI, and how anything else is refused."""

import brian2
import numpy as np
import pytest
from brian2.units import allunits
from hypothesis import given, settings
from hypothesis import strategies as st

from fwbio.errors import BadInput
from fwbio.quantities import SPELLINGS, quantity, unit_of, whole

NAMES = {"s": "second", "Hz": "hertz", "V": "volt", "A": "amp", "F": "farad", "S": "siemens", "ohm": "ohm"}
PREFIXES = ("", "k", "M", "G", "m", "u", "n", "p")


# --- what is accepted ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, unit, si",
    [
        ("2 s", "s", 2.0),
        ("200 ms", "s", 0.2),
        ("200ms", "s", 0.2),
        ("  2e2   ms ", "s", 0.2),
        ("+.5 s", "s", 0.5),
        ("2. s", "s", 2.0),
        ("1.6 min", "s", 96.0),
        ("2 h", "s", 7200.0),
        ("50 us", "s", 5e-5),
        ("4 1/Hz", "s", 4.0),
        ("20 Hz", "Hz", 20.0),
        ("0.02 kHz", "Hz", 20.0),
        ("20 1/s", "Hz", 20.0),
        ("20 s^-1", "Hz", 20.0),
        ("0.02 1/ms", "Hz", 20.0),
        ("-15 mV", "V", -0.015),
        ("250 pA", "A", 2.5e-10),
        ("40 pF", "F", 4e-11),
        ("10 nS", "S", 1e-8),
        ("100 Mohm", "ohm", 1e8),
        ("5 mV/ms", "V/s", 5.0),
        ("3 nA*Mohm", "V", 3e-3),
        ("2 mV^2", "V^2", 2e-6),
        ("0.5", "1", 0.5),
        ("1e-5", "1", 1e-5),
        (0.5, "1", 0.5),
        (3, "1", 3.0),
        (np.float32(0.5), "1", 0.5),
    ],
)
def test_accepted_spellings_in_si_units(text, unit, si):
    assert quantity(text, unit, "f.tau") == pytest.approx(si, rel=1e-14)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(x=st.floats(-1e6, 1e6, allow_subnormal=False), base=st.sampled_from(sorted(NAMES)), prefix=st.sampled_from(PREFIXES))
def test_text_and_brian2_quantity_are_the_number_that_brian2_gives_them(x, base, prefix):
    unit = getattr(allunits, prefix + NAMES[base])
    si = x * float(unit)
    assert quantity(f"{x!r} {prefix}{base}", base, "f") == pytest.approx(si, rel=1e-14, abs=1e-300)
    assert quantity(x * unit, base, "f") == pytest.approx(si, rel=1e-14, abs=1e-300)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(ms=st.floats(1e-3, 1e6))
def test_brian2_prints_quantities_that_can_be_read_back(ms):
    assert quantity(str(ms * brian2.ms), "s", "f") == pytest.approx(ms * 1e-3, rel=1e-4)  # Brian2 prints some six digits


@pytest.mark.parametrize("unit, text", [("s", "2 s"), ("Hz", "20 Hz"), ("V", "15 mV"), ("A", "250 pA"), ("F", "40 pF"), ("1", "0.5")])
def test_the_spelling_that_messages_suggest_is_itself_accepted(unit, text):
    with pytest.raises(BadInput) as refused:
        quantity("", unit, "f")
    assert text in str(refused.value) and np.isfinite(quantity(text, unit, "f"))
    assert any(text in spelling for spelling in SPELLINGS.values())


@pytest.mark.parametrize("text, unit", [("200 ms", "ms"), ("200ms", "ms"), ("0.5", "1"), ("5 mV/ms", "mV/ms")])
def test_the_unit_of_a_text(text, unit):
    assert unit_of(text) == unit


# --- what is refused: the message names the field, the value and a likely spelling -----------------------------------


@pytest.mark.parametrize(
    "value, fault",
    [
        ("200", "needs a unit"),
        (200, "needs a unit"),
        (0.2, "needs a unit"),
        (float("nan"), "f.tau = nan"),
        ("200 mV", "wrong unit"),
        ("2 S", "wrong unit"),
        ("2 ms^2", "wrong unit"),
        (5 * brian2.mV, "wrong unit"),
        (300 * brian2.kelvin, "wrong unit"),
        ("200 msec2", "unknown unit 'msec2'"),
        ("2 sec", "unknown unit 'sec'"),
        ("2 µs", "unknown unit 'µs'"),
        ("2 s s", "unknown unit 's s'"),
        ("2 s/", "unknown unit"),
        ("2 s*", "unknown unit"),
        ("2 s; import os", "unknown unit"),
        ("2,5 s", "unknown unit"),
        ("nan s", "not a number"),
        ("inf", "not a number"),
        ("-inf s", "not a number"),
        ("", "not a number"),
        ("   ", "not a number"),
        ("s", "not a number"),
        ("1\n2 s", "unknown unit"),
        ("1e999 s", "not finite"),
        ("-1e99999 s", "not finite"),
        (10**400, "not finite"),
        (float("nan") * brian2.second, "not finite"),
        (True, "not a quantity"),
        (np.True_, "not a quantity"),
        (None, "not a quantity"),
        (b"2 s", "not a quantity"),
        (["2 s"], "not a quantity"),
        (np.array([1.0, 2.0]), "not a quantity"),
        ([1, 2] * brian2.ms, "not a quantity"),
    ],
    ids=lambda v: str(v)[:20],
)
def test_a_bad_time_is_refused(value, fault):
    with pytest.raises(BadInput) as refused:
        quantity(value, "s", "f.tau")
    message = str(refused.value)
    assert message.startswith("f.tau = ") and repr(value) in message and fault in message and "2 s, 200 ms" in message


@pytest.mark.parametrize(
    "value, fault", [("0.5 s", "takes no unit"), ("50 %", "unknown unit"), (True, "not a quantity"), (np.inf, "not finite")]
)
def test_a_bad_pure_number_is_refused(value, fault):
    with pytest.raises(BadInput, match=fault):
        quantity(value, "1", "f.eta")


@pytest.mark.parametrize("value", ["-1 ms", "3601 s", "1.1 h"])
def test_out_of_range_is_refused_with_the_range(value):
    with pytest.raises(BadInput) as refused:
        quantity(value, "s", "f.tau", low=0, high=3600)
    assert "f.tau" in str(refused.value) and value in str(refused.value) and "outside 0 to 3600 s" in str(refused.value)


def test_the_ends_of_the_range_belong_to_it():
    assert (quantity("0 s", "s", "f", low=0, high=3600), quantity("1 h", "s", "f", low=0, high=3600)) == (0.0, 3600.0)


# --- whole numbers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["5", " 5 ", 5, 5.0, "5.0", "5e0", np.int64(5)])
def test_whole_numbers(value):
    assert whole(value, "neurons") == 5 and type(whole(value, "neurons")) is int


BAD_WHOLE = ["-5", "0", "2.5", 2.5, "nan", "inf", "1e999", "", "five", None, True, np.True_, [], 10**400, 5 * brian2.ms]


@pytest.mark.parametrize("value", BAD_WHOLE, ids=lambda v: str(v)[:12])
def test_anything_else_is_refused_not_rounded(value):
    with pytest.raises(BadInput, match="^neurons = .*use a whole number from 1 "):
        whole(value, "neurons")
