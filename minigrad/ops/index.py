"""Reading and writing at an index: slices, integers, masks and integer arrays.

`getitem` and `getitem_grad` are each other's derivative; `index_put` is the write that scatters,
fills and copies are made of. An index reaches them as a tuple of raw things, from `normalise`.
"""

from __future__ import annotations

from operator import index as as_integer
from typing import Any

from minigrad.backend import backend_of, ndarray
from minigrad.errors import ArgumentError, DeviceError, DtypeError, PositionError
from minigrad.graph import Declaration, Traced, primitive
from minigrad.ops import reduce
from minigrad.ops.dims import wrap_dim
from minigrad.ops.shape import clone

__all__ = ["index_put", "narrow", "narrow_copy", "select"]

Index = tuple[Any, ...]
_ALL = slice(None)
_BASIC = (int, slice, type(None), type(Ellipsis))


@Declaration(view=True)(
    input=lambda g, shape, index: getitem_grad(g, index=index, size=shape),
)
def getitem(xp: Any, input: Any, *, index: Index) -> Any:
    """The elements at a normalised index; without index arrays a view that shares memory."""
    return input[index]


@primitive(input=lambda g, index: getitem(g, index=index))
def getitem_grad(xp: Any, input: Any, *, index: Index, size: tuple[int, ...]) -> Any:
    """Zeros of `size` with the input added at an index, where positions may repeat."""
    out = xp.zeros(size, input.dtype)
    if repeats(index):
        backend_of(out).scatter_add(out, index, input)
    else:
        out[index] = input
    return out


@primitive(
    input=lambda g, index, accumulate: g if accumulate else put(g, 0, index=index),
    values=lambda g, index, shape: reduce.sum_to(getitem(g, index=index), size=shape),
)
def put(xp: Any, input: Any, values: Any, *, index: Index, accumulate: Any = None) -> Any:
    """A copy of the input with values, broadcast, written or added at a normalised index."""
    out = input.copy()
    if not accumulate:
        out[index] = values
    elif repeats(index):
        backend_of(out).scatter_add(out, index, values)
    else:
        out[index] += values
    return out


def repeats(index: Index) -> bool:
    """Whether a normalised index may name a position twice: whether it holds integer arrays."""
    return any(not isinstance(item, _BASIC) and item.dtype.kind != "b" for item in index)


def take(input: Any, index: Any) -> Any:
    """`input[index]` for an index as a user writes it: a view, or a copy at index arrays.

    Raises IndexError for an index that is out of bounds, too long or of a wrong kind.
    """
    view, rest = normalise(getattr(input, "_array", input), index)
    if view is not None:
        input = getitem(input, index=view)
    return input if rest is None else getitem(input, index=rest)


def normalise(array: Any, index: Any) -> tuple[Index | None, Index | None]:
    """An index as one or two tuples of raw things, to be applied one after the other.

    The first makes a view: integers, slices, None. The second holds index arrays and masks. They
    are one step unless the index mixes integers with arrays: torch takes the integers first.
    """
    if isinstance(index, Traced) and array.__class__ is index._array.__class__ is ndarray:
        positions = index._array
        if positions.dtype.kind in "bi" and positions.ndim and array.ndim >= positions.ndim:
            return None, (positions,)
    items = index if index.__class__ is tuple else (index,)
    dots = False
    for item in items:
        kind = item.__class__
        if kind is int or item is None:
            continue
        if kind is slice:
            if item.step is not None:
                _check_step(item)
        elif item is Ellipsis and not dots:
            dots = True
        else:
            return _mixed(array, index)
    # With an Ellipsis at its end NumPy gives a view, never a scalar.
    return (items if dots else (*items, Ellipsis)), None


def _check_step(item: slice) -> None:
    if not isinstance(item.step, Traced) and item.step > 0:
        return
    if as_integer(item.step) <= 0:
        raise ArgumentError(
            f"getitem(): the step of a slice must be greater than zero, got {item.step}; "
            f"to reverse a dimension write x.flip(dim)"
        )


def _mixed(array: Any, index: Any) -> tuple[Index | None, Index | None]:
    """The general case of `normalise`."""
    if isinstance(index, list) and any(not isinstance(item, (int, Traced)) for item in index):
        _check_flat(index)
    items = [_item(array, item) for item in (index if isinstance(index, tuple) else (index,))]
    consumed = sum(_consumes(item) for item in items)
    if consumed > array.ndim:
        raise IndexError(
            f"getitem(): too many indices: {consumed} for a tensor of {array.ndim} dimensions"
        )
    first: list[Any] = []
    second: list[Any] = []
    integers = dots = False
    for item in items:
        if item is Ellipsis:
            spread = () if dots else (_ALL,) * (array.ndim - consumed)
            dots = True
            first += spread
            second += spread
        elif isinstance(item, int) and not isinstance(item, bool):
            first.append(item)
            integers = True
        elif isinstance(item, slice) or item is None:
            first.append(item)
            second.append(_ALL)
        elif isinstance(item, bool):
            first.append(None)
            second.append(backend_of(array).xp.arange(int(item)))
            integers = True
        else:
            first += (_ALL,) * (item.ndim if item.dtype.kind == "b" else 1)
            second.append(item)
    if all(isinstance(item, slice) for item in second):
        return (*first, Ellipsis), None
    if array.__class__ is not ndarray:
        _check_bounds(array, second if integers else items)
    if integers:
        return (*first, Ellipsis), tuple(second)
    return None, tuple(items)


def _consumes(item: Any) -> int:
    """How many dimensions an item of an index stands for."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    if isinstance(item, (int, slice)) or item.dtype.kind != "b":
        return 1
    return int(item.ndim)


def _item(array: Any, item: Any) -> Any:
    """One item of an index as an int, a bool, a slice, None, Ellipsis or a raw index array."""
    if isinstance(item, Traced):
        item = item._array
    if item is None or item is Ellipsis or isinstance(item, (bool, int)):
        return item
    if isinstance(item, slice):
        _check_step(item if item.step is not None else _STEP)
        return item
    if isinstance(item, (list, tuple, range)):
        item = _array_of(array, item)
    if not hasattr(item, "dtype"):
        raise IndexError(
            f"getitem(): an index must be made of integers, slices, Ellipsis, None, and tensors, "
            f"arrays or lists of integers or bools, not {type(item).__name__}"
        )
    kind = item.dtype.kind
    if kind not in "bi" and item.dtype.name not in _UNSIGNED:
        mask = ".bool() for a mask, " if kind == "u" else ""
        advice = f"write {mask}.long() for positions"
        raise IndexError(f"getitem(): a tensor of dtype {item.dtype} is no index; {advice}")
    if item.ndim == 0:
        return bool(item) if kind == "b" else int(item)
    return _beside(array, item)


_STEP = slice(None, None, 1)
# uint8 is left out: torch reads it as a mask, NumPy as positions.
_UNSIGNED = ("uint16", "uint32", "uint64")


def _array_of(array: Any, items: Any) -> Any:
    """A list of integers or bools, nested perhaps, as an index array."""
    xp = backend_of(array).xp
    plain = [_plain(item) for item in items]
    try:
        made = xp.asarray(plain) if plain else xp.zeros(0, "int64")
    except (ValueError, TypeError) as error:
        raise IndexError(f"getitem(): the list {items!r} is no index: {error}") from error
    if not made.size:
        return made.astype("int64")
    if made.dtype.kind not in "bi":
        raise IndexError(
            f"getitem(): a list used as an index must hold integers or bools, got {items!r}"
        )
    return made


def _plain(item: Any) -> Any:
    """Tensors in a nested list as Python numbers."""
    if isinstance(item, Traced):
        return item._array.tolist()
    if isinstance(item, (list, tuple)):
        return [_plain(part) for part in item]
    return item


def _check_flat(index: list[Any]) -> None:
    """Refuse a list of lists or slices, which torch takes as a tuple and NumPy as one array."""
    if any(isinstance(item, (list, tuple, slice, type(None), type(Ellipsis))) for item in index):
        raise IndexError(
            f"getitem(): the list {index!r} is ambiguous as an index; write x[tuple(index)] to "
            f"index one dimension with each item, or x[tensor(index)] for an array of positions"
        )


def _beside(array: Any, item: Any) -> Any:
    """An index array on the device of the array that it indexes."""
    backend, other = backend_of(array), backend_of(item)
    if backend is other:
        return item
    if other.name == "cpu":
        return backend.from_numpy(item, backend.device_of(array))
    raise DeviceError(
        f"getitem(): the index is on {other.device_of(item)} and the tensor on "
        f"{backend.device_of(array)}; move the index, for example index.to('cpu')"
    )


def _check_bounds(array: Any, items: list[Any]) -> None:
    """Raise IndexError for positions outside; NumPy checks for itself, other libraries wrap."""
    given = sum(_consumes(item) for item in items)
    dim = 0
    for item in items:
        if item is Ellipsis:
            dim += array.ndim - given
            continue
        if hasattr(item, "dtype") and item.dtype.kind != "b" and item.size:
            size = array.shape[dim]
            low, high = int(item.min()), int(item.max())
            if low < -size or high >= size:
                raise IndexError(
                    f"getitem(): index {low if low < -size else high} is out of bounds for "
                    f"dimension {dim} with size {size}"
                )
        dim += _consumes(item)


def select(input: Any, dim: int, index: Any) -> Any:
    """The slice at one position of a dimension, which is dropped; a view.

    Raises IndexError where the position is outside.
    """
    dim = wrap_dim("select", dim, input.ndim)
    index = as_integer(index)
    size = input.shape[dim] if input.ndim else 0
    if not -size <= index < size:
        raise IndexError(
            f"select(): argument 'index' is {index}, out of bounds for dimension {dim} with size "
            f"{size}"
        )
    return getitem(input, index=(_ALL,) * dim + (index, Ellipsis))


def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """`length` positions of a dimension from `start` on; a view.

    Raises ArgumentError (IndexError for `start`) where they reach outside.
    """
    dim = wrap_dim("narrow", dim, input.ndim)
    if not input.ndim:
        raise ArgumentError("narrow(): argument 'input' is a 0-d tensor, which has no dimension")
    if isinstance(start, Traced) and (start._array.ndim or start._array.dtype.kind not in "iu"):
        raise ArgumentError(
            f"narrow(): argument 'start' must be an integer or a 0-d integer tensor, it is "
            f"{start._array.dtype}{list(start._array.shape)}"
        )
    start, size = as_integer(start), input.shape[dim]
    if not -size <= start <= size:
        raise IndexError(
            f"narrow(): argument 'start' is {start}, out of bounds for dimension {dim} with size "
            f"{size}"
        )
    start = start + size if start < 0 else start
    if length < 0 or start + length > size:
        raise ArgumentError(
            f"narrow(): start {start} and length {length} reach outside dimension {dim} with size "
            f"{size}"
        )
    return getitem(input, index=(_ALL,) * dim + (slice(start, start + length),))


def narrow_copy(input: Any, dim: int, start: int, length: int) -> Any:
    """A copy of `length` positions of a dimension from `start` on; raises as `narrow` does."""
    if not -input.ndim <= dim < input.ndim:
        raise PositionError(
            f"narrow_copy(): argument 'dim' is {dim}, but 'input' has {input.ndim} dimensions"
        )
    return clone(narrow(input, dim, start, length))


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy of the input with `values` written at a tuple of index tensors.

    With `accumulate` they are added, and repeated positions add up. Raises IndexError for
    positions outside, DtypeError for values of another dtype.
    """
    array = getattr(input, "_array", input)
    index = tuple(_positions(array, item) for item in indices)
    if len(index) > array.ndim:
        raise IndexError(
            f"index_put(): argument 'indices' holds {len(index)} indices for a tensor of "
            f"{array.ndim} dimensions"
        )
    if array.__class__ is not ndarray:
        _check_bounds(array, list(index))
    values = same_dtype("index_put", input, values, "values")
    return put(input, values, index=index, accumulate=accumulate)


def _positions(array: Any, item: Any) -> Any:
    if item is None:
        return _ALL
    raw = item._array if isinstance(item, Traced) else item
    if not hasattr(raw, "dtype"):
        raise TypeError(
            f"index_put(): argument 'indices' must hold tensors, not {type(item).__name__}"
        )
    return _beside(array, raw) if raw.ndim == 0 and raw.dtype.kind in "bi" else _item(array, raw)


def same_dtype(operation: str, input: Any, values: Any, name: str) -> Any:
    """The values; DtypeError if they are of another dtype than the tensor they are written into."""
    if hasattr(values, "dtype") and values.dtype != input.dtype:
        raise DtypeError(
            f"{operation}(): argument '{name}' has dtype {values.dtype} and 'input' {input.dtype}; "
            f"convert it, for example {name}.to(input.dtype)"
        )
    return values
