"""What a sweep looks like: a curve with its 95 % band over one axis, a heat map over two. One file a figure of the table."""

import numpy as np

from fwbio.figures import canvas

PANELS = 6  # of a third axis
MOST = 12  # files
BEYOND = 1e30
FEW = 8  # values on an axis that each get a tick


def of(spec, table) -> dict:
    """File name to matplotlib figure; measures by their first word, levels as lines or panels."""
    bundles = {}
    for name in table.columns:
        bundles.setdefault(name.rsplit(".", 1)[0], []).append(name)
    numeric = [n for n, (values, numbers) in table.axes.items() if len(values) > 1 and not isinstance(numbers[0], str)]
    free = [bundle[0].name for bundle in spec.axes()]  # of axes that move together, the first
    numeric = sorted((n for n in numeric if n in free), key=lambda n: -len(table.axes[n][0]))[:2]
    if not numeric:
        return {}
    draw = curves if len(numeric) == 1 else heat_maps
    return {f"{name}.png": draw(table, name, columns, numeric) for name, columns in list(bundles.items())[:MOST]}


def unit(table, axis) -> str:
    """``(s)`` for the numbers of an axis in SI units."""
    from fwbio.quantities import SPELLINGS, dimension, unit_of  # noqa: F401

    text = unit_of(table.axes[axis][0][0])
    dims = dimension(text, axis)[1]
    names = {
        (0, 0, 0): "1",
        (1, 0, 0): "s",
        (-1, 0, 0): "Hz",
        (0, 1, 0): "V",
        (0, 0, 1): "A",
        (1, -1, 1): "F",
        (0, -1, 1): "S",
        (0, 1, -1): "ohm",
    }
    return names.get(dims, "SI")


def values(table, axis) -> np.ndarray:
    """Those of an axis that can be drawn, in order; what is beyond stands in the table alone."""
    numbers = np.sort(table.axes[axis][1])
    return numbers[np.abs(numbers) < BEYOND]


def scale(numbers) -> str:
    """Logarithmic where values above 0 span more than a decade."""
    low, high = min(numbers), max(numbers)
    return "log" if low > 0 and high / low > 10 else "linear"


def interval(found):
    """Mean and half width of its 95 % interval (Student's t), over replicates and other axes."""
    from scipy.stats import t

    found = found[np.isfinite(found)]
    if len(found) < 2:
        return (found[0] if len(found) else np.nan), np.nan
    return found.mean(), t.ppf(0.975, len(found) - 1) * found.std(ddof=1) / len(found) ** 0.5


def averaged(table, drawn: int) -> str:
    """What a point of a figure over ``drawn`` axes is."""
    over = [f"{table.replicates} seeds"] * (table.replicates > 1) + ["the other axes"] * (len(table.axes) > drawn)
    return f"mean over {' and '.join(over)}" if over else "one run each"


def curves(table, name, columns, numeric):
    (axis,) = numeric
    numbers = values(table, axis)
    place = table[axis]
    caption = f"{name} over {axis}. Points: {averaged(table, 1)}; bands: 95 % interval (Student's t)."
    with canvas(6.4, 4.6, caption) as (figure, axes):
        for column in columns:
            found = np.array([interval(table[column][place == n]) for n in numbers])
            (line,) = axes.plot(numbers, found[:, 0], "o-", ms=4, label=column.rsplit(".", 1)[-1])
            axes.fill_between(numbers, found[:, 0] - found[:, 1], found[:, 0] + found[:, 1], color=line.get_color(), alpha=0.2, lw=0)
        axes.set(xlabel=f"{axis} ({unit(table, axis)})", ylabel=name, xscale=scale(numbers))
        axes.legend()
    return figure


def heat_maps(table, name, columns, numeric):
    across, up = numeric
    x, y = (values(table, axis) for axis in numeric)
    grids = {c: np.array([[interval(table[c][(table[across] == a) & (table[up] == b)])[0] for a in x] for b in y]) for c in columns}
    finite = np.concatenate([g[np.isfinite(g)] for g in grids.values()])
    low, high = (finite.min(), finite.max()) if len(finite) else (0, 1)
    caption = f"{name} over {across} and {up}: {averaged(table, 2)}. One colour scale; white: missing."
    with canvas(4.3 * len(columns) + 1.2, 4.6, caption, 1, len(columns), squeeze=False, sharey=True) as (figure, axes):
        for panel, (column, grid) in zip(axes[0], grids.items()):
            image = panel.pcolormesh(edges(x), edges(y), grid, vmin=low, vmax=high)
            panel.set(title=column.rsplit(".", 1)[-1], xlabel=f"{across} ({unit(table, across)})", xscale=scale(x), yscale=scale(y))
            for along, numbers in ((panel.xaxis, x), (panel.yaxis, y)):
                if len(numbers) <= FEW:  # the values that were run, and no others
                    along.set_ticks(numbers, [f"{number:.3g}" for number in numbers])
                    along.set_ticks([], minor=True)
        axes[0, 0].set_ylabel(f"{up} ({unit(table, up)})")
        figure.colorbar(image, ax=axes[0].tolist(), label=name)
    return figure


def edges(numbers):
    """Borders of the cells of a heat map around its values, in the scale they are drawn in."""
    move, back = (np.log, np.exp) if scale(numbers) == "log" else (np.asarray, np.asarray)
    v = move(np.asarray(numbers, float))
    middle = (v[1:] + v[:-1]) / 2
    return back(np.concatenate([[2 * v[0] - middle[0]], middle, [2 * v[-1] - middle[-1]]]))
