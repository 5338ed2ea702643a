"""How large a spiking network must be, by theory: for an error of h, and for a share of same decisions."""

import numpy as np
import pytest

import fwbio
from fwbio import noise, sizing
from fwbio.describe import run
from fwbio.tasks import retrieval


@pytest.fixture(scope="module")
def reference():
    return run(fwbio.load("retrieval"), retrieval(trials=50, seed=0), "rnn")


def test_half_the_error_takes_four_times_the_neurons(reference):
    """The error falls as n^-1/2 once it is small; the two plans use the same noisy passes, which scatter the ratio by a few per cent."""
    coarse, fine = (sizing.for_error(reference.network, reference.task, reference.h, target) for target in (0.04, 0.02))
    assert coarse.predicted <= 0.04 and fine.predicted <= 0.02
    assert 3.5 < fine.neurons / coarse.neurons < 4.5


def test_one_neuron_fewer_misses_the_target(reference):
    found = sizing.for_error(reference.network, reference.task, reference.h, 0.06)
    fewer = sizing.of_neurons(reference.network, found.neurons - 1)
    x = reference.task.x(fewer)
    passes = [noise.predict(fewer, x, seed).h for seed in range(4)]
    assert np.sqrt(np.mean([(p - reference.h) ** 2 for p in passes])) / reference.h.std() > 0.06


def test_a_bias_that_neurons_cannot_remove_is_said(reference):
    lif = fwbio.load("retrieval", neuron="lif")
    with pytest.raises(fwbio.BadInput, match="whatever their number.*lengthen the token"):
        sizing.for_error(lif, reference.task, reference.h, 0.003)  # the membrane's transient leaves some .007


@pytest.mark.parametrize("target", [0, -0.1, 1.0, float("nan")])
def test_impossible_targets_are_refused(reference, target):
    with pytest.raises(fwbio.BadInput, match="target-error"):
        sizing.for_error(reference.network, reference.task, reference.h, target)


def test_few_neurons_replace_n_everywhere(reference):
    few = sizing.of_neurons(reference.network, 7)
    assert few.neurons == 7 and {p.synapse.values["n"] for p in few.projections.values()} == {7}


@pytest.fixture(scope="module")
def choice(reference):
    return sizing.for_agreement(reference.network, retrieval(trials=400, seed=7).x(reference.network), 0.97)


def test_the_cheapest_size_is_chosen_and_is_enough_by_its_limit(choice):
    enough = [size for size in choice.tried if size.low >= choice.target]
    assert choice.size in enough and len(enough) >= 4
    assert choice.size.spikes <= sizing.ABOUT * min(size.spikes for size in enough)
    assert all(size.low < size.predicted for size in choice.tried)


def test_half_the_neurons_are_not_enough(choice, reference):
    """By other noise than the choice was made with. 400 sequences, 20 passes: a share of 97 % is known to 0.4 points (four standard errors)."""
    x = retrieval(trials=400, seed=7).x(reference.network)
    exact = sizing.decisions(reference.network, sizing.discrete(reference.network, x, keep=0).h)

    def same(n):
        changed = sizing.of_neurons(sizing.at_pace(reference.network, choice.size.token, choice.size.r0), n)
        return np.mean([sizing.decisions(changed, noise.predict(changed, x, seed).seen) == exact for seed in range(100, 120)])

    assert same(choice.size.neurons) >= choice.target - 0.004 and same(choice.size.neurons // 2) < choice.target - 0.004


def test_another_pace_is_the_same_network_in_discrete_time(reference):
    """lambda stays, so every h does; r0 and the token are what was asked for."""
    other = sizing.at_pace(reference.network, 0.4, 7.5)
    assert (other.token, other.r0, other.phase) == (0.4, 7.5, 0.2) and other.lam == pytest.approx(reference.network.lam, rel=1e-12)
    x = reference.task.x(other)
    assert np.abs(sizing.discrete(other, x, keep=0).h - reference.h).max() < 1e-10


@pytest.mark.parametrize("target", [0, 1, 1.5, float("nan")])
def test_impossible_agreements_are_refused(reference, target):
    with pytest.raises(fwbio.BadInput, match="target-agreement"):
        sizing.for_agreement(reference.network, reference.task.x(reference.network), target)


def test_the_best_to_be_had_is_said(reference, monkeypatch):
    monkeypatch.setattr(sizing, "LARGEST", 4)
    monkeypatch.setattr(sizing, "TOKENS", (0.5,))
    with pytest.raises(fwbio.BadInput, match=r"the best to be had is \d.*4 neurons a unit, r0 = 14 Hz, token = 50 ms"):
        sizing.for_agreement(reference.network, reference.task.x(reference.network), 0.999)


@pytest.mark.slow
def test_compare_chooses_checks_and_counts_the_spikes(tmp_path):
    """Spikes of the first trial: a Poisson count around its own mean; sequences differ by some 10 %."""
    from fwbio.job import carry_out

    options = dict(changes={}, trials=60, neurons=None, neuron=None, seed=0, no_fast=False, out=tmp_path / "r", force=False, quiet=True)
    found = carry_out("retrieval", None, target_agreement="95%", **options).figures
    size = found["target"]
    assert found["neurons"] == size["neurons"] and found["spiking"]["agreement_high"] >= 0.95 <= size["low"]
    assert 0.6 * size["spikes"] < found["spiking"]["spikes_a_decision"] < 1.6 * size["spikes"]
    with pytest.raises(fwbio.BadInput, match="choose one"):
        carry_out("retrieval", None, target_agreement="95%", target_error="5%", **{**options, "out": tmp_path / "s"})
