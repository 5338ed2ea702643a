"""The adaptive slot in spikes: 50 Poisson axons on 64 dendrites, the prediction error at the dendrite, a surprise population that broadcasts M(t).

A presentation has five windows of 10 ms: two in which axons (200 Hz) read, so that each dendrite holds its prediction P; one in which the dendrite
sets it against the teacher, e = v - P, and 40 surprise neurons fire in proportion to u, each spike raising z of every axon; two in which axons write,
dA = z e ds, dz = -z^2 ds, each spike a share ds = 1/mu of the presentation, solved exactly: it uses up z and the error that it has corrected. Between presentations A and z relax. Expected noise E is one slow number.

World: sigma = 1, 4 presentations a second, kept 50 ms apart. A second run shows a fresh slot one value eight times, 200 slots in a row: its gains.
Writes results/adaptive_slot/spikes.json. Two builds, 3 minutes.

    python simulations/adaptive_slot_in_spikes.py
"""

import json
import sys
import tempfile
from pathlib import Path

import brian2 as b
import numpy as np

from fwbio.slot import fixed
from fwbio.slot.labile import LabileSlot
from fwbio.slot.world import Stream, SwitchingWorld

OUT, AXONS, D, RATE, DT, WINDOW = Path("results/adaptive_slot"), 50, 64, 200.0, 5e-4, 0.01
SURPRISE, PER_UNIT, SECONDS, SEED = 40, 40.0, 1500.0, 5  # surprise neurons; their spikes for u = 1
REPEATS, CONFIRMATIONS = 200, 8

DENDRITE = """
P : 1
err : 1
v = teacher(which(t)*second, i) : 1
"""
AXON = """
dz/dt = (1 - z)/tau_rec : 1
"""
BROADCAST = """
E : 1
z_mean : 1
square : 1
u : 1
"""
SYNAPSE = """
dA/dt = -clip(z_pre, 0, 1)*A/tau_0 : 1 (clock-driven)
"""


def simulate(stream, fresh=0) -> dict:
    """P and e of every presentation, e after it, z: arrays (n, D) or (n,). fresh : every so many presentations a new slot (no surprise)."""
    slot, starts = LabileSlot(), np.round(stream.t / WINDOW).astype(int)
    windows = starts[-1] + 10
    phase, now = np.full(windows, -1), np.zeros(windows)
    for part in range(5):
        phase[starts + part] = part
    now[np.concatenate([np.arange(a, e) for a, e in zip(starts, np.append(starts[1:], windows))])] = np.repeat(
        np.arange(len(starts)), np.diff(np.append(starts, windows))
    )
    b.device.reinit()
    b.device.activate()
    b.set_device("cpp_standalone", build_on_run=False)
    b.defaultclock.dt = DT * b.second
    b.seed(SEED)

    def clock(values):
        return b.TimedArray(np.asarray(values, float), dt=WINDOW * b.second)

    space = {
        "reading": clock(np.isin(phase, (0, 1))), "meeting": clock(phase == 2), "writing": clock(np.isin(phase, (3, 4))),
        "begins": clock(phase == 0), "which": clock(now), "teacher": b.TimedArray(stream.teacher, dt=1 * b.second),
        "renewed": clock((phase == 0) & (now % fresh == 0) if fresh else np.zeros(windows)),
        "tau_0": (30 if not fresh else 1e9) * b.second, "tau_rec": (100 if not fresh else 1e9) * b.second, "second": b.second,
        "rate": RATE * b.Hz, "mu": 2 * WINDOW * RATE, "n": AXONS, "D": D, "z_min": slot.z_range[0], "z_max": slot.z_range[1],
        "kappa": slot.kappa, "gamma": slot.gamma if not fresh else 0.0, "sd": (2 / D) ** 0.5, "per_unit": PER_UNIT,
        "burst": PER_UNIT / SURPRISE / WINDOW * b.Hz,
    }  # fmt: skip
    axons = b.NeuronGroup(AXONS, AXON, threshold="rand() < (reading(t) + writing(t))*rate*dt", method="exact", namespace=space)
    dendrites = b.NeuronGroup(D, DENDRITE, namespace=space)
    broadcast = b.NeuronGroup(1, BROADCAST, namespace=space)
    population = b.NeuronGroup(SURPRISE, "u : 1 (linked)", threshold="rand() < meeting(t)*u*burst*dt", namespace=space)
    population.u = b.linked_var(broadcast, "u", index=np.zeros(SURPRISE, int))
    synapses = b.Synapses(
        axons, dendrites, SYNAPSE, method="euler", namespace=space,
        on_pre="""P_post += reading(t)*A/(n*mu)
                  left = exp(-writing(t)*log(1 + z_pre/mu)/n)
                  A += n*(1 - left)*err_post
                  err_post *= left""",
    )  # fmt: skip
    synapses.connect()
    spent = b.Synapses(axons, axons, on_pre="z_post = clip(z_post/(1 + writing(t)*z_post/mu), z_min, z_max)", namespace=space)
    spent.connect(j="i")
    spent.pre.order = 1
    raised = b.Synapses(population, axons, on_pre="z_post = clip(z_post + 1/per_unit, z_min, z_max)", namespace=space)
    raised.connect()
    squared = b.Synapses(dendrites, broadcast, "square_post = (v_pre - P_pre)**2/D : 1 (summed)", dt=WINDOW * b.second, namespace=space)
    squared.connect()
    lability = b.Synapses(axons, broadcast, "z_mean_post = z_pre/n : 1 (summed)", dt=WINDOW * b.second, namespace=space)
    lability.connect()
    for k, made in enumerate((squared.summed_updaters["square_post"], lability.summed_updaters["z_mean_post"])):
        made.when, made.order = "before_start", 1 + k
    window = WINDOW * b.second
    dendrites.run_regularly("P = P*(1 - begins(t))", dt=window, when="before_start", order=0)
    dendrites.run_regularly("err = meeting(t)*(v - P) + (1 - meeting(t))*err", dt=window, when="before_start", order=3)
    axons.run_regularly("z = z + renewed(t)*(1 - z)", dt=window, when="before_start", order=0)
    synapses.run_regularly("A = A*(1 - renewed(t))", dt=window, when="before_start", order=0)
    expected = "E*(1 + clip(z_mean, 0, 1))"
    broadcast.run_regularly(
        f"""u = gamma*clip((square/({expected}) - 1)/sd - kappa, 0, inf)**2
            E = E + meeting(t)*(clip(square, 0, {expected}*(1 + kappa*sd)) - E)/50""",
        dt=window, when="before_start", order=4,
    )  # fmt: skip
    broadcast.E = 1.0
    seen = b.StateMonitor(dendrites, ("P", "err"), record=True, dt=window, when="before_start", order=5)
    labile = b.StateMonitor(broadcast, "z_mean", record=True, dt=window, when="before_start", order=5)
    net = b.Network(axons, dendrites, broadcast, population, synapses, spent, raised, squared, lability, seen, labile)
    net.run(windows * window, report="stderr", report_period=30 * b.second)
    with tempfile.TemporaryDirectory(prefix="fwbio-slot-") as folder:
        b.device.build(directory=folder, compile=True, run=True)
        P, e, z = (np.asarray(values).T for values in (seen.P, seen.err, labile.z_mean))
    return {"P": P[starts + 2], "e": e[starts + 2], "after": e[starts + 5], "z": z[starts + 2, 0]}


def spaced(stream) -> Stream:
    """The same presentations, none less than five windows after the one before."""
    t = np.ceil(stream.t / WINDOW) * WINDOW
    for k in range(1, len(t)):
        t[k] = max(t[k], t[k - 1] + 5 * WINDOW)
    return Stream(t, stream.item, stream.value, stream.teacher, stream.key)


def gain(found, rows) -> float:
    """The share of the error that a presentation takes away, by regression over dendrites."""
    e, after = found["e"][rows], found["after"][rows]
    return float(1 - (e * after).sum() / (e**2).sum())


def main() -> None:
    rng, n = np.random.default_rng(SEED), REPEATS * CONFIRMATIONS
    value = np.repeat(rng.choice((-1.0, 1.0), (REPEATS, D)), CONFIRMATIONS, axis=0)
    t = 0.25 * np.arange(1, n + 1)
    shown = simulate(Stream(t, np.zeros(n, int), value, value + rng.standard_normal(value.shape), np.ones((n, 1))), fresh=CONFIRMATIONS)
    gains = [gain(shown, np.arange(k, n, CONFIRMATIONS)) for k in range(CONFIRMATIONS)]
    print("gains of a fresh slot", np.round(gains, 3), flush=True)
    stream = spaced(SwitchingWorld("4 Hz", 1.0).stream(SECONDS, SEED))
    found, warm = simulate(stream), 50
    switch = np.flatnonzero((stream.value[1:] != stream.value[:-1]).any(axis=1)) + 1
    switch = [k for k, following in zip(switch, np.append(switch[1:], len(stream.t))) if following - k > 4 and k > warm]
    # the part of a jump that is learnt: 1 - the projection of what is left of it, over all long enough validities
    left = [
        np.array([((stream.value[k] - found["P"][k + j]) * (stream.value[k] - stream.value[k - 1])).sum() for j in range(5)])
        for k in switch
    ]
    jump = np.array([((stream.value[k] - stream.value[k - 1]) ** 2).sum() for k in switch])
    learnt = 1 - np.array(left) / jump[:, None]
    recovery = np.where((learnt >= 0.9).any(axis=1), (learnt >= 0.9).argmax(axis=1), 5)
    fixed_error = min(fixed.mse(fixed.delta(stream, eta)[warm:], stream.value[warm:]) for eta in fixed.ETAS)
    record = {
        "gains": gains,
        "mse": fixed.mse(found["P"][warm:], stream.value[warm:]),
        "wrong": fixed.wrong(found["P"][warm:], stream.value[warm:]),
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
