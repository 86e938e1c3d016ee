"""How cost grows with size: `python -m benchmarks.growth` measures, and keeps the results.

Batches of 1 to 4096, widths and sequences of 16 to 4096, 1 to 1000 layers, a thousand to a hundred
million parameters, in minigrad, minigrad compiled and torch, on the same number of threads.
`--markdown` writes the table and the picture into the documentation and measures nothing.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.__main__ import RESULTS
from benchmarks.compare import Settings, compare
from benchmarks.conditions import conditions
from benchmarks.figures import Outcome, Record
from benchmarks.growing import SERIES, SIZES
from benchmarks.processes import ROOT
from benchmarks.rows import find

TABLE = "growth"
PICTURE = ROOT / "docs" / "growth.png"
SUBJECTS = ("minigrad", "minigrad-compiled")
CURVES = (
    ("minigrad", "#1f77b4", "-"),
    ("minigrad-compiled", "#2ca02c", "--"),
    ("torch", "#d62728", "-"),
)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    add = parser.add_argument
    add("--only", nargs="+", choices=list(SERIES), metavar="SERIES", help=", ".join(SERIES))
    add("--quick", action="store_true", help="every other size, fewer turns")
    add("--threads", type=int, metavar="N", help="of every library; all cores unless given")
    add("--json", type=Path, default=RESULTS, metavar="PATH", help="where all results are kept")
    add("--resume", action="store_true", help="leave what is there")
    add("--markdown", action="store_true", help="measure nothing, write the table and the picture")
    return parser.parse_args(arguments)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that a command line asks for: one round of processes, a second of turns."""
    settings = Settings(
        subjects=SUBJECTS,
        threads=(options.threads or cores(),),
        repeats=8,
        least=3,
        seconds=2.0,
        rounds=1,
        scouting=1,
    )
    return replace(settings, repeats=4, seconds=1.0) if options.quick else settings


def measure(options: argparse.Namespace) -> None:
    """Measure every size of every series, print and keep each as it comes."""
    settings = settings_of(options)
    record = Record.read(options.json)
    record.open(TABLE, conditions(settings), list(settings.against))
    done = record.outcomes(TABLE) if options.resume else {}
    show = report.line_printer("torch", settings.against)
    for series in options.only or SERIES:
        for size in SIZES[series][:: 2 if options.quick else 1]:
            name = f"{series}-{size}"
            if name not in done:
                record.keep(TABLE, compare(find(name), settings))
            show(record.outcomes(TABLE)[name])


def series_of(record: Record) -> dict[str, list[tuple[int, Outcome]]]:
    """The outcomes of each series by size."""
    outcomes = record.outcomes(TABLE)
    return {
        series: [
            (n, outcomes[f"{series}-{n}"]) for n in SIZES[series] if f"{series}-{n}" in outcomes
        ]
        for series in SERIES
    }


def as_markdown(record: Record) -> str:
    """A table of each series."""
    lines = [", ".join(f"{k} {v}" for k, v in record.conditions(TABLE).items()) + "."]
    lines += ["", f"![How the time of a step grows]({PICTURE.name})"]
    for series, members in series_of(record).items():
        if not members:
            continue
        rows = [
            (
                f"{size:,}",
                *(report.spent(outcome, name) for name, _, _ in CURVES),
                report.quotient(outcome, "minigrad", "torch"),
                report.quotient(outcome, "minigrad-compiled", "torch"),
            )
            for size, outcome in members
        ]
        headings = (SERIES[series], *(name for name, _, _ in CURVES), "eager", "compiled")
        lines += ["", *report.as_table(headings, rows)]
    return "\n".join(lines)


def draw(record: Record, picture: Path) -> None:
    """The curves on logarithmic axes, one panel a series."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    known = {series: members for series, members in series_of(record).items() if members}
    figure, panels = pyplot.subplots(2, 3, figsize=(13, 7.5), layout="constrained")
    places: list[Any] = list(panels.flat)
    for panel, (series, members) in zip(places, known.items()):
        for name, colour, style in CURVES:
            points = [(n, o.figures[name].median / 1000) for n, o in members if name in o.figures]
            panel.loglog(*zip(*points), style, color=colour, marker="o", markersize=4, label=name)
        title, _, axis = SERIES[series].rpartition(", by ")
        panel.set_title(title, fontsize=10)
        panel.set_xlabel(axis)
        panel.set_ylabel("milliseconds a step")
        panel.grid(visible=True, which="major", alpha=0.4)
    for panel in places[len(known) :]:
        panel.axis("off")
    handles, labels = places[0].get_legend_handles_labels()
    places[-1].legend(handles, labels, loc="center", fontsize=12, frameon=False)
    figure.savefig(picture, dpi=110)
    pyplot.close(figure)


def main() -> None:
    options = parse()
    if options.markdown:
        record = Record.read(options.json)
        if not record.outcomes(TABLE):
            raise SystemExit(f"{options.json} has no table of growth; measure it first")
        report.write_between(report.DOCUMENT, TABLE, as_markdown(record))
        draw(record, PICTURE)
        return
    options.json.parent.mkdir(parents=True, exist_ok=True)
    measure(options)


if __name__ == "__main__":
    main()
