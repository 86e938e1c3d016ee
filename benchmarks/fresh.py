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


def _memory_row(work: str, mode: str, title: str) -> FreshRow:
    def arguments(library: str, threads: int) -> list[str]:
        return ["-m", "benchmarks.memory", library, str(threads), work, mode]

    return FreshRow(f"memory-{work}-{mode}", title, "fresh", arguments, unit="KiB", goal=1.0)


add_row(_import_row("import", "import, NumPy included", _IMPORT))
add_row(_import_row("import-over-numpy", "import once NumPy is there", _IMPORT_OVER_NUMPY))
for _work, _title in (
    ("mnist-128", "MNIST MLP steps, batch 128"),
    ("mnist-1024", "MNIST MLP steps, batch 1024"),
    ("cnn", "CNN 1-8-16 steps, batch 32"),
    ("lenet", "LeNet-5 steps, batch 32"),
    ("residual", "a residual block, both ways"),
    ("gpt-block", "a GPT block, both ways"),
    ("lstm", "an LSTM, both ways"),
):
    add_row(_memory_row(_work, "cold", f"peak memory of {_title}, the library's code included"))
    add_row(_memory_row(_work, "warm", f"peak memory of {_title}, code already loaded"))
for _length in (256, 512, 1024, 2048, 4096):
    _title = f"peak memory of causal attention over {_length}, both ways"
    add_row(_memory_row(f"attention-{_length}", "warm", _title))
