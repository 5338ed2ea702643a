"""All points in one labelled table: a row a point, in grid order; it says also what is missing and why."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fwbio.errors import EnvironmentProblem
from fwbio.sweeps.point import opened
from fwbio.sweeps.spec import Spec


@dataclass(frozen=True)
class Table:
    """folder : where it stands as table.csv. axes : name to (values as written, numbers in SI units or words). columns : name to array, a number a row; NaN is undefined or missing.

    rows : the settings of every point. status : done, missing or failed, a row. reasons : of the failed, by row.
    """

    folder: Path
    axes: dict
    replicates: int
    rows: list = field(repr=False)
    seeds: list = field(repr=False)
    status: np.ndarray = field(repr=False)
    columns: dict = field(repr=False)
    reasons: dict = field(repr=False, default_factory=dict)

    def __getitem__(self, name) -> np.ndarray:
        """A column, or an axis' number in every row."""
        if name in self.columns:
            return self.columns[name]
        values, numbers = self.axes[name]
        by = dict(zip(values, numbers))
        return np.array([by[row[name]] for row in self.rows])

    def __len__(self) -> int:
        return len(self.rows)

    def counts(self) -> dict[str, int]:
        return {word: int((self.status == word).sum()) for word in ("done", "failed", "missing")}

    def csv(self) -> str:
        """Text with a header; numbers are written so that they read back equal; undefined is an empty cell."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*self.axes, "replicate", "seed", "status", *self.columns])
        for k, row in enumerate(self.rows):
            cells = [repr(float(c[k])) if np.isfinite(c[k]) else "" for c in self.columns.values()]
            writer.writerow([*(row[name] for name in self.axes), k % self.replicates, self.seeds[k], self.status[k], *cells])
        return out.getvalue()

    def xarray(self):
        """An xarray.Dataset (extra ``sweep``): rows along ``point``, axes and replicate as coordinates; a full grid as dimensions."""
        try:
            import xarray
        except ImportError:
            raise EnvironmentProblem("labelled arrays need xarray, an extra: pip install 'fwbio[sweep]'") from None
        coordinates = {name: ("point", self[name]) for name in self.axes} | {"replicate": ("point", np.arange(len(self)) % self.replicates)}
        data = xarray.Dataset({k: ("point", v) for k, v in self.columns.items()}, coords=coordinates)
        data["status"] = ("point", self.status.astype(str))
        full = int(np.prod([len(values) for values, _ in self.axes.values()])) * self.replicates
        return data.set_index(point=[*self.axes, "replicate"]).unstack("point") if full == len(self) else data


def merge(folder: Path, spec: Spec, done: dict[str, bytes], failed: dict[str, dict]) -> Table:
    """The table of the sweep in ``folder`` from its points' files."""
    points = list(spec.points())
    found = {key: opened(data) for key, data in done.items()}
    names = list(dict.fromkeys(name for p in points for name in found.get(p.key, ())))
    columns = {name: np.array([found.get(p.key, {}).get(name, np.nan) for p in points]) for name in names}
    status = np.array(["done" if p.key in found else "failed" if p.key in failed else "missing" for p in points])
    axes = {axis.name: (axis.values, axis.numbers) for bundle in spec.axes() for axis in bundle}
    reasons = {k: failed[p.key]["reason"] for k, p in enumerate(points) if status[k] == "failed"}
    return Table(folder, axes, spec.seeds, [p.settings() for p in points], [p.seed(spec.root) for p in points], status, columns, reasons)
