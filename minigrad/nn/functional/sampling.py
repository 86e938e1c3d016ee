"""Images read at any places: grid_sample, and the grids of affine maps."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.ops.functions import floor, round
from minigrad.ops.gather import gather
from minigrad.ops.join import stack
from minigrad.ops.matmul import matmul
from minigrad.ops.ranges import arange
from minigrad.ops.select import clamp, where

__all__ = ["affine_grid", "grid_sample"]

_MODES = ("bilinear", "nearest")
_PADDINGS = ("zeros", "border", "reflection")


def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The places (N, H, W, 2) that each cell of an output (N, C, H, W) takes its value from.

    theta (N, 2, 3) maps the output's (x, y, 1) to the input's (x, y), where -1 and 1 are the edges
    of the image, or with `align_corners` the centres of its outermost cells.

    Raises ArgumentError for shapes that do not fit.
    """
    batch = theta.shape[0] if theta.ndim == 3 else 0
    if tuple(theta.shape) != (batch, 2, 3) or len(size) != 4 or size[0] != batch:
        raise ArgumentError(
            f"affine_grid(): argument 'theta' must be (N, 2, 3) and argument 'size' (N, C, H, W) "
            f"with the same N, got {list(theta.shape)} and {list(size)}"
        )
    high, wide = size[2:]
    x = _centres(wide, theta, align_corners).expand(high, wide)
    y = _centres(high, theta, align_corners).unsqueeze(1).expand(high, wide)
    places = stack([x, y, x * 0 + 1], 2).reshape(high * wide, 3)
    return matmul(places, theta.transpose(1, 2)).reshape(batch, high, wide, 2)


def _centres(count: int, like: Any, align_corners: bool | None) -> Any:
    """Where the centres of `count` cells are, from -1 to 1."""
    places = arange(count, dtype=like.dtype, device=like.device)
    if align_corners:
        return places * (2 / (count - 1)) - 1 if count > 1 else places * 0
    return (2 * places + 1) / count - 1


def grid_sample(
    input: Any,
    grid: Any,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:
    """The values of images (N, C, H, W) at the places of `grid` (N, h, w, 2): (N, C, h, w).

    A place is (x, y), with -1 and 1 for the edges of the image, or with `align_corners` for the
    centres of its outermost cells. `mode` is 'bilinear' or 'nearest'; outside the image
    `padding_mode` 'zeros' reads 0, 'border' the nearest cell, 'reflection' the mirror image.

    Raises ArgumentError for shapes and modes that do not fit, DtypeError where dtypes differ.
    Source: Jaderberg and others, "Spatial Transformer Networks", 2015.
    """
    for name, value, known in (
        ("mode", mode, _MODES),
        ("padding_mode", padding_mode, _PADDINGS),
    ):
        if value not in known:
            raise ArgumentError(
                f"grid_sample(): argument '{name}' must be one of {known}, got {value!r}"
            )
    if input.ndim != 4 or grid.ndim != 4 or grid.shape[3] != 2 or grid.shape[0] != input.shape[0]:
        raise ArgumentError(
            f"grid_sample(): argument 'input' must be (N, C, H, W) and argument 'grid' "
            f"(N, h, w, 2), got {list(input.shape)} and {list(grid.shape)}"
        )
    if input.dtype.kind != "f" or input.dtype != grid.dtype:
        raise DtypeError(
            f"grid_sample(): arguments 'input' and 'grid' must have one floating dtype, got "
            f"{input.dtype} and {grid.dtype}"
        )
    if min(input.shape[2:]) < 1:
        raise ArgumentError(
            f"grid_sample(): argument 'input' of shape {list(input.shape)} has no cells"
        )
    high, wide = input.shape[2:]
    x = _cells(grid[..., 0], wide, padding_mode, align_corners)
    y = _cells(grid[..., 1], high, padding_mode, align_corners)
    if mode == "nearest":
        return _read(input, round(x.detach()), round(y.detach()))
    left, top = floor(x.detach()), floor(y.detach())
    right_share, low_share = (x - left).unsqueeze(1), (y - top).unsqueeze(1)
    upper = _read(input, left, top) * (1 - right_share) + _read(input, left + 1, top) * right_share
    lower = (
        _read(input, left, top + 1) * (1 - right_share)
        + _read(input, left + 1, top + 1) * right_share
    )
    return upper * (1 - low_share) + lower * low_share


def _cells(places: Any, count: int, padding_mode: str, align_corners: bool | None) -> Any:
    """Places from -1 to 1 as numbers of cells, brought inside the image by the padding mode."""
    if align_corners:
        cells = (places + 1) * ((count - 1) / 2)
        first, last = 0.0, count - 1.0
    else:
        cells = ((places + 1) * count - 1) / 2
        first, last = -0.5, count - 0.5
    if padding_mode == "zeros":
        return cells
    if padding_mode == "reflection":
        span = last - first
        if not span:
            return cells * 0
        # A zigzag: up along the image, down along its mirror image, and so on.
        around = (cells - first).abs().remainder(2 * span)
        cells = first + where(around > span, 2 * span - around, around)
    return clamp(cells, 0, count - 1)


def _read(input: Any, x: Any, y: Any) -> Any:
    """The cells at whole numbers (N, h, w), zero outside."""
    batch, channels, high, wide = input.shape
    inside = (x >= 0) & (x < wide) & (y >= 0) & (y < high)
    place = clamp(y, 0, high - 1).long() * wide + clamp(x, 0, wide - 1).long()
    index = place.reshape(batch, 1, -1).expand(batch, channels, -1)
    values = gather(input.reshape(batch, channels, high * wide), 2, index)
    return values.reshape(batch, channels, *x.shape[1:]) * inside.unsqueeze(1).to(input.dtype)
