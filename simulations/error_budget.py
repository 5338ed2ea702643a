"""Does theory know the error before the simulation? Twenty settings of n, r0, Delta, tau_A and R.

The trained network (R = 50) and two untrained ones (R = 20 and 100, random weights, made here as cards of their own) in spikes
and as RNN on the same 100 trials; the error of h beside what fwbio.noise predicts from n, r0, the window and the weights.
Writes results/error_budget (about four minutes on two cores).

    python simulations/error_budget.py
"""

import hashlib
import json
from pathlib import Path

import numpy as np

import fwbio
from fwbio.cards.new import copy

OUT = Path("results/error_budget")
TRAINED, SMALL, LARGE = "retrieval", "random20", "random100"
SETTINGS = [  # card, neurons a unit, token (ms), r0 (Hz), tau (s)
    *((TRAINED, n, 100, r0, tau) for n in (20, 50, 100) for r0, tau in ((20, 0.949), (10, 0.949), (20, 2.0))),
    (TRAINED, 100, 100, 5, 0.949),
    *((TRAINED, 50, 50, r0, 0.475) for r0 in (20, 10)),
    *((TRAINED, 50, 200, r0, 1.898) for r0 in (20, 5)),
    *((SMALL, 50, 100, r0, tau) for r0, tau in ((20, 0.949), (10, 2.0), (15, 0.5))),
    *((LARGE, 30, 100, r0, tau) for r0, tau in ((20, 0.949), (10, 2.0), (15, 0.5))),
]


def random_card(name: str, units: int) -> Path:
    """A copy of the retrieval card with untrained weights for ``units`` units."""
    folder = OUT / "cards" / name
    if not folder.exists():
        folder.mkdir(parents=True)
        copy("retrieval", name, folder)
    rng = np.random.default_rng(units)
    shapes = {"E": (37, 100), "C": (units, 100), "W": (units, units), "V1": (100, units), "V2": (10, 100)}
    arrays = {key: rng.standard_normal(shape) / (1 if key == "E" else shape[1] ** 0.5) for key, shape in shapes.items()}
    arrays["W"] = 0.3 * np.eye(units) + 0.3 * arrays["W"]
    arrays |= {
        "g": np.ones(units),
        "b": np.zeros(units),
        "g0": np.ones(units),
        "b0": np.zeros(units),
        "c1": np.zeros(100),
        "c2": np.zeros(10),
    }
    np.savez(folder / "retrieval.npz", **arrays)
    card = folder / f"{name}.toml"
    digest = hashlib.sha256((folder / "retrieval.npz").read_bytes()).hexdigest()
    lines = card.read_text().splitlines()
    lines = [f'sha256  = "{digest}"' if line.startswith("sha256") else line.replace("= 50", f"= {units}") for line in lines]
    card.write_text("\n".join(lines) + "\n")
    return card


def main() -> None:
    cards = {TRAINED: TRAINED, SMALL: random_card(SMALL, 20), LARGE: random_card(LARGE, 100)}
    rows = []
    for k, (card, n, token, r0, tau) in enumerate(SETTINGS):
        changes = {"token": f"{token} ms", "r0": f"{r0} Hz", "fast.tau": f"{tau} s"}
        model = fwbio.load(cards[card], neurons=n, set=changes)
        task = fwbio.tasks.retrieval(trials=100, seed=k)
        found = fwbio.compare(*(fwbio.run(model, task, level, seed=k) for level in ("rnn", "spiking"))).figures["spiking"]
        measured, predicted = found["hidden_rmse"], found["hidden_rmse_predicted"]
        rows.append({"card": card, "units": model.units, "n": n, "token_ms": token, "r0_hz": r0, "tau_s": tau, **found})
        print(
            f"{card:10} R {model.units:3} n {n:3} token {token:3} ms r0 {r0:2} Hz tau {tau:5} s: {measured:.4f}, {predicted:.4f} predicted",
            flush=True,
        )
    (OUT / "run.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
