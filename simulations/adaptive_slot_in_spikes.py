"""The adaptive slot in spikes: the card ``labile`` between 200 Poisson axons and 64 dendrites, and a surprise population that broadcasts M(t).

A presentation lasts 90 ms. Axons fire at 200 Hz; each dendrite holds the prediction P that they bring, over tau_h = 5 ms. After 20 ms comes the
teacher: e = v - P, and the card writes while e shrinks. In the first 10 ms of it 40 surprise neurons fire in proportion to u; what they release, M,
lasts 10 ms, and where axons are active it raises their z. Between presentations A and z relax. Expected noise E is one slow number.

World: sigma = 1, 4 presentations a second, kept 100 ms apart. A second run shows a fresh slot one value eight times, 200 slots in a row: its gains.
Writes results/adaptive_slot/spikes.json. Two builds, 6 minutes.

    python simulations/adaptive_slot_in_spikes.py
"""

import json
import sys
import tempfile
from pathlib import Path

import brian2 as b
import numpy as np

import fwbio
from fwbio.slot import fixed
from fwbio.slot.labile import LabileSlot
from fwbio.slot.world import Stream, SwitchingWorld

OUT, AXONS, D, RATE, DT, WINDOW, TAU_H, TAU_M = Path("results/adaptive_slot"), 200, 64, 200.0, 5e-4, 0.01, 0.005, 0.01  # Hz, s
LEAD, TEACHER = 2, 7  # windows in which axons only read; in which there is a teacher
SURPRISE, PER_UNIT, SECONDS, SEED = 40, 40.0, 1500.0, 5  # surprise neurons; their spikes for u = 1
REPEATS, CONFIRMATIONS = 200, 8

DENDRITE = """
dP/dt = -P/tau_h : 1
v = teacher(which(t)*second, i) : 1
err = teaching(t)*(v - P) : 1
reads = 1/tau_h : Hz
writes = teaching(t)/lasts : Hz
dM/dt = -M/tau_M : Hz
"""
BROADCAST = """
E : 1
z_mean : 1
square : 1
u : 1
"""


def simulate(stream, fresh=0) -> np.ndarray:
    """P just before the teacher of every presentation, (n, D). fresh : every so many presentations a new slot (no surprise)."""
    slot, starts = LabileSlot(), np.round(stream.t / WINDOW).astype(int)
    windows = starts[-1] + LEAD + TEACHER + 1
    phase, now = np.full(windows, -1), np.zeros(windows)
    for part in range(LEAD + TEACHER):
        phase[starts + part] = part
    now[starts[0] :] = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, windows)))
    b.device.reinit()
    b.device.activate()
    b.set_device("cpp_standalone", build_on_run=False)
    b.defaultclock.dt = DT * b.second
    b.seed(SEED)

    def clock(values):
        return b.TimedArray(np.asarray(values, float), dt=WINDOW * b.second)

    space = {
        "active": clock(phase >= 0), "teaching": clock(phase >= LEAD), "onset": clock(phase == LEAD),
        "which": clock(now), "teacher": b.TimedArray(stream.teacher, dt=1 * b.second), "second": b.second,
        "renewed": clock((phase == 0) & (now % fresh == 0) if fresh else np.zeros(windows)),
        "rate": RATE * b.Hz, "tau_h": TAU_H * b.second, "tau_M": TAU_M * b.second, "lasts": TEACHER * WINDOW * b.second, "D": D,
        "kappa": slot.kappa, "gamma": slot.gamma if not fresh else 0.0, "sd": (2 / D) ** 0.5,
        "released": 1 / (PER_UNIT * TAU_M) * b.Hz, "burst": PER_UNIT / SURPRISE / WINDOW * b.Hz,
    }  # fmt: skip
    axons = b.PoissonGroup(AXONS, "active(t)*rate", namespace=space)
    broadcast = b.NeuronGroup(1, BROADCAST, namespace=space)
    dendrites = b.NeuronGroup(D, DENDRITE, method="exact", namespace=space)
    population = b.NeuronGroup(SURPRISE, "u : 1 (linked)", threshold="rand() < onset(t)*u*burst*dt", namespace=space)
    population.u = b.linked_var(broadcast, "u", index=np.zeros(SURPRISE, int))
    release = b.Synapses(population, dendrites, on_pre="M_post += released", namespace=space)
    release.connect()
    rest = {"tau_0": "1e9 s", "tau_rec": "1e9 s"} if fresh else {}
    made = fwbio.synapses(
        "labile", axons, dendrites, into="P", drive="err", read_gain="reads", write_gain="writes", M="M",
        n=AXONS, r0=f"{RATE} Hz", connect=True, dt=f"{WINDOW} s", **rest,
    )  # fmt: skip
    made.namespace.update(space)
    squared = b.Synapses(dendrites, broadcast, "square_post = (v_pre - P_pre)**2/D : 1 (summed)", dt=WINDOW * b.second, namespace=space)
    squared.connect()
    lability = b.Synapses(made, broadcast, "z_mean_post = z_pre/N_pre : 1 (summed)", dt=WINDOW * b.second)
    lability.connect()
    for k, summed in enumerate((squared.summed_updaters["square_post"], lability.summed_updaters["z_mean_post"])):
        summed.when, summed.order = "before_start", 1 + k
    window = WINDOW * b.second
    made.run_regularly("z = z + renewed(t)*(1 - z)\nA = A*(1 - renewed(t))", dt=window, when="before_start", order=0)
    expected = "E*(1 + clip(z_mean, 0, 1))"
    broadcast.run_regularly(
        f"""u = onset(t)*gamma*clip((square/({expected}) - 1)/sd - kappa, 0, inf)**2
            E = E + onset(t)*(clip(square, 0, {expected}*(1 + kappa*sd)) - E)/50""",
        dt=window, when="before_start", order=4,
    )  # fmt: skip
    broadcast.E = 1.0
    seen = b.StateMonitor(dendrites, "P", record=True, dt=window, when="before_start", order=5)
    net = b.Network(axons, dendrites, broadcast, population, release, made, squared, lability, seen)
    net.run(windows * window, report="stderr", report_period=30 * b.second)
    with tempfile.TemporaryDirectory(prefix="fwbio-slot-") as folder:
        b.device.build(directory=folder, compile=True, run=True)
        return np.asarray(seen.P).T[starts + LEAD]


def spaced(stream) -> Stream:
    """The same presentations, none before the one before has ended."""
    t = np.ceil(stream.t / WINDOW) * WINDOW
    for k in range(1, len(t)):
        t[k] = max(t[k], t[k - 1] + (LEAD + TEACHER + 1) * WINDOW)
    return Stream(t, stream.item, stream.value, stream.teacher, stream.key)


def gain(stream, P, rows) -> float:
    """The share of the error that a presentation takes away, as the next one finds it: by regression over dendrites."""
    e, after = stream.teacher[rows] - P[rows], stream.teacher[rows] - P[rows + 1]
    return float(1 - (e * after).sum() / (e**2).sum())


def main() -> None:
    rng, n = np.random.default_rng(SEED), REPEATS * CONFIRMATIONS
    value = np.repeat(rng.choice((-1.0, 1.0), (REPEATS, D)), CONFIRMATIONS, axis=0)
    t = 0.25 * np.arange(1, n + 1)
    shown = Stream(t, np.zeros(n, int), value, value + rng.standard_normal(value.shape), np.ones((n, 1)))
    P = simulate(shown, fresh=CONFIRMATIONS)
    gains = [gain(shown, P, np.arange(k, n, CONFIRMATIONS)) for k in range(CONFIRMATIONS - 1)]
    print("gains of a fresh slot", np.round(gains, 3), flush=True)
    stream = spaced(SwitchingWorld("4 Hz", 1.0).stream(SECONDS, SEED))
    P, warm = simulate(stream), 50
    switch = np.flatnonzero((stream.value[1:] != stream.value[:-1]).any(axis=1)) + 1
    switch = [k for k, following in zip(switch, np.append(switch[1:], len(stream.t))) if following - k > 4 and k > warm]
    # the part of a jump that is learnt: 1 - the projection of what is left of it, over all long enough validities
    left = [np.array([((stream.value[k] - P[k + j]) * (stream.value[k] - stream.value[k - 1])).sum() for j in range(5)]) for k in switch]
    jump = np.array([((stream.value[k] - stream.value[k - 1]) ** 2).sum() for k in switch])
    learnt = 1 - np.array(left) / jump[:, None]
    recovery = np.where((learnt >= 0.9).any(axis=1), (learnt >= 0.9).argmax(axis=1), 5)
    fixed_error = min(fixed.mse(fixed.delta(stream, eta)[warm:], stream.value[warm:]) for eta in fixed.ETAS)
    record = {
        "gains": gains,
        "mse": fixed.mse(P[warm:], stream.value[warm:]),
        "wrong": fixed.wrong(P[warm:], stream.value[warm:]),
        "events": fixed.mse(LabileSlot().predict(stream)[warm:], stream.value[warm:]),
        "fixed": fixed_error,
        "recovery": float(np.median(recovery)),
        "learnt": np.median(learnt, axis=0).tolist(),
        "switches": len(switch),
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "spikes.json").write_text(json.dumps(record, indent=1))
    print(json.dumps(record))


if __name__ == "__main__":
    sys.exit(main())
