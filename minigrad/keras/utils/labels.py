"""Class numbers turned into one-hot rows, and vectors brought to length 1."""

from __future__ import annotations

from typing import Any

import numpy

import minigrad
from minigrad.errors import ArgumentError, DtypeError, PositionError
from minigrad.keras.config import floatx
from minigrad.nn import functional as F
from minigrad.tensor import Tensor

__all__ = ["normalize", "to_categorical"]


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """One-hot rows (..., num_classes) of the class numbers x, of shape (...) or (..., 1).

    An array gives an array and a tensor a tensor, of the dtype `keras.config.floatx()`. Without
    `num_classes` there are as many classes as the largest number needs.

    Raises DtypeError for numbers that are not whole, PositionError (an IndexError) naming a class
    that is not there, ArgumentError when there is none to count them by.

    >>> to_categorical([0, 2], num_classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    tensor = x if isinstance(x, Tensor) else None
    classes = numpy.asarray(x) if tensor is None else tensor.detach().cpu().numpy()
    whole = classes.dtype.kind in "iub"
    if not whole and not (classes.dtype.kind == "f" and (classes % 1 == 0).all()):
        raise DtypeError(
            f"to_categorical(): x holds {classes.dtype} that are no whole numbers, but class "
            f"numbers are 0, 1, 2, ...; number the classes first, for example with "
            f"numpy.unique(x, return_inverse=True)[1]"
        )
    classes = classes.astype(numpy.int64)
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes.reshape(classes.shape[:-1])
    if num_classes is None:
        if not classes.size:
            raise ArgumentError("to_categorical(): x is empty; say num_classes")
        num_classes = int(classes.max()) + 1
    wrong = (classes < 0) | (classes >= num_classes)
    if wrong.any():
        label = int(classes[wrong][0])
        more = ""
        if label == num_classes and not (classes == 0).any():
            more = "; classes count from 0: subtract 1 from the labels"
        raise PositionError(
            f"to_categorical(): x holds the label {label}, but num_classes={num_classes} allows "
            f"0 to {num_classes - 1}{more}"
        )
    rows = numpy.zeros((*classes.shape, num_classes), floatx())
    numpy.put_along_axis(rows, classes[..., None], 1, axis=-1)
    return rows if tensor is None else minigrad.from_numpy(rows).to(tensor.device)


def normalize(x: Any, axis: int = -1, order: float = 2) -> Any:
    """x over its norm of this order along `axis`; where the norm is 0 it stays 0.

    >>> normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    if isinstance(x, Tensor):
        return F.normalize(x, order, axis)
    x = numpy.asarray(x)
    norm = numpy.linalg.norm(x, order, axis, keepdims=True)
    return x / numpy.where(norm == 0, 1, norm)
