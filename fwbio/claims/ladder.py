"""The ladder on one axon: after a tetanus the decay of transmission, fitted blind, gives back the time constants of its components.

Ten seconds at 20 Hz, a pause, one test spike: each pause is probed on an axon of its own, so that no test disturbs another, and Brian2 runs
the ladder card's spiking form. The fit knows the form (Magleby & Zengel 1982; Varela et al. 1997) and how many components there are,

    enhancement   g(t)/g_0 = (1 + a1 e^(-t/T1) + a2 e^(-t/T2)) (1 + a3 e^(-t/T3)) (1 + a4 e^(-t/T4))
    depression    g(t)/g_0 = (1 - a1 e^(-t/T1)) (1 - a2 e^(-t/T2)) (1 - a3 e^(-t/T3))

and nothing else: no time constant, no size, no starting value of the card. It is the best of many least-squares fits of log g that start
at random, T log-uniform from 10 ms to 1000 s. Bound 10 %, of each T; with measurement noise of 0.2 % a test, four standard errors of the
fit are asked for instead where they are more (Fisher information: sigma^2 (J^T J)^-1 at the fit).

The rate form multiplies means. The exact mean of the product follows from the generator of the process: a spike moves each state q to
(1 - s) q + s m, rest draws it back, so the means of all 2^7 products of states are a closed linear system, G = sum_i D_i + r (prod_i J_i - 1),
where D_i and J_i act on (1, q_i) and the products are Kronecker products. Brian2 on Poisson trains must agree with it within four standard
errors (false alarm 6e-5 each), the rate form within what the card's [agree] allows for it.
"""

import numpy as np

from fwbio.cards.equations import split
from fwbio.claims import Finding
from fwbio.spiking import axon

CARD, WITHIN, NOISE, STARTS = "ladder", 0.10, 0.002, 20
RATE, SECONDS = 20, 10  # of the tetanus, Hz and s
SHORT, LONG = (0.01, 2.0), (2.0, 600.0)  # pauses, s: in steps of 10 ms, of 50 ms
RANGE = (0.01, 1000.0)  # s, where a fit may start
ENHANCED = ("PTP_30", "PTP_60", "PTP_200")
TAUS = {"enhancement": ("tau_F1", "tau_F2", "tau_A", "tau_P"), "depression": ("tau_1", "tau_2", "tau_3")}
POISSON = (2, 5, 10, 20, 50)  # Hz


def enhancement(p, t):
    """p : log sizes, log time constants, four each."""
    a, T = np.exp(p[:4]), np.exp(p[4:])
    e = [size * np.exp(-t / tau) for size, tau in zip(a, T)]
    return np.log1p(e[0] + e[1]) + np.log1p(e[2]) + np.log1p(e[3])


def depression(p, t):
    """p : sizes on a logistic scale, log time constants, three each."""
    a, T = 1 / (1 + np.exp(-p[:3])), np.exp(p[3:])
    return sum(np.log1p(-size * np.exp(-t / tau)) for size, tau in zip(a, T))


FORMS = {"enhancement": (enhancement, 4), "depression": (depression, 3)}


def pauses(count: int, step: float, low: float, high: float) -> np.ndarray:
    """Log-spaced whole numbers of steps."""
    return np.unique(np.round(np.geomspace(low, high, count) / step).astype(int))


def tested(card, names, count):
    """(pauses in s, {set: log of what a test spike releases over the first spike's}), Brian2."""
    t, found = [], {name: [] for name in names}
    for step, span in ((0.01, SHORT), (0.05, LONG)):
        gaps = pauses(count, step, *span)
        burst = np.round(np.arange(1, RATE * SECONDS + 1) / RATE / step).astype(int)
        trains = [np.append(burst, burst[-1] + gap) for gap in gaps]
        rows = [card["sets"][name] for name in names for _ in gaps]
        seen = axon.release({"c": card}, {"c": axon.values(card, *rows)}, trains * len(names), step)["c", "reduced"]
        t.append(gaps * step)
        for k, name in enumerate(names):
            found[name].append([np.log(r[-1] / r[0]) for r in seen[k * len(gaps) : (k + 1) * len(gaps)]])
    return np.concatenate(t), {name: np.concatenate(value) for name, value in found.items()}


def fit(kind, t, y, seed=0):
    """(time constants, their standard errors for unit noise), from short to long.

    Which components share a factor is not told apart from this: (F1 + P) (F2) (A) fits as well within 0.2 % of noise.
    """
    from scipy.optimize import least_squares

    form, n = FORMS[kind]
    rng, best = np.random.default_rng(seed), None
    for _ in range(STARTS):
        first = np.concatenate([rng.normal(-1, 1, n), rng.uniform(*np.log(RANGE), n)])
        with np.errstate(all="ignore"):  # a start may run away; it is not the best then
            found = least_squares(
                lambda p: np.nan_to_num(form(p, t) - y, nan=1e3, posinf=1e3, neginf=-1e3), first, x_scale="jac", max_nfev=400
            )
        if best is None or found.cost < best.cost:
            best = found
    spread = np.sqrt(np.maximum(np.diag(np.linalg.pinv(best.jac.T @ best.jac)), 0))[n:]
    T = np.exp(best.x[n:])
    order = np.argsort(T)
    return T[order], (spread * T)[order]


def blind(card, kind, name, t, y, noise=0.0) -> Finding:
    """The worst of the fitted time constants, relative to the card's."""
    wanted = axon.values(card, card["sets"][name])
    wanted = np.array([wanted[key][0] for key in TAUS[kind]])
    seen = y + noise * np.random.default_rng(1).standard_normal(len(y))
    found, spread = fit(kind, t, seen)
    off, allowed = np.abs(found / wanted - 1), np.maximum(WITHIN, 4 * noise * spread / wanted)
    worst = int(np.argmax(off / allowed))
    said = f", noise {noise:.1%}" if noise else ""
    data = {"t": t, "y": seen, "found": found, "wanted": wanted, "off": off, "error": noise * spread / wanted}
    return Finding(f"{name}{said}: {TAUS[kind][worst]} fitted blind, off by", float(off[worst]), float(allowed[worst]), data=data)


def generator(card, values, rate):
    """(G, products at the start): the means of all products of states under Poisson spikes, dm/dt = G m."""
    from fwbio.rate.equations import Right

    moving = [s for s in card["state"] if card["state"][s]["index"] == ["pre"]]
    odes = {split(text, "ode")["ode"]: Right(text, values) for text in card["spiking"]["ode"]}
    jumps = {split(rule, "write")["name"]: Right(split(rule, "write")["rhs"], values) for rule in card["spiking"]["write"]}

    def affine(right, state):  # c + k q of a right-hand side that is linear in its own state
        at = [float(right({state: q})) for q in (0.0, 1.0)]
        return at[0], at[1] - at[0]

    size, identity = 2 ** len(moving), np.eye(2)
    rest, jump, start = np.zeros((size, size)), np.ones((1, 1)), np.ones(1)
    for k, state in enumerate(moving):
        c, slope = affine(odes[state], state)
        own = np.kron(np.kron(np.eye(2**k), np.array([[0, 0], [c, slope]])), np.eye(2 ** (len(moving) - 1 - k)))
        rest = rest + own
        c, slope = affine(jumps[state], state)
        jump = np.kron(jump, identity + np.array([[0, 0], [c, slope]]))
        start = np.kron(start, [1, float(Right(card["state"][state]["start"], values)({}))])
    return rest + rate * (jump - np.eye(size)), start, moving


def weights(card, values, moving) -> np.ndarray:
    """The read rule as numbers on the products of states: what each contributes, from the rule's values at all corners q = 0, 1."""
    from fwbio.rate.equations import Right

    rule = split(card["spiking"]["read"], "read")["rhs"].replace("clip(", "(").replace(", 0, 1)", ")")  # the clip is idle, see measure
    read = Right(rule, {**values, **dict.fromkeys(("read_gain", "n", "r0", "w"), 1.0)})
    corners = np.indices([2] * len(moving)).reshape(len(moving), -1)
    found = np.array([float(read(dict(zip(moving, corner)))) for corner in corners.T])
    for k in range(len(moving)):  # Moebius inversion, state by state: f(1) - f(0)
        cube = found.reshape(2**k, 2, -1)
        found = np.stack([cube[:, 0], cube[:, 1] - cube[:, 0]], axis=1).ravel()
    return found


def exact(card, values, rate, duration):
    """The mean release of a spike that comes ``duration`` s after the start of a Poisson train of ``rate`` Hz."""
    from scipy.linalg import expm

    G, start, moving = generator(card, values, rate)
    return float(weights(card, values, moving) @ expm(duration * G) @ start)


def rate_form(card, values, rate, duration):
    """What the card's rate block says of the same."""
    from scipy.integrate import solve_ivp

    from fwbio.rate.equations import Right

    known = {**values, **dict.fromkeys(("read_gain", "n", "h_pre", "w"), 1.0), "r0": float(rate)}
    odes = {split(text, "ode")["ode"]: Right(text, known) for text in card["rate"]["ode"]}
    start = [float(Right(card["state"][s]["start"], known)({})) for s in odes]
    found = solve_ivp(lambda _, y: [ode(dict(zip(odes, y))) for ode in odes.values()], (0, duration), start, "LSODA", rtol=1e-9, atol=1e-12)
    return float(Right(split(card["rate"]["read"], "read")["rhs"], known)(dict(zip(odes, found.y[:, -1]))))


def poisson(card, axons, duration=1.0, step=2e-4):
    """Three findings: Brian2 against the exact means, the rate form against them, and that the clip does nothing."""
    from fwbio.rate.equations import Right

    rng, table = np.random.default_rng(3), {key: float(value[0]) for key, value in axon.values(card).items()}
    rates, end = np.repeat(POISSON, axons), round(duration / step)
    trains = [np.append(np.flatnonzero(rng.random(end) < rate * step), end) for rate in rates]
    seen = axon.release({"c": card}, {"c": axon.values(card)}, trains, step)["c", "reduced"]
    last = np.array([r[-1] for r in seen]).reshape(len(POISSON), axons)
    wanted = np.array([exact(card, table, rate, duration) for rate in POISSON])
    said = np.array([rate_form(card, table, rate, duration) for rate in POISSON])
    error = last.std(axis=1, ddof=1) / axons**0.5
    known = [{**table, "n": 1e30, "r0": 1.0, "h_pre": float(rate), "duration": duration} for rate in POISSON]
    for given in known:
        for name, text in card["agree"]["where"].items():
            given[name] = Right(text, given)({})
    allowed = np.array([float(Right(card["agree"]["bound"], given)({})) for given in known])
    excess = np.abs(said / wanted - 1)
    worst = int(np.argmax(excess / allowed))
    data = {"rates": np.array(POISSON), "seen": last.mean(axis=1), "error": error, "exact": wanted, "said": said, "allowed": allowed}
    full = table["U"] * (1 + table["F1_max"] + table["F2_max"]) * (1 + table["A_max"]) * (1 + table["P_max"])
    return [
        Finding("Poisson: Brian2 against the exact mean of the product, largest |z|", float(np.abs((last.mean(axis=1) - wanted) / error).max()), 4.0, data=data),
        Finding("Poisson: largest standard error of these, relative", float((error / wanted).max()), 0.015 if axons > 100 else 0.04),
        Finding("Poisson: rate form off the exact mean, against the bound of the card", float(excess[worst]), float(allowed[worst])),
        Finding("the largest release that the shares allow (the clip does nothing)", full, 1.0),
    ]  # fmt: skip


def measure(full=False) -> list[Finding]:
    from fwbio.cards import reader

    card = reader.read(CARD)
    t, y = tested(card, [*ENHANCED, "depression"], 60 if full else 24)
    found = [blind(card, "enhancement", name, t, y[name]) for name in ENHANCED]
    found.append(blind(card, "depression", "depression", t, y["depression"]))
    found.append(blind(card, "depression", "depression", t, y["depression"], NOISE))
    if full:
        found += [blind(card, "enhancement", name, t, y[name], NOISE) for name in ENHANCED]
    return found + poisson(card, 400 if full else 60)


def draw(findings):
    """Decay of transmission with the blind fit's components, what was fitted, and the rate form's bias."""
    from fwbio.figures import canvas

    fits = [f for f in findings if "t" in f.data and "noise" not in f.claim]
    data = next(f.data for f in findings if "seen" in f.data)
    caption = (
        "Left: release of one test spike after 10 s at 20 Hz, over its release at rest; each pause on an axon of its own (Brian2); lines: the blind "
        "fit. Middle: fitted time constants over the card's; a dot outside the band (10 %) would be a failure. Right: mean release of a spike 1 s into "
        "a Poisson train over the exact mean; dots: Brian2 with four standard errors, which must cross 1; line: the rate form, which may leave by no "
        "more than the dashed bound of the card."
    )
    with canvas(12, 4.6, caption, 1, 3) as (figure, (decay, taus, mean)):
        for k, f in enumerate(fits):
            kind, name = ("depression" if len(f.data["found"]) == 3 else "enhancement"), f.claim.split(":")[0]
            decay.plot(f.data["t"], np.exp(f.data["y"]), "o", ms=3, mfc="none", color=f"C{k}", label=name)
            form, n = FORMS[kind]
            smooth = np.geomspace(*RANGE, 300)
            from scipy.optimize import least_squares

            size = least_squares(
                lambda p, f=f, form=form: form(np.concatenate([p, np.log(f.data["found"])]), f.data["t"]) - f.data["y"], np.zeros(n)
            )
            decay.plot(smooth, np.exp(form(np.concatenate([size.x, np.log(f.data["found"])]), smooth)), lw=0.8, color=f"C{k}")
            taus.plot(f.data["wanted"], f.data["found"] / f.data["wanted"], "o", ms=5, mfc="none", color=f"C{k}")
        taus.axhspan(1 - WITHIN, 1 + WITHIN, color="0.9", zorder=0)
        decay.axhline(1, color="0.6", lw=0.8)
        decay.set(xlabel="pause after the tetanus (s)", ylabel="release over its release at rest (1)", xscale="log", yscale="log")
        decay.legend()
        taus.set(xlabel="time constant of the card (s)", ylabel="fitted over the card's (1)", xscale="log", ylim=(0.8, 1.2))
        mean.errorbar(data["rates"], data["seen"] / data["exact"], 4 * data["error"] / data["exact"], fmt="o", ms=4, label="Brian2")
        mean.plot(data["rates"], data["said"] / data["exact"], label="rate form")
        for sign in (-1, 1):
            mean.plot(data["rates"], 1 + sign * data["allowed"], ls="--", color="black", lw=0.8)
        mean.set(xlabel="rate of the Poisson train (Hz)", ylabel="mean release over the exact mean (1)", xscale="log")
        mean.set_xticks(POISSON, [str(rate) for rate in POISSON])
        mean.minorticks_off()
        mean.legend()
    return figure
