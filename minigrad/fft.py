"""Discrete Fourier transforms under torch.fft's names."""

from __future__ import annotations

from typing import Any

from minigrad.absent import explaining
from minigrad.errors import ArgumentError
from minigrad.ops.dims import shape_of, wrap_dims
from minigrad.ops.fourier import (
    fft,
    fft2,
    fftn,
    hfft,
    hfft2,
    hfftn,
    ifft,
    ifft2,
    ifftn,
    ihfft,
    ihfft2,
    ihfftn,
    irfft,
    irfft2,
    irfftn,
    rfft,
    rfft2,
    rfftn,
)
from minigrad.ops.ranges import arange
from minigrad.ops.rearrange import roll

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2",
    "ifftn", "ifftshift", "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft",
    "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip


def _frequencies(operation: str, n: int, d: float, half: bool, options: Any) -> Any:
    if n < 1:
        raise ArgumentError(f"{operation}(): argument 'n' must be at least 1, got {n}")
    if d == 0:
        raise ArgumentError(f"{operation}(): argument 'd', the time between two samples, is zero")
    requires_grad = options.pop("requires_grad")
    places = arange(n // 2 + 1 if half else n, **{**options, "dtype": None})
    if not half:
        places = places - n * (places >= (n + 1) // 2)
    found = (places / (n * d)).to(options["dtype"]) if options["dtype"] else places / (n * d)
    return found.requires_grad_() if requires_grad else found


def fftfreq(
    n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """The frequencies of `fft`'s results, in cycles per unit of `d`, the time between samples.

    >>> import minigrad
    >>> minigrad.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}
    return _frequencies("fft.fftfreq", n, d, False, options)


def rfftfreq(
    n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """The frequencies of `rfft`'s results, in cycles per unit of `d`, the time between samples."""
    options = {"dtype": dtype, "device": device, "requires_grad": requires_grad}
    return _frequencies("fft.rfftfreq", n, d, True, options)


def fftshift(input: Any, dim: Any = None) -> Any:
    """The frequencies in rising order, zero in the middle; of all dimensions unless `dim` is given.

    >>> import minigrad
    >>> minigrad.fft.fftshift(minigrad.tensor([0, 1, -2, -1]))
    tensor([-2, -1,  0,  1])
    """
    return _shifted("fft.fftshift", input, dim, 1)


def ifftshift(input: Any, dim: Any = None) -> Any:
    """What `fftshift` has moved, back in place."""
    return _shifted("fft.ifftshift", input, dim, -1)


def _shifted(operation: str, input: Any, dim: Any, sign: int) -> Any:
    shape = shape_of(input)
    dims = tuple(range(len(shape))) if dim is None else wrap_dims(operation, dim, len(shape))
    if not dims or not shape:
        return input.clone()
    return roll(input, tuple(sign * (shape[dim] // 2) for dim in dims), dims)


__getattr__ = explaining(__name__)
