"""Associative retrieval: what a trial looks like, how its symbols are spread, which streams are apart.

Random tests have fixed seeds. A chi-square test here fails below p = 1e-5; the file makes 7 of them, so that a new seed would
fail by chance in 7e-5 of cases. If every symbol were 2 % too frequent or too rare, 200,000 trials would give a noncentrality of
200,000 * 0.02^2 = 80 and be refused with power 0.98 (letters, limit 67), 0.999 (digits) and more (places).
"""

import numpy as np
import pytest
from scipy.stats import chisquare

import fwbio
from fwbio import tasks
from fwbio.errors import BadInput

MANY = tasks.retrieval(4, 200_000, seed=11)
FALSE_ALARM = 1e-5


def parts(task):
    """letters (trials, K), digits 0..9 (trials, K) and the query (trials,)."""
    K = task.pairs
    return task.tokens[:, 0 : 2 * K : 2], task.tokens[:, 1 : 2 * K : 2] - tasks.N_LETTERS, task.tokens[:, -1]


# --- structure -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pairs", [1, 4, 26])
def test_a_trial_is_pairs_two_question_marks_and_a_letter(pairs):
    task = tasks.retrieval(pairs, 300, seed=2)
    letters, digits, query = parts(task)
    assert task.tokens.shape == (task.trials, task.length) == (300, 2 * pairs + 3)
    assert ((letters >= 0) & (letters < 26)).all() and ((digits >= 0) & (digits < 10)).all() and ((query >= 0) & (query < 26)).all()
    assert (task.tokens[:, 2 * pairs : 2 * pairs + 2] == tasks.QUESTION).all()


def test_text_is_the_papers_spelling():
    assert tasks.SYMBOLS == "abcdefghijklmnopqrstuvwxyz0123456789?"
    task = tasks.retrieval(4, 50, seed=3)
    for trial in range(50):
        text = task.text(trial)
        assert text[:8:2].isalpha() and text[1:8:2].isdigit() and text[8:10] == "??"
        assert str(task.target[trial]) == text[text.index(text[-1]) + 1]  # what follows the query letter where it first stands


def test_the_target_is_the_digit_after_the_query_letter():
    letters, digits, query = parts(MANY)
    asked = letters == query[:, None]
    assert (asked.sum(axis=1) == 1).all()
    np.testing.assert_array_equal(digits[asked], MANY.target)


def test_letters_are_drawn_without_replacement():
    ordered = np.sort(parts(MANY)[0], axis=1)
    assert (np.diff(ordered, axis=1) > 0).all()
    assert len(set(parts(tasks.retrieval(26, 1, seed=4))[0][0])) == 26


def test_digits_are_drawn_with_replacement():
    # four of ten differ with probability 10*9*8*7/10^4 = 0.504; s.e. 0.0011, so 0.005 is 4.5 s.e. (false alarm 7e-6)
    ordered = np.sort(parts(MANY)[1], axis=1)
    all_differ = (np.diff(ordered, axis=1) > 0).all(axis=1).mean()
    assert all_differ == pytest.approx(0.504, abs=0.005)


# --- spread --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 3])
def test_letters_are_even(place):
    assert chisquare(np.bincount(parts(MANY)[0][:, place], minlength=26)).pvalue > FALSE_ALARM


@pytest.mark.parametrize("place", [0, 3])
def test_digits_are_even(place):
    assert chisquare(np.bincount(parts(MANY)[1][:, place], minlength=10)).pvalue > FALSE_ALARM


def test_every_place_is_asked_evenly():
    letters, _, query = parts(MANY)
    assert chisquare(np.bincount((letters == query[:, None]).argmax(axis=1), minlength=4)).pvalue > FALSE_ALARM


def test_answers_are_even():
    assert chisquare(np.bincount(MANY.target, minlength=10)).pvalue > FALSE_ALARM


def test_letter_digit_and_query_are_independent():
    letters, _, query = parts(MANY)
    place = (letters == query[:, None]).argmax(axis=1)
    joint = np.bincount((letters[:, 0] * 10 + MANY.target) * 4 + place, minlength=26 * 10 * 4)
    assert chisquare(joint).pvalue > FALSE_ALARM


# --- streams -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", tasks.SPLITS)
def test_the_first_trials_do_not_depend_on_how_many_there_are(split):
    few, more = (tasks.retrieval(4, trials, seed=5, split=split) for trials in (37, 1000))
    np.testing.assert_array_equal(few.tokens, more.tokens[:37])
    np.testing.assert_array_equal(few.target, more.target[:37])


def test_seed_split_and_pairs_name_a_stream():
    # two streams agree on a whole trial of 4 pairs with probability 1/(26*25*24*23*10^4*4) = 7e-11: 1e3 x 1e3 pairs, 7e-5 a comparison
    keys = [(seed, split) for seed in (0, 1) for split in tasks.SPLITS]
    seen = {key: {row.tobytes() for row in tasks.retrieval(4, 1000, *key).tokens} for key in keys}
    for key, rows in seen.items():
        assert rows == {row.tobytes() for row in tasks.retrieval(4, 1000, *key).tokens}
        assert not any(rows & other for name, other in seen.items() if name != key)
    assert (tasks.retrieval(3, 100, 0).tokens[:, 0] != tasks.retrieval(4, 100, 0).tokens[:, 0]).any()


def test_letters_digits_and_queries_come_from_streams_of_their_own():
    # one shared stream would make the number of letters drawn move the digits: correlation below 4.5/sqrt(200,000) = 0.01 (false alarm 7e-6)
    letters, digits, query = parts(MANY)
    place = (letters == query[:, None]).argmax(axis=1)
    for one, other in ((letters[:, 0], digits[:, 0]), (digits[:, 0], place), (digits[:, 0], digits[:, 1])):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.01


# --- inputs of a network -------------------------------------------------------------------------------------------------


def test_x_is_the_embedding_through_C():
    network, task = fwbio.load("retrieval"), tasks.retrieval(4, 3, seed=6)
    E, C = network.trained["E"], network.trained["C"]
    wanted = np.array([[[sum(C[i, k] * E[token, k] for k in range(100)) for i in (0, 49)] for token in row] for row in task.tokens])
    np.testing.assert_allclose(task.x(network)[:, :, [0, 49]], wanted, rtol=1e-12, atol=1e-13)


def test_random_input_is_gaussian_and_new_in_every_trial():
    # 300 * 20 * 8 = 48,000 numbers: s.e. of the s.d. is 0.32 %, 1.5 % is 4.6 s.e.; of the mean 0.0046, 0.021 is 4.6 s.e. (false alarm 8e-6)
    network = fwbio.load("random_recurrent")
    task = tasks.of(network, trials=300, seed=7)
    x = task.x(network)
    sd = network.card["input"]["sd"]
    assert x.shape == (300, 20, network.units)
    assert x.std() == pytest.approx(sd, rel=0.015) and abs(x.mean()) < 0.021 * sd
    assert len(np.unique(x)) == x.size
    np.testing.assert_array_equal(tasks.of(network, trials=2, seed=7).x(network), x[:2])
    assert not np.isin(tasks.of(network, trials=2, seed=8).x(network), x).any()


def test_a_card_names_its_task():
    network = fwbio.load("retrieval")
    task = tasks.of(network, seed=3)
    assert task.trials == network.card["protocol"]["trials"]
    np.testing.assert_array_equal(task.tokens, tasks.retrieval(4, task.trials, 3, "test").tokens)


# --- what is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong, message",
    [
        (dict(pairs=0), "pairs = 0"),
        (dict(pairs=27), "1 to 26"),
        (dict(trials=0), "trials = 0"),
        (dict(seed=-1), "seed = -1"),
        (dict(split="dev"), "test, train, validation"),
        (dict(pairs=2.5), "pairs = 2.5"),
        (dict(trials=1.5), "trials = 1.5"),
        (dict(seed=0.5), "seed = 0.5"),
    ],
)
def test_refuses(wrong, message):
    with pytest.raises(BadInput, match=message):
        tasks.retrieval(**wrong)


def test_reassigned_keys_ask_for_the_latest_digit_of_a_letter_that_changed():
    """By reading each sequence from left to right, as a reader would."""
    task = tasks.reassigned(4, 500, seed=3)
    assert task.length == 27 and task.name == "reassigned"
    confirmed, switches = 0, np.zeros(5, int)
    for row, target in zip(task.tokens, task.target):
        text = "".join(task.symbols[k] for k in row)
        latest, changes = {}, {}
        for letter, digit in zip(text[0:24:2], text[1:24:2]):
            assert letter.isalpha() and digit.isdigit()
            again = letter in latest
            confirmed += again and latest[letter] == digit
            changes[letter] = changes.get(letter, 0) + (again and latest[letter] != digit)
            latest[letter] = digit
        assert len(set(text[0:8:2])) == 4 == len(latest) and text[24:26] == "??" and latest[text[26]] == str(target)
        assert changes[text[26]] >= 1
        switches[min(sum(changes.values()), 8) // 2] += 1
    assert abs(confirmed - 2000) < 4 * (4000 / 4) ** 0.5 + 2  # half of 8 presentations, 500 times; 6e-5 by chance
    assert switches[1] > 50 and switches[2] > 50 and switches[3] > 10  # sequences differ in how often letters change


def test_reassigned_keys_come_from_streams_of_their_own():
    one, same, other = (tasks.reassigned(4, 50, seed, split) for seed, split in ((1, "test"), (1, "test"), (1, "train")))
    assert (one.tokens == same.tokens).all() and (one.tokens != other.tokens).any()
