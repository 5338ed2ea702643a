"""Training: deterministic from its seed, and its files are what the card declares and the log says."""

import json
import math

import numpy as np
import pytest

import fwbio

torch = pytest.importorskip("torch")

from fwbio.ann import training  # noqa: E402 (needs torch)
from fwbio.ann.fast_weights import FastWeights, poisson_noise  # noqa: E402

TINY = dict(units=12, train_size=512, epochs=1, seed=3, noise_from=0.0, noise_full=0.5)


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Trains a tiny network, with few held-out trials, and gives its folder."""
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "HELD_OUT", {"validation": 200, "test": 300})

        def run(**options):
            out, said = tmp_path_factory.mktemp("train"), []
            training.train(training.Recipe(**{**TINY, **options}), out / "new folder", said.append)
            return out / "new folder", said

        yield run
    torch.set_num_threads(threads)


def load(folder):
    with np.load(folder / "weights.npz", allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_seed_decides_the_weights(train):
    one, again, other = (load(train(**options)[0]) for options in ({}, {}, {"seed": 4}))
    for name in one:
        np.testing.assert_array_equal(one[name], again[name])
    assert all((one[name] != other[name]).mean() > 0.5 for name in one)


def test_weights_have_the_axes_of_the_card(train):
    sizes = {"symbol": 37, "embedding": 100, "unit": TINY["units"], "readout": 100, "class": 10}
    axes = fwbio.load("retrieval").card["trained"]["axes"]
    found = load(train()[0])
    assert {name: array.shape for name, array in found.items()} == {
        name: tuple(sizes[axis] for axis in names) for name, names in axes.items()
    }
    assert all(array.dtype == np.float64 and np.isfinite(array).all() for array in found.values())


def test_log_has_the_recipe_every_epoch_and_the_test(train):
    folder, said = train(epochs=2)
    first, *epochs, last = log(folder)
    assert training.Recipe(**first["recipe"]) == training.Recipe(**{**TINY, "epochs": 2})
    assert [row["epoch"] for row in epochs] == [1, 2] and [json.loads(line) for line in said] == epochs
    assert last["test_size"] == 300 and 0 <= last["test"] <= 1
    for row in epochs:
        assert 0 <= row["validation"] <= 1 and 0 <= row["mean_h"] <= row["max_h"] and row["loss"] > 0


def test_it_learns(train):
    # 512 trials, again and again: the loss falls below ln 10, that of guessing among ten digits
    first, *_, last = log(train(epochs=12, lr=1e-2)[0])[1:-1]
    assert last["loss"] < 0.9 * math.log(10) < first["loss"]


def test_the_best_epoch_is_kept_and_tested(train):
    folder, _ = train(epochs=6, lr=1e-2)
    _, *epochs, last = log(folder)
    best = max(epochs, key=lambda row: row["validation_noisy"])  # the first of equals, as in training
    assert best is not epochs[0] and len({row["validation"] for row in epochs}) > 2
    model = FastWeights(TINY["units"], 37, 10)
    model.load_state_dict({name: torch.from_numpy(array).float() for name, array in load(folder).items()})
    for name, wanted in (("validation", best["validation"]), ("test", last["test"])):
        assert training.accuracy(model, *training.split(training.Recipe(**TINY), name)[:2]) == wanted


def test_splits_are_those_of_the_task():
    recipe = training.Recipe(train_size=300, seed=9)
    tokens, target, _ = training.split(recipe, "train")
    wanted = fwbio.tasks.retrieval(4, 300, 9, "train")
    np.testing.assert_array_equal(tokens.numpy(), wanted.tokens)
    np.testing.assert_array_equal(target.numpy(), wanted.target)


def test_noise_has_the_variance_of_poisson_counts_and_a_straight_gradient():
    # 100,000 draws: s.e. of a variance 0.45 %, of a mean sqrt(h/(50 * 100,000)) < 0.0007; 4.5 s.e. (false alarm 7e-6 each)
    torch.manual_seed(5)
    h = torch.tensor([0.2, 1.0, 2.0], dtype=torch.float64, requires_grad=True)
    noisy = poisson_noise(h.expand(100_000, 3), 50.0)
    np.testing.assert_allclose(noisy.detach().var(0).numpy(), h.detach().numpy() / 50, rtol=0.021)
    np.testing.assert_allclose(noisy.detach().mean(0).numpy(), h.detach().numpy(), atol=0.0031)
    noisy.sum().backward()
    np.testing.assert_array_equal(h.grad.numpy(), [1e5, 1e5, 1e5])
