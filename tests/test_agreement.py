"""Every mechanism card keeps its own promise: its spiking form against its rate form, under the protocol it names.

Bounds are four standard errors of the noise the card predicts, seeds are fixed; by chance a correct card fails one of its
figures in 6e-5 of all seeds.
"""

import numpy as np
import pytest

import fwbio
from fwbio import agreement, circuit_comparison
from fwbio.cards import reader

WRITE = "A += (A_max - A)*clip(write_gain*gamma_p*h_post/r0, 0, 1)"
LABILE_A, LABILE_Z = reader.read("labile")["rate"]["ode"]
CIRCUITS = [name for name in reader.shipped() if reader.read(name)["kind"] == "circuit"]
MECHANISMS = [name for name in reader.shipped() if reader.read(name)["kind"] == "mechanism"]


@pytest.mark.parametrize("card", MECHANISMS)
def test_spiking_form_meets_rate_form(card):
    found = agreement.agree(card, target="numpy")
    assert found.figure.size > 0 and np.all(np.isfinite(found.figure)) and np.all(found.bound > 0)
    assert found.holds, f"{card}: {found.quantity} is off by {found.figure}, bound {found.bound}"


@pytest.mark.parametrize(
    ("card", "block", "key", "wrong"),
    [
        ("hebbian", "rate", "ode", ["dA/dt = -A/(2*tau) + write_gain*eta*h_post*h_pre : 1"]),
        ("hebbian", "spiking", "write", ["A += 1.2*write_gain*eta*h_post/r0"]),
        ("hebbian_use", "rate", "ode", ["dA/dt = write_gain*(gamma_p*(A_max - A)*h_post*h_pre - 2*gamma_m*A*h_pre**2) : 1"]),
        ("hebbian_use", "spiking", "write", [WRITE, "p += (exp(dt/tau_trace) - 1)/(r0*dt)"]),
        (
            "hebbian_use",
            "spiking",
            "write",
            ["A += -A*clip(write_gain*gamma_m*p/r0, 0, 1)", WRITE, "p += 2*(exp(dt/tau_trace) - 1)/(r0*dt)"],
        ),
        ("labile", "rate", "ode", [LABILE_A.replace("clip(z, 0, 1)*A", "A"), LABILE_Z]),
        ("labile", "rate", "ode", [LABILE_A, LABILE_Z.replace("M*h_pre", "0.8*M*h_pre")]),
        ("labile", "spiking", "write", ["A += 1.1*log(1 + z*write_gain/r0)*h_post", "z = z/(1 + z*write_gain/r0)"]),
        ("static", "rate", "read", "I_post = 1.3*read_gain*w*h_pre : Hz (summed)"),
        ("poisson", "spiking", "threshold", "rand() < 1.2*r0*h*dt"),
        ("layer_norm", "spiking", "read", "u = gain*(drive - mean)/sqrt(var) + bias"),
    ],
)
def test_a_wrong_card_is_found_out(card, block, key, wrong, mutate):
    mutate(card, block, key, wrong)
    assert not agreement.agree(card, target="numpy").holds


@pytest.mark.full
@pytest.mark.parametrize("card", CIRCUITS)
def test_a_circuit_meets_its_mean_field(card):
    """At full size, where no group makes a population spike; the mean field of another inhibitory drive is found out."""
    says = reader.read(card)["agree"].get("set", {})
    model, other = fwbio.load(card, set=says), fwbio.load(card, set={**says, "mu_I": "20 mV"})
    spiking = fwbio.run(model, level="spiking")
    rows = circuit_comparison.settled(fwbio.run(model, level="rate"), spiking)
    assert {row["group"] for row in rows} == set(spiking.rate) and min(row["bound"] for row in rows) < 0.15
    assert all(row["off"] <= row["bound"] for row in rows), rows
    wrong = circuit_comparison.settled(fwbio.run(other, level="rate"), spiking)  # held against what the right one is allowed
    assert any(off["off"] > row["bound"] for off, row in zip(wrong, rows, strict=True))
