"""From an estimator's parameters to a network and a loss: names, classes, factories, instances."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy

from minigrad import nn
from minigrad.errors import ArgumentError
from minigrad.nn import activation, loss
from minigrad.sklearn.parameters import check_flag, check_number, lookup, refuse

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "build",
    "check_ending",
    "make_loss",
    "make_module",
    "module_dtype",
]

# scikit-learn's words, then every activation of minigrad.nn that needs no argument.
ACTIVATIONS: dict[str, Any] = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    **{
        name: getattr(nn, name)
        for name in activation.__all__
        if name.lower() not in ("relu", "tanh", "threshold", "glu")
        and not name.lower().startswith(("softmax", "softmin", "logsoftmax"))
    },
}
LOSSES: dict[str, Any] = {name: getattr(nn, name) for name in loss.__all__}


def make_module(estimator: Any, X: Any, outputs: int, last: Any = None) -> nn.Module:
    """The estimator's `module`: a copy of an instance, what a class or a factory gives, or built.

    Raises ArgumentError where it is none of these.
    """
    given = estimator.module
    if given is None:
        return build(estimator, X, outputs, last)
    if isinstance(given, nn.Module):
        return copy.deepcopy(given)
    made = given() if callable(given) else None
    if not isinstance(made, nn.Module):
        refuse(
            estimator,
            "module",
            "an nn.Module, a class of one or a function that makes one without arguments, or None "
            "for a network of hidden_layer_sizes",
        )
    return made  # type: ignore[return-value]


def build(estimator: Any, X: Any, outputs: int, last: Any = None) -> nn.Sequential:
    """Linear layers of `hidden_layer_sizes`, each followed by what the parameters ask for.

    That is batch normalisation, the activation and dropout, in this order; `last` ends it. The
    network computes in the dtype of X unless the estimator names another.
    """
    kind = estimator.activation
    if isinstance(kind, str):
        kind = lookup(estimator, "activation", ACTIVATIONS)
    elif not (inspect.isclass(kind) and issubclass(kind, nn.Module)):
        refuse(estimator, "activation", "the name or the class of an activation of minigrad.nn")
    check_number(estimator, "dropout", 0, 1)
    check_flag(estimator, "batch_norm")
    made = {"dtype": X.dtype if estimator.dtype is None else numpy.dtype(estimator.dtype)}
    if made["dtype"].kind != "f":
        refuse(estimator, "dtype", "a floating point dtype for a network of hidden_layer_sizes")
    features = X.shape[1]
    layers: list[nn.Module] = []
    for size in _sizes(estimator):
        layers.append(nn.Linear(features, size, **made))
        if estimator.batch_norm:
            layers.append(nn.BatchNorm1d(size, **made))
        layers.append(kind())
        if estimator.dropout:
            layers.append(nn.Dropout(estimator.dropout))
        features = size
    layers.append(nn.Linear(features, outputs, **made))
    if last is not None:
        layers.append(last)
    return nn.Sequential(*layers)


def _sizes(estimator: Any) -> list[int]:
    given = estimator.hidden_layer_sizes
    sizes: list[Any] = list(given) if isinstance(given, Iterable) else [given]
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, Integral) or size < 1:
            refuse(estimator, "hidden_layer_sizes", "integers of at least 1, such as (100,)")
    return [int(size) for size in sizes]


def make_loss(estimator: Any, default: type[nn.Module]) -> Any:
    """The estimator's `loss`: a name or class from minigrad.nn, an instance, or any function.

    Raises ArgumentError for an unknown name, naming the nearest known one.
    """
    given = estimator.loss
    if given is None:
        return default()
    if isinstance(given, str):
        return lookup(estimator, "loss", LOSSES)()
    if inspect.isclass(given):
        return given()
    if not callable(given):
        refuse(estimator, "loss", "the name, class or instance of a loss of minigrad.nn")
    return given


def check_ending(estimator: Any, module: nn.Module, loss: Any) -> None:
    """Raise ArgumentError for a Sequential whose last layer does not go with its loss.

    The run would go on without a word, and learn less than it could.
    """
    last = module
    while isinstance(last, nn.Sequential) and len(last):
        last = last[-1]
    ending, wanted = type(last).__name__, type(loss).__name__
    if isinstance(loss, (nn.CrossEntropyLoss, nn.BCEWithLogitsLoss)):
        if isinstance(last, (nn.Softmax, nn.Sigmoid)):
            raise ArgumentError(
                f"{type(estimator).__name__}: the module ends with {ending}, but {wanted} takes "
                "scores and turns them into probabilities itself; leave that layer out"
            )
    elif isinstance(loss, nn.NLLLoss) and isinstance(last, (nn.Softmax, nn.Sigmoid, nn.Linear)):
        raise ArgumentError(
            f"{type(estimator).__name__}: the module ends with {ending}, but {wanted} takes "
            "logarithms of probabilities; end it with LogSoftmax(dim=1), or use CrossEntropyLoss"
        )


def module_dtype(estimator: Any, module: nn.Module) -> str:
    """The dtype of the inputs: the estimator's `dtype`, else that of the module's parameters."""
    if estimator.dtype is not None:
        return str(numpy.dtype(estimator.dtype))
    for parameter in module.parameters():
        return str(parameter._array.dtype.name)
    raise ArgumentError(
        f"The 'module' parameter of {type(estimator).__name__} has nothing to learn: it has no "
        "parameters"
    )
