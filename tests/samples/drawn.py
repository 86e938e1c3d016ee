"""Rows of random operations: the draw itself is checked elsewhere, here that no gradient passes."""

from __future__ import annotations

from typing import Any

from tests.samples.row import Row, Sample, sample, torch
from tests.samples.source import Source


class Fixed:
    """A generator that draws nothing: every number is a given one."""

    def bernoulli(self, xp: Any, probability: Any, shape: Any, dtype: Any) -> Any:
        return xp.ones(shape, dtype)

    def normal(self, xp: Any, shape: Any, dtype: Any) -> Any:
        return xp.ones(shape, dtype)

    def draw(self, xp: Any, shape: Any, dtype: Any) -> Any:
        """Ones."""
        return xp.ones(shape, dtype)


def ones_like(x: Any, *_: Any, **constants: Any) -> Any:
    return torch.ones_like(x) + 0 * x


def bernoulli(s: Source) -> Sample:
    return sample(s.floats(s.shape(), 0.0, 1.0), generator=Fixed(), p=s.pick((None, 0.5)))


def normal(s: Source) -> Sample:
    shape = s.shape()
    std = s.floats(shape, 0.5, 1.0)
    return sample(s.floats(shape), std, generator=Fixed(), size=shape, to=s.dtype)


ROWS = {
    "_bernoulli": Row(bernoulli, ones_like),
    "_normal": Row(
        normal, lambda mean, std, **_: (mean + std).detach() + 0 * mean + 0 * std, numeric=False
    ),
    "_drawn": Row(lambda s: sample(s.floats(s.shape()), draw=Fixed().draw), ones_like),
}
