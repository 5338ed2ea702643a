"""How does each mechanism answer a train? Every synapse card whose states live on the axon, every named set, in Brian2.

Regular trains of 5, 10, 20 and 50 Hz, each on an axon of its own: what every spike releases. Then a tetanus (20 Hz for 10 s) and one test
spike after a pause of 10 ms to 10 minutes, each pause on an axon of its own, so that no test disturbs another.
Writes results/one_synapse (about 4 minutes on one core).

    python simulations/one_synapse.py
"""

import json
from pathlib import Path

import numpy as np

from fwbio.cards import reader
from fwbio.spiking import axon

RATES, SECONDS, DT = (5, 10, 20, 50), 50, 1e-3  # Hz, s, s; between spikes states are integrated exactly, whatever dt
FIRST = 20  # spikes of each train that are kept, besides the last
TETANUS, REST, STEP = (20, 10.0), np.geomspace(0.01, 600, 24), 1e-2  # Hz and s; pauses (s); s
OUT = Path("results/one_synapse")


def presynaptic() -> dict[str, dict]:
    """Every synapse card that a presynaptic spike changes and whose states, but for the slow weight, all live on the axon."""
    cards = {name: reader.read(name) for name in reader.shipped()}
    return {
        name: card
        for name, card in cards.items()
        if card.get("role") == "synapse"
        and "write" in card["spiking"]
        and all(s["index"] == ["pre"] for s in card["state"].values() if s["start"] != "weight")
    }


def released(card, sets, trains, dt):
    """(sets, trains, FIRST + 1): what the first spikes release, and the last, in the reduced form; trains in whole steps."""
    rows = [given for given in sets.values() for _ in trains]
    found = axon.release({"c": card}, {"c": axon.values(card, *rows)}, trains * len(sets), dt)
    return np.array([[*r[:FIRST], r[-1]] for r in found["c", "reduced"]]).reshape(len(sets), len(trains), -1)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    periodic = [np.round(np.arange(1, rate * SECONDS + 1) / rate / DT).astype(int) for rate in RATES]
    rate, seconds = TETANUS
    burst = np.round(np.arange(1, rate * seconds + 1) / rate / STEP).astype(int)
    tested = [np.append(burst, burst[-1] + round(pause / STEP)) for pause in REST]
    arrays, says = {}, {"rates": RATES, "first": FIRST, "tetanus": TETANUS, "cards": {}}
    for name, card in presynaptic().items():
        sets = card.get("sets") or {"": {}}
        arrays[f"{name}.trains"] = released(card, sets, periodic, DT)
        arrays[f"{name}.tests"] = released(card, sets, tested, STEP)[:, :, [0, -1]]
        says["cards"][name] = list(sets)
        last = arrays[f"{name}.trains"][:, :, -1]
        for k, key in enumerate(sets):
            print(f"{name:24} {key:20} steady state " + " ".join(f"{value:.4f}" for value in last[k]), flush=True)
    pauses = np.array([round(pause / STEP) * STEP for pause in REST])
    np.savez_compressed(OUT / "arrays.npz", pauses=pauses, **arrays)
    (OUT / "run.json").write_text(json.dumps(says, indent=1))


if __name__ == "__main__":
    main()
