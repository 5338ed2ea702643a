"""Assembles the Brian2 network of a ``Structure``: trials side by side as block-diagonal copies.

    neurons --(one Synapses a projection)--> dendrites, one a unit --> pool, one a trial
                                             dendrites --h or mu--> neurons

At each tick (a phase, or every step when free-running) the dendrites do, in this order: take in what the synapses brought,
ask the pool for mean and spread, compute u and h = phi(u), and the neurons' drive. Names of variables are those of the cards.
"""

import numpy as np
from brian2 import (
    Equations,
    Network,
    NeuronGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    check_units,
    hertz,
    implementation,
    linked_var,
    ms,
    second,
    volt,
)
from brian2.utils.stringtools import word_substitute

from fwbio.cards.equations import split
from fwbio.spiking import refractory, synapses
from fwbio.spiking.draws import draw
from fwbio.spiking.rows import by_row
from fwbio.spiking.streams import own_draws
from fwbio.spiking.structure import H_STEP, presynaptic

RENORMALISE = 4  # tokens between renormalisations of a shared decay


@implementation("cpp", "static inline double relu(double x) { return x > 0 ? x : 0; }")
@implementation("cython", "cdef double relu(double x):\n    return x if x > 0 else 0.0")
@implementation("numpy", discard_units=True)
@check_units(x=1, result=1)
def relu(x):
    return np.maximum(x, 0.0)


def assemble(s, tables: dict) -> dict:
    """The objects of the network by name; ``tables`` holds the arrays that stand behind clocked names, by name."""
    timed = timed_arrays(s, tables)
    space = {
        **timed,
        "relu": relu,
        "draw": draw,
        "apart": s.apart,
        "cells": s.cells,
        "n_units": s.units,
        "per_trial": s.per_trial,
        "n_neurons": s.neurons,
    }
    dendrites = make_dendrites(s, space)
    neurons = make_neurons(s, dendrites, space)
    objects = {"dendrites": dendrites, "neurons": neurons}
    if s.norm:
        objects |= make_pool(s, dendrites, space)
    for name, card in s.projections.items():
        objects[name] = project(s, name, card, neurons, dendrites, space)
    add_ticks(s, dendrites, space)
    objects |= record(s, objects, space)
    return objects


def timed_arrays(s, tables):
    steps = {"x": s.token, "keep": s.token, "first": s.tick, "latch": s.tick, "drive_of_h": H_STEP}
    units = {"drive_of_h": volt}
    found = {}
    for name, values in tables.items():
        if name.endswith("_weight"):
            found[name] = TimedArray(values, dt=1 * ms, name=name)
        else:
            unit = hertz if name.endswith("_gain") else units.get(name, 1)
            found[name] = TimedArray(values * unit, dt=steps.get(name, s.gate_step) * second, name=name)
    return found


def own(s, group) -> set[str]:
    """The parameters of a group that are not the same for all points."""
    return {name.split(".", 1)[1] for name in s.own if name.startswith(f"{group}.")}


def make_dendrites(s, space):
    text = ["z : 1", "drive : 1", "u : 1", "h : 1", "unit : integer (constant)", "trial : integer (constant)"]
    text += s.dendrite["spiking"]["ode"] if s.dendrite else ["I : 1"]
    if s.dendrite:
        text += [f"{name} : second (shared, constant)" for name in s.dendrite["param"]]
    if s.norm:
        text += ["mean : 1 (linked)", "var : 1 (linked)", "eps : 1 (shared, constant)"]
        text += [f"{key}{suffix} : 1 (constant)" for key in ("gain", "bias") for suffix in ("", "_first")[: 1 + s.norm_first]]
    if "inverse" in s.neuron["rate"]:
        text.append(f"{s.neuron['rate']['inverse']} : volt")
    group = NeuronGroup(
        s.trials * s.units * s.cells,
        synapses.each_its_own(Equations("\n".join(text)), own(s, "dendrites")),
        method="exact",
        dt=s.dt * second,
        namespace=space,
        name="dendrites",
    )
    group.unit = "(i//cells) % n_units"
    group.trial = "i//(cells*n_units)"
    return group


def make_neurons(s, dendrites, space):
    card = s.neuron
    driven_by = card["rate"].get("inverse", "h")
    *odes, threshold = own_draws([*card["spiking"].get("ode", []), card["spiking"]["threshold"]])
    text = [*odes, *refractory.variables(card), f"{driven_by} : {'volt' if driven_by != 'h' else '1'} (linked)"]
    text += ["unit : integer (constant)", "dendrite : integer (constant)", *(["stream : 1 (constant)"] if s.draws else [])]
    for name, entry in {**card.get("needs", {}), **card.get("param", {})}.items():
        if name != "h":
            text.append(f"{name} : {synapses.declared(entry)} (shared, constant)")
    for name, synapse in s.projections.items():  # synapses do not exist yet when parameters are set; their neuron does
        known = {**synapse.get("needs", {}), **synapse.get("param", {})}
        text += [f"{name}_own_{key} : {synapses.declared(known[key])} (constant)" for key in sorted(own(s, name))]
    spiking = card["spiking"]
    after_spike = [*([spiking["reset"]] if "reset" in spiking else []), *refractory.rules(card)]
    for name, synapse in {} if s.plain else s.projections.items():
        axon, rules = synapses.on_axon(synapse, name)
        text, after_spike = text + axon, after_spike + rules
    group = NeuronGroup(
        s.trials * s.per_trial,
        synapses.each_its_own(Equations("\n".join(text)), own(s, "neurons")),
        threshold=threshold,
        reset="\n".join(after_spike) or None,
        refractory=refractory.condition(card),
        method="euler" if any("xi" in ode for ode in spiking.get("ode", [])) else "exact",
        dt=s.dt * second,
        namespace=space,
        name="neurons",
    )
    group.unit = "(i//n_neurons) % n_units"
    group.dendrite = "i*cells//n_neurons"
    setattr(group, driven_by, linked_var(dendrites, driven_by, index="dendrite"))
    return group


def make_pool(s, dendrites, space):
    """One inhibitory pool a trial: it reads every dendrite, first the mean, then the spread."""
    names = list(s.norm["state"])
    pool = NeuronGroup(s.trials, "\n".join(f"{name} : 1" for name in names), dt=s.tick * second, namespace=space, name="pool")
    text = "\n".join([*s.norm["spiking"]["pool"], "units : 1 (shared, constant)"])
    inputs = Synapses(dendrites, pool, text, dt=s.tick * second, namespace=space, name="pool_in")
    inputs.connect(j="i//(cells*n_units)")
    for order, name in enumerate(names, start=1):
        updater = inputs.summed_updaters[f"{name}_post"]
        updater.when, updater.order = "before_start", order
        setattr(dendrites, name, linked_var(pool, name, index="trial"))
    return {"pool": pool, "pool_in": inputs}


def project(s, name, card, neurons, dendrites, space):
    on_clock = {gain: f"{name}_{gain}(t)" for gain in ("read_gain", "write_gain") if f"{name}_{gain}" in space}
    of_neuron = set(neurons.variables)
    made = Synapses(
        neurons,
        dendrites,
        synapses.each_its_own(synapses.model(card, name, on_clock, of_neuron, s.plain), own(s, name)),
        on_pre=synapses.on_pre(card, name, of_neuron, s.plain),
        delay=0 * second,
        dt=s.dt * second,
        namespace=space,
        name=name,
    )
    made.connect(j="k for k in range((i//per_trial)*n_units*cells, (i//per_trial + 1)*n_units*cells)")
    by_row(made.pre)
    decays = {} if s.plain else synapses.decaying(card)
    if decays:
        every = RENORMALISE * s.token * second
        scaled = "\n".join(f"{state} = {state}*exp(-(t - t_last)/{tau})" for state, tau in decays.items())
        made.run_regularly(scaled, dt=every, when="before_start", order=0)
        made.run_regularly("t_last = t", dt=every, when="before_start", order=1)
    for text in card["spiking"].get("latch", []) if s.paced else ():
        rule = split(text, "latch")
        code = f"{rule['name']} = {rule['name']} + latch(t)*(({rule['rhs']}) - {rule['name']})"
        made.run_regularly(code, dt=s.tick * second, when="before_start", order=3)
    fast = synapses.fast_state(card)
    pair = [name for name, state in card["state"].items() if state["index"] == ["post", "pre"]]
    wiped = {"A": pair if fast else [], "W": [] if fast else [k for k, state in card["state"].items() if state["start"] == "weight"]}
    for state in wiped.get(s.wipe, []):
        made.run_regularly(f"{state} = {state}*keep(t)", dt=s.token * second, when="before_start", order=2)
    return made


def add_ticks(s, dendrites, space):
    def tick(code, order):
        dendrites.run_regularly(code, dt=s.tick * second, when="before_start", order=order)

    x = "x(t, trial*n_units + unit)"
    if s.wipe == "h":
        dendrites.run_regularly("I = I*keep(t)", dt=s.token * second, when="before_start", order=-1)
    if s.clamp:
        tick(f"drive = {x}", 0)
    elif s.paced:  # what came in the phase before is F, or after the last phase the slow part of z
        tick(f"z = first(t)*(I + {x}) + (1 - first(t))*z\ndrive = z + (1 - first(t))*I\nI = 0", 0)
    else:
        tick(f"drive = I + {x}", 0)
    if s.norm:
        read = s.norm["spiking"]["read"].split("=", 1)[1]
        at_first = word_substitute(read, {"gain": "gain_first", "bias": "bias_first"}) if s.norm_first else "drive"
        tick(f"u = first(t)*({at_first}) + (1 - first(t))*({read})" if s.paced else f"u = {read}", 3)
    else:
        tick("u = drive", 3)
    tick(f"h = {s.phi}", 4)
    if "inverse" in s.neuron["rate"]:
        tick(f"{s.neuron['rate']['inverse']} = drive_of_h(h*second)", 5)


def record(s, objects, space):
    neurons, made = objects["neurons"], {}
    kept = s.record * s.per_trial
    pairs = s.per_trial * s.units * s.cells  # synapses of a trial
    seen = ["h"] if s.paced else ["h", "I"]
    made["h_seen"] = StateMonitor(objects["dendrites"], seen, record=True, dt=s.sample * second, name="h_seen")
    if kept:
        made["spikes"] = SpikeMonitor(neurons, name="spikes")  # of all: a subgroup cannot follow linked variables
    for name, card in s.projections.items():
        state = synapses.fast_state(card)
        if kept and state:
            rows, period = (np.arange(s.record)[:, None] * s.apart * pairs + np.arange(pairs)).ravel(), s.token * second
            made[f"{name}_seen"] = StateMonitor(
                objects[name], f"{state}_now", record=rows, dt=period, when="before_start", order=-1, name=f"{name}_seen"
            )
    if s.paced:
        counts = NeuronGroup(s.trials * s.units, "spikes : 1", dt=s.dt * second, namespace=space, name="counts")
        tally = Synapses(neurons, counts, on_pre="spikes_post += window_open(t)", dt=s.dt * second, namespace=space, name="tally")
        tally.connect(j="i//n_neurons")
        seen = StateMonitor(counts, "spikes", record=True, dt=s.tick * second, when="before_start", order=-1, name="counts_seen")
        made |= {"counts": counts, "tally": tally, "counts_seen": seen}
    return made


def initialise(s, objects) -> None:
    """Every state at the start its card says; parameters have their values by now."""
    for state, entry in s.neuron.get("state", {}).items():
        setattr(objects["neurons"], state, entry["start"])
    for name, card in s.projections.items():
        for key in sorted(own(s, name)):
            setattr(objects[name], key, f"{name}_own_{key}_pre")
        axon = presynaptic(card)
        for state, entry in card["state"].items():
            if entry["start"] == "weight":
                setattr(
                    objects[name],
                    state,
                    f"{name}_weight(unit_post*ms, {'i//(apart*per_trial)*n_units + ' if f'{name}_weight' in s.own else ''}unit_pre)",
                )
            elif state in axon:
                start = word_substitute(entry["start"], {k: f"{name}_{k}" for k in axon})
                setattr(objects[name] if s.plain else objects["neurons"], f"{name}_{state}", start)
            elif entry["start"] != "0":
                setattr(objects[name], state, entry["start"])


def whole(objects: dict) -> Network:
    return Network(*objects.values())


def outputs(_s, objects) -> dict:
    """Output name to (object, variable) for everything that is recorded."""
    found = {name: (objects["h_seen"], name) for name in [*objects["h_seen"].record_variables, "t"]}
    if "counts_seen" in objects:
        found["counts"] = (objects["counts_seen"], "spikes")
    if "spikes" in objects:
        found |= {"spike_i": (objects["spikes"], "i"), "spike_t": (objects["spikes"], "t")}
    for name, made in objects.items():
        if name.endswith("_seen") and name not in ("h_seen", "counts_seen"):
            found[name.removesuffix("_seen")] = (made, made.record_variables[0])
    return found


def simulate(s, objects, net, **report) -> None:
    """One trial: first the ``quiet`` inputs, of which neither spikes nor weights are recorded (they are bulky), then the rest."""
    bulky = [objects[name] for name in ("spikes", *(f"{p}_seen" for p in s.projections)) if name in objects]
    if s.quiet:
        for monitor in bulky:
            monitor.active = False
        net.run(s.quiet * s.token * second, **report)
        for monitor in bulky:
            monitor.active = True
        report = {}
    net.run((s.duration - s.quiet * s.token) * second, **report)
