"""At the command line: bad input ends with exit code 2 and one message, at once, and leaves nothing behind; good input works.

Time is processor time of the command, which a busy machine does not lengthen.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from types import SimpleNamespace

import numpy as np
import pytest

from fwbio.cards import reader
from fwbio.results import read


def fwbio(*words, cwd, **environment):
    """Runs ``python -m fwbio WORDS`` in ``cwd``: code, out, err, seconds."""
    before = getrusage(RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "fwbio", *map(str, words)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, env={**os.environ, **environment})
    after = getrusage(RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr, seconds=seconds)


def tree(folder) -> dict:
    """Every path below ``folder``, with its contents."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def refused(*words, cwd, says):
    """One message that says ``says``, on standard error only, at once, and nothing left behind."""
    before = tree(cwd)
    end = fwbio(*words, cwd=cwd)
    assert (end.code, end.out, end.err.count("\n")) == (2, "", 1), end.err
    assert end.err.startswith("fwbio: ") and says in end.err and "Traceback" not in end.err
    assert tree(cwd) == before
    assert end.seconds < 2


def own_retrieval(folder, old="", new="", **arrays):
    """A copy of the retrieval card in ``folder``, with a piece of text or weights replaced (and sha256 put right)."""
    text = (reader.folder() / "retrieval.toml").read_text(encoding="utf-8")
    assert old in text
    with np.load(reader.folder() / "retrieval.npz") as shipped:
        np.savez(folder / "own.npz", **{**shipped, **arrays})
    sha256 = hashlib.sha256((folder / "own.npz").read_bytes()).hexdigest()
    text = text.replace(old, new, 1).replace('"retrieval.npz"', '"own.npz"').replace(reader.read("retrieval")["trained"]["sha256"], sha256)
    (folder / "own.toml").write_text(text, encoding="utf-8")


# --- refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words, says",
    [
        (["retreival"], "card 'retreival': no such card; did you mean 'retrieval'?"),
        (["../retrieval.toml"], "card ../retrieval.toml: no such file"),
        (["x" * 300 + ".toml"], "no such file"),
        (["hebbian"], "hebbian.toml is a synapse card"),
        (["retrieval", "--set", "fast.tau=5"], "projection.fast.tau = '5': needs a unit; write for instance 2 s, 200 ms"),
        (["retrieval", "--set", "fast.tau=200 mV"], "projection.fast.tau = '200 mV': wrong unit"),
        (["retrieval", "--set", "fast.tau=200 msec2"], "unknown unit 'msec2'"),
        (["retrieval", "--set", "fast.tau=0 s"], "use a value above 0"),
        (["retrieval", "--set", "fast.tau=nan"], "projection.fast.tau = 'nan'"),
        (["retrieval", "--set", "fast.tau=1e999 s"], "not finite"),
        (["retrieval", "--set", "fast.tau="], "projection.fast.bind.tau = ''"),
        (["retrieval", "--set", "fast.tau"], "--set fast.tau: write NAME=VALUE"),
        (["retrieval", "--set", "tau_fac=5 s"], "'tau_fac' is not a parameter of this card"),
        (["retrieval", "--set", "name=../../x"], "'name' is not a parameter of this card"),
        (["retrieval", "--set", "population.unit.phi=__import__('os').system('touch bad')"], "phi"),
        (["retrieval", "--neurons", "-5"], "neurons = -5: use a whole number from 1"),
        (["retrieval", "--neurons", "2.5"], "neurons = '2.5': use a whole number from 1"),
        (["retrieval", "--neurons", "0"], "neurons = 0: use a whole number from 1"),
        (["retrieval", "--neurons", "nan"], "neurons = 'nan': use a whole number from 1"),
        (["retrieval", "--neurons", ""], "neurons = '': use a whole number from 1"),
        (["retrieval", "--neuron", "lfi"], "neuron = 'lfi': no such card; did you mean 'lif'?; neuron cards are lif, poisson"),
        (["retrieval", "--neuron", ""], "card ''"),
        (["retrieval", "--neuron", "hebbian"], "'hebbian' is not a neuron card; neuron cards are "),
        (["retrieval", "--trials", "0"], "trials = 0: use a whole number from 1"),
        (["retrieval", "--trials", "1e999"], "trials = '1e999': use a whole number from 1"),
        (["retrieval", "--seed", "-1"], "seed = -1: use a whole number from 0"),
        (["retrieval", "--seed", "4294967296"], "seed = 4294967296: use a whole number from 0 to 2,147,483,647"),
        (["retrieval", "--out", "/proc/out"], "--out /proc/out: /proc cannot be written to"),
        (["retrieval", "--out", "."], "--out ."),
        (["retrieval", "--out", "n" * 300], "too long"),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, list) else "",
)
@pytest.mark.parametrize("command", ["run", "compare"])
def test_a_bad_word_is_refused(tmp_path, command, words, says):
    refused(command, *words, cwd=tmp_path, says=says)


def test_a_results_folder_in_the_way_is_refused_and_untouched(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").write_text("mine")
    refused("run", "retrieval", "--out", "full", cwd=tmp_path, says="--out full: the folder is not empty; name another, or add --force")
    refused("run", "retrieval", "--out", "full/mine", cwd=tmp_path, says="--out full/mine: this is a file; name a folder")
    refused("run", "retrieval", "--out", "full/mine", "--force", cwd=tmp_path, says="this is a file")


@pytest.mark.parametrize("command", ["run", "compare", "check"])
def test_weights_that_are_not_finite_are_refused(tmp_path, command):
    W = np.zeros((50, 50))
    W[3, 7] = np.nan
    own_retrieval(tmp_path, W=W)
    refused(command, "own.toml", cwd=tmp_path, says="own.npz: W[3, 7] = nan; weights must be finite")


class Touch:
    """Leaves a file behind if it is ever unpickled."""

    def __reduce__(self):
        return os.mkdir, ("unpickled",)


@pytest.mark.parametrize("command", ["run", "compare", "check"])
def test_pickled_weights_are_refused_unread(tmp_path, command):
    own_retrieval(tmp_path, W=np.array([[Touch()]], dtype=object))
    refused(command, "own.toml", cwd=tmp_path, says="pickled objects are never loaded")


@pytest.mark.parametrize("command", ["run", "compare", "check", "show"])
def test_a_damaged_card_is_refused(tmp_path, command):
    own_retrieval(tmp_path, 'reset  = "trial"', "reset  = trial")
    refused(command, "own.toml", cwd=tmp_path, says="own.toml: not TOML: Invalid value (at line ")
    own_retrieval(tmp_path, "pairs  = 4", "paris  = 4")
    refused(command, "own.toml", cwd=tmp_path, says="own.toml: unknown key 'protocol.paris'; did you mean 'pairs'?")


def test_other_commands_refuse_too(tmp_path):
    (tmp_path / "mine.toml").write_text("mine")
    refused("show", "nothing", cwd=tmp_path, says="card 'nothing': no such card")
    refused("check", "retrieval", "--set", "fast.tau=5", cwd=tmp_path, says="needs a unit")
    refused("new", "mine", cwd=tmp_path, says="mine.toml exists")
    refused("new", "../mine", cwd=tmp_path, says="a card's name has letters")
    refused("new", "other", "--from", "nothing", cwd=tmp_path, says="no such card")
    refused("train", "retrieval", "--epochs", "0", cwd=tmp_path, says="--epochs = 0: use a whole number from 1")


def test_a_copy_into_a_folder_that_cannot_be_written_is_refused():
    end = fwbio("new", "mine", cwd="/proc")
    assert end.code == 2 and end.err.startswith("fwbio: ") and end.err.count("\n") == 1


# --- what works ------------------------------------------------------------------------------------------------------


def test_help_answers_at_once(tmp_path):
    tries = [fwbio("--help", cwd=tmp_path) for _ in range(3)]
    assert all(end.code == 0 and "fwbio compare retrieval" in end.out for end in tries)
    assert min(end.seconds for end in tries) < 0.3


def test_models_lists_every_card(tmp_path):
    end = fwbio("models", cwd=tmp_path)
    assert (end.code, end.err) == (0, "")
    assert [line.split()[0] for line in end.out.splitlines()] == list(reader.shipped())


def test_show_prints_the_card_even_to_a_plain_terminal(tmp_path):
    end = fwbio("show", "retrieval", cwd=tmp_path, LC_ALL="C", TERM="dumb")
    assert (end.code, end.err) == (0, "") and "10.48550/arXiv.1610.06258" in end.out and "\x1b" not in end.out


def test_a_new_card_can_be_checked_and_run_where_it_stands(tmp_path):
    end = fwbio("new", "mine", cwd=tmp_path)
    assert (end.code, end.err) == (0, "") and sorted(tree(tmp_path)) == ["mine.toml", "retrieval.npz"]
    assert "fine" in fwbio("check", "mine.toml", cwd=tmp_path).out
    assert fwbio("run", "mine.toml", "--level", "rnn", "--trials", 3, "--out", "out", cwd=tmp_path).code == 0
    assert read(tmp_path / "out")["card"] == "mine"


def test_a_results_folder_may_have_spaces_and_foreign_letters(tmp_path):
    name = "a ü b"
    end = fwbio("run", "retrieval", "--level", "rnn", "--trials", 3, "--out", name, cwd=tmp_path)
    assert end.code == 0 and f"figures and arrays in {name}" in end.out and "Traceback" not in end.err
    found = read(tmp_path / name)
    assert found["trials"] == 3 and found["arrays"]["rnn_decisions"].shape == (3,)
    assert [path.name for path in Path(tmp_path).iterdir()] == [name]


def test_json_is_all_there_is_on_standard_output(tmp_path):
    end = fwbio("run", "retrieval", "--level", "rnn", "--trials", 3, "--json", "--out", "out", cwd=tmp_path)
    assert (end.code, end.err) == (0, "") and json.loads(end.out)["folder"] == "out"
    refused("run", "retrieval", "--level", "rnn", "--json", "--out", "out", cwd=tmp_path, says="not empty")
    assert fwbio("run", "retrieval", "--level", "rnn", "--trials", 2, "--force", "--out", "out", cwd=tmp_path).code == 0
    assert read(tmp_path / "out")["trials"] == 2


def test_a_reader_that_goes_away_is_no_fault(tmp_path):
    """`fwbio show CARD | head -1`, and a standard output that is closed from the start."""
    for line in ("fwbio show retrieval | head -1", "fwbio models >&-", "fwbio show retrieval --json | head -c 1"):
        end = subprocess.run(
            ["bash", "-c", line.replace("fwbio", f"{sys.executable} -m fwbio", 1)], capture_output=True, text=True, cwd=tmp_path
        )
        assert "Traceback" not in end.stderr and "Exception" not in end.stderr and "\x1b" not in end.stdout + end.stderr, line
