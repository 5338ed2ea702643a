"""Is an item held while nothing fires? Reads what simulations/working_memory.py left in results/, prints a verdict on every regime of the
mongillo card, draws the figure, and exits with 1 if a claim fails.

    python analysis/working_memory.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.figures import canvas

HERE, RESULTS = Path(__file__).parent, Path("results/working_memory")
ITEMS, SHOWN = [f"E.item{k}" for k in range(1, 6)], 80  # neurons a group in the rasters
COLOURS = {"cue": "C0", "readout": "C2", "lower": "C1", "noise": "C3"}
CAPTION = (
    "Top: spikes of five selective groups and of the rest, 80 neurons each; item 1 alone is cued (blue). Bottom: u (may be released) and x (is left) of "
    "its axons. Silent: after the cue item 1 fires hardly more than other groups, but u stays up for a second or two, and a read-out to all of E (green) "
    "calls up item 1, in a population spike, after 1 s and not after 6 s. With more drive the item calls itself up until the drive falls (orange), and a "
    "pulse to random cells (pink) does not end it; with more drive still item 1 keeps on firing. Bursts of items 2 to 5 would be a failure."
)


def within(low, values, high, unit):
    """What was measured as text, and whether all of it lies between low and high."""
    return f"{min(values):.3g} to {max(values):.3g} {unit}", bool(min(values) >= low and max(values) <= high)


def claims(regime, rows):
    """(claim, (what was measured over the seeds, whether it holds; None: reported only)) of one regime."""
    at = {e["name"]: (e["from"], e["to"]) for e in rows[0]["epochs"]}
    (_, cued), end = at["cue"], rows[0]["epochs"][-1]["to"]

    def count(start, stop, items=ITEMS[:1]):
        return [sum(start <= t < stop for g in items for t in row["population_spikes"][g]) for row in rows]

    for population, low, high in (("E", 0.5, 2), ("I", 3, 8)):
        before = [np.mean([r["spiking"] for g, r in row["epochs"][0]["rates"].items() if g[0] == population]) for row in rows]
        told, holds = within(low, before, high, "Hz")
        known = (
            population == "E" and "readout" in at
        )  # from 0.45 Hz on the item calls itself up: silence and 0.5 Hz exclude each other here
        yield f"before the cue {population} fires at {low} to {high} Hz", (told, None if known else holds)
    yield "no population spike of items 2 to 5", within(0, count(0, end, ITEMS[1:]), 0, "of them")
    if "readout" in at:
        recalled = (1, 9, "is recalled") if regime.endswith("1 s") else (0, 0, "is not recalled")
        yield "silent from the cue to the read-out", within(0, count(cued, at["readout"][0]), 0, "population spikes")
        yield f"item 1 {recalled[2]}", within(recalled[0], count(*at["readout"]), recalled[1], "population spikes")
    if "lower" in at:
        gaps = [np.diff([t for t in row["population_spikes"][ITEMS[0]] if cued <= t < at["lower"][0]]) for row in rows]
        told = f"{np.concatenate(gaps).mean():.3f} s, seed by seed {', '.join(f'{g.mean():.3f}' for g in gaps)}"
        yield "population spikes of item 1 every 0.2 to 0.3 s", (told, bool(0.2 <= np.concatenate(gaps).mean() <= 0.3))
        yield "none with a background lower by 5 %", within(0, count(*at["lower"]), 0, "of them")
    if "noise" in at:
        yield "they go on after the random pulse", within(2, count(at["noise"][1], end), 99, "of them")
    if regime == "asynchronous":
        late = [row["late"] for row in rows]
        rate, others = ([run[g]["spiking"] for run in late for g in groups] for groups in (ITEMS[:1], ITEMS[1:]))
        yield "item 1 keeps on firing", within(10 * max(others), rate, np.inf, f"Hz, others up to {max(others):.2f}")
        yield "without population spikes", within(0, count((cued + end) / 2, end), 0, "in the second half")
        settled = [s for row in rows for s in row["settled"] if s["group"] == ITEMS[0] and s["epoch"] == "after cue"]
        told, _ = within(0, [100 * s["off"] for s in settled], 0, f"%, bound {100 * settled[0]['bound']:.0f} %")
        yield f"off its mean field's {settled[0]['rate']:.1f} Hz by", (told, None)
    yield "4 s take up to 90 s", within(0, [row["seconds"] * 4 / end for row in rows], 90, "s")
    yield "and 3 GB", within(0, [row["memory_mb"] for row in rows], 3000, "MB")


def draw(by) -> None:
    with canvas(15, 6.4, CAPTION, 2, len(by), sharey="row", sharex="col", height_ratios=[2, 1]) as (figure, axes):
        for (top, bottom), (regime, rows) in zip(axes.T, by.items()):
            run = np.load(RESULTS / f"{regime.replace(',', '').replace(' ', '_')}.npz")
            group, neuron = np.divmod(run["spike_i"].astype(int), 800)
            inside = (group < 6) & (neuron < SHOWN)
            top.plot(run["spike_t"][inside], (group + 0.1 + 0.8 * neuron / SHOWN)[inside], ".", ms=0.8, color="black", rasterized=True)
            for name, colour in (("u", "C1"), ("x", "black")):
                bottom.plot(run["t"], run[f"spiking_{name}"], color=colour, label=name)
            for e in (e for e in rows[0]["epochs"] if e["name"] in COLOURS):
                for axis in (top, bottom):
                    axis.axvspan(e["from"], e["to"], color=COLOURS[e["name"]], alpha=0.25, lw=0)
                top.text(e["from"], 6.05, e["name"].replace("readout", "read-out"), color=COLOURS[e["name"]], fontsize=8)
            top.set_title(regime, pad=14, fontsize=9)
            bottom.set(xlabel="time (s)", ylim=(0, 1), xlim=(0, run["t"][-1]))
        axes[0, 0].set(ylim=(0, 6), yticks=np.arange(6) + 0.5, yticklabels=[*(f"item {k}" for k in range(1, 6)), "rest"])
        axes[1, 0].set_ylabel("u, x of item 1 (1)")
        axes[1, 1].legend(loc="center right")
        figure.savefig(HERE / "figures" / "working_memory.png", dpi=150)


def main() -> int:
    by, failed = {}, 0
    for row in json.loads((RESULTS / "run.json").read_text()):
        by.setdefault(row["regime"], []).append(row)
    draw(by)
    for regime, rows in by.items():
        print(f"{regime}, {len(rows)} seeds")
        for claim, (measured, holds) in claims(regime, rows):
            failed += holds is False
            print(f"  {claim:48} {measured:38} {({True: 'holds', False: 'FAILS', None: 'reported'})[holds]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
