"""``fwbio new NAME``: a card of one's own starts as a copy of a shipped one."""

import os
import re
from pathlib import Path

from fwbio.cards import reader
from fwbio.errors import BadInput

OWN_NAME = re.compile(rb"""^(\s*name\s*=\s*)(?:"[^"]*"|'[^']*')""", re.MULTILINE)


def copy(card: str, name: str, folder: Path = Path(".")) -> list[Path]:
    """Writes NAME.toml to ``folder``, with the weights file if there is one; returns what was written.

    Raises BadInput if the name is not a plain word or something is in the way.
    """
    if not reader.NAME.fullmatch(name):
        raise BadInput(f"{name!r}: a card's name has letters, digits and _ only, and starts with a letter")
    source = reader.find(card)
    tables = reader.read(source)
    wanted = {folder / f"{name}.toml": source}
    files = [tables["trained"]["file"]] if "trained" in tables else []
    for file in [*files, *(p["spikes"] for p in tables.get("population", {}).values() if "spikes" in p)]:
        wanted[folder / file] = source.parent / file
    for path in wanted:
        if os.path.lexists(path):
            raise BadInput(f"{path} exists; choose another name or folder")
    written = []
    try:
        contents = {path: origin.read_bytes() for path, origin in wanted.items()}
        for path, content in contents.items():
            written.append(path)
            path.write_bytes(OWN_NAME.sub(rb'\g<1>"%s"' % name.encode(), content, count=1) if path.suffix == ".toml" else content)
    except OSError as error:
        for path in filter(os.path.lexists, written):
            path.unlink()
        raise BadInput(f"{error.filename}: {error.strerror}; name another card or go to a folder of your own") from None
    return list(wanted)
