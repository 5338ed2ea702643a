"""Where is an item held while nothing fires? Mongillo, Barak & Tsodyks (2008) at full size, in the regimes of its background.

The mongillo card (10,000 neurons, 12.8 million plastic synapses), three seeds each: low drive with a non-specific read-out 1 s and 6 s
after the cue; population spikes until the background is lowered, and with a pulse to a random 15 % of the cells; high drive.
Writes results/working_memory, run by run (two builds of a minute, then about 30 s a run: 10 to 15 minutes on two cores).

    python simulations/working_memory.py [REGIME ...]    # all of them, or these again
"""

import json
import sys
from pathlib import Path

import numpy as np

import fwbio
from fwbio.circuit import spans

SEEDS = (10, 11, 12)  # not those that the backgrounds were chosen with
OUT = Path("results/working_memory")
STEP = "protocol.step"
OFF = {f"{STEP}.lower.factor": "1"}
READ = {**OFF, "mu_E": "22.9 mV", f"{STEP}.readout.factor": "1.07"}
REGIMES = {
    "silent, read out after 1 s": READ,
    "silent, read out after 6 s": {**READ, "protocol.duration": "8 s", f"{STEP}.readout.start": "7.15 s"},
    "population spikes, then lower": {},
    "population spikes, random pulse": {**OFF, f"{STEP}.noise.factor": "1.15"},
    "asynchronous": {**OFF, "mu_E": "26.0 mV"},
}


def summary(regime, seed, rate, spiking) -> dict:
    """Rates and population spikes of one run, as fwbio.compare gives them."""
    found = fwbio.compare(rate, spiking).figures
    last = 0.5 * (spiking.t[-1] - 1.65) + 1.65  # the second half of what begins 0.5 s after the cue
    late = {
        g: {"rate": rate.mean_rate(g, last, spiking.t[-1]), "spiking": spiking.mean_rate(g, last, spiking.t[-1])}
        for g in spans(spiking.circuit)
    }
    return {"regime": regime, "seed": seed, "late": late, "memory_mb": spiking.memory_mb, "seconds": spiking.seconds, **found}


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    chosen, there = sys.argv[1:] or list(REGIMES), OUT / "run.json"
    rows = [row for row in json.loads(there.read_text()) if row["regime"] not in chosen] if sys.argv[1:] and there.is_file() else []
    for regime, changes in ((name, REGIMES[name]) for name in chosen):
        model = fwbio.load("mongillo", set=changes)
        rate = fwbio.run(model, level="rate")
        for seed in SEEDS:
            spiking = fwbio.run(model, level="spiking", seed=seed)
            row = summary(regime, seed, rate, spiking)
            rows.append(row)
            there.write_text(json.dumps(rows, indent=1))
            if seed == SEEDS[0]:
                save(regime, rate, spiking)
            for epoch in row["epochs"]:
                told = ", ".join(f"{g} {r['spiking']:.2f}" for g, r in epoch["rates"].items())
                print(f"{regime}, seed {seed}, {epoch['name']} {epoch['from']:.2f} to {epoch['to']:.2f} s: {told} Hz", flush=True)
            print(
                f"  population spikes of E.item1: {row['population_spikes']['E.item1']}; {row['seconds']:.0f} s, {row['memory_mb']:.0f} MB",
                flush=True,
            )


def save(regime, rate, spiking) -> None:
    """The spikes of one run, and u, x of the cued group in spikes and in the mean field."""
    (t, i), arrays = spiking.spikes["E"], {"t": spiking.t}
    for level, run in (("rate", rate), ("spiking", spiking)):
        arrays |= {f"{level}_{state}": groups["E.item1"] for state, groups in run.states["EE"].items()}
    np.savez_compressed(
        OUT / f"{regime.replace(',', '').replace(' ', '_')}.npz", spike_t=t.astype(np.float32), spike_i=i.astype(np.int16), **arrays
    )


if __name__ == "__main__":
    main()
