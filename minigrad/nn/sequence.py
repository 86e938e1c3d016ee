"""Losses with parts of their own: of unplaced labels, of a linear map, and of many classes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

from minigrad.errors import ArgumentError
from minigrad.nn import functional as F
from minigrad.nn.container import ModuleList, Sequential
from minigrad.nn.linear import Linear
from minigrad.nn.loss import Loss, WeightedLoss
from minigrad.nn.module import Module
from minigrad.ops.join import cat

__all__ = ["AdaptiveLogSoftmaxWithLoss", "CTCLoss", "LinearCrossEntropyLoss"]


class CTCLoss(Loss):
    """Minus the log-likelihood of labels over all their alignments; see `F.ctc_loss`.

    `blank` is the class between the labels; `zero_infinity` makes the loss of labels that do not
    fit zero. Source: Graves and others, "Connectionist Temporal Classification", ICML 2006.
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        """The loss of log_probs [steps, batch, classes], from `log_softmax`."""
        return F.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )


class LinearCrossEntropyLoss(WeightedLoss):
    """The cross entropy of the logits that a linear layer, the loss's own, makes of its input.

    With `out_features` there are so many places for each input: logits [N, classes, *out_features].
    `options` are torch's and have no effect.
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Any = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: Any = None,
    ) -> None:
        name = type(self).__name__
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise ArgumentError(
                f"{name}(): weight must have shape [{num_classes}], got {list(weight.shape)}"
            )
        if not 0 <= label_smoothing <= 1:
            raise ArgumentError(
                f"{name}(): label_smoothing must be between 0 and 1, got {label_smoothing}"
            )
        super().__init__(weight, reduction)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        width = prod(out_features, start=num_classes)
        self.linear = Linear(in_features, width, bias=bias, device=device, dtype=dtype)
        self.options = options

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        outputs = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*outputs, self.linear.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(outputs),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        """The sizes and options."""
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )


class _Output(NamedTuple):
    """What AdaptiveLogSoftmaxWithLoss gives: each target's log-probability, and the loss."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """A softmax over many classes, the rare ones in clusters of shorter vectors.

    The classes, most frequent first, are cut at `cutoffs`; the head knows the first part and the
    clusters, cluster i has vectors of in_features / div_value ** i. Source: Grave and others,
    "Efficient softmax approximation for GPUs", 2017.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        made = {"device": device, "dtype": dtype}
        given = list(cutoffs)
        rising = all(a < b for a, b in pairwise([0, *given, n_classes]))
        if not given or not rising or any(int(cut) != cut for cut in given):
            raise ArgumentError(
                f"AdaptiveLogSoftmaxWithLoss(): cutoffs must be integers that rise from 1 to "
                f"{n_classes - 1} at most, got {given}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*given, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **made)
        self.tail = ModuleList()
        for number, (low, high) in enumerate(pairwise(self.cutoffs)):
            width = int(in_features // div_value ** (number + 1))
            self.tail.append(
                Sequential(
                    Linear(in_features, width, bias=False, **made),
                    Linear(width, high - low, bias=False, **made),
                )
            )

    def reset_parameters(self) -> None:
        """Draw new values."""
        self.head.reset_parameters()
        for projection in self.tail:
            for layer in projection:
                layer.reset_parameters()

    def forward(self, input_: Any, target_: Any) -> _Output:
        """The log-probability of each target [N], and minus their mean; input [N, in_features].

        Or both without N. Raises ArgumentError for shapes that do not fit, IndexError for a target
        that is no class.
        """
        if tuple(target_.shape) != tuple(input_.shape[:-1]) or input_.ndim not in (1, 2):
            raise ArgumentError(
                f"AdaptiveLogSoftmaxWithLoss(): input and target must have shapes [N, "
                f"{self.in_features}] and [N], or both without N; got {list(input_.shape)} and "
                f"{list(target_.shape)}"
            )
        had_batch = input_.ndim == 2
        input = input_ if had_batch else input_.unsqueeze(0)
        target = target_ if had_batch else target_.unsqueeze(0)
        wrong = (target < 0) | (target >= self.n_classes)
        if bool(wrong.any()):
            raise IndexError(
                f"AdaptiveLogSoftmaxWithLoss(): targets must be from 0 to {self.n_classes - 1}, "
                f"got {target[wrong][0].item()}"
            )
        heads = F.log_softmax(self.head(input), 1)
        place = target.clone()
        parts = []
        for number, (low, high) in enumerate(pairwise(self.cutoffs)):
            rows = ((target >= low) & (target < high)).nonzero().reshape(-1)
            if not len(rows):
                continue
            place[rows] = self.shortlist_size + number
            scores = F.log_softmax(self.tail[number](input[rows]), 1)
            local = scores.gather(1, (target[rows] - low).unsqueeze(1)).squeeze(1)
            parts.append((rows, local))
        output = heads.gather(1, place.unsqueeze(1)).squeeze(1)
        for rows, local in parts:
            output = output.index_add(0, rows, local)
        loss = -output.mean()
        return _Output(output if had_batch else output.squeeze(0), loss)

    def log_prob(self, input: Any) -> Any:
        """The log-probabilities of all classes, [N, n_classes] for [N, in_features]."""
        heads = F.log_softmax(self.head(input), 1)
        parts = [heads[:, : self.shortlist_size]]
        for number, projection in enumerate(self.tail):
            share = heads[:, self.shortlist_size + number].unsqueeze(1)
            parts.append(F.log_softmax(projection(input), 1) + share)
        return cat(parts, 1)

    def predict(self, input: Any) -> Any:
        """The most probable class of each row, [N] for [N, in_features]."""
        return self.log_prob(input).argmax(1)
