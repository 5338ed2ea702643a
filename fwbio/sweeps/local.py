"""The points of a sweep on this machine: a thread a worker, the network of each point in a child process of its own.

A point that dies is tried again, three times in all; one that runs ten times as long as the others is killed; none is begun beside
others while a tenth of the memory or less is free. Ctrl-C once: no new
points, those that run are finished; twice: they are killed. Either way everything that is finished is kept.
"""

import contextlib
import errno
import queue
import signal
import statistics
import threading
import time

from fwbio.errors import BadInput, EnvironmentProblem
from fwbio.memory import free_mb, total_mb
from fwbio.spiking import engine
from fwbio.sweeps import point as one
from fwbio.sweeps import store
from fwbio.sweeps.packing import Packs

ATTEMPTS, SPARE = 3, 0.1  # of the memory: below it no point is begun beside others
PATIENCE, SHORTEST = 10, 60.0  # a point is hung after ten times the median, but not before a minute


class Interrupted(KeyboardInterrupt):
    """Ended by Ctrl-C, with everything that was finished in the folder."""


def run(folder, spec, todo, workers, tell, limit=None, fail_fast=False) -> None:
    """Computes and publishes every point of ``todo``.

    tell : called with (what, point) for what in done, failed, again. limit : seconds a point may take (None: PATIENCE medians)
    """
    import_brian2()
    packs, events, stop, busy = Packs(spec, todo), queue.SimpleQueue(), threading.Event(), {}

    def work():
        while not stop.is_set():
            if busy and free_mb() < SPARE * total_mb():  # those that run may need it
                stop.wait(0.5)
                continue
            points, together = packs.take()
            if not points:
                return
            me, began = threading.get_ident(), time.monotonic()
            busy[me] = began, len(points)
            if together and publish(folder, points, together, events):
                for point in points:
                    events.put(("done", point, "", (time.monotonic() - began) / len(points)))
                points = []
            for point in points:
                if together and stop.is_set():
                    break
                began = time.monotonic()
                busy[me] = began, 1
                outcome = attempt(folder, spec, point, stop, lambda reason, point=point: events.put(("again", point, reason)))
                events.put((*outcome, time.monotonic() - began))
            busy.pop(me)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(max(1, min(workers, len(todo))))]
    for thread in threads:
        thread.start()
    took, interrupts = [], 0
    while any(thread.is_alive() for thread in threads) or not events.empty():
        try:
            with contextlib.suppress(queue.Empty):
                what, point, reason, *seconds = events.get(timeout=0.1)
                took += seconds if what == "done" else []
                if what == "full" or what == "failed" and fail_fast:
                    stop.set()
                tell(what, point, reason)
            kill_hung(busy, limit or (max(SHORTEST, PATIENCE * statistics.median(took)) if len(took) > 2 else None))
        except KeyboardInterrupt:
            interrupts += 1
            stop.set()
            if interrupts == 1:
                tell("interrupt", None, f"ending {len(busy)} running points; Ctrl-C again kills them")
            else:
                engine.kill_all()
    if interrupts:
        raise Interrupted


def publish(folder, points, together, events) -> bool:
    """Whether the points of a pack were computed and published; not if anything was wrong with one of them."""
    try:
        for point, data in zip(points, together(), strict=True):
            store.publish(folder, point.key, data)
    except (BadInput, EnvironmentProblem, MemoryError, OSError) as error:
        events.put(("again", None, f"a pack of {len(points)} points, each by itself now: {str(error).splitlines()[0]}"))
        return False
    return True


def import_brian2() -> None:
    """In the main thread, because it takes over Ctrl-C when it is imported; whose it was before gets it back."""
    if threading.current_thread() is threading.main_thread():
        before = signal.getsignal(signal.SIGINT)
        import brian2  # noqa: F401

        signal.signal(signal.SIGINT, before)


def attempt(folder, spec, point, stop, again):
    """(done, failed or full; point; reason), after everything that could be tried."""
    settings, seed = point.settings(), point.seed(spec.root)
    for turn in range(1, ATTEMPTS + 1):
        try:
            store.publish(folder, point.key, one.compute(spec, settings, seed))
            return "done", point, ""
        except (BadInput, one.NonFinite, engine.NonFinite) as error:
            reason, turn = ("" if isinstance(error, BadInput) else "non-finite: ") + str(error), ATTEMPTS
            engine.keep(getattr(error, "arrays", None), folder / "failed" / f"{point.key}.npz")
        except (EnvironmentProblem, MemoryError) as error:
            reason = str(error) or "not enough memory"
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                return "full", point, f"{error.strerror}: free some space, then: fwbio resume {folder}"
            reason = str(error)
        except Exception as error:  # of a card's own making; the sweep goes on
            reason = f"{type(error).__name__}: {error}"
        if stop.is_set():
            return "stopped", point, reason
        if turn == ATTEMPTS:
            with contextlib.suppress(OSError):
                store.fail(folder, point.key, settings, reason, turn)
            return "failed", point, reason
        again(reason)
    raise AssertionError("unreachable")


def kill_hung(busy, limit) -> None:
    now = time.monotonic()
    for thread, (began, points) in list(busy.items()):
        if limit and now - began > limit * points:
            engine.kill_all(thread, f"ran for {now - began:.0f} s, the limit is {limit:.0f} s")
