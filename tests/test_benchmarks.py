"""The benchmark harness: it measures, refuses rows that differ, and writes what it found.

No time is ever asserted.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks import compare, report, worker
from benchmarks.__main__ import parse, settings_of
from benchmarks.compare import ROOT, Contender, Refusal, Result, Settings
from benchmarks.rows import FreshRow, Row, all_rows, select

torch = pytest.importorskip("torch", reason="the benchmarks compare with torch")

TINY = Settings(threads=(1,), repeats=2, turns=1, fresh=1, blocks=1, block=1e-4)
HEAVY = {"adam", "matmul", "matmul-forward"}


def timed_rows() -> list[str]:
    return [row.name for row in all_rows().values() if isinstance(row, Row)]


def test_names_and_families_select_rows_and_a_wrong_name_lists_them():
    assert [row.name for row in select(["chain-8", "micrograd"])] == ["chain-8", "micrograd"]
    assert {row.family for row in select(["fresh"])} == {"fresh"}
    with pytest.raises(SystemExit, match=r"no row or family is called chain-9.*chain-8"):
        select(["chain-9"])


def test_a_row_is_measured_in_processes_that_take_turns():
    result = compare.compare(all_rows()["chain-8"], TINY)
    assert isinstance(result, Result), result
    assert len(result.subject.samples) == len(result.reference.samples) == TINY.repeats
    assert min(result.subject.samples + result.reference.samples) > 0
    assert result.lower <= result.ratio <= result.upper


def test_a_figure_of_a_fresh_process_is_its_last_line():
    row = FreshRow("two", "two", "fresh", lambda library, n: ["-c", "print('noise\\n2')"], "ms")
    result = compare.compare(row, TINY)
    assert isinstance(result, Result)
    assert result.ratio == 1
    assert result.subject.samples == [2.0]


def test_a_process_that_fails_refuses_the_row_with_its_error():
    row = FreshRow("bad", "bad", "fresh", lambda library, n: ["-c", "raise OSError('x')"], "ms")
    outcome = compare.compare(row, TINY)
    assert outcome == Refusal("bad", "bad", "minigrad: OSError: x")


def test_rows_whose_numbers_differ_are_refused():
    described = [worker.describe(torch.arange(6.0).reshape(2, 3))]
    assert compare.difference(described, described, 1e-6) is None
    shifted = [worker.describe(torch.arange(6.0).reshape(2, 3) + 0.01)]
    assert "values differ" in str(compare.difference(shifted, described, 1e-4))
    missing = [worker.describe(torch.tensor([float("nan")]))]
    assert compare.difference(missing, [worker.describe(torch.ones(1))], 1e-4)
    assert "shape" in str(compare.difference([worker.describe(torch.arange(6.0))], described, 1))
    assert "dtype" in str(
        compare.difference([worker.describe(torch.ones(2, 3).long())], described, 1)
    )
    assert "0 tensors against 1" in str(compare.difference([], described, 1))


def test_values_and_gradients_of_leaves_are_compared():
    leaf = torch.ones(2, requires_grad=True)
    out = leaf * 3
    out.sum().backward()
    assert [d["values"] for d in map(worker.describe, worker.tensors_of((out, [leaf])))] == [
        [3.0, 3.0],
        [1.0, 1.0],
        [3.0, 3.0],
    ]


@pytest.mark.parametrize("name", [name for name in timed_rows() if name not in HEAVY])
def test_both_libraries_compute_the_same(name: str):
    import minigrad

    row = all_rows()[name]
    assert isinstance(row, Row)
    described = [worker.check(row.build(library)) for library in (minigrad, torch)]
    assert compare.difference(*described, row.tolerance) is None


def test_the_better_number_of_threads_counts():
    samples = {
        Contender(compare.SUBJECT, "minigrad", 1): [4.0, 5.0, 6.0],
        Contender(compare.SUBJECT, "minigrad", 2): [8.0, 8.0, 1.0],
        Contender(compare.REFERENCE, "torch", 1): [10.0, 10.0, 10.0],
        Contender(compare.REFERENCE, "torch", 2): [8.0, 10.0, 8.0],
    }
    result = compare.summarise(all_rows()["chain-8"], samples)
    assert (result.subject.threads, result.reference.threads) == (1, 2)
    assert result.ratio == 0.5
    assert result.minimum == 0.5


def test_the_table_goes_between_the_markers_and_nowhere_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"above\n{report.OPENING}\nold\n{report.CLOSING}\nbelow\n")
    report.write_document("| new |", page)
    text = page.read_text()
    assert text == f"above\n{report.OPENING}\n\n| new |\n\n{report.CLOSING}\nbelow\n"
    page.write_text("no markers")
    with pytest.raises(SystemExit, match="no place for the table"):
        report.write_document("| new |", page)
    assert page.read_text() == "no markers"


def test_the_page_of_the_repository_has_a_place_for_the_table():
    page = report.DOCUMENT.read_text()
    assert page.index(report.OPENING) < page.index(report.CLOSING)


def test_the_reports_hold_the_figures_and_the_refusals():
    row = all_rows()["chain-8"]
    samples = {
        Contender(compare.SUBJECT, "minigrad", 1): [500.0],
        Contender(compare.REFERENCE, "torch", 1): [2000.0],
    }
    outcomes = [compare.summarise(row, samples), Refusal("cnn", "the network", "no conv2d")]
    written = json.loads(report.as_json(outcomes, TINY))
    assert written["rows"][0]["ratio"] == 0.25
    assert written["refused"] == [{"name": "cnn", "title": "the network", "reason": "no conv2d"}]
    assert written["conditions"]["torch"] == torch.__version__
    table = report.as_markdown(outcomes, TINY, {"chain-8": "overhead", "cnn": "networks"})
    assert "| 500 us | 2.00 ms | 0.25 |" in table
    assert "not measured: cnn: no conv2d" in table


def test_the_command_line_is_checked(capsys):
    settings = settings_of(parse(["--quick", "--repeats", "3", "--threads", "1", "2"]))
    assert (settings.repeats, settings.fresh, settings.threads) == (3, 3, (1, 2))
    with pytest.raises(SystemExit):
        parse(["--repeats", "0"])
    assert "--repeats must be at least 1, not 0" in capsys.readouterr().err


def test_the_profile_lists_files_and_functions():
    command = [sys.executable, "-m", "benchmarks.profile", "chain-8", "--functions", "5"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "us a step" in printed
    assert "overhead.py" in printed
