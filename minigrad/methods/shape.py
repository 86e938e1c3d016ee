"""The shape operations as methods of Tensor."""

from __future__ import annotations

from typing import Any

from minigrad.dtypes import as_dtype
from minigrad.errors import ArgumentError
from minigrad.inplace import in_place
from minigrad.methods.restride import restride
from minigrad.ops import diagonal as diagonals
from minigrad.ops import expand as expanding
from minigrad.ops import join, rearrange, strides
from minigrad.ops import shape as shapes
from minigrad.ops.dims import sizes


def _shape_of(operation: str, tensor: Any, other: Any) -> Any:
    """The shape of another tensor of as many elements."""
    if tensor.numel() != other.numel():
        raise ArgumentError(
            f"{operation}(): argument 'other' has shape {list(other.shape)}, this tensor "
            f"{list(tensor.shape)}; they must have as many elements"
        )
    return other.shape


class ShapeMethods:
    """Methods from the shape families of operations."""

    __slots__ = ()

    @property
    def T(self) -> Any:
        """The dimensions in reverse order: the transpose of a matrix; a view."""
        return shapes.reverse_dims(self)

    @property
    def mT(self) -> Any:
        """The last two dimensions exchanged; a view."""
        return shapes.matrix_transpose(self)

    @property
    def H(self) -> Any:
        """A matrix transposed and conjugated."""
        return shapes.conjugate_transpose(self)

    @property
    def mH(self) -> Any:
        """The last two dimensions exchanged, and the elements conjugated."""
        return shapes.adjoint(self)

    def reshape(self, *given: Any, shape: Any = None) -> Any:
        """The same elements in another shape, one size of which may be -1: a view if possible."""
        if shape is None:
            shape = given[0] if len(given) == 1 and given[0].__class__ is not int else given
        return shapes.reshape(self, shape)

    def view(self, *shape: Any, size: Any = None, dtype: Any = None) -> Any:
        """As `reshape`, but always a view; or, given a dtype, the same bytes read as that dtype."""
        shape = shape if size is None and dtype is None else (size if dtype is None else dtype,)
        if len(shape) == 1 and shape[0].__class__ is not int:
            if not isinstance(shape[0], (tuple, list)):
                return shapes.view_bits(self, to=as_dtype(shape[0], "view"))
            shape = tuple(shape[0])
        return shapes.view(self, shape)

    def view_as(self, other: Any) -> Any:
        """The same elements seen in another tensor's shape."""
        return shapes.view(self, _shape_of("view_as", self, other))

    def reshape_as(self, other: Any) -> Any:
        """The same elements in another tensor's shape."""
        return shapes.reshape(self, _shape_of("reshape_as", self, other))

    def expand(self, *given: Any, size: Any = None) -> Any:
        """The tensor seen at a larger shape, dimensions of size 1 repeated without a copy."""
        return expanding.expand(self, sizes("expand", given if size is None else (size,)))

    def expand_as(self, other: Any) -> Any:
        """The tensor seen at another tensor's shape."""
        return expanding.expand(self, other.shape)

    def permute(self, *given: Any, dims: Any = None) -> Any:
        """The dimensions in the order given; a view."""
        return shapes.permute(self, sizes("permute", given if dims is None else (dims,), "dims"))

    def sum_to_size(self, *size: Any) -> Any:
        """The sum down to a size that broadcasts to this tensor's."""
        return expanding.sum_to_size(self, *size)

    def repeat(self, *given: Any, repeats: Any = None) -> Any:
        """The tensor copied side by side, so many times along each dimension."""
        return rearrange.repeat(self, *(given if repeats is None else (repeats,)))

    def tile(self, *given: Any, dims: Any = None) -> Any:
        """The tensor copied side by side; fewer counts than dimensions leave the first alone."""
        return rearrange.tile(self, sizes("tile", given if dims is None else (dims,), "dims"))

    def flip(self, *given: Any, dims: Any = None) -> Any:
        """The elements in reverse order along the dimensions; a copy."""
        return rearrange.flip(self, sizes("flip", given if dims is None else (dims,), "dims"))

    adjoint = shapes.adjoint
    as_strided = strides.as_strided
    broadcast_to = expanding.broadcast_to
    chunk = join.chunk
    clone = shapes.clone
    contiguous = shapes.contiguous
    diag = diagonals.diag
    diag_embed = diagonals.diag_embed
    diagflat = diagonals.diagflat
    diagonal = diagonals.diagonal
    dsplit = join.dsplit
    flatten = shapes.flatten
    fliplr = rearrange.fliplr
    flipud = rearrange.flipud
    hsplit = join.hsplit
    moveaxis = shapes.moveaxis
    movedim = shapes.movedim
    ravel = shapes.ravel
    repeat_interleave = rearrange.repeat_interleave
    roll = rearrange.roll
    rot90 = rearrange.rot90
    split = join.split
    split_with_sizes = join.split_with_sizes
    squeeze = shapes.squeeze
    swapaxes = shapes.swapaxes
    swapdims = shapes.swapdims
    t = shapes.t
    tensor_split = join.tensor_split
    trace = diagonals.trace
    transpose = shapes.transpose
    tril = diagonals.tril
    triu = diagonals.triu
    unbind = join.unbind
    unflatten = shapes.unflatten
    unfold = rearrange.unfold
    unsafe_chunk = join.unsafe_chunk
    unsafe_split = join.unsafe_split
    unsafe_split_with_sizes = join.split_with_sizes
    unsqueeze = shapes.unsqueeze
    vsplit = join.vsplit

    as_strided_ = restride(strides.as_strided)
    squeeze_ = restride(shapes.squeeze)
    swapaxes_ = restride(shapes.swapaxes)
    swapdims_ = restride(shapes.swapdims)
    t_ = restride(shapes.t)
    transpose_ = restride(shapes.transpose)
    tril_ = in_place(diagonals.tril)
    triu_ = in_place(diagonals.triu)
    unsqueeze_ = restride(shapes.unsqueeze)
