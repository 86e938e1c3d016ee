"""Long short-term memory, compiled: the gates of a step in one call, between products by BLAS."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.backend.threads import blas_alone
from minigrad.kernels.compiled.compiler import whole_registers
from minigrad.kernels.compiled.elementwise import elementwise
from minigrad.kernels.compiled.exponential import tangent

# Short loops on a few arrays each: LLVM looks whether arrays overlap, and gives up on many.


@elementwise
def _lstm_forward(given: Any, product: Any, cell: Any, gates: Any, cells: Any, out: Any) -> None:
    whole_registers()
    batch, size = cell.shape
    one, half = cell.dtype.type(1), cell.dtype.type(0.5)
    for row in range(batch):
        for number in range(4):
            share = given[row, number * size : (number + 1) * size]
            more = product[number, row]
            gate = gates[number, row]
            # sigmoid(x) = tanh(x / 2) / 2 + 1/2
            scale = one if number == 2 else half
            rest = one - scale
            for i in range(size):
                gate[i] = tangent((share[i] + more[i]) * scale) * scale + rest
        enter, forget, new, leave = gates[0, row], gates[1, row], gates[2, row], gates[3, row]
        old, kept, state = cell[row], cells[row], out[row]
        for i in range(size):
            kept[i] = forget[i] * old[i] + enter[i] * new[i]
        for i in range(size):
            state[i] = leave[i] * tangent(kept[i])


def lstm_states(
    xp: Any, input: Any, hidden: Any, cell: Any, weight: Any, projection: Any, reverse: bool
) -> Any:
    """The states, cells and gates of all steps; None in double precision."""
    if input.dtype != numpy.float32:
        return None
    steps, batch, width = input.shape
    size = width // 4
    # A product for each gate: smaller ones are faster, and end up as the gates are kept.
    turned = numpy.ascontiguousarray(weight.reshape(4, size, -1).swapaxes(1, 2))
    given, cell = _plain(input), _plain(cell)
    gates = numpy.empty((steps, 4, batch, size), input.dtype)
    hiddens = numpy.empty((steps, *hidden.shape), input.dtype)
    cells = numpy.empty((steps, batch, size), input.dtype)
    product = numpy.empty((4, batch, size), input.dtype)
    whole = None if projection is None else numpy.empty((batch, size), input.dtype)
    with blas_alone(hidden.size * width):
        for step in range(steps)[::-1] if reverse else range(steps):
            numpy.matmul(hidden, turned, out=product)
            state = hiddens[step]
            out = state if whole is None else whole
            _lstm_forward(given[step], product, cell, gates[step], cells[step], out)
            if whole is not None:
                numpy.matmul(whole, projection.T, out=state)
            hidden, cell = state, cells[step]
    return hiddens, cells, gates


@elementwise
def _lstm_backward(gates: Any, cells: Any, before: Any, state: Any, carry: Any, back: Any) -> None:
    whole_registers()
    batch, size = state.shape
    one = state.dtype.type(1)
    for row in range(batch):
        enter, forget, new, leave = gates[0, row], gates[1, row], gates[2, row], gates[3, row]
        cell, old, g, c = cells[row], before[row], state[row], carry[row]
        line = back[row]
        to_enter, to_forget = line[:size], line[size : 2 * size]
        to_new, to_leave = line[2 * size : 3 * size], line[3 * size : 4 * size]
        for i in range(size):
            squashed = tangent(cell[i])
            to_leave[i] = g[i] * squashed * (leave[i] * (one - leave[i]))
            c[i] += g[i] * leave[i] * (one - squashed * squashed)
        for i in range(size):
            to_enter[i] = c[i] * new[i] * (enter[i] * (one - enter[i]))
            to_new[i] = c[i] * enter[i] * (one - new[i] * new[i])
        for i in range(size):
            to_forget[i] = c[i] * old[i] * (forget[i] * (one - forget[i]))
            c[i] *= forget[i]


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

    None in double precision, and where the gates have a cotangent of their own.
    """
    if gates.dtype != numpy.float32 or g_gates is not None:
        return None
    steps, _, batch, size = gates.shape
    cell = _plain(cell)
    back = numpy.empty((steps, batch, 4 * size), gates.dtype)
    state = numpy.zeros(hidden.shape, gates.dtype)
    carry = numpy.zeros((batch, size), gates.dtype)
    projected = None if projection is None else numpy.empty((steps, *state.shape), gates.dtype)
    whole = state
    multiplications = 4 * size * state.size
    columns = _columns(weight, multiplications)
    target = state.reshape(batch, len(columns), columns.shape[2]).swapaxes(0, 1)
    with blas_alone(multiplications):
        for step in range(steps) if reverse else range(steps)[::-1]:
            if g_hidden is not None:
                state += g_hidden[step]
            if projected is not None:
                projected[step] = state
                whole = state @ projection
            if g_cell is not None:
                # Before the rest of it, to which it is only added.
                carry += g_cell[step]
            earlier = step + 1 if reverse else step - 1
            before = cells[earlier] if 0 <= earlier < steps else cell
            _lstm_backward(gates[step], cells[step], before, whole, carry, back[step])
            numpy.matmul(back[step], columns, out=target)
    return back, state, carry, projected


# OpenBLAS has a faster way for products of up to a million multiplications.
_SMALL = 1_000_000


def _columns(weight: Any, multiplications: int) -> Any:
    """The weight, in a stack of four slices of its columns if that makes the products small."""
    rows, width = weight.shape
    parts = 4 if _SMALL < multiplications <= 4 * _SMALL and not width % 4 else 1
    return numpy.ascontiguousarray(weight.reshape(rows, parts, -1).swapaxes(0, 1))


def _plain(array: Any) -> Any:
    """The array in the one layout that is compiled for."""
    array = numpy.ascontiguousarray(array)
    return array if array.flags.writeable else array.copy()
