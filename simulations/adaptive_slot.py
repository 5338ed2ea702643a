"""Can a memory slot adapt? A surprise-gated labile slot in a world whose values go out of date at unforeseen times, with one set of parameters, beside fixed
slots and banks that are tuned to the very stream, the bound of any bank, and the ideal observer; one validity at a time; in a matrix, with lesions.

Writes results/adaptive_slot/run.json. 25 minutes.

    python simulations/adaptive_slot.py
"""

import json
from pathlib import Path

import numpy as np

from fwbio.slot import fixed, observer
from fwbio.slot.bound import best_fixed_cost, linear_bank_bound, segment_cost
from fwbio.slot.labile import LabileSlot
from fwbio.slot.world import Stream, SwitchingWorld

OUT, SEEDS, PRESENTATIONS, WARM = Path("results/adaptive_slot"), range(1000, 1012), 8000, 50
CONDITIONS = ((0.5, 1), (1, 1), (1, 4), (2, 1), (2, 2), (2, 4))  # sigma, presentations a second
EVENTS = LabileSlot(tau0=None, tau_rec=None)  # the rule by events as printed in the theory: nothing happens between presentations
SEGMENTS = (3, 10, 30, 100, 300, 1000)
LESIONS = {
    "adaptive": LabileSlot(),
    "no decay": LabileSlot(tau0=None),
    "one z for all": LabileSlot(lesions=("own",)),
    "z held": LabileSlot(lesions=("learning",)),
    "no surprise": LabileSlot(lesions=("surprise",)),
}


def judged(prediction, stream) -> list[float]:
    return [measure(prediction[WARM:], stream.value[WARM:]) for measure in (fixed.mse, fixed.wrong)]


def condition(sigma, rate) -> dict:
    world = SwitchingWorld(f"{rate} Hz", sigma)
    found = {"sigma": sigma, "rate": rate, "bound": linear_bank_bound(world, 100)}
    for seed in SEEDS:
        stream = world.stream(PRESENTATIONS / rate, seed)
        predictions = {"adaptive": LabileSlot().predict(stream), "events alone": EVENTS.predict(stream), **fixed.tuned(stream)}
        if seed < SEEDS[0] + 3:
            predictions["ideal observer"] = observer.bayes(world, stream)
        for name, prediction in predictions.items():
            found.setdefault(name, []).append(judged(prediction, stream))
    return found


def segments(n, seed=7, repeats=None) -> dict:
    """Summed squared error per output over a validity of n presentations, one a second; no time passes between (no decay, no recovery)."""
    rng, repeats = np.random.default_rng(seed), repeats or max(40, 4000 // n)
    value = np.repeat(rng.choice((-1.0, 1.0), (repeats, 64)), n, axis=0)
    t = np.arange(len(value), dtype=float)
    stream = Stream(t, np.zeros(len(t), int), value, value + rng.standard_normal(value.shape), np.ones((len(t), 1)))
    error = (EVENTS.predict(stream) - value) ** 2
    by_validity = error.mean(axis=1).reshape(repeats, n).sum(axis=1)[max(1, repeats // 10) :]
    best = best_fixed_cost(n, 1.0)
    return {
        "n": n,
        "adaptive": [float(by_validity.mean()), float(by_validity.std() / len(by_validity) ** 0.5)],
        "fixed": best,
        "ideal": segment_cost(n, 1.0),
    }


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    record = {"conditions": [], "segments": [], "lesions": {}, "ode": []}

    def keep(what):
        print(what, flush=True)
        (OUT / "run.json").write_text(json.dumps(record, indent=1))

    for n in SEGMENTS:
        record["segments"].append(segments(n))
        keep(record["segments"][-1])
    for p_new in (0.0, 0.5, 1.0):
        world = SwitchingWorld("1 Hz", 1.0, items=24, inputs=400, active=20, p_new=p_new)
        found = record["lesions"][str(p_new)] = {}
        for seed in SEEDS[:6]:
            stream = world.stream(400.0, seed)
            for name, slot in LESIONS.items():
                found.setdefault(name, []).append(judged(slot.predict(stream), stream))
            deltas = (fixed.delta(stream, eta) for eta in np.geomspace(0.05, 1, 9))
            found.setdefault("delta rule", []).append(judged(min(deltas, key=lambda p: fixed.mse(p, stream.value)), stream))
        keep({name: np.mean(rows, axis=0).round(3).tolist() for name, rows in found.items()})
    for sigma, rate in CONDITIONS:
        record["conditions"].append(condition(sigma, rate))
        keep({k: np.mean(v, axis=0).round(4).tolist() if np.ndim(v) > 1 else v for k, v in record["conditions"][-1].items()})
    world = SwitchingWorld("1 Hz", 1.0)
    for seed in (1, 2):
        stream = world.stream(1500.0, seed)
        record["ode"].append([judged(EVENTS.predict(stream), stream), judged(EVENTS.integrate(stream), stream)])
        keep(record["ode"][-1])


if __name__ == "__main__":
    main()
