"""Siegert, the membrane's density and the predicted error: the claim holds, and wrong rates or Poisson counts fail it."""

import numpy as np
import pytest

import fwbio
from fwbio.claims import lif
from fwbio.siegert import inverse, siegert

LIF = fwbio.load("retrieval", neuron="lif", set={"r0": "20 Hz"})
VALUES, DT, SECONDS, NEURONS = LIF.neuron.values, LIF.dt, 8.0, 4000
UNITS = sum(lif.RATES.values()) + len(lif.SWITCHES)


def drawn(scale=1.0):
    """Poisson counts (whole phase and first 10 ms) of neurons that fire at their rates times ``scale``."""
    rng, phases = np.random.default_rng(3), round(SECONDS / lif.PHASE)
    rates = np.repeat(list(lif.RATES), list(lif.RATES.values()))
    now = np.concatenate([rates, [b for _, b in lif.SWITCHES]])[None, None, :, None] * scale
    shape = (1, phases, UNITS, NEURONS)
    return np.concatenate([rng.poisson(now * length, shape) for length in (lif.PHASE, lif.EARLY)])


@pytest.fixture(scope="module")
def poisson():
    return drawn()


def mu():
    return inverse(np.array(list(lif.RATES)), VALUES, DT)


def test_right_rates_hold(poisson):
    assert [f.verdict for f in lif.rates(poisson, mu(), VALUES, DT, SECONDS, "drawn")] == ["holds", "holds"]


def test_rates_three_percent_off_fail():
    assert lif.rates(drawn(1.035), mu(), VALUES, DT, SECONDS, "drawn")[0].verdict == "fails"


def test_the_formula_without_the_time_step_fails(poisson, monkeypatch):
    monkeypatch.setattr(lif, "siegert", lambda mu, dt=0.0, **membrane: siegert(mu, **membrane))
    assert lif.rates(poisson, mu(), VALUES, DT, SECONDS, "drawn")[0].verdict == "fails"


def test_few_spikes_are_inconclusive(poisson):
    few = poisson[:, :8, :, :400]
    finding = lif.rates(few, mu(), VALUES, DT, 0.4, "drawn")[0]
    assert finding.doubt > 0.02 and finding.verdict == "inconclusive"


def test_poisson_counts_fail(poisson):
    # the right rates, but no transient and no regularity
    mean, variance, transient, regular = (f.verdict for f in lif.counts(poisson, VALUES, DT, SECONDS))
    assert (mean, variance, transient, regular) == ("fails", "fails", "fails", "fails")


@pytest.mark.slow
def test_it_holds_in_brian2():
    findings = lif.measure()
    assert {f.claim: f.verdict for f in findings} == {f.claim: "holds" for f in findings}
    assert len(findings) == 7
    assert findings[0].data["doubt"].max() < 0.01  # standard errors well below 1 %
    figure = lif.draw(findings)
    assert all("(" in axis.get_xlabel() and "(" in axis.get_ylabel() for axis in figure.axes)
    assert "failure" in figure._supxlabel.get_text()
