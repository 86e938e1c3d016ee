"""What a tensor is, as methods of Tensor: its shape, dtype, device and place in memory."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of, device, device_of
from minigrad.errors import ArgumentError
from minigrad.formats import layout, strided
from minigrad.graph import Traced
from minigrad.ops.strides import offset_of


class Size(tuple[int, ...]):
    """A shape: a tuple of ints with torch's name and repr."""

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        count = 1
        for size in self:
            count *= size
        return count

    def __repr__(self) -> str:
        return f"minigrad.Size({list(self)})"


class DescribeMethods(Traced):
    """Methods that say what a tensor is without changing it."""

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return Size(self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        shape = self._array.shape
        if dim is None:
            return Size(shape)
        try:
            return shape[dim]
        except IndexError:
            raise IndexError(
                f"size(): dimension {dim} is out of range for a tensor of {len(shape)} dimensions"
            ) from None

    @property
    def dtype(self) -> Any:
        """The dtype of the elements, a NumPy dtype object."""
        return self._array.dtype

    @property
    def device(self) -> device:
        """Where the elements live."""
        return device_of(self._array)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return int(self._array.ndim)

    def dim(self) -> int:
        """The number of dimensions."""
        return int(self._array.ndim)

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return int(self._array.size)

    nelement = numel

    def element_size(self) -> int:
        """The bytes of one element."""
        return int(self._array.dtype.itemsize)

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return int(self._array.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return int(self._array.nbytes)

    @property
    def is_cuda(self) -> bool:
        """Whether the elements live on a CUDA device."""
        return self.device.type == "cuda"

    @property
    def is_cpu(self) -> bool:
        """Whether the elements live in the host's memory."""
        return self.device.type == "cpu"

    @property
    def layout(self) -> layout:
        """The kind of tensor: strided, as all are."""
        return strided

    is_meta = is_mps = is_quantized = is_sparse = is_sparse_csr = is_xpu = False

    def get_device(self) -> int:
        """The number of the CUDA device that holds the elements; -1 for the CPU."""
        place = self.device
        return -1 if place.type == "cpu" else place.index or 0

    def is_nonzero(self) -> bool:
        """Whether the only element is not zero. Raises ArgumentError where there are more."""
        if self._array.size != 1:
            raise ArgumentError(
                f"is_nonzero(): a tensor of shape {list(self._array.shape)} is neither true nor "
                f"false; use any() or all()"
            )
        return bool(self._array.item() != 0)

    def is_same_size(self, other: Any) -> bool:
        """Whether another tensor has the same shape."""
        return bool(self._array.shape == other._array.shape)

    def is_signed(self) -> bool:
        """Whether the dtype has negative numbers."""
        return bool(self._array.dtype.kind in "ifc")

    def is_conj(self) -> bool:
        """Whether the elements in memory wait to be conjugated; they never do."""
        return False

    def is_neg(self) -> bool:
        """Whether the elements in memory wait to be negated; they never do."""
        return False

    def is_floating_point(self) -> bool:
        """Whether the dtype is float16, float32 or float64."""
        return bool(self._array.dtype.kind == "f")

    def is_complex(self) -> bool:
        """Whether the dtype is complex64 or complex128."""
        return bool(self._array.dtype.kind == "c")

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in row-major order without gaps."""
        return bool(self._array.flags.c_contiguous)

    def stride(self, dim: int | None = None) -> Any:
        """The step in elements along each dimension, or along one."""
        strides = tuple(step // self._array.itemsize for step in self._array.strides)
        return strides if dim is None else strides[dim]

    def storage_offset(self) -> int:
        """How many elements of the shared buffer come before the first of this tensor."""
        return offset_of(self._array)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return backend_of(self._array).address(self._array)
