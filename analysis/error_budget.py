"""How well does theory know the error of h before a simulation? Reads results/error_budget (simulations/error_budget.py), prints
predicted and measured error for each of its settings, draws the figure, exits with 1 unless 18 of 20 are within 20 %.

    python analysis/error_budget.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.claims import Finding, conclude
from fwbio.figures import canvas

HERE = Path(__file__).parent
WITHIN, ENOUGH = 0.2, 18


def draw(rows) -> None:
    caption = (
        "Error of h in spikes against what theory predicts before simulating, for twenty settings of n, r0, token length, tau and number "
        "of units. Predicted from n, r0, the window and the weights: no spikes, no fit. A point outside the grey band (20 %) is a miss; "
        "more than two of them would be a failure."
    )
    with canvas(5.2, 5, caption) as (figure, axis):
        for k, card in enumerate(sorted({row["card"] for row in rows}, reverse=True)):
            own = [row for row in rows if row["card"] == card]
            label = f"{card}, {own[0]['units']} units"
            axis.plot([r["hidden_rmse_predicted"] for r in own], [r["hidden_rmse"] for r in own], "os^"[k], label=label, mfc="none")
        line = np.array([0.5, 2]) * np.array([min(r["hidden_rmse"] for r in rows), max(r["hidden_rmse"] for r in rows)])
        axis.fill_between(line, line * (1 - WITHIN), line * (1 + WITHIN), color="0.9", zorder=0)
        axis.plot(line, line, color="black", lw=0.8)
        axis.set(xscale="log", yscale="log", xlabel="predicted error of h / s.d. of h (1)", ylabel="measured error of h / s.d. of h (1)")
        axis.legend()
        figure.savefig(HERE / "figures" / "error_budget.png", dpi=150)


def main() -> int:
    rows = json.loads(Path("results/error_budget/run.json").read_text())
    hits = 0
    for r in rows:
        off = r["hidden_rmse_predicted"] / r["hidden_rmse"] - 1
        hits += abs(off) <= WITHIN
        print(
            f"R {r['units']:3}  n {r['n']:3}  token {r['token_ms']:3} ms  r0 {r['r0_hz']:2} Hz  tau {r['tau_s']:5} s   "
            f"measured {r['hidden_rmse']:.4f}  predicted {r['hidden_rmse_predicted']:.4f}  {off:+.1%}"
        )
    draw(rows)
    return conclude([Finding(f"settings within {WITHIN:.0%}", hits, ENOUGH, ">="), Finding("settings", len(rows), 20, ">=")])


if __name__ == "__main__":
    sys.exit(main())
