"""Functions with derivatives of the user's own, `primitive` and `defvjp`, and checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from minigrad.autograd import Function as Custom
from minigrad.backend import to_numpy
from minigrad.graph import Traced
from minigrad.numpy.base import lift, made
from minigrad.numpy.elementwise import conj
from minigrad.utils.checkpoint import checkpoint as checkpointed

__all__ = ["checkpoint", "defvjp", "notrace_primitive", "primitive"]

Rule = Callable[..., Callable[[Any], Any]]


class _Application(Custom):
    """One call of a primitive: NumPy's arrays go in, the rules of the user give the gradients."""

    @staticmethod
    def forward(ctx: Any, function: Any, kwargs: Any, *args: Any) -> Any:
        value = made(function.raw(*map(_host, args), **kwargs))
        tensors = [arg for arg in args if isinstance(arg, Traced)]
        ctx.save_for_backward(value, *tensors)
        ctx.call = function, kwargs, [None if isinstance(a, Traced) else a for a in args]
        return value

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        function, kwargs, args = ctx.call
        value, *tensors = ctx.saved_tensors
        rest = iter(tensors)
        wanted = ctx.needs_input_grad[2:]
        args = [next(rest) if arg is None else arg for arg in args]
        found = []
        for place, needed in enumerate(wanted):
            rule = function.rule(place)(value, *args, **kwargs) if needed else _no_slope()
            g = rule(conj(lift(grads[0])))
            found.append(None if g is None else conj(lift(g)))
        return (None, None, *found)


def _host(value: Any) -> Any:
    return to_numpy(value._array) if isinstance(value, Traced) else value


class primitive:
    """A function of NumPy's arrays that is recorded as one operation; `defvjp` says how it slopes.

    >>> import numpy
    >>> from minigrad.compat.autograd import grad
    >>> @primitive
    ... def cube(x):
    ...     return numpy.asarray(x) ** 3
    >>> defvjp(cube, lambda ans, x: lambda g: g * 3 * x**2)
    >>> grad(cube)(2.0)
    array(12.)
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.raw = function
        self.rules: dict[int, Rule | None] = {}
        update_wrapper(self, function)

    def rule(self, place: int) -> Any:
        """The rule of an argument; raises NotImplementedError where none was given."""
        if place not in self.rules:
            raise NotImplementedError(
                f"{self.raw.__name__}(): no derivative is defined for argument {place}; give one "
                f"with defvjp()"
            )
        rule = self.rules[place]
        return _no_slope if rule is None else rule

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not any(isinstance(arg, Traced) for arg in args):
            return self.raw(*args, **kwargs)
        return _Application.apply(self, kwargs, *args)


def _no_slope(*args: Any, **kwargs: Any) -> Any:
    return lambda g: None


def defvjp(fun: primitive, *vjps: Rule | None, argnums: Any = None) -> None:
    """Give a primitive the rules of its arguments: `lambda ans, *args: lambda g: ...`, in order.

    None says that nothing flows to an argument.
    """
    for place, rule in zip(range(len(vjps)) if argnums is None else argnums, vjps):
        fun.rules[place] = rule


def notrace_primitive(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function through which no gradient flows: it is given NumPy's arrays."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*map(_host, args), **{name: _host(part) for name, part in kwargs.items()})

    return update_wrapper(call, function)


def checkpoint(fun: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its graph dropped, and made again when its gradient is asked for."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return checkpointed(fun, *args, use_reentrant=False, **kwargs)

    return update_wrapper(call, fun)
