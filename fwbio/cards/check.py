"""``fwbio check CARD``: everything that can be known without compiling, and what a run would cost."""

import os

from fwbio.cards import legal, network, reader
from fwbio.errors import BadInput
from fwbio.tasks import in_a_row

# measured with 50 units of 100 neurons on one core: seconds a neuron and step, seconds a synaptic event, bytes a synapse
NEURON_STEP = {"poisson": 6e-9, "lif": 1.4e-8}
EVENT, BYTES = 4e-9, 34


def check(card, **options) -> list[str]:
    """What was checked and what a run would take, as lines. Raises BadInput at the first thing that is wrong."""
    path = reader.find(card)
    tables = reader.read(path)
    equations = [text for block in ("spiking", "rate") for text in tables.get(block, {}).get("ode", [])]
    if tables["kind"] == "mechanism":
        parse(equations, path.name)
        return [f"{path.name}: {tables['role']} card, {len(equations)} differential equations, {len(tables['sources'])} sources: fine"]
    net = network.load(card, **options)
    trials = tables["protocol"]["trials"]
    legal.check(net)
    memory, seconds = affordable(net, trials)
    sequences, warm = in_a_row(net)
    row = f" of {sequences} sequences in a row, the first {warm} not asked" if sequences > 1 else ""
    return [
        f"{path.name}: network card, {net.units} units of {net.neurons} {net.neuron.name} neurons: fine",
        f"one spiking run of {trials} trials{row}: about {memory:,.0f} MB and {seconds:,.0f} s on two cores, after a build of about 20 s (once)",
    ]


def affordable(net, trials: int, plain: bool = False) -> tuple[float, float]:
    """Megabytes and seconds of a spiking run; raises BadInput if it would take more than 80 % of the free memory."""
    memory, seconds = estimate(net, trials, plain)
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6 if hasattr(os, "sysconf") else float("inf")
    if memory > 0.8 * free:
        raise BadInput(f"{net.path.name}: about {memory:,.0f} MB are needed and {free:,.0f} MB are free; use fewer --neurons or --trials")
    return memory, seconds


def parse(equations, file) -> None:
    from brian2 import Equations
    from brian2.equations.equations import EquationError

    for text in equations:
        try:
            Equations(text)
        except (EquationError, ValueError) as error:
            raise BadInput(f"{file}: {text!r}: {error}") from None


def estimate(net, trials: int, plain: bool = False) -> tuple[float, float]:
    """Megabytes of two children at a time and seconds on two cores, about, for one spiking run."""
    from fwbio.spiking.batches import batch_size

    cells = net.neurons if plain else 1  # dendrites a unit
    size = batch_size(net, plain)
    synapses = len(net.projections) * net.neurons * net.units**2 * cells
    tokens = 2 * net.card["protocol"]["pairs"] + 3 if net.paced else 1
    sequences = in_a_row(net)[0]
    duration = sequences * (net.token * tokens if net.paced else net.duration)
    steps = duration / net.dt
    events = 0.3 * net.r0 * duration * net.units * net.neurons * net.units * cells * len(net.projections)
    batches = -(-trials // size)
    each = size * (net.units * net.neurons * steps * NEURON_STEP.get(net.neuron.name, 1e-8) + events * EVENT)
    bulk = (tokens + 1) * synapses / len(net.projections) * 8 + 12 * size * 0.3 * net.r0 * net.units * net.neurons * duration / sequences
    kept = trials * net.units * duration / (net.token / (net.inner + 1) if net.paced else 1e-3) * 40  # h, in three descriptions
    return min(2, batches) * (60 + (size * synapses * BYTES + bulk) / 1e6) + kept / 1e6, -(-batches // 2) * each
