"""For how long a synapse holds a pattern: shown once, left alone, read by one volley; spikes against the card's rate form.

Three kinds of cells, n axons each. Cells of all kinds are driven for as long, those of ``both`` and ``apart`` get the same spikes:

    both    axons and cell are active together         apart   the cell before its axons, with a gap
    silent  the cell alone: its axons carry nothing

Which axons fired is told by ``both`` against ``silent``, which axon met which cell (a pairing) by ``both`` against ``apart``. In a
volley each axon fires with p = 1/2 and transmits g (1 + A for fast weights beside a slow weight of 1). Readability is the difference
in units of what synapses at rest, all g_0, scatter by: sd = g_0 sqrt(p (1 - p)/n), and so (both, the exact noise is that of the volley)

    d' = p (g_both - g_other) / (g_0 sqrt(p (1 - p)/n)) = sqrt(n p/(1 - p)) (g_both - g_other)/g_0

g comes from the rate equations. They are off by at most ``off``, the card's own bound, [agree], for n to infinity, when the showing
ends; then every error decays. With u at least u(0) exp(-T/tau_f), x at least x(0), both the correlation of u and x, off u(0) x(0)
exp(-T/tau_f - T/tau_d), and what it has made of the mean of x, off u(T) x(0) exp(-T/tau_d), of the opposite sign, stay below
off g(T) exp(-T/tau_d), and so below off g(T) exp(-T/slowest clock). In a product of shares with exact means only the covariances are
off; relative to their two factors m, which fall no faster than to 1, they decay at 1/(tau m) + 1/(tau' m') or faster. That is again
more than 1/slowest clock as long as no factor is above 2 except quick ones (at 1/(tau m) themselves quicker than the slowest clock).
"""

import math
from dataclasses import dataclass

import numpy as np

from fwbio.cards.equations import divisors, split
from fwbio.rate.equations import Right
from fwbio.spiking.volleys import VOLLEY

KINDS = {"both": (1, 1, 0), "apart": (1, 0, 1), "silent": (0, 1, 0)}  # axons, cell; and the cell before them: h in each phase
QUESTIONS = {"axons": "silent", "pairs": "apart"}  # what ``both`` is held against
SHOW, GAP, DT, RATE = 1.0, 0.5, 1e-3, 20.0  # s, s, s, Hz
ERRORS = 5  # standard errors: of 1000 figures, one too far off by chance in less than a hundredth of all seeds
ONE = 0.01  # of its top: how far a curve may be from one exponential and still be called one


@dataclass(frozen=True)
class Kept:
    """d' at each wait (s) by question: measured, its standard error, derived, and how far the rate form may be off."""

    waits: np.ndarray
    measured: dict[str, np.ndarray]
    error: dict[str, np.ndarray]
    derived: dict[str, np.ndarray]
    bias: dict[str, np.ndarray]

    def off(self, question) -> float:
        """The worst difference of measured from derived, beyond what the rate form may be off, in standard errors (at most ERRORS)."""
        apart = np.abs(np.subtract(self.measured[question], self.derived[question])) - self.bias[question]
        return float((apart / self.error[question]).max())


def numbers(card, set=None, **given) -> tuple[dict, dict]:
    """(what the card is given, in text; every parameter and need in SI units) for spikes at RATE and one showing a SHOW."""
    from fwbio.spiking import own

    card = own.synapse_card(card)
    needs = {"n": "1", "r0": f"{RATE} Hz", "read_gain": f"{RATE} Hz", "write_gain": f"{1 / SHOW} Hz"}
    text = {**{k: v for k, v in needs.items() if k in card["needs"]}, **card.get("sets", {}).get(set, {}), **given}
    return text, own.chosen(card, None, text, card["name"])


def clocks(card, values) -> dict[str, float]:
    """The time constants of a card's spiking equations, s; infinity for a state that spikes move and no equation does."""
    odes = {split(ode, "ode")["ode"]: ode for ode in card["spiking"].get("ode", [])}
    still = {name: math.inf for rule in card["spiking"].get("write", []) for name in [split(rule, "rule")["name"]] if name not in odes}
    return still | {name: values[name] for ode in odes.values() for name in divisors(ode)}


def waits(clocks: dict[str, float], shortest: float = 0.01, longest: float = 600.0) -> np.ndarray:
    """1, 2, 5, 10 … of ``shortest``, to five of the longest time constant; to ``longest`` where that is infinite or missing. s"""
    slowest = max(clocks.values(), default=math.inf)
    until = longest if math.isinf(slowest) else 5 * slowest
    decades = 10.0 ** np.arange(0, math.ceil(math.log10(until / shortest)) + 1)
    grid = shortest * np.outer(decades, (1, 2, 5)).ravel()
    return grid[: np.searchsorted(grid, until) + 1]


def transmitted(card, values, waits, show=SHOW, gap=GAP) -> np.ndarray:
    """g of the rate form after each wait, (kinds, waits), by the implicit solver Radau."""
    from scipy.integrate import solve_ivp

    odes = {ode.name: ode for ode in (Right(text, values) for text in card["rate"].get("ode", []))}
    fixed = {name: 1.0 for name, state in card["state"].items() if state["start"] == "weight"}
    read, start = Right(card["rate"]["read"], values), [float(Right(card["state"][name]["start"], values)({})) for name in odes]
    found = []
    for axon, cell, before in KINDS.values():
        y = np.array(start)
        for h_pre, h_post, at in ((0, before, [show]), (0, 0, [gap]), (axon, cell, [show]), (0, 0, waits)):

            def slope(_, y, h_pre=h_pre, h_post=h_post):
                now = {**dict(zip(odes, y)), **fixed, "h_pre": h_pre, "h_post": h_post}
                return [ode(now) for ode in odes.values()]

            if odes:
                course = solve_ivp(slope, (0, at[-1]), y, "Radau", at, rtol=1e-7, atol=1e-10).y
                y = course[:, -1]
        states = dict(zip(odes, course[:, :, None])) if odes else {}
        sent = read({**states, **{k: np.ones((len(waits), 1)) for k in fixed}, "h_pre": 1.0, "h_post": 0.0})
        found.append(sent / values["read_gain"] + (0.0 if fixed else 1.0))
    return np.array(found)


def derived(card, values, waits, axons, show=SHOW, gap=GAP) -> tuple[dict, dict]:
    """(d', how far the rate form may be off) at each wait, by question."""
    g = dict(zip(KINDS, transmitted(card, values, waits, show, gap)))
    scale = math.sqrt(axons * VOLLEY / (1 - VOLLEY)) / g["silent"]
    d = {question: scale * (g["both"] - g[other]) for question, other in QUESTIONS.items()}
    known = {**values, "n": 1e30, "h_pre": 1.0, "duration": show}
    for name, text in card["agree"].get("where", {}).items():
        known[name] = float(Right(text, known)({}))
    off = float(Right(card["agree"]["bound"], known)({}))
    bias = {question: off * np.abs(value) for question, value in d.items()}
    if card["agree"]["quantity"] == "I":  # what is transmitted as a whole
        bias["axons"] = off * scale * g["both"] * np.exp(-waits / max(clocks(card, values).values(), default=math.inf))
    return d, bias


def keep(card, given, values, waits, axons=50, trials=60, show=SHOW, gap=GAP, dt=DT, seed=0) -> Kept:
    """The pattern shown to the card's spiking form and read after each wait. given, values : of ``numbers``."""
    from fwbio.spiking import volleys

    heard = dict(zip(KINDS, volleys.volleys(card, list(KINDS.values()), waits, axons, trials, show, gap, dt, given, seed)))
    sd = heard["silent"].std(ddof=1)  # at rest nothing depends on the wait
    d, bias = derived(card, values, waits, axons, show, gap)
    measured, error = {}, {}
    for question, other in QUESTIONS.items():
        a, b = heard["both"], heard[other]
        measured[question] = (a.mean(axis=1) - b.mean(axis=1)) / sd
        noise = np.sqrt((a.var(axis=1, ddof=1) + b.var(axis=1, ddof=1)) / trials) / sd
        error[question] = np.hypot(noise, measured[question] / math.sqrt(2 * (heard["silent"].size - 1)))
    return Kept(np.asarray(waits), measured, error, d, bias)


def decay(kept: Kept, question: str) -> dict:
    """One exponential through what is read, from its derived top on: rate of decay (1/s), of the derived curve too, and bounds.

    Weighted least squares. ``bound`` : ERRORS standard errors, and what the bias of the curve can do to its slope. ``one`` : whether
    the derived curve is one exponential. ``crosses`` : whether it changes sign. lambda a token is exp(-rate * token).
    """
    from scipy.optimize import curve_fit

    curve = kept.derived[question]
    use = slice(int(np.abs(curve).argmax()), None)
    t, error, scale = kept.waits[use], kept.error[question][use], np.abs(curve).max()

    def shape(t, top, rate):
        return top * np.exp(-rate * t)

    def fit(y):
        below = np.abs(y) < np.abs(y[0]) / 2
        first = math.log(2) / t[below.argmax()] if below.any() else 0.0
        return curve_fit(shape, t, y, (y[0], first), error, absolute_sigma=True)

    (top, rate), _ = fit(curve[use])
    (_, wanted), spread = fit(kept.measured[question][use])
    slopes = np.stack([np.exp(-rate * t), -top * t * np.exp(-rate * t)]) / error
    lever = np.linalg.solve(slopes @ slopes.T, slopes)[1] / error  # what a unit of each point does to the rate
    off = float(np.abs(lever) @ kept.bias[question][use])
    sd = float(np.sqrt(spread[1, 1]))
    return {
        "rate": float(wanted), "sd": sd, "derived": float(rate), "bound": ERRORS * sd + off, "from": float(t[0]),
        "one": bool(np.abs(shape(t, top, rate) - curve[use]).max() < ONE * scale),
        "crosses": bool(np.any(curve[:-1] * curve[1:] < 0) and min(curve.max(), -curve.min()) > 0.05 * scale),
    }  # fmt: skip
