"""Claim: the pool is LN, its noise in spikes is as predicted; LN over the batch and other wrong pools are found out."""

import numpy as np
import pytest

from fwbio.cards import reader
from fwbio.claims import normalisation
from fwbio.rate import equations


def test_pool_and_rate_form_are_layer_norm():
    assert [f.verdict for f in normalisation.same_drives()] == ["holds", "holds"]


def test_normalising_over_the_batch_is_found_out(monkeypatch):
    monkeypatch.setitem(equations.NUMPY, "mean", lambda u: u.mean(axis=0, keepdims=True))
    pool, rate = normalisation.same_drives()
    assert pool.verdict == "holds" and rate.verdict == "fails" and rate.figure > 0.1


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("pool", ["mean_post = drive_pre/(2*units) : 1 (summed)", "var_post = (drive_pre - mean_post)**2/units : 1 (summed)"]),
        ("pool", ["mean_post = drive_pre/units : 1 (summed)", "var_post = (drive_pre - mean_post)**2/(units - 1) : 1 (summed)"]),
        ("read", "u = gain*(drive - mean)/(sqrt(var) + eps) + bias"),
        ("read", "u = gain*drive/sqrt(var + eps) + bias"),  # divisive alone
    ],
)
def test_another_pool_is_found_out(key, wrong, monkeypatch):
    right = reader.read

    def mutated(name):
        tables = right(name)
        if name == "layer_norm":
            tables["spiking"][key] = wrong
        return tables

    monkeypatch.setattr(reader, "read", mutated)
    assert normalisation.same_drives()[0].verdict == "fails"


def of_curve(monkeypatch, seen, predicted, se):
    """Verdicts of the claim when ``compare`` says these figures, one for each n."""
    from types import SimpleNamespace

    import fwbio

    def compared(run, _):
        k = (10, 40, 160).index(run)
        return SimpleNamespace(
            figures={"spiking": {"hidden_rmse": seen[k], "hidden_rmse_se": se * seen[k], "hidden_rmse_predicted": predicted[k]}}
        )

    monkeypatch.setattr(fwbio, "load", lambda _, neurons: neurons, raising=False)
    monkeypatch.setattr(fwbio, "run", lambda network, *_, **__: network, raising=False)
    monkeypatch.setattr(fwbio, "compare", compared, raising=False)
    return [f.verdict for f in normalisation.spikes((10, 40, 160), 1)]


def test_verdicts_of_noise(monkeypatch):
    clt = np.array([0.2, 0.1, 0.05])
    assert of_curve(monkeypatch, clt, clt, 0.02) == ["holds", "holds"]
    assert of_curve(monkeypatch, 1.3 * clt, clt, 0.02) == ["holds", "fails"]
    assert of_curve(monkeypatch, np.hypot(clt, 0.1), clt, 0.02)[0] == "fails"  # a bias that stays
    assert of_curve(monkeypatch, clt, clt, 0.3) == ["inconclusive", "inconclusive"]


@pytest.mark.slow
def test_noise_of_the_trained_network_and_the_figure():
    found = normalisation.measure()
    assert all(f.verdict == "holds" for f in found), found
    assert "neurons a unit (1)" in {axis.get_xlabel() for axis in normalisation.draw(found).axes}
