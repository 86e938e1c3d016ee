"""Losses as modules, of numbers and of classes: each calls the function in `nn.functional`."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.nn import functional as F
from minigrad.nn.module import Module

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]


class Loss(Module):
    """A loss with a `reduction`: "mean", "sum", or "none" for one value per element."""

    # Whether a tensor may be the constructor's first argument.
    takes_tensor: ClassVar[bool] = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Refuse an output and a target: the loss is made first, and called with them."""
        tensors = [isinstance(value, Traced) for value in args[:2]]
        misplaced = tensors[1:] == [True] or (tensors[:1] == [True] and not cls.takes_tensor)
        if misplaced or "input" in kwargs or "target" in kwargs:
            raise TypeError(
                f"{cls.__name__}(): tensors are passed when the loss is called, not when it is "
                f"made; write loss_function = nn.{cls.__name__}(), then loss_function(output, "
                f"target)"
            )
        return super().__new__(cls)

    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in ("mean", "sum", "none", "batchmean"):
            raise ArgumentError(
                f"{type(self).__name__}(): reduction must be 'mean', 'sum' or 'none', "
                f"got {reduction!r}"
            )
        self.reduction = reduction


class MSELoss(Loss):
    """The squared difference; shapes must be equal."""

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """The absolute difference; shapes must be equal."""

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """Squared below `beta`, absolute above: 0.5 d^2 / beta, or |d| - 0.5 beta."""

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """Squared below `delta`, absolute above: 0.5 d^2, or delta (|d| - 0.5 delta)."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class WeightedLoss(Loss):
    """A loss whose `weight` rescales elements or classes."""

    takes_tensor = True
    weight: Any

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)


class BCELoss(WeightedLoss):
    """Binary cross-entropy of probabilities in [0, 1]; logarithms are cut off at -100."""

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(WeightedLoss):
    """Binary cross-entropy of logits, computed without overflow; `pos_weight` weighs positives."""

    pos_weight: Any

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(weight, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class NLLLoss(WeightedLoss):
    """The negative of the log-probability of each label; [N, C, ...] against [N, ...]."""

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class CrossEntropyLoss(WeightedLoss):
    """Cross-entropy of logits [N, C, ...] with labels [N, ...] or probabilities [N, C, ...].

    `weight` weighs the classes, labels equal to `ignore_index` do not count, `label_smoothing`
    mixes the target with the uniform distribution (Szegedy et al. 2016).

    >>> import minigrad
    >>> logits = minigrad.tensor([[2.0, 0.0], [0.0, 0.0]])
    >>> CrossEntropyLoss()(logits, minigrad.tensor([0, 1]))
    tensor(0.4100)
    """

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class KLDivLoss(Loss):
    """The Kullback-Leibler divergence of log-probabilities from `target`.

    "batchmean" divides the sum by the batch size, which is the mathematical definition; with
    `log_target` the target holds log-probabilities too.
    """

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(Loss):
    """The negative log-likelihood of counts; `full` adds Stirling's term."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.poisson_nll_loss(
            input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(Loss):
    """The negative log-likelihood of normal values with a predicted variance."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        """The loss."""
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )
