"""The array seam: which module computes on an array, and where an array lives.

Everything above this folder works on raw arrays through `xp`, the module (NumPy or CuPy) that
`namespace` finds for them. What the two do differently is hidden in one `Backend` each.
"""

from __future__ import annotations

from typing import Any

from numpy import add, asarray, generic, ndarray

from minigrad.backend.device import Backend, backend_for, device, device_of, register
from minigrad.backend.levels import Lifted, bottom
from minigrad.backend.numpy import NumpyBackend
from minigrad.errors import DeviceError, GraphError

__all__ = [
    "Backend",
    "add_up",
    "as_array",
    "asarray",
    "backend_for",
    "backend_of",
    "device",
    "device_of",
    "generic",
    "is_array",
    "namespace",
    "ndarray",
    "register",
    "to_numpy",
]

cpu = NumpyBackend()
register(cpu)

add_up: Any = add.reduce
"""What `array.sum` of NumPy calls in the end: array, dimensions, dtype, out, keepdims."""


def backend_of(array: Any) -> Backend:
    """The backend whose arrays are of this array's type.

    Raises TypeError for anything that is not a raw array.
    """
    found = Backend.by_type.get(type(array))
    if found is not None:
        return found
    if isinstance(array, generic):
        return cpu
    for kind, candidate in Backend.by_type.items():
        if isinstance(array, kind):
            return candidate
    if isinstance(array, Lifted):
        if array.level.ended:
            raise GraphError(
                f"a tensor that was made inside of {array.level.name}() is used after it ended; "
                f"return it from the transformed function"
            )
        return backend_of(bottom(array))
    raise TypeError(f"expected a Tensor or an array, got {type(array).__name__}")


def is_array(value: Any) -> bool:
    """Whether a value is a raw array, on the host or on a device."""
    return isinstance(value, ndarray) or type(value) in Backend.by_type


def namespace(operation: str, /, **arguments: Any) -> Any:
    """The module that computes on these arguments; Python numbers and None fit any.

    Raises DeviceError when two arrays live on different devices, TypeError when there is none.
    """
    first_name, first_place, module = "", None, None
    for name, value in arguments.items():
        kind = type(value)
        if kind in _PLAIN or value is None:
            continue
        if isinstance(value, (tuple, list)):
            continue
        backend = Backend.by_type.get(kind)
        if backend is None:
            if isinstance(value, generic):
                backend = cpu
            else:
                backend = _expect_array(operation, name, value)
        place = backend.device_of(bottom(value))
        if first_place is None:
            first_name, first_place, module = name, place, backend.xp
        elif place != first_place:
            raise DeviceError(
                f"{operation}(): argument '{first_name}' is on {first_place} and argument "
                f"'{name}' is on {place}; move one of them, for example "
                f"{name}.to('{first_place}')"
            )
    if module is None:
        name, value = next(iter(arguments.items()))
        raise TypeError(
            f"{operation}(): argument '{name}' must be a Tensor, not {type(value).__name__}"
        )
    return module


def _expect_array(operation: str, name: str, value: Any) -> Backend:
    try:
        return backend_of(value)
    except TypeError:
        raise TypeError(
            f"{operation}(): argument '{name}' must be a Tensor, not {type(value).__name__}"
        ) from None


def as_array(value: Any) -> Any:
    """The value as an array: NumPy's reductions give scalars where CuPy's give 0-d arrays."""
    if isinstance(value, generic):
        return asarray(value)
    if type(value) in Backend.by_type:
        return value
    if isinstance(value, ndarray):
        return value.view(ndarray)
    if isinstance(value, Lifted):
        return value
    return asarray(value)


def to_numpy(array: Any) -> ndarray[Any, Any]:
    """The array's values on the host; the array itself when it is there already."""
    if isinstance(array, Lifted):
        return array.__array__()  # type: ignore[attr-defined, no-any-return] # which refuses
    values: ndarray[Any, Any] = backend_of(array).to_numpy(array)
    return values


_PLAIN = frozenset({int, float, complex, bool, str})
