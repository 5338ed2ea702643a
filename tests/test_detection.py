"""d' of a pattern's cells: against a number by hand, and drawn volleys against their moments."""

import numpy as np

from fwbio.detection import drawn, moments, sensitivity


def test_two_cells_of_each_kind_by_hand():
    """Sums 2 and 4 against 0 and 0: means 3 and 0; between cells 1 and 0; within, sum of squares/4 + 9."""
    w = np.array([[[4.0, 0], [4, 4], [0, 0], [2, -2]]])
    mean, variance = moments(w, 3.0)
    assert mean.tolist() == [[2, 4, 0, 0]] and variance.tolist() == [[13, 17, 9, 11]]
    wanted = 3 / np.sqrt(((15 + 1) + (10 + 0)) / 2)
    assert abs(sensitivity(mean, variance, np.array([[True, True, False, False]]))[0] / wanted - 1) <= 1e-15


def test_drawn_volleys_have_their_moments():
    """Four standard errors (false alarm 6e-5 a figure, 160 of them: 1 %); the fourth moment of these sums is below a Gaussian's, 3."""
    rng, volleys = np.random.default_rng(0), 4000
    w = rng.normal(0, 1, (2, 4, 10, 12))
    wanted, found = moments(w, 2.0), drawn(w, 2.0, volleys, rng)
    assert (np.abs(found[0] - wanted[0]) <= 4 * np.sqrt(wanted[1] / volleys)).all()
    assert (np.abs(found[1] / wanted[1] - 1) <= 4 * np.sqrt(2 / volleys)).all() and np.ptp(wanted[1]) > 1


def test_cells_that_are_not_told_apart_have_none():
    mean, variance = np.ones((3, 2, 6)), np.ones((3, 2, 6))
    assert not sensitivity(mean, variance, np.arange(12).reshape(2, 6) % 3 == 0).any()
