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
    "its axons. Silent: after the cue item 1 fires like every other group, but u is up for a second or two, and a read-out to all of E (green) calls "
    "up item 1, as a population spike, after 1 s and not after 6 s. With more drive the item calls itself up until the drive falls (orange); a pulse to "
    "random cells (red) does not end it; with more drive still item 1 keeps on firing. Spikes of items 2 to 5 after the cue would be a failure."
)


def spikes(row, group, start, stop):
    """Population spikes of a group from start to stop, in s."""
    times = np.array(row["population_spikes"][group])
    return times[(times >= start) & (times < stop)]


def claims(rows):
    """(claim, what was measured, whether it holds) of everything that the card must show."""
    at = lambda row: {e["name"]: (e["from"], e["to"]) for e in row["epochs"]}  # noqa: E731
    for regime in dict.fromkeys(row["regime"] for row in rows):
        own = [row for row in rows if row["regime"] == regime]
        before = [row["epochs"][0]["rates"] for row in own]
        E, I = ([np.mean([r[g]["spiking"] for g in r if g[0] == p]) for r in before] for p in "EI")  # noqa: E741
        yield f"{regime}: before the cue E fires at 0.5 to 2 Hz", f"{min(E):.2f} to {max(E):.2f} Hz", 0.5 <= min(E) <= max(E) <= 2
        yield f"{regime}: before the cue I fires at 3 to 8 Hz", f"{min(I):.2f} to {max(I):.2f} Hz", 3 <= min(I) <= max(I) <= 8
        others = [len(spikes(row, g, 0, np.inf)) for row in own for g in ITEMS[1:]]
        yield f"{regime}: no population spike of another item", f"{sum(others)}", not any(others)
        if regime.startswith("silent"):
            reads = [at(row)["readout"] for row in own]
            alone = [len(spikes(row, ITEMS[0], at(row)["cue"][1], r[0])) for row, r in zip(own, reads)]
            got = [len(spikes(row, ITEMS[0], *r)) > 0 for row, r in zip(own, reads)]
            yield f"{regime}: silent between cue and read-out", f"{sum(alone)} population spikes", not any(alone)
            wanted = regime.endswith("1 s")
            yield (
                f"{regime}: item 1 is {'' if wanted else 'not '}recalled",
                f"{sum(got)} of {len(got)} seeds",
                all(g == wanted for g in got),
            )
        if regime.endswith("then lower"):
            lower = [at(row)["lower"] for row in own]
            every = [np.diff(spikes(row, ITEMS[0], at(row)["cue"][1], when[0])) for row, when in zip(own, lower)]
            means = [gaps.mean() if len(gaps) else np.inf for gaps in every]
            told = ", ".join(f"{m:.3f}" for m in means)
            yield f"{regime}: an interval of 0.2 to 0.3 s", f"means {told} s", all(0.2 <= m <= 0.3 for m in means)
            late = [len(spikes(row, ITEMS[0], *when)) for row, when in zip(own, lower)]
            yield f"{regime}: none while it is lower", f"{sum(late)}", not any(late)
        if regime.endswith("random pulse"):
            after = [len(spikes(row, ITEMS[0], at(row)["noise"][1], np.inf)) for row in own]
            yield f"{regime}: population spikes go on", f"{after} after it", all(a > 1 for a in after)
        if regime == "asynchronous":
            late = [row["late"][ITEMS[0]] for row in own]
            off = [r["spiking"] / r["rate"] - 1 for r in late]
            other = max(row["late"][g]["spiking"] for row in own for g in ITEMS[1:])
            told = f"{min(r['spiking'] for r in late):.1f} Hz, {max(map(abs, off)):.0%} off"
            yield (
                f"{regime}: item 1 keeps on firing at its mean field's {late[0]['rate']:.1f} Hz within 25 %",
                told,
                max(map(abs, off)) <= 0.25,
            )
            yield f"{regime}: the others do not", f"{other:.2f} Hz", other < 2
        seconds, megabytes = (max(row[key] for row in own) for key in ("seconds", "memory_mb"))
        scaled = seconds * 4 / own[0]["epochs"][-1]["to"]
        yield f"{regime}: 4 s of it within 90 s and 3 GB", f"{scaled:.0f} s, {megabytes:.0f} MB", scaled <= 90 and megabytes <= 3000


def draw(rows) -> None:
    regimes = {row["regime"]: row for row in reversed(rows)}
    with canvas(15, 6.4, CAPTION, 2, len(regimes), sharey="row", sharex="col", height_ratios=[2, 1]) as (figure, axes):
        for (top, bottom), regime in zip(axes.T, reversed(regimes)):
            run = np.load(RESULTS / f"{regime.replace(',', '').replace(' ', '_')}.npz")
            group, neuron = np.divmod(run["spike_i"].astype(int), 800)
            inside = (group < 6) & (neuron < SHOWN)
            top.plot(run["spike_t"][inside], (group + 0.1 + 0.8 * neuron / SHOWN)[inside], ".", ms=0.8, color="black", rasterized=True)
            for name, colour in (("u", "C4"), ("x", "C5")):
                bottom.plot(run["t"], run[f"spiking_{name}"], color=colour, label=name)
            for e in regimes[regime]["epochs"]:
                for axis in (top, bottom) if e["name"] in COLOURS else ():
                    axis.axvspan(e["from"], e["to"], color=COLOURS[e["name"]], alpha=0.25, lw=0)
                if e["name"] in COLOURS:
                    top.text(e["from"], 6.05, e["name"].replace("readout", "read-out"), color=COLOURS[e["name"]], fontsize=8)
            top.set_title(regime, pad=14, fontsize=9)
            bottom.set(xlabel="time (s)", ylim=(0, 1))
        axes[0, 0].set(ylim=(0, 6), yticks=np.arange(6) + 0.5, yticklabels=[*(f"item {k}" for k in range(1, 6)), "rest"])
        axes[1, 0].set_ylabel("u, x of item 1 (1)")
        axes[1, 0].legend(loc="upper right", ncols=2)
        figure.savefig(HERE / "figures" / "working_memory.png", dpi=150)


def main() -> int:
    rows = json.loads((RESULTS / "run.json").read_text())
    draw(rows)
    found = list(claims(rows))
    for claim, measured, holds in found:
        print(f"{claim:92} {measured:28} {'holds' if holds else 'FAILS'}")
    return 0 if all(holds for *_, holds in found) else 1


if __name__ == "__main__":
    sys.exit(main())
