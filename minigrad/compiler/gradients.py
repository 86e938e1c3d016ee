"""What a plan does to gradients and results, in place of the engine."""

from __future__ import annotations

from typing import Any

from minigrad import engine
from minigrad.backend import ndarray
from minigrad.backend.owned import alone
from minigrad.backend.wide import duplicate
from minigrad.compiler.steps import Step
from minigrad.compiler.undo import may_fail
from minigrad.graph import Node, wrap
from minigrad.mutation import tick


def store(tensor: Any, g: Any) -> Any:
    """Add a raw gradient into `tensor.grad`, as backward() does; returns the raw sum."""
    previous = tensor.grad
    node = tensor._node
    if node is None:
        return None
    if previous is not None or node.hooks or node.accumulated or g.__class__ is not ndarray:
        engine.accumulate(tensor, node, g)
        return tensor.grad._array
    if not alone(g):
        g = duplicate(g)
    tensor.grad = wrap(tensor, g)
    return g


def freed(array: Any, like: Any, op: Any) -> Any:
    """An output whose graph was walked and freed within the call."""
    return wrap(like, array, Node(op, None, tick()))


def forget(tensor: Any) -> None:
    """The tensor has no gradient any more."""
    tensor.grad = None


def forgetting_early(steps: list[Step]) -> list[Step]:
    """The steps with each gradient forgotten as early as may be: the next takes its memory.

    That a gradient was set to None is seen only when the next one comes. A step that may fail, or
    that reads the gradients itself, is not passed.
    """
    ordered: list[Step] = []
    earliest = 0
    touched: set[int] = set()
    for step in steps:
        if step.kind == "forget" and id(step.function) not in touched:
            ordered.insert(earliest, step)
            earliest += 1
            continue
        ordered.append(step)
        if step.kind == "live" or may_fail(step):
            earliest = len(ordered)
            touched.clear()
        elif step.kind in ("store", "forget"):
            touched.add(id(step.function))
    return ordered
