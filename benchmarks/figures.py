"""What was measured: figures, their ratios, and the file that keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from math import exp, log
from pathlib import Path
from statistics import median, quantiles
from typing import Any


@dataclass
class Figure:
    """What one contender reached with its better number of threads: a sample a turn in the row's
    unit, the milliseconds of a new process's first step, and the KiB by which the first steps
    lifted its resident set.
    """

    threads: int
    samples: list[float]
    first: float | None = None
    memory: float | None = None

    @property
    def median(self) -> float:
        return median(self.samples)


@dataclass(frozen=True)
class Ratio:
    """A subject over a reference, so below one the subject needs less: the median over the turns,
    its quartiles, and the two sides' best turns.
    """

    median: float
    lower: float
    upper: float
    best: float


@dataclass
class Outcome:
    """A row after measuring: a figure of each contender, or why there is none; and the seconds that
    measuring it took.
    """

    name: str
    title: str
    family: str
    unit: str
    goal: float | None = None
    compiled: float | None = None
    figures: dict[str, Figure] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    took: float | None = None

    def ratio(self, subject: str, reference: str) -> Ratio | None:
        """How two contenders compare turn by turn; None where one of them has no figure."""
        if subject not in self.figures or reference not in self.figures:
            return None
        mine, other = self.figures[subject].samples, self.figures[reference].samples
        ratios = [a / b for a, b in zip(mine, other)]
        best = min(mine) / min(other)
        if len(ratios) == 1:
            return Ratio(ratios[0], ratios[0], ratios[0], best)
        lower, middle, upper = quantiles(ratios, n=4, method="inclusive")
        return Ratio(middle, lower, upper, best)


def geometric_mean(ratios: Iterable[float]) -> float | None:
    """The geometric mean, in which 0.5 and 2 cancel; None of nothing."""
    logarithms = [log(ratio) for ratio in ratios]
    return exp(sum(logarithms) / len(logarithms)) if logarithms else None


def outcome_from(stored: dict[str, Any]) -> Outcome:
    """An outcome as it was before `asdict`."""
    figures = {name: Figure(**figure) for name, figure in stored["figures"].items()}
    return Outcome(**{**stored, "figures": figures})


class Record:
    """The file of results: tables by name, each with its conditions and its outcomes by row.

    It is written anew after every row, by way of a second file, so that an interrupted run leaves
    all that it measured.
    """

    def __init__(self, path: Path, tables: dict[str, Any] | None = None) -> None:
        self.path = path
        self.tables: dict[str, Any] = {} if tables is None else tables

    @classmethod
    def read(cls, path: Path) -> Record:
        """What a file holds; nothing where there is none."""
        if not path.exists():
            return cls(path)
        try:
            tables = json.loads(path.read_text(encoding="utf-8"))["tables"]
        except (ValueError, KeyError, TypeError) as error:
            raise SystemExit(f"{path} holds no results of these benchmarks: {error!r}") from error
        return cls(path, tables)

    def open(self, table: str, conditions: dict[str, str], references: list[str]) -> None:
        """Begin or go on with a table."""
        opened = self.tables.setdefault(table, {"rows": {}})
        opened.update(conditions=conditions, references=references)

    def keep(self, table: str, outcome: Outcome) -> None:
        """Add an outcome, in place of an older one of the same row, and write the file."""
        rows = self.tables[table]["rows"]
        rows[outcome.name] = asdict(outcome)
        for figure in rows[outcome.name]["figures"].values():
            figure["samples"] = [float(f"{sample:.5g}") for sample in figure["samples"]]
        self.write()

    def write(self) -> None:
        """Write the whole file."""
        written = self.path.with_suffix(".part")
        written.write_text(json.dumps({"tables": self.tables}, indent=1), encoding="utf-8")
        written.replace(self.path)

    def outcomes(self, table: str) -> dict[str, Outcome]:
        """The outcomes of a table by row."""
        rows = self.tables.get(table, {"rows": {}})["rows"]
        return {name: outcome_from(stored) for name, stored in rows.items()}

    def conditions(self, table: str) -> dict[str, str]:
        """What a table was measured with."""
        found: dict[str, str] = self.tables[table]["conditions"]
        return found
