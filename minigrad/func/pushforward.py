"""Transforms by forward mode: `jvp`, `linearize`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import engine
from minigrad.errors import ArgumentError
from minigrad.func.forward import Forward
from minigrad.func.level import as_tensor, lifted_to_innermost
from minigrad.func.reverse import Linear, attached, outputs_of, split_aux
from minigrad.func.trees import flatten, map_tensors, unflatten
from minigrad.graph import WALKING, Traced, grad_mode
from minigrad.ops.creation import zeros_like
from minigrad.ops.promotion import convert

__all__ = ["jvp", "linearize"]


def jvp(
    func: Callable[..., Any],
    primals: Any,
    tangents: Any,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> tuple[Any, ...]:
    """The value of `func` at the primals, and its derivative in the direction of the tangents.

    Forward mode: the tangents travel with the values, so that nothing is kept. Returns (output,
    tangent), or (output, tangent, aux) with `has_aux`. With `strict` an output that does not
    depend on the primals raises ArgumentError.

    >>> import minigrad
    >>> jvp(minigrad.sin, (minigrad.zeros(2),), (minigrad.ones(2),))
    (tensor([0., 0.]), tensor([1., 1.]))
    """
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, (tuple, list)) or not value:
            raise TypeError(f"jvp(): argument '{name}' must be a tuple with one entry or more")
    flat, spec = flatten(tuple(primals))
    directions, given = flatten(tuple(tangents))
    if given != spec:
        raise ArgumentError(
            "jvp(): argument 'tangents' does not have the structure of 'primals'; give one tangent "
            "for each primal"
        )
    for place, (primal, tangent) in enumerate(zip(flat, directions)):
        _check_direction("jvp", place, primal, tangent)
    level = Forward()
    with level.running():
        duals = [
            level.dual(primal, convert(tangent, primal._array.dtype))
            for primal, tangent in zip(flat, directions)
        ]
        result = func(*unflatten(duals, spec))
        result, aux = split_aux(result, "jvp") if has_aux else (result, None)
        outputs, shape = outputs_of(result, "jvp")
    pairs = [level.split(output) for output in outputs]
    if strict and any(tangent is None for _, tangent in pairs):
        raise ArgumentError(
            "jvp(): with strict=True every output must depend on the primals, one does not"
        )
    value = unflatten([primal for primal, _ in pairs], shape)
    pushed = unflatten([zeros_like(p) if t is None else t for p, t in pairs], shape)
    if not has_aux:
        return value, pushed
    return value, pushed, map_tensors(lambda tensor: level.split(tensor)[0], aux)


def _check_direction(operation: str, place: int, primal: Any, tangent: Any) -> None:
    for name, value in (("primals", primal), ("tangents", tangent)):
        if not isinstance(value, Traced):
            raise TypeError(
                f"{operation}(): argument '{name}' must hold Tensors, found {type(value).__name__}"
            )
    if primal._array.shape != tangent._array.shape:
        raise ArgumentError(
            f"{operation}(): tangent {place} has shape {list(tangent._array.shape)}, its primal "
            f"{list(primal._array.shape)}; they must be equal"
        )


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of `func` at the primals, and its derivative there as a function of tangents.

    `func` runs once; the function returned is the transpose of its walk back, recorded once, so
    that each call costs about one evaluation. Unlike `jvp` this keeps memory for every step.

    >>> import minigrad
    >>> value, push = linearize(minigrad.sin, minigrad.zeros(2))
    >>> push(minigrad.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    work = Linear(lambda values: func(*values), primals, "linearize")
    outputs, spec = outputs_of(work.result, "linearize")
    seeds = [attached(lifted_to_innermost(zeros_like(output)), False) for output in outputs]
    token = grad_mode.set(True)
    try:
        roots = [(out._node, g) for out, g in zip(outputs, seeds) if out._node is not None]
        found = engine.walk(
            roots,
            keep=True,
            like=outputs[0],
            only=engine.reachable([root for root, _ in roots], work.nodes),
            wanted=work.nodes,
            beyond=False,
        )
    finally:
        grad_mode.reset(token)
    flat, structure = flatten(primals)

    def jvp_fn(*tangents: Any) -> Any:
        directions, given = flatten(tangents)
        if given != structure:
            raise ArgumentError(
                "linearize(): the tangents do not have the structure of the primals"
            )
        starts = []
        for place, (primal, tangent) in enumerate(zip(flat, directions)):
            _check_direction("linearize", place, primal, tangent)
            back = found.get(work.inputs[place]._node)
            if back is not None and back._node is not None:
                starts.append((back._node, convert(tangent, primal._array.dtype)))
        recorded = outward or any(tangent._node is not None for tangent in directions)
        return unflatten(_pushed(outputs, seeds, starts, recorded), spec)

    outward = work.recorded and work.leads_out(root for root, _ in roots)
    return work.released(work.result), jvp_fn


def _pushed(outputs: list[Any], seeds: list[Any], starts: list[Any], recorded: bool) -> list[Any]:
    """The tangents of the outputs, by a walk back through the walk back."""
    wanted = {seed._node for seed in seeds}
    recorded = recorded and bool(grad_mode.get())
    if not recorded:
        starts = [(node, tangent._array) for node, tangent in starts]
    token = grad_mode.set(recorded or WALKING)
    try:
        pushed = engine.walk(
            starts,
            keep=True,
            like=outputs[0] if recorded else None,
            only=engine.reachable([node for node, _ in starts], wanted),
            wanted=wanted,
            beyond=False,
        )
    finally:
        grad_mode.reset(token)
    tangents = [pushed.get(seed._node) for seed in seeds]
    return [
        zeros_like(output) if tangent is None else as_tensor(tangent)
        for output, tangent in zip(outputs, tangents)
    ]
