"""The process that runs a row for one library; it is told what to do over its standard input.

    python -m benchmarks.worker LIBRARY THREADS ROW

prepares the row and answers each request, a line of JSON, with a line of JSON: `check` runs three
steps and describes their values, `measure` gives the seconds of a step.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from statistics import median
from time import perf_counter, thread_time
from typing import Any

import numpy as np

from benchmarks.rows import Row, Step, all_rows

CHECKED_STEPS = 3
SAMPLED_VALUES = 500
UNDISTURBED = 0.97
PATIENCE = 4


def tensors_of(values: Any) -> list[Any]:
    """The tensors in nested tuples and lists, and the gradients of the leaves among them."""
    if isinstance(values, (tuple, list)):
        return [tensor for value in values for tensor in tensors_of(value)]
    if values.is_leaf and values.grad is not None:
        return [values, values.grad]
    return [values]


def describe(tensor: Any) -> dict[str, Any]:
    """What two libraries must agree on: shape, dtype, norm, and values from all over the array."""
    array = np.asarray(tensor.detach().numpy())
    flat = array.reshape(-1).astype(np.float64)
    stride = max(1, flat.size // SAMPLED_VALUES)
    return {
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "norm": float(np.linalg.norm(flat)),
        "values": flat[::stride].tolist(),
    }


def check(step: Step) -> list[dict[str, Any]]:
    """Describe the values after a few steps."""
    for _ in range(CHECKED_STEPS - 1):
        step()
    return [describe(tensor) for tensor in tensors_of(step())]


def seconds(step: Step, number: int) -> tuple[float, bool]:
    """The wall time of `number` steps, and whether this thread held a processor all the while."""
    start, processor = perf_counter(), thread_time()
    for _ in range(number):
        step()
    spent, held = perf_counter() - start, thread_time() - processor
    return spent, held >= UNDISTURBED * spent


def steps_within(step: Step, block: float) -> int:
    """How many steps fill a block of that many seconds; it warms the step up as well."""
    number = 1
    while True:
        spent, _ = seconds(step, number)
        if spent >= block / 4:
            return max(1, round(number * block / spent))
        number *= 4


def measure(step: Step, number: int, blocks: int) -> float:
    """The median seconds of a step over blocks of `number` steps.

    On a busy machine a block in which another process took the processor says nothing of the
    library; such blocks are measured again, a few times, and count only where there is no better.
    """
    calm: list[float] = []
    disturbed: list[float] = []
    while len(calm) < blocks and len(calm) + len(disturbed) < blocks * PATIENCE:
        spent, undisturbed = seconds(step, number)
        (calm if undisturbed else disturbed).append(spent / number)
    return median(calm or disturbed)


def main() -> None:
    library, threads, name = sys.argv[1:]
    lib = import_module(library)
    if library == "torch":
        lib.set_num_threads(int(threads))
    row = all_rows()[name]
    assert isinstance(row, Row)
    step = row.build(lib)
    number = 0
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "check":
            answer: Any = check(step)
        else:
            number = number or steps_within(step, request["block"])
            answer = measure(step, number, request["blocks"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
