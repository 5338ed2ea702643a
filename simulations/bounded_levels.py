"""Levels with few values: does it matter then whether levels stand side by side or hand on to one another?

With real numbers a chain and a bank remember alike. Here a synapse has P values in all, shared equally among m variables, hard bounds
and stochastic rounding (fwbio/levels/states.py, exact: no sampling). The guarantee for ages from 1 to 1000 writes is made as large
as a search makes it (fwbio/levels/few.py), with as many free numbers for either. Values found are lower bounds of what is
possible. Writes results/bounded_levels (40 minutes on one core).

    python simulations/bounded_levels.py
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from fwbio import results
from fwbio.levels.few import search
from fwbio.levels.guarantee import best

LONGEST = 1000  # writes
SIZES = {16: (1, 2, 3, 4), 32: (1, 2, 3, 4), 64: (1, 2, 3)}  # P: numbers of levels
OUT = Path("results/bounded_levels")


def main() -> None:
    rows = [{"kind": "real numbers", "m": m, "guarantee": best(float(LONGEST), m).phi} for m in (1, 2, 3, 4)]  # a write a second
    for P, numbers in SIZES.items():
        for m in numbers:
            for kind in ("chain", "bank")[: min(m, 2)]:
                found = asdict(search(kind, m, P, 1, LONGEST))
                rows.append({"P": P, "m": m, **{k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in found.items()}})
                print(f"P = {P}, {m} levels of {found['n']} values, {kind}: guarantee {found['guarantee']:.5f}", flush=True)
                with results.publishing(OUT) as scratch:  # after each, so that what is there can be looked at
                    (scratch / "run.json").write_text(json.dumps({"longest": LONGEST, **results.provenance(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
