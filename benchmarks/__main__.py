"""The command: `python -m benchmarks` measures, prints the table and keeps it in a file."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from benchmarks import report
from benchmarks.compare import Settings, compare
from benchmarks.conditions import conditions
from benchmarks.contenders import NAMES, PEERS, REFERENCES, SUBJECTS
from benchmarks.figures import Outcome, Record
from benchmarks.processes import ROOT
from benchmarks.rows import select

RESULTS = ROOT / "build" / "benchmarks.json"
OTHERS = ("jax", "mygrad", "autograd", "tinygrad", "torch-compile")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare minigrad with other libraries in processes that take turns; "
        "a ratio below one means that minigrad needs less.",
    )
    add = parser.add_argument
    add("--against", nargs="+", default=["torch"], metavar="NAME", help=f"{REFERENCES} or all")
    add("--subjects", nargs="+", metavar="NAME", help=f"what is compared with them: {SUBJECTS}")
    add("--only", nargs="+", metavar="ROW", help="these rows or families alone")
    add("--list", action="store_true", help="name the rows and measure nothing")
    add("--repeats", type=int, metavar="N", help="exactly so many turns of each row")
    add("--rounds", type=int, default=1, metavar="N", help="so often all processes are new")
    add("--quick", action="store_true", help="one thread, fewer and shorter turns")
    add("--threads", type=int, nargs="+", metavar="N", help="counts to try: 1 2")
    add("--device", default="cpu", help="cpu, or cuda for torch eager and torch CUDA graphs")
    add("--python", nargs="+", default=[], metavar="NAME=PATH", help="an interpreter of its own")
    add("--json", type=Path, default=RESULTS, metavar="PATH", help="where all results are kept")
    add("--resume", action="store_true", help="go on with an interrupted run, leave what is there")
    add("--markdown", action="store_true", help="measure nothing, write the tables into the docs")
    options = parser.parse_args(arguments)
    if options.repeats is not None and options.repeats < 1:
        parser.error(f"--repeats must be at least 1, not {options.repeats}")
    if options.rounds < 1:
        parser.error(f"--rounds must be at least 1, not {options.rounds}")
    if options.threads is not None and min(options.threads) < 1:
        parser.error(f"--threads must be at least 1, not {min(options.threads)}")
    if options.against == ["all"]:
        options.against = ["torch", *OTHERS]
    for name in (*options.against, *(options.subjects or ())):
        if name not in NAMES:
            parser.error(f"nothing is called {name!r}; there are: {', '.join(NAMES)}")
    pairs = [pair.partition("=") for pair in options.python]
    wrong = [name for name, _, path in pairs if name not in NAMES or not path]
    if wrong:
        parser.error(f"--python takes NAME=PATH with one of {', '.join(NAMES)}, not {wrong[0]!r}")
    options.python = {name: path for name, _, path in pairs}
    return options


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that a command line asks for, whatever it is compared with."""
    settings = Settings(pythons=options.python, device=options.device, rounds=options.rounds)
    if options.device != "cpu":
        settings = replace(settings, threads=(1,))
    if options.quick:
        settings = replace(
            settings, repeats=8, least=3, seconds=2.0, scouting=1, fresh=3, threads=(1,)
        )
    if options.repeats is not None:
        few = min(options.repeats, settings.scouting)
        exact = options.repeats
        settings = replace(settings, repeats=exact, least=exact, fresh=exact, scouting=few)
    if options.threads is not None:
        settings = replace(settings, threads=tuple(options.threads))
    return settings


def tables_of(options: argparse.Namespace) -> dict[str, Settings]:
    """The tables that a command line asks for: against torch, and against the others."""
    settings = settings_of(options)
    subjects = options.subjects
    if options.device != "cpu":
        chosen = subjects or SUBJECTS[:2]
        graphs = ("torch", "torch-graphs")
        return {"cuda": replace(settings, subjects=tuple(chosen), against=graphs)}
    tables = {}
    if "torch" in options.against:
        tables["torch"] = replace(settings, subjects=tuple(subjects or SUBJECTS))
    others = tuple(name for name in options.against if name != "torch")
    if others:
        tables["peers"] = replace(
            settings, subjects=tuple(subjects or SUBJECTS[:2]), against=others
        )
    return tables


def complete(outcome: Outcome | None, settings: Settings) -> bool:
    """Whether an outcome has a figure, or a reason for none, of everyone that is asked for."""
    if outcome is None:
        return False
    known = {*outcome.figures, *outcome.refusals}
    wanted = {*settings.subjects, *settings.against}
    if outcome.family == "fresh":
        wanted = {name for name in wanted if "-" not in name and name not in PEERS}
    return wanted <= known


def measure(table: str, settings: Settings, options: argparse.Namespace) -> None:
    """Measure the rows of a table, print and keep each as it comes."""
    record = Record.read(options.json)
    if not options.resume and options.only is None:
        record.tables.pop(table, None)
    record.open(table, conditions(settings), list(settings.against))
    done = record.outcomes(table) if options.resume else {}
    show = report.line_printer(table, settings.against)
    for row in select(options.only):
        if complete(done.get(row.name), settings):
            show(done[row.name])
            continue
        start = perf_counter()
        outcome = compare(row, settings)
        outcome.took = perf_counter() - start
        record.keep(table, outcome)
        show(outcome)


def main() -> None:
    options = parse()
    if options.list:
        for row in select(options.only):
            print(f"{row.name:20} {row.title}")
        return
    if options.markdown:
        for page in report.write_documents(Record.read(options.json)):
            print(page)
        return
    options.json.parent.mkdir(parents=True, exist_ok=True)
    for table, settings in tables_of(options).items():
        measure(table, settings, options)


if __name__ == "__main__":
    main()
