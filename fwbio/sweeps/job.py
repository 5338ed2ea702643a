"""``fwbio.sweep`` and ``fwbio.resume``: from a card and its axes to a table, a folder and figures."""

import os
from pathlib import Path

from fwbio.cards import reader
from fwbio.errors import BadInput
from fwbio.progress import Progress
from fwbio.quantities import quantity, whole
from fwbio.sweeps import axes, local, store
from fwbio.sweeps.plan import Plan, plan
from fwbio.sweeps.point import check_measures
from fwbio.sweeps.spec import Spec, check
from fwbio.sweeps.table import Table, merge


def sweep(
    card, over, *, out=None, workers=None, dask=None, limit=None, fail_fast=False, force_new=False, yes=False, quiet=True, **what
) -> Table:
    """Every point of a grid of parameters, computed once and kept; a Table, and the folder ``out``.

    card : name or path. over : ``"fast.tau=100ms:5min:log:13"`` or a list of such
    what : see ``specify``: zip, seeds, seed, set, neurons, neuron, trials, fast, plain, levels, measures, target, pack
    out : results folder (default ``results/sweep-CARD``); a sweep that is there is taken up, its points stay
    workers : children at a time (default: cores). dask : address of a scheduler, or ``"local"``
    limit : how long a point may take, ``"5 min"`` (default: ten times the median). fail_fast : stop at the first failure
    force_new : compute again what was computed otherwise. yes : more than a million points are meant

    Raises BadInput before anything is computed. What is interrupted keeps every finished point, and raises KeyboardInterrupt.
    """
    spec = specify(card, over, **what)
    many = axes.size(spec.axes(), spec.seeds)
    if many > axes.MOST and not yes:
        raise BadInput(f"--over: {many:,} points; add --yes if you mean it")
    folder = claim(folder_of(spec, out))
    return carry_out(spec, folder, False, running(workers, dask, limit, fail_fast), force_new, quiet)


def resume(folder, *, workers=None, dask=None, limit=None, fail_fast=False, force_new=False, retry=False, quiet=True) -> Table:
    """Computes what is missing in the folder of a sweep; points that failed only with ``retry``. Other options as of ``sweep``.

    Raises BadInput if the folder holds no sweep, or card, code or versions are others than before (with the differences).
    """
    folder = Path(folder)
    spec = Spec.of(store.manifest(folder)["spec"])
    checked(spec)
    return carry_out(spec, folder, retry, running(workers, dask, limit, fail_fast), force_new, quiet)


def open_sweep(folder) -> Table:
    """The table of a sweep as it stands in its folder, whatever code computed it. Nothing is computed. Raises BadInput if there is no sweep."""
    folder = Path(folder)
    return merge(folder, Spec.of(store.manifest(folder)["spec"]), store.finished(folder), store.failures(folder))


def planned(card, over, *, out=None, workers=None, **what) -> Plan:
    """What ``sweep`` would take: points, builds, memory, disk, time. Nothing is run."""
    spec = specify(card, over, **what)
    folder, there = folder_of(spec, out), 0
    if (folder / "manifest.json").is_file():
        done = store.finished(folder)
        there = sum(point.key in done for point in spec.points())
    return plan(spec, running(workers)["workers"], there)


def specify(
    card,
    over,
    *,
    zip=(),
    seeds=1,
    seed=0,
    set=None,
    neurons=None,
    neuron=None,
    trials=None,
    fast=True,
    plain=False,
    levels=(),
    measures=(),
    target=None,
    pack=False,
) -> Spec:
    """What a sweep computes, checked as far as that is possible without computing.

    zip : names of axes that move together, ``"a,b"``. seeds : replicates of each point. seed : the root of all seeds; a point's own depends
    on its values alone. set, neurons, neuron, trials, fast, plain : as of ``fwbio compare``
    levels : descriptions, ``"rnn,spiking"`` (default: the cheapest one beside spikes). measures : figures to keep (default: all)
    target : cpp_standalone, numpy or cython (default: C++ if there is a compiler)
    pack : small points side by side in one network: the same spikes, figures equal to 12 digits (the compiler adds in another order)
    """
    spec = Spec(
        str(card),
        tuple([over] if isinstance(over, str) else over),
        tuple([zip] if isinstance(zip, str) else zip),
        whole(seeds, "--seeds"),
        whole(seed, "--seed", low=0, high=2**63),
        dict(set or {}),
        None if neurons is None else whole(neurons, "--neurons"),
        neuron,
        None if trials is None else whole(trials, "--trials"),
        fast,
        plain,
        words(levels),
        words(measures),
        target,
        pack,
    )
    checked(spec)
    return spec


def words(text) -> tuple[str, ...]:
    """``"a,b"`` or a list as a tuple."""
    return tuple(part.strip() for part in text.split(",")) if isinstance(text, str) else tuple(text or ())


def running(workers=None, dask=None, limit=None, fail_fast=False) -> dict:
    """How the points are computed; it does not change their bytes."""
    return {
        "workers": os.cpu_count() if workers is None else whole(workers, "--workers", high=10_000),
        "dask": dask,
        "limit": None if limit is None else quantity(limit, "s", "--limit", low=0),
        "fail_fast": fail_fast,
    }


def folder_of(spec: Spec, out=None) -> Path:
    return Path(out) if out is not None else Path("results") / f"sweep-{Path(spec.card).stem}"


def checked(spec: Spec) -> None:
    if not spec.over:
        raise BadInput("--over: name at least one axis, for instance --over fast.tau=100ms:5min:log:13")
    check_measures(spec, reader.read(spec.card)["kind"])
    check(spec)


def claim(folder: Path) -> Path:
    """The folder; raises BadInput for a folder that is something else than a sweep, or cannot be written."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"--out {folder}: this is a file; name a folder")
    if folder.is_dir() and any(p.name != ".lease" for p in folder.iterdir()) and not (folder / "manifest.json").is_file():
        raise BadInput(f"--out {folder}: the folder is not empty and holds no sweep; name another")
    parent = folder
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise BadInput(f"--out {folder}: {parent} cannot be written to; name a folder of your own")
    return folder


def carry_out(spec, folder, retry, how, force_new, quiet) -> Table:
    with store.lease(folder):
        store.start(folder, spec, force_new)
        done = store.finished(folder)
        failed = {} if retry else store.failures(folder)
        todo = [point for point in spec.points() if point.key not in done and point.key not in failed]
        said = Said(Progress("sweep", quiet=quiet), len(todo))
        said.start(len(done))
        try:
            if todo and how["dask"] and spec.pack:
                raise BadInput("--pack packs points on this machine; leave out --dask or --pack")
            if todo and how["dask"]:
                from fwbio.sweeps import cluster

                cluster.run(folder, spec, todo, how["dask"], said, how["fail_fast"])
            elif todo:
                local.run(folder, spec, todo, how["workers"], said, how["limit"], how["fail_fast"])
        finally:
            table = merge(folder, spec, store.finished(folder), store.failures(folder))
            store.write(folder / "table.csv", table.csv().encode())
        if table.counts()["done"]:
            from fwbio.sweeps import figures

            for name, picture in figures.of(spec, table).items():
                picture.savefig(folder / name, dpi=150)
    return table


class Said:
    """Progress of a sweep: the share done, time left, and what has failed so far."""

    def __init__(self, progress: Progress, points: int):
        self.progress, self.points, self.ended, self.failed = progress, points, 0, 0

    def start(self, there: int) -> None:
        self.progress.say(f"{self.points:,} points to compute, {there:,} there")

    def __call__(self, what: str, point, reason: str) -> None:
        where = ", ".join(f"{k}={v}" for k, v in point.settings().items()) if point else ""
        if what in ("done", "failed"):
            self.ended += 1
            self.failed += what == "failed"
            self.progress.label = f"sweep ({self.failed} failed)" if self.failed else "sweep"
            self.progress(self.ended / self.points)
        if what in ("failed", "again", "interrupt", "full"):
            words = {"failed": "failed", "again": "tried again", "interrupt": "interrupted", "full": "stopped"}[what]
            self.progress.note(f"{words}: {where + ': ' if where else ''}{reason.splitlines()[0] if reason else ''}")
