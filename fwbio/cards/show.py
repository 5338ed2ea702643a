"""A card as tables, in the order of Nordlie, Gewaltig & Plesser (2009), doi:10.1371/journal.pcbi.1000456, then its references."""

import textwrap

from fwbio.cards import reader
from fwbio.cards.equations import texts

WIDTH = 110


def show(card) -> str:
    """The card as text."""
    tables = reader.read(card)
    parts = [f"{tables['name']}: {tables['title']}", ""]
    parts += {"network": network, "circuit": circuit, "mechanism": mechanism}[tables["kind"]](tables)
    return "\n".join([*parts, *references(tables)])


def section(title, rows) -> list[str]:
    """A heading and its rows: name, text; nothing if there are none."""
    rows = [(str(name), str(text)) for name, text in rows if text not in ("", None)]
    if not rows:
        return []
    width = min(max(len(name) for name, _ in rows), 34)
    lines = [title, "-" * len(title)]
    for name, text in rows:
        wrapped = textwrap.wrap(text, WIDTH - width - 3, break_long_words=False, break_on_hyphens=False) or [""]
        lines.append(f"  {name:{width}} {wrapped[0]}")
        lines += [" " * (width + 3) + line for line in wrapped[1:]]
    return [*lines, ""]


def described(table) -> list:
    return [
        (name, f"{entry['value']:12} {entry['meaning']} [{entry['source']}]" + (f"; {entry['note']}" if "note" in entry else ""))
        for name, entry in table.items()
    ]


def bound(table) -> str:
    return ", ".join(f"{k} = {v}" for k, v in table.items())


def mechanism(card) -> list[str]:
    state = [
        (n, f"lives on [{', '.join(e['index']) or 'network'}], starts at {e['start']}, unit {e['unit']}: {e['meaning']}")
        for n, e in card.get("state", {}).items()
    ]
    needs = [
        (n, f"unit {e['unit']}{', default ' + e['default'] if 'default' in e else ''}: {e['meaning']}")
        for n, e in card.get("needs", {}).items()
    ]
    return [
        *section("Kind", [("role", card["role"]), ("family", card["family"])]),
        *section("Parameters", described(card.get("param", {}))),
        *section("Bound by the network", needs),
        *section("State", state),
        *section("Spiking form", texts(card["spiking"])),
        *section("Rate form", texts(card["rate"])),
        *section("Spike counts in a window", texts(card.get("counts", {}))),
        *section("Discrete rule", card.get("rnn", {}).items()),
        *section("Sets of values", [(name, bound(values)) for name, values in card.get("sets", {}).items()]),
        *section("Their standard deviations", [(name, bound(values)) for name, values in card.get("spreads", {}).items()]),
        *section("Mixes of sets", [(name, bound(shares)) for name, shares in card.get("mixes", {}).items()]),
        *section("Agreement of the two forms", card["agree"].items()),
    ]


def network(card) -> list[str]:
    populations, neurons, synapses, connections = [], [], [], []
    for name, p in card["population"].items():
        populations.append((name, f"{p['size']} units of {p['neurons']} {p['neuron']} neurons, {p['r0']} per unit of h, h = {p['phi']}"))
        for role in ("neuron", "dendrite", "norm"):
            if role in p:
                neurons.append((p[role], reader.read(p[role])["title"]))
        neurons.append(("bound", bound(p.get("bind", {}))))
        neurons.append(("for h_0", bound(p.get("first", {}))))
    for name, p in card["projection"].items():
        phases = "".join(
            f"; {verb} in {'the last phase' if p[verb] == 'last' else 'all but the last phase'}"
            for verb in ("reads", "writes")
            if verb in p
        )
        weight = p.get("weight", "starts at 0")
        connections.append(
            (
                name,
                f"{p['from']} -> {p['to']}, every neuron to every dendrite, weight {weight if isinstance(weight, str) else bound(weight)}{phases}",
            )
        )
        chosen = f", set {p['set']}" if "set" in p else ""
        synapses.append((name, f"{p['synapse']}{chosen}: {reader.read(p['synapse'])['title']}"))
        synapses.append(("", bound(p.get("bind", {})) + (f" ({p['note']})" if "note" in p else "")))
        synapses += [("", text) for _, text in texts({k: v for k, v in reader.read(p["synapse"])["spiking"].items()})]
    clock = card.get("clock")
    pace = f"paced: tokens of {clock['token']}, {clock['inner'] + 1} phases each" if clock else "free-running: nothing is latched"
    trained = [(k, v) for k, v in card.get("trained", {}).items() if k != "axes"]
    return [
        *section("Populations", populations),
        *section("Connectivity", connections),
        *section("Neuron and unit", neurons),
        *section("Synapse and plasticity", [row for row in synapses if row[1]]),
        *section("Input", [("clock", pace), *[(k, v) for k, v in card["input"].items()], *card["protocol"].items()]),
        *section(
            "Measurements",
            [
                *((f"recorded {k}", v) for k, v in card.get("record", {}).items()),
                *((f"read-out {k}", v) for k, v in card.get("readout", {}).items()),
            ],
        ),
        *section("Discrete RNN", card.get("rnn", {}).items()),
        *section("Trained weights", trained),
        *section("Parameters for --set and --over", card.get("expose", {}).items()),
    ]


def circuit(card) -> list[str]:
    populations, neurons, synapses, connections, steps = [], [], [], [], []
    for name, p in card["population"].items():
        groups = "".join(f"; {g['count']} x {g['size']} {label}" for label, g in p.get("groups", {}).items())
        drive = f"{p['neuron']} neurons, background {p['background']}" if "neuron" in p else f"neurons that fire as {p['spikes']} says"
        populations.append((name, f"{p['size']} {drive}{groups}" + (f" ({p['note']})" if "note" in p else "")))
        neurons.append((name, bound(p.get("bind", {}))))
    for name, p in card.get("projection", {}).items():
        wired, delay, weight = ({"": p[key]} if isinstance(p[key], str) else p[key] for key in ("connect", "delay", "weight"))
        words = [" ".join(f"{k.replace('_', ' ')} {v}".strip() for k, v in table.items()) for table in (wired, delay, weight)]
        alone = "" if p["from"] != p["to"] or p.get("self") else ", none to itself"
        connections.append((name, f"{p['from']} -> {p['to']}, {words[0]}{alone}, delay {words[1]}, {p['into']} += {words[2]}"))
        named = f", set {p['set']}" if "set" in p else ""
        synapses.append((name, f"{p['synapse']}{named}: {reader.read(p['synapse'])['title']}"))
        synapses.append(("", bound(p.get("bind", {})) + (f" ({p['note']})" if "note" in p else "")))
        synapses += [("", text) for _, text in texts(reader.read(p["synapse"])["spiking"])]
    for name, step in card["protocol"].get("step", {}).items():
        steps.append((name, ", ".join(f"{k} {v if not isinstance(v, list) else ' and '.join(v)}" for k, v in step.items())))
    used = dict.fromkeys(p["neuron"] for p in card["population"].values() if "neuron" in p)
    models = [(name, text) for name in used for _, text in [("", reader.read(name)["title"]), *dynamics(name)]]
    return [
        *section("Populations", populations),
        *section("Connectivity", connections),
        *section("Neuron", [*neurons, *models]),
        *section("Synapse and plasticity", [row for row in synapses if row[1]]),
        *section("Protocol", [(k, v) for k, v in card["protocol"].items() if k != "step"] + steps),
        *section("Measurements", [(f"recorded {k}", v) for k, v in card["record"].items()]),
        *section("Agreement of spikes and mean field", [(k, bound(v) if isinstance(v, dict) else v) for k, v in card["agree"].items()]),
        *section("Parameters for --set and --over", card.get("expose", {}).items()),
    ]


def dynamics(name) -> list:
    """A neuron card's equations, without what only paced networks use."""
    return [(key, text) for key, text in texts(reader.read(name)["spiking"]) if key not in ("dt", "settle")]


def references(card) -> list[str]:
    sources = {s["key"]: s for s in card["sources"]}
    if card["kind"] != "mechanism":
        used = [p[role] for p in card["population"].values() for role in ("neuron", "dendrite", "norm") if role in p]
        for name in [*used, *(p["synapse"] for p in card.get("projection", {}).values())]:
            sources |= {s["key"]: s for s in reader.read(name)["sources"]}
    return section("References", [(key, f"{s['text']}. doi:{s['doi']}") for key, s in sorted(sources.items())])[:-1]
