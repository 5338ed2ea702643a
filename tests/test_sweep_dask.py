"""The same points on a Dask cluster: the same bytes; a worker that is killed costs nothing but its running points. An extra."""

import os
import signal

import pytest

import fwbio
from fwbio.errors import BadInput

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
SET = {"population.unit.size": "3", "population.unit.neurons": "3", "protocol.duration": "100 ms"}
WHAT = {"over": "fast.tau=1s:5s:lin:5", "set": SET, "trials": 2, "levels": "spiking", "target": "numpy"}


def files(folder):
    return {path.name: path.read_bytes() for path in (folder / "points").rglob("*.npz")}


def test_a_cluster_gives_the_same_bytes_and_outlives_a_worker(tmp_path):
    here = fwbio.sweep("random_recurrent", out=tmp_path / "here", **WHAT)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        victim, *_ = client.run(os.getpid).values()
        kill = client.submit(os.kill, victim, signal.SIGKILL, workers=[next(iter(client.scheduler_info()["workers"]))], retries=0)
        there = fwbio.sweep("random_recurrent", out=tmp_path / "there", dask=cluster.scheduler_address, **WHAT)
        kill.release()
    assert there.counts() == {"done": 5, "failed": 0, "missing": 0} and there.csv() == here.csv()
    assert files(tmp_path / "there") == files(tmp_path / "here") and len(files(tmp_path / "here")) == 5


def test_nobody_at_the_address(tmp_path):
    with pytest.raises(BadInput, match="no scheduler answers there"):
        fwbio.sweep("random_recurrent", out=tmp_path / "s", dask="tcp://127.0.0.1:1", **WHAT)
