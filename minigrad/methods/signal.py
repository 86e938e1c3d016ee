"""The transforms of signals as methods of Tensor."""

from __future__ import annotations

from minigrad.ops import short_time


class SignalMethods:
    """Methods from the Fourier transforms."""

    __slots__ = ()

    istft = short_time.istft
    stft = short_time.stft
