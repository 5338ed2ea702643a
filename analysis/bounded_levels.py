"""Levels with few values: a chain or a bank, and how many? Reads results/bounded_levels (simulations/bounded_levels.py), prints the
guarantees found, draws them, exits with 1 if a verdict fails.

Each curve is computed exactly again from the numbers that the search left; only the search may fall short, so a value is a lower bound of
what is possible. Verdicts: a chain guarantees more than a bank with as many levels; its best number of levels guarantees at least twice
what one level does and, where four were tried, is not four; none is above what real numbers allow (2 % for writes at equal steps).

    python analysis/bounded_levels.py
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

from fwbio.claims import Finding, conclude
from fwbio.figures import canvas
from fwbio.levels.states import curve

HERE, TWICE = Path(__file__).parent, 2.0


def again(row, longest) -> float:
    """The guarantee of a row's levels, for ages of 1 to ``longest`` writes."""
    ages = np.arange(1, longest + 1)
    return float((math.e * ages * curve(row["M"], row["write"], row["read"], row["n"], longest)[1:]).min())


def claims(rows, real):
    found = {(row["P"], row["m"], row["kind"]): row["guarantee"] for row in rows}
    for P, m, kind in found:
        if kind == "bank":
            yield Finding(f"P = {P}, {m} levels: chain over bank", found[P, m, "chain"] / found[P, m, "bank"], 1.0, ">=")
    for P in sorted({row["P"] for row in rows}):
        chain = {m: value for (p, m, kind), value in found.items() if p == P and kind == "chain"}
        best = max(chain, key=chain.get)
        yield Finding(f"P = {P}: best number of levels in a chain is {best}; over one level", chain[best] / chain[1], TWICE, ">=")
        if len(chain) > 3:
            yield Finding(f"P = {P}: {best} levels over {max(chain)}, the most tried", chain[best] / chain[max(chain)], 1 + 1e-9, ">=")
    for row in rows:
        yield Finding(
            f"P = {row['P']}, {row['m']} levels, {row['kind']}: real numbers over this", real[row["m"]] / row["guarantee"], 0.98, ">="
        )


def draw(rows, real) -> None:
    caption = (
        "The share of the best possible, squared, that levels guarantee at every age from 1 to 1000 writes, when a synapse has P values in "
        "all, shared by its levels. Solid: each level hands on to the next; dashed: all are written directly. A slow level that is "
        "written directly moves by a whole step or not at all, and its few values are soon used up; what reaches a slow level through "
        "others is already averaged. Grey: real numbers, the same for both. The search may fall short: points are lower bounds."
    )
    with canvas(6.4, 4.8, caption) as (figure, axis):
        axis.plot(list(real), list(real.values()), "o-", color="0.6", label="real numbers")
        for k, P in enumerate(sorted({row["P"] for row in rows})):
            chain = [(r["m"], r["guarantee"]) for r in rows if r["P"] == P and r["kind"] == "chain"]
            bank = chain[:1] + [(r["m"], r["guarantee"]) for r in rows if r["P"] == P and r["kind"] == "bank"]
            axis.plot(*zip(*chain), "o-", color=f"C{k}", label=f"chain, P = {P} values")
            axis.plot(*zip(*bank), "s--", ms=4, color=f"C{k}", label=f"bank, P = {P} values")
        axis.set(yscale="log", xlabel="number of levels", ylabel="guaranteed share of the best possible, squared (1)", xticks=list(real))
        axis.legend(fontsize=7)
        figure.savefig(HERE / "figures" / "bounded_levels.png", dpi=150)


def main() -> int:
    record = json.loads(Path("results/bounded_levels/run.json").read_text())
    real = {row["m"]: row["guarantee"] for row in record["rows"] if row["kind"] == "real numbers"}
    rows = [row for row in record["rows"] if "P" in row]
    for row in rows:
        print(f"P = {row['P']:2}, {row['m']} levels, {row['kind']:5}: guarantee {row['guarantee']:.4f} (real numbers {real[row['m']]:.4f})")
    draw(rows, real)
    off = max(abs(again(row, record["longest"]) / row["guarantee"] - 1) for row in rows)
    return conclude([Finding("guarantee computed again from the kept levels, off by", off, 1e-6), *claims(rows, real)])


if __name__ == "__main__":
    sys.exit(main())
