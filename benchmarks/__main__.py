"""The command: `python -m benchmarks` measures, prints the table and, if asked, writes it."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from benchmarks import report
from benchmarks.compare import Settings, compare
from benchmarks.rows import select


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Pair minigrad with torch in processes that take turns; "
        "a ratio below one means that minigrad needs less.",
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these rows or families alone")
    parser.add_argument("--list", action="store_true", help="name the rows and measure nothing")
    parser.add_argument("--repeats", type=int, metavar="N", help="turns of each row")
    parser.add_argument("--quick", action="store_true", help="one thread, fewer and shorter turns")
    parser.add_argument("--json", metavar="PATH", help="write every sample there, - for the screen")
    parser.add_argument("--markdown", action="store_true", help="rewrite docs/benchmarks.md")
    parser.add_argument("--threads", type=int, nargs="+", metavar="N", help="counts to try: 1 2")
    parser.add_argument("--subject", default="minigrad", help="the library measured")
    parser.add_argument("--reference", default="torch", help="the library it is compared with")
    options = parser.parse_args(arguments)
    if options.repeats is not None and options.repeats < 1:
        parser.error(f"--repeats must be at least 1, not {options.repeats}")
    if options.threads is not None and min(options.threads) < 1:
        parser.error(f"--threads must be at least 1, not {min(options.threads)}")
    return options


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that a command line asks for."""
    settings = Settings(subject=options.subject, reference=options.reference)
    if options.quick:
        settings = replace(settings, repeats=10, turns=5, fresh=4, threads=(1,))
    if options.repeats is not None:
        settings = replace(settings, repeats=options.repeats, fresh=options.repeats)
    if options.threads is not None:
        settings = replace(settings, threads=tuple(options.threads))
    return settings


def main() -> None:
    options = parse()
    rows = select(options.only)
    if options.list:
        for row in rows:
            print(f"{row.name:20} {row.title}")
        return
    settings = settings_of(options)
    show = report.line_printer(settings)
    outcomes = []
    for row in rows:
        outcomes.append(compare(row, settings))
        show(outcomes[-1])
    if options.json == "-":
        print(report.as_json(outcomes, settings))
    elif options.json is not None:
        Path(options.json).write_text(report.as_json(outcomes, settings), encoding="utf-8")
    if options.markdown:
        families = {row.name: row.family for row in rows}
        report.write_document(report.as_markdown(outcomes, settings, families))


if __name__ == "__main__":
    main()
