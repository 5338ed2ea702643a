"""``fwbio new NAME``: a card of one's own starts as a copy of a shipped one."""

import shutil
from pathlib import Path

from fwbio.cards import reader
from fwbio.errors import BadInput


def copy(card: str, name: str, folder: Path = Path(".")) -> list[Path]:
    """Writes NAME.toml to ``folder``, with the weights file if there is one; returns what was written.

    Raises BadInput if the name is not a plain word or something is in the way.
    """
    if not reader.NAME.fullmatch(name):
        raise BadInput(f"{name!r}: a card's name has letters, digits and _ only, and starts with a letter")
    source = reader.find(card)
    tables = reader.read(source)
    wanted = {folder / f"{name}.toml": source}
    if "trained" in tables:
        file = tables["trained"]["file"]
        wanted[folder / file] = source.parent / file
    for path in wanted:
        if path.exists():
            raise BadInput(f"{path} exists; choose another name or folder")
    for path, origin in wanted.items():
        shutil.copyfile(origin, path)
    target = folder / f"{name}.toml"
    target.write_text(target.read_text().replace(f'"{tables["name"]}"', f'"{name}"', 1))
    return list(wanted)
