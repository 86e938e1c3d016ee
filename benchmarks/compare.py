"""How contenders are compared: processes that take turns, one row at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.contenders import PEERS, SUBJECTS, RowFailed
from benchmarks.figures import Figure, Outcome
from benchmarks.processes import Contender, Worker, run_fresh, workers
from benchmarks.rows import FreshRow, Row

MICROSECONDS = 1e6


@dataclass(frozen=True)
class Settings:
    """What is measured and how much: the contenders, the first of `against` being the one whose
    values are right; at most `repeats` turns and at least `least`, as `seconds` allow, spread over
    `rounds` of new processes; and in each turn the median of `blocks` blocks of about `block`
    seconds. After `scouting` turns each contender keeps its better number of threads. Rows that
    need a process for every figure take `fresh` turns.
    """

    subjects: tuple[str, ...] = SUBJECTS
    against: tuple[str, ...] = ("torch",)
    threads: tuple[int, ...] = (1, 2)
    device: str = "cpu"
    repeats: int = 20
    least: int = 4
    seconds: float = 6.0
    rounds: int = 1
    scouting: int = 4
    fresh: int = 5
    blocks: int = 7
    block: float = 0.005
    pythons: dict[str, str] = field(default_factory=dict)


def contenders(settings: Settings) -> list[Contender]:
    """Every contender with each number of threads; those of one number follow each other."""
    chosen = []
    for threads in settings.threads:
        for name in (*settings.subjects, *settings.against):
            python = settings.pythons.get(name)
            chosen.append(
                Contender(name, threads) if python is None else Contender(name, threads, python)
            )
    return chosen


def in_turn(entrants: list[Contender], turn: int) -> list[Contender]:
    """The order of a turn, another in each: who always followed the same one would be measured
    in the state, of caches and of the clock, in which that one leaves the machine.
    """
    return Random(turn).sample(entrants, len(entrants))


def difference(
    ours: list[dict[str, Any]], theirs: list[dict[str, Any]], tolerance: float
) -> str | None:
    """How two lists of described tensors differ, or None where they agree.

    Values are compared by the norm of their difference against the norm of the reference, for
    single entries near zero carry only rounding. Where one side's step keeps its gradients to
    itself, the other's are not compared.
    """
    if len(ours) < len(theirs):
        theirs = [described for described in theirs if not described["gradient"]]
    if len(ours) != len(theirs):
        return f"{len(ours)} tensors against {len(theirs)}"
    for number, mine, other in zip(count(), ours, theirs, strict=False):
        for trait in ("shape", "dtype"):
            if mine[trait] != other[trait]:
                return f"tensor {number}: {trait} {mine[trait]} against {other[trait]}"
        pairs = (
            (np.array(mine["values"]), np.array(other["values"])),
            (np.array([mine["norm"]]), np.array([other["norm"]])),
        )
        for values, wanted in pairs:
            error = float(np.linalg.norm(values - wanted))
            if not error <= tolerance * float(np.linalg.norm(wanted)):
                return f"tensor {number}: values differ by {error:.3g} in norm"
    return None


class Comparison:
    """One timed row being measured."""

    def __init__(self, row: Row, settings: Settings) -> None:
        self.row = row
        self.settings = settings
        self.entrants = contenders(settings)
        self.samples: dict[Contender, list[float]] = {c: [] for c in self.entrants}
        self.firsts: dict[str, list[float]] = {}
        self.memories: dict[str, list[float]] = {}
        self.refusals: dict[str, str] = {}
        self.turn = 0

    def refuse(self, name: str, reason: str) -> None:
        """Leave a contender out, with all its numbers of threads."""
        self.refusals.setdefault(name, reason)

    def remaining(self) -> list[Contender]:
        """The contenders that have not been refused."""
        return [c for c in self.entrants if c.name not in self.refusals]

    def first_steps(self, crew: dict[Contender, Worker]) -> None:
        """The time and memory of each process's first step, one after the other."""
        for contender in list(self.remaining()):
            try:
                answer = crew[contender].ask(do="first")
            except RowFailed as failure:
                self.refuse(contender.name, str(failure))
                continue
            self.firsts.setdefault(contender.name, []).append(answer["seconds"] * 1000)
            if answer["memory"] is not None:
                self.memories.setdefault(contender.name, []).append(answer["memory"])

    def refuse_differences(self, crew: dict[Contender, Worker]) -> None:
        """Refuse the contenders that do not compute what the first reference does; where that is
        not a library of torch's interface, what minigrad does.
        """
        described = {}
        for contender in self.remaining():
            try:
                described[contender] = crew[contender].ask(do="check")
            except RowFailed as failure:
                self.refuse(contender.name, str(failure))
        right = self.settings.against[0]
        right = self.settings.subjects[0] if right in PEERS else right
        wanted = next((d for contender, d in described.items() if contender.name == right), None)
        if wanted is None:
            raise RowFailed(self.refusals.get(right, f"{right} did not run"))
        for contender, got in described.items():
            reason = difference(got, wanted, self.row.tolerance)
            if reason is not None:
                self.refuse(contender.name, f"{contender.name} and {right} disagree, {reason}")

    def take_turn(self, crew: dict[Contender, Worker]) -> None:
        """Ask every process for a figure."""
        for contender in in_turn(self.remaining(), self.turn):
            worker = crew[contender]
            worker.hold_to(self.turn)
            try:
                spent = worker.ask(
                    do="measure", block=self.settings.block, blocks=self.settings.blocks
                )
            except RowFailed as failure:
                self.refuse(contender.name, str(failure))
                continue
            self.samples[contender].append(spent * MICROSECONDS)
        self.turn += 1

    def keep_better(self) -> None:
        """Go on with the number of threads that serves each contender better."""
        best: dict[str, Contender] = {}
        for contender in self.remaining():
            rival = best.setdefault(contender.name, contender)
            if median(self.samples[contender]) < median(self.samples[rival]):
                best[contender.name] = contender
        self.entrants = list(best.values())

    def run(self) -> None:
        """Measure, round after round."""
        settings = self.settings
        measuring = 0.0
        for number in range(1, settings.rounds + 1):
            entrants = self.remaining()
            with workers(self.row, entrants, settings.device, self.refusals) as crew:
                self.first_steps(crew)
                if number == 1:
                    self.refuse_differences(crew)
                    for _ in range(settings.scouting):
                        self.take_turn(crew)
                    self.keep_better()
                share = number / settings.rounds
                while self.turn < settings.repeats * share:
                    start = perf_counter()
                    self.take_turn(crew)
                    measuring += perf_counter() - start
                    if measuring > settings.seconds * share and self.turn >= settings.least * share:
                        break

    def outcome(self) -> Outcome:
        """What came of it."""
        row = self.row
        outcome = Outcome(row.name, row.title, row.family, row.unit, row.goal, row.compiled)
        for contender in self.remaining():
            name = contender.name
            outcome.figures[name] = Figure(
                contender.threads,
                self.samples[contender],
                min(self.firsts[name]),
                min(self.memories[name]) if name in self.memories else None,
            )
        outcome.refusals = self.refusals
        return outcome


def compare_fresh(row: FreshRow, settings: Settings) -> Outcome:
    """Figures of processes of their own, one a turn for each contender, after one unmeasured turn
    that fills the caches of the disk; of memory two, and on the most threads alone.
    """
    outcome = Outcome(row.name, row.title, row.family, row.unit, row.goal)
    threads = settings.threads if row.threads_matter else settings.threads[:1]
    threads = threads[-1:] if row.steady else threads
    turns = range(1, 3) if row.steady else range(settings.fresh + 1)
    entrants = [c for c in contenders(settings) if c.threads in threads and "-" not in c.name]
    entrants = [c for c in entrants if row.general or c.name not in PEERS]
    samples: dict[Contender, list[float]] = {contender: [] for contender in entrants}
    for turn in turns:
        for contender in in_turn(entrants, turn):
            if contender.name in outcome.refusals:
                continue
            try:
                figure = run_fresh(row, contender)
            except RowFailed as failure:
                outcome.refusals[contender.name] = str(failure)
                continue
            if turn > 0:
                samples[contender].append(figure)
    for contender, values in samples.items():
        if contender.name in outcome.refusals:
            continue
        known = outcome.figures.get(contender.name)
        if known is None or median(values) < known.median:
            outcome.figures[contender.name] = Figure(contender.threads, values)
    return outcome


def compare(row: Row | FreshRow, settings: Settings) -> Outcome:
    """Measure one row; a contender that cannot run it is refused with the reason."""
    if isinstance(row, FreshRow):
        return compare_fresh(row, settings)
    comparison = Comparison(row, settings)
    try:
        comparison.run()
    except RowFailed as failure:
        for contender in comparison.remaining():
            comparison.refuse(contender.name, str(failure))
    return comparison.outcome()
