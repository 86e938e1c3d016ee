"""Many small images on one Axes, in rows, each with a frame and words below it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

from minigrad.extras import require
from minigrad.plot.theme import Theme

__all__ = ["Caption", "Layout", "fitted", "frame", "lay_out", "picture", "text_size", "write"]

_GAP = 0.16  # between cells, as a share of a cell
_LINE = 0.21  # of words, as a share of a cell that is large enough
_LETTER = 0.18 / _LINE  # the size of the letters, as a share of their line
_READABLE = 6.5  # points, the smallest letters that are easy to read


class Caption(NamedTuple):
    """The words below an image: the first line, its right end, and a second line."""

    first: str = ""
    end: str = ""
    second: str = ""
    wrong: bool = False


class Layout(NamedTuple):
    """Where each image lies: cells of width 1, the first at the top left."""

    total: int
    columns: int
    height: float  # of an image, whose width is 1
    lines: int  # of words below it
    line: float = _LINE  # the height of one

    @property
    def rows(self) -> int:
        """How many rows the images fill."""
        return math.ceil(self.total / self.columns)

    @property
    def below(self) -> float:
        """The room for the words below an image."""
        return self.line * self.lines + (0.06 if self.lines else 0.0)

    def corner(self, position: int) -> tuple[float, float]:
        """The left and the top of an image; y grows downwards."""
        row, column = divmod(position, self.columns)
        return column * (1 + _GAP), row * (self.height + self.below + _GAP)

    @property
    def size(self) -> tuple[float, float]:
        """The width and the height of it all."""
        width = self.columns * (1 + _GAP) - _GAP
        height = self.rows * (self.height + self.below + _GAP) - _GAP
        return width, height


def fitted(axes: Any, layout: Layout, columns: int | None) -> Layout:
    """The layout with higher lines where these Axes are small, so that words stay readable.

    Unless `columns` are given, they are those that make the images as large as possible.
    """
    choices = range(1, layout.total + 1) if columns is None else [columns]
    made = [_readable(axes, layout._replace(columns=number)) for number in choices]
    return max(made, key=lambda one: _cell(axes, one))


def _readable(axes: Any, layout: Layout) -> Layout:
    line = _READABLE / _LETTER
    if not layout.lines or _LINE * _cell(axes, layout) >= line:
        return layout
    # Lines of a fixed height leave the images less room, which gives their size in points.
    width, tall = _points(axes)
    words = layout.rows * layout.lines * line
    images = layout._replace(line=0.0).size
    cell = min(width / images[0], (tall - words) / images[1])
    return layout._replace(line=line / cell) if cell > line else layout


def _points(axes: Any) -> tuple[float, float]:
    box, points = axes.get_window_extent(), 72 / axes.figure.dpi
    return box.width * points, box.height * points


def _cell(axes: Any, layout: Layout) -> float:
    """The width of an image in points."""
    (width, tall), size = _points(axes), layout.size
    return min(width / size[0], tall / size[1])


def lay_out(axes: Any, layout: Layout) -> None:
    """Empty Axes that hold the whole layout at its proportions."""
    width, height = layout.size
    axes.set(xlim=(-0.02, width + 0.02), ylim=(height + 0.02, -0.02), aspect="equal")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def picture(
    axes: Any, layout: Layout, position: int, image: numpy.ndarray[Any, Any], **options: Any
) -> Any:
    """One image in its cell, as matplotlib's imshow takes it."""
    left, top = layout.corner(position)
    limits = axes.get_xlim(), axes.get_ylim()
    drawn = axes.imshow(
        image, extent=(left, left + 1, top + layout.height, top), interpolation="nearest",
        aspect="equal", **options,
    )  # fmt: skip
    axes.set(xlim=limits[0], ylim=limits[1])
    return drawn


def frame(axes: Any, layout: Layout, position: int, color: str, width: float) -> None:
    """A line around the image in its cell."""
    left, top = layout.corner(position)
    box = require("matplotlib.patches", "minigrad.plot").Rectangle(
        (left, top), 1, layout.height, fill=False, edgecolor=color, linewidth=width,
        joinstyle="miter", zorder=3, clip_on=False,
    )  # fmt: skip
    axes.add_patch(box)


def write(
    axes: Any, theme: Theme, layout: Layout, position: int, caption: Caption, size: float
) -> None:
    """The words below an image, in letters of `size` points."""
    left, top = layout.corner(position)
    color = theme.wrong if caption.wrong else theme.ink
    line = top + layout.height + 0.06
    place = {"va": "top", "clip_on": False}
    if caption.first:
        weight = "bold" if caption.end or caption.second or caption.wrong else "normal"
        axes.text(left, line, caption.first, color=color, fontsize=size, fontweight=weight, **place)
    if caption.end:
        axes.text(
            left + 1, line + 0.02, caption.end, color=theme.faint(0.65), fontsize=0.82 * size,
            ha="right", **place,
        )  # fmt: skip
    if caption.second:
        axes.text(
            left, line + layout.line + 0.01, caption.second, color=theme.faint(0.75),
            fontsize=0.86 * size, **place,
        )  # fmt: skip


def text_size(axes: Any, layout: Layout, captions: Sequence[Caption]) -> float:
    """Points, so that words are as high as their line and no longer than an image is wide."""
    points = _cell(axes, layout)
    # A bold letter is about 0.7 of its size wide, a plain one 0.55 of 0.86 of it.
    longest = max(
        max(0.7 * len(caption.first) + 0.5 * len(caption.end), 0.5 * len(caption.second), 1.0)
        for caption in captions
    )
    return float(numpy.clip(min(_LETTER * layout.line * points, points / longest), 4.5, 12))
