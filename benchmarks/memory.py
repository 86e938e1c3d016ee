"""The memory rows' program: how far the steps of a row lift the resident set of a fresh process.

    python -m benchmarks.memory LIBRARY THREADS ROW cold|warm

prints the peak resident set of twenty steps, less what was resident before, in KiB. `cold` counts
all that a user of the library pays over a bare interpreter with NumPy: the library's code, and its
compiler's, too. `warm` lets a step of the same row run before and gives its memory back, so that
data is what remains.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from benchmarks.fused import attention
from benchmarks.networks import mnist_step
from benchmarks.resident import STATUS, reset_peak, resident
from benchmarks.rows import Row, Step, all_rows

STEPS = 20

LENGTHS = (256, 512, 1024, 2048, 4096)

# What is no row of its own.
_SIZES: dict[str, Callable[[Any], Step]] = {
    "mnist-1024": partial(mnist_step, batch=1024),
    **{f"attention-{n}": partial(attention, length=n, batch=1) for n in LENGTHS},
}


def builder(name: str) -> Callable[[Any], Step]:
    """What prepares the step of a row, or of one of the sizes that are no rows."""
    if name in _SIZES:
        return _SIZES[name]
    row = all_rows()[name]
    assert isinstance(row, Row)
    return row.build


def baseline() -> int:
    """Begin a new peak, and return what is resident."""
    before = reset_peak()
    if before is None:
        raise SystemExit(f"there is no {STATUS}: the memory rows need Linux")
    return before


def warm_up(step: Step) -> None:
    """Run a step twice, so that all code and compiled kernels are there."""
    step()
    step()


def main() -> None:
    library, threads, name, mode = sys.argv[1:]
    build = builder(name)
    before = baseline()
    lib = import_module(library)
    lib.set_num_threads(int(threads))
    if mode == "warm":
        warm_up(build(lib))
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
    step = build(lib)
    if mode == "warm":
        before = baseline()
    for _ in range(STEPS):
        step()
    print(resident("VmHWM") - before)


if __name__ == "__main__":
    main()
