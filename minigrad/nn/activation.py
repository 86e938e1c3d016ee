"""Activations as layers: each calls the function of its name in `nn.functional`."""

from __future__ import annotations

from typing import Any

from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module, Parameter
from minigrad.ops.creation import empty

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh",
    "LeakyReLU", "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SiLU",
    "Sigmoid", "Softmax", "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh",
    "Tanhshrink", "Threshold",
]  # fmt: skip


class _InPlace(Module):
    """An activation that may overwrite its input."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Named only when it is on."""
        return "inplace=True" if self.inplace else ""


class ReLU(_InPlace):
    """max(x, 0)."""

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.relu(input, self.inplace)


class ReLU6(_InPlace):
    """min(max(x, 0), 6)."""

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.relu6(input, self.inplace)


class SELU(_InPlace):
    """Scaled ELU, which keeps mean and variance (Klambauer et al. 2017)."""

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.selu(input, self.inplace)


class SiLU(_InPlace):
    """x * sigmoid(x), also called swish (Hendrycks and Gimpel 2016)."""

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.silu(input, self.inplace)


class Mish(_InPlace):
    """x * tanh(softplus(x)) (Misra 2019)."""

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.mish(input, self.inplace)


class Hardsigmoid(_InPlace):
    """relu6(x + 3) / 6."""

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.hardsigmoid(input, self.inplace)


class Hardswish(_InPlace):
    """x * relu6(x + 3) / 6 (Howard et al. 2019)."""

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.hardswish(input, self.inplace)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.tanh(input)


class LogSigmoid(Module):
    """log(sigmoid(x)), computed without overflow."""

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.logsigmoid(input)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.tanhshrink(input)


class ELU(Module):
    """x above zero, alpha * (exp(x) - 1) below (Clevert et al. 2016)."""

    fields = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.elu(input, self.alpha, self.inplace)


class CELU(Module):
    """ELU with a continuous derivative: alpha * (exp(x / alpha) - 1) below zero (Barron 2017)."""

    fields = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.celu(input, self.alpha, self.inplace)


class LeakyReLU(Module):
    """x above zero, negative_slope * x below (Maas et al. 2013)."""

    fields = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class PReLU(Module):
    """Leaky ReLU with a slope that is learned, one or one for each channel (He et al. 2015)."""

    fields = ("num_parameters",)

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the first slope."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.prelu(input, self.weight)


class RReLU(Module):
    """Leaky ReLU whose slope is drawn from [lower, upper) in training (Xu et al. 2015)."""

    fields = ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The activation of every element; its slope is the mean one in evaluation."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class GELU(Module):
    """x times the normal distribution function of x (Hendrycks and Gimpel 2016).

    `approximate` is "none" or "tanh".
    """

    fields = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.gelu(input, approximate=self.approximate)


class GLU(Module):
    """One half of the dimension `dim` times the sigmoid of the other (Dauphin et al. 2017)."""

    fields = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """The gated half."""
        return F.glu(input, self.dim)


class Hardtanh(Module):
    """x limited to [min_val, max_val]."""

    fields = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class Hardshrink(Module):
    """x outside [-lambd, lambd], zero inside."""

    fields = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.hardshrink(input, self.lambd)


class Softshrink(Module):
    """x moved towards zero by lambd, and not past it."""

    fields = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.softshrink(input, self.lambd)


class Softplus(Module):
    """log(1 + exp(beta * x)) / beta; x itself where beta * x is above `threshold`."""

    fields = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.softplus(input, self.beta, self.threshold)


class Threshold(Module):
    """x above `threshold`, `value` elsewhere."""

    fields = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """The activation of every element."""
        return F.threshold(input, self.threshold, self.value, self.inplace)


class _AlongDim(Module):
    fields = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        self.dim: Any = dim


class Softmax(_AlongDim):
    """exp(x) over its sum along `dim`."""

    def forward(self, input: Any) -> Any:
        """Probabilities along the dimension."""
        return F.softmax(input, self.dim)


class LogSoftmax(_AlongDim):
    """The logarithm of softmax along `dim`."""

    def forward(self, input: Any) -> Any:
        """Log-probabilities along the dimension."""
        return F.log_softmax(input, self.dim)


class Softmin(_AlongDim):
    """The softmax of -x along `dim`."""

    def forward(self, input: Any) -> Any:
        """Probabilities along the dimension."""
        return F.softmin(input, self.dim)


class Softmax2d(Module):
    """The softmax over the channels of [N, C, H, W] or [C, H, W]."""

    def forward(self, input: Any) -> Any:
        """Probabilities along the channels."""
        return F.softmax(input, -3)
