"""Results folders: ``run.json``, ``arrays.npz`` and figures, written elsewhere and renamed into place when complete."""

import json
import os
import platform
import shutil
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from fwbio.errors import BadInput


def claim(out, card: str, force: bool = False) -> Path:
    """The folder to write to, checked before anything is computed.

    out : a path, or None for ``results/CARD-DATE-TIME``. Raises BadInput if it is a file, not empty (without ``force``) or
    cannot be written.
    """
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")  # to the microsecond: two runs of one card started together keep apart
    folder = Path(out) if out is not None else Path("results") / f"{Path(card).stem}-{stamp}"
    try:
        folder.exists(), folder.resolve()
    except OSError as error:
        raise BadInput(f"--out {folder}: {error.strerror}; name another") from None
    if os.path.lexists(folder) and not folder.is_dir():
        raise BadInput(f"--out {folder}: this is a file; name a folder")
    if Path.cwd().is_relative_to(folder.resolve()) or os.path.ismount(folder):
        raise BadInput(f"--out {folder}: this folder is in use and cannot be replaced as a whole; name a new one inside it")
    if folder.is_dir() and any(folder.iterdir()):
        if not force:
            raise BadInput(f"--out {folder}: the folder is not empty; name another, or add --force to replace it")
        if not any((folder / name).is_file() for name in ("run.json", "log.jsonl")):
            raise BadInput(f"--out {folder}: --force replaces results of fwbio only, and this folder holds something else; name another")
    parent = folder.parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise BadInput(f"--out {folder}: {parent} is a file, not a folder; name another")
    if not os.access(parent, os.W_OK | os.X_OK) or not writable(parent):
        raise BadInput(f"--out {folder}: {parent} cannot be written to; name a folder of your own")
    return folder


def writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@contextmanager
def publishing(folder: Path):
    """A scratch folder beside ``folder`` that takes its place when the block ends well, and disappears when it does not."""
    made = [p for p in [folder.parent, *folder.parent.parents] if not p.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".fwbio-", dir=folder.parent))
    try:
        yield scratch
        os.chmod(scratch, 0o755)
        if folder.exists():
            swap(scratch, folder)
        else:
            os.replace(scratch, folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        for parent in made:
            if parent.exists() and not any(parent.iterdir()):
                parent.rmdir()
        raise


def swap(scratch: Path, folder: Path) -> None:
    """``scratch`` takes the place of ``folder``, which comes back if that fails."""
    old = Path(tempfile.mkdtemp(prefix=".fwbio-old-", dir=folder.parent))
    try:
        os.replace(folder, old / "old")
        os.replace(scratch, folder)
    except BaseException:
        if (old / "old").exists() and not folder.exists():
            os.replace(old / "old", folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def provenance() -> dict:
    """What computed this: versions, machine, time in UTC."""
    packages = ("fwbio", "brian2", "numpy", "scipy", "matplotlib")
    return {
        "versions": {p: version(p) for p in packages} | {"python": platform.python_version()},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def write(folder: Path, figures: dict, arrays: dict, pictures: dict, network) -> None:
    """A whole results folder at once. pictures : file name to matplotlib figure."""
    with publishing(folder) as scratch:
        record = {**figures, "card_tables": network.card, **provenance()}
        (scratch / "run.json").write_text(json.dumps(record, indent=1) + "\n")
        np.savez_compressed(scratch / "arrays.npz", **arrays)
        for name, picture in pictures.items():
            picture.savefig(scratch / name, dpi=150)


def read(folder) -> dict:
    """A results folder again: the contents of ``run.json``, with the arrays under ``"arrays"``."""
    folder = Path(folder)
    if not (folder / "run.json").is_file():
        raise BadInput(f"{folder}: no run.json there; name a folder that fwbio wrote")
    try:
        record = json.loads((folder / "run.json").read_text())
        with np.load(folder / "arrays.npz", allow_pickle=False) as archive:
            return {**record, "arrays": {name: archive[name] for name in archive.files}}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BadInput(f"{folder}: damaged or incomplete ({error}); run it again") from None
