"""For how long is a pattern readable, for each mechanism, and which lambda is that? Reads results/forgetting, holds what Brian2 gave against
the curves of the cards' rate forms, prints a table and verdicts, draws the figure, and exits with 1 if a claim fails.

A measured d' may be off its derived curve by five of its standard errors and by what the rate form leaves out (fwbio/forgetting.py). Five,
because the figures are many: with 1,000 of them a false alarm has a probability of 6e-4. Pairings are asked of every mechanism: a presynaptic
one has nothing to answer with, and its d' must stay at 0; d' of a Hebbian one must not.

    python analysis/forgetting.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.figures import canvas

HERE, ERRORS, READABLE = Path(__file__).parent, 5.0, 1.0
SHOWN = {
    "axons": (
        "tsodyks_markram Mongillo",
        "tsodyks_markram TM98_depressing",
        "ladder PTP_60",
        "hebbian retrieval",
        "hebbian Erickson_fast",
        "hebbian_use",
    ),
    "pairs": (
        "tsodyks_markram Mongillo",
        "ladder PTP_60",
        "hebbian retrieval",
        "hebbian Erickson_fast",
        "hebbian Erickson_slow",
        "hebbian_use",
    ),
}
TITLES = {"axons": "which axons fired", "pairs": "which axon met which cell"}


def curves(row, question):
    """(waits, measured, error, derived, allowed) of one question."""
    measured, error, derived, bias = (np.array(row[key][question], float) for key in ("measured", "error", "derived", "bias"))
    return np.array(row["waits"]), measured, error, derived, ERRORS * error + bias


def presynaptic(row) -> bool:
    return row["family"].startswith("presynaptic")


def readable(row, question) -> str:
    """How long the derived |d'| stays above READABLE."""
    waits, _, _, derived, _ = curves(row, question)
    above = np.abs(derived) >= READABLE
    if not above.any():
        return "-"
    return f"> {waits[-1]:.3g} s" if above[-1] else f"{waits[above][-1]:.3g} s"


def claims(rows):
    """(claim, worst figure, bound)."""
    for question in TITLES:
        off = [np.abs(m - d) / a for row in rows for _, m, _, d, a in [curves(row, question)]]
        worst = max(zip((o.max() for o in off), (row["name"] for row in rows)))
        number = sum(map(len, off))
        yield f"{TITLES[question]}: {number} measured d' off their curves, of what is allowed (worst: {worst[1]})", worst[0], 1.0
    for row in rows:
        found = row.get("decay.axons") or row.get("decay.pairs")
        if found and found["one"]:
            yield (
                f"{row['name']}: rate of decay off the derived {found['derived']:.3g}/s by",
                abs(found["rate"] - found["derived"]),
                found["bound"],
            )
    chance = [np.abs(curves(row, "pairs")[3]).max() for row in rows if presynaptic(row)]
    yield f"pairings in {len(chance)} presynaptic mechanisms: largest derived d'", max(chance), 1e-6
    held = [
        -np.abs(curves(row, "pairs")[1]).max()
        for row in rows
        if row["name"] in ("hebbian retrieval", "hebbian Erickson_fast", "hebbian Erickson_slow", "hebbian_use")
    ]
    yield "pairings in four Hebbian mechanisms: smallest of their largest measured d', negative", max(held), -READABLE


def draw(rows) -> None:
    caption = (
        "A pattern is shown for a second at 20 Hz, then silence, then one volley in which half of its 50 axons fire. d' of its cells against cells whose axons "
        "were silent (left) and whose axons fired at another time than the cell (right); negative: depressed. Lines: from the cards' rate forms; dots: "
        "Brian2, two standard errors. Presynaptic mechanisms know which axons fired, for their time constant, and nothing of pairings: a dot of theirs "
        "off zero on the right would be a failure. Decay by use does not fall in silence."
    )
    by = {row["name"]: row for row in rows}
    with canvas(12, 5, caption, 1, 2) as (figure, axes):
        for axis, (question, names) in zip(axes, SHOWN.items()):
            for k, name in enumerate(name for name in names if name in by):
                waits, measured, error, derived, _ = curves(by[name], question)
                axis.plot(waits, derived, lw=1, color=f"C{k}")
                axis.errorbar(waits, measured, 2 * error, fmt=".", ms=4, lw=0.7, color=f"C{k}", label=name)
            axis.axhline(0, color="0.6", lw=0.8, zorder=0)
            axis.set(xscale="log", xlabel="time since the pattern (s)", ylabel="d' of one volley", title=TITLES[question])
            axis.set_yscale("symlog", linthresh=1)
            axis.legend(fontsize=7)
        figure.savefig(HERE / "figures" / "forgetting.png", dpi=150)


def main() -> int:
    rows = json.loads(Path("results/forgetting/run.json").read_text())["mechanisms"]
    print(f"{'mechanism':36} {'holds':9} {'axons, d1 > 1':>14} {'pairs':>9}   tau (s; 95 %)                lambda at 0.1 s, 1 s")
    for row in rows:
        found = row.get("decay.axons") or row.get("decay.pairs")
        tau, lam = "nothing to follow", ""
        if found:
            value, low, high = found["tau"]
            tau = f"{value:.4g} [{low:.4g}, {high:.4g}]" if value else f"no decay seen (> {low:.4g})"
            tau += " sum of several" if not found["one"] else ""
            lam = ", ".join(f"{value:.4f}" for value in found["lambda"].values())
        family = "axons" if presynaptic(row) else "pairings"
        print(f"{row['name']:36} {family:9} {readable(row, 'axons'):>14} {readable(row, 'pairs'):>9}   {tau:44} {lam}")
    draw(rows)
    failed = 0
    for name, figure, bound in claims(rows):
        failed += not figure <= bound
        print(f"{name:110} {figure:9.3g} <= {bound:<9.3g} {'holds' if figure <= bound else 'FAILS'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
