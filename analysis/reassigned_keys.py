"""Which fast weights answer with a letter's latest digit? Reads results/reassigned_keys (simulations/reassigned_keys.py), prints and draws the share of right
answers by memory, and exits with 1 if a claim fails.

    python analysis/reassigned_keys.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.claims import Finding, conclude
from fwbio.figures import canvas

HERE, RESULTS = Path(__file__).parent, Path("results/reassigned_keys")


def accuracies() -> dict:
    """Test accuracies (%) of every seed, by memory."""
    found = {}
    for path in sorted(RESULTS.glob("*-[0-9]/log.jsonl")):
        *_, test = [json.loads(line) for line in path.read_text().splitlines()]
        found.setdefault(path.parent.name.rsplit("-", 1)[0].replace("_", " "), []).append(100 * test["test"])
    return found


def draw(found) -> None:
    caption = (
        "Retrieval with re-assigned keys, R = 20: four letters get a digit, eight times one of them is shown again, every other time with another digit, and a letter "
        "that changed is asked for its latest. A point a seed; dotted: guessing. Adaptive gains should stand above every fixed decay, which has to choose between forgetting "
        "letters and adding up a digit that was often confirmed."
    )
    with canvas(8.5, 4, caption) as (figure, axes):
        for k, seeds in enumerate(found.values()):
            axes.plot(np.full(len(seeds), k), seeds, "o", ms=6, color=f"C{k}", mfc="none")
        axes.axhline(10, color="0.5", lw=0.8, ls=":")
        labels = [name.replace("fixed", "fixed λ").replace("-", ",\n") for name in found]
        axes.set(xticks=range(len(found)), xticklabels=labels, ylabel="latest digit (%)", ylim=(0, 103))
        axes.tick_params(axis="x", labelsize=7)
        figure.savefig(HERE / "figures" / "reassigned_keys.png", dpi=150)


def main() -> int:
    found = accuracies()
    draw(found)
    for name, seeds in found.items():
        print(f"{name}: {np.mean(seeds):.2f} % ({', '.join(f'{v:.2f}' for v in seeds)})")
    claims = []
    for end, says in (("", ""), ("-long", ", three times the training")):
        if not end or f"adaptive{end}" in found:
            fixed = max(np.mean(seeds) for name, seeds in found.items() if "fixed" in name and name.endswith("-long") == bool(end))
            lead = np.mean(found[f"adaptive{end}"]) - fixed
            claims.append(Finding(f"adaptive gains over the best fixed decay{says}, points", lead, 5, ">="))
    return conclude(claims)


if __name__ == "__main__":
    sys.exit(main())
