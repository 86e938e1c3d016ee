"""Modules as functions of their parameters and buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.ops.join import stack

__all__ = ["functional_call", "stack_module_state"]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in the place of its parameters and buffers.

    The dict, or sequence of dicts, holds tensors by dotted name; names that it leaves out stay as
    they are, unless `strict`. A tensor that is held under several names is replaced under all of
    them, unless `tie_weights` is False. Raises ArgumentError for names that are not there.

    >>> import minigrad
    >>> layer = minigrad.nn.Linear(1, 1)
    >>> new = {"weight": minigrad.tensor([[2.0]]), "bias": minigrad.tensor([1.0])}
    >>> functional_call(layer, new, minigrad.tensor([3.0]))
    tensor([7.])
    """
    given = _merged(parameter_and_buffer_dicts)
    positional = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*positional, **(kwargs or {}))


def _merged(dicts: Any) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for part in [dicts] if isinstance(dicts, Mapping) else dicts:
        for name, value in part.items():
            if name in given:
                raise ArgumentError(
                    f"functional_call(): '{name}' is in more than one of the dicts; give it once"
                )
            given[name] = value
    return given


def _held(module: Any) -> dict[str, Any]:
    """Every parameter and buffer by every name that it goes by."""
    found = dict(module.named_parameters(remove_duplicate=False))
    found.update(module.named_buffers(remove_duplicate=False))
    return found


@contextmanager
def _replaced(module: Any, given: dict[str, Any], tied: bool, strict: bool) -> Iterator[None]:
    held = _held(module)
    unknown = [name for name in given if name not in held]
    missing = [name for name in held if name not in given]
    if unknown:
        raise ArgumentError(
            f"functional_call(): the module has no parameter or buffer {unknown}; it has "
            f"{list(held)}"
        )
    if tied:
        given = _tied(held, given)
        missing = [name for name in held if name not in given]
    if strict and missing:
        raise ArgumentError(f"functional_call(): with strict=True these are missing: {missing}")
    places = []
    for name, value in given.items():
        path, _, own = name.rpartition(".")
        owner = vars(module.get_submodule(path))
        places.append((owner, own, owner[own]))
        if value is not None and not isinstance(value, Traced):
            raise TypeError(
                f"functional_call(): '{name}' must be a Tensor, not {type(value).__name__}"
            )
    try:
        # Into the dict of attributes: a module refuses to hold a plain Tensor for a parameter.
        for (owner, own, _), value in zip(places, given.values()):
            owner[own] = value
        yield
    finally:
        for owner, own, before in places:
            owner[own] = before


def _tied(held: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The tensors given, under every name of what they replace."""
    by_identity: dict[int, Any] = {}
    for name, value in given.items():
        before = by_identity.setdefault(id(held[name]), value)
        if before is not value:
            raise ArgumentError(
                f"functional_call(): '{name}' is the same tensor as another name in the module, "
                f"but is given another value; give one, or pass tie_weights=False"
            )
    return {
        name: by_identity[id(tensor)] for name, tensor in held.items() if id(tensor) in by_identity
    }


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of several models of one kind, stacked: for `vmap`.

    Both are dicts by name; the first dimension of each tensor is the model. Raises ArgumentError
    for models of different classes, or not all in one mode.

    >>> import minigrad
    >>> models = [minigrad.nn.Linear(2, 1) for _ in range(3)]
    >>> parameters, buffers = stack_module_state(models)
    >>> parameters["weight"].shape
    minigrad.Size([3, 1, 2])
    """
    models = list(models)
    if not models:
        raise ArgumentError("stack_module_state(): give at least one model")
    if len({type(model) for model in models}) > 1:
        raise ArgumentError("stack_module_state(): the models must all be of one class")
    if len({model.training for model in models}) > 1:
        raise ArgumentError(
            "stack_module_state(): the models must all train, or all evaluate; call .train() or "
            ".eval() on each"
        )
    parameters = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    return _stacked(parameters), _stacked(buffers)


def _stacked(states: list[dict[str, Any]]) -> dict[str, Any]:
    made = {}
    for name, first in states[0].items():
        value = stack([state[name].detach() for state in states])
        if first.requires_grad:
            value.requires_grad_()
        made[name] = value
    return made
