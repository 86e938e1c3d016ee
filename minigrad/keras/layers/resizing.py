"""Layers that add cells around images and sequences, cut them off, or repeat them."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.errors import ArgumentError
from minigrad.keras.layers.base import Layer
from minigrad.keras.layers.layout import (
    channel_axis,
    channels_back,
    channels_first,
    check_image,
    choice,
    each,
    flat_pads,
    format_of,
    spatial,
    with_spatial,
)
from minigrad.nn import functional as F

__all__ = [
    "Cropping1D", "Cropping2D", "Cropping3D", "Resizing", "UpSampling1D", "UpSampling2D",
    "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
]  # fmt: skip

Pairs = tuple[tuple[int, int], ...]


def _pairs(owner: Any, name: str, value: Any, dims: int) -> Pairs:
    """(before, behind) for each dimension from a number, one for each, or pairs."""
    if dims == 1 and not hasattr(value, "__index__") and len(tuple(value)) == 2:
        value = (value,)
    given = (value,) * dims if hasattr(value, "__index__") else tuple(value)
    if len(given) != dims:
        raise ArgumentError(
            f"{type(owner).__name__}(): {name} must be an integer, {dims} integers or {dims} "
            f"pairs, got {value!r}"
        )
    found = (each(owner, name, part, 2, 0) for part in given)
    return tuple((before, behind) for before, behind in found)


class _Spatial(Layer):
    """A layer that changes spatial sizes, not channels."""

    dims: ClassVar[int]
    keeps_dtype = True
    data_format: str

    def _check_input(self, shape: Any) -> None:
        check_image(self, shape, self.dims, self.data_format)

    def _sizes(self, sizes: tuple[Any, ...]) -> tuple[Any, ...]:
        """The new spatial sizes."""
        raise ArgumentError(f"{type(self).__name__} has no _sizes(); write it in the subclass")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape with the new spatial sizes."""
        check_image(self, input_shape, self.dims, self.data_format)
        sizes = self._sizes(spatial(input_shape, self.data_format))
        channels = input_shape[channel_axis(self.data_format)]
        return with_spatial(input_shape, sizes, channels, self.data_format)

    def _pad(self, inputs: Any, pairs: Pairs) -> Any:
        border = flat_pads(list(pairs))
        if self.data_format == "channels_last":
            border = [0, 0, *border]
        return F.pad(inputs, border)


class _ZeroPadding(_Spatial):
    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = _pairs(self, "padding", padding, self.dims)
        self.data_format = format_of(self, data_format)

    def call(self, inputs: Any) -> Any:
        """The inputs with zeros around them."""
        return self._pad(inputs, self.padding)

    def _sizes(self, sizes: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            None if size is None else size + sum(pair) for size, pair in zip(sizes, self.padding)
        )


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and behind sequences; padding is a number or (before, behind)."""

    dims = 1


class ZeroPadding2D(_ZeroPadding):
    """Zeros around images; padding is n, (height, width) or ((top, bottom), (left, right)).

    >>> ZeroPadding2D(((1, 0), (2, 2))).compute_output_shape((None, 5, 5, 3))
    (None, 6, 9, 3)
    """

    dims = 2


class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes."""

    dims = 3


class _Cropping(_Spatial):
    def __init__(self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = _pairs(self, "cropping", cropping, self.dims)
        self.data_format = format_of(self, data_format)

    def call(self, inputs: Any) -> Any:
        """A view without the cells at the border."""
        self.compute_output_shape(tuple(inputs.shape))
        first = 1 if self.data_format == "channels_last" else 2
        key: list[Any] = [slice(None)] * inputs.ndim
        for axis, (before, behind) in enumerate(self.cropping, first):
            key[axis] = slice(before, inputs.shape[axis] - behind)
        return inputs[tuple(key)]

    def _sizes(self, sizes: tuple[Any, ...]) -> tuple[Any, ...]:
        left = tuple(
            None if size is None else size - sum(pair) for size, pair in zip(sizes, self.cropping)
        )
        if any(size is not None and size < 1 for size in left):
            raise ArgumentError(
                f"layer '{self.name}' ({type(self).__name__}): cropping {self.cropping} leaves "
                f"nothing of inputs with spatial sizes {sizes}"
            )
        return left


class Cropping1D(_Cropping):
    """Sequences without their first and last steps."""

    dims = 1


class Cropping2D(_Cropping):
    """Images without their border; cropping is n, (height, width) or pairs of them."""

    dims = 2


class Cropping3D(_Cropping):
    """Volumes without their border."""

    dims = 3


class UpSampling1D(_Spatial):
    """Each step `size` times."""

    dims = 1
    data_format = "channels_last"

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = each(self, "size", size, 1)[0]

    def call(self, inputs: Any) -> Any:
        """The repeated steps."""
        return inputs.repeat_interleave(self.size, dim=1)

    def _sizes(self, sizes: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(None if size is None else size * self.size for size in sizes)


class _UpSampling(_Spatial):
    def __init__(
        self,
        size: Any = 2,
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = each(self, "size", size, self.dims)
        self.data_format = format_of(self, data_format)
        known = ("nearest", "bilinear", "bicubic") if self.dims == 2 else ("nearest",)
        self.interpolation = choice(self, "interpolation", interpolation, known)

    def call(self, inputs: Any) -> Any:
        """The enlarged images."""
        x = channels_first(inputs, self.data_format)
        sizes = tuple(size * times for size, times in zip(x.shape[2:], self.size))
        x = F.interpolate(x, size=sizes, mode=self.interpolation)
        return channels_back(x, self.data_format)

    def _sizes(self, sizes: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            None if size is None else size * times for size, times in zip(sizes, self.size)
        )


class UpSampling2D(_UpSampling):
    """Images `size` times as large, by "nearest", "bilinear" or "bicubic" interpolation.

    >>> UpSampling2D(2).compute_output_shape((None, 7, 7, 16))
    (None, 14, 14, 16)
    """

    dims = 2


class UpSampling3D(_UpSampling):
    """Volumes `size` times as large."""

    dims = 3

    def __init__(self, size: Any = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(size, data_format, **kwargs)


class Resizing(_Spatial):
    """Images in the size (height, width), by "bilinear", "nearest" or "bicubic" interpolation.

    Pixels are little squares (their centres are at halves), as in TensorFlow 2.
    `crop_to_aspect_ratio` cuts off the middle's surroundings where the proportions differ.
    """

    dims = 2
    keeps_dtype = False

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.height, self.width = each(self, "height and width", (height, width), 2)
        known = ("bilinear", "nearest", "bicubic")
        self.interpolation = choice(self, "interpolation", interpolation, known)
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.data_format = format_of(self, data_format)

    def call(self, inputs: Any) -> Any:
        """The resized images."""
        x = channels_first(inputs, self.data_format)
        if self.crop_to_aspect_ratio:
            high, wide = x.shape[2:]
            rows = max(1, min(high, int(wide * self.height / self.width)))
            columns = max(1, min(wide, int(high * self.width / self.height)))
            top, left = (high - rows) // 2, (wide - columns) // 2
            x = x[:, :, top : top + rows, left : left + columns]
        mode = "nearest-exact" if self.interpolation == "nearest" else self.interpolation
        x = F.interpolate(x, size=(self.height, self.width), mode=mode)
        return channels_back(x, self.data_format)

    def _sizes(self, sizes: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self.height, self.width)
