"""Claim: what Brian2 releases at each spike is the recursion of Tsodyks & Markram, to round-off, on every target and in both forms.

Recursion (Tsodyks, Pawelzik & Markram 1998), spike by spike with interval T, u' = u + U (1 - u):
    A  u relaxes to 0, releases u' x, depletes by u'x     C  u relaxes to U, releases u' x, depletes by u' x
    B  u relaxes to U, releases u x,  depletes by u x     D  u relaxes to U, releases u x,  depletes by u' x

Bound 1e-12. One step of the reduced form multiplies the distance from rest by exp(-dt/tau): at most 3 roundings of 1.1e-16. They are
forgotten with tau, so at most 3.3e-16 tau/dt is alive: 5e-13 for the longest tau here, 1.5 s, and dt = 1 ms; the plain form rounds
once a spike, but from t - lastupdate, which at t = 600 s is rounded by 1e-13 s: up to 2.5e-12 for tau = 45 ms, growing with t. At
dt = 0.1 ms the reduced worst case is 5e-12; roundings seldom conspire, and 1e-12 is asked for 10 minutes at 0.1 ms too (0.76e-12 seen).

A and B are one model (B's u is A's u'), C is another: its first spike releases U (2 - U). Regular train of interval T:
    u = U/(1 - (1 - U) e^(-T/tau_f)),  x = (1 - e^(-T/tau_d))/(1 - (1 - u) e^(-T/tau_d)),  45 s after its start: e^(-45 s/1.5 s) = 1e-13
Three states (x, y, z = 1 - x - y; dx/dt = z/tau_d, dy/dt = -y/tau_psc) drive the membranes of Fig. 1A, B of the paper.
Oracles here share nothing with the program: plain Python, and SciPy's DOP853 from spike to spike.
"""

import math

import numpy as np

from fwbio.cards.equations import AT_ONCE
from fwbio.claims import Finding
from fwbio.spiking import axon

CARDS = {"A": "tsodyks_markram_a", "B": "tsodyks_markram", "C": "tsodyks_markram_c", "D": "tsodyks_markram_d"}
RATES, DT, ROUND_OFF = (5, 10, 20, 50), 1e-3, 1e-12
# Fig. 1 of TM98: spikes reach the synapse 1.1 ms late. Oracle: membrane (mV) at time (ms), computed elsewhere
FIGURE_1 = {
    "A": {
        "set": "TM98_depressing", "start": 98.0, "every": 50.0, "tau_psc": "3 ms", "pA": 250, "tau_m": 40e-3, "pF": 40,
        "mV": {100: 2.40135, 125: 5.30244, 150: 4.10833, 1075: 0.846346},
    },
    "B": {
        "set": "TM98_facilitating", "start": 98.1, "every": 50.1, "tau_psc": "1.5 ms", "pA": 1540, "tau_m": 60e-3, "pF": 60,
        "mV": {100: 0.473975, 125: 0.770603, 1075: 7.32911},
    },
}  # fmt: skip
LATE, SPIKES_1 = 1.1, 20


def recursion(convention, U, tau_d, tau_f, times, dt=1.0) -> list[float]:
    """Release of each spike, in plain Python. times : in steps of dt (s), so that intervals are exact. tau_f = 0: no facilitation."""
    rest = 0.0 if convention == "A" else U
    u, x, released, last = rest, 1.0, [], None
    for t in times:
        if last is not None:
            u = rest + (u - rest) * (math.exp(-(t - last) * dt / tau_f) if tau_f > 0 else 0.0)
            x = 1 + (x - 1) * math.exp(-(t - last) * dt / tau_d)
        after = u + U * (1 - u)
        out, gone = {"A": (after, after), "B": (u, u), "C": (after, after), "D": (u, after)}[convention]
        released.append(out * x)
        x, u, last = x - gone * x, after, t
    return released


def integrated(values, gaps) -> np.ndarray:
    """Release of each spike in convention B by solve_ivp from spike to spike. gaps : (axons, spikes) in s."""
    from scipy.integrate import solve_ivp

    U = values["U"]
    rest, tau = np.concatenate([U, np.ones_like(U)]), np.concatenate([values["tau_f"], values["tau_d"]])
    y, released = rest, []
    for gap in gaps.T:  # all axons at once, each over its own interval as one unit of s = t/gap
        speed = np.tile(gap, 2) / tau
        y = solve_ivp(lambda s, y, speed=speed: (rest - y) * speed, (0, 1), y, "DOP853", rtol=1e-13, atol=1e-14).y[:, -1]
        u, x = np.split(y, 2)
        released.append(u * x)
        y = np.concatenate([u + U * (1 - u), x - u * x])
    return np.array(released).T


def closed_form(U, tau_d, tau_f, rate):
    """Release of every spike of a regular train, after long."""
    D = np.exp(-1 / (rate * tau_d))
    u = U / (1 - (1 - U) * np.exp(-1 / (rate * tau_f)))
    return u * (1 - D) / (1 - (1 - u) * D)


def random_trains(sets, spikes, seed=0) -> list[np.ndarray]:
    """One train a set and rate, as steps: geometric intervals, so that the shortest is one step."""
    rng = np.random.default_rng(seed)
    return [np.cumsum(rng.geometric(rate * DT, spikes)) for _ in sets for rate in RATES]


def each_spike(target, conventions="ABCD", spikes=50, regular=False) -> list[Finding]:
    """Every set at every rate: release of each spike against the oracles; with ``regular``, of regular trains against the closed form."""
    from fwbio.cards import reader

    cards, named = {c: reader.read(CARDS[c]) for c in conventions}, reader.read(CARDS["B"])["sets"]
    sets = [given for given in named.values() for _ in RATES]
    trains = random_trains(named, spikes)
    steady = [np.arange(1, 45 * rate) * round(1 / (rate * DT)) for _ in named for rate in RATES] if regular else []
    parameters = {c: axon.values(card, *sets, *(sets if regular else ())) for c, card in cards.items()}
    seen = axon.release(cards, parameters, trains + steady, DT, target)
    found = []
    for c in conventions:
        rows = list(zip(*(parameters[c][name] for name in ("U", "tau_d", "tau_f"))))
        wanted = np.array([recursion(c, *row, train, DT) for row, train in zip(rows, trains)])
        got = {form: np.array(seen[c, form][: len(trains)]) for form in axon.FORMS}
        error = np.maximum(*(np.abs(got[form] - wanted) for form in axon.FORMS))
        data = {"error": error, "shared": np.array(len(trains))}
        found.append(
            Finding(f"convention {c} on {target}: {error.size} spikes against the recursion", float(error.max()), ROUND_OFF, data=data)
        )
        if c == "A" and "B" in conventions:
            apart = max(np.abs(a - b).max() for form in axon.FORMS for a, b in zip(seen["A", form][: len(trains)], seen["B", form]))
            found.append(Finding(f"A and B on {target}: one model", float(apart), ROUND_OFF))
        if c == "C":
            U = parameters["C"]["U"][: len(trains)]
            off = max(np.abs(got[form][:, 0] - U * (2 - U)).max() for form in axon.FORMS)
            found.append(Finding(f"convention C on {target}: first release U (2 - U)", float(off), 1e-15))
        if c == "B":
            found.append(against_solver(parameters["B"], trains, got["plain"], target))
        if c == "B" and regular:
            found.append(against_closed_form(rows, [seen["B", form][len(trains) :] for form in axon.FORMS], list(named), target))
    return found


def against_solver(parameters, trains, got, target) -> Finding:
    """Sets with facilitation only: tau_f = 0 is no differential equation."""
    use = np.flatnonzero(parameters["tau_f"][: len(trains)] > AT_ONCE)
    gaps = np.array([np.diff(trains[k], prepend=trains[k][0]) for k in use]) * DT
    gaps[:, 0] = 1e-9  # before the first spike everything is at rest
    off = np.abs(integrated({name: value[use] for name, value in parameters.items()}, gaps) - got[use]).max()
    return Finding(f"convention B on {target}: {gaps.size} spikes against solve_ivp", float(off), ROUND_OFF)


def against_closed_form(rows, steady, names, target) -> Finding:
    rate = np.tile(RATES, len(names))
    wanted = closed_form(*np.array(rows[: len(rate)]).T, rate)
    last = np.array([[train[-1] for train in form] for form in steady])
    fine = np.geomspace(4, 60, 60)
    curves = np.array([closed_form(*row, fine) for row in rows[: len(rate) : len(RATES)]])
    data = {"rates": fine, "exact": curves, "got": last[0].reshape(-1, len(RATES)), "names": names}
    claim = f"regular trains on {target}: steady release against the closed form, relative"
    return Finding(claim, float(np.abs(last / wanted - 1).max()), 1e-10, data=data)


def membrane(t, arrivals, released, tau_psc, tau_m, pA, pF):
    """V in mV at t (s): every release is a current pA exp(-t/tau_psc) into C dV/dt = -C V/tau_m + I, summed exactly."""
    since = np.maximum(np.asarray(t)[:, None] - arrivals, 0.0)
    one = tau_psc / (tau_m - tau_psc) * (np.exp(-since / tau_m) - np.exp(-since / tau_psc))
    return 1e3 * (one * released).sum(axis=1) * pA * tau_m / pF


def three_states(values, arrivals, until) -> tuple[list[float], float]:
    """(release of each spike, V in mV at ``until``) of u, x, y, z and V together, by solve_ivp; V per pA tau_m/pF. s."""
    from scipy.integrate import solve_ivp

    U, tau_d, tau_f, tau_psc, tau_m = (values[name] for name in ("U", "tau_d", "tau_f", "tau_psc", "tau_m"))
    step = dict(method="DOP853", rtol=1e-13, atol=1e-16)
    no_facilitation = tau_f <= AT_ONCE

    def right(t, s):
        u, x, y, z, V = s
        return [0.0 if no_facilitation else (U - u) / tau_f, z / tau_d, -y / tau_psc, y / tau_psc - z / tau_d, (y - V) / tau_m]

    s, released = np.array([U, 1.0, 0.0, 0.0, 0.0]), []
    for start, end in zip(arrivals, [*arrivals[1:], until]):
        u, x = s[:2]
        released.append(u * x)
        s += [0.0 if no_facilitation else U * (1 - u), -u * x, u * x, 0.0, 0.0]
        s = solve_ivp(right, (start, end), s, **step).y[:, -1]
    return released, 1e3 * s[4]


def figure_1(target="numpy") -> list[Finding]:
    """Both panels of TM98 Fig. 1: Brian2's release under the three-state card, its membrane, and solve_ivp of all of it."""
    from fwbio.cards import reader

    card, named = reader.read("tsodyks_markram_3state"), reader.read(CARDS["B"])["sets"]
    parameters = axon.values(card, *({**named[f["set"]], "tau_psc": f["tau_psc"]} for f in FIGURE_1.values()))
    trains = [np.round((f["start"] + LATE + f["every"] * np.arange(SPIKES_1)) / 0.1).astype(int) for f in FIGURE_1.values()]
    seen = axon.release({"three": card}, {"three": parameters}, trains, 1e-4, target)
    spots, apart, data = 0.0, 0.0, {"t": np.arange(0, 1.15, 5e-4)}
    for k, (name, f) in enumerate(FIGURE_1.items()):
        arrivals, tau_psc, at = trains[k] * 1e-4, float(parameters["tau_psc"][k]), np.array(list(f["mV"])) * 1e-3
        physics = {"tau_psc": tau_psc, "tau_m": f["tau_m"], "pA": f["pA"], "pF": f["pF"]}
        solved, V = three_states({**{n: float(v[k]) for n, v in parameters.items()}, "tau_m": f["tau_m"]}, arrivals, at[-1])
        for form in axon.FORMS:
            got = membrane(at, arrivals, seen["three", form][k], **physics)
            spots = max(spots, *np.abs(got - list(f["mV"].values())), abs(V * f["pA"] * f["tau_m"] / f["pF"] - got[-1]))
            apart = max(apart, np.abs(np.array(solved) - seen["three", form][k]).max())
        data |= {f"V_{name}": membrane(data["t"], arrivals, seen["three", "reduced"][k], **physics), f"at_{name}": at}
        data[f"spots_{name}"] = np.array(list(f["mV"].values()))
    return [
        Finding(f"three states on {target}: release against solve_ivp of u, x, y, z", float(apart), ROUND_OFF),
        Finding(f"three states on {target}: membrane of TM98 Fig. 1 against its oracle (mV)", float(spots), 1e-5, data=data),
    ]


def ten_minutes(target="cpp_standalone") -> Finding:
    """No drift: 600 s at dt = 0.1 ms, all sets, 10 Hz."""
    from fwbio.cards import reader

    card = reader.read(CARDS["B"])
    parameters = axon.values(card, *card["sets"].values())
    rng = np.random.default_rng(1)
    trains = [np.cumsum(rng.geometric(10 * 1e-4, 7000)) for _ in card["sets"]]
    trains = [train[train < 6_000_000] for train in trains]
    seen = axon.release({"B": card}, {"B": parameters}, trains, 1e-4, target)
    wanted = [recursion("B", *row, train, 1e-4) for row, train in zip(zip(*(parameters[k] for k in ("U", "tau_d", "tau_f"))), trains)]
    off = max(np.abs(got - want).max() for form in axon.FORMS for got, want in zip(seen["B", form], wanted))
    return Finding(f"convention B on {target}: {sum(map(len, trains))} spikes in 10 minutes at 0.1 ms", float(off), ROUND_OFF)


def measure(full=False) -> list[Finding]:
    if not full:
        return [*each_spike("numpy"), *each_spike("cpp_standalone", "B", regular=True), *figure_1()]
    targets = ("numpy", "cython", "cpp_standalone")
    found = [finding for target in targets for finding in each_spike(target, spikes=500, regular=target == "cpp_standalone")]
    return [*found, *(finding for target in targets for finding in figure_1(target)), ten_minutes()]


def draw(findings):
    """Error of every spike, steady release over the rate, and the membranes of TM98 Fig. 1."""
    from matplotlib.ticker import NullLocator

    from fwbio.figures import canvas

    caption = (
        "Left: error of every spike's release, sorted, the larger of both forms (NumPy solid, Cython dashed, C++ dotted); a curve that reaches "
        "1e-12 is a failure. "
        "Middle: release of regular trains after 45 s, Brian2 (dots) on the closed form (lines); a dot off its line by 1e-10 of its value is a "
        "failure. Right: membranes of Fig. 1A, B of Tsodyks, Pawelzik & Markram (1998); a curve that misses a dot by 1e-5 mV is a failure."
    )
    with canvas(11, 4.4, caption, 1, 3) as (figure, (left, middle, right)):
        for finding in findings:
            if "error" in finding.data:
                error = np.sort(finding.data["error"].ravel())
                convention, target = finding.claim.split(":")[0].split()[1::2]
                style = {"color": f"C{'ABCD'.index(convention)}", "ls": {"numpy": "-", "cython": "--"}.get(target, ":")}
                label = f"convention {convention}" if target == "numpy" else None
                left.semilogy(np.linspace(0, 100, error.size), np.maximum(error, 1e-18), **style, label=label, lw=1)
            if "got" in finding.data:
                for k, name in enumerate(finding.data["names"]):
                    style = {"color": f"C{k % 7}", "ls": "-:"[k // 7]}
                    middle.loglog(finding.data["rates"], finding.data["exact"][k], **style, lw=1, label=name.replace("_", " "))
                    middle.loglog(RATES, finding.data["got"][k], "o", color=style["color"], ms=3)
            if "V_A" in finding.data and "numpy" in finding.claim:
                for k, panel in enumerate("AB"):
                    right.plot(1e3 * finding.data["t"], finding.data[f"V_{panel}"], lw=1, label=f"Fig. 1{panel}")
                    right.plot(1e3 * finding.data[f"at_{panel}"], finding.data[f"spots_{panel}"], "o", color=f"C{k}", ms=4)
        left.axhline(ROUND_OFF, color="black", lw=0.8, ls="--")
        left.set(xlabel="spikes, sorted (%)", ylabel="|error of release| (1)", ylim=(1e-17, 1e-11))
        middle.set(xlabel="rate of the train (Hz)", ylabel="release of a spike (1)")
        middle.set_xticks(RATES, [str(rate) for rate in RATES], minor=False)
        middle.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
        middle.xaxis.set_minor_locator(NullLocator())
        middle.yaxis.set_minor_locator(NullLocator())
        right.set(xlabel="time (ms)", ylabel="membrane above rest (mV)")
        for axis in (left, middle, right):
            axis.legend(fontsize=6)
    return figure
