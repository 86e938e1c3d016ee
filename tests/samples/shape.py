"""Rows of shapes and indices: views, joins, copies, diagonals, picks and scatters."""

from __future__ import annotations

from typing import Any

import numpy

from tests.samples.row import Row, Sample, sample, torch
from tests.samples.source import Source

ALL = slice(None)


def reshaped(s: Source) -> Sample:
    shape, size = s.pick((
        ((2, 3), (3, 2)), ((2, 3), (6,)), ((), (1, 1)), ((0, 3), (0,)), ((4,), (2, 1, 2)),
        ((2, 3), (-1, 2)), ((1, 1), ()),
    ))  # fmt: skip
    return sample(s.floats(shape), size=size)


def transposed(s: Source) -> Sample:
    shape = s.shape(1)
    return sample(s.floats(shape), dim0=s.dim(shape), dim1=s.dim(shape))


def permuted(s: Source) -> Sample:
    shape = s.pick(((2, 3, 4), (2, 3), (), (0, 2, 1)))
    order = [int(d) for d in s.rng.permutation(len(shape))]
    return sample(s.floats(shape), dims=tuple(d - s.pick((0, len(shape))) for d in order))


def plain(s: Source) -> Sample:
    return sample(s.floats(s.shape()))


def small(s: Source) -> Sample:
    return sample(s.floats(s.shape(0, 2)))


def bits(s: Source) -> Sample:
    to = {"f": {8: "int64", 4: "int32"}, "i": {8: "float64", 4: "float32", 1: "uint8"}}
    values = numpy.ascontiguousarray(s.floats((2, 3)))
    return sample(values, to=numpy.dtype(to[s.dtype.kind][s.dtype.itemsize]))


def dtype_of(to: Any) -> Any:
    return getattr(torch, str(numpy.dtype(to)))


INDICES = (
    ((3, 4), (1, Ellipsis)),
    ((3, 4), (ALL, slice(1, 3), Ellipsis)),
    ((3, 4), (numpy.array([2, 0, 2]),)),
    ((3, 4), (numpy.array([[2, 0], [-1, 2]]), numpy.array([1, 1]))),
    ((3, 4), (ALL, None, numpy.array([1, 1, 0]))),
    ((2, 3), (numpy.array([[True, False, True], [False, False, True]]),)),
    ((3, 4), (numpy.array([True, False, True]),)),
    ((2, 3, 2), (numpy.array([1, 1]), ALL, numpy.array([0, 1]))),
    ((4,), (slice(None, None, 2), Ellipsis)),
    ((), (Ellipsis,)),
    ((), (None, Ellipsis)),
    ((0, 3), (ALL, numpy.array([0, 0]))),
    ((3, 4), (numpy.array([], numpy.int64),)),
)


def indexed(s: Source) -> Sample:
    shape, index = s.pick(INDICES)
    return sample(s.floats(shape), index=index)


def scattered(s: Source) -> Sample:
    size, index = s.pick(INDICES)
    return sample(s.floats(numpy.empty(size)[index].shape), index=index, size=size)


def getitem_grad(x: Any, index: Any, size: Any) -> Any:
    zeros = torch.zeros(size, dtype=x.dtype)
    if any(hasattr(item, "dtype") and item.dtype != torch.bool for item in index):
        spots = torch.arange(zeros.numel()).reshape(size)[index]
        flat = zeros.reshape(-1).index_add(0, spots.reshape(-1), x.reshape(-1))
        return flat.reshape(size)
    out = zeros.clone()
    out[index] = x
    return out


def put(s: Source) -> Sample:
    """Positions written twice are left to `accumulate`: which write wins is not told."""
    accumulate = s.pick((None, True))
    options = [i for i in INDICES if accumulate or not has_repeats(*i)]
    size, index = s.pick(options)
    shape = numpy.empty(size)[index].shape
    shape = s.pick((shape, shape[-1:]))
    return sample(s.floats(size), s.floats(shape), index=index, accumulate=accumulate)


def has_repeats(size: Any, index: Any) -> bool:
    spots = numpy.arange(int(numpy.prod(size))).reshape(size)[index]
    return bool(numpy.unique(spots).size != spots.size)


def put_reference(x: Any, values: Any, index: Any, accumulate: Any) -> Any:
    spots = torch.arange(x.numel()).reshape(x.shape)[index]
    values = values.expand(spots.shape).reshape(-1)
    flat = x.reshape(-1)
    spots = spots.reshape(-1)
    made = flat.index_add(0, spots, values) if accumulate else flat.index_copy(0, spots, values)
    return made.reshape(x.shape)


def masked_fill(s: Source) -> Sample:
    first, second = s.pair()
    value = s.pick((0.5, None))
    value = s.floats(()) if value is None or s.dtype.kind != "f" else value
    return sample(s.floats(first), s.bools(second), value)


def masked_fill_reference(x: Any, mask: Any, value: Any) -> Any:
    value = value if hasattr(value, "dtype") else torch.tensor(value, dtype=x.dtype)
    return torch.where(mask, value, x)


def extremes_at(s: Source) -> Sample:
    """Draws of two vectors, and where the elements of the second go in the first."""
    values = s.distinct((9,))
    positions = s.pick((numpy.array([2, 0, 2, 2, 3]), numpy.array([1, 1, 1, 1, 1])))
    constants = {"largest": s.flag(), "include_self": s.flag()}
    return sample(values[:4], values[4:], positions=positions, **constants)


def tied_extremes_at(s: Source) -> Sample:
    drawn = extremes_at(s)
    values = s.rng.integers(0, 2, 9).astype(s.dtype)
    # Without itself an element that equals the extreme has no part; torch gives it one.
    constants = {**drawn.constants, "include_self": True}
    return sample(values[:4], values[4:], **constants)


def extremes_at_reference(x: Any, source: Any, positions: Any, largest: bool, **named: Any) -> Any:
    reduce = "amax" if largest else "amin"
    return torch.scatter_reduce(x, 0, positions, source, reduce, **named)


def shares(s: Source) -> Sample:
    drawn = tied_extremes_at(s)
    (x, source), constants = drawn.inputs, drawn.constants
    extreme = extremes_at_reference(
        *map(torch.from_numpy, (x.copy(), source.copy())),
        torch.from_numpy(constants["positions"]),
        True,
        include_self=constants["include_self"],
    ).numpy()
    constants = {"positions": constants["positions"], "include": constants["include_self"]}
    return sample(x, source, extreme, **constants)


def shares_reference(x: Any, source: Any, extreme: Any, positions: Any, include: bool) -> Any:
    others = (source == extreme[positions]).to(x.dtype)
    own = (x == extreme).to(x.dtype) if include else torch.zeros_like(x)
    own = torch.where(torch.zeros_like(x).index_fill(0, positions, 1) == 0, 1, own)
    count = own.index_add(0, positions, others)
    return own / count.clamp(min=1), others / count[positions]


def strided(s: Source) -> Sample:
    size, stride, start = s.pick((
        ((2, 3), (3, 1), 1), ((3, 4), (1, 2), 0), ((2, 2, 2), (1, 1, 4), 2), ((), (), 5),
        ((2, 0), (1, 1), 0), ((3, 2), (0, 5), 3),
    ))  # fmt: skip
    values = numpy.ascontiguousarray(s.floats((3, 4)))
    constants = {"size": size, "stride": stride, "start": start}
    return sample(values, **constants, layout=(4, 1), origin=(4, 1))


def strided_reference(x: Any, size: Any, stride: Any, start: int, layout: Any, origin: Any) -> Any:
    return torch.as_strided(x.contiguous(), size, stride, start)


def planes(s: Source) -> tuple[tuple[int, ...], int, int]:
    return s.pick((((3, 3), 0, 1), ((2, 4), 0, 1), ((2, 3, 4), 0, 2), ((3, 2, 2), 2, 1)))


def diagonal(s: Source) -> Sample:
    shape, dim1, dim2 = planes(s)
    return sample(s.floats(shape), offset=s.pick((0, 1, -1)), dim1=dim1, dim2=dim2)


def from_diagonal(s: Source) -> Sample:
    shape, dim1, dim2 = planes(s)
    offset = s.pick((0, 1, -1))
    values = s.floats(numpy.empty(shape).diagonal(offset, dim1, dim2).shape)
    return sample(values, size=shape, offset=offset, dim1=dim1, dim2=dim2)


def from_diagonal_reference(x: Any, size: Any, offset: int, dim1: int, dim2: int) -> Any:
    return torch.diagonal_scatter(torch.zeros(size, dtype=x.dtype), x, offset, dim1, dim2)


def triangle(s: Source) -> Sample:
    shape = s.pick(((3, 3), (2, 4), (2, 3, 2), (0, 3)))
    return sample(s.floats(shape), diagonal=s.pick((0, 1, -1)))


def repeated(s: Source) -> Sample:
    shape, counts = s.pick((
        ((2, 3), (2, 2)), ((2, 3), (2, 1, 3)), ((3,), (2,)), ((), (2, 2)), ((), ()), ((2,), (0,)),
    ))  # fmt: skip
    return sample(s.floats(shape), counts=counts)


def repeated_each(s: Source) -> Sample:
    shape = s.pick(((2, 3), (3,), (2, 1, 3), (0, 2)))
    return sample(s.floats(shape), count=s.pick((2, 3, 1, 0)), dim=s.dim(shape))


def flipped(s: Source) -> Sample:
    shape = s.shape()
    return sample(s.floats(shape), dims=s.dims(shape) if shape else ())


def flip_reference(x: Any, dims: Any) -> Any:
    return torch.flip(x, tuple(range(x.ndim)) if dims is None else dims)


def rolled(s: Source) -> Sample:
    shape, shifts, dims = s.pick((
        ((2, 3), (1,), (1,)), ((2, 3), (1, -2), (0, 1)), ((2, 3), (2,), None), ((4,), (5,), (0,)),
        ((0, 3), (1,), (1,)),
    ))  # fmt: skip
    return sample(s.floats(shape), shifts=shifts, dims=dims)


def joined(s: Source) -> Sample:
    shapes, dim = s.pick((
        (((2, 3), (2, 1)), 1), (((1, 2), (2, 2), (0, 2)), 0), (((3,), (2,)), 0), (((2, 3),), 1),
    ))  # fmt: skip
    ends = numpy.cumsum([shape[dim] for shape in shapes])
    return sample(*map(s.floats, shapes), dim=dim, ends=tuple(int(end) for end in ends))


def stacked(s: Source) -> Sample:
    shape = s.shape()
    return sample(*[s.floats(shape) for _ in range(s.pick((2, 1, 3)))], dim=s.dim((*shape, 1)))


def assembled(s: Source) -> Sample:
    size, indices = s.pick((
        ((2, 4), ((ALL, slice(0, 1)), (ALL, slice(1, 4)))),
        ((4,), ((slice(0, 1),), (slice(2, 4),))),
        ((3, 2), ((0, Ellipsis), (2, Ellipsis))),
    ))  # fmt: skip
    empty = numpy.empty(size)
    parts = [s.floats(empty[index].shape) for index in indices]
    return sample(*parts, indices=indices, size=size)


def assemble_reference(*parts: Any, indices: Any, size: Any) -> Any:
    out = torch.zeros(size, dtype=parts[0].dtype)
    for part, index in zip(parts, indices):
        out[index] = part
    return out


def parted(s: Source) -> Sample:
    drawn = assembled(s)
    return sample(s.floats(drawn.constants["size"]), indices=drawn.constants["indices"])


def taken(s: Source) -> Sample:
    """Rows of a table; some twice, one perhaps the padding row."""
    index = s.pick((numpy.array([2, 0, 2]), numpy.array([[1, 3], [3, 3]]), numpy.array(1)))
    return sample(s.floats((4, 3)), index=index, padding=s.pick((None, 2)), by_frequency=s.flag())


def rows_grad(s: Source) -> Sample:
    drawn = taken(s)
    shape = (*drawn.constants["index"].shape, 3)
    return sample(s.floats(shape), rows=4, **drawn.constants)


def weighed(x: Any, index: Any, padding: Any, by_frequency: bool) -> Any:
    counts = torch.bincount(index.reshape(-1), minlength=len(x)).clamp(min=1)
    factor = 1 / counts.to(x.dtype) if by_frequency else torch.ones(len(x), dtype=x.dtype)
    if padding is not None:
        factor[padding] = 0
    return x * factor[:, None]


def take_rows_reference(x: Any, index: Any, padding: Any, by_frequency: bool) -> Any:
    """As torch's embedding: the padding row and the frequencies change only the gradient."""
    return torch.nn.functional.embedding(index, x, padding, scale_grad_by_freq=by_frequency)


def rows_grad_reference(x: Any, index: Any, rows: int, padding: Any, by_frequency: bool) -> Any:
    table = torch.zeros((rows, x.shape[-1]), dtype=x.dtype)
    table = table.index_add(0, index.reshape(-1), x.reshape(-1, x.shape[-1]))
    return weighed(table, index, padding, by_frequency)


def plain_rows(s: Source) -> Sample:
    drawn = taken(s)
    return sample(*drawn.inputs, index=drawn.constants["index"], padding=None, by_frequency=False)


def filled(s: Source) -> Sample:
    value = s.pick((None, 2))
    return sample(s.floats(s.shape()), s.floats(()) if value is None else value)


def placed(s: Source) -> Sample:
    from minigrad.ops.index import getitem
    from minigrad.ops.shape import reverse_dims

    chains = (
        ((2, 3), ((getitem, (), {"index": (0, Ellipsis)}),), (3,)),
        ((2, 3), ((reverse_dims, (), {}), (getitem, (), {"index": (slice(1, 3),)})), (2, 2)),
    )
    shape, chain, part = s.pick(chains)
    return sample(s.floats(shape), s.floats(part), chain=chain)


def place_reference(x: Any, other: Any, chain: Any) -> Any:
    out = x.clone()
    if len(chain) == 1:
        out[0] = other
    else:
        out.T[1:3] = other
    return out


def moved(s: Source) -> Sample:
    from minigrad.backend import device

    return sample(s.floats(s.shape()), to=device("cpu"), origin=device("cpu"))


ROWS = {
    "_reshape": Row(reshaped, lambda x, size: torch.reshape(x, size), "fci", count=8),
    "_transpose": Row(transposed, lambda x, dim0, dim1: x.transpose(dim0, dim1), "fci"),
    "_permute": Row(permuted, lambda x, dims: x.permute(dims), "fci"),
    "reverse_dims": Row(small, lambda x: x.t(), "fci"),
    "_clone": Row(plain, lambda x: x.clone(), "fciub"),
    "view_bits": Row(bits, lambda x, to: x.view(dtype_of(to)), "fi", 0),
    "getitem": Row(indexed, lambda x, index: x[index], "fci", count=13),
    "getitem_grad": Row(scattered, getitem_grad, "fc", count=13),
    "put": Row(put, put_reference, "fci", count=16),
    "_masked_fill": Row(masked_fill, masked_fill_reference, "fcib", count=10),
    "_extreme_at": Row(extremes_at, extremes_at_reference, "fi", kinks=tied_extremes_at, count=8),
    "_extreme_shares": Row(shares, shares_reference, "f", 0),
    "_as_strided": Row(strided, strided_reference, "fci", count=8),
    "_diagonal": Row(
        diagonal, lambda x, offset, dim1, dim2: torch.diagonal(x, offset, dim1, dim2), "fci"
    ),
    "_from_diagonal": Row(from_diagonal, from_diagonal_reference, "fc"),
    "_tril": Row(triangle, lambda x, diagonal: torch.tril(x, diagonal), "fcib"),
    "_triu": Row(triangle, lambda x, diagonal: torch.triu(x, diagonal), "fcib"),
    "_repeat": Row(repeated, lambda x, counts: x.repeat(counts), "fci"),
    "_repeat_each": Row(
        repeated_each, lambda x, count, dim: torch.repeat_interleave(x, count, dim), "fci"
    ),
    "_flip": Row(flipped, flip_reference, "fci"),
    "_roll": Row(rolled, lambda x, shifts, dims: torch.roll(x, shifts, dims), "fci"),
    "_cat": Row(joined, lambda *parts, dim, ends: torch.cat(parts, dim), "fci"),
    "_stack": Row(stacked, lambda *parts, dim: torch.stack(parts, dim), "fci"),
    "_assemble": Row(assembled, assemble_reference, "fc"),
    "_parts": Row(parted, lambda x, indices: tuple(x[index] for index in indices), "fci"),
    "take_rows": Row(plain_rows, take_rows_reference, "f", kinks=taken),
    "take_rows_grad": Row(rows_grad, rows_grad_reference, "f", count=8),
    "_weigh_rows": Row(taken, weighed, "f", count=8),
    "fill": Row(filled, lambda x, value: torch.zeros_like(x) + value, "fc"),
    "place": Row(placed, place_reference, "fci"),
    "move": Row(moved, lambda x, to, origin: x.clone(), "fci"),
}
