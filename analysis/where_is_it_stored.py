"""Where is it stored? Reads what simulations/where_is_it_stored.py left in results/, prints what is remembered after each wipe with
its 95 % interval and what guessing gives, draws the figure, and exits with 1 if a claim fails.

    python analysis/where_is_it_stored.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.comparison import clopper_pearson
from fwbio.figures import canvas

HERE = Path(__file__).parent
RETRIEVAL = {"nothing": "nothing", "h": "activity h", "A": "fast weights A", "W": "slow weights W"}
HELD = {"nothing": "nothing", "V": "membranes V", "u": "facilitation u", "x": "depression x", "w": "slow weights w"}
KEPT = {"nothing": True, "h": True, "A": False, "V": True, "u": False, "x": True, "w": False}  # W of the trained network is reported only
CAPTION = (
    "What is remembered when one carrier of memory is wiped; bars: 95 %, dashed: guessing. Left: the trained retrieval network, after its four pairs or "
    "just before the query. Without A it guesses: the pairs stand in the fast weights, and nowhere else. Right: the silent working memory, three seeds, wiped half a "
    "second after the cue; filled: the cued group answers the read-out loudest, hollow: in a population spike, and it alone. Without u it is gone, "
    "without activity or x it is not; w, wiped on the cued group's axons, holds what is called up. A memory that survived without A or u, or died with "
    "activity, would be a failure of that statement; spikes off the RNN's bar as well."
)


def interval(right, trials) -> tuple[float, float, float]:
    """Share right, and its two-sided 95 % interval (Clopper-Pearson)."""
    return right / trials, *clopper_pearson(right, trials, 0.975)


def points(axes, rows, carriers, key, off, **style) -> None:
    own = {row["wiped"]: interval(row[key], row["trials"]) for row in rows}
    shares = np.array([own[c] for c in carriers if c in own])
    at, bars = np.array([k for k, c in enumerate(carriers) if c in own]), np.abs(shares[:, 1:] - shares[:, :1]).T
    axes.errorbar(at + off, shares[:, 0], bars, ls="", ms=5, capsize=2, **style)


def draw(by) -> None:
    with canvas(12, 4.8, CAPTION, 1, 2, sharey=True) as (figure, (left, right)):
        held = by.pop("working memory, spiking")
        for k, (memory, rows) in enumerate(by.items()):
            points(left, rows, RETRIEVAL, "right", 0.13 * (k - 1.5), marker="os^D"[k], label=memory)
        points(right, held, HELD, "right", -0.08, marker="o", label="cued group answers loudest")
        points(right, held, HELD, "population_spike", 0.08, marker="s", mfc="none", label="in a population spike, alone")
        for axes, one, carriers in ((left, rows, RETRIEVAL), (right, held, HELD)):
            axes.axhline(one[0]["chance"], color="black", ls="--", lw=0.8)
            axes.set(xticks=range(len(carriers)), xlim=(-0.4, len(carriers) - 0.6), ylim=(-0.03, 1.05), xlabel="what was wiped")
            axes.set_xticklabels(carriers.values(), fontsize=8)
            axes.legend(fontsize=7, loc="center right" if axes is left else "lower left")
        left.set(ylabel="remembered (share of trials)", title="retrieval, 4 pairs")
        right.set_title("working memory in facilitation")
        figure.savefig(HERE / "figures" / "where_is_it_stored.png", dpi=150)


def main() -> int:
    by, failed = {}, 0
    for row in json.loads(Path("results/where_is_it_stored/run.json").read_text()):
        by.setdefault(row["memory"], []).append(row)
    for memory, rows in by.items():
        for row in rows:
            share, low, high = interval(row["right"], row["trials"])
            kept = KEPT.get(row["wiped"])
            holds = kept is None or (low > row["chance"] if kept else low <= row["chance"] <= high)
            if memory.startswith("retrieval") and kept:
                holds = share >= 0.9
            if "population_spike" in row:  # three trials say little about guessing: all of them, or none, must be a recall
                holds = holds and row["population_spike"] == (row["trials"] if kept else 0)
            failed += not holds
            wanted = {None: "reported", True: "remembered", False: "chance"}[kept]
            more = f" in a population spike, alone {row['population_spike']} of {row['trials']}" if "population_spike" in row else ""
            told = f"{share:.4f} [{low:.4f}, {high:.4f}], guessing {row['chance']:.1f}{more}"
            print(f"{memory:38} wiped {row['wiped']:8} {told} {wanted} {'holds' if holds else 'FAILS'}")
    for memory, rows in by.items():
        for row, spikes in zip(rows, by[memory.replace("rnn", "spiking")]) if "rnn" in memory else ():
            _, low, high = interval(spikes["right"], spikes["trials"])
            same = low <= row["right"] / row["trials"] <= high
            failed += not same
            print(f"{memory:38} wiped {row['wiped']:8} inside the interval of the spikes {'holds' if same else 'FAILS'}")
    draw(by)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
