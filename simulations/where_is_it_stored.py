"""Where is it stored: in activity, in fast weights or in slow ones?

The retrieval network sees its four pairs; then, before the question marks or before the query itself, one carrier is wiped
(``fwbio.wipe``): activity h, fast weights A or slow weights W. What does it still remember? RNN and spikes, the same trials.
The mongillo circuit holds its cued item silently; half a second after the cue one carrier of the 8,000 excitatory neurons is put back to
its start: membranes V, facilitation u, depression x, or the slow weights w of the cued group's axons to nothing. A read-out to all of
them, 1 s after the cue: which group answers loudest, of five? And in a population spike, alone?
Another memory is another entry of MEMORIES. Writes results/where_is_it_stored (about 10 minutes on two cores).

    python simulations/where_is_it_stored.py
"""

import json
from pathlib import Path

import fwbio
from fwbio.cards import circuit, reader
from fwbio.cards.changes import change

PAIRS, SEED, TRIALS = 4, 2026, {"rnn": 5000, "spiking": 100}
MOMENTS = {"after the pairs": 2 * PAIRS, "before the query": 2 * PAIRS + 2}  # the first token that finds it gone
CARRIERS = {"V": ("E", "V"), "u": ("E", "EE.u"), "x": ("E", "EE.x"), "w": ("E.item1", "EE.w")}
SILENT = {  # of simulations/working_memory.py, sooner: cue 0.4 to 0.75 s, wipe at 1.25 s, read-out 1.75 to 2 s
    "mu_E": "22.9 mV",
    "protocol.duration": "2.05 s",
    "protocol.step.cue.start": "0.4 s",
    "protocol.step.readout.start": "1.75 s",
    "protocol.step.readout.factor": "1.07",
}
SEEDS = (0, 1, 2)
OUT = Path("results/where_is_it_stored")


def retrieval(level, moment):
    """Right answers of the trained network, as a function of what is wiped."""
    model, task = fwbio.load("retrieval"), fwbio.tasks.retrieval(pairs=PAIRS, trials=TRIALS[level], seed=SEED)

    def answers(what):
        wipe = what and {"what": what, "before": MOMENTS[moment]}
        run = fwbio.run(model, task, level, seed=SEED, wipe=wipe)
        return {"right": int((run.decisions == task.target).sum()), "trials": task.trials, "chance": 0.1}

    return answers


def working_memory(what):
    """Whether the cued group answers the read-out loudest, and in a population spike of its own; a step that means no cells wipes nothing."""
    tables = change(reader.read("mongillo"), SILENT, "mongillo")
    steps = {name: tables["protocol"]["step"][name] for name in ("cue", "readout")}
    for name, (target, state) in CARRIERS.items():
        steps[f"wipe_{name}"] = {"target": target, "wipe": [state], "share": float(name == what), "start": "1.25 s"}
    tables["protocol"]["step"] = steps
    right, alone, items = 0, 0, [f"E.item{k}" for k in range(1, 6)]
    for seed in SEEDS:
        run = fwbio.run(circuit.build(tables, reader.find("mongillo")), level="spiking", seed=seed)
        loud = [run.mean_rate(item, 1.75, 2.0) for item in items]
        spiked = [bool((run.population_spikes(item) >= 1.75).any()) for item in items]
        right, alone = right + (max(loud) == loud[0]), alone + (spiked == [True] + [False] * 4)
    return {"right": right, "trials": len(SEEDS), "chance": 0.2, "population_spike": alone}


MEMORIES = {f"retrieval, {level}, {moment}": (retrieval(level, moment), ("h", "A", "W")) for level in TRIALS for moment in MOMENTS}
MEMORIES["working memory, spiking"] = working_memory, tuple(CARRIERS)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    rows = []
    for memory, (answers, carriers) in MEMORIES.items():
        for what in (None, *carriers):
            rows.append({"memory": memory, "wiped": what or "nothing", **(found := answers(what))})
            told = f", in a population spike {found['population_spike']}" if "population_spike" in found else ""
            print(f"{memory:40} wiped {what or 'nothing':8} right {found['right']} of {found['trials']}{told}", flush=True)
            (OUT / "run.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
