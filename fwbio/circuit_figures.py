"""The pictures of a circuit's ``fwbio compare``: spikes with the steps marked, group rates in time, and what lives on its axons."""

import numpy as np

from fwbio.circuit import spans
from fwbio.figures import NAMES, canvas

SHOWN = 400  # neurons in the raster, over all groups


def mark(axis, circuit, label=True) -> None:
    """Shades every step that changes a background, a line where a state is wiped, with its name above."""
    for k, step in enumerate(circuit.steps.values()):
        if not step.wipe and step.factor == 1:
            continue
        stop = step.start if step.wipe else min(step.stop, circuit.duration)
        axis.axvspan(step.start, stop, color=f"C{k}", alpha=0.15, lw=1)
        if label:
            axis.text(step.start, 1.01, step.name, transform=axis.get_xaxis_transform(), fontsize=8, color=f"C{k}")


def raster(run):
    """Spikes of a share of each group's neurons, groups from bottom to top."""
    circuit, total = run.circuit, sum(p.size for p in run.circuit.populations.values())
    caption = (
        f"Spikes of {min(SHOWN, total):,} of the {total:,} neurons, each group with its share, steps of the protocol shaded. A memory is to be seen as "
        "activity of the group that was cued, and of no other; activity of all groups at once would be a failure."
    )
    with canvas(9, 5, caption) as (figure, axis):
        base, ticks = 0, {}
        for group, (population, first, last) in spans(circuit).items():
            shown = max(1, round(min(1, SHOWN / total) * (last - first)))
            t, i = run.spikes[population]
            inside = (i >= first) & (i < first + shown)  # wiring is random: any of a group's neurons stand for it
            axis.plot(t[inside], base + i[inside] - first + 0.5, "|", ms=2, mew=0.6, color="black")
            ticks[group], base = base + shown / 2, base + shown
            axis.axhline(base, color="0.7", lw=0.5)
        mark(axis, circuit)
        axis.set(xlabel="time (s)", xlim=(0, circuit.duration), ylim=(0, base))
        axis.set_yticks(list(ticks.values()), list(ticks))
    return figure


def rates(runs):
    """Group rates in time, a panel a group, spikes over the mean field."""
    circuit = next(iter(runs.values())).circuit
    groups = list(spans(circuit))
    caption = (
        "Rate of each group: in spikes (mean over 10 ms) and in the mean field. Where firing is asynchronous the lines should lie on each other; "
        "population spikes are much taller and narrower than anything the mean field makes, as it knows membranes only as a time constant."
    )
    with canvas(9, 1.1 * len(groups) + 1, caption, len(groups), 1, sharex=True, squeeze=False) as (figure, axes):
        for axis, group in zip(axes[:, 0], groups):
            for level, run in runs.items():
                wide = max(1, round(0.01 / circuit.every)) if level == "spiking" else 1
                axis.plot(run.t, np.convolve(run.rate[group], np.ones(wide) / wide, "same"), lw=1, label=NAMES[level])
            mark(axis, circuit, group == groups[0])
            axis.set_ylabel(f"{group}\n(Hz)")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), ncols=2, loc="outside upper right")
        axes[-1, 0].set(xlabel="time (s)", xlim=(0, circuit.duration))
    return figure


def axons(runs, projection):
    """The axon states of one projection: for the group that the first step of a single group names, and for the rest of its population."""
    run = next(iter(runs.values()))
    circuit, own = run.circuit, run.circuit.projections[projection]
    groups = [g for g, (population, *_) in spans(circuit).items() if population == own.source]
    cued = [f"{s.population}.{s.label}" for s in circuit.steps.values() if s.population == own.source and s.label]
    shown = list(dict.fromkeys([*cued[:1], groups[-1]]))
    states = list(run.states[projection])
    caption = (
        f"What the axons of {projection} remember, means over {' and '.join(shown)}: solid in spikes, dashed in the mean field. A memory without activity "
        "is a state of the cued group that stays away from that of the rest; lines of the two groups on each other would be none."
    )
    with canvas(9, 2 * len(states) + 1, caption, len(states), 1, sharex=True, squeeze=False) as (figure, axes):
        for axis, state in zip(axes[:, 0], states):
            for level, one in runs.items():
                for k, group in enumerate(shown):
                    style = {"color": f"C{k}", "ls": "-" if level == "spiking" else "--", "lw": 1}
                    axis.plot(one.t, one.states[projection][state][group], label=f"{group}, {NAMES[level]}", **style)
            mark(axis, circuit, state == states[0])
            axis.set_ylabel(f"{state} of {projection} (1)")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), ncols=4, loc="outside upper right", fontsize=8)
        axes[-1, 0].set(xlabel="time (s)", xlim=(0, circuit.duration))
    return figure


def of(comparison) -> dict:
    """Every figure that fits, by file name."""
    runs = comparison.runs
    pictures = {"raster.png": raster(runs["spiking"])} if "spiking" in runs else {}
    pictures["rates.png"] = rates(runs)
    plastic = [name for name in next(iter(runs.values())).circuit.projections if all(run.states.get(name) for run in runs.values())]
    return pictures | {f"{name}.png": axons(runs, name) for name in plastic}
