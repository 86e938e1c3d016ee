"""Writes docs/operations.md from the registry: `python docs/make_operations.py`."""

import importlib
import pkgutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # this tree's package, installed or not

import minigrad.ops
from minigrad.graph import registry

PAGE = Path(__file__).with_name("operations.md")

HEAD = """# Operations

Made from the registry by `python docs/make_operations.py`; change the declarations, not this page.

A **primitive** is declared with its derivatives. The table says, for each input that has one, what
the node keeps alive until the backward: other inputs, constants, or the output `out`. Shapes and
dtypes are free, and an input that is listed with nothing keeps nothing. A **composition** is
written with other operations and has no rule of its own.
"""


def first_sentence(doc):
    return " ".join((doc or "").split("\n\n")[0].split()).replace("|", "\\|")


def signature(op):
    inputs = [f"*{op.variadic}"] if op.variadic else list(op.inputs)
    return ", ".join([*inputs, *(["*", *op.constants] if op.constants else [])])


def kept(op):
    """What each differentiable input's rule keeps, as text."""
    free = {"shape", "dtype", "needed", "position", "shapes"}
    if op.joint is not None:
        names = [name for name in op.needs[op.joint] if name not in free]
        return f"all inputs: {', '.join(names) or 'nothing'}"
    rows = []
    for name, rule in op.rules.items():
        names = [need for need in op.needs[rule] if need not in free]
        rows.append(f"{name}: {', '.join(names) or 'nothing'}")
    return "; ".join(rows) or "no gradient"


def families():
    """The modules of minigrad.ops, with their own docstrings."""
    names = sorted(module.name for module in pkgutil.iter_modules(minigrad.ops.__path__))
    return [importlib.import_module(f"minigrad.ops.{name}") for name in names]


def page():
    lines = [HEAD]
    modules = families()  # imported before what they declare is counted
    count = sum(op.forward.__module__.startswith("minigrad.ops.") for op in registry.values())
    lines.append(f"{count} primitives in all.\n")
    for family in modules:
        primitives = {
            name: op for name, op in sorted(registry.items())
            if op.forward.__module__ == family.__name__
        }  # fmt: skip
        public = [
            name for name in sorted(getattr(family, "__all__", []))
            if callable(getattr(family, name))
            and getattr(family, name).__module__ == family.__name__
            and not hasattr(getattr(family, name), "primitive")
        ]  # fmt: skip
        if not primitives and not public:
            continue
        lines += [f"## {family.__name__}\n", first_sentence(family.__doc__) + "\n"]
        if primitives:
            lines += ["| primitive | takes | keeps for the gradient of |", "|---|---|---|"]
            lines += [
                f"| `{name}` | `{signature(op)}` | {kept(op)} |" for name, op in primitives.items()
            ]
            lines.append("")
        if public:
            lines.append("Compositions: " + ", ".join(f"`{name}`" for name in public) + ".\n")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"{PAGE.name}: {len(page().splitlines())} lines")
