"""A chain as the bank that it is: linearly coupled states of a synapse, taken apart into modes that decay by one time constant each.

    ds/dt = F s,  A = s_1 written and read             A(t) = sum over j of b_j exp(-t/tau_j) of what was written,  -1/tau_j the eigenvalues of F = V diag V^-1,
                                                       b_j = V_1j (V^-1)_j1

Exact, and the spiking network then needs no coupled equation a synapse: each mode is a projection whose synapses share one decay. The rate description
integrates the chain as its card has it.
"""

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
        modes = of(p.synapse) if p.associative and not network.paced else None
        if modes is None:
            projections[name] = p
            continue
        for k, (tau, gain) in enumerate(modes, 1):
            projections[f"{name}_{k}"] = replace(p, name=f"{name}_{k}", synapse=mode(p.synapse, p.fast_state, tau, gain * tau))
    return replace(network, projections=projections)


def of(synapse) -> list[tuple[float, float]] | None:
    """(tau in s, gain) of every mode of a synapse card's fast weight; None if its states are not a chain: linear, coupled, decaying, one written and read."""
    card, spiking = synapse.card, synapse.card["spiking"]
    states = [name for name, state in card["state"].items() if state["index"] == PAIR]
    if not set(states) <= equations.coupled(card) or any(card["state"][name]["start"] != "0" for name in states):
        return None
    (written, *more), read = [equations.split(rule, "write") for rule in spiking.get("write", [])], equations.split(spiking["read"], "read")
    used = equations.names(read["rhs"], "read") | equations.names(written["rhs"], "write")
    if more or written["op"] != "+=" or used & set(states) - {written["name"]} or "latch" in spiking or "post" in spiking:
        return None
    from brian2.parsing.sympytools import str_to_sympy

    odes = {parts["ode"]: str_to_sympy(parts["rhs"]) for parts in (equations.split(text, "ode") for text in spiking["ode"])}
    states.sort(key=lambda name: name != written["name"])
    known = {name: {s: s.name for s in odes[name].free_symbols} for name in states}
    symbols = [next((s for s, called in known[name].items() if called == name), None) for name in states]
    slopes = [
        [odes[name].diff(symbol).subs({s: synapse.values[c] for s, c in known[name].items() if c in synapse.values}) for symbol in symbols]
        for name in states
    ]
    if None in symbols or not all(slope.is_number for row in slopes for slope in row):
        return None
    rates, V = np.linalg.eig(np.array(slopes, float))
    if np.iscomplexobj(rates) or rates.max() >= 0:
        return None
    gains = V[0] * np.linalg.inv(V)[:, 0]
    return [(float(-1 / rates[k]), float(gains[k])) for k in np.argsort(rates)]


def mode(synapse, state, tau, gain):
    """The synapse with one state that decays by tau and takes ``gain`` of what is written."""
    card, rule = synapse.card, equations.split(synapse.card["spiking"]["write"][0], "write")["rhs"]
    own = {
        "mode_tau": {"value": f"{tau!r} s", "meaning": "time constant of the mode"},
        "mode_gain": {"value": repr(gain), "meaning": "its share of what is written"},
    }
    spiking = {
        "ode": [f"d{state}/dt = -{state}/mode_tau : 1"],
        "read": card["spiking"]["read"],
        "write": [f"{state} += mode_gain*({rule})"],
    }
    made = card | {"state": {state: card["state"][state]}, "param": card["param"] | own, "spiking": spiking}
    return replace(synapse, card=made, values=synapse.values | {"mode_tau": tau, "mode_gain": gain})
