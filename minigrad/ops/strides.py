"""Views with steps of the caller's choice over the memory of a tensor."""

from __future__ import annotations

import weakref
from itertools import accumulate
from math import prod
from operator import mul
from typing import Any

from minigrad import mutation
from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.graph import Traced, view
from minigrad.ops.dims import sizes
from minigrad.ops.index import getitem_grad
from minigrad.ops.select import where
from minigrad.ops.shape import reshape

__all__ = ["as_strided"]

Steps = tuple[int, ...]


def _rule(
    g: Any, shape: Steps, size: Steps, stride: Steps, start: int, layout: Steps, beyond: Any
) -> Any:
    """What was seen several times gets the sum."""
    xp = backend_of(g._array if isinstance(g, Traced) else g).xp
    index = elements(xp, shape, layout, memory(xp, size, stride, start))
    if beyond is not None:
        g, index = where(index >= 0, g, 0), xp.maximum(index, 0)
    return reshape(getitem_grad(g, index=(index,), size=(prod(shape),)), shape)


@view(
    input=lambda g, shape, size, stride, start, layout, beyond: _rule(
        g, shape, size, stride, start, layout, beyond
    )
)
def _as_strided(
    xp: Any,
    input: Any,
    *,
    size: Steps,
    stride: Steps,
    start: int,
    layout: Steps,
    origin: Steps,
    beyond: Any = None,
) -> Any:
    """The elements `start` + i * `stride` in memory, counted from the first of a tensor.

    `layout` are the tensor's own steps, `origin` those of the base that it is a view of. An array
    that lies in memory in another way, such as a cotangent, is read as if it lay so. `beyond`
    refers to the owner of the memory where more is seen than the tensor's own elements; another
    array has zeros there.
    """
    if steps_of(input) == layout and (beyond is None or mutation.owner(input) is beyond()):
        return _seen(input, size, stride, start)
    index = elements(xp, input.shape, layout, memory(xp, size, stride, start))
    if beyond is None:
        return input.reshape(-1)[index]
    return xp.where(index >= 0, input.reshape(-1)[xp.maximum(index, 0)], input.dtype.type(0))


def steps_of(array: Any) -> Steps:
    """The step along each dimension of a raw array, in elements."""
    return tuple(step // array.itemsize for step in array.strides)


def row_major(shape: Steps) -> Steps:
    """The steps of an array of this shape in row-major order."""
    return tuple(accumulate(shape[:0:-1], mul, initial=1))[::-1] if shape else ()


def memory(xp: Any, size: Steps, stride: Steps, start: int) -> Any:
    """Where in memory the elements of a strided array lie: int64 of shape `size`."""
    places = xp.full(size, start, "int64")
    for axis, (length, step) in enumerate(zip(size, stride, strict=True)):
        behind = (1,) * (len(size) - axis - 1)
        places += (xp.arange(length) * step).reshape(length, *behind)
    return places


def elements(xp: Any, shape: Steps, layout: Steps, places: Any) -> Any:
    """Which element, in row-major order, of an array with these steps lies at each place.

    -1 where there is none.
    """
    if layout == row_major(shape):
        return xp.where((places >= 0) & (places < prod(shape)), places, -1)
    own = memory(xp, shape, layout, 0).reshape(-1)
    if not own.size:
        return xp.full(places.shape, -1, "int64")
    order = xp.argsort(own, kind="stable")
    own = own[order]
    found = xp.minimum(xp.searchsorted(own, places.reshape(-1)), own.size - 1)
    return xp.where(own[found] == places.reshape(-1), order[found], -1).reshape(places.shape)


def _flat(array: Any) -> Any:
    """The whole memory that a raw array is a view of, in one dimension."""
    owner = mutation.owner(array)
    order = sorted(range(owner.ndim), key=lambda axis: -owner.strides[axis])
    straight = owner.transpose(order)
    if not straight.flags.c_contiguous:
        raise ArgumentError(
            f"as_strided(): argument 'input' of shape {list(array.shape)} is a view of memory "
            f"that has gaps, or holds an element twice; clone() it first"
        )
    return straight.reshape(-1)


def offset_of(array: Any) -> int:
    """How many elements of its memory come before the first of a raw array."""
    backend = backend_of(array)
    gap = backend.address(array) - backend.address(mutation.owner(array))
    return gap // int(array.itemsize)


def _seen(array: Any, size: Steps, stride: Steps, start: int) -> Any:
    """A view of an array's memory; one whose elements overlap cannot be written, on the CPU."""
    backend = backend_of(array)
    flat = _flat(array)
    out = backend.as_strided(flat, size, stride, start + offset_of(array))
    if overlaps(backend.xp, size, stride) and hasattr(out.flags, "writeable"):
        out.flags.writeable = False
    return out


def overlaps(xp: Any, size: Steps, stride: Steps) -> bool:
    """Whether several elements of a strided array lie at one place."""
    if 0 in size:
        return False
    extent = 0
    for step, length in sorted((s, n) for s, n in zip(stride, size, strict=True) if n > 1):
        if step <= extent:
            break
        extent += step * (length - 1)
    else:
        return False
    places = memory(xp, size, stride, 0).reshape(-1)
    return bool(xp.unique(places).size < places.size)


def checked(
    operation: str, input: Any, size: Any, stride: Any, storage_offset: Any
) -> tuple[Steps, Steps, int]:
    """The size, the steps, and the start counted from the first element of the input."""
    array = input._array if isinstance(input, Traced) else input
    wanted = sizes(operation, (size,))
    steps = sizes(operation, (stride,), "stride")
    if len(wanted) != len(steps):
        raise ArgumentError(
            f"{operation}(): argument 'size' has {len(wanted)} entries and 'stride' {len(steps)}; "
            f"give as many"
        )
    for name, given in (("size", wanted), ("stride", steps)):
        if any(n < 0 for n in given):
            raise ArgumentError(
                f"{operation}(): argument '{name}' is {list(given)}; no entry may be below zero"
            )
    before = offset_of(array)
    start = before if storage_offset is None else storage_offset
    last = start + sum((n - 1) * step for n, step in zip(wanted, steps, strict=True))
    room = _flat(array).size
    if start < 0 or (0 not in wanted and last >= room):
        raise ArgumentError(
            f"{operation}(): 'size' {list(wanted)}, 'stride' {list(steps)} and 'storage_offset' "
            f"{start} reach from element {start} to {last}, but the memory of the input holds "
            f"{room}"
        )
    return wanted, steps, start - before


def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A view of a tensor's memory with any sizes and steps, from element `storage_offset` on.

    The gradient of an element that is seen several times adds up. Where elements overlap the view
    cannot be written into. Where it reaches past the elements of the input, but not past those of
    the tensor that the input is a view of, the gradient goes there (torch drops it); past those
    too, no gradient goes, and a recorded change in place is refused. Raises ArgumentError where it
    reaches past the end of memory.

    >>> import minigrad
    >>> minigrad.as_strided(minigrad.arange(4), (3, 2), (1, 1))
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    wanted, steps, start = checked("as_strided", input, size, stride, storage_offset)
    source, beyond = input, None
    if not _covers(input, wanted, steps, start):
        base = getattr(input, "_base", None)
        before = 0 if base is None else offset_of(input._array) - offset_of(base._array)
        if base is not None and _covers(base, wanted, steps, start + before):
            source, start = base, start + before
        else:
            array = input._array if isinstance(input, Traced) else input
            beyond = weakref.ref(mutation.owner(array))
    array = source._array if isinstance(source, Traced) else source
    base = getattr(source, "_base", None)
    return _as_strided(
        source,
        size=wanted,
        stride=steps,
        start=start,
        layout=steps_of(array),
        origin=steps_of(array if base is None else base._array),
        beyond=beyond,
    )


def _covers(input: Any, size: Steps, stride: Steps, start: int) -> bool:
    """Whether what is to be seen are elements of the input."""
    array = input._array if isinstance(input, Traced) else input
    if 0 in size:
        return True
    if array.flags.c_contiguous:
        last = start + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        return bool(start >= 0 and last < array.size)
    xp = backend_of(array).xp
    places = memory(xp, size, stride, start)
    return bool((elements(xp, array.shape, steps_of(array), places) >= 0).all())


def arranged(array: Any, steps: Steps) -> Any:
    """A copy of a raw array that lies in memory with the given steps."""
    if steps == row_major(array.shape):
        return array.copy()
    backend = backend_of(array)
    reach = [(n - 1) * step for n, step in zip(array.shape, steps, strict=True)]
    start = -sum(min(n, 0) for n in reach)
    room = backend.xp.zeros(start + sum(max(n, 0) for n in reach) + 1, array.dtype)
    out = backend.as_strided(room, array.shape, steps, start)
    out[...] = array
    return out
