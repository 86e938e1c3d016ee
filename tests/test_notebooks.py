"""The notebooks are built from their plain text and executed, each in a kernel of its own."""

import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "examples" / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def test_there_are_the_five_steps_and_the_tour():
    assert [name.partition("_")[0] for name in NAMES] == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the notebook libraries
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_from_top_to_bottom(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent.parent))
    build = importlib.import_module("examples.notebooks.__main__").build
    path = build(name, tmp_path)
    nbformat = pytest.importorskip("nbformat")
    cells = nbformat.read(path, as_version=4).cells
    assert sum(cell.cell_type == "markdown" for cell in cells) >= 5
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    assert len(outputs) >= 4
    assert not [output for output in outputs if output.output_type == "error"]
    drawn = sum("plot." in cell.source for cell in cells if cell.cell_type == "code")
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == drawn
