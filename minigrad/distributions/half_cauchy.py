"""The half-Cauchy distribution."""

from __future__ import annotations

import math
from typing import Any

import minigrad
from minigrad.distributions.cauchy import Cauchy
from minigrad.distributions.folded import Folded


class HalfCauchy(Folded):
    """The sizes of Cauchy numbers around 0 of scale `scale`."""

    symmetric = Cauchy

    @property
    def mean(self) -> Any:
        """It is infinite."""
        return minigrad.full_like(self.scale, math.inf)

    @property
    def variance(self) -> Any:
        return self.base_dist.variance
