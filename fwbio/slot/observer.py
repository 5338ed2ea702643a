"""The ideal observer: the forward pass of the hidden Markov model that the world is.

Hidden: how long ago the value was drawn (steps of STEP s up to the longest validity), and the value itself given that. At each step of time the
value is redrawn with the hazard of its age; at each presentation, every age is weighed with the likelihood of what is shown given all that was
shown within that age. All outputs of an association switch together. Nothing can predict better than the mean over this posterior, but for the step.
"""

import numpy as np

STEP = 0.1  # s


def bayes(world, stream) -> np.ndarray:
    """Predictions just before each presentation, (n, d), of a stream with one item."""
    n, d = stream.teacher.shape
    bins = round(world.longest / STEP)
    a, b = world.shortest, world.longest
    edges = np.clip(np.arange(bins + 1) * STEP, a, b)
    survive = np.log(b / edges) / np.log(b / a)
    hazard = np.append(1 - survive[1:] / np.maximum(survive[:-1], 1e-300), 1.0)[:bins]
    hazard[-1] = 1.0
    stationary = survive[:-1] / survive[:-1].sum()
    belief, found, now = stationary.copy(), np.empty((n, d)), 0
    steps = np.floor(stream.t / STEP).astype(int)
    for k in range(n):
        while now < steps[k]:  # ages grow by a step, or start again
            new = belief @ hazard
            belief[1:] = (belief * (1 - hazard))[:-1]
            belief[0] = new
            now += 1
        # presentations since the value was drawn, for every age: those of the last ``age`` steps
        first = max(0, np.searchsorted(steps, now - bins))
        past = stream.teacher[first:k]
        sums = np.concatenate([np.zeros((1, d)), np.cumsum(past[::-1], axis=0)])  # of the last 0, 1, 2 … presentations
        counts = np.searchsorted(-steps[first:k][::-1], -(now - np.arange(bins)), side="right")
        hit = np.bincount(counts, belief, minlength=len(sums))
        mean = np.tanh(sums / max(world.sigma, 1e-3) ** 2)
        found[k] = hit @ mean / hit.sum()
        y = stream.teacher[k]
        up = -0.5 * ((y - 1) / max(world.sigma, 1e-3)) ** 2
        down = -0.5 * ((y + 1) / max(world.sigma, 1e-3)) ** 2
        top = np.maximum(up, down)
        likelihood = (top + np.log(0.5 * (1 + mean) * np.exp(up - top) + 0.5 * (1 - mean) * np.exp(down - top) + 1e-300)).sum(axis=1)
        likelihood = np.exp(likelihood - likelihood[hit > 0].max())
        belief *= likelihood[counts]
        belief /= belief.sum()
    return found
