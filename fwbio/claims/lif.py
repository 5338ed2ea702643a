"""A LIF population fires as Siegert's formula says, counts as its membrane's density says, and so its network's error is predicted.

Rate    Siegert's formula holds for dt -> 0. Euler's scheme looks at the membrane only every dt: between two looks it can cross and come
        back, as if the threshold were higher by .5826 sigma sqrt(dt/tau_m) (``fwbio.siegert``). With that the rate is within 2 %
        from 2 to 100 Hz: what is left is the next order, dt/tau_m (card: 4 %), with a factor below 1/2. At 2 Hz neurons fire
        13 % (tau_m 15 ms, dt .1 ms) to 29 % (card) less than the formula without it says.
Count   Mean and variance of the spikes in a phase of 50 ms, and in its first 10 ms alone, after a phase at another rate: the density of the
        membrane, carried from one phase to the next (``fwbio.density``). Bound: 2 % of the mean, like the rate (its voltage cells of
        .02 V_th take up to .7 % of it), and twice that for the variance, a second moment. Stationary Poisson neurons
        would have the mean rate x window and a Fano factor of 1.
Error   The network's hidden error, from these moments alone (``fwbio.noise``), within 20 %: the diffusion approximation leaves out
        higher moments; at 20 neurons a unit they are of order 1/sqrt(20).

Every figure has the 95 % interval of its own spikes or trials as its doubt.
"""

from dataclasses import replace

import numpy as np

from fwbio.agreement import Held, held
from fwbio.claims import Finding
from fwbio.describe import run
from fwbio.siegert import inverse, siegert

WITHIN, PHASE, EARLY = 0.02, 0.05, 0.01
RATES = {2.0: 4, 5.0: 2, 10.0: 2, 30.0: 1, 100.0: 1}  # Hz: units, as slow neurons need more of them
SWITCHES = ((2.0, 40.0), (100.0, 5.0), (2.0, 150.0), (20.0, 20.0))  # Hz in the phase before and now
R0 = 20.0  # Hz per unit of h, as ``held`` says
SLOW = {"tau_m": "15 ms"}  # the membrane of science.md's numbers, at 0.1 ms


def measure(full=False):
    """Findings on the rate (with and without correction), on counts, and on the network's error."""
    neurons, seconds = (2000, 16.0) if full else (1000, 8.0)
    spikes, mu, values, dt = simulate(neurons, seconds)
    found = [*rates(spikes, mu, values, dt, seconds, "card"), *counts(spikes, values, dt, seconds)]
    if full:
        slow = simulate(neurons, seconds, dt=1e-4, bind=SLOW)
        found += rates(*slow, seconds, "tau_m 15 ms, dt 0.1 ms")
    return [*found, hidden_error(100, "cpp_standalone") if full else hidden_error(25, "numpy")]


def simulate(neurons, seconds, dt=None, bind=None):
    """One Brian2 run: units at each of RATES, then a unit a switch that goes to and fro every phase.

    Returns one array (inputs or phases, neurons) of counts a unit, in the whole phase and in its first EARLY s, with mu, card values, dt.
    """
    steady = np.repeat(list(RATES), list(RATES.values()))
    phases = round(seconds / PHASE)
    h = np.empty((1, phases, len(steady) + len(SWITCHES)))
    h[..., : len(steady)] = steady / R0
    for k, (before, now) in enumerate(SWITCHES):
        h[0, :, len(steady) + k] = np.where(np.arange(phases) % 2, now, before) / R0
    net = held(h[0, 0], {"synapse": "static"}, neuron="lif")
    values = {**net.neuron.values, **({"tau_m": 0.015} if bind else {})}
    net = replace(net, neurons=neurons, neuron=replace(net.neuron, values=values), every=PHASE, duration=seconds)
    net = replace(net, dt=dt or 1e-3 * float(net.neuron.card["spiking"]["dt"].split()[0]))
    trace = run(net, Held(h), "spiking", seed=7, clamp=True, batch=1).spikes
    step = np.round(trace.spike_t / net.dt).astype(int)
    phase, at = np.divmod(step, round(PHASE / net.dt))
    total = np.zeros((2, phases, h.shape[2] * neurons))
    for k, within in enumerate((phase < phases, (phase < phases) & (at < round(EARLY / net.dt)))):
        total[k] = np.bincount(phase[within] * total.shape[2] + trace.spike_i[within], minlength=total[k].size).reshape(total[k].shape)
    return total.reshape(2, phases, h.shape[2], neurons), inverse(np.array(list(RATES)), values, net.dt), values, net.dt


def rates(total, mu, values, dt, seconds, name):
    """The largest deviation of the measured rate from the formula with the time step's correction, and of that without."""
    membrane = {k: values[k] for k in ("tau_m", "sigma", "V_th", "V_r", "t_ref")}
    settled = total[0, round(0.2 / PHASE) :]  # the start of a run is no stationary state
    first = np.cumsum([0, *RATES.values()])
    each = [settled[:, a:b].sum(axis=0).ravel() for a, b in zip(first, first[1:])]  # spikes of each neuron
    time = seconds - 0.2
    measured = np.array([n.mean() / time for n in each])
    doubt = np.array([1.96 * n.std(ddof=1) / len(n) ** 0.5 / n.mean() for n in each])
    corrected, continuous = siegert(mu, **membrane, dt=dt), siegert(mu, **membrane)
    off = np.abs(measured / corrected - 1)
    worst, slowest = int(np.argmax(off)), 0
    lost = 1 - measured / continuous
    data = {"asked": np.array(list(RATES)), "measured": measured, "corrected": corrected, "continuous": continuous, "doubt": doubt}
    return [
        Finding(
            f"{name}: rate against Siegert with the time step's correction, 2 to 100 Hz", off[worst], WITHIN, doubt=doubt[worst], data=data
        ),
        Finding(f"control, {name}: at 2 Hz the formula without it is off by", lost[slowest], WITHIN, ">=", doubt=doubt[slowest]),
    ]


def counts(total, values, dt, seconds):
    """Mean and variance of the counts after a switch, in units of their bounds, and how far from Poisson they are."""
    from fwbio.density import count_moments

    membrane = {k: values[k] for k in ("tau_m", "sigma", "V_th", "V_r", "t_ref")}
    rows, steps, early = [], round(PHASE / dt), round(EARLY / dt)
    for k, pair in enumerate(SWITCHES):
        mu = inverse(np.array(pair), values, dt)
        for window, length in ((0, steps), (1, early)):
            seen = total[window, 5::2, sum(RATES.values()) + k]  # phases now, but the first few
            told = [m[0, 0] for m in count_moments(mu[:1], mu[1:], length, 0, dt=dt, **membrane)]
            rows.append([*pair, length * dt, *moments(seen), *told])
    table = np.array(rows)
    before, now, length, mean, mean_doubt, variance, variance_doubt, mean_told, variance_told = table.T
    off = {"mean": np.abs(mean / mean_told - 1), "variance": np.abs(variance / variance_told - 1)}
    doubt = {"mean": mean_doubt / mean_told, "variance": variance_doubt / variance_told}
    found = [
        Finding(f"count after a switch of rates: {name} against the membrane's density", *worst(off[name], doubt[name], bound), data=data)
        for name, bound, data in (("mean", WITHIN, {"table": table}), ("variance", 2 * WITHIN, {}))
    ]
    late = mean / (now * length)
    rising = (length < 2 * EARLY) & (before < now)
    regular = int(np.argmin(variance / mean))
    return [
        *found,
        Finding("control: from rest the first 10 ms bring, of the stationary count", float(late[rising].max()), 0.9),
        Finding("control: the most regular count has a Fano factor of", float(variance[regular] / mean[regular]), 0.6),
    ]


def worst(off, doubt, bound):
    """Figure, bound, relation and doubt of the value that is furthest beyond what chance explains."""
    k = int(np.argmax(off - doubt))
    return float(off[k]), bound, "<=", float(doubt[k])


def moments(seen):
    """Mean and variance of counts (phases, neurons), each with its 95 % half width over neurons, which are independent."""
    n = seen.shape[1]
    mean = seen.mean()
    squared = ((seen - mean) ** 2).mean(axis=0)
    return mean, 1.96 * seen.mean(axis=0).std() / n**0.5, squared.mean(), 1.96 * squared.std() / n**0.5


def hidden_error(trials, target, neurons=20):
    """Measured over predicted error of h of the paced retrieval network, as its distance from 1."""
    from fwbio.cards.network import load
    from fwbio.comparison import against, noise_prediction
    from fwbio.tasks import retrieval

    net, task = load("retrieval", neuron="lif", neurons=neurons), retrieval(trials=trials, seed=11)
    reference = run(net, task, "rnn")
    spiking = run(net, task, "spiking", seed=11, target=target)
    found, (_, told) = against(spiking, reference), noise_prediction(net, reference, passes=100)
    ratio = found["hidden_rmse"] / told["hidden_rmse_predicted"]
    doubt = 1.96 * found["hidden_rmse_se"] / told["hidden_rmse_predicted"]
    data = {"measured": np.array(found["hidden_rmse"]), "predicted": np.array(told["hidden_rmse_predicted"])}
    return Finding(
        f"retrieval, {neurons} LIF neurons a unit: error of h over the predicted, off 1 by", abs(ratio - 1), 0.2, doubt=doubt, data=data
    )


def draw(findings):
    """Rates with and without the correction, and the counts after a switch."""
    from fwbio.figures import canvas

    rate, table = findings[0].data, findings[2].data["table"]
    caption = (
        "Left: rate in Brian2 against Siegert's formula, with the correction for the time step and without; a corrected point outside the "
        "dashed lines (2 %) by more than its bar (95 %) would be a failure. Middle and right: mean and Fano factor of counts in 50 ms (filled) "
        "and 10 ms (open) after a switch from one rate to another, measured and from the membrane's density; a point off the diagonal by "
        "more than 2 % (mean) or 4 % (variance) and its bar would be a failure, and so would Fano factors that are all near 1: Poisson neurons."
    )
    with canvas(10, 4.4, caption, 1, 3) as (figure, (curve, mean, fano)):
        for key, label in (("corrected", "corrected for dt"), ("continuous", "as it stands")):
            off = 100 * (rate["measured"] / rate[key] - 1)
            curve.errorbar(rate["asked"], off, 100 * rate["doubt"], fmt="o-", ms=4, lw=0.8, label=label)
        for sign in (-1, 1):
            curve.axhline(sign * 100 * WITHIN, color="black", ls="--", lw=0.8)
        curve.set(xscale="log", xlabel="rate asked for (Hz)", ylabel="measured over formula - 1 (%)")
        curve.legend()
        _, _, length, m, dm, v, dv, m_told, v_told = table.T
        for axis, x, y, bar, label in ((mean, m_told, m, dm, "mean count (1)"), (fano, v_told / m_told, v / m, dv / m, "Fano factor (1)")):
            axis.errorbar(x, y, bar, fmt="none", ecolor="black", lw=0.8)
            axis.scatter(x, y, s=25, facecolors=np.where(length > 2 * EARLY, "C0", "white"), edgecolors="C0", zorder=3)
            axis.plot([0, x.max()], [0, x.max()], color="black", lw=0.6)
            axis.set(xlabel=f"{label}, predicted", ylabel=f"{label}, Brian2")
    return figure
