"""The same elements in another shape or order of dimensions: views wherever memory allows."""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.graph import Declaration, Traced, primitive
from minigrad.graph import view as view_of
from minigrad.ops.dims import shape_of, wrap_dim, wrap_dims
from minigrad.ops.elementwise import conj

__all__ = [
    "adjoint", "atleast_1d", "atleast_2d", "atleast_3d", "clone", "flatten", "moveaxis", "movedim",
    "permute", "ravel", "reshape", "squeeze", "swapaxes", "swapdims", "t", "transpose",
    "unflatten", "unsqueeze",
]  # fmt: skip


@view_of(input=lambda g, shape: _reshape(g, size=shape))
def _reshape(xp: Any, input: Any, *, size: Any) -> Any:
    out = input.reshape(size)
    if out.shape != size:
        # NumPy takes any negative size for the unknown one.
        for length in size if isinstance(size, (tuple, list)) else (size,):
            if length < -1:
                raise ArgumentError(
                    f"reshape(): argument 'shape' is {size}; a size must be positive, zero, or -1 "
                    f"once for the size that is left"
                )
    return out


@view_of(input=lambda g, dim0, dim1: _transpose(g, dim0=dim0, dim1=dim1))
def _transpose(xp: Any, input: Any, *, dim0: int, dim1: int) -> Any:
    if not input.ndim:
        wrap_dim("transpose", dim0, 0, "dim0")
        wrap_dim("transpose", dim1, 0, "dim1")
        return input.transpose()
    return input.swapaxes(dim0, dim1)


@view_of(input=lambda g, dims: _permute(g, dims=_inverse(dims)))
def _permute(xp: Any, input: Any, *, dims: tuple[int, ...]) -> Any:
    return input.transpose(dims)


@view_of(input=lambda g: g.T)
def reverse_dims(xp: Any, input: Any) -> Any:
    """The tensor with its dimensions in reverse order: the transpose of a matrix."""
    return input.T


def _inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    count = len(dims)
    places = [0] * count
    for place, dim in enumerate(dims):
        places[dim % count] = place
    return tuple(places)


@primitive(input=lambda g: g)
def _clone(xp: Any, input: Any) -> Any:
    return input.copy()


def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy, with its own memory; the gradient goes through. Elements lie in row-major order."""
    return _clone(input)


def contiguous(input: Any, memory_format: Any = None) -> Any:
    """The tensor itself if its elements lie in row-major order without gaps, else a copy."""
    array = input._array if isinstance(input, Traced) else input
    return input if array.flags.c_contiguous else _clone(input)


def reshape(input: Any, shape: Any) -> Any:
    """The same elements in another shape, one size of which may be -1: a view where possible.

    Raises ArgumentError when the number of elements differs.

    >>> import minigrad
    >>> minigrad.reshape(minigrad.arange(6), (2, -1)).shape
    minigrad.Size([2, 3])
    """
    return _reshape(input, size=shape)


def view(input: Any, size: Any) -> Any:
    """As `reshape`, but always a view: raises ArgumentError where a copy would be needed."""
    result = _reshape(input, size=size)
    array = input._array if isinstance(input, Traced) else input
    if not array.flags.c_contiguous and array.size:
        made = result._array if isinstance(result, Traced) else result
        if made.base is not array and (made.base is None or made.base is not array.base):
            raise ArgumentError(
                f"view(): a tensor of shape {list(array.shape)} with these strides cannot be seen "
                f"as 'size' {list(made.shape)} without a copy; write x.reshape(...) instead"
            )
    return result


@Declaration(view=True)()
def view_bits(xp: Any, input: Any, *, to: Any) -> Any:
    """The same bytes read as another dtype; no gradient goes through."""
    return input.view(to)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from `start_dim` to `end_dim` made one; a view where possible."""
    shape = shape_of(input)
    count = len(shape)
    start = wrap_dim("flatten", start_dim, count, "start_dim")
    end = wrap_dim("flatten", end_dim, count, "end_dim")
    if start > end:
        raise ArgumentError(
            f"flatten(): argument 'start_dim' is {start_dim}, which comes after 'end_dim' {end_dim}"
        )
    if start == end and count:
        return input
    size = (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])
    return _reshape(input, size=size)


def ravel(input: Any) -> Any:
    """All elements in one dimension, in row-major order; a view where possible."""
    return flatten(input)


def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """One dimension split into several, one of whose sizes may be -1."""
    dim = wrap_dim("unflatten", dim, input.ndim)
    shape = tuple(input.shape)
    parts = tuple(sizes) if isinstance(sizes, (tuple, list)) else (sizes,)
    known = prod(part for part in parts if part != -1)
    holes = parts.count(-1)
    fits = known and not shape[dim] % known if holes == 1 else known == shape[dim]
    if not parts or holes > 1 or not fits:
        raise ArgumentError(
            f"unflatten(): argument 'sizes' is {list(parts)}, whose product is not {shape[dim]}, "
            f"the size of dimension {dim} in shape {list(shape)}"
        )
    parts = tuple(shape[dim] // known if part == -1 else part for part in parts)
    return _reshape(input, size=(*shape[:dim], *parts, *shape[dim + 1 :]))


def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the dimensions of size 1, or without those among `dim` that have size 1; a view."""
    shape = shape_of(input)
    if dim is None:
        size = tuple(length for length in shape if length != 1)
    else:
        dims = wrap_dims("squeeze", dim, len(shape))
        size = tuple(n for place, n in enumerate(shape) if n != 1 or place not in dims)
    return _reshape(input, size=size)


def unsqueeze(input: Any, dim: int) -> Any:
    """With a dimension of size 1 put in at `dim`; a view."""
    shape = shape_of(input)
    dim = wrap_dim("unsqueeze", dim, len(shape) + 1)
    return _reshape(input, size=(*shape[:dim], 1, *shape[dim:]))


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged; a view.

    >>> import minigrad
    >>> minigrad.transpose(minigrad.zeros(2, 3), 0, 1).shape
    minigrad.Size([3, 2])
    """
    return _transpose(input, dim0=dim0, dim1=dim1)


def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """Two dimensions exchanged; a view."""
    return _transpose(input, dim0=axis0, dim1=axis1)


def swapdims(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged; a view."""
    return _transpose(input, dim0=dim0, dim1=dim1)


def t(input: Any) -> Any:
    """The transpose of a matrix; a vector or a number itself. A view.

    Raises ArgumentError for more than two dimensions.
    """
    if input.ndim > 2:
        raise ArgumentError(
            f"t(): argument 'input' has {input.ndim} dimensions; write x.mT to exchange the last "
            f"two, or x.transpose(dim0, dim1)"
        )
    return reverse_dims(input)


def matrix_transpose(input: Any, operation: str = "mT") -> Any:
    """The last two dimensions exchanged; a view. Raises ArgumentError below two dimensions."""
    if input.ndim < 2:
        raise ArgumentError(
            f"{operation}: needs a tensor of at least 2 dimensions, this one has {input.ndim}"
        )
    return _transpose(input, dim0=-2, dim1=-1)


def adjoint(input: Any) -> Any:
    """The last two dimensions exchanged, and complex elements conjugated."""
    result = matrix_transpose(input, "adjoint()")
    return conj(result) if input.dtype.kind == "c" else result


def conjugate_transpose(input: Any) -> Any:
    """A matrix transposed and conjugated; raises ArgumentError for more than two dimensions."""
    if input.ndim not in (0, 2):
        raise ArgumentError(
            f"H: needs a matrix, this tensor has {input.ndim} dimensions; write x.mH for batches"
        )
    result = reverse_dims(input)
    return conj(result) if input.dtype.kind == "c" else result


def permute(input: Any, dims: Any) -> Any:
    """The dimensions in the order given; a view."""
    return _permute(input, dims=tuple(dims) if isinstance(dims, (tuple, list)) else (dims,))


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """The dimensions `source` moved to the places `destination`, the others in order; a view."""
    count = input.ndim
    sources = wrap_dims("movedim", source, count, "source")
    targets = wrap_dims("movedim", destination, count, "destination")
    if len(sources) != len(targets):
        raise ArgumentError(
            f"movedim(): argument 'source' names {len(sources)} dimensions and 'destination' "
            f"{len(targets)}; give as many"
        )
    if not count:
        return _permute(input, dims=())
    order = [dim for dim in range(count) if dim not in sources]
    for target, dim in sorted(zip(targets, sources)):
        order.insert(target, dim)
    return _permute(input, dims=tuple(order))


moveaxis = movedim


def unpacked(tensors: Any) -> tuple[Any, ...]:
    """The tensors that a call gave one by one or as one sequence."""
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        return tuple(tensors[0])
    return tuple(tensors)


def atleast_1d(*tensors: Any) -> Any:
    """Each tensor, a 0-d one with a dimension added; views."""
    return _at_least(1, tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with dimensions added in front up to two; views."""
    return _at_least(2, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with dimensions added up to three: a matrix gets its third at the end; views."""
    return _at_least(3, tensors)


def _at_least(count: int, tensors: tuple[Any, ...]) -> Any:
    if len(tensors) == 1 and not isinstance(tensors[0], (tuple, list)):
        return _lifted(tensors[0], count)
    return tuple(_lifted(tensor, count) for tensor in unpacked(tensors))


def _lifted(tensor: Any, count: int) -> Any:
    shape = tuple(tensor.shape)
    if len(shape) >= count:
        return tensor
    if count == 3 and shape:
        size = (1, *shape, 1) if len(shape) == 1 else (*shape, 1)
    else:
        size = (1,) * (count - len(shape)) + shape
    return _reshape(tensor, size=size)
