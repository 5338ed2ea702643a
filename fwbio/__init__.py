"""fwbio: short-term synaptic plasticity as fast weights, one model seen as an RNN, as rate equations and as spikes.

    import fwbio
    model = fwbio.load("retrieval")
    task = fwbio.tasks.retrieval(pairs=4, trials=100, seed=0)
    rnn, rate, spiking = (fwbio.run(model, task, level) for level in ("rnn", "rate", "spiking"))
    print(fwbio.compare(rnn, rate, spiking))

Nothing is computed, and neither Brian2, SciPy nor Matplotlib loaded, before a function is called.
"""

import importlib

HOME = {
    "load": "fwbio.cards.network",
    "run": "fwbio.describe",
    "compare": "fwbio.comparison",
    "read": "fwbio.results",
    "sweep": "fwbio.sweeps.job",
    "resume": "fwbio.sweeps.job",
    "open_sweep": "fwbio.sweeps.job",
    "draw": "fwbio.cards.spreads",
    "synapses": "fwbio.spiking.own",
    "cell_equations": "fwbio.spiking.own",
    "AgeDemand": "fwbio.levels.demand",
    "LevelBank": "fwbio.levels.bank",
    "BeakerChain": "fwbio.levels.bank",
    "MemoryCurve": "fwbio.levels.curve",
    "plan_levels": "fwbio.levels.plan",
    "LabileSlot": "fwbio.slot.labile",
    "SurpriseSignal": "fwbio.slot.labile",
    "SwitchingWorld": "fwbio.slot.world",
    "linear_bank_bound": "fwbio.slot.bound",
    "segment_cost": "fwbio.slot.bound",
    "BadInput": "fwbio.errors",
    "EnvironmentProblem": "fwbio.errors",
}
__all__ = [*HOME, "tasks"]


def __getattr__(name):
    if name == "tasks":
        return importlib.import_module("fwbio.tasks")
    if name in HOME:
        return getattr(importlib.import_module(HOME[name]), name)
    raise AttributeError(f"module 'fwbio' has no attribute {name!r}; it has {', '.join(__all__)}")
