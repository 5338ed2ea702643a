"""Refractory time in whole steps: a neuron knows the step at which it is free again. Brian2's own form divides and rounds at every step."""

VARIABLE = "free_again : integer"


def condition(card) -> str | bool:
    """What NeuronGroup takes as ``refractory``."""
    return "t_in_timesteps < free_again" if "refractory" in card["spiking"] else False


def rules(card) -> list[str]:
    """What a spike does to it."""
    return [f"free_again = t_in_timesteps + timestep({card['spiking']['refractory']}, dt)"] if "refractory" in card["spiking"] else []


def variables(card) -> list[str]:
    return [VARIABLE] if "refractory" in card["spiking"] else []
