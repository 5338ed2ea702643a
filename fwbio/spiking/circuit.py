"""Assembles the Brian2 network of a circuit: one NeuronGroup a population, one Synapses a projection.

u and x are kept once an axon, in a group of their own that is integrated exactly:

    E --(spikes)--> EE_axon, one an axon: hands E what this spike carries, then follows its write rules
    E --(EE, after the delay)--> the target's state += what the read rule makes of what the spike carried

A spike that arrives in the refractory time is lost where the card holds that state while refractory (Brunel 2000: clamped at V_r).
"""

import numpy as np
from brian2 import Equations, NeuronGroup, SpikeMonitor, StateMonitor, Synapses, TimedArray, ms, second
from brian2.equations.equations import SingleEquation
from brian2.utils.stringtools import word_substitute

from fwbio.cards.equations import written
from fwbio.spiking import synapses
from fwbio.spiking.circuit_structure import axon_states, read_names, used, wipes
from fwbio.spiking.network import whole  # noqa: F401 (what the worker asks for)
from fwbio.spiking.plain import brian
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
            objects |= axons(s, name, projection, objects)
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
    text = [*map(brian, spiking.get("ode", [])), f"background : {unit} (shared, constant)", "label : integer (constant)", *clock(s, name)]
    text += [f"{key} : {synapses.declared(entry)} (shared, constant)" for key, entry in used(card).items()]
    for key in steps:
        text += [f"to_{key} : 1 (shared, constant)", f"factor_{key} : 1 (shared, constant)"]
        text.append(f"step_{key} = 1 + in_{key}*(factor_{key} - 1)*int(t_in_timesteps >= from_{key})*int(t_in_timesteps < to_{key}) : 1")
    text.append(f"{drive} = {'*'.join(['background', *(f'step_{key}' for key in steps)])} : {unit}")
    group = NeuronGroup(
        population["size"],
        Equations("\n".join([*text, *carried(s, name)])),
        threshold=spiking["threshold"],
        reset=spiking.get("reset"),
        refractory=spiking.get("refractory", False),
        method="euler" if any(word in ode for ode in spiking.get("ode", []) for word in ("xi", "rand")) else "exact",
        dt=s.dt * second,
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
        group.run_regularly(f"{variable} += in_{step}*int(t_in_timesteps == from_{step})*(({value}) - {variable})", dt=s.dt * second)


def carried(s, name) -> list[str]:
    """What a neuron's last spike carries for each projection, and whether the weights of its axon are still there."""
    lines = [f"{variable} : 1" for _, variable, _ in wipes(s, name) if variable.endswith("_kept")]
    for key, projection in s.projections.items():
        if projection["source"] == name:
            lines += [f"{key}_{state} : 1" for state in axon_states(projection["card"]) if not s.plain]
    return lines


def source(s, name, population, due):
    """Neurons that fire when their train says: the next entry of its part of the table is this time step."""
    trains = TimedArray(due, dt=1 * ms, name=f"{name}_due")
    return NeuronGroup(
        population["size"],
        "\n".join(["place : 1", "first : 1 (constant)", "label : integer (constant)", *carried(s, name)]),
        threshold=f"abs({name}_due(place*ms) - t_in_timesteps) < 0.5",
        reset="place += 1",
        dt=s.dt * second,
        namespace={f"{name}_due": trains},
        name=name,
    )


def axons(s, name, projection, objects) -> dict:
    """Reduction 1: the axons' states, moved at each spike, and their means over the source's groups."""
    card, cells = projection["card"], objects[projection["source"]]
    own, states = presynaptic(card), axon_states(card)
    text = [ode for ode in card["spiking"].get("ode", [])] + clock(s, f"{name}_axon")
    text += [f"{key} : {synapses.declared(card['param'][key])} (shared, constant)" for key in sorted(own & set(card["param"]))]
    axon = NeuronGroup(len(cells), Equations("\n".join(text)), method="exact", dt=s.dt * second, name=f"{name}_axon")
    wipe(s, f"{name}_axon", axon)
    rules = [f"{name}_{state}_pre = {state}_post" for state in states]
    rules += [word_substitute(rule, {key: f"{key}_post" for key in own}) for rule in written(card, ("pre",))]
    cast = Synapses(cells, axon, on_pre="\n".join(rules), dt=s.dt * second, name=f"{name}_cast")
    cast.pre.order = 1  # at delay = shortest interval, the spike before is still to be delivered
    cast.connect(j="i")
    return {f"{name}_axon": axon, f"{name}_cast": cast, **means(s, name, projection, axon, states)}


def means(s, name, projection, axon, states) -> dict:
    """The mean of each axon state over each group of the source, the rest last."""
    spans = list(s.populations[projection["source"]]["groups"].values())
    group = np.full(len(axon), len(spans))
    for k, (first, last) in enumerate(spans):
        group[first:last] = k
    sizes = np.maximum(np.bincount(group, minlength=len(spans) + 1), 1)
    text = "\n".join(["members : 1 (constant)", *(f"mean_{state} : 1" for state in states)])
    groups = NeuronGroup(len(sizes), text, dt=s.every * second, name=f"{name}_groups")
    groups.members = sizes
    text = "\n".join(f"mean_{state}_post = {state}_pre/members_post : 1 (summed)" for state in states)
    sums = Synapses(axon, groups, text, dt=s.every * second, name=f"{name}_sums")
    sums.connect(i=np.arange(len(axon)), j=group)
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
                setattr(objects[f"{name}_axon"], state, start)
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
