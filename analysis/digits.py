"""Which memory reads digits glimpse by glimpse? Reads results/digits (simulations/digits.py), prints test accuracy at about equal numbers of
parameters, draws it, and exits with 1 if a claim fails.

    python analysis/digits.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.claims import Finding, conclude
from fwbio.figures import canvas

HERE, RESULTS = Path(__file__).parent, Path("results/digits")


def accuracies() -> dict:
    """Test accuracies (%) of every seed, and parameters, by model."""
    found = {}
    for path in sorted(RESULTS.glob("*-[0-9]/log.jsonl")):
        head, *_, test = [json.loads(line) for line in path.read_text().splitlines()]
        seen, _ = found.setdefault(path.parent.name.rsplit("-", 1)[0], ([], head["parameters"]))
        seen.append(100 * test["test"])
    return found


def draw(found, spikes) -> None:
    caption = (
        "Handwritten digits in nine glimpses of 4 x 4 pixels in random order: accuracy on 500 test images, four orders each, a point a seed; "
        "cross: fast weights with layer norm as spiking neurons, every image once, and, ring, the RNN on the same. Fast weights should "
        "stand no lower than the IRNN; the cross no more than a point below its ring."
    )
    with canvas(7, 4, caption) as (figure, axes):
        for k, (name, (seeds, parameters)) in enumerate(found.items()):
            axes.plot(np.full(len(seeds), k), seeds, "o", ms=5, color=f"C{k}", label=f"{name.replace('_', ' ')}: {parameters:,} parameters")
        k = list(found).index("fast_weights_layer_norm") + 0.15
        axes.plot(k, 100 * spikes["spiking"]["accuracy"], "x", color="black")
        axes.plot(k, 100 * spikes["rnn"]["accuracy"], "o", mfc="none", color="black")
        axes.set(xticks=range(len(found)), xticklabels=[name.replace("_", "\n", 2) for name in found], ylabel="right decisions (%)")
        axes.legend(fontsize=7)
        figure.savefig(HERE / "figures" / "digits.png", dpi=150)


def main() -> int:
    found, spikes = accuracies(), json.loads((RESULTS / "spikes" / "run.json").read_text())
    draw(found, spikes)
    for name, (seeds, parameters) in found.items():
        print(f"{name}: {parameters} parameters, {np.mean(seeds):.2f} % ({', '.join(f'{v:.2f}' for v in seeds)})")
    (fast, _), (plain, _) = found["fast_weights"], found["irnn"]
    error = np.hypot(np.std(fast, ddof=1), np.std(plain, ddof=1)) / len(fast) ** 0.5
    print(f"spikes: {100 * spikes['spiking']['accuracy']:.2f} %, RNN {100 * spikes['rnn']['accuracy']:.2f} % of {spikes['trials']} images")
    claims = [
        (f"IRNN over fast weights without layer norm, points (s.e. {error:.2f})", np.mean(plain) - np.mean(fast), 0.0),
        ("RNN over spikes, points", 100 * (spikes["rnn"]["accuracy"] - spikes["spiking"]["accuracy"]), 1.0),
    ]
    return conclude(Finding(*claim) for claim in claims)


if __name__ == "__main__":
    sys.exit(main())
