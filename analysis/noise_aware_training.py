"""What does noise-aware training save? Reads results/noise_aware_training (simulations/noise_aware_training.py), prints the neurons a unit and
the spikes a decision that 99 % same decisions take, by training, draws agreement over neurons, and exits with 1 if a claim fails.

    python analysis/noise_aware_training.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.claims import Finding, conclude
from fwbio.figures import canvas

HERE, WANTED = Path(__file__).parent, 0.99


def needed(curve) -> tuple[float, float]:
    """Neurons a unit and spikes a decision for WANTED, between the points around it, straight in log n; infinite if it is not reached."""
    n, same, spikes = np.array(curve).T
    above = np.flatnonzero(same >= WANTED)
    if not len(above):
        return np.inf, np.inf
    k = above[0]
    if k == 0:
        return float(n[0]), float(spikes[0])
    share = (WANTED - same[k - 1]) / (same[k] - same[k - 1])
    wanted = float(np.exp(np.log(n[k - 1]) + share * np.log(n[k] / n[k - 1])))
    return wanted, float(wanted * spikes[k] / n[k])


def told(record, n) -> float:
    """The predicted agreement for n neurons a unit."""
    known, same, _ = np.array(record["predicted"]).T
    return float(np.interp(np.log(n), np.log(known), same))


def draw(record) -> None:
    caption = (
        "Decisions that are the RNN's, over neurons a unit (Poisson, 20 Hz per unit of h, two phases of 50 ms): one network by one recipe, trained "
        "without noise and with that of 100 and of 10 neurons a unit. Lines: predicted from the noise theory, no spikes; points: spikes, 400 "
        "trials, 95 % intervals. Points should lie on their line; where lines cross the dashed 99 %, noise should have moved them to the left."
    )
    with canvas(7, 4.6, caption) as (figure, axes):
        for k, (label, r) in enumerate(record.items()):
            n, same, _ = np.array(r["predicted"]).T
            axes.plot(n, 100 * same, color=f"C{k}", label=f"trained with {label}")
            for p in r["measured"]:
                low, high = 100 * (p["agreement"] - p["low"]), 100 * (p["high"] - p["agreement"])
                axes.errorbar(p["neurons"], 100 * p["agreement"], [[low], [high]], fmt="o", ms=4, color=f"C{k}")
        axes.axhline(100 * WANTED, color="black", ls="--", lw=0.8)
        axes.set(xlabel="neurons a unit", ylabel="same decision as the RNN (%)", xscale="log")
        axes.set_xticks((3, 5, 10, 20, 50), labels=("3", "5", "10", "20", "50"))
        axes.set_xticks((), minor=True)
        axes.legend()
        figure.savefig(HERE / "figures" / "noise_aware_training.png", dpi=150)


def main() -> int:
    record = json.loads(Path("results/noise_aware_training/run.json").read_text())
    draw(record)
    need = {}
    for label, r in record.items():
        neurons, spikes = need[label] = needed(r["predicted"])
        print(
            f"{label}: accuracy {r['accuracy']:.4f}, mean h {r['mean_h']:.3f}; 99 % take {neurons:.1f} neurons a unit, {spikes:,.0f} spikes"
        )
        for p in r["measured"]:
            print(f"  n = {p['neurons']}: {p['agreement']:.3f} ({p['low']:.3f} to {p['high']:.3f}), predicted {told(r, p['neurons']):.3f}")
    points = [(p, told(r, p["neurons"])) for r in record.values() for p in r["measured"]]
    outside = sum(not p["low"] - 0.01 <= expected <= p["high"] + 0.01 for p, expected in points)
    claims = [
        ("neurons for 99 %, noise of 10 neurons over no noise", need["noise of 10 neurons"][0] / need["no noise"][0], 0.5),
        ("spikes a decision, the same", need["noise of 10 neurons"][1] / need["no noise"][1], 0.6),
        (f"points of spikes whose interval (and 1 %) misses the prediction, of {len(points)}", outside, 2),  # each 10 % by chance at most
    ]
    return conclude(Finding(*claim) for claim in claims)


if __name__ == "__main__":
    sys.exit(main())
