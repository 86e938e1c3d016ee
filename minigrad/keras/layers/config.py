"""What a layer's constructor and call take, read off their signatures, and configurations of it."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from minigrad.keras.lookup import Lookup

__all__ = ["constructor_config", "from_constructor_config", "takes"]

_ARGUMENTS = Lookup("keras.layers", "argument", {})
_EVERY_LAYER = ("name", "dtype", "trainable")


@functools.cache
def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)


def takes(kind: Any, name: str) -> bool:
    """Whether the `call` of this class of layers has a parameter of that name."""
    found = _parameters(kind.call).get(name)
    return found is not None and found.kind is not inspect.Parameter.VAR_KEYWORD


def constructor_config(layer: Any) -> dict[str, Any]:
    """The constructor's arguments: the attributes of their names, else what was given.

    Objects with `get_config`, and functions by their names, become configurations.
    """
    kind = type(layer)
    config = {
        "name": layer.name,
        "trainable": layer._trainable,
        "dtype": layer.dtype,
    }
    given = inspect.signature(kind.__init__).bind_partial(
        layer, *layer._given[0], **layer._given[1]
    )
    given.apply_defaults()
    for name, parameter in list(_parameters(kind.__init__).items())[1:]:
        if name in config:
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        value = vars(layer).get(name, given.arguments.get(name, parameter.default))
        config[name] = described(value)
    if layer.batch_input_shape is not None:
        config["batch_input_shape"] = list(layer.batch_input_shape)
    return config


def described(value: Any) -> Any:
    """The value as a configuration can hold it: names for functions, dicts for objects."""
    if isinstance(value, (list, tuple)):
        return [described(part) for part in value]
    if callable(value) or hasattr(value, "get_config"):
        return _ARGUMENTS.to_config(value)
    return value


def from_constructor_config(kind: type, config: dict[str, Any]) -> Any:
    """The layer whose constructor is called with these arguments.

    What every layer has, such as its name, is set afterwards where the constructor lacks it.
    """
    config = dict(config)
    accepted = _parameters(kind.__init__)  # type: ignore[misc]
    later: dict[str, Any] = {}
    if not any(one.kind is one.VAR_KEYWORD for one in accepted.values()):
        later = {name: config.pop(name) for name in _EVERY_LAYER if name not in accepted}
    layer = kind(**config)
    for name, value in later.items():
        setattr(layer, name, value)
    return layer
