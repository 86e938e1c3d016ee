"""How two libraries are paired: processes that take turns, one row at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np

from benchmarks.rows import FreshRow, Row

ROOT = Path(__file__).resolve().parent.parent
SUBJECT, REFERENCE = "subject", "reference"
MICROSECONDS = 1e6


class RowFailed(Exception):
    """A row that cannot be measured, and why."""


@dataclass(frozen=True)
class Settings:
    """How much is measured: `repeats` turns in all, a fresh set of processes after every `turns`
    of them, and in each turn the median of `blocks` blocks of about `block` seconds. Rows that
    need a process for every figure take `fresh` turns.
    """

    subject: str = "minigrad"
    reference: str = "torch"
    threads: tuple[int, ...] = (1, 2)
    repeats: int = 40
    turns: int = 10
    fresh: int = 10
    blocks: int = 7
    block: float = 0.005


@dataclass(frozen=True)
class Contender:
    """One side of a comparison with a number of threads."""

    side: str
    library: str
    threads: int


@dataclass(frozen=True)
class Figure:
    """What one side reached with its better number of threads, in the row's unit."""

    threads: int
    median: float
    minimum: float
    samples: list[float]


@dataclass(frozen=True)
class Result:
    """A measured row; ratios are subject over reference, so below one the subject is better.

    `ratio` is the median of the ratios of the turns, `lower` and `upper` their quartiles, and
    `minimum` the ratio of the two sides' best turns.
    """

    name: str
    title: str
    family: str
    unit: str
    goal: float | None
    subject: Figure
    reference: Figure
    ratio: float
    lower: float
    upper: float
    minimum: float


@dataclass(frozen=True)
class Refusal:
    """A row that was not measured."""

    name: str
    title: str
    reason: str


def environment(threads: int) -> dict[str, str]:
    """The process environment that gives every threaded library the same number of threads.

    Compiled files may be written, as they are when a package is installed: an import that compiles
    every file anew is nobody's import.
    """
    kept = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    names = ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM", "NUMEXPR")
    return {**kept, **{f"{name}_NUM_THREADS": str(threads) for name in names}}


def contenders(settings: Settings, threads_matter: bool = True) -> list[Contender]:
    """Both sides with each number of threads, the sides taking turns."""
    threads = settings.threads if threads_matter else settings.threads[:1]
    sides = ((SUBJECT, settings.subject), (REFERENCE, settings.reference))
    return [Contender(side, library, n) for n in threads for side, library in sides]


def in_turn(entrants: list[Contender], turn: int) -> list[Contender]:
    """The order of a turn: two turns forwards, two backwards, so that a drift of the machine
    cancels, and does so on every core of an even number.
    """
    return entrants if turn % 4 < 2 else entrants[::-1]


class Worker:
    """A process that has a row ready for one contender."""

    def __init__(self, row: Row, contender: Contender) -> None:
        self.threads = contender.threads
        plural = "" if contender.threads == 1 else "s"
        self.title = f"{contender.library} with {contender.threads} thread{plural}"
        arguments = [contender.library, str(contender.threads), row.name]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", *arguments],
            cwd=ROOT,
            env=environment(contender.threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(self, **request: Any) -> Any:
        """Send a request and wait for its answer."""
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            _, errors = process.communicate()
            raise RowFailed(f"{self.title}: {last_line(errors)}")
        return json.loads(answer)

    def hold_to(self, turn: int) -> None:
        """Keep a process of one thread on one core, another in each turn: cores are not equally
        fast where others share the machine, and a process that stays on its own would keep its
        luck.
        """
        if self.threads == 1 and hasattr(os, "sched_setaffinity"):
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(self.process.pid, {cores[turn % len(cores)]})

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


def last_line(text: str) -> str:
    """The last line of a process's output: of a traceback, the error itself."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "ended without a word"


@contextmanager
def workers(row: Row, entrants: list[Contender]) -> Iterator[dict[Contender, Worker]]:
    """A process for each contender, started together and idle until they are asked."""
    with ExitStack() as stack:
        crew = {}
        for contender in entrants:
            crew[contender] = Worker(row, contender)
            stack.callback(crew[contender].close)
        yield crew


def difference(
    ours: list[dict[str, Any]], theirs: list[dict[str, Any]], tolerance: float
) -> str | None:
    """How two lists of described tensors differ, or None where they agree.

    Values are compared by the norm of their difference against the norm of the reference, for
    single entries near zero carry only rounding.
    """
    if len(ours) != len(theirs):
        return f"{len(ours)} tensors against {len(theirs)}"
    for number, mine, other in zip(count(), ours, theirs, strict=False):
        for field in ("shape", "dtype"):
            if mine[field] != other[field]:
                return f"tensor {number}: {field} {mine[field]} against {other[field]}"
        pairs = (
            (np.array(mine["values"]), np.array(other["values"])),
            (np.array([mine["norm"]]), np.array([other["norm"]])),
        )
        for values, wanted in pairs:
            error = float(np.linalg.norm(values - wanted))
            if not error <= tolerance * float(np.linalg.norm(wanted)):
                return f"tensor {number}: values differ by {error:.3g} in norm"
    return None


def refuse_difference(row: Row, crew: dict[Contender, Worker]) -> None:
    """Raise where the contenders do not compute the same."""
    described = {contender: worker.ask(do="check") for contender, worker in crew.items()}
    wanted = next(d for contender, d in described.items() if contender.side == REFERENCE)
    for contender, got in described.items():
        reason = difference(got, wanted, row.tolerance)
        if reason is not None:
            raise RowFailed(f"{contender.library} and the reference disagree, {reason}")


def timed_samples(row: Row, settings: Settings) -> dict[Contender, list[float]]:
    """Microseconds of a step, one sample a turn for each contender."""
    entrants = contenders(settings)
    samples: dict[Contender, list[float]] = {contender: [] for contender in entrants}
    turn = 0
    while turn < settings.repeats:
        with workers(row, entrants) as crew:
            if turn == 0:
                refuse_difference(row, crew)
            for _ in range(min(settings.turns, settings.repeats - turn)):
                for contender in in_turn(entrants, turn):
                    worker = crew[contender]
                    worker.hold_to(turn)
                    spent = worker.ask(do="measure", block=settings.block, blocks=settings.blocks)
                    samples[contender].append(spent * MICROSECONDS)
                turn += 1
    return samples


def fresh_samples(row: FreshRow, settings: Settings) -> dict[Contender, list[float]]:
    """Figures of processes of their own, one a turn for each contender, after one unmeasured turn
    that fills the caches of the disk.
    """
    entrants = contenders(settings, row.threads_matter)
    samples: dict[Contender, list[float]] = {contender: [] for contender in entrants}
    for turn in range(settings.fresh + 1):
        for contender in in_turn(entrants, turn):
            ended = subprocess.run(
                [sys.executable, *row.arguments(contender.library, contender.threads)],
                cwd=ROOT,
                env=environment(contender.threads),
                capture_output=True,
                text=True,
                check=False,
            )
            if ended.returncode:
                raise RowFailed(f"{contender.library}: {last_line(ended.stderr)}")
            if turn > 0:
                samples[contender].append(float(last_line(ended.stdout)))
    return samples


def better(samples: dict[Contender, list[float]], side: str) -> Figure:
    """The figure of a side with the number of threads that serves it better."""
    own = [(c.threads, values) for c, values in samples.items() if c.side == side]
    threads, values = min(own, key=lambda pair: median(pair[1]))
    return Figure(threads, median(values), min(values), values)


def summarise(row: Row | FreshRow, samples: dict[Contender, list[float]]) -> Result:
    """Turn the samples of both sides into ratios, turn by turn."""
    subject = better(samples, SUBJECT)
    reference = better(samples, REFERENCE)
    ratios = [a / b for a, b in zip(subject.samples, reference.samples, strict=True)]
    if len(ratios) > 1:
        lower, middle, upper = quantiles(ratios, n=4, method="inclusive")
    else:
        lower = middle = upper = ratios[0]
    return Result(
        name=row.name,
        title=row.title,
        family=row.family,
        unit=row.unit,
        goal=row.goal,
        subject=subject,
        reference=reference,
        ratio=middle,
        lower=lower,
        upper=upper,
        minimum=subject.minimum / reference.minimum,
    )


def compare(row: Row | FreshRow, settings: Settings) -> Result | Refusal:
    """Measure one row, or say why it was not measured."""
    try:
        if isinstance(row, Row):
            return summarise(row, timed_samples(row, settings))
        return summarise(row, fresh_samples(row, settings))
    except RowFailed as failure:
        return Refusal(row.name, row.title, str(failure))
