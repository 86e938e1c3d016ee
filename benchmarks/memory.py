"""The memory rows' program: how far training steps lift the resident set of a fresh process.

    python -m benchmarks.memory LIBRARY THREADS BATCH cold|warm

prints the peak resident set of twenty steps of the MNIST MLP over the resident set just before the
first, in KiB. `cold` counts all that the first step brings in, the library's own code too; `warm`
lets a toy network of the same layers step once before, so that data is what remains.
"""

from __future__ import annotations

import ctypes
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.networks import batches, mnist_step, perceptron, training

STATUS = Path("/proc/self/status")
RESET_PEAK = "5"
STEPS = 20


def resident(field: str) -> int:
    """A field of the process's status in KiB: VmRSS is resident now, VmHWM the peak."""
    for line in STATUS.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0])
    raise SystemExit(f"{STATUS} has no {field}: the memory rows need Linux")


def warm_up(lib: Any) -> None:
    """Step a toy network once."""
    model = perceptron(lib, (4, 4, 10))
    optimizer = lib.optim.Adam(model.parameters(), lr=0.001)
    training(lib, model, optimizer, batches(lib, (4, 4)))()


def main() -> None:
    library, threads, batch, mode = sys.argv[1:]
    lib = import_module(library)
    if library == "torch":
        lib.set_num_threads(int(threads))
    if mode == "warm":
        warm_up(lib)
    step = mnist_step(lib, int(batch))
    ctypes.CDLL(None).malloc_trim(0)  # what malloc keeps of the preparation would hide the steps
    Path("/proc/self/clear_refs").write_text(RESET_PEAK)
    before = resident("VmRSS")
    for _ in range(STEPS):
        step()
    print(resident("VmHWM") - before)


if __name__ == "__main__":
    main()
