"""``fwbio check CARD``: everything that can be known without compiling, and what a run would cost."""

from fwbio.cards import legal, network, reader
from fwbio.errors import BadInput
from fwbio.memory import free_mb
from fwbio.tasks import in_a_row

# measured with 50 units of 100 neurons on one core: seconds a neuron and step, seconds a synaptic event, bytes a synapse
NEURON_STEP = {"poisson": 6e-9, "lif": 1.4e-8}
EVENT, BYTES = 4e-9, 34
# measured with the mongillo card: seconds a neuron and step, seconds a spike that arrives, bytes a synapse
CELL_STEP, ARRIVAL, SYNAPSE = 5e-8, 1.5e-8, 30


def check(card, **options) -> list[str]:
    """What was checked and what a run would take, as lines. Raises BadInput at the first thing that is wrong."""
    path = reader.find(card)
    tables = reader.read(path)
    equations = [text for block in ("spiking", "rate") for text in tables.get(block, {}).get("ode", [])]
    if tables["kind"] == "mechanism":
        parse(equations, path.name)
        return [f"{path.name}: {tables['role']} card, {len(equations)} differential equations, {len(tables['sources'])} sources: fine"]
    net = network.load(card, **options)
    if tables["kind"] == "circuit":
        return circuit_lines(net)
    trials = tables["protocol"]["trials"]
    legal.check(net)
    memory, seconds = affordable(net, trials)
    sequences, warm = in_a_row(net)
    row = f" of {sequences} sequences in a row, the first {warm} not asked" if sequences > 1 else ""
    return [
        f"{path.name}: network card, {net.units} units of {net.neurons} {net.neuron.name} neurons: fine",
        f"one spiking run of {trials} trials{row}: about {memory:,.0f} MB and {seconds:,.0f} s on two cores, after a build of about 20 s (once)",
    ]


def circuit_lines(circuit) -> list[str]:
    memory, seconds = circuit_cost(circuit)
    cells = " and ".join(f"{p.size:,} {p.name}" for p in circuit.populations.values())
    return [
        f"{circuit.path.name}: circuit card, {cells} neurons: fine",
        f"one spiking run of {circuit.duration:g} s: about {memory:,.0f} MB and {seconds:,.0f} s on one core, after a build of about 60 s (once)",
    ]


def circuit_cost(circuit) -> tuple[float, float]:
    """Megabytes and seconds of a spiking run at 5 Hz a neuron; raises BadInput if memory or the numbers of synapses do not suffice."""
    from fwbio.circuit import synapses

    each = {name: synapses(circuit, p) for name, p in circuit.projections.items()}
    for name, number in each.items():
        if number > 2**31 - 1:
            raise BadInput(
                f"{circuit.path.name}: projection.{name}: {number:,.0f} synapses; they are numbered in 32 bits, use a sparser one"
            )
    memory = enough(60 + sum(each.values()) * SYNAPSE / 1e6, f"{circuit.path.name}: ", "a smaller circuit or a sparser one")
    cells = sum(p.size for p in circuit.populations.values())
    return memory, circuit.duration * (cells / circuit.dt * CELL_STEP + 5.0 * sum(each.values()) * ARRIVAL)


def affordable(net, trials: int, plain: bool = False, tokens: int | None = None) -> tuple[float, float]:
    """Megabytes and seconds of a spiking run; raises BadInput if it would take more than 80 % of the free memory."""
    memory, seconds = estimate(net, trials, plain, tokens)
    return enough(memory, f"{net.path.name}: ", "fewer --neurons or --trials"), seconds


def enough(memory: float, where: str, instead: str) -> float:
    """The megabytes again; raises BadInput if they are more than 80 % of what is free."""
    free = free_mb()
    if memory > 0.8 * free:
        raise BadInput(f"{where}about {memory:,.0f} MB are needed and {free:,.0f} MB are free; use {instead}")
    return memory


def parse(equations, file) -> None:
    from brian2 import Equations
    from brian2.equations.equations import EquationError

    for text in equations:
        try:
            Equations(text)
        except (EquationError, ValueError) as error:
            raise BadInput(f"{file}: {text!r}: {error}") from None


def estimate(net, trials: int, plain: bool = False, tokens: int | None = None) -> tuple[float, float]:
    """Megabytes of two children at a time and seconds on two cores, about, for one spiking run."""
    from fwbio.spiking.batches import batch_size

    cells = net.neurons if plain else 1  # dendrites a unit
    size = batch_size(net, plain)
    synapses = len(net.projections) * net.neurons * net.units**2 * cells
    if tokens is None:
        tokens = 2 * net.card["protocol"].get("pairs", 4) + 3 if net.paced else 1
    sequences = in_a_row(net)[0]
    duration = sequences * (net.token * tokens if net.paced else net.duration)
    steps = duration / net.dt
    events = 0.3 * net.r0 * duration * net.units * net.neurons * net.units * cells * len(net.projections)
    batches = -(-trials // size)
    each = size * (net.units * net.neurons * steps * NEURON_STEP.get(net.neuron.name, 1e-8) + events * EVENT)
    bulk = (tokens + 1) * synapses / len(net.projections) * 8 + 12 * size * 0.3 * net.r0 * net.units * net.neurons * duration / sequences
    kept = trials * net.units * duration / net.sample * 40  # h, in three descriptions
    return min(2, batches) * (60 + (size * synapses * BYTES + bulk) / 1e6) + kept / 1e6, -(-batches // 2) * each
