"""Images and volumes read at any places: grid_sample, and the grids of affine maps."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.ops.functions import floor, round
from minigrad.ops.gather import gather
from minigrad.ops.half import in_single
from minigrad.ops.join import stack
from minigrad.ops.matmul import matmul
from minigrad.ops.ranges import arange
from minigrad.ops.select import clamp, where

__all__ = ["affine_grid", "grid_sample"]

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The places (N, H, W, 2) that each cell of an output (N, C, H, W) takes its value from.

    theta (N, 2, 3) maps the output's (x, y, 1) to the input's (x, y), where -1 and 1 are the edges
    of the image, or with `align_corners` the centres of its outermost cells. For volumes theta is
    (N, 3, 4), the size (N, C, D, H, W) and the places (N, D, H, W, 3).

    Raises ArgumentError for shapes that do not fit.
    """
    dims = len(size) - 2
    batch = theta.shape[0] if theta.ndim == 3 else 0
    if dims not in (2, 3) or tuple(theta.shape) != (batch, dims, dims + 1) or size[0] != batch:
        raise ArgumentError(
            f"affine_grid(): argument 'theta' must be (N, 2, 3) and argument 'size' (N, C, H, W), "
            f"or (N, 3, 4) and (N, C, D, H, W), with the same N; got {list(theta.shape)} and "
            f"{list(size)}"
        )
    sizes = tuple(size[2:])
    axes = []
    for place in reversed(range(dims)):
        along = _centres(sizes[place], theta, align_corners)
        axes.append(along.reshape(-1, *(1,) * (dims - place - 1)).expand(*sizes))
    places = stack([*axes, axes[0] * 0 + 1], dims).reshape(prod(sizes), dims + 1)
    return matmul(places, theta.transpose(1, 2)).reshape(batch, *sizes, dims)


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
    centres of its outermost cells; in volumes (N, C, D, H, W) it is (x, y, z). `mode` is
    'bilinear' (between all neighbours), 'nearest' or, for images, 'bicubic'; outside the image
    `padding_mode` 'zeros' reads 0, 'border' the nearest cell, 'reflection' the mirror image.

    Raises ArgumentError for shapes and modes that do not fit, DtypeError where dtypes differ.
    Source: Jaderberg and others, "Spatial Transformer Networks", 2015; Keys, "Cubic convolution
    interpolation for digital image processing", 1981.
    """
    for name, value, known in (
        ("mode", mode, _MODES),
        ("padding_mode", padding_mode, _PADDINGS),
    ):
        if value not in known:
            raise ArgumentError(
                f"grid_sample(): argument '{name}' must be one of {known}, got {value!r}"
            )
    dims = input.ndim - 2
    fits = dims in (2, 3) and grid.ndim == dims + 2 and grid.shape[-1] == dims
    if not fits or grid.shape[0] != input.shape[0]:
        raise ArgumentError(
            f"grid_sample(): argument 'input' must be (N, C, H, W) and argument 'grid' "
            f"(N, h, w, 2), or (N, C, D, H, W) and (N, d, h, w, 3); got {list(input.shape)} and "
            f"{list(grid.shape)}"
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
    if mode == "bicubic" and dims == 3:
        raise ArgumentError("grid_sample(): mode 'bicubic' is for images, not for volumes")
    return _sampled(input, grid, mode, padding_mode, align_corners)


@in_single
def _sampled(
    input: Any, grid: Any, mode: str, padding_mode: str, align_corners: bool | None
) -> Any:
    sizes = tuple(input.shape[2:])
    dims = len(sizes)
    # The grid's first number is for the last dimension.
    at = [_cells(grid[..., dims - 1 - place], n, align_corners) for place, n in enumerate(sizes)]
    if mode == "bicubic":
        return _cubic(input, at, padding_mode, align_corners)
    at = [_inside(cells, n, padding_mode, align_corners) for cells, n in zip(at, sizes)]
    if mode == "nearest":
        return _read(input, [round(cells.detach()) for cells in at])
    lows = [floor(cells.detach()) for cells in at]
    shares = [cells - low for cells, low in zip(at, lows)]
    taps = [((low, 1 - share), (low + 1, share)) for low, share in zip(lows, shares)]
    return _weighted(input, taps)


def _weighted(input: Any, taps: list[Any]) -> Any:
    """The sum over all neighbours, given for each dimension as (cell, weight)."""
    total = None
    for chosen in product(*taps):
        weight = chosen[0][1]
        for _, factor in chosen[1:]:
            weight = weight * factor
        part = _read(input, [cell for cell, _ in chosen]) * weight.unsqueeze(1)
        total = part if total is None else total + part
    return total


def _cubic(input: Any, at: list[Any], padding_mode: str, align_corners: bool | None) -> Any:
    """The values between the sixteen neighbours, each brought inside the image by itself."""
    taps = []
    for cells, count in zip(at, input.shape[2:]):
        low = floor(cells.detach())
        share = cells - low
        taps.append(
            [
                (_inside(low + step, count, padding_mode, align_corners), _keys(share, step))
                for step in (-1, 0, 1, 2)
            ]
        )
    return _weighted(input, taps)


def _keys(share: Any, step: int) -> Any:
    """Keys' weight of the cell `step` cells from the one below, with his a at -3/4."""
    x = share - step if step < 1 else step - share
    if step in (0, 1):
        return ((1.25 * x) - 2.25) * x * x + 1
    return ((-0.75 * x + 3.75) * x - 6) * x + 3


def _cells(places: Any, count: int, align_corners: bool | None) -> Any:
    """Places from -1 to 1 as numbers of cells."""
    if align_corners:
        return (places + 1) * ((count - 1) / 2)
    return ((places + 1) * count - 1) / 2


def _inside(cells: Any, count: int, padding_mode: str, align_corners: bool | None) -> Any:
    """Numbers of cells brought inside the image by the padding mode."""
    if padding_mode == "zeros":
        return cells
    if padding_mode == "reflection":
        first, last = (0.0, count - 1.0) if align_corners else (-0.5, count - 0.5)
        span = last - first
        if not span:
            return cells * 0
        # A zigzag: up along the image, down along its mirror image, and so on.
        around = (cells - first).abs().remainder(2 * span)
        cells = first + where(around > span, 2 * span - around, around)
    return clamp(cells, 0, count - 1)


def _read(input: Any, at: list[Any]) -> Any:
    """The cells at whole numbers, one for each dimension, zero outside."""
    batch, channels, *sizes = input.shape
    inside: Any = True
    place: Any = 0
    for cells, count in zip(at, sizes):
        inside = inside & (cells >= 0) & (cells < count)
        place = place * count + clamp(cells, 0, count - 1).long()
    index = place.reshape(batch, 1, -1).expand(batch, channels, -1)
    values = gather(input.reshape(batch, channels, prod(sizes)), 2, index)
    values = values.reshape(batch, channels, *at[0].shape[1:])
    return values * inside.unsqueeze(1).to(input.dtype)
