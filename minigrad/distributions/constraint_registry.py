"""From a constraint to a transform that meets it: bijections, and freer parametrisations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.distributions import constraints, transforms
from minigrad.distributions.parameters import is_number

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """A table from kinds of constraint to functions that make a transform for one."""

    def __init__(self) -> None:
        self._registry: dict[Any, Callable[[Any], Any]] = {}

    def register(self, constraint: Any, factory: Any = None) -> Any:
        """Register a factory for a Constraint class, or that of an instance; also a decorator."""
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = type(constraint) if isinstance(constraint, constraints.Constraint) else constraint
        if not isinstance(kind, type) or not issubclass(kind, constraints.Constraint):
            raise TypeError(
                "register(): argument 'constraint' must be a Constraint or a subclass of it, not "
                f"{constraint!r}"
            )
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint: Any) -> Any:
        """The transform from unconstrained numbers to a constraint's.

        Raises NotImplementedError where none is registered.
        """
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(
                f"no transform is registered for constraints like {constraint!r}; register one "
                f"with @transform_to.register({type(constraint).__name__})"
            )
        return factory(constraint)


biject_to = ConstraintRegistry()
"""Transforms with an inverse and a volume, for densities."""

transform_to = ConstraintRegistry()
"""Transforms that need not have an inverse, for optimisation."""


def _interval(constraint: Any) -> Any:
    low, high = constraint.lower_bound, constraint.upper_bound
    if is_number(low) and is_number(high) and (low, high) == (0, 1):
        return transforms.SigmoidTransform()
    affine = transforms.AffineTransform(low, high - low)
    return transforms.ComposeTransform([transforms.SigmoidTransform(), affine])


def _beyond(bound: str, direction: int) -> Callable[[Any], Any]:
    def factory(constraint: Any) -> Any:
        affine = transforms.AffineTransform(getattr(constraint, bound), direction)
        return transforms.ComposeTransform([transforms.ExpTransform(), affine])

    return factory


def _positive_or_beyond(constraint: Any) -> Any:
    if is_number(constraint.lower_bound) and constraint.lower_bound == 0:
        return transforms.ExpTransform()
    return _beyond("lower_bound", 1)(constraint)


def _pieces(registry: ConstraintRegistry) -> None:
    """What both tables make of constraints that are made of others."""
    registry.register(
        constraints.independent,
        lambda constraint: transforms.IndependentTransform(
            registry(constraint.base_constraint), constraint.reinterpreted_batch_ndims
        ),
    )
    registry.register(
        constraints.cat,
        lambda constraint: transforms.CatTransform(
            [registry(part) for part in constraint.cseq], constraint.dim, constraint.lengths
        ),
    )
    registry.register(
        constraints.stack,
        lambda constraint: transforms.StackTransform(
            [registry(part) for part in constraint.cseq], constraint.dim
        ),
    )


for _registry in (biject_to, transform_to):
    _registry.register(constraints.real, lambda constraint: transforms.identity_transform)
    _registry.register(constraints.greater_than, _positive_or_beyond)
    _registry.register(constraints.greater_than_eq, _positive_or_beyond)
    _registry.register(constraints.less_than, _beyond("upper_bound", -1))
    _registry.register(constraints.interval, _interval)
    _registry.register(constraints.half_open_interval, _interval)
    _registry.register(
        constraints.corr_cholesky, lambda constraint: transforms.CorrCholeskyTransform()
    )
    _pieces(_registry)

biject_to.register(constraints.simplex, lambda constraint: transforms.StickBreakingTransform())
transform_to.register(constraints.simplex, lambda constraint: transforms.SoftmaxTransform())
transform_to.register(
    constraints.lower_cholesky, lambda constraint: transforms.LowerCholeskyTransform()
)
transform_to.register(
    constraints.positive_definite, lambda constraint: transforms.PositiveDefiniteTransform()
)
transform_to.register(
    constraints.positive_semidefinite, lambda constraint: transforms.PositiveDefiniteTransform()
)
