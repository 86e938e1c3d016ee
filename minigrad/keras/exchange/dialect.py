"""Configurations as Keras writes them, read: JSON only, and classes that are known by name."""

from __future__ import annotations

import inspect
from typing import Any

import numpy

from minigrad.errors import ArgumentError
from minigrad.keras import (
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)
from minigrad.keras.layers import Layer
from minigrad.keras.lookup import CUSTOM
from minigrad.keras.naming import snake_case
from minigrad.keras.optimizers import schedules
from minigrad.keras.symbolic import OPERATIONS

__all__ = ["MODELS", "from_keras", "namespace_of"]

# Where the classes of Keras's modules are found, in the order in which a class without a module is
# looked for.
NAMESPACES: dict[str, Any] = {
    "keras.layers": layers,
    "keras.initializers": initializers,
    "keras.regularizers": regularizers,
    "keras.constraints": constraints,
    "keras.optimizers": optimizers,
    "keras.optimizers.schedules": schedules,
    "keras.metrics": metrics,
    "keras.losses": losses,
}
MODELS = ("Sequential", "Functional", "Model")

# Marks that the graph of layers is read from, which are left as they are.
_GRAPH = ("__keras_tensor__", "__slice__", "__ellipsis__")

# Arguments of Keras that classes here do not have, with the values that ask for nothing; None and
# False always do, and an empty tuple stands for any value.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "_name": (),
    "attention_axes": ([1],),
    "build_input_shape": (),
    "data_format": ("channels_last",),
    "decay": (0.0,),
    "ema_momentum": (),
    "fill_mode": ("constant",),
    "fill_value": (0.0,),
    "implementation": (),
    "is_legacy_optimizer": (),
    "jit_compile": (),
    "renorm_momentum": (),
    "score_mode": ("dot",),
    "time_major": (),
    "unroll": (),
    "use_cudnn_on_gpu": (),
    "zero_output_for_mask": (),
}


def namespace_of(name: str, module: str | None, config: Any) -> str | None:
    """The public module that has the class; None if there is none.

    Files of Keras 2 name no modules: a loss there has a reduction and no metric has one.
    """
    module = module or ""
    if module.startswith(("keras.src.backend", "keras.src.optimizers")):
        module = "keras.optimizers"
    if module in NAMESPACES:
        return module if _public(module, name) else None
    if module and not module.startswith("keras"):
        return None
    wanted = list(NAMESPACES)
    if isinstance(config, dict):
        if "reduction" in config:
            wanted.reverse()
        if "name" not in config:
            wanted.remove("keras.layers")
    return next((one for one in wanted if _public(one, name)), None)


def _public(module: str, name: str) -> bool:
    return isinstance(vars(NAMESPACES[module]).get(name), type)


def from_keras(value: Any, where: str = "load_model()") -> Any:
    """The configuration as minigrad's classes take it.

    Raises ArgumentError for a class or an argument that is not known, naming it, and for code.
    """
    if isinstance(value, list):
        return [from_keras(part, where) for part in value]
    if not isinstance(value, dict):
        return value
    if not isinstance(value.get("class_name"), str):
        return {key: from_keras(part, where) for key, part in value.items()}
    name, config = value["class_name"], value.get("config")
    if name in _GRAPH:
        return value
    if name in ("__lambda__", "Lambda") and name not in CUSTOM:
        raise ArgumentError(
            f"{where}: the file holds a {name}, which is compiled Python code, and code from files "
            "is never run; write the function as a layer of your own, "
            "@keras.saving.register_keras_serializable(), and save the model anew"
        )
    simple = _simple(name, config, where)
    if simple is not None:
        return simple[0]
    return _with_class(value, name, config, where)


def _simple(name: str, config: Any, where: str) -> tuple[Any] | None:
    """What is one value here, in a tuple: policies, functions, arrays, metrics of functions."""
    if name in ("DTypePolicy", "Policy"):
        policy = config["name"]
        if policy.startswith("mixed_"):
            raise ArgumentError(
                f"{where}: a layer has the dtype policy {policy!r}, and layers compute in the "
                "dtype of their weights here; set the layer's dtype_policy to 'float32' and save "
                "again"
            )
        return (policy,)
    if name == "function":
        return (config,)
    if name in ("__numpy__", "__tensor__"):
        return (numpy.array(config["value"], config["dtype"]),)
    if name == "__tuple__":
        return (tuple(from_keras(part, where) for part in config["value"]),)
    if name in ("MeanMetricWrapper", "LossFunctionWrapper"):
        function = from_keras(config["fn"], where)
        return (config["name"] if config.get("name") in ("accuracy", "acc") else function,)
    return None


def _with_class(value: dict[str, Any], name: str, config: Any, where: str) -> dict[str, Any]:
    registered = value.get("registered_name")
    module = value.get("module")
    made = {key: part for key, part in value.items() if key not in ("module", "config")}
    if registered in CUSTOM or name in CUSTOM:
        made["config"] = from_keras(config, where)
        return made
    made.pop("registered_name", None)
    if _is_operation(name, module, value):
        return {**made, "operation": name, "config": config}
    if name.rpartition(">")[2] in MODELS:
        made["class_name"] = "Sequential" if name.endswith("Sequential") else "Model"
        made["config"] = from_keras(config, where)
        return made
    name = name.removeprefix("Custom>")
    found = namespace_of(name, module, config)
    if found is None:
        raise ArgumentError(
            f"{where}: the file needs {module + '.' if module else ''}{name}, which minigrad.keras "
            f"does not have; pass custom_objects={{{name!r}: YourClass}}"
        )
    made["class_name"] = name
    kind = vars(NAMESPACES[found])[name]
    made["config"] = _accepted(kind, name, from_keras(config or {}, where), where)
    return made


def _is_operation(name: str, module: str | None, value: dict[str, Any]) -> bool:
    """Whether it is no layer but an operator; old files give no module, but layers can train."""
    if module:
        return module.startswith("keras.src.ops")
    config = value.get("config")
    plain = isinstance(config, dict) and not {"trainable", "dtype"} & set(config)
    return plain and "inbound_nodes" in value and snake_case(name) in OPERATIONS


def _accepted(kind: type, name: str, config: dict[str, Any], where: str) -> dict[str, Any]:
    """The arguments that the class takes; those left out ask for nothing.

    Raises ArgumentError for one that does.
    """
    own = inspect.signature(kind.__init__).parameters  # type: ignore[misc]
    known = _arguments(kind)
    taken: dict[str, Any] = {}
    for key, value in config.items():
        if key in own or (key in known and value is not None):
            taken[key] = value
        elif not _asks_for_nothing(key, value):
            raise ArgumentError(
                f"{where}: {name} of Keras has {key}={value!r}, which minigrad.keras does not have"
            )
    return taken


def _asks_for_nothing(key: str, value: Any) -> bool:
    if value is None or value is False:
        return True
    return key in _NEUTRAL and (not _NEUTRAL[key] or value in _NEUTRAL[key])


def _arguments(kind: type) -> set[str]:
    """The names that the constructor takes, those that it passes on to its base classes too."""
    names: set[str] = set()
    for base in kind.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        names |= {one.name for one in parameters if one.kind is not one.VAR_KEYWORD}
        if not any(one.kind is one.VAR_KEYWORD for one in parameters):
            break
    if issubclass(kind, Layer):
        names |= {"name", "dtype", "trainable", "batch_input_shape", "batch_shape"}
    return names
