"""For how long is a pattern readable, for each mechanism, and which lambda is that? Reads results/forgetting (simulations/forgetting.py),
prints a table and verdicts, draws readability over the waiting time, and exits with 1 if a verdict fails.

tau is fitted to what spikes show; lambda = exp(-Delta/tau). Readable: d' beyond 1, by the derived curve, of one volley to one cell with
50 axons (d' goes with the root of their number). A figure may be 5 standard errors and the stated bias of the rate form off: with t of
119 degrees of freedom a false alarm of 2e-6 a figure.

    python analysis/forgetting.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.claims import Finding, conclude
from fwbio.figures import canvas
from fwbio.forgetting import ERRORS, QUESTIONS, Kept

HERE, FALSE = Path(__file__).parent, 2e-6
COLOURS = ("C5", "C0", "C2", "C3", "C6", "C1", "#8c2d04", "#555555", "C4")
SHOWN = {  # mechanism: (its name in the figure, the clock that its marker names, where its label stands from there)
    "tsodyks_markram TM98_depressing": ("depression", "tau_d", (6, -12)),
    "ladder depression": ("depression, three pools", "tau_3", (6, -16)),
    "tsodyks_markram Mongillo": ("facilitation", "tau_f", (-62, -34)),
    "ladder PTP_200": ("facilitation to potentiation", "tau_P", (-100, -34)),
    "hebbian retrieval": ("Hebbian, retrieval network", "tau", (-118, -8)),
    "hebbian Erickson_fast": ("Hebbian, fast part", "tau", (-30, 30)),
    "hebbian Erickson_slow": ("Hebbian, slow part", "tau", (10, -4)),
    "hebbian_use": ("Hebbian, decay by use", None, (-8, 6)),
    "slow_hebbian 100 showings": ("slow Hebbian, 100 showings", "tau", (-90, 8)),
}


def until(row) -> float:
    """The last time (s) at which the derived d' of which axons fired is beyond 1; 0: never; infinity: longer than was looked."""
    t, d = np.log(row["waits"]), np.abs(row["derived"]["axons"])
    (above,) = np.nonzero(d > 1)
    if not len(above) or above[-1] + 1 == len(d):
        return np.inf if len(above) else 0.0
    k = above[-1]
    return float(np.exp(np.interp(-1, -d[k : k + 2], t[k : k + 2])))


def line(row) -> str:
    """What is kept of which axons fired: family, largest d', tau with its 95 % interval, lambda, how long d' > 1."""
    found, d = row.get("decay.axons"), np.array(row["derived"]["axons"])
    start = f"{row['name']:32} {row['family'].split(':')[0][:26]:26} d' {d[np.abs(d).argmax()]:6.2f}"
    if not found:
        return f"{start}, nothing to follow"
    tau, low, high = (f"{np.inf if v is None else v:.4g}" for v in found["tau"])
    kind = "" if found["one"] else "; changes sign" if found["crosses"] else "; several clocks"
    lam = ", ".join(f"{value:.4f}" for value in found["lambda"].values())
    return f"{start}, tau {tau} s [{low}, {high}], lambda {lam}, d' > 1 until {until(row):.3g} s{kind}"


def claims(rows):
    """(claim, figure, at most)."""
    kept = {row["name"]: Kept(**{key: row[key] for key in ("waits", "measured", "error", "derived", "bias")}) for row in rows}
    alarms = FALSE * sum(len(row["waits"]) for row in rows) * len(QUESTIONS)
    for question in QUESTIONS:
        worst, name = max((k.off(question), name) for name, k in kept.items())
        yield f"{question}: worst d' off the derived and its bias, s.e. ({name}; false alarms, all figures: {alarms:.0e})", worst, ERRORS
    fits = [(row, row[f"decay.{q}"], f"{row['name']}, {q}") for row in rows for q in QUESTIONS if f"decay.{q}" in row]
    share, name = max((abs(f["rate"] - f["derived"]) / f["bound"], name) for _, f, name in fits)
    yield f"fitted rate off the derived one, share of its bound ({name}; {len(fits)} fits)", share, 1
    for row, found, name in fits:
        tau = max(np.inf if value is None else value for value in row["clocks"].values())
        if found["one"]:
            yield f"{name}: rate off the card's own, 1/{tau:g} s, in 1/s", abs(found["rate"] - 1 / tau), found["bound"]
    for name, family in ((row["name"], row["family"]) for row in rows):
        z = np.abs(kept[name].measured["pairs"]) / kept[name].error["pairs"]
        if not family.startswith("pre x post"):
            yield f"{name}: pairs derived", np.abs(kept[name].derived["pairs"]).max(), 1e-6
            yield f"{name}: pairs measured off chance, s.e.", z.max(), ERRORS
        elif np.abs(kept[name].derived["axons"]).max() >= 1:  # else nothing was stored
            yield f"{name}: pairs read, {ERRORS} s.e. over the best", ERRORS / z.max(), 1


def draw(rows) -> None:
    caption = (
        "What one volley tells after a pattern of one second was left alone. Left: which axons fired; right: which axon met which cell. Lines: "
        "derived from the rate equations (marker: there the time is the time constant named); points: spikes, two standard errors. Below 0: "
        "axons that fired transmit less. Beyond the dotted lines a volley tells. A point more than five standard errors and the bias of the "
        "rate equations off its line would be a failure, and so would be a presynaptic mechanism (round) away from 0 on the right."
    )
    with canvas(12, 7, caption, 1, 2, sharey=True) as (figure, axes):
        for k, row in enumerate(row for name in SHOWN for row in rows if row["name"] == name):
            (label, clock, away), t, color = SHOWN[row["name"]], np.array(row["waits"]), COLOURS[k]
            marker = "s" if row["family"].startswith("pre x post") else "o"
            for axis, question in zip(axes, QUESTIONS):
                axis.plot(t, row["derived"][question], color=color, lw=1)
                doubt = 2 * np.array(row["error"][question])
                axis.errorbar(t, row["measured"][question], doubt, fmt=marker, ms=3, lw=0.5, color=color)
                if question == "pairs" and marker == "o":
                    continue
                at, name = (row["clocks"][clock], f"{clock} = {row['clocks'][clock]:.4g} s") if clock else (t[-1], "no clock")
                at = (at, np.interp(np.log(at), np.log(t), row["derived"][question]))
                axis.plot(*at, "v", ms=8, color=color, mec="black", zorder=4)
                axis.annotate(f"{label}\n{name}", at, away, textcoords="offset points", color=color, fontsize=7, zorder=5)
        for axis, title in zip(axes, ("which axons fired", "which pairing")):
            axis.hlines((-1, 1), 0.01, 1e5, color="0.6", lw=0.6, ls=":")
            axis.set(title=title, xscale="log", xlabel="time since the pattern (s)", xlim=(0.007, 1e5))
            axis.set_yscale("symlog", linthresh=2)
        axes[0].set_ylabel("readability d' of one volley (1)")
        figure.savefig(HERE / "figures" / "forgetting.png", dpi=150)


def main() -> int:
    record = json.loads(Path("results/forgetting/run.json").read_text())
    rows = record["mechanisms"]
    print(f"{record['axons']} axons at {record['rate']} Hz, {record['trials']} cells a kind and wait; lambda for Delta = 0.1, 1 s")
    print(*map(line, rows), sep="\n")
    draw(rows)
    return conclude(Finding(*claim) for claim in claims(rows))


if __name__ == "__main__":
    sys.exit(main())
