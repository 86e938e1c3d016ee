"""Layers that drop elements or channels at random while training."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.nn import functional as F
from minigrad.nn.module import Module

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
]


class _Dropout(Module):
    fields = ("p", "inplace")

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(
                f"{type(self).__name__}(): p must be a probability in [0, 1], got {p}"
            )
        self.p = p
        self.inplace = inplace


class Dropout(_Dropout):
    """Sets elements to zero with probability `p` and scales the rest by 1/(1-p).

    Srivastava et al. 2014; does nothing in evaluation mode.
    """

    def forward(self, input: Any) -> Any:
        """The input with elements dropped."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Drops whole channels of [N, C, L] or [C, L]."""

    def forward(self, input: Any) -> Any:
        """The input with channels dropped."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Drops whole channels of [N, C, H, W] or [C, H, W]."""

    def forward(self, input: Any) -> Any:
        """The input with channels dropped."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """Drops whole channels of [N, C, D, H, W] or [C, D, H, W]."""

    def forward(self, input: Any) -> Any:
        """The input with channels dropped."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Drops elements so that mean and variance of SELU networks stay (Klambauer et al. 2017)."""

    def forward(self, input: Any) -> Any:
        """The input with elements dropped."""
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels of [N, C, ...]."""

    def forward(self, input: Any) -> Any:
        """The input with channels dropped."""
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
