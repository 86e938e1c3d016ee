"""Where the batch goes among an operation's dimensions, by families of operations.

A rule takes a `Call` and gives the result with the batch as its first dimension, or None where it
has no answer, so that the operation runs once for each place. Which primitive belongs to which
family is said in tables here; an operation on elements is known by its declaration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.backend import backend_of
from minigrad.func.call import Call
from minigrad.func.families import DIMS, ELEMENTS, FOLDED, LEADING, ONE_DIM, SHIFTED, on_elements
from minigrad.func.lifted import Array
from minigrad.graph import Traced
from minigrad.ops.elementwise import _add
from minigrad.ops.embedding import take_rows
from minigrad.ops.index import getitem
from minigrad.ops.matmul import matmul
from minigrad.ops.shape import _permute, _reshape, _transpose

__all__ = ["is_random", "rule_of"]


def is_random(op: Any) -> bool:
    """Whether a primitive draws random numbers."""
    return "generator" in op.constants or "draw" in op.constants


def rule_of(op: Any) -> Callable[[Call], Any] | None:
    """The rule for a primitive's batch; None where there is none."""
    found = _RULES.get(op.forward.__name__)
    if found is not None:
        return found
    return elements if on_elements(op) else None


def elements(c: Call) -> Any:
    """Operations on elements: smaller inputs get dimensions of size 1 after the batch."""
    shapes = [c.ndim(place) for place in range(len(c.values))]
    shapes += [value.ndim for value in c.given.values() if hasattr(value, "ndim")]
    rank = max(shapes)
    if c.op.kind.broadcasts:
        values = [c.aligned(place, rank) for place in range(len(c.values))]
    else:
        # Its rules do not sum down to an input that was broadcast.
        values = c.all_full()
    result = c.call(*values, **c.aligned_constants(rank))
    # What gives one number for all elements, such as a mean of errors, is no operation on elements.
    expected = tuple(
        max((_length(c, place, axis) for place in range(len(c.values))), default=1)
        for axis in range(-rank, 0)
    )
    if c.varying or result._array.ndim == rank + 1 or not expected:
        return result
    return None


def _length(c: Call, place: int, axis: int) -> int:
    if not isinstance(c.values[place], Traced) or c.ndim(place) < -axis:
        return 1
    return c.shape(place)[axis]


def _moved(dims: Any, ndim: int) -> Any:
    """Dimensions at one place of the batch, counted with the batch in front."""
    if dims is None:
        return tuple(range(1, ndim + 1))
    if isinstance(dims, (tuple, list)):
        return type(dims)(dim % ndim + 1 for dim in dims)
    return dims % ndim + 1


def shifted(c: Call) -> Any:
    """Operations along dimensions: each is one further on."""
    size = c.constants.get("size")
    ndim = c.ndim() if size is None else len(size)
    if not ndim or (c.constants.get("dim", 0) is None and c.op.forward.__name__ in ONE_DIM):
        return None
    constants = c.full_constants()
    for name in DIMS & constants.keys():
        constants[name] = _moved(constants[name], ndim)
    if size is not None:
        constants["size"] = (c.size, *size)
    return c.call(*c.all_full(), **constants)


def leading(c: Call) -> Any:
    """Operations on the last dimensions, which take any number of dimensions before them."""
    return c.call(*c.all_full(), **c.full_constants())


def folded(c: Call) -> Any:
    """Operations on independent samples, the first dimension: the batch makes more of them."""
    if c.varying:
        return None
    samples = c.shape()[0]
    if any(isinstance(v, Traced) and c.shape(i)[:1] != (samples,) for i, v in enumerate(c.values)):
        return None
    values = [
        _reshape(v, size=(c.size * samples, *v._array.shape[2:])) if isinstance(v, Traced) else v
        for v in c.all_full()
    ]
    constants = dict(c.constants)
    size = constants.get("size")
    if size is not None and len(size) == c.ndim():
        constants["size"] = (c.size * samples, *size[1:])
    result = c.call(*values, **constants)
    return _reshape(result, size=(c.size, samples, *result._array.shape[1:]))


def _broadcast_to(c: Call) -> Any:
    size = c.constants["size"]
    return c.call(c.aligned(0, len(size)), size=(c.size, *size))


def _sum_to(c: Call) -> Any:
    size = c.constants["size"]
    padded = (1,) * (c.ndim() - len(size)) + tuple(size)
    return _reshape(c.call(c.values[0], size=(c.size, *padded)), size=(c.size, *size))


def _reshaped(c: Call) -> Any:
    size = c.constants["size"]
    size = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    if c.size == 0 and -1 in size:
        return None
    return c.call(c.values[0], size=(c.size, *size))


def _permuted(c: Call) -> Any:
    return c.call(c.values[0], dims=(0, *_moved(c.constants["dims"], c.ndim() or 1)))


def _transposed(c: Call) -> Any:
    if not c.ndim():
        return _reshape(c.values[0], size=(c.size,))
    return shifted(c)


def _reversed(c: Call) -> Any:
    return _permute(c.values[0], dims=(0, *range(c.ndim(), 0, -1)))


def _indexed(c: Call) -> Any:
    """Indexing: the batch is taken whole, unless the positions differ over it."""
    index = c.constants["index"]
    arrays = [place for place, item in enumerate(index) if hasattr(item, "dtype")]
    if not arrays:
        return c.call(c.values[0], index=(slice(None), *index))
    together = arrays == list(range(arrays[0], arrays[-1] + 1))
    if not c.varying:
        first = all(item is not None and not isinstance(item, int) for item in index)
        if together and first:
            return c.call(c.values[0], index=(slice(None), *index))
        return None
    if any(_varies(c, item) and item.dtype.kind == "b" for item in c.given["index"]):
        raise c.level.unreadable("used as a mask that picks elements")
    if not together or arrays[0] or any(index[place].dtype.kind == "b" for place in arrays):
        return None
    rank = max(item.ndim for item in c.given["index"][: len(arrays)])
    items = []
    for given, raw in zip(c.given["index"], index):
        if _varies(c, given):
            raw = raw.reshape((c.size, *(1,) * (rank - given.ndim), *given.shape))
        items.append(raw)
    places = backend_of(items[0]).xp.arange(c.size).reshape((c.size, *(1,) * rank))
    return getitem(c.full(0), index=(places, *items))


def _varies(c: Call, item: Any) -> bool:
    return isinstance(item, Array) and item.level is c.level and bool(item.part)


def _product(c: Call) -> Any:
    """Matrix products: vectors become matrices, and smaller batches get dimensions of size 1."""
    left, right = c.values
    a, b = c.ndim(0), c.ndim(1)
    if not a or not b:
        return None
    rank = max(a, b, 2)
    if a == 1 and c.flags[0]:
        left = _reshape(left, size=(c.size, *(1,) * (rank - 1), *c.shape(0)))
    elif a == 1:
        left = _reshape(left, size=(1, *c.shape(0)))
    else:
        left = c.aligned(0, rank)
    if b == 1:
        lead = (c.size, *(1,) * (rank - 2)) if c.flags[1] else ()
        right = _reshape(right, size=(*lead, *c.shape(1), 1))
    else:
        right = c.aligned(1, rank)
    result = c.call(left, right)
    shape = result._array.shape
    if a == 1:
        shape = (*shape[:-2], shape[-1])
        result = _reshape(result, size=shape)
    if b == 1:
        result = _reshape(result, size=shape[:-1])
    return result


def _linear(c: Call) -> Any:
    """A linear layer: its input takes any dimensions in front, its weight a batch of matrices."""
    input, weight, bias = c.values
    if not any(c.flags[1:]) and c.ndim(0):
        return c.call(input, weight, bias)
    if c.ndim(0) < 1 or c.ndim(1) != 2:
        return None
    given = c.aligned(0, 2)
    if not c.flags[0] and c.ndim(0) == 1:
        given = _reshape(input, size=(1, *c.shape(0)))
    turned = _transpose(weight, dim0=-1, dim1=-2)
    rank = max(c.ndim(0), 2)
    if c.flags[1] and rank > 2:
        shape = turned._array.shape
        turned = _reshape(turned, size=(c.size, *(1,) * (rank - 2), *shape[1:]))
    result = matmul(given, turned)
    if bias is not None:
        if c.flags[2]:
            bias = _reshape(bias, size=(c.size, *(1,) * (rank - 1), *c.shape(2)))
        result = _add(result, bias)
    if c.ndim(0) == 1:
        shape = result._array.shape
        result = _reshape(result, size=(*shape[:-2], shape[-1]))
    return result


def _joined(c: Call) -> Any:
    constants = dict(c.constants)
    constants["dim"] = constants["dim"] % (c.ndim() + (c.op.forward.__name__ == "_stack")) + 1
    return c.call(*c.all_full(), **constants)


def _rows(c: Call) -> Any:
    """Rows of a table: positions that differ over the batch are more positions."""
    if c.flags[0]:
        return None
    return take_rows(c.values[0], **c.constants)


def _convolved(c: Call) -> Any:
    """A convolution of a batch of inputs with one weight is one of more samples."""
    if any(c.flags[1:]):
        return None
    input = c.values[0]
    shape = input._array.shape
    merged = _reshape(input, size=(shape[0] * shape[1], *shape[2:]))
    result = c.call(merged, *c.values[1:], **c.constants)
    return _reshape(result, size=(shape[0], shape[1], *result._array.shape[1:]))


_RULES: dict[str, Callable[[Call], Any]] = {
    **dict.fromkeys(ELEMENTS, elements),
    **dict.fromkeys(SHIFTED, shifted),
    **dict.fromkeys(LEADING, leading),
    **dict.fromkeys(FOLDED, folded),
    "_cat": _joined,
    "_permute": _permuted,
    "_reshape": _reshaped,
    "_stack": _joined,
    "_transpose": _transposed,
    "broadcast_to": _broadcast_to,
    "convolution": _convolved,
    "getitem": _indexed,
    "linear": _linear,
    "matmul": _product,
    "reverse_dims": _reversed,
    "sum_to": _sum_to,
    "take_rows": _rows,
}
