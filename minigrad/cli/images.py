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

    Colours become grey and transparency white. A light background (the median of the border)
    turns the image over. An image of another size than the network's is cut to what stands out
    from the background, put in the middle of a square with the margin of the data set, and
    scaled. Raises CommandError for a file that is no image or shows nothing.
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
    background = pillow.new("RGBA", image.size, "white")
    grey = numpy.asarray(pillow.alpha_composite(background, image).convert("L"), numpy.uint8)
    border = numpy.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if numpy.median(border) > 127:
        grey = 255 - grey
    if grey.shape == (recipe.height, recipe.width):
        return grey
    square = _centered(grey, DATASETS[recipe.dataset].margin, path)
    size = (recipe.width, recipe.height)
    scaled = pillow.fromarray(square).resize(size, pillow.Resampling.BOX)
    return numpy.asarray(scaled, numpy.uint8)


def _centered(grey: numpy.ndarray[Any, Any], margin: float, path: str) -> numpy.ndarray[Any, Any]:
    """What stands out of the dark, in the middle of a square with a margin around it."""
    strong = grey > max(int(grey.max()) // 4, int(grey.min()) + 16)
    rows, columns = numpy.flatnonzero(strong.any(axis=1)), numpy.flatnonzero(strong.any(axis=0))
    if not len(rows):
        raise CommandError(f"{path} shows nothing: all of it has nearly one shade")
    ink = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape
    side = max(1, round(max(height, width) / (1 - 2 * margin)))
    square = numpy.zeros((side, side), numpy.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = ink
    return square
