"""What cannot be right about data, losses and outputs, found once before the training starts."""

from __future__ import annotations

import warnings
from typing import Any

import numpy

from minigrad.backend import to_numpy
from minigrad.errors import ArgumentError
from minigrad.keras.symbolic import flatten

__all__ = [
    "check_finite",
    "check_inputs",
    "check_losses",
    "check_own_steps",
    "check_targets",
    "jits",
]

_PROBABILITIES = ("softmax", "sigmoid", "hard_sigmoid", "sparsemax")
_ANY_NUMBERS = ("linear", "tanh", "leaky_relu", "elu", "selu", "log_softmax")
_OF_PROBABILITIES = ("binary", "categorical", "sparse_categorical")


def check_inputs(model: Any, inputs: Any, where: str) -> None:
    """Raise ArgumentError where an input's shape is not the one that the model was made for."""
    for symbol, tensor in zip(model.inputs, flatten(inputs)):
        shape = (None, *tensor.shape[1:])
        fits = len(shape) == len(symbol.shape) and all(
            wanted is None or wanted == length
            for wanted, length in zip(symbol.shape[1:], shape[1:])
        )
        if fits:
            continue
        layer = _reader(model, symbol)
        raise ArgumentError(
            f"{where}: x has shape {tuple(tensor.shape)}, and the input of '{model.name}', read by "
            f"layer '{layer}', has shape {symbol.shape}{_reshape(symbol.shape, tensor.shape)}"
        )


def _reader(model: Any, symbol: Any) -> str:
    if model._graph is None:
        return str(model.layers[0].name) if model.layers else str(model.name)
    names = [
        node.layer.name
        for node in model._graph.nodes
        if any(tensor is symbol for tensor in node.inputs)
    ]
    return str(names[0]) if names else str(symbol.name)


def _reshape(wanted: tuple[Any, ...], given: tuple[int, ...]) -> str:
    """The call that makes the data fit, where there is an obvious one."""
    rest = wanted[1:]
    if None in rest:
        return ""
    need, have = int(numpy.prod(rest)), int(numpy.prod(given[1:]))
    if need == have:
        lengths = ", ".join(map(str, rest))
        return f"; reshape it: x.reshape(-1, {lengths})"
    if tuple(given) == tuple(rest):
        return "; it looks like a single sample: x[None] makes a batch of it"
    if len(given) == len(rest) and need == int(numpy.prod(given)):
        return "; it looks like a single sample: x.reshape(1, " + ", ".join(map(str, rest)) + ")"
    if len(given) == 1 and len(rest) == 1 and given[0] % rest[0] == 0:
        return f"; if it holds one sample after another: x.reshape(-1, {rest[0]})"
    return ""


def check_finite(tensor: Any, where: str) -> None:
    """Raise ArgumentError where there is a NaN or an infinity, with their number and the first."""
    array = getattr(tensor, "_array", None)
    if array is None or array.dtype.kind != "f" or not array.size:
        return
    # The sum of squares costs a fraction of a look at each number, and one NaN or infinity shows
    # in it; so does a sum too large for the dtype, which the look then excuses.
    flat = array.reshape(-1)
    if numpy.isfinite(float(flat.dot(flat))):
        return
    bad = ~numpy.isfinite(to_numpy(array))
    count = int(bad.sum())
    if not count:
        return
    first = tuple(int(index) for index in numpy.argwhere(bad)[0])
    value = to_numpy(array)[first]
    kind = "is not a number" if count == 1 else "are not finite numbers"
    raise ArgumentError(
        f"{where} holds {count} value{'s' if count > 1 else ''} (of {array.size:,}) that {kind}, "
        f"the first at index {first}: {value}; remove those samples, or fill them in with "
        "numpy.nan_to_num(x)"
    )


def check_targets(model: Any, y: Any, where: str) -> None:
    """Raise ArgumentError for class numbers that no output stands for, and the like."""
    targets = y if isinstance(y, list) else [y]
    shapes = [symbol.shape for symbol in model.outputs] or [None] * len(targets)
    for target, loss, shape in zip(targets, model._losses_for(len(targets)), shapes):
        if target is None or loss is None or shape is None:
            continue
        kind = _kind(loss)
        if kind == "sparse_categorical":
            _check_classes(target, shape, where, loss)
        elif kind == "binary":
            _check_shares(target, where, loss)
        elif kind == "categorical":
            _check_rows(target, shape, where)


def _kind(loss: Any) -> str | None:
    """Which cross-entropy a loss is, or None."""
    name = getattr(getattr(loss, "fn", None), "__name__", "")
    kind = name.removesuffix("_crossentropy").removesuffix("_focal")
    return kind if name.endswith("_crossentropy") and kind in _OF_PROBABILITIES else None


def _check_classes(target: Any, shape: Any, where: str, loss: Any) -> None:
    count = shape[-1]
    if count is None or count == 1:
        return
    if target.ndim == len(shape) and target.shape[-1] == count and count > 1:
        raise ArgumentError(
            f"{where}: y of shape {tuple(target.shape)} looks one-hot, and the loss "
            f"'{loss.name}' takes class numbers of shape ({target.shape[0]},); use "
            "loss='categorical_crossentropy', or y.argmax(-1)"
        )
    low, high = float(target._array.min()), float(target._array.max())
    ignored = loss.kwargs.get("ignore_class")
    if ignored is not None:
        counted = target._array[target._array != ignored]
        if counted.size:
            low, high = float(counted.min()), float(counted.max())
    if high >= count:
        raise ArgumentError(
            f"{where}: the largest label in y is {high:g}, and the model has {count} outputs, "
            f"which stand for the labels 0 to {count - 1}; give the last layer {int(high) + 1} "
            f"units{', or subtract 1 from the labels' if low >= 1 and high == count else ''}"
        )
    if low < 0:
        raise ArgumentError(
            f"{where}: the smallest label in y is {low:g}, and labels count from 0 to {count - 1}"
        )


def _check_shares(target: Any, where: str, loss: Any) -> None:
    low, high = float(target._array.min()), float(target._array.max())
    if low < 0 or high > 1:
        hint = "; (y + 1) / 2 makes 0 and 1 of -1 and 1" if (low, high) == (-1, 1) else ""
        more = "" if hint or high <= 1 else "; for more than two classes use another loss, such "
        more = f"{more}as 'sparse_categorical_crossentropy'" if more else ""
        raise ArgumentError(
            f"{where}: y holds numbers from {low:g} to {high:g}, and the loss '{loss.name}' takes "
            f"targets from 0 to 1{hint}{more}"
        )


def _check_rows(target: Any, shape: Any, where: str) -> None:
    count = shape[-1]
    if count is None or count == 1:
        return
    if target.ndim == len(shape) - 1 or (target.ndim == len(shape) and target.shape[-1] == 1):
        raise ArgumentError(
            f"{where}: y of shape {tuple(target.shape)} holds class numbers, and the loss "
            f"'categorical_crossentropy' takes one-hot rows of {count}; use "
            f"loss='sparse_categorical_crossentropy', or keras.utils.to_categorical(y, {count})"
        )


def check_losses(model: Any) -> None:
    """Warn of, or refuse, an activation at the end that the loss does not go with.

    Raises ArgumentError where a loss of probabilities would get numbers that are none.
    """
    ends = _last_activations(model)
    for name, loss in zip(ends, model._losses_for(len(ends))):
        kind = _kind(loss)
        if kind is None or name is None:
            continue
        if name == "softmax" and _single_output(model):
            raise ArgumentError(
                "the model ends with a softmax over one output, which is always 1; for yes-or-no "
                "answers use activation='sigmoid' with loss='binary_crossentropy', for classes "
                "give the last layer one unit for each"
            )
        logits = bool(loss.kwargs.get("from_logits"))
        if logits and name in _PROBABILITIES:
            warnings.warn(
                f"the loss '{loss.name}' has from_logits=True and takes numbers before the "
                f"activation, but the model ends with {name}, whose probabilities it will squash "
                f"once more; leave from_logits out, or drop the {name}",
                stacklevel=3,
            )
        elif not logits and name in _ANY_NUMBERS:
            end = "sigmoid" if kind == "binary" else "softmax"
            maker = "".join(part.capitalize() for part in f"{kind}_crossentropy".split("_"))
            raise ArgumentError(
                f"the loss '{loss.name}' takes probabilities, but the model ends with the "
                f"activation {name}, which gives any numbers; end it with activation='{end}', or "
                f"compile with loss=keras.losses.{maker}(from_logits=True)"
            )


def _single_output(model: Any) -> bool:
    return len(model.outputs) == 1 and model.outputs[0].shape[-1] == 1


def _last_activations(model: Any) -> list[str | None]:
    """The name of the activation that each output comes from, None where it is not clear."""
    if model._graph is not None:
        return [
            _activation(tensor.node.layer if tensor.node is not None else None)
            for tensor in model.outputs
        ]
    layers = getattr(model, "_layers", None)
    return [_activation(layers[-1])] if layers else [None]


def _activation(layer: Any) -> str | None:
    if type(layer).__name__ == "Softmax":
        return "softmax"
    if hasattr(layer, "_graph"):
        return _last_activations(layer)[0]
    return getattr(getattr(layer, "activation", None), "__name__", None)


_OWN_STEPS = ("train_step", "test_step", "predict_step", "compute_loss", "compute_metrics")


def check_own_steps(model: Any) -> None:
    """Raise ArgumentError for steps of training that a subclass writes itself: none is called."""
    for name in _OWN_STEPS:
        if hasattr(type(model), name):
            raise ArgumentError(
                f"compile(): {type(model).__name__} writes its own {name}(), which fit() would not "
                "call; write a loop with train_on_batch(), or subclass minigrad.training.Trainer, "
                "whose forward() and compute_loss() can be overridden"
            )


def jits(given: Any, run_eagerly: bool) -> bool:
    """Whether to compile the steps. Raises ArgumentError for what is neither a bool nor "auto"."""
    if given not in (True, False, None, "auto"):
        raise ArgumentError(f"compile(): jit_compile must be True, False or 'auto', got {given!r}")
    asked = given not in (None, "auto") and bool(given)
    if asked and run_eagerly:
        warnings.warn(
            "compile(): run_eagerly=True forbids compiling; jit_compile=True is not heeded",
            UserWarning,
            stacklevel=3,
        )
        return False
    return asked
