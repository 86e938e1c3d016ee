"""Tensors joined into one and one taken apart: cat, stack, split, chunk, unbind and their kin."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import prod
from typing import Any

from minigrad import dtypes, mutation
from minigrad.errors import ArgumentError
from minigrad.graph import Declaration, Traced, primitive
from minigrad.ops.creation import zeros
from minigrad.ops.dims import wrap_dim
from minigrad.ops.index import getitem, getitem_grad
from minigrad.ops.promotion import convert
from minigrad.ops.shape import atleast_1d, atleast_2d, atleast_3d, reshape

__all__ = [
    "block_diag", "cat", "chunk", "column_stack", "concat", "concatenate", "dsplit", "dstack",
    "hsplit", "hstack", "row_stack", "split", "split_with_sizes", "stack", "tensor_split", "unbind",
    "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "vsplit", "vstack",
]  # fmt: skip

_ALL = slice(None)


def _part(dim: int, start: int, stop: int) -> tuple[Any, ...]:
    """The index of a stretch of one dimension."""
    return (_ALL,) * dim + (slice(start, stop),)


@primitive(
    tensors=lambda g, position, shape, dim, ends: getitem(
        g, index=_part(dim, ends[position] - shape[dim], ends[position])
    )
)
def _cat(xp: Any, *tensors: Any, dim: int, ends: tuple[int, ...]) -> Any:
    return xp.concatenate(tensors, axis=dim)


def cat(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Any:
    """The tensors one after the other along a dimension, `dim` or `axis`; dtypes are promoted.

    Raises ArgumentError where shapes differ in another dimension. Empty 1-d tensors are skipped.

    >>> import minigrad
    >>> minigrad.cat((minigrad.zeros(1), minigrad.ones(2)))
    tensor([0., 1., 1.])
    """
    if axis is not None:
        dim = axis
    given, shapes = _sequence("cat", tensors)
    if (0,) in shapes and any(shape != (0,) for shape in shapes):
        given = tuple(tensor for tensor, shape in zip(given, shapes) if shape != (0,))
        shapes = [shape for shape in shapes if shape != (0,)]
    count = len(shapes[0])
    if not count:
        raise ArgumentError("cat(): argument 'tensors' holds 0-d tensors; use stack() for those")
    dim = wrap_dim("cat", dim, count)
    if any(len(shape) != count for shape in shapes):
        raise ArgumentError(
            f"cat(): argument 'tensors' holds tensors of different numbers of dimensions, of "
            f"shapes {[list(shape) for shape in shapes]}"
        )
    # Whether the other dimensions agree is for the concatenation to say.
    return _cat(*given, dim=dim, ends=tuple(accumulate([shape[dim] for shape in shapes])))


concat = concatenate = cat


def _sequence(operation: str, tensors: Any) -> tuple[Any, list[tuple[int, ...]]]:
    """Tensors given as a sequence, in one dtype, and their shapes."""
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{operation}(): argument 'tensors' must be a tuple or list of tensors, not "
            f"{type(tensors).__name__}; write {operation}((a, b))"
        )
    if not tensors:
        raise ArgumentError(f"{operation}(): argument 'tensors' is empty; give at least one tensor")
    arrays = [value._array if isinstance(value, Traced) else value for value in tensors]
    try:
        first = arrays[0].dtype
        shapes = []
        agree = True
        for array in arrays:
            shapes.append(array.shape)
            agree = agree and array.dtype is first
    except AttributeError:
        kinds = [type(value).__name__ for value in tensors]
        raise TypeError(
            f"{operation}(): argument 'tensors' must hold tensors only, it holds {kinds}"
        ) from None
    if not agree:
        dtype = dtypes.result_dtype([(array.dtype, array.ndim) for array in arrays], [])
        tensors = tuple(convert(tensor, dtype) for tensor in tensors)
    return tensors, shapes


@primitive(tensors=lambda g, position, dim: getitem(g, index=(_ALL,) * dim + (position, Ellipsis)))
def _stack(xp: Any, *tensors: Any, dim: int) -> Any:
    place = (_ALL,) * dim + (None,)
    return xp.concatenate([tensor[place] for tensor in tensors], axis=dim)


def stack(tensors: Any, dim: int = 0) -> Any:
    """The tensors, all of one shape, along a new dimension.

    Raises ArgumentError where shapes differ.
    """
    given, shapes = _sequence("stack", tensors)
    first = shapes[0]
    dim = wrap_dim("stack", dim, len(first) + 1)
    if any(shape != first for shape in shapes):
        raise ArgumentError(
            f"stack(): argument 'tensors' holds shapes {[list(shape) for shape in shapes]}; stack "
            f"needs equal shapes, cat() joins along one dimension"
        )
    return _stack(*given, dim=dim)


def hstack(tensors: Any) -> Any:
    """The tensors side by side: along the second dimension, or the only one."""
    lifted = atleast_1d(list(_sequence("hstack", tensors)[0]))
    return cat(lifted, 0 if lifted[0].ndim == 1 else 1)


def vstack(tensors: Any) -> Any:
    """The tensors one below the other: along the first of at least two dimensions."""
    return cat(atleast_2d(list(_sequence("vstack", tensors)[0])), 0)


row_stack = vstack


def dstack(tensors: Any) -> Any:
    """The tensors one behind the other: along the third of at least three dimensions."""
    return cat(atleast_3d(list(_sequence("dstack", tensors)[0])), 2)


def column_stack(tensors: Any) -> Any:
    """The tensors side by side, vectors as columns."""
    given, _ = _sequence("column_stack", tensors)
    lifted = [x if x.ndim > 1 else reshape(x, (x.shape[0] if x.ndim else 1, 1)) for x in given]
    return cat(lifted, 1)


@primitive(tensors=lambda g, position, indices: getitem(g, index=indices[position]))
def _assemble(xp: Any, *tensors: Any, indices: tuple[Any, ...], size: tuple[int, ...]) -> Any:
    """Zeros of `size` with each tensor at its index; no two indices meet."""
    full = sum(tensor.size for tensor in tensors) == prod(size)
    out = (xp.empty if full else xp.zeros)(size, tensors[0].dtype)
    for index, tensor in zip(indices, tensors):
        out[index] = tensor
    return out


def block_diag(*tensors: Any) -> Any:
    """The matrix of zeros with the tensors along its diagonal; vectors count as rows.

    >>> import minigrad
    >>> block_diag(minigrad.tensor([1, 2]), minigrad.tensor(3))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    given, shapes = _sequence("block_diag", tensors or (zeros(1, 0),))
    for position, shape in enumerate(shapes):
        if len(shape) > 2:
            raise ArgumentError(
                f"block_diag(): argument 'tensors' holds a tensor of shape {list(shape)} at "
                f"{position}; give tensors of at most two dimensions"
            )
    blocks = atleast_2d(list(given))
    rows, columns = ([0, *accumulate(block.shape[dim] for block in blocks)] for dim in (0, 1))
    places = tuple(
        (slice(*down), slice(*across)) for down, across in zip(pairwise(rows), pairwise(columns))
    )
    return _assemble(*blocks, indices=places, size=(rows[-1], columns[-1]))


def _reassemble(g: Any, size: tuple[int, ...], indices: tuple[Any, ...]) -> Any:
    """The cotangent of a tensor from those of its parts, of which some may be missing."""
    present = [(part, index) for part, index in zip(g, indices) if part is not None]
    if len(present) == 1:
        return getitem_grad(present[0][0], index=present[0][1], size=size)
    parts, places = zip(*present)
    return _assemble(*parts, indices=places, size=size)


@Declaration(outputs=2)(input=lambda g, shape, indices: _reassemble(g, shape, indices))
def _parts(xp: Any, input: Any, *, indices: tuple[Any, ...]) -> Any:
    """Views of an array at several indices: one node for all."""
    return tuple(input[index] for index in indices)


def _views(input: Any, indices: tuple[Any, ...]) -> tuple[Any, ...]:
    """The views of a tensor at several indices."""
    if len(indices) < 2:
        return tuple(getitem(input, index=index) for index in indices)
    parts = _parts(input, indices=indices)
    if isinstance(input, Traced):
        for part, index in zip(parts, indices):
            mutation.link(part, input, getitem, (), {"index": index})
    return parts  # type: ignore[no-any-return]


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of a tensor along a dimension: of one size, the last smaller, or of the sizes given.

    Raises ArgumentError where the sizes do not add up to the dimension's.
    """
    dim, length = _divided("split", tensor, dim)
    if isinstance(split_size_or_sections, (tuple, list)):
        lengths = list(split_size_or_sections)
        if sum(lengths) != length or any(n < 0 for n in lengths):
            raise ArgumentError(
                f"split(): argument 'split_size_or_sections' is {lengths}, which adds up to "
                f"{sum(lengths)}; dimension {dim} of shape {list(tensor.shape)} has size {length}"
            )
        ends = list(accumulate(lengths))
    else:
        size = split_size_or_sections
        if size < 0 or (size == 0 and length):
            raise ArgumentError(
                f"split(): argument 'split_size_or_sections' is {size}; a size must be above zero"
            )
        ends = [min(end, length) for end in range(size, length + size, size)] if size else [0]
        ends = ends or [0]
    return _views(tensor, tuple(_part(dim, a, b) for a, b in pairwise([0, *ends])))


def _divided(operation: str, tensor: Any, dim: int) -> tuple[int, int]:
    """The dimension to take apart, and its size."""
    shape = tensor._array.shape if isinstance(tensor, Traced) else tensor.shape
    if not shape:
        raise ArgumentError(f"{operation}(): a 0-d tensor has no dimension to take apart")
    dim = wrap_dim(operation, dim, len(shape))
    return dim, shape[dim]


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most so many views of a tensor along a dimension, of equal size but for the last."""
    dim, length = _divided("chunk", input, dim)
    if chunks < 1:
        raise ArgumentError(f"chunk(): argument 'chunks' is {chunks}; it must be above zero")
    size = -(-length // chunks)
    return split(input, size, dim) if size else split(input, [0] * chunks, dim)


# Torch's do not look after later changes in place; there is nothing to gain from that here.
unsafe_chunk = chunk
unsafe_split = split


def split_with_sizes(input: Any, split_sizes: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of a tensor along a dimension, of the sizes given; see `split`."""
    return split(input, list(split_sizes), dim)


unsafe_split_with_sizes = split_with_sizes


def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of a tensor along a dimension: so many of nearly equal size, or cut at positions."""
    dim, length = _divided("tensor_split", input, dim)
    given = indices_or_sections
    if isinstance(given, Traced):
        given = given._array
    if hasattr(given, "tolist"):
        if given.dtype.kind not in "iu" or given.ndim > 1:
            raise ArgumentError(
                f"tensor_split(): argument 'indices_or_sections' must be a 0-d or 1-d integer "
                f"tensor, got {given.dtype}{list(given.shape)}"
            )
        given = given.tolist()
    if isinstance(given, int):
        if given < 1:
            raise ArgumentError(
                f"tensor_split(): argument 'indices_or_sections' is {given}; the number of "
                f"sections must be above zero"
            )
        small, larger = divmod(length, given)
        lengths = [small + 1] * larger + [small] * (given - larger)
        cuts = list(accumulate(lengths))[:-1]
    else:
        cuts = list(given)
    bounds = [0, *cuts, length]
    indices = tuple(_part(dim, a, b) for a, b in pairwise(bounds))
    places = [min(max(cut + length if cut < 0 else cut, 0), length) for cut in bounds]
    if places != sorted(places):
        # Parts overlap, so that their cotangents cannot be put side by side.
        return tuple(getitem(input, index=index) for index in indices)
    return _views(input, indices)


def hsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Views along the second dimension, or the only one; see `tensor_split`."""
    return _split_along("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1, 1)


def vsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Views along the first of at least two dimensions; see `tensor_split`."""
    return _split_along("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Views along the third of at least three dimensions; see `tensor_split`."""
    return _split_along("dsplit", input, indices_or_sections, 2, 3)


def _split_along(
    operation: str, input: Any, sections: Any, dim: int, least: int
) -> tuple[Any, ...]:
    if input.ndim < least:
        raise ArgumentError(
            f"{operation}(): argument 'input' must have at least {least} dimensions, it has "
            f"{input.ndim}"
        )
    if not isinstance(sections, (int, tuple, list)):
        raise TypeError(
            f"{operation}(): argument 'indices_or_sections' must be an integer or a tuple of them, "
            f"not {type(sections).__name__}"
        )
    if isinstance(sections, int) and (sections < 1 or input.shape[dim] % sections):
        raise ArgumentError(
            f"{operation}(): argument 'indices_or_sections' is {sections}, which does not divide "
            f"{input.shape[dim]}, the size of dimension {dim}"
        )
    return tensor_split(input, sections, dim)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along a dimension, which is dropped; views."""
    dim, length = _divided("unbind", input, dim)
    return _views(input, tuple((_ALL,) * dim + (i, Ellipsis) for i in range(length)))
