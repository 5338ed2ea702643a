"""Trials without reset: several sequences in a row, h and A kept, each asked at its end, in all three descriptions."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

import fwbio
from fwbio import describe, figures, interference, job, tasks
from fwbio.cards import reader
from fwbio.cards.check import check, estimate
from fwbio.comparison import doubt, effective
from fwbio.errors import BadInput
from fwbio.rnn import layer_norm, relu
from fwbio.spiking import batches

NEVER = {"protocol.reset": "never"}
ROW = tasks.retrieval(4, trials=3, seed=5, sequences=4, warm=1)


# --- the task --------------------------------------------------------------------------------------------------------------


def test_a_row_holds_the_same_sequences_as_single_trials():
    single = tasks.retrieval(4, trials=12, seed=5)
    assert ROW.tokens.shape == (3, 44) and ROW.trials == 3
    np.testing.assert_array_equal(ROW.tokens.reshape(12, 11), single.tokens)
    np.testing.assert_array_equal(ROW.target.reshape(3, 3), single.target.reshape(3, 4)[:, 1:])
    assert ROW.asked.tolist() == [21, 32, 43] and ROW.since == 33
    assert [ROW.text(k) for k in range(3)] == [single.text(k) for k in (3, 7, 11)]


def test_a_single_sequence_is_asked_at_its_end_and_kept_whole():
    single = tasks.retrieval(4, 2, seed=1)
    assert single.asked.tolist() == [10] and single.since == 0 and len(single.text(0)) == 11


@pytest.mark.parametrize("wrong", [{"sequences": 0}, {"sequences": 2.5}, {"sequences": 3, "warm": 3}, {"warm": 1}, {"warm": -1}])
def test_refuses(wrong):
    with pytest.raises(BadInput, match="|".join(wrong)):
        tasks.retrieval(4, 2, **wrong)


@pytest.mark.parametrize("tau, warm", [("0.1 s", 1), ("0.949122158102991 s", 3), ("2 s", 6), ("300 s", 10)])
def test_what_comes_before_three_time_constants_is_not_asked_but_half_is(tau, warm):
    """Three tau are 3 tau/1.1 s sequences: 0.3, 2.6, 5.5, 818; of 20, at most 10 are left out."""
    task = tasks.of(fwbio.load("retrieval", set={**NEVER, "fast.tau": tau}), trials=2)
    assert (task.sequences, task.warm, len(task.target)) == (20, warm, 2 * (20 - warm))


def test_the_card_says_how_many_in_a_row():
    assert tasks.of(fwbio.load("retrieval", set={**NEVER, "protocol.sequences": "5"}), trials=2).tokens.shape == (2, 55)
    assert tasks.of(fwbio.load("retrieval"), trials=2).sequences == 1
    with pytest.raises(BadInput, match="sequences"):
        tasks.of(fwbio.load("retrieval", set={**NEVER, "protocol.sequences": "0"}), trials=2)


@pytest.mark.parametrize("card, key", [("retrieval", "sequences"), ("random_recurrent", "task")])
def test_a_card_that_cannot_go_without_reset_is_refused_in_words(monkeypatch, card, key):
    tables = reader.read(card)
    tables["protocol"].pop(key, None)
    tables["protocol"]["reset"] = "never"
    network = replace(fwbio.load(card), card=tables)
    with pytest.raises(BadInput, match=f"add {key} = "):
        tasks.of(network, trials=2)


# --- the RNN ---------------------------------------------------------------------------------------------------------------


def test_every_decision_is_that_of_the_row_cut_off_there():
    network = fwbio.load("retrieval")
    found = fwbio.run(network, ROW, "rnn")
    assert found.logits.shape == (9, 10) and found.A.shape == (3, 11, 50, 50)
    for k, end in enumerate(ROW.asked):
        h = describe.discrete(network, ROW.x(network)[:, : end + 1], keep=0).h
        np.testing.assert_allclose(describe.read_out(network, h[:, [-1]]), found.logits.reshape(3, 3, 10)[:, k], rtol=1e-12, atol=1e-10)


def test_A_holds_what_every_token_of_the_row_wrote():
    """The sum over the whole past (eq. 4) against the kept matrix (eq. 3): round-off of 44 terms."""
    network = fwbio.load("retrieval")
    found = fwbio.run(network, ROW, "rnn")
    age = np.arange(43, -1, -1)
    wanted = network.eta * np.einsum("t,kti,ktj->kij", network.lam**age, found.h, found.h)
    np.testing.assert_allclose(found.A[:, -1], wanted, rtol=0, atol=1e-13 * wanted.max())


def test_older_sequences_interfere_and_the_first_one_has_none():
    """1,000 sequences in 50 rows: the first of a row decides as a single trial does, bit for bit; later ones lose 5 points or more.

    Near 100 % and 87 %: of 950 decisions more than 95 % right has probability below 1e-9.
    """
    network = fwbio.load("retrieval")
    row = fwbio.run(network, tasks.retrieval(4, 50, seed=2, sequences=20), "rnn")
    single = fwbio.run(network, tasks.retrieval(4, 1000, seed=2), "rnn")
    np.testing.assert_array_equal(row.logits[::20], single.logits[::20])
    assert single.accuracy > 0.99 and row.right[:, 1:].mean() < 0.95


def test_a_read_is_split_by_who_wrote_it():
    network = fwbio.load("retrieval")
    read, trace = interference.split(network, ROW), fwbio.run(network, ROW, "rnn")
    first = network.norm_first.values
    query = relu(layer_norm(read.z, first["gain"], first["bias"], first["eps"]))
    wanted = np.einsum("kij,kj->ki", trace.A[:, -2], query)
    np.testing.assert_allclose(read.own + read.older, wanted, rtol=0, atol=1e-12 * wanted.max())
    before = network.lam**10 * np.einsum("kij,kj->ki", describe.discrete(network, ROW.x(network)[:, :33]).A[:, -1], query)
    np.testing.assert_allclose(read.older, before, rtol=0, atol=1e-12 * wanted.max())
    assert before.max() > 0.01 * wanted.max()
    assert not interference.split(network, tasks.retrieval(4, 5)).older.any()


# --- spikes, and all three -------------------------------------------------------------------------------------------------

SHORT = tasks.retrieval(2, trials=2, seed=3, sequences=3, warm=1)


@pytest.fixture(scope="module")
def compared():
    network = fwbio.load("retrieval", neurons=10)
    options = {"spiking": {"target": "numpy", "batch": 2}}
    return fwbio.compare(*(fwbio.run(network, SHORT, level, seed=1, **options.get(level, {})) for level in describe.LEVELS))


def test_recording_from_the_last_sequence_on_changes_nothing_else(compared):
    """The same seed without the unrecorded stretch: the same h, and its spikes and weights are the tail."""
    short = compared.runs["spiking"]
    network = short.network
    whole = batches.run(network, SHORT.x(network), seed=1, target="numpy", batch=2)
    np.testing.assert_array_equal(short.h, whole.h)
    np.testing.assert_array_equal(short.spikes.seen, whole.seen)
    np.testing.assert_array_equal(short.A, whole.A[:, SHORT.since :])
    np.testing.assert_array_equal(short.spikes.A_axon, whole.A_axon[SHORT.since :])
    late = whole.spike_t >= SHORT.since * network.token - network.dt / 2
    assert 100 < late.sum() < 0.6 * len(late)
    np.testing.assert_array_equal(short.spikes.spike_t, whole.spike_t[late])
    np.testing.assert_array_equal(short.spikes.spike_i, whole.spike_i[late])


def test_the_three_descriptions_of_a_row(compared):
    f = compared.figures
    assert (f["trials"], f["sequences"], f["left_out"], f["decisions"]) == (2, 3, 1, 4)
    assert f["rate"]["agreement"] == 1 and f["rate"]["hidden_rmse"] <= f["rate"]["hidden_bound"] < 1e-3
    assert 0.5 < f["spiking"]["hidden_rmse"] / f["spiking"]["hidden_rmse_predicted"] < 2
    assert f["rate"]["A_error"] < 1e-9 and 0.01 < f["spiking"]["A_error"] < 1
    assert "3 sequences without reset (first 1 not asked; A would be stationary after 4)" in str(compared)


def test_figures_and_arrays_of_a_row(compared):
    pictures = figures.of(compared)
    assert set(pictures) == {"hidden.png", "raster.png", "decay.png", "fast_weights.png"}
    (axes,) = pictures["raster.png"].axes
    assert "".join(text.get_text() for text in axes.texts) == SHORT.text(0)
    assert len(axes.lines[0].get_xdata()) > 50  # spikes that are in sight
    assert 0 <= min(axes.lines[0].get_xdata()) and max(axes.lines[0].get_xdata()) <= 700
    for line in pictures["decay.png"].axes[0].lines[:2]:  # RNN and rate lie on exp(-t/tau)
        np.testing.assert_allclose(line.get_ydata(), np.exp(-line.get_xdata() / compared.runs["rnn"].network.tau), atol=1e-6)
    found = job.arrays(compared.runs, SHORT)
    assert found["spiking_A"].shape[1] == found["rnn_A"].shape[1] == 7
    assert len(found["target"]) == len(found["spiking_decisions"]) == 4 and found["tokens"].shape == (2, 21)


def test_cost_and_memory_grow_with_the_row_but_not_what_is_recorded_of_it():
    one, row = (estimate(fwbio.load("retrieval", set=change), 100) for change in ({}, {**NEVER, "protocol.sequences": "100"}))
    assert row[1] == pytest.approx(100 * one[1])
    assert one[0] < row[0] < 2 * one[0] + 500
    assert "trials of 20 sequences in a row, the first 3 not asked" in check("retrieval", set=NEVER)[1]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler: Debian has it as g++")
def test_compiled_without_reset():
    """50 rows of 8: the spiking accuracy is the RNN's but for the few decisions that noise turns (4 s.e. of the paired difference)."""
    network = fwbio.load("retrieval", neurons=50, set={**NEVER, "protocol.sequences": "8"})
    task = tasks.of(network, trials=50, seed=1)
    found = fwbio.compare(*(fwbio.run(network, task, level, seed=1) for level in ("rnn", "spiking"))).figures["spiking"]
    assert 0.8 < found["hidden_rmse"] / found["hidden_rmse_predicted"] < 1.2
    assert found["agreement"] > 0.9
    assert abs(found["accuracy"] - found["accuracy_predicted"]) < 2.05 * 2**0.5 * found["accuracy_difference_doubt"] + 0.01


# --- intervals -------------------------------------------------------------------------------------------------------------


def test_decisions_of_one_trial_count_for_what_they_are_worth():
    rng = np.random.default_rng(3)
    assert effective(rng.random((500, 1)) < 0.9) == 500
    assert effective(np.ones((5, 20), bool)) == 100 and effective(np.array([[True, False, True]])) == 1
    alike = np.repeat(rng.random((400, 1)) < 0.8, 10, axis=1)  # ten times the same decision is worth one
    assert effective(alike) == pytest.approx(400, rel=0.01)
    assert effective(rng.random((400, 10)) < 0.8) > 3000  # independent ones are worth 4,000 but for 4 s.e. of a variance, 28 %


def test_the_interval_of_a_mean_covers_it():
    """2,000 experiments of 40 trials whose 5 decisions share half of their chance: 95 % ± 4 s.e. (2 points), less 1 for Gauss at 40."""
    rng = np.random.default_rng(4)
    p = rng.uniform(0.2, 1.0, (2000, 40, 1))
    right = rng.random((2000, 40, 5)) < p
    hits = np.mean([abs(r.mean() - 0.6) <= doubt(r) for r in right])
    assert 0.92 < hits < 0.97
