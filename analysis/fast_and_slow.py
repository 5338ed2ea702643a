"""What survives: once shown, or repeated? Reads results/fast_and_slow, asks every pattern of every matrix, prints verdicts, draws the figure,
and exits with 1 if a claim fails.

The cue: of a pattern's 20 axons each fires with p = 1/2, the same for all cells; a cell hears the sum of what is left in its synapses
above rest. d' between the pattern's 20 cells and the other 80: difference of means over the mean of both spreads. What spreads a cell's sum is
what other patterns left in the same synapses (a cell is in each with p = 1/5, and then a fifth of the cue's axons are too) and that not all
synapses of a pattern took the same. Readable: d' above 2, where a threshold half-way is right for 84 % of cells of both kinds. Chance is d' = 0.

Derived: with no spike the early phase decays by exp(-0.1 t/tau_h) and A by exp(-t/tau), whatever the pattern; both are held against the
whole course. What is consolidated has no such form (tags end one by one); its end is bounded by what tags leave: h0 z <= h0 (z_max).

    python analysis/fast_and_slow.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.cards import reader
from fwbio.figures import canvas
from fwbio.quantities import quantity

HERE, READABLE, CUES, MEMORIES = Path(__file__).parent, 2.0, 20, ("A", "h", "z", "both")
NAMES = {"A": "fast weight A", "h": "early phase h - h0", "z": "late phase h0 z", "both": "effective weight h + h0 z"}
FIVE = 5.0  # d' of two samples of one distribution (20 and 80 cells, 20 patterns) stays below this many of its standard errors


def d_prime(weights, patterns, rng):
    """(patterns, matrices) of one memory at one time. weights : (matrices, cells, axons) above rest."""
    count, _, matrices, part = patterns.shape
    found = np.zeros((count, matrices))
    for k in range(count):
        for m in range(matrices):
            axons, cells = patterns[k, 0, m], patterns[k, 1, m]
            inside = np.isin(np.arange(weights.shape[1]), cells)
            volleys = rng.random((CUES, part)) < 0.5
            heard = weights[m][:, axons] @ volleys.T  # (cells, cues)
            a, b = heard[inside], heard[~inside]
            spread = (a.std(axis=0, ddof=1) + b.std(axis=0, ddof=1)) / 2
            found[k, m] = np.mean(np.where(spread > 0, (a.mean(axis=0) - b.mean(axis=0)) / np.where(spread > 0, spread, 1), 0.0))
    return found


def interval(values):
    """Mean over patterns and matrices, half width of its 95 % interval (Student's t over matrices' means, patterns of one share synapses)."""
    from scipy.stats import t

    means = values.mean(axis=0)
    return float(means.mean()), float(t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / len(means) ** 0.5)


def draw(later, found, traces) -> None:
    caption = (
        "Matrices of 100 x 100 synapses, ten patterns each: five shown four times ten minutes apart (filled), five once (open). Left: how well a "
        "pattern's cells are told from others by its cue, d' with 95 % intervals, from each memory; dashed: readable. Right: mean of the pattern's synapses. "
        "The fast weight holds everything for minutes, the early phase what was repeated for an hour or two, and only what was repeated is "
        "consolidated. A pattern shown once that is readable after an hour, or a repeated one that is not, would be a failure."
    )
    with canvas(11, 5, caption, 1, 2) as (figure, (left, right)):
        for k, memory in enumerate(MEMORIES):
            for kind, style in (("repeated", {"mfc": f"C{k}"}), ("once", {"mfc": "white", "ls": "--"})):
                mean, half = np.array([interval(v) for v in found[memory, kind]]).T
                left.errorbar(later, mean, half, fmt="o-", ms=4, lw=1, color=f"C{k}", label=f"{NAMES[memory]}, {kind}", **style)
                if memory not in ("A", "both"):
                    right.plot(later, 1e3 * traces[memory, kind], "o-", ms=4, lw=1, color=f"C{k}", **style)
        left.axhline(READABLE, color="black", ls="--", lw=0.8)
        left.set(xlabel="time since the last showing (s)", ylabel="d' of the pattern's cells", xscale="log")
        right.set(xlabel="time since the last showing (s)", ylabel="mean trace of the pattern's synapses (mV)", xscale="log")
        left.legend(fontsize=7)
        figure.savefig(HERE / "figures" / "fast_and_slow.png", dpi=150)


def main() -> int:
    says, rng = json.loads(Path("results/fast_and_slow/run.json").read_text()), np.random.default_rng(0)
    with np.load("results/fast_and_slow/arrays.npz", allow_pickle=False) as arrays:
        h0, patterns, later, h, z, A = (arrays[name].astype(float) for name in ("h0", "patterns", "later", "h", "z", "A"))
    patterns = patterns.astype(int)
    weights = {"A": A, "h": h - h0, "z": h0 * z, "both": h - h0 + h0 * z}
    kinds = {"repeated": slice(0, says["repeated"]), "once": slice(says["repeated"], None)}
    found = {(m, kind): [d_prime(w, patterns[own], rng) for w in weights[m]] for m in MEMORIES for kind, own in kinds.items()}
    picked = {k: [np.ix_([m], patterns[k, 1, m], patterns[k, 0, m]) for m in range(patterns.shape[2])] for k in range(len(patterns))}
    traces = {
        (m, kind): np.array([np.mean([w[place] for k in range(len(patterns))[own] for place in picked[k]]) for w in weights[m]])
        for m in MEMORIES
        for kind, own in kinds.items()
    }
    print(f"{'':34}" + "".join(f"{t:>16,.0f} s" for t in later))
    for (m, kind), rows in found.items():
        print(f"{NAMES[m] + ', ' + kind:34}" + "".join(f"{mean:9.2f} +- {half:5.2f}" for mean, half in map(interval, rows)))
    values = {key: quantity(reader.read("tagging_capture")["param"][key]["value"], "s", key) for key in ("tau_h",)}
    early = np.abs((h - h0) / (h[0] - h0) - np.exp(-0.1 * (later - later[0]) / values["tau_h"])[:, None, None, None])[
        :, np.abs(h[0] - h0) > 1e-4
    ]
    hour, end = int(np.flatnonzero(later == 3600)[0]), len(later) - 1
    low, high = (interval(found["both", kind][hour]) for kind in ("repeated", "once"))
    claims = [
        ("repeated, 1 h: d' of the effective weight, lower end of its interval", low[0] - low[1], ">=", READABLE),
        ("once, 1 h: the same, upper end", high[0] + high[1], "<=", READABLE),
        ("repeated, 8 h: lower end", np.subtract(*interval(found["both", "repeated"][end])), ">=", READABLE),
        ("once, 8 h: upper end", np.sum(interval(found["both", "once"][end])), "<=", READABLE),
        ("once, 10 s: d' of the fast weight, lower end", np.subtract(*interval(found["A", "once"][0])), ">=", READABLE),
        ("early phase: off exp(-0.1 t/tau_h) by", float(early.max()), "<=", 1e-3),  # float32 of 4 mV: 5e-10 V of 1e-4 V and more
    ]
    draw(later, found, traces)
    failed = 0
    for name, figure, relation, bound in claims:
        holds = figure >= bound if relation == ">=" else figure <= bound
        failed += not holds
        print(f"{name:70} {figure:9.3g} {relation} {bound:<6g} {'holds' if holds else 'FAILS'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
