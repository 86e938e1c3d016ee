"""Making tensors filled with one value."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.backend import Backend, backend_for, backend_of
from minigrad.backend import device as make_device
from minigrad.dtypes import as_dtype, get_default_dtype
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, new, primitive
from minigrad.ops import reduce
from minigrad.ops.dims import sizes
from minigrad.ops.select import zero

__all__ = [
    "empty", "empty_like", "eye", "full", "full_like", "ones", "ones_like", "zeros", "zeros_like",
]  # fmt: skip

_cpu = backend_for("cpu")


def backend_at(device: Any) -> Backend:
    """The backend that makes arrays on a device; the CPU's for None."""
    return _cpu if device is None or device == "cpu" else backend_for(device)


def made(array: Any, device: Any = None, requires_grad: bool = False) -> Any:
    """A Tensor that holds a new array, moved to the device's index where it names one."""
    if device is not None and make_device(device).index:
        array = backend_of(array).move(array, make_device(device))
    tensor = new(Traced._tensor)
    tensor._array = array
    tensor._node = None
    if requires_grad:
        tensor.requires_grad_()
    return tensor


def _size(operation: str, given: tuple[Any, ...], size: Any) -> tuple[int, ...]:
    """The sizes of a tensor to make, given one by one, as a sequence, or by keyword."""
    if size is not None:
        given = (size,)
    wanted = sizes(operation, given)
    for length in wanted:
        if length < 0:
            raise ArgumentError(
                f"{operation}(): argument 'size' is {list(wanted)}; a size cannot be below zero"
            )
    return wanted


def _dtype(operation: str, dtype: Any) -> Any:
    return get_default_dtype() if dtype is None else as_dtype(dtype, operation)


def zeros(
    *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **named: Any
) -> Any:
    """A tensor of zeros, in the default dtype unless another is given.

    >>> import minigrad
    >>> minigrad.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    wanted = _size("zeros", size, _only_size("zeros", named))
    array = backend_at(device).xp.zeros(wanted, _dtype("zeros", dtype))
    return made(array, device, requires_grad)


def ones(
    *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **named: Any
) -> Any:
    """A tensor of ones, in the default dtype unless another is given."""
    wanted = _size("ones", size, _only_size("ones", named))
    array = backend_at(device).xp.ones(wanted, _dtype("ones", dtype))
    return made(array, device, requires_grad)


def empty(
    *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **named: Any
) -> Any:
    """A tensor whose elements are whatever was in memory; write before you read."""
    wanted = _size("empty", size, _only_size("empty", named))
    array = backend_at(device).xp.empty(wanted, _dtype("empty", dtype))
    return made(array, device, requires_grad)


def _only_size(operation: str, named: dict[str, Any]) -> Any:
    """The size given by keyword; torch's arguments about memory layout change no values."""
    size = named.pop("size", None)
    for name in ("layout", "memory_format", "pin_memory"):
        named.pop(name, None)
    if named:
        raise TypeError(f"{operation}(): unexpected arguments {sorted(named)}")
    return size


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """A tensor of one value, whose kind decides the dtype unless one is given."""
    wanted = _size("full", (size,), None)
    value = fill_value.item() if hasattr(fill_value, "item") else fill_value
    kind = dtypes.scalar_dtype(value) if dtype is None else as_dtype(dtype, "full")
    array = _filled("full", backend_at(device).xp, wanted, value, kind)
    return made(array, device, requires_grad)


def _filled(operation: str, xp: Any, size: tuple[int, ...], value: Any, dtype: Any) -> Any:
    if isinstance(value, complex) and dtype.kind != "c":
        raise DtypeError(
            f"{operation}(): argument 'fill_value' is {value}, which does not fit dtype {dtype}"
        )
    if dtype.kind == "u" and -(2 ** (8 * dtype.itemsize)) < value < 0:
        value += 2 ** (8 * dtype.itemsize)  # torch counts back from zero here
    try:
        return xp.full(size, value, dtype)
    except OverflowError as error:
        raise ArgumentError(
            f"{operation}(): argument 'fill_value' is {value}, which dtype {dtype} cannot hold"
        ) from error


def _like(
    operation: str, input: Any, fill: Any, dtype: Any, device: Any, requires_grad: bool
) -> Any:
    """A tensor of an input's shape, and its dtype and device unless others are given."""
    raw = input._array if isinstance(input, Traced) else input
    if not hasattr(raw, "dtype"):
        raise TypeError(
            f"{operation}(): argument 'input' must be a Tensor, not {type(input).__name__}"
        )
    kind = raw.dtype if dtype is None else as_dtype(dtype, operation)
    backend = backend_of(raw) if device is None else backend_at(device)
    place = str(backend.device_of(raw)) if device is None else device
    if fill is None:
        return made(backend.xp.empty(raw.shape, kind), place, requires_grad)
    return made(_filled(operation, backend.xp, raw.shape, fill, kind), place, requires_grad)


def zeros_like(
    input: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """Zeros of the input's shape, dtype and device."""
    return _like("zeros_like", input, 0, dtype, device, requires_grad)


def ones_like(
    input: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """Ones of the input's shape, dtype and device."""
    return _like("ones_like", input, 1, dtype, device, requires_grad)


def empty_like(
    input: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """A tensor of the input's shape, dtype and device whose elements are to be written."""
    return _like("empty_like", input, None, dtype, device, requires_grad)


def full_like(
    input: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """One value in the input's shape, dtype and device."""
    value = fill_value.item() if hasattr(fill_value, "item") else fill_value
    return _like("full_like", input, value, dtype, device, requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """The identity: ones on the main diagonal of an n by m matrix, zeros elsewhere."""
    rows, columns = _size("eye", (n, n if m is None else m), None)
    array = backend_at(device).xp.eye(rows, columns, dtype=_dtype("eye", dtype))
    return made(array, device, requires_grad)


@primitive(input=lambda g: zero(g), value=lambda g: reduce.sum_to(g, size=()))
def fill(xp: Any, input: Any, value: Any) -> Any:
    """One value, a number or a 0-d tensor, in every element; no gradient goes to the input."""
    if getattr(value, "ndim", 0):
        raise ArgumentError(
            f"fill(): argument 'value' must be a number or a 0-d tensor, it has shape "
            f"{list(value.shape)}"
        )
    out = xp.empty(input.shape, input.dtype)
    out[...] = value
    return out
