"""Are the time constants of short-term plasticity spaced like an optimal bank's? Reads results/biological_ladder (simulations/biological_ladder.py), prints how
good the ladder is and how many random ladders are as good, draws both, and exits with 1 if a claim fails.

    python analysis/biological_ladder.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.claims import Finding, conclude
from fwbio.figures import canvas

HERE = Path(__file__).parent
REFERENCE = {
    30.0: (0.82, 0.71, 0.40),
    60.0: (0.83, 0.62, 0.28),
    100.0: (0.87, 0.56, 0.15),
    200.0: (0.91, 0.49, 0.07),
}  # of an independent search


def draw(record) -> None:
    caption = (
        "Short-term enhancement has components of 50 ms, 300 ms, 7 s and 30 to 200 s. Dots: what that ladder guarantees at every age, over the optimal bank of "
        "four levels with the same ends; bars: ladders whose inner time constants are drawn at random, median and the middle 90 %. The dots are high, but "
        "beyond the bars only where potentiation lasts 200 s: with two free numbers this is suggestive, not significant."
    )
    with canvas(6.5, 4.4, caption) as (figure, axes):
        for k, row in enumerate(record):
            ratio = 100 * np.array(row["random"]) / row["optimal"]
            low, middle, high = np.quantile(ratio, (0.05, 0.5, 0.95))
            axes.plot([k, k], [low, high], color="C0", lw=6, alpha=0.4, solid_capstyle="butt", label=None if k else "random ladders, 90 %")
            axes.plot([k - 0.12, k + 0.12], [middle, middle], color="C0", lw=2, label=None if k else "their median")
            axes.plot(k, 100 * row["ladder"] / row["optimal"], "o", color="C1", label=None if k else "50 ms, 300 ms, 7 s, potentiation")
        axes.set(xticks=range(len(record)), xticklabels=[f"{row['slowest']:g}" for row in record], ylim=(0, 105))
        axes.set(xlabel="time constant of potentiation (s)", ylabel="guarantee over the optimal bank's (%)")
        axes.legend(fontsize=8, loc="lower left")
        figure.savefig(HERE / "figures" / "biological_ladder.png", dpi=150)


def main() -> int:
    record, claims = json.loads(Path("results/biological_ladder/run.json").read_text()), []
    draw(record)
    for row in record:
        share, others = row["ladder"] / row["optimal"], np.array(row["random"])
        as_good = float(np.mean(others >= row["ladder"]))
        taus = ", ".join(f"{t:.3g}" for t in row["tau"])
        print(
            f"potentiation {row['slowest']:g} s: ladder {share:.2f} of the optimal ({taus} s); random median {np.median(others) / row['optimal']:.2f}, {as_good:.0%} as good"
        )
        wanted, _, _ = REFERENCE[row["slowest"]]
        claims.append((f"{row['slowest']:g} s: ladder over the optimal, off the reference", abs(share - wanted), 0.04))
    return conclude(Finding(*claim) for claim in claims)


if __name__ == "__main__":
    sys.exit(main())
