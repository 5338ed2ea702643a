"""How long should a fast weight last? The trained retrieval memory with tau from 100 ms to 5 min, under three protocols:

    reset, eta fixed a token        h and A are reset before every sequence
    reset, eta of the ODE fixed     eta = (1 - lambda) eta_ode, eta_ode such that lambda = 0.9 gives the trained 0.5: the same synapse
                                    driven for the same time writes less the slower it decays (--set fast.eta=…)
    no reset, eta fixed a token     30 sequences in a row, h and A kept (--set protocol.reset=never); those asked come after three tau,
                                    but at the latest from the 16th on

In spikes (100 Poisson neurons a unit) beside the RNN on the same sequences; where theory expects spike noise to move the accuracy by a
point or more, also with the 400 or 1,000 that bring it below a point. The RNN alone on a finer grid of tau, with up to 400 sequences
before those that are asked. Writes results/retrieval_timescale (about an hour on two cores; --quick: ten minutes).

    python simulations/retrieval_timescale.py [--quick]
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

import fwbio
from fwbio import describe, noise
from fwbio.tasks import retrieval, stationary_after

QUICK = "--quick" in sys.argv
TAUS = (0.1, 0.95, 20, 300) if QUICK else (0.1, 0.2, 0.4, 0.95, 2, 5, 10, 20, 60, 300)  # s
FINE = np.geomspace(0.1, 1200, 9 if QUICK else 28).tolist()  # s, up to the slow part of Hebbian potentiation, 19 min
SEED, DECISIONS, IN_A_ROW = 2026, 400 if QUICK else 2000, 30
MORE, POINT = (400, 1000), 0.01  # neurons a unit, in turn, where that many are wanted
SURE = 0.95  # above this accuracy few decisions differ, and a quarter of the sequences tell as much
RESET, ODE, NEVER = "reset, eta fixed a token", "reset, eta of the ODE fixed", "no reset, eta fixed a token"
OUT = Path("results/retrieval_timescale")


def load(protocol: str, tau: float, neurons: int = 100):
    """The retrieval card with this tau, and the eta that the protocol gives it."""
    eta = 0.5 * (1 - math.exp(-0.1 / tau)) / (1 - 0.9) if protocol == ODE else 0.5
    return fwbio.load("retrieval", neurons=neurons, set={"fast.tau": f"{tau!r} s", "fast.eta": repr(eta)})


def sequences(protocol: str, network, count: int):
    """The task: ``count`` sequences; without reset about half of them are asked, the second half of each row or more."""
    if protocol != NEVER:
        return retrieval(trials=count, seed=SEED)
    warm = math.ceil(min(stationary_after(network, 11), IN_A_ROW // 2))
    return retrieval(trials=count // IN_A_ROW, seed=SEED, sequences=IN_A_ROW, warm=warm)


def rnn_accuracy(protocol: str, tau: float) -> float:
    """Of the RNN alone; without reset, where A is stationary (or after 400 sequences)."""
    network = load(protocol, tau)
    task = sequences(protocol, network, DECISIONS)
    if protocol == NEVER:
        warm = math.ceil(min(stationary_after(network, 11), 400))
        task = retrieval(trials=50, seed=SEED, sequences=warm + IN_A_ROW, warm=warm)
    h = describe.discrete(network, task.x(network), keep=0).h
    return float((describe.read_out(network, h[:, task.asked]).argmax(axis=1) == task.target).mean())


def moved(protocol: str, tau: float, neurons: int, count: int) -> float:
    """By how much spike noise should move the accuracy on these sequences: ``fwbio.noise``, no spikes."""
    network = load(protocol, tau, neurons)
    task = sequences(protocol, network, count)
    x = task.x(network)
    states = describe.discrete(network, x, keep=0).h, noise.predict(network, x, seed=1).seen
    clean, noisy = ((describe.read_out(network, h[:, task.asked]).argmax(axis=1) == task.target).mean() for h in states)
    return abs(float(noisy - clean))


def point(protocol: str, tau: float, neurons: int, count: int) -> dict:
    """What ``fwbio compare`` says of RNN and spikes."""
    network = load(protocol, tau, neurons)
    task = sequences(protocol, network, count)
    runs = [fwbio.run(network, task, level, seed=SEED) for level in ("rnn", "spiking")]
    found = fwbio.compare(*runs).figures | {"protocol": protocol, "tau_s": tau, "decisions": len(task.target)}
    told = found["spiking"]
    print(
        f"{protocol:28} tau {tau:6} s, n = {neurons}: {len(task.target):5} decisions, RNN {found['rnn']['accuracy']:6.1%}, "
        f"spiking {told['accuracy']:6.1%} ({told['accuracy_predicted']:.1%} predicted), same decision {told['agreement']:.1%}",
        flush=True,
    )
    return found


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    record = {"rnn": [{"protocol": p, "tau_s": t, "accuracy": rnn_accuracy(p, t)} for p in (RESET, ODE, NEVER) for t in FINE], "points": []}
    for protocol in (NEVER, RESET, ODE):
        for tau in TAUS:
            count = 1500 if protocol == NEVER else DECISIONS // (4 if rnn_accuracy(protocol, tau) > SURE else 1)
            record["points"].append(point(protocol, tau, 100, count))
            if moved(protocol, tau, 100, count) >= POINT:
                neurons = next((n for n in MORE[:-1] if moved(protocol, tau, n, count) < POINT), MORE[-1])
                record["points"].append(point(protocol, tau, neurons, 1500 if protocol == NEVER else DECISIONS // 2))
            (OUT / "run.json").write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
