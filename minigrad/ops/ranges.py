"""Numbers in regular steps, the positions of triangles, and positions as coordinates."""

from __future__ import annotations

import math
from typing import Any

from minigrad import dtypes
from minigrad.backend import as_array
from minigrad.dtypes import as_dtype, get_default_dtype
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, wrap
from minigrad.ops.creation import backend_at, made
from minigrad.ops.dims import sizes

__all__ = [
    "arange", "linspace", "logspace", "tril_indices", "triu_indices", "unravel_index",
]  # fmt: skip


def _number(operation: str, name: str, value: Any) -> Any:
    """A bound as a Python number."""
    if isinstance(value, Traced) or hasattr(value, "item"):
        raw = value._array if isinstance(value, Traced) else value
        if raw.ndim:
            raise ArgumentError(
                f"{operation}(): argument '{name}' must be a number or a 0-d tensor, it has shape "
                f"{list(raw.shape)}"
            )
        return raw.item()
    if not isinstance(value, (bool, int, float, complex)):
        raise TypeError(
            f"{operation}(): argument '{name}' must be a number, not {type(value).__name__}"
        )
    return value


def arange(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """The numbers from `start`, in steps, up to but without `end`; `arange(end)` starts at 0.

    int64 if all are integers, else the default dtype. Raises ArgumentError for a step of zero or
    one that leads away from `end`.

    >>> import minigrad
    >>> minigrad.arange(1, 2, 0.25)
    tensor([1.0000, 1.2500, 1.5000, 1.7500])
    """
    if end is None:
        start, end = 0, start
    start, end, step = (
        _number("arange", name, value)
        for name, value in (("start", start), ("end", end), ("step", step))
    )
    if dtype is None:
        integers = all(isinstance(value, int) for value in (start, end, step))
        kind = dtypes.int64 if integers else get_default_dtype()
    else:
        kind = as_dtype(dtype, "arange")
    if kind.kind in "bc" or any(isinstance(value, complex) for value in (start, end, step)):
        raise DtypeError(f"arange(): numbers in steps must be integers or floats, not {kind}")
    if step == 0:
        raise ArgumentError("arange(): argument 'step' is zero; the numbers would never end")
    if not all(math.isfinite(value) for value in (start, end, step)):
        raise ArgumentError(
            f"arange(): the bounds must be finite, got start {start}, end {end} and step {step}"
        )
    if (end - start) * step < 0:
        raise ArgumentError(
            f"arange(): argument 'step' is {step}, which leads from 'start' {start} away from "
            f"'end' {end}"
        )
    if kind is dtypes.int64:
        start, end, step = int(start), int(end), int(step)
        if step == 0:
            raise ArgumentError("arange(): argument 'step' is zero as an integer")
        count = -(-(end - start) // step)
    else:
        count = math.ceil((end - start) / step)
    xp = backend_at(device).xp
    if kind.kind in "iu":
        values = xp.arange(count, dtype="int64") * int(step) + int(start)
    else:
        values = xp.arange(count, dtype="float64") * step + start
    return made(values.astype(kind), device, requires_grad)


def _steps(operation: str, steps: Any) -> int:
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 0:
        raise ArgumentError(
            f"{operation}(): argument 'steps' is {steps!r}; it must be an integer of at least 0"
        )
    return steps


def _spaced(operation: str, start: Any, end: Any, steps: int, dtype: Any, xp: Any) -> Any:
    """Evenly spaced numbers in double precision, exact at both ends, and their dtype."""
    start, end = _number(operation, "start", start), _number(operation, "end", end)
    is_complex = isinstance(start, complex) or isinstance(end, complex)
    if dtype is None:
        kind = dtypes.default_complex() if is_complex else get_default_dtype()
    else:
        kind = as_dtype(dtype, operation)
    if is_complex and kind.kind != "c":
        raise DtypeError(f"{operation}(): complex bounds need a complex dtype, not {kind}")
    if kind.kind in "iu":
        start, end = int(start), int(end)
    places = xp.arange(_steps(operation, steps), dtype="float64")
    if steps < 2:
        return places + start, kind
    width = (end - start) / (steps - 1)
    values = start + width * places
    back = end - width * (steps - 1 - places)
    return xp.where(places < steps // 2, values, back), kind


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """So many numbers from `start` to `end`, both included, evenly spaced."""
    values, kind = _spaced("linspace", start, end, steps, dtype, backend_at(device).xp)
    return made(values.astype(kind), device, requires_grad)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Powers of `base` with so many exponents from `start` to `end`, evenly spaced."""
    xp = backend_at(device).xp
    exponents, kind = _spaced("logspace", start, end, steps, dtype, xp)
    return made((base**exponents).astype(kind), device, requires_grad)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = "int64", device: Any = None
) -> Any:
    """The positions of a matrix's lower triangle: two rows, the row and the column of each."""
    return _triangle("tril_indices", row, col, offset, dtype, device)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = "int64", device: Any = None
) -> Any:
    """The positions of a matrix's upper triangle: two rows, the row and the column of each."""
    return _triangle("triu_indices", row, col, offset, dtype, device)


def _triangle(operation: str, row: int, col: int, offset: int, dtype: Any, device: Any) -> Any:
    if row < 0 or col < 0:
        raise ArgumentError(f"{operation}(): arguments 'row' and 'col' are {row} and {col}")
    xp = backend_at(device).xp
    found = getattr(xp, operation)(row, offset, col)
    return made(xp.stack(found).astype(as_dtype(dtype, operation)), device)


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """The coordinates, in a tensor of a shape, of positions in it when it is flattened.

    Raises TypeError unless the positions are an integer tensor, ArgumentError for one outside.

    >>> import minigrad
    >>> minigrad.unravel_index(minigrad.tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))
    """
    raw = indices._array if isinstance(indices, Traced) else indices
    if not hasattr(raw, "dtype") or raw.dtype.kind not in "iu":
        found = getattr(raw, "dtype", type(indices).__name__)
        raise DtypeError(
            f"unravel_index(): argument 'indices' must be an integer tensor, not {found}"
        )
    raw = raw.astype("int64")
    lengths = sizes("unravel_index", (shape,), "shape")
    if any(length < 0 for length in lengths):
        raise ArgumentError(
            f"unravel_index(): argument 'shape' is {list(lengths)}; a size cannot be below zero"
        )
    room = math.prod(lengths)
    if raw.size and (int(raw.min()) < -room or int(raw.max()) >= room):
        raise ArgumentError(
            f"unravel_index(): argument 'indices' holds a position outside of shape "
            f"{list(lengths)}, which has {room} elements"
        )
    results = []
    behind = room
    for length in lengths:
        behind = behind // length if length else 1
        place = as_array(raw // behind % length if length else raw * 0)
        results.append(wrap(indices, place) if isinstance(indices, Traced) else place)
    return tuple(results)
