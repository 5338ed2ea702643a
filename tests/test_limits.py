"""Time constants of 0, and other limits: a mechanism without its memory is the simpler mechanism, in spikes and in rate equations."""

from dataclasses import replace

import numpy as np
import pytest

import fwbio
from fwbio.cards import network, reader, spreads
from fwbio.cards.equations import AT_ONCE
from fwbio.describe import run
from fwbio.errors import BadInput
from fwbio.rate import circuit as mean_field
from fwbio.rate import free
from fwbio.spiking import axon
from fwbio.tasks import RandomInput

pytestmark = pytest.mark.slow

SAME = 1e-10
DEPRESSION = {  # tsodyks_markram with u = U written out: no facilitation, no u
    '"du/dt = (U - u)/tau_f : 1", ': "",
    '"du/dt = (U - u)/tau_f + U*(1 - u)*r0*h_pre : 1", ': "",
    "w*u*x": "w*U*x",
    '"x += -u*x", "u += U*(1 - u)"': '"x += -U*x"',
    "- u*x*r0*h_pre": "- U*x*r0*h_pre",
    'u = {index = ["pre"]': 'v = {index = ["pre"]',
}


@pytest.fixture
def depression(tmp_path):
    """The path of a card for depression alone."""
    text = reader.find("tsodyks_markram").read_text().replace('name   = "tsodyks_markram"', 'name   = "depression"')
    for old, new in DEPRESSION.items():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "depression.toml"
    path.write_text("".join(line for line in text.splitlines(True) if not line.startswith("v = ")))
    return str(path)


def network_with(synapse, **bind):
    tables = reader.read("random_recurrent")
    tables["projection"]["slow"] |= {"synapse": synapse, "bind": bind}
    tables["population"]["unit"] |= {"size": 4, "neurons": 5}
    return replace(network.build(tables, reader.find("random_recurrent")), duration=0.3, dt=1e-3)


def sent(net):
    """The dendrites' current in spikes, and the right-hand side of the rate equations at some state."""
    system = free.System(net, 2)
    y = np.random.default_rng(0).uniform(0.1, 0.9, len(system.start))
    given = np.random.default_rng(1).standard_normal((2, 4))
    current, _ = system.states(system.slope(0, y, given))
    return run(net, RandomInput(2, 0), "spiking", seed=3, target="numpy").I, current


def apart(one, other):
    assert all(np.abs(value).max() > 0.01 for value in (*one, *other))
    return [np.abs(a - b).max() / np.abs(b).max() for a, b in zip(one, other)]


def test_without_facilitation_depression_is_left(depression):
    """tau_f = 0 in a network card, beside a card that has no u; and the two differ from tau_f = 0.5 s."""
    without, alone = (
        sent(network_with(card, U="0.4", tau_d="300 ms", **more))
        for card, more in (("tsodyks_markram", {"tau_f": "0 ms"}), (depression, {}))
    )
    assert max(apart(without, alone)) <= SAME
    assert min(apart(sent(network_with("tsodyks_markram", U="0.4", tau_d="300 ms", tau_f="500 ms")), alone)) > 1e-3


def test_convention_a_without_facilitation_is_the_same(depression):
    without, alone = (
        sent(network_with(card, U="0.4", tau_d="300 ms", **more))
        for card, more in (("tsodyks_markram_a", {"tau_f": "0 ms"}), (depression, {}))
    )
    assert max(apart(without, alone)) <= SAME


def test_without_depression_and_facilitation_the_weight_is_left():
    """tau_d = tau_f = 0: every spike releases U, which is a static synapse of U times the weight."""
    net = network_with("static")
    slow = net.projections["slow"]
    fixed = replace(net, projections={**net.projections, "slow": replace(slow, weight=0.4 * slow.weight)})
    assert max(apart(sent(network_with("tsodyks_markram", U="0.4", tau_d="0 ms", tau_f="0 ms")), sent(fixed))) <= SAME


def test_eta_0_is_slow_weights_alone():
    net = network_with("static")
    task = RandomInput(2, 0)
    off, zero = (replace(net, fast=False), fwbio.load("random_recurrent", set={"fast.eta": "0"}))
    zero = replace(network_with("static"), projections={**net.projections, "fast": zero.projections["fast"]})
    for level, options in (("rate", {}), ("spiking", {"seed": 3, "target": "numpy"})):
        one, other = (run(n, task, level, **options) for n in (off, zero))
        assert np.abs(one.h).max() > 0.1 and np.abs(one.h - other.h).max() <= (SAME if level == "spiking" else 1e-8)


def test_a_circuit_without_facilitation(small, depression):
    """Mean field and spikes of a circuit card, tau_f = 0 beside the card that has no u."""
    of = "projection.EE"
    common = {f"{of}.set": None, f"{of}.bind.U": "0.4", f"{of}.bind.tau_d": "300 ms"}
    one = small({**common, f"{of}.synapse": "tsodyks_markram", f"{of}.bind.tau_f": "0 ms"})
    other = small({**common, f"{of}.synapse": depression})
    systems = [mean_field.System(c) for c in (one, other)]
    y = np.random.default_rng(0).uniform(0.1, 0.9, len(systems[0].start))
    slopes = [s.slope(0, y, *s.given(0.0)) for s in systems]
    assert np.abs(slopes[0]).max() > 1 and np.abs(slopes[0] - slopes[1]).max() <= SAME * np.abs(slopes[0]).max()
    spikes = [fwbio.run(c, level="spiking", seed=1, target="numpy").spikes["E"] for c in (one, other)]
    assert len(spikes[0][0]) > 20 and np.array_equal(spikes[0][0], spikes[1][0]) and np.array_equal(spikes[0][1], spikes[1][1])


def test_what_decays_at_the_synapse_may_not_be_0():
    with pytest.raises(BadInput, match="tau = '0 s': hebbian divides by it"):
        fwbio.load("random_recurrent", set={"fast.tau": "0 s"})


@pytest.mark.parametrize("name", ["tau_d", "tau_psc"])
def test_coupled_time_constants_may_not_be_0(name):
    """x of the three states moves with y: their exact solution at 0 is 0/0, everywhere refused and never a silent NaN."""
    card = reader.read("tsodyks_markram_3state")
    with pytest.raises(BadInput, match=f"{name} = 0: tsodyks_markram_3state divides by it"):
        axon.values(card, {name: "0 ms"})
    with pytest.raises(BadInput, match=f"{name} = '0 ms': tsodyks_markram_3state divides by it"):
        network_with("tsodyks_markram_3state", **{name: "0 ms"})
    assert axon.values(card, {"tau_f": "0 ms"})["tau_f"] == AT_ONCE


def test_equal_time_constants_of_coupled_equations_are_told():
    card = reader.read("tsodyks_markram_3state")
    with pytest.raises(BadInput, match="not finite"):
        axon.release({"three": card}, {"three": axon.values(card, {"tau_d": "3 ms", "tau_psc": "3 ms"})}, [np.array([10, 30])], 1e-3)


@pytest.mark.parametrize("which", ["E1", "I1", "I2", "I3"])
def test_drawn_parameters_have_the_sets_mean_and_spread(which):
    """20,000 of each, beside the moments of the normal cut off at its legal values; false alarm 2e-4 for all (z < 4.5)."""
    from scipy.stats import truncnorm

    from fwbio.quantities import quantity

    card, n = reader.read("tsodyks_markram"), 20_000
    drawn, cut = fwbio.draw("tsodyks_markram", which, n, seed=1), 0
    for key, values in drawn.items():
        unit = "1" if key == "U" else "s"
        mean, sd = (quantity(card[block][which][key], unit, key) for block in ("sets", "spreads"))
        law = truncnorm(-mean / sd, (1 - mean) / sd if key == "U" else np.inf, mean, sd)
        assert np.all(values > 0) and (key != "U" or np.all(values <= 1))
        assert abs(values.mean() - law.mean()) < 4.5 * law.std() / n**0.5
        assert abs(values.std() - law.std()) < 4.5 * law.std() * ((law.stats("k") + 2) / (4 * n)) ** 0.5
        cut = max(cut, abs(law.mean() - mean) / sd)
    assert (cut > 0.05) == (which != "E1")  # wide sets are moved by the cut, and only those


def test_a_mix_has_its_shares_and_releases():
    drawn = fwbio.draw("tsodyks_markram", "PFC_pyramidal", 2000, seed=2)
    facilitating = (drawn["tau_f"] > 0.2).mean()  # E1 and E3; E2 has 17 ms
    assert abs(facilitating - 0.62) < 4 * (0.62 * 0.38 / 2000) ** 0.5
    some = {key: value[:30] for key, value in drawn.items()}
    trains = [np.arange(10, 400, 50)] * 30
    out = axon.release({"c": reader.read("tsodyks_markram")}, {"c": some}, trains, 1e-3)
    assert np.allclose([r[0] for r in out["c", "reduced"]], some["U"], rtol=1e-12)
    assert np.ptp([r[-1] for r in out["c", "reduced"]]) > 0.05
    assert all(np.array_equal(drawn[key], fwbio.draw("tsodyks_markram", "PFC_pyramidal", 2000, seed=2)[key]) for key in drawn)


def test_sets_without_a_spread_are_all_alike_and_names_are_checked():
    assert np.ptp(fwbio.draw("tsodyks_markram", "Mongillo", 5)["tau_f"]) == 0
    with pytest.raises(BadInput, match="did you mean 'PFC_pyramidal'"):
        fwbio.draw("tsodyks_markram", "PFC_pyramid", 5)
    assert spreads.legal_normal(np.random.default_rng(0), 0.5, 0.0, 3, 1.0).tolist() == [0.5] * 3
