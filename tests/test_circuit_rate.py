"""The mean field of a circuit against an independent calculation: quadrature of Siegert's formula, closed forms of u and x, a root finder."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import root

import fwbio
from fwbio import circuit, circuit_comparison
from fwbio.errors import BadInput
from fwbio.rate import circuit as mean_field
from fwbio.siegert import siegert

DT = 1e-4


def rate_of(mu, sigma, tau, V_th, V_r, t_ref):
    """Brunel 2000, eq. 21, with the corrections of ``fwbio.siegert`` for Euler's scheme written out again; volts and seconds."""
    a = DT / tau
    tau, sigma = -DT / math.log(1 - a), sigma / math.sqrt(1 - a / 2)
    low, high = (V_r - mu) / sigma, (V_th + 0.5825971579 * sigma * math.sqrt(DT / tau) - mu) / sigma
    return 1 / (t_ref - DT + tau * math.sqrt(math.pi) * quad(lambda u: math.exp(u * u) * math.erfc(-u), low, high)[0])


def skewed(mu, variance, third, V_th):
    """The density at threshold over the Gaussian's, mV: Edgeworth's first term, skewness/6 times the third Hermite polynomial."""
    s = math.sqrt(variance / 2)
    return 1 + third / 3 / s**3 / 6 * np.polynomial.hermite_e.hermeval((V_th - mu) / s, [0, 0, 0, 1])


def mongillo(rates, mu_E, mu_I, finite=False):
    """What the spontaneous rates of the mongillo card say they should be: all from science, nothing from the card."""
    E, I = rates  # noqa: E741
    lone = 0.8 if finite else 1.0  # a neuron sees a fifth of each population: without that fifth of a common fluctuation
    u = 0.2 * (1 + 1.5 * E) / (1 + 0.2 * 1.5 * E)
    x = 1 / (1 + u * 0.2 * E)
    inside, onto_rest = 799 / 7999, 0.1  # a selective neuron has 799 others in its group
    J = np.array([0.45 * inside + 0.10 * (1 - inside), 0.45 * onto_rest + 0.10 * (1 - onto_rest)]).mean()  # 5 groups of .1, the rest .5
    J2, J3 = (np.mean([0.45**k * share + 0.10**k * (1 - share) for share in (inside, onto_rest)]) for k in (2, 3))
    of_E = (
        mu_E + 15e-3 * (1600 * J * u * x * E - 400 * 0.25 * I),
        2 + lone * 15e-3 * (1600 * J2 * (u * x) ** 2 * E + 400 * 0.25**2 * I),  # 2 mV^2: the free membrane's s.d. is the paper's 1 mV
        15e-3 * (1600 * J3 * (u * x) ** 3 * E - 400 * 0.25**3 * I),
    )
    of_I = (
        mu_I + 10e-3 * (1600 * 0.135 * E - 400 * 0.20 * I),
        2 + lone * 10e-3 * (1600 * 0.135**2 * E + 400 * 0.20**2 * I),
        10e-3 * (1600 * 0.135**3 * E - 400 * 0.20**3 * I),
    )
    cells = ((of_E, (0.015, 0.02, 0.016, 0.002)), (of_I, (0.010, 0.02, 0.013, 0.002)))
    return [
        rate_of(1e-3 * mu, 1e-3 * math.sqrt(variance), *cell) * (skewed(mu, variance, third, 20) if finite else 1)
        for (mu, variance, third), cell in cells
    ]


@pytest.mark.parametrize("mu_E, mu_I", [(23.0, 21.0), (24.2, 21.0), (24.2, 20.5)])
@pytest.mark.parametrize("finite", [False, True])
def test_spontaneous_rates_against_a_root_finder(mu_E, mu_I, finite):
    wanted = root(lambda z: np.log(mongillo(np.exp(z), mu_E, mu_I, finite)) - z, np.log([0.5, 5.0]), tol=1e-12)
    E, I = np.exp(wanted.x)  # noqa: E741
    found = mean_field.fixed_point(fwbio.load("mongillo", set={"mu_E": f"{mu_E} mV", "mu_I": f"{mu_I} mV"}), finite)
    assert wanted.success and 0.1 < E < 2 and 3 < I < 8
    assert found["I"] == pytest.approx(I, rel=1e-3)  # the oracle averages items and rest, which differ by 1e-4 of their input
    for group in ("E.item1", "E.item5", "E.rest"):
        assert found[group] == pytest.approx(E, rel=1e-2)


def test_siegert_takes_a_sigma_for_each_mu():
    mu, sigma = np.array([0.015, 0.018, 0.022]), np.array([1e-3, 2e-3, 3e-3])
    together = siegert(mu, 0.01, sigma, 0.02, 0.01, 0.002, DT)
    assert np.array_equal(together, [siegert(m, 0.01, s, 0.02, 0.01, 0.002, DT) for m, s in zip(mu, sigma)])


def test_counts_and_weights_of_synapses_between_groups(small):
    system = mean_field.System(small())
    ee, ie, ei = (system.count[name] for name in ("EE", "IE", "EI"))
    assert ee.sum(axis=1) == pytest.approx(np.full(3, 12.0)) and ee[0] == pytest.approx(12 * np.array([19, 20, 20]) / 59)
    assert ie == pytest.approx(np.array([[10.0, 10.0, 10.0]])) and ei == pytest.approx(np.full((3, 1), 15.0))
    assert system.mean["EE"] == pytest.approx(1e-3 * np.array([[2, 0.5, 0.5], [0.5, 2, 0.5], [0.95, 0.95, 0.95]]))
    assert system.square["EE"][2] == pytest.approx(np.full(3, 1e-6 * (0.3 * 4 + 0.7 * 0.25)))


def test_jumps_skew_a_free_membrane_as_campbell_says():
    """Poisson jumps J at rate nu that decay with tau, simulated: skewness within 5 standard errors of a third cumulant of nu tau J^3/3."""
    rng, tau, nu, J, n = np.random.default_rng(0), 0.015, 300.0, -0.25, 400_000
    count = rng.poisson(nu * 10 * tau, n)  # jumps of the last ten time constants, each with its age
    v = np.bincount(np.repeat(np.arange(n), count), J * np.exp(-rng.uniform(0, 10, count.sum())), n)
    third = np.mean((v - v.mean()) ** 3)
    error = np.std((v - v.mean()) ** 3) / np.sqrt(n)
    assert abs(third - nu * tau * J**3 / 3) < 5 * error < 0.1 * abs(third)


def test_a_share_splits_its_group_and_no_other(small):
    few = {"target": "E.item2", "factor": 2.0, "share": 0.25, "start": "10 ms"}
    model = small({"protocol.step.few": few})
    sizes = {(p.label, "few" in p.steps): p.size for p in mean_field.parts(model) if p.population == "E"}
    assert sizes == {("item1", False): 20, ("item2", True): 5.0, ("item2", False): 15.0, (None, False): 20}
    backgrounds = mean_field.System(model).given(0.05)[0]
    assert sorted(np.round(1e3 * backgrounds[:4], 6)) == [24.0, 24.0, 36.0, 48.0]  # item1 has its cue


def test_a_step_that_changes_nothing_changes_nothing(small):
    """Also not where the integration is cut: the trace is the same to the tolerance, through a share as well."""
    same = {"protocol.step.few": {"target": "E", "factor": 1.0, "share": 0.5, "start": "35 ms"}}
    a, b = (mean_field.run(small(change)) for change in ({}, same))
    cut = replace(small(same), steps={**small(same).steps, "few": replace(small(same).steps["few"], factor=1 + 1e-15)})
    c = mean_field.run(cut)
    for group in a.rate:
        assert np.ptp(a.rate[group]) > 1
        assert b.rate[group] == pytest.approx(a.rate[group], rel=1e-5, abs=1e-5)
        assert c.rate[group] == pytest.approx(a.rate[group], rel=1e-5, abs=1e-5)


def test_what_is_wiped(small):
    off = {"target": "E.item1", "start": "80 ms", "wipe": ["V", "EE.u", "EE.w"]}
    kept, gone = mean_field.run(small()), mean_field.run(small({"protocol.step.off": off}))
    k = 16  # the sample at 80 ms
    assert kept.states["EE"]["u"]["E.item1"][k] > 0.05 and abs(gone.states["EE"]["u"]["E.item1"][k]) < 1e-12
    assert kept.rate["E.item1"][k] > 0.1 and abs(gone.rate["E.item1"][k]) < 1e-9
    before = [run.states["EE"]["u"]["E.item2"][:k] for run in (kept, gone)]
    assert np.allclose(*before, rtol=1e-6, atol=1e-9)  # the integrator's steps differ, as it stops at the wipe
    assert gone.rate["E.item2"][-1] < kept.rate["E.item2"][-1]  # item1's synapses are gone
    assert mean_field.System(small({"protocol.step.off": off})).given(0.09)[1]["EE"] == pytest.approx([0, 1, 1])


def test_given_spikes_have_no_mean_field(small, tmp_path):
    np.savez(tmp_path / "own.npz", t=np.array([0.01]), i=np.array([1]))
    given = {"population.in": {"size": 3, "spikes": "own.npz"}}
    with pytest.raises(BadInput, match="knows rates, not given spikes"):
        mean_field.System(small(given))


def test_poisson_populations_fire_at_their_background(small):
    poisson = {"population.E.neuron": "poisson", "population.E.bind": None, "population.E.background": "5 Hz"}
    poisson |= {"projection.EE": None, "projection.EI": None, "projection.IE.delay": "0.1 ms"}
    trace = mean_field.run(small(poisson))
    assert trace.rate["E.rest"][-1] == pytest.approx(5.0) and trace.rate["E.item1"][10] == pytest.approx(7.5)


# --- the comparison --------------------------------------------------------------------------------------------------------


def fake(model, level, rate, population_spikes=()):
    """A CircuitRun of given group rates: for spikes, regular trains one after the other, all at once in a population spike."""
    t = np.arange(0, model.duration + 1e-9, model.every)
    spikes = None
    if level == "spiking":
        spikes = {}
        for p in model.populations.values():
            groups = [(a, b, rate[g]) for g, (name, a, b) in circuit.spans(model).items() if name == p.name]
            pairs = [
                (at, k) for a, b, r in groups for k in range(a, b) for at in np.arange((k - a + 0.5) / (b - a) / r, model.duration, 1 / r)
            ]
            pairs += [(at, k) for at in population_spikes for k in range(20)] if p.name == "E" else []
            spikes[p.name] = tuple(np.array(sorted(pairs)).T)
    return circuit.CircuitRun(level, model, 0, t, {g: np.full(len(t), float(r)) for g, r in rate.items()}, {}, 0.0, spikes)


@pytest.mark.parametrize(
    "factor, population_spikes, verdict, says",
    [
        (1.0, (), "equivalent", "the largest difference is"),
        (1.6, (), "different", "% apart, bound 50.0%"),
        (1.6, (0.9, 1.9), "inconclusive", "every epoch is short or has population spikes"),
        (1.0, (0.1,), "equivalent", "the largest difference is"),
    ],
)
def test_the_verdict(small, factor, population_spikes, verdict, says):
    model = small({"protocol.duration": "2 s", "protocol.step.cue.start": "0.98 s"})
    rate = {g: 10.0 for g in circuit.spans(model)}
    spiking = fake(model, "spiking", {g: r * factor for g, r in rate.items()}, population_spikes)
    found = fwbio.compare(fake(model, "rate", rate), spiking)
    assert found.verdict == verdict and says in found.figures["reason"]
    assert found.figures["population_spikes"]["E.item1"] == pytest.approx(list(population_spikes), abs=0.011)  # a window of 10 ms
    assert found.figures["population_spikes"]["E.item2"] == []
    assert "E.item1" in str(found) and [e["name"] for e in found.figures["epochs"]] == ["before", "cue", "after cue"]


def test_a_bound_may_name_how_far_a_finite_network_moves_the_mean_field(small):
    model = small({"protocol.duration": "2 s", "protocol.step.cue.start": "0.98 s", "agree.bound": "finite"})
    rate, jumps = fwbio.run(model, level="rate"), mean_field.run(model, finite=True)
    rows = circuit_comparison.settled(rate, fake(model, "spiking", {g: 10.0 for g in circuit.spans(model)}))
    before = {row["group"]: row["bound"] for row in rows if row["epoch"] == "before"}
    inside = (rate.t >= 0.49) & (rate.t <= 0.98)
    wanted = {g: abs(np.trapezoid(jumps.rate[g][inside]) / np.trapezoid(rate.rate[g][inside]) - 1) for g in before}
    assert before == pytest.approx(wanted, rel=1e-6) and 1e-3 < min(wanted.values())


def test_one_level_alone_is_inconclusive(small):
    run = fwbio.run(small(), level="rate")
    assert fwbio.run(small(), "rate").rate.keys() == run.rate.keys()
    assert circuit_comparison.compare(run).verdict == "inconclusive"
    for level, says in (("rnn", "a circuit has no discrete RNN"), ("spikes", "did you mean 'spiking'?")):
        with pytest.raises(BadInput, match=says):
            fwbio.run(small(), level=level)
