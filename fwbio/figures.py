"""The pictures of ``fwbio compare``. Each function takes arrays and returns a matplotlib Figure; none of them saves or shows."""

import textwrap
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from fwbio import rnn

STYLE = Path(__file__).with_name("fwbio.mplstyle")
NAMES = {"rnn": "RNN", "rate": "rate equations", "spiking": "spiking"}


@contextmanager
def canvas(width, height, caption, rows=1, columns=1, **options):
    """(figure, axes) in the common style, with the caption that says what to see below them."""
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.style.context(STYLE):
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        axes = figure.subplots(rows, columns, **options)
        figure.supxlabel(textwrap.fill(caption.replace(" %", "\u00a0%"), int(width * 15.5)), fontsize=8, x=0.01, ha="left", color="0.25")
        yield figure, axes
        settle(figure)


def settle(figure) -> None:
    """Colours such as C1 are looked up when a figure is drawn, which may be outside the style: give every artist its own now."""
    from matplotlib.colors import to_rgba
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    for line in figure.findobj(Line2D):
        line.set(color=to_rgba(line.get_color()), mfc=to_rgba(line.get_markerfacecolor()), mec=to_rgba(line.get_markeredgecolor()))
    for text in figure.findobj(Text):
        text.set_color(to_rgba(text.get_color()))


def raster(spikes, network, task, shown: int = 8):
    """Spikes of the first trial, ``shown`` neurons of each unit, with tokens and phases marked."""
    unit, neuron = np.divmod(spikes.spike_i, network.neurons)
    text, ms = task.text(0), 1e3 * (spikes.spike_t - task.since * network.token)
    inside = (neuron < shown) & (ms < 1e3 * len(text) * network.token)
    caption = (
        f"Spikes of trial {text}: {min(shown, network.neurons)} of the {network.neurons} neurons of each unit. Solid lines: a new token; dotted: its last phase, "
        "in which fast weights are written. Every unit fires at one rate through a phase; most are silent, as their h is 0."
    )
    with canvas(9, 5, caption) as (figure, axes):
        axes.plot(ms[inside], unit[inside] + (neuron[inside] + 0.5) / shown, "|", ms=2.2, mew=0.7, color="black")
        for k in range(len(text)):
            start = 1e3 * k * network.token
            axes.axvline(start, color="C0", lw=0.8)
            axes.axvline(start + 1e3 * (network.token - network.phase), color="C0", lw=0.6, ls=":")
            axes.text(start + 500 * network.token, network.units * 1.01, text[k], color="C0", ha="center", weight="bold")
        axes.set(xlabel="time (ms)", ylabel="unit", xlim=(0, 1e3 * len(text) * network.token), ylim=(0, network.units))
    return figure


def fast_weights(runs, network, labels, at: int):
    """A after token (or input) ``at`` of the first kept trial, as a heat map in each description."""
    shared = {level: run.A[list(run.kept).index(0), at] for level, run in runs.items() if 0 in run.kept}
    first = next(iter(shared.values()))
    top = max(float(np.abs(A).max()) for A in shared.values()) or 1.0
    from matplotlib.colors import PowerNorm
    from matplotlib.ticker import MaxNLocator

    reference = next(iter(shared))
    caption = (
        f"Fast weights A of the first trial {labels[at]}, units ordered by their row sum in the first panel; colours on a square-root scale. "
        "The patterns should be the same. In spikes whole columns are a little too bright or too dark: a write counts the presynaptic unit's "
        "spikes, while its postsynaptic factor, the dendrite's drive, carries no spike noise of its own."
    )
    order = np.argsort(-first.sum(axis=1))
    with canvas(3.1 * len(shared) + 1.5, 4.4, caption, 1, len(shared), sharey=True, squeeze=False) as (figure, axes):
        for axis, (level, A) in zip(axes[0], shared.items()):
            image = axis.imshow(A[np.ix_(order, order)], norm=PowerNorm(0.5, 0, top), interpolation="nearest")
            off = "" if level == reference else f", {np.linalg.norm(A - first) / (np.linalg.norm(first) or 1):.1%} off"
            axis.set(title=NAMES[level] + off, xlabel="presynaptic unit")
            axis.spines[:].set_visible(False)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[0, 0].set_ylabel("postsynaptic unit")
        axes[0, 0].yaxis.set_major_locator(MaxNLocator(integer=True))
        figure.colorbar(image, ax=axes[0], label="fast weight A (1)", shrink=0.8)
    return figure


def hidden(runs, reference, predicted_rmse=None, most: int = 20000):
    """Hidden state against hidden state, and the residuals below."""
    others = [run for run in runs.values() if run is not reference]
    rng = np.random.default_rng(0)
    x = reference.h.ravel()
    pick = rng.choice(x.size, min(most, x.size), replace=False)
    caption = (
        f"Each point is one unit at one token of one trial: its h in each description against the {NAMES[reference.level]}'s, and the difference below. "
        "Points on the diagonal agree. Bars: mean and standard deviation of the difference; a bar off the zero line is a bias that more neurons do not remove."
    )
    with canvas(4 * len(others) + 0.5, 5.6, caption, 2, len(others), squeeze=False, sharex=True, height_ratios=[2, 1]) as (figure, axes):
        for column, run in zip(axes.T, others):
            y = run.h.ravel()
            rms = float(np.sqrt(np.mean((y - x) ** 2)) / x.std())
            told = f", {predicted_rmse:.3g} predicted" if predicted_rmse and run.level == "spiking" else ""
            column[0].plot(x[pick], y[pick], ".", ms=2, alpha=0.3, rasterized=True)
            column[0].plot([0, x.max()], [0, x.max()], color="black", lw=0.8)
            column[0].set(title=f"{NAMES[run.level]}: RMS {rms:.2g} of s.d.{told}", ylabel=f"h, {NAMES[run.level]} (1)")
            column[1].plot(x[pick], (y - x)[pick], ".", ms=2, alpha=0.3, rasterized=True)
            edges = np.linspace(0, x.max(), 12)
            place = np.digitize(x, edges[1:-1])
            filled = [k for k in range(11) if (place == k).sum() > 20]
            middle = [x[place == k].mean() for k in filled]
            column[1].errorbar(
                middle,
                [(y - x)[place == k].mean() for k in filled],
                [(y - x)[place == k].std() for k in filled],
                fmt="o",
                ms=3,
                color="C1",
                lw=1,
            )
            column[1].axhline(0, color="black", lw=0.8)
            column[1].set(xlabel=f"h, {NAMES[reference.level]} (1)", ylabel="difference (1)")
    return figure


def decay(runs, network, rules: dict, written: int = 1):
    """How what one token wrote decays, level by level: A less everything written later, projected on A when the token ended."""
    taus = ", ".join(f"{network.projections[name].tau:.3g} s" for name in rules)
    caption = (
        f"What token {written + 1} of the first trial left in A: later writes, known from each description's own h, are taken away, and the rest is "
        f"projected on A as it was. All should lie on exp(-t/tau), tau = {taus}, whatever the tokens in between were."
    )
    with canvas(6, 4.2, caption) as (figure, axes):
        for k, (level, run) in enumerate(runs.items()):
            for m, (name, rule) in enumerate(rules.items()):
                left = left_of_a_token(run, name, rule, written)
                times = network.token * np.arange(len(left))
                axes.plot(
                    times, left, "os^"[k], ms=9 - 3 * k, color=f"C{k}", mfc="none" if k < 2 else f"C{k}", label=None if m else NAMES[level]
                )
        fine = np.linspace(0, times[-1], 200)
        for m, name in enumerate(rules):
            axes.plot(fine, np.exp(-fine / network.projections[name].tau), color="black", lw=1, label=None if m else "exp(-t/tau)")
        axes.set(xlabel="time since the token ended (s)", ylabel="what is left of A (1)", ylim=(0, 1.1))
        axes.legend()
    return figure


def left_of_a_token(run, name, rule, written):
    """The share that is left after each later token of what level ``name`` of the first trial held when token ``written`` ended."""
    A, h = run.levels[name][list(run.kept).index(0)], run.h[0, run.task.since :]
    seen = run.spikes.seen[0, run.task.since :] if run.spikes else h
    start, later, sizes = A[written], 0.0, []
    for t in range(written, len(A)):
        if t > written:
            later = rule.lam * later + rule.eta * np.outer(h[t], seen[t])
        sizes.append(((A[t] - later) * start).sum() / (start**2).sum())
    return np.array(sizes)


def traces(runs, shown: int = 4):
    """Free-running: h of some units in time, spiking over rate equations."""
    rate, spiking = runs["rate"], runs["spiking"]
    caption = (
        "First trial: h of some units, integrated by solve_ivp (thick) and in spikes (thin). They follow the same course; the spiking line "
        "jitters around it, less with more neurons."
    )
    with canvas(8, 1.2 * shown + 1, caption, shown, 1, sharex=True, sharey=True) as (figure, axes):
        for unit, axis in enumerate(axes):
            axis.plot(rate.t, rate.h[0, :, unit], color="C0", lw=3, alpha=0.5, label=NAMES["rate"])
            axis.plot(spiking.t, spiking.h[0, :, unit], color="C1", lw=0.8, label=NAMES["spiking"])
            axis.set_ylabel(f"h, unit {unit} (1)")
        figure.legend(*axes[0].get_legend_handles_labels(), ncols=2, loc="outside upper right")
        axes[-1].set_xlabel("time (s)")
    return figure


def of(comparison) -> dict:
    """Every figure that fits this comparison, by file name."""
    runs = comparison.runs
    reference = runs[comparison.figures["reference"]]
    network, task = runs.get("spiking", reference).network, reference.task  # the spiking one knows its number of neurons
    have_A = {level: run for level, run in runs.items() if 0 in run.kept}
    last = reference.A.shape[1] - 1
    told = comparison.figures.get("spiking", {}).get("hidden_rmse_predicted")
    pictures = {"hidden.png": hidden(runs, reference, told)} if len(runs) > 1 else {}
    if network.paced:
        labels = [f"{task.text(0)} after '{task.text(0)[: k + 1]}'" for k in range(len(task.text(0)))]
        if "spiking" in runs:
            pictures["raster.png"] = raster(runs["spiking"].spikes, network, task)
        clocked = {name: rule for name, rule in rnn.rules(network).items() if isinstance(rule, rnn.Decay)}
        if clocked and have_A and not network.wipe:
            pictures["decay.png"] = decay(have_A, network, clocked)
    else:
        labels = [f"after {(k + 1) * network.every:g} s" for k in range(last + 1)]
        if {"rate", "spiking"} <= set(runs):
            pictures["traces.png"] = traces(runs)
    if network.fast and have_A:
        pictures["fast_weights.png"] = fast_weights(have_A, network, labels, last)
    return pictures
