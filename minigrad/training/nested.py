"""Tensors in tuples, lists and dicts: how many samples, to another device, joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor

__all__ = ["batch_size", "detached", "joined", "moved"]


def batch_size(inputs: Any) -> int:
    """The first dimension of the first tensor, 1 where that has none."""
    while not hasattr(inputs, "shape"):
        if isinstance(inputs, dict):
            inputs = list(inputs.values())
        if not isinstance(inputs, (tuple, list)) or not inputs:
            raise ArgumentError(
                f"a batch must hold tensors, or tuples, lists or dicts of them; got {inputs!r}"
            )
        inputs = inputs[0]
    return inputs.shape[0] if inputs.shape else 1


def moved(value: Any, device: Any) -> Any:
    """The same structure with its tensors on the device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {name: moved(part, device) for name, part in value.items()}
    if isinstance(value, (tuple, list)):
        return _like(value, [moved(part, device) for part in value])
    return value


def detached(value: Any) -> Any:
    """The same structure with its tensors out of the graph."""
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, dict):
        return {name: detached(part) for name, part in value.items()}
    if isinstance(value, (tuple, list)):
        return _like(value, [detached(part) for part in value])
    return value


def joined(parts: Sequence[Any]) -> Any:
    """Outputs of the same structure, their tensors joined along the first dimension."""
    first = parts[0]
    if isinstance(first, dict):
        return {name: joined([part[name] for part in parts]) for name in first}
    if isinstance(first, (tuple, list)):
        return _like(first, [joined(fields) for fields in zip(*parts)])
    return minigrad.cat(list(parts)) if len(parts) > 1 else first


def _like(first: Any, parts: list[Any]) -> Any:
    """A list, tuple or named tuple, as `first` is one, of these parts."""
    return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
