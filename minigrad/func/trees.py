"""Nested structures of tensors: tuples, lists, dicts and named tuples, taken apart and rebuilt."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.graph import Traced

__all__ = ["broadcast_tree", "flatten", "tree_map", "unflatten"]

Spec = tuple[Any, ...]
_LEAF: Spec = ("leaf",)


def flatten(tree: Any) -> tuple[list[Any], Spec]:
    """The leaves of a structure in order, and what `unflatten` needs to put them back."""
    leaves: list[Any] = []
    return leaves, _take_apart(tree, leaves)


def _take_apart(tree: Any, leaves: list[Any]) -> Spec:
    kind = type(tree)
    if kind in (dict, OrderedDict):
        return kind, tuple(tree), tuple(_take_apart(part, leaves) for part in tree.values())
    if kind in (tuple, list) or hasattr(tree, "_fields"):
        return kind, None, tuple(_take_apart(part, leaves) for part in tree)
    if tree is None:
        return (None,)
    leaves.append(tree)
    return _LEAF


def unflatten(leaves: Any, spec: Spec) -> Any:
    """The structure that `flatten` took apart, with other leaves."""
    return _put_together(iter(leaves), spec)


def _put_together(leaves: Any, spec: Spec) -> Any:
    if spec is _LEAF:
        return next(leaves)
    if spec[0] is None:
        return None
    kind, keys, parts = spec
    made = [_put_together(leaves, part) for part in parts]
    if keys is not None:
        return kind(zip(keys, made))
    return kind(*made) if hasattr(kind, "_fields") else kind(made)


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same structure with a function applied to every leaf."""
    leaves, spec = flatten(tree)
    return unflatten([function(leaf) for leaf in leaves], spec)


def map_tensors(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same structure with a function applied to every tensor in it."""
    return tree_map(lambda leaf: function(leaf) if isinstance(leaf, Traced) else leaf, tree)


def broadcast_tree(prefix: Any, tree: Any, operation: str, name: str) -> list[Any]:
    """One value for each leaf of a tree: `prefix` is one for all, or a structure like its top.

    Raises ArgumentError where the two structures differ.
    """
    found: list[Any] = []
    _spread(prefix, tree, found, f"{operation}(): argument '{name}' is {prefix!r}")
    return found


def _spread(prefix: Any, tree: Any, found: list[Any], said: str) -> None:
    if prefix is None or isinstance(prefix, int):
        found += [prefix] * len(flatten(tree)[0])
        return
    children = list(tree.values()) if isinstance(tree, dict) else tree
    if isinstance(prefix, dict) and isinstance(tree, dict) and list(prefix) == list(tree):
        prefix = tuple(prefix.values())
    fits = isinstance(prefix, (tuple, list)) and isinstance(children, (tuple, list))
    if not fits or len(prefix) != len(children):
        raise ArgumentError(
            f"{said}, which does not have the structure of what it is for; give one integer or "
            f"None for all, or a structure like it"
        )
    for part, child in zip(prefix, children):
        _spread(part, child, found, said)
