"""Where each neuron's random numbers start: SplitMix64 (Steele, Lea & Flood 2014, OOPSLA, doi 10.1145/2660193.2660195, figs. 16, 17)."""

import numpy as np

GAMMA, FIRST, SECOND = 0x9E3779B97F4A7C15, np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
ELEVEN, TWENTY_SEVEN, THIRTY, THIRTY_ONE = (np.uint64(n) for n in (11, 27, 30, 31))


def mixed(z: np.ndarray) -> np.ndarray:
    """SplitMix64's bijection of 64 bits, in place."""
    z ^= z >> THIRTY
    z *= FIRST
    z ^= z >> TWENTY_SEVEN
    z *= SECOND
    z ^= z >> THIRTY_ONE
    return z


def streams(seed: int, trials, cells: int) -> np.ndarray:
    """A stream for each of ``cells`` neurons of each trial, (trials * cells,); whole numbers below 2**53, which a double holds.

    trials : their numbers; a trial's streams depend on ``seed``, its own number and the neuron's alone.
    """
    roots = [np.random.SeedSequence(seed, spawn_key=(int(k),)).generate_state(1, np.uint64)[0] for k in trials]
    z = np.array(roots, np.uint64)[:, None] + np.arange(cells, dtype=np.uint64) * np.uint64(GAMMA)
    return (mixed(z) >> ELEVEN).astype(float).ravel()


def drawn(neuron: dict) -> bool:
    """Whether a neuron card's random numbers are these: rand() in its threshold or equations. Those drawn inside a step (xi) are Brian2's."""
    return any("rand()" in text for text in [neuron["spiking"]["threshold"], *neuron["spiking"].get("ode", [])])


def own_draws(texts: list[str]) -> list[str]:
    """The same texts with each rand() the neuron's own next number."""
    many, made = sum(text.count("rand()") for text in texts), []
    step = "t_in_timesteps" if many == 1 else f"{many}*t_in_timesteps"
    for text in texts:
        while "rand()" in text:
            at = sum(t.count("draw(stream") for t in [*made, text])
            text = text.replace("rand()", f"draw(stream, {step}{f' + {at}' if at else ''})", 1)
        made.append(text)
    return made
