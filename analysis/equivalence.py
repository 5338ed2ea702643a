"""Do the three descriptions agree as closely as their bounds say? Reads what simulations/neurons_per_unit.py and
simulations/free_running.py left in results/, measures the RNN on 20,000 fresh sequences, prints the verdicts, draws the figure,
and exits with 1 if a claim fails.

    python analysis/equivalence.py
"""

import json
import sys
from pathlib import Path

import numpy as np

import fwbio
from fwbio import describe
from fwbio.claims import Finding, conclude
from fwbio.figures import canvas

HERE = Path(__file__).parent
FRESH = 777  # a seed that no training and no other script uses


def rnn_accuracy(fast: bool, sequences: int = 20_000) -> float:
    """Share of fresh test sequences that the shipped RNN gets right."""
    model = fwbio.load("retrieval", fast=fast)
    task = fwbio.tasks.retrieval(trials=sequences, seed=FRESH)
    trace = describe.discrete(model, task.x(model), form="attention", keep=0)
    return float((describe.read_out(model, trace.h[:, -1]).argmax(axis=1) == task.target).mean())


def slope(n, error) -> float:
    """Of a straight line through the points on log-log axes."""
    return float(np.polyfit(np.log(n), np.log(error), 1)[0])


def draw(by_neuron, free) -> None:
    caption = (
        "Relative RMS error of h against neurons a unit. Points: measured. Lines: predicted from n, r0 T and the trained weights alone, "
        "no spikes, no fit. Both fall as n^-1/2: what is left of the LIF membrane's transient, a bias, is small and in the prediction. "
        "A point off its line by more than the bar of 20 % would be a failure."
    )
    with canvas(8, 4.6, caption, 1, 2) as (figure, axes):
        for k, (neuron, rows) in enumerate(by_neuron.items()):
            n = [row["neurons"] for row in rows]
            s = [row["spiking"] for row in rows]
            predicted = [row["hidden_rmse_predicted"] for row in s]
            axes[0].plot(n, predicted, color=f"C{k}")
            axes[0].errorbar(
                n, [r["hidden_rmse"] for r in s], [0.2 * p for p in predicted], fmt="os"[k], color=f"C{k}", label=neuron, capsize=3
            )
        axes[0].set(title="paced, trained (retrieval)", ylabel="error of h / s.d. of h (1)")
        n = sorted(free)
        axes[1].plot(n, [free[k] for k in n], "o", color="C2", label="measured, mean of four networks")
        axes[1].plot(n, free[n[0]] * np.sqrt(n[0] / np.array(n)), color="black", lw=1, label="slope -1/2")
        axes[1].set(title="free-running, random, against solve_ivp", ylabel="error of h / s.d. of h (1)")
        for axis in axes:
            axis.set(xlabel="neurons a unit", xscale="log", yscale="log")
            axis.legend()
        (HERE / "figures").mkdir(exist_ok=True)
        figure.savefig(HERE / "figures" / "equivalence.png", dpi=150)


def main() -> int:
    paced = json.loads(Path("results/neurons_per_unit/run.json").read_text())
    free_rows = json.loads(Path("results/free_running/run.json").read_text())
    series = {k: [r for r in paced if r["neuron"] == k and r["fast"] and r["trials"] < 1000] for k in ("poisson", "lif")}
    many = {r["neuron"]: r for r in paced if r["trials"] >= 1000}
    off = [r for r in paced if not r["fast"]]
    free = {
        n: float(np.mean([r["spiking"]["hidden_rmse"] for r in free_rows if r["neurons"] == n])) for n in {r["neurons"] for r in free_rows}
    }
    claims = [
        ("RNN, 20,000 fresh sequences", rnn_accuracy(True), ">=", 0.999),
        ("the same, fast weights off: off chance by", abs(rnn_accuracy(False) - 0.1), "<=", 0.02),
        *((f"{k}, fast off, {r['trials']} trials: accuracy", r["spiking"]["accuracy"], "<=", 0.2) for r in off for k in [r["neuron"]]),
    ]
    for neuron, points, same in (("poisson", 0.005, 0.995), ("lif", 0.01, 0.99)):
        if neuron in many:
            r = many[neuron]
            claims += [
                (f"rate, {r['trials']} trials ({neuron}'s windows): same decision", r["rate"]["agreement"], ">=", 0.999),
                (
                    f"{neuron}, n = 100, {r['trials']} trials: accuracy off by",
                    abs(r["spiking"]["accuracy"] - r["rnn"]["accuracy"]),
                    "<=",
                    points,
                ),
                (f"{neuron}, n = 100, {r['trials']} trials: same decision", r["spiking"]["agreement"], ">=", same),
            ]
    n = [r["neurons"] for r in series["poisson"]]
    measured = {k: np.array([r["spiking"]["hidden_rmse"] for r in rows]) for k, rows in series.items()}
    predicted = {k: np.array([r["spiking"]["hidden_rmse_predicted"] for r in rows]) for k, rows in series.items()}
    for k in measured:
        claims.append((f"{k}: slope of the error of h, off -0.5 by", abs(slope(n, measured[k]) + 0.5), "<=", 0.1))
        worst = np.abs(predicted[k] / measured[k] - 1)[np.array([r["neurons"] for r in series[k]]) >= 20].max()
        claims.append((f"{k}: predicted against measured error, worst from n = 20", float(worst), "<=", 0.2))
    order = sorted(free)
    claims.append(("free-running: slope of the error of h, off -0.5 by", abs(slope(order, [free[k] for k in order]) + 0.5), "<=", 0.1))
    claims.append(("free-running: error of h at n = 160", free[160], "<=", 0.11))
    draw(series, free)
    return conclude(Finding(name, figure, bound, relation) for name, figure, relation, bound in claims)


if __name__ == "__main__":
    sys.exit(main())
