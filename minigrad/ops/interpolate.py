"""Resizing images and signals, and moving elements between channels and space."""

from __future__ import annotations

import functools
import struct
from math import floor
from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.ops.adaptive import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
)
from minigrad.ops.half import in_single
from minigrad.ops.resample import Row, Table, resample, resample_bytes
from minigrad.ops.shape import permute, reshape

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]

_MODES = {
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "trilinear": (3,),
    "area": (1, 2, 3),
}
_SMOOTH = ("linear", "bilinear", "bicubic", "trilinear")


@in_single
def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Resize (N, C, L), (N, C, H, W) or (N, C, D, H, W) to `size`, or by `scale_factor`.

    `mode` is 'nearest', 'nearest-exact', 'linear' (3-d), 'bilinear', 'bicubic' (4-d), 'trilinear'
    (5-d) or 'area'. `align_corners` maps corner to corner; `antialias` widens the filter of
    'bilinear' and 'bicubic' when it shrinks.

    Raises ArgumentError for a mode, size or factor that does not fit.
    """
    dims = input.ndim - 2
    _check_mode(input, mode, align_corners, antialias)
    sizes = tuple(input.shape[2:])
    if (size is None) == (scale_factor is None):
        raise ArgumentError(
            "interpolate(): give either argument 'size' or argument 'scale_factor', and only one"
        )
    scales: tuple[float | None, ...] = (None,) * dims
    if size is not None:
        if recompute_scale_factor:
            raise ArgumentError(
                "interpolate(): argument 'recompute_scale_factor' needs a 'scale_factor'"
            )
        targets = tuple(int(n) for n in _each("size", size, dims))
    else:
        factors = tuple(float(factor) for factor in _each("scale_factor", scale_factor, dims))
        targets = tuple(floor(n * factor) for n, factor in zip(sizes, factors))
        scales = (None,) * dims if recompute_scale_factor else factors
    if min(targets) < 1 or min(sizes) < 1 or input.shape[1] < 1:
        raise ArgumentError(
            f"interpolate(): sizes must be positive, got argument 'input' of shape "
            f"{list(input.shape)} and output sizes {targets}"
        )
    if mode == "area":
        averages = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)
        return averages[dims - 1](input, targets)
    kind = "cubic" if mode == "bicubic" else "linear" if mode in _SMOOTH else mode
    function = resample
    if mode in _SMOOTH and input.dtype.kind not in "fc":
        if input.dtype.name != "uint8":
            raise DtypeError(
                f"interpolate(): mode {mode!r} needs floats or uint8, got {input.dtype}; convert "
                f"argument 'input', for example input.float()"
            )
        function = resample_bytes
    out = input
    # The last dimension first: uint8 is rounded after each.
    for dim, n, target, scale in reversed(tuple(zip(range(2, dims + 2), sizes, targets, scales))):
        if antialias:
            table = _smooth(kind, n, target, scale, bool(align_corners))
        else:
            table = _points(kind, n, target, scale, bool(align_corners))
        out = function(out, table=table, dim=dim)
    return out


def upsample(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:
    """`interpolate` under its former name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` by the nearest neighbour."""
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` between the four neighbours, corner to corner."""
    return interpolate(input, size, scale_factor, "bilinear", True)


def _each(name: str, value: Any, dims: int) -> tuple[Any, ...]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * dims
    if len(values) != dims:
        raise ArgumentError(
            f"interpolate(): argument '{name}' must be one number or {dims}, one for each spatial "
            f"dimension, got {value}"
        )
    return values


def _check_mode(input: Any, mode: str, align_corners: bool | None, antialias: bool) -> None:
    dims = input.ndim - 2
    if mode not in _MODES:
        raise ArgumentError(
            f"interpolate(): argument 'mode' must be one of {', '.join(_MODES)}, got {mode!r}"
        )
    if dims not in _MODES[mode]:
        wanted = " or ".join(f"{count + 2}-d" for count in _MODES[mode])
        raise ArgumentError(
            f"interpolate(): mode {mode!r} takes a {wanted} argument 'input', got shape "
            f"{list(input.shape)}"
        )
    if align_corners is not None and mode not in _SMOOTH:
        raise ArgumentError(
            f"interpolate(): argument 'align_corners' has no meaning in mode {mode!r}; leave it out"
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ArgumentError(
            f"interpolate(): argument 'antialias' needs mode 'bilinear' or 'bicubic', got {mode!r}"
        )


def _single(value: float) -> float:
    """A number rounded to single precision, in which torch finds the nearest neighbour."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _step(n: int, target: int, scale: float | None, align_corners: bool) -> float:
    """How far apart, in input cells, neighbouring outputs are."""
    if align_corners:
        return (n - 1) / (target - 1) if target > 1 else 0.0
    return 1 / scale if scale else n / target


def _cubic(x: float, a: float) -> float:
    """Keys' cubic convolution kernel (R. Keys, IEEE Trans. ASSP 29, 1981)."""
    x = abs(x)
    if x <= 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a if x < 2 else 0.0


@functools.lru_cache(maxsize=128)
def _points(kind: str, n: int, target: int, scale: float | None, align_corners: bool) -> Table:
    """The inputs nearest to each output's centre, and their weights."""
    step = _step(n, target, scale, align_corners)
    rows: list[Row] = []
    for place in range(target):
        if kind.startswith("nearest"):
            shift = 0.5 if kind == "nearest-exact" else 0.0
            at = _single((place + shift) * _single(step))
            rows.append(((min(floor(at), n - 1), 1.0),))
            continue
        centre = place * step if align_corners else (place + 0.5) * step - 0.5
        if kind == "linear":
            centre = max(centre, 0.0)
            low = min(floor(centre), n - 1)
            part = centre - low
            if low == n - 1:
                rows.append(((low, 1.0),))
            else:
                rows.append(((low, 1 - part), (low + 1, part)))
        else:
            low = floor(centre)
            rows.append(tuple(
                (min(max(tap, 0), n - 1), _cubic(centre - tap, -0.75))
                for tap in range(low - 1, low + 3)
            ))  # fmt: skip
    return Table(tuple(_merged(row) for row in rows), n)


def _merged(row: Any) -> Any:
    """The row with the weights of one input added up."""
    if len({source for source, _ in row}) == len(row):
        return row
    total: dict[int, float] = {}
    for source, weight in row:
        total[source] = total.get(source, 0.0) + weight
    return tuple(total.items())


@functools.lru_cache(maxsize=128)
def _smooth(kind: str, n: int, target: int, scale: float | None, align_corners: bool) -> Table:
    """All inputs under a filter as wide as the step between outputs: no aliasing when shrinking."""
    step = _step(n, target, scale, align_corners)
    wide = max(step, 1.0)
    support = (2 if kind == "cubic" else 1) * wide
    rows = []
    for place in range(target):
        centre = step * (place + 0.5)
        low = max(int(centre - support + 0.5), 0)
        high = min(int(centre + support + 0.5), n)
        weights = []
        for tap in range(low, high):
            x = (tap - centre + 0.5) / wide
            weights.append(_cubic(x, -0.5) if kind == "cubic" else max(1 - abs(x), 0.0))
        total = sum(weights)
        rows.append(tuple((low + i, weight / total) for i, weight in enumerate(weights)))
    return Table(tuple(rows), n)


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Move channels into space: (..., C r^2, H, W) becomes (..., C, H r, W r).

    Raises ArgumentError unless the channels divide by the factor's square.
    """
    r = upscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise ArgumentError(
            f"pixel_shuffle(): argument 'input' must have shape (..., C * {r}^2, H, W) for "
            f"upscale_factor {r}, got {list(input.shape)}"
        )
    *lead, channels, height, width = input.shape
    parts = reshape(input, (*lead, channels // (r * r), r, r, height, width))
    first = len(lead)
    order = (*range(first + 1), first + 3, first + 1, first + 4, first + 2)
    return reshape(permute(parts, order), (*lead, channels // (r * r), height * r, width * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Move space into channels: (..., C, H r, W r) becomes (..., C r^2, H, W).

    Raises ArgumentError unless height and width divide by the factor.
    """
    r = downscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-2] % r or input.shape[-1] % r:
        raise ArgumentError(
            f"pixel_unshuffle(): argument 'input' must have shape (..., C, H * {r}, W * {r}) for "
            f"downscale_factor {r}, got {list(input.shape)}"
        )
    *lead, channels, height, width = input.shape
    parts = reshape(input, (*lead, channels, height // r, r, width // r, r))
    first = len(lead)
    order = (*range(first + 1), first + 2, first + 4, first + 1, first + 3)
    return reshape(permute(parts, order), (*lead, channels * r * r, height // r, width // r))


def channel_shuffle(input: Any, groups: int) -> Any:
    """Interleave the channels of (N, C, ...) by dealing out `groups` of them in turn."""
    if input.ndim < 3 or groups < 1 or input.shape[1] % groups:
        raise ArgumentError(
            f"channel_shuffle(): argument 'input' must have shape (N, C, ...) with C a multiple of "
            f"groups={groups}, got {list(input.shape)}"
        )
    batch, channels, *rest = input.shape
    parts = reshape(input, (batch, groups, channels // groups, *rest))
    order = (0, 2, 1, *range(3, 3 + len(rest)))
    return reshape(permute(parts, order), (batch, channels, *rest))
