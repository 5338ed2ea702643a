"""A chain of synaptic variables is a bank of modes: the card's reduction against two other derivations."""

import numpy as np
import pytest
from scipy.linalg import expm

import fwbio
from fwbio.cards import legal, modes
from fwbio.cards.network import load
from fwbio.errors import BadInput
from fwbio.levels.bank import chain


def numbers(synapse):
    values = synapse.values
    return [values[f"C{k}"] for k in (1, 2, 3)], [values[f"g{k}"] for k in (1, 2, 3)]


def test_the_modes_of_the_chain_card_are_the_bank_of_its_capacities_and_conductances():
    """``BeakerChain.to_bank`` takes a symmetric matrix apart, with 50 digits; the card's modes come from its equations' own slopes."""
    synapse = load("level_chain").projections["chain"].synapse
    bank = chain(*numbers(synapse)).to_bank()
    tau, gain = np.array(modes.of(synapse.card, synapse.values)).T
    assert len(tau) == 3 and np.abs(tau / bank.tau - 1).max() < 1e-10 and np.abs(gain / bank.gain - 1).max() < 1e-10


def test_the_modes_add_up_to_the_matrix_exponential_of_the_chain():
    synapse = load("level_chain").projections["chain"].synapse
    (C, g), t = numbers(synapse), np.geomspace(1e-3, 1e3, 13)
    flow = chain(C, g).flow()
    wanted = np.array([expm(-flow * age)[0, 0] for age in t])
    found = sum(gain * np.exp(-t / tau) for tau, gain in modes.of(synapse.card, synapse.values))
    assert np.abs(found - wanted).max() < 1e-12


def test_its_shipped_numbers_are_the_planners():
    """Three levels for 100 ms to 5 min, to the four digits of the card."""
    planned = fwbio.plan_levels(fwbio.AgeDemand("100 ms", "5 min"), price=0.1).shapes[2].to_chain()
    C, g = numbers(load("level_chain").projections["chain"].synapse)
    assert np.abs(np.array(C) / planned.C - 1).max() < 5e-4 and np.abs(np.array(g) / planned.g - 1).max() < 5e-4


@pytest.mark.parametrize("card", ["level_bank", "random_recurrent"])
def test_what_is_no_chain_stays_as_it_is(card):
    net = load(card)
    assert modes.apart(net).projections == net.projections


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("ode", ["dA/dt = -g1*(A - B)*A/C1 : 1", "dB/dt = (g1*(A - B) - g2*(B - D))/C2 : 1", "dD/dt = (g2*(B - D) - g3*D)/C3 : 1"]),
        ("ode", ["dA/dt = g1*(A - B)/C1 : 1", "dB/dt = (g1*(A - B) - g2*(B - D))/C2 : 1", "dD/dt = (g2*(B - D) - g3*D)/C3 : 1"]),
        ("write", ["A += write_gain*eta*h_post*B/r0"]),
        ("write", ["A += write_gain*eta*h_post/r0", "B += write_gain*eta*h_post/r0"]),
        ("write", ["A += write_gain*(eta*h_post/r0 - A)"]),
        ("read", "I_post += read_gain*(A + B)/(n*r0)"),
        ("read", "I_post += read_gain*A*A/(n*r0)"),
    ],
)
def test_what_is_not_a_decaying_linear_chain_read_and_written_at_its_first_is_refused_in_words(key, wrong, mutate):
    mutate("hebbian_chain", "spiking", key, wrong)
    with pytest.raises(BadInput, match="all synapses share one decay, which takes a linear one"):
        legal.check(load("level_chain"))
