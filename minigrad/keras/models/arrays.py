"""What users hand to fit, evaluate and predict, made into arrays and tensors, or refused."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.keras.symbolic import map_structure
from minigrad.ops.data import from_numpy

__all__ = ["is_stream", "matched", "outputs_matched", "to_tensor"]


def is_stream(data: Any) -> bool:
    """Whether the data come batch by batch: a DataLoader, a generator, or an object like it."""
    if isinstance(data, (list, tuple, dict, str, bytes, Traced, numpy.ndarray)):
        return False
    if any(hasattr(data, name) for name in ("__array__", "to_numpy", "__dlpack__")):
        return False
    return hasattr(data, "__iter__") or (hasattr(data, "__getitem__") and hasattr(data, "__len__"))


def to_tensor(value: Any, where: str, dtype: str) -> Any:
    """A tensor with a first dimension for the samples; float64 becomes `dtype`.

    Raises ArgumentError, naming `where`, for text, ragged lists, and single numbers.
    """
    if isinstance(value, Traced):
        tensor: Any = value.detach()  # type: ignore[attr-defined]
    else:
        tensor = from_numpy(_to_array(value, where, dtype))
    if tensor.ndim == 0:
        raise ArgumentError(
            f"{where} is a single number; give an array whose first dimension counts the samples"
        )
    if tensor.dtype.kind == "f" and tensor.dtype.name != dtype:
        return tensor.to(dtype)
    return tensor


def _to_array(value: Any, where: str, dtype: str) -> numpy.ndarray[Any, Any]:
    if value is None:
        raise ArgumentError(f"{where} is None; give an array")
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    try:
        array = numpy.asarray(value)
    except ValueError as error:
        raise ArgumentError(
            f"{where} cannot be made into an array ({error}); all samples must have one shape, so "
            "pad the shorter ones"
        ) from None
    if array.dtype.kind == "O":
        array = _from_objects(array, where, dtype)
    if array.dtype.kind not in "biufc":
        raise ArgumentError(
            f"{where} holds {_kind(array)}, and a network computes with numbers; encode it first: "
            "numbers by x.astype('float32'), categories by keras.utils.to_categorical or "
            "numpy.unique(x, return_inverse=True)"
        )
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype("int64")
    if array.dtype.kind == "f" and array.dtype.name != dtype:
        array = array.astype(dtype)
    return array if array.flags.writeable else array.copy()


def _from_objects(array: numpy.ndarray[Any, Any], where: str, dtype: str) -> Any:
    try:
        return array.astype(dtype)
    except (TypeError, ValueError):
        first = next((entry for entry in array.flat if not isinstance(entry, (int, float))), None)
        raise ArgumentError(
            f"{where} is an array of objects, such as {first!r}, and a network computes with "
            "numbers; encode or drop what is no number, and give all samples one shape"
        ) from None


def _kind(array: numpy.ndarray[Any, Any]) -> str:
    if array.dtype.kind in "US":
        return f"text, such as {str(array.flat[0])!r}" if array.size else "text"
    return f"values of dtype {array.dtype}"


def matched(model: Any, inputs: Any, where: str) -> Any:
    """The inputs as tensors in the structure that the model is called with.

    A list is one array unless the model has several inputs or its entries are arrays themselves.
    """
    known = model.inputs
    if len(known) > 1:
        graph = model._graph
        values = graph.listed(inputs)
        return [
            _ranked(to_tensor(value, f"{where}: input '{tensor.name}'", model.dtype), tensor)
            for value, tensor in zip(values, known)
        ]
    if isinstance(inputs, dict) and known:
        inputs = model._graph.listed(inputs)[0] if model._graph else _only(inputs)
    if isinstance(inputs, (list, tuple)) and _holds_arrays(inputs):
        if known or len(inputs) == 1:
            inputs = inputs[0] if len(inputs) == 1 else numpy.stack([*map(numpy.asarray, inputs)])
        else:
            return _structure(inputs, where, model.dtype)
    if isinstance(inputs, dict):
        return _structure(inputs, where, model.dtype)
    tensor = to_tensor(inputs, where, model.dtype)
    return _ranked(tensor, known[0]) if known else tensor


def _only(inputs: dict[str, Any]) -> Any:
    if len(inputs) != 1:
        raise ArgumentError(f"the model has one input, got a dict of {list(inputs)}")
    return next(iter(inputs.values()))


def _holds_arrays(values: Any) -> bool:
    return bool(values) and all(hasattr(value, "shape") and len(value.shape) for value in values)


def _structure(values: Any, where: str, dtype: str) -> Any:
    return map_structure(lambda leaf: to_tensor(leaf, where, dtype), values)


def _ranked(tensor: Any, symbol: Any) -> Any:
    """With a last dimension of 1 added or taken away, where that makes it fit, as Keras does."""
    wanted = symbol.shape
    if tensor.ndim == len(wanted) - 1 and wanted[-1] == 1:
        return tensor.unsqueeze(-1)
    if tensor.ndim == len(wanted) + 1 and tensor.shape[-1] == 1 and wanted[-1] != 1:
        return tensor.squeeze(-1)
    return tensor


def outputs_matched(model: Any, values: Any, where: str) -> Any:
    """Targets or sample weights: a tensor, or a list with one for each output, None for none.

    Raises ArgumentError where they are not as many as the outputs, or not named so.
    """
    names = model.output_names
    if len(names) < 2:
        if isinstance(values, dict):
            if names and names[0] in values:
                values = values[names[0]]
            elif not names:
                return _structure(values, where, model.dtype)
            else:
                raise ArgumentError(
                    f"{where} is a dict with the keys {list(values)}, and the model's output is "
                    f"named '{names[0]}'"
                )
        elif isinstance(values, (list, tuple)) and _holds_arrays(values):
            if len(values) == 1:
                values = values[0]
            elif not names:
                return _structure(list(values), where, model.dtype)
        return to_tensor(values, where, model.dtype)
    if isinstance(values, dict):
        strange = [name for name in values if name not in names]
        if strange:
            raise ArgumentError(
                f"{where} has the keys {strange}, and the model's outputs are named {names}"
            )
        values = [values.get(name) for name in names]
    if not isinstance(values, (list, tuple)) or len(values) != len(names):
        count = len(values) if isinstance(values, (list, tuple)) else "one array"
        raise ArgumentError(
            f"{where}: the model has {len(names)} outputs {names}, got {count}; give a list with "
            "one array for each, or a dict by their names"
        )
    return [
        None if value is None else to_tensor(value, f"{where}: output '{name}'", model.dtype)
        for value, name in zip(values, names)
    ]
