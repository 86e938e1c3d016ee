"""Activation functions with their derivatives, alone and side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy

import minigrad
import minigrad.nn.functional as F
from minigrad.autograd import grad
from minigrad.errors import ArgumentError
from minigrad.modes import no_grad
from minigrad.nn.module import Module
from minigrad.plot.inputs import nearest
from minigrad.plot.theme import DASHES, dress, legend, new_axes, one_axes, theme_of
from minigrad.tensor import Tensor

__all__ = ["activation", "activations"]

Numbers = numpy.ndarray[Any, Any]


def _step(x: Tensor) -> Any:
    return minigrad.heaviside(x, minigrad.tensor(1.0, dtype=x.dtype))


def _first_of_softmax(x: Tensor) -> Any:
    """The first output of softmax((x, 0, 0)): what one score does, the others being still."""
    still = minigrad.zeros_like(x)
    return F.softmax(minigrad.stack([x, still, still]), dim=0)[0]


_ACTIVATIONS: dict[str, Callable[[Tensor], Any]] = {
    "step": _step,
    "linear": lambda x: x * 1.0,
    "sigmoid": F.sigmoid,
    "tanh": F.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "gelu": F.gelu,
    "silu": F.silu,
    "swish": F.silu,
    "mish": F.mish,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "softmax": _first_of_softmax,
    "logsigmoid": F.logsigmoid,
    "relu6": F.relu6,
    "hardtanh": F.hardtanh,
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "hardshrink": F.hardshrink,
    "softshrink": F.softshrink,
    "tanhshrink": F.tanhshrink,
}
_TITLES = {
    "relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU", "selu": "SELU", "celu": "CELU",
    "gelu": "GELU", "silu": "SiLU", "relu6": "ReLU6", "softmax": "softmax of (x, 0, 0)",
    "logsigmoid": "log-sigmoid",
}  # fmt: skip
_SHOWN = (
    "step", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "gelu", "silu",
)  # fmt: skip


def activation(
    function: str | Callable[[Tensor], Any],
    *,
    ax: Any = None,
    limits: tuple[float, float] = (-5.0, 5.0),
    derivative: bool = True,
    name: str | None = None,
) -> Any:
    """An activation function with its derivative, which minigrad's autograd computes.

    `function` is a name such as "relu", or maps a tensor elementwise. Of softmax, which looks at
    all scores together, the first output for (x, 0, 0) is drawn. Raises ArgumentError for an
    unknown name, and for a function that is not elementwise or has no gradient.
    """
    parts = _read(function, limits, derivative=derivative, name=name)
    axes = one_axes("activation", ax, size=(4.6, 3.4))
    _draw_activation(axes, *parts)
    legend(axes, theme_of(axes))
    return axes


def activations(
    functions: Sequence[str | Callable[[Tensor], Any]] = _SHOWN,
    *,
    ax: Any = None,
    columns: int = 3,
    limits: tuple[float, float] = (-5.0, 5.0),
    derivative: bool = True,
) -> Any:
    """Several activation functions with their derivatives, side by side on the same scale.

    Gives an array of Axes, one for each function; `ax` may be a sequence of as many.
    Raises what `activation` raises.
    """
    if isinstance(functions, str) or not len(functions):
        raise ArgumentError(
            "activations(): argument 'functions' must name at least one function in a list, such "
            f'as ["relu", "tanh"], and is {functions!r}'
        )
    read = [_read(function, limits, derivative=derivative, name=None) for function in functions]
    if ax is None:
        columns = min(columns, len(read))
        rows = math.ceil(len(read) / columns)
        grid = new_axes(rows, columns, size=(2.7, 2.1), sharex=True, sharey=True).ravel()
        for spare in grid[len(read) :]:
            spare.remove()
        panels = list(grid[: len(read)])
        for position, panel in enumerate(panels):
            # A panel above an empty place is the last of its column.
            panel.tick_params(labelbottom=position + columns >= len(panels))
    else:
        panels = [one_axes("activations", panel) for panel in numpy.ravel(numpy.array(ax, object))]
        columns = len(panels)
    if len(panels) != len(read):
        raise ArgumentError(
            f"activations(): there are {len(read)} functions and 'ax' has {len(panels)} Axes"
        )
    heights = numpy.concatenate([outside for _, _, outside, _ in read])
    for position, (panel, parts) in enumerate(zip(panels, read)):
        _draw_activation(panel, *parts)
        if ax is None:
            panel.set_xlabel("x" if position + columns >= len(panels) else "")
            panel.set_ylim(max(-1.6, heights.min() - 0.3), min(2.2, heights.max() + 0.3))
    legend(panels[0], theme_of(panels[0]), loc="upper left")
    return numpy.array(panels, dtype=object)


def _read(
    function: Any, limits: tuple[float, float], *, derivative: bool, name: str | None
) -> tuple[str, Numbers, Numbers, Numbers | None]:
    """The title, the inputs, the outputs and the slopes of a function."""
    title = name or _title(function)
    if isinstance(function, str):
        key = function.lower()
        if key not in _ACTIVATIONS:
            raise ArgumentError(
                f"activation(): there is no activation {function!r}; "
                f"{nearest(function, list(_ACTIVATIONS))}; or pass a function of a tensor"
            )
        function = _ACTIVATIONS[key]
    elif isinstance(function, type):
        raise TypeError(
            f"activation(): argument 'function' is the class {function.__name__}; make an "
            f"instance: {function.__name__}()"
        )
    elif not callable(function):
        raise TypeError(
            "activation(): argument 'function' must be a name such as 'relu' or a function of a "
            f"tensor, not {type(function).__name__}"
        )
    inside = numpy.linspace(*limits, 1001)
    x = minigrad.tensor(inside, requires_grad=True)
    y = function(x)
    if not isinstance(y, Tensor) or y.shape != x.shape or not _elementwise(function, y, inside):
        raise ArgumentError(
            f"activation(): {title!r} is not elementwise, so it has no single curve; draw one of "
            "its outputs, as in activation(lambda x: softmax(stack([x, 0 * x]), dim=0)[0])"
        )
    slope = None
    if derivative:
        if not y.requires_grad:
            raise ArgumentError(
                f"activation(): {title!r} gives a result without a gradient; compute it with "
                "minigrad's operations, or pass derivative=False"
            )
        slope = grad(y.sum(), x)[0].numpy()
    return title, inside, y.detach().numpy(), slope


def _title(function: Any) -> str:
    if isinstance(function, str):
        return _TITLES.get(function.lower(), function.lower())
    kind = type(function).__name__
    return kind if isinstance(function, Module) else str(getattr(function, "__name__", kind))


def _elementwise(function: Any, y: Tensor, inside: Numbers) -> bool:
    """Whether a part of the input gives the same part of the output."""
    with no_grad():
        part = function(minigrad.tensor(inside[100:900:50]))
    return numpy.allclose(part.numpy(), y.detach().numpy()[100:900:50], rtol=1e-6, atol=1e-9)


def _draw_activation(
    axes: Any, title: str, inside: Numbers, outside: Numbers, slope: Numbers | None
) -> None:
    theme = theme_of(axes)
    axes.axhline(0, color=theme.faint(0.35), linewidth=0.8, zorder=1)
    axes.axvline(0, color=theme.faint(0.35), linewidth=0.8, zorder=1)
    axes.plot(inside, outside, color=theme.color(0), linewidth=2.2, label="f(x)", zorder=3)
    if slope is not None:
        axes.plot(
            inside, slope, color=theme.color(1), linestyle=DASHES[1], linewidth=1.6,
            label="f ′(x)", zorder=4,
        )  # fmt: skip
    axes.set_title(title)
    axes.set_xlabel("x")
    axes.set_xlim(inside[0], inside[-1])
    dress(axes, theme, grid="both")
