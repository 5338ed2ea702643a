"""Do fast weights hold more than activity, and are they written faster than slow weights? Reads results/capacity_and_speed
(simulations/capacity_and_speed.py): items held at 90 % recall and the presentations that takes, against size; draws both, and exits with 1 if a claim fails.

    python analysis/capacity_and_speed.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.claims import Finding, conclude
from fwbio.figures import canvas

HERE, WANTED = Path(__file__).parent, 0.9
NAMES = {"irnn": "h alone (IRNN)", "lstm": "LSTM", "short_term_plasticity": "presynaptic u x", "fast_weights": "fast weights A"}


def held(points) -> float:
    """Items at 90 % recall, between the tested numbers of pairs, straight in their logarithm; 0 if one is too many."""
    points = sorted(points)
    for (k, a), (more, b) in zip(points, points[1:]):
        if a >= WANTED > b:
            return float(k * (more / k) ** ((a - WANTED) / (a - b)))
    return float(points[-1][0]) if points[-1][1] >= WANTED else 0.0


def draw(capacities, slow) -> None:
    caption = (
        "Items that a memory of R units holds (90 % recall), over how often each has to be shown. Memories within a sequence see every pair once; slow weights W "
        "learn a fixed table of pairs by gradient descent, at the learning rate that takes fewest presentations (lines: more items take more). Fast "
        "weights should stand above h and the presynaptic gains at one presentation, and to the left of what W takes for as many: that is the gap they fill."
    )
    with canvas(7, 4.8, caption) as (figure, axes):
        for k, (memory, label) in enumerate(NAMES.items()):
            for units, items in capacities[memory].items():
                side = 1.0 + 0.06 * (k - 1.5)
                axes.plot(
                    side,
                    items,
                    "o",
                    ms=3 + units**0.5,
                    mfc="none",
                    mew=1.6,
                    color=f"C{k}",
                    label=label if units == max(capacities[memory]) else None,
                )
                axes.annotate(f"{units}", (side, items), (4, 3), textcoords="offset points", fontsize=6)
        for units, points in slow.items():
            pairs, shown = np.array(sorted(points)).T
            axes.plot(shown, pairs, "s-", ms=3, lw=0.8, color="C4", label="slow weights W" if units == max(slow) else None)
            axes.annotate(f"R = {units}", (shown[-1], pairs[-1]), (5, 0), textcoords="offset points", fontsize=7)
        axes.set(xscale="log", yscale="log", xlabel="presentations of each item", ylabel="items held at 90 % recall", xlim=(0.7, 400))
        axes.legend(fontsize=8, loc="upper left")
        figure.savefig(HERE / "figures" / "capacity_and_speed.png", dpi=150)


def main() -> int:
    record = json.loads(Path("results/capacity_and_speed/run.json").read_text())
    capacities, slow = {}, {}
    for memory in NAMES:
        mine = [row for row in record["within"] if row["memory"] == memory]
        sizes = sorted({row["units"] for row in mine})
        capacities[memory] = {u: held([(row["pairs"], row["recall"]) for row in mine if row["units"] == u]) for u in sizes}
        print(f"{NAMES[memory]}: " + ", ".join(f"R = {u}: {items:.1f} items" for u, items in capacities[memory].items()))
    for row in record["slow"]:
        took = [n for n in row["presentations"].values() if n]
        if took:
            slow.setdefault(row["units"], []).append((row["pairs"], min(took)))
    for units, points in slow.items():
        print(f"slow W, R = {units}: " + ", ".join(f"{pairs} in {shown}" for pairs, shown in points) + " presentations")
    draw(capacities, slow)
    claims = []
    for units in sorted(set(capacities["irnn"]) & set(capacities["fast_weights"])):
        fast = capacities["fast_weights"][units]
        claims.append((f"R = {units}: items of h alone over those of fast weights", capacities["irnn"][units] / fast, 1.0))
        claims.append(
            (f"R = {units}: items of presynaptic gains over those of fast weights", capacities["short_term_plasticity"][units] / fast, 1.0)
        )
    for units, points in slow.items():
        claims.append(
            (
                f"R = {units}: items of fast weights over those of slow ones",
                capacities["fast_weights"].get(units, 0.0) / max(p for p, _ in points),
                1.0,
            )
        )
        most = max(points)
        claims.append((f"R = {units}: one presentation over those of slow weights, {most[0]} items", 1 / most[1], 0.2))
    return conclude(Finding(*claim) for claim in claims)


if __name__ == "__main__":
    sys.exit(main())
