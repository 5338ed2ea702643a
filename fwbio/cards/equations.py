"""What an equation in a card may be: a whitelist over Python's own parser. Nothing of a card is ever evaluated."""

import ast
import re

from fwbio.cards.grammar import AMBIENT, FUNCTIONS
from fwbio.errors import BadInput, nearest

NODES = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Compare,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.Pow,
    ast.USub,
    ast.UAdd,
    ast.Lt,
    ast.Gt,
    ast.LtE,
    ast.GtE,
)
LONGEST = 400  # characters; how deep a longer one may nest depends on the Python that reads it
# dx/dt = RHS : unit (flags)   |   x_post = RHS : unit (flags)   |   x += RHS   |   RHS
SHAPE = re.compile(
    r"(?:(?:d(?P<ode>\w+)/dt|(?P<name>\w+))\s*(?P<op>\+?=)\s*)?(?P<rhs>[^:=#]+?)\s*"
    r"(?::\s*(?P<unit>1|Hz|volt/second|volt|second|amp)\s*(?:\((?P<flags>summed|unless refractory)\))?)?",
    re.ASCII,
)


def split(text: str, where: str) -> re.Match:
    """Left side, operator, right side, unit and flags of one equation; raises BadInput for anything else."""
    match = SHAPE.fullmatch(text.strip())
    if match is None or not (text.isascii() and text.isprintable()):
        raise BadInput(f"{where} = {text!r}: not an equation on one line; write 'dx/dt = … : unit', 'x = …', 'x += …' or an expression")
    return match


def names(expression: str, where: str) -> set[str]:
    """The variables an expression uses; raises BadInput for anything that is not plain arithmetic."""
    if len(expression) > LONGEST:
        raise BadInput(f"{where} = {expression[:60]!r}…: {len(expression)} characters; an equation has at most {LONGEST}")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BadInput(f"{where} = {expression!r}: cannot be read as arithmetic") from None
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, NODES):
            raise BadInput(f"{where} = {expression!r}: {type(node).__name__} is not allowed in an equation, only arithmetic is")
        if isinstance(node, ast.Constant) and (type(node.value) not in (int, float) or abs(node.value) > 1e300):
            raise BadInput(f"{where} = {expression!r}: {node.value!r} is not a finite number")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and any(isinstance(n, ast.Pow) for n in ast.walk(node.right)):
            raise BadInput(f"{where} = {expression!r}: a power of a power; write it with brackets to the left, (a**b)**c")
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
                name = node.func.id if isinstance(node.func, ast.Name) else type(node.func).__name__
                raise BadInput(f"{where} = {expression!r}: unknown function '{name}'{nearest(name, FUNCTIONS)}")
            if node.keywords:
                raise BadInput(f"{where} = {expression!r}: a function takes plain arguments only")
        if isinstance(node, ast.Name):
            found.add(node.id)
    return found - FUNCTIONS


def check(text: str, declared, where: str) -> None:
    """Raises BadInput unless ``text`` is one equation over the ``declared`` names."""
    match = split(text, where)
    used = names(match["rhs"], where)
    used |= {match["ode"] or match["name"]} - {None}
    known = set(declared) | AMBIENT
    for name in sorted(used):
        bare = re.sub(r"_(pre|post)$", "", name)
        if name not in known and bare not in known:
            raise BadInput(f"{where} = {text!r}: '{name}' is not declared in this card{nearest(name, known)}")


def texts(block: dict) -> list[tuple[str, str]]:
    """Key and text of everything a block says, the rules at one end of a synapse (``pre``, ``post``) each by itself."""
    found = []
    for key, value in block.items():
        value = [*value["do"], *([value["delay"]] if "delay" in value else [])] if isinstance(value, dict) else value
        found += [(key, text) for text in (value if isinstance(value, list) else [value])]
    return found


def written(card: dict, index: tuple[str, ...], rules=None) -> list[str]:
    """The rules of a synapse card (``write``, or those given) whose state lives on ``index``, for instance ("post", "pre")."""
    rules = card["spiking"].get("write", []) if rules is None else rules
    return [rule for rule in rules if tuple(card["state"][split(rule, "write")["name"]]["index"]) == index]


def divisors(ode: str) -> set[str]:
    """The names that an equation divides by: time constants that must be above 0."""
    tree = ast.parse(split(ode, "ode")["rhs"].strip(), mode="eval")
    divisions = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
    return {node.right.id for node in divisions if isinstance(node.right, ast.Name)}


AT_ONCE = 1e-12  # s; what tau = 0 is given as: exp(-dt/tau) is then exactly 0.0 in double precision for every dt above 7.5e-10 s


def coupled(card: dict) -> set[str]:
    """The states whose equations hold another state with an equation, and those others."""
    odes = {split(text, "ode")["ode"]: text for text in card["spiking"].get("ode", [])}
    uses = {key: names(split(text, "ode")["rhs"], "ode") & odes.keys() for key, text in odes.items()}
    return set().union(*({key} | used for key, used in uses.items() if used - {key}))


def at_once(card: dict) -> set[str]:
    """The time constants of a synapse card that may be 0: a state of the axon is then back at rest before the next spike.

    Between spikes it must move by itself: the exact solution of coupled equations has differences of time constants that overflow.
    """
    if card["role"] != "synapse":
        return set()
    odes = {split(text, "ode")["ode"]: text for text in card["spiking"].get("ode", [])}
    free = {key for key in odes.keys() - coupled(card) if card["state"][key]["index"] == ["pre"]}
    return {name for key in free for name in divisors(odes[key])} - {n for k in odes.keys() - free for n in divisors(odes[k])}


def linear_decay(ode: str) -> tuple[str, str] | None:
    """``("A", "tau")`` where the equation is dA/dt = -A/tau, a decay that all synapses can share; else None."""
    match = split(ode, "ode")
    if not match["ode"]:
        return None
    tree = ast.parse(match["rhs"].strip(), mode="eval").body
    if not (isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div) and isinstance(tree.right, ast.Name)):
        return None
    left = tree.left
    is_minus_state = isinstance(left, ast.UnaryOp) and isinstance(left.op, ast.USub) and isinstance(left.operand, ast.Name)
    return (match["ode"], tree.right.id) if is_minus_state and left.operand.id == match["ode"] else None
