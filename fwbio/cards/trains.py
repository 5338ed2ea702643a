"""Spike trains of one's own: an ``.npz`` beside the card with the arrays t (s) and i, checked before anything is built."""

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from fwbio.errors import BadInput


def read(folder: Path, file: str, size: int, dt: float, duration: float, where: str) -> tuple[np.ndarray, np.ndarray]:
    """(step, i), ordered by neuron and then by time. A spike comes out in the step nearest to its time.

    Raises BadInput: no such file, pickled, missing array, wrong length, not finite, a time outside the protocol, an index that is no
    neuron, times out of order, two spikes of one neuron in one step.
    """
    where = f"{where}.spikes = {file!r}"
    if Path(file).name != file or not file.isprintable():
        raise BadInput(f"{where}: write a plain file name; the file stands beside the card")
    path = folder / file
    if not os.path.isfile(path):
        raise BadInput(f"{where}: no such file beside the card; write it with numpy.savez({file!r}, t=times_in_s, i=neurons)")
    try:
        with np.load(path, allow_pickle=False) as archive:
            t, i = (archive[name] if name in archive.files else None for name in ("t", "i"))
    except (ValueError, zipfile.BadZipFile, zlib.error, OSError, EOFError, AttributeError) as error:
        raise BadInput(f"{where}: not a plain .npz file ({error}); write it with numpy.savez") from None
    if t is None or i is None:
        raise BadInput(f"{where}: array '{'t' if t is None else 'i'}' is missing; t holds times in s, i the neuron of each")
    if t.ndim != 1 or t.shape != i.shape or len(t) == 0:
        raise BadInput(f"{where}: t has shape {t.shape} and i {i.shape}; one time and one neuron a spike are wanted")
    if t.dtype.kind not in "fiu" or not np.isfinite(t).all():
        raise BadInput(f"{where}: t holds something that is no finite number; it has times in s")
    if i.dtype.kind not in "iu":
        raise BadInput(f"{where}: i is {i.dtype}; neurons are whole numbers, for instance i.astype(int)")
    if i.min() < 0 or i.max() >= size:
        raise BadInput(f"{where}: i = {i[(i < 0) | (i >= size)][0]}: the population has neurons 0 to {size - 1}")
    if np.any(np.diff(t) < 0):
        raise BadInput(f"{where}: t falls at spike {int(np.argmax(np.diff(t) < 0)) + 1}; put the spikes in the order of time")
    step = np.round(t / dt).astype(np.int64)
    if step[0] < 0 or t[-1] >= duration:
        raise BadInput(f"{where}: t = {t[0] if step[0] < 0 else t[-1]:g} s is outside the protocol, 0 to {duration:g} s")
    order = np.lexsort((step, i))
    step, i = step[order], i[order].astype(np.int64)
    if len(twice := np.flatnonzero((np.diff(i) == 0) & (np.diff(step) == 0))):
        k = twice[0]
        raise BadInput(f"{where}: neuron {i[k]} fires twice at {step[k] * dt:g} s; one spike a time step of {dt * 1e3:g} ms is possible")
    return step, i


def shortest(step, i) -> int:
    """The shortest interval of one neuron in steps (very long if none fires twice)."""
    intervals = np.diff(step)[np.diff(i) == 0]
    return int(intervals.min(initial=np.iinfo(np.int32).max))
