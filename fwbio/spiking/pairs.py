"""Synapses from neuron to neuron with rules at both ends: cards that write at postsynaptic spikes too, [spiking] post.

Nothing is reduced: every neuron has its own traces, every pair its own weight, (units n)^2 of them, autapses left out; so for
small networks. h is given (clamped), one Brian2 network in a child process (``python -m fwbio.spiking.pairs FOLDER``).
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from fwbio.cards.equations import split, written


def run(network, x, seed: int = 0) -> np.ndarray:
    """Weights of the only projection when each input ends, mean over presynaptic units: (inputs, units, neurons, pre units).

    x : (inputs, units), each lasting ``network.every``; h is phi of it.
    """
    from fwbio.pacing import free_gains
    from fwbio.rate.equations import Right
    from fwbio.spiking import engine

    (projection,) = network.projections.values()
    gain = free_gains(network.dendrite.values["tau_h"], projection.tau, network.dt)[1]
    values = {**projection.synapse.values, **network.neuron.values, "write_gain": gain}
    job = {key: getattr(network, key) for key in ("units", "neurons", "dt", "every")}
    job |= {"synapse": projection.synapse.card, "neuron": network.neuron.card, "values": values}
    with tempfile.TemporaryDirectory(prefix="fwbio-pairs-") as scratch:
        folder = Path(scratch)
        (folder / "job.json").write_text(json.dumps(job))
        np.save(folder / "h.npy", Right(network.phi, {})({"u": x}))
        engine.child([sys.executable, "-W", "ignore", "-m", "fwbio.spiking.pairs", scratch], folder, seed, None, quiet=False)
        return np.load(folder / "A.npy", allow_pickle=False).reshape(len(x), network.units, network.neurons, network.units)


def simulate(folder: Path) -> None:
    """The child's part: job.json and h.npy to A.npy."""
    import os

    import brian2
    from brian2 import Equations, Network, NeuronGroup, Synapses, TimedArray, second
    from brian2.utils.stringtools import word_substitute

    from fwbio.spiking.synapses import declared

    job, given = json.loads((folder / "job.json").read_text()), np.load(folder / "h.npy", allow_pickle=False)
    card, neuron, units, n = job["synapse"], job["neuron"], job["units"], job["neurons"]
    brian2.prefs.codegen.target = "numpy"
    brian2.seed(int(os.environ["FWBIO_SEED"]))
    held = TimedArray(given, dt=job["every"] * second, name="held")
    space = {"held": held, "n_neurons": n}
    for name, entry in {**card["needs"], **card["param"]}.items():
        if name in job["values"]:
            unit = declared(entry)
            space[name] = job["values"][name] * (1 if unit == "1" else getattr(brian2, unit))

    at_post = {"spiking": {"write": card["spiking"]["post"]}, "state": card["state"]}
    odes = {split(text, "ode")["ode"]: text for text in card["spiking"]["ode"]}
    ends = {name: f"{name}_{state['index'][0]}" for name, state in card["state"].items() if len(state["index"]) == 1}
    neurons = NeuronGroup(
        units * n,
        Equations("\n".join([*(odes[name] for name in ends), "h = held(t, i//n_neurons) : 1"])),
        threshold=neuron["spiking"]["threshold"],
        reset="\n".join([*written(card, ("pre",)), *written(at_post, ("post",))]),
        method="exact",
        dt=job["dt"] * second,
        namespace=space,
    )
    pairs = Synapses(
        neurons,
        neurons,
        f"{odes['A']} (event-driven)",
        on_pre="\n".join(word_substitute(rule, ends) for rule in written(card, ("post", "pre"))),
        on_post="\n".join(word_substitute(rule, ends) for rule in written(at_post, ("post", "pre"))),
        dt=job["dt"] * second,
        namespace=space,
    )
    pairs.connect(condition="i != j")
    network, found = Network(neurons, pairs), []
    place = np.asarray(pairs.j) * units + np.asarray(pairs.i) // n
    share = np.bincount(place, minlength=units * n * units)
    for _ in given:
        network.run(job["every"] * second)
        now = pairs.A[:] * np.exp(-(float(network.t) - pairs.variables["lastupdate"].get_value()) / job["values"]["tau"])
        found.append(np.bincount(place, now, units * n * units) / share)
    np.save(folder / "A.npy", found)


if __name__ == "__main__":
    simulate(Path(sys.argv[1]))
