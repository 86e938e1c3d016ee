"""The steps of long short-term memory: a whole sequence is one operation, as in `ops.recurrent`."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of, ndarray
from minigrad.backend.threads import blas_alone
from minigrad.graph import Declaration
from minigrad.kernels import twin
from minigrad.ops.functions import tanh
from minigrad.ops.join import _cat, _stack
from minigrad.ops.recurrent import (
    _before,
    _check,
    _joined,
    _multiplications,
    _order,
    _outer,
    _turned,
    _weight_cotangent,
)
from minigrad.ops.select import zero


def _lstm_rule(
    g: Any,
    out: Any,
    hidden: Any,
    cell: Any,
    weight: Any,
    projection: Any,
    reverse: bool,
    needed: Any,
) -> Any:
    hiddens, cells, gates = out
    constants = (gates, cells, hidden, cell, weight, projection, *g, reverse)
    if gates.__class__ is ndarray:
        back, state, carry, states = _lstm_cotangents(backend_of(gates).xp, *constants)
    else:
        # A Tensor, for derivatives of the derivatives.
        back, state, carry, states = _lstm_cotangents.plain(None, *constants)
    return (
        back,
        state,
        carry,
        _weight_cotangent(back, hiddens, hidden, reverse) if needed[3] else None,
        _outer(states, gates[:, :, 3] * tanh(cells)) if needed[4] else None,
    )


@twin("recurrent", "lstm_cotangents", least=1 << 10)
def _lstm_cotangents(
    xp: Any,
    gates: Any,
    cells: Any,
    hidden: Any,
    cell: Any,
    weight: Any,
    projection: Any,
    g_hidden: Any,
    g_cell: Any,
    g_gates: Any,
    reverse: bool,
) -> Any:
    """The cotangents of the input, the first state and cell, and of what was projected."""
    enter, forget, new, leave = (gates[:, :, part] for part in range(4))
    steep = gates * (1 - gates)
    level = 1 - new * new
    squashed = tanh(cells)
    through = leave * (1 - squashed * squashed)
    before = _before(cells, cell, reverse)
    slopes = _joined(
        (new * steep[:, :, 0], before * steep[:, :, 1], enter * level, squashed * steep[:, :, 3])
    )
    extra = None
    if g_gates is not None:
        given = [g_gates[:, :, part] for part in range(4)]
        extra = _joined(
            (
                steep[:, :, 0] * given[0],
                steep[:, :, 1] * given[1],
                level * given[2],
                steep[:, :, 3] * given[3],
            )
        )
    steps, _, size = cells.shape
    ends = (size, 2 * size, 3 * size, 4 * size)
    found = [None] * steps
    states = [None] * steps
    state, carry = zero(hidden), zero(cell)
    with blas_alone(_multiplications(cell, weight)):
        for step in _order(steps, not reverse):
            if g_hidden is not None:
                state = state + g_hidden[step]
            if projection is not None:
                states[step] = state
                state = state @ projection
            carry = carry + state * through[step]
            if g_cell is not None:
                carry = carry + g_cell[step]
            back = _cat(carry, carry, carry, state, dim=1, ends=ends) * slopes[step]
            if extra is not None:
                back = back + extra[step]
            found[step] = back
            state = back @ weight
            carry = carry * forget[step]
    projected = None if projection is None else _stack(*states, dim=0)
    return _stack(*found, dim=0), state, carry, projected


@Declaration(outputs=3)(joint=_lstm_rule)
def lstm_steps(
    xp: Any,
    input: Any,
    hidden: Any,
    cell: Any,
    weight: Any,
    projection: Any = None,
    *,
    reverse: bool,
) -> Any:
    """The states and cells [steps, batch, size] of a long short-term memory, and its gates.

    input [steps, batch, 4 * size] and weight [4 * size, size] hold the gates in the order input,
    forget, new, output; hidden and cell [batch, size]. The gates are [steps, batch, 4, size]. A
    projection [less, size] makes the states shorter than the cells. With `reverse` from the last
    step to the first. Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al.
    2000 and the projection of Sak et al. 2014.
    """
    _check("lstm_steps", 4, input, weight, projection, hidden=hidden, cell=cell)
    return _lstm_states(xp, input, hidden, cell, weight, projection, reverse)


@twin("recurrent", "lstm_states", least=1 << 10)
def _lstm_states(
    xp: Any, input: Any, hidden: Any, cell: Any, weight: Any, projection: Any, reverse: bool
) -> Any:
    """The states, cells and gates of all steps."""
    steps, batch, width = input.shape
    size = width // 4
    # sigmoid(x) = tanh(x / 2) / 2 + 1/2: one call for the four gates.
    half = xp.full((1, width), 0.5, input.dtype)
    half[:, 2 * size : 3 * size] = 1
    rest = 1 - half
    turned = _turned(xp, weight, steps)
    gates = xp.empty((steps, batch, 4, size), input.dtype)
    hiddens = xp.empty((steps, *hidden.shape), input.dtype)
    cells = xp.empty((steps, batch, size), input.dtype)
    scratch = xp.empty((batch, size), input.dtype)
    shorter = None if projection is None else projection.T
    lines = gates.reshape(steps, batch, width)
    with blas_alone(_multiplications(hidden, weight)):
        for step in _order(steps, reverse):
            line = xp.matmul(hidden, turned, out=lines[step])
            line += input[step]
            line *= half
            xp.tanh(line, out=line)
            line *= half
            line += rest
            enter, forget, new, leave = (gates[step, :, part] for part in range(4))
            cell = xp.multiply(forget, cell, out=cells[step])
            cell += xp.multiply(enter, new, out=scratch)
            whole = xp.tanh(cell, out=hiddens[step] if shorter is None else scratch)
            whole *= leave
            hidden = whole if shorter is None else xp.matmul(whole, shorter, out=hiddens[step])
    return hiddens, cells, gates
