"""A free-running network in continuous time: the same cards, nothing latched, solve_ivp from one change of input to the next."""

from dataclasses import dataclass

import numpy as np

from fwbio.rate.equations import Right, Synapse, initial_states, split_states
from fwbio.rate.paced import ATOL, RTOL, normaliser
from fwbio.rnn import total


@dataclass(frozen=True)
class FreeTrace:
    """h, I : (trials, times, units). A : (trials, inputs, post, pre), the sum over ``levels``, which are by projection."""

    h: np.ndarray
    I: np.ndarray  # noqa: E741 (the symbol of the card)
    A: np.ndarray
    levels: dict


class System:
    """The right-hand side of ``trials`` copies of a free-running network: ``slope(t, y, given)`` with the input of each unit.

    start : the flat vector y at rest; ``states(y)`` takes it apart. clamp : h follows the input alone
    """

    def __init__(self, network, trials, clamp=False):
        self.shape, self.clamp = (trials, network.units), clamp
        self.synapses = {name: Synapse(p) for name, p in network.projections.items() if network.fast or not p.associative}
        self.like = initial_states(self.synapses, *self.shape)
        self.dendrite = Right(network.dendrite.card["rate"]["ode"][0], network.dendrite.values)
        self.norm, self.phi = normaliser(network.norm), Right(network.phi, {})
        read = 1 / network.dendrite.values["tau_h"]
        self.gains = {k: (read, 1 / p.tau if np.isfinite(p.tau) else 1.0) for k, p in network.projections.items()}  # no clock: 1 Hz
        self.start = np.concatenate([np.zeros(trials * network.units), *(value.ravel() for value in self.like.values())])

    def states(self, y):
        """The dendrites' current (trials, units), and every state by (projection, name)."""
        return split_states(y, self.like, *self.shape)

    def h(self, current, given):
        return self.phi({"u": self.norm(given if self.clamp else current + given)})

    def slope(self, _, y, given):
        current, states = self.states(y)
        h, total, moves = self.h(current, given), 0.0, []
        for name, synapse in self.synapses.items():
            own = {state: states[name, state] for state in synapse.states}
            views = synapse.views(h, own, *self.gains[name])
            total = total + synapse.read(views)
            moves += [ode(views).ravel() for ode in synapse.odes.values()]
        return np.concatenate([self.dendrite({"I": current, "I_in": total}).ravel(), *moves])


def run(network, x, t, *, clamp=False, rtol=RTOL, atol=ATOL) -> FreeTrace:
    """h and the dendrites' current I at the times ``t``, and the fast weights when each input ends.

    x : (trials, inputs, units), each lasting ``network.every``. t : sample times in s, ascending from 0
    clamp : h follows the input alone, whatever the synapses bring
    """
    from scipy.integrate import solve_ivp

    trials, inputs, units = x.shape
    system = System(network, trials, clamp)
    y = system.start
    h, seen_I = np.empty((2, trials, len(t), units))
    levels = {name: np.zeros((trials, inputs, units, units)) for name in network.levels}
    for k in range(inputs):
        start, end = k * network.every, (k + 1) * network.every
        own = np.flatnonzero((t >= start - 1e-9) & (t < end + (1e-9 if k == inputs - 1 else -1e-9)))
        at = np.unique(np.append(np.clip(t[own], start, end), end))  # the last input's end may itself be asked for
        solution = solve_ivp(system.slope, (start, end), y, method="DOP853", rtol=rtol, atol=atol, t_eval=at, args=(x[:, k],))
        if not solution.success:
            raise FloatingPointError(f"solve_ivp stopped in input {k}: {solution.message}")
        for place, column in zip(own, solution.y.T):
            seen_I[:, place] = system.states(column)[0]
            h[:, place] = system.h(seen_I[:, place], x[:, k])
        y = solution.y[:, -1]
        for name, p in network.levels.items():
            levels[name][:, k] = system.states(y)[1][name, p.fast_state]
    return FreeTrace(h, seen_I, total(levels, (trials, inputs, units, units)), levels)
