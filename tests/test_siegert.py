"""Siegert's formula against plain quadrature, its inverse, its limits, and the correction for a finite time step."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

import fwbio
from fwbio.errors import BadInput
from fwbio.siegert import OVERSHOOT, inverse, siegert

VALUES = fwbio.load("retrieval", neuron="lif").neuron.values
MEMBRANE = {k: VALUES[k] for k in ("tau_m", "sigma", "V_th", "V_r", "t_ref")}
DT = 2e-4


def raw(mu, tau_m, sigma, V_th, V_r, t_ref):
    """Brunel 2000, eq. 21 as it stands; exp(u^2) limits it to |u| < 25."""
    low, high = (V_r - mu) / sigma, (V_th - mu) / sigma
    integral = quad(lambda u: math.exp(u * u) * math.erfc(-u), low, high, epsabs=0, epsrel=1e-12, limit=500)[0]  # 1 + erf(u) = erfc(-u)
    return 1 / (t_ref + tau_m * math.sqrt(math.pi) * integral)


# --- the formula ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [1e-3, 3e-3, 7e-3])
@pytest.mark.parametrize("mu", [0.005, 0.015, 0.02, 0.03])
def test_against_quadrature_of_the_raw_formula(mu, sigma):
    # 80 Gauss nodes on at most 10 units of u with an integrand like exp(u^2), u < 16: analytic, converged far below 1e-9
    values = {**MEMBRANE, "sigma": sigma}
    assert siegert(mu, **values) == pytest.approx(raw(mu, **values), rel=1e-9)


def test_without_noise_it_is_the_period_of_a_leaky_integrator():
    # sigma -> 0: T = t_ref + tau_m ln((mu - V_r)/(mu - V_th)); the next term is (sigma/(mu - V_th))^2/4, here below 1e-4
    mu = 0.03
    period = MEMBRANE["t_ref"] + MEMBRANE["tau_m"] * math.log((mu - 0.01) / (mu - 0.02))
    assert siegert(mu, **{**MEMBRANE, "sigma": 2e-4}) == pytest.approx(1 / period, rel=1e-4)


def test_limits():
    assert siegert(-1.0, **MEMBRANE) == 0.0  # 140 sigma below threshold: exp(u^2) overflows, the rate does not
    assert siegert(100.0, **MEMBRANE) == pytest.approx(1 / MEMBRANE["t_ref"], rel=1e-3)
    rates = siegert(np.linspace(-0.02, 0.1, 500), **MEMBRANE)
    assert rates.shape == (500,) and (np.diff(rates) > 0).all()


# --- the time step -------------------------------------------------------------------------------------------------------


def test_overshoot_is_a_value_of_zeta():
    # zeta(1/2) by Euler-Maclaurin: sum_{k < N} k^-1/2 - 2 sqrt(N) + N^-1/2/2 + N^-3/2/24, off by N^-7/2/384
    N = 1000
    zeta = sum(k**-0.5 for k in range(1, N)) - 2 * math.sqrt(N) + 0.5 * N**-0.5 + N**-1.5 / 24
    assert -zeta / math.sqrt(2 * math.pi) == pytest.approx(OVERSHOOT, abs=1e-12)


@pytest.mark.parametrize("rate", [2, 10, 50, 100])
def test_the_formula_of_eulers_scheme(rate):
    # V' = (1 - a) V + a mu + sigma sqrt(a) N is a first-order autoregression: correlation 1 - a a step, variance sigma^2 a/(1 - (1 - a)^2).
    # The continuous process with both has exp(-dt/tau') = 1 - a and sigma'^2/2 = that variance. Only the threshold is raised
    mu, a = inverse(np.array([float(rate)]), VALUES, 0.0)[0], DT / MEMBRANE["tau_m"]
    tau, sigma = -DT / math.log(1 - a), MEMBRANE["sigma"] * math.sqrt(2 * a / (1 - (1 - a) ** 2))
    V_th = MEMBRANE["V_th"] + 0.5826 * sigma * math.sqrt(DT / tau)
    wanted = raw(mu, tau, sigma, V_th, MEMBRANE["V_r"], MEMBRANE["t_ref"] - DT)
    assert siegert(mu, **MEMBRANE, dt=DT) == pytest.approx(wanted, rel=1e-5)  # four digits of 0.5826
    assert siegert(mu, **MEMBRANE, dt=DT) < 0.97 * siegert(mu, **MEMBRANE)  # and the rate falls


def test_the_loss_grows_as_the_root_of_the_time_step():
    # to first order the threshold's lift, sqrt(dt): four times the step, twice the loss; the terms in dt bend it by less than 15 %
    loss = [1 - siegert(0.012, **MEMBRANE, dt=dt) / siegert(0.012, **MEMBRANE) for dt in (1e-5, 4e-5)]
    assert loss[1] / loss[0] == pytest.approx(2, rel=0.15)


# --- the inverse ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [0.0, DT])
def test_inverse_round_trip(dt):
    # linear interpolation of ln r on steps h = 16/4000 sigma: error h^2/8 |(ln r)''|; far below threshold r ~ y exp(-y^2) with
    # y = (V_th - mu)/sigma, (ln r)'' = -2 - 1/y^2, at 0.2 Hz (y = 2) -2.25 and above it flatter: 4.5e-6
    rates = np.geomspace(VALUES["r_min"], VALUES["r_max"], 60)
    mu = inverse(rates, VALUES, dt)
    assert (np.diff(mu) > 0).all()
    np.testing.assert_allclose(siegert(mu, **MEMBRANE, dt=dt), rates, rtol=5e-6)


def test_inverse_looks_beyond_its_first_grid():
    # 400 Hz of at most 500 wants mu above V_th + 8 sigma for little noise
    values = {**VALUES, "sigma": 1e-3}
    mu = inverse(np.array([400.0]), values, 0.0)
    assert mu > values["V_th"] + 8e-3
    assert siegert(mu, **{**MEMBRANE, "sigma": 1e-3}) == pytest.approx(400, rel=1e-4)


def test_inverse_refuses_what_no_neuron_can_fire():
    with pytest.raises(BadInput, match="600 Hz .* cannot fire above 500 Hz"):
        inverse(np.array([600.0]), VALUES, 0.0)


def test_no_refractory_time_no_negative_one():
    # Brian2 updates a neuron at the next step at the earliest: without a dead time there is none to shorten
    values = {**MEMBRANE, "t_ref": 0.0}
    late = {**MEMBRANE, "t_ref": DT}
    assert siegert(0.02, **values, dt=DT) == siegert(0.02, **late, dt=DT)
    assert inverse(np.array([50.0]), {**VALUES, "t_ref": 0.0}, DT) == inverse(np.array([50.0]), {**VALUES, "t_ref": DT}, DT)
