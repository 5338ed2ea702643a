"""Which synapse cards the exact reductions may be used on, read off the card's text; any other is refused, in words.

A state on ["pre"] is kept once an axon: right only if it listens to that axon alone. A state on ["post", "pre"] stands for one synapse
on the dendrite in place of one on each neuron of the unit: right only if those are identical, with no randomness of their own; and if
it moves between spikes, its decay is shared: right only for dA/dt = -A/tau, with one tau a projection (several projections may have
one each; a chain of linear states counts as such, ``modes``). A transmission delay is not in the grammar.
The rate description and the pairs protocol of [agree] reduce nothing and take any card.
"""

from fwbio.cards import equations, modes
from fwbio.errors import BadInput

AXON, PAIR = ("pre",), ("post", "pre")


PLAIN = 20_000_000  # synapses of one trial that the plain form may take


def check(network, plain: bool = False) -> None:
    """Raises BadInput if the spiking network cannot be built from these cards, or not without reductions."""
    used = [p for p in modes.apart(network).projections.values() if network.fast or not p.associative]
    for projection in used:
        check_synapse(projection.synapse.card, f"{projection.synapse.name}.toml")
    cells = network.units * network.neurons
    if plain and len(used) * cells**2 > PLAIN:
        most = int((PLAIN / len(used)) ** 0.5 / network.units)
        raise BadInput(
            f"--plain: {len(used)} projections between {cells:,} neurons are {len(used) * cells**2:,} synapses without "
            f"reductions, more than "
            f"{PLAIN:,}; use --neurons {most} or fewer"
            if most
            else f"--plain: {len(used) * cells**2:,} synapses; use a smaller network"
        )


def check_synapse(card: dict, file: str) -> None:
    """Raises BadInput if the reductions would not give the numbers of the plain per-synapse form."""
    states, params = card.get("state", {}), card.get("param", {})
    index = {name: tuple(state["index"]) for name, state in states.items()}
    for name, where in index.items():
        if where not in (AXON, PAIR):
            raise BadInput(
                f"{file}: state.{name}.index = {list(where)}: synapses end on the unit's dendrite, which has no spikes of its "
                f"own, so that "
                'a state of theirs lives on ["pre"] or on ["post", "pre"]; `fwbio run --level rate` takes this card'
            )
    spiking = card["spiking"]
    decays = dict(filter(None, (equations.linear_decay(text) for text in spiking.get("ode", []))))
    pairs = {name: tau for name, tau in decays.items() if index.get(name) == PAIR}
    if len(set(pairs.values())) > 1:
        raise BadInput(f"{file}: {' and '.join(pairs)} decay with time constants of their own: all states of a synapse share one clock")
    for text in spiking.get("latch", []):
        match = equations.split(text, f"{file}: spiking.latch")
        if match["op"] != "=" or {match["name"], match["rhs"].strip()} - pairs.keys():
            raise BadInput(
                f"{file}: spiking.latch = {text!r}: write 'B = A', one decaying state of the synapse taking the value of another"
            )
    rules = [("ode", text) for text in spiking.get("ode", [])] + [("write", text) for text in spiking.get("write", [])]
    everywhere = [
        *rules,
        *(("read", spiking[key]) for key in ("read",) if key in spiking),
        *((f"start of {k}", s["start"]) for k, s in states.items()),
    ]
    for kind, text in everywhere:
        if {"rand", "xi"} & set(words(text)):
            raise BadInput(
                f"{file}: {kind} = {text!r}: synapses of one axon onto one unit must be identical, as they end on its dendrite as one; "
                "use no rand() and no xi in a synapse card"
            )
    for kind, text in rules:
        match = equations.split(text, f"{file}: spiking.{kind}")
        state, used = match["ode"] or match["name"], equations.names(match["rhs"], f"{file}: spiking.{kind}")
        if index.get(state) == AXON:
            for name in sorted(used):
                if name.endswith("_post") or index.get(name, AXON) != AXON or name in ("I", "h", "u", "drive", "mu") and name not in states:
                    raise BadInput(
                        f"{file}: spiking.{kind} = {text!r}: '{state}' lives on the axon and listens to presynaptic spikes only, but "
                        f"'{name}' "
                        f"does not stand there; give '{state}' the index [\"post\", \"pre\"] or leave '{name}' out"
                    )
        elif kind == "ode":
            decay = equations.linear_decay(text)
            if decay is None:
                raise BadInput(
                    f"{file}: spiking.ode = {text!r}: all synapses share one decay, which takes a linear one; write 'd{state}/dt = "
                    f"-{state}/tau : 1' (what a spike adds belongs to write). `fwbio run --level rate` takes this card, and so does "
                    "fwbio.synapses in a network of your own"
                )
            if decay[1] not in params:
                raise BadInput(
                    f"{file}: spiking.ode = {text!r}: all synapses share one decay, so '{decay[1]}' must be one number, a [param], "
                    f"not one a synapse"
                )


def words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
