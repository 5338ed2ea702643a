"""Which time constants does training choose? Reads results/learned_decay (simulations/learned_decay.py), prints error and learned tau in seconds for tokens of 100 ms,
draws them, and exits with 1 if a claim fails.

    python analysis/learned_decay.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.claims import Finding, conclude
from fwbio.figures import canvas

HERE, RESULTS, TOKEN = Path(__file__).parent, Path("results/learned_decay"), 0.1


def taus(folder) -> tuple[np.ndarray, np.ndarray]:
    """(levels, 1 or units) time constants in s, before and after training: tau = -token/ln lambda."""
    head = json.loads((folder / "log.jsonl").read_text().splitlines()[0])
    start = np.array(head["recipe"]["options"].get("lam", [0.9]), float)[:, None]
    weights = np.load(folder / "weights.npz")
    lam = 1 / (1 + np.exp(-weights["decay"])) if "decay" in weights.files else start
    return -TOKEN / np.log(start), -TOKEN / np.log(lam)


def main() -> int:
    found = {}
    for folder in sorted(RESULTS.iterdir()):
        error = 100 * (1 - json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["test"])
        before, after = taus(folder)
        found[folder.name.replace("-", ", ").replace("_", " ")] = error, before, after
        told = " and ".join(f"{np.median(row):.2f}" + (f" ({row.min():.2f} to {row.max():.2f})" if len(row) > 1 else "") for row in after)
        print(f"{folder.name}: error {error:.2f} %, tau {told} s (began at {', '.join(f'{t:.2f}' for t in before[:, 0])})")
    caption = (
        "Time constants of the fast weights that training chose (dots; one a unit as a cloud), and where it began (crosses), for tokens of 100 ms; above each, "
        "the test error. Whatever the start, they should come to lie about the length of a sequence (dashed, 1.1 s): long enough for the first pair."
    )
    with canvas(7.5, 4.2, caption) as (figure, axes):
        for k, (error, before, after) in enumerate(found.values()):
            axes.plot(np.full(before.size, k), before.ravel(), "x", color="0.4")
            axes.plot(k + np.linspace(-0.15, 0.15, after.size) * (after.size > 2), np.sort(after.ravel()), "o", ms=4, color=f"C{k}")
            axes.annotate(f"{error:.1f} %", (k, after.max()), (0, 8), textcoords="offset points", ha="center", fontsize=8)
        axes.axhline(11 * TOKEN, color="black", lw=0.8, ls="--")
        axes.set(
            yscale="log", ylabel="time constant (s)", xticks=range(len(found)), xticklabels=[name.replace(", ", "\n") for name in found]
        )
        axes.tick_params(axis="x", labelsize=7)
        figure.savefig(HERE / "figures" / "learned_decay.png", dpi=150)
    learned = [np.median(after) for name, (_, _, after) in found.items() if name.startswith("network")]
    claims = [("one for the network: longest over shortest tau, over starts", max(learned) / min(learned), 1.5)]
    return conclude(Finding(*claim) for claim in claims)


if __name__ == "__main__":
    sys.exit(main())
