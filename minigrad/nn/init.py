"""Initial values for parameters; each function fills a tensor in place and returns it.

All draws come from minigrad's generator, so that a seed means the same start on any device.
"""

from __future__ import annotations

import math
from typing import Any

from minigrad.absent import explaining
from minigrad.errors import ArgumentError
from minigrad.modes import no_grad
from minigrad.ops.creation import eye, zeros
from minigrad.ops.random import randperm

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_GAINS = {
    "linear": 1.0,
    "identity": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the variance through an activation; `param` is leaky ReLU's slope."""
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise ArgumentError(
            f"calculate_gain(): nonlinearity {nonlinearity!r} is unknown; these are known: {known}"
        )
    return _GAINS[nonlinearity]


def _fans(tensor: Any, operation: str) -> tuple[int, int]:
    """How many inputs each output has, and how many outputs each input reaches."""
    if tensor.ndim < 2:
        raise ArgumentError(
            f"{operation}(): the tensor must have at least 2 dimensions, got shape "
            f"{list(tensor.shape)}; use normal_() or uniform_() for it"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def uniform_(tensor: Any, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Any:
    """Uniform in [a, b)."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Any:
    """Normal with this mean and standard deviation."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Any,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Any:
    """Normal, with values outside [a, b] drawn again."""
    if not a < b:
        raise ArgumentError(f"trunc_normal_(): a must be below b, got a={a} and b={b}")
    if b < mean - 8 * std or a > mean + 8 * std:
        raise ArgumentError(
            f"trunc_normal_(): [{a}, {b}] lies more than 8 standard deviations from the mean {mean}"
        )
    with no_grad():
        tensor.normal_(mean, std, generator=generator)
        while True:
            outside = (tensor < a) | (tensor > b)
            if not outside.any():
                return tensor
            tensor.copy_(tensor.clone().normal_(mean, std, generator=generator).where(
                outside, tensor
            ))  # fmt: skip


def constant_(tensor: Any, val: float) -> Any:
    """The same number everywhere."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Any) -> Any:
    """Ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Any) -> Any:
    """Zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Any) -> Any:
    """The identity matrix, for a tensor of 2 dimensions."""
    if tensor.ndim != 2:
        raise ArgumentError(
            f"eye_(): the tensor must have 2 dimensions, got shape {list(tensor.shape)}"
        )
    with no_grad():
        return tensor.copy_(eye(*tensor.shape, dtype=tensor.dtype, device=tensor.device))


def dirac_(tensor: Any, groups: int = 1) -> Any:
    """A convolution weight that passes its input through, for 3 to 5 dimensions."""
    if tensor.ndim not in (3, 4, 5):
        raise ArgumentError(
            f"dirac_(): the tensor must have 3, 4 or 5 dimensions, got shape {list(tensor.shape)}"
        )
    if tensor.shape[0] % groups:
        raise ArgumentError(
            f"dirac_(): the {tensor.shape[0]} output channels cannot be split in {groups} groups"
        )
    values = zeros(tensor.shape, dtype=tensor.dtype, device=tensor.device)
    middle = tuple(size // 2 for size in tensor.shape[2:])
    per_group = tensor.shape[0] // groups
    for group in range(groups):
        for channel in range(min(per_group, tensor.shape[1])):
            values[(group * per_group + channel, channel, *middle)] = 1
    with no_grad():
        return tensor.copy_(values)


def xavier_uniform_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Uniform with variance 2 gain^2 / (fan in + fan out) (Glorot and Bengio 2010)."""
    fan_in, fan_out = _fans(tensor, "xavier_uniform_")
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Normal with variance 2 gain^2 / (fan in + fan out) (Glorot and Bengio 2010)."""
    fan_in, fan_out = _fans(tensor, "xavier_normal_")
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), generator)


def _kaiming_std(tensor: Any, a: float, mode: str, nonlinearity: str, operation: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"{operation}(): mode must be 'fan_in' or 'fan_out', got {mode!r}")
    fan = _fans(tensor, operation)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0


def kaiming_uniform_(
    tensor: Any,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Any:
    """Uniform with variance gain^2 / fan (He et al. 2015)."""
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity, "kaiming_uniform_")
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Any,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Any:
    """Normal with variance gain^2 / fan (He et al. 2015)."""
    std = _kaiming_std(tensor, a, mode, nonlinearity, "kaiming_normal_")
    return normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Any, gain: float = 1, generator: Any = None) -> Any:
    """A (semi-)orthogonal matrix times `gain`; the first dimension against the rest.

    Saxe et al. 2014.
    """
    if tensor.ndim < 2:
        raise ArgumentError(
            f"orthogonal_(): the tensor must have at least 2 dimensions, got shape "
            f"{list(tensor.shape)}"
        )
    from minigrad import linalg  # loaded on first use, like every namespace beside the core

    with no_grad():
        rows = tensor.shape[0]
        flat = tensor.detach().clone().reshape(rows, -1).normal_(0, 1, generator=generator)
        wide = flat.shape[0] < flat.shape[1]
        q, r = linalg.qr(flat.T if wide else flat)
        q = q * r.diagonal().sign()
        return tensor.copy_((q.T if wide else q).reshape(tensor.shape) * gain)


def sparse_(tensor: Any, sparsity: float, std: float = 0.01, generator: Any = None) -> Any:
    """Normal, with the fraction `sparsity` of each column set to zero (Martens 2010)."""
    if tensor.ndim != 2:
        raise ArgumentError(
            f"sparse_(): the tensor must have 2 dimensions, got shape {list(tensor.shape)}"
        )
    rows, columns = tensor.shape
    count = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[randperm(rows, generator=generator)[:count], column] = 0
    return tensor


__getattr__ = explaining(__name__)
