"""Pictures of images: digits with what a network says of them, and its weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

from minigrad.errors import ArgumentError
from minigrad.nn.module import Module
from minigrad.plot.inputs import array_of, at_least_one, label_array, numbers
from minigrad.plot.mosaic import (
    Caption,
    Layout,
    fitted,
    frame,
    lay_out,
    picture,
    text_size,
    write,
)
from minigrad.plot.theme import DARK, LIGHT, Theme, one_axes, shades, theme_of

__all__ = ["digits", "weights"]

Numbers = numpy.ndarray[Any, Any]

_CELL = 0.92  # inches


def digits(
    images: Any,
    labels: Any = None,
    predictions: Any = None,
    *,
    ax: Any = None,
    classes: Sequence[str] | None = None,
    columns: int | None = None,
    count: int = 50,
) -> Any:
    """A grid of images with their labels, or with predictions, the wrong ones marked.

    `images` are grey (n, height, width), (n, 1, height, width) or (n, pixels) if square, or in
    colour (n, height, width, 3) or (n, 3, height, width); integers from 0 to 255 or fractions.
    `labels` are (n,); `predictions` are (n,) labels or (n, classes) probabilities or scores.
    A wrong one has a thick red frame, a cross and the right label. `classes` are the names of the
    classes. At most `count` images are shown, `columns` to a row, by default
    ten in a figure of its own and as many as fit best in `ax`.
    Raises ArgumentError for lengths that differ.
    """
    at_least_one("digits", columns=columns, count=count)
    pixels = _images(images)
    total = len(pixels)
    right = None if labels is None else label_array("digits", "labels", labels)
    guesses, sure = _guesses(predictions)
    for name, values in (("labels", right), ("predictions", guesses)):
        if values is not None and len(values) != total:
            raise ArgumentError(
                f"digits(): there are {total} 'images' and {len(values)} '{name}'; pass one each"
            )
    shown = range(min(count, total))
    captions = [_caption(i, right, guesses, sure, classes) for i in shown]
    height = pixels.shape[1] / pixels.shape[2]
    lines = 2 if any(caption.second for caption in captions) else int(any(captions[0][:2]))
    layout = Layout(len(shown), columns or min(10, len(shown)), height, lines)
    axes = one_axes("digits", ax, size=_figure_size(layout))
    if ax is not None:
        layout = fitted(axes, layout, columns)
    theme = theme_of(axes)
    lay_out(axes, layout)
    size = text_size(axes, layout, captions)
    options = {}
    if pixels.ndim == 3:
        options = {"cmap": shades(theme, theme.paper, theme.ink), **_range(pixels)}
    else:
        pixels = _color(pixels)
    for i, caption in zip(shown, captions):
        picture(axes, layout, i, pixels[i], **options)
        frame(
            axes, layout, i, theme.wrong if caption.wrong else theme.faint(0.25),
            2.4 if caption.wrong else 0.6,
        )  # fmt: skip
        write(axes, theme, layout, i, caption, size)
    return axes


def _figure_size(layout: Layout) -> tuple[float, float]:
    width, height = layout.size
    return _CELL * width + 0.25, _CELL * height + 0.25


def _images(images: Any) -> Numbers:
    """Images as (n, height, width) or (n, height, width, 3)."""
    pixels = array_of("digits", "images", images)
    if pixels.size == 0:
        raise ArgumentError("digits(): argument 'images' is empty; there is nothing to draw")
    if pixels.dtype.kind == "f" and not numpy.isfinite(pixels).all():
        raise ArgumentError("digits(): argument 'images' has pixels that are nan or infinite")
    if pixels.ndim == 2:
        side = math.isqrt(pixels.shape[1])
        if side * side == pixels.shape[1]:
            return pixels.reshape(len(pixels), side, side)
    if pixels.ndim == 3:
        return pixels
    if pixels.ndim == 4:
        if pixels.shape[3] in (1, 3):
            return pixels if pixels.shape[3] == 3 else pixels[..., 0]
        if pixels.shape[1] in (1, 3):
            return numpy.moveaxis(pixels, 1, 3) if pixels.shape[1] == 3 else pixels[:, 0]
    raise ArgumentError(
        "digits(): argument 'images' must be (n, height, width), with 1 or 3 channels first or "
        f"last, or (n, pixels) of square images, and has shape {pixels.shape}; for one image pass "
        "image[None]"
    )


def _range(pixels: Numbers) -> dict[str, float]:
    # The largest value and not 255: some images count to 16, such as scikit-learn's digits.
    low, high = min(0.0, float(pixels.min())), float(pixels.max())
    return {"vmin": low, "vmax": high if high > low else low + 1.0}


def _color(pixels: Numbers) -> Numbers:
    """Colours as fractions; values that were standardised are stretched to fit."""
    if pixels.dtype == numpy.uint8:
        return pixels
    pixels = pixels.astype(numpy.float64)
    low, high = float(pixels.min()), float(pixels.max())
    if low < 0:
        return (pixels - low) / ((high - low) or 1.0)
    if high <= 1:
        return pixels
    return pixels / (255 if high > 8 else high)  # an augmented fraction may pass 1 by a little


def _guesses(predictions: Any) -> tuple[Numbers | None, Numbers | None]:
    """The predicted classes, and how sure of them the network is if it gave probabilities."""
    if predictions is None:
        return None, None
    values = array_of("digits", "predictions", predictions)
    if values.ndim == 2 and values.shape[1] > 1 and values.dtype.kind == "f":
        shares = bool((values >= 0).all()) and numpy.allclose(values.sum(axis=1), 1, atol=1e-3)
        return values.argmax(axis=1), values.max(axis=1) if shares else None
    return label_array("digits", "predictions", values), None


def _caption(
    i: int,
    right: Numbers | None,
    guesses: Numbers | None,
    sure: Numbers | None,
    classes: Sequence[str] | None,
) -> Caption:
    def name(label: Any) -> str:
        if classes is None:
            return str(label)
        if not 0 <= int(label) < len(classes):
            raise ArgumentError(
                f"digits(): label {label} has no name: argument 'classes' has {len(classes)} names"
            )
        return str(classes[int(label)])

    if guesses is None:
        return Caption("" if right is None else name(right[i]))
    wrong = right is not None and bool(guesses[i] != right[i])
    first = f"× {name(guesses[i])}" if wrong else name(guesses[i])
    share = "" if sure is None else f"{100 * sure[i]:.0f} %"
    second = f"is {name(right[i])}" if wrong and right is not None else ""
    if share and max(map(len, classes or ("7",))) > 3:
        # A long name and the percentage do not fit side by side.
        return Caption(first, "", second or share, wrong)
    return Caption(first, share, second, wrong)


def weights(
    layer: Any,
    image_shape: tuple[int, int] | None = None,
    *,
    ax: Any = None,
    columns: int | None = None,
    count: int = 64,
    limit: float | None = None,
    colorbar: bool = True,
) -> Any:
    """The weights of a layer as images, blue below zero and orange above, on one scale.

    `layer` is a Module with one weight, or an array: (outputs, inputs) of a dense layer, whose
    inputs are an image of `image_shape` (by default a square), (n, height, width), or (outputs,
    inputs, height, width) of a convolution, with an image for each pair. `limit` is the weight with
    the full colour, by default the largest. At most `count` images are shown.
    Raises ArgumentError for inputs that are no image.
    """
    at_least_one("weights", columns=columns, count=count)
    values = _weight_images(layer, image_shape)
    shown = values[:count]
    if not numpy.isfinite(shown).all():
        raise ArgumentError("weights(): argument 'layer' has weights that are nan or infinite")
    bound = float(numpy.abs(shown).max() if limit is None else limit) or 1.0
    layout = Layout(len(shown), columns or min(8, len(shown)), shown.shape[1] / shown.shape[2], 0)
    size = _figure_size(layout)
    axes = one_axes("weights", ax, size=(max(size[0], 2.0) + 0.9 * colorbar, max(size[1], 1.6)))
    if ax is not None and columns is None:
        layout = fitted(axes, layout, None)
    theme = theme_of(axes)
    lay_out(axes, layout)
    drawn = None
    for i, image in enumerate(shown):
        drawn = picture(axes, layout, i, image, cmap=diverging(theme), vmin=-bound, vmax=bound)
        frame(axes, layout, i, theme.faint(0.25), 0.6)
    if colorbar:
        bar = axes.figure.colorbar(drawn, ax=axes, fraction=0.06, pad=0.02, shrink=0.9, aspect=22)
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0)
        bar.set_label("weight")
    return axes


def diverging(theme: Theme) -> Any:
    """From blue through the colour of the paper, which is zero, to orange.

    The blue end stands out more from the paper than the orange one, so that grey print, which has
    no hues, still shows the sign of what is large.
    """
    if theme.dark:
        blues, oranges = ("#d6ecff", DARK[0], "#1f5f94"), ("#7a3d14", "#b8591c", "#e07b35")
    else:
        blues, oranges = ("#08306b", LIGHT[0], "#9ecae8"), ("#fbd0a6", "#f2a057", "#e0741f")
    return shades(theme, *blues, theme.paper, *oranges)


def _weight_images(layer: Any, image_shape: tuple[int, int] | None) -> Numbers:
    if isinstance(layer, Module):
        found = {
            name: entry for name, entry in layer.named_parameters()
            if entry.ndim > 1 and name.rpartition(".")[2] == "weight"
        }  # fmt: skip
        if len(found) != 1:
            raise ArgumentError(
                f"weights(): argument 'layer' has {len(found)} weights"
                + (f" ({', '.join(found)})" if found else "")
                + "; pass the one layer to look at, such as model[0]"
            )
        layer = next(iter(found.values()))
    values = numbers("weights", "layer", layer)
    if values.ndim == 4:
        values = values.reshape(-1, *values.shape[2:])
    if values.ndim == 3:
        return values
    if values.ndim == 1:
        values = values[None]
    if values.ndim == 2:
        side = math.isqrt(values.shape[1])
        shape = (side, side) if image_shape is None else tuple(image_shape)
        if math.prod(shape) == values.shape[1]:
            return values.reshape(len(values), *shape)
        raise ArgumentError(
            f"weights(): each output has {values.shape[1]} weights, "
            + (
                "which is no square image; pass image_shape=(height, width)"
                if image_shape is None
                else f"and image_shape {shape} has {math.prod(shape)} pixels"
            )
        )
    raise ArgumentError(
        "weights(): argument 'layer' must have shape (outputs, inputs), (n, height, width) or "
        f"(outputs, inputs, height, width), not {values.shape}"
    )
