"""The state of a training that is not finished: one file, replaced as a whole, read without pickle."""

import os
from dataclasses import asdict
from pathlib import Path

import torch

from fwbio.errors import BadInput

NAME = "checkpoint.pt"


def write(folder: Path, content: dict) -> None:
    scratch = folder / f".{NAME}.new"
    with scratch.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, folder / NAME)


def read(folder: Path) -> dict | None:
    """What ``write`` kept there; None if there is nothing. Raises BadInput if the file is damaged."""
    if not (folder / NAME).is_file():
        return None
    try:
        return torch.load(folder / NAME, weights_only=True)
    except Exception as error:
        raise BadInput(f"{folder / NAME}: damaged ({str(error).splitlines()[0]}); delete it to start again, or add --force") from None


def check(saved: dict, recipe, folder: Path) -> None:
    """Raises BadInput, with what differs, if ``saved`` is the state of a training by another recipe."""
    now, then = asdict(recipe), saved["recipe"]
    if differs := [f"{key} {then.get(key)!r} (now {value!r})" for key, value in now.items() if then.get(key) != value]:
        raise BadInput(
            f"{folder}: holds an unfinished training with {', '.join(differs)}; name another folder, or delete {NAME} there to start again"
        )


def remove(folder: Path) -> None:
    (folder / NAME).unlink(missing_ok=True)
