"""The step of an optimizer within a plan: what it found out once about its parameters is kept."""

from __future__ import annotations

from operator import is_
from typing import Any

from minigrad import mutation
from minigrad.backend import ndarray
from minigrad.optim.optimizer import Optimizer


class Stepper:
    """Does what `optimizer.step()` does for groups of small parameters in one flat array each.

    Whether everything still is where it was is asked before each step; if not, the optimizer
    steps by itself, and is looked at anew.
    """

    def __init__(self) -> None:
        self._groups: list[Any] | None = None
        self._steps: list[Any] = []

    def __call__(self, optimizer: Any, closure: Any = None) -> None:
        if self._groups is None or optimizer._before or optimizer._after:
            self._step_anew(optimizer)
            return
        if len(optimizer.param_groups) != len(self._groups):
            self._step_anew(optimizer)
            return
        state = optimizer.state
        for group, known, members, family, parts in self._steps:
            held = group["params"]
            if held is not known or len(held) != len(members) or not all(map(is_, held, members)):
                self._step_anew(optimizer)
                return
            if group.get("maximize") or not family.valid(state):
                self._step_anew(optimizer)
                return
            for parameter, part in parts:
                grad = parameter.grad
                if grad is None:
                    self._step_anew(optimizer)
                    return
                g = grad._array
                if g.__class__ is not ndarray or g.dtype is not part.dtype or g.shape != part.shape:
                    self._step_anew(optimizer)
                    return
                part[...] = g
        if not all(map(is_, optimizer.param_groups, self._groups)):
            self._step_anew(optimizer)
            return
        line = mutation.caller()
        optimizer.has_stepped = True
        for group, _, _, family, _ in self._steps:
            family.advance(optimizer, family.gradients, group, line)

    def _step_anew(self, optimizer: Any) -> None:
        Optimizer.step(optimizer)
        self._groups = None
        if type(optimizer)._step_group is not Optimizer._step_group:
            return
        steps = []
        for group in optimizer.param_groups:
            members = list(group["params"])
            families = optimizer._families.get(tuple(map(id, members)), ())
            if (
                len(families) != 1
                or not families[0].settled
                or families[0].values.dtype.kind == "c"
            ):
                return
            family = families[0]
            parts, start = [], 0
            for parameter in members:
                array = parameter._array
                flat = family.gradients[start : start + array.size]
                parts.append((parameter, flat.reshape(array.shape)))
                start += array.size
            steps.append((group, group["params"], members, family, parts))
        self._groups, self._steps = list(optimizer.param_groups), steps
