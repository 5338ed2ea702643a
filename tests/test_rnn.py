"""The fast-weight RNN in NumPy: worked by hand, written two ways, held to its bounds, and trained."""

import numpy as np
import pytest

import fwbio
from fwbio import rnn, tasks
from fwbio.describe import discrete, read_out
from fwbio.errors import BadInput

# --- a network of two units, worked by hand ------------------------------------------------------------------------------
#
# LN of two units (a, b) is +-1/sqrt(1 + eps/var) with var = d^2, d = (a - b)/2: d/sqrt(d^2 + eps). With eps = 144 = 12^2
# Pythagoras gives d = 16: 4/5, d = 9: 3/5, d = 5: 5/13.
#
# Token 1. h = 0, A = 0, z = 0 + 1 + (31, -1) = (32, 0), d = 16.
#   h_0 = relu(2.6 (+-4/5) + 2) = (4.08, 0).   A h_0 = 0, so  h = relu(1.25 (+-4/5) + 2) = (3, 1).
#   A = 0.4 [[9, 3], [3, 1]] = [[3.6, 1.2], [1.2, 0.4]].
# Token 2. W h = (3 - 1, 6 + 1) = (2, 7), z = (2, 7) + 1 + (17, 2) = (20, 10), d = 5.
#   h_0 = relu(2.6 (+-5/13) + 2) = (3, 1).   A h_0 = (10.8 + 1.2, 3.6 + 0.4) = (12, 4).
#   z + A h_0 = (32, 14), d = 9.   h = relu(1.25 (+-3/5) + 2) = (2.75, 1.25).
#   A = 0.5 [[3.6, 1.2], [1.2, 0.4]] + 0.4 [[7.5625, 3.4375], [3.4375, 1.5625]] = [[4.825, 1.975], [1.975, 0.825]].
HAND_W = np.array([[1.0, -1.0], [2.0, 1.0]])
HAND_X = np.array([[[31.0, -1.0], [17.0, 2.0]]])
HAND = dict(gain=1.25, bias=2.0, gain0=2.6, bias0=2.0, eps=144.0, lam=0.5, eta=0.4, bias_W=1.0)


@pytest.mark.parametrize("form", ["explicit", "attention"])
def test_hand_worked_states(form):
    h = rnn.run(HAND_W, HAND_X, **HAND, form=form).h
    np.testing.assert_allclose(h, [[[3, 1], [2.75, 1.25]]], atol=1e-14)


def test_hand_worked_fast_weights():
    A = rnn.run(HAND_W, HAND_X, **HAND, keep=1).A
    np.testing.assert_allclose(A[0], [[[3.6, 1.2], [1.2, 0.4]], [[4.825, 1.975], [1.975, 0.825]]], atol=1e-14)


HAND_VARIANTS = {
    # A(0) = 0 is read at token 2: z alone, d = 5
    "late": (dict(reads="late"), [[3, 1], [2 + 1.25 * 5 / 13, 2 - 1.25 * 5 / 13]]),
    # h_0 = relu(z) = (20, 10), A h_0 = (72 + 12, 24 + 4) = (84, 28), z + A h_0 = (104, 38), d = 33
    "norm_first": (dict(norm_first=False), [[3, 1], 2 + 1.25 * 33 / np.sqrt(33**2 + 144) * np.array([1, -1])]),
    # h = h_0 at both tokens: (4.08, 0); then W h = (4.08, 8.16), z = (22.08, 11.16), d = 5.46
    "no inner loop": (dict(inner=0), [[4.08, 0], 2 + 2.6 * 5.46 / np.sqrt(5.46**2 + 144) * np.array([1, -1])]),
    # LN on h_0 takes the inner gain and bias: 1.25 (+-5/13) + 2 = (2.480769, 1.519231); A h_0 = (3, 1)(3 a + b)(0.4), d = 5 + 0.4 (3 a + b)
    "one gain": (
        dict(gain0=None, bias0=None),
        [[3, 1], 2 + 1.25 * np.array([1, -1]) * (8.584615384615385 / np.hypot(8.584615384615385, 12))],
    ),
}


@pytest.mark.parametrize("name", HAND_VARIANTS)
def test_hand_worked_options(name):
    options, wanted = HAND_VARIANTS[name]
    np.testing.assert_allclose(rnn.run(HAND_W, HAND_X, **{**HAND, **options}).h[0], wanted, atol=1e-13)


def test_hand_worked_preliminary_write():
    # the current h_0 = (4.08, 0) is written before it is read: A = 0.4 [[16.6464, 0], [0, 0]], A h_0 = (27.1669248, 0), and it is what is stored
    trace = rnn.run(HAND_W, HAND_X[:, :1], **HAND, reads="preliminary", keep=1)
    d = (32 + 27.1669248) / 2
    np.testing.assert_allclose(trace.h[0, 0], 2 + 1.25 * np.array([d, -d]) / np.sqrt(d * d + 144), atol=1e-13)
    np.testing.assert_allclose(trace.A[0, 0], [[6.65856, 0], [0, 0]], atol=1e-14)


def test_hand_worked_read_out():
    # (2, 1) -> V1: (2 - 1 + 1, -4 - 1) = (2, -5) -> ReLU (2, 0) -> V2: (4 - 1, 6)
    first, second = (np.array([[1.0, -1], [-2, -1]]), np.array([1.0, 0])), (np.array([[2.0, 7], [3, 9]]), np.array([-1.0, 0]))
    np.testing.assert_array_equal(rnn.read_out(np.array([[2.0, 1.0]]), [first, second]), [[3, 6]])
    np.testing.assert_array_equal(rnn.read_out(np.array([[2.0, 1.0]]), [first]), [[2, -5]])  # no ReLU after the last


# --- two forms, one model ------------------------------------------------------------------------------------------------

UNITS, TOKENS, TRIALS = 12, 9, 5


def random_case(seed=0, per_unit=True):
    rng = np.random.default_rng(seed)
    W, x = 0.3 * rng.standard_normal((UNITS, UNITS)), rng.standard_normal((TRIALS, TOKENS, UNITS))
    gains = dict(
        zip(("gain", "bias", "gain0", "bias0"), rng.uniform(0.5, 1.5, (4, UNITS)) if per_unit else (1.1, 0.1, 0.8, 0.2), strict=True)
    )
    return W, x, dict(gains, eps=1e-5, lam=0.9, eta=0.3)


@pytest.mark.parametrize("per_unit", [False, True])
@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("inner", range(4))
@pytest.mark.parametrize("reads", rnn.READS)
def test_attention_form_is_the_explicit_form(reads, inner, norm_first, per_unit):
    # |h| <= 1.5 (sqrt(12) + 1) < 7, so that A q sums 9 * 12 terms below 0.3 * 7^3 = 103, each rounded to 1.1e-16 of itself:
    # 1.2e-12 if all roundings had one sign, 1.2e-13 with random signs
    W, x, options = random_case(per_unit=per_unit)
    options |= dict(reads=reads, inner=inner, norm_first=norm_first)
    explicit, attention = (rnn.run(W, x, **options, form=form).h for form in ("explicit", "attention"))
    np.testing.assert_allclose(attention, explicit, rtol=0, atol=1e-12)
    assert explicit.std() > 0.1


def test_every_convention_is_another_network():
    W, x, options = random_case()
    cases = [dict(reads=reads, norm_first=first, inner=inner) for reads in rnn.READS for first in (True, False) for inner in (1, 2)]
    found = [rnn.run(W, x, **options, **case).h for case in cases]
    for i, one in enumerate(found):
        for other in found[:i]:
            assert np.sqrt(np.mean((one - other) ** 2)) > 1e-3 * one.std()


def test_without_inner_loop_or_rate_nothing_is_read():
    W, x, options = random_case()
    plain = rnn.run(W, x, **options, inner=0).h
    for reads in rnn.READS:
        np.testing.assert_array_equal(rnn.run(W, x, **options, inner=0, reads=reads).h, plain)
        off = rnn.run(W, x, **{**options, "eta": 0.0}, reads=reads, keep=2)
        assert not off.A.any()
    assert np.abs(off.h - rnn.run(W, x, **options).h).max() > 0.01


# --- layer normalisation -------------------------------------------------------------------------------------------------


def test_layer_norm_has_mean_and_spread_of_its_own_sample():
    z = np.random.default_rng(1).standard_normal((4, 6, 30)) * np.arange(1, 5)[:, None, None]
    u = rnn.layer_norm(z, 2.0, 3.0, eps=0.0)
    np.testing.assert_allclose(u.mean(axis=-1), 3.0, atol=1e-13)
    np.testing.assert_allclose(u.std(axis=-1), 2.0, atol=1e-13)


def test_a_trial_does_not_see_the_batch():
    W, x, options = random_case()
    x = x * np.array([0.1, 1, 10, 100, 1000])[:, None, None]  # a mean over the batch would be dominated by the last trial
    together = rnn.run(W, x, **options, keep=TRIALS)
    for k in range(TRIALS):
        alone = rnn.run(W, x[k : k + 1], **options, keep=1)
        np.testing.assert_allclose(alone.h[0], together.h[k], rtol=0, atol=1e-11)  # BLAS may sum one row in another order
        np.testing.assert_allclose(alone.A[0], together.A[k], rtol=0, atol=1e-10)


# --- the fast weights ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reads", ["previous", "late"])
def test_A_is_the_decaying_sum_of_outer_products(reads):
    W, x, options = random_case()
    trace = rnn.run(W, x, **options, reads=reads, keep=TRIALS)
    assert trace.A.shape == (TRIALS, TOKENS, UNITS, UNITS)
    for t in range(TOKENS):
        decay = options["lam"] ** (t - np.arange(t + 1.0))
        wanted = options["eta"] * np.einsum("k,nki,nkj->nij", decay, trace.h[:, : t + 1], trace.h[:, : t + 1])
        np.testing.assert_allclose(trace.A[:, t], wanted, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("seed", range(20))
def test_A_is_bounded(seed):
    # a geometric series: |A| <= eta max(h)^2 (1 + lambda + lambda^2 + ...)
    rng = np.random.default_rng(seed)
    W, x, options = random_case(seed)
    options |= dict(lam=rng.uniform(0, 0.99), eta=10 ** rng.uniform(-2, 2))
    trace = rnn.run(W, x, **options, keep=TRIALS)
    bound = options["eta"] / (1 - options["lam"]) * trace.h.max() ** 2
    assert 0.2 * options["eta"] * trace.h.max() ** 2 < np.abs(trace.A).max() <= bound * (1 + 1e-12)


# --- the network that ships ----------------------------------------------------------------------------------------------


def accuracy(network, seed, trials=20_000, chunk=1000):
    task = tasks.retrieval(4, trials, seed)
    right = 0
    for start in range(0, trials, chunk):
        part = slice(start, start + chunk)
        h = discrete(network, (network.trained["E"] @ network.trained["C"].T)[task.tokens[part]], form="attention", keep=0).h
        right += (read_out(network, h[:, -1]).argmax(axis=1) == task.target[part]).sum()
    return right / trials


FRESH = 20_260_729  # no seed of training, which used 1


def test_shipped_network_solves_20_000_fresh_sequences():
    assert accuracy(fwbio.load("retrieval"), FRESH) >= 0.999


def test_without_fast_weights_it_guesses():
    assert accuracy(fwbio.load("retrieval", fast=False), FRESH) == pytest.approx(0.10, abs=0.02)


def test_numpy_is_torch_in_float64():
    # the same sums in another order: 11 tokens, logits up to some 20, a few hundred ulps of 4e-15 each
    torch = pytest.importorskip("torch")
    from fwbio.ann.cells.fast_weights import Cell
    from fwbio.ann.network import Network

    network, task = fwbio.load("retrieval"), tasks.retrieval(4, 300, FRESH)
    cell = Cell(network.units, (network.lam,), network.projections["fast"].synapse.values["eta"])
    model = Network(cell, network.units, len(task.symbols), task.classes).double()
    model.load_state_dict({key: torch.from_numpy(network.trained[name]) for name, key in zip(model.weights(), model.state_dict())})
    cell.decay = torch.tensor([[network.lam]], dtype=torch.float64).logit()
    with torch.no_grad():
        logits, h = model(torch.from_numpy(task.tokens))
    ours = discrete(network, task.x(network), keep=0).h
    np.testing.assert_allclose(ours, torch.stack(h, 1).numpy(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(read_out(network, ours[:, -1]), logits.numpy(), rtol=0, atol=1e-10)


def torch_rnn(torch, W, x, layers, *, gain, bias, gain0, bias0, eps, lam, eta, inner, reads, norm_first):
    """Every convention again, in torch and with A as a matrix: logits and states."""
    W, x, gain, bias, gain0, bias0 = (
        None if v is None else torch.as_tensor(v, dtype=torch.float64) for v in (W, x, gain, bias, gain0, bias0)
    )
    before = A = torch.zeros(len(x), len(W), len(W)).double()
    h, states = torch.zeros(len(x), len(W)).double(), []

    def norm(z, g, b):
        return z if g is None else g * (z - z.mean(1, keepdim=True)) / torch.sqrt(z.var(1, unbiased=False, keepdim=True) + eps) + b

    for token in x.unbind(1):
        z = torch.nn.functional.linear(h, W) + token
        h = torch.relu(norm(z, gain0, bias0) if norm_first else z)
        if reads == "preliminary":
            A = lam * A + eta * torch.einsum("bi,bj->bij", h, h)
        for _ in range(inner):
            h = torch.relu(norm(z + torch.einsum("bij,bj->bi", before if reads == "late" else A, h), gain, bias))
        if reads != "preliminary":
            before, A = A, lam * A + eta * torch.einsum("bi,bj->bij", h, h)
        states.append(h)
    for k, (V, *c) in enumerate(layers):
        h = torch.nn.functional.linear(torch.relu(h) if k else h, torch.as_tensor(V), *map(torch.as_tensor, c))
    return h.numpy(), torch.stack(states, 1).numpy()


@pytest.mark.parametrize("gains", ["unit", "number", "none"])
@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("inner", [1, 2])
@pytest.mark.parametrize("reads", rnn.READS)
def test_every_convention_is_torch_in_float64(reads, inner, norm_first, gains):
    # without a norm activity grows: the network is kept small, so that logits stay below some 100 and 1e-10 is 1e4 ulps
    torch = pytest.importorskip("torch")
    W, x, options = random_case(per_unit=gains == "unit")
    options |= dict(inner=inner, reads=reads, norm_first=norm_first and gains != "none", eps=1e-12 if gains == "number" else 1e-5)
    if gains == "none":
        W, x = 0.3 * W, 0.3 * x
        options |= dict(gain=None, bias=0.0, gain0=None, bias0=0.0)
    rng = np.random.default_rng(4)
    for layers in (
        [(rng.standard_normal((37, UNITS)),)],
        [
            (rng.standard_normal((7, UNITS)), rng.standard_normal(7)),
            (rng.standard_normal((5, 7)),),
            (rng.standard_normal((3, 5)), np.ones(3)),
        ],
    ):
        logits, states = torch_rnn(torch, W, x, layers, **options)
        ours = rnn.run(W, x, **options).h
        assert states.std() > 0.05 and np.abs(logits).max() < 100
        np.testing.assert_allclose(ours, states, rtol=0, atol=1e-10)
        np.testing.assert_allclose(rnn.read_out(ours[:, -1], layers), logits, rtol=0, atol=1e-10)


# --- what is refused -----------------------------------------------------------------------------------------------------

REFUSED = {
    "W of another size": (dict(W=np.eye(UNITS + 1)), "W has shape"),
    "W not square": (dict(W=np.ones((UNITS, UNITS - 1))), "W has shape"),
    "x without trials": (dict(x=np.ones((TOKENS, UNITS))), "x has shape"),
    "unknown reads": (dict(reads="next"), "previous, late, preliminary"),
    "unknown form": (dict(form="matrix"), "explicit or attention"),
    "negative S": (dict(inner=-1), "inner = -1"),
    "gain of another size": (dict(gain=np.ones(UNITS + 1)), "gain has shape"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name):
    change, message = REFUSED[name]
    W, x, options = random_case()
    with pytest.raises(BadInput, match=message):
        rnn.run(**{"W": W, "x": x, **options, **change})
