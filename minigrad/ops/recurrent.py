"""The steps of recurrent layers: a whole sequence is one operation, forward and backward.

`input` is what the inputs give to every step, [steps, batch, gates * size]: one product of matrices
made before. A forward goes through the steps and returns the states; a backward goes through them
the other way. What a step's cotangent is multiplied by is found for all steps at once, and the
gradients of the weights are one product each, so that little is left to do for each step.

The rules use operators and primitives only, so that they can be differentiated in their turn.
"""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of, ndarray
from minigrad.backend.threads import blas_alone
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Declaration
from minigrad.kernels import twin
from minigrad.ops.functions import tanh
from minigrad.ops.join import _cat, _stack, cat
from minigrad.ops.reduce import sum_to
from minigrad.ops.select import zero
from minigrad.ops.shape import reshape, unsqueeze

Size = tuple[int, ...]


def _order(steps: int, reverse: bool) -> range:
    """The steps in the order of a forward."""
    return range(steps)[::-1] if reverse else range(steps)


def _before(states: Any, first: Any, reverse: bool) -> Any:
    """The state that each step starts from."""
    first = unsqueeze(first, 0)
    return cat((states[1:], first)) if reverse else cat((first, states[:-1]))


def _outer(g: Any, values: Any) -> Any:
    """The sum over steps and rows of the products of cotangents and values."""
    rows = values.shape[0] * values.shape[1]
    return reshape(g, (rows, g.shape[2])).T @ reshape(values, (rows, values.shape[2]))


def _weight_cotangent(g: Any, states: Any, first: Any, reverse: bool) -> Any:
    """The cotangent of the recurrent weight, given those of what its products are added to."""
    start = g[-1 if reverse else 0].T @ first
    if len(states) == 1:
        return start
    return _outer(g[:-1], states[1:]) + start if reverse else _outer(g[1:], states[:-1]) + start


def _plus(value: Any, other: Any) -> Any:
    """The sum; None stands for zero."""
    if value is None or other is None:
        return other if value is None else value
    return value + other


def _turned(xp: Any, weight: Any, steps: int) -> Any:
    """The transposed weight; rearranged in memory where the products of many steps repay that."""
    return weight.T if steps < 8 else xp.ascontiguousarray(weight.T)


def _multiplications(state: Any, weight: Any) -> int:
    """How many a step's product of states and weight takes."""
    return int(state.shape[0] * weight.shape[0] * weight.shape[1])


def _check(
    operation: str, gates: int, input: Any, weight: Any, projection: Any = None, **states: Any
) -> None:
    """Raise an error unless the arguments fit each other."""
    if input.dtype.kind != "f":
        raise DtypeError(f"{operation}(): argument 'input' must be floating, got {input.dtype}")
    size, batch = weight.shape[0] // gates, input.shape[1]
    given = {"weight": weight, **states}
    expected = {"weight": (gates * size, size), **dict.fromkeys(states, (batch, size))}
    if projection is not None:
        given["projection"] = projection
        short = projection.shape[0]
        expected["projection"] = (short, size)
        expected["weight"] = (gates * size, short)
        expected["hidden"] = (batch, short)
    if input.ndim != 3 or input.shape[2] != gates * size or not len(input):
        raise ArgumentError(
            f"{operation}(): argument 'input' must have shape [steps, batch, {gates * size}] with "
            f"at least one step, got {list(input.shape)}"
        )
    for name, value in given.items():
        if value.shape != expected[name]:
            raise ArgumentError(
                f"{operation}(): argument '{name}' must have shape {list(expected[name])}, got "
                f"{list(value.shape)}"
            )
        if value.dtype != input.dtype:
            raise DtypeError(
                f"{operation}(): argument '{name}' has dtype {value.dtype}, argument 'input' "
                f"{input.dtype}; they must be equal"
            )


def _joined(parts: tuple[Any, ...]) -> Any:
    """What each gate has at every step, side by side: [steps, batch, gates * size]."""
    steps, batch, size = parts[0].shape
    return reshape(_stack(*parts, dim=2), (steps, batch, len(parts) * size))


def _rnn_rule(
    g: Any, out: Any, hidden: Any, weight: Any, relu: bool, reverse: bool, needed: Any
) -> Any:
    constants = (out, hidden, weight, g, relu, reverse)
    if out.__class__ is ndarray:
        back, state = _rnn_cotangents(backend_of(out).xp, *constants)
    else:
        # A Tensor, for derivatives of the derivatives.
        back, state = _rnn_cotangents.plain(None, *constants)
    return (
        back,
        state,
        _weight_cotangent(back, out, hidden, reverse) if needed[2] else None,
    )


@twin("recurrent", "rnn_cotangents", least=1 << 12)
def _rnn_cotangents(
    xp: Any, out: Any, hidden: Any, weight: Any, g: Any, relu: bool, reverse: bool
) -> Any:
    """The cotangents of the input and of the first state."""
    slopes = out > 0 if relu else 1 - out * out
    found = [None] * len(out)
    state = zero(hidden)
    with blas_alone(_multiplications(hidden, weight)):
        for step in _order(len(out), not reverse):
            back = (state + g[step]) * slopes[step]
            found[step] = back
            state = back @ weight
    return _stack(*found, dim=0), state


@Declaration()(joint=_rnn_rule)
def rnn_steps(xp: Any, input: Any, hidden: Any, weight: Any, *, relu: bool, reverse: bool) -> Any:
    """The states [steps, batch, size] of a simple recurrent layer, tanh(input + state @ weight.T).

    input [steps, batch, size], hidden [batch, size], weight [size, size]; with `relu` that in place
    of tanh; with `reverse` from the last step to the first. Source: Elman, "Finding Structure in
    Time", 1990.
    """
    _check("rnn_steps", 1, input, weight, hidden=hidden)
    return _rnn_states(xp, input, hidden, weight, relu, reverse)


@twin("recurrent", "rnn_states", least=1 << 12)
def _rnn_states(xp: Any, input: Any, hidden: Any, weight: Any, relu: bool, reverse: bool) -> Any:
    """The states of all steps."""
    out = xp.empty(input.shape, input.dtype)
    turned = _turned(xp, weight, len(input))
    with blas_alone(_multiplications(hidden, weight)):
        for step in _order(len(input), reverse):
            state = out[step]
            xp.matmul(hidden, turned, out=state)
            state += input[step]
            if relu:
                xp.maximum(state, 0, out=state)
            else:
                xp.tanh(state, out=state)
            hidden = state
    return out


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


@twin("recurrent", "lstm_cotangents", least=1 << 12)
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


@twin("recurrent", "lstm_states", least=1 << 12)
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


def _gru_rule(
    g: Any, out: Any, hidden: Any, weight: Any, bias: Any, reverse: bool, needed: Any
) -> Any:
    hiddens, gates, inner = out
    constants = (gates, hiddens, inner, hidden, weight, *g, reverse)
    if gates.__class__ is ndarray:
        back, state, through = _gru_cotangents(backend_of(gates).xp, *constants)
    else:
        # A Tensor, for derivatives of the derivatives.
        back, state, through = _gru_cotangents.plain(None, *constants)
    # What the weight's products are added to: the third gate has the reset gate in between.
    size = hiddens.shape[2]
    parts = (back[:, :, : 2 * size], through)
    weights = biases = None
    if needed[2]:
        weights = cat([_weight_cotangent(part, hiddens, hidden, reverse) for part in parts])
    if needed[3]:
        totals = [sum_to(part, size=(1, 1, part.shape[2])) for part in parts]
        biases = reshape(cat(totals, 2), (3 * size,))
    return back, state, weights, biases


@twin("recurrent", "gru_cotangents", least=1 << 12)
def _gru_cotangents(
    xp: Any,
    gates: Any,
    hiddens: Any,
    inner: Any,
    hidden: Any,
    weight: Any,
    g_hidden: Any,
    g_gates: Any,
    g_inner: Any,
    reverse: bool,
) -> Any:
    """The cotangents of the input, of the first state and of what the reset gate multiplies."""
    reset, update, new = (gates[:, :, part] for part in range(3))
    before = _before(hiddens, hidden, reverse)
    steep = gates[:, :, :2] * (1 - gates[:, :, :2])
    level = 1 - new * new
    onward = inner * steep[:, :, 0]
    into = (1 - update) * level
    slopes = _joined((into * onward, (before - new) * steep[:, :, 1], into * reset))
    extra = direct = None
    if g_gates is not None:
        given = [g_gates[:, :, part] for part in range(3)]
        direct = level * given[2]
        extra = _joined(
            (
                direct * onward + steep[:, :, 0] * given[0],
                steep[:, :, 1] * given[1],
                direct * reset,
            )
        )
    if g_inner is not None:
        extra = _plus(_joined((g_inner * 0, g_inner * 0, g_inner)), extra)
    size = hiddens.shape[2]
    ends = (size, 2 * size, 3 * size)
    found = [None] * len(hiddens)
    states = [None] * len(hiddens)
    state = zero(hidden)
    with blas_alone(_multiplications(hidden, weight)):
        for step in _order(len(hiddens), not reverse):
            if g_hidden is not None:
                state = state + g_hidden[step]
            back = _cat(state, state, state, dim=1, ends=ends) * slopes[step]
            if extra is not None:
                back = back + extra[step]
            found[step], states[step] = back, state
            state = back @ weight + state * update[step]
    back = _stack(*found, dim=0)
    fresh = _plus(_stack(*states, dim=0) * into, direct)
    return cat((back[:, :, : 2 * size], fresh), 2), state, back[:, :, 2 * size :]


@Declaration(outputs=3)(joint=_gru_rule)
def gru_steps(
    xp: Any, input: Any, hidden: Any, weight: Any, bias: Any = None, *, reverse: bool
) -> Any:
    """The states and gates of a gated recurrent unit, and what its reset gate is multiplied by.

    input [steps, batch, 3 * size], weight [3 * size, size] and bias [3 * size] hold the gates in
    the order reset, update, new; hidden [batch, size]. The gates are [steps, batch, 3, size]. The
    reset gate acts after the product with the weight. With `reverse` from the last step to the
    first. Source: Cho et al. 2014.
    """
    _check("gru_steps", 3, input, weight, hidden=hidden)
    return _gru_states(xp, input, hidden, weight, bias, reverse)


@twin("recurrent", "gru_states", least=1 << 12)
def _gru_states(xp: Any, input: Any, hidden: Any, weight: Any, bias: Any, reverse: bool) -> Any:
    """The states, the gates, and what the reset gate is multiplied by."""
    steps, batch, width = input.shape
    size = width // 3
    turned = _turned(xp, weight, steps)
    gates = xp.empty((steps, batch, width), input.dtype)
    hiddens = xp.empty((steps, batch, size), input.dtype)
    inner = xp.empty((steps, batch, size), input.dtype)
    with blas_alone(_multiplications(hidden, weight)):
        for step in _order(steps, reverse):
            line = xp.matmul(hidden, turned, out=gates[step])
            if bias is not None:
                line += bias
            both, fresh, held = line[:, : 2 * size], line[:, 2 * size :], inner[step]
            held[...] = fresh
            both += input[step, :, : 2 * size]
            both *= 0.5
            xp.tanh(both, out=both)
            both *= 0.5
            both += 0.5
            xp.multiply(both[:, :size], held, out=fresh)
            fresh += input[step, :, 2 * size :]
            xp.tanh(fresh, out=fresh)
            hidden = xp.subtract(hidden, fresh, out=hiddens[step])
            hidden *= both[:, size:]
            hidden += fresh
    return hiddens, gates.reshape(steps, batch, 3, size), inner
