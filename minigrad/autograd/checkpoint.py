"""Gradient checkpointing: a function's graph is dropped, and made again when its gradient is asked.

The function runs once as always. Its graph is walked only as far as the values that came from
outside of it (arguments, parameters, what its closure holds) and then let go; one node, whose
parents are those values, stands for it. The rule of that node runs the function again, with the
random numbers of the first run, and walks the new graph to the same parents. Under `create_graph`
that walk is recorded like any other, so that derivatives of any order follow.

Source: Chen and others, "Training Deep Nets with Sublinear Memory Cost", 2016.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from minigrad import engine, mutation
from minigrad.backend import namespace
from minigrad.backend.random import fork_rng, get_rng_state, set_rng_state
from minigrad.errors import GraphError
from minigrad.graph import (
    Edge,
    Leaf,
    Node,
    Parts,
    Primitive,
    Traced,
    grad_mode,
    is_recording,
    output_node,
    primitive,
    wrap,
)
from minigrad.modes import recomputing
from minigrad.mutation import tick

Contexts = Callable[[], tuple[AbstractContextManager[Any], AbstractContextManager[Any]]]

_CHECKPOINT = Primitive(lambda xp: None, {}, primitive)
_CHECKPOINT.name = "checkpoint"


class CheckpointError(GraphError):
    """A function did something else when it was computed again."""


class Segment:
    """A call that is computed twice: how, and what the first time showed of it."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        contexts: Contexts,
        *,
        preserve_rng_state: bool,
        compare: bool,
        debug: bool,
    ) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.compare = compare
        self.debug = debug
        self.first, self.again = contexts()
        self.random = get_rng_state() if preserve_rng_state else None
        self.held = [Held(f"argument {name}", tensor) for name, tensor in _named(args, kwargs)]

    def __call__(self) -> Any:
        """What the function returns, its tensors attached to one node."""
        start = tick()
        with self.first:
            result = self.function(*self.args, **self.kwargs)
        made = _made(result, start) if is_recording() else []
        if not made:
            return result
        for held in self.held:
            held.check("while the function ran; pass a clone(), or leave the argument as it is")
        self.trace = Trace([tensor._node for tensor in made], start)
        self.held += [
            Held(f"a parameter of shape {list(tensor.shape)}", tensor)
            for leaf in self.trace.outer
            if isinstance(leaf, Leaf) and (tensor := leaf.tensor()) is not None
        ]
        self.outer = tuple(self.trace.outer)
        parents: tuple[Edge, ...] = tuple(
            (node, _part(position), (), None) for position, node in enumerate(self.outer)
        )
        fan = Node(_CHECKPOINT, parents, tick())
        node = Node(_CHECKPOINT, ((fan, self.gradients, (), None),), tick())
        attached = {}
        for position, tensor in enumerate(made):
            array = tensor._array
            if tensor._base is not None and _shared(tensor, made, start):
                array = array.copy()
            out = output_node(node, position, len(made), array)
            attached[id(tensor)] = wrap(tensor, array, out)
        return _replaced(result, attached)

    def gradients(self, cotangents: Any) -> Parts:
        """The rule: the function once more, and the walk from its outputs to what came in."""
        traced = [g for g in cotangents if isinstance(g, Traced)]
        nodes = self._compute_again()
        if len(nodes) != len(cotangents):
            raise CheckpointError(
                f"checkpoint(): the function returned {len(cotangents)} tensors with a gradient, "
                f"and {len(nodes)} when it was computed again"
            )
        seeds = [(node, g) for node, g in zip(nodes, cotangents, strict=True) if g is not None]
        like = traced[0] if traced else None
        found = engine.walk(
            seeds, keep=bool(traced), like=like, wanted=set(self.outer), beyond=False
        )
        return Parts(found.get(node) for node in self.outer)

    def _compute_again(self) -> list[Node]:
        """The nodes of the outputs of a second run, checked against the first."""
        for held in self.held:
            held.check("after the function was first computed; clone() it before changing it")
        start = tick()
        mode, flag = grad_mode.set(True), recomputing.set(True)
        try:
            with fork_rng(enabled=self.random is not None), self.again:
                if self.random is not None:
                    set_rng_state(self.random)
                result = self.function(*self.args, **self.kwargs)
        except Exception as error:
            error.add_note("raised while checkpoint() computed the function again")
            raise
        finally:
            recomputing.reset(flag)
            grad_mode.reset(mode)
        nodes = [tensor._node for tensor in _made(result, start)]
        self.trace.compare(Trace(nodes, start), self.compare, self.debug)
        return nodes


class Trace:
    """What a graph is made of, without what it keeps: its operations, and where it ends.

    `outer` are the nodes, older than `start` or leaves, that the graph leads to.
    """

    def __init__(self, roots: list[Node], start: float) -> None:
        self.outer: dict[Node, None] = {}
        inner: list[Node] = []
        seen = set(roots)
        stack = list(roots)
        while stack:
            node = stack.pop()
            if node.order > start:
                self.outer[node] = None
                continue
            inner.append(node)
            for edge in node.edges or ():
                if edge[0] not in seen:
                    seen.add(edge[0])
                    stack.append(edge[0])
        inner.sort(key=_age, reverse=True)
        self.operations = [(node.op.name, [*map(_Kept, _arrays(node))]) for node in inner]

    def compare(self, other: Trace, shapes: bool, debug: bool) -> None:
        """Raise CheckpointError unless the other trace is of the same computation."""
        difference = self._difference(other, shapes)
        if difference is None:
            return
        if debug:
            difference += f"\nfirst: {self}\nagain: {other}"
        raise CheckpointError(
            f"checkpoint(): {difference}; the function must do the same each time, from the same "
            f"values"
        )

    def _difference(self, other: Trace, shapes: bool) -> str | None:
        for (name, first), (second_name, second) in zip(self.operations, other.operations):
            if shapes and name != second_name:
                return f"computed again, {second_name}() came in place of {name}()"
            for one, two in zip(first, second):
                if shapes and str(one) != str(two):
                    return f"{name}() kept {one} for its gradient, and {two} when computed again"
                if one.changed(two):
                    return f"a value {one} that {name}() keeps was changed in place in between"
        count, again = len(self.operations), len(other.operations)
        if shapes and count != again:
            return f"the function recorded {count} operations, and {again} when computed again"
        lost = [node for node in self.outer if node not in other.outer and not _frozen(node)]
        strange = [n for n in other.outer if n not in self.outer and not isinstance(n, Leaf)]
        if lost or strange:
            return "computed again, the function used other tensors from outside of it"
        return None

    def __str__(self) -> str:
        return ", ".join(f"{name}({', '.join(map(str, kept))})" for name, kept in self.operations)


class _Kept:
    """An array that a node keeps, without the array: its dtype, shape, buffer and version."""

    __slots__ = ("buffer", "text", "version")

    def __init__(self, array: Any) -> None:
        self.text = f"{array.dtype}{list(array.shape)}"
        self.buffer = weakref.ref(mutation.owner(array))
        self.version = mutation.version(array)

    def changed(self, other: _Kept) -> bool:
        """Whether the other is the same buffer with other contents."""
        buffer = self.buffer()
        return buffer is not None and buffer is other.buffer() and self.version != other.version

    def __str__(self) -> str:
        return self.text


class Held:
    """A tensor that the function starts from, with the contents that it had."""

    __slots__ = ("array", "name", "tensor", "version")

    def __init__(self, name: str, tensor: Any) -> None:
        self.name = name
        self.tensor = weakref.ref(tensor)
        self.array = tensor._array
        self.version = mutation.version(tensor._array)

    def check(self, when: str) -> None:
        """Raise GraphError if the contents have changed."""
        tensor = self.tensor()
        array = self.array if tensor is None else tensor._array
        same = mutation.version(self.array) == self.version
        if same and array is not self.array:
            xp = namespace("checkpoint", tensor=array)
            same = array.shape == self.array.shape and bool(xp.array_equal(array, self.array))
        if not same:
            raise GraphError(f"checkpoint(): {self.name} was changed in place {when}")


def _age(node: Node) -> float:
    return node.order


def _part(position: int) -> Callable[[Any], Any]:
    return lambda g: g[position]


def _frozen(node: Node) -> bool:
    """Whether a leaf's tensor is gone, or needs no gradient any more."""
    if not isinstance(node, Leaf):
        return False
    tensor = node.tensor()
    return tensor is None or tensor._node is None


def _arrays(node: Node) -> Iterator[Any]:
    """The arrays that a node keeps."""
    for _, _, kept, _ in node.edges or ():
        for value in kept:
            for part in value if type(value) is tuple else (value,):
                if hasattr(part, "base") and hasattr(part, "dtype"):
                    yield part


def _parts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The tensors in tuples, lists and dicts, each with the way to it."""
    if isinstance(value, Traced):
        yield path, value
    elif isinstance(value, (tuple, list)):
        for position, part in enumerate(value):
            yield from _parts(part, f"{path}[{position}]")
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _parts(part, f"{path}[{name!r}]")


def _named(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for position, value in enumerate(args):
        yield from _parts(value, str(position))
    for name, value in kwargs.items():
        yield from _parts(value, f"'{name}'")


def _made(result: Any, start: float) -> list[Any]:
    """The tensors in a result, each once, that were recorded since `start`."""
    found = {
        id(tensor): tensor
        for _, tensor in _parts(result)
        if tensor._node is not None and tensor._node.order < start
    }
    return list(found.values())


def _shared(view: Any, made: Iterable[Any], start: float) -> bool:
    """Whether a view's memory is that of another output, or may be reached from outside."""
    base = view._base
    if base._node is None or base._node.order > start:
        return True
    return any(base is each or (base is each._base and each is not view) for each in made)


def _replaced(value: Any, attached: dict[int, Any]) -> Any:
    """The same structure with its tensors replaced where there is another for them."""
    if isinstance(value, Traced):
        return attached.get(id(value), value)
    if isinstance(value, dict):
        parts = {name: _replaced(part, attached) for name, part in value.items()}
        return parts if type(value) is dict else type(value)(parts)
    if isinstance(value, (tuple, list)):
        items = [_replaced(part, attached) for part in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value
