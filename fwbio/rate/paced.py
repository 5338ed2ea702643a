"""A paced network in continuous time: solve_ivp phase by phase, so that no step crosses a jump of the input.

Within a phase h is constant; I' = what the synapse cards read, A' = their rate equations. At its end I is latched: as F for the
next phase of the token, or, after the last phase, with the token's input as z (``fwbio.pacing``).
"""

import numpy as np

from fwbio.pacing import gate
from fwbio.rate.equations import Right, Synapse, initial_states, split_states
from fwbio.rnn import Trace, total

RTOL, ATOL = 1e-10, 1e-12


def run(network, x, *, keep=0, since=0, rtol=RTOL, atol=ATOL, chunk=25, progress=None) -> Trace:
    """h and A of every trial, from the card's rate equations.

    x : (trials, tokens, units), the input of every token. keep, since : trials whose A is returned, and from which token on
    rtol, atol : of DOP853. chunk : trials integrated together

    Returns a Trace like ``fwbio.rnn.run``.
    """
    parts = []
    for start in range(0, len(x), chunk):
        parts.append(integrate(network, x[start : start + chunk], max(0, min(keep - start, chunk)), since, rtol, atol))
        if progress:
            progress(min(start + chunk, len(x)) / len(x))
    levels = {name: np.concatenate([p.levels[name] for p in parts]) for name in network.levels}
    return Trace(np.concatenate([p.h for p in parts]), total(levels, (min(keep, len(x)), x.shape[1] - since, *2 * x.shape[2:])), levels)


def integrate(network, x, keep, since, rtol, atol):
    trials, tokens, units = x.shape
    synapses = {name: Synapse(p) for name, p in network.projections.items() if network.fast or not p.associative}
    gates = {name: gate(network, network.projections[name]) for name in synapses}
    norm = {True: normaliser(network.norm_first), False: normaliser(network.norm)}
    phi = Right(network.phi, {})
    values = initial_states(synapses, trials, units)
    current = np.zeros((trials, units))
    h = np.empty_like(x)
    shape = (min(keep, trials), tokens - since, units, units)
    levels = {name: np.zeros(shape) for name in network.levels}
    for t in range(tokens):
        if network.wipe and network.wipe.before == t:
            current, values = wiped(network, synapses, current, values)
        for s in range(network.inner + 1):
            if s == 0:
                z, drive = current + x[:, t], current + x[:, t]
            else:
                drive = z + current
            rate = phi({"u": norm[s == 0](drive)})
            if s == network.inner:
                values = latched(synapses, values)
            current, values = phase(network, synapses, gates, s, rate, values, rtol, atol)
        h[:, t] = rate
        for name, A in levels.items() if t >= since else ():
            A[:, t - since] = values[name, network.levels[name].fast_state][:keep]
    return Trace(h, total(levels, shape), levels)


def latched(synapses, values):
    """The states after what each synapse card latches between a token's last read and its first write."""
    found = dict(values)
    for name, synapse in synapses.items():
        for rule in synapse.latch:
            found[name, rule.name] = rule({state: found[name, state] for state in synapse.states})
    return found


def wiped(network, synapses, current, values):
    """The dendrites' current and the states after the network's wipe, which happens between two tokens."""
    what, fast = (
        network.wipe.what,
        [(name, state) for name in network.levels for state in synapses[name].states if synapses[name].index[state] == ["post", "pre"]],
    )
    if what == "W":
        for name in synapses.keys() - network.levels.keys():
            synapses[name].fixed = {key: 0 * weight for key, weight in synapses[name].fixed.items()}
    return current * (what != "h"), {key: value * (what != "A" or key not in fast) for key, value in values.items()}


def normaliser(mechanism):
    """u of the drive, from the normalisation card's rate block (None: u is the drive itself)."""
    if mechanism is None:
        return lambda drive: drive
    read = Right(mechanism.card["rate"]["read"], mechanism.values)
    return lambda drive: read({"drive": drive})


def phase(network, synapses, gates, s, h, values, rtol, atol):
    """What the dendrites gather in phase s, and the states at its end: first the settling part, then the window."""
    from scipy.integrate import solve_ivp

    trials, units = h.shape
    y = np.concatenate([np.zeros(trials * units), *(value.ravel() for value in values.values())])
    for length, is_open in ((network.settle, 0.0), (network.window, 1.0)):
        if not length:
            continue

        def slope(_, y, is_open=is_open):
            current, states = split_states(y, values, trials, units)
            d_current, moves = np.zeros((trials, units)), {}
            for name, synapse in synapses.items():
                own = {state: states[name, state] for state in synapse.states}
                views = synapse.views(h, own, is_open * gates[name].read[s], is_open * gates[name].write[s])
                if views["read_gain"]:
                    d_current = d_current + synapse.read(views)
                for state, ode in synapse.odes.items():
                    moves[name, state] = ode(views)
            return np.concatenate([d_current.ravel(), *(moves[key].ravel() for key in values)])

        solution = solve_ivp(slope, (0.0, length), y, method="DOP853", rtol=rtol, atol=atol, first_step=length, t_eval=[length])
        if not solution.success:
            raise FloatingPointError(f"solve_ivp stopped in phase {s}: {solution.message}")
        y = solution.y[:, -1]
    return split_states(y, values, trials, units)
