"""Connectionist temporal classification: the likelihood of labels whose places are not known.

Source: Graves, Fernandez, Gomez and Schmidhuber, "Connectionist Temporal Classification: Labelling
Unsegmented Sequence Data with Recurrent Neural Networks", ICML 2006, equations 5 to 16.
"""

from __future__ import annotations

from math import inf, nan
from typing import Any, NamedTuple

from minigrad.backend import backend_of
from minigrad.graph import primitive
from minigrad.ops.functions import exp
from minigrad.ops.index import getitem, getitem_grad
from minigrad.ops.join import stack
from minigrad.ops.pad import pad_constant
from minigrad.ops.select import where
from minigrad.ops.shape import reshape
from minigrad.ops.special import logaddexp

__all__: list[str] = []


class Alignment(NamedTuple):
    """What a batch of labels admits, as raw arrays; a state is a label or the blank around one.

    labels [batch, states] are the classes of the states; skips, of the same shape, says where a
    path may jump over the blank before; steps and ends [batch] are each sequence's length and the
    number of its last state.
    """

    labels: Any
    skips: Any
    steps: Any
    ends: Any


class Places(NamedTuple):
    """What follows from an Alignment, as raw arrays beside [steps, batch, states]."""

    rows: Any
    start: Any
    end: Any
    last: Any
    counted: Any
    empty: Any


def _places(align: Alignment, steps: int, dtype: Any) -> Places:
    """Where paths may start and end, each sequence's last step, and which steps it has."""
    xp = backend_of(align.labels).xp
    states = xp.arange(align.labels.shape[1])
    end = align.ends[:, None]
    final = (states == end) | ((states == end - 1) & (end > 0))
    step = xp.arange(steps)[:, None, None]
    lengths = align.steps[:, None]
    return Places(
        rows=xp.arange(align.labels.shape[0]),
        start=(states <= 1) & (states <= end),
        end=xp.where(final, 0.0, -inf).astype(dtype),
        last=step == lengths - 1,
        counted=step < lengths,
        # Without any step only the empty sequence of labels can be.
        empty=xp.where(align.ends == 0, 0.0, -inf).astype(dtype),
    )


def _emissions(log_probs: Any, align: Alignment, places: Places) -> Any:
    """The log-probability of each state's class at each step: [steps, batch, states]."""
    return getitem(log_probs, index=(slice(None), places.rows[:, None], align.labels))


def _shifted(values: Any, count: int) -> Any:
    """Every state's value handed on by `count` states."""
    return pad_constant(values, widths=((0, 0), (count, -count)), value=-inf)


def _forwards(emitted: Any, align: Alignment, places: Places) -> Any:
    """The log-likelihood of all paths to each state at each step, the emission there included."""
    found = [where(places.start, emitted[0], -inf)]
    for step in range(1, len(emitted)):
        before = found[-1]
        reached = logaddexp(before, _shifted(before, 1))
        reached = logaddexp(reached, where(align.skips, _shifted(before, 2), -inf))
        found.append(emitted[step] + reached)
    return stack(found)


def _backwards(emitted: Any, align: Alignment, places: Places) -> Any:
    """The log-likelihood of all paths from each state to the end, the emission there left out."""
    found = [places.end]
    for step in range(len(emitted) - 2, -1, -1):
        after = emitted[step + 1] + found[-1]
        state = logaddexp(after, _shifted(after, -1))
        state = logaddexp(state, _shifted(where(align.skips, after, -inf), -2))
        found.append(where(places.last[step], places.end, state))
    return stack(found[::-1])


def _likelihoods(reached: Any, align: Alignment, places: Places) -> Any:
    """The log-likelihood of each sequence of labels."""
    steps = align.steps - (align.steps > 0)
    final = getitem(reached, index=(steps, places.rows))
    blank = getitem(final, index=(places.rows, align.ends))
    label = getitem(final, index=(places.rows, align.ends - (align.ends > 0)))
    total = logaddexp(blank, where(align.ends > 0, label, -inf))
    return where(align.steps == 0, places.empty, total)


def _cotangent(
    g: Any, log_probs: Any, labels: Any, skips: Any, steps: Any, ends: Any, zero_infinity: bool
) -> Any:
    """The cotangent of log-probabilities that come from a log_softmax, as torch has it.

    What would change their sum to another than one is left out: the softmax is subtracted.
    """
    align = Alignment(labels, skips, steps, ends)
    places = _places(align, len(log_probs), log_probs.dtype)
    emitted = _emissions(log_probs, align, places)
    reached = _forwards(emitted, align, places)
    total = _likelihoods(reached, align, places)
    possible = reshape(total, (1, -1, 1)) != -inf
    total = where(possible, reshape(total, (1, -1, 1)), 0.0)
    posterior = exp(reached + _backwards(emitted, align, places) - total)
    index = (slice(None), places.rows[:, None], align.labels)
    expected = getitem_grad(posterior, index=index, size=tuple(log_probs.shape))
    slope = exp(log_probs) - expected
    slope = where(possible, slope, 0.0 if zero_infinity else nan)
    return where(places.counted, reshape(g, (1, -1, 1)) * slope, 0.0)


@primitive(log_probs=_cotangent)
def ctc_losses(
    xp: Any,
    log_probs: Any,
    *,
    labels: Any,
    skips: Any,
    steps: Any,
    ends: Any,
    zero_infinity: bool,
) -> Any:
    """Minus the log-likelihood of each sequence of labels, from [steps, batch, classes].

    The constants are an `Alignment`'s. What cannot be is infinite, or with `zero_infinity` zero.
    """
    align = Alignment(labels, skips, steps, ends)
    places = _places(align, len(log_probs), log_probs.dtype)
    reached = _forwards(_emissions(log_probs, align, places), align, places)
    losses = -_likelihoods(reached, align, places)
    return xp.where(losses == inf, 0.0, losses).astype(losses.dtype) if zero_infinity else losses
