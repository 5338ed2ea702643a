"""The folder of a sweep, which is right at every moment:

    manifest.json                    spec, fingerprint, versions; written once, before the first point
    points/3f/3f09…-0.DIGEST.npz     one file a point, renamed into place when complete; DIGEST is of its bytes
    failed/3f09…-0.json              why a point could not be computed
    table.csv, *.png                 made of these at the end

Nothing is ever changed in place. A file whose digest does not fit is damaged: it is set aside as ``.corrupt`` and its point computed again.
"""

import errno
import fcntl
import hashlib
import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

from fwbio.errors import BadInput
from fwbio.results import provenance
from fwbio.sweeps.spec import Spec, fingerprint

DIGITS = 16


def start(folder: Path, spec: Spec, anew: bool = False) -> None:
    """Makes the folder, or takes up the one that is there: its points stay if all but the grid is the same.

    Raises BadInput with the list of differences otherwise (``anew``: old points are set aside).
    """
    now = fingerprint(spec)
    if (folder / "manifest.json").is_file() and not anew:
        before = manifest(folder)["fingerprint"]
        changed = [f"  {key}: {before.get(key)} before, {now.get(key)} now" for key in {**before, **now} if before.get(key) != now.get(key)]
        if changed:
            raise BadInput(
                f"{folder}: these points were computed otherwise:\n"
                + "\n".join(changed)
                + "\nname another folder, or add --force-new to compute all again"
            )
    elif (folder / "points").is_dir():
        aside = Path(tempfile.mkdtemp(prefix="points-before-", dir=folder))
        (folder / "points").rename(aside / "points")
    (folder / "points").mkdir(parents=True, exist_ok=True)
    (folder / "failed").mkdir(exist_ok=True)
    record = {"kind": "sweep", "spec": spec.as_json(), "fingerprint": now, **provenance()}
    write(folder / "manifest.json", json.dumps(record, indent=1).encode())


def manifest(folder: Path) -> dict:
    try:
        record = json.loads((folder / "manifest.json").read_text())
        record["spec"], record["fingerprint"]
    except FileNotFoundError:
        raise BadInput(f"{folder}: no sweep there (manifest.json is missing); name a folder that `fwbio sweep` wrote") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{folder}/manifest.json: damaged ({error}); its points cannot be told from others, start a new sweep") from None
    return record


@contextmanager
def lease(folder: Path):
    """Only one process works on a sweep; the system gives the lease back when that process ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lease", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise BadInput(f"{folder}: another fwbio works on this sweep now; wait for it, or name another folder") from None
        yield


def write(path: Path, data: bytes) -> None:
    """The file, whole or not at all, also after a power cut."""
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        if os.path.exists(name):
            os.unlink(name)
        raise


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:DIGITS]


def publish(folder: Path, key: str, data: bytes) -> None:
    shard = folder / "points" / key[:2]
    shard.mkdir(exist_ok=True)
    write(shard / f"{key}.{digest(data)}.npz", data)
    (folder / "failed" / f"{key}.json").unlink(missing_ok=True)


def fail(folder: Path, key: str, settings: dict, reason: str, attempts: int) -> None:
    write(folder / "failed" / f"{key}.json", json.dumps({"settings": settings, "reason": reason, "attempts": attempts}, indent=1).encode())


def finished(folder: Path) -> dict[str, bytes]:
    """Key to bytes of every point that is there and undamaged; what is damaged or half-written is set aside."""
    found = {}
    for shard in os.scandir(folder / "points"):
        for entry in os.scandir(shard.path) if shard.is_dir() else ():
            key, _, rest = entry.name.partition(".")
            if entry.name.startswith(".new-"):  # of a process that was killed
                os.unlink(entry.path)
            elif rest.endswith("npz"):
                with open(entry.path, "rb") as file:
                    data = file.read()
                if rest == f"{digest(data)}.npz":
                    found[key] = data
                else:
                    os.replace(entry.path, f"{entry.path}.corrupt")
    return found


def failures(folder: Path) -> dict[str, dict]:
    """Key to reason, settings, attempts of every point that could not be computed."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((folder / "failed").glob("[0-9a-f]*.json"))}
