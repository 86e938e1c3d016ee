"""Which names of torch a program spells that minigrad lacks, read off its syntax tree."""

from __future__ import annotations

import ast
import os
from typing import NamedTuple

from minigrad.absent.table import reason_for
from minigrad.compat.layout import find, module_for
from minigrad.tensor import Tensor

__all__ = ["MissingName", "missing_names"]


class MissingName(NamedTuple):
    """A name that a program spells, the first line that does, and why it is not there."""

    name: str
    line: int
    reason: str


def missing_names(path: str | os.PathLike[str]) -> list[MissingName]:
    """All names of torch in the program at `path` that minigrad lacks, by the first line.

    Followed are imports of torch's modules, whatever they are called, and chains of attributes
    that begin with them. Attributes of other objects are reported where only a tensor of torch has
    them. Raises SyntaxError for what is no Python and OSError for what cannot be read.
    """
    with open(path, encoding="utf-8") as file:
        reader = _Reader()
        reader.visit(ast.parse(file.read(), os.fspath(path)))
    found: dict[str, MissingName] = {}
    for name, line in sorted(reader.used, key=lambda use: (use[1], use[0])):
        if name not in found and name not in reader.made:
            reason = _why_missing(name)
            if reason is not None:
                found[name] = MissingName(name, line, reason)
    return list(found.values())


class _Reader(ast.NodeVisitor):
    """The names that mean something of torch, and where such things are used."""

    def __init__(self) -> None:
        self.bound: dict[str, str] = {}
        self.used: set[tuple[str, int]] = set()
        self.made: set[str] = set()

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.split(".")[0] == "torch":
                self.used.add((alias.name, node.lineno))
                self.bound[alias.asname or "torch"] = alias.name if alias.asname else "torch"

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level or module.split(".")[0] != "torch":
            return
        self.used.add((module, node.lineno))
        for alias in node.names:
            if alias.name != "*":
                self.used.add((f"{module}.{alias.name}", node.lineno))
                self.bound[alias.asname or alias.name] = f"{module}.{alias.name}"

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        spelled = self.spelled(node.value)
        if spelled is not None and isinstance(node.targets[0], ast.Name):
            self.bound[node.targets[0].id] = spelled

    def visit_Attribute(self, node: ast.Attribute) -> None:
        spelled = self.spelled(node)
        if spelled is None:
            if reason_for(f"Tensor.{node.attr}") and not hasattr(Tensor, node.attr):
                self.used.add((f"torch.Tensor.{node.attr}", node.lineno))
            self.generic_visit(node)
        elif isinstance(node.ctx, ast.Load):
            self.used.add((spelled, node.lineno))
        else:
            self.used.add((spelled.rpartition(".")[0], node.lineno))
            self.made.add(spelled)

    def spelled(self, node: ast.AST) -> str | None:
        """The name of torch that a chain of attributes means, if it begins with one."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.bound:
            return None
        return ".".join([self.bound[node.id], *reversed(attributes)])


def _why_missing(name: str) -> str | None:
    """Why a name is not there; None for one that is."""
    path = name.partition(".")[2]
    if not path or module_for(path) is not None or name.startswith("torch.version"):
        return None
    try:
        find(name)
    except AttributeError as error:
        _, _, explained = str(error).partition("': ")
        return explained or reason_for(path) or "torch is not known to have it either"
    return None
