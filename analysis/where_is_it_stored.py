"""Where is it stored? Reads what simulations/where_is_it_stored.py left in results/, prints what is remembered after each wipe with
its 95 % interval, draws the figure, and exits with 1 if a claim fails.

    python analysis/where_is_it_stored.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.comparison import clopper_pearson
from fwbio.figures import canvas

HERE, CHANCE = Path(__file__).parent, 0.1
CARRIERS = {"nothing": "nothing", "h": "activity h", "A": "fast weights A", "W": "slow weights W"}


def interval(row) -> tuple[float, float, float]:
    """Share right, and its two-sided 95 % interval (Clopper-Pearson)."""
    return row["right"] / row["trials"], *clopper_pearson(row["right"], row["trials"], 0.975)


def draw(rows) -> None:
    caption = (
        "Right answers of the trained retrieval network when one carrier of memory is set to zero, after its four pairs or just before "
        "the query; bars: 95 %. Without A it guesses (dashed: one in ten): the pairs stand in the fast weights, and nowhere else. "
        "A memory that survived without A, or died with h alone, would be a failure of that statement; spikes off the RNN's bar as well."
    )
    memories = list(dict.fromkeys(row["memory"] for row in rows))
    with canvas(9, 4.4, caption) as (figure, axes):
        for k, memory in enumerate(memories):
            own = {row["wiped"]: interval(row) for row in rows if row["memory"] == memory}
            shares = np.array([own[c] for c in CARRIERS if c in own])
            at = np.array([m for m, c in enumerate(CARRIERS) if c in own]) + 0.13 * (k - (len(memories) - 1) / 2)
            axes.errorbar(at, shares[:, 0], np.abs(shares[:, 1:] - shares[:, :1]).T, fmt="os^D"[k % 4], ms=5, capsize=2, label=memory)
        axes.axhline(CHANCE, color="black", ls="--", lw=0.8)
        axes.set(xticks=range(len(CARRIERS)), ylim=(0, 1.05), xlabel="what was wiped", ylabel="right answers (share)")
        axes.set_xticklabels(CARRIERS.values())
        axes.legend(fontsize=7, loc="center right")
        figure.savefig(HERE / "figures" / "where_is_it_stored.png", dpi=150)


def main() -> int:
    rows = json.loads(Path("results/where_is_it_stored/run.json").read_text())
    draw(rows)
    found = {(row["memory"], row["wiped"]): row for row in rows}
    failed = 0
    for memory in dict.fromkeys(row["memory"] for row in rows):
        for wiped, bound in (("nothing", ">= 0.9"), ("h", ">= 0.9"), ("A", "chance")):
            share, low, high = interval(found[memory, wiped])
            holds = low <= CHANCE <= high if bound == "chance" else share >= 0.9
            failed += not holds
            print(f"{memory:38} wiped {wiped:8} {share:.4f} [{low:.4f}, {high:.4f}] {bound:8} {'holds' if holds else 'FAILS'}")
        share, low, high = interval(found[memory, "W"])
        print(f"{memory:38} wiped W        {share:.4f} [{low:.4f}, {high:.4f}] reported")
    for (memory, wiped), row in found.items():
        if "rnn" in memory:
            other = interval(found[memory.replace("rnn", "spiking"), wiped])
            same = other[1] <= row["right"] / row["trials"] <= other[2]
            failed += not same
            print(f"{memory:38} wiped {wiped:8} inside the interval of the spikes {'holds' if same else 'FAILS'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
