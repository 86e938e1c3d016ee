"""Where the time of a row goes: `python -m benchmarks.profile ROW`.

    python -m benchmarks.profile mlp-adam --library minigrad --functions 30

prints the undisturbed time of a step, then the step's time by file and by function as the
interpreter's profiler sees it. The profiler charges every Python call about as much as a small
operation costs, so its shares rank what to look at; only the undisturbed time says what it gained.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.compare import MICROSECONDS
from benchmarks.processes import ROOT
from benchmarks.rows import Row, Step, all_rows
from benchmarks.worker import measure, steps_within

BLOCK = 0.02
BLOCKS = 15
Entry = tuple[str, str, float, float]


def place(filename: str) -> str:
    """A file's name, short: from the repository or from its package on."""
    if filename in ("", "~"):
        return "built in"
    path = Path(filename)
    if path.is_relative_to(ROOT):
        return str(path.relative_to(ROOT))
    if filename.startswith("<minigrad primitive"):
        return "written for primitives"
    return "/".join(path.parts[-2:])


def entries(step: Step, steps: int) -> list[Entry]:
    """(file, function, calls a step, own microseconds a step) of everything that ran."""
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(steps):
        step()
    profiler.disable()
    stats: Any = pstats.Stats(profiler)
    found = []
    for (filename, line, function), (_, calls, own, _, _) in stats.stats.items():
        name = function if filename in ("", "~") else f"{function}:{line}"
        if filename.startswith("<minigrad primitive"):
            name = function
        found.append((place(filename), name, calls / steps, own / steps * MICROSECONDS))
    return sorted(found, key=lambda entry: -entry[3])


def by_file(found: list[Entry]) -> list[tuple[str, float, float]]:
    """(file, calls a step, own microseconds a step), the costliest first."""
    calls: dict[str, float] = defaultdict(float)
    spent: dict[str, float] = defaultdict(float)
    for file, _, count, own in found:
        calls[file] += count
        spent[file] += own
    return sorted(((f, calls[f], spent[f]) for f in calls), key=lambda entry: -entry[2])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile")
    parser.add_argument("row", help="a row's name, as `python -m benchmarks --list` gives it")
    parser.add_argument("--library", default="minigrad")
    parser.add_argument("--functions", type=int, default=25, metavar="N", help="how many to list")
    options = parser.parse_args()
    row = all_rows().get(options.row)
    if not isinstance(row, Row):
        names = ", ".join(name for name, row in all_rows().items() if isinstance(row, Row))
        parser.error(f"no timed row is called {options.row!r}; rows: {names}")
    step = row.build(import_module(options.library))
    number = steps_within(step, BLOCK)
    undisturbed = measure(step, number, BLOCKS) * MICROSECONDS
    found = entries(step, max(number, 20))
    total = sum(own for _, _, _, own in found)
    print(f"{row.title}: {undisturbed:.1f} us a step, {total:.1f} us under the profiler\n")
    print(f"{'own us':>9} {'share':>6} {'calls':>8}  file")
    for file, calls, own in by_file(found)[:12]:
        print(f"{own:9.2f} {own / total:6.1%} {calls:8.1f}  {file}")
    print(f"\n{'own us':>9} {'share':>6} {'calls':>8}  function")
    for file, function, calls, own in found[: options.functions]:
        print(f"{own:9.2f} {own / total:6.1%} {calls:8.1f}  {function}  ({file})")


if __name__ == "__main__":
    main()
