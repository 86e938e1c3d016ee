"""How results are shown: lines on the screen as they come, and the tables of the documentation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.figures import Outcome, Record, geometric_mean
from benchmarks.processes import ROOT
from benchmarks.rows import all_rows

DOCUMENT = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"
ABOVE = 1.2
TITLES = {
    "overhead": "Overhead",
    "networks": "Networks",
    "arrays": "Large arrays",
    "fused": "Fused functions",
    "convolutions": "Convolution and pooling",
    "fresh": "A process of its own",
}
README_ROWS = (
    "chain-8",
    "micrograd",
    "mlp-sgd",
    "mlp-adam",
    "mnist-1",
    "mnist-32",
    "mnist-128",
    "lenet",
    "residual",
    "gpt-block",
    "lstm",
    "gelu",
    "exp",
    "cross-entropy-4096",
    "layer-norm-4096",
    "import",
    "import-over-numpy",
)


def amount(value: float, unit: str) -> str:
    """A figure in the unit that keeps it short."""
    larger = {"us": "ms", "KiB": "MiB", "ms": "s"}
    factor = {"us": 1000.0, "KiB": 1024.0, "ms": 10_000.0}
    if unit in larger and value >= factor[unit]:
        value, unit = value / (1000.0 if unit == "ms" else factor[unit]), larger[unit]
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def spent(outcome: Outcome, name: str) -> str:
    """A contender's time, or a dash."""
    figure = outcome.figures.get(name)
    return "-" if figure is None else amount(figure.median, outcome.unit)


def quotient(outcome: Outcome, subject: str, reference: str) -> str:
    """A ratio, or a dash."""
    ratio = outcome.ratio(subject, reference)
    return "-" if ratio is None else f"{ratio.median:.2f}"


def quartiles(outcome: Outcome, reference: str) -> str:
    """The quartiles of minigrad's ratio, or a dash."""
    ratio = outcome.ratio("minigrad", reference)
    return "-" if ratio is None else f"{ratio.lower:.2f} to {ratio.upper:.2f}"


def goals(outcome: Outcome) -> str:
    """What a row should reach: eager, and compiled after a comma."""
    eager = "" if outcome.goal is None else f"{outcome.goal:.2f}"
    return eager if outcome.compiled is None else f"{eager}, {outcome.compiled:.2f}"


def several(outcome: Outcome, names: Sequence[str], field: str, unit: str) -> str:
    """A further figure of some contenders, beside each other."""
    found = [getattr(outcome.figures.get(name), field, None) for name in names]
    if found == [None] * len(names):
        return ""
    return " / ".join("-" if value is None else amount(value, unit) for value in found)


Columns = tuple[tuple[str, Callable[[Outcome], str]], ...]


def against_torch(reference: str = "torch", compiled_reference: str = "torch") -> Columns:
    """The columns of the table against torch."""
    return (
        ("minigrad", lambda o: spent(o, "minigrad")),
        (reference, lambda o: spent(o, reference)),
        ("eager", lambda o: quotient(o, "minigrad", reference)),
        ("quartiles", lambda o: quartiles(o, reference)),
        ("compiled", lambda o: quotient(o, "minigrad-compiled", compiled_reference)),
        ("no Numba", lambda o: quotient(o, "minigrad-numpy", reference)),
        ("goal", goals),
        ("memory", lambda o: several(o, ("minigrad", reference), "memory", "KiB")),
        (
            "first step",
            lambda o: several(o, ("minigrad", "minigrad-compiled", reference), "first", "ms"),
        ),
    )


def against_peers(references: Sequence[str]) -> Columns:
    """The columns of the table against other libraries: both ratios to each."""

    def column(reference: str) -> tuple[str, Callable[[Outcome], str]]:
        def cell(outcome: Outcome) -> str:
            if reference not in outcome.figures:
                return "-"
            eager = quotient(outcome, "minigrad", reference)
            return f"{eager}, {quotient(outcome, 'minigrad-compiled', reference)}"

        return reference, cell

    return (
        ("minigrad", lambda o: spent(o, "minigrad")),
        ("compiled", lambda o: spent(o, "minigrad-compiled")),
        *map(column, references),
    )


def columns(table: str, references: Sequence[str]) -> Columns:
    """The columns of a table."""
    if table == "torch":
        return against_torch()
    if table == "cuda":
        return against_torch("torch", "torch-graphs")
    return against_peers(references)


def line_printer(table: str, references: Sequence[str]) -> Callable[[Outcome], None]:
    """Print the headings, and give back what prints one row of the table as it comes."""
    chosen = columns(table, references)

    def show(first: str, rest: list[str]) -> None:
        cells = [cell.rjust(14) for cell in rest]
        print(" ".join((first[:62].ljust(62), *cells)).rstrip(), flush=True)

    def show_outcome(outcome: Outcome) -> None:
        show(outcome.title, [cell(outcome) for _, cell in chosen])
        for name, reason in outcome.refusals.items():
            print(f"  {name}: {reason}", flush=True)

    show("", [heading for heading, _ in chosen])
    return show_outcome


def as_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    rule = ("---", *["---:"] * (len(headings) - 1))
    return [f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows)]


def mean_of(outcomes: Sequence[Outcome], subject: str, reference: str) -> str:
    """The geometric mean of a ratio over rows, in words of a figure and its number of rows."""
    ratios = [outcome.ratio(subject, reference) for outcome in outcomes]
    known = [ratio.median for ratio in ratios if ratio is not None]
    mean = geometric_mean(known)
    return "-" if mean is None else f"{mean:.2f} ({len(known)})"


def means(table: str, outcomes: Sequence[Outcome], references: Sequence[str]) -> list[str]:
    """Geometric means by family and over all timed rows."""
    if table in ("torch", "cuda"):
        graphs = "torch-graphs" if table == "cuda" else "torch"
        pairs = [
            ("eager", "minigrad", "torch"),
            ("compiled", "minigrad-compiled", graphs),
            ("no Numba", "minigrad-numpy", "torch"),
        ]
    else:
        pairs = [(name, "minigrad", name) for name in references]
        pairs += [(f"{name}, compiled", "minigrad-compiled", name) for name in references]
    groups = {title: [o for o in outcomes if o.family == f] for f, title in TITLES.items()}
    del groups[TITLES["fresh"]]
    groups["All"] = [outcome for outcome in outcomes if outcome.family != "fresh"]
    rows = [
        (title, *(mean_of(members, subject, name) for _, subject, name in pairs))
        for title, members in groups.items()
        if members
    ]
    return as_table(("geometric mean (rows)", *(heading for heading, _, _ in pairs)), rows)


def behind(table: str, outcomes: Sequence[Outcome], references: Sequence[str]) -> list[str]:
    """The rows that want an explanation: above 1.2 to torch, or behind another library both eager
    and compiled.
    """
    limit = ABOVE if table in ("torch", "cuda") else 1.0
    lines = []
    for reference in references:
        if reference == "torch-graphs":
            continue
        slow = []
        for outcome in outcomes:
            ratio = outcome.ratio("minigrad", reference)
            if ratio is None:
                continue
            best = ratio.median
            other = outcome.ratio("minigrad-compiled", reference)
            if table == "peers" and other is not None:
                best = min(best, other.median)
            if best > limit:
                slow.append(f"{outcome.name} {best:.2f}")
        lines.append(f"Above {limit:.1f} to {reference}: {', '.join(slow) or 'none'}.")
    return lines


def refusals(outcomes: Sequence[Outcome]) -> list[str]:
    """A line for each reason for which a contender was not measured."""
    grouped: dict[tuple[str, str], list[str]] = defaultdict(list)
    for outcome in outcomes:
        for name, reason in outcome.refusals.items():
            grouped[name, reason].append(outcome.name)
    return [
        f"- {name} has no figure for {', '.join(rows)}: {reason}"
        for (name, reason), rows in sorted(grouped.items())
    ]


def as_markdown(record: Record, table: str) -> str:
    """A table of the record: its conditions, its rows by family, and what to say of it."""
    places = {name: place for place, name in enumerate(all_rows())}
    outcomes = sorted(record.outcomes(table).values(), key=lambda o: places.get(o.name, 0))
    references = record.tables[table]["references"]
    chosen = columns(table, references)
    lines = [", ".join(f"{k} {v}" for k, v in record.conditions(table).items()) + ".", ""]
    lines += means(table, outcomes, references)
    for family, title in TITLES.items():
        members = [outcome for outcome in outcomes if outcome.family == family]
        if not members:
            continue
        rows = [[o.title, *(cell(o) for _, cell in chosen)] for o in members]
        lines += ["", *as_table((title, *(heading for heading, _ in chosen)), rows)]
    for further in (behind(table, outcomes, references), refusals(outcomes)):
        if further:
            lines += ["", *further]
    return "\n".join(lines)


def for_readme(record: Record) -> str:
    """The rows that README shows."""
    outcomes = record.outcomes("torch")
    rows = []
    for name in README_ROWS:
        if name in outcomes:
            o = outcomes[name]
            compiled = quotient(o, "minigrad-compiled", "torch")
            eager = quotient(o, "minigrad", "torch")
            rows.append([o.title, spent(o, "minigrad"), spent(o, "torch"), eager, compiled])
    return "\n".join(as_table(("", "minigrad", "torch", "ratio", "compiled"), rows))


def write_between(page: Path, name: str, text: str) -> None:
    """Put a text between the markers `<!-- name -->` and `<!-- /name -->` of a page."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, opened, rest = page.read_text(encoding="utf-8").partition(opening)
    _, closed, after = rest.partition(closing)
    if not (opened and closed):
        raise SystemExit(f"{page} has no place for the table: {opening} ... {closing}")
    page.write_text(f"{before}{opening}\n{text}\n{closing}{after}", encoding="utf-8")


def write_documents(record: Record, document: Path = DOCUMENT, readme: Path = README) -> list[str]:
    """Render every table that the record holds into the pages, and name what was written."""
    written = []
    for table in ("torch", "peers", "cuda"):
        if record.outcomes(table):
            write_between(document, table, as_markdown(record, table))
            written.append(f"{document.name}: {table}")
    if record.outcomes("torch"):
        write_between(readme, "measured", for_readme(record))
        written.append(f"{readme.name}: measured")
    return written
