"""Loading a state dict into a module: checked as a whole before anything changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from minigrad.errors import ArgumentError
from minigrad.graph import Leaf, Traced
from minigrad.modes import no_grad
from minigrad.tensor import Tensor


class IncompatibleKeys(NamedTuple):
    """The keys that `load_state_dict` missed and the ones it did not expect."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        missing, unexpected = self
        return f"IncompatibleKeys(missing_keys={missing}, unexpected_keys={unexpected})"


def load_state(module: Any, state_dict: Any, strict: bool, assign: bool) -> IncompatibleKeys:
    """Copy saved values into a module's parameters and buffers, or refuse and change nothing."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(
            f"load_state_dict(): expected a dict of Tensors, got {type(state_dict).__name__}"
        )
    own = module.state_dict(keep_vars=True)
    missing = [key for key in own if key not in state_dict]
    unexpected = [key for key in state_dict if key not in own]
    problems = []
    if strict and missing:
        problems.append("missing keys: " + ", ".join(missing))
    if strict and unexpected:
        problems.append("unexpected keys: " + ", ".join(unexpected))
    for key, tensor in own.items():
        if key not in state_dict:
            continue
        value = state_dict[key]
        shape = getattr(value, "shape", None)
        if shape is None:
            problems.append(f"'{key}' is no Tensor but {type(value).__name__}")
        elif tuple(shape) != tensor._array.shape:
            problems.append(
                f"'{key}' has shape {list(shape)} in the state dict and "
                f"{list(tensor._array.shape)} in the model"
            )
    if problems:
        raise ArgumentError(
            f"load_state_dict(): the state does not fit {type(module).__name__}; nothing was "
            "loaded\n  " + "\n  ".join(problems)
        )
    with no_grad():
        for key, tensor in own.items():
            if key in state_dict:
                _load(tensor, state_dict[key], assign)
    return IncompatibleKeys(missing, unexpected)


def _load(tensor: Any, value: Any, assign: bool) -> None:
    if assign:
        array = value._array if isinstance(value, Traced) else Tensor(value)._array
        tensor._array = array
        if isinstance(tensor._node, Leaf):
            tensor._node = Leaf(tensor)
        return
    tensor.detach().copy_(value if isinstance(value, Traced) else type(tensor)._tensor(value))
