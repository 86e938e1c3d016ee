"""How results are shown: a table, JSON, and the table in the documentation."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from benchmarks.compare import ROOT, Refusal, Result, Settings

DOCUMENT = ROOT / "docs" / "benchmarks.md"
OPENING = "<!-- table: written by `python -m benchmarks --markdown` -->"
CLOSING = "<!-- end of the table -->"
TITLES = {
    "overhead": "Overhead",
    "networks": "Steps of small networks",
    "arrays": "Large arrays",
    "fresh": "A process of its own",
}
Outcome = Result | Refusal


def processor() -> str:
    """The model of the processor and how many of it the process may use."""
    model = platform.processor() or platform.machine()
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                model = value.strip()
                break
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    return f"{model}, {cores} cores"


def version(library: str) -> str:
    """The version a library gives itself, asked in a process of its own."""
    program = f"import {library}; print({library}.__version__)"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return ended.stdout.strip() if ended.returncode == 0 else "not importable"


def kernels(library: str) -> str:
    """Which of minigrad's fused functions run compiled."""
    program = f"from {library} import kernels; print(*kernels.active().values())"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return f"Numba {metadata.version('numba')}" if "numba" in ended.stdout.split() else "NumPy's"


def conditions(settings: Settings) -> dict[str, str]:
    """What the figures were measured with."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    libraries = dict.fromkeys((settings.subject, settings.reference))
    return {
        **{library: version(library) for library in libraries},
        "kernels": kernels(settings.subject),
        "NumPy": f"{np.__version__} with {blas['name']} {blas['version']}",
        "Python": platform.python_version(),
        "processor": processor(),
        "threads": " or ".join(map(str, settings.threads)) + ", the better of them on each side",
        "turns": str(settings.repeats),
        "day": datetime.now(UTC).date().isoformat(),
    }


def amount(value: float, unit: str) -> str:
    """A figure in the unit that keeps it short."""
    larger = {"us": "ms", "KiB": "MiB"}
    factor = {"us": 1000.0, "KiB": 1024.0}
    if unit in larger and value >= factor[unit]:
        value, unit = value / factor[unit], larger[unit]
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def cells(outcome: Outcome) -> tuple[str, ...]:
    """The cells of one row of the table."""
    if isinstance(outcome, Refusal):
        return (outcome.title, "-", "-", "-", "-", "-", "-")
    goal = "" if outcome.goal is None else f"{outcome.goal:.2f}"
    return (
        outcome.title,
        amount(outcome.subject.median, outcome.unit),
        amount(outcome.reference.median, outcome.unit),
        f"{outcome.ratio:.2f}",
        f"{outcome.lower:.2f} to {outcome.upper:.2f}",
        f"{outcome.minimum:.2f}",
        goal,
    )


def headings(settings: Settings) -> tuple[str, ...]:
    """The headings of the table's columns."""
    return ("", settings.subject, settings.reference, "ratio", "quartiles", "of the best", "goal")


def refusals(outcomes: list[Outcome]) -> list[str]:
    """A line for each row that was not measured."""
    return [
        f"not measured: {outcome.name}: {outcome.reason}"
        for outcome in outcomes
        if isinstance(outcome, Refusal)
    ]


def line_printer(settings: Settings) -> Callable[[Outcome], None]:
    """Print the headings, and give back what prints one row of the table as it comes."""
    widths = (72, 10, 10, 7, 14, 12, 6)

    def show(row: tuple[str, ...]) -> None:
        first, *rest = (
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print(" ".join((first, *rest)).rstrip(), flush=True)

    def show_outcome(outcome: Outcome) -> None:
        show(cells(outcome))
        for line in refusals([outcome]):
            print(f"  {line}", flush=True)

    show(headings(settings))
    return show_outcome


def as_json(outcomes: list[Outcome], settings: Settings) -> str:
    """Every figure and every sample, as JSON."""
    return json.dumps(
        {
            "conditions": conditions(settings),
            "settings": asdict(settings),
            "rows": [asdict(o) for o in outcomes if isinstance(o, Result)],
            "refused": [asdict(o) for o in outcomes if isinstance(o, Refusal)],
        },
        indent=1,
    )


def as_markdown(outcomes: list[Outcome], settings: Settings, families: dict[str, str]) -> str:
    """The table of each family of rows, and what it was measured with."""
    lines = [", ".join(f"{name} {value}" for name, value in conditions(settings).items()) + "."]
    for family, title in TITLES.items():
        members = [outcome for outcome in outcomes if families[outcome.name] == family]
        if not members:
            continue
        rows = [(title, *headings(settings)[1:]), ("---", *["---:"] * 6), *map(cells, members)]
        lines += ["", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join([*lines, *(f"\n{line}" for line in refusals(outcomes))])


def write_document(table: str, document: Path = DOCUMENT) -> None:
    """Put the table between the markers of the page."""
    page = document.read_text(encoding="utf-8")
    before, opened, rest = page.partition(OPENING)
    _, closed, after = rest.partition(CLOSING)
    if not (opened and closed):
        raise SystemExit(f"{document} has no place for the table: {OPENING} ... {CLOSING}")
    written = f"{before}{OPENING}\n\n{table}\n\n{CLOSING}{after}"
    document.write_text(written, encoding="utf-8")
