"""Rows of the losses' own primitives, and of the windows that become columns."""

from __future__ import annotations

import itertools
from typing import Any

import numpy

from minigrad.ops.fused import log_softmax
from tests.samples.elementwise import unary
from tests.samples.row import Row, Sample, sample, torch
from tests.samples.source import Source


def pair(s: Source, low: float, high: float) -> tuple[Any, Any]:
    """Two tensors of one shape, no element of the one near the other's."""
    shape = s.shape()
    first = s.floats(shape, low, high)
    apart = s.floats(shape, 0.1, 0.3) * numpy.where(s.bools(shape), 1, -1).astype(s.dtype)
    return first, numpy.asarray(first + apart, s.dtype)


def squared_error(s: Source) -> Sample:
    shape = s.shape(empty=False)
    return sample(s.floats(shape), s.floats(shape), average=s.flag())


def squared_error_grad(s: Source) -> Sample:
    shape = s.shape(empty=False)
    return sample(s.floats(()), s.floats(shape), s.floats(shape), factor=s.pick((2, 0.4)))


def huber(s: Source) -> Sample:
    first, second = pair(s, -2.0, 2.0)
    return sample(first, second, delta=s.pick((1.0, 0.05)))


def at_the_bend(s: Source) -> Sample:
    first = numpy.array([0.0, 1.0, 2.0, -1.0])
    return sample(first, numpy.zeros(4), delta=s.pick((1.0, 2.0)))


def logits(s: Source) -> Sample:
    shape = s.shape()
    return sample(s.floats(shape, away=(0,)), s.floats(shape, 0.1, 0.9))


def probabilities(s: Source) -> Sample:
    shape = s.shape()
    return sample(s.floats(shape, 0.1, 0.9), s.floats(shape, 0.1, 0.9))


def shares(s: Source) -> Sample:
    shape = s.pick(((3, 4), (2, 1, 3), (1, 2)))
    dim = s.pick(tuple(range(len(shape))))
    return sample(s.floats(shape, 0.1, 2.0), dim=dim, low=0.1, high=0.9)


def log_of_shares(x: Any, dim: int, low: float, high: float) -> Any:
    return torch.log(torch.clamp(x / x.sum(dim, keepdim=True), low, high))


def binary(x: Any, y: Any) -> Any:
    return torch.nn.functional.binary_cross_entropy(x, y, reduction="none")


def binary_logits(x: Any, y: Any) -> Any:
    return torch.nn.functional.binary_cross_entropy_with_logits(x, y, reduction="none")


WINDOWS = (
    ((3, 3), {"kernel": (2, 2), "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}),
    ((4, 3), {"kernel": (2, 1), "stride": (2, 1), "padding": (1, 0), "dilation": (2, 1)}),
)


def to_columns(s: Source) -> Sample:
    sizes, constants = s.pick(WINDOWS)
    return sample(s.floats((1, 2, *sizes)), **constants)


def unfold(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    return torch.nn.functional.unfold(x, kernel, dilation, padding, stride)


def from_columns(s: Source) -> Sample:
    sizes, constants = s.pick(WINDOWS)
    count = 1
    for n, k, t, p, d in zip(sizes, *(constants[c] for c in constants)):
        count *= (n + 2 * p - d * (k - 1) - 1) // t + 1
    rows = 2 * int(numpy.prod(constants["kernel"]))
    return sample(s.floats((1, rows, count)), size=sizes, **constants)


def fold(x: Any, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    return torch.nn.functional.fold(x, size, kernel, dilation, padding, stride)


LABELS = (((1, 2), 3), ((1, 1), 3), ((2,), 2), ((), 2), ((1, 1), 2), ((2, 1), 0))
"""Labels, and the steps they are to be found in; the last two do not fit."""


def labelled(s: Source) -> Sample:
    """Log-probabilities of three classes, and two sequences of labels for them."""
    chosen = [s.pick(LABELS[:4]), s.pick(LABELS)]
    longest = max(len(labels) for labels, _ in chosen)
    states = numpy.zeros((2, 2 * longest + 1), numpy.int64)
    for row, (labels, _) in enumerate(chosen):
        states[row, 1 : 2 * len(labels) : 2] = labels
    skips = numpy.zeros(states.shape, bool)
    skips[:, 2:] = (states[:, 2:] != 0) & (states[:, 2:] != states[:, :-2])
    steps = numpy.array([count for _, count in chosen])
    ends = numpy.array([2 * len(labels) for labels, _ in chosen])
    return sample(
        s.floats((3, 2, 3)), labels=states, skips=skips, steps=steps, ends=ends, zero_infinity=True
    )


def spelled(x: Any, labels: Any, skips: Any, steps: Any, ends: Any, zero_infinity: bool) -> Any:
    """Minus the logarithm of the sum over all paths that spell the labels, one after the other."""
    x = torch.log_softmax(x, 2)
    losses = []
    for row, (states, count, end) in enumerate(zip(labels, steps, ends)):
        wanted = [int(label) for label in states[1:end:2]]
        total = 0.0
        for path in itertools.product(range(3), repeat=int(count)):
            if [k for k, _ in itertools.groupby(path) if k] == wanted:
                chance = torch.ones((), dtype=x.dtype)
                for step, place in enumerate(path):
                    chance = chance * x[step, row, place].exp()
                total = total + chance
        found = isinstance(total, torch.Tensor)
        losses.append(-torch.log(total) if found else 0.0 * x[0, 0, 0])
    return torch.stack(losses)


def call_normalised(op: Any, x: Any, **constants: Any) -> Any:
    """The loss of log-probabilities that sum to one: its gradient takes that for granted."""
    return op(log_softmax(x, 2), **constants)


ROWS = {
    "ctc_losses": Row(labelled, spelled, "f", call=call_normalised),
    "log_probabilities": Row(shares, log_of_shares),
    "squared_error": Row(
        squared_error,
        lambda x, y, average: torch.nn.functional.mse_loss(
            x, y, reduction="mean" if average else "sum"
        ),
    ),
    "squared_error_grad": Row(squared_error_grad, lambda g, x, y, factor: (x - y) * g * factor),
    "_huber": Row(
        huber,
        lambda x, y, delta: torch.nn.functional.huber_loss(x, y, "none", delta),
        kinks=at_the_bend,
    ),
    "_binary": Row(probabilities, binary),
    "_binary_logits": Row(logits, binary_logits),
    "_capped_log": unary(lambda x: torch.log(x).clamp(min=-100), 0.3, 3.0, kinds="f"),
    "to_columns": Row(to_columns, unfold, "fc"),
    "from_columns": Row(from_columns, fold, "fc"),
}
