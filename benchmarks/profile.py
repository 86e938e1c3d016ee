"""Where the time of a row goes: `python -m benchmarks.profile ROW`.

    python -m benchmarks.profile mlp-adam --library minigrad-compiled --functions 30
    python -m benchmarks.profile exp --threads 2 --markdown

prints the undisturbed time of a step, then the step's time by file and by function as the
interpreter's profiler sees it. The profiler charges every Python call about as much as a small
operation costs, so its shares rank what to look at; only the undisturbed time says what it gained.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.compare import MICROSECONDS
from benchmarks.contenders import NAMES, RowFailed, prepare
from benchmarks.processes import ROOT
from benchmarks.report import amount, as_table
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


def as_text(row: Row, undisturbed: float, found: list[Entry], functions: int) -> str:
    """Everything, for the screen."""
    total = sum(own for _, _, _, own in found)
    lines = [f"{row.title}: {undisturbed:.1f} us a step, {total:.1f} us under the profiler"]
    lines += ["", f"{'own us':>9} {'share':>6} {'calls':>8}  file"]
    for file, calls, own in by_file(found)[:12]:
        lines.append(f"{own:9.2f} {own / total:6.1%} {calls:8.1f}  {file}")
    lines += ["", f"{'own us':>9} {'share':>6} {'calls':>8}  function"]
    for file, function, calls, own in found[:functions]:
        lines.append(f"{own:9.2f} {own / total:6.1%} {calls:8.1f}  {function}  ({file})")
    return "\n".join(lines)


def as_markdown(row: Row, undisturbed: float, found: list[Entry], functions: int) -> str:
    """A paragraph and a table of the costliest functions, for the page of benchmarks."""
    total = sum(own for _, _, _, own in found)
    lines = [f"**{row.name}** ({row.title}): {amount(undisturbed, 'us')} a step.", ""]
    rows = [
        (f"`{function}` ({file})", f"{own / total:.0%}", f"{calls:.1f}")
        for file, function, calls, own in found[:functions]
    ]
    return "\n".join([*lines, *as_table(("where", "share", "calls a step"), rows)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile")
    parser.add_argument("row", help="a row's name, as `python -m benchmarks --list` gives it")
    parser.add_argument("--library", default="minigrad", choices=NAMES, metavar="NAME")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--functions", type=int, metavar="N", help="how many to list")
    parser.add_argument("--markdown", action="store_true", help="a short table, to be pasted")
    options = parser.parse_args()
    row = all_rows().get(options.row)
    if not isinstance(row, Row):
        names = ", ".join(name for name, row in all_rows().items() if isinstance(row, Row))
        parser.error(f"no timed row is called {options.row!r}; rows: {names}")
    try:
        step = prepare(options.library, row, options.threads, "cpu")
    except RowFailed as failure:
        parser.error(f"{options.library} cannot run {row.name}: {failure}")
    number = steps_within(step, BLOCK)
    undisturbed = measure(step, number, BLOCKS) * MICROSECONDS
    found = entries(step, max(number, 20))
    if options.markdown:
        print(as_markdown(row, undisturbed, found, options.functions or 6))
    else:
        print(as_text(row, undisturbed, found, options.functions or 25))


if __name__ == "__main__":
    main()
