"""Layers that change images at random while training: flips, shifts, turns, zooms, contrast."""

from __future__ import annotations

import math
from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras.layers.base import Layer
from minigrad.keras.layers.layout import (
    channels_back,
    channels_first,
    check_image,
    choice,
    format_of,
)
from minigrad.nn import functional as F
from minigrad.random import Generator

__all__ = ["RandomContrast", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom"]

_FILLS = {"reflect": "reflection", "nearest": "border", "constant": "zeros"}


def _range(owner: Any, name: str, factor: Any) -> tuple[float, float]:
    """The numbers to draw between: (-f, f) for a number f, or the pair that is given."""
    if isinstance(factor, (int, float)):
        low, high = -factor, factor
    else:
        low, high = (float(value) for value in factor)
    if low > high or low < -1 or (isinstance(factor, (int, float)) and factor < 0):
        raise ArgumentError(
            f"{type(owner).__name__}(): {name} must be a number of at least 0 or a pair "
            f"(lower, upper) of at least -1, got {factor!r}"
        )
    return float(low), float(high)


class _Augmentation(Layer):
    """A change of each image of (batch, height, width, channels), drawn anew in training."""

    def __init__(self, data_format: str | None, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = format_of(self, data_format)
        self.seed = seed
        self._generator = None if seed is None else Generator().manual_seed(seed)

    def _check_input(self, shape: Any) -> None:
        check_image(self, shape, 2, self.data_format)

    def _uniform(self, images: Any, low: float, high: float) -> Any:
        """One number for each image."""
        drawn = minigrad.empty(images.shape[0], dtype=images.dtype, device=images.device)
        return drawn.uniform_(low, high, generator=self._generator)

    def call(self, inputs: Any) -> Any:
        """The images, in training changed."""
        if not self.training:
            return inputs
        images = channels_first(inputs, self.data_format)
        return channels_back(self._changed(images), self.data_format)

    def _changed(self, images: Any) -> Any:
        raise ArgumentError(f"{type(self).__name__} has no _changed(); write it in the subclass")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return input_shape


class RandomFlip(_Augmentation):
    """Each image mirrored with probability one half.

    `mode` is "horizontal", "vertical" or "horizontal_and_vertical".
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, seed, **kwargs)
        known = ("horizontal", "vertical", "horizontal_and_vertical")
        self.mode = choice(self, "mode", mode, known)

    def _changed(self, images: Any) -> Any:
        for word, axis in (("horizontal", 3), ("vertical", 2)):
            if word in self.mode:
                turned = (self._uniform(images, 0.0, 1.0) < 0.5)[:, None, None, None]
                images = minigrad.where(turned, images.flip(axis), images)
        return images


class _Moved(_Augmentation):
    """Images read at other places: an affine map for each."""

    def __init__(
        self,
        fill_mode: str,
        interpolation: str,
        seed: int | None,
        fill_value: float,
        data_format: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, seed, **kwargs)
        self.fill_mode = choice(self, "fill_mode", fill_mode, tuple(_FILLS))
        self.interpolation = choice(self, "interpolation", interpolation, ("bilinear", "nearest"))
        self.fill_value = float(fill_value)

    def _map(self, images: Any) -> list[list[Any]]:
        """Two rows of three numbers, each one for every image: where the outputs come from."""
        raise ArgumentError(f"{type(self).__name__} has no _map(); write it in the subclass")

    def _changed(self, images: Any) -> Any:
        rows = [minigrad.stack(row, 1) for row in self._map(images)]
        grid = F.affine_grid(minigrad.stack(rows, 1), tuple(images.shape), align_corners=False)
        shift = self.fill_value if self.fill_mode == "constant" else 0.0
        moved = F.grid_sample(
            images - shift if shift else images,
            grid,
            self.interpolation,
            _FILLS[self.fill_mode],
            align_corners=False,
        )
        return moved + shift if shift else moved


class RandomTranslation(_Moved):
    """Each image shifted by fractions of its height and width.

    A factor f means a fraction drawn from [-f, f], a pair one drawn between the two; a positive
    fraction shifts down or to the right. What comes in is by `fill_mode` the mirror image
    ("reflect"), the border ("nearest") or `fill_value` ("constant").
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor = _range(self, "height_factor", height_factor)
        self.width_factor = _range(self, "width_factor", width_factor)

    def _map(self, images: Any) -> list[list[Any]]:
        down = self._uniform(images, *self.height_factor)
        right = self._uniform(images, *self.width_factor)
        one, zero = minigrad.ones_like(down), minigrad.zeros_like(down)
        return [[one, zero, -2 * right], [zero, one, -2 * down]]


class RandomRotation(_Moved):
    """Each image turned by a fraction of a full turn, drawn from [-factor, factor] or a pair.

    A positive fraction turns counter-clockwise. Fills as RandomTranslation does.
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = _range(self, "factor", factor)

    def _map(self, images: Any) -> list[list[Any]]:
        angle = 2 * math.pi * self._uniform(images, *self.factor)
        high, wide = images.shape[2:]
        cosine, sine = angle.cos(), angle.sin()
        zero = minigrad.zeros_like(angle)
        # Rows count downwards and the axes have lengths of their own.
        return [[cosine, -sine * (high / wide), zero], [sine * (wide / high), cosine, zero]]


class RandomZoom(_Moved):
    """Each image zoomed: a fraction f shows 1 + f of its height and width, so f < 0 comes nearer.

    A factor f means a fraction drawn from [-f, f], a pair one drawn between the two; without
    `width_factor` the proportions stay. Fills as RandomTranslation does.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor = _range(self, "height_factor", height_factor)
        self.width_factor = None
        if width_factor is not None:
            self.width_factor = _range(self, "width_factor", width_factor)

    def _map(self, images: Any) -> list[list[Any]]:
        high = wide = 1 + self._uniform(images, *self.height_factor)
        if self.width_factor is not None:
            wide = 1 + self._uniform(images, *self.width_factor)
        zero = minigrad.zeros_like(high)
        return [[wide, zero, zero], [zero, high, zero]]


class RandomContrast(_Augmentation):
    """Each image's distance from its channels' means times a number from [1 - f, 1 + f].

    `factor` is f, or a pair (lower, upper) for [1 - lower, 1 + upper]. The result is limited to
    `value_range`.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, seed, **kwargs)
        lower, upper = (factor, factor) if isinstance(factor, (int, float)) else tuple(factor)
        if not 0 <= lower <= 1 or upper < 0:
            raise ArgumentError(
                f"RandomContrast(): factor must be between 0 and 1, or such a pair, got {factor!r}"
            )
        self.factor = factor if isinstance(factor, (int, float)) else list(factor)
        self._bounds = (1 - float(lower), 1 + float(upper))
        self.value_range = list(value_range)

    def _changed(self, images: Any) -> Any:
        share = self._uniform(images, *self._bounds)[:, None, None, None]
        means = images.mean((2, 3), keepdim=True)
        return minigrad.clamp((images - means) * share + means, *self.value_range)
