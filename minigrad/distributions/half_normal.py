"""The half-normal distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.distributions.folded import Folded
from minigrad.distributions.normal import Normal


class HalfNormal(Folded):
    """The sizes of normal numbers of mean 0 and standard deviation `scale`."""

    symmetric = Normal

    @property
    def mean(self) -> Any:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Any:
        return self.scale.square() * (1 - 2 / math.pi)
