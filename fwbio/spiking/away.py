"""A function that talks to Brian2, called in a child process of its own: the caller's device, preferences, clock and seed stay.

``python -m fwbio.spiking.away MODULE:FUNCTION FOLDER``: job.json, job.npz -> outputs.npz
"""

import importlib
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np


def away(function, job: dict, seed: int, **arrays) -> dict[str, np.ndarray]:
    """What ``function(job, arrays)``, a function of a module, returns: arrays by name.

    job : what JSON can hold; its ``target`` is Brian2's (``numpy`` where it has none). seed : of Brian2
    """
    from fwbio.spiking import engine

    with tempfile.TemporaryDirectory(prefix="fwbio-away-") as scratch:
        folder = Path(scratch)
        (folder / "job.json").write_text(json.dumps(job))
        np.savez(folder / "job.npz", **arrays)
        name = f"{function.__module__}:{function.__name__}"
        engine.child([sys.executable, "-W", "ignore", "-m", "fwbio.spiking.away", name, scratch], folder, seed, None, quiet=False)
        with np.load(folder / "outputs.npz", allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}


def main(name: str, folder: Path) -> None:
    """The child's part."""
    import brian2

    job = json.loads((folder / "job.json").read_text())
    if job.get("target") == "cpp_standalone":
        brian2.set_device("cpp_standalone", directory=str(folder / "build"))
    else:
        brian2.prefs.codegen.target = job.get("target", "numpy")
    brian2.seed(int(os.environ["FWBIO_SEED"]))
    with np.load(folder / "job.npz", allow_pickle=False) as archive:
        given = {key: archive[key] for key in archive.files}
    module, function = name.split(":")
    np.savez(folder / "outputs.npz", **getattr(importlib.import_module(module), function)(job, given))


if __name__ == "__main__":
    sys.modules["pylab"] = None  # Brian2 then comes without plotting, 0.6 s sooner
    main(sys.argv[1], Path(sys.argv[2]))
