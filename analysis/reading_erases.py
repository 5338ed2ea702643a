"""Does retrieving a memory erase it? Reads what simulations/reading_erases.py left in results/, holds it against curves derived from
the cards' numbers, prints the verdicts, draws the figure, and exits with 1 if a claim fails.

    clock   A(t) = A_f exp(-t/tau_f) + A_s exp(-t/tau_s), read or not: a read without an answer writes nothing
    use     silence changes nothing; each second of reading at h = 1 takes exp(-gamma_m (1 - tau_trace/1 s)): the trace, empty at
            first, costs tau_trace of each second

    python analysis/reading_erases.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.cards import reader
from fwbio.claims import Finding, conclude
from fwbio.comparison import clopper_pearson
from fwbio.figures import canvas
from fwbio.quantities import quantity

HERE = Path(__file__).parent
GAMMA_M, NEAR = 0.05, 0.02  # of the simulation; h is tanh(3 + …) = .995 to 1, its square 1 within 1 %, and so is every dose
COLOURS = {"silence": "C0", "reading": "C1", "answered": "C2"}


def derived(name, way, seconds, every):
    """What is left of A, by the second, after the store: None where no closed form is given."""
    if name == "clock":
        sets = reader.read("hebbian")["sets"]
        parts = [np.exp(-seconds / quantity(sets[key]["tau"], "s", key)) for key in ("Erickson_fast", "Erickson_slow")]
        return np.mean(parts, axis=0) if way != "answered" else None  # equal shares
    tau = quantity(reader.read("hebbian_use")["param"]["tau_trace"]["value"], "s", "tau_trace")
    reads = np.floor(seconds / every) if way == "reading" else 0 * seconds
    return np.exp(-GAMMA_M * (1 - tau) * reads) if way != "answered" else None


def draw(left, curves, asked) -> None:
    caption = (
        "Left, middle: what is left of a stored weight, of itself when stored; dots: spikes (mean and s.d. of eight runs, every 20 s), thin "
        "lines: rate equations, dashed: derived. By the clock silence and reading lie on one falling curve; with use silence erases nothing and "
        "reading nearly all. The two answers alike would be a failure. A read that the target answers writes again: by the clock without "
        "limit, until from 50 s on the pattern keeps itself active; with use up to its ceiling. Right: the trained network, asked again and again or once after as long a wait (95 %)."
    )
    with canvas(11, 4.4, caption, 1, 3) as (figure, axes):
        for axis, name in zip(axes, ("clock", "use")):
            for way, colour in COLOURS.items():
                rate, spikes = left[name, way]
                t = np.arange(len(rate))
                axis.plot(t, rate, color=colour, lw=0.8)
                style = {"fmt": "o", "ms": 6, "mfc": "none"} if way == "reading" else {"fmt": ".", "ms": 4}
                axis.errorbar(t[::20], spikes.mean(0)[::20], spikes.std(0, ddof=1)[::20], color=colour, label=way, lw=0.8, **style)
                if curves[name, way] is not None:
                    axis.plot(t, curves[name, way], "--", color="black", lw=0.7)
            axis.set(
                title=f"decay by {'the clock' if name == 'clock' else 'use'}",
                xlabel="time since the store (s)",
                yscale="log",
                ylim=(0.04, 120),
            )
        axes[0].set_ylabel("what is left of A (1)")
        axes[1].legend(title="after the store", loc="upper right")
        for k, (level, found) in enumerate(asked.items()):
            for way, marker in (("asked", "o"), ("waited", "s")):
                shares = np.array([[n / found["trials"], *clopper_pearson(n, found["trials"], 0.975)] for n in found[way]])
                at = np.arange(1, len(shares) + 1) + 0.1 * k
                error = np.abs(shares[:, 1:] - shares[:, :1]).T
                axes[2].errorbar(at, shares[:, 0], error, fmt=marker, ms=4, color=f"C{3 + k}", mfc="none", lw=0.8, label=f"{level}, {way}")
        axes[2].set(
            title="retrieval network", xlabel="asked for the … time (or waited as long)", ylabel="right answers (share)", ylim=(0, 1.05)
        )
        axes[2].legend(loc="lower left")
        figure.savefig(HERE / "figures" / "reading_erases.png", dpi=150)


def main() -> int:
    says = json.loads(Path("results/reading_erases/run.json").read_text())
    stored, left, curves, claims = says["store"] - 1, {}, {}, []
    with np.load("results/reading_erases/arrays.npz") as arrays:
        for name in ("clock", "use"):
            for way in COLOURS:
                rate, spikes = (arrays[f"{name}.{way}.{level}"][:, stored:] for level in ("rate", "spiking"))
                left[name, way] = rate[0] / rate[0, 0], spikes / spikes[:, :1]
                curves[name, way] = derived(name, way, np.arange(rate.shape[1]), says["every"])
    for (name, way), curve in curves.items():
        rate, spikes = left[name, way]
        if curve is not None:
            error = 4 * spikes[:, -1].std(ddof=1) / len(spikes) ** 0.5  # four standard errors
            claims.append((f"{name}, {way}: rate off the derived curve", np.abs(rate - curve).max(), NEAR))
            claims.append((f"{name}, {way}: spikes off it at the end", abs(spikes[:, -1].mean() - curve[-1]), error + NEAR * curve[-1]))
    ends = {key: spikes[:, -1] for key, (_, spikes) in left.items()}
    doubt = 4 * np.hypot(*(ends["clock", way].std(ddof=1) for way in ("silence", "reading"))) / len(ends["clock", "silence"]) ** 0.5
    claims += [
        ("clock: time erases, left after silence", ends["clock", "silence"].mean(), 0.5),
        (
            "clock: reading does not, apart from silence by",
            abs(ends["clock", "reading"].mean() - ends["clock", "silence"].mean()),
            doubt,
        ),
        ("use: time does not erase, lost in silence", np.abs(1 - ends["use", "silence"]).max(), 1e-12),
        ("use: reading erases, left after it", ends["use", "reading"].mean(), 0.1),
    ]
    draw(left, curves, says["asked"])
    for level, found in says["asked"].items():
        shares = {way: np.round(np.array(found[way]) / found["trials"], 4).tolist() for way in ("asked", "waited")}
        print(f"retrieval, {level}, {found['trials']} trials: asked again {shares['asked']}, asked after waiting {shares['waited']}")
    return conclude(Finding(*claim) for claim in claims)


if __name__ == "__main__":
    sys.exit(main())
