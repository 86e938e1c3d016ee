"""Planting wrong derivative rules, each of which the registry's checks must catch.

`python -m tests.mutants [NAME...]` plants, in every rule of every primitive: the result times
1.001, and the rule with one term, factor, sign or argument dropped. It prints a line for each
primitive and, at the end, how many were caught; the exit status is 1 unless all were.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import inspect
import sys
import types
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from minigrad.graph import Primitive
from tests.samples import ROWS
from tests.samples.checks import check_all, refuses
from tests.samples.row import primitives
from tests.samples.unnoticed import EQUIVALENT

SCALE = "times 1.001"


class Mutant:
    """A wrong rule: which rule of which primitive, what was done to it, and its code."""

    def __init__(self, op: Primitive, rule: Any, label: str, change: str, code: Any) -> None:
        self.op, self.rule, self.label, self.change, self.code = op, rule, label, change, code

    def __str__(self) -> str:
        return f"{self.op.forward.__name__}.{self.label}: {self.change}"


def scaled(value: Any, g: Any) -> Any:
    """A rule's result, wrong by one part in a thousand."""
    if value is None:
        return None
    if isinstance(value, tuple):
        return tuple(scaled(part, g) for part in value)
    return value * 1.001


def shifted(value: Any, g: Any) -> Any:
    """The zero result of a rule, wrong by a thousandth of the cotangent."""
    return value + g * 0.001


def rules_of(op: Primitive) -> list[tuple[str, Any]]:
    """The rules that a declaration gave, and the module's own functions that they call."""
    rules = [("joint", op.joint)] if op.joint is not None else list(op.rules.items())
    rules = [
        (label, rule) for label, rule in rules
        if isinstance(rule, types.FunctionType) and not refuses(rule)
    ]  # fmt: skip
    bodies = {rule.__code__ for _, rule in rules}
    for label, rule in rules:
        for name in rule.__code__.co_names:
            part = rule.__globals__.get(name)
            if isinstance(part, types.FunctionType) and name.startswith("_"):
                ours = part.__module__ == rule.__globals__["__name__"]
                if ours and not hasattr(part, "primitive") and part.__code__ not in bodies:
                    bodies.add(part.__code__)
                    rules.append((f"{label}/{name}", part))
    return rules


@cache
def _tree(filename: str) -> ast.Module:
    return ast.parse(Path(filename).read_text("utf-8"))


def definition(rule: types.FunctionType) -> ast.Lambda | ast.FunctionDef:
    """The part of the source that defines a rule."""
    code = rule.__code__
    names = code.co_varnames[: code.co_argcount]
    spots = [
        (line, column) for line, _, column, _ in code.co_positions()
        if line is not None and column is not None and (line, column) != (code.co_firstlineno, 0)
    ]  # fmt: skip
    first = min(spots)
    found = []
    for node in ast.walk(_tree(code.co_filename)):
        if not isinstance(node, (ast.Lambda, ast.FunctionDef)):
            continue
        if tuple(argument.arg for argument in node.args.args) != names:
            continue
        body = node.body if isinstance(node, ast.Lambda) else node.body[-1]
        start = (node.lineno, node.col_offset)
        end = (body.end_lineno, body.end_col_offset)
        if start <= first <= end:
            found.append(node)
    if not found:
        raise LookupError(f"no source for the rule at {code.co_filename}:{code.co_firstlineno}")
    return min(found, key=lambda node: (node.end_lineno - node.lineno, node.end_col_offset))


def changes(node: ast.Lambda | ast.FunctionDef) -> Iterator[tuple[str, Any]]:
    """Copies of a definition, each with one thing dropped, and what that was."""
    targets = [part for part in ast.walk(node) if isinstance(part, ast.expr)]
    for place, part in enumerate(targets):
        for what, replacement in shorter(part):
            yield f"{ast.unparse(part)} -> {what}", _replaced(node, place, replacement)


def shorter(part: ast.expr) -> list[tuple[str, ast.expr]]:
    """What an expression becomes when a term, a factor or a sign is dropped."""
    found: list[ast.expr] = []
    if isinstance(part, ast.BinOp):
        left, right = part.left, part.right
        if isinstance(part.op, ast.Add):
            found = [left, right]
        elif isinstance(part.op, ast.Sub):
            found = [left, ast.UnaryOp(ast.USub(), right)]
        elif isinstance(part.op, (ast.Mult, ast.MatMult)):
            found = [left, right]
        elif isinstance(part.op, (ast.Div, ast.Pow)):
            found = [left]
    elif isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub):
        if not isinstance(part.operand, ast.Constant):
            found = [part.operand]
    elif isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
        if part.func.id == "where":
            found = part.args[1:]
        elif part.func.id in ("conj", "sum_to", "adjoint", "turned", "unreduce"):
            found = part.args[:1]
    return [(ast.unparse(replacement), replacement) for replacement in found]


def _replaced(node: Any, place: int, replacement: ast.expr) -> Any:
    """A copy of a definition with the expression at a place of its walk exchanged."""
    twin = copy.deepcopy(node)
    target = [part for part in ast.walk(twin) if isinstance(part, ast.expr)][place]
    inside = copy.deepcopy(replacement)

    class Exchange(ast.NodeTransformer):
        def visit(self, part: ast.AST) -> Any:
            return inside if part is target else self.generic_visit(part)

    return Exchange().visit(twin)


def compiled(node: Any, rule: types.FunctionType, wrapper: str | None = None) -> Any:
    """The code of a changed definition, to stand in a rule of the same closure."""
    free = rule.__code__.co_freevars
    node = copy.deepcopy(node)
    if isinstance(node, ast.FunctionDef):
        node.decorator_list = []
        node.returns = None
        arguments, statements = node.args, node.body
    else:
        arguments, statements = node.args, [ast.Return(node.body)]
    if wrapper is not None:
        statements = [Wrap(wrapper).visit(statement) for statement in statements]
    keep = [ast.Expr(ast.Name(name, ast.Load())) for name in free]
    for argument in arguments.args:
        argument.annotation = None
    inner = ast.FunctionDef("rule", arguments, [*keep, *statements], [], type_params=[])
    outer_arguments = ast.arguments([], [ast.arg(name) for name in free], None, [], [], None, [])
    outer = ast.FunctionDef(
        "outer", outer_arguments, [inner, ast.Return(ast.Name("rule", ast.Load()))], [],
        type_params=[],
    )  # fmt: skip
    module = ast.fix_missing_locations(ast.Module([outer], []))
    names: dict[str, Any] = {}
    exec(compile(module, "<mutant>", "exec"), names)
    made = names["outer"](*free)
    return made.__code__


class Wrap(ast.NodeTransformer):
    """Passes every returned value, and `g`, to a function."""

    def __init__(self, function: str) -> None:
        self.function = function

    def visit_Return(self, node: ast.Return) -> Any:
        assert node.value is not None
        call = ast.Call(
            ast.Name(self.function, ast.Load()), [node.value, ast.Name("g", ast.Load())], []
        )
        return ast.Return(call)


def mutants_of(op: Primitive, quick: bool = False) -> Iterator[Mutant]:
    """The wrong rules of one primitive; `quick`: only those wrong by a thousandth."""
    for label, rule in rules_of(op):
        node = definition(rule)
        helper = "/" in label
        body = node.body if isinstance(node, ast.Lambda) else None
        constant = body is not None and ast.unparse(body) == "zero(g)"
        function = "_mutant_shifted" if constant else "_mutant_scaled"
        change = "plus 0.001 g" if constant else SCALE
        if not helper:
            yield Mutant(op, rule, label, change, compiled(node, rule, function))
        if quick:
            continue
        for what, twin in changes(node):
            yield Mutant(op, rule, label, what, compiled(twin, rule))


@contextlib.contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """The package with one rule wrong."""
    rule, right = mutant.rule, mutant.rule.__code__
    rule.__globals__.update(_mutant_scaled=scaled, _mutant_shifted=shifted)
    rule.__code__ = mutant.code
    try:
        yield
    finally:
        rule.__code__ = right
        del rule.__globals__["_mutant_scaled"], rule.__globals__["_mutant_shifted"]


def caught(mutant: Mutant) -> bool:
    """Whether the primitive's own checks fail with the wrong rule planted."""
    name = mutant.op.forward.__name__
    with planted(mutant), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            check_all(mutant.op, ROWS[name], name)
        except Exception:  # noqa: BLE001 - whatever a wrong rule raises, it was noticed
            return True
    return False


def main(arguments: list[str] | None = None) -> int:
    """Plant and judge them all; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants", description=inspect.getdoc(sys.modules[__name__])
    )
    parser.add_argument("names", nargs="*", help="primitives; without any, all")
    parser.add_argument("--quick", action="store_true", help="only rules wrong by a thousandth")
    options = parser.parse_args(arguments)
    known = primitives()
    total = found = excused = 0
    for name in options.names or sorted(known):
        planted_here = caught_here = 0
        missed = []
        for mutant in mutants_of(known[name], options.quick):
            if str(mutant) in EQUIVALENT:
                excused += 1
                continue
            planted_here += 1
            if caught(mutant):
                caught_here += 1
            else:
                missed.append(str(mutant))
        if planted_here:
            print(f"{name:28} {caught_here:3} of {planted_here:3}", flush=True)
        for line in missed:
            print(f"    not caught: {line}", flush=True)
        total, found = total + planted_here, found + caught_here
    print(f"{excused} that equal the right rule for every input are listed with the reason")
    print(f"{found} of {total} planted wrong rules caught")
    return 0 if found == total else 1


if __name__ == "__main__":
    sys.exit(main())
