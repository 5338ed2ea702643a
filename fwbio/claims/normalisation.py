"""An inhibitory pool is layer normalisation, and what spikes do to it falls as n**-0.5, by the predicted amount.

1. LN(z) = gain (z - mean z)/sqrt(var z + eps) + bias, mean and variance over the units of one sample (Ba, Kiros & Hinton 2016,
   eq. 3-4), written out below over units, trial by trial. The pool sums the same drives: only the order of additions differs,
   some 10 roundings of 1e-16 times drives of order 1, bound 1e-12. The rate form is held to the same. Normalised over the batch
   (a mistake of two public codes), the error would be of order 1.
2. The trained network on its token clock, in spikes: the pool normalises drives that carry the noise of finite populations.
   Central limit theorem: the error of h, r.m.s. over its standard deviation, is C n**-0.5, slope -0.5 +- 0.1; C from noisy passes of the
   network in which every count has the variance of the neuron card (``fwbio.noise``), no fit, within 20 %.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fwbio import agreement
from fwbio.claims import Finding
from fwbio.figures import canvas

QUICK, FULL = ((25, 200), 100), ((25, 50, 100, 200, 400), 400)  # neurons a unit, trials
FEW = 2500  # neurons a unit times trials that cost less to interpret than to compile


def measure(full: bool = False) -> list[Finding]:
    return [*same_drives(), *spikes(*(FULL if full else QUICK))]


def same_drives(trials: int = 5, units: int = 8) -> list[Finding]:
    """Drives of different size in each trial, through the pool, the rate form and LN."""
    rng = np.random.default_rng(70)
    drive = rng.standard_normal((trials, 1, units)) * np.linspace(0.5, 3, trials)[:, None, None] + rng.standard_normal((trials, 1, 1))
    network = agreement.held(drive[0, 0], {"synapse": "static"}, norm="layer_norm", neurons=2)
    gain, bias, eps = (network.norm.values[k] for k in ("gain", "bias", "eps"))
    wanted = np.array([gain * (z - z.mean()) / np.sqrt(((z - z.mean()) ** 2).mean() + eps) + bias for z in drive[:, 0]])
    rate, pool = (run.h[:, -1] for run in agreement.both(network, drive, 71, "numpy", dt=1e-3, duration=0.005))
    data = {"wanted": wanted, "pool": pool, "rate": rate}
    return [
        Finding("pool against LN on the same drives, largest difference", np.abs(pool - wanted).max(), 1e-12, data=data),
        Finding("rate form against LN on the same drives, largest difference", np.abs(rate - wanted).max(), 1e-12),
    ]


def spikes(neurons, trials: int) -> list[Finding]:
    """Error of h over neurons a unit, seen and predicted; two builds at a time."""
    import brian2  # noqa: F401 (it takes over Ctrl-C, which only the main thread may do)

    import fwbio

    task = fwbio.tasks.retrieval(pairs=4, trials=trials, seed=72)

    def row(n):
        network, interpret = fwbio.load("retrieval", neurons=n), {"target": "numpy"} if n * trials <= FEW else {}
        runs = [fwbio.run(network, task, "rnn"), fwbio.run(network, task, "spiking", seed=73 + n, **interpret)]
        found = fwbio.compare(*runs).figures["spiking"]
        return [found["hidden_rmse"], found["hidden_rmse_se"], found["hidden_rmse_predicted"]]

    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(row, neurons))
    seen, se, predicted = np.array(rows).T
    x = np.log(neurons) - np.mean(np.log(neurons))
    slope, slope_se = (x * np.log(seen)).sum() / (x**2).sum(), np.sqrt((x**2 * (se / seen) ** 2).sum()) / (x**2).sum()
    ratio, ratio_se = np.exp(np.log(seen / predicted).mean()), np.sqrt(((se / seen) ** 2).sum()) / len(seen)
    data = {"n": np.array(neurons), "seen": seen, "se": se, "predicted": predicted}
    return [
        Finding("spikes: |slope + 0.5| of the error of h over neurons a unit", abs(slope + 0.5), 0.1, doubt=1.96 * slope_se, data=data),
        Finding("spikes: |error of h seen / predicted - 1|", abs(ratio - 1), 0.2, doubt=1.96 * ratio_se),
    ]


def draw(findings):
    """Pool over LN; error of h over n."""
    first, curve = (next(f.data for f in findings if key in f.data) for key in ("pool", "n"))
    caption = (
        "Left: drives of five trials of different size, normalised by the pool and by the rate form, over LN written out: points off the diagonal would be another "
        "normalisation (over the batch, or divisive alone). Right: error of h of the trained network in spikes; the line is predicted from the neuron's counts, not "
        "fitted: a curve that flattens would be a bias that more neurons do not remove, one beside the line a wrong size of the noise."
    )
    with canvas(8.5, 3.6, caption, 1, 2) as (figure, (left, right)):
        ends = [first["wanted"].min(), first["wanted"].max()]
        left.plot(ends, ends, color="black", lw=0.8)
        left.plot(first["wanted"].ravel(), first["pool"].ravel(), "o", mfc="none", label="pool, spiking network")
        left.plot(first["wanted"].ravel(), first["rate"].ravel(), ".", label="rate form")
        left.set(xlabel="LN of the drive (1)", ylabel="normalised drive u (1)")
        right.errorbar(curve["n"], curve["seen"], 1.96 * curve["se"], fmt="o", ms=4, label="seen, 95 %")
        right.loglog(curve["n"], curve["predicted"], color="black", lw=0.8, label="predicted")
        right.set(xlabel="neurons a unit (1)", ylabel="error of h / s.d. of h (1)", xscale="log", yscale="log")
        right.set_xticks(curve["n"], [str(n) for n in curve["n"]])
        right.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        for axis in (left, right):
            axis.legend()
    return figure
