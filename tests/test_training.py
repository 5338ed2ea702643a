"""Training: deterministic from its seed, whole after an interruption, and its files are what the card declares and the log says."""

import json
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import fwbio
from fwbio.errors import BadInput

torch = pytest.importorskip("torch")

from fwbio.ann import cells, checkpoint, training  # noqa: E402 (needs torch)
from fwbio.ann.cells.fast_weights import poisson_noise  # noqa: E402
from fwbio.ann.recipe import Recipe  # noqa: E402

TINY = dict(units=12, train_size=512, epochs=1, seed=3, noise_neurons=100.0, noise_from=0.0, noise_full=0.5, activity=3e-3, compiled=False)
LINE = "train retrieval --model irnn --units 8 --train-size 6400 --epochs 12 --no-compile --out run"


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Trains a tiny network, with few held-out trials, and gives its folder."""
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(training.HELD_OUT, "retrieval", {"validation": 200, "test": 300})

        def run(**options):
            out, said = tmp_path_factory.mktemp("train"), []
            training.train(Recipe(**{**TINY, **options}), out / "new folder", said.append)
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
    assert Recipe(**first["recipe"]) == Recipe(**{**TINY, "epochs": 2})
    assert [row["epoch"] for row in epochs] == [1, 2] and [json.loads(line) for line in said] == epochs
    assert last["test_size"] == 300 and 0 <= last["test"] <= 1
    assert all(0 <= row["validation"] <= 1 and row["loss"] > 0 for row in epochs)


@pytest.mark.parametrize("model", cells.names())
def test_every_model_learns(train, model):
    # 512 trials, again and again: the loss falls below ln 10, that of guessing among ten digits
    noise = {} if model == "fast_weights" else {"noise_neurons": 0.0}
    first, *_, last = log(train(model=model, epochs=10, lr=1e-2, **noise)[0])[1:-1]
    assert last["loss"] < 0.95 * math.log(10) and last["loss"] < first["loss"]


@pytest.mark.parametrize("options", [{"learn": "unit"}, {"lam": (0.9, 0.5), "learn": "network"}])
def test_decay_is_trained_if_asked_for(train, options):
    weights = load(train(options=options, epochs=4, lr=1e-2)[0])
    lam = 1 / (1 + np.exp(-weights["decay"]))
    start = np.broadcast_to(np.array(options.get("lam", (0.9,)))[:, None], lam.shape)
    assert lam.shape == (len(options.get("lam", (0.9,))), TINY["units"] if options["learn"] == "unit" else 1)
    assert (np.abs(lam - start) > 1e-6).all() and ((lam > 0) & (lam < 1)).all()


def test_the_best_epoch_is_kept_and_tested(train):
    folder, _ = train(epochs=6, lr=1e-2)
    _, *epochs, last = log(folder)
    best = max(epochs, key=lambda row: row["validation_noisy"])  # the first of equals, as in training
    assert best is not epochs[0] and len({row["validation"] for row in epochs}) > 2
    model = training.Training(Recipe(**TINY)).model
    names = dict(zip(model.weights(), model.state_dict()))
    model.load_state_dict({names[name]: torch.from_numpy(array).float() for name, array in load(folder).items()})
    for name, wanted in (("validation", best["validation"]), ("test", last["test"])):
        assert training.accuracy(model, *training.split(Recipe(**TINY), name)[:2]) == wanted


def test_it_stops_when_nothing_is_left_to_gain():
    run = training.Training(Recipe(**{**TINY, "noise_neurons": 0.0, "epochs": 50, "patience": 3}))
    for scores, done in (([], False), ([0.5, 1, 1], False), ([1, 1, 1], True), ([0.5, 0.4, 0.4], False), ([0.5, 0.4, 0.4, 0.5], True)):
        run.rows = [{"validation": score} for score in scores]
        assert run.done is done, scores
    run.rows = [{"validation": k / 100} for k in range(50)]
    assert run.done


# --- interrupted ---------------------------------------------------------------------------------------------------------


def test_what_was_interrupted_ends_with_the_same_weights(train, tmp_path, monkeypatch):
    recipe = Recipe(**{**TINY, "epochs": 4})
    whole, _ = train(epochs=4)
    judge, seen = training.Training.judge, []

    def interrupted(self, loss, seconds):
        if len(self.rows) == 2:
            raise KeyboardInterrupt
        return judge(self, loss, seconds)

    with monkeypatch.context() as patch:
        patch.setattr(training.Training, "judge", interrupted)
        with pytest.raises(KeyboardInterrupt):
            training.train(recipe, tmp_path, seen.append)
    assert not (tmp_path / "weights.npz").exists()
    training.train(recipe, tmp_path, seen.append)
    assert seen[2] == "goes on after epoch 2" and not (tmp_path / checkpoint.NAME).exists()
    for name, array in load(whole).items():
        np.testing.assert_array_equal(array, load(tmp_path)[name])


@pytest.mark.slow
def test_the_same_line_goes_on_after_ctrl_c(tmp_path):
    def start():
        return subprocess.Popen(
            [sys.executable, "-m", "fwbio", *LINE.split()], cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=os.environ
        )

    first, deadline = start(), time.monotonic() + 60
    while not (tmp_path / "run" / checkpoint.NAME).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    first.send_signal(signal.SIGINT)
    said = first.communicate()[1]
    assert first.returncode == 130 and "Traceback" not in said, said
    second = start()
    said = second.communicate()[1]
    assert second.returncode == 0 and "goes on after epoch" in said and log(tmp_path / "run")[-2]["epoch"] == 12, said


def test_another_recipe_or_a_damaged_checkpoint_is_refused(tmp_path):
    from dataclasses import asdict

    from fwbio.ann.job import unfinished

    recipe = Recipe(**TINY)
    checkpoint.write(tmp_path, {"recipe": asdict(recipe), "state": {}})
    assert unfinished(recipe, tmp_path, False) == tmp_path
    with pytest.raises(BadInput, match="with seed 3 .now 4."):
        unfinished(Recipe(**{**TINY, "seed": 4}), tmp_path, False)
    for content in (b"no zip", (tmp_path / checkpoint.NAME).read_bytes()[:200]):
        (tmp_path / checkpoint.NAME).write_bytes(content)
        with pytest.raises(BadInput, match="damaged"):
            unfinished(recipe, tmp_path, False)


def test_wrong_options_are_refused():
    for model, texts, message in (
        ("irn", {}, "did you mean 'irnn'"),
        ("fast_weights", {"lamb": "1"}, "did you mean 'lam'"),
        ("fast_weights", {"lam": "0.9,x"}, "write it like"),
        ("fast_weights", {"norm": "maybe"}, "write it like True"),
    ):
        with pytest.raises(BadInput, match=message):
            cells.options(cells.named(model), texts)
    with pytest.raises(BadInput, match="not trained with spike noise"):
        training.Training(Recipe(**{**TINY, "model": "lstm"}))


# --- the parts -----------------------------------------------------------------------------------------------------------


def test_splits_are_those_of_the_task():
    recipe = Recipe(train_size=300, seed=9)
    tokens, target, *_ = training.split(recipe, "train")
    wanted = fwbio.tasks.retrieval(4, 300, 9, "train")
    np.testing.assert_array_equal(tokens.numpy(), wanted.tokens)
    np.testing.assert_array_equal(target.numpy(), wanted.target)


def test_noise_has_the_variance_of_poisson_counts_and_a_straight_gradient():
    # 100,000 draws: s.e. of a variance 0.45 %, of a mean sqrt(h/(50 * 100,000)) < 0.0007; 4.5 s.e. (false alarm 7e-6 each)
    torch.manual_seed(5)
    h = torch.tensor([0.2, 1.0, 2.0], dtype=torch.float64, requires_grad=True)
    noisy = poisson_noise(h.expand(100_000, 3), 1 / 25.0, 2.0)
    np.testing.assert_allclose(noisy.detach().var(0).numpy(), h.detach().numpy() / 50, rtol=0.021)
    np.testing.assert_allclose(noisy.detach().mean(0).numpy(), h.detach().numpy(), atol=0.0031)
    noisy.sum().backward()
    np.testing.assert_array_equal(h.grad.numpy(), [1e5, 1e5, 1e5])


def torch_lstm(cell, x):
    """PyTorch's own LSTM with the cell's weights."""
    layer = torch.nn.LSTM(x.shape[-1] // 4, x.shape[-1] // 4).double()
    with torch.no_grad():
        layer.weight_hh_l0[:], layer.bias_hh_l0[:], layer.bias_ih_l0[:], layer.weight_ih_l0[:] = cell.W, cell.b, 0, 0
    units = x.shape[-1] // 4
    state, found = (torch.zeros(x.shape[1], units).double(),) * 2, []
    for drive in x:  # its input weights cannot be left out, so the drive goes in through the bias, trial by trial
        rows = []
        for k, bias in enumerate(drive):
            layer.bias_ih_l0.data = bias
            rows.append(layer(torch.zeros(1, 1, units).double(), tuple(s[None, k : k + 1] for s in state))[1])
        state = tuple(torch.cat([row[i][0] for row in rows]) for i in (0, 1))
        found.append(state[0])
    return found


def complex_lstm(cell, x):
    """The associative LSTM in NumPy's complex numbers, one copy after the other."""
    W, b, half = cell.W.detach().numpy(), cell.b.detach().numpy(), cell.half
    h, c, found = np.zeros((x.shape[1], 2 * half)), np.zeros((cell.copies, x.shape[1], half), complex), []

    def bounded(z):
        return z / np.maximum(1, np.abs(z))

    for drive in x.numpy():
        raw = drive + h @ W.T + b
        forget, take, give = (1 / (1 + np.exp(-raw[:, k * half : (k + 1) * half])) for k in range(3))
        u, key, probe = (bounded(raw[:, k * half : (k + 1) * half] + 1j * raw[:, (k + 1) * half : (k + 2) * half]) for k in (3, 5, 7))
        read = 0
        for s, P in enumerate(cell.P.numpy()):
            c[s] = forget * c[s] + key[:, P] * (take * u)
            read = read + probe[:, P] * c[s] / cell.copies
        out = give * bounded(read)
        h = np.concatenate([out.real, out.imag], 1)
        found.append(torch.from_numpy(h))
    return found


def matrix_delta(cell, x):
    """The delta rule with A as a matrix, trial by trial and axon by axon where gains are the axons' own."""
    A, h, z, found = torch.zeros(x.shape[1], len(cell.W), len(cell.W)).double(), [], np.ones((x.shape[1], len(cell.W))), []
    for t, drive in enumerate(x):
        slow = drive + (found[-1] @ cell.W.T if t else 0)
        h = torch.relu(cell.first(slow))
        h = torch.relu(cell.norm(slow + torch.einsum("bij,bj->bi", A, h)))
        found.append(h)
        if t < cell.lag:
            continue
        before = found[t - cell.lag]
        k = before / torch.sqrt((before * before).sum(1, keepdim=True) + 1e-6)
        e = h - torch.einsum("bij,bj->bi", A, k)
        gain = torch.as_tensor(adapted(cell, k.numpy(), e.numpy(), h.numpy(), z)) if hasattr(cell, "rho") else cell.beta
        A = cell.lam * A + torch.einsum("bi,bj->bij", e, gain * k)
    return found


def adapted(cell, k, e, h, z):
    """Gains of every axon of every trial, as the labile cell's docstring has them; moves ``z``."""
    g, gamma, kappa = np.empty_like(z), float(cell.log_gamma.exp()), float(cell.log_kappa.exp())
    for trial in range(len(z)):
        q = (e[trial] ** 2).sum() / ((h[trial] ** 2).sum() + 1e-6)
        for j in range(z.shape[1]):
            s = k[trial, j] ** 2 / (max(k[trial] ** 2) + 1e-6)
            raised = z[trial, j] + s * gamma * max(q - kappa, 0.0) ** 2 * cell.surprise
            g[trial, j] = raised / (1 + raised)
            z[trial, j] = 1 + (raised + s * (g[trial, j] - raised) - 1) * cell.rho
    return g


def matrix_before(cell, x):
    """Fast weights whose key is the state before, with A as a matrix."""
    A, found = torch.zeros(x.shape[1], len(cell.W), len(cell.W)).double(), []
    for t, drive in enumerate(x):
        slow = drive + (found[-1] @ cell.W.T if t else 0)
        h = torch.relu(cell.first(slow))
        h = torch.relu(cell.norm(slow + torch.einsum("bij,bj->bi", A, h)))
        A = float(torch.sigmoid(cell.decay)) * A + (cell.eta * torch.einsum("bi,bj->bij", h, found[-1]) if t else 0)
        found.append(h)
    return found


@pytest.mark.parametrize(
    "model, options, other",
    [
        ("lstm", {}, torch_lstm),
        ("associative_lstm", {}, complex_lstm),
        ("delta_rule", {}, matrix_delta),
        ("delta_rule", {"key": "before", "beta": 1.0, "lam": 1.0}, matrix_delta),
        ("labile", {"gamma": 2.0}, matrix_delta),
        ("labile", {"key": "before", "gamma": 2.0}, matrix_delta),
        ("labile", {"key": "before", "surprise": False}, matrix_delta),
        ("fast_weights", {"key": "before"}, matrix_before),
    ],
)
def test_a_cell_is_what_its_papers_equations_say(model, options, other):
    torch.manual_seed(1)
    cell = cells.find(model)(6, **options).double()
    with torch.no_grad():
        for p in cell.parameters():
            p += 0.3 * torch.randn_like(p)
    x = torch.randn(5, 3, cell.columns).double()
    with torch.no_grad():
        ours, theirs = cell(x), other(cell, x)
    assert torch.stack(ours).std() > 0.05
    np.testing.assert_allclose(torch.stack(ours), torch.stack(theirs), rtol=0, atol=1e-12)
