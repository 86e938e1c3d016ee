"""The loss of sequences whose labels have no places: connectionist temporal classification."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.dtypes import float16, float32
from minigrad.errors import ArgumentError, DtypeError
from minigrad.nn.functional.loss import check_reduction, reduced
from minigrad.ops.ctc import Alignment, ctc_losses
from minigrad.ops.promotion import convert, require_floating
from minigrad.ops.windows import raw

__all__ = ["ctc_loss"]

_OPERATION = "ctc_loss"


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Minus the log-likelihood of labels over all their alignments with a sequence.

    log_probs [steps, batch, classes], or [steps, classes], come from `log_softmax`: the gradient
    takes for granted that they are normalised. targets are [batch, longest], or all end to end in
    one dimension, without `blank`; the lengths are [batch]. "mean" divides each loss by its
    target's length first. `zero_infinity` makes the loss of labels that do not fit zero.

    Raises ArgumentError for lengths and shapes that do not fit, IndexError for a label that is no
    class. Source: Graves and others, "Connectionist Temporal Classification", ICML 2006.

    >>> import minigrad
    >>> even = minigrad.zeros(2, 1, 2).log_softmax(2)
    >>> one = minigrad.tensor([1])
    >>> ctc_loss(even, one.reshape(1, 1), one * 2, one)  # 3 of 4 paths spell the label
    tensor(0.2877)
    """
    check_reduction(_OPERATION, reduction)
    for name, value in (("log_probs", log_probs), ("targets", targets)):
        if not hasattr(value, "ndim"):
            raise TypeError(
                f"{_OPERATION}(): argument '{name}' must be a Tensor, not {type(value).__name__}"
            )
    require_floating(_OPERATION, "log_probs", log_probs)
    had_batch = log_probs.ndim == 3
    if log_probs.ndim not in (2, 3) or 0 in log_probs.shape:
        raise ArgumentError(
            f"{_OPERATION}(): argument 'log_probs' must have shape [steps, batch, classes] or "
            f"[steps, classes], none of them 0, got {list(log_probs.shape)}"
        )
    dtype = log_probs.dtype
    if dtype == float16:
        log_probs = convert(log_probs, float32)
    if not had_batch:
        log_probs = log_probs.unsqueeze(1)
    steps, batch, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise ArgumentError(
            f"{_OPERATION}(): argument 'blank' must be one of the classes, 0 to {classes - 1}, got "
            f"{blank}"
        )
    places = _lengths("input_lengths", input_lengths, batch)
    counts = _lengths("target_lengths", target_lengths, batch)
    if max(places) > steps:
        raise ArgumentError(
            f"{_OPERATION}(): argument 'input_lengths' has a length of {max(places)}, but argument "
            f"'log_probs' has only {steps} steps"
        )
    align = _alignment(log_probs, raw(targets), places, counts, blank, had_batch)
    losses = ctc_losses(log_probs, **align._asdict(), zero_infinity=bool(zero_infinity))
    if reduction == "mean":
        xp = backend_of(raw(losses)).xp
        losses = losses / xp.maximum(align.ends // 2, 1).astype(losses.dtype)
    losses = reduced(losses if had_batch else losses[0], reduction)
    return convert(losses, dtype)


def _lengths(name: str, given: Any, batch: int) -> list[int]:
    """The lengths as a list, one for each of the batch."""
    array = raw(given)
    if hasattr(array, "dtype"):
        if array.dtype.kind not in "iu":
            raise DtypeError(
                f"{_OPERATION}(): argument '{name}' must hold integers, got {array.dtype}"
            )
        values: list[Any] = array.reshape(-1).tolist()
    else:
        values = list(given) if isinstance(given, (list, tuple)) else [given]
    if len(values) != batch or any(not isinstance(n, int) or n < 0 for n in values):
        raise ArgumentError(
            f"{_OPERATION}(): argument '{name}' must be {batch} lengths, one for each of the "
            f"batch, none negative; got {values}"
        )
    return values


def _alignment(
    log_probs: Any, targets: Any, steps: list[int], counts: list[int], blank: int, had_batch: bool
) -> Alignment:
    """The states of each sequence: its labels with a blank before, between and after them."""
    xp = backend_of(raw(log_probs)).xp
    _, batch, classes = log_probs.shape
    if targets.dtype.kind not in "iu":
        raise DtypeError(
            f"{_OPERATION}(): argument 'targets' must hold class numbers, got {targets.dtype}; "
            f"convert it, for example targets.long()"
        )
    longest = max(counts)
    padded = xp.full((batch, longest), blank, xp.int64)
    if targets.ndim == 1:
        if targets.size != sum(counts):
            raise ArgumentError(
                f"{_OPERATION}(): argument 'targets' has {targets.size} labels, but "
                f"'target_lengths' add up to {sum(counts)}"
            )
        start = 0
        for row, count in enumerate(counts):
            padded[row, :count] = targets[start : start + count]
            start += count
    elif had_batch and targets.ndim == 2 and len(targets) == batch and targets.shape[1] >= longest:
        for row, count in enumerate(counts):
            padded[row, :count] = targets[row, :count]
    else:
        raise ArgumentError(
            f"{_OPERATION}(): argument 'targets' must have shape [{batch}, at least {longest}], or "
            f"be 1-dimensional with the labels end to end, got {list(targets.shape)}"
        )
    wrong = (padded < 0) | (padded >= classes)
    if bool(wrong.any()):
        raise IndexError(
            f"{_OPERATION}(): argument 'targets' has the label "
            f"{int(padded.reshape(-1)[int(wrong.reshape(-1).argmax())])}, but argument 'log_probs' "
            f"has only {classes} classes, 0 to {classes - 1}"
        )
    labels = xp.full((batch, 2 * longest + 1), blank, xp.int64)
    labels[:, 1::2] = padded
    skips = xp.zeros(labels.shape, bool)
    skips[:, 2:] = (labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])
    return Alignment(labels, skips, xp.asarray(steps, xp.int64), 2 * xp.asarray(counts, xp.int64))
