"""d': how well the cells of a pattern stand out from others when part of the pattern's axons fire.

In a volley each cue axon fires with probability 1/2, the same for all cells; a cell sums the weights of those that fired, under a
Gaussian background. d' = (mean of the pattern's cells - mean of the others)/s, s^2 the mean variance of both: within a cell, over
volleys, and between cells (Green & Swets 1966). Between one cell of each, norm.cdf(d'/sqrt(2)) of the choices are right; chance is 1/2.
"""

import numpy as np


def drawn(w, background, volleys, rng):
    """Mean and variance of each cell's sum over drawn volleys, (..., cells) each. w : (..., cells, axons); background : s.d., unit of w."""
    fires = rng.random((*w.shape[:-2], volleys, w.shape[-1])) < 0.5
    sums = w @ fires.astype(float).swapaxes(-1, -2) + background * rng.standard_normal((*w.shape[:-1], volleys))
    return sums.mean(axis=-1), sums.var(axis=-1, ddof=1)


def moments(w, background):
    """The same without drawing: half the sum, a quarter of the sum of squares and the background's variance."""
    return w.sum(axis=-1) / 2, (w**2).sum(axis=-1) / 4 + background**2


def sensitivity(mean, variance, members):
    """d' of each matrix. mean, variance : (..., matrices, cells) as above; members : which cells are the pattern's, (matrices, cells)."""
    groups = []
    for own in (members, ~members):
        share = own / own.sum(axis=-1, keepdims=True)
        centre = (mean * share).sum(axis=-1)
        groups.append((centre, ((variance + (mean - centre[..., None]) ** 2) * share).sum(axis=-1)))
    (a, spread_a), (b, spread_b) = groups
    return (a - b) / np.sqrt((spread_a + spread_b) / 2)
