"""Worker threads that fetch batches ahead of the consumer, in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

DONE: Any = object()  # what a task gives when its worker has no more batches


class WorkerInfo(NamedTuple):
    """Which worker a thread is: its number, how many there are, its seed and its data set."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_current = threading.local()


def get_worker_info() -> WorkerInfo | None:
    """What the running worker thread is, or None in the main thread."""
    return getattr(_current, "info", None)


class WorkerPool:
    """One thread for each worker, so that a batch is fetched by the same one in every run.

    NumPy and file access release the interpreter's lock, so threads do overlap, and they share
    the data set instead of copying it. Leaving the `with` block ends the threads.
    """

    def __init__(self, infos: list[WorkerInfo], start: Callable[[int], Any] | None) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self.infos = infos
        self.start = start
        self.executors = [
            ThreadPoolExecutor(1, thread_name_prefix=f"minigrad-loader-{info.id}") for info in infos
        ]
        self.patient = True

    def __enter__(self) -> WorkerPool:
        started = [
            executor.submit(self._begin, info) for executor, info in zip(self.executors, self.infos)
        ]
        try:
            for future in started:
                future.result()
        except BaseException:
            self.close()
            raise
        return self

    def _begin(self, info: WorkerInfo) -> None:
        _current.info = info
        if self.start is not None:
            self.start(info.id)

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads: what they have not begun is dropped, what they do now is waited for."""
        for executor in self.executors:
            executor.shutdown(wait=False, cancel_futures=True)
        if self.patient:
            for executor in self.executors:
                executor.shutdown(wait=True)

    def run(
        self,
        task_for: Callable[[int], Callable[[], Any] | None],
        ahead: int,
        timeout: float,
    ) -> Iterator[Any]:
        """The results of the tasks in the order in which `task_for(worker)` gave them.

        `ahead` tasks of each worker are under way at a time. `task_for` gives None when there are
        no more. An error of a task is raised here, in the consumer.
        """
        pending: deque[tuple[int, Any]] = deque()

        def submit(worker: int) -> None:
            task = task_for(worker)
            if task is not None:
                pending.append((worker, self.executors[worker].submit(task)))

        for _ in range(ahead):
            for worker in range(len(self.executors)):
                submit(worker)
        while pending:
            worker, future = pending.popleft()
            try:
                result = future.result(timeout or None)
            except TimeoutError:
                if future.done():
                    raise
                # A thread cannot be stopped from outside; waiting for it would hang here too.
                self.patient = False
                raise RuntimeError(
                    f"DataLoader worker {worker} gave no batch within timeout={timeout} seconds"
                ) from None
            if result is not DONE:
                submit(worker)
                yield result
