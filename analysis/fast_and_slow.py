"""What survives: a pattern shown once, or three times? Reads what simulations/fast_and_slow.py left in results/, prints the verdicts,
draws the figure, and exits with 1 if a claim fails.

Read-out: half of the pattern's axons are the cue; in a volley each of them fires with probability 1/2, and a cell sums what those that
fired add above rest, (h - h0 + h0 z) + h0 A, under a background of BACKGROUND, the s.d. of the free membrane of card lif. d' tells the
pattern's cells from the others of the matrix; d' = 1 is 76 % right between one of each (chance 50 %). 95 % intervals: Student, over
matrices. Derived beside it: the weights in closed form from where the last showing ended, and d' from their moments, no volley drawn.

    python analysis/fast_and_slow.py
"""

import json
import sys
from pathlib import Path

import numpy as np
from scipy.stats import norm, t

from fwbio.cards import reader
from fwbio.claims import Finding, conclude
from fwbio.detection import drawn, moments, sensitivity
from fwbio.figures import canvas
from fwbio.quantities import quantity
from fwbio.spiking.own import chosen

HERE, OUT, VOLLEYS, CRITERION = Path(__file__).parent, Path("results/fast_and_slow"), 400, 1.0
SLOW, FAST = (chosen(reader.read(card), name, {}, card) for card, name in (("tagging_capture", None), ("hebbian", "Erickson_fast")))
BACKGROUND = quantity(reader.read("lif")["param"]["sigma"]["value"], "V", "sigma") / 2**0.5
HELD = {"fast weight": (2,), "early phase": (0,), "late phase": (1,), "all": (0, 1, 2)}


def closed(end, times):
    """h, z and A of every synapse at ``times`` after the last showing, (3, times, matrices, cells, axons), from its end alone.

    h - h0 = d exp(-t/T), T = tau_h/0.1; proteins rise to 1 until t_S, when the sum has fallen to theta_pro, p = 1 - (1 - p0) exp(-t/tau_p),
    and then fall; a tag lasts until t_g = T log(|d|/theta_tag); z goes to its bound by exp(-int p/tau_z) over the tag's time.
    """
    T, d, tau = SLOW["tau_h"] / 0.1, end["h"] - SLOW["h0"], SLOW["tau_p"]
    t_S = T * np.log(np.maximum(np.abs(d).sum(axis=-1, keepdims=True) / SLOW["theta_pro"], 1))
    t_g = T * np.log(np.maximum(np.abs(d) / SLOW["theta_tag"], 1))
    p0, found = end["p"][..., None], []
    for time in times:
        s = np.minimum(time, t_g)
        rise, top = np.minimum(s, t_S), 1 - (1 - p0) * np.exp(-t_S / tau)
        area = rise - (1 - p0) * tau * -np.expm1(-rise / tau) + top * tau * -np.expm1(-(s - rise) / tau)
        bound = np.where(d > 0, SLOW["z_max"], SLOW["z_min"])
        z = bound + (end["z"] - bound) * np.exp(-area / SLOW["tau_z"])
        found.append([SLOW["h0"] + d * np.exp(-time / T), z, end["A"] * np.exp(-time / FAST["tau"])])
    return np.array(found).swapaxes(0, 1)


def added(weights, which):
    """What a spike adds above rest, of the parts named: (times, matrices, cells, axons) in V."""
    parts = weights[0] - SLOW["h0"], SLOW["h0"] * weights[1], SLOW["h0"] * weights[2]
    return sum(parts[k] for k in which)


def told(w, cells, rng=None):
    """d' of the pattern's cells, (times, matrices), with half of w's axons as the cue: from drawn volleys, without rng from moments."""
    cue = w[..., : w.shape[-1] // 2]
    return sensitivity(*(moments(cue, BACKGROUND) if rng is None else drawn(cue, BACKGROUND, VOLLEYS, rng)), cells)


def interval(found, alarm=0.05):
    """Mean over matrices and half of its interval, by time."""
    n = found.shape[1]
    return found.mean(axis=1), t.ppf(1 - alarm / 2, n - 1) * found.std(axis=1, ddof=1) / n**0.5


def draw(times, found, derived) -> None:
    caption = (
        "d' of a pattern's cells from half of its axons, by the part of the weight that is read; dots: volleys, mean and 95 % over matrices; lines: "
        "closed form from the end of the last showing; dashed: criterion, 76 % right of two. The fast weight is gone in minutes, the early phase "
        "in hours; three showings leave tags long enough to consolidate. Once above the dashed line at 1 h, or repeated below it, would be a failure."
    )
    with canvas(9, 4.4, caption, 1, 2, sharey=True) as (figure, axes):
        for axis, name, title in zip(axes, ("once", "repeated"), ("shown once", "shown three times")):
            for k, part in enumerate(HELD):
                mean, half = interval(found[name, part])
                colour = "black" if part == "all" else f"C{k}"
                axis.errorbar(times, mean, half, fmt="os^D"[k], ms=4, color=colour, lw=0.8, capsize=2, label=part)
                axis.plot(times, derived[name, part].mean(axis=1), color=colour, lw=0.8)
            axis.axhline(CRITERION, color="black", ls="--", lw=0.8)
            axis.set(xscale="log", xlabel="time since the last showing", title=title)
            axis.set_xticks([10, 60, 600, 3600, 28800], ["10 s", "1 min", "10 min", "1 h", "8 h"])
            axis.minorticks_off()
        axes[0].set_ylabel("d' of the pattern's cells (1)")
        axes[1].legend(title="read", fontsize=7)
        figure.savefig(HERE / "figures" / "fast_and_slow.png", dpi=150)


def main() -> int:
    says = json.loads((OUT / "run.json").read_text())
    times, rng, claims, found, derived, ends = says["later"], np.random.default_rng(says["seed"]), [], {}, {}, {}
    with np.load(OUT / "arrays.npz") as arrays:
        for name in ("once", "repeated"):
            end = {k: arrays[f"{name}.{k}.end"] for k in "czhpA"}
            exact = closed(end, times)
            exact = np.stack([exact[:, :, g][..., own] for g, own in enumerate(arrays["axons"])], axis=2)
            off = np.abs(exact - arrays[f"{name}.weights"]).max(axis=(1, 2, 3, 4)) / np.abs(exact).max(axis=(1, 2, 3, 4))
            claims += [(f"{name}: {k} off the closed form, relative to its largest", v, 1e-6) for k, v in zip("hzA", off)]
            for part, which in HELD.items():
                found[name, part] = told(added(arrays[f"{name}.weights"], which), arrays["cells"], rng)
                derived[name, part] = told(added(exact, which), arrays["cells"])
    draw(times, found, derived)
    for name in ("once", "repeated"):
        (mean, half), (gap, doubt) = interval(found[name, "all"]), interval(found[name, "all"] - derived[name, "all"], 6e-5)
        for k, time in enumerate(times):
            parts = "  ".join(f"{part} {found[name, part][k].mean():5.2f}" for part in HELD if part != "all")
            right, expected = norm.cdf(mean[k] / 2**0.5), derived[name, "all"][k].mean()
            print(f"{name:9} {time:6} s  d' {mean[k]:5.2f} +- {half[k]:.2f}, derived {expected:5.2f}, right of two {right:.3f}  {parts}")
        claims.append((f"{name}: d' off the derived one, of its bound", np.max(np.abs(gap) / doubt), 1))
        ends[name] = mean - half, mean + half
    hour = times.index(3600)
    claims += [
        ("repeated: d' after 1 h, lower end of 95 %", ends["repeated"][0][hour], CRITERION, ">="),
        ("once: d' after 1 h, upper end of 95 %", ends["once"][1][hour], CRITERION),
        ("once: d' after 10 s, lower end of 95 %", ends["once"][0][0], CRITERION, ">="),
    ]
    return conclude(Finding(*claim) for claim in claims)


if __name__ == "__main__":
    sys.exit(main())
