"""The error budget: what a measured error is made of."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

import fwbio
from fwbio import budget
from fwbio.describe import run
from fwbio.tasks import retrieval


@pytest.mark.slow
def test_the_parts_of_the_error_add_up_and_variance_leads_for_poisson_neurons():
    """10 neurons a unit: by theory the variance is nearly all of it; bias and integration include 0 within twice their interval."""
    net = fwbio.load("retrieval", neurons=10)
    task = retrieval(trials=10, seed=3)
    rnn = run(net, task, "rnn")
    spiking = run(net, task, "spiking", seed=3, target="numpy")
    parts = budget.split(spiking, rnn, seed=3, target="numpy")
    total = sum(parts[name]["square"] for name in ("bias", "variance", "integration"))
    assert total == pytest.approx(parts["total"]["square"], rel=1e-9) and parts["trials"] == 10
    for name in ("bias", "integration"):
        half = (parts[name]["high"] - parts[name]["low"]) / 2
        assert abs(parts[name]["square"]) < 2 * half
    half = parts["variance"]["high"] - parts["variance"]["square"]
    assert 2 * half < parts["variance"]["square"] and parts["variance"]["square"] + 2 * half > 0.9 * parts["total"]["square"]


@pytest.mark.slow
def test_a_free_running_network_with_a_coarse_step_is_compared_at_the_same_moments():
    """h is kept every 2 ms where dt is 2 ms, and the run with half the step has to keep it as often."""
    net = fwbio.load("level_chain", neurons=10, set={"protocol.duration": "0.5 s", "input.every": "0.25 s"})
    task = fwbio.tasks.of(net, 2)
    rate, spiking = run(net, task, "rate"), run(net, task, "spiking", seed=1, target="numpy")
    parts = budget.split(spiking, rate, seed=1, target="numpy")
    assert spiking.h.shape[1] == 250 and parts["trials"] == 2 and parts["variance"]["square"] > 0


@dataclass(frozen=True)
class Played:
    """A Run or trace of which the split asks only h, network and task."""

    h: np.ndarray
    network: object = None
    task: object = None


@dataclass(frozen=True)
class Clock:
    dt: float = 1e-3
    sample: float = 1e-3
    recorded: float = 0.0


@pytest.mark.parametrize(("constant", "slope", "noise"), [(0.3, 0.0, 0.1), (0.0, 0.2, 0.1), (0.2, 0.1, 0.05), (0.0, 0.0, 0.2)])
def test_a_known_error_is_taken_apart(constant, slope, noise, monkeypatch):
    """Errors made of a constant, a part that grows with dt, and noise of each run's own; each part within its interval's double
    (seeds fixed; 1e-4 by chance), a part of first order up to its second order, (slope/2)^2 of the square."""
    from fwbio.spiking import batches

    rng, shape = np.random.default_rng(5), (25, 11, 50)
    reference = Played(rng.standard_normal(shape))

    def played(network, trials):
        off = constant + slope * network.dt / 1e-3
        return np.resize(reference.h, (trials, *shape[1:])) + off + noise * rng.standard_normal((trials, *shape[1:]))

    task = SimpleNamespace(x=lambda _network: np.zeros(shape))
    spiking = Played(played(Clock(), 25), Clock(), task)
    monkeypatch.setattr(batches, "run", lambda network, x, **_options: Played(played(network, len(x))))
    parts = budget.split(spiking, reference)
    first_order = 2 * ((constant + slope) ** 2 - (constant + slope / 2) ** 2)
    wanted = {"variance": noise**2, "integration": first_order, "bias": (constant + slope) ** 2 - first_order}
    for name, square in wanted.items():
        found = parts[name]
        assert abs(found["square"] - square / reference.h.var()) <= found["high"] - found["low"], name
        assert found["low"] < found["square"] < found["high"]
