"""The wheel: what is in it, how large it is, and that it works away from the source."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import minigrad

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy so that the tree stays as it is."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("minigrad", "tests", "examples"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    build = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", target, source]
    built = subprocess.run(build, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stderr
    (path,) = target.iterdir()
    return path


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_is_small(wheel):
    assert wheel.stat().st_size < 2_000_000


def test_the_wheel_holds_the_package_alone(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0].split("-")[0] for name in names} == {"minigrad", "minigrad_engine"}
    assert "minigrad/py.typed" in names
    tracked = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "minigrad").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert tracked - names == set()  # the digits too, whatever their file is called


def test_the_wheel_says_what_it_needs(metadata):
    needed = [name for name in metadata.get_all("Requires-Dist") if "extra ==" not in name]
    assert needed == ["numpy>=2.0"]
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(metadata.get_all("Provides-Extra")) == {
        "all", "bench", "cuda12", "cuda13", "data", "examples", "io", "keras", "numba", "plot",
        "sklearn", "test", "torch",
    }  # fmt: skip


def test_the_version_has_one_home(metadata):
    assert metadata["Version"] == minigrad.__version__
    assert "version" in PROJECT["dynamic"]
    assert f"## {minigrad.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_wheel_works_away_from_the_source(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    script = (
        "import minigrad; x = minigrad.tensor(3.0, requires_grad=True); "
        "(x * x).backward(); print(minigrad.__file__, x.grad.item())"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [str(tmp_path / "minigrad" / "__init__.py"), "6.0"]


def test_no_setting_has_two_homes():
    # mypy and coverage are configured in setup.cfg, everything else in pyproject.toml.
    tools = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"])
    sections = re.findall(r"^\[([a-z]+)", (ROOT / "setup.cfg").read_text("utf-8"), re.MULTILINE)
    assert tools == {"pytest", "ruff", "setuptools"}
    assert set(sections) == {"mypy", "coverage"}
