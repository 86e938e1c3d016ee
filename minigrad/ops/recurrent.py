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
from minigrad.ops.join import _cat, _stack, cat
from minigrad.ops.matmul import _turned_product
from minigrad.ops.reduce import sum_to
from minigrad.ops.select import plus, zero
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
    return _turned_product(reshape(g, (rows, g.shape[2])), reshape(values, (rows, values.shape[2])))


def _weight_cotangent(g: Any, states: Any, first: Any, reverse: bool) -> Any:
    """The cotangent of the recurrent weight, given those of what its products are added to."""
    # The BLAS's own threads would stay awake beside the steps of the next layer.
    with blas_alone():
        start = _turned_product(g[-1 if reverse else 0], first)
    if len(states) == 1:
        return start
    return _outer(g[:-1], states[1:]) + start if reverse else _outer(g[1:], states[:-1]) + start


def _turned(xp: Any, weight: Any, steps: int) -> Any:
    """The transposed weight; rearranged in memory where the products of many steps repay that."""
    return weight.T if steps < 8 else xp.ascontiguousarray(weight.T)


def _multiplications(state: Any, weight: Any) -> int:
    """How many a step's product of states and weight takes."""
    return int(state.shape[0] * weight.shape[0] * weight.shape[1])


def _by_gate(input: Any) -> Any:
    """A view of [..., batch, 3 * size] with the gates first: [..., 3, batch, size]."""
    *lead, width = input.shape
    return input.reshape(*lead, 3, width // 3).swapaxes(-3, -2)


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


@twin("recurrent", "rnn_cotangents", least=1 << 10)
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


@twin("recurrent", "rnn_states", least=1 << 10)
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


@twin("recurrent", "gru_cotangents", least=1 << 10)
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
        extra = plus(_joined((g_inner * 0, g_inner * 0, g_inner)), extra)
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
    fresh = plus(_stack(*states, dim=0) * into, direct)
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


@twin("recurrent", "gru_states", least=1 << 10)
def _gru_states(xp: Any, input: Any, hidden: Any, weight: Any, bias: Any, reverse: bool) -> Any:
    """The states, the gates, and what the reset gate is multiplied by."""
    steps, batch, width = input.shape
    size = width // 3
    turned = _turned(xp, weight, steps)
    # Kept gate by gate, for operations on one or two of them have no gaps then.
    gates = _by_gate(input).copy()
    inner = xp.zeros((steps, batch, size), input.dtype)
    if bias is not None:
        gates[:, :2] += bias[: 2 * size].reshape(2, 1, size)
        inner += bias[2 * size :]
    hiddens = xp.empty((steps, batch, size), input.dtype)
    product = xp.empty((batch, width), input.dtype)
    by_gate = _by_gate(product)
    with blas_alone(_multiplications(hidden, weight)):
        for step in _order(steps, reverse):
            xp.matmul(hidden, turned, out=product)
            gate, fresh, held = gates[step, :2], gates[step, 2], inner[step]
            gate += by_gate[:2]
            gate *= 0.5
            xp.tanh(gate, out=gate)
            gate *= 0.5
            gate += 0.5
            held += by_gate[2]
            fresh += gate[0] * held
            xp.tanh(fresh, out=fresh)
            hidden = xp.subtract(hidden, fresh, out=hiddens[step])
            hidden *= gate[1]
            hidden += fresh
    return hiddens, gates.swapaxes(1, 2), inner
