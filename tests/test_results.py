"""Results folders: whole or not there at all, never replaced unasked, and read back as they were written."""

import json
import os
import re
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fwbio import results
from fwbio.errors import BadInput

NETWORK = SimpleNamespace(card={"name": "own", "title": "Ü"})
FIGURES = {"card": "own", "accuracy": 0.875, "nested": {"list": [1, 2], "none": None, "text": "ä"}}
ARRAYS = {"h": np.linspace(0, 1, 7).reshape(1, 7), "kept": np.array([True, False]), "empty": np.zeros((0, 3), np.float32)}


class Picture:
    """Stands for a matplotlib figure."""

    def __init__(self, fault=None):
        self.fault = fault

    def savefig(self, path, dpi):
        path.write_text("picture")
        if self.fault:
            raise self.fault


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def write(folder, **changed):
    results.write(folder, **{"figures": FIGURES, "arrays": ARRAYS, "pictures": {"rates.png": Picture()}, "network": NETWORK, **changed})


def tree(folder) -> dict:
    """Every path below ``folder``, with its contents."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


# --- what is written is what is read ---------------------------------------------------------------------------------


def test_what_was_written_is_read_back(here):
    write(here / "out")
    found = results.read(here / "out")
    assert {key: found[key] for key in FIGURES} == FIGURES and found["card_tables"] == NETWORK.card
    assert found["arrays"].keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found["arrays"][name].dtype == array.dtype and np.array_equal(found["arrays"][name], array)
    assert sorted(tree(here)) == ["out", "out/arrays.npz", "out/rates.png", "out/run.json"]


def test_the_folder_says_what_computed_it_and_others_may_read_it(here):
    write(here / "out")
    told = json.loads((here / "out/run.json").read_text())
    assert told["versions"]["numpy"] == np.__version__ and told["written"].endswith("+00:00")
    assert (here / "out").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("spoil", ["run.json", "arrays.npz"])
@pytest.mark.parametrize("share", [0, 0.5])
def test_a_damaged_folder_is_refused(here, spoil, share):
    write(here / "out")
    whole = (here / "out" / spoil).read_bytes()
    (here / "out" / spoil).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(BadInput, match="damaged or incomplete"):
        results.read(here / "out")


def test_an_incomplete_or_foreign_folder_is_refused(here):
    with pytest.raises(BadInput, match="no run.json there"):
        results.read(here)
    write(here / "out")
    (here / "out/arrays.npz").unlink()
    with pytest.raises(BadInput, match="damaged or incomplete"):
        results.read(here / "out")


# --- whole or not at all ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [ValueError, OSError(28, "No space left on device"), KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("folder", ["out", "new/deep/out", "old"])
def test_nothing_half_written_is_left_and_nothing_is_lost(here, fault, folder):
    write(here / "old")
    before = tree(here)
    with pytest.raises(fault if isinstance(fault, type) else type(fault)):
        write(here / folder, pictures={"rates.png": Picture(fault)})
    assert tree(here) == before


def test_figures_that_json_does_not_know_leave_nothing(here):
    with pytest.raises(TypeError):
        write(here / "out", figures={"bad": object()})
    assert tree(here) == {}


@pytest.mark.parametrize("failing", [1, 2])
def test_the_old_folder_comes_back_when_the_new_one_cannot_take_its_place(here, monkeypatch, failing):
    write(here / "out")
    before, replace, calls = tree(here), os.replace, []

    def fails_once(source, target):
        calls.append(source)
        if len(calls) == failing:
            raise OSError(16, "Device or resource busy")
        return replace(source, target)

    monkeypatch.setattr(os, "replace", fails_once)
    with pytest.raises(OSError):
        write(here / "out", figures={"new": 1})
    assert tree(here) == before


def test_the_folder_is_not_there_before_the_block_ends(here):
    with results.publishing(here / "out") as scratch:
        (scratch / "file").write_text("text")
        assert not (here / "out").exists() and scratch.parent == here
    assert tree(here) == {"out": None, "out/file": b"text"}


def test_a_folder_is_replaced_as_a_whole(here):
    (here / "out").mkdir()
    (here / "out/left over").write_text("old")
    write(here / "out")
    assert sorted(tree(here)) == ["out", "out/arrays.npz", "out/rates.png", "out/run.json"]


@pytest.mark.parametrize("name", ["a ü b", "名", "n" * 250, "new/deep/out"])
def test_spaces_foreign_letters_long_names_and_new_folders_are_fine(here, name):
    write(results.claim(name, "own"))
    assert results.read(here / name)["accuracy"] == FIGURES["accuracy"]


# --- claiming a folder: before anything is computed ------------------------------------------------------------------


def claim_is_refused(out, says, force=False):
    with pytest.raises(BadInput, match=says) as fault:
        results.claim(out, "own", force)
    assert str(fault.value).startswith("--out ")


def test_claiming_creates_nothing(here):
    assert results.claim("new/out", "own") == Path("new/out")
    assert tree(here) == {}


def test_without_a_name_the_folder_is_called_after_card_and_time():
    first, second = (str(results.claim(None, "own")) for _ in range(2))
    assert re.fullmatch(r"results/own-\d{8}-\d{6}-\d{6}", first) and first != second  # two started in one second keep apart


def test_a_folder_that_is_not_empty_needs_force(here):
    write(here / "out")
    before = tree(here)
    claim_is_refused("out", "not empty; name another, or add --force")
    assert results.claim("out", "own", force=True) == Path("out") and tree(here) == before


def test_an_empty_folder_needs_no_force(here):
    (here / "out").mkdir()
    assert results.claim("out", "own") == Path("out")


def test_a_file_in_the_way_is_refused_also_with_force(here):
    (here / "file").write_text("mine")
    (here / "dangling").symlink_to("nowhere")
    for force in (False, True):
        claim_is_refused("file", "this is a file", force)
        claim_is_refused("file/out", "is a file, not a folder", force)
        claim_is_refused("dangling", "this is a file", force)
    assert (here / "file").read_text() == "mine"


@pytest.mark.parametrize("out", [".", "", "..", "/", "../here"])
def test_the_folder_one_stands_in_is_never_replaced(out):
    claim_is_refused(out, "", force=False)
    claim_is_refused(out, "cannot be replaced as a whole", force=True)


@pytest.mark.parametrize(
    "out, says", [("/proc/out", "/proc cannot be written to"), ("/proc/self/out/deep", "cannot be written"), ("n" * 300, "too long")]
)
def test_a_folder_that_cannot_be_made_is_refused(out, says):
    claim_is_refused(out, says)


def test_the_folder_beside_which_it_is_prepared_must_be_writable(here, monkeypatch):
    (here / "locked/out").mkdir(parents=True)
    make = tempfile.TemporaryFile

    def only_elsewhere(dir):
        if dir.name == "locked":
            raise PermissionError
        return make(dir=dir)

    monkeypatch.setattr(tempfile, "TemporaryFile", only_elsewhere)
    claim_is_refused("locked/out", "locked cannot be written to")
