"""What the states of a synapse do between two events, where one moves another (resources in the cleft, y, and recovered ones, x).

dx/dt = M x + b has x(t) = x* + exp(M t) (x(0) - x*), M x* = -b. Brian2 writes exp(M t) with exp(+t/tau), which is inf after 710 time
constants, times exp(-t/tau), which is 0 then: not a number, after 2 s of silence with tau = 3 ms, and nothing says so. Here it is
Sylvester's sum of decaying exponentials (Moler & Van Loan, SIAM Rev 45 (2003) 3, method 14), l_k the rates on the diagonal of M:

    exp(M t) = sum_k exp(l_k t) prod_(j != k) (M - l_j)/(l_k - l_j)
"""

from functools import lru_cache

from fwbio.cards.equations import coupled, split
from fwbio.errors import BadInput

LAST = "last_event : second"


@lru_cache
def solved(odes: tuple[str, ...]) -> tuple[str, ...]:
    """Statements that move the states of ``odes`` from ``last_event`` to t, whatever else they name being constant."""
    import sympy
    from brian2.parsing.sympytools import str_to_sympy, sympy_to_str

    parts = [split(text, "ode") for text in odes]
    states = [sympy.Symbol(part["ode"], real=True) for part in parts]
    right = [sympy.expand(str_to_sympy(part["rhs"])) for part in parts]
    M = sympy.Matrix([[sympy.diff(r, x) for x in states] for r in right])
    rates, one = list(M.diagonal()), sympy.eye(len(states))
    if len(set(rates)) < len(rates) or not nilpotent(M - sympy.diag(*rates)):
        raise BadInput(f"{'; '.join(odes)}: states that move each other must do so in one direction and each at a rate of its own")
    rest = -M.inv() * sympy.Matrix([r.subs({x: 0 for x in states}) for r in right])
    terms = [
        sympy.prod([(M - other * one) / (rate - other) for other in rates if other != rate], start=one) * (sympy.Matrix(states) - rest)
        for rate in rates
    ]
    texts = []
    for row, end in enumerate(rest):
        found = [(rate, sympy.simplify(term[row])) for rate, term in zip(rates, terms)]
        decays = [f"({sympy_to_str(c)})*exp({sympy_to_str(rate)}*(t - last_event))" for rate, c in found if c != 0]
        texts.append(" + ".join([f"({sympy_to_str(sympy.simplify(end))})", *decays]))
    names = [part["ode"] for part in parts]
    return (*(f"{name}_next = {text}" for name, text in zip(names, texts)), *(f"{name} = {name}_next" for name in names), "last_event = t")


def nilpotent(M) -> bool:
    """Whether no state is moved by itself through others."""
    return (M ** M.shape[0]).is_zero_matrix


def statements(card) -> list[str]:
    """What comes before the rules at every event of a synapse; nothing for cards whose states move by themselves (Brian2 does those)."""
    return list(solved(tuple(card["spiking"]["ode"]))) if coupled(card) else []
