"""From a data set, or from an image file, to what a network takes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy

import minigrad
from minigrad import datasets
from minigrad.cli.failure import CommandError
from minigrad.cli.recipe import DATASETS, Recipe
from minigrad.extras import require
from minigrad.tensor import Tensor

# Of 255: a drawing that stands out less is no drawing, and what is darker is not its outline.
_FAINT = 24
_OUTLINE = 51


def open_dataset(name: str, train: bool) -> datasets.ImageDataset:
    """The training or the test part of a data set, by its name on the command line."""
    opened: datasets.ImageDataset = getattr(datasets, DATASETS[name].name)(train=train)
    return opened


def classes_of(name: str) -> Sequence[str]:
    """The names of the classes of a data set, by its name on the command line."""
    classes: Sequence[str] = getattr(datasets, DATASETS[name].name).classes
    return classes


def to_input(recipe: Recipe, images: Any, highest: int, place: str) -> Tensor:
    """Images (n, height, width) of 0 to `highest` as the network's input (n, 1, height, width)."""
    values = numpy.array(images, dtype=numpy.float32)
    values /= highest
    values -= recipe.mean
    values /= recipe.deviation
    tensor: Tensor = minigrad.from_numpy(values[:, None]).to(place)
    return tensor


def read_image(path: str, recipe: Recipe) -> numpy.ndarray[Any, Any]:
    """An image file as an array (height, width) of 0 to 255, light on dark like the data sets.

    Colours become grey and transparency white. The median of the border is the background: a light
    one turns the image over, and what is left of it is taken away. An image of another size than
    the network's is cut to what stands out and fitted in, as the images of the data set are.
    Raises CommandError for a file that is no image or shows nothing.
    """
    pillow = require("PIL.Image", "predicting an image file")
    if not os.path.isfile(path):
        raise CommandError(f"there is no image file {path}")
    try:
        with pillow.open(path) as file:
            file.load()
            image = file.convert("RGBA")
    except (pillow.UnidentifiedImageError, SyntaxError, OSError, ValueError) as error:
        raise CommandError(
            f"{path} is not a whole image file of a kind that Pillow reads; try a PNG or JPEG file"
        ) from error
    paper = pillow.new("RGBA", image.size, "white")
    grey = numpy.asarray(pillow.alpha_composite(paper, image).convert("L"), numpy.float32)
    ink = _on_black(grey)
    if ink is None:
        raise CommandError(f"{path} shows nothing: all of it has nearly one shade")
    if ink.shape != (recipe.height, recipe.width):
        ink = _fitted(ink, recipe)
    return ink


def _on_black(grey: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any] | None:
    """Shades of 0 (the background) to 255, or None where nothing stands out."""
    border = numpy.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    background = numpy.median(border)
    if background > 127:
        grey, background = 255 - grey, 255 - background
    grey = numpy.maximum(grey - background, 0)
    strongest = grey.max()
    if strongest < _FAINT:
        return None
    return numpy.asarray((grey * (255 / strongest)).round(), numpy.uint8)


def _fitted(ink: numpy.ndarray[Any, Any], recipe: Recipe) -> numpy.ndarray[Any, Any]:
    """What stands out, scaled into the frame that the data set leaves, and put in its middle."""
    choice = DATASETS[recipe.dataset]
    strong = ink > _OUTLINE
    rows, columns = numpy.flatnonzero(strong.any(axis=1)), numpy.flatnonzero(strong.any(axis=0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    side = max(*cut.shape, round(max(cut.shape) / (1 - 2 * choice.margin)))
    top, left = ((side - size) // 2 for size in cut.shape)
    if choice.by_weight:
        top = _place_of(cut.sum(axis=1, dtype=numpy.int64), side)
        left = _place_of(cut.sum(axis=0, dtype=numpy.int64), side)
    square = numpy.zeros((side, side), numpy.uint8)
    square[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    pillow = require("PIL.Image", "predicting an image file")
    size = (recipe.width, recipe.height)
    return numpy.asarray(pillow.fromarray(square).resize(size, pillow.Resampling.BOX))


def _place_of(weights: numpy.ndarray[Any, Any], size: int) -> int:
    """Where to put something with these weights so that their centre is that of `size`."""
    centre = numpy.average(numpy.arange(len(weights)), weights=weights)
    return int(min(max(round((size - 1) / 2 - centre), 0), size - len(weights)))
