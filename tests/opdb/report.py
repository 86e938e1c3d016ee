"""What a run counts and how it prints: one line for a name, the failures, the last line."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

KINDS = ("samples", "variants", "gradients", "second", "errors")


@dataclass
class Failure:
    """One check that failed: where, and what differs."""

    entry: str
    dtype: str
    kind: str
    sample: str
    message: str

    def __str__(self) -> str:
        lines = self.message.strip().splitlines() or ["(no message)"]
        return f"{self.entry} {self.dtype} {self.kind}: {lines[0]}"

    def full(self) -> str:
        """Return the whole story: the sample and everything that differs."""
        return f"{self.entry} {self.dtype} {self.kind}\n  {self.sample}\n  {self.message.strip()}"


@dataclass
class Report:
    """The counts of one name."""

    name: str
    passed: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    allowed: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    def check(self, kind: str, message: str | None, entry: str, dtype: str, sample: Any) -> None:
        """Count one check; a message says what failed."""
        counted = kind if kind in KINDS else "variants"
        self.total[counted] += 1
        if message is None:
            self.passed[counted] += 1
        else:
            self.failures.append(Failure(entry, dtype, kind, repr(sample), message))

    @property
    def passes(self) -> bool:
        """Whether something was checked and nothing failed."""
        return not self.failures and sum(self.total.values()) > 0

    def line(self) -> str:
        """Return the line of this name in the table."""
        cells = [f"{self.passed[kind]}/{self.total[kind]}".rjust(11) for kind in KINDS]
        mark = "ok  " if self.passes else "FAIL"
        excluded = sum(self.excluded.values())
        return f"{mark} {self.name:<48}{''.join(cells)}{excluded:>9}{self.seconds:>7.1f}"


def header() -> str:
    """Return the heading of the table."""
    cells = "".join(kind.rjust(11) for kind in KINDS)
    return f"     {'name':<48}{cells}{'excluded':>9}{'s':>7}"


def summary(reports: list[Report]) -> str:
    """Return the exclusions with their reasons and the last line."""
    excluded: Counter[str] = Counter()
    allowed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for report in reports:
        excluded.update(report.excluded)
        allowed.update(report.allowed)
        total.update(report.total)
    lines = ["", "excluded:", *_table(excluded), "", "passed by an allowance:", *_table(allowed)]
    passing = sum(report.passes for report in reports)
    lines += [
        "",
        f"{passing} of {len(reports)} names pass ({total['samples']} samples, "
        f"{total['gradients']} gradients, {total['second']} second gradients, "
        f"{total['errors']} error inputs, {total['variants']} methods, operators and in-place)",
    ]
    return "\n".join(lines)


def _table(counted: Counter[str]) -> list[str]:
    return [f"{count:>7}  {reason}" for reason, count in sorted(counted.items())] or ["   none"]
