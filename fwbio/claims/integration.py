"""Nothing that is shown depends on a step size: integrators have their order, solve_ivp its tolerance, spikes converge in dt.

1. A fixed-step method of order p errs by C dt^p where the equations are smooth. The rate equations of the random_recurrent card
   are, within one input and with phi = tanh: r.m.s. over units and times of the current's error against DOP853 (rtol 1e-10), while
   it is still moving (two time constants). Slope over five halvings of dt, p +- 0.1 (RK4: 0.2): p for dt -> 0, here dt <= tau_h/4.
2. solve_ivp holds each step's error to atol + rtol |y|. h forgets a step within tau_h, so that few steps add up: normalised error < 5.
3. Spikes: gains are such that the mean is exact at any dt (``fwbio.pacing.free_gains``), what is left is of order dt: a current is
   seen one step late. Halving dt moves the population rate by less than 1 %, and in one direction. Trials are paired (same
   inputs, other spikes), and their scatter is the doubt: too few spikes to tell is inconclusive, not a pass.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from fwbio.claims import Finding
from fwbio.figures import canvas

STEPS = (8, 16, 32, 64, 128)
TOLERANCES = (1e-4, 1e-6, 1e-8)
RATE_STEPS = (1e-3, 5e-4, 2.5e-4)  # s
WITHIN = {1: 0.1, 2: 0.1, 4: 0.2}


def measure(full: bool = False) -> list[Finding]:
    return [*orders(), tolerance(), *refinement(trials=100 if full else 25, seconds=2.0 if full else 0.5)]


def orders() -> list[Finding]:
    """Slopes of log error over log dt."""
    import fwbio
    from fwbio.rate import free, steps

    network = fwbio.load("random_recurrent", set={"population.unit.phi": "tanh(u)"})
    end, given = 2 * network.dendrite.values["tau_h"], fwbio.tasks.RandomInput(2, 60).x(network)[:, :1]
    times = np.linspace(0, end, STEPS[0] + 1)
    exact = free.run(replace(network, every=end), given, times).I
    system = free.System(network, trials=2)
    slope = partial(system.slope, given=given[:, 0])
    found = []
    for name, tableau in steps.TABLEAUX.items():
        errors = []
        for count in STEPS:
            path = steps.integrate(slope, system.start, 0.0, end, count, tableau)[:: count // STEPS[0]]
            current = np.stack([system.states(y)[0] for y in path], axis=1)
            errors.append(np.sqrt(np.mean((current - exact) ** 2)))
        dt = end / np.array(STEPS)
        order = np.polyfit(np.log(dt), np.log(errors), 1)[0]
        data = {"dt": dt, "errors": np.array(errors), "order": np.array(tableau.order)}
        found.append(
            Finding(f"{name}: |slope - {tableau.order}| of error over dt", abs(order - tableau.order), WITHIN[tableau.order], data=data)
        )
    return found


def tolerance() -> Finding:
    """Error of h in the norm that solve_ivp controls; the largest over the tolerances asked for."""
    import fwbio
    from fwbio.rate import free

    network = fwbio.load("random_recurrent")
    x, t = fwbio.tasks.RandomInput(2, 61).x(network)[:, :3], np.arange(0, 0.3, 0.01)
    fine = free.run(network, x, t).h
    errors = [
        np.sqrt(np.mean(((free.run(network, x, t, rtol=tol, atol=tol).h - fine) / (tol + tol * np.abs(fine))) ** 2)) for tol in TOLERANCES
    ]
    data = {"tolerance": np.array(TOLERANCES), "errors": np.array(errors)}
    return Finding("solve_ivp: error of h over atol + rtol |h|, at 1e-4, 1e-6, 1e-8", max(errors), 5.0, data=data)


def refinement(trials: int, seconds: float) -> list[Finding]:
    """Population rates at dt, dt/2 and dt/4, trial by trial."""
    import fwbio
    from fwbio.spiking import batches

    network = replace(fwbio.load("random_recurrent", neurons=80), duration=seconds)
    x = fwbio.tasks.RandomInput(trials, 62).x(network)
    runs = [batches.run(replace(network, dt=dt), x, seed=63 + k, target="numpy") for k, dt in enumerate(RATE_STEPS)]
    rates = network.r0 * np.stack([run.h.mean(axis=(1, 2)) for run in runs])  # Hz, (dt, trials)
    changes = np.diff(rates, axis=0) / rates.mean()
    mean, doubt = changes.mean(axis=1), 1.96 * changes.std(axis=1, ddof=1) / trials**0.5
    largest = int(np.argmax(np.abs(mean) + doubt))
    data = {"dt": np.array(RATE_STEPS), "rates": rates, "changes": mean, "doubts": doubt}
    back = (
        max(0.0, min(np.abs(mean) / doubt)) * 1.96 if mean[0] * mean[1] < 0 else 0.0
    )  # standard errors by which the lesser one turns back
    return [
        Finding(
            "spikes: relative change of the population rate when dt is halved", abs(mean[largest]), 0.01, doubt=doubt[largest], data=data
        ),
        Finding("spikes: standard errors by which the second change turns back", back, 3.0),
    ]


def draw(findings):
    """Error over dt, error over tolerance, rate over dt."""
    curves, tol, spikes = (
        [f.data for f in findings if "order" in f.data],
        next(f.data for f in findings if "tolerance" in f.data),
        next(f.data for f in findings if "rates" in f.data),
    )
    caption = (
        "Left: integrators of order 1, 2, 4 (symbols) and lines of just these slopes through the finest step: symbols off their line would mean a wrong tableau, or equations "
        "that are not smooth. Middle: solve_ivp at three tolerances; above the dashed line it would not keep what was asked. Right: mean rate of all neurons, change from "
        "the finest step, 95 % intervals; beyond the dashed lines or turning back, spikes would depend on dt."
    )
    with canvas(10, 3.6, caption, 1, 3) as (figure, (left, middle, right)):
        for k, data in enumerate(curves):
            ms, name = 1e3 * data["dt"], ("Euler", "RK2", "RK4")[k]
            left.loglog(ms, data["errors"], "os^"[k], ms=4, color=f"C{k}", label=name)
            left.loglog(ms, data["errors"][-1] * (data["dt"] / data["dt"][-1]) ** int(data["order"]), color=f"C{k}", lw=0.8)
        left.set(xlabel="time step (ms)", ylabel="r.m.s. error of the current (1)", title="fixed steps")
        left.set_xticks(ms, [f"{v:.2g}" for v in ms])
        left.minorticks_off()
        left.legend()
        middle.semilogx(tol["tolerance"], tol["errors"], "o", ms=4)
        middle.axhline(5, color="black", ls="--", lw=0.8)
        middle.set(xlabel="tolerance (1)", ylabel="error of h / tolerance (1)", ylim=(0, 6), title="solve_ivp, DOP853")
        shift = 100 * (spikes["rates"] - spikes["rates"][-1]) / spikes["rates"].mean()
        error = 196 * (spikes["rates"] - spikes["rates"][-1]).std(axis=1, ddof=1) / spikes["rates"].mean() / shift.shape[1] ** 0.5
        right.errorbar(1e3 * spikes["dt"], shift.mean(axis=1), error, fmt="o", ms=4)
        for bound in (-1, 1):
            right.axhline(bound, color="black", ls="--", lw=0.8)
        right.set(xlabel="time step (ms)", ylabel="change of the population rate (%)", xlim=(0, None), title="spikes")
    return figure
