"""The DataLoader: from a data set and an order to batches, with threads that work ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy

import minigrad
from minigrad.errors import ArgumentError
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataset import IterableDataset, gatherer
from minigrad.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler
from minigrad.utils.data.worker import DONE, WorkerInfo, WorkerPool

Fetch = Callable[[Any], Any]
_SHOWN = 16  # indices of a batch in a note


class DataLoader:
    """Iterates over a data set in batches; each pass is one epoch.

    `batch_size=None` gives single samples. `num_workers` counts threads (0: fetch in the loop);
    the order of the batches does not depend on it. Each thread works `prefetch_factor` batches
    (2) ahead. An error in a worker is raised in the loop, with a note that names the index.
    `pin_memory`, `persistent_workers` and `in_order` are accepted for programs written for torch:
    threads share memory, start in no time and keep the order.
    Raises ArgumentError for arguments that exclude each other.

    >>> import minigrad
    >>> from minigrad.utils.data import TensorDataset
    >>> data = TensorDataset(minigrad.arange(5))
    >>> [batch.tolist() for (batch,) in DataLoader(data, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        self.dataset = dataset
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.drop_last = drop_last
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.generator = generator
        self.prefetch_factor = prefetch_factor
        self.persistent_workers = persistent_workers
        self._is_stream = isinstance(dataset, IterableDataset)
        self._epoch = 0
        if multiprocessing_context is not None:
            raise ArgumentError(
                "DataLoader(): the workers are threads; leave multiprocessing_context out"
            )
        self._check_workers()
        self._check_order(batch_size, shuffle, sampler, batch_sampler)
        if batch_sampler is not None:
            batch_size = None
        if sampler is None and not self._is_stream:
            if shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None and sampler is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        if collate_fn is None:
            collate_fn = default_collate if self._in_batches else default_convert
        self.collate_fn = collate_fn

    @property
    def _in_batches(self) -> bool:
        return self.batch_sampler is not None or self.batch_size is not None

    def _check_workers(self) -> None:
        count: Any = self.num_workers
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise ArgumentError(
                f"DataLoader(): num_workers must be 0 or a positive integer, got {count!r}"
            )
        if self.timeout < 0:
            raise ArgumentError(f"DataLoader(): timeout must be >= 0, got {self.timeout}")
        if self.prefetch_factor is not None and (count == 0 or self.prefetch_factor < 1):
            raise ArgumentError(
                "DataLoader(): prefetch_factor must be >= 1 and needs num_workers > 0, got "
                f"prefetch_factor={self.prefetch_factor} with num_workers={count}"
            )
        if self.persistent_workers and count == 0:
            raise ArgumentError("DataLoader(): persistent_workers needs num_workers > 0")

    def _check_order(self, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
        if self._is_stream and (shuffle or sampler is not None or batch_sampler is not None):
            raise ArgumentError(
                "DataLoader(): an IterableDataset gives its own order; leave shuffle, sampler and "
                "batch_sampler out"
            )
        if sampler is not None and shuffle:
            raise ArgumentError("DataLoader(): sampler excludes shuffle; give one of them")
        if batch_sampler is not None and (
            batch_size != 1 or shuffle or sampler is not None or self.drop_last
        ):
            raise ArgumentError(
                "DataLoader(): batch_sampler excludes batch_size, shuffle, sampler and drop_last"
            )
        if batch_size is None and self.drop_last:
            raise ArgumentError("DataLoader(): batch_size=None excludes drop_last")
        if batch_size is not None and (not isinstance(batch_size, int) or batch_size <= 0):
            raise ArgumentError(
                f"DataLoader(): batch_size must be a positive integer or None, got {batch_size!r}"
            )

    def __len__(self) -> int:
        if self._is_stream:
            count = len(self.dataset)
            if self.batch_size is None:
                return count
            return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
        order: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        return len(order)

    def __iter__(self) -> Iterator[Any]:
        self._epoch += 1
        if self.num_workers == 0:
            return self._fetched_here()
        return self._fetched_by_workers()

    def _fetched_here(self) -> Iterator[Any]:
        if self._is_stream:
            task = self._stream()
            while (batch := task()) is not DONE:
                yield batch
            return
        fetch = self._fetcher()
        for indices in self._order():
            yield fetch(indices)

    def _fetched_by_workers(self) -> Iterator[Any]:
        task_for = self._stream_tasks() if self._is_stream else self._map_tasks()
        with WorkerPool(self._worker_infos(), self.worker_init_fn) as pool:
            yield from pool.run(task_for, self.prefetch_factor or 2, self.timeout)

    def _map_tasks(self) -> Callable[[int], Callable[[], Any] | None]:
        fetch = self._fetcher()
        order = iter(self._order())

        def task_for(worker: int) -> Callable[[], Any] | None:
            for indices in order:
                return partial(fetch, indices)
            return None

        return task_for

    def _stream_tasks(self) -> Callable[[int], Callable[[], Any] | None]:
        streams: dict[int, Callable[[], Any]] = {}

        def task_for(worker: int) -> Callable[[], Any]:
            def task() -> Any:
                # Made in the thread of its worker, where get_worker_info() answers.
                if worker not in streams:
                    streams[worker] = self._stream()
                return streams[worker]()

            return task

        return task_for

    def _order(self) -> Iterable[Any]:
        """Indices to fetch: lists of them, or single ones where there are no batches."""
        order = self.sampler if self.batch_sampler is None else self.batch_sampler
        assert order is not None
        return order

    def _fetcher(self) -> Fetch:
        """The function from an entry of `_order()` to what the loop gets."""
        dataset, collate = self.dataset, self.collate_fn
        if not self._in_batches:
            return lambda index: collate(_sample(dataset, index))
        read = gatherer(dataset) if collate is default_collate else None
        if read is not None:
            return partial(_at_once, read)
        read = getattr(dataset, "__getitems__", None)
        if read is not None:
            return lambda indices: collate(_at_once(read, indices))
        return lambda indices: collate([_sample(dataset, index) for index in indices])

    def _stream(self) -> Callable[[], Any]:
        """A function that gives the next batch of an IterableDataset, or DONE."""
        samples = iter(self.dataset)
        size = self.batch_size

        def next_batch() -> Any:
            if size is None:
                for sample in samples:
                    return self.collate_fn(sample)
                return DONE
            batch = list(islice(samples, size))
            if not batch or (self.drop_last and len(batch) < size):
                return DONE
            return self.collate_fn(batch)

        return next_batch

    def _worker_infos(self) -> list[WorkerInfo]:
        """What each worker is told of itself.

        Its seed follows from the generator's seed and the epoch: drawing it from the generator
        would make the order of the samples depend on the number of workers.
        """
        source = minigrad if self.generator is None else self.generator
        root = [source.initial_seed() % 2**64, self._epoch]
        infos = []
        for worker in range(self.num_workers):
            state = numpy.random.SeedSequence([*root, worker]).generate_state(1, numpy.uint64)
            infos.append(WorkerInfo(worker, self.num_workers, int(state[0]), self.dataset))
        return infos


def _sample(dataset: Any, index: Any) -> Any:
    try:
        return dataset[index]
    except Exception as error:
        error.add_note(f"DataLoader: this happened while fetching sample {index}")
        raise


def _at_once(read: Fetch, indices: list[int]) -> Any:
    try:
        return read(indices)
    except Exception as error:
        shown = ", ".join(map(str, indices[:_SHOWN])) + (", ..." if len(indices) > _SHOWN else "")
        error.add_note(f"DataLoader: this happened while fetching the samples {shown}")
        raise
