"""Loss functions against the prediction, for one target or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

import minigrad
import minigrad.nn.functional as F
from minigrad.errors import ArgumentError
from minigrad.modes import no_grad
from minigrad.plot.inputs import nearest, vector
from minigrad.plot.theme import DASHES, dress, legend, number, one_axes, theme_of
from minigrad.tensor import Tensor

__all__ = ["losses"]

Numbers = numpy.ndarray[Any, Any]


def _hinge(prediction: Tensor, target: Tensor) -> Any:
    return F.relu(1 - target * prediction)


def _log_cosh(prediction: Tensor, target: Tensor) -> Any:
    return minigrad.log(minigrad.cosh(prediction - target))


# For each name: the title, the loss, where predictions live, and the targets drawn by default.
_REGRESSION, _SHARE, _SCORE = "prediction", "predicted probability", "score"
Loss = tuple[str, Callable[[Tensor, Tensor], Any], str, tuple[float, ...]]
_LOSSES: dict[str, Loss] = {
    "mse": ("squared error", F.mse_loss, _REGRESSION, (0.0,)),
    "mae": ("absolute error", F.l1_loss, _REGRESSION, (0.0,)),
    "huber": ("Huber", F.huber_loss, _REGRESSION, (0.0,)),
    "log_cosh": ("log cosh", _log_cosh, _REGRESSION, (0.0,)),
    "binary_crossentropy": (
        "binary cross-entropy", F.binary_cross_entropy, _SHARE, (1.0, 0.0)
    ),
    "bce_with_logits": (
        "logistic", F.binary_cross_entropy_with_logits, _SCORE, (1.0, 0.0)
    ),
    "hinge": ("hinge", _hinge, _SCORE, (1.0, -1.0)),
    "squared_hinge": (
        "squared hinge", lambda p, t: _hinge(p, t) ** 2, _SCORE, (1.0, -1.0)
    ),
}  # fmt: skip
_OTHER_NAMES = {
    "mean_squared_error": "mse", "mse_loss": "mse", "mean_absolute_error": "mae", "l1_loss": "mae",
    "huber_loss": "huber", "logcosh": "log_cosh", "bce": "binary_crossentropy",
    "binary_cross_entropy": "binary_crossentropy", "log_loss": "binary_crossentropy",
    "binary_cross_entropy_with_logits": "bce_with_logits",
}  # fmt: skip


def losses(
    functions: Any = ("mse", "mae", "huber"),
    target: float | Sequence[float] | None = None,
    *,
    ax: Any = None,
    limits: tuple[float, float] | None = None,
) -> Any:
    """Loss functions against the prediction, for one target or several.

    `functions` are names such as "mse", or a dict from a name to `loss(prediction, target)`, which
    is called with tensors (1,) and gives one number, so a mean over the batch is welcome. `target`
    is by default what suits the loss: 0 for an error, 1 and 0 for a probability, 1 and -1 for a
    margin. Raises ArgumentError for an unknown name and for a loss that gives many numbers.
    """
    chosen = _chosen_losses(functions)
    kinds = list(dict.fromkeys(kind for _, _, kind, _ in chosen))
    if len(kinds) > 1:
        raise ArgumentError(
            f"losses(): a {kinds[0]} and a {kinds[1]} are different axes; draw these losses in two "
            "calls, or pass your own functions in a dict"
        )
    if target is None:
        common = set.intersection(*(set(targets) for *_, targets in chosen))
        wanted = [value for value in chosen[0][3] if value in common]
    else:
        wanted = list(vector("losses", "target", numpy.atleast_1d(numpy.asarray(target))))
    if not wanted:
        raise ArgumentError("losses(): these losses have no target in common; pass target=")
    start, end = limits or _loss_limits(kinds[0], wanted)
    predictions = numpy.linspace(start, end, 301)
    axes = one_axes("losses", ax)
    theme = theme_of(axes)
    for position, (title, function, _, _) in enumerate(chosen):
        for place, value in enumerate(wanted):
            name = (
                title
                if len(wanted) == 1 and kinds[0] == _REGRESSION
                else f"{title}, y = {number(value)}"
            )
            # The colour says which loss, the dash which target; with one loss both may differ.
            hue = position if len(chosen) > 1 else place
            dash = hue if len(wanted) == 1 or len(chosen) == 1 else place
            axes.plot(
                predictions, _loss_values(title, function, predictions, value), label=name,
                color=theme.color(hue), linestyle=DASHES[dash % len(DASHES)], linewidth=2,
            )  # fmt: skip
    if len(wanted) == 1 and kinds[0] == _REGRESSION:
        axes.axvline(wanted[0], color=theme.faint(0.35), linewidth=0.8, zorder=1)
    axes.set(xlabel=kinds[0], ylabel="loss", xlim=(min(start, 0) if kinds[0] == _SHARE else start,
             max(end, 1) if kinds[0] == _SHARE else end))  # fmt: skip
    dress(axes, theme, grid="both")
    legend(axes, theme)
    return axes


def _loss_limits(kind: str, wanted: Sequence[float]) -> tuple[float, float]:
    if kind == _SHARE:
        return 0.005, 0.995  # at 0 and at 1 the loss of a wrong answer is infinite
    centre = list(wanted) if kind == _REGRESSION else [0.0]
    return float(min(centre) - 3), float(max(centre) + 3)


def _chosen_losses(functions: Any) -> list[Loss]:
    if callable(functions):
        functions = {getattr(functions, "__name__", type(functions).__name__): functions}
    chosen: list[Loss] = []
    if isinstance(functions, dict):
        chosen.extend((str(name), loss, _REGRESSION, (0.0,)) for name, loss in functions.items())
    else:
        for name in [functions] if isinstance(functions, str) else functions:
            key = _OTHER_NAMES.get(str(name).lower(), str(name).lower())
            if key not in _LOSSES:
                raise ArgumentError(
                    f"losses(): there is no loss {name!r}; "
                    f"{nearest(str(name), [*_LOSSES, *_OTHER_NAMES])}; or pass a dict from a name "
                    "to a function of prediction and target"
                )
            chosen.append(_LOSSES[key])
    if not chosen:
        raise ArgumentError("losses(): argument 'functions' names no loss; try ['mse', 'mae']")
    return chosen


def _loss_values(title: str, function: Any, predictions: Numbers, target: float) -> Numbers:
    """The loss of each prediction alone, so that one which averages over a batch does no harm."""
    values = []
    with no_grad():
        for entry in predictions:
            prediction = minigrad.tensor([entry], dtype=predictions.dtype)
            value = function(prediction, minigrad.full_like(prediction, target))
            if not isinstance(value, Tensor) or value.numel() != 1:
                raise ArgumentError(
                    f"losses(): {title!r} must give a tensor with one number for one prediction, "
                    f"and gave {tuple(value.shape) if isinstance(value, Tensor) else value!r}"
                )
            values.append(value.item())
    return numpy.array(values)
