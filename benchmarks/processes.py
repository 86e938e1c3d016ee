"""The processes of a row: one for each contender, with as many threads for every library."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contenders import RowFailed
from benchmarks.rows import FreshRow, Row

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 180.0
"""Seconds that a process may take for an answer: for its preparation, or for two steps."""


@dataclass(frozen=True)
class Contender:
    """A contender with a number of threads, and the interpreter that has its library."""

    name: str
    threads: int
    python: str = sys.executable

    @property
    def title(self) -> str:
        return f"{self.name} with {self.threads} thread{'' if self.threads == 1 else 's'}"


def environment(threads: int) -> dict[str, str]:
    """The process environment that gives every threaded library the same number of threads.

    Compiled files may be written, as they are when a package is installed: an import that compiles
    every file anew is nobody's import.
    """
    kept = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    names = ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM", "NUMEXPR")
    kept["MINIGRAD_KERNELS"] = "wait"
    return {**kept, **{f"{name}_NUM_THREADS": str(threads) for name in names}}


def last_line(text: str) -> str:
    """The last line of a process's output: of a traceback, the error itself."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "ended without a word"


class Worker:
    """A process that has a row ready for one contender."""

    limit = LIMIT

    def __init__(self, row: Row, contender: Contender, device: str) -> None:
        self.contender = contender
        # minigrad has its kernels from the first step on, or none.
        kernels = "off" if contender.name == "minigrad-numpy" else "wait"
        arguments = [contender.name, str(contender.threads), device, row.name]
        self.process = subprocess.Popen(
            [contender.python, "-m", "benchmarks.worker", *arguments],
            cwd=ROOT,
            env={**environment(contender.threads), "MINIGRAD_KERNELS": kernels},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def answer(self) -> Any:
        """Wait for the process's next line."""
        process = self.process
        assert process.stdout is not None
        # A process says one line at a time, so that nothing waits in the buffer.
        if not select.select([process.stdout], [], [], self.limit)[0]:
            raise RowFailed(f"no answer within {self.limit:.0f} s")
        line = process.stdout.readline()
        if not line:
            _, errors = process.communicate()
            raise RowFailed(f"{self.contender.title}: {last_line(errors)}")
        answer = json.loads(line)
        if isinstance(answer, dict) and "refused" in answer:
            raise RowFailed(answer["refused"])
        return answer

    def ask(self, **request: Any) -> Any:
        """Send a request and wait for its answer."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer, or its absence, says why
        return self.answer()

    def hold_to(self, turn: int) -> None:
        """Keep all threads of a process on as many cores as it may have threads, others in each
        turn: cores are not equally fast where others share the machine, and a process that stays
        on its own would keep its luck.
        """
        if not hasattr(os, "sched_setaffinity"):
            return
        cores = sorted(os.sched_getaffinity(0))
        count = min(self.contender.threads, len(cores))
        allowed = {cores[(turn + n) % len(cores)] for n in range(count)}
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            os.sched_setaffinity(int(task), allowed)

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


@contextmanager
def workers(
    row: Row, entrants: list[Contender], device: str, refusals: dict[str, str]
) -> Iterator[dict[Contender, Worker]]:
    """A process for each contender that can run the row, started together and idle until they are
    asked; the reasons of the others go into `refusals`.
    """
    with ExitStack() as stack:
        crew = {}
        for contender in entrants:
            crew[contender] = Worker(row, contender, device)
            stack.callback(crew[contender].close)
        for contender, worker in list(crew.items()):
            try:
                worker.answer()
            except RowFailed as failure:
                refusals.setdefault(contender.name, str(failure))
                del crew[contender]
        yield crew


def run_fresh(row: FreshRow, contender: Contender) -> float:
    """The figure of a process of its own."""
    library = contender.name
    ended = subprocess.run(
        [contender.python, *row.arguments(library, contender.threads)],
        cwd=ROOT,
        env=environment(contender.threads),
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise RowFailed(f"{contender.name}: {last_line(ended.stderr)}")
    return float(last_line(ended.stdout))
