"""Products of matrices in pieces: each by the BLAS on one thread, called without Python's lock.

The threads of a BLAS stay awake for a while after each product, and take the cores from the loops
that run on minigrad's own. Pieces on these need no others. They are cut where the BLAS adds up no
element in another order: the bits are those of the whole product on one thread.
"""

from __future__ import annotations

from typing import Any

import numpy
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from minigrad.backend.lanes import lanes, together
from minigrad.backend.threads import blas_address, blas_alone, get_num_threads
from minigrad.kernels import products
from minigrad.kernels.compiled.compiler import compiled_exactly
from minigrad.kernels.compiled.together import shared
from minigrad.kernels.compiled.words import WORD

_LEAST = 1 << 21
"""Multiplications that are worth a thread: some forty microseconds. To fewer than a million the
BLAS has another loop, with other bits."""

_UNITS = {"f": 16, "d": 48}
"""Rows that the BLAS takes at a time, on any processor: pieces are whole multiples of them."""

_FUNCTIONS = {"f": "cblas_sgemm", "d": "cblas_dgemm"}

# The words of the BLAS's interface in C.
_BY_ROWS, _AS_IS, _TURNED = 101, 111, 112


@intrinsic  # type: ignore[untyped-decorator]
def _multiply(
    typing: Any, one: Any, place: Any, a_order: Any, b_order: Any, rows: Any, columns: Any,
    inner: Any, a: Any, a_step: Any, b: Any, b_step: Any, out: Any, out_step: Any,
) -> Any:  # fmt: skip
    """Call the BLAS's function at an address: the product of the matrices at `a` and `b`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = context.get_value_type(signature.args[0])
        word = ir.IntType(32)
        kinds = [word] * 3 + [WORD] * 3 + [number] + [WORD] * 4 + [number] + [WORD] * 2
        function = ir.FunctionType(ir.VoidType(), kinds).as_pointer()
        _, address, *orders = arguments[:4]
        given = [ir.Constant(word, _BY_ROWS), *(builder.trunc(order, word) for order in orders)]
        given += [*arguments[4:7], ir.Constant(number, 1.0), *arguments[7:11]]
        given += [ir.Constant(number, 0.0), *arguments[11:]]
        builder.call(builder.inttoptr(address, function), given)
        return context.get_dummy_value()

    return types.none(one, *[types.int64] * 12), generate


@compiled_exactly
def _pieces(
    place: int, a: int, a_order: int, a_step: int, b: int, b_order: int, b_step: int, inner: int,
    across: bool, unit: int, count: int, row: Any, out: Any, start: int, stop: int,
) -> None:  # fmt: skip
    one = out.dtype.type(1)
    rows, columns = out.shape
    size = out.itemsize
    for piece in range(start, stop):
        # The last one takes what is over: a short piece would be left to another loop of the BLAS.
        length = columns if across else rows
        units = length // unit
        first = units * piece // count * unit
        end = length if piece == count - 1 else units * (piece + 1) // count * unit
        if across:
            low, high, left, right = 0, rows, first, end
            from_a, from_b = 0, first * (b_step if b_order == _TURNED else 1)
        else:
            low, high, left, right = first, end, 0, columns
            from_a, from_b = first * (1 if a_order == _TURNED else a_step), 0
        to = out.ctypes.data + (low * columns + left) * size
        _multiply(
            one, place, a_order, b_order, high - low, right - left, inner, a + from_a * size,
            a_step, b + from_b * size, b_step, to, columns,
        )  # fmt: skip
        if len(row):
            added = row[left:right]
            # The last rows are still in the cache.
            for i in range(high - 1, low - 1, -1):
                line = out[i, left:right]
                for j in range(len(line)):
                    line[j] += added[j]


def _order(matrix: Any) -> tuple[int, int]:
    """How a matrix lies in memory, and the elements from one line to the next; 0 for neither."""
    size = matrix.itemsize
    (rows, columns), (down, across) = matrix.shape, matrix.strides
    if across == size and down >= columns * size and not down % size:
        return _AS_IS, down // size
    if down == size and across >= rows * size and not across % size:
        return _TURNED, across // size
    return 0, 0


def _fits(a: Any, b: Any, out: Any) -> bool:
    """Whether these are matrices of one kind that multiply, and not all but vectors."""
    if not a.ndim == b.ndim == 2 or a.dtype is not b.dtype or a.shape[1] != b.shape[0]:
        return False
    if out is not None and (not out.flags.c_contiguous or out.dtype is not a.dtype):
        return False
    return min(len(a), b.shape[1]) >= _UNITS["f"] and bool(_order(a)[0] and _order(b)[0])


def multiply(a: Any, b: Any, out: Any, row: Any, threads: int) -> Any:
    """The product of two matrices on so many threads."""
    (rows, inner), columns, char = a.shape, b.shape[1], a.dtype.char
    place = blas_address(_FUNCTIONS[char])
    (a_order, a_step), (b_order, b_step) = _order(a), _order(b)
    # Columns are cut in single precision alone: in double the sums of some would change.
    across = columns > rows and char == "f"
    unit = _UNITS["f"] if across else _UNITS[char]
    count = max(1, min(threads, (columns if across else rows) // unit))
    if out is None:
        out = numpy.empty((rows, columns), a.dtype)
    # What cannot be written to is another type, to compile for once more.
    added = numpy.array(() if row is None else row, a.dtype)
    given = (place, a.ctypes.data, a_order, a_step, b.ctypes.data, b_order, b_step, inner)
    rest = (across, unit, count, added, out)
    together(shared(_pieces), threads, count, 1, *given, *rest)
    return out


def matrix_product(xp: Any, a: Any, b: Any, out: Any, row: Any) -> Any:
    """The product of two arrays as matmul gives it, plus a row where one is given."""
    if not blas_address(_FUNCTIONS[a.dtype.char]):
        return None
    if get_num_threads() == 1:
        return products.matrix_product(xp, a, b, out, row)
    threads = lanes(a.size * b.shape[-1], _LEAST)
    with blas_alone():
        if threads > 1 and _fits(a, b, out):
            return multiply(a, b, out, row, threads)
        return products.matrix_product(xp, a, b, out, row)
