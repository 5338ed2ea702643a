"""Trained weights beside a card: an ``.npz`` that is read without pickle and checked before anything is built."""

import hashlib
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from fwbio.errors import BadInput, nearest

LARGEST = 200_000_000  # bytes after unpacking


def unpacked_size(path: Path) -> int:
    """Bytes of a zip archive after unpacking. Raises BadInput if they are more than LARGEST or the archive is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
    except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
        raise BadInput(f"{path}: not a complete {path.suffix} file ({error}); save it again") from None
    if size > LARGEST:
        raise BadInput(f"{path}: {size:,} bytes unpacked; at most {LARGEST:,} are read")
    return size


def unpack(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` by name. Raises BadInput: pickled, truncated, too large."""
    unpacked_size(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except ValueError as error:
        raise BadInput(f"{path}: {error}; save plain numeric arrays with numpy.savez (pickled objects are never loaded)") from None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, KeyError, MemoryError, RuntimeError) as error:
        raise BadInput(f"{path}: not a complete .npz file ({error}); save it again with numpy.savez") from None


def read(path: Path, axes: dict[str, list[str]], sha256: str | None = None) -> dict[str, np.ndarray]:
    """Arrays by name, float64, with the shapes that ``axes`` says.

    axes : for each array the names of its axes, for instance ``{"W": ["unit", "unit"]}``; an axis name has one length

    Raises BadInput: no such file, pickled, truncated, too large, float16, NaN, missing array, shapes that do not match.
    """
    if not os.path.isfile(path):
        raise BadInput(f"{path}: no such weights file; the card's [trained] file stands beside the card")
    arrays = unpack(path)
    lengths: dict[str, tuple[int, str]] = {}
    for name, axis_names in axes.items():
        if name not in arrays:
            raise BadInput(f"{path}: array '{name}' is missing{nearest(name, arrays)}")
        array = arrays[name]
        if not isinstance(array, np.ndarray):
            raise BadInput(f"{path}: {name} is not an array; save it again with numpy.savez")
        if array.dtype not in (np.float32, np.float64):
            raise BadInput(f"{path}: {name} is {array.dtype}; use float64 (or float32)")
        if array.ndim != len(axis_names):
            raise BadInput(f"{path}: {name} has shape {array.shape}, but the card says axes {axis_names}")
        for axis, length in zip(axis_names, array.shape, strict=True):
            first = lengths.setdefault(axis, (length, name))
            if first[0] != length:
                raise BadInput(f"{path}: {name} has shape {array.shape}: axis '{axis}' is {length}, but {first[1]} makes it {first[0]}")
        if not np.isfinite(array).all():
            where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
            raise BadInput(f"{path}: {name}{list(where)} = {array[where]}; weights must be finite")
    if sha256 is not None and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise BadInput(
            f"{path}: the file is not the one the card describes (sha256 differs); train again or put the new sha256 into the card"
        )
    return {name: np.ascontiguousarray(arrays[name], dtype=np.float64) for name in axes}
