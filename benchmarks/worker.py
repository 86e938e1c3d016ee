"""The process that runs a row for one contender; it is told what to do over its standard input.

    python -m benchmarks.worker NAME THREADS DEVICE ROW

prepares the row, says so, and answers each request, a line of JSON, with a line of JSON: `first`
runs the first step for its time and memory, `check` runs two more and describes their values,
`measure` gives the seconds of a step. A row that cannot run is answered with the reason.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from statistics import median
from time import perf_counter, sleep, thread_time
from typing import Any

import numpy as np

from benchmarks.contenders import RowFailed, prepare, waiter
from benchmarks.peers.peer import PeerStep
from benchmarks.resident import reset_peak, resident
from benchmarks.rows import Row, Step, find

SAMPLED_VALUES = 500
UNDISTURBED = 0.97
PATIENCE = 4
REST = 0.03
"""Seconds for which the threads of a BLAS stay awake after a product."""

LONG = 0.1
"""Seconds that the blocks of one figure take together, where a step is not longer than a block."""


def tensors_of(values: Any) -> list[tuple[Any, bool]]:
    """The tensors in nested tuples and lists, and the gradients of the leaves among them; of each,
    whether it is such a gradient.
    """
    if isinstance(values, (tuple, list)):
        return [tensor for value in values for tensor in tensors_of(value)]
    if values.is_leaf and values.grad is not None:
        return [(values, False), (values.grad, True)]
    return [(values, False)]


def describe(tensor: Any, gradient: bool = False) -> dict[str, Any]:
    """What two libraries must agree on: shape, dtype, norm, and values from all over the array."""
    array = tensor if isinstance(tensor, np.ndarray) else tensor.detach().cpu().numpy()
    flat = array.reshape(-1).astype(np.float64)
    stride = max(1, flat.size // SAMPLED_VALUES)
    return {
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "gradient": gradient,
        "norm": float(np.linalg.norm(flat)),
        "values": flat[::stride].tolist(),
    }


def check(step: Step, steps: int = 3) -> list[dict[str, Any]]:
    """Describe the values after a few steps; a step of another interface says itself what they
    are, as arrays.
    """
    for _ in range(steps - 1):
        step()
    result = step()
    if isinstance(step, PeerStep):
        return [describe(array) for array in step.arrays(result)]
    return [describe(tensor, gradient) for tensor, gradient in tensors_of(result)]


def seconds(step: Step, number: int, wait: Step) -> tuple[float, bool]:
    """The wall time of `number` steps, and whether this thread held a processor all the while."""
    start, processor = perf_counter(), thread_time()
    for _ in range(number):
        step()
    wait()
    spent, held = perf_counter() - start, thread_time() - processor
    return spent, held >= UNDISTURBED * spent


def steps_within(step: Step, block: float, wait: Step = lambda: None) -> int:
    """How many steps fill a block of that many seconds; it warms the step up as well."""
    number = 1
    while True:
        spent, _ = seconds(step, number, wait)
        if spent >= block / 4:
            return max(1, round(number * block / spent))
        number *= 4


def measure(step: Step, number: int, blocks: int, wait: Step = lambda: None) -> float:
    """The median seconds of a step over blocks of `number` steps, fewer where a step is long.

    On a busy machine a block in which another process took the processor says nothing of the
    library; such blocks are measured again, a few times, and count only where there is no better.
    (Work that other threads or a device do looks the same, and all of its blocks count.)
    """
    calm: list[float] = []
    disturbed: list[float] = []
    start = perf_counter()
    while len(calm) < blocks and len(calm) + len(disturbed) < blocks * PATIENCE:
        spent, undisturbed = seconds(step, number, wait)
        (calm if undisturbed else disturbed).append(spent / number)
        if perf_counter() - start > LONG and (calm or len(disturbed) >= 2):
            break
    return median(calm or disturbed)


def first(step: Step, wait: Step, device: str) -> dict[str, float | None]:
    """The seconds of the first step, and the KiB by which it lifts the peak of the process."""
    before = reset_peak() if device == "cpu" else None
    start = perf_counter()
    step()
    wait()
    spent = perf_counter() - start
    return {"seconds": spent, "memory": None if before is None else resident("VmHWM") - before}


def requests(step: Step, wait: Step, device: str) -> None:
    """Answer until the input ends."""
    number = 0
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "first":
            answer: Any = first(step, wait, device)
        elif request["do"] == "check":
            answer = check(step, 2)
        else:
            # The process before may have left threads awake, and the caches full of its own.
            sleep(REST)
            step()
            wait()
            number = number or steps_within(step, request["block"], wait)
            answer = measure(step, number, request["blocks"], wait)
        print(json.dumps(answer), flush=True)


def main() -> None:
    name, threads, device, row_name = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):
        # Before any library counts the cores.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(threads)])
    row = find(row_name)
    assert isinstance(row, Row)
    try:
        with warnings.catch_warnings():
            if name == "minigrad-compiled":
                warnings.simplefilter("error")  # it warns where it runs eagerly
            step = prepare(name, row, int(threads), device)
            print(json.dumps("ready"), flush=True)
            requests(step, waiter(name, device), device)
    except RowFailed as failure:
        print(json.dumps({"refused": str(failure)}), flush=True)


if __name__ == "__main__":
    main()
