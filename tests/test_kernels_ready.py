"""Kernels are compiled beside the program; whatever is broken in Numba, results are right."""

import importlib
import os
import pkgutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad import kernels, nn, ops, optim
from minigrad.errors import ArgumentError
from minigrad.kernels import marks, ready

needs_numba = pytest.mark.skipif(not ready.installed(), reason="Numba is not installed")

# The family that is compiled fastest, seen from a program: what rows add up to, and a check of it.
START = """
import os, sys, time, warnings
import numpy as np
from minigrad import kernels
from minigrad.kernels import marks, ready

index = np.arange(64) % 50
values = np.ones((64, 400), "float32")

def add():
    out = kernels.sum_rows(np, values, index, 50)
    assert out.sum() == 64 * 400 and (out[:14] == 2).all() and (out[14:] == 1).all()

def wait_for_refusal():
    end = time.monotonic() + 600
    while not ready._refused:
        assert time.monotonic() < end and not ready._loaded, ready._loaded
        time.sleep(0.02)

def wait():
    end = time.monotonic() + 600
    while ("rows", "f") not in ready._loaded:
        assert time.monotonic() < end and not ready._refused, ready._refused
        time.sleep(0.02)
"""


def run(code, folder, mode="background", **more):
    """Run a program that starts with `START`, with compiled code in a folder."""
    environment = dict(os.environ) | {"NUMBA_CACHE_DIR": str(folder), "MINIGRAD_KERNELS": mode}
    done = subprocess.run(
        [sys.executable, "-W", "always::RuntimeWarning", "-c", START + textwrap.dedent(code)],
        env=environment | more, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


BESIDE = """
    add()
    assert "numba" not in sys.modules, "the first call waits for nothing"
    wait()
    add()
    assert kernels.sum_rows._twins, "the compiled twin has taken over"
    assert marks.there(("rows", "f")) and not marks.there(("rows", "d"))
"""
AT_ONCE = """
    add()
    assert kernels.sum_rows._twins and not ready._asked
"""


@needs_numba
def test_the_reference_runs_until_another_process_has_compiled(tmp_path):
    assert run(BESIDE, tmp_path) == ("", "")
    run(AT_ONCE, tmp_path)
    # Nothing is written but Numba's files and what lies beside them.
    assert all(path.name.startswith(("minigrad-", "compiled_")) for path in tmp_path.iterdir())


@needs_numba
def test_two_programs_at_once(tmp_path):
    environment = dict(os.environ) | {
        "NUMBA_CACHE_DIR": str(tmp_path), "MINIGRAD_KERNELS": "background"
    }  # fmt: skip
    command = [sys.executable, "-c", START + textwrap.dedent(BESIDE)]
    both = [subprocess.Popen(command, env=environment) for _ in range(2)]
    assert [process.wait(600) for process in both] == [0, 0]


@needs_numba
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_while_kernels_are_compiled_and_loaded(tmp_path):
    run(
        """
        warnings.simplefilter("ignore")
        add()
        for _ in range(40):
            child = os.fork()
            if not child:
                add()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            time.sleep(0.05)
        wait()
        """,
        tmp_path,
    )


@needs_numba
def test_a_program_that_ends_early_ends_quietly(tmp_path):
    assert run("add()", tmp_path) == ("", "")


@needs_numba
@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", [b"", b"garbage" * 100])
def test_a_damaged_cache_is_no_matter(tmp_path, ending, damage):
    run(AT_ONCE, tmp_path, "wait")
    files = list(tmp_path.glob(f"*/rows.*.{ending}"))
    assert files
    for file in files:
        file.write_bytes(damage)
    _, errors = run("add()", tmp_path)
    assert errors.count("Warning") <= 1


@needs_numba
@pytest.mark.parametrize("mode", ["background", "wait"])
def test_no_folder_to_keep_them_in(tmp_path, mode):
    code = """
        marks.folder = lambda: None
        add()
        if ready.get_compile_mode() == "background":
            wait_for_refusal()
        add()
        add()
    """
    places = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}
    _, errors = run(code, "/dev/null/nowhere", mode, **places)
    assert errors.count("NUMBA_CACHE_DIR") == (mode == "background")


@pytest.mark.parametrize("mode", ["background", "wait"])
@pytest.mark.parametrize(
    "fault",
    ["raise ImportError('Numba needs NumPy 2.0 or less')", "raise RuntimeError('broken')", "1 / 0"],
)
def test_a_numba_that_does_not_work(tmp_path, mode, fault):
    package = tmp_path / "path" / "numba"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(fault)
    for name in ("numba", "llvmlite"):
        metadata = tmp_path / "path" / f"{name}-0.99.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Name: {name}\nVersion: 0.99\n")
    path = os.pathsep.join([str(package.parent), *filter(None, sys.path)])
    code = """
        add()
        wait_for_refusal()
        add()
        add()
        assert kernels.active()["sum_rows"] == "reference"
    """
    _, errors = run(code, tmp_path / "kept", mode, PYTHONPATH=path)
    assert errors.count("RuntimeWarning: the plain kernels are used") == 1
    assert "MINIGRAD_KERNELS=off" in errors


def test_off_means_never(tmp_path):
    code = 'add(); assert "numba" not in sys.modules; assert not ready._asked'
    assert run(code, tmp_path, "off") == ("", "")
    assert not list(tmp_path.iterdir())


def test_numba_that_only_interprets_is_not_used(tmp_path):
    code = "add(); assert not ready._asked; assert kernels.active()['sum'] == 'reference'"
    run(code, tmp_path, NUMBA_DISABLE_JIT="1")


def test_a_word_that_is_no_mode_is_refused():
    with pytest.raises(ArgumentError, match="'background', 'wait' or 'off', got 'later'"):
        kernels.set_compile_mode("later")
    assert kernels.get_compile_mode() in ("background", "wait", "off")
    program = [sys.executable, "-c", "import minigrad"]
    done = subprocess.run(
        program, env=dict(os.environ) | {"MINIGRAD_KERNELS": "on"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "MINIGRAD_KERNELS must be 'background', 'wait' or 'off', got 'on'" in done.stderr


@needs_numba
def test_loops_of_an_older_version_are_compiled_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(marks, "folder", lambda: str(tmp_path))
    kept = tmp_path / "kept"
    kept.mkdir()
    marks.forget_older(str(kept))
    (kept / "softmax.nbi").touch()
    marks.leave(("rows", "f"))
    marks.forget_older(str(kept))
    assert marks.there(("rows", "f")), "the same version"
    monkeypatch.setattr(marks, "_CALLED_FROM_OTHERS", ("compiler.py",))
    marks.forget_older(str(kept))
    assert not marks.there(("rows", "f"))
    assert not list(kept.iterdir())


@needs_numba
def test_a_fault_while_compiling_is_told_once(monkeypatch):
    from minigrad.kernels.compiled import samples

    def fail(family, char):
        raise ValueError("a fault\nof many lines")

    monkeypatch.setattr(samples, "run", fail)
    for name, value in (("_loaded", {}), ("_refused", {}), ("_told", False)):
        monkeypatch.setattr(ready, name, value)
    with pytest.warns(RuntimeWarning, match="cannot be had: ValueError: a fault; install"):
        assert ready.load(("rows", "f")) is None
    assert ready.load(("softmax", "f")) is None
    assert ready.problem(("softmax", "f")) == "ValueError: a fault"


@pytest.mark.parametrize("fails", [False, True])
def test_who_watches_calls_does_not_watch_numba(monkeypatch, fails):
    seen = []

    def made(wanted):
        seen.append(sys.getprofile())
        if fails:
            raise ValueError("a fault")
        return "twins"

    def watch(frame, event, value):
        pass

    for name, value in (("_loaded", {}), ("_refused", {}), ("_made", made)):
        monkeypatch.setattr(ready, name, value)
    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        ready.load(("rows", "f"), quietly=True)
        after = sys.getprofile()
    finally:
        sys.setprofile(before)
    assert seen == [None]
    assert after is watch


@needs_numba
def test_every_family_has_samples():
    from minigrad.kernels.compiled import samples

    for module in pkgutil.iter_modules(ops.__path__, "minigrad.ops."):
        importlib.import_module(module.name)
    assert set(samples.FAMILIES) == {kernel.family for kernel in kernels._COMPILED.values()}, (
        "minigrad/kernels/compiled/samples.py: a call of each loop of a new family is missing"
    )


class Network(nn.Module):
    """One of each layer that has kernels."""

    def __init__(self):
        self.table = nn.Embedding(40, 256)
        self.first = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 32, 3, padding=1)
        self.third = nn.Conv2d(32, 16, 3, stride=2)
        self.rows = nn.LayerNorm(16 * 49)
        self.head = nn.Linear(16 * 49, 300)

    def forward(self, index):
        x = self.table(index).view(-1, 1, 32, 32)
        x = nn.functional.max_pool2d(self.second(nn.functional.gelu(self.norm(self.first(x)))), 2)
        return self.head(self.rows(self.third(x.relu()).flatten(1)))


@needs_numba
def test_after_compiling_ahead_a_training_compiles_nothing():
    kernels.compile_ahead(["float32"])
    from minigrad.kernels.compiled.compiler import LOOPS

    before = {loop.py_func: set(loop.signatures) for loop in LOOPS}
    model = Network()
    index = minigrad.tensor(np.arange(256) % 40).view(64, 4)
    with kernels.use("numba"):
        for make in (optim.Adam, optim.RMSprop, lambda p: optim.SGD(p, lr=0.1, momentum=0.9)):
            optimizer = make(model.parameters())
            loss = nn.functional.cross_entropy(model(index), minigrad.arange(64))
            loss.backward()
            optimizer.step()
    after = {loop.py_func: set(loop.signatures) for loop in LOOPS}
    new = {f.__qualname__: known - before[f] for f, known in after.items()}
    assert not any(new.values()), {name: found for name, found in new.items() if found}


def test_compiling_ahead_refuses_other_dtypes():
    with pytest.raises(ArgumentError, match="float32 and float64, got float16"):
        kernels.compile_ahead(["float16"])


@needs_numba
def test_the_command_says_what_it_does(tmp_path, capsys):
    from minigrad.cli import main

    assert main(["compile-kernels"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * len(kernels.families()) + 1
    assert lines[0].startswith("activation   float32 ")
    assert Path(lines[-1].removeprefix("kept in ").partition(": ")[0]).is_dir()


def test_the_command_needs_numba(monkeypatch, capsys):
    from minigrad.cli import main

    monkeypatch.setattr(ready, "installed", lambda: False)
    assert main(["compile-kernels"]) == 2
    assert "pip install 'minigrad-engine[numba]'" in capsys.readouterr().err
