"""Discrete Fourier transforms, of complex and real signals along any dimensions.

A transform is a symmetric matrix, so that its derivative is the same transform of the cotangent.
J. W. Cooley and J. W. Tukey, "An algorithm for the machine calculation of complex Fourier series",
Mathematics of Computation 19, 1965.
"""

from __future__ import annotations

import math
from typing import Any

from minigrad import dtypes
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import primitive
from minigrad.ops.dims import shape_of, sizes, wrap_dim, wrap_dims
from minigrad.ops.elementwise import conj, real
from minigrad.ops.index import getitem
from minigrad.ops.pad import pad_constant
from minigrad.ops.promotion import convert

__all__: list[str] = []

_COMPLEX = {"f": dtypes.complex64, "d": dtypes.complex128}


@primitive(input=lambda g, dims, inverse, scale: _fft(g, dims=dims, inverse=inverse, scale=scale))
def _fft(xp: Any, input: Any, *, dims: tuple[int, ...], inverse: bool, scale: float) -> Any:
    """The sums over exp(-2 pi i j k / n), or with the other sign, times a scale."""
    if inverse:
        out = xp.fft.ifftn(input, axes=dims, norm="forward")
    else:
        out = xp.fft.fftn(input, axes=dims)
    return out if scale == 1 else out * out.real.dtype.type(scale)


def _rfft_rule(g: Any, shape: tuple[int, ...], dim: int, scale: float) -> Any:
    widths = ((0, 0),) * dim + ((0, shape[dim] - g.shape[dim]),)
    widths += ((0, 0),) * (len(shape) - dim - 1)
    whole = pad_constant(g, widths=widths, value=0)
    return real(_fft(whole, dims=(dim,), inverse=False, scale=scale))


@primitive(input=_rfft_rule)
def _rfft(xp: Any, input: Any, *, dim: int, scale: float) -> Any:
    """The first half of the transform of a real signal; the other half is its conjugate."""
    out = xp.fft.rfft(input, axis=dim)
    return out if scale == 1 else out * out.real.dtype.type(scale)


def _irfft_rule(g: Any, dim: int, size: int, scale: float) -> Any:
    found = conj(_rfft(g, dim=dim, scale=scale))
    return _doubled(found, dim=dim, size=size)


@primitive(input=_irfft_rule)
def _irfft(xp: Any, input: Any, *, dim: int, size: int, scale: float) -> Any:
    """The real signal of `size` numbers of which `input` is the first half of the transform."""
    out = xp.fft.irfft(input, size, axis=dim, norm="forward")
    return out if scale == 1 else out * out.dtype.type(scale)


@primitive(input=lambda g, dim, size: _doubled(g, dim=dim, size=size))
def _doubled(xp: Any, input: Any, *, dim: int, size: int) -> Any:
    """Twice the frequencies that stand for two: all but the first, and the last of an even size."""
    out = input.copy()
    out[(slice(None),) * dim + (slice(1, (size + 1) // 2),)] *= 2
    return out


# Arguments.


def _scale(operation: str, norm: str | None, count: int, inverse: bool) -> float:
    """What a transform of so many numbers is multiplied by."""
    if norm not in (None, "backward", "ortho", "forward"):
        raise ArgumentError(
            f"{operation}(): argument 'norm' must be 'backward', 'ortho' or 'forward', got {norm!r}"
        )
    if norm == "ortho":
        return 1 / math.sqrt(count)
    return 1 / count if inverse is (norm != "forward") else 1


def _floating(operation: str, input: Any) -> Any:
    """A tensor of single or double precision, or complex; integers become the default dtype."""
    if not hasattr(input, "dtype"):
        raise TypeError(f"{operation}(): argument 'input' must be a Tensor, not {input!r}")
    if input.dtype.kind not in "fc":
        input = convert(input, dtypes.get_default_dtype())
    if input.dtype.char not in "fdFD":
        raise DtypeError(
            f"{operation}(): argument 'input' is {input.dtype.name}, of which there are no "
            f"transforms; convert it first, for example input.float()"
        )
    return input


def _complex(operation: str, input: Any) -> Any:
    input = _floating(operation, input)
    return convert(input, _COMPLEX.get(input.dtype.char, input.dtype))


def _real(operation: str, input: Any) -> Any:
    input = _floating(operation, input)
    if input.dtype.kind == "c":
        raise DtypeError(
            f"{operation}(): argument 'input' must be real, got {input.dtype.name}; use the "
            f"transform of complex signals, or input.real"
        )
    return input


def _length(operation: str, name: str, size: int) -> int:
    if size < 1:
        raise ArgumentError(
            f"{operation}(): argument '{name}' asks for a signal of {size} numbers; it needs at "
            f"least one"
        )
    return size


def _resized(input: Any, dim: int, size: int) -> Any:
    """The signal cut off after `size` numbers, or filled up with zeros."""
    shape = shape_of(input)
    if shape[dim] > size:
        return getitem(input, index=(slice(None),) * dim + (slice(size),))
    if shape[dim] < size:
        widths = [(0, 0)] * len(shape)
        widths[dim] = (0, size - shape[dim])
        return pad_constant(input, widths=tuple(widths), value=0)
    return input


def _one(operation: str, input: Any, dim: Any) -> int:
    if not shape_of(input):
        raise IndexError(
            f"{operation}(): argument 'input' has no dimensions; give a signal of at least one"
        )
    return wrap_dim(operation, dim, len(shape_of(input)))


def _several(operation: str, input: Any, s: Any, dim: Any) -> tuple[tuple[int, ...], list[int]]:
    """The dimensions, and the sizes asked for, -1 for what the signal has."""
    ndim = len(shape_of(input))
    wanted = None if s is None else [*sizes(operation, (s,), "s")]
    if dim is not None:
        dims = wrap_dims(operation, dim, ndim)
        if not ndim and dims:
            raise IndexError(f"{operation}(): argument 'dim' is {dim}, but 'input' is 0-d")
    elif wanted is None:
        dims = tuple(range(ndim))
    else:
        if len(wanted) > ndim:
            raise ArgumentError(
                f"{operation}(): argument 's' has {len(wanted)} sizes, but 'input' only {ndim} "
                f"dimensions"
            )
        dims = tuple(range(ndim - len(wanted), ndim))
    if wanted is None:
        wanted = [-1] * len(dims)
    if len(wanted) != len(dims):
        raise ArgumentError(
            f"{operation}(): argument 's' has {len(wanted)} sizes and 'dim' {len(dims)} "
            f"dimensions; give as many"
        )
    return dims, wanted


def _fitted(operation: str, input: Any, dims: tuple[int, ...], wanted: list[int]) -> Any:
    for dim, size in zip(dims, wanted, strict=True):
        size = shape_of(input)[dim] if size == -1 else size
        input = _resized(input, dim, _length(operation, "s", size))
    return input


# Of one dimension.


def _one_way(operation: str, input: Any, n: Any, dim: int, norm: Any, inverse: bool) -> Any:
    input = _complex(operation, input)
    dim = _one(operation, input, dim)
    size = _length(operation, "n", shape_of(input)[dim] if n is None else n)
    scale = _scale(operation, norm, size, inverse)
    return _fft(_resized(input, dim, size), dims=(dim,), inverse=inverse, scale=scale)


def fft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The discrete Fourier transform of a signal along a dimension, complex.

    The signal is cut off or filled up with zeros to `n` numbers. `norm` says where it is divided:
    by n on the way back ("backward"), by n here ("forward") or by its root in both ("ortho").

    >>> import minigrad
    >>> minigrad.fft.fft(minigrad.tensor([1.0, 0.0, 0.0]))
    tensor([1.+0.j, 1.+0.j, 1.+0.j])
    """
    return _one_way("fft.fft", input, n, dim, norm, False)


def ifft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The signal whose discrete Fourier transform is `input`."""
    return _one_way("fft.ifft", input, n, dim, norm, True)


def rfft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The first n // 2 + 1 numbers of the transform of a real signal.

    >>> import minigrad
    >>> minigrad.fft.rfft(minigrad.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j])
    """
    return _half("fft.rfft", input, n, dim, norm, False)


def ihfft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The first half of the signal, complex, whose transform is the real `input`."""
    return conj(_half("fft.ihfft", input, n, dim, norm, True))


def _half(operation: str, input: Any, n: Any, dim: int, norm: Any, inverse: bool) -> Any:
    input = _real(operation, input)
    dim = _one(operation, input, dim)
    size = _length(operation, "n", shape_of(input)[dim] if n is None else n)
    scale = _scale(operation, norm, size, inverse)
    return _rfft(_resized(input, dim, size), dim=dim, scale=scale)


def irfft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The real signal of `n` numbers, by default an even one, whose transform begins with `input`.

    >>> import minigrad
    >>> minigrad.fft.irfft(minigrad.tensor([10.0, -2 + 2j, -2.0]))
    tensor([1., 2., 3., 4.])
    """
    return _whole("fft.irfft", input, n, dim, norm, True)


def hfft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The transform, real, of a signal of which `input` is the first half."""
    return _whole("fft.hfft", input, n, dim, norm, False)


def _whole(operation: str, input: Any, n: Any, dim: int, norm: Any, inverse: bool) -> Any:
    input = _complex(operation, input)
    dim = _one(operation, input, dim)
    size = _length(operation, "n", 2 * (shape_of(input)[dim] - 1) if n is None else n)
    scale = _scale(operation, norm, size, inverse)
    return _returned(input if inverse else conj(input), dim, size, scale)


def _returned(input: Any, dim: int, size: int, scale: float) -> Any:
    return _irfft(_resized(input, dim, size // 2 + 1), dim=dim, size=size, scale=scale)


# Of several dimensions.


def _count(input: Any, dims: tuple[int, ...]) -> int:
    return math.prod(shape_of(input)[dim] for dim in dims)


def _all_ways(operation: str, input: Any, s: Any, dim: Any, norm: Any, inverse: bool) -> Any:
    input = _complex(operation, input)
    dims, wanted = _several(operation, input, s, dim)
    input = _fitted(operation, input, dims, wanted)
    scale = _scale(operation, norm, _count(input, dims), inverse)
    return _fft(input, dims=dims, inverse=inverse, scale=scale) if dims else input


def fftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    """The discrete Fourier transform along several dimensions, of sizes `s`; by default all."""
    return _all_ways("fft.fftn", input, s, dim, norm, False)


def ifftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    """The signal whose transform along several dimensions is `input`."""
    return _all_ways("fft.ifftn", input, s, dim, norm, True)


def _needs_dims(operation: str, dims: tuple[int, ...]) -> None:
    if not dims:
        raise ArgumentError(
            f"{operation}(): argument 'dim' names no dimension; it needs at least one"
        )


def _halves(operation: str, input: Any, s: Any, dim: Any, norm: Any, inverse: bool) -> Any:
    input = _real(operation, input)
    dims, wanted = _several(operation, input, s, dim)
    _needs_dims(operation, dims)
    input = _fitted(operation, input, dims, wanted)
    scale = _scale(operation, norm, _count(input, dims), inverse)
    out = _rfft(input, dim=dims[-1], scale=scale)
    return _fft(out, dims=dims[:-1], inverse=False, scale=1) if dims[:-1] else out


def rfftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    """The transform of a real signal along several dimensions, the first half of the last."""
    return _halves("fft.rfftn", input, s, dim, norm, False)


def ihfftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    """The first half, along the last dimension, of the signal whose transform is the real input."""
    return conj(_halves("fft.ihfftn", input, s, dim, norm, True))


def _wholes(operation: str, input: Any, s: Any, dim: Any, norm: Any, inverse: bool) -> Any:
    input = _complex(operation, input)
    dims, wanted = _several(operation, input, s, dim)
    _needs_dims(operation, dims)
    last = dims[-1]
    size = wanted[-1] if wanted[-1] != -1 else 2 * (shape_of(input)[last] - 1)
    _length(operation, "s", size)
    input = _fitted(operation, input, dims[:-1], wanted[:-1])
    scale = _scale(operation, norm, _count(input, dims[:-1]) * size, inverse)
    if not inverse:
        input = conj(input)
    if dims[:-1]:
        input = _fft(_resized(input, last, size // 2 + 1), dims=dims[:-1], inverse=True, scale=1)
    return _returned(input, last, size, scale)


def irfftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    """The real signal whose transform along several dimensions begins with `input` in the last."""
    return _wholes("fft.irfftn", input, s, dim, norm, True)


def hfftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    """The transform, real, of a signal of which `input` is the first half of the last dimension."""
    return _wholes("fft.hfftn", input, s, dim, norm, False)


def fft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Any:
    """The discrete Fourier transform of images: along two dimensions."""
    return _all_ways("fft.fft2", input, s, dim, norm, False)


def ifft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Any:
    """The images whose transform is `input`."""
    return _all_ways("fft.ifft2", input, s, dim, norm, True)


def rfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Any:
    """The first half of the transform of real images."""
    return _halves("fft.rfft2", input, s, dim, norm, False)


def irfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Any:
    """The real images of whose transform `input` is the first half."""
    return _wholes("fft.irfft2", input, s, dim, norm, True)


def hfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Any:
    """The transform, real, of images of which `input` is the first half."""
    return _wholes("fft.hfft2", input, s, dim, norm, False)


def ihfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Any:
    """The first half of the images whose transform is the real `input`."""
    return conj(_halves("fft.ihfft2", input, s, dim, norm, True))
