"""Pruning: parts of a parameter held at zero by a mask that is applied before every forward."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from minigrad.errors import ArgumentError
from minigrad.nn.module import Module, Parameter
from minigrad.ops.creation import ones_like
from minigrad.ops.join import cat
from minigrad.ops.norms import vector_norm
from minigrad.ops.random import rand_like

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


class BasePruningMethod:
    """A way to choose what is pruned: a subclass writes `compute_mask(t, default_mask)`.

    It gets the importance scores of all that is left, and gives the new mask, zero where the old
    one was. PRUNING_TYPE says what is left: "unstructured" elements as a vector, or "structured"
    and "global" the whole tensor.
    """

    PRUNING_TYPE: ClassVar[str] = "unstructured"
    _tensor_name = ""
    _handle: Any = None

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask for the scores `t`; written by the subclass."""
        raise ArgumentError(f"{type(self).__name__} has no compute_mask(t, default_mask)")

    def __call__(self, module: Any, inputs: Any) -> None:
        object.__setattr__(module, self._tensor_name, self.apply_mask(module))

    def apply_mask(self, module: Any) -> Any:
        """The pruned tensor of a module."""
        name = self._tensor_name
        mask, original = getattr(module, f"{name}_mask"), getattr(module, f"{name}_orig")
        return mask.to(original.dtype) * original

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """The tensor with what this method chooses set to zero."""
        scores = t if importance_scores is None else importance_scores
        old = ones_like(t) if default_mask is None else default_mask
        return t * self._combined(scores.detach(), old)

    def _combined(self, scores: Any, old: Any) -> Any:
        """The old mask with what this method chooses among what it leaves."""
        if self.PRUNING_TYPE != "unstructured":
            return self.compute_mask(scores, old)
        left = old.reshape(-1).nonzero().reshape(-1)
        fresh = self.compute_mask(scores.reshape(-1)[left], ones_like(left).to(old.dtype))
        mask = old.clone().reshape(-1)
        mask[left] = fresh
        return mask.reshape(old.shape)

    @classmethod
    def apply(
        cls, module: Any, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune a parameter of a module, further if it is pruned already; returns the method."""
        method = cls(*args, **kwargs)
        method._tensor_name = name
        earlier = _hook(module, name)
        if earlier is None:
            original = vars(module).get(name)
            if not isinstance(original, Parameter):
                raise ArgumentError(
                    f"prune: {type(module).__name__} has no parameter '{name}'; it has "
                    f"{[key for key, _ in module._own_parameters()]}"
                )
            old = ones_like(original.detach())
        else:
            original, old = getattr(module, f"{name}_orig"), getattr(module, f"{name}_mask")
        # What was pruned before counts as zero.
        scores = getattr(module, name) if importance_scores is None else importance_scores
        if tuple(scores.shape) != tuple(original.shape):
            raise ArgumentError(
                f"prune: importance_scores must have the shape {list(original.shape)} of "
                f"'{name}', got {list(scores.shape)}"
            )
        mask = method._combined(scores.detach(), old).to(original.dtype)
        if earlier is None:
            del vars(module)[name]
            module.register_parameter(f"{name}_orig", original)
        else:
            earlier._handle.remove()
        module.register_buffer(f"{name}_mask", mask)
        object.__setattr__(module, name, method.apply_mask(module))
        method._handle = module.register_forward_pre_hook(method)
        return method

    def remove(self, module: Any) -> None:
        """Make the pruning final: a plain parameter with zeros."""
        name = self._tensor_name
        original = getattr(module, f"{name}_orig")
        original._array = self.apply_mask(module).detach()._array
        for part in (name, f"{name}_orig", f"{name}_mask"):
            vars(module).pop(part, None)
        module._buffers.pop(f"{name}_mask", None)
        self._handle.remove()
        module.register_parameter(name, original)


def _hook(module: Any, name: str) -> Any:
    """The method that prunes a parameter; None if there is none."""
    for hook, _ in (module._hooks or {}).get("pre", {}).values():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return hook
    return None


def _count(amount: float, size: int) -> int:
    """How many of `size` an amount means: a whole number, or a share in [0, 1]."""
    whole = amount.__class__ is int
    if amount < 0 or amount > (size if whole else 1):
        raise ArgumentError(
            f"prune: amount must be a share in [0, 1] or a number of at most {size}, got {amount}"
        )
    return int(amount) if whole else round(amount * size)


class Identity(BasePruningMethod):
    """Prunes nothing, and makes the mask."""

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask as it is."""
        return default_mask


class _Amount(BasePruningMethod):
    def __init__(self, amount: float) -> None:
        if amount < 0 or (amount.__class__ is float and amount > 1):
            raise ArgumentError(
                f"prune: amount must be a share in [0, 1] or a whole number, got {amount}"
            )
        self.amount = amount

    def scores(self, t: Any) -> Any:
        """What is pruned first is lowest."""
        return rand_like(t)

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask without the lowest scores."""
        mask = default_mask.clone()
        count = _count(self.amount, t.numel())
        if count:
            mask[self.scores(t).topk(count, largest=False).indices] = 0
        return mask


class RandomUnstructured(_Amount):
    """Prunes elements at random: a share of what is left, or a number of elements."""


class L1Unstructured(_Amount):
    """Prunes the smallest elements: a share of what is left, or a number of elements."""

    def scores(self, t: Any) -> Any:
        """The sizes."""
        return abs(t)


class RandomStructured(_Amount):
    """Prunes whole channels along `dim` at random."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def lengths(self, t: Any, rest: tuple[int, ...]) -> Any:
        """What is pruned first is lowest."""
        return rand_like(vector_norm(t, 2, rest))

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask without the channels of the lowest scores."""
        if t.ndim < 2:
            raise ArgumentError(
                f"prune: channels need a tensor of at least 2 dimensions, got {list(t.shape)}"
            )
        dim = self.dim % t.ndim
        rest = tuple(place for place in range(t.ndim) if place != dim)
        left = (default_mask != 0).sum(rest).nonzero().reshape(-1)
        count = _count(self.amount, len(left))
        mask = default_mask.clone()
        if count:
            scores = self.lengths(t.index_select(dim, left), rest)
            gone = left[scores.topk(count, largest=False).indices]
            mask = mask.index_fill(dim, gone, 0)
        return mask


class LnStructured(RandomStructured):
    """Prunes the channels along `dim` whose `n`-norm is smallest."""

    def __init__(self, amount: float, n: float, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def lengths(self, t: Any, rest: tuple[int, ...]) -> Any:
        """The norms."""
        return vector_norm(t, float(self.n), rest)


class CustomFromMask(BasePruningMethod):
    """Prunes what a given mask leaves out."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The old mask and the given one."""
        return default_mask * self.mask.to(default_mask.dtype)


def identity(module: Module, name: str) -> Module:
    """Prune nothing of a parameter, but give it a mask; returns the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Prune elements at random: a share, or a number of them; returns the module."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: Module, name: str, amount: float, importance_scores: Any = None
) -> Module:
    """Prune the smallest elements: a share, or a number of them; returns the module."""
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Prune channels along `dim` at random; returns the module."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module, name: str, amount: float, n: float, dim: int, importance_scores: Any = None
) -> Module:
    """Prune the channels along `dim` whose `n`-norm is smallest; returns the module."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Any) -> Module:
    """Prune what a mask of zeros and ones leaves out; returns the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: dict[tuple[Module, str], Any] | None = None,
    **kwargs: Any,
) -> None:
    """Prune parameters, given as (module, name), together: as if they were one vector."""
    held = list(parameters)
    scores, masks = [], []
    for module, name in held:
        pruned = is_pruned(module) and _hook(module, name) is not None
        weight = getattr(module, f"{name}_orig" if pruned else name)
        score = (importance_scores or {}).get((module, name), weight)
        old = getattr(module, f"{name}_mask") if pruned else ones_like(weight.detach())
        scores.append(score.detach().reshape(-1))
        masks.append(old)
    method = pruning_method(**kwargs)
    whole = method._combined(cat(scores), cat([mask.reshape(-1) for mask in masks]))
    start = 0
    for (module, name), mask in zip(held, masks):
        stop = start + mask.numel()
        custom_from_mask(module, name, whole[start:stop].reshape(mask.shape))
        start = stop


def remove(module: Module, name: str) -> Module:
    """Make the pruning of a parameter final; returns the module."""
    hook = _hook(module, name)
    if hook is None:
        raise ArgumentError(f"prune: '{name}' of {type(module).__name__} is not pruned")
    hook.remove(module)
    return module


def is_pruned(module: Module) -> bool:
    """Whether anything in a module is pruned."""
    return any(
        isinstance(hook, BasePruningMethod)
        for each in module.modules()
        for hook, _ in (each._hooks or {}).get("pre", {}).values()
    )
