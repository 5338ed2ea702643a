"""The points of a sweep on a Dask scheduler: the same function of the same point, so the same bytes; this process alone writes.

A worker that dies loses the points it was computing, and Dask gives them to another. Each worker machine builds a network once into its own
``$FWBIO_CACHE`` (or a shared one: builds are locked).
"""

from contextlib import contextmanager

from fwbio.errors import BadInput, EnvironmentProblem
from fwbio.sweeps import point as one
from fwbio.sweeps import store
from fwbio.sweeps.local import ATTEMPTS, Interrupted


@contextmanager
def client(address: str):
    """A client of the scheduler at ``address``; ``local``: a cluster of two workers of its own."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise EnvironmentProblem("--dask needs dask.distributed, an extra: pip install 'fwbio[sweep]'") from None
    if address == "local":
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as found:
            yield found
        return
    try:
        found = Client(address, timeout="10s")
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(
            f"--dask {address}: no scheduler answers there ({error}); give its address, for instance tcp://HOST:8786, or local"
        ) from None
    with found:
        yield found


def task(spec_table: dict, settings: dict, seed: int):
    """("done", bytes) or ("failed", reason): failures of the point are answers, failures of the worker are Dask's to repeat."""
    from fwbio.spiking import engine
    from fwbio.sweeps.spec import Spec

    for turn in range(1, ATTEMPTS + 1):
        try:
            return "done", one.compute(Spec.of(spec_table), settings, seed)
        except BadInput as error:
            return "failed", str(error)
        except (one.NonFinite, engine.NonFinite) as error:
            return "failed", f"non-finite: {error}"
        except (EnvironmentProblem, MemoryError, OSError) as error:
            if turn == ATTEMPTS:
                return "failed", str(error)
    raise AssertionError("unreachable")


def run(folder, spec, todo, address, tell, fail_fast=False) -> None:
    """Computes every point of ``todo`` on the cluster and publishes it here."""
    from distributed import as_completed

    with client(address) as dask:
        submitted = {
            dask.submit(
                task, spec.as_json(), point.settings(), point.seed(spec.root), key=f"fwbio-{point.key}", pure=False, retries=ATTEMPTS
            ): point
            for point in todo
        }
        try:
            for future in as_completed(submitted):
                point = submitted[future]
                what, answer = future.result() if future.status == "finished" else ("failed", f"its worker died: {future.exception()}")
                if what == "done":
                    store.publish(folder, point.key, answer)
                else:
                    store.fail(folder, point.key, point.settings(), answer, ATTEMPTS)
                tell(what, point, "" if what == "done" else answer)
                future.release()
                if fail_fast and what == "failed":
                    break
        except KeyboardInterrupt:
            raise Interrupted from None
        finally:
            dask.cancel(list(submitted), force=True)
