"""Spikes write an outer product: the presynaptic factor carries spike noise, the postsynaptic one none, and nothing else is off.

h is held by the input (clamped) and jumps at random, so that A is a sum of outer products. With step dt, decay tau, n neurons a unit:

1. Between jumps A' = -A/tau + eta h h^T/tau is lambda A + (1 - lambda) eta h h^T with lambda = exp(-Delta/tau), Delta from jump to jump;
   solve_ivp meets it to its tolerance, 1e-10 a step: bound 1e-8.
2. post is not pre. A Poisson neuron fires at most once a step, so for r0 h dt >= 1 a unit transmits the ceiling 1/(r0 dt) whatever its h,
   without noise, while its dendrite still has h: A = eta h c^T (1 - e^(-t/tau)), c = the ceiling, exactly (rounding, 1e-10). Transposed, A
   would vary along the other axis. Its twin with noise: while h is held, every column of A is along h, to rounding.
3. A_ij errs by g eta h_i(m) e^(-(K-m)dt/tau)/r0 times the deviation of unit j's mean count at each step m, variance p(1-p)/n with
   p = r0 h_j dt, g the write gain. Summed over m, and no fit: the Frobenius error is C n**-0.5, C within 15 %, slope -0.5 +- 0.05.
   tau_h does not enter: it filters what is read, not what is written.
4. Two spike traces instead (card hebbian_traces) leave an error that more neurons do not remove. What neuron a's dendrite sums over the
   presynaptic population is linear in a's own spikes in that limit, sum over k of N_a(k) w_j(k), where w_j(k) is what a spike at step k
   finds (the mean trace of unit j) plus what its trace meets later. So stay the lag of the traces, mean - A, and the variance
   sum over k of p(1-p) w_j(k)^2 of one neuron's own spikes; of order 1/n are the presynaptic spikes and the product of both.
   Predicted error within 10 %; the mean over the unit's neurons too shows the lag.
"""

from dataclasses import replace

import numpy as np

from fwbio import agreement
from fwbio.claims import Finding
from fwbio.figures import canvas

EVERY, DT, TAU, ETA = 0.04, 1e-3, 0.3, 0.5  # s, s, s, 1
QUICK, FULL = ((10, 40, 160, 640), (10, 40, 150)), ((10, 20, 40, 80, 160, 320, 640), (10, 20, 40, 80, 160))  # neurons: drives, traces


def measure(full: bool = False) -> list[Finding]:
    drives, traced = FULL if full else QUICK
    return [*exact(), *falling(drives, trials=4 if full else 2), *staying(traced)]


def network(units, neurons, synapse="hebbian", phi="tanh(relu(u))"):
    """Units that hear nothing but their input."""
    bind = {"tau": f"{TAU} s", "eta": f"{ETA}"}
    return replace(agreement.held(np.zeros(units), {"synapse": synapse, "bind": bind}, phi=phi, neurons=neurons), every=EVERY, dt=DT)


def coarse(units, neurons):
    """The same with two traces; what is predicted is exact at any step, and a coarser one saves time."""
    return replace(network(units, neurons, "hebbian_traces"), dt=2 * DT)


def drives(trials, inputs, units):
    return 1.5 * np.random.default_rng(80).standard_normal((trials, inputs, units))


def rate_A(net, x):
    """A of the rate equations when each input ends, (trials, inputs, post, pre)."""
    from fwbio import describe

    return describe.run(net, agreement.Held(x), "rate", clamp=True).A


def spiking_A(net, x, seed):
    """The same in spikes, mean over the neurons of the presynaptic unit."""
    from fwbio.spiking import batches

    return batches.run(net, x, seed=seed, clamp=True, target="numpy", batch=1, keep=len(x)).A


def off(found, wanted) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def exact() -> list[Finding]:
    """What holds to rounding: the discrete form, and which factor is which."""
    net, x = network(8, 5), drives(1, 10, 8)
    A, lam, discrete = np.zeros((8, 8)), np.exp(-EVERY / TAU), []
    for h in np.tanh(np.maximum(x[0], 0)):
        A = lam * A + (1 - lam) * ETA * np.outer(h, h)
        discrete.append(A)
    linear = network(6, 5, phi="u")
    ceiling, held = 1 / (linear.r0 * DT), np.array([1.0, 1.3, 1.5, 2.0, 2.6, 3.0])
    loud = spiking_A(linear, (ceiling * held)[None, None, :], 81)[0, -1]
    wanted = ETA * np.outer(ceiling * held, np.full(6, ceiling)) * -np.expm1(-EVERY / TAU)
    noisy = spiking_A(linear, held[None, None, :], 82)[0, -1]
    aside = noisy - np.outer(held, held @ noisy) / (held @ held)
    data = {"noisy": noisy, "expected": ETA * np.outer(held, held) * -np.expm1(-EVERY / TAU)}
    return [
        Finding("rate equations against lambda A + (1 - lambda) eta h h^T", off(rate_A(net, x)[0], np.array(discrete)), 1e-8),
        Finding("spikes at their ceiling c: A against eta h c^T (1 - exp(-t/tau))", off(loud, wanted), 1e-10),
        Finding("spikes: part of A's columns that is not along h", float(np.linalg.norm(aside) / np.linalg.norm(noisy)), 1e-10, data=data),
    ]


def steps_of(net, h):
    """p, the chance of a spike of each unit at each step (steps, units), and the step when each input ends."""
    count = round(net.every / net.dt)
    return np.repeat(net.r0 * h * net.dt, count, axis=0), count * np.arange(1, len(h) + 1)


def predicted(net, h):
    """Expected square of the Frobenius error of one neuron a unit, and its variance: presynaptic counts alone. h : (inputs, units)."""
    values, (p, ends) = net.projections["one"].synapse.values, steps_of(net, h)
    gain, count = np.expm1(net.dt / values["tau"]) / net.dt * values["eta"] / net.r0, ends[0]
    within = np.exp(-2 * net.dt / values["tau"] * (count - np.arange(count)))
    v = np.einsum("kmj,m->kj", (p * (1 - p)).reshape(len(h), count, -1), within)  # of unit j's decayed count, input by input
    lam, k = np.exp(-net.every / values["tau"]), np.arange(len(h))
    decay = np.where(k[:, None] >= k, lam ** (k[:, None] - k), 0.0)  # (end of input, input that wrote)
    G = gain**2 * (h @ h.T) * (decay.T @ decay)
    return np.einsum("kk,kj->", G, v), 2 * np.einsum("kl,kj,lj->", G**2, v, v)


def falling(neurons, trials) -> list[Finding]:
    """Error of A over neurons a unit; its doubt is that of a sum of squares whose covariance is known."""
    units, inputs = 16, 80
    x = drives(trials, inputs, units)
    h = np.tanh(np.maximum(x, 0))
    net = network(units, 1)
    wanted = rate_A(net, x)
    square, variance = np.sum([predicted(net, own) for own in h], axis=0)
    seen = np.array([off(spiking_A(network(units, n), x, 83 + n), wanted) for n in neurons])
    told, doubt = np.sqrt(square / np.array(neurons)) / np.linalg.norm(wanted), 1.96 * np.sqrt(variance) / square / 2
    place = np.log(neurons) - np.mean(np.log(neurons))
    slope = (place * np.log(seen)).sum() / (place**2).sum()
    ratio = np.exp(np.log(seen / told).mean())
    data = {"n": np.array(neurons), "seen": seen, "predicted": told, "doubt": seen * doubt}
    return [
        Finding(
            "spikes: |slope + 0.5| of the Frobenius error of A over n",
            abs(slope + 0.5),
            0.05,
            doubt=doubt / (place**2).sum() ** 0.5,
            data=data,
        ),
        Finding("spikes: |Frobenius error of A, seen / predicted - 1|", abs(ratio - 1), 0.15, doubt=doubt / len(neurons) ** 0.5),
    ]


def of_traces(net, h):
    """Mean and variances of A_a,j, (4, inputs, units, units): own spikes, presynaptic spikes, product, for one presynaptic neuron; and w."""
    values, (p, ends) = net.projections["one"].synapse.values, steps_of(net, h)
    gain = np.expm1(net.dt / values["tau"]) / net.dt * values["eta"] / (2 * net.r0)
    keep, up = np.exp(-net.dt / values["tau_trace"]), np.expm1(net.dt / values["tau_trace"]) / (net.r0 * net.dt)
    var = p * (1 - p)
    trace, spread = up * before(p, keep), up**2 * before(var, keep**2)
    found, w = [], np.zeros((len(ends), *p.shape))
    for k, end in enumerate(ends):
        D = gain * np.exp(-net.dt / values["tau"] * (end - np.arange(end)))[:, None]
        later = before((D * p[:end])[::-1], keep)[::-1]
        w[k, :end] = D * trace[:end] + up * later  # what a spike at each step brings against unit j
        linear = np.einsum("ki,kj->ij", var, w[k] ** 2)
        product = np.einsum("ki,kj->ij", D**2 * var[:end], spread[:end])
        mean = np.einsum("ki,kj->ij", D * p[:end], trace[:end])
        found.append([mean + mean.T, linear, linear.T, product + product.T])
    return np.array(found).transpose(1, 0, 2, 3), w, var


def before(series, keep):
    """Sum over k < m of series(k) keep**(m - k), along the first axis."""
    from scipy.signal import lfilter

    return lfilter([0.0, keep], [1.0, -keep], series, axis=0)


def staying(neurons) -> list[Finding]:
    """Errors of A with two spike traces, neuron by neuron and in the mean over the unit."""
    from fwbio.spiking import pairs

    units, inputs = 4, 80
    x = drives(1, inputs, units)
    wanted = rate_A(network(units, 1), x)[0]
    size = np.sqrt((wanted**2).mean())
    (mean, own, pre, product), w, var = of_traces(coarse(units, 1), np.tanh(np.maximum(x[0], 0)))
    lag, stay = ((mean - wanted) ** 2).mean(), ((mean - wanted) ** 2 + own).mean()
    same = np.eye(units)
    along = 2 * np.einsum("eij,ekj->ki", mean - wanted, w)  # how one spike at each step moves the projection of A's error on the lag
    rows = []
    for n in neurons:
        A = pairs.run(coarse(units, n), x[0], seed=84 + n)
        square = ((A - wanted[:, :, None]) ** 2).mean(axis=(0, 3)).ravel()  # one a neuron
        unit = ((A.mean(axis=2) - wanted) ** 2).mean()
        partners = n - same
        told = stay + ((pre + product) / partners).mean()
        unit_told = lag + (own / n + pre / partners + same * (own + pre) / n + product / (n * partners) * (1 + same)).mean()
        rows.append([*np.sqrt([square.mean(), told, unit, unit_told]) / size, 1.96 * square.std() / square.size**0.5 / square.mean() / 2])
    seen, told, unit, unit_told, doubt = np.array(rows).T
    data = {"n": np.array(neurons), "traces": seen, "predicted": told, "unit": unit, "unit_predicted": unit_told, "doubt": seen * doubt}
    unit_doubt = 1.96 * np.sqrt((var * along**2).sum() / n) / wanted.size / size**2 / unit[-1] / unit_told[-1]
    data |= {"floor": np.sqrt(stay) / size, "lag": np.sqrt(lag) / size}
    ratio = np.exp(np.log(seen / told).mean())
    return [
        Finding(
            "two traces: |error of a neuron's A, seen / predicted - 1|",
            abs(ratio - 1),
            0.1,
            doubt=np.sqrt((doubt**2).sum()) / len(doubt),
            data=data,
        ),
        Finding("two traces, most neurons: share of the error that stays as n grows", np.sqrt(stay) / size / seen[-1], 0.9, ">="),
        Finding(
            "two traces, most neurons: |error of the unit's mean, seen / predicted - 1|",
            abs(unit[-1] / unit_told[-1] - 1),
            0.15,
            doubt=unit_doubt,
        ),
    ]


def draw(findings):
    """One A with its columns, errors over neurons a unit."""
    picture, fall, stay = (next(f.data for f in findings if key in f.data) for key in ("noisy", "seen", "traces"))
    caption = (
        "Left: A in spikes over its mean eta h h^T after one held input, five neurons a unit: whole columns are off, as the noise is the presynaptic unit's; whole rows would be a "
        "transposed outer product. Right: Frobenius error of A over n, lines predicted and not fitted. Drive times spikes: off the line of slope -1/2 would be a wrong rule, "
        "decay or noise. Two spike traces: what a neuron sums stays above the dotted floor (lag and its own spikes); below it, or falling on, the derivation would be wrong."
    )
    with canvas(9.5, 4, caption, 1, 2, width_ratios=[1, 1.5]) as (figure, (left, right)):
        image = left.imshow(picture["noisy"] / picture["expected"], vmin=0, vmax=2, cmap="RdBu_r")
        left.set(xlabel="presynaptic unit", ylabel="postsynaptic unit")
        left.spines[:].set_visible(False)
        figure.colorbar(image, ax=left, label="A / its mean (1)", shrink=0.8)
        right.errorbar(fall["n"], fall["seen"], fall["doubt"], fmt="o", ms=4, color="C0", label="drive × spikes: seen, 95 %")
        right.plot(fall["n"], fall["predicted"], color="C0", lw=0.8)
        right.errorbar(stay["n"], stay["traces"], stay["doubt"], fmt="s", ms=4, color="C1", label="two traces, one neuron: seen, 95 %")
        right.plot(stay["n"], stay["predicted"], color="C1", lw=0.8)
        right.axhline(float(stay["floor"]), color="C1", ls=":", lw=1)
        right.plot(stay["n"], stay["unit"], "^", ms=4, color="C2", label="two traces, mean over the unit: seen")
        right.plot(stay["n"], stay["unit_predicted"], color="C2", lw=0.8)
        right.axhline(float(stay["lag"]), color="C2", ls=":", lw=1)
        right.set(xlabel="neurons a unit (1)", ylabel="error of A / A (1)", xscale="log", yscale="log")
        right.legend()
    return figure
