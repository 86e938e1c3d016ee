"""Custom operations: a forward and a backward written by the user, in torch's form."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minigrad import inplace, mutation
from minigrad.backend import as_array, namespace
from minigrad.backend.levels import LEVELS, highest
from minigrad.errors import ArgumentError, GraphError
from minigrad.graph import (
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
from minigrad.mutation import tick
from minigrad.ops.reduce import sum_to
from minigrad.tensor import Tensor

__all__ = ["Function", "FunctionCtx", "once_differentiable"]


class FunctionCtx:
    """What a custom function's forward leaves for its backward."""

    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self) -> None:
        self._saved: tuple[Any, ...] = ()
        self._plain: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._materialize = True
        self._node: Node | None = None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs, outputs or other tensors for the backward; changes to them are noticed."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, Traced):
                raise TypeError(
                    f"save_for_backward() takes Tensors, got {type(tensor).__name__}; keep other "
                    f"values as attributes of ctx"
                )
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` was given. Raises GraphError once the graph is freed."""
        if self._node is not None and self._node.edges is None:
            raise GraphError(
                "saved_tensors: the graph was freed by an earlier backward; call it with "
                "retain_graph=True"
            )
        return tuple(value(self) if callable(value) else value for value in self._saved)

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Say that these outputs need no gradient."""
        self._plain = outputs

    def mark_dirty(self, *inputs: Tensor) -> None:
        """Say that the forward changed these inputs in place and returns them."""
        self._dirty = inputs

    def set_materialize_grads(self, value: bool) -> None:
        """Whether the backward gets zeros (the default) or None for outputs without gradient."""
        self._materialize = value


class Function:
    """A custom operation: subclass it, write `forward` and `backward`, call `apply`.

    `forward(ctx, *args)` computes Tensors from Tensors; `backward(ctx, *grads)` returns one
    gradient (or None) for each argument of `forward`. A `setup_context(ctx, inputs, output)` may
    be given instead of the `ctx` of `forward`. A backward made of Tensor operations can itself be
    differentiated.

    >>> import minigrad
    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return grad * 3 * x**2
    >>> x = minigrad.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; written by the subclass."""
        raise GraphError("a Function needs a static method forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Compute the gradients of the inputs; written by the subclass."""
        raise GraphError("this Function has no static method backward(ctx, *grads)")

    setup_context: Callable[..., None] | None = None

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run the forward and record the backward."""
        if LEVELS and highest(args) is not None:
            raise GraphError(
                f"{cls.__name__}.apply(): a custom function cannot be used inside of vmap() or "
                f"jvp(), which would have to look into it; write it with minigrad's operations"
            )
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(
            isinstance(arg, Traced) and arg._node is not None for arg in args
        )
        recorded = any(ctx.needs_input_grad) and is_recording()
        token = grad_mode.set(False)
        try:
            if cls.setup_context is None:
                results = cls.forward(ctx, *args)
            else:
                results = cls.forward(*args)
                cls.setup_context(ctx, args, results)
        finally:
            grad_mode.reset(token)
        outputs = results if isinstance(results, tuple) else (results,)
        if recorded:
            outputs = _record(cls, ctx, args, outputs)
        else:
            for tensor in ctx._dirty:
                mutation.touch(tensor._array, cls.__name__)
        return outputs if isinstance(results, tuple) else outputs[0]


def _record(
    cls: type[Function], ctx: FunctionCtx, args: tuple[Any, ...], outputs: tuple[Any, ...]
) -> tuple[Any, ...]:
    """The outputs, attached to a node whose rule calls the backward."""
    name = cls.__name__
    for tensor in ctx._dirty:
        inplace.check_writable(tensor, name)
    parents = [arg._node if isinstance(arg, Traced) else None for arg in args]
    edges = []
    for position, (arg, parent) in enumerate(zip(args, parents, strict=True)):
        if parent is not None:
            edges.append((parent, _gradient_of(name, position, arg._array), (), None))
    fan = Node(_named(name), tuple(edges), tick())
    kinds = [
        (value._array.shape, value._array.dtype) if isinstance(value, Traced) else None
        for value in outputs
    ]

    def rule(g: Any, *kept: Any) -> Any:
        return _call_backward(cls, ctx, g, kinds, len(args), parents)

    kept = tuple(t._array for t in ctx._saved if t is not None)
    node = Node(_named(name), ((fan, rule, kept, None),), tick())
    ctx._node = node
    attached = []
    plain = {id(tensor) for tensor in ctx._plain}
    dirty = {id(tensor) for tensor in ctx._dirty}
    bases = {id(arg if arg._base is None else arg._base) for arg in args if isinstance(arg, Traced)}
    for position, value in enumerate(outputs):
        if not isinstance(value, Traced):
            attached.append(value)
            continue
        if id(value) in plain:
            attached.append(value if value._node is None else wrap(value, value._array))
            continue
        out = output_node(node, position, len(outputs), value._array)
        if id(value) in dirty:
            mutation.touch(value._array, name)
            inplace.rebase(value, out)
            attached.append(value)
        else:
            result = wrap(value, value._array, out)
            base = value if value._base is None else value._base
            if id(base) in bases:
                # Without a chain of views it cannot be changed in place, as in torch.
                result._base = base
            attached.append(result)
    ctx._saved = tuple(_saved(value, outputs, node) for value in ctx._saved)
    return tuple(attached)


def _named(name: str) -> Primitive:
    op = Primitive(lambda xp: None, {}, primitive)
    op.name = name
    return op


def _saved(value: Any, outputs: tuple[Any, ...], node: Node) -> Any:
    """A saved tensor; an output is kept as its array, since the graph may not hold its own end."""
    places = [i for i, output in enumerate(outputs) if output is value and value is not None]
    if not places:
        return value
    array, like, count = value._array, value._tensor, len(outputs)

    def unpack(ctx: FunctionCtx) -> Any:
        attached = output_node(ctx._node, places[0], count, array)
        return wrap_as(like, array, attached)

    return unpack


def wrap_as(kind: Any, array: Any, node: Node | None) -> Any:
    """A tensor of a class that holds an array and its node."""
    tensor = object.__new__(kind)
    tensor._array = array
    tensor._node = node
    return tensor


def _call_backward(
    cls: type[Function],
    ctx: FunctionCtx,
    parts: Any,
    kinds: list[Any],
    count: int,
    parents: list[Node | None],
) -> Parts:
    """Call the user's backward on Tensors and hand its results on as the walk wants them."""
    recorded = any(isinstance(g, Traced) for g in parts)
    gradients = []
    for g, kind in zip(parts, kinds, strict=True):
        if g is None and kind is not None and ctx._materialize:
            like = next(h for h in parts if h is not None)
            g = _zeros(like, kind)
        gradients.append(_conjugated(_as_tensor(g)))
    once = getattr(cls.backward, "once_differentiable", False)
    token = grad_mode.set(recorded and not once)
    try:
        results = cls.backward(ctx, *gradients)
    finally:
        grad_mode.reset(token)
    results = results if isinstance(results, tuple) else (results,)
    if len(results) > count and all(r is None for r in results[count:]):
        results = results[:count]
    if len(results) != count:
        raise ArgumentError(
            f"{cls.__name__}.backward() returned {len(results)} gradients; it must return one for "
            f"each of the {count} arguments of forward(), None where there is none"
        )
    if recorded and once:
        results = tuple(_refuse_twice(cls.__name__, r, parents) for r in results)
    results = tuple(_conjugated(r) for r in results)
    if recorded:
        return Parts(results)
    return Parts(r._array if isinstance(r, Traced) else r for r in results)


def _as_tensor(g: Any) -> Any:
    if g is None or isinstance(g, Traced):
        return g
    return wrap_as(Tensor, as_array(g), None)


def _zeros(like: Any, kind: tuple[tuple[int, ...], Any]) -> Any:
    shape, dtype = kind
    raw = like._array if isinstance(like, Traced) else as_array(like)
    return namespace("backward", like=raw).zeros(shape, dtype)


def _conjugated(value: Any) -> Any:
    if isinstance(value, Tensor) and value._array.dtype.kind == "c":
        return value.conj()
    return value


def _gradient_of(name: str, position: int, array: Any) -> Callable[[Any], Any]:
    """The rule that takes one input's gradient out of what the backward returned."""
    shape = array.shape

    def rule(parts: Any) -> Any:
        g = parts[position]
        if g is None:
            return None
        found = g.shape
        if found == shape:
            return g
        lead = len(found) - len(shape)
        if lead < 0 or any(
            want not in (1, have) for want, have in zip(shape, found[lead:], strict=True)
        ):
            raise ArgumentError(
                f"{name}.backward() returned a gradient of shape {list(found)} for input "
                f"{position}, which has shape {list(shape)}"
            )
        return sum_to(g, size=shape)

    return rule


def _refuse_twice(name: str, value: Any, parents: list[Node | None]) -> Any:
    if not isinstance(value, Traced):
        return value

    def refuse(g: Any) -> Any:
        raise GraphError(
            f"{name}.backward() is marked once_differentiable: its gradient cannot be "
            f"differentiated again"
        )

    edges = tuple((parent, refuse, (), None) for parent in parents if parent is not None)
    return wrap(value, value._array, Node(_named(name), edges, tick()))


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a custom backward whose own gradient is not available: a second derivative raises."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *gradients: Any) -> Any:
        return backward(ctx, *gradients)

    wrapper.once_differentiable = True  # type: ignore[attr-defined]
    return wrapper
