"""Transforms by a walk back: `grad`, `grad_and_value`, `vjp`, `jacrev`.

The inputs are taken as new leaves, so that what leads to them alone is differentiated; where they,
or anything else that the function uses, belong to a graph outside, the walk is recorded there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from minigrad import engine
from minigrad.errors import ArgumentError, DtypeError
from minigrad.func.level import lifted_to_innermost
from minigrad.func.trees import flatten, map_tensors, unflatten
from minigrad.graph import Leaf, Node, Primitive, Traced, grad_mode, primitive, wrap
from minigrad.mutation import tick
from minigrad.ops.creation import zeros_like

__all__ = ["Linear", "grad", "grad_and_value", "value_and_grad", "vjp"]

_INPUT = Primitive(lambda xp: None, {}, primitive)
_INPUT.name = "input"


def _same(g: Any) -> Any:
    return g


def fresh(tensor: Any, operation: str) -> Any:
    """A primal as a new input of a graph; TypeError or DtypeError for what has no gradient."""
    if not isinstance(tensor, Traced):
        raise TypeError(
            f"{operation}(): it differentiates with respect to Tensors, found "
            f"{type(tensor).__name__}; choose other argnums, or make it a Tensor"
        )
    if tensor._array.dtype.kind not in "fc":
        raise DtypeError(
            f"{operation}(): only floating and complex tensors have gradients, this one has dtype "
            f"{tensor._array.dtype}; convert it first, for example with .float()"
        )
    return attached(lifted_to_innermost(tensor), bool(grad_mode.get()))


def attached(tensor: Any, recorded: bool) -> Any:
    """The tensor as a new input of a graph: attached to the one outside where that is recorded."""
    made = wrap(tensor, tensor._array)
    if tensor._node is not None and recorded:
        made._node = Node(_INPUT, ((tensor._node, _same, (), None),), tick())
    else:
        made._node = Leaf(made)
    return made


class Linear:
    """A function run once on new inputs: its outputs, and the walk back from them.

    `outputs` are Tensors attached to the graph; what is given outside comes from `released`.
    """

    def __init__(self, function: Callable[..., Any], primals: Any, operation: str) -> None:
        self.operation = operation
        self.recorded = bool(grad_mode.get())
        flat, self.spec = flatten(primals)
        self.inputs = [fresh(tensor, operation) for tensor in flat]
        self.nodes = {tensor._node for tensor in self.inputs}
        token = grad_mode.set(True)
        try:
            self.result = function(unflatten(self.inputs, self.spec))
        finally:
            grad_mode.reset(token)

    def released(self, tree: Any) -> Any:
        """A structure of the function's results as they are outside of the transform."""
        return map_tensors(self._release, tree)

    def _release(self, tensor: Any) -> Any:
        node = tensor._node
        if node is None or (self.recorded and self.leads_out([node])):
            return tensor
        return wrap(tensor, tensor._array)

    def leads_out(self, nodes: Iterable[Node]) -> bool:
        """Whether a graph outside of the transform is reached from some nodes."""
        seen = set(nodes)
        waiting = list(seen)
        while waiting:
            node = waiting.pop()
            if node in self.nodes:
                if not isinstance(node, Leaf):
                    return True
                continue
            if not node.edges:
                return True
            for edge in node.edges:
                if edge[0] not in seen:
                    seen.add(edge[0])
                    waiting.append(edge[0])
        return False

    def back(self, outputs: list[Any], cotangents: list[Any], keep: bool) -> Any:
        """The gradients of the inputs for cotangents of the outputs, zeros where there is none."""
        roots, seeds = [], []
        for output, cotangent in zip(outputs, cotangents, strict=True):
            if output._node is not None:
                roots.append(output)
                seeds.append(cotangent)
        create = self.recorded and self.leads_out(root._node for root in roots)
        create = create or any(isinstance(g, Traced) and g._node is not None for g in seeds)
        create = create and bool(grad_mode.get())
        if not roots:
            found: list[Any] = [None] * len(self.inputs)
        else:
            found = engine.grad(
                roots,
                self.inputs,
                [engine.seed(r, g, create, self.operation) for r, g in zip(roots, seeds)],
                retain_graph=keep or create,
                create_graph=create,
            )
        gradients = [
            zeros_like(tensor) if g is None else g
            for tensor, g in zip(self.inputs, found, strict=True)
        ]
        return unflatten(gradients, self.spec)


def chosen(argnums: Any, args: tuple[Any, ...], operation: str) -> tuple[Any, Callable[..., Any]]:
    """The arguments at `argnums`, and what puts others in their place."""
    places = (argnums,) if isinstance(argnums, int) else argnums
    if not isinstance(places, (tuple, list)) or not places:
        raise ArgumentError(
            f"{operation}(): argument 'argnums' is {argnums!r}; give the place of an argument, or "
            f"a tuple of places"
        )
    wrapped = []
    for place in places:
        if not isinstance(place, int) or not -len(args) <= place < len(args):
            raise ArgumentError(
                f"{operation}(): argument 'argnums' names the argument {place!r}, but the function "
                f"was called with {len(args)} positional arguments"
            )
        wrapped.append(place % len(args))
    if len(set(wrapped)) != len(wrapped):
        raise ArgumentError(f"{operation}(): argument 'argnums' names an argument twice: {argnums}")

    def replaced(values: Any) -> tuple[Any, ...]:
        given = list(args)
        for place, value in zip(wrapped, (values,) if isinstance(argnums, int) else values):
            given[place] = value
        return tuple(given)

    if isinstance(argnums, int):
        return args[wrapped[0]], replaced
    return tuple(args[place] for place in wrapped), replaced


def split_aux(result: Any, operation: str) -> tuple[Any, Any]:
    """The output and the auxiliary output of a function that gives both."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise ArgumentError(
            f"{operation}(): with has_aux=True the function must return a tuple (output, aux), "
            f"it returned {type(result).__name__}"
        )
    return result


def grad_and_value(
    func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of `func` and its value.

    `func` returns a tensor of one element, with `has_aux` a tuple of it and anything else; the
    result is then (gradient, (value, aux)).

    >>> import minigrad
    >>> grad_and_value(lambda x: x**2)(minigrad.tensor(3.0))
    (tensor(6.), tensor(9.))
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        picked, replaced = chosen(argnums, args, "grad")
        work = Linear(lambda values: func(*replaced(values), **kwargs), picked, "grad")
        value, aux = split_aux(work.result, "grad") if has_aux else (work.result, None)
        if not isinstance(value, Traced):
            raise TypeError(
                f"grad(): the function must return a Tensor of one element, it returned "
                f"{type(value).__name__}"
            )
        if value._array.ndim:
            raise ArgumentError(
                f"grad(): the function must return a tensor without dimensions, this one has shape "
                f"{list(value._array.shape)}; reduce it first, for example with .sum()"
            )
        if value._array.dtype.kind == "c":
            raise ArgumentError("grad(): the function must return a real tensor, this is complex")
        kept = work.released((value, aux))
        outside = work.recorded and any(t._node is not None for t in _tensors(kept))
        gradient = work.back([value], [None], keep=outside)
        value, aux = kept
        return gradient, ((value, aux) if has_aux else value)

    return wrapper


def _tensors(tree: Any) -> list[Any]:
    return [leaf for leaf in flatten(tree)[0] if isinstance(leaf, Traced)]


def value_and_grad(
    func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """As `grad_and_value`, with the value first."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return value, gradient

    return wrapper


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of `func` with respect to the arguments `argnums`.

    `func` returns a tensor of one element, with `has_aux` a tuple of it and anything else, which
    comes beside the gradient.

    >>> import minigrad
    >>> grad(grad(minigrad.sin))(minigrad.tensor(0.5))
    tensor(-0.4794)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def outputs_of(tree: Any, operation: str) -> tuple[list[Any], Any]:
    """The Tensors that a function returned, and their structure; TypeError for anything else."""
    leaves, spec = flatten(tree)
    for leaf in leaves:
        if not isinstance(leaf, Traced):
            raise TypeError(
                f"{operation}(): the function must return Tensors, alone or in a structure; it "
                f"returned {type(leaf).__name__}"
            )
    if not leaves:
        raise ArgumentError(f"{operation}(): the function returned no tensor")
    return leaves, spec


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `func` at the primals, and the function from cotangents to gradients.

    Returns (output, vjp_fn), or (output, vjp_fn, aux) with `has_aux`. `vjp_fn` takes cotangents in
    the structure of the output and returns a tuple, one gradient for each primal.

    >>> import minigrad
    >>> value, back = vjp(minigrad.sin, minigrad.zeros(2))
    >>> back(minigrad.tensor([1.0, 2.0]))
    (tensor([1., 2.]),)
    """
    work = Linear(lambda values: func(*values), primals, "vjp")
    result, aux = split_aux(work.result, "vjp") if has_aux else (work.result, None)
    outputs, spec = outputs_of(result, "vjp")

    def vjp_fn(*cotangents: Any, retain_graph: Any = None, create_graph: Any = None) -> Any:
        given = cotangents[0] if len(cotangents) == 1 and spec != flatten(cotangents)[1] else None
        flat, given_spec = flatten(cotangents if given is None else given)
        if len(flat) != len(outputs) or (given_spec != spec and len(outputs) > 1):
            raise ArgumentError(
                f"vjp(): the cotangents do not have the structure of the output, which has "
                f"{len(outputs)} tensors; give one of the same shape for each"
            )
        return work.back(outputs, flat, keep=True)

    released = work.released(result)
    return (released, vjp_fn, work.released(aux)) if has_aux else (released, vjp_fn)
