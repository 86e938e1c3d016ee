"""Rows of reductions, scans, extremes, moments, sorting, and the pair that undoes broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from tests.samples.row import Row, Sample, sample, torch
from tests.samples.source import Source

Draw = Callable[[Source], Sample]


def over_dims(low: float = -2.0, high: float = 2.0, empty: bool = True, **options: Any) -> Draw:
    """Draws for a reduction over some dimensions; `options` are further constants to choose."""

    def draw(s: Source) -> Sample:
        shape = s.shape(empty=empty)
        constants = {name: s.pick(values) for name, values in options.items()}
        constants = {"dim": s.dims(shape), "keepdim": s.flag(), **constants}
        return sample(s.floats(shape, low, high), **constants)

    return draw


def distinct_over_dims(s: Source) -> Sample:
    """Draws for an extreme: no two elements near each other."""
    shape = s.shape(empty=False)
    return sample(s.distinct(shape), dim=s.dims(shape), keepdim=s.flag())


def tied_over_dims(s: Source) -> Sample:
    values = s.rng.integers(0, 2, (2, 4)).astype(s.dtype)
    return sample(values, dim=s.pick(((0,), (1,), None)), keepdim=s.flag())


def reduction(name: str) -> Callable[..., Any]:
    """Torch's reduction of that name; over all dimensions where `dim` is None."""

    def call(x: Any, dim: Any, keepdim: bool = False, **constants: Any) -> Any:
        dims = tuple(range(x.ndim)) if dim is None else dim
        return getattr(torch, name)(x, dim=dims, keepdim=keepdim, **constants)

    return call


def each(name: str) -> Callable[..., Any]:
    """`all` or `any`, whose torch forms give uint8 for uint8 and take a scalar as no dimension."""

    def call(x: Any, dim: Any, keepdim: bool) -> Any:
        dims = tuple(range(x.ndim)) if dim is None else dim
        return getattr(torch, name)(x, dim=dims, keepdim=keepdim)

    return call


def counted(x: Any, dim: Any) -> Any:
    return torch.count_nonzero(x, dim=tuple(range(x.ndim)) if dim is None else dim)


def with_nans(s: Source) -> Sample:
    shape = s.shape()
    values = numpy.array(s.floats(shape))
    if s.dtype.kind == "f":
        values = numpy.where(s.bools(shape), values, numpy.nan).astype(s.dtype)
    return sample(values, dim=s.dims(shape), keepdim=s.flag())


def finite(s: Source) -> Sample:
    shape = s.shape()
    return sample(s.floats(shape), dim=s.dims(shape), keepdim=s.flag())


def numbers_in(x: Any, dim: Any, keepdim: bool) -> Any:
    return reduction("sum")(~torch.isnan(x), dim, keepdim)


def zeros_and_ones(s: Source) -> Sample:
    shape = s.shape()
    values = s.rng.integers(0, 2, shape)
    return sample(numpy.asarray(values, s.dtype), dim=s.dims(shape), keepdim=s.flag())


def to_count(s: Source) -> Sample:
    drawn = zeros_and_ones(s)
    return sample(*drawn.inputs, dim=drawn.constants["dim"])


BROADCASTS = (
    ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), (1, 3)), ((2, 3), ()), ((3,), (1,)), ((), ()),
    ((2, 2, 3), (2, 1)), ((0, 3), (1, 3)), ((0, 3), (3,)), ((4, 2, 1, 3), (2, 1, 1)),
)  # fmt: skip


def down(s: Source) -> Sample:
    shape, size = s.pick(BROADCASTS)
    return sample(s.floats(shape), size=size)


def up(s: Source) -> Sample:
    size, shape = s.pick(BROADCASTS)
    return sample(s.floats(shape), size=size)


def unreduced(s: Source) -> Sample:
    size = s.shape()
    dim, keepdim = s.dims(size), s.flag()
    gone = range(len(size)) if dim is None else dim
    if dim is not None and not size:
        dim, gone = None, ()
    shape = [1 if d in gone else n for d, n in enumerate(size)]
    if not keepdim:
        shape = [n for d, n in enumerate(size) if d not in gone]
    return sample(s.floats(shape), size=size, dim=dim, keepdim=keepdim)


def unreduce(x: Any, size: Any, dim: Any, keepdim: bool) -> Any:
    if not keepdim and dim is not None:
        x = x.reshape([1 if d in dim else n for d, n in enumerate(size)])
    return x.expand(size)


def arg(name: str) -> Callable[..., Any]:
    return lambda x, dim, keepdim: getattr(torch, name)(x, dim=dim, keepdim=keepdim)


def one_dim(s: Source) -> Sample:
    shape = s.shape(1, empty=False)
    return sample(s.distinct(shape), dim=s.pick((0, None)), keepdim=False)


def along(*names: str, **options: Any) -> Draw:
    """Draws for a function along one dimension."""

    def draw(s: Source) -> Sample:
        shape = s.shape(0)
        constants = {name: s.pick(values) for name, values in options.items()}
        return sample(s.floats(shape), dim=s.dim(shape), **constants)

    return draw


def along_with_zeros(s: Source) -> Sample:
    values = s.floats((2, 4))
    values = numpy.where(s.bools((2, 4)), values, 0.0).astype(s.dtype)
    return sample(values, dim=s.pick((0, 1)))


def products_with_zeros(s: Source) -> Sample:
    return sample(*along_with_zeros(s).inputs, dim=s.pick((0, 1)), keepdim=s.flag())


def cumulative(x: Any, dim: int, reverse: bool) -> Any:
    if not reverse or not x.ndim:
        return torch.cumsum(x, dim)
    return torch.flip(torch.cumsum(torch.flip(x, (dim,)), dim), (dim,))


def shifted(x: Any, by: int, dim: int, fill: float) -> Any:
    if not x.ndim:
        return torch.full_like(x, fill)
    size = x.shape[dim]
    by = max(-size, min(by, size))
    gap = list(x.shape)
    gap[dim] = abs(by)
    filled = torch.full(gap, fill, dtype=x.dtype)
    if by >= 0:
        return torch.cat((filled, x.narrow(dim, 0, size - by)), dim)
    return torch.cat((x.narrow(dim, -by, size + by), filled), dim)


def positions(s: Source) -> tuple[tuple[int, ...], int, Any]:
    """A shape, a dimension and, along it, positions none of which repeats."""
    shape = s.pick(((2, 3), (4,), (2, 1, 3), (3, 2)))
    dim = s.dim(shape)
    order = numpy.argsort(s.rng.random(shape), dim)
    count = s.pick((shape[dim], 1))
    return shape, dim, numpy.take(order, range(count), dim)


def take_along(s: Source) -> Sample:
    shape, dim, indices = positions(s)
    return sample(s.floats(shape), indices=indices, dim=dim)


def put_along(s: Source) -> Sample:
    shape, dim, indices = positions(s)
    return sample(s.floats(indices.shape), size=shape, indices=indices, dim=dim)


def take_one(s: Source) -> Sample:
    shape, dim, indices = positions(s)
    index = numpy.take(indices, 0, dim)
    return sample(s.floats(shape), index=index, dim=dim, keepdim=s.flag())


def put_one(s: Source) -> Sample:
    shape, dim, indices = positions(s)
    index, keepdim = numpy.take(indices, 0, dim), s.flag()
    kept = tuple(1 if d == dim else n for d, n in enumerate(shape))
    values = s.floats(kept if keepdim else index.shape)
    return sample(values, size=shape, index=index, dim=dim, keepdim=keepdim)


def put_one_reference(x: Any, size: Any, index: Any, dim: int, keepdim: bool) -> Any:
    x = x if keepdim else x.unsqueeze(dim)
    return torch.zeros(size, dtype=x.dtype).scatter(dim, index.unsqueeze(dim), x)


def take_one_reference(x: Any, index: Any, dim: int, keepdim: bool) -> Any:
    out = torch.gather(x, dim, index.unsqueeze(dim))
    return out if keepdim else out.squeeze(dim)


def ties(s: Source) -> Sample:
    drawn = tied_over_dims(s)
    values, constants = drawn.inputs[0], drawn.constants
    extreme = values.max(constants["dim"], keepdims=constants["keepdim"])
    return sample(values, numpy.asarray(extreme), **constants)


def ties_reference(x: Any, extreme: Any, dim: Any, keepdim: bool) -> Any:
    equal = x == unreduce(extreme, x.shape, dim, keepdim)
    dims = tuple(range(x.ndim)) if dim is None else dim
    return equal.to(x.dtype) / equal.sum(dims, keepdim=True)


def spread(s: Source) -> Sample:
    """Draws for a variance, with more elements than its correction."""
    shape = s.pick(((2, 3), (4,), (3, 2), (2, 2, 3)))
    dim = s.dims(shape)
    return sample(s.distinct(shape), dim=dim, correction=s.pick((1, 0)), keepdim=s.flag())


def with_minus_infinity(s: Source) -> Sample:
    values = numpy.array([[-numpy.inf, 0.5, 1.0], [-numpy.inf, -numpy.inf, -numpy.inf]])
    return sample(values, dim=s.pick(((1,), (0,), None)), keepdim=s.flag())


def without_spread(s: Source) -> Sample:
    values = numpy.array([[1.0, 1.0, 1.0], [1.0, 2.0, 3.0]], s.dtype)
    return sample(values, dim=(1,), correction=1, keepdim=s.flag())


def prod_reference(x: Any, dim: int, keepdim: bool) -> Any:
    return torch.prod(x, dim, keepdim)


ROWS = {
    "sum_to": Row(down, lambda x, size: x.sum_to_size(size), "fc", count=10),
    "broadcast_to": Row(up, lambda x, size: x.expand(size), "fcib", count=10),
    "unreduce": Row(unreduced, unreduce, "fc", count=10),
    "_sum": Row(over_dims(), reduction("sum"), "fciub", count=10),
    "_mean": Row(over_dims(empty=False), reduction("mean"), "fc", count=10),
    "_nansum": Row(finite, reduction("nansum"), "f", kinks=with_nans),
    "_count_numbers": Row(with_nans, numbers_in, "f", 0),
    "_count_nonzero": Row(to_count, counted, "fciub", 0),
    "_all": Row(zeros_and_ones, each("all"), "fcib", 0),
    "_any": Row(zeros_and_ones, each("any"), "fcib", 0),
    "_amax": Row(distinct_over_dims, reduction("amax"), "fiu", kinks=tied_over_dims, count=8),
    "_amin": Row(distinct_over_dims, reduction("amin"), "fiu", kinks=tied_over_dims, count=8),
    "_ties": Row(ties, ties_reference, "f", 0),
    "_argmax": Row(one_dim, arg("argmax"), "fiu", 0),
    "_argmin": Row(one_dim, arg("argmin"), "fiu", 0),
    "take_along": Row(take_along, lambda x, indices, dim: torch.gather(x, dim, indices), "fci"),
    "_put_along": Row(
        put_along,
        lambda x, size, indices, dim: torch.zeros(size, dtype=x.dtype).scatter(dim, indices, x),
        "fc",
    ),
    "_take_one": Row(take_one, take_one_reference, "fci"),
    "_put_one": Row(put_one, put_one_reference, "fc"),
    "_var": Row(spread, reduction("var"), "fc", count=8),
    "_std": Row(spread, reduction("std"), "fc", count=8, kinks=without_spread),
    "_logsumexp": Row(
        over_dims(empty=False), reduction("logsumexp"), "f", count=8, kinks=with_minus_infinity
    ),
    "_cumsum": Row(along(reverse=(False, True)), cumulative, "fci", count=8),
    "_logcumsumexp": Row(along(), lambda x, dim: torch.logcumsumexp(x, dim), "fc", count=8),
    "shift": Row(along(by=(1, -1, 2, 9), fill=(0, 1)), shifted, "fc", count=10),
    "_cumprod": Row(along(), lambda x, dim: torch.cumprod(x, dim), "fci", kinks=along_with_zeros),
    "_prod": Row(
        along(keepdim=(False, True)), prod_reference, "fci", count=8, kinks=products_with_zeros
    ),
}
