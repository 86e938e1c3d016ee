"""The gallery of examples: complete, current and small."""

import importlib
from pathlib import Path

import pytest

from examples.__main__ import NAMES

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "docs" / "gallery"


def test_every_example_has_a_chapter():
    files = {path.stem for path in (ROOT / "examples").glob("[a-z]*.py")} - {"settings"}
    assert sorted(NAMES) == sorted(files)


def test_the_page_is_what_the_examples_make(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    page = importlib.import_module("make_gallery").page()
    renew = "run: python docs/make_gallery.py"
    assert (ROOT / "docs" / "gallery.md").read_text("utf-8") == page, renew


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_on_the_page_as_it_is(name):
    page = (ROOT / "docs" / "gallery.md").read_text("utf-8")
    assert f"### {name}\n" in page
    assert (ROOT / "examples" / f"{name}.py").read_text("utf-8") in page
    assert (KEPT / f"{name}.txt").read_text("utf-8") in page
    assert f"(gallery/{name}.png)" in page
    assert (KEPT / f"{name}.png").exists()


def test_the_pictures_are_small_and_of_examples():
    sizes = {path.stem: path.stat().st_size for path in KEPT.glob("*.png")}
    assert set(sizes) == set(NAMES)
    assert max(sizes.values()) < 150_000
    assert sum(sizes.values()) < 2_000_000
