"""lambda <-> tau and eta <-> eta: the discrete fast weights are the continuous ones, looked at when a token ends.

Free-running, the hebbian card says tau dA/dt = -A + eta_ode h h^T. While h is held for a token of length Delta this is linear with
constant coefficients, so that from one token's end to the next, exactly,

    A(t) = lambda A(t-1) + eta h h^T,      lambda = exp(-Delta/tau),      eta = (1 - lambda) eta_ode.

Paced, reads and writes are spread over windows of length T while A decays. Each gate is divided by its window's mean of exp(-t/tau)
(``fwbio.pacing``); then every inner phase reads A(t-1) h, and a token leaves lambda A + eta h h^T, again exactly. Without the
division, phase s would read A h short by the factor exp(-s T/tau) (1 - exp(-T/tau)) tau/T, and a write would be short by
(1 - exp(-T/tau)) tau/T, T = Delta/(S + 1): both are measured too, or the first result would say nothing.

Bound 1e-10 of the largest value: the equations agree exactly, what is left is the integrator. DOP853 at rtol 1e-12 needs at most
4 steps a phase; its error decays like A itself, so that it never exceeds that of the 1/(1 - lambda) latest tokens: 4e-12/(1 - lambda),
at lambda = .99 4e-10 if every step used up all its tolerance; DOP853 on an exponential stays two orders below.
"""

from dataclasses import replace

import numpy as np

from fwbio.agreement import Held, held
from fwbio.cards.network import load
from fwbio.claims import Finding
from fwbio.pacing import Gate, gate

ROUND_OFF, RTOL, ATOL = 1e-10, 1e-12, 1e-14
LAMBDA = (0.5, 0.9, 0.95, 0.99)
TAU_OF_TOKEN = (0.5, 1.0, 9.49122158102991)  # the last: lambda = 0.9


def measure(full=False):
    """Three findings: held h, paced tokens, and the shortfall of paced tokens whose windows are not corrected."""
    tokens, trials = (100, 20) if full else (20, 3)
    curves = [sampled(lam, tokens, trials) for lam in LAMBDA]
    paced = [(S, tau, neuron, *windows(S, tau, neuron)) for S in (0, 1, 2) for tau in TAU_OF_TOKEN for neuron in ("poisson", "lif")]
    corrected, short, predicted = (np.concatenate([p[k] for p in paced]) for k in (3, 4, 5))
    known = next(p[4] for p in paced if p[:3] == (1, TAU_OF_TOKEN[-1], "poisson"))
    data = {f"{kind}_{lam}": curve[k] for lam, curve in zip(LAMBDA, curves) for k, kind in enumerate(("error", "ode", "rule"))}
    return [
        Finding("held h: the ODE at token ends is lambda A + eta h h^T", max(float(c[0].max()) for c in curves), ROUND_OFF, data=data),
        Finding("paced, S = 0, 1, 2: every phase reads A h, a token leaves lambda A + eta h h^T", np.abs(corrected - 1).max(), ROUND_OFF),
        Finding(
            "paced, windows not corrected: reads and writes fall short by the mean of the decay, no more and no less",
            np.abs(short - predicted).max(),
            ROUND_OFF,
            data={"short": short, "predicted": predicted, "inner": np.array([S for S, *_, found in paced for _ in found])},
        ),
        Finding("control: not corrected, at lambda = 0.9 and S = 1 write and read lose", 1 - np.prod(known), 0.05, ">="),
    ]


def sampled(lam, tokens, trials):
    """Largest error of A at each token's end in units of the largest A, and one weight's course: the ODE's and the rule's."""
    from fwbio.describe import run
    from fwbio.rnn import Decay, Matrix

    x = np.random.default_rng(0).standard_normal((trials, tokens, 6))
    token = 0.1
    net = held(x[0, 0], {"synapse": "hebbian", "bind": {"tau": f"{float(-token / np.log(lam))!r} s", "eta": "0.5"}}, phi="relu(u)")
    net = replace(net, every=token, duration=tokens * token, dt=1e-3)
    found = run(net, Held(x), "rate", clamp=True, rtol=RTOL, atol=ATOL)
    memory, h, rule = Matrix(trials, 6, {"one": Decay(lam, (1 - lam) * 0.5)}), np.maximum(x, 0), []
    for t in range(tokens):
        memory.write(h[:, t])
        rule.append(memory.A)
    rule = np.stack(rule, axis=1)
    error = np.abs(found.A - rule).max(axis=(0, 2, 3)) / np.abs(rule).max()
    one = np.unravel_index(np.argmax(rule[0, -1]), (6, 6))
    return error, found.A[(0, slice(None), *one)], rule[(0, slice(None), *one)]


def windows(S, tau_of_token, neuron):
    """What is read in each inner phase, and written in the last, relative to A h and eta h h^T: corrected; not corrected; predicted."""
    token = 0.12
    net = load("retrieval", neuron=neuron, set={"fast.tau": f"{tau_of_token * token!r} s"})
    net = replace(net, token=token, inner=S)
    rng = np.random.default_rng(1)
    h, A = rng.exponential(size=(2, net.units)), rng.exponential(size=(2, net.units, net.units))
    fast = gate(net, net.projections["fast"])
    plain = Gate((fast.read > 0) / net.window, (fast.write > 0) / net.window)
    tau, T = net.tau, net.phase
    mean = -np.expm1(-net.window / tau) * tau / net.window  # over the open part of a phase, from its opening
    predicted = [np.exp(-(s * T + net.settle) / tau) * mean for s in range(S)] + [mean]
    return ratios(net, fast, h, A), ratios(net, plain, h, A), np.array(predicted)


def ratios(net, fast, h, A):
    """One token at constant h through the cards' rate blocks, phase by phase."""
    from fwbio.rate.equations import Synapse
    from fwbio.rate.paced import phase

    eta = net.projections["fast"].synapse.values["eta"]
    values, read = {("fast", "A"): A}, []
    for s in range(net.inner + 1):
        current, values = phase(net, {"fast": Synapse(net.projections["fast"])}, {"fast": fast}, s, h, values, RTOL, ATOL)
        read.append(current)
    wanted, written = np.einsum("kij,kj->ki", A, h), values["fast", "A"] - net.lam * A
    outer = eta * h[:, :, None] * h[:, None, :]
    return np.array([farthest(r, wanted) for r in read[:-1]] + [farthest(written, outer)])


def farthest(got, wanted):
    """The overall ratio got/wanted, moved by the largest error of one element that it leaves (in units of the largest)."""
    ratio = float((got * wanted).sum() / (wanted**2).sum())
    return ratio + np.abs(got - ratio * wanted).max() / np.abs(wanted).max()


def draw(findings):
    """One weight's course in the ODE and by the rule, their error, and the windows' shortfall."""
    from fwbio.figures import canvas

    first, _, control, _ = (f.data for f in findings)
    caption = (
        "Left: one fast weight with h held through each token of 100 ms; line: the card's rate equation (solve_ivp) at "
        "token ends, circles: "
        "lambda A + eta h h^T. Middle: their largest difference, over all weights; a point above the dashed line would "
        "be a failure. Right: what "
        "windows that are not corrected read and write, against the window's mean of the decay; a point off the "
        "diagonal would be a failure."
    )
    with canvas(10, 4, caption, 1, 3) as (figure, (course, error, window)):
        for k, lam in enumerate(LAMBDA):
            at = 0.1 * np.arange(1, 1 + len(first[f"ode_{lam}"]))
            course.plot(at, first[f"ode_{lam}"], color=f"C{k}", lw=1, label=f"lambda = {lam}")
            course.plot(at, first[f"rule_{lam}"], "o", mfc="none", ms=4, color=f"C{k}")
            error.semilogy(at, np.maximum(first[f"error_{lam}"], 1e-17), ".-", lw=0.6, ms=3, color=f"C{k}")
        course.set(xlabel="time (s)", ylabel="one fast weight A (1)", xlim=(0, 2))
        course.legend()
        error.axhline(ROUND_OFF, color="black", ls="--", lw=0.8)
        error.set(xlabel="time (s)", ylabel="largest error, of the largest A (1)")
        for S in (0, 1, 2):
            of = control["inner"] == S
            window.plot(control["predicted"][of], control["short"][of], "os^"[S], mfc="none", ms=4, label=f"S = {S}")
        window.plot([0, 1], [0, 1], color="black", lw=0.6)
        window.set(xlabel="mean of the decay over the window (1)", ylabel="read or written, of what should be (1)")
        window.legend()
    return figure
