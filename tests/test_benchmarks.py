"""The benchmark harness: it measures, refuses rows that differ, and writes what it found.

No time is ever asserted.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import starmap

import pytest

from benchmarks import compare, processes, report, worker
from benchmarks.__main__ import complete, main, parse, settings_of, tables_of
from benchmarks.compare import Settings
from benchmarks.contenders import RowFailed, compiled
from benchmarks.figures import Figure, Outcome, Record, geometric_mean
from benchmarks.processes import ROOT, Contender
from benchmarks.rows import FreshRow, Row, Work, all_rows, select

torch = pytest.importorskip("torch", reason="the benchmarks compare with torch")

TINY = Settings(
    subjects=("minigrad",),
    threads=(1,),
    repeats=2,
    least=1,
    rounds=1,
    scouting=1,
    fresh=1,
    blocks=1,
    block=1e-4,
)
HEAVY = {"adam", "matmul", "matmul-forward"}


def timed_rows() -> list[str]:
    return [row.name for row in all_rows().values() if isinstance(row, Row)]


def test_names_and_families_select_rows_and_a_wrong_name_lists_them():
    assert [row.name for row in select(["chain-8", "micrograd"])] == ["chain-8", "micrograd"]
    assert {row.family for row in select(["fresh"])} == {"fresh"}
    with pytest.raises(SystemExit, match=r"no row or family is called chain-9.*chain-8"):
        select(["chain-9"])


def test_a_row_is_measured_in_processes_that_take_turns():
    settings = replace(TINY, subjects=("minigrad", "minigrad-compiled", "minigrad-numpy"), rounds=2)
    outcome = compare.compare(all_rows()["chain-8"], settings)
    assert outcome.refusals == {}
    assert set(outcome.figures) == {*settings.subjects, "torch"}
    for figure in outcome.figures.values():
        assert len(figure.samples) == TINY.repeats
        assert min(figure.samples) > 0
        assert figure.first is not None
        assert figure.first > 0
    ratio = outcome.ratio("minigrad", "torch")
    assert ratio is not None
    assert ratio.lower <= ratio.median <= ratio.upper


def test_a_figure_of_a_fresh_process_is_its_last_line():
    row = FreshRow("two", "two", "fresh", lambda library, n: ["-c", "print('noise\\n2')"], "ms")
    outcome = compare.compare(row, TINY)
    assert outcome.ratio("minigrad", "torch").median == 1
    assert outcome.figures["minigrad"].samples == [2.0]


def test_a_process_that_fails_refuses_its_contender_with_its_error():
    def arguments(library: str, threads: int) -> list[str]:
        return ["-c", "raise OSError('x')" if library == "torch" else "print(1)"]

    outcome = compare.compare(FreshRow("bad", "bad", "fresh", arguments, "ms"), TINY)
    assert outcome.refusals == {"torch": "torch: OSError: x"}
    assert outcome.figures["minigrad"].samples == [1.0]
    assert outcome.ratio("minigrad", "torch") is None


def test_a_contender_that_cannot_run_the_row_leaves_the_others():
    settings = replace(TINY, against=("torch", "torch-graphs"))
    outcome = compare.compare(all_rows()["chain-8"], settings)
    assert outcome.refusals == {"torch-graphs": "only whole training steps are captured"}
    assert outcome.ratio("minigrad", "torch") is not None


def test_a_process_that_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(processes.Worker, "limit", 0.0)
    outcome = compare.compare(all_rows()["chain-8"], TINY)
    assert outcome.refusals["torch"] == "no answer within 0 s"
    assert outcome.figures == {}


def test_what_is_not_a_work_is_not_compiled():
    import minigrad

    with pytest.raises(RowFailed, match="not written as a function of its batch"):
        compiled(minigrad, lambda: None)


def test_a_compiled_work_computes_the_same():
    import minigrad

    leaf = minigrad.tensor([1.0, 2.0], requires_grad=True)

    def step(scale):
        leaf.grad = None
        out = leaf * scale
        out.sum().backward()
        return out

    work = compiled(
        minigrad, Work(step, iter([(minigrad.tensor(n),) for n in (1.0, 2.0, 3.0)]), leaf)
    )
    described = worker.check(work)
    assert [d["values"] for d in described] == [[3.0, 6.0], [1.0, 2.0], [3.0, 3.0]]


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
    assert [d["values"] for d in starmap(worker.describe, worker.tensors_of((out, [leaf])))] == [
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


def test_the_better_number_of_threads_is_kept():
    settings = replace(TINY, threads=(1, 2))
    comparison = compare.Comparison(all_rows()["chain-8"], settings)
    given = {
        ("minigrad", 1): [5.0],
        ("minigrad", 2): [8.0],
        ("torch", 1): [9.0],
        ("torch", 2): [8.0],
    }
    comparison.samples = {Contender(*key): values for key, values in given.items()}
    comparison.keep_better()
    assert [(c.name, c.threads) for c in comparison.entrants] == [("minigrad", 1), ("torch", 2)]


def figure(*samples: float, **further: float) -> Figure:
    return Figure(1, list(samples), **further)


def outcomes() -> list[Outcome]:
    figures = {
        "minigrad": figure(500.0, 500.0, 600.0, first=1.5, memory=512.0),
        "minigrad-compiled": figure(100.0, 100.0, 100.0, first=20.0, memory=600.0),
        "torch": figure(2000.0, 2000.0, 2000.0, first=900.0, memory=20480.0),
    }
    chain = Outcome("chain-8", "the chain", "overhead", "us", 0.5, 0.2, figures)
    chain.refusals = {"minigrad-numpy": "out of order"}
    slow = {"minigrad": figure(30.0), "torch": figure(20.0)}
    return [chain, Outcome("exp", "the exponential", "arrays", "us", figures=slow)]


def stored(path, table: str = "torch", references: tuple[str, ...] = ("torch",)) -> Record:
    record = Record.read(path)
    record.open(table, {"minigrad": "1.0", "day": "some day"}, list(references))
    for outcome in outcomes():
        record.keep(table, outcome)
    return record


def test_ratios_are_taken_turn_by_turn():
    ratio = outcomes()[0].ratio("minigrad", "torch")
    assert (ratio.median, ratio.best) == (0.25, 0.25)
    assert ratio.upper == pytest.approx(0.275)
    assert geometric_mean([0.5, 2.0]) == 1
    assert geometric_mean([]) is None


def test_the_file_gives_back_what_it_was_given(tmp_path):
    stored(tmp_path / "results.json")
    again = Record.read(tmp_path / "results.json")
    assert list(again.outcomes("torch").values()) == outcomes()
    assert again.outcomes("peers") == {}
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(SystemExit, match="holds no results"):
        Record.read(tmp_path / "other.json")


def test_the_tables_are_rendered_from_the_file(tmp_path):
    page, readme = tmp_path / "benchmarks.md", tmp_path / "README.md"
    page.write_text("above\n<!-- torch -->\nold\n<!-- /torch -->\nbelow\n")
    readme.write_text("<!-- measured --><!-- /measured -->")
    record = stored(tmp_path / "results.json")
    written = report.write_documents(Record.read(record.path), page, readme)
    assert written == ["benchmarks.md: torch", "README.md: measured"]
    text = page.read_text()
    assert text.startswith("above\n<!-- torch -->\nminigrad 1.0, day some day.\n")
    assert text.endswith("<!-- /torch -->\nbelow\n")
    assert "old" not in text
    assert (
        "| the chain | 500 us | 2.00 ms | 0.25 | 0.25 to 0.28 | 0.05 | - | 0.50, 0.20 | "
        "512 KiB / 20.0 MiB | 1.50 ms / 20.0 ms / 900 ms |" in text
    )
    assert "| the exponential | 30.0 us | 20.0 us | 1.50 | 1.50 to 1.50 | - | - |  |  |  |" in text
    assert "| All | 0.61 (2) | 0.05 (1) | - |" in text
    assert "Above 1.2 to torch: exp 1.50." in text
    assert "- minigrad-numpy has no figure for chain-8: out of order" in text
    assert "| the chain | 500 us | 2.00 ms | 0.25 | 0.05 |" in readme.read_text()


def test_the_table_of_other_libraries_shows_both_ratios(tmp_path):
    record = stored(tmp_path / "results.json", "peers", ("torch", "jax"))
    text = report.as_markdown(record, "peers")
    assert "| the chain | 500 us | 100 us | 0.25, 0.05 | - |" in text
    assert "Above 1.0 to torch: exp 1.50." in text
    assert "Above 1.0 to jax: none." in text


def test_a_page_without_a_place_stays_as_it_is(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("no markers")
    with pytest.raises(SystemExit, match="no place for the table"):
        report.write_between(page, "torch", "| new |")
    assert page.read_text() == "no markers"


@pytest.mark.parametrize("name", ["torch", "peers", "cuda"])
def test_the_page_of_the_repository_has_a_place_for_each_table(name: str):
    page = report.DOCUMENT.read_text()
    assert page.index(f"<!-- {name} -->") < page.index(f"<!-- /{name} -->")


def test_an_interrupted_run_goes_on_with_the_rows_that_are_missing(tmp_path, monkeypatch, capsys):
    path = tmp_path / "results.json"
    stored(path)
    measured = []

    def compare_rows(row, settings):
        measured.append(row.name)
        return Outcome(row.name, row.title, row.family, row.unit, figures=outcomes()[0].figures)

    monkeypatch.setattr("benchmarks.__main__.compare", compare_rows)
    monkeypatch.setattr("benchmarks.__main__.conditions", lambda settings: {})
    words = ["--only", "chain-8", "micrograd", "--json", str(path)]
    monkeypatch.setattr(sys, "argv", ["benchmarks", *words, "--resume"])
    main()
    assert measured == ["micrograd"]
    monkeypatch.setattr(sys, "argv", ["benchmarks", *words])
    main()
    assert measured == ["micrograd", "chain-8", "micrograd"]
    assert set(Record.read(path).outcomes("torch")) == {"chain-8", "micrograd", "exp"}
    assert "the chain" in capsys.readouterr().out


def test_an_outcome_without_one_of_the_contenders_is_not_complete():
    chain = outcomes()[0]
    assert complete(chain, Settings())
    assert not complete(chain, Settings(against=("torch", "jax")))
    assert not complete(None, Settings())


def test_the_command_line_is_checked(capsys):
    settings = settings_of(parse(["--quick", "--repeats", "3", "--threads", "1", "2"]))
    assert (settings.repeats, settings.least, settings.fresh, settings.threads) == (3, 3, 3, (1, 2))
    for words, said in (
        (["--repeats", "0"], "--repeats must be at least 1, not 0"),
        (["--rounds", "0"], "--rounds must be at least 1, not 0"),
        (["--threads", "0"], "--threads must be at least 1, not 0"),
        (["--against", "tensorflow"], "nothing is called 'tensorflow'; there are: minigrad"),
        (["--python", "jax"], "--python takes NAME=PATH"),
    ):
        with pytest.raises(SystemExit):
            parse(words)
        assert said in capsys.readouterr().err


def test_the_command_line_names_tables():
    tables = tables_of(parse(["--against", "all"]))
    assert tables["torch"].against == ("torch",)
    assert "minigrad-numpy" in tables["torch"].subjects
    assert tables["peers"].against == ("jax", "mygrad", "autograd", "tinygrad", "torch-compile")
    alone = tables_of(parse(["--against", "jax", "--python", "jax=/elsewhere/python"]))
    assert list(alone) == ["peers"]
    entrants = compare.contenders(alone["peers"])
    assert {c.python for c in entrants if c.name == "jax"} == {"/elsewhere/python"}
    gpu = tables_of(parse(["--device", "cuda"]))
    assert gpu["cuda"].against == ("torch", "torch-graphs")
    assert gpu["cuda"].threads == (1,)


def test_the_profile_lists_files_and_functions():
    command = [sys.executable, "-m", "benchmarks.profile", "chain-8", "--functions", "5"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "us a step" in printed
    assert "overhead.py" in printed
    short = subprocess.run(
        [*command, "--markdown"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert short.startswith("**chain-8** (chain of 40 operations on 8 elements")
    assert short.count("\n| `") == 5
