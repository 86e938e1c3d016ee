"""Recurrent layers, compiled: each thread goes through all steps with its own rows of the batch."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import whole_registers
from minigrad.kernels.compiled.elementwise import elementwise
from minigrad.kernels.compiled.exponential import tangent
from minigrad.kernels.compiled.panels import by_rows, multiply, panels_of, pays, plain, tile_of_one

# Short loops on a few arrays each: LLVM looks whether arrays overlap, and gives up on many.
# Arrays that are not there have no elements: None would be another kind, to compile for once more.


@elementwise
def _activate(x: Any, gate: Any, scale: Any) -> None:
    """The gate tanh(x), for a scale of 1; the logistic tanh(x / 2) / 2 + 1/2, for a half."""
    whole_registers()
    rest = gate.dtype.type(1) - scale
    for i in range(len(gate)):
        gate[i] = tangent(x[i] * scale) * scale + rest


@elementwise
def _rnn_forward(
    given: Any, hidden: Any, panels: Any, out: Any, relu: Any, first: Any, last: Any, reverse: Any
) -> None:
    whole_registers()
    steps, _, size = out.shape
    zero = out.dtype.type(0)
    spare = tile_of_one(out, panels)
    before = hidden
    for count in range(steps):
        step = steps - 1 - count if reverse else count
        states = out[step]
        multiply(given[step], before, panels, states, spare, first, last)
        for row in range(first, last):
            state = states[row]
            if relu:
                for i in range(size):
                    # What is no number stays so.
                    state[i] = zero if state[i] < zero else state[i]
            else:
                for i in range(size):
                    state[i] = tangent(state[i])
        before = states


def rnn_states(xp: Any, input: Any, hidden: Any, weight: Any, relu: bool, reverse: bool) -> Any:
    """The states of all steps; None where that does not pay."""
    if not pays(input, weight):
        return None
    given, hidden = plain(input), plain(hidden)
    panels = panels_of(weight, turned=True)
    out = numpy.empty(given.shape, given.dtype)

    def rows(first: int, last: int) -> None:
        _rnn_forward(given, hidden, panels, out, relu, first, last, reverse)

    by_rows(rows, len(hidden), len(given) * hidden.size * weight.shape[1])
    return out


@elementwise
def _rnn_backward(
    out: Any, g: Any, panels: Any, back: Any, state: Any, relu: Any, first: Any, last: Any,
    reverse: Any,
) -> None:  # fmt: skip
    whole_registers()
    steps, _, size = out.shape
    zero, one = out.dtype.type(0), out.dtype.type(1)
    spare = tile_of_one(out, panels)
    for count in range(steps):
        step = count if reverse else steps - 1 - count
        for row in range(first, last):
            value, slope, total, line = out[step, row], g[step, row], state[row], back[step, row]
            if relu:
                for i in range(size):
                    line[i] = (total[i] + slope[i]) * (one if value[i] > zero else zero)
            else:
                for i in range(size):
                    line[i] = (total[i] + slope[i]) * (one - value[i] * value[i])
            for i in range(size):
                total[i] = zero
        multiply(state, back[step], panels, state, spare, first, last)


def rnn_cotangents(
    xp: Any, out: Any, hidden: Any, weight: Any, g: Any, relu: bool, reverse: bool
) -> Any:
    """The cotangents of the input and of the first state; None where that does not pay."""
    if not pays(out, weight):
        return None
    out, g = plain(out), plain(g)
    panels = panels_of(weight)
    back = numpy.empty(out.shape, out.dtype)
    state = numpy.zeros(hidden.shape, out.dtype)

    def rows(first: int, last: int) -> None:
        _rnn_backward(out, g, panels, back, state, relu, first, last, reverse)

    by_rows(rows, len(hidden), len(out) * state.size * weight.shape[1])
    return back, state


@elementwise
def _lstm_forward(
    given: Any, hidden: Any, cell: Any, panels: Any, shorter: Any, product: Any, gates: Any,
    cells: Any, whole: Any, hiddens: Any, first: Any, last: Any, reverse: Any,
) -> None:  # fmt: skip
    whole_registers()
    steps, _, size = cells.shape
    one, half = gates.dtype.type(1), gates.dtype.type(0.5)
    spare = tile_of_one(gates, panels)
    nothing = numpy.zeros((1, max(4 * size, hidden.shape[1])), gates.dtype)
    state, before = hidden, cell
    for count in range(steps):
        step = steps - 1 - count if reverse else count
        kept, states = cells[step], hiddens[step]
        # Into the cache: tiles of an array that is not in it wait for every piece of a row.
        multiply(nothing, state, panels, product, spare, first, last)
        out = whole if len(shorter) else states
        for row in range(first, last):
            line, share, more = gates[step, row], given[step, row], product[row]
            for i in range(4 * size):
                more[i] += share[i]
            enter, forget = line[:size], line[size : 2 * size]
            new, leave = line[2 * size : 3 * size], line[3 * size :]
            _activate(more[: 2 * size], line[: 2 * size], half)
            _activate(more[2 * size : 3 * size], new, one)
            _activate(more[3 * size :], leave, half)
            old, held, reached = before[row], kept[row], out[row]
            for i in range(size):
                held[i] = forget[i] * old[i] + enter[i] * new[i]
            for i in range(size):
                reached[i] = leave[i] * tangent(held[i])
        if len(shorter):
            multiply(nothing, whole, shorter, states, spare, first, last)
        state, before = states, kept


def lstm_states(
    xp: Any, input: Any, hidden: Any, cell: Any, weight: Any, projection: Any, reverse: bool
) -> Any:
    """The states, cells and gates of all steps; None where that does not pay."""
    if not pays(input, weight):
        return None
    steps, batch, width = input.shape
    size = width // 4
    given, hidden, cell = plain(input), plain(hidden), plain(cell)
    panels = panels_of(weight, turned=True)
    shorter = _none(input, 3) if projection is None else panels_of(projection, turned=True)
    whole = numpy.empty((0 if projection is None else batch, size), input.dtype)
    product = numpy.empty((batch, width), input.dtype)
    gates = numpy.empty((steps, batch, width), input.dtype)
    cells = numpy.empty((steps, batch, size), input.dtype)
    hiddens = numpy.empty((steps, *hidden.shape), input.dtype)

    def rows(first: int, last: int) -> None:
        _lstm_forward(
            given, hidden, cell, panels, shorter, product, gates, cells, whole, hiddens,
            first, last, reverse,
        )  # fmt: skip

    by_rows(rows, batch, steps * hidden.size * width)
    return hiddens, cells, gates.reshape(steps, batch, 4, size)


@elementwise
def _lstm_backward(
    gates: Any, cells: Any, cell: Any, panels: Any, longer: Any, g_hidden: Any, g_cell: Any,
    back: Any, state: Any, carry: Any, whole: Any, projected: Any, first: Any, last: Any,
    reverse: Any,
) -> None:  # fmt: skip
    whole_registers()
    steps, _, size = cells.shape
    zero, one = gates.dtype.type(0), gates.dtype.type(1)
    spare = tile_of_one(gates, panels)
    nothing = numpy.zeros((1, size), gates.dtype)
    for count in range(steps):
        step = count if reverse else steps - 1 - count
        if len(g_hidden):
            for row in range(first, last):
                total, more = state[row], g_hidden[step, row]
                for i in range(len(total)):
                    total[i] += more[i]
        if len(g_cell):
            for row in range(first, last):
                total, more = carry[row], g_cell[step, row]
                for i in range(size):
                    total[i] += more[i]
        reached = state
        if len(longer):
            for row in range(first, last):
                projected[step, row] = state[row]
            multiply(nothing, state, longer, whole, spare, first, last)
            reached = whole
        earlier = step + 1 if reverse else step - 1
        before = cells[earlier] if 0 <= earlier < steps else cell
        for row in range(first, last):
            line, kept = gates[step, row], cells[step, row]
            enter, forget = line[:size], line[size : 2 * size]
            new, leave = line[2 * size : 3 * size], line[3 * size :]
            old, g, c = before[row], reached[row], carry[row]
            target = back[step, row]
            to_enter, to_forget = target[:size], target[size : 2 * size]
            to_new, to_leave = target[2 * size : 3 * size], target[3 * size :]
            for i in range(size):
                squashed = tangent(kept[i])
                to_leave[i] = g[i] * squashed * (leave[i] * (one - leave[i]))
                c[i] += g[i] * leave[i] * (one - squashed * squashed)
            for i in range(size):
                to_enter[i] = c[i] * new[i] * (enter[i] * (one - enter[i]))
                to_new[i] = c[i] * enter[i] * (one - new[i] * new[i])
            for i in range(size):
                to_forget[i] = c[i] * old[i] * (forget[i] * (one - forget[i]))
                c[i] *= forget[i]
            state[row] = zero
        multiply(state, back[step], panels, state, spare, first, last)


def lstm_cotangents(
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
    """The cotangents of the input, the first state and cell, and of what was projected.

    None where that does not pay, and where the gates have a cotangent of their own.
    """
    if not pays(cells, weight) or g_gates is not None:
        return None
    steps, batch, size = cells.shape
    lines = plain(gates).reshape(steps, batch, 4 * size)
    cells, cell = plain(cells), plain(cell)
    more = [_none(gates, 3) if g is None else plain(g) for g in (g_hidden, g_cell)]
    panels = panels_of(weight)
    longer = _none(gates, 3) if projection is None else panels_of(projection)
    back = numpy.empty(lines.shape, gates.dtype)
    state = numpy.zeros(hidden.shape, gates.dtype)
    carry = numpy.zeros((batch, size), gates.dtype)
    shorts = 0 if projection is None else steps
    whole = numpy.empty((batch if shorts else 0, size), gates.dtype)
    projected = numpy.empty((shorts, *state.shape), gates.dtype)

    def rows(first: int, last: int) -> None:
        _lstm_backward(
            lines, cells, cell, panels, longer, *more, back, state, carry, whole, projected,
            first, last, reverse,
        )  # fmt: skip

    by_rows(rows, batch, steps * state.size * weight.shape[0])
    return back, state, carry, projected if shorts else None


@elementwise
def _gru_forward(
    given: Any, hidden: Any, panels: Any, bias: Any, product: Any, gates: Any, inner: Any,
    hiddens: Any, first: Any, last: Any, reverse: Any,
) -> None:  # fmt: skip
    whole_registers()
    steps, _, size = hiddens.shape
    one, half = gates.dtype.type(1), gates.dtype.type(0.5)
    spare = tile_of_one(gates, panels)
    before = hidden
    for count in range(steps):
        step = steps - 1 - count if reverse else count
        multiply(bias, before, panels, product, spare, first, last)
        states = hiddens[step]
        for row in range(first, last):
            share, more, line = given[step, row], product[row], gates[step, row]
            for i in range(2 * size):
                more[i] += share[i]
            _activate(more[: 2 * size], line[: 2 * size], half)
            reset, update, new = line[:size], line[size : 2 * size], line[2 * size :]
            fresh, held, kept = share[2 * size :], more[2 * size :], inner[step, row]
            for i in range(size):
                kept[i] = held[i]
                held[i] = fresh[i] + reset[i] * held[i]
            _activate(held, new, one)
            old, state = before[row], states[row]
            for i in range(size):
                state[i] = (old[i] - new[i]) * update[i] + new[i]
        before = states


def gru_states(xp: Any, input: Any, hidden: Any, weight: Any, bias: Any, reverse: bool) -> Any:
    """The states, the gates and what the first one multiplies; None where that does not pay."""
    if not pays(input, weight):
        return None
    steps, batch, width = input.shape
    size = width // 3
    given, hidden = plain(input), plain(hidden)
    offset = numpy.zeros((1, width), input.dtype)
    if bias is not None:
        offset += bias
    panels = panels_of(weight, turned=True)
    product = numpy.empty((batch, width), input.dtype)
    gates = numpy.empty(given.shape, input.dtype)
    inner = numpy.empty((steps, batch, size), input.dtype)
    hiddens = numpy.empty((steps, batch, size), input.dtype)

    def rows(first: int, last: int) -> None:
        _gru_forward(
            given, hidden, panels, offset, product, gates, inner, hiddens, first, last, reverse
        )

    by_rows(rows, batch, steps * batch * weight.size)
    return hiddens, gates.reshape(steps, batch, 3, size), inner


@elementwise
def _gru_backward(
    hiddens: Any, gates: Any, inner: Any, hidden: Any, panels: Any, g_hidden: Any, back: Any,
    through: Any, line: Any, state: Any, first: Any, last: Any, reverse: Any,
) -> None:  # fmt: skip
    whole_registers()
    steps, _, size = hiddens.shape
    one = gates.dtype.type(1)
    spare = tile_of_one(gates, panels)
    for count in range(steps):
        step = count if reverse else steps - 1 - count
        earlier = step + 1 if reverse else step - 1
        before = hiddens[earlier] if 0 <= earlier < steps else hidden
        for row in range(first, last):
            gate, held, old, total = gates[step, row], inner[step, row], before[row], state[row]
            reset, update, new = gate[:size], gate[size : 2 * size], gate[2 * size :]
            target, onward, product = back[step, row], through[step, row], line[row]
            to_reset, to_update = target[:size], target[size : 2 * size]
            fresh = target[2 * size :]
            if len(g_hidden):
                more = g_hidden[step, row]
                for i in range(size):
                    total[i] += more[i]
            for i in range(size):
                fresh[i] = total[i] * ((one - update[i]) * (one - new[i] * new[i]))
                to_update[i] = total[i] * ((old[i] - new[i]) * (update[i] * (one - update[i])))
            for i in range(size):
                onward[i] = fresh[i] * reset[i]
                to_reset[i] = fresh[i] * (held[i] * (reset[i] * (one - reset[i])))
                total[i] *= update[i]
            product[: 2 * size] = target[: 2 * size]
            product[2 * size :] = onward
        multiply(state, line, panels, state, spare, first, last)


def gru_cotangents(
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
    """The cotangents of the input, of the first state and of what the reset gate is multiplied by.

    None where that does not pay, and where the gates have a cotangent of their own.
    """
    if not pays(hiddens, weight) or g_gates is not None or g_inner is not None:
        return None
    steps, batch, size = hiddens.shape
    lines = plain(gates).reshape(steps, batch, 3 * size)
    hiddens, inner, hidden, g = map(plain, (hiddens, inner, hidden, g_hidden))
    panels = panels_of(weight)
    back = numpy.empty(lines.shape, gates.dtype)
    through = numpy.empty(hiddens.shape, gates.dtype)
    line = numpy.empty((batch, 3 * size), gates.dtype)
    state = numpy.zeros(hidden.shape, gates.dtype)

    def rows(first: int, last: int) -> None:
        _gru_backward(
            hiddens, lines, inner, hidden, panels, g, back, through, line, state, first, last,
            reverse,
        )  # fmt: skip

    by_rows(rows, batch, steps * batch * weight.size)
    return back, state, through


def _none(like: Any, dims: int) -> Any:
    """An array without elements."""
    return numpy.empty((0,) * dims, like.dtype)
