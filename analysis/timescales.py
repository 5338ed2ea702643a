"""Token length against time constant: what theory says of the sweep in results/timescales. Verdicts, a figure, exit 1 if a claim fails.

The discrete network knows neither seconds nor Hz: its accuracy depends on lambda = exp(-Delta/tau) alone, so all points fall on one curve of
Delta/tau, which is taken here from 20,000 other trials. Spikes know the time: in a phase of Delta/2 a unit of h is n r0 Delta/2 spikes, so
at one lambda the error of h falls as Delta^(-1/2), and accuracy follows the prediction of fwbio/noise.py. Figures may be off by
five standard errors: of 64, one too far by chance in 4e-5.

    python analysis/timescales.py
"""

import sys
from pathlib import Path

import numpy as np

import fwbio
from fwbio import describe
from fwbio.claims import Finding, conclude
from fwbio.figures import canvas
from fwbio.tasks import retrieval

HERE, TRIALS, CURVE, ERRORS = Path(__file__).parent, 200, 20_000, 5


def rnn_accuracy(ratio: float) -> float:
    """Of the discrete network at Delta/tau = ``ratio``."""
    network = fwbio.load("retrieval", set={"fast.tau": f"{0.1 / float(ratio)!r} s"})
    task = retrieval(trials=CURVE, seed=77)
    h = describe.discrete(network, task.x(network), keep=0).h
    return float((describe.read_out(network, h[:, task.asked]).argmax(axis=1) == task.target).mean())


def doubt(p):
    """Standard error of a share of TRIALS decisions, of p no nearer to 0 or 1 than one decision."""
    p = np.clip(p, 1 / TRIALS, 1 - 1 / TRIALS)
    return np.sqrt(p * (1 - p) / TRIALS)


def draw(token, tau, table, curve) -> None:
    caption = (
        "Left: accuracy in spikes (dots, 95 % of 200 decisions) over Delta/tau; line: the discrete network on other trials, which knows Delta/tau alone. "
        "Dots of one colour below the line are short of spikes (n = 50, 20 Hz). Right: error of h in spikes against its prediction; a dot off the "
        "diagonal by more than a fifth would be a failure."
    )
    with canvas(10, 4.6, caption, 1, 2) as (figure, (left, right)):
        ratios = np.array(sorted(curve))
        left.plot(ratios, [curve[r] for r in ratios], color="black", lw=1, label="discrete network")
        for k, own in enumerate(np.unique(token)):
            here = token == own
            spikes, error = table["accuracy.spiking"][here], table["hidden_rmse.spiking"][here]
            label = f"token {1e3 * own:.0f} ms"
            left.errorbar(own / tau[here], spikes, 1.96 * doubt(spikes), fmt="o", ms=4, lw=0.8, color=f"C{k}", label=label)
            right.plot(table["hidden_rmse_predicted.spiking"][here], error, "o", ms=4, color=f"C{k}", label=label)
        ends = [table["hidden_rmse_predicted.spiking"].min(), table["hidden_rmse_predicted.spiking"].max()]
        right.plot(ends, ends, color="black", lw=0.8)
        left.set(xlabel="token length over time constant, Delta/tau (1)", ylabel="accuracy (1)", xscale="log")
        right.set(xlabel="predicted error of h over its s.d. (1)", ylabel="measured (1)", xscale="log", yscale="log")
        left.legend(fontsize=7)
        figure.savefig(HERE / "figures" / "timescales.png", dpi=150)


def main() -> int:
    table = fwbio.open_sweep("results/timescales")
    token, tau = table["token"], table["fast.tau"]
    curve = {ratio: rnn_accuracy(ratio) for ratio in np.unique(np.round(token / tau, 12))}
    wanted = np.array([curve[ratio] for ratio in np.round(token / tau, 12)])
    rnn, spiking, predicted = (table[name] for name in ("accuracy.rnn", "accuracy.spiking", "accuracy_predicted.spiking"))
    error, expected = table["hidden_rmse.spiking"], table["hidden_rmse_predicted.spiking"]
    order = np.lexsort((tau, token))
    for k in order:
        print(
            f"token {1e3 * token[k]:4.0f} ms, tau {tau[k]:8.3f} s, lambda {np.exp(-token[k] / tau[k]):.4f}: RNN {rnn[k]:6.1%} (curve {wanted[k]:6.1%}), "
            f"spiking {spiking[k]:6.1%} (predicted {predicted[k]:6.1%}), error of h {error[k]:.3f} (predicted {expected[k]:.3f})"
        )
    draw(token, tau, table, curve)
    slow = tau > 10  # lambda near 1 there for every token, so that only the spikes differ
    slope = np.polyfit(np.log(token[slow]), np.log(error[slow]), 1)[0]
    claims = (
        (f"RNN off the curve of Delta/tau, in s.e., worst of {len(rnn)}", float((np.abs(rnn - wanted) / doubt(wanted)).max()), ERRORS),
        ("spiking accuracy off its prediction, in s.e., worst", float((np.abs(spiking - predicted) / doubt(predicted)).max()), ERRORS),
        ("error of h off its prediction, worst", float(np.abs(error / expected - 1).max()), 0.2),
        ("slope of the error of h over token length at tau > 10 s, off -0.5 by", abs(slope + 0.5), 0.1),
        ("points that are missing", float(len(table) - table.counts()["done"]), 0),
    )
    return conclude(Finding(*claim) for claim in claims)


if __name__ == "__main__":
    sys.exit(main())
