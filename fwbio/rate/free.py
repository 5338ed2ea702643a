"""A free-running network in continuous time: the same cards, nothing latched, solve_ivp from one change of input to the next."""

import numpy as np

from fwbio.rate.equations import Right, Synapse, split_states
from fwbio.rate.paced import ATOL, RTOL, normaliser


def run(network, x, t, *, rtol=RTOL, atol=ATOL):
    """h at the times ``t``, and the fast weights when each input ends.

    x : (trials, inputs, units), each lasting ``network.every``. t : sample times in s, ascending from 0

    Returns h (trials, times, units) and A (trials, inputs, post, pre).
    """
    from scipy.integrate import solve_ivp

    trials, inputs, units = x.shape
    synapses = {name: Synapse(p) for name, p in network.projections.items() if network.fast or "write" not in p.synapse.card["spiking"]}
    keys = [(name, state) for name, synapse in synapses.items() for state in synapse.states]
    dendrite = Right(network.dendrite.card["rate"]["ode"][0], network.dendrite.values)
    norm, phi = normaliser(network.norm), Right(f"h = {network.phi}", {})
    read_gain, write_gain = 1 / network.dendrite.values["tau_h"], 1 / network.tau

    def rates(current, given):
        return phi({"u": norm(current + given)})

    def slope(_, y, given):
        current, states = split_states(y, keys, trials, units)
        h, total, moves = rates(current, given), 0.0, []
        for name, synapse in synapses.items():
            own = {state: states[name, state] for state in synapse.states}
            views = synapse.views(h, own, read_gain, write_gain)
            total = total + synapse.read(views)
            moves += [ode(views).ravel() for ode in synapse.odes.values()]
        return np.concatenate([dendrite({"I": current, "I_in": total}).ravel(), *moves])

    y = np.zeros(trials * units * (1 + len(keys) * units))
    h, A = np.empty((trials, len(t), units)), np.zeros((trials, inputs, units, units))
    for k in range(inputs):
        start, end = k * network.every, (k + 1) * network.every
        own = np.flatnonzero((t >= start - 1e-9) & (t < end - 1e-9))
        at = np.append(np.clip(t[own], start, end), end)
        solution = solve_ivp(slope, (start, end), y, method="DOP853", rtol=rtol, atol=atol, t_eval=at, args=(x[:, k],))
        if not solution.success:
            raise FloatingPointError(f"solve_ivp stopped in input {k}: {solution.message}")
        for place, column in zip(own, solution.y.T):
            h[:, place] = rates(split_states(column, keys, trials, units)[0], x[:, k])
        y = solution.y[:, -1]
        if keys:
            A[:, k] = split_states(y, keys, trials, units)[1][keys[0]]
    return h, A
