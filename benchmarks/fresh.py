"""Rows that need a process of their own for every figure: import time and peak memory."""

from __future__ import annotations

from benchmarks.rows import FreshRow, add_row

# The clock starts after NumPy (or before it); nothing but NumPy and `time` is loaded by then. It is
# the main thread's own: the wall clock, but for what other processes take of it.
_IMPORT_OVER_NUMPY = """
import time, numpy
start = time.thread_time()
import {library}
print((time.thread_time() - start) * 1e3)
"""
_IMPORT = """
import time
start = time.thread_time()
import {library}
print((time.thread_time() - start) * 1e3)
"""


def _import_row(name: str, title: str, program: str) -> FreshRow:
    def arguments(library: str, threads: int) -> list[str]:
        return ["-c", program.format(library=library)]

    return FreshRow(name, title, "fresh", arguments, unit="ms", threads_matter=False, general=True)


def _memory_row(batch: int, mode: str, title: str, goal: float | None) -> FreshRow:
    def arguments(library: str, threads: int) -> list[str]:
        return ["-m", "benchmarks.memory", library, str(threads), str(batch), mode]

    return FreshRow(f"memory-{batch}-{mode}", title, "fresh", arguments, unit="KiB", goal=goal)


add_row(_import_row("import", "import, NumPy included", _IMPORT))
add_row(_import_row("import-over-numpy", "import once NumPy is there", _IMPORT_OVER_NUMPY))
for _batch in (128, 1024):
    _title = f"peak memory of MNIST MLP steps, batch {_batch}"
    add_row(_memory_row(_batch, "cold", _title, goal=1.0))
    add_row(_memory_row(_batch, "warm", f"{_title}, code already loaded", goal=1.0))
