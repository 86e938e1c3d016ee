"""Several transforms side by side: on stretches of a dimension, or on its slices."""

from __future__ import annotations

import functools
import operator
from typing import Any

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.parameters import sum_rightmost
from minigrad.distributions.transforms.transform import Transform
from minigrad.errors import ArgumentError


class _Pieces(Transform):
    """Transforms of parts of a tensor along `dim`."""

    def __init__(self, tseq: Any, dim: int, cache_size: int) -> None:
        super().__init__(cache_size)
        name = type(self).__name__
        for transform in tseq:
            if not isinstance(transform, Transform):
                raise ArgumentError(
                    f"{name}(): argument 'tseq' must hold Transforms, not "
                    f"{type(transform).__name__}"
                )
        self.transforms = [t.with_cache(cache_size) if cache_size else t for t in tseq]
        self.dim = dim

    @property
    def bijective(self) -> Any:
        return all(transform.bijective for transform in self.transforms)

    def with_cache(self, cache_size: int = 1) -> Any:
        if self._cache_size == cache_size:
            return self
        new = super().with_cache(cache_size)
        new.transforms = [transform.with_cache(cache_size) for transform in self.transforms]
        return new

    def _check(self, value: Any, length: int) -> None:
        if not -value.ndim <= self.dim < value.ndim or value.shape[self.dim] != length:
            raise ArgumentError(
                f"{type(self).__name__}: a value of shape {list(value.shape)} was given; "
                f"dimension {self.dim} must have {length} elements"
            )


class CatTransform(_Pieces):
    """Transforms of stretches of some `lengths` (1 each if not given) along a dimension."""

    def __init__(self, tseq: Any, dim: int = 0, lengths: Any = None, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise ArgumentError(
                f"CatTransform(): argument 'lengths' holds {len(self.lengths)} numbers for "
                f"{len(self.transforms)} transforms"
            )

    @property
    def event_dim(self) -> Any:
        return max(transform.event_dim for transform in self.transforms)

    @property
    def length(self) -> int:
        """The size of the dimension."""
        return sum(self.lengths)

    @constraints.dependent_property
    def domain(self) -> Any:
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @constraints.dependent_property
    def codomain(self) -> Any:
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    def _parts(self, value: Any) -> Any:
        self._check(value, self.length)
        return value.split(self.lengths, self.dim)

    def _call(self, x: Any) -> Any:
        pairs = zip(self.transforms, self._parts(x))
        return minigrad.cat([transform(part) for transform, part in pairs], self.dim)

    def _inverse(self, y: Any) -> Any:
        pairs = zip(self.transforms, self._parts(y))
        return minigrad.cat([transform.inv(part) for transform, part in pairs], self.dim)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        terms = [
            sum_rightmost(t.log_abs_det_jacobian(before, after), self.event_dim - t.event_dim)
            for t, before, after in zip(self.transforms, self._parts(x), self._parts(y))
        ]
        # Where the dimension is part of the event, the volumes multiply.
        place = (self.dim if self.dim < 0 else self.dim - x.ndim) + self.event_dim
        return minigrad.cat(terms, place) if place < 0 else functools.reduce(operator.add, terms)


class StackTransform(_Pieces):
    """Transforms of the slices along a dimension."""

    def __init__(self, tseq: Any, dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)

    @constraints.dependent_property
    def domain(self) -> Any:
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @constraints.dependent_property
    def codomain(self) -> Any:
        return constraints.stack([t.codomain for t in self.transforms], self.dim)

    def _parts(self, value: Any) -> Any:
        self._check(value, len(self.transforms))
        return value.unbind(self.dim)

    def _call(self, x: Any) -> Any:
        pairs = zip(self.transforms, self._parts(x))
        return minigrad.stack([transform(part) for transform, part in pairs], self.dim)

    def _inverse(self, y: Any) -> Any:
        pairs = zip(self.transforms, self._parts(y))
        return minigrad.stack([transform.inv(part) for transform, part in pairs], self.dim)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        terms = zip(self.transforms, self._parts(x), self._parts(y))
        return minigrad.stack(
            [transform.log_abs_det_jacobian(before, after) for transform, before, after in terms],
            self.dim,
        )
