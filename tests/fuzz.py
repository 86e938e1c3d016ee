"""Long fuzzing: fresh samples of every primitive and public name until the time is up.

`python -m tests.fuzz --minutes 10 [NAME...]` checks primitives as tests/test_registry.py does and
public names as tests/test_properties.py does, on values that no earlier run drew. Each failure is
printed with the seed that draws it again (`--seed`); the exit status is 1 if there was any.
"""

from __future__ import annotations

import argparse
import inspect
import random
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy

import minigrad
from tests.samples import ROWS
from tests.samples.checks import (
    check_against_torch,
    check_derivatives,
    check_forward,
    tensor_of,
    to_torch,
)
from tests.samples.public import CALLS
from tests.samples.row import DTYPES, primitives
from tests.samples.source import Source

ALL = [name for names in DTYPES.values() for name in names]


class Wild(Source):
    """A source whose every choice is random, and whose shapes are any."""

    def __init__(self, seed: int, dtypes: Sequence[str], mixed: bool = False) -> None:
        super().__init__(seed)
        self.dtypes, self.mixed = list(dtypes), mixed
        self.dtype = numpy.dtype(str(self.rng.choice(self.dtypes)))

    def pick(self, options: Sequence[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def shape(self, least: int = 0, most: int = 3, empty: bool = True) -> tuple[int, ...]:
        count = self.rng.integers(least, most + 1)
        return tuple(int(n) for n in self.rng.integers(0 if empty else 1, 4, count))

    def pair(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        whole = self.shape()
        parts = []
        for _ in range(2):
            part = tuple(1 if self.rng.random() < 0.3 else n for n in whole)
            parts.append(part[int(self.rng.integers(len(part) + 1)) :])
        return parts[0], parts[1]

    def floats(self, *arguments: Any, **keywords: Any) -> Any:
        if self.mixed:
            self.dtype = numpy.dtype(str(self.rng.choice(self.dtypes)))
        return super().floats(*arguments, **keywords)


def fuzz_primitive(name: str, seed: int) -> None:
    """One sample of a primitive: its forward in some dtype, its derivatives in a precise one."""
    op, row = primitives()[name], ROWS[name]
    check_forward(op, row, row.draw(Wild(seed, [d for k in row.kinds for d in DTYPES[k]])))
    precise = [DTYPES[kind][0] for kind in row.kinds if kind in "fc"]
    if not precise or not row.order:
        return
    sample = row.draw(Wild(seed, precise))
    for order in range(1, row.order + 1):
        check_derivatives(op, row, sample, order, full=False)
        check_against_torch(op, row, sample, (name, "fuzz", seed), order)


def fuzz_public(name: str, seed: int) -> None:
    """One call of a public name, good or bad, with any dtypes."""
    import torch

    from tests.test_properties import assert_close, attempt, flat, says_unsupported

    arguments, keywords = CALLS[name](Wild(seed, ALL, mixed=True))
    theirs, refusal = attempt(torch, name, arguments, keywords, to_torch)
    ours, error = attempt(minigrad, name, arguments, keywords, tensor_of)
    if refusal is not None:
        if error is None and not says_unsupported(refusal):
            raise AssertionError(f"torch raises {refusal}, minigrad gives {ours}")
    elif error is None:
        assert_close(flat(ours), flat(theirs))
    elif any(part.size for part in flat(theirs)):
        raise AssertionError(f"torch gives {theirs}, minigrad raises {error!r}")


def main(arguments: list[str] | None = None) -> int:
    """Fuzz until the time is up; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=inspect.getdoc(sys.modules[__name__])
    )
    parser.add_argument("names", nargs="*", help="primitives and public names; without any, all")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, help="check this one seed of the names and stop")
    options = parser.parse_args(arguments)
    checks: list[tuple[str, Callable[[str, int], None]]] = [
        *((name, fuzz_primitive) for name in primitives() if name in ROWS),
        *((name, fuzz_public) for name in CALLS),
    ]
    checks = [pair for pair in checks if not options.names or pair[0] in options.names]
    if not checks:
        parser.error(f"no primitive with a row, and no public name, is called {options.names}")
    end = time.monotonic() + 60 * options.minutes
    count, failures = 0, 0
    failed: set[tuple[str, str]] = set()
    while time.monotonic() < end:
        for name, check in checks:
            seed = random.randrange(2**32) if options.seed is None else options.seed
            count += 1
            try:
                with warnings.catch_warnings(), numpy.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    check(name, seed)
            except Exception as error:  # noqa: BLE001 - any error at all is a finding
                failures += 1
                what = f"{type(error).__name__}: {error}"
                if (name, what[:60]) not in failed:
                    failed.add((name, what[:60]))
                    print(f"{name} --seed {seed} ({check.__name__}): {what[:500]}", flush=True)
            if time.monotonic() >= end:
                break
        if options.seed is not None:
            break
    print(f"{count} samples, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
