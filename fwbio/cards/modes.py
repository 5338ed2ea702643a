"""A chain as the bank that it is: linearly coupled states of a synapse, taken apart into modes that decay by one time constant each.

    ds/dt = F s,  A = s_1 written and read             A(t) = sum over j of b_j exp(-t/tau_j) of what was written,  -1/tau_j the eigenvalues of F = V diag V^-1,
                                                       b_j = V_1j (V^-1)_j1

Exact, and the spiking network then needs no coupled equation a synapse: each mode is a projection whose synapses share one decay. The rate description
integrates the chain as its card has it.
"""

import re
from dataclasses import replace

import numpy as np

from fwbio.cards import equations

PAIR = ["post", "pre"]


def apart(network):
    """The same network with each chain as its modes, projections NAME_1, NAME_2 … (fastest first); all others stay, and so do paced networks.

    Free-running, a weight with a clock is written 1/tau a second, one without 1 a second, so that a mode takes b_j tau_j.
    """
    projections = {}
    for name, p in network.projections.items():
        modes = of(p.synapse.card, p.synapse.values) if p.associative and not network.paced else None
        if modes is None:
            projections[name] = p
            continue
        for k, (tau, gain) in enumerate(modes, 1):
            card, values = bank(p.synapse.card, p.synapse.values, {"": (tau, gain * tau)})
            synapse = replace(p.synapse, card=card, values=values)
            projections[f"{name}_{k}"] = replace(p, name=f"{name}_{k}", synapse=synapse)
    return replace(network, projections=projections)


def together(card, values):
    """(card, values) of one synapse that holds all modes of its chain, A_1, A_2 … for A; unchanged if the card is no chain."""
    modes = of(card, values)
    return (card, values) if modes is None else bank(card, values, {f"_{k}": mode for k, mode in enumerate(modes, 1)})


def of(card, values) -> list[tuple[float, float]] | None:
    """(tau in s, gain) of every mode of a synapse card's fast weight, its parameters having these ``values`` in SI units.

    None if its states are not a chain: linear, coupled, decaying, one of them written (whatever it is) and read (in proportion).
    """
    spiking, states = card["spiking"], list(card.get("state", {}))
    if spiking.keys() != {"ode", "write", "read"} or len(spiking["write"]) != 1:
        return None
    if len(states) < 2 or not set(states) <= equations.coupled(card):
        return None
    if any(state["start"] != "0" or state["index"] != PAIR for state in card["state"].values()):
        return None
    written, read = equations.split(spiking["write"][0], "write"), equations.split(spiking["read"], "read")
    if written["op"] != "+=" or equations.names(written["rhs"], "write") & set(states):
        return None
    if not proportional(read["rhs"], written["name"], states):
        return None
    from brian2.parsing.sympytools import str_to_sympy

    odes = {parts["ode"]: str_to_sympy(parts["rhs"]) for parts in (equations.split(text, "ode") for text in spiking["ode"])}
    states.sort(key=lambda name: name != written["name"])
    known = {name: {s: s.name for s in odes[name].free_symbols} for name in states}
    symbols = [next((s for s, called in known[name].items() if called == name), None) for name in states]
    slopes = [
        [odes[name].diff(symbol).subs({s: values[c] for s, c in known[name].items() if c in values}) for symbol in symbols]
        for name in states
    ]
    if None in symbols or not all(slope.is_number for row in slopes for slope in row):
        return None
    rates, V = np.linalg.eig(np.array(slopes, float))
    if np.any(np.imag(rates)) or np.real(rates).max() >= 0:
        return None
    rates, V = np.real(rates), np.real(V)  # newer NumPy has them complex at all times
    gains = V[0] * np.linalg.inv(V)[:, 0]
    return [(float(-1 / rates[k]), float(gains[k])) for k in np.argsort(rates)]


def proportional(text, state, states) -> bool:
    """Whether a rule reads this state alone, times something."""
    from brian2.parsing.sympytools import str_to_sympy

    read = str_to_sympy(text)
    own = [s for s in read.free_symbols if s.name in states]
    return [s.name for s in own] == [state] and read.subs(own[0], 0) == 0 and not read.diff(own[0], 2)


def bank(card, values, modes) -> tuple[dict, dict]:
    """(card, values) with A{end} that decays by tau and takes ``gain`` of what is written, for each {end: (tau in s, gain)}; read is their sum."""
    written, read = (equations.split(text, "rule") for text in (card["spiking"]["write"][0], card["spiking"]["read"]))
    A, own = written["name"], {}
    for end, (tau, gain) in modes.items():
        own[f"mode_tau{end}"] = (tau, {"value": f"{tau!r} s", "meaning": "time constant of the mode"})
        own[f"mode_gain{end}"] = (gain, {"value": repr(gain), "meaning": "its share of what is written"})
    spiking = {
        "ode": [f"d{A}{end}/dt = -{A}{end}/mode_tau{end} : 1" for end in modes],
        "read": f"{read['name']} {read['op']} " + re.sub(rf"\b{A}\b", f"({' + '.join(A + end for end in modes)})", read["rhs"]),
        "write": [f"{A}{end} += mode_gain{end}*({written['rhs']})" for end in modes],
    }
    param = card["param"] | {name: entry for name, (_, entry) in own.items()}
    made = card | {"state": {A + end: card["state"][A] for end in modes}, "param": param, "spiking": spiking}
    return made, values | {name: number for name, (number, _) in own.items()}
