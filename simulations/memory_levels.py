"""Do real weight matrices remember as long as theory says? Random associations at 10 a second into N = 1,000 inputs and 64 outputs: a bank of four
levels for 100 ms to 5 min, its chain, and single levels around tau = 2N/(e r).

A matrix is stationary to begin with; the SNR at an age is the mean of v W k over its standard deviation, over outputs and probed associations.
Writes results/memory_levels/run.json. 10 minutes.

    python simulations/memory_levels.py
"""

import json
from pathlib import Path

import numpy as np

from fwbio.levels.bank import bank
from fwbio.levels.demand import AgeDemand
from fwbio.levels.plan import plan_levels

OUT, N, OUTPUTS, R, TRIALS, CHAINS = Path("results/memory_levels"), 1000, 64, 10.0, 120, 60
AGES, LONGEST = (0.1, 0.3, 1, 3, 10, 30), N / (np.e * R)
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of tau = 2N/(e r)


def association(rng):
    """A value (OUTPUTS,) and a key (N,) of length 1."""
    return rng.choice((-1.0, 1.0), OUTPUTS), rng.choice((-1.0, 1.0), N) / N**0.5


def matrices(rng, tau, seconds) -> np.ndarray:
    """(levels, OUTPUTS, N) after ``seconds`` of Poisson writes, dA/dt = -A/tau + v k at each."""
    times = np.sort(rng.uniform(0, seconds, rng.poisson(R * seconds)))
    A = np.zeros((len(tau), OUTPUTS, N))
    for start in range(0, len(times), 256):
        t = times[start : start + 256]
        v, k = rng.choice((-1.0, 1.0), (len(t), OUTPUTS)), rng.choice((-1.0, 1.0), (len(t), N)) / N**0.5
        for level, constant in enumerate(tau):
            A[level] += (v * np.exp(-(seconds - t) / constant)[:, None]).T @ k
    return A


def through_chain(beakers, rng, seconds, age) -> np.ndarray:
    """v W k of one association of ``age`` among Poisson writes that are pushed from beaker to beaker, C du/dt = -L u exactly between events."""
    from scipy.linalg import eig

    rate, right = eig(beakers.flow())
    left, probe = np.linalg.inv(right), association(rng)
    u, last = np.zeros((len(beakers), OUTPUTS * N)), 0.0
    for t in np.sort(np.append(rng.uniform(0, seconds, rng.poisson(R * seconds)), seconds - age)):
        u = np.real(right * np.exp(-rate * (t - last)) @ left) @ u
        v, k = probe if t == seconds - age else association(rng)
        u[0] += np.outer(v, k).ravel()
        last = t
    u = np.real(right * np.exp(-rate * (seconds - last)) @ left) @ u
    v, k = probe
    return v * (beakers.write * u[0].reshape(OUTPUTS, N) @ k)


def snr(readings) -> tuple[float, float]:
    """Mean over standard deviation of v (W k), (trials, outputs), and its standard error from trials."""
    mean, sd = readings.mean(), readings.std(ddof=1)
    by_trial = readings.mean(axis=1)
    return float(mean / sd), float(by_trial.std(ddof=1) / len(by_trial) ** 0.5 / sd)


def measured(tau, gain, ages, seed, trials=TRIALS) -> list:
    """(age, SNR, its error): each age is that of one association, alone, on top of a matrix of Poisson writes."""
    rng, readings = np.random.default_rng(seed), {age: [] for age in ages}
    for _ in range(trials):
        A = matrices(rng, tau, 6 * max(tau))
        for age in ages:
            v, k = association(rng)
            W = np.tensordot(gain, A, 1) + gain @ np.exp(-age / np.array(tau)) * np.outer(v, k)
            readings[age].append(v * (W @ k))
    return [[age, *snr(np.array(values))] for age, values in readings.items()]


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    plan = plan_levels(AgeDemand("100 ms", "5 min"), price=0.1)
    record = {"tau": plan.bank.tau.tolist(), "gain": plan.bank.gain.tolist(), "N": N, "r": R, "trials": TRIALS}
    record["bank"] = measured(plan.bank.tau, plan.bank.gain, AGES, 1)
    print(record["bank"], flush=True)
    beakers, rng = bank(plan.bank.tau[:3], plan.bank.gain[:3]).to_chain(), np.random.default_rng(3)
    record["chain"] = []
    for age in (0.3, 1, 3, 10):
        readings = [through_chain(beakers, rng, 6 * plan.bank.tau[2], age) for _ in range(CHAINS)]
        record["chain"].append([age, *snr(np.array(readings))])
    print(record["chain"], flush=True)
    record["one"] = []
    for factor in FACTORS:
        ages = tuple(LONGEST * share for share in (0.3, 0.6, 0.8, 0.9, 1.0, 1.1, 1.3))
        record["one"].append({"factor": factor, "curve": measured([2 * LONGEST * factor], [1.0], ages, 5, TRIALS // 2)})
        print(record["one"][-1], flush=True)
        (OUT / "run.json").write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
