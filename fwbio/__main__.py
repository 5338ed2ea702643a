"""``python -m fwbio``."""

from fwbio.cli import main

main()
