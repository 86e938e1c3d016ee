"""Every program in examples/ runs, and prints what its docstring says."""

import ast
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.printed import assert_printed

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_it_says(path, tmp_path):
    _, _, expected = ast.get_docstring(ast.parse(path.read_text("utf-8"))).partition("Prints:\n")
    command = [sys.executable, "-W", "error", "-W", "ignore::RuntimeWarning:minigrad", str(path)]
    settings = {**os.environ, "PYTHONPATH": str(ROOT)}  # also where nothing is installed
    run = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, timeout=300, env=settings
    )
    assert run.returncode == 0, run.stderr
    assert_printed(run.stdout, textwrap.dedent(expected))
    assert run.stderr == ""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short(path):
    assert len(path.read_text("utf-8").splitlines()) < 60


def test_there_are_examples():
    assert EXAMPLES
