"""The digits that come with the package."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

import numpy

from minigrad.datasets.idx import read_idx
from minigrad.datasets.images import ImageDataset
from minigrad.tensor import Tensor

_HERE = os.path.dirname(__file__)


class Digits(ImageDataset):
    """1,797 handwritten digits of 8 x 8 pixels with 17 shades, 178 of each or so.

    Every fifth image of each class is for testing (355), the others for training (1,442): 43
    people wrote them one after another, so either part has digits of everyone.
    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (the test part),
    1998, UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, CC BY 4.0.

    >>> Digits(train=False)
    Digits(355 images of 8 x 8, 10 classes)
    """

    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")
    highest: ClassVar[int] = 16

    def __init__(
        self,
        train: bool = True,
        transform: Callable[[Tensor], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
    ) -> None:
        images = read_idx(os.path.join(_HERE, "digits-images-idx3-ubyte.gz"))
        labels = read_idx(os.path.join(_HERE, "digits-labels-idx1-ubyte.gz"))
        chosen = _is_for_testing(labels) != train
        super().__init__(images[chosen], labels[chosen], transform, target_transform)


def _is_for_testing(labels: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    """True for every fifth label of each class."""
    chosen = numpy.zeros(len(labels), numpy.bool_)
    for label in numpy.unique(labels):
        chosen[numpy.flatnonzero(labels == label)[4::5]] = True
    return chosen
