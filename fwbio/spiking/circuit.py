"""Assembles the Brian2 network of a circuit: one NeuronGroup a population, one Synapses a projection.

u and x are kept once an axon, among the variables of its cell, and moved exactly from spike to spike:

    E fires: EE_axon_u and EE_axon_x are moved to now, EE_u and EE_x are what this spike carries, then the write rules follow
    E --(EE, after the delay)--> the target's state += what the read rule makes of what the spike carried

A spike that arrives in the refractory time is lost where the card holds that state while refractory (Brunel 2000: clamped at V_r).
"""

import numpy as np
from brian2 import Equations, NeuronGroup, SpikeMonitor, StateMonitor, Synapses, TimedArray, ms, second
from brian2.equations.equations import SingleEquation
from brian2.utils.stringtools import word_substitute

from fwbio.cards.equations import written
from fwbio.spiking import refractory, synapses
from fwbio.spiking.between import solved
from fwbio.spiking.circuit_structure import axon_states, read_names, used, wipes
from fwbio.spiking.draws import draw
from fwbio.spiking.network import whole  # noqa: F401 (what the worker asks for)
from fwbio.spiking.plain import brian
from fwbio.spiking.streams import drawn, own_draws
from fwbio.spiking.structure import presynaptic

SI = {"1": "1", "V": "volt", "A": "amp"}
ONE = {"n": "1", "r0": "hertz", "read_gain": "hertz"}  # a neuron is a unit of its own: the read rule delivers w times what is released


def assemble(s, tables: dict) -> dict:
    """The objects of the network by name; ``tables`` holds the spike trains of one's own."""
    objects = {}
    for name, population in s.populations.items():
        objects[name] = neurons(s, name, population) if population["neuron"] else source(s, name, population, tables[f"{name}_due"])
        objects[name].label = labels(s, population)
        objects[f"{name}_spikes"] = SpikeMonitor(objects[name], name=f"{name}_spikes")
    for name, projection in s.projections.items():
        if axon_states(projection["card"]) and not s.plain:
            objects |= means(s, name, projection, objects[projection["source"]])
        objects[name] = project(s, name, projection, objects)
    return objects


def labels(s, population) -> np.ndarray:
    """Which of the circuit's groups each neuron is in; -1 for the rest."""
    found = np.full(population["size"], -1)
    for label, (first, last) in population["groups"].items():
        found[first:last] = s.labels.index(label)
    return found


def neurons(s, name, population):
    card, drive, steps = population["neuron"], population["drive"], factors(s, name)
    spiking, unit = card["spiking"], "volt" if drive != "h" else "1"
    *odes, threshold = own_draws([*map(brian, spiking.get("ode", [])), spiking["threshold"]])
    text = [
        *odes,
        *refractory.variables(card),
        *(["stream : 1 (constant)"] if drawn(card) else []),
        f"background : {unit} (shared, constant)",
        "label : integer (constant)",
        *clock(s, name),
    ]
    text += [f"{key} : {synapses.declared(entry)} (shared, constant)" for key, entry in used(card).items()]
    for key in steps:
        text += [f"to_{key} : 1 (shared, constant)", f"factor_{key} : 1 (shared, constant)"]
        text.append(f"step_{key} = 1 + in_{key}*(factor_{key} - 1)*int(t_in_timesteps >= from_{key})*int(t_in_timesteps < to_{key}) : 1")
    text.append(f"{drive} = {'*'.join(['background', *(f'step_{key}' for key in steps)])} : {unit}")
    group = NeuronGroup(
        population["size"],
        Equations("\n".join([*text, *on_axons(s, name)])),
        threshold=threshold,
        reset="\n".join([*([spiking["reset"]] if "reset" in spiking else []), *refractory.rules(card), *at_spike(s, name)]) or None,
        refractory=refractory.condition(card),
        method="euler" if any(word in ode for ode in spiking.get("ode", []) for word in ("xi", "rand")) else "exact",
        dt=s.dt * second,
        namespace={"draw": draw},
        name=name,
    )
    wipe(s, name, group)
    return group


def factors(s, name) -> list[str]:
    """The steps that change the background of this population."""
    return [key for key, step in s.steps.items() if step["population"] == name and not step["wipe"]]


def clock(s, name) -> list[str]:
    """Whom each step means, and from which time step on, where it concerns this group."""
    steps = dict.fromkeys([*factors(s, name), *(step for step, *_ in wipes(s, name))])
    return [line for key in steps for line in (f"in_{key} : 1 (constant)", f"from_{key} : 1 (shared, constant)")]


def wipe(s, name, group) -> None:
    for step, variable, value in wipes(s, name):
        moved = [line for key in leaving(s, name) for line in moves(s, key)] if "_axon_" in variable else []
        if moved:
            projection = variable.split("_axon_")[0]
            value = word_substitute(value, {k: f"{projection}_axon_{k}" for k in presynaptic(s.projections[projection]["card"])})
        code = f"{variable} += in_{step}*int(t_in_timesteps == from_{step})*(({value}) - {variable})"
        group.run_regularly("\n".join([*moved, code]), dt=s.dt * second)


def leaving(s, name) -> list[str]:
    """The projections whose axons are those of this population and have states."""
    return [key for key, p in s.projections.items() if p["source"] == name and axon_states(p["card"]) and not s.plain]


def on_axons(s, name) -> list[str]:
    """Reduction 1: the states of each axon as they were last moved, what its last spike carries, and whether its weights are still there."""
    lines = [f"{variable} : 1" for _, variable, _ in wipes(s, name) if variable.endswith("_kept")]
    for key in leaving(s, name):
        card = s.projections[key]["card"]
        own, states = presynaptic(card), axon_states(card)
        lines += [f"{key}_{state} : 1" for state in states] + [f"{key}_axon_{state} : 1" for state in states]
        lines += [f"{key}_axon_{k} : {synapses.declared(card['param'][k])} (shared, constant)" for k in sorted(own & set(card["param"]))]
        lines.append(f"{key}_axon_moved : second")
    return lines


def moves(s, key) -> list[str]:
    """Statements that bring an axon's states to now: the exact solution since they were last moved."""
    card = s.projections[key]["card"]
    own, odes = presynaptic(card), tuple(text for text in card["spiking"].get("ode", []))
    rename = {k: f"{key}_axon_{k}" for k in own} | {f"{k}_next": f"{key}_next_{k}" for k in own} | {"last_event": f"{key}_axon_moved"}
    return [word_substitute(line, rename) for line in solved(odes)] if odes else []


def at_spike(s, name) -> list[str]:
    """What a spike does to its axons: it takes what it carries with it, then the write rules follow. Spikes on their way carry the last one's
    until then: they are delivered before a new one resets."""
    lines = []
    for key in leaving(s, name):
        card = s.projections[key]["card"]
        rename = {k: f"{key}_axon_{k}" for k in presynaptic(card)}
        # -(-u): a bare name would be the same array in Brian2's NumPy code, and the write rules change that in place
        lines += moves(s, key) + [f"{key}_{state} = -(-{key}_axon_{state})" for state in axon_states(card)]
        lines += [word_substitute(rule, rename) for rule in written(card, ("pre",))]
    return lines


def source(s, name, population, due):
    """Neurons that fire when their train says: the next entry of its part of the table is this time step."""
    trains = TimedArray(due, dt=1 * ms, name=f"{name}_due")
    group = NeuronGroup(
        population["size"],
        "\n".join(["place : 1", "first : 1 (constant)", "label : integer (constant)", *clock(s, name), *on_axons(s, name)]),
        threshold=f"abs({name}_due(place*ms) - t_in_timesteps) < 0.5",
        reset="\n".join(["place += 1", *at_spike(s, name)]),
        dt=s.dt * second,
        namespace={f"{name}_due": trains},
        name=name,
    )
    wipe(s, name, group)
    return group


def means(s, name, projection, cells) -> dict:
    """The mean of each axon state over each group of the source, the rest last."""
    states, spans = axon_states(projection["card"]), list(s.populations[projection["source"]]["groups"].values())
    group = np.full(len(cells), len(spans))
    for k, (first, last) in enumerate(spans):
        group[first:last] = k
    sizes = np.maximum(np.bincount(group, minlength=len(spans) + 1), 1)
    text = "\n".join(["members : 1 (constant)", *(f"mean_{state} : 1" for state in states)])
    groups = NeuronGroup(len(sizes), text, dt=s.every * second, name=f"{name}_groups")
    groups.members = sizes
    if code := moves(s, name):
        cells.run_regularly("\n".join(code), dt=s.every * second, when="before_groups")
    text = "\n".join(f"mean_{state}_post = {name}_axon_{state}_pre/members_post : 1 (summed)" for state in states)
    sums = Synapses(cells, groups, text, dt=s.every * second, name=f"{name}_sums")
    sums.connect(i=np.arange(len(cells)), j=group)
    seen = StateMonitor(groups, [f"mean_{state}" for state in states], record=True, dt=s.every * second, when="end", name=f"{name}_seen")
    return {f"{name}_groups": groups, f"{name}_sums": sums, f"{name}_seen": seen}


def project(s, name, projection, objects):
    pre, post = objects[projection["source"]], objects[projection["target"]]
    made = Synapses(pre, post, model(s, name, projection), on_pre=on_pre(s, name, projection), dt=s.dt * second, name=name)
    rule, other = projection["connect"], pre is not post or projection["own"]
    if "indegree" in rule:  # each target draws that many different neurons
        drawn = "k" if other else "k + int(k >= j)"
        made.connect(i=f"{drawn} for k in sample({len(pre) - (not other)}, size={rule['indegree']})")
    else:
        made.connect(condition=None if other else "i != j", p=rule.get("p", 1))
    return made


def model(s, name, projection) -> Equations:
    """The synapse card's model; w in SI units of the state it adds to, one number where all weights are the same."""
    card, lines = projection["card"], ["delay_low : second (shared, constant)", "delay_high : second (shared, constant)"]
    found = synapses.model(card, name, {}, set(ONE), s.plain)
    if projection["uniform"]:
        found = Equations([one_for_all(e) if e.varname == "w" else e for e in found.values()])
    else:
        lines += [f"{key} : 1 (shared, constant)" for key in ("w_same", "w_other", "w_onto_rest", "share")]
    if not s.plain:
        known = sorted(read_names(card) & presynaptic(card) - set(axon_states(card)))
        lines += [f"{key} : {synapses.declared(card['param'][key])} (shared, constant)" for key in known]
    return found + Equations("\n".join(lines))


def one_for_all(e) -> SingleEquation:
    """The same variable, one number for all synapses."""
    return SingleEquation(e.type, e.varname, e.dim, e.var_type, e.expr, ["shared", "constant"])


def on_pre(s, name, projection) -> str:
    """What arrives: the read rule into the target's state, with what the spike carried; in the plain form also the write rules."""
    card, target = projection["card"], s.populations[projection["target"]]["neuron"]
    if s.plain:
        code = synapses.on_pre(card, name, set(), True)
    else:
        code = word_substitute(card["spiking"]["read"], {state: f"{name}_{state}_pre" for state in axon_states(card)})
    into, unit = projection["into"], SI[target["state"][projection["into"]]["unit"]]
    held = any(f"d{into}/dt" in ode and "unless refractory" in ode for ode in target["spiking"].get("ode", []))
    kept = [f"{name}_kept_pre" for _, variable, _ in wipes(s, projection["source"]) if variable == f"{name}_kept"]
    scale = "*".join([unit, *kept[:1], *(["int(not_refractory_post)"] if held else [])])
    read, *writes = word_substitute(code, ONE).split("\n")
    return "\n".join([read.replace("I_post +=", f"{into}_post += {scale}*(") + ")", *writes])


def initialise(s, objects) -> None:
    """Every state at the start its card says; parameters have their values by now."""
    for name, population in s.populations.items():
        if population["neuron"] is None:
            objects[name].place = "first"
        for state, entry in (population["neuron"] or {}).get("state", {}).items():
            setattr(objects[name], state, entry["start"])
        for _, variable, _ in wipes(s, name):
            if variable.endswith("_kept"):
                setattr(objects[name], variable, 1)
    for name, projection in s.projections.items():
        card, own = projection["card"], presynaptic(projection["card"])
        objects[name].delay = "delay_low" if projection["one_delay"] else "delay_low + rand()*(delay_high - delay_low)"
        for state in axon_states(card):
            start = card["state"][state]["start"]
            if s.plain:
                setattr(objects[name], f"{name}_{state}", word_substitute(start, {key: f"{name}_{key}" for key in own}))
            else:
                setattr(objects[projection["source"]], f"{name}_axon_{state}", word_substitute(start, {k: f"{name}_axon_{k}" for k in own}))
        if not projection["uniform"]:
            onto_rest = "int(label_post < 0)*int(rand() < share)*(w_onto_rest - w_other)"
            same = "int(label_post >= 0)*int(label_pre == label_post)*(w_same - w_other)"
            objects[name].w = f"w_other + {same} + {onto_rest}"


def simulate(s, _objects, net, **report) -> None:
    net.run(s.duration * second, **report)


def outputs(s, objects) -> dict:
    """Output name to (object, variable): spikes of each population, group means of what lives on axons, and if wanted
    the synapses, what each neuron's last spike carried (plain form: u and x after each synapse's last), and the neurons' last states.
    """
    found = {}
    for name in s.populations:
        found |= {f"{name}.i": (objects[f"{name}_spikes"], "i"), f"{name}.t": (objects[f"{name}_spikes"], "t")}
    for name, projection in s.projections.items():
        if f"{name}_seen" in objects:
            seen = objects[f"{name}_seen"]
            found |= {f"{name}.t": (seen, "t")} | {f"{name}.{state}": (seen, f"mean_{state}") for state in axon_states(projection["card"])}
        if s.wiring:
            found |= {f"{name}.pre": (objects[name], "_synaptic_pre"), f"{name}.post": (objects[name], "_synaptic_post")}
            found |= {f"{name}.delay": (objects[name], "delay"), f"{name}.w": (objects[name], "w")}
            home = objects[name] if s.plain else objects[projection["source"]]
            found |= {f"{name}.last_{state}": (home, f"{name}_{state}") for state in axon_states(projection["card"])}
    for name, population in s.populations.items() if s.wiring else ():
        found |= {f"{name}.{state}": (objects[name], state) for state in (population["neuron"] or {}).get("state", {})}
    return found
