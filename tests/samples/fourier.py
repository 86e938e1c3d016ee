"""Rows of Fourier transforms, and of complex numbers as pairs."""

from __future__ import annotations

from typing import Any

from tests.samples.row import Row, Sample, sample, torch
from tests.samples.source import Source

SCALES = (1, 0.5, 0.25)


def transformed(s: Source) -> Sample:
    shape, dims = s.pick((
        ((4,), (0,)), ((3,), (0,)), ((2, 3), (0, 1)), ((2, 3), (1,)), ((2, 1, 3), (0, 2)),
        ((1,), (0,)),
    ))  # fmt: skip
    return sample(s.floats(shape), dims=dims, inverse=s.flag(), scale=s.pick(SCALES))


def transform(input: Any, dims: Any, inverse: bool, scale: float) -> Any:
    if inverse:
        return torch.fft.ifftn(input.contiguous(), dim=dims, norm="forward") * scale
    return torch.fft.fftn(input.contiguous(), dim=dims) * scale


def halved(s: Source) -> Sample:
    shape, dim = s.pick((((4,), 0), ((3,), 0), ((2, 3), 0), ((2, 4), 1), ((1,), 0)))
    return sample(s.floats(shape), dim=dim, scale=s.pick(SCALES))


def half(input: Any, dim: int, scale: float) -> Any:
    return torch.fft.rfft(input.contiguous(), dim=dim) * scale


def completed(s: Source) -> Sample:
    shape, dim, size = s.pick((
        ((3,), 0, 4), ((3,), 0, 5), ((2, 2), 0, 2), ((2, 2), 1, 3), ((1,), 0, 1),
    ))  # fmt: skip
    return sample(s.floats(shape), dim=dim, size=size, scale=s.pick(SCALES))


def complete(input: Any, dim: int, size: int, scale: float) -> Any:
    return torch.fft.irfft(input.contiguous(), size, dim=dim, norm="forward") * scale


def doubled(input: Any, dim: int, size: int) -> Any:
    weights = torch.full((input.shape[dim],), 2.0, dtype=input.dtype)
    weights[0] = 1
    if size % 2 == 0:
        weights[-1] = 1
    return (input.transpose(dim, -1) * weights).transpose(dim, -1)


def frequencies(s: Source) -> Sample:
    drawn = completed(s)
    return sample(*drawn.inputs, dim=drawn.constants["dim"], size=drawn.constants["size"])


def pieces(s: Source) -> Sample:
    shape, size, step = s.pick((((6,), 3, 1), ((7,), 2, 3), ((2, 5), 4, 1), ((3,), 3, 2)))
    return sample(s.floats(shape), size=size, step=step)


def framed(input: Any, size: int, step: int) -> Any:
    return input.unfold(-1, size, step)


def laid(s: Source) -> Sample:
    shape, step = s.pick((((3, 2), 1), ((2, 3), 2), ((2, 2, 3), 4), ((1, 4), 3)))
    return sample(s.floats(shape), step=step, length=shape[-1] + step * (shape[-2] - 1))


def overlapped(input: Any, step: int, length: int) -> Any:
    out = torch.zeros((*input.shape[:-2], length), dtype=input.dtype)
    for place in range(input.shape[-2]):
        out[..., place * step : place * step + input.shape[-1]] += input[..., place, :]
    return out


def parts(s: Source) -> Sample:
    first, second = s.pick((((2, 3), (3,)), ((), (2,)), ((2,), (2,)), ((0, 2), (2,))))
    return sample(s.floats(first), s.floats(second))


def pairs(s: Source) -> Sample:
    return sample(s.floats(s.pick(((2,), (3, 2), (1, 2), (2, 1, 2)))))


ROWS = {
    "_framed": Row(pieces, framed, "fc", count=8),
    "_overlapped": Row(laid, overlapped, "fc", count=8),
    "_joined": Row(parts, lambda real, imag: torch.complex(real, imag), "f", count=8),
    "_as_complex": Row(pairs, lambda x: torch.view_as_complex(x.contiguous()), "f"),
    "_as_real": Row(
        lambda s: sample(s.floats(s.shape())), lambda x: torch.stack((x.real, x.imag), -1), "c"
    ),
    "_fft": Row(transformed, transform, "c", count=9),
    "_rfft": Row(halved, half, "f", count=8),
    "_irfft": Row(completed, complete, "c", count=8),
    "_doubled": Row(frequencies, doubled, "c", count=8),
}
