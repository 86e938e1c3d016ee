"""The fills, in place and in new tensors, as methods of Tensor."""

from __future__ import annotations

from typing import Any

from minigrad.inplace import in_place
from minigrad.ops import creation, data, random
from minigrad.ops import diagonal as diagonals


def _zero(input: Any) -> Any:
    return creation.fill(input, 0)


_zero.__name__ = "zero"


class CreationMethods:
    """Methods that make tensors like this one, and that fill it."""

    __slots__ = ()

    def new_zeros(
        self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Any:
        """Zeros of another shape, in this tensor's dtype and on its device."""
        return creation.zeros(*size, **_like(self, dtype, device, requires_grad))

    def new_ones(
        self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Any:
        """Ones of another shape, in this tensor's dtype and on its device."""
        return creation.ones(*size, **_like(self, dtype, device, requires_grad))

    def new_empty(
        self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Any:
        """A tensor to be written, of another shape, in this tensor's dtype and on its device."""
        return creation.empty(*size, **_like(self, dtype, device, requires_grad))

    def new_full(
        self,
        size: Any,
        fill_value: Any,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
    ) -> Any:
        """One value in another shape, in this tensor's dtype and on its device."""
        return creation.full(size, fill_value, **_like(self, dtype, device, requires_grad))

    def new_tensor(
        self, data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Any:
        """A copy of data as a tensor of this one's dtype and on its device."""
        return _tensor(data, **_like(self, dtype, device, requires_grad))

    def new(self, *data: Any, device: Any = None) -> Any:
        """A tensor of this one's dtype and device, of the data or, given sizes, to be written."""
        if all(isinstance(size, int) for size in data):
            return self.new_empty(*(data or (0,)), device=device)
        if len(data) > 1:
            raise TypeError("new(): give one sequence of numbers, or sizes")
        return self.new_tensor(data[0], device=device)

    bernoulli = random.bernoulli
    bernoulli_ = in_place(random.bernoulli_like)
    cauchy_ = in_place(random.cauchy_like)
    exponential_ = in_place(random.exponential_like)
    fill_ = in_place(creation.fill)
    fill_diagonal_ = in_place(diagonals.fill_diagonal)
    geometric_ = in_place(random.geometric_like)
    log_normal_ = in_place(random.log_normal_like)
    multinomial = random.multinomial
    normal_ = in_place(random.normal_like)
    random_ = in_place(random.random_like)
    uniform_ = in_place(random.uniform_like)
    zero_ = in_place(_zero)


_tensor = data.tensor


def _like(tensor: Any, dtype: Any, device: Any, requires_grad: bool) -> dict[str, Any]:
    """The arguments that make a tensor like another."""
    return {
        "dtype": tensor.dtype if dtype is None else dtype,
        "device": tensor.device if device is None else device,
        "requires_grad": requires_grad,
    }
