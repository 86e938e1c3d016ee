"""Every program in examples/ runs shortened, prints what it printed before and draws its figure.

With MINIGRAD_EXAMPLES=full in the environment they run in full, and what they print is compared
with the page docs/gallery.md.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples import __main__ as runner
from minigrad.datasets.files import FOLDER_VARIABLE
from tests.printed import assert_printed

ROOT = Path(__file__).parent.parent
FULL = os.environ.get("MINIGRAD_EXAMPLES") == "full"
PRINTED = ROOT / "docs" / "gallery" if FULL else ROOT / "tests" / "golden" / "examples"
DATA = {
    r"\bMNIST\(|\bmnist\.load_data": "mnist",
    r"FashionMNIST\(|fashion_mnist\.load_data": "fashion-mnist",
    r"CIFAR10\(|cifar10\.load_data": "cifar10",
    r"Insurance\(": "insurance",
    r"HomePrices\(": "homeprices",
    r"TinyShakespeare\(": "tinyshakespeare",
    r"Names\(": "names",
}
# Networks whose digits depend on how a processor rounds: what is asked of the last number that
# the pattern finds, in a short run and in full.
ACCURACY = r"test accuracy ([\d.]+)%"
LEARNED = {
    "cnn_cifar10": (ACCURACY, (20, 100), (55, 100)),
    "cnn_mnist": (ACCURACY, (75, 100), (99, 100)),
    "gpu": (ACCURACY, (80, 100), (94, 100)),
    "keras_mnist": (r"test accuracy ([\d.]+)", (0.75, 1), (0.97, 1)),
    "shakespeare": (r"loss on new text ([\d.]+)", (2, 2.8), (1.4, 1.8)),
    "three_faces": (r"the three are equal; accuracy on the test digits ([\d.]+)", *2 * [(0.85, 1)]),
    "trainer": (ACCURACY, (80, 100), (96, 100)),
    "tuning": (r"GridSearchCV: best ([\d.]+)", (0.8, 1), (0.9, 1)),
}


def source(name):
    return (ROOT / "examples" / f"{name}.py").read_text("utf-8")


def missing_data(name):
    """The folders of data that an example needs and that are not there."""
    here = Path(os.environ.get(FOLDER_VARIABLE, "/nowhere"))
    folders = [folder for pattern, folder in DATA.items() if re.search(pattern, source(name))]
    return [folder for folder in folders if not (here / folder).is_dir()]


def run(name, out):
    flags = [] if FULL else ["--quick"]
    command = [sys.executable, "-W", "error", "-W", "ignore::RuntimeWarning:minigrad"]
    return subprocess.run(
        [*command, str(ROOT / "examples" / f"{name}.py"), *flags, "--out", str(out)],
        capture_output=True, text=True, cwd=out, timeout=3600 if FULL else 300,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"}, encoding="utf-8",
    )  # fmt: skip


@pytest.mark.parametrize("name", runner.NAMES)
def test_an_example_prints_and_draws_its_result(name, tmp_path):
    if missing := missing_data(name):
        pytest.skip(f"{FOLDER_VARIABLE} names no folder with {', '.join(missing)}")
    done = run(name, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    picture = (tmp_path / f"{name}.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n")
    assert len(picture) > 5000
    if name in LEARNED:
        pattern, *bounds = LEARNED[name]
        low, high = bounds[FULL]
        assert low <= float(re.findall(pattern, done.stdout)[-1]) <= high, done.stdout
        return
    printed = PRINTED / f"{name}.txt"
    if os.environ.get("MINIGRAD_WRITE_GOLDEN") and not FULL:
        printed.parent.mkdir(exist_ok=True)
        printed.write_text(done.stdout, "utf-8")
    assert_printed(done.stdout, printed.read_text("utf-8"))


@pytest.mark.parametrize("name", runner.NAMES)
def test_an_example_reads_like_a_script(name):
    lines = source(name).splitlines()
    assert len(lines) <= 80
    assert [line for line in lines if "settings" in line] in (
        ["from settings import out"], ["from settings import out, quick"],
    )  # fmt: skip
    imported = ast.walk(ast.parse(source(name)))
    modules = {getattr(node, "module", None) for node in imported}
    assert "torch" not in modules
    assert runner.title(name).endswith(".")
    assert len(runner.title(name)) < 200


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "examples", *arguments],
        capture_output=True, text=True, cwd=ROOT, timeout=120, encoding="utf-8", **options,
    )  # fmt: skip


def test_the_command_lists_the_examples():
    done = command()
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    listed = dict(line.split(maxsplit=1) for line in lines if line.startswith("  "))
    assert listed == {name: runner.title(name) for name in runner.NAMES}
    assert [line for line in lines if line[0] != " "] == [f"{name}:" for name in runner.CHAPTERS]
    assert "settings" not in listed


def test_the_command_runs_an_example(tmp_path):
    done = command("scalar_graph", "--quick", "--out", str(tmp_path / "new"))
    assert done.stdout.startswith("TanhBackward\n")
    assert (tmp_path / "new" / "scalar_graph.png").exists()


def test_the_command_names_the_nearest_example():
    done = command("scalar_grap")
    assert done.returncode == 2
    assert "there is no example 'scalar_grap'; there is scalar_graph" in done.stderr
    assert "a name or --all, not both" in command("xor", "--all").stderr


def test_running_all_reports_each(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(runner, "NAMES", ("missing", "scalar_graph"))
    assert runner.run_all(quick=True, out=tmp_path) == 1
    first, second, last = capsys.readouterr().out.splitlines()
    assert re.match(r"missing +\d+\.\d s  FAILED: .*No such file", first)
    assert re.match(r"scalar_graph +\d+\.\d s  d y / d bias = 0.7500", second)
    assert re.match(r"1 of 2 examples ran, in \d+ s", last)
    assert (tmp_path / "scalar_graph.txt").read_text("utf-8").startswith("TanhBackward\n")


def test_an_example_finds_the_package_where_none_is_installed(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    script = str(ROOT / "examples" / "scalar_graph.py")
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, cwd=tmp_path, env=environment,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "scalar_graph.png").exists()
