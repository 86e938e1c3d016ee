"""The registry of rows: what is measured, under which name, and what it should reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import repeat
from typing import Any

Step = Callable[[], Any]
Build = Callable[[Any], Step]

FAMILIES = ("overhead", "networks", "arrays", "fused", "convolutions", "fresh")


class Work:
    """A step in its parts, so that it can be compiled or captured: `function` computes from the
    next of `batches` (from nothing where there are none), and `leaves` are what it leaves changed:
    parameters, or inputs with their gradients.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        batches: Iterator[tuple[Any, ...]] | None = None,
        leaves: Any = (),
        optimizer: Any = None,
    ) -> None:
        self.function = function
        self.batches: Iterator[tuple[Any, ...]] = repeat(()) if batches is None else batches
        self.leaves = leaves
        self.optimizer = optimizer

    def __call__(self) -> Any:
        return self.function(*next(self.batches)), self.leaves


@dataclass(frozen=True)
class Row:
    """A workload that is timed: `build(lib)` prepares it and returns the step to repeat.

    A step returns what it computed, tensors in any nesting of tuples and lists; a `Work` returns
    its leaves as well, and only it has a compiled column. Those values, and the gradients of the
    leaves among them, must agree between the libraries before a row is timed. `goal` and
    `compiled` are the ratios to torch that the project holds itself to.
    """

    name: str
    title: str
    family: str
    build: Build
    goal: float | None = None
    tolerance: float = 1e-4
    unit: str = "us"
    compiled: float | None = None


@dataclass(frozen=True)
class FreshRow:
    """A figure that only a new process can give: `arguments(library, threads)` are Python's
    arguments, and the program prints the figure as its last line. `general` rows are run for
    libraries of another interface than torch's too.
    """

    name: str
    title: str
    family: str
    arguments: Callable[[str, int], list[str]]
    unit: str
    goal: float | None = None
    threads_matter: bool = True
    general: bool = False

    @property
    def steady(self) -> bool:
        """Whether few turns suffice, as for memory, which hardly varies."""
        return self.unit == "KiB"


_ROWS: dict[str, Row | FreshRow] = {}


def add_row(row: Row | FreshRow) -> None:
    """Register a row; a name is given once."""
    if row.name in _ROWS:
        raise ValueError(f"two rows are called {row.name!r}")
    _ROWS[row.name] = row


def timed(
    name: str,
    title: str,
    goal: float | None = None,
    tolerance: float = 1e-4,
    compiled: float | None = None,
) -> Callable[[Build], Build]:
    """Register the decorated function of a library as a timed row."""

    def register(build: Build) -> Build:
        family = build.__module__.rpartition(".")[2]
        add_row(Row(name, title, family, build, goal, tolerance, compiled=compiled))
        return build

    return register


def all_rows() -> dict[str, Row | FreshRow]:
    """Every row by name, in the order of the table."""
    for family in FAMILIES:
        import_module(f"benchmarks.{family}")
    return {name: row for name, row in _ROWS.items() if row.family in FAMILIES}


def find(name: str) -> Row | FreshRow:
    """A row of the table or of the curves of growth."""
    all_rows()
    if name not in _ROWS:
        import_module("benchmarks.growing")
    return _ROWS[name]


def select(names: list[str] | None) -> list[Row | FreshRow]:
    """The rows whose name or family is asked for (all of them for None), in the table's order."""
    rows = all_rows()
    if names is None:
        return list(rows.values())
    known = set(rows) | set(FAMILIES)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(
            f"no row or family is called {', '.join(unknown)}; "
            f"families: {', '.join(FAMILIES)}; rows: {', '.join(rows)}"
        )
    return [row for row in rows.values() if row.name in names or row.family in names]
