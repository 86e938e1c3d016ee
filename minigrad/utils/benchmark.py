"""How long a statement takes: torch.utils.benchmark's Timer, over the standard library's."""

from __future__ import annotations

import statistics
import time
import timeit
from typing import Any

__all__ = ["Measurement", "Timer"]


class Measurement:
    """Times of runs, in seconds each for one execution of the statement."""

    def __init__(self, number_per_run: int, raw_times: list[float], label: str) -> None:
        self.number_per_run = number_per_run
        self.raw_times = raw_times
        self.label = label

    @property
    def times(self) -> list[float]:
        """The seconds that one execution took, by run."""
        return [seconds / self.number_per_run for seconds in self.raw_times]

    @property
    def median(self) -> float:
        """The median over the runs."""
        return statistics.median(self.times)

    @property
    def mean(self) -> float:
        """The mean over the runs."""
        return statistics.fmean(self.times)

    @property
    def iqr(self) -> float:
        """The distance from the first quartile to the third; 0 for a single run."""
        if len(self.raw_times) < 2:
            return 0.0
        first, _, third = statistics.quantiles(self.times, n=4, method="inclusive")
        return third - first

    def __repr__(self) -> str:
        return (
            f"<Measurement {self.label}: {self.median * 1e6:.2f} us, {len(self.raw_times)} runs of "
            f"{self.number_per_run}>"
        )


class Timer:
    """Times a statement, given as text, in the names of `globals` after `setup` has run.

    >>> Timer("x + 1", globals={"x": 1}).timeit(10).number_per_run
    10
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Any = time.perf_counter,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        num_threads: int = 1,
    ) -> None:
        self.label = label or sub_label or description or stmt
        self._timer = timeit.Timer(stmt, setup, timer, globals)

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """One run of so many executions, after a few that do not count."""
        self._timer.timeit(max(number // 100, 2))
        return Measurement(number, [self._timer.timeit(number)], self.label)

    def blocked_autorange(self, callback: Any = None, min_run_time: float = 0.2) -> Measurement:
        """Runs of an even number of executions, until they took `min_run_time` seconds."""
        number, seconds = self._timer.autorange(callback)
        number = max(int(number * min(min_run_time / 20 / max(seconds, 1e-9), 1.0)), 1)
        times: list[float] = []
        while sum(times) < min_run_time:
            times.append(self._timer.timeit(number))
        return Measurement(number, times, self.label)
