"""Networks that others trained: taken over by a map, refused where it does not fit, their outputs beside ours."""

import io
import json
import tomllib
import zipfile

import numpy as np
import pytest

import fwbio
from fwbio import rnn
from fwbio.cards import reader
from fwbio.errors import BadInput
from fwbio.outside import card, files, inputs, mapping, outputs
from fwbio.outside.propose import propose
from fwbio.tasks import SYMBOLS

R, K, DIGITS_FIRST = 6, 5, "0123456789abcdefghijklmnopqrstuvwxyz?"
MAP = """
[arrays]
E = "emb"
C = {name = "net.kernel", transpose = true}
W = {name = "net.both", columns = [5, 11]}
b_C = "net.bias"
g0 = "ln0"
g = "ln1"
b = 0.25
[readout]
layers = [["out1", "out1_bias"], [{name = "out2", transpose = true}]]
answers = "symbol"
[rnn]
reads = "late"
norm = "both"
eps = 1e-12
lam = 0.9
eta = 0.5
inner = 2
[tokens]
symbols = "0123456789abcdefghijklmnopqrstuvwxyz?"
[spikes]
neurons = 5
"""


def weights() -> dict:
    rng = np.random.default_rng(3)
    shapes = {"emb": (37, K), "net.kernel": (K, R), "net.both": (R, K + R), "net.bias": (R,), "ln0": (R,), "ln1": ()}
    shapes |= {"out1": (8, R), "out1_bias": (8,), "out2": (8, 37)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def by_hand(w, tokens):
    """Logits and states of the same network, one sequence after the other."""
    logits, states = [], []
    for sequence in tokens:
        h, A, before, own = np.zeros(R), np.zeros((R, R)), np.zeros((R, R)), []
        for token in sequence:
            z = w["net.both"][:, K:] @ h + w["net.kernel"].T @ w["emb"][token] + w["net.bias"]
            h = np.maximum(w["ln0"] * (z - z.mean()) / np.sqrt(z.var() + 1e-12), 0)
            for _ in range(2):
                v = z + before @ h
                h = np.maximum(w["ln1"] * (v - v.mean()) / np.sqrt(v.var() + 1e-12) + 0.25, 0)
            before, A = A, 0.9 * A + 0.5 * np.outer(h, h)
            own.append(h)
        states.append(own)
        logits.append(w["out2"].T @ np.maximum(w["out1"] @ h + w["out1_bias"], 0))
    return np.array(logits), np.array(states)


@pytest.fixture
def there(tmp_path):
    """A folder with the map, the weights, 20 sequences in the network's own order, and what it made of them."""
    (tmp_path / "map.toml").write_text(MAP)
    np.savez(tmp_path / "weights.npz", **weights())
    task = fwbio.tasks.retrieval(4, 20, 5)
    tokens = np.array([DIGITS_FIRST.index(symbol) for symbol in SYMBOLS])[task.tokens]
    logits, states = by_hand(weights(), tokens)
    np.savez(tmp_path / "own.npz", tokens=tokens, target=task.target, logits=logits, h=states)
    return tmp_path


def imported(folder, name="weights.npz"):
    made = card.make(folder / name, folder / "map.toml", folder / "mine.toml")
    return fwbio.load(made[0])


def test_an_imported_network_is_the_one_it_was(there):
    network, own = imported(there), np.load(there / "own.npz")
    for task in (inputs.read(there / "own.npz", network), fwbio.tasks.of(network, 20, 5)):  # its own order, and fwbio's
        run = fwbio.run(network, task, "rnn")
        np.testing.assert_allclose(run.h, own["h"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(run.logits, own["logits"], rtol=0, atol=1e-11)
        np.testing.assert_array_equal(task.target, own["target"])
    assert own["h"].std() > 0.1 and network.neurons == 5 and network.lam == pytest.approx(0.9, abs=1e-15)


def test_rate_equations_read_as_late_as_it_did(there):
    network = imported(there)
    task = inputs.read(there / "own.npz", network, 3)
    exact, rate = (fwbio.run(network, task, level) for level in ("rnn", "rate"))
    np.testing.assert_allclose(rate.h, exact.h, rtol=0, atol=1e-8)
    np.testing.assert_allclose(rate.A, exact.A, rtol=0, atol=1e-8)


@pytest.mark.slow
def test_spikes_of_an_imported_network_are_as_far_off_as_predicted(there):
    (there / "map.toml").write_text(MAP.replace("neurons = 5", "neurons = 200").replace("inner = 2", "inner = 1"))
    network = imported(there)
    task = inputs.read(there / "own.npz", network)
    comparison = fwbio.compare(fwbio.run(network, task, "rnn"), fwbio.run(network, task, "spiking", seed=1))
    # 20 independent trials: the measured root mean square is within 4 of its standard errors of the predicted one
    found = comparison.figures["spiking"]
    assert abs(found["hidden_rmse"] - found["hidden_rmse_predicted"]) < 4 * found["hidden_rmse_se"]
    assert found["A_error"] < 1.5 * found["A_error_predicted"]


def test_every_kind_of_file_gives_the_same_network(there):
    torch, safetensors = pytest.importorskip("torch"), pytest.importorskip("safetensors.numpy")
    w = weights()
    safetensors.save_file({name: np.ascontiguousarray(a) for name, a in w.items()}, there / "w.safetensors")
    torch.save({"state": {name: torch.from_numpy(a) for name, a in w.items()}, "epoch": 3}, there / "w.pt")
    for name, prefix in (("w.safetensors", ""), ("w.pt", "state.")):
        found = files.read(there / name)
        for key in w:
            np.testing.assert_array_equal(found[prefix + key], w[key])


@pytest.mark.parametrize("reads", rnn.READS)
@pytest.mark.parametrize("norm", ["both", "inner", "none"])
def test_every_convention_reaches_the_card(there, reads, norm):
    text = MAP.replace('"late"', f'"{reads}"').replace('"both"', f'"{norm}"')
    for key in {"both": (), "inner": ("g0",), "none": ("g0", "g", "b")}[norm]:
        text = "\n".join(line for line in text.splitlines() if not line.startswith(f"{key} ="))
    (there / "map.toml").write_text(text)
    scale = 0.1 if norm == "none" else 1.0  # without a norm nothing keeps activity from running away
    np.savez(there / "weights.npz", **{name: scale * array for name, array in weights().items()})
    network = imported(there)
    assert network.card["rnn"]["reads"] == reads and (network.norm is None, network.norm_first is None) == (norm == "none", norm != "both")
    task = fwbio.tasks.of(network, 3, 1)
    run = fwbio.run(network, task, "rnn")
    assert np.isfinite(run.logits).all() and run.logits.shape == (3, 37)
    if reads == "preliminary":
        with pytest.raises(BadInput, match="discrete form only"):
            fwbio.run(network, task, "rate")
    else:
        np.testing.assert_allclose(fwbio.run(network, task, "rate").h, run.h, rtol=0, atol=1e-7)


def test_several_levels_and_vectors_in(tmp_path):
    rng = np.random.default_rng(1)
    np.savez(tmp_path / "w.npz", W=0.3 * rng.standard_normal((R, R)), C=rng.standard_normal((R, 3)), V=rng.standard_normal((4, R)))
    (tmp_path / "map.toml").write_text(
        '[arrays]\nW = "W"\nC = "C"\ng = 1.0\n[readout]\nlayers = [["V"]]\n'
        '[rnn]\nreads = "previous"\nnorm = "inner"\neps = 1e-5\nlam = [0.9, 0.5]\neta = [0.3, 0.2]\ninner = 1\n'
    )
    network = imported(tmp_path, "w.npz")
    x = rng.standard_normal((7, 6, 3))
    np.savez(tmp_path / "x.npz", x=x)
    task = inputs.read(tmp_path / "x.npz", network)
    run, w = fwbio.run(network, task, "rnn"), np.load(tmp_path / "w.npz")
    wanted = rnn.run(
        w["W"], x @ w["C"].T, gain=1.0, eps=1e-5, norm_first=False, levels={"a": rnn.Decay(0.9, 0.3), "b": rnn.Decay(0.5, 0.2)}
    )
    np.testing.assert_allclose(run.h, wanted.h, rtol=0, atol=1e-12)
    assert run.logits.shape == (7, 4)
    with pytest.raises(BadInput, match="no task of its own"):
        fwbio.tasks.of(network, 3)


# --- refused -------------------------------------------------------------------------------------------------------------

WRONG_MAPS = {
    "W from the other side": ("columns = [5, 11]", "columns = [0, 11]", r"arrays.W has shape \(6, 11\), \(6, 6\) is wanted"),
    "columns beyond the end": ("[5, 11]", "[5, 12]", "write .from, to. within 0 to 11"),
    "C not turned": ('{name = "net.kernel", transpose = true}', '"net.kernel"', r"arrays.C has shape \(5, 6\), \(6, k\).*add transpose"),
    "E of another width": ('"emb"', '"out1"', r"arrays.E has shape \(8, 6\), \(k, 5\) is wanted, as C is \(6, 5\)"),
    "bias of another length": ('"net.bias"', '"out1_bias"', r"arrays.b_C has shape \(8,\), \(6\) is wanted"),
    "read-out turned": ('["out1", ', '[{name = "out1", transpose = true}, ', r"layers\[0\] has shape \(6, 8\), \(k, 6\)"),
    "read-out bias": ('"out1_bias"', '"net.bias"', r"layers\[0\] has shape \(6,\), \(8\) is wanted"),
    "no such array": ('"ln0"', '"ln00"', "did you mean 'ln0'"),
    "no such convention": ('"late"', '"later"', "did you mean 'late'"),
    "a norm too many": ('norm = "both"', 'norm = "inner"', "arrays.g0: rnn.norm"),
    "a norm too few": ('g0 = "ln0"\n', "", "arrays.g0 is missing"),
    "no epsilon": ("eps = 1e-12\n", "", "rnn.eps is missing"),
    "lambda of 1": ("lam = 0.9", "lam = 1.0", "above 0 and below 1"),
    "levels that do not fit": ("lam = 0.9", "lam = [0.9, 0.8]", "2 levels and rnn.eta 1"),
    "too few symbols": ('xyz?"', 'xyz"', r"symbols: 36 of them, but E has shape \(37, 5\)"),
    "unanswered": ('reads = "late"', 'reads = "?"', "rnn.reads: still '\\?'"),
    "unknown key": ("inner = 2", "innner = 2", "did you mean 'inner'"),
}


@pytest.mark.parametrize("name", WRONG_MAPS)
def test_a_map_that_does_not_fit_is_refused(there, name):
    old, new, message = WRONG_MAPS[name]
    assert old in MAP
    (there / "map.toml").write_text(MAP.replace(old, new))
    before = set(there.iterdir())
    with pytest.raises(BadInput, match=message):
        card.make(there / "weights.npz", there / "map.toml", there / "mine.toml")
    assert set(there.iterdir()) == before


def zipped(folder, name, size):
    """An archive whose one member unpacks to ``size`` zeros."""
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("emb.npy", "w") as member:
        for _ in range(size // 10**7):
            member.write(bytes(10**7))


def test_bad_weights_are_refused_with_field_or_file_named(there):
    w = weights()
    for value, message in (
        (np.where(np.eye(37, K) > 0, np.nan, w["emb"]), r"arrays.E: 'emb'\[0, 0\] = nan"),
        (w["emb"].astype(np.float16), "arrays.E: 'emb' is float16"),
        (np.arange(37 * K).reshape(37, K), "arrays.E: 'emb' is int64"),
        (w["emb"][0], r"arrays.E: 'emb' has shape \(5,\), a matrix is wanted"),
    ):
        np.savez(there / "bad.npz", **{**w, "emb": value})
        with pytest.raises(BadInput, match=message):
            card.make(there / "bad.npz", there / "map.toml", there / "mine.toml")
    np.savez(there / "bad.npz", emb=np.array([{}], dtype=object))
    with pytest.raises(BadInput, match="never loaded"):
        files.read(there / "bad.npz")
    (there / "bad.npz").write_bytes((there / "weights.npz").read_bytes()[:300])
    with pytest.raises(BadInput, match="not a complete .npz"):
        files.read(there / "bad.npz")
    zipped(there, "bomb.npz", 210_000_000)
    with pytest.raises(BadInput, match="bytes unpacked; at most"):
        files.read(there / "bomb.npz")
    with pytest.raises(BadInput, match="weights are read from .npz"):
        (there / "w.pkl").write_bytes(b"")
        files.read(there / "w.pkl")


def test_bad_torch_and_safetensors_files_are_refused(there):
    torch, safetensors = pytest.importorskip("torch"), pytest.importorskip("safetensors.numpy")
    import pickle

    class Code:
        def __reduce__(self):
            return (open, (str(there / "executed"), "w"))

    (there / "code.pt").write_bytes(pickle.dumps(Code()))
    torch.save({"w": Code()}, there / "zip.pt")
    whole = io.BytesIO()
    torch.save({"w": torch.zeros(50)}, whole)
    (there / "cut.pt").write_bytes(whole.getvalue()[:400])
    zipped(there, "bomb.pt", 210_000_000)
    for name, message in (
        ("code", "holds more than tensors"),
        ("zip", "holds more than tensors"),
        ("cut", "damaged"),
        ("bomb", "unpacked"),
    ):
        with pytest.raises(BadInput, match=message):
            files.read(there / f"{name}.pt")
    assert not (there / "executed").exists()
    torch.save({"emb": torch.zeros(3, dtype=torch.bfloat16)}, there / "half.pt")
    with pytest.raises(BadInput, match="float16"):
        files.array(files.read(there / "half.pt"), "emb", "map: arrays.E")
    safetensors.save_file({"w": np.zeros(100)}, there / "w.safetensors")
    (there / "w.safetensors").write_bytes((there / "w.safetensors").read_bytes()[:100])
    with pytest.raises(BadInput, match="not a complete .safetensors"):
        files.read(there / "w.safetensors")


def test_the_command_line_ends_with_2(there, monkeypatch):
    from click.testing import CliRunner

    from fwbio.cli import main

    monkeypatch.chdir(there)
    np.savez("bad.npz", **{**weights(), "emb": weights()["emb"].astype(np.float16)})
    end = CliRunner().invoke(main, ["import", "bad.npz", "--map", "map.toml", "--card", "mine.toml"])
    assert end.exit_code == 2 and "arrays.E: 'emb' is float16" in end.output
    end = CliRunner().invoke(main, ["import", "weights.npz", "--map", "map.toml", "--card", "mine.toml"])
    assert end.exit_code == 0 and (there / "mine.toml").exists(), end.output
    end = CliRunner().invoke(main, ["import", "weights.npz", "--map", "map.toml", "--card", "mine.toml"])
    assert end.exit_code == 2 and "exists" in end.output


# --- proposed ------------------------------------------------------------------------------------------------------------


def test_a_proposal_says_what_it_could_not_tell_and_is_not_taken_until_it_is_told(tmp_path):
    arrays = files.read(reader.folder() / "retrieval.npz")
    told = tomllib.loads(propose(arrays))
    assert {k: told["arrays"][k] for k in ("E", "C", "W", "g0", "b0", "g", "b")} == {k: k for k in ("E", "C", "W", "g0", "b0", "g", "b")}
    assert told["readout"]["layers"] == [["V1", "c1"], ["V2", "c2"]]
    assert [k for k, v in told["rnn"].items() if v == "?"] == ["reads", "eps", "lam", "eta", "inner"]
    (tmp_path / "map.toml").write_text(propose(arrays))
    with pytest.raises(BadInput, match="readout.answers, rnn.reads, rnn.eps, rnn.lam, rnn.eta, rnn.inner, tokens.symbols"):
        mapping.read(tmp_path / "map.toml")
    text = propose(arrays).replace('answers = "?"', 'answers = "digit"').replace('reads = "?"', 'reads = "previous"')
    for key, value in {"eps  ": "1e-5", "lam  ": "0.9", "eta  ": "0.5", "inner": "1", "symbols": f'"{SYMBOLS}"'}.items():
        text = text.replace(f'{key} = "?"', f"{key} = {value}")
    (tmp_path / "map.toml").write_text(text)
    network = imported(tmp_path, reader.folder() / "retrieval.npz")
    task, shipped = fwbio.tasks.of(network, 20), fwbio.load("retrieval")
    np.testing.assert_allclose(fwbio.run(network, task, "rnn").logits, fwbio.run(shipped, task, "rnn").logits, rtol=0, atol=1e-10)


def test_names_of_pytorch_modules_are_recognised():
    shapes = {"embed.weight": (37, 32), "cell.i2h.weight": (50, 32), "cell.i2h.bias": (50,), "cell.h2h.weight": (50, 50)}
    shapes |= {"ln.weight": (50,), "ln.bias": (50,), "fc1.weight": (99, 50), "fc1.bias": (99,), "fc2.weight": (10, 99), "fc2.bias": (10,)}
    told = tomllib.loads(propose({name: np.zeros(shape) for name, shape in shapes.items()}))
    assert told["arrays"] == {
        **{"W": "cell.h2h.weight", "C": "cell.i2h.weight", "E": "embed.weight"},
        **{"g": "ln.weight", "b": "ln.bias", "b_W": "cell.i2h.bias"},
    }
    assert told["readout"]["layers"] == [["fc1.weight", "fc1.bias"], ["fc2.weight", "fc2.bias"]]
    assert tomllib.loads(propose({"a": np.zeros((3, 4))}))["arrays"]["W"] == "?"


# --- outputs -------------------------------------------------------------------------------------------------------------


def test_outputs_beside_ours_count_what_they_should(there):
    network = imported(there)
    task = inputs.read(there / "own.npz", network)
    run, own = fwbio.run(network, task, "rnn"), np.load(there / "own.npz")
    logits, h = own["logits"].copy(), own["h"].copy()
    first = int(logits[0].argmax())
    logits[0, (first + 1) % 37] = logits[0].max() + 1  # one decision turned over
    h[:, 7] += 3 * h.std()  # apart from token 7 on
    np.savez(there / "other.npz", logits=logits, h=h)
    found = outputs.beside({"rnn": run}, outputs.read(there / "other.npz", network, task), task)
    assert found["rnn"]["agreement"] == 0.95 and found["rnn"]["confusion"] == [{"ann": (first + 1) % 37, "here": first, "trials": 1}]
    assert found["rnn"]["parts_at"] == 7 and max(found["rnn"]["hidden_by_token"][:7]) < 1e-12
    assert found["rnn"]["divergence"] > 1e-3
    p = np.exp(own["logits"] - own["logits"].max(1, keepdims=True))
    wanted = -np.log((p / p.sum(1, keepdims=True))[np.arange(20), own["target"]]).mean()
    assert found["rnn"]["cross_entropy"] == pytest.approx(wanted, rel=1e-10)
    same = outputs.beside({"rnn": run}, outputs.read(there / "own.npz", network, task), task)["rnn"]
    assert same["agreement"] == 1.0 and same["parts_at"] is None and abs(same["divergence"]) < 1e-12 and same["confusion"] == []
    assert outputs.table(found)[1].startswith("beside your ANN (float64)")


def test_outputs_are_resampled_only_if_asked(there):
    network = imported(there)
    task, own = inputs.read(there / "own.npz", network, 8), np.load(there / "own.npz")
    fine = np.repeat(own["h"], 3, axis=1)
    fine[:, ::3] = 0  # the last of each three is the token's state
    np.savez(there / "fine.npz", h=fine.astype(np.float32))
    with pytest.raises(BadInput, match=r"h has shape \(20, 33, 6\), \(20, 11, 6\) is wanted; several steps a token: add --resample"):
        outputs.read(there / "fine.npz", network, task)
    read = outputs.read(there / "fine.npz", network, task, resample=True)
    np.testing.assert_array_equal(read.h, own["h"][:8].astype(np.float32))
    assert read.dtype == "float32"


def test_inputs_and_outputs_that_do_not_fit_are_refused(there):
    network = imported(there)
    task, own = inputs.read(there / "own.npz", network), dict(np.load(there / "own.npz"))
    for change, message in (
        ({"tokens": own["tokens"] + 30}, "knows 37 symbols, 0 to 36"),
        ({"tokens": own["tokens"] * 1.0}, "whole numbers"),
        ({"tokens": own["tokens"][0]}, "of shape .11,."),
        ({"tokens": own["tokens"][:0], "target": own["target"][:0]}, "at least one trial"),
        ({"target": own["target"][:5]}, r"target int64 \(5,\): \(20,\)"),
        ({"target": own["target"] + 30}, "from 0 to 36"),
    ):
        np.savez(there / "bad.npz", **{**own, **change})
        with pytest.raises(BadInput, match=message):
            inputs.read(there / "bad.npz", network)
    np.savez(there / "bad.npz", x=np.zeros((2, 3, 4)))
    with pytest.raises(BadInput, match="'tokens' is missing"):
        inputs.read(there / "bad.npz", network)
    for change, message in (
        ({"logits": own["logits"][:, :10]}, r"logits has shape \(20, 10\), \(20, 37\) or \(20, 11, 37\)"),
        ({"h": own["h"][:15]}, r"h has shape \(15, 11, 6\), \(20, 11, 6\)"),
        ({"h": own["h"] * np.nan}, "is not finite"),
        ({"h": own["h"].astype(np.float16)}, "h is float16"),
    ):
        np.savez(there / "bad.npz", **change)
        with pytest.raises(BadInput, match=message):
            outputs.read(there / "bad.npz", network, task)
    with pytest.raises(BadInput, match="takes no tokens"):
        inputs.read(there / "own.npz", fwbio.load("random_recurrent"))


@pytest.mark.slow
def test_compare_with_inputs_and_ann_on_the_command_line(there, monkeypatch):
    from click.testing import CliRunner

    from fwbio.cli import main

    monkeypatch.chdir(there)
    imported(there)
    np.savez("tokens.npz", tokens=np.load("own.npz")["tokens"])
    words = "compare mine.toml --inputs tokens.npz --ann own.npz --trials 6 --no-budget --json --out here".split()
    end = CliRunner().invoke(main, words)
    assert end.exit_code == 0, end.output
    record = json.loads(end.stdout)
    assert record["beside_ann"]["rnn"]["agreement"] == 1.0 and "accuracy" not in record["rnn"] and record["trials"] == 6
    assert (there / "here" / "raster.png").exists()
