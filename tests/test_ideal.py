"""The ideal observer of retrieval: against every way a sequence could have been made, one by one."""

import itertools

import numpy as np
import pytest

import fwbio
from fwbio import ideal, tasks


@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_the_posterior_is_the_sum_over_every_hidden_sequence(pairs, monkeypatch):
    """Six letters in place of 26: all ordered draws without replacement, all digits, all queries."""
    monkeypatch.setattr(ideal, "N_LETTERS", 6)
    rng, e = np.random.default_rng(pairs), 0.3
    tokens = np.full((4, 2 * pairs + 3), 36)
    tokens[:, 0 : 2 * pairs : 2] = rng.integers(6, size=(4, pairs))
    tokens[:, 1 : 2 * pairs : 2] = 6 + rng.integers(10, size=(4, pairs))
    tokens[:, -1] = rng.integers(6, size=4)
    task = tasks.Task("retrieval", tokens, np.zeros(4, int), 10, tasks.SYMBOLS, pairs, 0, "test")
    found = ideal.retrieval(task, e)
    for row, seen in enumerate(tokens):
        wanted = np.zeros(10)
        for letters in itertools.permutations(range(6), pairs):
            chance = np.prod([(1 - e) * (letter == seen[2 * k]) + e / 6 for k, letter in enumerate(letters)])
            for q in range(pairs):
                end = chance * ((1 - e) * (letters[q] == seen[-1]) + e / 6)
                wanted += end * np.array([(1 - e) * (6 + d == seen[2 * q + 1]) + e / 10 for d in range(10)])  # other digits sum to 1
        np.testing.assert_allclose(found[row], wanted / wanted.sum(), atol=1e-12)


def test_it_is_right_as_often_as_it_says_and_always_where_nothing_is_misread():
    """4,000 sequences, 10 % misread: four standard errors are 2.5 points."""
    task = tasks.misread(tasks.retrieval(4, 4000, seed=1), 0.1, seed=2)
    posterior = ideal.retrieval(task, 0.1)
    right = np.mean(posterior.argmax(axis=1) == task.target)
    assert abs(right - posterior.max(axis=1).mean()) < 0.025 and 0.7 < right < 0.95
    clean = tasks.retrieval(4, 500, seed=1)
    assert (ideal.retrieval(clean, 0.0).argmax(axis=1) == clean.target).all()


def test_as_many_symbols_are_misread_as_was_asked_for():
    """9 symbols of 4,000 sequences; one in 26 letters and one in 10 digits is drawn right by chance. Question marks stay."""
    clean = tasks.retrieval(4, 4000, seed=3)
    task = tasks.misread(clean, 0.2, seed=4)
    changed = task.tokens != clean.tokens
    assert not changed[:, 8:10].any()
    assert changed[:, 0:8:2].mean() == pytest.approx(0.2 * 25 / 26, abs=0.013)
    assert changed[:, 1:8:2].mean() == pytest.approx(0.2 * 9 / 10, abs=0.013)
    assert (task.target == clean.target).all()


def test_other_tasks_are_refused():
    for task, error in ((tasks.reassigned(4, 5), 0.1), (tasks.retrieval(4, 5, sequences=3), 0.1), (tasks.retrieval(4, 5), 1.5)):
        with pytest.raises(fwbio.BadInput):
            ideal.retrieval(task, error)
