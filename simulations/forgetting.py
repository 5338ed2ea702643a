"""For how long is a pattern readable, for each mechanism, and which lambda is that?

Every synapse card of models/ and every named set of it, neuron to neuron in Brian2, whatever cards there are. A pattern is shown for a
second at 20 Hz: 50 axons of some cells fire, of others not (which axons), together with their cell or not (pairings); then
comes silence, 10 ms to five time constants of the card, and one volley that half of the axons join. Each wait has synapses of its own.
Besides: hebbian with the tau of the retrieval network, and slow_hebbian after a hundred showings, because one leaves nothing to read.
Writes results/forgetting (about 15 minutes on one core).

    python simulations/forgetting.py [CARD ...]
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from fwbio import forgetting, results
from fwbio.cards import reader

AXONS, TRIALS, SEED, TOKENS = 50, 120, 2026, (0.1, 1.0)  # axons a cell; cells a kind and wait; s
SHOWINGS, COARSE = 100, 1e-2  # of slow_hebbian; dt (s) then: 20 Hz is 0.2 a step, and a linear rule keeps its mean
OUT = Path("results/forgetting")


def mechanisms() -> list[dict]:
    """Every synapse card that a presynaptic spike changes, with each set and with its own values; and one that nothing changes."""
    found = []
    for name in reader.shipped():
        card = reader.read(name)
        if card.get("role") == "synapse" and ("write" in card["spiking"] or name == "static"):
            sets = card.get("sets", {})
            own = {key: entry["value"] for key, entry in card.get("param", {}).items()}
            found += [{"card": name, "set": key} for key in sets]
            found += [] if own in [{**own, **given} for given in sets.values()] else [{"card": name, "set": None}]
    trained = reader.read("retrieval")["projection"]["fast"]
    found.append({"card": trained["synapse"], "set": None, "bind": trained["bind"], "called": "retrieval"})
    return [*found, {"card": "slow_hebbian", "set": None, "showings": SHOWINGS, "called": f"{SHOWINGS} showings"}]


def one(card, set=None, bind=None, showings=1, called=None) -> dict:
    """The pattern in one mechanism: what is read after each wait, and how it decays."""
    tables = reader.read(card)
    given, values = forgetting.numbers(tables, set, **(bind or {}))
    clocks = forgetting.clocks(tables, values)
    waits = forgetting.waits(clocks)
    long = {"show": showings * forgetting.SHOW, "dt": COARSE if showings > 1 else forgetting.DT}
    kept = forgetting.keep(tables, given, values, waits, AXONS, TRIALS, seed=SEED, **long)
    finite = {key: value if np.isfinite(value) else None for key, value in clocks.items()}  # None: never
    row = {"name": f"{card} {called or set or ''}".strip(), "card": card, "family": tables["family"], "clocks": finite, **asdict(kept)}
    for question in forgetting.QUESTIONS:
        if np.abs(kept.derived[question]).max() >= 1:  # else there is nothing to follow
            found = forgetting.decay(kept, question)
            rate, low, high = (found["rate"] + z * found["sd"] for z in (0, -1.96, 1.96))
            found["tau"] = [1 / rate, 1 / high, 1 / low] if low > 0 else [None, 1 / high, None]  # 95 %; None: no decay seen
            found["lambda"] = {str(token): float(np.exp(-(rate if low > 0 else 0) * token)) for token in TOKENS}
            row |= {f"decay.{question}": found}
    return row


def main() -> None:
    wanted = [what for what in mechanisms() if what["card"] in sys.argv[1:] or not sys.argv[1:]]
    rows, told = [], OUT / "run.json"
    if sys.argv[1:] and told.is_file():  # beside those that are there
        rows = [row for row in json.loads(told.read_text())["mechanisms"] if row["card"] not in sys.argv[1:]]
    says = {"axons": AXONS, "trials": TRIALS, "seed": SEED, "show": forgetting.SHOW, "rate": forgetting.RATE, **results.provenance()}
    for what in wanted:
        rows.append(row := one(**what))
        d, tau = row["measured"]["axons"], row.get("decay.axons", {}).get("tau")
        print(f"{row['name']:32} d' {d[np.abs(d).argmax()]:7.2f}, tau (s; 95 %) {tau}", flush=True)
        with results.publishing(OUT) as scratch:  # after each, so that what is there can be looked at
            text = json.dumps({**says, "mechanisms": rows}, indent=1, default=lambda value: value.tolist())
            (scratch / "run.json").write_text(text)


if __name__ == "__main__":
    main()
