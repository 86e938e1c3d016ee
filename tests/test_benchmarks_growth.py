"""The curves of growth: their rows, their table and their picture."""

from __future__ import annotations

import pytest

from benchmarks import compare, growth, worker
from benchmarks.contenders import prepare
from benchmarks.figures import Figure, Outcome, Record
from benchmarks.growing import SERIES, SIZES
from benchmarks.rows import FAMILIES, all_rows, find


def stored(path) -> Record:
    record = Record.read(path)
    record.open(growth.TABLE, {"day": "some day"}, ["torch"])
    for size, time in ((16, 100.0), (64, 400.0)):
        figures = {
            "minigrad": Figure(1, [time]),
            "minigrad-compiled": Figure(1, [time / 2]),
            "torch": Figure(1, [2 * time]),
        }
        record.keep(growth.TABLE, Outcome(f"batch-{size}", "", "growth", "us", figures=figures))
    return record


@pytest.mark.parametrize("series", SERIES)
def test_both_libraries_compute_the_same_at_the_smallest_size(series: str):
    pytest.importorskip("torch", reason="the benchmarks compare with torch")
    row = find(f"{series}-{SIZES[series][0]}")
    ours, theirs = (worker.check(prepare(who, row, 1, "cpu")) for who in ("minigrad", "torch"))
    assert compare.difference(ours, theirs, row.tolerance) is None


def test_the_curves_are_no_rows_of_the_table():
    assert find("depth-10").name == "depth-10"
    assert "depth-10" not in all_rows()
    assert {row.family for row in all_rows().values()} <= set(FAMILIES)


def test_the_table_and_the_picture_are_made_from_the_file(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="the picture needs matplotlib")
    page, picture = tmp_path / "page.md", tmp_path / "growth.png"
    page.write_text("<!-- growth --><!-- /growth -->")
    monkeypatch.setattr("benchmarks.report.DOCUMENT", page)
    monkeypatch.setattr(growth, "PICTURE", picture)
    record = stored(tmp_path / "results.json")
    monkeypatch.setattr("sys.argv", ["growth", "--markdown", "--json", str(record.path)])
    growth.main()
    assert "| 64 | 400 us | 200 us | 800 us | 0.50 | 0.25 |" in page.read_text()
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_without_results_nothing_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["growth", "--markdown", "--json", str(tmp_path / "none.json")])
    with pytest.raises(SystemExit, match="no table of growth"):
        growth.main()


def test_sizes_that_are_there_are_not_measured_again(tmp_path, monkeypatch):
    measured = []

    def compared(row, settings):
        measured.append(row.name)
        return Outcome(row.name, row.title, row.family, row.unit)

    monkeypatch.setattr(growth, "compare", compared)
    monkeypatch.setattr(growth, "conditions", lambda settings: {})
    record = stored(tmp_path / "results.json")
    words = ["growth", "--only", "batch", "--quick", "--resume", "--json", str(record.path)]
    monkeypatch.setattr("sys.argv", words)
    growth.main()
    assert measured == ["batch-1", "batch-256", "batch-4096"]
