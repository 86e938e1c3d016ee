"""Short-time Fourier transforms: of the pieces of a signal under a window, there and back.

D. W. Griffin and J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE
Transactions on Acoustics, Speech, and Signal Processing 32 (2), 1984.
"""

from __future__ import annotations

import warnings
from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, primitive
from minigrad.ops.complex_parts import view_as_real
from minigrad.ops.creation import ones
from minigrad.ops.dims import shape_of
from minigrad.ops.elementwise import mul
from minigrad.ops.fourier import fft, ifft, irfft, rfft
from minigrad.ops.index import getitem
from minigrad.ops.operands import check_tensor
from minigrad.ops.pad import pad, pad_constant
from minigrad.ops.shape import squeeze, transpose, unsqueeze

__all__ = ["istft", "stft"]

_EMPTY = 1e-11
"""Below this a sum of squared windows counts as zero."""


@primitive(input=lambda g, step, shape: _overlapped(g, step=step, length=shape[-1]))
def _framed(xp: Any, input: Any, *, size: int, step: int) -> Any:
    """The pieces of `size` numbers, `step` apart, of the last dimension, in a new one."""
    view = xp.lib.stride_tricks.sliding_window_view(input, size, -1)
    return view[..., ::step, :].copy()


@primitive(input=lambda g, step, shape: _framed(g, size=shape[-1], step=step))
def _overlapped(xp: Any, input: Any, *, step: int, length: int) -> Any:
    """The sum of pieces laid `step` apart over a signal of so many numbers."""
    *batch, count, size = input.shape
    parts = -(-size // step)
    out = xp.zeros((*batch, max(count + parts, -(-length // step)), step), input.dtype)
    for part in range(parts):
        piece = input[..., part * step : (part + 1) * step]
        out[..., part : part + count, : piece.shape[-1]] += piece
    return out.reshape(*batch, -1)[..., :length].copy()


def _sizes(operation: str, n_fft: int, hop: Any, width: Any) -> tuple[int, int]:
    hop = n_fft // 4 if hop is None else hop
    width = n_fft if width is None else width
    if hop < 1:
        raise ArgumentError(
            f"{operation}(): argument 'hop_length' must be at least 1, got {hop}; by default it is "
            f"a fourth of 'n_fft'"
        )
    if not 1 <= width <= n_fft:
        raise ArgumentError(
            f"{operation}(): argument 'win_length' must be from 1 to 'n_fft' {n_fft}, got {width}"
        )
    return hop, width


def _window(operation: str, window: Any, width: int, n_fft: int, like: Any) -> Any:
    """The window, ones by default, in the middle of a transform's piece."""
    if window is None:
        window = ones(width, dtype=like.real.dtype, device=like.device)
    check_tensor(operation, "window", window)
    if shape_of(window) != (width,):
        raise ArgumentError(
            f"{operation}(): argument 'window' must have 'win_length' {width} weights, got shape "
            f"{list(shape_of(window))}"
        )
    before = (n_fft - width) // 2
    if width == n_fft:
        return window
    return pad_constant(window, widths=((before, n_fft - width - before),), value=0)


def stft(
    input: Any, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Any = None, center: bool = True, pad_mode: str = "reflect", normalized: bool = False,
    onesided: bool | None = None, return_complex: bool | None = None,
) -> Any:  # fmt: skip
    """The Fourier transforms of pieces of `n_fft` numbers, `hop_length` apart, under a window.

    `input` is (time,) or (batch, time); the result (batch, frequency, piece), complex, or with
    `return_complex=False` pairs of real numbers. With `center` the signal is padded so that piece t
    has its middle at t * hop_length. A real signal has half of the frequencies unless `onesided`
    is False. `normalized` divides by the root of n_fft.

    Raises ArgumentError for sizes that do not fit, DtypeError for integers.
    """
    check_tensor("stft", "input", input)
    if input.dtype.char not in "fdFD":
        raise DtypeError(
            f"stft(): argument 'input' must be floating or complex, got {input.dtype.name}; "
            f"convert it first, for example input.float()"
        )
    is_complex = input.dtype.kind == "c" or (window is not None and window.dtype.kind == "c")
    if return_complex is None and not is_complex:
        raise ArgumentError(
            "stft(): argument 'return_complex' must be given for a real signal: True for complex "
            "numbers, False for pairs of real ones"
        )
    if onesided and is_complex:
        raise ArgumentError(
            "stft(): argument 'onesided' is True, but the signal or the window is complex and has "
            "no frequencies to spare"
        )
    shape = shape_of(input)
    if not 1 <= len(shape) <= 2:
        raise ArgumentError(
            f"stft(): argument 'input' must be (time,) or (batch, time), got shape {list(shape)}"
        )
    hop, width = _sizes("stft", n_fft, hop_length, win_length)
    signal = input if len(shape) == 2 else unsqueeze(input, 0)
    if center:
        reach = n_fft // 2
        signal = squeeze(pad(unsqueeze(signal, 1), (reach, reach), pad_mode), 1)
    length = shape_of(signal)[-1]
    if not 1 <= n_fft <= length:
        raise ArgumentError(
            f"stft(): argument 'n_fft' must be from 1 to the length of the signal, {length}, got "
            f"{n_fft}"
        )
    pieces = _framed(signal, size=n_fft, step=hop)
    if window is not None or width < n_fft:
        pieces = mul(pieces, _window("stft", window, width, n_fft, input))
    half = not is_complex and onesided is not False
    norm = "ortho" if normalized else "backward"
    found = transpose((rfft if half else fft)(pieces, norm=norm), -2, -1)
    found = found if len(shape) == 2 else squeeze(found, 0)
    return view_as_real(found) if return_complex is False else found


def istft(
    input: Any, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Any = None, center: bool = True, normalized: bool = False,
    onesided: bool | None = None, length: int | None = None, return_complex: bool = False,
) -> Any:  # fmt: skip
    """The signal whose short-time Fourier transform is `input`, in the sense of least squares.

    `input` is (frequency, piece) or (batch, frequency, piece), complex, made by `stft` with the
    same arguments. `length` is how many numbers the signal has; by default all that are covered.

    Raises ArgumentError for sizes that do not fit, and where no window reaches a number.
    """
    check_tensor("istft", "input", input)
    if input.dtype.kind != "c":
        raise DtypeError(
            f"istft(): argument 'input' must be complex, got {input.dtype.name}; use "
            f"view_as_complex for pairs of real numbers"
        )
    shape = shape_of(input)
    if not 2 <= len(shape) <= 3 or not all(shape):
        raise ArgumentError(
            f"istft(): argument 'input' must be (frequency, piece) or (batch, frequency, piece), "
            f"not empty; got shape {list(shape)}"
        )
    bins = shape[-2]
    if onesided is None:
        onesided = bins != n_fft
    if bins != (n_fft // 2 + 1 if onesided else n_fft):
        raise ArgumentError(
            f"istft(): argument 'input' has {bins} frequencies, but 'n_fft' {n_fft} and 'onesided' "
            f"{onesided} make {n_fft // 2 + 1 if onesided else n_fft}"
        )
    if onesided and (return_complex or (window is not None and window.dtype.kind == "c")):
        raise ArgumentError(
            "istft(): argument 'onesided' is True, which gives real signals; a complex window or "
            "'return_complex' needs all frequencies"
        )
    hop, width = _sizes("istft", n_fft, hop_length, win_length)
    if hop > width:
        raise ArgumentError(
            f"istft(): argument 'hop_length' {hop} leaves out numbers between windows of {width}"
        )
    weights = _window("istft", window, width, n_fft, input)
    spectra = transpose(input if len(shape) == 3 else unsqueeze(input, 0), -2, -1)
    norm = "ortho" if normalized else "backward"
    # Of a real signal the second half of the frequencies says nothing new.
    if return_complex:
        pieces = ifft(spectra, norm=norm)
    else:
        pieces = irfft(spectra, n_fft, norm=norm)
    count = shape[-1]
    covered = n_fft + hop * (count - 1)
    signal = _overlapped(mul(pieces, weights), step=hop, length=covered)
    squares = unsqueeze(mul(weights, weights), 0) * ones(count, 1, device=input.device).to(weights)
    total = _overlapped(squares, step=hop, length=covered)
    start = n_fft // 2 if center else 0
    end = covered - start if length is None else start + length
    here = slice(start, min(end, covered))
    signal, total = (getitem(value, index=(Ellipsis, here)) for value in (signal, total))
    _check_covered(total)
    signal = signal / total
    if end > covered:
        warnings.warn(
            f"istft(): argument 'length' {length} is more than the pieces cover; the signal ends "
            f"in {end - covered} zeros",
            UserWarning,
            stacklevel=2,
        )
        signal = pad(signal, (0, end - covered))
    return signal if len(shape) == 3 else squeeze(signal, 0)


def _check_covered(total: Any) -> None:
    raw = total._array if isinstance(total, Traced) else total
    if not raw.size or float(abs(raw).min()) <= _EMPTY:
        raise ArgumentError(
            "istft(): argument 'window' leaves numbers of the signal without weight; choose a "
            "smaller 'hop_length' or a window that overlaps"
        )
