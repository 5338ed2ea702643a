"""What survives: a pattern that was shown once, or one that was shown again and again?

Matrices of 100 axons x 100 cells, every synapse with three memories that are recorded apart: a Hebbian fast weight A (hebbian,
Erickson_fast, 1.6 min), the early phase h and the late phase z of tagging_capture. Ten patterns a matrix, each 20 random axons x 20 random
cells: five are shown four times, ten minutes apart, five once, in the last round. A showing is 180 ms in which the
pattern's axons fire Poisson trains of 30 Hz and its cells of 120 Hz: calcium then passes theta_p where both fire (drift of h +5 mV/s), and not
where only one does (-0.3, -1.2 mV/s; at 100 Hz axons alone would do, and write on every cell). One showing leaves most synapses below
theta_tag, which no tag survives; four, of which little decays in 40 min (tau_h/0.1 = 1.9 h), leave more. The cell's sum crosses theta_pro at
every showing: proteins are made for all.
Showings, with the 200 ms in which calcium falls below its thresholds, are integrated by Brian2 spike by spike (dt 0.2 ms); the silence
between is skipped (fwbio/skip_ahead.py, shown equal to full integration in tests/test_skip_ahead.py).
Writes results/fast_and_slow (about 10 minutes on one core).

    python simulations/fast_and_slow.py
"""

import json
from pathlib import Path

import numpy as np

from fwbio import skip_ahead
from fwbio.cards import reader
from fwbio.quantities import quantity
from fwbio.spiking import pairs

MATRICES, SIZE, PART, PATTERNS, REPEATED = 4, 100, 20, 10, 5
ROUNDS, APART, BETWEEN = 4, 600.0, 20.0  # showings of what is repeated; s from round to round, from pattern to pattern
SHOWING, TAIL, RATES, DT = 0.18, 0.2, (30.0, 120.0), 2e-4  # s, s, Hz of axons and cells, s
LATER = (10.0, 60.0, 600.0, 3600.0, 3 * 3600.0, 8 * 3600.0)  # s after the last showing
LONGEST, SEED = 10.0, 2026  # s a step of the silence
OUT = Path("results/fast_and_slow")
SLOW, FAST = reader.read("tagging_capture"), reader.read("hebbian")
GIVEN = {**FAST["sets"]["Erickson_fast"], "n": "1", "r0": f"{RATES[1]} Hz", "read_gain": "1 Hz", "write_gain": f"{1 / SHOWING} Hz"}
TAU = quantity(GIVEN["tau"], "s", "tau")


def silence(states, seconds):
    """The states after each of ``seconds``: the slow card's own equations, and A, whose decay is one exponential."""
    slow = {key: value for key, value in states.items() if key != "A"}
    found = skip_ahead.ahead(SLOW, slow, seconds, longest=LONGEST)
    return found | {"A": np.stack([states["A"] * np.exp(-t / TAU) for t in seconds])}


def shown(states, axons, cells, seed):
    """The states after one showing: axons, cells of the pattern by matrix, (matrices, PART) each."""
    rates = np.zeros((2, MATRICES, SIZE))
    for row, part, rate in zip(rates, (axons, cells), RATES):
        np.put_along_axis(row, part, rate, axis=1)
    after = pairs.matrices(SLOW, states, rates, SHOWING, DT, seed, TAIL, fast=(FAST, GIVEN))
    assert after["c"].max() < quantity(SLOW["param"]["theta_d"]["value"], "1", "theta_d"), "calcium has not fallen below its thresholds"
    return after


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    patterns = rng.random((PATTERNS, 2, MATRICES, SIZE)).argsort(axis=-1)[..., :PART]  # axons, cells of each pattern in each matrix
    nothing = np.zeros((MATRICES, SIZE, SIZE))
    h0 = quantity(SLOW["param"]["h0"]["value"], "V", "h0")
    states = {"h": nothing + h0, "z": nothing, "c": nothing, "A": nothing, "p": np.zeros((MATRICES, SIZE))}
    order = [(m * APART + k * BETWEEN, k) for m in range(ROUNDS) for k in range(PATTERNS if m == ROUNDS - 1 else REPEATED)]
    now = 0.0
    for n, (due, k) in enumerate(order):
        if due > now:
            states = {key: value[0] for key, value in silence(states, [due - now]).items()}
        states, now = shown(states, *patterns[k], seed=SEED + n), due + SHOWING + TAIL
        of = states["h"][0][np.ix_(patterns[k, 1, 0], patterns[k, 0, 0])] - h0
        print(f"{due:6.0f} s, pattern {k}: h {1e3 * of.mean():.3f} mV above rest, {np.mean(of > 0.84e-3):.0%} above theta_tag", flush=True)
    kept = {"h0": np.array(h0), "patterns": patterns, "later": np.array(LATER)}
    course = silence(states, list(LATER))
    kept |= {key: course[key].astype(np.float32) for key in ("h", "z", "A")}
    np.savez_compressed(OUT / "arrays.npz", **kept)
    (OUT / "run.json").write_text(
        json.dumps({"rounds": ROUNDS, "apart": APART, "repeated": REPEATED, "part": PART, "eta": GIVEN["eta"] if "eta" in GIVEN else None})
    )


if __name__ == "__main__":
    main()
