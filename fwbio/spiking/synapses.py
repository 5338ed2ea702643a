"""A synapse card's spiking block as Brian2 ``Synapses`` text, with the shared-decay reduction or without it.

Reduction (exact): weights that share one tau need no decay each. Where the card says dA/dt = -A/tau, the stored number is
B = A exp((t - t_last)/tau); A is B times one shared scalar ``decay`` = exp(-(t - t_last)/tau), renormalised now and then.
Plain form: the card's own equation, integrated exactly at each event of each synapse.
"""

from brian2 import Equations
from brian2.utils.stringtools import word_substitute

from fwbio.cards.equations import linear_decay, split

BRIAN_UNIT = {"1": "1", "Hz": "Hz", "s": "second", "V": "volt", "A": "amp"}


def model(card, values_on_clock: dict[str, str], of_neuron: set, plain: bool) -> Equations:
    """Equations of one synapse: states, parameters shared by all of them, gains that follow the clock.

    of_neuron : what the presynaptic neuron knows already (Brian2 wants one owner of a name, and ``_pre`` reaches it)
    values_on_clock : name of a gain to the expression that gives it, for instance ``{"read_gain": "fast_read_gain(t)"}``
    """
    lines = []
    for name, need in card.get("needs", {}).items():
        unit = BRIAN_UNIT[need["unit"]]
        if name in of_neuron:
            continue
        if name in values_on_clock:
            lines.append(f"{name} = {values_on_clock[name]} : {unit} (shared)")
        else:
            lines.append(f"{name} : {unit} (shared, constant)")
    for name, param in card.get("param", {}).items():
        unit = param["value"].split()[-1] if " " in param["value"] else "1"
        lines.append(f"{name} : {'second' if unit in ('s', 'ms', 'min', 'h') else BRIAN_UNIT[unit]} (shared, constant)")
    decays = decaying(card)
    for name, state in card.get("state", {}).items():
        if name not in decays:
            lines.append(f"{name} : {BRIAN_UNIT[state['unit']]}")
        elif plain:
            lines += [f"d{name}/dt = -{name}/{decays[name]} : 1 (event-driven)"]
            lines += [f"{name}_now = {name}*exp(-(t - lastupdate)/{decays[name]}) : 1"]
        else:
            lines += [f"{name} : 1", f"{name}_now = {name}*decay : 1", "t_last : second (shared)"]
            lines += [f"decay = exp(-(t - t_last)/{decays[name]}) : 1 (shared)"]
    return Equations("\n".join(lines))


def on_pre(card, of_neuron: set, plain: bool) -> str:
    """What one presynaptic spike does: first read, then write."""
    rename = {name: f"{name}_pre" for name in of_neuron & set(card.get("needs", {}))}
    text = [word_substitute(card["spiking"][rule], rename) for rule in ("read", "write") if rule in card["spiking"]]
    if plain:
        return "\n".join(text)
    for state in decaying(card):
        for k, rule in enumerate(text):
            parts = split(rule, "rule")
            right = word_substitute(parts["rhs"], {state: f"({state}*decay)"})
            if parts["name"] == state:
                right = f"({right})/decay"
            text[k] = f"{parts['name']} {parts['op']} {right}"
    return "\n".join(text)


def decaying(card) -> dict[str, str]:
    """State name to the name of its time constant, for every linear decay of the card."""
    found = [linear_decay(ode) for ode in card["spiking"].get("ode", [])]
    return dict(pair for pair in found if pair)
