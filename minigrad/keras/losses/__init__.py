"""Keras's losses: functions and classes of (y_true, y_pred), found by their names.

They are made of the operations of minigrad.nn.functional, so a loss from logits is the very one
that a PyTorch listing uses. Predictions may be tensors or arrays.
"""

from __future__ import annotations

from typing import Any

from minigrad.keras.lookup import Lookup
from minigrad.keras.losses import binary, categorical, divergence, margin, regression
from minigrad.keras.losses.binary import *  # noqa: F403
from minigrad.keras.losses.categorical import *  # noqa: F403
from minigrad.keras.losses.divergence import *  # noqa: F403
from minigrad.keras.losses.loss import Loss, LossFunctionWrapper
from minigrad.keras.losses.margin import *  # noqa: F403
from minigrad.keras.losses.regression import *  # noqa: F403

bce = BCE = binary.binary_crossentropy
kld = KLD = kullback_leibler_divergence = divergence.kl_divergence
mae = MAE = regression.mean_absolute_error
mape = MAPE = regression.mean_absolute_percentage_error
mse = MSE = regression.mean_squared_error
msle = MSLE = regression.mean_squared_logarithmic_error
logcosh = regression.log_cosh

_FAMILIES = (binary, categorical, divergence, margin, regression)
_SHORT = {
    "bce": bce,
    "huber_loss": regression.huber,
    "kld": kld,
    "kullback_leibler_divergence": kld,
    "logcosh": logcosh,
    "mae": mae,
    "mape": mape,
    "mse": mse,
    "msle": msle,
}
LOOKUP = Lookup(
    "keras.losses",
    "loss",
    {
        **{name: getattr(family, name) for family in _FAMILIES for name in family.__all__},
        **_SHORT,
        **{name.upper(): function for name, function in _SHORT.items() if len(name) < 5},
    },
    Loss,
)
_CLASS_OF = {
    getattr(family, function): getattr(family, name)
    for family in _FAMILIES
    for name in family.__all__
    for function in family.__all__
    if name[0].isupper() and name.lower() == function.replace("_", "")
}


def get(identifier: Any) -> Any:
    """The loss of a name, class, instance, function or configuration; None stays None.

    As in Keras, "mean_squared_error" and "mse" are the function, "MeanSquaredError" an instance
    of the class. Raises ArgumentError for an unknown name, with the nearest known ones.

    >>> get("MeanSquaredError").name
    'mean_squared_error'
    """
    return LOOKUP.get(identifier)


def as_loss(identifier: Any) -> Any:
    """The same as an object that takes (y_true, y_pred, sample_weight) and gives one number.

    >>> as_loss("mse")
    MeanSquaredError(name='mean_squared_error', reduction='sum_over_batch_size')
    """
    found = get(identifier)
    if found is None or isinstance(found, Loss):
        return found
    made = _CLASS_OF.get(found)
    return LossFunctionWrapper(found) if made is None else made()


def serialize(loss: Any) -> Any:
    """A name or configuration that `get` turns back into the loss."""
    return LOOKUP.to_config(loss)


def deserialize(config: Any) -> Any:
    """The loss that `serialize` gave this for."""
    return get(config)
