"""Padding: cells added around a tensor, constant or taken from its own values."""

from __future__ import annotations

import functools
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.graph import primitive
from minigrad.ops.resample import Table, resample

__all__: list[str] = []

Widths = tuple[tuple[int, int], ...]


@primitive(
    input=lambda g, widths: pad_constant(
        g, widths=tuple((-before, -behind) for before, behind in widths), value=0
    )
)
def pad_constant(xp: Any, input: Any, *, widths: Widths, value: Any) -> Any:
    """Add cells of one value before and behind each dimension; a negative width crops."""
    keep = tuple(
        slice(max(0, -before), size - max(0, -behind))
        for size, (before, behind) in zip(input.shape, widths)
    )
    cropped = input[keep]
    grown = tuple((max(0, before), max(0, behind)) for before, behind in widths)
    shape = tuple(before + size + behind for size, (before, behind) in zip(cropped.shape, grown))
    if shape == cropped.shape:
        return cropped.copy()
    out = xp.full(shape, value, input.dtype) if value else xp.zeros(shape, input.dtype)
    inner = tuple(slice(before, before + size) for size, (before, _) in zip(cropped.shape, grown))
    out[inner] = cropped
    return out


@functools.lru_cache(maxsize=128)
def _border(mode: str, size: int, before: int, behind: int) -> Table:
    """Where each padded cell takes its value from."""
    rows = []
    # What a negative width crops takes no part in going around.
    start, period = max(0, -before), size + min(before, 0) + min(behind, 0)
    for place in range(-before, size + behind):
        if mode == "replicate":
            source = min(max(place, 0), size - 1)
        elif mode == "circular":
            source = start + (place - start) % period
        else:
            source = abs(place)
            source = source if source < size else 2 * (size - 1) - source
        rows.append(((source, 1.0),))
    return Table(tuple(rows), size)


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """Add cells around the last dimensions: `pad` is (left, right, top, bottom, front, back...).

    The first pair is for the last dimension. `mode` is 'constant' (cells of `value`, 0 unless
    given), 'reflect' (mirrored, without the border), 'replicate' (the border's value) or
    'circular' (from the other side). Negative numbers crop.

    Raises ArgumentError for a pad that does not fit the shape or the mode.

    >>> import minigrad
    >>> minigrad.nn.functional.pad(minigrad.tensor([1, 2]), (1, 2), value=9)
    tensor([9, 1, 2, 9, 9])
    """
    shape = tuple(input.shape)
    given = tuple(pad)
    if len(given) % 2 or len(given) > 2 * len(shape):
        raise ArgumentError(
            f"pad(): argument 'pad' must be pairs of numbers for at most the {len(shape)} "
            f"dimensions of shape {list(shape)}, got {list(given)}"
        )
    count = len(given) // 2
    pairs = tuple((int(given[2 * i]), int(given[2 * i + 1])) for i in reversed(range(count)))
    widths = ((0, 0),) * (len(shape) - count) + pairs
    for size, (before, behind) in zip(shape, widths):
        # Each edge alone may not crop more than there is.
        if size + before + behind < 0 or size + min(before, 0) + min(behind, 0) < 0:
            raise ArgumentError(
                f"pad(): argument 'pad' {list(given)} crops more than shape {list(shape)} has"
            )
    if mode == "constant":
        return pad_constant(input, widths=widths, value=_fill(input, value))
    if mode not in ("reflect", "replicate", "circular"):
        raise ArgumentError(
            f"pad(): argument 'mode' must be 'constant', 'reflect', 'replicate' or 'circular', "
            f"got {mode!r}"
        )
    if value is not None and value != 0:
        raise ArgumentError(f"pad(): argument 'value' has no meaning in mode {mode!r}")
    if not 1 <= count <= 3 or len(shape) not in (count + 1, count + 2):
        raise ArgumentError(
            f"pad(): mode {mode!r} pads the last one, two or three dimensions of a tensor with one "
            f"or two more, such as (N, C, H, W); got argument 'pad' {list(given)} for shape "
            f"{list(shape)}"
        )
    for dim, (size, (before, behind)) in enumerate(zip(shape, widths)):
        if not before and not behind:
            continue
        most = max(before, behind)
        if size + before + behind < 1 or size < 1 or most > _most(mode, size):
            raise ArgumentError(
                f"pad(): argument 'pad' {list(given)} is too large for dimension {dim} of shape "
                f"{list(shape)} in mode {mode!r}"
            )
        input = resample(input, table=_border(mode, size, before, behind), dim=dim)
    return input


def _most(mode: str, size: int) -> float:
    """How far a dimension can be padded."""
    return {"reflect": size - 1, "circular": size}.get(mode, float("inf"))


def _fill(input: Any, value: Any) -> Any:
    """The constant to pad with, as a number that the input's dtype holds."""
    if value is None:
        return 0
    kind = input.dtype.kind
    if kind == "b":
        return bool(value)
    return int(value) if kind in "iu" else value
