"""The three exact reductions against the plain per-synapse form: same spikes, same numbers (round-off: 1e-10 is generous).

The plain form is another program: every neuron has a dendrite of its own, every synapse its own decay (integrated at its own
events) and its own u and x. Only the spikes, drawn from the same seed, are shared; if one number differed, soon they would not be.
"""

from dataclasses import replace

import numpy as np
import pytest

import fwbio
from fwbio.cards import network, reader
from fwbio.cards.changes import change
from fwbio.describe import run
from fwbio.tasks import RandomInput, retrieval

pytestmark = pytest.mark.slow

ROUND_OFF = 1e-10


def both_forms(net, task):
    return (run(net, task, "spiking", seed=3, target="numpy", plain=plain) for plain in (False, True))


def free_running(synapse_of_slow="static", seconds=0.5, units=4, **changes):
    tables = reader.read("random_recurrent")
    tables["projection"]["slow"]["synapse"] = synapse_of_slow
    tables["population"]["unit"] |= {"size": units, "neurons": 5} | changes
    net = network.build(tables, reader.find("random_recurrent"))
    return replace(net, duration=seconds)


@pytest.mark.parametrize("neuron", ["poisson", "lif"])
def test_paced_network_with_dendrites_and_shared_decay(neuron):
    net = fwbio.load("retrieval", neurons=4, neuron=neuron)
    reduced, plain = both_forms(net, retrieval(trials=1, seed=1))
    assert len(reduced.spikes.spike_t) > 300
    assert np.array_equal(reduced.spikes.spike_t, plain.spikes.spike_t)
    assert np.abs(reduced.h - plain.h).max() <= ROUND_OFF
    assert np.abs(reduced.A).max() > 0.5
    assert np.abs(reduced.A - plain.A).max() <= ROUND_OFF


@pytest.mark.parametrize("synapse", ["static", "tsodyks_markram"])
def test_free_running_network_with_axons_dendrites_and_shared_decay(synapse):
    net = free_running(synapse)
    reduced, plain = both_forms(net, RandomInput(2, 0))
    assert len(reduced.spikes.spike_t) > 100
    assert np.array_equal(reduced.spikes.spike_i, plain.spikes.spike_i)
    for name in ("h", "I", "A"):
        assert np.abs(getattr(reduced, name)).max() > 0.01
        assert np.abs(getattr(reduced, name) - getattr(plain, name)).max() <= ROUND_OFF


def test_presynaptic_plasticity_changes_what_is_sent():
    """So that the test above cannot pass with u and x ignored."""
    fixed, plastic = (run(free_running(s), RandomInput(2, 0), "spiking", seed=3, target="numpy") for s in ("static", "tsodyks_markram"))
    assert np.abs(fixed.I - plastic.I).max() > 0.05


@pytest.mark.full
def test_renormalisation_of_the_shared_decay_over_many_time_constants():
    """tau = 20 ms over 4 s is exp(200); without renormalising, the stored weights would grow by 1e87 and lose nothing but range;
    over the 10 minutes of a long run they would overflow. Here the renormalisation happens 10 times."""
    tables = change(reader.read("random_recurrent"), {"fast.tau": "20 ms"}, "random_recurrent.toml")
    tables["population"]["unit"] |= {"size": 3, "neurons": 3}
    net = network.build(tables, reader.find("random_recurrent"))
    reduced, plain = both_forms(replace(net, duration=4.0, dt=5e-4), RandomInput(1, 0))
    assert np.array_equal(reduced.spikes.spike_t, plain.spikes.spike_t)
    assert np.abs(reduced.A - plain.A).max() <= ROUND_OFF
