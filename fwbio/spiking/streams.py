"""Where each neuron's random numbers start: SplitMix64 (Steele, Lea & Flood 2014, OOPSLA, doi 10.1145/2660193.2660195, figs. 16, 17)."""

import numpy as np

GAMMA, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def mixed(z: np.ndarray) -> np.ndarray:
    """SplitMix64's bijection of 64 bits."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(FIRST)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(SECOND)
    return z ^ (z >> np.uint64(31))


def streams(seed: int, trials, cells: int) -> np.ndarray:
    """A stream for each of ``cells`` neurons of each trial, (trials * cells,); whole numbers below 2**53, which a double holds.

    trials : their numbers; a trial's streams depend on ``seed``, its own number and the neuron's alone.
    """
    roots = [np.random.SeedSequence(seed, spawn_key=(int(k),)).generate_state(1, np.uint64)[0] for k in trials]
    with np.errstate(over="ignore"):
        z = np.array(roots, np.uint64)[:, None] + np.arange(cells, dtype=np.uint64) * np.uint64(GAMMA)
        return (mixed(z) >> np.uint64(11)).astype(float).ravel()
