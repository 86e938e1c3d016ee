"""What a constraint is; those that depend on other parameters, or on another constraint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from minigrad.errors import ArgumentError


class Constraint:
    """A set of numbers, vectors or matrices: events of `event_dim` dimensions."""

    is_discrete: Any = False
    event_dim: Any = 0
    fields: ClassVar[tuple[str, ...]] = ()

    def check(self, value: Any) -> Any:
        """Which of the events lie in the set: a bool tensor without the event's dimensions."""
        raise NotImplementedError(f"{type(self).__name__} has no check()")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)}" for name in self.fields)
        return f"{type(self).__name__.lstrip('_')}({shown})"


def all_rightmost(mask: Any, dims: int) -> Any:
    """Whether a condition holds throughout so many dimensions at the end."""
    for _ in range(dims):
        mask = mask.all(-1)
    return mask


class _Unknown:
    """Stands for what a dependent constraint only knows on an instance."""


class Dependent(Constraint):
    """A constraint that depends on other parameters, and cannot be checked by itself."""

    def __init__(self, *, is_discrete: Any = _Unknown, event_dim: Any = _Unknown) -> None:
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    @property
    def is_discrete(self) -> Any:
        if self._is_discrete is _Unknown:
            raise NotImplementedError(".is_discrete is known only of an instance's constraint")
        return self._is_discrete

    @property
    def event_dim(self) -> Any:
        if self._event_dim is _Unknown:
            raise NotImplementedError(".event_dim is known only of an instance's constraint")
        return self._event_dim

    def __call__(self, *, is_discrete: Any = _Unknown, event_dim: Any = _Unknown) -> Any:
        return Dependent(
            is_discrete=self._is_discrete if is_discrete is _Unknown else is_discrete,
            event_dim=self._event_dim if event_dim is _Unknown else event_dim,
        )

    def check(self, value: Any) -> Any:
        raise ArgumentError(
            "a dependent constraint cannot be checked by itself; ask an instance for its support"
        )


class DependentProperty(property, Dependent):
    """A property whose value is a constraint; on the class it is a dependent constraint."""

    def __init__(
        self, fn: Any = None, *, is_discrete: Any = _Unknown, event_dim: Any = _Unknown
    ) -> None:
        property.__init__(self, fn)
        Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Callable[..., Any]) -> Any:  # type: ignore[override]
        return DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


def is_dependent(constraint: Any) -> bool:
    """Whether a constraint depends on other parameters."""
    return isinstance(constraint, Dependent)


class IndependentConstraint(Constraint):
    """A constraint on each of the numbers in some dimensions that become one event."""

    fields = ("base_constraint", "reinterpreted_batch_ndims")

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> Any:
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> Any:
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        result = self.base_constraint.check(value)
        if result.ndim < self.reinterpreted_batch_ndims:
            raise ArgumentError(
                f"a value of {value.ndim} dimensions was checked; events of {self!r} have "
                f"{self.event_dim}"
            )
        return all_rightmost(result, self.reinterpreted_batch_ndims)


class MixtureSameFamilyConstraint(Constraint):
    """The constraint of a mixture's components on values that all of them share."""

    fields = ("base_constraint",)

    def __init__(self, base_constraint: Constraint) -> None:
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> Any:
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> Any:
        return self.base_constraint.event_dim

    def check(self, value: Any) -> Any:
        if value.ndim < self.event_dim:
            raise ArgumentError(
                f"a value of {value.ndim} dimensions was checked; events of {self!r} have "
                f"{self.event_dim}"
            )
        every = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        return all_rightmost(every, every.ndim - (value.ndim - self.event_dim))
