"""`backward` and `grad`: asking for gradients of several tensors at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad import engine
from minigrad.errors import ArgumentError, GraphError
from minigrad.graph import Traced
from minigrad.ops.creation import zeros_like
from minigrad.tensor import Tensor

__all__ = ["backward", "grad"]


def _sequence(value: Any, name: str, operation: str) -> tuple[Tensor, ...]:
    tensors = (value,) if isinstance(value, Traced) else tuple(value)
    if not tensors:
        raise ArgumentError(f"{operation}(): '{name}' is empty; pass at least one tensor")
    for tensor in tensors:
        if not isinstance(tensor, Traced):
            raise TypeError(
                f"{operation}(): '{name}' must hold Tensors, found {type(tensor).__name__}"
            )
    return tensors


def _seeds(tensors: Sequence[Tensor], given: Any, create: bool, operation: str) -> list[Any]:
    if given is None:
        given = (None,) * len(tensors)
    elif isinstance(given, Traced):
        given = (given,)
    if len(given) != len(tensors):
        raise ArgumentError(
            f"{operation}(): got {len(tensors)} tensors but {len(given)} gradients for them"
        )
    for tensor in tensors:
        engine.root(tensor)
    return [engine.seed(t, g, create, operation) for t, g in zip(tensors, given, strict=True)]


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradients of the sum of `tensors` into the `.grad` of the leaves, or of `inputs`.

    Raises GraphError when a tensor was not recorded or its graph was freed.
    """
    roots = _sequence(tensors, "tensors", "backward")
    engine.backward(
        roots,
        _seeds(roots, grad_tensors, create_graph, "backward"),
        retain_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
        inputs=None if inputs is None else _sequence(inputs, "inputs", "backward"),
    )


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of the sum of `outputs` with respect to each of `inputs`.

    An input that no output depends on raises GraphError, unless `allow_unused` (then its gradient
    is None) or `materialize_grads` (then it is zeros).

    >>> import minigrad
    >>> x = minigrad.tensor(3.0, requires_grad=True)
    >>> (slope,) = grad(x**3, x, create_graph=True)
    >>> grad(slope, x)
    (tensor(18.),)
    """
    if not only_inputs:
        raise ArgumentError(
            "grad(): only_inputs=False is not available; backward() adds to every leaf's .grad"
        )
    if is_grads_batched:
        raise ArgumentError(
            "grad(): is_grads_batched=True is not available; call grad once per cotangent"
        )
    if materialize_grads and allow_unused is False:
        raise ArgumentError(
            "grad(): materialize_grads=True needs allow_unused to be True or left out"
        )
    roots = _sequence(outputs, "outputs", "grad")
    targets = _sequence(inputs, "inputs", "grad")
    found = engine.grad(
        roots,
        targets,
        _seeds(roots, grad_outputs, create_graph, "grad"),
        retain_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
    )
    for position, g in enumerate(found):
        if g is not None:
            continue
        if materialize_grads:
            found[position] = zeros_like(targets[position])
        elif not allow_unused:
            raise GraphError(
                f"grad(): no output depends on inputs[{position}], a tensor of shape "
                f"{list(targets[position].shape)}; pass allow_unused=True to get None for it, or "
                f"materialize_grads=True to get zeros"
            )
    return tuple(found)
