"""In-place operations: real ones on data, recorded ones on the graph, through views to the base.

An in-place operation is the functional one followed by a write into the tensor's own buffer, so
that views and other holders of the memory see the new values. While recording, the tensor's node
becomes the functional result's; if the tensor is a view, its base's node becomes a `place` of that
result, and every other live view of the base is attached to the base anew.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minigrad import dtypes, mutation
from minigrad.backend.levels import LEVELS, highest
from minigrad.errors import ArgumentError, DtypeError, GraphError
from minigrad.graph import Leaf, Node, Traced, is_recording, primitive, wrap
from minigrad.mutation import tick
from minigrad.ops.promotion import convert
from minigrad.ops.reduce import broadcast_to
from minigrad.ops.strides import arranged

Chain = tuple[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]], ...]


@primitive(
    input=lambda g, chain: place(g, 0, chain=chain),
    other=lambda g, chain: follow(g, chain),
)
def place(xp: Any, input: Any, other: Any, *, chain: Chain) -> Any:
    """A copy of the input in which the region that a chain of views shows is replaced."""
    out = input.copy()
    for _, _, constants in chain:
        if "origin" in constants:
            out = arranged(out, constants["origin"])
    write(out, chain, other)
    return out


def follow(value: Any, chain: Chain) -> Any:
    """The view that a chain of view operations shows of a value."""
    for call, rest, constants in chain:
        value = call(value, *rest, **constants)
    return value


def write(array: Any, chain: Chain, value: Any) -> None:
    """Assign to the region of a raw array that a chain of views shows."""
    *views, (call, rest, constants) = chain
    region = follow(array, tuple(views))
    if "index" in constants:
        region[constants["index"]] = value
    else:
        call(region, *rest, **constants)[...] = value


def in_place(function: Callable[..., Any], keeps: bool | None = None) -> Callable[..., Any]:
    """The in-place method made from a functional operation: `exp_ = in_place(exp)`.

    `keeps` says whether the operation's graph may keep the tensor's old values; a primitive's
    rules tell, anything else is taken to keep them unless told otherwise.
    """
    name = getattr(function, "__name__", "operation").strip("_") + "_"
    primitive_ = getattr(function, "primitive", None)
    if keeps is None:
        keeps = primitive_ is None or any(
            primitive_.inputs[0] in needs for needs in primitive_.needs.values()
        )

    @functools.wraps(function)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_recording():
            old = wrap(self, self._array)
        else:
            check_writable(self, name)
            # The graph must keep the old values: the buffer is about to be overwritten.
            kept = keeps and (self._node is not None or any(map(_recorded, args)))
            array = copied(self._array) if kept else self._array
            old = wrap(self, array, self._node)
        result = function(old, *args, **kwargs)
        return update(self, result, name)

    method.__name__ = name
    method.__qualname__ = name
    method.__doc__ = f"In-place version of `{name[:-1]}`: writes into this tensor and returns it."
    return method


def copied(array: Any) -> Any:
    """A copy of a raw array."""
    return array.copy()


def _recorded(value: Any) -> bool:
    return isinstance(value, Traced) and value._node is not None


def check_writable(tensor: Any, name: str) -> None:
    """Raise GraphError if a recorded in-place operation may not change this tensor."""
    if type(tensor._node) is Leaf:
        raise GraphError(
            f"{name}(): a leaf tensor that requires a gradient cannot be changed in place, since "
            f"its gradient would be lost; do it under no_grad(), or on a copy such as x.clone()"
        )
    base = tensor._base
    if base is not None and type(base._node) is Leaf:
        raise GraphError(
            f"{name}(): this tensor is a view of a leaf that requires a gradient and cannot be "
            f"changed in place; do it under no_grad(), or on a view of x.clone()"
        )


def update(tensor: Any, result: Any, name: str) -> Any:
    """Give a tensor the value, and while recording the node, of a functional result."""
    if LEVELS:
        _admit(tensor, result)
    array = tensor._array
    new = result._array
    if new.shape != array.shape:
        raise ArgumentError(
            f"{name}(): the result has shape {list(new.shape)} and cannot be stored in a tensor of "
            f"shape {list(array.shape)}; use the out-of-place operation instead"
        )
    _check_single(array, name)
    if new.dtype is not array.dtype:
        if not dtypes.can_cast(new.dtype, array.dtype):
            raise DtypeError(
                f"{name}(): the result has dtype {new.dtype} and cannot be stored in a tensor of "
                f"dtype {array.dtype}; use the out-of-place operation instead"
            )
        result = convert(result, array.dtype)
        new = result._array
    if not is_recording() or not involved(tensor, result):
        array[...] = new
        mutation.touch(array, name)
        return tensor
    _check_view(tensor, name)
    array[...] = new
    mutation.touch(array, name)
    rebase(tensor, result._node)
    return tensor


def _admit(tensor: Any, *written: Any) -> None:
    """Let a transform that made what is written, or the tensor, take the change in place."""
    level = highest((tensor, *written))
    if level is not None:
        level.admit(tensor, written)


def involved(tensor: Any, value: Any) -> bool:
    """Whether a write of `value` into `tensor` changes the graph."""
    base = tensor._base
    return (
        tensor._node is not None
        or (isinstance(value, Traced) and value._node is not None)
        or (base is not None and base._node is not None)
    )


def _check_single(array: Any, name: str) -> None:
    """Raise GraphError if several elements lie at one memory location."""
    if (
        0 in array.strides
        and array.size
        and any(
            step == 0 and size > 1 for step, size in zip(array.strides, array.shape, strict=True)
        )
    ):
        raise GraphError(
            f"{name}(): several elements of this tensor of shape {list(array.shape)} lie at one "
            f"memory location, as expand() leaves them; clone() it before changing it in place"
        )
    if not getattr(array.flags, "writeable", True):
        raise GraphError(
            f"{name}(): the memory of this tensor of shape {list(array.shape)} is not to be "
            f"written, since elements overlap, as as_strided() may leave them, or since its array "
            f"is read-only; clone() it before changing it in place"
        )


def _check_view(tensor: Any, name: str) -> None:
    if tensor._base is not None and tensor._view is None:
        raise GraphError(
            f"{name}(): this view of a tensor that requires a gradient was made under no_grad() "
            f"or returned by a custom function, so a recorded change would not reach its base; "
            f"make the view while recording, or clone() it"
        )
    for _, _, constants in tensor._view or ():
        if constants.get("beyond") is not None:
            raise GraphError(
                f"{name}(): this view, made by as_strided(), shows memory outside of the tensor "
                f"that it is a view of, which no graph follows; clone() it"
            )


def rebase(tensor: Any, node: Node | None) -> None:
    """Make `node` the maker of the tensor's new value, and let base and other views follow."""
    base = tensor._base
    if base is None:
        tensor._node = node
        base = tensor
    else:
        base._node = _place_node(base._node, node, tensor._view)
    reattach(base)


def _place_node(base: Node | None, value: Node | None, chain: Chain) -> Node | None:
    """The node of a base whose region, seen through a chain, was given the value of a node."""
    op = place.primitive  # type: ignore[attr-defined]
    edges = []
    if base is not None:
        edges.append((base, op.rules["input"], (chain,), None))
    if value is not None:
        edges.append((value, op.rules["other"], (chain,), None))
    return Node(op, tuple(edges), tick()) if edges else None


def reattach(base: Any) -> None:
    """Attach every live view of a base to the base's present node."""
    _retain(base)
    if base._views is None:
        return
    source = wrap(base, base._array, base._node)
    for view in base._views:
        view._node = follow(source, view._view)._node
        _retain(view)


def _retain(tensor: Any) -> None:
    """Let a tensor whose gradient is retained keep that of its present value."""
    if tensor.retains_grad and tensor._node is not None:
        tensor.retain_grad()


def assign(tensor: Any, index: tuple[Any, ...], value: Any, getitem: Callable[..., Any]) -> None:
    """`tensor[index] = value`, the index normalised; `getitem` reads what is written."""
    name = "setitem"
    if LEVELS:
        _admit(tensor, value, index)
    array = tensor._array
    _check_single(array, name)
    raw = value._array if isinstance(value, Traced) else value
    recorded = is_recording() and involved(tensor, value)
    if recorded:
        check_writable(tensor, name)
        _check_view(tensor, name)
    if hasattr(raw, "dtype"):
        if raw.dtype.kind == "c" and array.dtype.kind != "c":
            raise DtypeError(
                f"{name}(): a complex value cannot be stored in a tensor of dtype {array.dtype}; "
                f"take its .real, or make the tensor complex"
            )
        value = convert(value, array.dtype) if isinstance(value, Traced) else value
        raw = value._array if isinstance(value, Traced) else raw
    if not recorded:
        _store(array, index, raw)
        mutation.touch(array, name)
        return
    step = (getitem, (), {"index": index})
    chain = (*(tensor._view or ()), step)
    target = tensor if tensor._base is None else tensor._base
    node = value._node if isinstance(value, Traced) else None
    if node is not None:
        shape = getitem(array, index=index).shape
        if raw.shape != shape:
            value = _fit(value, shape, getitem)
            raw, node = value._array, value._node
    _store(array, index, raw)
    mutation.touch(array, name)
    target._node = _place_node(target._node, node, chain)
    reattach(target)
    if target is not tensor and tensor._node is None:
        tensor._node = follow(wrap(target, target._array, target._node), tensor._view)._node


def _fit(value: Any, shape: tuple[int, ...], getitem: Callable[..., Any]) -> Any:
    """A value broadcast to the shape of the region; extra leading dimensions of size 1 dropped."""
    from_shape = value._array.shape
    extra = len(from_shape) - len(shape)
    if extra > 0 and all(size == 1 for size in from_shape[:extra]):
        value = getitem(value, index=(0,) * extra + (Ellipsis,))
    try:
        return broadcast_to(value, size=shape)
    except ValueError:
        raise _misfit(from_shape, shape) from None


def _store(array: Any, index: tuple[Any, ...], raw: Any) -> None:
    try:
        array[index] = raw
    except ValueError as error:
        if hasattr(raw, "shape"):
            raise _misfit(raw.shape, array[index].shape) from error
        raise ArgumentError(f"setitem(): {error}") from error


def _misfit(value: tuple[int, ...], region: tuple[int, ...]) -> ArgumentError:
    return ArgumentError(
        f"setitem(): a value of shape {list(value)} cannot be broadcast to the indexed region of "
        f"shape {list(region)}"
    )
