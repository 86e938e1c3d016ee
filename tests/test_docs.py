"""Every example that a reader may copy is executed: README, docs, docstrings."""

import contextlib
import doctest
import importlib
import io
import itertools
import re
from pathlib import Path

import pytest

import minigrad
from tests.printed import assert_printed, same_line

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "minigrad").rglob("*.py"))
    if ">>>" in path.read_text("utf-8")
]

_FENCED = re.compile(r"^ *```text\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)[^)]*\)")


def fences(page):
    return [(match[1], match[2]) for match in _FENCE.finditer(page.read_text("utf-8"))]


def programs(page):
    """Each python block of a page, with the text block that follows it as what it prints."""
    blocks = fences(page)
    for (language, source), (kind, text) in itertools.pairwise([*blocks, ("", "")]):
        if language == "python":
            yield source, text if kind == "text" else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_programs_of_a_page_print_what_it_says(page):
    names = {"__name__": "page"}  # a page is one program: later blocks use what earlier ones made
    for source, expected in programs(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(source, page.name, "exec"), names)
        assert_printed(printed.getvalue(), expected)


def test_the_readme_holds_a_program():
    assert [text for _, text in programs(ROOT / "README.md") if text]


def test_the_blocks_that_contributors_see_are_the_real_ones():
    folders = (ROOT / "minigrad" / "ops", ROOT / "tests" / "samples")
    source = [path for folder in folders for path in folder.glob("*.py")]
    lines = {line.strip() for path in source for line in path.read_text("utf-8").splitlines()}
    blocks = _FENCED.findall((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    assert len(blocks) == 3
    for block in blocks:
        assert [line for line in block.splitlines() if line.strip() not in lines] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_of_a_page_lead_somewhere(page):
    words = _FENCE.sub("", page.read_text("utf-8"))  # in a program, `[0](x)` is no link
    targets = [target for target in _LINK.findall(words) if ":" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_page_of_operations_is_current(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    page = importlib.import_module("make_operations").page()
    renew = "run: python docs/make_operations.py"
    assert (ROOT / "docs" / "operations.md").read_text("utf-8") == page, renew


@pytest.mark.parametrize("marker", ["setup-and-train", "setup-and-test"])
def test_a_command_of_the_readme_is_one_line(marker):
    _, _, after = (ROOT / "README.md").read_text("utf-8").partition(f"<!-- {marker} -->\n")
    (command,) = _FENCE.match(after)[2].splitlines()
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")


class Checker(doctest.OutputChecker):
    """Doctest's comparison, and numbers within one unit in the last place."""

    def check_output(self, want, got, optionflags):
        lines = (want.splitlines(), got.splitlines())
        return super().check_output(want, got, optionflags) or (
            len(lines[0]) == len(lines[1]) and all(map(same_line, *lines))
        )


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module(module):
    finder = doctest.DocTestFinder(exclude_empty=True)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(Checker(), optionflags=flags)
    report = io.StringIO()
    names = {"minigrad": minigrad}
    examples = [
        test
        for test in finder.find(importlib.import_module(module), module, extraglobs=names)
        if test.examples
    ]
    assert examples, "the module has `>>>` where doctest does not look"
    for test in examples:
        minigrad.manual_seed(0)
        runner.run(test, out=report.write)
    assert runner.summarize(verbose=False).failed == 0, report.getvalue()
