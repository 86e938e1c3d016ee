"""Derivatives of functions of tensors with torch's older names and signatures.

`jacobian`, `hessian`, `vjp`, `jvp`, `vhp` and `hvp` are `minigrad.func`'s transforms with checks of
their arguments; results can be differentiated again with `create_graph`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import func as transforms
from minigrad.errors import ArgumentError, GraphError
from minigrad.func.reverse import Linear
from minigrad.graph import Traced, wrap
from minigrad.modes import enable_grad
from minigrad.ops.creation import ones_like

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _tuple(value: Any, name: str, operation: str) -> tuple[Any, ...]:
    values = (value,) if isinstance(value, Traced) else value
    if not isinstance(values, (tuple, list)) or not all(isinstance(v, Traced) for v in values):
        raise TypeError(
            f"{operation}(): '{name}' must be a Tensor or a tuple of Tensors, got "
            f"{type(value).__name__}"
        )
    return tuple(values)


def _like_given(values: tuple[Any, ...], given: Any) -> Any:
    """A tuple, or its only entry where a Tensor alone was given."""
    return values[0] if isinstance(given, Traced) else tuple(values)


class _Function:
    """A user's function on its inputs: Tensors in, a tuple of Tensors out."""

    def __init__(self, func: Callable[..., Any], inputs: Any, create: bool, operation: str) -> None:
        self.func = func
        self.given = inputs
        self.operation = operation
        self.create = create
        values = _tuple(inputs, "inputs", operation)
        # Without a graph to be made, what the inputs came from is not followed.
        self.inputs = values if create else tuple(wrap(v, v._array) for v in values)
        self.result: Any = None

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        self.result = self.func(*values)
        return _tuple(self.result, "outputs of the user-provided function", self.operation)

    def finished(self, values: Any, given: Any) -> Any:
        """Results in the form of what was given, detached unless a graph was asked for."""
        if not self.create:
            values = tuple(wrap(v, v._array) for v in values)
        return _like_given(values, given)

    def single(self, operation: str) -> Callable[..., Any]:
        """The function, which must give one element."""

        def value(*values: Any) -> Any:
            outputs = self(*values)
            if len(outputs) != 1 or outputs[0]._array.size != 1:
                raise ArgumentError(
                    f"{operation}(): the function must return a single Tensor of one element"
                )
            return outputs[0].reshape(())

        return value


def _directions(v: Any, like: Any, name: str, operation: str) -> tuple[Any, ...]:
    """The vectors of a product, ones where none is given for a single element."""
    if v is None:
        if len(like) != 1 or like[0]._array.size != 1:
            raise ArgumentError(
                f"{operation}(): the vector v can only be None where {name} is one element; give "
                f"a tensor of its shape"
            )
        return (ones_like(like[0]),)
    values = _tuple(v, "v", operation)
    shapes = [list(value._array.shape) for value in values]
    wanted = [list(value._array.shape) for value in like]
    if shapes != wanted:
        raise ArgumentError(f"{operation}(): v has shapes {shapes}, but {name} {wanted}")
    return values


def _check_dependence(work: Linear, outputs: tuple[Any, ...], operation: str) -> None:
    """Refuse, for `strict`, outputs and inputs that do not depend on each other."""
    for place, output in enumerate(outputs):
        if output._node is None:
            raise GraphError(
                f"{operation}(): with strict=True, output {place} must depend on the inputs"
            )


def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The outputs of `func`, and the product of a vector with its Jacobian.

    >>> import minigrad
    >>> vjp(lambda x: x * 2, minigrad.ones(2), minigrad.ones(2))
    (tensor([2., 2.]), tensor([2., 2.]))
    """
    function = _Function(func, inputs, create_graph, "vjp")
    with enable_grad():
        outputs, back = transforms.vjp(function, *function.inputs)
        if strict:
            _check_strict(function, "vjp")
        cotangents = _directions(v, outputs, "the output", "vjp")
        products = back(cotangents)
    shown = function.finished(outputs, function.result)
    return shown, function.finished(products, inputs)


def _check_strict(function: _Function, operation: str) -> None:
    work = Linear(lambda values: function(*values), function.inputs, operation)
    _check_dependence(work, work.result, operation)


def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The outputs of `func`, and the product of its Jacobian with a vector, by forward mode."""
    function = _Function(func, inputs, create_graph, "jvp")
    with enable_grad():
        tangents = _directions(v, function.inputs, "the input", "jvp")
        if strict:
            _check_strict(function, "jvp")
        outputs, products = transforms.jvp(function, function.inputs, tangents)
    given = function.result
    return function.finished(outputs, given), function.finished(products, given)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of `func`: for tuples, a tuple for each output with one for each input.

    `vectorize` is accepted: the rows are always computed as one batch. `strategy` is
    'reverse-mode' or 'forward-mode'.

    >>> import minigrad
    >>> jacobian(lambda x: x**2, minigrad.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ArgumentError(
            f"jacobian(): argument 'strategy' is {strategy!r}, not 'reverse-mode' or 'forward-mode'"
        )
    function = _Function(func, inputs, create_graph, "jacobian")
    transform = transforms.jacrev if strategy == "reverse-mode" else transforms.jacfwd
    with enable_grad():
        if strict:
            _check_strict(function, "jacobian")
        rows = transform(function, tuple(range(len(function.inputs))))(*function.inputs)
    return _like_given(tuple(function.finished(row, inputs) for row in rows), function.result)


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a function that returns one element: forward mode over a walk back.

    `vectorize` and `outer_jacobian_strategy` are accepted; they change no values.
    """
    function = _Function(func, inputs, create_graph, "hessian")
    with enable_grad():
        if strict:
            _check_strict(function, "hessian")
        places = tuple(range(len(function.inputs)))
        rows = transforms.hessian(function.single("hessian"), places)(*function.inputs)
    return _like_given(tuple(function.finished(row, inputs) for row in rows), inputs)


def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of a function that returns one element, and its Hessian times a vector."""
    function = _Function(func, inputs, create_graph, "hvp")
    with enable_grad():
        directions = _directions(v, function.inputs, "the input", "hvp")
        if strict:
            _check_strict(function, "hvp")
        places = tuple(range(len(function.inputs)))
        slope = transforms.grad(function.single("hvp"), places)
        _, products = transforms.jvp(slope, function.inputs, directions)
        value = func(*function.inputs)
    return function.finished((value,), value), function.finished(products, inputs)


def vhp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of a function that returns one element, and a vector times its Hessian."""
    function = _Function(func, inputs, create_graph, "vhp")
    with enable_grad():
        directions = _directions(v, function.inputs, "the input", "vhp")
        if strict:
            _check_strict(function, "vhp")
        places = tuple(range(len(function.inputs)))
        _, back = transforms.vjp(transforms.grad(function.single("vhp"), places), *function.inputs)
        products = back(directions)
        value = func(*function.inputs)
    return function.finished((value,), value), function.finished(products, inputs)
