"""The perceptron's learning rule over one epoch, and the order in which it sees the samples.

The arithmetic is scikit-learn's, operation by operation, so that the coefficients are equal to
the last digits: dot products add from the first feature to the last, an L2 penalty shrinks one
number that scales the weights (Shalev-Shwartz et al. 2007, Pegasos), and an L1 penalty is paid
by truncation with a cumulative debt (Tsuruoka et al. 2009).

Only a mistake changes the weights, so the rule looks ahead: it scores a block of samples at once
and goes on from the first that is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy

SMALLEST_SCALE = {"float64": 1e-9, "float32": 1e-6}
_SHORTEST_LOOK = 8
_LONGEST_LOOK = 4096
_CHUNK_ELEMENTS = 2**18  # what one copy of samples in the order of the epoch holds, at most


class PerceptronRule:
    """The weights of one step unit and how they learn from samples with signs -1 and 1.

    rows: [n, d], float64 or float32; signs: [n]; weights: [n], what a mistake on each sample
    weighs; coefficients: [d], changed in place. `objective` is the sum over the last epoch of
    loss plus penalty.

    >>> rows, signs = numpy.array([[0.0, 1.0], [1.0, 0.0]]), numpy.array([1.0, -1.0])
    >>> rule = PerceptronRule(rows, signs, numpy.ones(2), numpy.zeros(2))
    >>> rule.epoch(numpy.array([0, 1]))
    >>> rule.coefficients.tolist(), rule.intercept
    ([-1.0, 1.0], 0.0)
    """

    def __init__(
        self,
        rows: Any,
        signs: Any,
        weights: Any,
        coefficients: Any,
        intercept: float = 0.0,
        *,
        eta0: float = 1.0,
        fit_intercept: bool = True,
        penalty: str | None = None,
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
    ) -> None:
        kind = coefficients.dtype.type
        self.signs = signs.astype(numpy.float64)
        # A sample of the second class turned around is one of the first, to the last digit. The
        # signs stand beside the features, as what the intercept is multiplied with.
        self.signed_rows = numpy.column_stack([rows, numpy.ones(len(rows), rows.dtype)])
        self.signed_rows *= self.signs[:, None].astype(rows.dtype)
        self.steps = eta0 * weights.astype(numpy.float64)
        self.coefficients = coefficients
        self.intercept = float(intercept)
        self.fit_intercept = fit_intercept
        self.penalty = penalty
        self.alpha = float(alpha) if penalty is not None else 0.0
        self.l1_ratio = {"l1": 1.0, "l2": 0.0}.get(penalty or "", float(l1_ratio))
        self.objective = 0.0
        self.scale = 1.0
        self.smallest_scale = SMALLEST_SCALE[coefficients.dtype.name]
        shrinks = penalty in ("l2", "elasticnet")
        shrink = max(0.0, 1.0 - (1.0 - self.l1_ratio) * eta0 * self.alpha) if shrinks else 1.0
        self.shrink = float(kind(shrink))
        self.shrink_squared = float(kind(shrink) * kind(shrink))
        self.squared_norm = float(numpy.dot(coefficients, coefficients))
        self.absolute_norm = float(numpy.abs(coefficients).sum())
        self.debt = 0.0
        self.debt_of_sample = self.l1_ratio * eta0 * self.alpha
        self.paid = numpy.zeros_like(coefficients)

    def epoch(self, order: Any) -> None:
        """Learn from the samples of these positions, one after another."""
        self.objective = 0.0
        learn = self._look_ahead
        if self.penalty in ("l1", "elasticnet"):
            learn = self._truncate
        elif self.penalty or not self.fit_intercept or self.coefficients.dtype != numpy.float64:
            learn = self._look_ahead_shrinking
        length = max(2, _CHUNK_ELEMENTS // len(self.coefficients))
        for start in range(0, len(order), length):
            learn(order[start : start + length])

    def finish(self) -> None:
        """Multiply the scale into the coefficients."""
        self.coefficients *= self.coefficients.dtype.type(self.scale)
        self.scale = 1.0

    def _look_ahead(self, order: Any) -> None:
        """Without a penalty: score a block, learn from its first mistake, and go on after it.

        The intercept is the last of the weights, so that a block or a step takes few calls.
        """
        columns = numpy.ascontiguousarray(self.signed_rows[order].T)
        steps = self.steps[order].tolist()
        weights = numpy.append(self.coefficients, self.intercept)[:, None]
        add, objective = numpy.add.reduce, self.objective
        position, total, look = 0, len(order), _LONGEST_LOOK
        while position < total:
            # One column more than asked for: a single one would be summed in pairs.
            margins = add(columns[:, position : position + look + 1] * weights, axis=0)
            if position + 1 == total:
                margins = margins_in_order(columns[:, position:], weights)
            wrong = margins <= 0.0
            first = int(wrong.argmax())
            if not wrong[first]:
                position += len(margins)
                look = min(2 * look, _LONGEST_LOOK)
                continue
            position += first
            objective += 0.0 - margins.item(first)
            weights += columns[:, position : position + 1] * steps[position]
            look = max(_SHORTEST_LOOK, 2 * first)
            position += 1
        self.objective = objective
        self.coefficients[:] = weights[:-1, 0]
        self.intercept = weights.item(-1)

    def _look_ahead_shrinking(self, order: Any) -> None:
        """With L2, the same, where each sample also shrinks the scale of the weights.

        Also for what `_look_ahead` leaves out: float32, and an intercept that stays as it is.
        """
        columns = numpy.ascontiguousarray(self.signed_rows[order].T[:-1])
        signs, steps = self.signs[order], self.steps[order]
        kind = self.coefficients.dtype
        position, total, look = 0, len(order), _LONGEST_LOOK
        while position < total:
            scales = self._scales(min(look, total - position))
            stop = position + len(scales) - 1
            margins = margins_in_order(columns[:, position:stop], self.coefficients[:, None])
            margins = (margins * scales[:-1]).astype(kind, copy=False)
            margins = margins + signs[position:stop] * self.intercept
            wrong = margins <= 0.0
            first = int(wrong.argmax())
            if not wrong[first]:
                self._pass_over(scales)
                look = min(2 * look, _LONGEST_LOOK)
                position = stop
                continue
            position += first
            self._pass_over(scales[: first + 2], 0.0 - margins.item(first))
            self._learn(columns[:, position], float(signs[position]), float(steps[position]))
            look = max(_SHORTEST_LOOK, 2 * first)
            position += 1

    def _scales(self, count: int) -> Any:
        """The scale before each of the next samples and after the last, up to where it is reset."""
        factors = numpy.full(count + 1, self.shrink)
        factors[0] = self.scale
        scales = numpy.multiply.accumulate(factors)
        small = scales[1:] < self.smallest_scale
        return scales[: int(small.argmax()) + 2] if small.any() else scales

    def _pass_over(self, scales: Any, loss: float | None = None) -> None:
        """Shrink the weights from the first of the scales to the last, and add what each costs.

        `loss` is that of the last sample, None if it was no mistake.
        """
        count = len(scales) - 1
        self._set_scale(scales.item(-1))
        if self.penalty is None:
            self.objective += loss or 0.0
            return
        squares = numpy.full(count + 1, self.shrink_squared)
        squares[0] = self.squared_norm
        squares = numpy.multiply.accumulate(squares)
        norms = numpy.sqrt(squares[:-1]).astype(self.coefficients.dtype, copy=False)
        terms = numpy.empty(count + 2)
        terms[0] = self.objective
        terms[1:-1] = self.alpha * (0.5 * (norms * norms).astype(numpy.float64))
        terms[-1] = terms[-2]  # the loss of a sample comes before its penalty
        terms[-2] = loss or 0.0
        self.objective = numpy.add.accumulate(terms).item(-1)
        self.squared_norm = squares.item(-1)

    def _set_scale(self, scale: float) -> None:
        self.scale = scale
        if scale < self.smallest_scale:
            self.finish()

    def _learn(self, signed_row: Any, sign: float, step: float) -> None:
        """One mistake: the sample, turned to its side and weighed, joins the weights."""
        if step == 0.0:
            return
        kind = self.coefficients.dtype.type
        scale = kind(self.scale)
        move = signed_row.astype(numpy.float64, copy=False) * (kind(step) / scale)
        self.coefficients += move
        if self.fit_intercept:
            self.intercept += sign * step
        if self.penalty is not None:
            squares = self.coefficients * self.coefficients
            self.squared_norm = _sum_in_order(squares) * float(scale * scale)
            self.absolute_norm = _sum_in_order(numpy.abs(self.coefficients)) * float(scale)

    def _truncate(self, order: Any) -> None:
        """With an L1 part every sample moves the weights towards zero, so each is a step."""
        kind = self.coefficients.dtype.type
        rows, signs, steps = self.signed_rows[order, :-1], self.signs[order], self.steps[order]
        l2_part = (1.0 - self.l1_ratio) * 0.5
        shrinks = self.penalty == "elasticnet"
        for row, sign, step in zip(rows, signs.tolist(), steps.tolist()):
            score = kind(_sum_in_order(row * self.coefficients) * self.scale)
            margin = float(score) + sign * self.intercept
            wrong = margin <= 0.0
            if wrong:
                self.objective += 0.0 - margin
            norm = kind(math.sqrt(self.squared_norm))
            self.objective += self.alpha * (
                l2_part * float(norm * norm) + self.l1_ratio * float(kind(self.absolute_norm))
            )
            if shrinks:
                self.squared_norm *= self.shrink_squared
                self.absolute_norm *= self.shrink
                self._set_scale(self.scale * self.shrink)
            if wrong:
                self._learn(row, sign, step)
            self.debt += self.debt_of_sample
            self._pay()

    def _pay(self) -> None:
        """Move each weight towards zero by what it still owes, and not beyond."""
        scale = self.scale
        old = self.coefficients.astype(numpy.float64)
        paid = self.paid.astype(numpy.float64, copy=False)
        lowered = numpy.maximum(0.0, old - (self.debt + paid) / scale)
        raised = numpy.minimum(0.0, old + (self.debt - paid) / scale)
        self.coefficients[:] = numpy.where(old > 0.0, lowered, numpy.where(old < 0.0, raised, old))
        self.paid += scale * (self.coefficients - old)


class EpochOrders:
    """The positions of the samples that are not held out, epoch by epoch: one batch each.

    With a seed, every epoch shuffles the order of the epoch before by the same exchanges, as
    scikit-learn does: Fisher and Yates's, with Marsaglia's 32-bit xorshift (2003).
    """

    def __init__(self, count: int, seed: int | None, held_out: Any = None) -> None:
        self.order = numpy.arange(count)
        self.exchanges = None if seed is None else exchanges_of(count, seed)
        self.held_out = held_out
        self.learning = count if held_out is None else count - int(held_out.sum())

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        if self.exchanges is not None:
            self.order = self.order[self.exchanges]
        yield self.order if self.held_out is None else self.order[~self.held_out[self.order]]


def exchanges_of(count: int, seed: int) -> Any:
    """Where each position comes from in one shuffle of `count` samples, int64 [count].

    >>> exchanges_of(5, seed=1).tolist()
    [4, 2, 3, 0, 1]
    """
    positions = list(range(count))
    state = seed or 1
    for i in range(count - 1):
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        j = i + (state & 0x7FFFFFFF) % (count - i)
        positions[i], positions[j] = positions[j], positions[i]
    return numpy.array(positions)


def margins_in_order(columns: Any, weights: Any) -> Any:
    """The dot products of columns [d, n] with weights [d, 1], float64 [n].

    They add from the first feature to the last, which is what a sum along the first of two
    dimensions does; a single column would be summed in pairs.
    """
    products = (columns * weights).astype(numpy.float64, copy=False)
    if products.shape[1] == 1:
        return numpy.add.accumulate(products[:, 0])[-1:]
    return numpy.add.reduce(products, axis=0)


def _sum_in_order(values: Any) -> float:
    """The sum in float64 from the first to the last."""
    return float(numpy.add.accumulate(values, dtype=numpy.float64)[-1])
