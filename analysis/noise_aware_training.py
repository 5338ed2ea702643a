"""How many neurons does noise-aware training save? Reads results/noise_aware_training (simulations/noise_aware_training.py), prints the
neurons a unit that 99 % same decisions take, with and without, draws agreement over neurons, and exits with 1 if a claim fails.

    python analysis/noise_aware_training.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.figures import canvas

HERE, WANTED = Path(__file__).parent, 0.99


def needed(curve) -> float:
    """Neurons a unit for WANTED, between the points around it, straight in log n; infinite if it is not reached."""
    n, same = np.array(curve).T
    above = np.flatnonzero(same >= WANTED)
    if not len(above):
        return np.inf
    k = above[0]
    if k == 0:
        return float(n[0])
    share = (WANTED - same[k - 1]) / (same[k] - same[k - 1])
    return float(np.exp(np.log(n[k - 1]) + share * np.log(n[k] / n[k - 1])))


def draw(record) -> None:
    caption = (
        "Decisions that are the RNN's, over neurons a unit (Poisson, 20 Hz per unit of h, two phases of 50 ms): the shipped network, trained "
        "with spike noise, and the same network trained without. Lines: predicted from the noise theory, no spikes; points: spikes, 200 "
        "trials, 95 % intervals. Points off their line would be a failure of the theory; lines closer than a factor of two at 99 % one of the claim."
    )
    with canvas(7, 4.6, caption) as (figure, axes):
        for k, (label, r) in enumerate(record.items()):
            axes.plot(*np.array(r["predicted"]).T * [[1], [100]], color=f"C{k}", label=f"trained {label}")
            for p in r["measured"]:
                low, high = 100 * (p["agreement"] - p["low"]), 100 * (p["high"] - p["agreement"])
                axes.errorbar(p["neurons"], 100 * p["agreement"], [[low], [high]], fmt="o", ms=4, color=f"C{k}")
        axes.axhline(100 * WANTED, color="black", ls="--", lw=0.8)
        axes.set(xlabel="neurons a unit", ylabel="same decision as the RNN (%)", xscale="log")
        axes.legend()
        figure.savefig(HERE / "figures" / "noise_aware_training.png", dpi=150)


def main() -> int:
    record = json.loads(Path("results/noise_aware_training/run.json").read_text())
    draw(record)
    need = {}
    for label, r in record.items():
        need[label] = needed(r["predicted"])
        print(f"trained {label}: accuracy {r['accuracy']:.4f}, mean h {r['mean_h']:.3f}; 99 % take {need[label]:.0f} neurons a unit")
        for p in r["measured"]:
            told = np.interp(np.log(p["neurons"]), *zip(*[(np.log(n), a) for n, a in r["predicted"]]))
            print(f"  n = {p['neurons']}: {p['agreement']:.3f} ({p['low']:.3f} to {p['high']:.3f}), predicted {told:.3f}")
    outside = sum(
        not p["low"] - 0.01 <= np.interp(np.log(p["neurons"]), *zip(*[(np.log(n), a) for n, a in r["predicted"]])) <= p["high"] + 0.01
        for r in record.values()
        for p in r["measured"]
    )
    claims = [
        ("neurons for 99 %, with noise over without", need["with noise"] / need["without"], 0.5),
        ("points of spikes whose interval (and 1 %) misses the prediction", outside, 1),  # 14 points, each 10 % by chance at most
    ]
    for name, figure, bound in claims:
        print(f"| {name} | {figure:.3g} | <= {bound:g} | {'holds' if figure <= bound else 'FAILS'}")
    return 0 if all(figure <= bound for _, figure, bound in claims) else 1


if __name__ == "__main__":
    sys.exit(main())
