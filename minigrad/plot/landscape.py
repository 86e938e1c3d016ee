"""Paths of optimizers over a landscape of two parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy

import minigrad
from minigrad.errors import ArgumentError
from minigrad.modes import no_grad
from minigrad.plot.inputs import array_of, numbers
from minigrad.plot.theme import DASHES, MARKERS, dress, legend, mix, one_axes, shades, theme_of

__all__ = ["descent"]

Numbers = numpy.ndarray[Any, Any]


def descent(
    function: Callable[[Any, Any], Any],
    paths: Mapping[str, Any] | Any,
    *,
    ax: Any = None,
    minimum: Sequence[float] | Sequence[Sequence[float]] | None = None,
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
    levels: int = 18,
    resolution: int = 200,
    xlabel: str = "x",
    ylabel: str = "y",
) -> Any:
    """The paths of optimizers on the contours of `function(x, y)`, with start and minimum marked.

    `function` is called once with two arrays, as tensors or, if it cannot take those, as NumPy
    arrays. `paths` maps a name to its points (steps, 2); one path alone needs no name. `minimum` is
    a point or several. The heights of the contours above the lowest point grow by a factor, or by
    even steps where the lowest point lies on the frame, as at a saddle. `limits` are those of x and
    of y; by default all paths fit in, but for one that runs away, which ends there with an arrow.
    Raises ArgumentError for paths that are not points of two numbers.
    """
    named = paths if isinstance(paths, Mapping) else {"": paths}
    if not named:
        raise ArgumentError("descent(): there is nothing to draw: argument 'paths' is empty")
    read = {str(name): _path(str(name), points) for name, points in named.items()}
    best = None if minimum is None else numpy.atleast_2d(numbers("descent", "minimum", minimum))
    if best is not None and best.shape[1] != 2:
        raise ArgumentError(f"descent(): 'minimum' must be a point (x, y), not {best.tolist()}")
    box = numpy.array(limits, numpy.float64) if limits is not None else _box(read, best)
    sides = [numpy.linspace(low, high, resolution) for low, high in box]
    heights = _heights(function, *numpy.meshgrid(*sides))
    axes = one_axes("descent", ax, size=(6.6, 4.6))
    theme = theme_of(axes)
    _contours(axes, theme, sides, heights, levels)
    for position, (name, points) in enumerate(read.items()):
        color = theme.color(position)
        inside, away = _inside(points, box)
        axes.plot(
            inside[:, 0], inside[:, 1], label=name or None, color=color, linewidth=1.8,
            linestyle=DASHES[position % len(DASHES)], marker=MARKERS[position % len(MARKERS)],
            markersize=5.5, markevery=max(1, len(inside) // 12), markeredgecolor=theme.paper,
            markeredgewidth=0.5, zorder=3 + 0.01 * position,
        )  # fmt: skip
        if away:
            tail = inside[-2] if len(inside) > 1 else inside[-1]
            axes.annotate(
                "", inside[-1], xytext=tail, zorder=5, annotation_clip=False,
                arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 1.8,
                            "shrinkA": 0, "shrinkB": 0, "mutation_scale": 14},
            )  # fmt: skip
        else:
            axes.plot(
                *inside[-1], marker=MARKERS[position % len(MARKERS)], markersize=8, color=color,
                markeredgecolor=theme.ink, markeredgewidth=0.8, zorder=5, linestyle="none",
            )  # fmt: skip
    starts = numpy.unique(numpy.array([points[0] for points in read.values()]), axis=0)
    axes.plot(
        starts[:, 0], starts[:, 1], linestyle="none", marker="o", markersize=10, label="start",
        markerfacecolor="none", markeredgecolor=theme.ink, markeredgewidth=1.8, zorder=6,
    )  # fmt: skip
    if best is not None:
        axes.plot(
            best[:, 0], best[:, 1], linestyle="none", marker="*", markersize=15, label="minimum",
            markerfacecolor=theme.paper, markeredgecolor=theme.ink, markeredgewidth=1.2, zorder=4.5,
        )  # fmt: skip
    axes.set(xlim=box[0], ylim=box[1], xlabel=xlabel, ylabel=ylabel)
    dress(axes, theme, grid="none")
    legend(axes, theme, outside=ax is None)
    return axes


def _path(name: str, points: Any) -> Numbers:
    found = numbers("descent", name or "paths", points)
    if found.ndim != 2 or found.shape[1] != 2:
        raise ArgumentError(
            f"descent(): path {name!r} must be points of two numbers, (steps, 2), and has shape "
            f"{found.shape}"
        )
    if not numpy.isfinite(found[0]).all():
        raise ArgumentError(f"descent(): path {name!r} starts at {found[0]}, which is no point")
    return found


def _box(paths: dict[str, Numbers], best: Numbers | None) -> Numbers:
    """The limits of x and y around all paths, except where one runs far away."""
    anchors = [points[:1] for points in paths.values()] + ([best] if best is not None else [])
    fixed = numpy.concatenate(anchors)
    centre = (fixed.min(axis=0) + fixed.max(axis=0)) / 2
    everything = numpy.concatenate(list(paths.values()))
    everything = everything[numpy.isfinite(everything).all(axis=1)]
    away = numpy.abs(everything - centre).max(axis=1)
    reach = float(numpy.ptp(fixed, axis=0).max())
    if best is None or reach == 0:
        # How far half of the paths go in half of their steps, however fast the others run away.
        halves = sorted(
            float(numpy.nanmedian(numpy.abs(points - centre).max(axis=1)))
            for points in paths.values()
        )
        reach = max(reach, halves[(len(halves) - 1) // 2])
    near = everything[away <= 1.6 * reach]
    points = numpy.concatenate([near, fixed])
    low, high = points.min(axis=0), points.max(axis=0)
    span = numpy.maximum(high - low, 0.35 * (high - low).max() or 1.0)
    middle = (low + high) / 2
    return numpy.stack([middle - 0.62 * span, middle + 0.62 * span], axis=1)


def _heights(function: Any, x: Numbers, y: Numbers) -> Numbers:
    try:
        with no_grad():
            found = function(minigrad.tensor(x), minigrad.tensor(y))
    except TypeError:
        found = function(x, y)  # one written with numpy's functions, which refuse tensors
    heights = array_of("descent", "function", found)
    if heights.shape != x.shape:
        raise ArgumentError(
            f"descent(): 'function' was given x and y of shape {x.shape} and gave {heights.shape}; "
            "it must work elementwise"
        )
    heights = heights.astype(numpy.float64)
    return numpy.where(numpy.isfinite(heights), heights, numpy.nan)


def _contours(axes: Any, theme: Any, sides: list[Numbers], heights: Numbers, levels: int) -> None:
    if numpy.isnan(heights).all():
        return
    lowest, highest = numpy.nanmin(heights), numpy.nanmax(heights)
    if highest == lowest:
        return
    above = heights - lowest
    deep = theme.faint(0.34)
    middle = mix(theme.paper, deep, 0.25)
    if numpy.nanmin(above[1:-1, 1:-1]) > numpy.nanmin(above):
        # A slope, whose lowest point is where the picture happens to end: even steps.
        steps = numpy.linspace(0, highest - lowest, levels + 1)[1:]
        shown, edges, middle = above, [0.0, *steps], mix(theme.paper, deep, 0.5)
    else:
        first = max(float(numpy.nanpercentile(above, 1)), 1e-6 * (highest - lowest))
        steps = numpy.geomspace(first, highest - lowest, levels)
        shown = numpy.log(numpy.maximum(above, first / 2))
        edges = [numpy.nanmin(shown) - 1e-9, *numpy.log(steps)]
    axes.contourf(
        *sides, shown, levels=edges, extend="max", zorder=0,
        cmap=shades(theme, deep, middle, theme.paper),
    )  # fmt: skip
    axes.contour(*sides, above, levels=steps, colors=[theme.faint(0.28)], linewidths=0.6, zorder=1)


def _inside(points: Numbers, box: Numbers) -> tuple[Numbers, bool]:
    """The path up to where it leaves the box for good, and whether it does."""
    within = numpy.asarray(
        ((points >= box[:, 0]) & (points <= box[:, 1])).all(axis=1)
    )  # nan is outside
    if bool(within[-1]) or not bool(within.any()):
        return points[numpy.isfinite(points).all(axis=1)], False
    last = len(points) - 1 - int(within[::-1].argmax())
    kept = points[: last + 1]
    following = points[last + 1]
    if not numpy.isfinite(following).all():
        return kept, True
    step = following - kept[-1]
    with numpy.errstate(divide="ignore", invalid="ignore"):
        shares = numpy.where(step > 0, (box[:, 1] - kept[-1]) / step, (box[:, 0] - kept[-1]) / step)
    share = float(numpy.nanmin(numpy.where(step == 0, numpy.inf, shares)))
    return numpy.vstack([kept, kept[-1] + share * step]), True
