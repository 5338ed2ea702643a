"""The state of a training that is not finished: one file, replaced as a whole, read without pickle."""

import os
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


def remove(folder: Path) -> None:
    (folder / NAME).unlink(missing_ok=True)
