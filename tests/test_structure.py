"""The rules of the house, read off the source: who imports whom, and what a file may hold."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "minigrad"
FILES = sorted(PACKAGE.rglob("*.py"))

# A unit is a file or folder directly under minigrad/.  It imports from units on the lines above
# its own, and from nothing beside or below it.  The parts below `__init__` may use the public
# names; `import minigrad` loads them when they are first asked for.
LAYERS = [
    ["absent", "errors", "extras"],
    ["dtypes"],
    ["backend", "formats", "mutation", "specialise"],
    ["kernels"],
    ["graph"],
    ["modes"],
    ["ops"],
    ["engine", "inplace", "printing"],
    ["hooks", "methods"],
    ["tensor"],
    ["func"],
    ["autograd"],
    ["__init__"],
    ["amp", "cuda", "typed"],
    ["backends", "fft", "linalg", "masked", "random", "settings", "signal", "special"],
    ["numpy"],
    ["distributions"],
    ["nn"],
    ["optim"],
    ["compiler"],
    ["utils"],
    ["io"],
    ["compat"],
    ["datasets"],
    ["training"],
    ["plot"],
    ["keras", "sklearn"],
    ["cli"],
    ["__main__"],
]
LAYER_OF = {unit: depth for depth, units in enumerate(LAYERS) for unit in units}

MAY_IMPORT_CUPY = {"backend", "kernels"}
MAY_PRINT = {"cli", "__main__"}

# About 250 lines, rarely over 400.  A longer file is listed with the reason.
LONGEST = 400
LONG_FILES: dict[str, str] = {}

# What a small library has no business importing before it is asked to do something.
HEAVY = {
    "argparse", "asyncio", "concurrent", "email", "html", "http", "json", "logging",
    "multiprocessing", "pdb", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "unittest",
    "urllib", "xml", "zipfile",
}  # fmt: skip


def name_of(path: Path) -> str:
    """`minigrad.ops.reduce` for its file; a package goes by its `__init__`."""
    parts = ("minigrad", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if len(parts) > 2 and parts[-1] == "__init__" else parts)


def unit_of(module: str) -> str:
    return module.split(".")[1]


MODULES = {name_of(path): path for path in FILES}
TREES = {module: ast.parse(path.read_text("utf-8")) for module, path in MODULES.items()}


def for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports(tree: ast.AST, *, late: bool) -> list[str]:
    """The names a module imports when it runs; with `late`, those inside its functions too."""
    found = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if for_types_only(node):
            waiting.extend(node.orelse)
        elif isinstance(node, ast.FunctionDef) and not late:
            continue
        elif isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            found.extend(f"{node.module}.{alias.name}" for alias in node.names)
        else:
            waiting.extend(ast.iter_child_nodes(node))
    return found


def libraries(tree: ast.AST) -> set[str]:
    return {name.split(".")[0] for name in imports(tree, late=True)}


def module_named(name: str) -> str:
    """The module of ours that `import name` runs: `minigrad.ops.reduce.sum` is `...reduce`'s."""
    while name not in MODULES:
        parent, _, _ = name.rpartition(".")
        if not parent:
            return "minigrad.__init__"
        name = parent
    return name


def ours(tree: ast.AST, *, late: bool) -> set[str]:
    names = imports(tree, late=late)
    return {module_named(name) for name in names if name.split(".")[0] == "minigrad"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module):
    unit = unit_of(module)
    assert unit in LAYER_OF, f"{unit} has no line in LAYERS"
    for imported in ours(TREES[module], late=True):
        other = unit_of(imported)
        assert other == unit or LAYER_OF[other] < LAYER_OF[unit], f"{module} imports {imported}"


def test_modules_import_each_other_in_no_circle():
    # A package runs before the modules in it, so `a.b` importing `a` would be a circle of its own;
    # what counts is who needs whose names.
    needs = {module: ours(tree, late=False) - {module} for module, tree in TREES.items()}
    graphlib.TopologicalSorter(needs).prepare()  # CycleError names the circle


@pytest.mark.parametrize("module", [name for name in MODULES if unit_of(name) == "ops"])
def test_operations_use_the_array_module_they_are_given(module):
    assert not {"numpy", "cupy"} & libraries(TREES[module])


@pytest.mark.parametrize("module", MODULES)
def test_cupy_is_named_only_behind_the_seam(module):
    assert unit_of(module) in MAY_IMPORT_CUPY or not {"cupy", "cupyx"} & libraries(TREES[module])


@pytest.mark.parametrize("module", MODULES)
def test_a_file_opens_with_what_belongs_in_it(module):
    docstring = ast.get_docstring(TREES[module])
    assert docstring, f"{MODULES[module]} has no docstring"
    assert docstring.split("\n\n")[0].rstrip().endswith("."), "the first paragraph is a sentence"


@pytest.mark.parametrize("module", MODULES)
def test_a_file_is_short_and_narrow(module):
    lines = MODULES[module].read_text("utf-8").splitlines()
    where = MODULES[module].relative_to(PACKAGE).as_posix()
    assert len(lines) <= LONGEST or where in LONG_FILES, f"{where} has {len(lines)} lines"
    assert [number for number, line in enumerate(lines, 1) if len(line) > 100] == []


def test_the_list_of_long_files_is_current():
    long = [path.relative_to(PACKAGE).as_posix() for path in FILES
            if len(path.read_text("utf-8").splitlines()) > LONGEST]  # fmt: skip
    assert sorted(LONG_FILES) == long


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_left_for_later(module):
    source = MODULES[module].read_text("utf-8")
    assert [word for word in ("TODO", "FIXME", "XXX", "HACK") if word in source] == []


@pytest.mark.parametrize("module", [name for name in MODULES if unit_of(name) not in MAY_PRINT])
def test_only_the_command_line_prints(module):
    printing = [node.lineno for node in ast.walk(TREES[module])
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"]  # fmt: skip
    assert printing == []


def modules_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter holds once it has run a statement."""
    script = f"import sys; {statement}; print(*sys.modules, sep='\\n')"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=600
    )
    return set(run.stdout.split())


def test_importing_loads_numpy_and_the_standard_library_alone():
    loaded = {name.split(".")[0] for name in modules_after("import minigrad")}
    before = {name.split(".")[0] for name in modules_after("pass")}  # an environment's own hooks
    assert "minigrad" in loaded
    assert loaded - before - set(sys.stdlib_module_names) - {"minigrad", "numpy"} == set()


def test_importing_loads_nothing_heavy():
    added = modules_after("import minigrad") - modules_after("import numpy")
    assert {name.split(".")[0] for name in added} & HEAVY == set()


@pytest.mark.parametrize("module", MODULES)
def test_only_the_trainer_holds_a_training_loop(module):
    steps = [
        node.lineno
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("optimizer.step")
    ]
    # The scaler of losses decides whether a step is taken; the loop around it is the caller's.
    assert steps == [] or unit_of(module) in ("training", "amp")
