"""How far the three descriptions agree on the same trials: figures, the bounds they should meet, and a verdict.

Errors of h are root mean squares over all units, tokens and trials, divided by the standard deviation of the reference's h;
errors of A are Frobenius norms over the kept trials and all tokens, divided by the reference's. Nothing signed is averaged.
"""

from dataclasses import dataclass, field

import numpy as np

from fwbio.tasks import stationary_after

MARGIN = 0.95  # share of same decisions that counts as equivalent
SLACK = 1.2  # measured hidden error against the predicted one
RULE = (
    "equivalent: with 95 % confidence (one-sided, Clopper-Pearson) rate and spiking take the reference's decision on at least "
    "95 % of trials, the rate error is within its tolerance bound, and the spiking error of h is at most 1.2 times what spike "
    "noise alone predicts; different: one of these is refuted; inconclusive: too few trials to tell"
)


@dataclass(frozen=True)
class Comparison:
    """figures : what ``--json`` prints. runs : the Run of each level. predicted : h and seen of noisy passes, if there are any."""

    figures: dict
    runs: dict = field(repr=False)
    predicted: object = field(repr=False, default=None)

    @property
    def verdict(self) -> str:
        return self.figures["verdict"]

    def __str__(self) -> str:
        from fwbio.report import table

        return table(self.figures)


def compare(*runs, predict=True):
    """Holds the runs of one network on one task against each other; the first of rnn, rate that is there is the reference.

    predict : also what spike noise should do (not for circuits)

    Runs of a circuit give a ``fwbio.circuit_comparison.Comparison``: rates of each group and epoch.
    """
    if hasattr(runs[0], "circuit"):
        from fwbio import circuit_comparison

        return circuit_comparison.compare(*runs)
    from fwbio import noise

    by = {run.level: run for run in runs}
    reference = by.get("rnn") or by["rate"]
    network, task = by.get("spiking", reference).network, reference.task
    figures = {
        "card": network.name,
        "trials": task.trials,
        **row(network, task),
        "units": network.units,
        "neurons": network.neurons,
        "neuron": network.neuron.name,
        "fast": network.fast,
        "seed": task.seed,
        "reference": reference.level,
    }
    predicted = None
    for level, run in by.items():
        figures[level] = {} if run.logits is None or task.target is None else {"accuracy": run.accuracy, "accuracy_doubt": doubt(run.right)}
        if run is not reference:
            figures[level] |= against(run, reference)
    if "rate" in by and reference.level == "rnn":
        figures["rate"]["hidden_bound"] = tolerance_bound(reference)
    if "spiking" in by:
        spiking = by["spiking"]
        if network.paced:
            figures["spiking"]["counts_rmse"] = rmse(spiking.spikes.seen, reference.h)
            if predict and noise.predictable(network):
                predicted, more = noise_prediction(network, reference)
                figures["spiking"] |= more
        figures["spiking"]["rate_hz"] = float(network.r0 * spiking.h.mean())
        if reference.logits is not None:
            figures["spiking"]["spikes_a_decision"] = len(spiking.spikes.spike_t)
    figures["verdict"], figures["reason"] = judge(figures)
    figures["rule"] = RULE
    return Comparison(figures, by, predicted)


def row(network, task) -> dict:
    """Where a trial is several sequences in a row: how many, how many of them are not asked, after how many A is stationary."""
    if task.sequences == 1:
        return {}
    settled = stationary_after(network, task.length // task.sequences)
    return {"sequences": task.sequences, "left_out": task.warm, "stationary_after": settled, "decisions": len(task.target)}


def against(run, reference) -> dict:
    """Figures of one run beside the reference."""
    found = {"hidden_rmse": rmse(run.h, reference.h)}
    error = ((run.h - reference.h) ** 2).mean(axis=(1, 2))
    if len(error) > 1:  # trials are independent: the standard error of the mean square, carried to its root
        found["hidden_rmse_se"] = float(error.std(ddof=1) / len(error) ** 0.5 / max(error.mean(), 1e-300) / 2 * found["hidden_rmse"])
    if run.I is not None and reference.I is not None:
        found["current_rmse"] = rmse(run.I, reference.I)
    shared = [k for k in run.kept if k < len(reference.A)]
    if shared:
        wanted, got = reference.A[shared], run.A[: len(shared)] if run.level == "spiking" else run.A[shared]
        size = np.linalg.norm(wanted)
        found["A_error"] = float(np.linalg.norm(got - wanted) / size) if size else None
    if run.logits is not None:
        same = (run.decisions == reference.decisions).reshape(len(run.h), -1)
        if run.right is not None:
            found["accuracy_difference"] = run.accuracy - reference.accuracy
            found["accuracy_difference_doubt"] = doubt(run.right * 1.0 - reference.right)
        found["agreement"] = float(same.mean())
        found["agreement_low"], found["agreement_high"] = clopper_pearson(same.mean() * effective(same), effective(same))
    return found


def rmse(h, reference) -> float:
    """Relative to the spread of the reference; not a number where that is constant."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.sqrt(np.mean((h - reference) ** 2)) / reference.std())


def doubt(values) -> float | None:
    """Half width of the 95 % interval of the mean of ``values`` (trials, decisions a trial): trials are independent, decisions need not be."""
    return float(1.96 * values.mean(axis=1).std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else None


def effective(same) -> float:
    """How many independent decisions (trials, decisions a trial) are worth: those of one trial share its A.

    Korn & Graubard, Surv Methodol 24 (1998) 193: their number over the design effect, the variance of the mean over trials beside
    that of independent decisions, with Student's t for the few trials that it is known from. One trial alone counts as one decision.
    """
    from scipy.stats import t

    trials, each = same.shape
    p = same.mean()
    if each == 1 or p in (0, 1):
        return same.size
    if trials == 1:
        return 1.0
    worth = p * (1 - p) / max(same.mean(axis=1).var(ddof=1) / trials, 1e-300)
    return float(min(worth * (t.ppf(0.95, same.size - 1) / t.ppf(0.95, trials - 1)) ** 2, same.size))


def clopper_pearson(hits: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact one-sided lower and upper bounds of a share, each at ``confidence``."""
    from scipy.stats import beta

    low = beta.ppf(1 - confidence, hits, trials - hits + 1) if hits else 0.0
    high = beta.ppf(confidence, hits + 1, trials - hits) if hits < trials else 1.0
    return float(low), float(high)


def tolerance_bound(reference) -> float:
    """What the integrator's tolerance may do to h, relative to its standard deviation.

    A phase is integrated in at most 10 steps, each off by at most rtol |y| + atol. What the network makes of an error is
    measured on the RNN: its input is moved by 1e-7 of its size, at random signs, and the largest change of h noted.
    """
    from fwbio.describe import discrete
    from fwbio.rate.paced import ATOL, RTOL

    network = reference.network
    x = reference.task.x(network)
    sign = np.random.default_rng(0).choice([-1.0, 1.0], x.shape)
    size = 1e-7 * np.abs(x).max()
    gain = np.abs(discrete(network, x + size * sign, keep=0).h - reference.h).max() / size
    largest = max(np.abs(reference.A).max(initial=0.0), np.abs(x).max(), reference.h.max())
    steps = 10 * (network.inner + 1) * x.shape[1]
    return float(gain * steps * (RTOL * largest + ATOL) / reference.h.std())


def noise_prediction(network, reference, passes: int = 400):
    """The spiking figures that spike noise predicts: mean over at least ``passes`` noisy sequences. No spikes, no fit."""
    from fwbio import noise
    from fwbio.describe import read_out

    x = reference.task.x(network)
    repeats = max(1, -(-passes // (len(x) * reference.task.sequences)))
    runs = [noise.predict(network, x, seed) for seed in range(repeats)]

    def root(select):
        return float(np.sqrt(np.mean([rmse(select(p), reference.h) ** 2 for p in runs])))

    found = {"hidden_rmse_predicted": root(lambda p: p.h), "counts_rmse_predicted": root(lambda p: p.seen)}
    if network.fast:
        kept = slice(0, min(len(reference.A), len(x)))
        wanted = reference.A[kept]
        errors = [np.linalg.norm(noise.weights(network, p, kept, reference.task.since) - wanted) / np.linalg.norm(wanted) for p in runs]
        found["A_error_predicted"] = float(np.sqrt(np.mean(np.square(errors))))
    if reference.logits is not None:
        decisions = np.stack([read_out(network, p.seen[:, list(reference.task.asked)]).argmax(axis=1) for p in runs])
        found["agreement_predicted"] = float((decisions == reference.decisions).mean())
        if reference.task.target is not None:
            found["accuracy_predicted"] = float((decisions == reference.task.target).mean())
    return runs[0], found


def judge(figures) -> tuple[str, str]:
    """The verdict and the sentence that gives its reason."""
    refuted, open_questions = [], []
    for level in ("rate", "spiking"):
        found = figures.get(level, {})
        if "agreement" in found:
            if found["agreement_high"] < MARGIN:
                refuted.append(f"{level} takes another decision on more than 5 % of trials ({found['agreement']:.1%} the same)")
            elif found["agreement_low"] < MARGIN:
                open_questions.append(f"same decisions of {level} are known only to be above {found['agreement_low']:.1%}")
        for bound, slack in (("hidden_bound", 1.0), ("hidden_rmse_predicted", SLACK)):
            if bound in found:
                value, limit, doubt = found["hidden_rmse"], slack * found[bound], 1.645 * found.get("hidden_rmse_se", 0.0)
                if not np.isfinite([value, limit]).all():
                    refuted.append(f"the {level} error of h, {value:.3g}, or its bound, {limit:.3g}, is not a number")
                elif value - doubt > limit:
                    refuted.append(f"the {level} error of h, {value:.3g}, is above {limit:.3g}")
                elif value > limit or doubt > 0.5 * limit:
                    open_questions.append(
                        f"the {level} error of h, {value:.3g} ± {doubt:.2g}, is not told apart from its bound {limit:.3g}"
                    )
    if not {"rate", "spiking"} & set(figures):
        return "inconclusive", "one description alone; `fwbio compare` holds all three against each other"
    if refuted:
        return "different", "; ".join(refuted)
    if open_questions:
        return "inconclusive", "; ".join(open_questions)
    if "counts_rmse" in figures.get("spiking", {}) and "hidden_rmse_predicted" not in figures["spiking"]:
        return "inconclusive", "decisions agree, but the spike noise of weights that decay with use has no prediction to hold h against"
    if "agreement" not in figures.get("spiking", figures.get("rate", {})):
        return "inconclusive", "this network decides nothing; see how the error falls with the number of neurons"
    return "equivalent", "decisions and errors are within their bounds"
