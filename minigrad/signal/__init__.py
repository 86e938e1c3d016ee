"""Signals, under torch.signal's names: windows that fade a piece in and out."""

from minigrad.signal import windows as windows

__all__ = ["windows"]
