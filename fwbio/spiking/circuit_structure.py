"""What decides the compiled circuit, and the numbers of one run: ``fwbio.spiking.structure`` for circuit cards."""

from dataclasses import dataclass

import numpy as np

from fwbio.cards.equations import names, split
from fwbio.cards.legal import words
from fwbio.spiking.streams import drawn, streams
from fwbio.spiking.structure import presynaptic

POPULATION = 2**31  # streams are numbered from here, clear of the numbers of steps
END = -1.0  # of one neuron's spike train


@dataclass(frozen=True)
class Structure:
    """Sizes, groups, cards, wiring rules and names of steps. ``plain``: u and x once a synapse. ``wiring``: synapses and the last states come back too."""

    populations: dict[str, dict]
    projections: dict[str, dict]
    steps: dict[str, dict]
    labels: list[str]
    dt: float
    duration: float
    every: float
    plain: bool = False
    wiring: bool = False
    target: str = "cpp_standalone"
    kind: str = "circuit"

    def shapes(self, arrays: dict) -> dict:
        """The shape of every array that is no list: group means are (samples, groups of the source and its rest)."""
        found = {}
        for name, p in self.projections.items() if not self.plain else ():
            groups = len(self.populations[p["source"]]["groups"]) + 1
            found |= {f"{name}.{state}": (len(arrays[f"{name}.t"]), groups) for state in axon_states(p["card"])}
        return found


def structure(circuit, *, plain=False, wiring=False, target="cpp_standalone") -> Structure:
    """The structure of a circuit card."""
    populations = {
        name: {
            "size": p.size,
            "groups": {label: list(span) for label, span in p.groups.items()},
            "neuron": p.neuron.card if p.neuron else None,
            "drive": p.drive if p.neuron else None,
        }
        for name, p in circuit.populations.items()
    }
    projections = {
        name: {
            "source": p.source,
            "target": p.target,
            "card": p.synapse.card,
            "into": p.into,
            "connect": p.connect,
            "own": p.own,
            "uniform": len({p.weight[key] for key in ("same", "other", "onto_rest")}) == 1,
            "one_delay": p.delay[0] == p.delay[1],
        }
        for name, p in circuit.projections.items()
    }
    steps = {name: {"population": s.population, "wipe": [list(w) for w in s.wipe]} for name, s in circuit.steps.items()}
    duration = circuit.duration + circuit.dt  # one step more, to see the end
    return Structure(populations, projections, steps, circuit.labels, circuit.dt, duration, circuit.every, plain, wiring, target)


def parameters(circuit, s: Structure, seed: int) -> dict[str, float | np.ndarray]:
    """Every parameter of one run in SI units, by the name of the Brian2 variable. seed : of streams, and of the cells that a step's share means."""
    values, beyond = {}, round(circuit.duration / circuit.dt) + 1
    for k, (name, p) in enumerate(circuit.populations.items()):
        if p.spikes is not None:
            values[f"{name}_due"], values[f"{name}.first"] = train_table(p)
            continue
        values |= {f"{name}.{key}": p.neuron.values[key] for key in used(p.neuron.card)}
        values[f"{name}.background"] = p.background
        if drawn(p.neuron.card):
            values[f"{name}.stream"] = streams(seed, [POPULATION + k], p.size)
    for k, (name, step) in enumerate(circuit.steps.items()):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(k,)))
        members = step.members(circuit.populations[step.population], rng)
        values[f"{step.population}.in_{name}"] = members
        values[f"{step.population}.from_{name}"] = round(step.start / circuit.dt)
        if not step.wipe:
            values[f"{step.population}.to_{name}"] = min(beyond, round(min(step.stop, 2 * circuit.duration) / circuit.dt))
            values[f"{step.population}.factor_{name}"] = step.factor
    for name, p in circuit.projections.items():
        values |= synapse_parameters(name, p, s)
    return values


def synapse_parameters(name, p, s) -> dict[str, float]:
    values, card = {}, p.synapse.card
    own = presynaptic(card)
    for key in card.get("param", {}):
        value = p.synapse.values[key]
        if key in own and s.plain:
            values[f"{name}.{name}_{key}"] = value
        elif key in own:
            values[f"{p.source}.{name}_axon_{key}"] = value
        if key not in own or not s.plain and key in read_names(card):
            values[f"{name}.{key}"] = value
    weight = {"w": p.weight["other"]} if s.projections[name]["uniform"] else {f"w_{k}": v for k, v in p.weight.items() if k != "share"}
    values |= {f"{name}.{key}": value for key, value in weight.items()}
    if "w_other" in weight:
        values[f"{name}.share"] = p.weight["share"]
    return values | {f"{name}.delay_low": p.delay[0], f"{name}.delay_high": p.delay[1]}


def used(card) -> dict:
    """The parameters and needs that a neuron card's spiking block uses, but for its drive."""
    lines = [text for value in card["spiking"].values() for text in (value if isinstance(value, list) else [value])]
    found = {word for line in lines for word in words(line)} - {"h", card["rate"].get("inverse")}
    return {key: entry for key, entry in {**card.get("needs", {}), **card.get("param", {})}.items() if key in found}


def axon_states(card) -> list[str]:
    """The states of a synapse card that live on the axon."""
    return [name for name, state in card["state"].items() if state["index"] == ["pre"]]


def read_names(card) -> set[str]:
    """What the read rule of a synapse card uses."""
    return names(split(card["spiking"]["read"], "read")["rhs"], "read")


def wipes(s: Structure, group: str) -> list[tuple[str, str, str]]:
    """(step, variable, new value) of everything that is wiped in one Brian2 group: back to its card's start, a weight to nothing."""
    found = []
    for name, step in s.steps.items():
        for projection, state in step["wipe"]:
            if projection is None:
                card, home, variable = s.populations[step["population"]]["neuron"], step["population"], state
            else:
                card, on_axon = s.projections[projection]["card"], state in axon_states(s.projections[projection]["card"])
                home, variable = step["population"], f"{projection}_axon_{state}" if on_axon else f"{projection}_kept"
            start = card["state"][state]["start"]
            if home == group:
                found.append((name, variable, "0" if start == "weight" else start))
    return found


def train_table(population) -> tuple[np.ndarray, np.ndarray]:
    """The steps of all trains, one after the other, each with END behind it; where each neuron's begins."""
    step, i = population.spikes
    counts = np.bincount(i, minlength=population.size)
    first = np.append(0, np.cumsum(counts + 1)[:-1])
    table = np.full(counts.sum() + population.size, END)
    table[np.arange(len(step)) + i] = step  # ordered by neuron: i ENDs stand before it
    return table, first.astype(float)
