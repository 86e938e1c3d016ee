"""Hooks on tensors: a node with hooks passes its cotangent through them before its own work.

The walk knows nothing of hooks. The first hook on a node moves the node's work to a new node below
it and turns the node into one whose only rule calls the hooks.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

from minigrad import engine
from minigrad.backend import as_array
from minigrad.errors import ArgumentError, GraphError
from minigrad.graph import Leaf, Node, Traced
from minigrad.ops.elementwise import conj

_serial = itertools.count()


class RemovableHandle:
    """What a hook's registration returns: `remove()` takes the hook away again."""

    def __init__(self, hooks: dict[int, Any], key: int) -> None:
        self._hooks = weakref.ref(hooks) if isinstance(hooks, _Table) else lambda: hooks
        self.id = key

    @classmethod
    def add(cls, hooks: dict[int, Any], hook: Any) -> RemovableHandle:
        """Put a hook into a table and return its handle."""
        key = next(_serial)
        hooks[key] = hook
        return cls(hooks, key)

    def remove(self) -> None:
        """Take the hook away; does nothing the second time."""
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class _Table(dict[int, Any]):
    """A table of hooks that can be referred to weakly."""


class NodeHooks:
    """The hooks of a computed tensor, called in order; the rule of a hook node."""

    def __init__(self) -> None:
        self.table: dict[int, Callable[[Any], Any]] = _Table()
        self.like: Any = None
        self.retained: weakref.ref[Any] | None = None

    def register(self, hook: Callable[[Any], Any], tensor: Any) -> RemovableHandle:
        """Add a hook for the tensor."""
        self.like = tensor._tensor
        return RemovableHandle.add(self.table, hook)

    def retain(self, tensor: Any) -> None:
        """Keep the gradient in the tensor's `.grad`, after the hooks changed it."""
        self.like = tensor._tensor
        self.retained = weakref.ref(tensor)

    def __call__(self, g: Any) -> Any:
        traced = isinstance(g, Traced)
        tensor = g if traced else self._wrap(as_array(g))
        complex_ = tensor._array.dtype.kind == "c"
        if complex_:
            tensor = conj(tensor)
        for hook in list(self.table.values()):
            result = hook(tensor)
            if result is not None:
                tensor = _checked(result, tensor)
        kept = None if self.retained is None else self.retained()
        if kept is not None and self._made(kept):
            previous = kept.grad
            kept.grad = tensor if previous is None else previous + tensor
        if complex_:
            tensor = conj(tensor)
        return tensor if traced else tensor._array

    def _made(self, tensor: Any) -> bool:
        """Whether the tensor still has the value whose gradient comes here."""
        node = tensor._node
        return node is not None and bool(node.edges) and node.edges[0][1] is self

    def _wrap(self, array: Any) -> Any:
        tensor = object.__new__(self.like)
        tensor._array = array
        tensor._node = None
        return tensor


def _checked(result: Any, gradient: Any) -> Any:
    """What a hook returned, if it can stand for the gradient."""
    if not isinstance(result, Traced):
        raise TypeError(f"a hook must return a Tensor or None, not {type(result).__name__}")
    if result._array.shape != gradient._array.shape:
        raise ArgumentError(
            f"a hook returned a gradient of shape {list(result._array.shape)} in place of one of "
            f"shape {list(gradient._array.shape)}"
        )
    return result


class LeafHooks:
    """The hooks of a leaf, kept in its node."""

    def __init__(self, leaf: Leaf) -> None:
        if leaf.hooks is None:
            leaf.hooks = {}
        self.table = leaf.hooks

    def register(self, hook: Callable[[Any], Any], tensor: Any) -> RemovableHandle:
        """Add a hook for the tensor."""
        return RemovableHandle.add(self.table, hook)


def hooks_of(node: Node) -> Any:
    """The hooks of a node, which becomes a hook node if it was none."""
    if isinstance(node, Leaf):
        return LeafHooks(node)
    if node.op is not engine.HOOK:
        engine.hooked(node, NodeHooks())
    if node.edges is None:
        raise GraphError("no hook can be set: the graph was freed by a backward that has run")
    return node.edges[0][1]
