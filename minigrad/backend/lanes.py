"""Work on all cores: the pieces of a loop run on a few threads that wait for them.

A piece is a call that lets go of Python's lock, as a NumPy function on a slice does; the pieces of
a compiled loop are handed over without it (`minigrad.kernels.compiled.together`). Unlike Numba's
own parallel loops both may be called from several threads at once and after a fork.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import Any

import numpy

from minigrad.backend.threads import get_num_threads

Task = Callable[[int], object]

_LONG = 1 << 20
_SHORT = 1 << 14
_ALIGNED = 64

PATIENCE = 1e-3
"""Seconds that a thread waits awake for what it may be asked next, if no other wants the core."""

# What waits for Python's lock, and who sleeps until there is something.
_jobs: deque[_Job] = deque()
_sleepers: deque[_Sleeper] = deque()
_started: list[threading.Thread] = []
_here = threading.local()
_alone = threading.Lock()

# Where a compiled loop is described to the others, one at a time.
_table = numpy.zeros(64, numpy.int64)
_TABLE = _table.ctypes.data
LOOPS, CALLS = 0, 8
"""The words of the table that count compiled loops, and those that need Python's lock."""

# The core that a thread is on, where the system says so and lets threads move.
_core: Any = getattr(ctypes.CDLL(None), "sched_getcpu", None) if sys.platform == "linux" else None

_attend: Any = None
_looks = 0
_TRIED = 1000


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


class _Sleeper:
    """A thread that sleeps, and how it is woken."""

    def __init__(self) -> None:
        self._thread = threading.get_native_id()
        self._woken = threading.Lock()
        self._woken.acquire()
        self._allowed: set[int] = set()
        self._held = False

    def sleep(self) -> None:
        """Wait for `wake`."""
        self._woken.acquire()
        if self._held:
            self._held = False
            _hold(0, self._allowed)

    def prepare(self) -> None:
        """Note on which cores this thread may be; it is about to sleep."""
        if _core is not None:
            self._allowed = os.sched_getaffinity(0)

    def wake(self) -> None:
        """Let it go on, on another core than that of the thread which calls this.

        Where cores are lent by a host, the system takes a core that sleeps for one that is busy
        elsewhere, and leaves both threads on one for as long as neither runs for some milliseconds.
        """
        if _core is not None:
            others = self._allowed - {_core()}
            self._held = bool(others) and _hold(self._thread, others)
        self._woken.release()


def _hold(thread: int, cores: set[int]) -> bool:
    """Let a thread be on these cores only; whether that was done."""
    try:
        os.sched_setaffinity(thread, cores)
    except OSError:
        # A container may forbid it.
        return False
    return True


def _serve() -> None:
    _here.serves = True
    sleeper = _Sleeper()
    loops = calls = 0
    while True:
        while _jobs:
            with suppress(IndexError):
                _jobs.popleft().work()
        if _attend is None:
            loops = _table[LOOPS]
        else:
            before = calls
            loops, calls = _attend(_TABLE, loops, calls, _looks)
            if calls != before:
                continue
        sleeper.prepare()
        _sleepers.append(sleeper)
        if _jobs or _table[LOOPS] != loops:
            with suppress(ValueError):
                _sleepers.remove(sleeper)
                continue
        sleeper.sleep()


def keep_awake(attend: Any) -> None:
    """Let the threads wait by a compiled function, which takes part in compiled loops meanwhile."""
    global _attend, _looks
    if attend is _attend:
        return
    idle = numpy.zeros_like(_table)
    times = []
    for _ in range(3):
        start = perf_counter()
        attend(idle.ctypes.data, 0, 0, _TRIED)
        times.append(perf_counter() - start)
    _looks = int(_TRIED * PATIENCE / min(times))
    _attend = attend


def _call(helpers: int) -> None:
    """See to it that so many threads are awake, or on their way."""
    while len(_started) < helpers:
        thread = threading.Thread(target=_serve, name="minigrad-lane", daemon=True)
        _started.append(thread)
        thread.start()
    with suppress(IndexError):
        for _ in range(helpers - len(_started) + len(_sleepers)):
            _sleepers.popleft().wake()


def together(loop: Any, threads: int, rows: int, length: int, *arguments: Any) -> None:
    """Run a compiled loop on so many threads, `length` of its rows at a time.

    `loop` was made by `minigrad.kernels.compiled.together.shared`.
    """
    helpers = min(threads, -(-rows // length)) - 1
    # The table holds one loop; another that comes meanwhile runs on its own thread alone.
    if helpers < 1 or not _alone.acquire(blocking=False):
        loop(0, 0, rows, length, *arguments)
        return
    try:
        _call(helpers)
        loop(_TABLE, helpers, rows, length, *arguments)
    finally:
        _alone.release()


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


def portions(size: int, threads: int) -> int:
    """How many pieces a compiled loop over so many elements is cut into.

    A thread that comes late takes fewer of them. With one for each, who was there first would do
    them all, and the other sleep again before the next loop.
    """
    return 1 if threads == 1 else max(threads, min(8 * threads, size // _SHORT))


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
    job = _Job(task, count)
    _jobs.extend([job] * helpers)
    _table[CALLS] += 1
    _call(helpers)
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
    global _alone
    _alone = threading.Lock()
    _jobs.clear()
    _sleepers.clear()
    _started.clear()
    _table[:] = 0
    _here.serves = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
