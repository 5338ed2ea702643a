"""Many trials through one compiled network: batches of block-diagonal copies, a child process each, two at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np

from fwbio.cards import legal, modes
from fwbio.rnn import total
from fwbio.spiking import engine
from fwbio.spiking.structure import parameters, structure

BATCH = 25  # trials side by side; the cost a trial hardly falls beyond
LARGEST = 25_000_000  # synapses of one child, about a gigabyte


@dataclass(frozen=True)
class SpikingTrace:
    """What the spiking network did.

    h, seen : (trials, tokens, units), drive of the dendrites, and the same as spike counts show it (paced only)
    A : (trials kept, tokens from ``since`` on, post, pre), mean over a unit's axons; levels : its terms, by projection
    A_axon : (tokens, pre, neurons, post) of the first trial, each axon's own
    spike_t, spike_i : times in s and neurons of the first trial from token ``since`` on, neuron = unit * n + b
    t, I : times of h in s, and the dendrites' current like h (free-running only)
    """

    h: np.ndarray
    seen: np.ndarray | None
    A: np.ndarray
    levels: dict
    A_axon: np.ndarray
    spike_t: np.ndarray
    spike_i: np.ndarray
    t: np.ndarray | None
    I: np.ndarray | None  # noqa: E741 (the symbol of the card)
    build_seconds: float
    run_seconds: float
    memory_mb: float


def run(
    network, x, *, seed=0, keep=4, since=0, workers=2, plain=False, clamp=False, target=None, batch=None, progress=None, say=None
) -> SpikingTrace:
    """All trials of ``x`` (trials, inputs, units) through the spiking network.

    seed : of the spikes; each trial has its own, whatever runs beside it (lif neurons: each batch). keep, since : trials whose A is returned, and from which token on
    plain : no reductions (small networks only). clamp : h follows the input alone. target : cpp_standalone, numpy or cython; None: C++ if there is a compiler
    progress : called with the fraction done; say : with what is being done

    Raises BadInput for cards that cannot be reduced, EnvironmentProblem if building fails or a run does not pass its checks.
    """
    legal.check(network, plain)
    network = modes.apart(network)
    if target is None:
        target = engine.default_target()
        if target == "numpy" and say:
            say("no C++ compiler found: Brian2's NumPy target is used, which is slow; Debian: apt-get install g++")
    size = batch or batch_size(network, plain)
    chunks = [x[k : k + size] for k in range(0, len(x), size)]
    s = structure(network, x.shape[1], size, 1, plain=plain, clamp=clamp, target=target, quiet=since)
    folder, build_seconds = engine.build(s, parameters(network, s, chunks[0]), say) if target == "cpp_standalone" else (None, 0.0)
    done = np.zeros(len(chunks))

    def one(k):
        def tell(fraction):
            done[k] = fraction
            if progress:
                progress(done.mean())

        values = parameters(network, s, chunks[k], seed, k * size)
        own = int(np.random.SeedSequence(seed, spawn_key=(k,)).generate_state(1)[0])
        outcome = engine.run(folder, s, values, own, tell) if folder else engine.interpret(s, values, own, tell)
        tell(1.0)
        return reduce(network, s, outcome, len(chunks[k]), first=k == 0)

    if workers == 1:  # in the caller's own thread
        parts = [one(k) for k in range(len(chunks))]
    else:
        with ThreadPoolExecutor(min(workers, len(chunks))) as pool:
            parts = together(pool, one, range(len(chunks)))
    peaks = sorted((p.memory_mb for p in parts), reverse=True)[:workers]
    return SpikingTrace(
        h=np.concatenate([p.h for p in parts]),
        seen=np.concatenate([p.seen for p in parts]) if network.paced else None,
        A=np.concatenate([p.A for p in parts])[:keep],
        levels={name: np.concatenate([p.levels[name] for p in parts])[:keep] for name in network.levels},
        A_axon=parts[0].A_axon,
        spike_t=parts[0].spike_t,
        spike_i=parts[0].spike_i,
        t=parts[0].t,
        I=None if network.paced else np.concatenate([p.I for p in parts]),
        build_seconds=build_seconds,
        run_seconds=sum(p.run_seconds for p in parts) / min(workers, len(chunks)),
        memory_mb=float(sum(peaks)),
    )


def together(pool, one, batches) -> list:
    """``one`` of every batch. If one fails or the caller is interrupted, the children of the others are killed, not waited for."""
    owners = set()

    def owned(k):
        owners.add(threading.get_ident())
        return one(k)

    futures = [pool.submit(owned, k) for k in batches]
    try:
        return [future.result() for future in futures]
    except BaseException:
        for future in futures:
            future.cancel()
        while wait(futures, timeout=0.1).not_done:  # one may just have been about to start its child
            for owner in list(owners):
                engine.kill_all(owner)
        raise


def kept_trials(trials: int, keep: int, network, plain: bool = False, batch=None) -> np.ndarray:
    """Which trials' A a run of ``trials`` returns: the first of every batch."""
    return np.arange(0, trials, batch or batch_size(network, plain))[:keep]


def batch_size(network, plain: bool = False) -> int:
    """Trials side by side in one child."""
    cells = network.neurons if plain else 1
    return max(1, min(BATCH, LARGEST // (2 * network.neurons * network.units**2 * cells)))


def reduce(network, s, outcome, trials, first) -> SpikingTrace:
    """One batch's arrays as trials, tokens, units; the bulky ones of the first trial only."""
    arrays, steps = outcome.arrays, s.phases
    h, t, current, seen = arrays["h"].transpose(1, 0, 2)[:trials], None, None, None
    if not network.paced:
        inside = arrays["t"] < s.inputs * s.token - s.dt / 2
        h, t, current = h[:, inside], arrays["t"][inside], arrays["I"].transpose(1, 0, 2)[:trials, inside]
    else:
        h = h[:, steps - 1 : steps * s.inputs : steps]  # at the start of the last phase: h_S
        last_phase = np.diff(arrays["counts"], axis=0)[steps - 1 :: steps]
        seen = last_phase.transpose(1, 0, 2)[:trials] / (s.neurons * network.r0 * network.window)
    after = {name: arrays[name][1 : 1 + s.recorded, ..., 0] for name in network.levels}  # (tokens, trials, pre, neurons, post)
    levels = {name: weights.mean(axis=3).transpose(1, 0, 3, 2) for name, weights in after.items()}
    axon = total({name: weights[:, 0] for name, weights in after.items()} if first else {}, (0, 0, 0, 0)).astype(np.float32)
    own = arrays["spike_i"] < s.per_trial
    return SpikingTrace(
        h=h,
        seen=seen,
        A=total(levels, (s.record, s.recorded, s.units, s.units)),
        levels=levels,
        A_axon=axon,
        spike_t=arrays["spike_t"][own],
        spike_i=arrays["spike_i"][own],
        t=t,
        I=current,
        build_seconds=0.0,
        run_seconds=outcome.seconds,
        memory_mb=outcome.memory_mb,
    )
