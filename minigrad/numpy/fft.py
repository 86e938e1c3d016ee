"""NumPy's Fourier transforms, of complex and real signals along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from minigrad import fft as torch_like
from minigrad.numpy.base import axes_of, axis_of, delivered, floating, lift, made
from minigrad.ops.promotion import convert

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip


def _signal(a: Any) -> Any:
    a = floating(a)
    return convert(a, numpy.dtype("float32")) if a.dtype.itemsize == 2 else a


def _one(function: Callable[..., Any]) -> Callable[..., Any]:
    """A transform along one axis, with NumPy's arguments."""

    def transform(
        a: Any, /, n: int | None = None, axis: int = -1, norm: Any = None, out: Any = None
    ) -> Any:
        a = _signal(a)
        result = function(a, n, axis_of(axis, a.ndim), norm)
        return delivered(result, out, True, function.__name__)

    transform.__name__ = transform.__qualname__ = function.__name__
    transform.__doc__ = function.__doc__
    return transform


def _several(function: Callable[..., Any], default: Any) -> Callable[..., Any]:
    """A transform along several axes, with NumPy's arguments."""

    def transform(
        a: Any, /, s: Any = None, axes: Any = default, norm: Any = None, out: Any = None
    ) -> Any:
        a = _signal(a)
        if axes is None and s is not None:
            axes = tuple(range(-len(s), 0))
        result = function(a, s, axes_of(None if axes is None else tuple(axes), a.ndim), norm)
        return delivered(result, out, True, function.__name__)

    transform.__name__ = transform.__qualname__ = function.__name__
    transform.__doc__ = function.__doc__
    return transform


fft = _one(torch_like.fft)
ifft = _one(torch_like.ifft)
rfft = _one(torch_like.rfft)
irfft = _one(torch_like.irfft)
hfft = _one(torch_like.hfft)
ihfft = _one(torch_like.ihfft)
fftn = _several(torch_like.fftn, None)
ifftn = _several(torch_like.ifftn, None)
rfftn = _several(torch_like.rfftn, None)
irfftn = _several(torch_like.irfftn, None)
fft2 = _several(torch_like.fftn, (-2, -1))
ifft2 = _several(torch_like.ifftn, (-2, -1))
rfft2 = _several(torch_like.rfftn, (-2, -1))
irfft2 = _several(torch_like.irfftn, (-2, -1))


def fftfreq(n: int, /, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of `fft`'s results, in cycles per unit of `d`, the time between samples."""
    result = made(numpy.fft.fftfreq(n, d).astype(float if dtype is None else dtype))
    return result if device is None else result.to(device)


def rfftfreq(n: int, /, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of `rfft`'s results, in cycles per unit of `d`, the time between samples."""
    result = made(numpy.fft.rfftfreq(n, d).astype(float if dtype is None else dtype))
    return result if device is None else result.to(device)


def fftshift(x: Any, /, axes: Any = None) -> Any:
    """The frequencies in rising order, zero in the middle."""
    x = lift(x)
    return torch_like.fftshift(x, axes_of(axes, x.ndim))


def ifftshift(x: Any, /, axes: Any = None) -> Any:
    """What `fftshift` has moved, back in place."""
    x = lift(x)
    return torch_like.ifftshift(x, axes_of(axes, x.ndim))
