"""Do weight matrices and spikes keep what theory promises? Reads results/memory_levels (simulations/memory_levels.py, memory_levels_in_spikes.py), holds every SNR
against its formula, draws them, and exits with 1 if a claim fails.

    python analysis/memory_levels.py
"""

import json
import sys
from pathlib import Path

import numpy as np

from fwbio.claims import Finding, conclude
from fwbio.figures import canvas
from fwbio.levels.bank import bank
from fwbio.levels.curve import MemoryCurve

HERE, RESULTS = Path(__file__).parent, Path("results/memory_levels")
BLOCK = 20.0  # s


def crossing(curve) -> float:
    """The age at which the measured SNR falls below 1, straight in log SNR."""
    age, snr, _ = np.array(curve).T
    k = int(np.flatnonzero(snr < 1)[0])
    if k == 0:
        return np.nan
    share = np.log(snr[k - 1]) / np.log(snr[k - 1] / snr[k])
    return float(age[k - 1] + share * (age[k] - age[k - 1]))


def slope(points) -> tuple[float, float]:
    """Of log SNR over log age from 1 s on, weighted by the points' errors, and its standard error."""
    age, snr, error = np.array([p for p in points if 1 <= p[0] <= 30]).T
    fit, covariance = np.polyfit(np.log(age), np.log(snr), 1, w=snr / error, cov="unscaled")
    return float(fit[0]), float(covariance[0, 0] ** 0.5)


def in_spikes(path) -> dict | None:
    """SNR by age and the efficiency r integral SNR^2/N, with errors from blocks of time, whose probes share their interference."""
    if not path.exists():
        return None
    data = dict(np.load(path))
    memory = bank(data["tau"], data["gain"])
    curve = MemoryCurve(memory, float(data["N"]), f"{float(data['r'])} Hz")
    edges = np.concatenate([[0], np.sqrt(data["ages"][1:] * data["ages"][:-1]), [np.inf]])
    area = np.array([integral(memory, a, b) for a, b in zip(edges, edges[1:])]) / memory.energy()  # each age's share of theory's

    def ratios(rows) -> np.ndarray:
        """Measured over theory's SNR at each age; a probe's own age counts, which is near the one that was wanted."""
        found = []
        for k in range(len(data["ages"])):
            mine = rows[data["probe"][rows] == k]
            kernel, reading = memory.kernel(data["age"][mine])[:, None], data["reading"][mine]
            amplitude = reading.mean() / kernel.mean()
            noise = np.sqrt(np.mean((reading - amplitude * kernel) ** 2))
            found.append(amplitude / noise / (curve.N / curve.r / memory.energy()) ** 0.5)
        return np.array(found)

    blocks = [np.flatnonzero(data["time"] // BLOCK == name) for name in np.unique(data["time"] // BLOCK)]
    rng, whole = np.random.default_rng(0), ratios(np.concatenate(blocks))
    again = np.array([ratios(np.concatenate([blocks[k] for k in rng.integers(len(blocks), size=len(blocks))])) for _ in range(400)])
    theory, spread = curve.snr(data["ages"]), again @ np.diag(curve.snr(data["ages"]))
    efficiencies = again**2 @ area
    return {
        "N": int(curve.N),
        "snr": [[float(age), float(v), float(e)] for age, v, e in zip(data["ages"], whole * theory, spread.std(axis=0))],
        "efficiency": float(whole**2 @ area),
        "error": float(efficiencies.std()),
        "low": float(np.quantile(efficiencies, 0.025)),
        "high": float(np.quantile(efficiencies, 0.975)),
        "predicted": float(predicted(data, memory) @ area),
        "by_age": [float(v) for v in predicted(data, memory)],
        "measured_by_age": [float(v) for v in whole**2],
    }


def predicted(data, memory) -> np.ndarray:
    """What spikes should leave of SNR^2 at each age, by derivation. n neurons an input fire m spikes a key, of variance q m (q = 1 - p, p a step).

    Of exact numbers, an input contributes 1/4 of K^2 a write to the variance of v W k (the mean weight is taken away), and of its own key K/2. Counts
    make of every other write   K^2/4 [1 + q/(n m) (writing) + q/(n m) (1 + 2q/m) (reading)],
    and of the key's own        K^2/n [(1 + q/m)(1/4 + q/m) - 1/4]  on top.
    The other writes are those of this run: sums over them stand for r times the integral V.
    """
    n, m, q, slot, window = (float(data[key]) for key in ("n", "m", "q", "slot", "window"))
    others = 1 + q / (n * m) * (2 + 2 * q / m)
    own = 4 / n * ((1 + q / m) * (0.25 + q / m) - 0.25)
    rates, gains = np.add.outer(1 / memory.tau, 1 / memory.tau), np.outer(memory.gain, memory.gain)
    sums, left = np.zeros((len(data["written"]), *rates.shape)), np.exp(-rates * slot)
    now = np.zeros_like(rates)
    for k, write in enumerate(data["written"]):  # of exp(-rate age) over all writes, in the middle of each slot's own
        sums[k] = now = now * left + write
    later = np.exp(-rates * ((data["half"] + 1) * window)[:, None, None])
    squares = (sums[np.round(data["time"] / slot).astype(int)] * later * gains).sum(axis=(1, 2))
    mine = memory.kernel(data["age"]) ** 2
    share = float(data["r"]) * memory.energy() / (others * (squares - mine) + own * mine)
    return np.array([1 / np.mean(1 / share[data["probe"] == k]) for k in range(len(data["ages"]))])


def integral(memory, start, end) -> float:
    """Of K^2 from one age to another."""
    rates = np.add.outer(1 / memory.tau, 1 / memory.tau)
    left = np.exp(-rates * start) - (np.exp(-rates * end) if np.isfinite(end) else 0)
    return float(memory.gain @ (left / rates) @ memory.gain)


def draw(record, spikes, theory, one) -> None:
    caption = (
        "Signal to noise of an association against its age; 10 associations a second are written. Left: a bank of four levels, and a chain of three, "
        "as matrices of real numbers (dots) and the same bank in spikes (squares), lines from theory; it should fall as the root of age "
        "(dashed). Right: how long one level stays above 1, over the longest possible; nothing may lie above the line, and only tau = 2N/(e r) on it."
    )
    with canvas(10, 4.4, caption, 1, 2) as (figure, (left, right)):
        t = np.geomspace(0.05, 400, 300)
        for k, (label, curve, points) in enumerate(theory):
            age, snr, error = np.array(points).T
            left.plot(t, curve.snr(t), color=f"C{k}", lw=1)
            left.errorbar(age, snr, 1.96 * error, fmt="o", ms=4, color=f"C{k}", label=label)
        if spikes:
            age, snr, error = np.array(spikes["snr"]).T
            left.errorbar(age, snr, 1.96 * error, fmt="s", ms=4, color="C3", label=f"bank in spikes, {spikes['N']:,} inputs")
        left.plot(t, theory[0][1].snr(3.0) * (t / 3) ** -0.5, "--", color="0.4", lw=0.8, label="age^-1/2")
        left.set(xscale="log", yscale="log", xlabel="age of the association (s)", ylabel="SNR (1)", ylim=(0.1, 20))
        left.legend(fontsize=7)
        factor = np.geomspace(0.2, 5, 200)
        right.plot(factor, factor * np.clip(1 - np.log(factor), 0, None), color="C0", lw=1)
        right.plot(*np.array(one).T, "o", ms=5, color="C0")
        right.axhline(1, color="black", lw=0.8, ls="--")
        right.set(xscale="log", xlabel="tau / (2N/(e r))", ylabel="lifetime / (N/(e r))", ylim=(0, 1.1))
        right.set_xticks((0.25, 0.5, 1, 2, 4), labels=("1/4", "1/2", "1", "2", "4"))
        right.set_xticks((), minor=True)
        figure.savefig(HERE / "figures" / "memory_levels.png", dpi=150)


def main() -> int:
    record = json.loads((RESULTS / "run.json").read_text())
    N, r, longest = record["N"], f"{record['r']} Hz", record["N"] / (np.e * record["r"])
    four = MemoryCurve(bank(record["tau"], record["gain"]), N, r)
    three = MemoryCurve(bank(record["tau"][:3], record["gain"][:3]), N, r)
    claims = []
    for label, curve, points in (("four levels", four, record["bank"]), ("chain of three", three, record["chain"])):
        for age, snr, error in points:
            print(f"{label}, {age:g} s: SNR {snr:.3f} ± {error:.3f}, theory {float(curve.snr(age)):.3f}")
        off = [abs(snr / float(curve.snr(age)) - 1) for age, snr, _ in points]
        share = 0.05 if label == "four levels" else 0.1  # 120 matrices, 60 chains
        claims.append((f"{label}: SNR off theory, worst of {len(points)} ages", max(off), share))
    fitted, error = slope(record["bank"])
    claims.append((f"four levels: slope from 1 to 30 s off -0.5 (s.e. {error:.3f})", abs(fitted + 0.5), 0.05))
    one = []
    for entry in record["one"]:
        factor = entry["factor"]
        wanted = factor * (1 - np.log(factor))
        found = crossing(entry["curve"]) / longest if wanted > 0 else np.nan
        if np.isfinite(found):
            one.append((factor, found))
            print(f"one level, tau = {factor:g} x 2N/(e r): lifetime {found:.3f} of the longest, theory {wanted:.3f}")
    claims.append(("one level, tau = 2N/(e r): lifetime off the longest possible", abs(dict(one)[1.0] - 1), 0.05))
    claims.append(("the others: lifetime over the longest possible", max(v for f, v in one if f != 1.0), 0.9))
    spikes = in_spikes(RESULTS / "spikes.npz")
    if spikes:
        found, error = slope(spikes["snr"])
        print("spikes: " + ", ".join(f"{age:g} s {snr:.2f} ± {e:.2f}" for age, snr, e in spikes["snr"]))
        print(
            f"spikes: efficiency r ∫SNR²/N = {spikes['efficiency']:.3f} ({spikes['low']:.3f} to {spikes['high']:.3f}), predicted {spikes['predicted']:.3f}"
        )
        for (age, _, _), measured, told in zip(spikes["snr"], spikes["measured_by_age"], spikes["by_age"]):
            print(f"spikes, {age:g} s: {measured:.3f} of SNR^2 left, derived {told:.3f}")
        claims.append((f"spikes: slope from 1 to 30 s off -0.5 (s.e. {error:.3f})", abs(found + 0.5), 0.05))
        claims.append(
            (
                "spikes: efficiency off its prediction, in standard errors",
                abs(spikes["efficiency"] - spikes["predicted"]) / spikes["error"],
                3,
            )
        )
    draw(record, spikes, (("four levels, matrices", four, record["bank"]), ("chain of three, matrices", three, record["chain"])), one)
    return conclude(Finding(*claim) for claim in claims)


if __name__ == "__main__":
    sys.exit(main())
