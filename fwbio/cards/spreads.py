"""Synapses are not all alike: parameters drawn from a named set of a card and its spread, or from a mix of sets.

Each parameter is normal with the set's value as mean and the card's [spreads] as s.d., drawn again where it is not legal: shares (unit 1)
lie between 0 and 1, all others above 0. For wide sets that moves the mean: with a the mean over the s.d., a normal cut off at 0 has
mean m + s phi(a)/Phi(a), for instance tau_d of I2 743 ms instead of 706 ms.
"""

import numpy as np

from fwbio.cards import reader
from fwbio.errors import BadInput, nearest
from fwbio.quantities import quantity, unit_of, whole


def draw(card, which, n: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Every parameter of ``n`` synapses (or axons) in SI units, (n,) each; the same seed gives the same.

    which : the name of a set of the card, or of one of its mixes; a set without a spread gives n equal ones

    For ``fwbio.spiking.axon.release`` as they are; in one's own network assign them to the variables of ``fwbio.synapses``.
    Raises BadInput for a name that the card does not have.
    """
    tables = card if isinstance(card, dict) else reader.read(card)
    sets, mixes = tables.get("sets", {}), tables.get("mixes", {})
    if which not in {**sets, **mixes}:
        raise BadInput(f"{tables['name']}: no set or mix {which!r}{nearest(which, {**sets, **mixes})}")
    rng, shares = np.random.default_rng(seed), mixes.get(which, {which: 1.0})
    kind = rng.choice(list(shares), size=whole(n, "n"), p=list(shares.values()))
    found = {key: np.empty(n) for key in tables["param"]}
    for name in shares:
        own = np.flatnonzero(kind == name)
        for key, entry in tables["param"].items():
            where, unit = f"{tables['name']}.{name}.{key}", unit_of(entry["value"])
            mean = quantity(sets[name].get(key, entry["value"]), unit, where)
            sd = quantity(tables.get("spreads", {}).get(name, {}).get(key, f"0 {unit}".removesuffix(" 1")), unit, where, low=0)
            found[key][own] = legal_normal(rng, mean, sd, len(own), 1.0 if unit == "1" else np.inf)
    return found


def legal_normal(rng, mean, sd, n, top) -> np.ndarray:
    """Normal numbers, drawn again outside 0 to ``top``."""
    values = np.full(n, mean)
    if sd:
        again = np.arange(n)
        while len(again):
            values[again] = rng.normal(mean, sd, len(again))
            again = again[(values[again] <= 0) | (values[again] > top)]
    return values
