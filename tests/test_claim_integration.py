"""Claim: integrators have their order, solve_ivp its tolerance, spikes converge in dt; and wrong ones are found out."""

from dataclasses import replace

import numpy as np
import pytest

from fwbio.claims import integration
from fwbio.rate import steps


@pytest.mark.parametrize("name", steps.TABLEAUX)
def test_a_tableau_is_consistent(name):
    t = steps.TABLEAUX[name]
    assert sum(t.b) == pytest.approx(1, abs=1e-15) and [sum(row) for row in t.a] == list(t.c)


@pytest.mark.parametrize("name", steps.TABLEAUX)
def test_one_step_is_the_taylor_polynomial(name):
    # y' = -y: a step of an explicit method of order p with p stages multiplies by the first p + 1 terms of exp(-dt)
    t, dt = steps.TABLEAUX[name], 0.3
    (start, after) = steps.integrate(lambda _, y: -y, np.array([2.0]), 0.0, dt, 1, t)
    wanted = 2 * sum((-dt) ** k / np.prod(np.arange(1, k + 1)) for k in range(t.order + 1))
    assert start == 2 and after == pytest.approx(wanted, rel=1e-14)


def test_orders_and_tolerance_hold():
    found = [*integration.orders(), integration.tolerance()]
    assert [f.verdict for f in found] == ["holds"] * 4, found


@pytest.mark.parametrize("name", steps.TABLEAUX)
def test_a_wrong_tableau_is_found_out(name, monkeypatch):
    t = steps.TABLEAUX[name]
    wrong = replace(t, b=(*t.b[:-1], 0.9 * t.b[-1]))
    monkeypatch.setitem(steps.TABLEAUX, name, wrong)
    verdicts = dict(zip(steps.TABLEAUX, (f.verdict for f in integration.orders())))
    assert [k for k, verdict in verdicts.items() if verdict == "fails"] == [name]


def test_a_loose_solver_is_found_out(monkeypatch):
    from fwbio.rate import free

    right = free.run
    monkeypatch.setattr(free, "run", lambda *a, rtol=1e-10, atol=1e-12: right(*a, rtol=min(1e-2, 100 * rtol), atol=100 * atol))
    assert integration.tolerance().verdict == "fails"


def runs_at_rates(monkeypatch, means, scatter):
    """The claim with spiking runs whose mean h is given, one for each step size."""
    from types import SimpleNamespace

    from fwbio.spiking import batches

    left, rng = list(means), np.random.default_rng(90)

    def fake(network, x, **_):
        return SimpleNamespace(h=np.full((len(x), 2, 8), left.pop(0)) * (1 + scatter * rng.standard_normal((len(x), 1, 1))))

    monkeypatch.setattr(batches, "run", fake)
    return [f.verdict for f in integration.refinement(trials=25, seconds=0.5)]


def test_dt_refinement_tells_three_cases_apart(monkeypatch):
    assert runs_at_rates(monkeypatch, [0.3, 0.301, 0.3015], 1e-4) == ["holds", "holds"]
    assert runs_at_rates(monkeypatch, [0.3, 0.306, 0.309], 1e-4) == ["fails", "holds"]  # by 2 %, then 1 %
    assert runs_at_rates(monkeypatch, [0.3, 0.301, 0.3], 1e-4) == ["holds", "fails"]  # turns back
    assert runs_at_rates(monkeypatch, [0.3, 0.301, 0.3015], 0.05)[0] == "inconclusive"  # too few spikes


@pytest.mark.slow
def test_spikes_converge_and_the_figure_is_drawn():
    found = [*integration.orders(), integration.tolerance(), *integration.refinement(trials=12, seconds=0.3)]
    assert all(f.verdict == "holds" for f in found), found
    assert {"time step (ms)", "tolerance (1)"} <= {axis.get_xlabel() for axis in integration.draw(found).axes}
