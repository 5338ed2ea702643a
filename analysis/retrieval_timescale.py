"""How long should a fast weight last? Reads results/retrieval_timescale (simulations/retrieval_timescale.py), prints every point with
the paired difference between spikes and RNN, draws accuracy over tau, and exits with 1 if a claim fails.

With a reset before every sequence nothing old is there to interfere: from a sequence's length on, longer costs next to nothing, and the
question has no answer. With eta of the ODE fixed it has a trivial one: a slower synapse writes less. Without a reset there is a price
on both sides. What the query
reads from its own sequence (L - 1 writes) and from all older ones is, with equal overlaps, as 1 - lambda^(L-1) to lambda^(L-1)
(fwbio/interference.py): equal at tau = (L-1) Delta/ln 2 = 1.4 s, or, where overlaps have random signs and squares add, at 2.9 s.
A longer memory is mostly of other sequences; in one of a few tokens the pair is gone before it is asked for.

    python analysis/retrieval_timescale.py
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

import fwbio
from fwbio import interference
from fwbio.claims import Finding, conclude
from fwbio.figures import canvas
from fwbio.tasks import retrieval, stationary_after

HERE, WITHIN, LENGTH = Path(__file__).parent, 0.02, 11
TURN = (LENGTH - 1) * 0.1 / math.log(2)  # s
RESET, ODE, NEVER = "reset, eta fixed a token", "reset, eta of the ODE fixed", "no reset, eta fixed a token"
KNOWN = {"activity": 0.1, "facilitation": 0.53, "Hebbian STP: 1.6 min": 96.0, "19 min": 1140.0}  # s; science: TM98, Erickson 2010


def spread(tau: float) -> dict:
    """RNN without reset, A stationary or 100 sequences old: what the query reads, as its spread over units."""
    network = fwbio.load("retrieval", set={"fast.tau": f"{tau!r} s"})
    warm = math.ceil(min(stationary_after(network, LENGTH), 100))
    read = interference.split(network, retrieval(trials=100, seed=1, sequences=warm + 1, warm=warm))
    sizes = {"own sequence, from A": read.own, "older ones, from A": read.older, "slow input z": read.z}
    return {name: float(v.std(axis=1).mean()) for name, v in sizes.items()}


def draw(record, taus, spreads) -> None:
    caption = (
        "Left: accuracy of the trained memory over the decay of its fast weights. Lines: RNN alone (without reset after 3 tau, or 400 "
        "sequences). Points: spikes, 100 neurons a unit, with 95 % intervals; rings: 400 or 1,000; crosses: the RNN on the same sequences. A ring, "
        "or a point without one, more than 2 % from its cross would be a failure. Beyond 10 s points without reset stand above their line: "
        "15 sequences do not fill A. Right: what the query reads in the RNN without reset. Dashed: own and older writes weigh the same, "
        "lambda^(L-1) = 1/2; accuracy without reset should have turned down before it."
    )
    with canvas(10, 5.4, caption, 1, 2) as (figure, (accuracy, read)):
        for k, protocol in enumerate((RESET, ODE, NEVER)):
            line = [r for r in record["rnn"] if r["protocol"] == protocol]
            accuracy.plot([r["tau_s"] for r in line], [100 * r["accuracy"] for r in line], color=f"C{k}", lw=1, label=protocol)
            for p in (p for p in record["points"] if p["protocol"] == protocol):
                style = {"ms": 4, "mfc": f"C{k}"} if p["neurons"] == 100 else {"ms": 8, "mfc": "none"}
                told = p["spiking"]
                accuracy.errorbar(p["tau_s"], 100 * told["accuracy"], 100 * told["accuracy_doubt"], fmt="o", color=f"C{k}", **style)
                accuracy.plot(p["tau_s"], 100 * p["rnn"]["accuracy"], "x", color="black", ms=4, zorder=3)
        for name in spreads[0]:
            read.plot(taus, [s[name] for s in spreads], label=name)
        for axis in (accuracy, read):
            axis.axvline(TURN, color="black", ls="--", lw=0.8)
            axis.set(xscale="log", xlabel="tau of the fast weights (s)")
        for name, tau in KNOWN.items():
            accuracy.plot(tau, 103, "v", ms=4, color="0.25", clip_on=False)
            accuracy.text(tau, 106, name, fontsize=7, rotation=20, color="0.25")
        accuracy.set(ylabel="right decisions (%)", ylim=(0, 102))
        read.set(ylabel="what reaches the query, spread over units (1)", yscale="log")
        accuracy.legend(fontsize=7)
        read.legend()
        figure.savefig(HERE / "figures" / "retrieval_timescale.png", dpi=150)


def claims(points) -> list:
    """(claim, figure, at most)."""
    last = {(p["protocol"], p["tau_s"]): p["spiking"] for p in points}  # with most neurons where there are several numbers
    at = {key: told["accuracy"] for key, told in last.items()}
    errors = [p["spiking"]["accuracy_difference_doubt"] / 1.96 for p in points]
    z = [(p["spiking"]["accuracy"] - p["spiking"]["accuracy_predicted"]) / max(e * 2**0.5, 1e-3) for p, e in zip(points, errors)]
    found = [
        (f"{k}: worst difference of spikes from RNN", max(abs(v["accuracy_difference"]) for (p, _), v in last.items() if p == k), WITHIN)
        for k in (RESET, ODE, NEVER)
    ]
    return found + [
        ("off the predicted accuracy, in s.e.: mean square over points", float(np.mean(np.square(z))), 1 + 4 * (2 / len(z)) ** 0.5),
        ("reset: A is what it is from 20 s on (lambda^10 = .95); 20 to 300 s costs", at[RESET, 20] - at[RESET, 300], WITHIN),
        ("no reset, 20 s: what is left of the accuracy with reset", at[NEVER, 20] / at[RESET, 20], 0.5),
        ("eta of the ODE, 300 s: off chance by", abs(at[ODE, 300] - 0.1), 0.05),
        ("no reset: the best tau (s), against (L-1) Delta/ln 2", max((v, k[1]) for k, v in at.items() if k[0] == NEVER)[1], TURN),
        ("no reset, 300 s: accuracy", at[NEVER, 300], 0.3),
    ]


def main() -> int:
    record = json.loads(Path("results/retrieval_timescale/run.json").read_text())
    for p in record["points"]:
        told, n = p["spiking"], p["neurons"]
        off, doubt = 100 * told["accuracy_difference"], 100 * told["accuracy_difference_doubt"]
        print(
            f"{p['protocol']:28} tau {p['tau_s']:6} s, n = {n}, {p['decisions']:5} decisions: RNN {p['rnn']['accuracy']:6.1%}, spiking "
            f"{told['accuracy']:6.1%} ({told['accuracy_predicted']:.1%} predicted), difference {off:+.2f} ± {doubt:.2f} points"
        )
    taus = sorted({r["tau_s"] for r in record["rnn"]})
    draw(record, taus, [spread(tau) for tau in taus])
    return conclude(Finding(*claim) for claim in claims(record["points"]))


if __name__ == "__main__":
    sys.exit(main())
