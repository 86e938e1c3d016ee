"""Pooling over windows: the largest element, where it is, and sums."""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad.backend import backend_of
from minigrad.kernels.windows import overlaps

Sizes = tuple[int, ...]


def max_pool(
    xp: Any,
    input: Any,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    count: Sizes,
) -> Any:
    """The largest element of each window, one dimension after the other."""
    lead = input.ndim - len(kernel)
    for axis, args in enumerate(zip(kernel, count, stride, padding, dilation), lead):
        before = (slice(None),) * axis
        size = input.shape[axis]
        places = overlaps((size,), *((value,) for value in args))
        whole = slice(0, args[1])
        result = None
        for (cells,), (met,), _ in sorted(places, key=lambda place: place[1] != (whole,)):
            view = input[(*before, cells)]
            if result is None:
                result = _first(xp, view, met, whole, axis)
            else:
                part = result[(*before, met)]
                xp.maximum(part, view, out=part)
        if result is None:
            # No place of any window meets the input.
            nothing = slice(0, 0)
            result = _first(xp, input[(*before, nothing)], nothing, whole, axis)
        input = result
    return input


def _first(xp: Any, view: Any, met: slice, whole: slice, axis: int) -> Any:
    """A new array of all windows that holds `view` in those it meets, the least value elsewhere."""
    if met == whole:
        return view.copy()
    shape = (*view.shape[:axis], whole.stop, *view.shape[axis + 1 :])
    result = xp.full(shape, least(xp, view.dtype), view.dtype)
    result[(*(slice(None),) * axis, met)] = view
    return result


def least(xp: Any, dtype: Any) -> Any:
    """The least value of a dtype."""
    return -xp.inf if dtype.kind == "f" else xp.iinfo(dtype).min


def max_pool_winners(
    xp: Any,
    input: Any,
    out: Any,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Any:
    """Where in its flattened plane each window's largest element is: the first of equals.

    A window with NaNs is won by its last, as in torch.
    """
    lead = input.ndim - len(kernel)
    size, count = input.shape[lead:], out.shape[lead:]
    places = overlaps(size, kernel, count, stride, padding, dilation)
    index = xp.zeros(out.shape, xp.int64)
    flat = xp.arange(prod(size)).reshape(size)
    for cells, met, _ in reversed(places):
        hit = input[(..., *cells)] == out[(..., *met)]
        xp.copyto(index[(..., *met)], flat[cells], where=hit)
    if out.dtype.kind == "f" and bool(xp.isnan(out).any()):
        for cells, met, _ in places:
            hit = xp.isnan(input[(..., *cells)])
            xp.copyto(index[(..., *met)], flat[cells], where=hit)
    return index


def max_pool_grad(
    xp: Any,
    grad: Any,
    input: Any,
    out: Any,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Any:
    """Each window's cotangent at the place of the first of its largest elements, zero elsewhere."""
    lead = input.ndim - len(kernel)
    size, count = input.shape[lead:], out.shape[lead:]
    if out.dtype.kind == "f" and bool(xp.isnan(out).any()):
        index = max_pool_winners(xp, input, out, kernel, stride, padding, dilation)
        return place(xp, grad, index, input.shape, len(kernel))
    result = xp.zeros(input.shape, grad.dtype)
    undecided = xp.ones(out.shape, bool)
    spans = (dil * (k - 1) < step for k, step, dil in zip(kernel, stride, dilation))
    disjoint = all(spans)
    for cells, met, _ in overlaps(size, kernel, count, stride, padding, dilation):
        left = undecided[(..., *met)]
        hit = input[(..., *cells)] == out[(..., *met)]
        hit &= left
        left ^= hit
        target = result[(..., *cells)]
        if disjoint:
            xp.multiply(grad[(..., *met)], hit, out=target)
        else:
            target += grad[(..., *met)] * hit
    return result


def place(xp: Any, values: Any, index: Any, size: Sizes, dims: int) -> Any:
    """Zeros of a size with values added at flat positions in the planes of the last `dims`."""
    planes = prod(size[: len(size) - dims])
    out = xp.zeros((planes, prod(size[len(size) - dims :])), values.dtype)
    count = index.size // planes if planes else 0
    at = (xp.arange(planes)[:, None], index.reshape(planes, count))
    backend_of(out).scatter_add(out, at, values.reshape(planes, count))
    return out.reshape(size)


def window_sum(
    xp: Any, input: Any, kernel: Sizes, stride: Sizes, padding: Sizes, count: Sizes
) -> Any:
    """The sum of each window, one dimension after the other."""
    lead = input.ndim - len(kernel)
    if kernel == input.shape[lead:] and not any(padding) and set(count) == {1}:
        return input.reshape(*input.shape[:lead], -1).sum(-1).reshape(*input.shape[:lead], *count)
    for axis, args in enumerate(zip(kernel, count, stride, padding), lead):
        before = (slice(None),) * axis
        places = overlaps((input.shape[axis],), *((value,) for value in args), (1,))
        shape = (*input.shape[:axis], args[1], *input.shape[axis + 1 :])
        result = xp.zeros(shape, input.dtype)
        if args[1] == 1 and places:
            first, last = places[0][0][0].start, places[-1][0][0].stop
            input[(*before, slice(first, last))].sum(axis, out=result[(*before, 0)])
        else:
            for (cells,), (met,), _ in places:
                result[(*before, met)] += input[(*before, cells)]
        input = result
    return input


def window_spread(
    xp: Any, grad: Any, size: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes
) -> Any:
    """The transpose of `window_sum`: each window's cotangent in each of its cells."""
    lead = grad.ndim - len(kernel)
    for axis, args in enumerate(zip(size, kernel, stride, padding), lead):
        before = (slice(None),) * axis
        length, width, step, pad = args
        places = overlaps((length,), (width,), (grad.shape[axis],), (step,), (pad,), (1,))
        shape = (*grad.shape[:axis], length, *grad.shape[axis + 1 :])
        result = xp.zeros(shape, grad.dtype)
        if grad.shape[axis] == 1 and places:
            first, last = places[0][0][0].start, places[-1][0][0].stop
            result[(*before, slice(first, last))] = grad
        else:
            for (cells,), (met,), _ in places:
                result[(*before, cells)] += grad[(*before, met)]
        grad = result
    return grad
