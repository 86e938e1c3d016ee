"""A stand-in for CUDA graphs over strict arrays: what is captured is not done until it is launched.

A tape notes each function that is called on arrays between the beginning and the end of a capture.
At its end everything is as it was before, and the arrays that were made hold nonsense; a launch
calls the functions again, on the same memory, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from tests.strict import Capturing, StrictArray, StrictBackend


class Tape:
    """The work of one capture, and how often it was launched."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[[], Any], Any]] = []
        self.kept: list[tuple[Any, Any]] = []
        self.launches = 0

    def keep(self, targets: tuple[Any, ...]) -> None:
        """Remember arrays that are about to be changed."""
        self.kept += [(target, target.copy()) for target in targets]

    def note(self, compute: Callable[[], Any], made: Any) -> None:
        """Add a call whose result is in the memory of `made` from now on."""
        self.calls.append((compute, made))

    def take_back(self) -> None:
        """Nothing of it was done."""
        for target, before in reversed(self.kept):
            target[...] = before
        for _, made in self.calls:
            for array in made if isinstance(made, (tuple, list)) else (made,):
                made_here = isinstance(array, StrictArray) and array._held.base is None
                if made_here and not any(array._held is target for target, _ in self.kept):
                    array._held[...] = 113

    def launch(self) -> None:
        """Do it all."""
        self.launches += 1
        for compute, made in self.calls:
            _assign(made, compute())


def _assign(made: Any, value: Any) -> None:
    if isinstance(made, (tuple, list)):
        for one, part in zip(made, value, strict=True):
            _assign(one, part)
    elif isinstance(made, StrictArray) and not numpy.may_share_memory(value, made._held):
        made._held[...] = value


class GraphBackend(StrictBackend):
    """The strict device with graphs; `tapes` are those that were captured."""

    no_graphs = None
    captures_products = True

    def __init__(self) -> None:
        self.tapes: list[Tape] = []

    def capture(self, place: Any, body: Callable[[], None]) -> Callable[[], None]:
        tape = Capturing.tape = Tape()
        try:
            body()
        finally:
            Capturing.tape = None
            tape.take_back()
        self.tapes.append(tape)
        return tape.launch
