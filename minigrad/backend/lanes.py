"""Work on all cores: the pieces of a loop run on a few threads that wait for them.

A piece is a call that lets go of Python's lock: a NumPy function on a slice, or a compiled loop.
Unlike Numba's own parallel loops it may be called from several threads at once and after a fork.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

from minigrad.backend.threads import get_num_threads

Task = Callable[[int], object]

_LONG = 1 << 20
_ALIGNED = 64

_tasks: SimpleQueue[_Job] = SimpleQueue()
_started: list[threading.Thread] = []
_here = threading.local()


class _Job:
    """Pieces 0 to `count` of one loop; whoever is free takes the next."""

    def __init__(self, task: Task, count: int) -> None:
        self.task = task
        self.count = count
        # Counters in C: a call of `next` is not interrupted.
        self.take = itertools.count().__next__
        self.finish = itertools.count(1).__next__
        self.done = threading.Lock()
        self.done.acquire()
        self.error: BaseException | None = None

    def work(self) -> None:
        piece = self.take()
        while piece < self.count:
            try:
                if self.error is None:
                    self.task(piece)
            # Whatever it is belongs to the thread that asked for the loop.
            except BaseException as error:  # noqa: BLE001
                self.error = error
            if self.finish() == self.count:
                self.done.release()
            piece = self.take()


def _serve() -> None:
    _here.serves = True
    while True:
        _tasks.get().work()


def lanes(size: int, least: int) -> int:
    """How many threads a loop over `size` elements may use, if each is worth `least` elements.

    It is 1 inside a piece of another loop.
    """
    if size < 2 * least or getattr(_here, "serves", False):
        return 1
    return min(get_num_threads(), size // least)


def share(size: int, threads: int) -> int:
    """How many elements a piece has where a loop works on each element by itself.

    To take a piece costs some microseconds; in long loops there are two for each thread, so that
    less is waited for in the end. Pieces are whole cache lines, and so vector registers are filled
    as in one long loop, to the same bits.
    """
    pieces = threads if size < _LONG * threads else 2 * threads
    return -(-size // (pieces * _ALIGNED)) * _ALIGNED


def run(task: Task, count: int, threads: int) -> None:
    """Call `task(0)` to `task(count - 1)`, in any order, on so many threads.

    The pieces must not depend on each other, and where they add up, nor their number on `threads`,
    so that results are the same whatever the number of threads. An error in a piece is raised here.
    """
    helpers = min(threads, count) - 1
    if helpers < 1 or getattr(_here, "serves", False):
        for piece in range(count):
            task(piece)
        return
    while len(_started) < helpers:
        thread = threading.Thread(target=_serve, name="minigrad-lane", daemon=True)
        _started.append(thread)
        thread.start()
    job = _Job(task, count)
    for _ in range(helpers):
        _tasks.put(job)
    # The pieces that run here are part of a loop too, and start none of their own.
    _here.serves = True
    try:
        job.work()
    finally:
        _here.serves = False
    job.done.acquire()
    if job.error is not None:
        raise job.error


def _after_fork() -> None:
    """A forked process has none of its parent's threads, and starts its own."""
    global _tasks
    _tasks = SimpleQueue()
    _started.clear()
    _here.serves = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
