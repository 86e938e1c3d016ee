"""Labelled images: what the image data sets have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy

import minigrad
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor
from minigrad.utils.data import Dataset, default_collate
from minigrad.utils.data.dataset import take_rows


class ImageDataset(Dataset[tuple[Any, Any]]):
    """Samples (image, label): a float32 tensor (channels, height, width) in [0, 1], and an int.

    `data` holds all images, uint8, shape (n, height, width) for grey ones, which have one channel,
    else (n, channels, height, width); `targets` all labels, int64, shape (n,). `transform` is
    applied to the image and `target_transform` to the label.
    """

    classes: ClassVar[tuple[str, ...]]
    highest: ClassVar[int] = 255

    def __init__(
        self,
        images: numpy.ndarray[Any, Any],
        labels: numpy.ndarray[Any, Any],
        transform: Callable[[Tensor], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
    ) -> None:
        if len(images) != len(labels):
            raise ArgumentError(
                f"{type(self).__name__}(): there are {len(images)} images and {len(labels)} labels"
            )
        self.data = minigrad.from_numpy(images)
        self.targets = minigrad.from_numpy(labels.astype(numpy.int64))
        self.transform = transform
        self.target_transform = target_transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = self._with_channels(self.data[index], 0).float() / self.highest
        label = int(self.targets[index].item())
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            return image, self.target_transform(label)
        return image, label

    def gather(self, indices: Sequence[int]) -> list[Any]:
        """The batch of these samples, made at once where there is no transform."""
        if self.transform is not None or self.target_transform is not None:
            batch: list[Any] = default_collate([self[index] for index in indices])
            return batch
        images = self._with_channels(take_rows(self.data, indices), 1).float() / self.highest
        return [images, take_rows(self.targets, indices)]

    def _with_channels(self, images: Tensor, dim: int) -> Tensor:
        return images.unsqueeze(dim) if self.data.ndim == 3 else images

    def __repr__(self) -> str:
        height, width = self.data.shape[-2:]
        return (
            f"{type(self).__name__}({len(self)} images of {height} x {width}, "
            f"{len(self.classes)} classes)"
        )
