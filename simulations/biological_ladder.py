"""Is the biological ladder (50 ms, 300 ms, 7 s, and potentiation of 30, 60, 100 or 200 s) spaced as a good bank of four levels is?

For each potentiation the ends of the range of ages are set so that the optimal bank's fastest and slowest level are the ladder's. Compared: its guarantee, gains
optimised, over the optimal bank's; and that of 2,000 ladders with the same ends whose two inner time constants are log-uniform. Writes
results/biological_ladder/run.json. Three minutes.

    python simulations/biological_ladder.py
"""

import json
from pathlib import Path

import numpy as np

from fwbio.levels import guarantee

OUT, FASTEST, INNER, SLOWEST = Path("results/biological_ladder"), 0.05, (0.3, 7.0), (30.0, 60.0, 100.0, 200.0)
RANDOM, SEED = 2000, 1


def matched(slowest):
    """The optimal bank of four levels whose fastest and slowest are the ladder's, for ages t0 to T: (R, t0, its phi, its tau)."""
    low, high = 1.0, 8.0  # of log10 R
    for _ in range(30):
        middle = (low + high) / 2
        best = guarantee.best(10.0**middle, 4)
        low, high = (middle, high) if best.tau[-1] / best.tau[0] < slowest / FASTEST else (low, middle)
    return 10.0**middle, FASTEST / best.tau[0], best.phi, FASTEST / best.tau[0] * best.tau


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    rng, record = np.random.default_rng(SEED), []
    for slowest in SLOWEST:
        R, t0, phi, tau = matched(slowest)
        inner = np.sort(np.exp(rng.uniform(np.log(FASTEST), np.log(slowest), (RANDOM, 2))), axis=1)
        ladder = guarantee.by_gains(np.array([FASTEST, *INNER, slowest]) / t0, R)
        others = [guarantee.by_gains(np.array([FASTEST, *pair, slowest]) / t0, R) for pair in inner]
        record.append({"slowest": slowest, "t0": t0, "T": R * t0, "optimal": phi, "tau": tau.tolist(), "ladder": ladder, "random": others})
        print(slowest, ladder / phi, np.median(others) / phi, np.mean(np.array(others) >= ladder), flush=True)
        (OUT / "run.json").write_text(json.dumps(record))


if __name__ == "__main__":
    main()
