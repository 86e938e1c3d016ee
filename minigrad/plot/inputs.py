"""Reading what a plot is given: numbers from tensors, arrays and lists, with errors that teach."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy

from minigrad.backend import Backend, to_numpy
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor

__all__ = ["array_of", "at_least_one", "label_array", "nearest", "numbers", "vector"]


def nearest(name: str, known: Sequence[str]) -> str:
    """The end of an error about an unknown name: the closest known names, or all of them."""
    close = difflib.get_close_matches(name.lower(), [entry.lower() for entry in known], 3, 0.5)
    found = [entry for entry in known if entry.lower() in close]
    if found:
        return f"did you mean {' or '.join(map(repr, found))}?"
    return f"known are {', '.join(map(repr, known))}"


def array_of(operation: str, argument: str, value: Any) -> numpy.ndarray[Any, Any]:
    """Values on the host as a NumPy array, detached from any graph.

    Raises ArgumentError for rows of different lengths and for nothing at all (None).
    """
    if value is None:
        raise ArgumentError(f"{operation}(): argument '{argument}' is None; pass an array")
    if isinstance(value, Tensor):
        value = value.detach().numpy(force=True)
    elif type(value) in Backend.by_type:
        value = to_numpy(value)
    elif isinstance(value, (list, tuple)):
        value = [_plain(entry) for entry in value]
    try:
        return numpy.asarray(value)
    except ValueError:
        lengths = sorted({len(row) for row in value if hasattr(row, "__len__")})
        raise ArgumentError(
            f"{operation}(): the rows of argument '{argument}' have different lengths, "
            f"{', '.join(map(str, lengths))}; they must be the same"
        ) from None


def _plain(entry: Any) -> Any:
    if isinstance(entry, Tensor):
        return entry.detach().numpy(force=True)
    if type(entry) in Backend.by_type:
        return to_numpy(entry)
    if isinstance(entry, (list, tuple)):
        return [_plain(inner) for inner in entry]
    return entry


def at_least_one(operation: str, **given: int | None) -> None:
    """Raise ArgumentError for a number of things to draw that is below one; None is any."""
    for argument, number in given.items():
        if number is not None and number < 1:
            raise ArgumentError(
                f"{operation}(): argument '{argument}' must be at least 1, and is {number}"
            )


def numbers(operation: str, argument: str, value: Any) -> numpy.ndarray[Any, Any]:
    """Real numbers as float64; None in a list is nan, a value that is not there.

    Raises ArgumentError for text, complex numbers and an empty array.
    """
    array = array_of(operation, argument, value)
    if array.dtype == object:
        array = numpy.where(array == None, numpy.nan, array)  # noqa: E711 - element by element
    if array.dtype.kind == "c":
        raise ArgumentError(
            f"{operation}(): argument '{argument}' is complex; plot its .real, .imag or abs()"
        )
    try:
        array = array.astype(numpy.float64)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"{operation}(): argument '{argument}' must hold numbers, and holds "
            f"{type(array.reshape(-1)[0]).__name__}"
        ) from None
    if array.size == 0:
        raise ArgumentError(f"{operation}(): argument '{argument}' is empty; there is no data")
    return array


def vector(operation: str, argument: str, value: Any) -> numpy.ndarray[Any, Any]:
    """Numbers in one dimension; a column (n, 1) counts as one."""
    array = numbers(operation, argument, value)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ArgumentError(
            f"{operation}(): argument '{argument}' must be a list of numbers, and has shape "
            f"{array.shape}"
        )
    return array


def label_array(operation: str, argument: str, value: Any) -> numpy.ndarray[Any, Any]:
    """Class labels (n,), of numbers or names; one-hot rows (n, classes) become positions."""
    array = array_of(operation, argument, value)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and array.dtype.kind in "biuf":
        rows = numpy.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all()
        if rows:
            array = array.argmax(axis=1)
    if array.ndim != 1:
        raise ArgumentError(
            f"{operation}(): argument '{argument}' must hold one label a sample, (n,), or one-hot "
            f"rows (n, classes); its shape is {array.shape}"
        )
    if array.size == 0:
        raise ArgumentError(f"{operation}(): argument '{argument}' is empty; there is no data")
    if array.dtype.kind == "f":
        if not numpy.isfinite(array).all():
            raise ArgumentError(f"{operation}(): argument '{argument}' has a label that is nan")
        whole = array == numpy.round(array)
        if not whole.all():
            raise ArgumentError(
                f"{operation}(): argument '{argument}' must hold class labels, and holds fractions "
                f"such as {array[~whole][0]:g}; round scores first, as in scores > 0.5"
            )
        array = array.astype(numpy.int64)
    return array
