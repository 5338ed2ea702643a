"""``fwbio compare`` as a user runs it: one process, one JSON object, one complete folder."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import fwbio

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler: Debian has it as g++")
FIGURES = {"raster.png", "hidden.png", "fast_weights.png", "decay.png"}


def compare(folder, *arguments):
    """The command's result, run in ``folder``."""
    command = [sys.executable, "-m", "fwbio", "compare", *arguments]
    paths = os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job")
    done = compare(folder, "retrieval", "--json", "--neurons", "20", "--trials", "75", "--seed", "4", "--out", "out")
    assert done.returncode == 0, done.stderr
    return folder / "out", json.loads(done.stdout)


@needs_compiler
def test_the_json_says_what_was_promised(job):
    _, found = job
    assert found["rnn"]["accuracy"] >= 0.98
    assert found["rate"]["agreement"] == 1.0
    assert found["spiking"]["agreement"] >= 0.9
    assert found["verdict"] in ("equivalent", "inconclusive") and "equivalent:" in found["rule"]
    assert found["seconds"]["build"] >= 0 and found["seconds"]["run"] > 0 and found["peak_memory_mb"] > 50


@needs_compiler
def test_the_hidden_error_is_the_predicted_one(job):
    """75 trials of 11 tokens and 50 units: the ratio scatters by about 3 %; 20 % is promised from n = 20 up."""
    spiking = job[1]["spiking"]
    assert 0.8 < spiking["hidden_rmse"] / spiking["hidden_rmse_predicted"] < 1.2
    assert 0.8 < spiking["counts_rmse"] / spiking["counts_rmse_predicted"] < 1.2
    assert job[1]["rate"]["hidden_rmse"] <= job[1]["rate"]["hidden_bound"] < 1e-4


@needs_compiler
def test_the_folder_is_complete_and_its_arrays_give_the_json_again(job):
    folder, found = job
    assert {p.name for p in folder.iterdir()} == FIGURES | {"run.json", "arrays.npz"}
    stored = fwbio.read(folder)
    arrays = stored["arrays"]
    assert stored["spiking"] == found["spiking"] and stored["versions"]["brian2"]
    assert (arrays["spiking_decisions"] == arrays["target"]).mean() == found["spiking"]["accuracy"]
    error = np.sqrt(np.mean((arrays["spiking_h"] - arrays["rnn_h"]) ** 2)) / arrays["rnn_h"].std()
    assert error == pytest.approx(found["spiking"]["hidden_rmse"], rel=1e-4)
    assert arrays["A_axon"].shape == (11, 50, 20, 50) and len(arrays["spike_t"]) > 3000
    pooled = arrays["A_axon"].mean(axis=2).transpose(0, 2, 1)
    assert np.allclose(pooled, arrays["spiking_A"][0], rtol=1e-4, atol=1e-4)


@needs_compiler
def test_the_spikes_that_are_saved_are_the_ones_that_decide(job):
    """Counting the saved spikes of the first trial's last phases gives the hidden state that the read-out saw."""
    arrays = fwbio.read(job[0])["arrays"]
    token, unit = arrays["spike_t"] // 0.1, arrays["spike_i"] // 20
    last = (arrays["spike_t"] + 1e-9) % 0.1 >= 0.05 - 1e-9
    counts = np.zeros((11, 50))
    np.add.at(counts, (((arrays["spike_t"] + 1e-9) // 0.1).astype(int)[last], unit[last]), 1)
    assert token.size == unit.size
    assert np.allclose(counts / (20 * 20 * 0.05), arrays["spiking_seen"][0], atol=1e-5)


@pytest.mark.full
@needs_compiler
def test_without_fast_weights_all_three_are_at_chance(tmp_path):
    """Chance is 10 %; of 75 trials more than 20 right has probability 2e-5."""
    done = compare(tmp_path, "retrieval", "--json", "--no-fast", "--neurons", "20", "--trials", "75", "--seed", "4", "--no-budget")
    found = json.loads(done.stdout)
    assert max(found[level]["accuracy"] for level in ("rnn", "rate", "spiking")) <= 20 / 75
    assert not found["fast"]


@needs_compiler
@pytest.mark.slow
def test_with_leaky_integrate_and_fire_neurons(tmp_path):
    done = compare(tmp_path, "retrieval", "--json", "--neuron", "lif", "--neurons", "20", "--trials", "50", "--no-budget")
    found = json.loads(done.stdout)
    assert found["spiking"]["agreement"] >= 0.9
    assert 0.8 < found["spiking"]["hidden_rmse"] / found["spiking"]["hidden_rmse_predicted"] < 1.2


@pytest.mark.full
@needs_compiler
def test_free_running_against_solve_ivp(tmp_path):
    """n = 160: the error of h is to be at most .11; it is near .03."""
    done = compare(tmp_path, "random_recurrent", "--json", "--trials", "6")
    found = json.loads(done.stdout)
    assert 0.01 < found["spiking"]["hidden_rmse"] <= 0.11
    assert 0.01 < found["spiking"]["A_error"] <= 0.11


@needs_compiler
def test_interrupting_leaves_no_folder_and_no_child_and_does_not_wait(tmp_path):
    """In the middle of batches that go on for some 6 s."""
    paths = os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "fwbio", "compare", "retrieval", "--neurons", "1000", "--trials", "50", "--seed", "77", "--out", "out"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths})
    said = ""
    while not re.search(r"spiking: +\d+%", said):
        said += (more := process.stderr.read(1))
        assert more, said
    time.sleep(1)
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True).stdout.split()
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    said += process.communicate(timeout=60)[1]
    assert time.monotonic() - before < 4
    assert process.returncode == 130
    assert children and not [pid for pid in children if os.path.exists(f"/proc/{pid}")]
    assert "Traceback" not in said and "interrupted" in said
    assert list(tmp_path.iterdir()) == []
