"""What ``fwbio levels`` prints, and its figure."""

import numpy as np

from fwbio.levels.few import FewValues

MEANS = {
    "guarantee": "at every age, share of the SNR^2 of a slot tuned to that very age",
    "recall": "bits recalled, averaged over the demand",
    "lifetime": "seconds for which SNR stays at theta or above",
}


def time(seconds: float) -> str:
    """A time with the unit that reads best."""
    for size, unit in ((60.0, "min"), (1.0, "s"), (1e-3, "ms")):
        if seconds >= (2 if unit == "min" else 1) * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e3:.3g} ms"


def lines(plan) -> list[str]:
    """A plan as text: its bank, what each number of levels is worth at the price, and the certificate."""
    head = f"{plan.objective}: {plan.m} level{'s' if plan.m > 1 else ''} at a price of {plan.price:g} of a synapse each"
    found = [
        head,
        "  tau   " + "  ".join(f"{time(t):>9}" for t in plan.bank.tau),
        "  gain  " + "  ".join(f"{b:9.4f}" for b in plan.bank.gain),
    ]
    chosen = plan.shapes[plan.m - 1]
    if isinstance(chosen, FewValues):
        found.append(
            f"  {chosen.kind} of {', '.join(map(str, chosen.n))} values; time constants and gains are those it would have without bounds"
        )
    found += ["", f"  {MEANS[plan.objective]}:", "  levels      free    priced  the last one adds"]
    for k, (gross, value) in enumerate(zip(plan.gross, plan.values)):
        more = f"{plan.marginal_gains[k - 1]:+19.4f}" if k else " " * 19
        found.append(f"  {k + 1:6}  {gross:8.4g}  {value:8.4g}{more}{'   <- pays' if k + 1 == plan.m else ''}".rstrip())
    return [*found, f"  certificate: {plan.certificate['says']}"]


def short(plan) -> str:
    """One line of a plan that was not asked for, beside the one that was."""
    taus = ", ".join(time(t) for t in plan.bank.tau)
    return f"  {plan.objective:10} {plan.m} level{'s' if plan.m > 1 else ' '} (tau {taus}): {plan.value:.4g}, {MEANS[plan.objective]}"


def shares(memory, t, r) -> tuple:
    """(ages in s, share of the tuned slot's SNR^2 at them): at ``t``, or, for levels of few values, after every association of r a second."""
    if not isinstance(memory, FewValues):
        return t, np.e * t * memory.kernel(t) ** 2 / memory.energy()
    found = memory.share(int(t[-1] * r))
    return np.arange(1, len(found) + 1) / r, found


def figure(plan, demand, r=1.0):
    """Share of the tuned slot's SNR^2 at each age, for banks (or levels of few values, r associations a second) of 1 … m levels and one more."""
    from fwbio.figures import canvas

    t = np.geomspace(demand.t0 / 3, demand.T * 3, 600)
    caption = (
        "How well is an association of each age remembered, beside a single slot built for that very age and no other (100 %)? One level is good at "
        "one age and poor elsewhere; each further level fills in a range of ages, and soon there is little left to fill. Between the dashed lines "
        "lie the ages that are asked for; the dotted line is what no bank, of however many levels, can hold at all of them."
    )
    with canvas(7.5, 4.6, caption) as (made, axes):
        shown = plan.shapes[: plan.m + 1]
        for k, memory in enumerate(shown):
            age, share = shares(memory, t, r)
            style = {"lw": 2.2} if k + 1 == plan.m else {"lw": 1, "alpha": 0.8}
            axes.plot(
                age,
                100 * share,
                color=f"C{k}",
                label=f"{k + 1} level{'s' if k else ''}{' (this plan)' if k + 1 == plan.m else ''}",
                **style,
            )
        for edge in (demand.t0, demand.T):
            axes.axvline(edge, color="black", ls="--", lw=0.8)
        if plan.objective == "guarantee":
            axes.axhline(100 * plan.certificate["bound"], color="black", ls=":", lw=1)
        axes.axhline(100, color="0.5", lw=0.8)
        axes.set(xscale="log", xlabel="age of the association (s)", ylabel="SNR² of a tuned slot (%)", ylim=(0, 105), xlim=(t[0], t[-1]))
        made.legend(fontsize=8, loc="outside upper left", ncols=3)
    return made
