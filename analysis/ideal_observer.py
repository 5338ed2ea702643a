"""What is the ceiling of the task, and how near to it is the memory? Reads results/ideal_observer (simulations/ideal_observer.py), draws accuracy against how often
symbols are misread, and exits with 1 if a claim fails.

    python analysis/ideal_observer.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.claims import Finding, conclude
from fwbio.figures import canvas

HERE, TRIALS, SPIKES = Path(__file__).parent, 5000, 500


def draw(record) -> None:
    caption = (
        "Associative retrieval when each letter and digit is misread with some probability. The line is the ideal observer, who knows how sequences are made: "
        "nobody can do better. The trained network, which never saw a misread symbol, should stay near the line, as RNN and in spikes (25 neurons a unit); "
        "the distance is what its memory loses, the fall of the line what the input has lost already."
    )
    error = 100 * np.array([row["error"] for row in record])
    with canvas(6.5, 4.4, caption) as (figure, axes):
        axes.plot(error, [100 * row["ideal"] for row in record], color="black", label="ideal observer")
        for k, (level, trials) in enumerate((("rnn", TRIALS), ("spiking", SPIKES))):
            share = np.array([row[level] for row in record])
            axes.errorbar(
                error + 0.3 * k, 100 * share, 196 * np.sqrt(share * (1 - share) / trials), fmt="o", ms=4, color=f"C{k}", label=level
            )
        axes.axhline(10, color="0.5", lw=0.8, ls=":")
        axes.set(xlabel="symbols misread (%)", ylabel="right decisions (%)", ylim=(0, 102))
        axes.legend()
        figure.savefig(HERE / "figures" / "ideal_observer.png", dpi=150)


def main() -> int:
    record, claims = json.loads(Path("results/ideal_observer/run.json").read_text()), []
    draw(record)
    for row in record:
        print(
            f"misread {row['error']:.0%}: ideal {row['ideal']:.4f} (by its own posterior {row['expected']:.4f}), RNN {row['rnn']:.4f}, spikes {row['spiking']:.3f}"
        )
        scatter = (row["ideal"] * (1 - row["ideal"]) / TRIALS) ** 0.5
        claims.append(
            (f"misread {row['error']:.0%}: ideal off its posterior's own word", abs(row["ideal"] - row["expected"]), max(4 * scatter, 1e-9))
        )
        claims.append((f"misread {row['error']:.0%}: RNN above the ideal observer by", row["rnn"] - row["ideal"], 2 * scatter))
    return conclude(Finding(*claim) for claim in claims)


if __name__ == "__main__":
    sys.exit(main())
