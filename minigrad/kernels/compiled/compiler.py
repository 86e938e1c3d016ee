"""How a loop is compiled by Numba, and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba import types
from numba.extending import intrinsic

from minigrad.backend.threads import tell_numba

tell_numba()

# Sums may be reordered, so that they run in vector registers; infinities and NaNs keep their rules.
_REORDERED = {"reassoc", "contract", "nsz", "arcp"}

# Products and sums may become one operation; nothing else, for the order of operations matters.
CONTRACTED = {"contract"}

LOOPS: list[Any] = []
"""All that are declared in the families that are loaded."""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled for each kind of arguments when it first meets it; kept on disk.

    It runs without Python's lock, so that `minigrad.backend.lanes` can run it on several cores.
    """
    return _made(function, _REORDERED)


def compiled_in_order(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `compiled`, but operations stay in the order that they are written in."""
    return _made(function, CONTRACTED)


def compiled_exactly(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `compiled`, but every operation is rounded as it is written, and none is reordered."""
    return _made(function, False)


def _made(function: Callable[..., Any], fastmath: Any) -> Callable[..., Any]:
    options: Any = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    made: Callable[..., Any]
    try:
        made = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        # No folder to keep it in can be written to: every process compiles anew.
        made = numba.njit(**options)(function)
    LOOPS.append(made)
    return made


def folder() -> str | None:
    """Where Numba keeps the loops; None where it has no folder to write to."""
    places = {loop.stats.cache_path for loop in LOOPS} - {None}
    return min(places, default=None)


@intrinsic  # type: ignore[untyped-decorator]
def whole_registers(typing: Any) -> Any:
    """Says inside a compiled loop that it may use vector registers of 512 bits where there are.

    LLVM takes half of them on processors whose clock was once slowed by the whole; loops that
    compute much for each element they load gain a third by them.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        attributes = builder.function.attributes
        if isinstance(attributes, set):
            # llvmlite's own `add` refuses attributes that it does not know.
            set.add(attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), generate
