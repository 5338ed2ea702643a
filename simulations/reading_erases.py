"""Does retrieving a memory erase it?

Units 0 and 1 (cue) and 2 and 3 (target) are active together for two seconds. Then follow five minutes of silence, of reading once
every five seconds (the cue for a second, the target held below threshold, as test pulses do), or of reading that the target answers.
The same with weights that decay by the clock (card potentiation) and with use (hebbian_use), in rate equations and in spikes, eight
times each; and the trained retrieval network asked again and again, against one that waits as long. Writes results/reading_erases
(about 6 minutes on two cores).

    python simulations/reading_erases.py
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

import fwbio
from fwbio.agreement import Held
from fwbio.cards import network, reader
from fwbio.describe import read_out
from fwbio.tasks import QUESTION

STORE, LATER, EVERY = 2, 300, 5  # s: inputs of one second each
WAYS, REPEATS, SEED = ("silence", "reading", "answered"), 8, 2026
ASKED, TRIALS = 6, {"rnn": 2000, "spiking": 100}  # how often the retrieval network is asked
OUT = Path("results/reading_erases")


def rule(name):
    """The potentiation card, its levels as they are (clock) or replaced by one that decays with use."""
    tables = reader.read("potentiation")
    if name == "use":
        level = {"from": "unit", "to": "unit", "synapse": "hebbian_use", "bind": {"gamma_p": "0.5", "gamma_m": "0.05"}}
        tables |= {"projection": {"labile": level}, "expose": {}}
    tables |= {"record": {"trials": REPEATS}}
    return replace(network.build(tables, reader.find("potentiation")), duration=float(STORE + LATER))


def protocol(way):
    """Input of cue, cue, target, target, second by second: 3 drives a unit to h = 1, -8 keeps it silent whatever its synapses bring."""
    x = np.full((STORE + LATER, 4), -8.0)
    x[:STORE] = 3.0
    if way != "silence":
        x[STORE + EVERY - 1 :: EVERY] = (3.0, 3.0, -8.0, -8.0) if way == "reading" else (3.0, 3.0, 0.0, 0.0)
    return x


def remembered(run):
    """The weights from cue to target when each second ends, mean of the four: (trials, seconds)."""
    return run.A[:, :, 2:, :2].mean(axis=(2, 3))


def asked_again(level, seed):
    """Right answers of the retrieval network to the same query: asked again and again, and once after waiting as long."""
    model, task = fwbio.load("retrieval"), fwbio.tasks.retrieval(pairs=4, trials=TRIALS[level], seed=seed)
    pairs, ask, wait = task.tokens[:, :-3], task.tokens[:, -3:], np.full((task.trials, 3), QUESTION)
    rows = [np.concatenate([pairs, *[ask] * ASKED], axis=1)]
    rows += [np.concatenate([pairs, *[wait] * k, ask, *[wait] * (ASKED - 1 - k)], axis=1) for k in range(ASKED)]
    longer = replace(task, tokens=np.concatenate(rows), target=np.tile(task.target, len(rows)))
    run = fwbio.run(model, longer, level, seed=seed, **({"form": "attention", "keep": 0} if level == "rnn" else {}))
    seen = (run.h if run.spikes is None else run.spikes.seen).reshape(len(rows), task.trials, -1, model.units)
    right = [[int((read_out(model, h[:, 10 + 3 * k]).argmax(axis=1) == task.target).sum()) for k in range(ASKED)] for h in seen]
    return {"trials": task.trials, "asked": right[0], "waited": [right[1 + k][k] for k in range(ASKED)]}


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    arrays, again = {}, {level: asked_again(level, SEED) for level in ("rnn", "spiking")}
    for name in ("clock", "use"):
        model = rule(name)
        for way in WAYS:
            x = np.repeat(protocol(way)[None], REPEATS, axis=0)
            arrays[f"{name}.{way}.rate"] = remembered(fwbio.run(model, Held(x[:1]), "rate"))
            arrays[f"{name}.{way}.spiking"] = remembered(fwbio.run(model, Held(x), "spiking", seed=SEED, batch=1))
            left = arrays[f"{name}.{way}.spiking"][:, -1] / arrays[f"{name}.{way}.spiking"][:, STORE - 1]
            print(f"{name:6} {way:9} left after {LATER} s: {left.mean():.4f} +- {left.std(ddof=1) / REPEATS**0.5:.4f}", flush=True)
    (OUT / "run.json").write_text(json.dumps({"store": STORE, "later": LATER, "every": EVERY, "asked": again}, indent=1))
    np.savez_compressed(OUT / "arrays.npz", **arrays)


if __name__ == "__main__":
    main()
