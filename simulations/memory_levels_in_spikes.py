"""The bank of four levels in spikes: 1,000 signed inputs as pairs of an on and an off population, 10 associations a second, for 40 minutes.

Input i is two populations of 4 Poisson neurons: the on population fires (100 Hz, 20 ms) where the key is +, the off one where it is -. Every axon ends on
16 dendrites with one Hebbian fast weight a level (card ``hebbian``, tau and gain of the optimal bank); the dendrite's drive is the value, +1 or -1.
All weights grow and fall together, which would drown an association: an inhibitory pool counts all spikes, its synapse on each dendrite learns by
the same rule, and so takes away the mean weight times the number of spikes.

In slots of 60 ms: perhaps a write (on average 10 a second), then two old keys, each of an age to be probed, are shown and only read. Writes
results/memory_levels/spikes.npz. Two minutes.

    python simulations/memory_levels_in_spikes.py
"""

import tempfile
from pathlib import Path

import brian2 as b
import numpy as np

import fwbio
from fwbio.levels.demand import AgeDemand
from fwbio.levels.plan import plan_levels

OUT, N, EACH, OUTPUTS, R, SEED = Path("results/memory_levels"), 1000, 4, 16, 10.0, 4
RATE, WINDOW, DT = 100.0, 0.02, 0.002  # Hz, s, s
SLOT, AGES = 3 * WINDOW, (0.1, 0.3, 1, 3, 10, 30, 100, 300)
SETTLE, MEASURED = 1200.0, 1200.0  # s: more than three of the slowest time constants, then probes


def protocol(rng):
    """(write or not a slot, key signs (slots, N), values (slots, OUTPUTS), probed slot of each half-slot, -1 where none is)."""
    slots = round((SETTLE + MEASURED) / SLOT)
    written = rng.random(slots) < R * SLOT
    keys, values = rng.random((slots, N)) < 0.5, rng.choice((-1.0, 1.0), (slots, OUTPUTS))
    probed = np.full((slots, 2), -1)
    when = np.flatnonzero(written)
    for slot in range(round(SETTLE / SLOT), slots):
        for half in range(2):
            age = AGES[(2 * slot + half) % len(AGES)]
            # the write nearest to that age, the middle of the probe after the middle of the write
            at = np.searchsorted(when, slot - (age - (half + 1) * WINDOW) / SLOT)
            near = when[max(at - 1, 0) : at + 1]
            near = near[near <= slot]
            if len(near):
                probed[slot, half] = near[np.argmin(np.abs(age_of(slot, half, near) - age))]
    return written, keys, values, probed


def age_of(slot, half, write):
    return (slot - write) * SLOT + (half + 1) * WINDOW


def simulate(rng):
    """I of every dendrite at the end of every window, (windows, OUTPUTS), and the protocol."""
    written, keys, values, probed = protocol(rng)
    bank = plan_levels(AgeDemand("100 ms", "5 min"), price=0.1).bank
    slots, axons = len(written), 2 * N * EACH
    shown = np.stack([np.where(written, np.arange(slots), -1), probed[:, 0], probed[:, 1]], 1).ravel()  # which key a window shows
    drive = np.zeros((len(shown), OUTPUTS))
    drive[::3][written] = values[written]
    b.set_device("cpp_standalone", build_on_run=False)
    b.defaultclock.dt = DT * b.second
    b.seed(SEED)
    signs = b.TimedArray(np.where(shown[:, None] >= 0, np.where(keys[shown], 1.0, -1.0), 0.0), dt=WINDOW * b.second)
    value = b.TimedArray(drive, dt=WINDOW * b.second)
    space = {"signs": signs, "value": value, "p": RATE * DT, "axons": axons}
    neurons = b.NeuronGroup(
        axons,
        "polarity = 1 - 2*(i % 2) : 1\nkey : integer (constant)",
        threshold="(signs(t, key)*polarity > 0) and (rand() < p)",
        namespace=space,
    )
    neurons.key = f"i//{2 * EACH}"
    means = "\n".join(f"dM{k}/dt = -M{k}/({constant}*second) : 1" for k, constant in enumerate(bank.tau))
    dendrites = b.NeuronGroup(OUTPUTS, f"I : 1\nv = value(t, i) : 1\n{means}\nfired : 1 (linked)", method="exact", namespace=space)
    pool = b.NeuronGroup(1, "fired : 1")
    dendrites.fired = b.linked_var(pool, "fired", index=np.zeros(OUTPUTS, int))
    count = b.Synapses(neurons, pool, on_pre="fired_post += 1")
    count.connect()
    levels = []
    for k, (constant, gain) in enumerate(zip(bank.tau, bank.gain)):
        levels.append(
            fwbio.synapses(
                "hebbian", neurons, dendrites, drive="v", connect=True, reduced=True, tau=f"{float(constant)!r} s", eta=float(gain), write_gain="1 Hz",
                read_gain="1 Hz", n=1, r0="1 Hz", dt=f"{DT} s", name=f"level{k}",
            )
        )  # fmt: skip
    total = " + ".join(f"M{k}" for k in range(len(bank)))
    learn = "\n".join(f"M{k} += {gain}*v*fired/axons" for k, gain in enumerate(bank.gain))
    dendrites.run_regularly(f"I -= fired*({total})\n{learn}", when="after_synapses")
    pool.run_regularly("fired = 0", when="end")
    seen = b.StateMonitor(dendrites, "I", record=True, dt=WINDOW * b.second, when="before_start", order=-1)
    dendrites.run_regularly("I = 0", dt=WINDOW * b.second, when="before_start", order=0)
    net = b.Network(neurons, dendrites, pool, count, *levels, seen)
    net.run((slots * SLOT + DT) * b.second, report="stderr", report_period=30 * b.second)
    with tempfile.TemporaryDirectory(prefix="fwbio-levels-") as folder:
        b.device.build(directory=folder, compile=True, run=True)
        read = np.asarray(seen.I).T[1:]
    return read[: len(shown)], written, values, probed, bank


def main() -> None:
    read, written, values, probed, bank = simulate(np.random.default_rng(SEED))
    slot, half = np.argwhere(probed >= 0).T
    write = probed[slot, half]
    OUT.mkdir(parents=True, exist_ok=True)
    np.savez(
        OUT / "spikes.npz",
        probe=(2 * slot + half) % len(AGES),  # which of the ages
        age=age_of(slot, half, write),
        time=slot * SLOT,
        half=half,
        written=written,
        reading=values[write] * read[3 * slot + half + 1],
        ages=AGES,
        tau=bank.tau,
        gain=bank.gain,
        N=N,
        r=R,
        n=EACH,
        m=RATE * WINDOW,
        q=1 - RATE * DT,
        slot=SLOT,
        window=WINDOW,
    )
    print(f"{len(slot)} probes, {read.size:,} readings")


if __name__ == "__main__":
    main()
