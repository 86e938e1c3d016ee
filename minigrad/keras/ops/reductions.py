"""keras.ops over axes: sums, means, extremes, their places, and what runs along an axis."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad.keras.ops.translate import axes, of_floats, operation, tensor

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "argsort", "average", "count_nonzero",
    "cumprod", "cumsum", "in_top_k", "logsumexp", "max", "mean", "median", "min", "moments", "norm",
    "normalize", "prod", "sort", "std", "sum", "top_k", "var",
]  # fmt: skip


@operation
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over the axes, all for None.

    >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
    tensor([4., 6.])
    """
    return minigrad.sum(tensor(x), axis, keepdims)


@operation
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over the axes, all for None."""
    return minigrad.mean(of_floats(x), axis, keepdims)


@operation
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """The mean over the axes, weighted if wanted."""
    if weights is None:
        return minigrad.mean(of_floats(x), axis)
    x, weights = of_floats(x), of_floats(weights)
    if weights.ndim < x.ndim and isinstance(axis, int):
        lengths = [1] * x.ndim
        lengths[axis] = -1
        weights = weights.reshape(lengths)
    weights = weights.broadcast_to(tuple(x.shape))
    return minigrad.sum(x * weights, axis) / minigrad.sum(weights, axis)


@operation
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean square distance from the mean, divided by the count itself."""
    return minigrad.var(of_floats(x), axis, correction=0, keepdim=keepdims)


@operation
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The root of `var`."""
    return minigrad.std(of_floats(x), axis, correction=0, keepdim=keepdims)


@operation
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """The mean and the variance over the axes."""
    return mean(x, axes, keepdims), var(x, axes, keepdims)


@operation
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The largest value over the axes, all for None, and at least `initial`."""
    largest = minigrad.amax(tensor(x), axes(axis, tensor(x).ndim), keepdims)
    return largest if initial is None else minigrad.clamp(largest, min=initial)


@operation
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The smallest value over the axes, all for None, and at most `initial`."""
    smallest = minigrad.amin(tensor(x), axes(axis, tensor(x).ndim), keepdims)
    return smallest if initial is None else minigrad.clamp(smallest, max=initial)


amax = max
amin = min


@operation
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The product over the axes, all for None."""
    x = tensor(x, dtype)
    for one in sorted((one % x.ndim for one in axes(axis, x.ndim)), reverse=True):
        x = minigrad.prod(x, one, keepdim=keepdims)
    return x


@operation
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all are true over the axes."""
    return minigrad.all(tensor(x), axis, keepdims)


@operation
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether any is true over the axes."""
    return minigrad.any(tensor(x), axis, keepdims)


@operation
def count_nonzero(x: Any, axis: Any = None) -> Any:
    """How many are not zero over the axes."""
    return minigrad.count_nonzero(tensor(x), axis)


@operation
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over the axes, without overflow."""
    return minigrad.logsumexp(of_floats(x), axis, keepdims)


@operation
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle value, the mean of the two middle ones where the count is even."""
    x = of_floats(x)
    ndim = x.ndim
    over = {one % ndim for one in axes(axis, ndim)}
    kept = [one for one in range(ndim) if one not in over]
    lengths = [x.shape[one] for one in kept]
    ordered = minigrad.sort(x.permute(*kept, *sorted(over)).reshape(*lengths, -1), -1).values
    count = ordered.shape[-1]
    middle = (ordered[..., (count - 1) // 2] + ordered[..., count // 2]) / 2
    if not keepdims:
        return middle
    return middle.reshape([1 if one in over else x.shape[one] for one in range(ndim)])


@operation
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The place of the first largest value along the axis, in the flattened x for None."""
    return minigrad.argmax(tensor(x), axis, keepdims).to("int32")


@operation
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The place of the first smallest value along the axis, in the flattened x for None."""
    return minigrad.argmin(tensor(x), axis, keepdims).to("int32")


@operation
def sort(x: Any, axis: int = -1) -> Any:
    """x in rising order along the axis."""
    return minigrad.sort(tensor(x), axis).values


@operation
def argsort(x: Any, axis: int = -1) -> Any:
    """The places that put x in rising order along the axis; of equal values the first first."""
    return minigrad.argsort(tensor(x), axis, stable=True).to("int32")


@operation
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """The k largest values along the last axis and their places."""
    found = minigrad.topk(tensor(x), k, sorted=sorted)
    return found.values, found.indices.to("int32")


@operation
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether the score of the target is among the k largest of its row, ties included."""
    targets, predictions = tensor(targets).to("int64"), tensor(predictions)
    score = minigrad.gather(predictions, -1, targets.unsqueeze(-1))
    return minigrad.sum(predictions > score, -1) < k


@operation
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The sum up to each place along the axis, of the flattened x for None."""
    x = tensor(x, dtype)
    return minigrad.cumsum(x.reshape(-1) if axis is None else x, 0 if axis is None else axis)


@operation
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The product up to each place along the axis, of the flattened x for None."""
    x = tensor(x, dtype)
    return minigrad.cumprod(x.reshape(-1) if axis is None else x, 0 if axis is None else axis)


@operation
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors or matrices along the axes: that of all numbers unless told."""
    axis = tuple(axis) if isinstance(axis, list) else axis
    return minigrad.linalg.norm(of_floats(x), ord, axis, keepdims)


@operation
def normalize(x: Any, axis: int = -1, order: float = 2, epsilon: float | None = None) -> Any:
    """x divided by its norm along the axis, which counts as `epsilon` at least."""
    least = 1e-12 if epsilon is None else epsilon
    return minigrad.nn.functional.normalize(of_floats(x), order, axis, least)
