"""Functions made into their derivatives: HIPS autograd's transforms of functions of arrays.

A function takes arrays, numbers, or lists, tuples and dicts of them, and the derivative of one
argument has that argument's form. Transforms nest; a derivative is recorded in its turn wherever
what it depends on requires a gradient from outside.

Complex gradients follow HIPS's convention, the conjugate of torch's: the gradient of a real
function `u(x + iy)` is `du/dx - i du/dy`.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from functools import update_wrapper, wraps
from typing import Any

import numpy

from minigrad import autograd
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Leaf, Traced
from minigrad.modes import enable_grad
from minigrad.numpy.base import lift, made, seen
from minigrad.numpy.creation import ones_like, zeros_like
from minigrad.numpy.elementwise import conj, multiply
from minigrad.numpy.joining import stack
from minigrad.numpy.manipulation import reshape
from minigrad.numpy.products import tensordot
from minigrad.numpy.reductions import sum as total

__all__ = [
    "deriv", "elementwise_grad", "grad", "grad_and_aux", "grad_named", "hessian",
    "hessian_tensor_product", "hessian_vector_product", "holomorphic_grad", "jacobian",
    "make_ggnvp", "make_hvp", "make_jvp", "make_jvp_reversemode", "make_vjp", "multigrad_dict",
    "tensor_jacobian_product", "value_and_grad", "vector_jacobian_product",
]  # fmt: skip

Function = Callable[..., Any]


def leaves(value: Any) -> list[Any]:
    """What nested lists, tuples and dicts hold, in order."""
    if isinstance(value, dict):
        return [leaf for key in value for leaf in leaves(value[key])]
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def rebuilt(value: Any, parts: Any) -> Any:
    """Nested lists, tuples and dicts with other contents, taken from an iterator."""
    if isinstance(value, dict):
        return type(value)((key, rebuilt(part, parts)) for key, part in value.items())
    if isinstance(value, (list, tuple)):
        found = [rebuilt(part, parts) for part in value]
        return type(value)(*found) if hasattr(value, "_fields") else type(value)(found)
    return next(parts)


# The leaves that transforms made, and those of them whose function is still running: a gradient
# may yet be asked of these, as of any leaf of the user's.
_made: weakref.WeakSet[Any] = weakref.WeakSet()
_running: weakref.WeakSet[Any] = weakref.WeakSet()


def _variable(value: Any) -> Any:
    """An array whose gradient can be asked for, in place of an argument or a part of one."""
    if isinstance(value, Traced) and value._node is not None:
        return seen(value)
    try:
        array = lift(value)._array
    except (TypeError, ValueError) as error:
        raise TypeError(f"a {type(value).__name__} has no gradient: {error}") from error
    if array.dtype.kind not in "fc":
        raise DtypeError(
            f"the argument to be differentiated is {array.dtype}: only floats and complex numbers "
            f"have gradients, write 3.0 for 3, or x.astype(float)"
        )
    variable = made(array).requires_grad_()
    _made.add(variable._node)
    return variable


def _from_outside(roots: list[Any], own: set[Any]) -> bool:
    """Whether something other than the variables requires a gradient below the roots."""
    seen_nodes = set(roots)
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if node in own:
            continue
        if type(node) is Leaf and (node not in _made or node in _running):
            return True
        for edge in node.edges or ():
            if edge[0] not in seen_nodes:
                seen_nodes.add(edge[0])
                waiting.append(edge[0])
    return False


class Pullback:
    """The cotangents of one argument as a function of those of the value: a linear map."""

    def __init__(self, function: Function, x: Any) -> None:
        self.form = x
        self.variables = [_variable(leaf) for leaf in leaves(x)]
        own = {variable._node for variable in self.variables}
        started = own - set(_running)
        _running.update(started)
        try:
            with enable_grad():
                value = function(rebuilt(x, iter(self.variables)))
        finally:
            _running.difference_update(started)
        self.results: list[Any] = [
            part if isinstance(part, Traced) else lift(part) for part in leaves(value)
        ]
        roots = [leaf._node for leaf in self.results if leaf._node is not None]
        inner = [v for v in self.variables if type(v._node) is not Leaf]
        self.recorded = bool(inner) or _from_outside(roots, own)
        kept = [leaf if self.recorded else made(leaf._array) for leaf in self.results]
        self.value = rebuilt(value, iter(kept))

    def __call__(self, g: Any) -> Any:
        given = [lift(leaf) for leaf in leaves(g)]
        if len(given) != len(self.results):
            raise ArgumentError(
                f"the value has {len(self.results)} arrays and the cotangent {len(given)}"
            )
        recorded = self.recorded or any(part._node is not None for part in given)
        pairs = [
            (out, conj(part.astype(out.dtype, copy=False)))
            for out, part in zip(self.results, given)
            if out._node is not None
        ]
        found: Any = (None,) * len(self.variables)
        if pairs:
            outputs, seeds = zip(*pairs)
            found = autograd.grad(outputs, self.variables, seeds, True, recorded, allow_unused=True)
        parts = [
            zeros_like(variable) if one is None else conj(one)
            for one, variable in zip(found, self.variables)
        ]
        return rebuilt(self.form, iter(parts))

    def single(self, operation: str) -> Any:
        """The value, which must be one real number."""
        if len(self.results) != 1 or self.results[0]._array.size != 1:
            raise TypeError(
                f"{operation}() applies to functions that return one real number, this one "
                f"returned {_described(self.results)}; use jacobian or elementwise_grad"
            )
        if self.results[0].dtype.kind not in "f":
            raise TypeError(
                f"{operation}() applies to functions that return one real number, this one "
                f"returned {_described(self.results)}; use holomorphic_grad for complex ones"
            )
        return self.results[0]


def _described(results: list[Any]) -> str:
    return ", ".join(f"{r.dtype}{list(r._array.shape)}" for r in results)


def of_argument(operator: Callable[..., Any]) -> Callable[..., Any]:
    """An operator on functions of one argument as one on functions of many.

    `argnum` says which argument is differentiated; several, as a tuple, give a tuple.
    """

    @wraps(operator)
    def transform(fun: Function, argnum: Any = 0, *given: Any, **options: Any) -> Function:
        def derivative(*args: Any, **kwargs: Any) -> Any:
            places = argnum if isinstance(argnum, (tuple, list)) else (argnum,)
            if any(not -len(args) <= n < len(args) for n in places):
                raise TypeError(
                    f"{operator.__name__}(): argnum is {argnum}, but {len(args)} positional "
                    f"arguments were given"
                )

            def unary(x: Any) -> Any:
                changed = list(args)
                for place, part in zip(places, x if places is argnum else (x,)):
                    changed[place] = part
                return fun(*changed, **kwargs)

            x = tuple(args[n] for n in places) if places is argnum else args[argnum]
            return operator(unary, x, *given, **options)

        return update_wrapper(derivative, fun) if hasattr(fun, "__name__") else derivative

    return transform


@of_argument
def make_vjp(fun: Function, x: Any) -> tuple[Function, Any]:
    """The pullback of a function at a point, and its value there: `vjp, value`."""
    pullback = Pullback(fun, x)
    return pullback, pullback.value


@of_argument
def grad(fun: Function, x: Any) -> Any:
    """The gradient of a function that returns one real number.

    >>> from minigrad.numpy import grad, tanh
    >>> grad(grad(tanh))(0.5)
    array(-0.72686198)
    """
    pullback = Pullback(fun, x)
    return pullback(ones_like(pullback.single("grad")))


@of_argument
def value_and_grad(fun: Function, x: Any) -> tuple[Any, Any]:
    """The value and the gradient of a function that returns one real number."""
    pullback = Pullback(fun, x)
    return pullback.value, pullback(ones_like(pullback.single("value_and_grad")))


@of_argument
def elementwise_grad(fun: Function, x: Any) -> Any:
    """The gradient of the sum of what a function returns: each slope of a function of elements."""
    pullback = Pullback(fun, x)
    if any(result.dtype.kind == "c" for result in pullback.results):
        raise TypeError("elementwise_grad() applies to functions that return real numbers")
    return pullback(rebuilt(pullback.value, iter([ones_like(r) for r in pullback.results])))


@of_argument
def grad_and_aux(fun: Function, x: Any) -> tuple[Any, Any]:
    """The gradient of the first of two results, and the second as it is."""
    other: list[Any] = []

    def first(x: Any) -> Any:
        value, more = fun(x)
        other.append(more)
        return value

    pullback = Pullback(first, x)
    (more,) = other
    gradient = pullback(ones_like(pullback.single("grad_and_aux")))
    if not pullback.recorded:
        parts = [made(p._array) if isinstance(p, Traced) else p for p in leaves(more)]
        more = rebuilt(more, iter(parts))
    return gradient, more


@of_argument
def holomorphic_grad(fun: Function, x: Any) -> Any:
    """The complex derivative of a holomorphic function that returns one number."""
    return grad(lambda z: lift(fun(z)).real)(x)


@of_argument
def jacobian(fun: Function, x: Any) -> Any:
    """The derivatives of every result by every element: of shape `(*result, *argument)`."""
    pullback = Pullback(fun, x)
    if len(pullback.results) != 1 or len(pullback.variables) != 1:
        raise TypeError("jacobian() applies to functions of one array that return one array")
    (result,), (variable,) = pullback.results, pullback.variables
    size, shape = result._array.size, result._array.shape
    basis = numpy.eye(size, dtype=result.dtype).reshape((size, *shape))
    rows = [pullback(made(row)) for row in basis]
    if not rows:
        return made(numpy.zeros((*shape, *variable._array.shape), variable.dtype))
    if isinstance(x, (list, tuple, dict)):
        rows = [leaves(row)[0] for row in rows]
    return reshape(stack(rows), (*shape, *variable._array.shape))


@of_argument
def hessian(fun: Function, x: Any) -> Any:
    """The second derivatives of a function: of shape `(*result, *argument, *argument)`."""
    return jacobian(jacobian(fun))(x)


@of_argument
def make_hvp(fun: Function, x: Any) -> tuple[Function, Any]:
    """The product of the Hessian at a point with any vector, and the gradient there."""
    return make_vjp(grad(fun))(x)  # type: ignore[no-any-return]


@of_argument
def make_jvp_reversemode(fun: Function, x: Any) -> Function:
    """The product of the Jacobian at a point with any vector, by differentiating the pullback."""
    pullback = Pullback(fun, x)
    zeros = rebuilt(pullback.value, iter([zeros_like(r) for r in pullback.results]))
    return Pullback(pullback, zeros)


@of_argument
def make_jvp(fun: Function, x: Any) -> Function:
    """What a function does to a tangent at a point: `jvp(v)` is the value and the derivative."""
    pullback = Pullback(fun, x)
    zeros = rebuilt(pullback.value, iter([zeros_like(r) for r in pullback.results]))
    forward = Pullback(pullback, zeros)
    return lambda v: (pullback.value, forward(v))


@of_argument
def deriv(fun: Function, x: Any) -> Any:
    """The derivative of a function of a number."""
    return make_jvp(fun)(x)(ones_like(lift(x)))[1]


def grad_named(fun: Function, argname: str) -> Function:
    """The gradient with respect to the argument of a name."""
    place = list(inspect.signature(fun).parameters).index(argname)
    return grad(fun, place)  # type: ignore[no-any-return]


def multigrad_dict(fun: Function) -> Function:
    """The gradients with respect to all arguments, as a dict by name."""
    signature = inspect.signature(fun)

    def derivative(*args: Any, **kwargs: Any) -> dict[str, Any]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()

        def packed(values: dict[str, Any]) -> Any:
            again = inspect.BoundArguments(signature, dict(values))
            return fun(*again.args, **again.kwargs)

        return grad(packed)(dict(bound.arguments))  # type: ignore[no-any-return]

    return derivative


def hessian_tensor_product(fun: Function, argnum: int = 0) -> Function:
    """The product of the Hessian with an array, which comes after the function's arguments."""

    def product(*args: Any, **kwargs: Any) -> Any:
        *rest, v = args
        slope = grad(fun, argnum)(*rest, **kwargs)
        return tensordot(slope, v, numpy.ndim(v))

    return grad(product, argnum)  # type: ignore[no-any-return]


hessian_vector_product = hessian_tensor_product


def tensor_jacobian_product(fun: Function, argnum: int = 0) -> Function:
    """The product of an array, which comes after the function's arguments, with the Jacobian."""

    def product(*args: Any, **kwargs: Any) -> Any:
        *rest, v = args
        return tensordot(v, fun(*rest, **kwargs), numpy.ndim(v))

    return jacobian(product, argnum)  # type: ignore[no-any-return]


vector_jacobian_product = tensor_jacobian_product


def _half_squares(x: Any) -> Any:
    return total(multiply(x, x), -1) / 2.0


def make_ggnvp(f: Function, g: Function = _half_squares, f_argnum: int = 0) -> Function:
    """The product of the generalised Gauss-Newton matrix of `g(f(x))` with any vector."""

    @of_argument
    def make(f: Function, x: Any) -> Function:
        pullback = Pullback(f, x)
        hvp, slope = make_hvp(g)(pullback.value)
        pushforward = Pullback(pullback, zeros_like(slope))
        return lambda v: pullback(hvp(pushforward(v)))

    return make(f, f_argnum)  # type: ignore[no-any-return]
