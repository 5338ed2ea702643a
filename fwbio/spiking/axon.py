"""What one axon releases, spike by spike: the spiking block of synapse cards run by Brian2 on given spike times.

Every axon is one neuron with one synapse, so that u and x are seen through what the card's ``read`` delivers. Each card runs in
both its forms at once, from the same spikes: reduced (u, x on the neuron, moved every step) and plain (u, x on the synapse, moved
event-driven). The texts are those that networks use, ``fwbio.spiking.synapses``; only parameters are one a neuron here.

tau = 0 means that a state is back at rest before the next spike (``fwbio.cards.equations.AT_ONCE``): the limit itself, exactly.

It runs in a child process (``fwbio.spiking.away``): the caller's device, preferences and seed stay.
"""

import numpy as np

from fwbio.cards.equations import AT_ONCE, at_once, divisors
from fwbio.errors import BadInput
from fwbio.quantities import quantity, unit_of
from fwbio.spiking.away import away

FORMS = ("reduced", "plain")
SCALE = ("read_gain", "n", "r0")  # what a network binds; 1 here: what is read is what is released


def values(card: dict, *sets: dict) -> dict[str, np.ndarray]:
    """The card's parameters in SI units, one value for each of ``sets`` (tables such as ``card["sets"]["E1"]``)."""
    found, limits = {}, at_once(card)
    divided = {name for ode in card["spiking"].get("ode", []) for name in divisors(ode)}
    for name, entry in card["param"].items():
        unit, where = unit_of(entry["value"]), f"{card['name']}.{name}"
        numbers = [quantity(given.get(name, entry["value"]), unit, where, low=0) for given in sets or ({},)]
        if 0 in numbers and name in divided - limits:
            raise BadInput(f"{where} = 0: {card['name']} divides by it; use a value above 0")
        found[name] = np.array([AT_ONCE if number == 0 and name in limits else number for number in numbers])
    for given in sets:
        for name in given.keys() - found.keys():
            raise BadInput(f"{card['name']} has no parameter '{name}'")
    return found


def release(cards: dict, parameters: dict, trains: list, dt: float, target: str = "numpy", delay: float = 0.0) -> dict:
    """{(name, form): [what each spike of axon k releases for each k]}, form ``reduced`` or ``plain``.

    cards : tables by any name. parameters : by the same name, {parameter: array over axons} in SI units, see ``values``
    trains : spike times of each axon as whole numbers of steps of ``dt`` (s), rising. target : numpy, cython, cpp_standalone
    """
    for k, train in enumerate(trains):
        if len(train) and (np.asarray(train).dtype.kind != "i" or train[0] < 0 or np.min(np.diff(train), initial=1) < 1):
            raise BadInput(f"spike train {k}: give rising whole numbers of steps, at most one spike a step")
    job = {"cards": cards, "dt": dt, "target": target, "axons": len(trains)}
    numbers = {f"{name}.{key}": value for name, table in parameters.items() for key, value in table.items()}
    axon = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    seen = away(released, job, 0, i=axon, step=np.concatenate(trains), **numbers)
    i = seen.pop("i")
    order = np.argsort(i, kind="stable")  # Brian2 gives them in time; by axon, each in time
    if not np.array_equal(i[order], axon):
        raise BadInput(f"{len(i)} of {len(axon)} spikes came back; nothing of this run is used")
    for name in seen:
        if not np.isfinite(seen[name]).all():
            raise BadInput(
                f"{name.rsplit('_', 1)[0]}: what a spike releases is not finite; are two time constants of coupled equations equal?"
            )
    cuts = np.cumsum([len(train) for train in trains])[:-1]
    return {(name, form): np.split(seen[f"{name}_{form}"][order], cuts) for name in cards for form in FORMS}


def released(job, given):
    """The child's part of ``release``."""
    from brian2 import Equations, Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, second
    from brian2.utils.stringtools import word_substitute

    from fwbio.rate.equations import Right
    from fwbio.spiking import synapses
    from fwbio.spiking.structure import presynaptic

    cards, dt = job["cards"], job["dt"] * second
    text, after, seen = ["due : integer"], [], [f"{name}_{form}" for name in cards for form in FORMS]
    for name, card in cards.items():
        lines, rules = synapses.on_axon(card, name)
        text, after = text + lines, after + rules
    text, after = text + [f"{name} : 1" for name in seen], after + [f"{name} = 0" for name in seen]
    axons = NeuronGroup(
        job["axons"],
        synapses.each_its_own(Equations("\n".join(text))),
        threshold="t_in_timesteps == due",
        reset="\n".join(after),
        method="exact",
        dt=dt,
        name="axons",
    )
    source = SpikeGeneratorGroup(job["axons"], given["i"], given["step"] * dt, dt=dt, name="source")
    start = Synapses(source, axons, on_pre="due_post = t_in_timesteps + 1", dt=dt, name="start")  # all fire one step later
    start.connect(j="i")
    axons.variables["due"].set_value(np.full(job["axons"], -1))
    spikes = SpikeMonitor(axons, variables=seen, when="after_synapses", name="spikes_seen")
    objects = [axons, source, start, spikes]
    for name, card in cards.items():
        own = presynaptic(card)
        for form in FORMS:
            plain, prefix = form == "plain", name if form == "reduced" else f"{name}_own"
            model = synapses.each_its_own(synapses.model(card, prefix, {}, set(), plain))
            code = word_substitute(synapses.on_pre(card, prefix, set(), plain), {"I_post": f"{name}_{form}_post"})
            made = Synapses(axons, axons, model, on_pre=code, method="exact", dt=dt, name=f"{name}_{form}_syn")
            made.connect(j="i")
            owner = made if plain else axons
            for key, value in {**{key: 1.0 for key in SCALE}, **{k: given[f"{name}.{k}"] for k in card["param"]}}.items():
                if key in own:
                    owner.variables[f"{prefix}_{key}"].set_value(np.broadcast_to(value, job["axons"]).astype(float))
                elif key in made.variables:
                    made.variables[key].set_value(np.broadcast_to(value, job["axons"]).astype(float))
            known = {key: given[f"{name}.{key}"] for key in card["param"]}
            for state, entry in card["state"].items():
                where, variable = (owner, f"{prefix}_{state}") if state in own else (made, state)
                first = 1.0 if entry["start"] == "weight" else Right(entry["start"], known)({})
                where.variables[variable].set_value(np.broadcast_to(first, job["axons"]).astype(float))
            objects.append(made)
    duration = (int(given["step"].max()) + 3) * dt
    Network(*objects).run(duration, namespace={})
    return {"i": np.asarray(spikes.i), **{name: np.asarray(getattr(spikes, name)) for name in seen}}
