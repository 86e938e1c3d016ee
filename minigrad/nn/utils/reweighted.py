"""weight_norm and spectral_norm in torch's first form: a hook that sets the weight before forward.

`nn.utils.parametrizations` has the second form, which is the better one for new programs.
"""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.modes import no_grad
from minigrad.nn import functional as F
from minigrad.nn.module import Module, Parameter
from minigrad.nn.utils.parametrizations import norm_except
from minigrad.ops.matmul import matmul
from minigrad.ops.random import randn

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


class _Reweighting:
    """A forward pre-hook that sets a module's attribute from parameters of other names."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.handle: Any = None

    def compute(self, module: Any) -> Any:
        """The weight."""
        raise ArgumentError(f"{type(self).__name__} has no compute(module)")

    def install(self, module: Module) -> None:
        """Set the weight now, and before every forward."""
        object.__setattr__(module, self.name, self.compute(module))
        self.handle = module.register_forward_pre_hook(self)

    def __call__(self, module: Any, inputs: Any) -> None:
        object.__setattr__(module, self.name, self.compute(module))


def _taken(operation: str, module: Module, name: str) -> Parameter:
    """The parameter of a name, taken out of the module."""
    weight = vars(module).get(name)
    if not isinstance(weight, Parameter):
        raise ArgumentError(f"{operation}(): {type(module).__name__} has no parameter '{name}'")
    del vars(module)[name]
    return weight


def _found(operation: str, module: Module, name: str, kind: type[Any]) -> Any:
    """The hook of a kind for a name, taken out of the module."""
    for hook, _ in list((module._hooks or {}).get("pre", {}).values()):
        if isinstance(hook, kind) and hook.name == name:
            hook.handle.remove()
            return hook
    raise ArgumentError(f"{operation}(): '{name}' of {type(module).__name__} is not normalised")


class _WeightNorm(_Reweighting):
    def __init__(self, name: str, dim: int | None) -> None:
        super().__init__(name)
        self.dim = dim

    def compute(self, module: Any) -> Any:
        """The direction with the length."""
        length, direction = (getattr(module, f"{self.name}_{part}") for part in "gv")
        return direction * (length / norm_except(direction, self.dim))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Make a weight of a length, `name`_g, and a direction, `name`_v; returns the module.

    There is a length for each place along `dim`, or one for None. Source: Salimans and Kingma,
    "Weight Normalization", 2016.
    """
    weight = _taken("weight_norm", module, name)
    module.register_parameter(f"{name}_g", Parameter(norm_except(weight.detach(), dim)))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    _WeightNorm(name, dim).install(module)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make a weight a plain parameter again, of the value it has; returns the module."""
    hook = _found("remove_weight_norm", module, name, _WeightNorm)
    with no_grad():
        weight = hook.compute(module).detach()
    for part in (name, f"{name}_g", f"{name}_v"):
        vars(module).pop(part, None)
    module.register_parameter(name, Parameter(weight))
    return module


class _SpectralNorm(_Reweighting):
    def __init__(self, name: str, count: int, dim: int, eps: float) -> None:
        super().__init__(name)
        self.count = count
        self.dim = dim
        self.eps = eps

    def matrix(self, weight: Any) -> Any:
        """The weight as a matrix whose rows lie along `dim`."""
        weight = weight.movedim(self.dim, 0) if self.dim else weight
        return weight.reshape(weight.shape[0], -1)

    def compute(self, module: Any) -> Any:
        """The weight over its first singular value, after some power iterations in training."""
        weight = getattr(module, f"{self.name}_orig")
        left, right = (getattr(module, f"{self.name}_{part}") for part in "uv")
        matrix = self.matrix(weight)
        if module.training:
            with no_grad():
                for _ in range(self.count):
                    right.copy_(F.normalize(matmul(matrix.mT, left), dim=0, eps=self.eps))
                    left.copy_(F.normalize(matmul(matrix, right), dim=0, eps=self.eps))
            left, right = left.clone(), right.clone()
        return weight / matmul(left, matmul(matrix, right))


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide a weight, kept as `name`_orig, by its largest singular value; returns the module.

    Each training forward makes `n_power_iterations`. Source: Miyato and others, "Spectral
    Normalization for GANs", 2018.
    """
    if n_power_iterations < 1:
        raise ArgumentError(
            f"spectral_norm(): n_power_iterations must be at least 1, got {n_power_iterations}"
        )
    if dim is None:
        dim = 1 if getattr(module, "transposed", False) else 0
    weight = _taken("spectral_norm", module, name)
    hook = _SpectralNorm(name, n_power_iterations, dim, eps)
    module.register_parameter(f"{name}_orig", weight)
    for part, size in zip("uv", hook.matrix(weight.detach()).shape):
        drawn = randn(size, dtype=weight.dtype, device=weight.device)
        module.register_buffer(f"{name}_{part}", F.normalize(drawn, dim=0, eps=eps))
    object.__setattr__(module, name, weight.detach())
    hook.handle = module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make a weight a plain parameter again, of the value it has; returns the module."""
    hook = _found("remove_spectral_norm", module, name, _SpectralNorm)
    training = module.training
    module.training = False
    with no_grad():
        weight = hook.compute(module).detach()
    module.training = training
    for part in ("orig", "u", "v"):
        vars(module).pop(f"{name}_{part}", None)
        (module._buffers or {}).pop(f"{name}_{part}", None)
    vars(module).pop(name, None)
    module.register_parameter(name, Parameter(weight))
    return module
