"""lambda <-> tau: the claim holds, and a card that decays or writes wrongly is found out."""

import numpy as np
import pytest

from fwbio.cards import reader
from fwbio.claims import timescales


@pytest.fixture(scope="module")
def findings():
    return timescales.measure()


def test_it_holds(findings):
    assert [f.verdict for f in findings] == ["holds"] * 4
    assert all(np.abs(findings[0].data[f"rule_{lam}"]).max() > 0.01 for lam in timescales.LAMBDA)  # something was written
    assert len(findings[2].data["short"]) == 36  # S reads and a write, S = 0, 1, 2, three taus, two neurons


def test_the_figure_has_units_and_says_what_would_be_a_failure(findings):
    figure = timescales.draw(findings)
    assert all("(" in axis.get_xlabel() and "(" in axis.get_ylabel() for axis in figure.axes)
    assert "failure" in figure._supxlabel.get_text()


@pytest.mark.parametrize(
    "ode",
    ["dA/dt = -A/(2*tau) + write_gain*eta*h_post*h_pre : 1", "dA/dt = -A/tau + 1.001*write_gain*eta*h_post*h_pre : 1"],
    ids=["tau doubled", "eta too large"],
)
def test_a_wrong_card_fails(ode, monkeypatch):
    right = reader.read

    def mutated(name):
        tables = right(name)
        if name == "hebbian":
            tables["rate"]["ode"] = [ode]
        return tables

    monkeypatch.setattr(reader, "read", mutated)
    assert [f.verdict for f in timescales.measure()[:2]] == ["fails", "fails"]


@pytest.mark.parametrize("lam, token, tau", [(0.9, 0.1, 0.95), (0.95, 0.1, 1.95), (0.99, 0.1, 9.95), (0.95, 1.0, 19.5)])
def test_table_of_lambda_and_tau(lam, token, tau):
    assert -token / np.log(lam) == pytest.approx(tau, rel=0.002)


def test_the_discrete_eta_is_1_minus_lambda_of_the_odes():
    # one token of constant h, from A = 0: the ODE goes to eta_ode h h^T, and has come 1 - lambda of the way
    _, ode, _ = timescales.sampled(0.5, 3, 1)
    x = np.random.default_rng(0).standard_normal((1, 3, 6))
    h = np.maximum(x, 0)[0]
    weights = sum(0.5 ** (2 - t) * 0.25 * np.outer(h[t], h[t]) for t in range(3))
    assert ode[-1] == pytest.approx(weights.max(), rel=1e-10)
