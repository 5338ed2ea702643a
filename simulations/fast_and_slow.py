"""What survives: a pattern shown once, or three times ten minutes apart?

Ten matrices of 100 axons to 100 cells; in each a pattern of 30 axons and 20 cells drawn by chance. Every synapse has the slow weight of
card tagging_capture (early phase h, late phase z, at full resolution of 0.2 ms while there are spikes) and beside it the fast weight A of
card hebbian (Erickson_fast, 1.6 min). Between showings silence is skipped (fwbio.skip_ahead, which the tests hold against all steps).

Chosen, by scanning rates and lengths: 0.2 s of Poisson trains, axons at 40 Hz, where an axon alone potentiates as much as it depresses,
cells at 100 Hz, which adds the potentiation. One showing then moves h by 0.5 mV on average, below theta_tag = 0.84 mV (a third of the
synapses, by chance, is above it; they keep a little), three move it beyond. Proteins are no limit: theta_pro = 2.1 mV is a sum over the
cell's synapses, crossed by one showing of 30. The fast weight counts A = 1 as one h0, and a unit's rate as 50 Hz: both chosen.
Writes results/fast_and_slow (about 15 minutes on one core; --quick: two matrices, up to an hour).

    python simulations/fast_and_slow.py [--quick]
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.cards import reader
from fwbio.skip_ahead import ahead
from fwbio.spiking import own, pairs

AXONS = CELLS = 100
PATTERN = {"axons": 30, "cells": 20}
RATES, SHOWING, TAIL, DT = {"axons": 40.0, "cells": 100.0}, 0.2, 0.3, 2e-4  # Hz, s; TAIL: silence in full, until calcium is gone
SHOWINGS, APART, LATER = 3, 600.0, (10, 30, 60, 180, 600, 1800, 3600, 7200, 10800, 18000, 28800)  # s
FAST = ("hebbian", {"set": "Erickson_fast", "n": "1", "r0": "50 Hz", "read_gain": "1 Hz", "write_gain": f"{1 / SHOWING} Hz"})
SEED, MATRICES, OUT = 2026, 10, Path("results/fast_and_slow")


def patterns(rng, matrices):
    """Which axons and which cells belong to each matrix's pattern: booleans (matrices, 100) each."""
    return [
        np.array([np.isin(np.arange(size), rng.permutation(size)[: PATTERN[what]]) for _ in range(matrices)])
        for what, size in (("axons", AXONS), ("cells", CELLS))
    ]


def shown(states, members, seed):
    """The states after a showing: spikes for SHOWING, then TAIL without."""
    rates = [RATES[what] * own_members for what, own_members in zip(("axons", "cells"), members)]
    return pairs.matrices(reader.read("tagging_capture"), states, rates, SHOWING, DT, seed, TAIL, fast=FAST)


def silent(states, times):
    """The states of both cards at ``times``, each by name: (times, …)."""
    slow = ahead(reader.read("tagging_capture"), {k: v for k, v in states.items() if k != "A"}, times, longest=5.0)
    return slow | ahead(reader.read(FAST[0]), {"A": states["A"]}, times, longest=60.0, set=FAST[1]["set"])


def main(quick) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    size, later = (2, LATER[:7]) if quick else (MATRICES, LATER)
    card = reader.read("tagging_capture")
    members = patterns(np.random.default_rng(SEED), size)
    h0 = own.chosen(card, None, {}, "")["h0"]
    states = {name: np.zeros((size, CELLS, AXONS)) for name in "czA"} | {
        "h": np.full((size, CELLS, AXONS), h0),
        "p": np.zeros((size, CELLS)),
    }
    ends = []
    for k in range(SHOWINGS):
        states = shown(states, members, SEED + 10 * k)
        ends.append(states)
        moved = (states["h"] - h0)[members[1][:, :, None] & members[0][:, None]]
        print(f"showing {k + 1}: h of the pattern {1e3 * moved.mean():+.3f} +- {1e3 * moved.std():.3f} mV from rest", flush=True)
        if k < SHOWINGS - 1:
            states = {name: value[-1] for name, value in silent(states, [APART - SHOWING - TAIL]).items()}
    arrays = {"axons": members[0], "cells": members[1]}
    for name, end in (("once", ends[0]), ("repeated", ends[-1])):
        arrays |= {f"{name}.{k}.end": v for k, v in end.items()}
        found = silent(end, later)
        late = np.stack([found[k][:, g][:, :, members[0][g]] for k in "hzA" for g in range(size)]).reshape(3, size, len(later), CELLS, -1)
        arrays[f"{name}.weights"] = late.transpose(0, 2, 1, 3, 4)  # (h z A, times, matrices, cells, the pattern's axons)
        print(
            f"{name}: late phase of the pattern after {later[-1]} s {found['z'][-1][members[1][:, :, None] & members[0][:, None]].mean():.3f}"
        )
        np.savez_compressed(OUT / "arrays.npz", **arrays)
    says = {"later": later, "showings": SHOWINGS, "apart": APART, "showing": SHOWING, "tail": TAIL, "rates": RATES, "h0": h0, "seed": SEED}
    (OUT / "run.json").write_text(json.dumps(says, indent=1))


if __name__ == "__main__":
    main("--quick" in sys.argv)
