"""How does each mechanism answer a train? Reads results/one_synapse, holds what Brian2 released against closed forms and against the
published table, prints both, draws the figure, and exits with 1 if a digit is off.

Regular trains of interval T, E_f = exp(-T/tau_f), E_d = exp(-T/tau_d). In the steady state (Tsodyks, Pawelzik & Markram 1998, eqs. 2.3 to
2.5; u before the spike is that of convention B)

    A, B   u = U/(1 - (1 - U) E_f),     x = (1 - E_d)/(1 - (1 - u) E_d),     released u x
    C      v = u + U (1 - u),           x = (1 - E_d)/(1 - (1 - v) E_d),     released v x
    D      depleted by v, released u x
    three states: (x, y) before a spike is the fixed point of the spike and of exp(T M), M the equations' matrix (``scipy.linalg.expm``)

    python analysis/one_synapse.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.cards import reader
from fwbio.claims import Finding, conclude
from fwbio.figures import canvas
from fwbio.quantities import quantity

HERE = Path(__file__).parent
TABLE = {  # published: release at 5, 10, 20, 50 Hz
    "Mongillo": (0.4805, 0.3572, 0.2150, 0.0947),
    "TM98_depressing": (0.1811, 0.1051, 0.0571, 0.0241),
    "TM98_facilitating": (0.0874, 0.1347, 0.1655, 0.1218),
    "E1": (0.4180, 0.3398, 0.2154, 0.0970),
    "E2": (0.1454, 0.0979, 0.0596, 0.0277),
    "E3": (0.3014, 0.2241, 0.1344, 0.0585),
}
FORMS = {
    "tsodyks_markram": "B",
    "tsodyks_markram_a": "A",
    "tsodyks_markram_c": "C",
    "tsodyks_markram_d": "D",
    "tsodyks_markram_3state": "3",
}
SHOWN = ("TM98_depressing", "TM98_facilitating", "Mongillo", "E1", "E2", "E3")
CLOSE = 1e-10  # relative, 50 s after the start: what is left of it is below exp(-50/1.5) = 3e-15


def closed(form, U, tau_d, tau_f, T, tau_psc=None):
    """What each spike of an endless train releases."""
    from scipy.linalg import expm

    E_f, E_d = (np.exp(-T / tau) if tau else 0.0 for tau in (tau_f, tau_d))
    u = U / (1 - (1 - U) * E_f)
    v = u + U * (1 - u)
    if form == "3":  # q = (x, y, 1): dx/dt = (1 - x - y)/tau_d, dy/dt = -y/tau_psc; a spike moves u x from x to y
        flow = expm(T * np.array([[-1 / tau_d, -1 / tau_d, 1 / tau_d], [0, -1 / tau_psc, 0], [0, 0, 0]]))
        period = flow @ np.array([[1 - u, 0, 0], [u, 1, 0], [0, 0, 1]])
        return u * np.linalg.solve(np.eye(2) - period[:2, :2], period[:2, 2])[0]
    lost = v if form in ("C", "D") else u
    x = (1 - E_d) / (1 - (1 - lost) * E_d)
    return (v if form == "C" else u) * x


def derived(card, given, rates):
    """The closed form of a card with the values of one of its sets."""
    values = {k: quantity(given.get(k, p["value"]), "1" if k == "U" else "s", k) for k, p in card["param"].items()}
    return np.array([closed(FORMS[card["name"]], T=1 / rate, **values) for rate in rates])


def draw(says, arrays) -> None:
    rates, sets = np.array(says["rates"]), says["cards"]["tsodyks_markram"]
    caption = (
        "Presynaptic mechanisms on one axon, each spike's release as Brian2 gives it. Left: trains of 20 Hz; depressing synapses tell that a "
        "train begins, facilitating ones that it goes on. Middle: the steady state (dots) on the closed forms (lines); a dot off its line would "
        "be a failure. Right: what one test spike releases after 10 s at 20 Hz, of its release at rest: what the synapse still knows, and for how long. "
        "One gain an axon: it tells which axons fired, never which fired together."
    )
    with canvas(12, 4.6, caption, 1, 3) as (figure, (train, steady, memory)):
        fine = np.geomspace(2, 80, 60)
        card = reader.read("tsodyks_markram")
        for k, name in enumerate(SHOWN):
            row = arrays["tsodyks_markram.trains"][sets.index(name)]
            train.plot(np.arange(1, says["first"] + 1), row[says["rates"].index(20), :-1], "o-", ms=3, lw=1, color=f"C{k}", label=name)
            steady.plot(fine, derived(card, card["sets"][name], fine), lw=1, color=f"C{k}")
            steady.plot(rates, row[:, -1], "o", ms=4, color=f"C{k}")
        lines = [("tsodyks_markram", name) for name in ("TM98_depressing", "E1", "Mongillo")]
        lines += [(name, key) for name, keys in says["cards"].items() if name not in FORMS for key in keys]
        for k, (name, key) in enumerate(lines):
            tests = arrays[f"{name}.tests"][says["cards"][name].index(key)]
            label = key if name in FORMS else f"{name} {key}".strip()
            memory.plot(arrays["pauses"], tests[:, 1] / tests[:, 0], "o-" if k < 8 else "o--", ms=3, lw=1, color=f"C{k % 8}", label=label)
        memory.axhline(1, color="0.6", lw=0.8, zorder=0)
        train.set(xlabel="spike of a train of 20 Hz", ylabel="released (share of the resources)", ylim=(0, None))
        steady.set(xlabel="rate of the train (Hz)", ylabel="released in the steady state", xscale="log", ylim=(0, None))
        memory.set(xlabel="pause after the tetanus (s)", ylabel="release of one test spike, of its release at rest", xscale="log")
        steady.set_xticks(rates, [str(rate) for rate in rates])
        steady.minorticks_off()
        train.set_xticks((1, 5, 10, 15, 20))
        train.legend(fontsize=7)
        memory.legend(fontsize=7)
        figure.savefig(HERE / "figures" / "one_synapse.png", dpi=150)


def main() -> int:
    says = json.loads(Path("results/one_synapse/run.json").read_text())
    with np.load("results/one_synapse/arrays.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    worst, off, rows = 0.0, [], 0
    print(f"{'card':24} {'set':20} " + " ".join(f"{rate:>4} Hz" for rate in says["rates"]) + "   closed form off by (relative)")
    for name, sets in says["cards"].items():
        card = reader.read(name)
        for k, key in enumerate(sets):
            seen, error = arrays[f"{name}.trains"][k, :, -1], ""
            if name in FORMS:
                wanted = derived(card, card.get("sets", {}).get(key, {}), says["rates"])
                worst, error = max(worst, np.abs(seen / wanted - 1).max()), f"{np.abs(seen / wanted - 1).max():.1e}"
            print(f"{name:24} {key:20} " + " ".join(f"{value:7.4f}" for value in seen) + f"   {error}")
            if FORMS.get(name) in ("A", "B") and key in TABLE:
                rows += 1
                off += [(name, key, rate) for rate, s, t in zip(says["rates"], seen, TABLE[key]) if f"{s:.4f}" != f"{t:.4f}"]
    draw(says, arrays)
    print(*off, sep="\n", end="\n" * bool(off))
    return conclude(
        (
            Finding("worst relative error from the closed forms", worst, CLOSE),
            Finding(f"numbers of the published table that are off, to 4 decimals, of {4 * rows}", len(off), 0),
            Finding("sets of the published table that were compared", rows, len(TABLE), ">="),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
