"""Trained weights: read without pickle, checked before anything is built, refused with the place of the fault."""

import hashlib
import io
import pickle
import random
import zipfile

import numpy as np
import pytest

from fwbio.cards import reader, weights
from fwbio.errors import BadInput

AXES = {"W": ["unit", "unit"], "b": ["unit"]}
W, B = np.arange(9.0).reshape(3, 3), np.ones(3)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "own.npz"


def refused(path, axes=AXES, sha256=None) -> str:
    """The message, which names the file."""
    with pytest.raises(BadInput) as fault:
        weights.read(path, axes, sha256)
    assert str(fault.value).startswith(f"{path}: ")
    return str(fault.value)


def zipped(path, **members):
    """A zip archive of raw bytes, for what numpy.savez would not write."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def header(shape) -> bytes:
    """An .npy file that promises ``shape`` and holds nothing."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue()


# --- what is accepted ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_was_saved_is_read_as_float64(path, save, dtype):
    save(path, W=W.astype(dtype), b=B.astype(dtype), more=np.array("not asked for"))
    found = weights.read(path, AXES, hashlib.sha256(path.read_bytes()).hexdigest())
    assert found.keys() == AXES.keys() and all(a.dtype == np.float64 for a in found.values())
    assert np.array_equal(found["W"], W) and np.array_equal(found["b"], B)


def trained_cards():
    return [name for name in reader.shipped() if "trained" in reader.read(name)]


def test_every_shipped_weights_file_is_the_one_its_card_describes():
    for name in trained_cards():
        told = reader.read(name)["trained"]
        assert weights.read(reader.folder() / told["file"], told["axes"], told["sha256"]).keys() == told["axes"].keys()
    assert trained_cards()


# --- what is refused -------------------------------------------------------------------------------------------------


def test_lengths_that_disagree_are_both_named(path):
    np.savez(path, W=np.zeros((3, 4)), b=B)
    assert "W has shape (3, 4): axis 'unit' is 4, but W makes it 3" in refused(path)
    np.savez(path, W=W, b=np.zeros(5))
    assert "b has shape (5,): axis 'unit' is 5, but W makes it 3" in refused(path)


def test_the_wrong_number_of_axes_is_shown_beside_the_right_one(path):
    np.savez(path, W=W, b=W)
    assert "b has shape (3, 3), but the card says axes ['unit']" in refused(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_located(path, bad):
    spoilt = W.copy()
    spoilt[1, 2] = bad
    np.savez(path, W=spoilt, b=B)
    assert f"W[1, 2] = {bad}" in refused(path)


@pytest.mark.parametrize("dtype", ["float16", "int64", "complex128", "bool", ">f8", "U3"])
def test_other_types_of_number_are_refused(path, dtype):
    np.savez(path, W=W.astype(dtype), b=B)
    assert "use float64" in refused(path)


def test_a_missing_array_is_named_with_the_nearest(path):
    np.savez(path, W=W, b0=B)
    assert "array 'b' is missing; did you mean 'b0'?" in refused(path)


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_pickled_objects_are_never_loaded(path, tmp_path):
    mark = tmp_path / "loaded"
    np.savez(path, W=np.array([Bomb(mark)], dtype=object), b=B)
    assert "pickled objects are never loaded" in refused(path)
    path.write_bytes(pickle.dumps({"W": Bomb(mark)}))
    assert "not a complete .npz" in refused(path)
    zipped(path, W=pickle.dumps(Bomb(mark)), b=pickle.dumps(B))
    refused(path)
    assert not mark.exists()


def test_a_zip_bomb_is_refused_by_its_declared_size(path, monkeypatch):
    monkeypatch.setattr(weights, "LARGEST", 10_000)
    monkeypatch.setattr(np, "load", lambda *a, **k: pytest.fail("read before its size was known"))
    zipped(path, W=bytes(10_001))
    assert path.stat().st_size < 1000 and "10,001 bytes unpacked; at most 10,000" in refused(path)


@pytest.mark.parametrize("shape", [(10**6, 10**8), (2**31, 2**31), (3, 3)])
def test_an_array_that_promises_more_than_the_file_holds_is_refused(path, shape):
    zipped(path, W=header(shape), b=header((3,)))
    refused(path)


def test_a_member_that_is_no_array_is_refused(path):
    zipped(path, W=b"some text", b=header((3,)) + B.tobytes())
    assert "W is not an array" in refused(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"some text"])
def test_a_file_that_is_no_archive_is_refused(path, content):
    path.write_bytes(content)
    assert "not a complete .npz file" in refused(path)


def test_no_such_file(path):
    assert "no such weights file" in refused(path)
    assert "no such weights file" in refused(path.with_name("x" * 300))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_truncated_file_is_refused_wherever_it_was_cut(path, save):
    save(path, W=W, b=B)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        refused(path)


def test_one_flipped_bit_anywhere_is_refused(path):
    np.savez_compressed(path, W=np.random.default_rng(0).normal(size=(3, 3)), b=B)
    whole, chance = path.read_bytes(), random.Random(0)
    sha256 = hashlib.sha256(whole).hexdigest()
    weights.read(path, AXES, sha256)
    for _ in range(400):
        spoilt = bytearray(whole)
        spoilt[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(spoilt)
        refused(path, sha256=sha256)


def test_another_file_than_the_card_describes_is_refused(path):
    np.savez(path, W=W, b=B)
    assert "sha256 differs" in refused(path, sha256="0" * 64)
