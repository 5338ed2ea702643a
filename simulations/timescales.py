"""Which fast weights suit which clock? The trained retrieval memory over the plane of token length and time constant.

The sweep is the line below, and may be stopped and gone on with: it keeps every finished point.
Writes results/timescales (table.csv, figures; about 10 minutes on two cores).

    python simulations/timescales.py
    fwbio sweep retrieval --over token=40ms:320ms:log:4 --over fast.tau=100ms:300s:log:8 --trials 200 --neurons 50 \\
        --measure accuracy,accuracy_predicted,hidden_rmse,hidden_rmse_predicted --out results/timescales
"""

import fwbio

OVER = ["token=40ms:320ms:log:4", "fast.tau=100ms:300s:log:8"]
MEASURES = "accuracy,accuracy_predicted,hidden_rmse,hidden_rmse_predicted"

if __name__ == "__main__":
    found = fwbio.sweep("retrieval", OVER, trials=200, neurons=50, measures=MEASURES, out="results/timescales", quiet=False)
    print(found.counts(), found.folder)
