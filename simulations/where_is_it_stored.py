"""Where is it stored: in activity, in fast weights or in slow ones?

The retrieval network sees its four pairs; then, before the question marks or before the query itself, one carrier is wiped
(``fwbio.wipe``): activity h, fast weights A or slow weights W. What does it still remember? RNN and spikes, the same trials.
A memory held elsewhere, such as u and x of facilitating synapses, takes its place as another entry of MEMORIES: a function from the
wiped carrier (None: nothing) to right answers and trials. Writes results/where_is_it_stored (about 4 minutes on two cores).

    python simulations/where_is_it_stored.py
"""

import json
from pathlib import Path

import fwbio

PAIRS, SEED, TRIALS = 4, 2026, {"rnn": 5000, "spiking": 100}
MOMENTS = {"after the pairs": 2 * PAIRS, "before the query": 2 * PAIRS + 2}  # the first token that finds it gone
OUT = Path("results/where_is_it_stored")


def retrieval(level, moment):
    """Right answers of the trained network, as a function of what is wiped."""
    model, task = fwbio.load("retrieval"), fwbio.tasks.retrieval(pairs=PAIRS, trials=TRIALS[level], seed=SEED)

    def answers(what):
        wipe = what and {"what": what, "before": MOMENTS[moment]}
        run = fwbio.run(model, task, level, seed=SEED, wipe=wipe)
        return int((run.decisions == task.target).sum()), task.trials

    return answers


MEMORIES = {f"retrieval, {level}, {moment}": (retrieval(level, moment), ("h", "A", "W")) for level in TRIALS for moment in MOMENTS}


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    rows = []
    for memory, (answers, carriers) in MEMORIES.items():
        for what in (None, *carriers):
            right, trials = answers(what)
            rows.append({"memory": memory, "wiped": what or "nothing", "right": right, "trials": trials})
            print(f"{memory:40} wiped {what or 'nothing':8} right {right / trials:.3f}", flush=True)
    (OUT / "run.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
