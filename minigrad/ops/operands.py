"""Declarations of elementwise operations that, unlike arithmetic, do not take a number anywhere."""

from __future__ import annotations

from typing import Any

from minigrad.backend.levels import Lifted
from minigrad.graph import Declaration, Traced, is_recording
from minigrad.ops.promotion import agree


def is_followed(value: Any) -> bool:
    """Whether a derivative by a tensor may be wanted: by a graph, or by a transform around."""
    if not isinstance(value, Traced):
        return isinstance(value, Lifted)
    return (value._node is not None and is_recording()) or isinstance(value._array, Lifted)


def check_tensor(operation: str, name: str, value: Any) -> None:
    """Raise TypeError for an operand that is a number, or anything else than a tensor."""
    if not hasattr(value, "dtype"):
        raise TypeError(
            f"{operation}(): argument '{name}' must be a Tensor, not {type(value).__name__}"
        )


def _first(operation: str, arguments: dict[str, Any]) -> tuple[Any, ...]:
    name, value = next(iter(arguments.items()))
    check_tensor(operation, name, value)
    return agree(operation, arguments)


def _all(operation: str, arguments: dict[str, Any]) -> tuple[Any, ...]:
    for name, value in arguments.items():
        check_tensor(operation, name, value)
    return agree(operation, arguments)


# A float beside a float tensor needs no agreement, so a forward must check the operands too.
on_tensor = Declaration(agree=_first, broadcasts=True)
"""Declares an elementwise operation whose first operand must be a tensor."""

between = Declaration(agree=_all, broadcasts=True)
"""Declares an elementwise operation whose operands must all be tensors."""
