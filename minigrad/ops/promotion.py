"""Bringing operands to one dtype by torch's rules, and the `elementwise` declarations."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.backend import asarray, backend_of, generic, namespace
from minigrad.errors import DtypeError
from minigrad.graph import Declaration, Traced, primitive

__all__ = ["result_type"]


@primitive(input=lambda g, dtype: cast(g, to=dtype))
def cast(xp: Any, input: Any, *, to: Any) -> Any:
    """Convert to another floating or complex dtype; complex to real drops the imaginary part."""
    if to.kind != "c" and input.dtype.kind == "c":
        input = input.real
    return input.astype(to)


@primitive()
def discretize(xp: Any, input: Any, *, to: Any) -> Any:
    """Convert to an integer or bool dtype, or from one: no gradient goes through."""
    if to.kind not in "bc" and input.dtype.kind == "c":
        input = input.real
    return input.astype(to)


def convert(value: Any, dtype: Any) -> Any:
    """A Tensor or array in another dtype; itself if it has that already."""
    if isinstance(value, Traced):
        if value._array.dtype is dtype:
            return value
        source = value._array.dtype.kind
        return (cast if dtype.kind in "fc" and source in "fc" else discretize)(value, to=dtype)
    if value.dtype is dtype:
        return value
    if dtype.kind not in "bc" and value.dtype.kind == "c":
        value = value.real
    return value.astype(dtype)


def agree(operation: str, arguments: dict[str, Any]) -> tuple[Any, ...]:
    """The operands with one dtype, by torch's rules: Python numbers and 0-d tensors are weak.

    Python numbers beside floating tensors stay as they are. Raises TypeError for what is neither
    a Tensor, an array nor a number.
    """
    arrays, scalars, kinds = [], [], set()
    for name, value in arguments.items():
        if isinstance(value, generic):
            value = arguments[name] = value.item()
        raw = value._array if isinstance(value, Traced) else value
        if isinstance(raw, (bool, int, float, complex)):
            scalars.append(raw)
        elif hasattr(raw, "dtype") and hasattr(raw, "ndim"):
            arrays.append((dtypes.as_dtype(raw.dtype, operation), raw.ndim))
            kinds.add(type(raw))
        else:
            raise TypeError(
                f"{operation}(): argument '{name}' must be a Tensor or a number, "
                f"not {type(value).__name__}"
            )
    if len(kinds) > 1:
        namespace(operation, **{n: getattr(v, "_array", v) for n, v in arguments.items()})
    dtype = dtypes.result_dtype(arrays, scalars)
    like = next(value for value in arguments.values() if isinstance(value, Traced))._array
    return tuple(_conform(value, dtype, like) for value in arguments.values())


def agree_floating(operation: str, arguments: dict[str, Any]) -> tuple[Any, ...]:
    """As `agree`, after integers and bools among themselves became the default dtype.

    A Python number beside an integer tensor is then never wrapped to the tensor's range.
    """
    raw = [getattr(value, "_array", value) for value in arguments.values()]
    if all(isinstance(value, int) or _integral(value) for value in raw):
        default = dtypes.get_default_dtype()
        arguments = {
            name: value if isinstance(value, int) else convert(value, default)
            for name, value in arguments.items()
        }
    return agree(operation, arguments)


def _integral(value: Any) -> bool:
    return hasattr(value, "dtype") and value.dtype.kind in "biu"


def _conform(value: Any, dtype: Any, like: Any) -> Any:
    if isinstance(value, Traced) or hasattr(value, "dtype"):
        return convert(value, dtype)
    if dtype.kind == "f" or (dtype.kind == "c" and isinstance(value, complex)):
        return float(value) if isinstance(value, bool) else value
    return number(value, dtype, like)


def number(value: Any, dtype: Any, like: Any) -> Any:
    """A Python number as a 0-d array of `dtype` beside `like`; integers wrap as in torch."""
    if dtype.kind in "iu":
        bits = 8 * dtype.itemsize
        value = int(value) & ((1 << bits) - 1)
        if dtype.kind == "i" and value >> (bits - 1):
            value -= 1 << bits
    backend = backend_of(like)
    return backend.from_numpy(asarray(value, dtype=dtype), backend.device_of(like))


def floating(operation: str, array: Any) -> Any:
    """An operand of a function on floats: integers and bools become the default dtype."""
    if not hasattr(array, "dtype"):
        raise TypeError(
            f"{operation}(): argument 'input' must be a Tensor, not {type(array).__name__}"
        )
    if array.dtype.kind in "fc":
        return array
    return array.astype(dtypes.get_default_dtype())


def require_floating(operation: str, name: str, value: Any) -> None:
    """Raise DtypeError unless the argument is floating or complex."""
    dtype = value.dtype
    if dtype.kind not in "fc":
        raise DtypeError(
            f"{operation}(): argument '{name}' must be floating, got {dtype.name}; "
            f"convert it first, for example {name}.float()"
        )


elementwise = Declaration(agree=agree, broadcasts=True)
"""Declares an operation on elements: operands are promoted and broadcast."""

quotient = Declaration(agree=agree_floating, broadcasts=True)
"""Declares an operation on elements whose operands are floats: integers become floats first."""

transcendental = Declaration(floating=floating)
"""Declares an operation on the elements of one floating tensor; integers become floats."""


def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype that arithmetic between two tensors or numbers has, by torch's rules."""
    values = [getattr(value, "_array", value) for value in (tensor1, tensor2)]
    arrays = [(value.dtype, value.ndim) for value in values if hasattr(value, "dtype")]
    scalars = [value for value in values if not hasattr(value, "dtype")]
    return dtypes.result_dtype(arrays, scalars)
