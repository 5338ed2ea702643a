"""Sweeps: axes and their errors, points that know their seeds, a folder that is right at every moment, and the command itself."""

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

import fwbio
from fwbio.cards import reader
from fwbio.errors import BadInput
from fwbio.sweeps import axes, job, local, point, store, table
from fwbio.sweeps.spec import Spec

TINY = {"population.unit.size": "3", "population.unit.neurons": "3", "protocol.duration": "100 ms"}
NET = reader.read("retrieval")


def values(text):
    return axes.parse(text, NET).values


def test_a_range_is_spaced_in_the_unit_it_starts_with():
    assert values("fast.tau=100ms:10s:log:3") == ("100 ms", "1000 ms", "10000 ms")
    assert values("fast.eta=0:1:lin:5") == ("0", "0.25", "0.5", "0.75", "1")
    assert values("neurons=10,30,100") == ("10", "30", "100")
    assert values("neurons=10:1000:log:3") == ("10", "100", "1000")
    assert values("neuron=poisson,lif") == ("poisson", "lif")
    tau = axes.parse("fast.tau=100ms:5min:log:13", NET)
    assert tau.full == "projection.fast.tau" and np.allclose(tau.numbers, np.geomspace(0.1, 300, 13), rtol=1e-11)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fast.tua=1s,2s", "did you mean 'fast.tau'"),
        ("fast.tau", "write NAME=FROM:TO:log:N"),
        ("fast.tau=", "a value is missing"),
        ("fast.tau=1s,,2s", "a value is missing"),
        ("fast.tau=1,2", "write for instance 2 s"),
        ("fast.tau=1s,1000ms", "1000ms stands there twice"),
        ("fast.tau=1s:2s:log", "a range is FROM:TO:log:N"),
        ("fast.tau=0s:2s:log:3", "values above 0; use lin"),
        ("fast.tau=1s:nan s:lin:3", "not a number with a unit"),
        ("fast.tau=1s:1e999s:lin:3", "not finite"),
        ("fast.tau=1s:2s:log:1", "whole number from 2"),
        ("neurons=2.5,3", "whole number"),
        ("neuron=a:b:log:3", "words have no ranges"),
    ],
)
def test_a_wrong_axis_is_explained(text, says):
    with pytest.raises(BadInput, match=says):
        axes.parse(text, NET)


def test_axes_that_move_together():
    a, b, c = (axes.parse(text, NET) for text in ("fast.tau=1s,2s", "fast.eta=0.1,0.2", "neurons=5,6,7"))
    grid = list(axes.points(axes.joined([a, b, c], ["fast.tau,fast.eta"]), 2))
    assert len(grid) == 12 == axes.size(axes.joined([a, b, c], ["fast.tau,fast.eta"]), 2)
    assert [p.settings() for p in grid][:3] == [{"fast.tau": "1s", "fast.eta": "0.1", "neurons": n} for n in ("5", "5", "6")]
    with pytest.raises(BadInput, match="equal lengths, not fast.tau 2, neurons 3"):
        axes.joined([a, b, c], ["fast.tau,neurons"])
    with pytest.raises(BadInput, match="stands there twice"):
        axes.joined([a, a], [])


def test_a_point_keeps_its_seed_and_name_when_the_grid_grows():
    small, large = (job.specify("retrieval", [f"fast.tau={t}", "neurons=10,20"], seeds=n) for t, n in (("1s,2s", 2), ("0.5s,1000ms,2s", 5)))
    before, after = ({p.key: p.seed(7) for p in spec.points()} for spec in (small, large))
    assert len(before) == 8 and len(after) == 30 and before.items() <= after.items()


def test_no_two_points_share_a_seed():
    seeds, keys = set(), set()
    for k in range(1000):
        for r in range(100):
            p = axes.Point(("a",), (str(k),), json.dumps([["a", float(k)]]), r)
            seeds.add(p.seed(0)), keys.add(p.key)
    assert len(seeds) == len(keys) == 100_000


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"over": []}, "name at least one axis"),
        ({"measures": "acuracy"}, "did you mean 'accuracy'"),
        ({"levels": "spiking", "measures": "agreement"}, "takes two descriptions"),
        ({"levels": "spikes"}, "did you mean 'spiking'"),
        ({"over": ["fast.tau=1s,-2s"]}, "outside 0 to"),
        ({"over": ["neurons=0,1"]}, "neurons"),
        ({"seeds": "0"}, "--seeds"),
    ],
)
def test_what_no_point_could_use_is_refused_before_any_is_computed(options, says, tmp_path):
    with pytest.raises(BadInput, match=says):
        fwbio.sweep("retrieval", **{"over": ["fast.tau=1s,2s"], "out": tmp_path / "s", **options})
    assert not (tmp_path / "s").exists()


def test_a_million_points_ask_for_yes(tmp_path):
    with pytest.raises(BadInput, match="1,000,002 points; add --yes"):
        fwbio.sweep("retrieval", ["fast.tau=1s,2s"], seeds=500_001, out=tmp_path / "s")


def stand_in(monkeypatch, **wrong):
    """Points without a simulation: the figure is a function of the point; ``wrong`` maps an x to what happens instead."""

    def figures(spec, settings, seed):
        if settings["fast.tau"] in wrong:
            raise wrong[settings["fast.tau"]]
        return {"accuracy.spiking": seed % 1000 / 1000, "accuracy.rnn": None}

    monkeypatch.setattr(point, "figures", figures)


OVER = ["fast.tau=1s,2s,3s", "neurons=5,6"]


def test_a_sweep_is_its_table_and_goes_on_where_it_was(monkeypatch, tmp_path):
    stand_in(monkeypatch)
    whole = fwbio.sweep("retrieval", OVER, seeds=2, out=tmp_path / "whole", workers=2)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "whole/table.csv").read_text())))
    assert [row["fast.tau"] for row in rows[::4]] == ["1s", "2s", "3s"] and {row["status"] for row in rows} == {"done"}
    assert [float(row["accuracy.spiking"]) for row in rows] == list(whole["accuracy.spiking"]) and {
        row["accuracy.rnn"] for row in rows
    } == {""}
    fwbio.sweep("retrieval", OVER[:1], seeds=1, set={}, out=tmp_path / "part", workers=1)
    assert len(store.finished(tmp_path / "part")) == 3
    fwbio.sweep("retrieval", ["fast.tau=3s,1s", "neurons=6,5"], seeds=2, out=tmp_path / "grown", workers=4)
    fwbio.sweep("retrieval", OVER, seeds=2, out=tmp_path / "grown")
    assert (tmp_path / "grown/table.csv").read_bytes() == (tmp_path / "whole/table.csv").read_bytes()
    files = [sorted(p.name for p in (tmp_path / name / "points").rglob("*.npz")) for name in ("whole", "grown")]
    assert files[0] == files[1] and len(files[0]) == 12


def test_a_failed_point_is_told_and_retried_only_when_asked(monkeypatch, tmp_path):
    stand_in(monkeypatch, **{"2s": BadInput("no such tau"), "3s": point.NonFinite("h is not finite")})
    found = fwbio.sweep("retrieval", OVER[:1], out=tmp_path / "s")
    assert found.counts() == {"done": 1, "failed": 2, "missing": 0}
    assert list(found.reasons.values()) == ["no such tau", "non-finite: h is not finite"]
    stand_in(monkeypatch)
    assert fwbio.resume(tmp_path / "s").counts()["failed"] == 2
    assert fwbio.resume(tmp_path / "s", retry=True).counts() == {"done": 3, "failed": 0, "missing": 0}
    assert store.failures(tmp_path / "s") == {}


def test_a_changed_card_or_option_is_noticed(monkeypatch, tmp_path):
    stand_in(monkeypatch)
    fwbio.sweep("retrieval", OVER[:1], out=tmp_path / "s", trials=10)
    with pytest.raises(BadInput, match="trials: 10 before, 20 now"):
        fwbio.sweep("retrieval", OVER[:1], out=tmp_path / "s", trials=20)
    assert fwbio.sweep("retrieval", OVER[:1], out=tmp_path / "s", trials=20, force_new=True).counts()["done"] == 3
    assert len(list((tmp_path / "s").glob("points-before-*/points/*/*.npz"))) == 3


def test_only_one_process_works_on_a_sweep(monkeypatch, tmp_path):
    stand_in(monkeypatch)
    fwbio.sweep("retrieval", OVER[:1], out=tmp_path / "s")
    with store.lease(tmp_path / "s"), pytest.raises(BadInput, match="another fwbio works on this sweep"):
        fwbio.resume(tmp_path / "s")


def test_damaged_points_are_set_aside(monkeypatch, tmp_path):
    """300 truncations and 300 single bits, none accepted."""
    stand_in(monkeypatch)
    fwbio.sweep("retrieval", OVER[:1], out=tmp_path / "s")
    file, *_ = (tmp_path / "s/points").rglob("*.npz")
    right, rng, accepted = file.read_bytes(), np.random.default_rng(0), 0
    for k in range(600):
        wrong = bytearray(right)
        if k < 300:
            wrong = wrong[: rng.integers(len(right))]
        else:
            wrong[rng.integers(len(right))] ^= 1 << int(rng.integers(8))
        file.write_bytes(wrong)
        accepted += len(store.finished(tmp_path / "s")) == 3
        assert os.path.exists(f"{file}.corrupt") and not file.exists()
    assert accepted == 0
    assert fwbio.resume(tmp_path / "s").counts()["done"] == 3 and file.read_bytes() == right


def test_a_full_disk_stops_the_sweep_and_leaves_what_is_there(monkeypatch, tmp_path):
    stand_in(monkeypatch)
    real, count = store.write, [0]

    def write(path, data):
        count[0] += path.suffix == ".npz"
        if path.suffix == ".npz" and count[0] > 1:
            raise OSError(28, "No space left on device")
        real(path, data)

    monkeypatch.setattr(store, "write", write)
    found = fwbio.sweep("retrieval", OVER[:1], out=tmp_path / "s", workers=1)
    assert found.counts() == {"done": 1, "failed": 0, "missing": 2}
    monkeypatch.setattr(store, "write", real)
    assert fwbio.resume(tmp_path / "s").counts()["done"] == 3


def test_undefined_figures_are_empty_and_numbers_read_back_equal():
    spec = Spec("retrieval", ("fast.tau=1s,2s",))
    first, second = spec.points()
    value = 0.1 + 0.2
    data = io.BytesIO()
    np.savez(data, names=np.array(["a", "b"]), values=np.array([value, np.nan]), settings=np.array("{}"), seed=np.array(1))
    merged = table.merge(None, spec, {first.key: data.getvalue()}, {second.key: {"reason": "lost"}})
    rows = list(csv.DictReader(io.StringIO(merged.csv())))
    assert float(rows[0]["a"]) == value and rows[0]["b"] == "" and rows[1]["status"] == "failed" and rows[1]["a"] == ""
    assert merged["fast.tau"].tolist() == [1.0, 2.0]


def command(*words, **options):
    done = subprocess.run([sys.executable, "-m", "fwbio", *words], capture_output=True, text=True, **options)
    return done.returncode, done.stdout, done.stderr


def test_the_plan_says_which_axes_are_structural_and_runs_nothing(tmp_path):
    code, out, _ = command(
        "sweep", "retrieval", "--over", "fast.tau=1s,2s", "--over", "neurons=5,10,20", "--plan", "--json", "--out", str(tmp_path / "s")
    )
    plan = json.loads(out)
    assert code == 0 and plan["points"] == 6 and plan["builds"] == 3 and plan["structural"] == ["neurons"]
    assert not (tmp_path / "s").exists()


def test_the_command_on_numpy(tmp_path):
    """The whole way without a compiler: two points, then nothing left to do; the same bytes with another number of workers."""
    line = ["sweep", "random_recurrent", "--over", "fast.tau=1s,2s", "--trials", "1", "--target", "numpy", "--measure", "hidden_rmse"]
    line += [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
    code, out, err = command(*line, "--out", str(tmp_path / "a"), "--json", "--workers", "1")
    assert (code, err) == (0, "") and json.loads(out)["done"] == 2
    assert (tmp_path / "a/hidden_rmse.png").stat().st_size > 10_000
    code, out, err = command("resume", str(tmp_path / "a"))
    assert code == 0 and "2 done" in out and "0 points to compute, 2 there" in err
    code, *_ = command(*line, "--out", str(tmp_path / "b"), "--workers", "2")
    assert code == 0 and (tmp_path / "a/table.csv").read_bytes() == (tmp_path / "b/table.csv").read_bytes()


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    code, _, err = command("sweep", "retrieval", "--over", "fast.tau=1s,2s", "--out", str(tmp_path))
    assert code == 2 and "holds no sweep" in err
    code, _, err = command("resume", str(tmp_path))
    assert code == 2 and "no sweep there" in err


def test_with_little_memory_points_run_one_at_a_time(monkeypatch, tmp_path):
    beside, most = [], []

    def figures(spec, settings, seed):
        beside.append(1)
        most.append(len(beside))
        time.sleep(0.05)
        beside.pop()
        return {"accuracy.spiking": 0.5}

    monkeypatch.setattr(point, "figures", figures)
    fwbio.sweep("retrieval", OVER, out=tmp_path / "enough", workers=3)
    assert max(most) > 1
    most.clear()
    monkeypatch.setattr(local, "free_mb", lambda: 0.05 * local.total_mb())
    fwbio.sweep("retrieval", OVER, out=tmp_path / "little", workers=3)
    assert len(most) == 6 and max(most) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a disk")
def test_a_disk_that_is_really_full(monkeypatch, tmp_path):
    """A file system of 64 kB: what fits is kept, nothing half-written is left; when there is room the sweep goes on."""
    stand_in(monkeypatch)
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        ballast = disk / "ballast"
        many = ["fast.tau=" + ",".join(f"{k}s" for k in range(1, 31))]
        for room in (16_384, 24_576):  # what is free when the sweep begins
            ballast.write_bytes(bytes(65_536 - room - 8192))
            with contextlib.suppress(OSError):  # the table may not fit either
                fwbio.sweep("retrieval", many, out=disk / "s", workers=1)
        there = store.finished(disk / "s")
        assert 0 < len(there) < 30 and not [p for p in (disk / "s").rglob("*") if p.name.startswith(".new-")]
        ballast.unlink()
        subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
        assert fwbio.resume(disk / "s").counts()["done"] == 30
        assert there.items() <= store.finished(disk / "s").items()
    finally:
        subprocess.run(["umount", disk], check=True)


STARTED = """
import multiprocessing, sys
import fwbio

def work(folder):
    table = fwbio.sweep("random_recurrent", "fast.tau=1s", trials=1, levels="spiking", target="numpy", out=folder,
                        set={"population.unit.size": "3", "population.unit.neurons": "3", "protocol.duration": "100 ms"}, workers=2)
    assert table.counts()["done"] == 1

if sys.argv[1] == "here":
    work(sys.argv[2])
elif __name__ == "__main__":
    child = multiprocessing.get_context(sys.argv[1]).Process(target=work, args=(sys.argv[2],))
    child.start()
    child.join()
    sys.exit(child.exitcode)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", ["typed", "spawn", *(pytest.param(name, marks=pytest.mark.full) for name in ("here", "fork", "forkserver"))]
)
def test_a_sweep_runs_in_a_script_at_the_prompt_and_in_any_kind_of_child(method, tmp_path):
    """A script without a ``__main__`` guard, the same typed into Python, and children of all three kinds."""
    script = tmp_path / "script.py"
    script.write_text(STARTED)
    line = [sys.executable, "-", "here"] if method == "typed" else [sys.executable, str(script), method]
    done = subprocess.run([*line, str(tmp_path / "s")], capture_output=True, text=True, input=STARTED if method == "typed" else None)
    assert done.returncode == 0, done.stderr
    assert len(store.finished(tmp_path / "s")) == 1
