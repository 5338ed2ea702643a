"""A wipe: one carrier of memory set to zero in the instant between two tokens of a paced network, to see what the others hold.

    h    activity: the dendrites' currents, and with them the W h that was about to be latched; the next token starts like the first
    A    the fast weights of every level
    W    the slow weights, for good; the W h that they have already brought to the dendrites is activity and stays

The same in all three descriptions. What an axon keeps for itself (u, x, a trace) is none of the three and stays; so does the membrane
of a neuron, which forgets the phase before within ``settle``.
"""

from dataclasses import dataclass

from fwbio.errors import BadInput, nearest
from fwbio.quantities import whole

WHAT = ("h", "A", "W")


@dataclass(frozen=True)
class Wipe:
    """``what`` is h, A or W; ``before`` the token (from 0) that is the first to find it gone."""

    what: str
    before: int


def of(table, paced: bool, where: str) -> Wipe | None:
    """The wipe that ``{"what": "A", "before": 8}`` asks for; None for None. Raises BadInput for anything else."""
    if table is None or isinstance(table, Wipe):
        return table
    if not isinstance(table, dict) or set(table) != {"what", "before"}:
        raise BadInput(f'{where} = {table!r}: write {{what = "A", before = 8}}: which of h, A, W, and before which token')
    if table["what"] not in WHAT:
        raise BadInput(f"{where}.what = {table['what']!r}: use h, A or W{nearest(str(table['what']), WHAT)}")
    if not paced:
        raise BadInput(f"{where}: a free-running network has no tokens to wipe between; use a card with a [clock]")
    return Wipe(table["what"], whole(table["before"], f"{where}.before"))


def check(wipe: Wipe | None, tokens: int) -> None:
    """Raises BadInput if the wipe comes after the last of ``tokens``: it would change nothing."""
    if wipe and wipe.before >= tokens:
        raise BadInput(f"wipe.before = {wipe.before}: these trials have {tokens} tokens; use 1 to {tokens - 1}")
