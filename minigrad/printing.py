"""How a tensor looks when printed: torch's layout, with what else matters beside the values."""

from __future__ import annotations

import math
from typing import Any

import numpy

from minigrad import dtypes
from minigrad.backend import device_of, to_numpy
from minigrad.backend.levels import Lifted
from minigrad.errors import ArgumentError

_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}
_options: dict[str, Any] = {**_PROFILES["default"], "sci_mode": None}


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print: digits after the point, size from which to shorten, line width.

    `profile` "default", "short" or "full" sets all of these; `sci_mode` says whether floats have
    an exponent, which they decide for themselves until it is given and after each profile.
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ArgumentError(
                f"set_printoptions(): argument 'profile' is {profile!r}; it must be one of "
                f"{sorted(_PROFILES)}"
            )
        _options.update(_PROFILES[profile], sci_mode=None)
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
        "sci_mode": sci_mode,
    }
    _options.update({name: value for name, value in given.items() if value is not None})


def _float_format(values: Any) -> Any:
    """A formatter for every element: torch's choice between integer, fixed and scientific form."""
    precision = _options["precision"]
    finite = numpy.abs(values[numpy.isfinite(values)]).astype(numpy.float64)
    nonzero = finite[finite != 0]
    if nonzero.size == 0:
        integral, scientific = True, False
    else:
        smallest, largest = float(nonzero.min()), float(nonzero.max())
        integral = bool(numpy.all(finite == numpy.ceil(finite)))
        if integral:
            scientific = largest >= 1e8
        else:
            scientific = largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4

    if _options["sci_mode"] is not None:
        scientific = _options["sci_mode"]

    def one(value: Any) -> str:
        number = float(value)
        if not numpy.isfinite(number):
            return str(number)
        if scientific:
            return f"{number:.{precision}e}"
        return f"{number:.0f}." if integral else f"{number:.{precision}f}"

    return one


def _formatter(values: Any) -> Any:
    kind = values.dtype.kind
    if kind == "f":
        return _float_format(values)
    if kind == "c":
        real, imaginary = _float_format(values.real), _float_format(values.imag)

        def one(value: Any) -> str:
            sign = "-" if numpy.signbit(value.imag) else "+"
            return f"{real(value.real)}{sign}{imaginary(abs(value.imag))}j"

        return one
    return str


def _shown(values: Any) -> Any:
    """The elements that will be printed, to choose their form and width by."""
    edge = _options["edgeitems"]
    for axis, size in enumerate(values.shape):
        if size > 2 * edge:
            ends = numpy.r_[0:edge, size - edge : size]
            values = numpy.take(values, ends, axis=axis)
    return values


def format_values(values: Any, indent: int) -> str:
    """The elements in nested brackets, shortened when there are many."""
    edge = _options["edgeitems"] if values.size > _options["threshold"] else None
    shown = values if edge is None else _shown(values)
    one = _formatter(shown)
    width = max((len(one(value)) for value in shown.reshape(-1)), default=0)
    if values.ndim == 0:
        return str(one(values[()]))

    def block(part: Any, depth: int) -> str:
        inner = " " * (indent + depth + 1)
        if part.ndim == 1:
            if edge is not None and part.shape[0] > 2 * edge:
                ends = [one(v).rjust(width) for v in (*part[:edge], *part[-edge:])]
                cells = [*ends[:edge], "...", *ends[edge:]]
            else:
                cells = [one(value).rjust(width) for value in part]
            per_line = max(1, (_options["linewidth"] - indent) // (width + 2))
            lines = [", ".join(cells[i : i + per_line]) for i in range(0, len(cells), per_line)]
            return "[" + f",\n{inner}".join(lines) + "]"
        parts = list(part)
        if edge is not None and len(parts) > 2 * edge:
            texts = [block(p, depth + 1) for p in (*parts[:edge], *parts[-edge:])]
            texts.insert(edge, "...")
        else:
            texts = [block(p, depth + 1) for p in parts]
        gap = ",{}{}".format("\n" * (part.ndim - 1), inner)
        return f"[{gap.join(texts)}]"

    return block(values, 0)


def represent(tensor: Any, name: str = "tensor") -> str:
    """The text of a tensor, such as `tensor([1., 2.], grad_fn=<MulBackward>)`."""
    array = tensor._array
    if isinstance(array, Lifted):
        return repr(array)
    values = to_numpy(array)
    prefix = f"{name}("
    text = "[]" if values.size == 0 else format_values(values, len(prefix))
    notes = []
    if values.size == 0 and values.ndim != 1:
        notes.append(f"size={tuple(values.shape)}")
    natural = (dtypes.bool, dtypes.int64, dtypes.get_default_dtype(), dtypes.default_complex())
    if values.dtype not in natural or (values.size == 0 and values.dtype.kind != "f"):
        notes.append(f"dtype=minigrad.{values.dtype.name}")
    place = device_of(array)
    if place != "cpu":
        notes.insert(0, f"device='{place}'")
    if tensor.grad_fn is not None:
        notes.append(f"grad_fn={tensor.grad_fn!r}")
    elif tensor.requires_grad:
        notes.append("requires_grad=True")
    return f"{', '.join([prefix + text, *notes])})"
