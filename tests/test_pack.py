"""A trial's spikes are its own: the same beside other trials, beside other networks, and on every target."""

import numpy as np
import pytest

import fwbio
from fwbio import tasks
from fwbio.errors import BadInput
from fwbio.spiking import batches, engine
from fwbio.spiking.draws import draw
from fwbio.spiking.streams import streams
from fwbio.sweeps import packing, point

TINY = {"population.unit.size": "3", "population.unit.neurons": "3", "protocol.duration": "300 ms"}
OVER = ["fast.tau=0.5s,2s", "fast.eta=0.2,0.4"]
needs_compiler = pytest.mark.skipif(engine.default_target() == "numpy", reason="no C++ compiler: Debian has it as g++")


def test_the_numbers_are_splitmix64():
    """The first five for the seed 1234567, as they are published with the generator's reference code."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert [float(draw(1234567.0, k)[0]) for k in range(5)] == [(n >> 11) * 2.0**-53 for n in published]


def test_streams_belong_to_seed_trial_and_neuron():
    """And what 2,000 neurons draw at one step is uniform: chi-squared of 100 cells, false alarms below 1e-6 (99 degrees: 187)."""
    whole = streams(7, range(4), 500)
    assert np.array_equal(whole[1000:1500], streams(7, [2], 500)) and len(set(whole)) == 2000
    assert (whole == np.floor(whole)).all() and whole.max() < 2**53
    assert not set(whole) & set(streams(8, range(4), 500))
    counts = np.histogram(draw(whole, 17), bins=100, range=(0, 1))[0]
    assert ((counts - 20) ** 2 / 20).sum() < 187
    later = np.array([draw(whole, k) for k in range(200)])  # neighbours in time and among neurons: correlations of 1/sqrt(400,000)
    for pair in (np.corrcoef(later[:-1].ravel(), later[1:].ravel()), np.corrcoef(later[:, :-1].ravel(), later[:, 1:].ravel())):
        assert abs(pair[0, 1]) < 5 / np.sqrt(later.size)


@pytest.fixture(scope="module")
def spikes():
    """Spikes of trial 0 of a small network: (alone, beside another trial) on NumPy."""
    network = fwbio.load("random_recurrent", set=TINY)
    x = tasks.of(network, 2, 5).x(network)
    return network, x, [batches.run(network, x, seed=5, batch=size, target="numpy", workers=1) for size in (1, 2)]


@pytest.mark.slow
def test_a_trial_does_not_notice_its_neighbours(spikes):
    _, _, (alone, beside) = spikes
    assert np.array_equal(alone.spike_t, beside.spike_t) and np.array_equal(alone.spike_i, beside.spike_i) and len(alone.spike_t) > 10
    assert np.abs(alone.h - beside.h).max() < 1e-12


@needs_compiler
@pytest.mark.slow
def test_spikes_are_the_same_in_cpp(spikes):
    network, x, (alone, _) = spikes
    compiled = batches.run(network, x, seed=5)
    assert np.array_equal(alone.spike_t, compiled.spike_t) and np.array_equal(alone.spike_i, compiled.spike_i)
    assert np.abs(alone.h - compiled.h).max() < 1e-12


@needs_compiler
@pytest.mark.slow
def test_a_packed_sweep_has_the_same_figures(monkeypatch, tmp_path):
    """Weights, tau and eta differ from point to point; eight points, one run."""
    runs, real = [], engine.run
    monkeypatch.setattr(engine, "run", lambda *given: runs.append(1) or real(*given))
    line = {"seeds": 2, "trials": 2, "set": TINY, "levels": "spiking", "seed": 3}
    one = fwbio.sweep("random_recurrent", OVER, out=tmp_path / "one", **line)
    side = fwbio.sweep("random_recurrent", OVER, out=tmp_path / "side", pack=True, **line)
    assert len(runs) == 8 + 1 and one.counts()["done"] == side.counts()["done"] == 8
    rates = np.array([one["rate_hz.spiking"], side["rate_hz.spiking"]])
    assert rates.min() > 1 and np.ptp(rates[0]) > 1 and np.abs(np.ptp(rates, axis=0)).max() < 1e-12 * rates.max()


def test_points_whose_pack_fails_are_computed_alone(monkeypatch, tmp_path):
    def overflow(self, members):
        raise engine.NonFinite("h is not finite", {})

    monkeypatch.setattr(packing.Packs, "together", overflow)
    monkeypatch.setattr(point, "figures", lambda spec, settings, seed: {"rate_hz.spiking": float(seed % 1000)})
    found = fwbio.sweep("random_recurrent", OVER, seeds=2, set=TINY, trials=2, pack=True, out=tmp_path / "s")
    assert found.counts() == {"done": 8, "failed": 0, "missing": 0}


def test_what_cannot_be_packed_is_said(tmp_path):
    with pytest.raises(BadInput, match="mongillo is a circuit"):
        fwbio.sweep("mongillo", "mu_E=22mV,23mV", pack=True, out=tmp_path / "a")
    with pytest.raises(BadInput, match="--levels names none"):
        fwbio.sweep("retrieval", "fast.tau=1s,2s", pack=True, levels="rnn", out=tmp_path / "b")
    assert "does not pay" in str(fwbio.sweeps.job.planned("retrieval", "fast.tau=1s,2s", trials=1000, neurons=100))
