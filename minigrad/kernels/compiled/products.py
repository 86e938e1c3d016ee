"""Products of matrices on minigrad's own threads, in tiles of vector registers.

The threads of a BLAS stay awake for a while after each product, and take the cores from the loops
that run on minigrad's. Here both matrices are copied into panels first, the second by all threads
for all, the first piece by piece. No sum depends on what the pieces are.

The order of the loops is that of Goto and van de Geijn, Anatomy of high-performance matrix
multiplication, ACM Transactions on Mathematical Software 34 (3), 2008.
"""

from __future__ import annotations

from typing import Any

import numpy
from llvmlite import ir
from numba import int64, types
from numba.core import cgutils
from numba.extending import intrinsic

from minigrad import kernels
from minigrad.backend.lanes import lanes, together
from minigrad.backend.threads import blas_address, blas_alone
from minigrad.kernels import products
from minigrad.kernels.compiled.compiler import compiled_exactly, whole_registers
from minigrad.kernels.compiled.packing import ROWS, pack, tile_of_panels
from minigrad.kernels.compiled.registers import REGISTER
from minigrad.kernels.compiled.together import shared

_LEAST = 1 << 20
"""Multiplications that are worth a thread: some ten microseconds."""

_INNER = 256
"""The most numbers of a row that are added up at a time: a panel of them stays in the cache."""

_MANY_ROWS = 64
"""The rows of a piece, at most: they stay in the cache, too, while all panels pass by."""

_FEW_ROWS = 32
"""The rows of a piece at least: each copies its part of the first matrix anew."""

_FEW = 16
"""Matrices of fewer rows, columns or numbers to add up are left to the BLAS."""

_PANELS = 1 << 18
"""The numbers of the second matrix that are copied into panels at a time, if it has more rows."""

_WHOLE = 16
_LINE = 64
_VECTORS = 3
_three, _two, _one = tile_of_panels(ROWS, 3), tile_of_panels(ROWS, 2), tile_of_panels(ROWS, 1)


@intrinsic  # type: ignore[untyped-decorator]
def _numbers(typing: Any, one: Any, place: Any) -> Any:
    """What lies at an address, as an array of one dimension without an end."""
    kind = types.Array(one, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array = context.make_array(kind)(context, builder)
        array.data = builder.inttoptr(given[1], array.data.type)
        word = context.get_value_type(types.intp)
        size = ir.Constant(word, context.get_abi_sizeof(context.get_value_type(one)))
        array.nitems = ir.Constant(word, 1 << 60)
        array.itemsize = size
        array.shape = cgutils.pack_array(builder, [array.nitems])
        array.strides = cgutils.pack_array(builder, [size])
        return array._getvalue()

    return kind(one, types.int64), generate


@compiled_exactly
def _fill(
    place: int, step: int, column: int, inner: int, block: int, columns: int, panels: Any,
    begin: int, start: int, stop: int,
) -> None:  # fmt: skip
    """Copy the second matrix into panels: some numbers of each row in turn, all columns of these.

    A number and the next in its column are `step` apart, and in its row `column`.
    """
    lanes = REGISTER // panels.itemsize
    width = _VECTORS * lanes
    matrix = _numbers(panels.dtype.type(1), place)
    count = -(-columns // width)
    padded = -(-columns // lanes) * lanes
    for i in range(start, stop):
        low, first = i // count * block, i % count * width
        length = min(block, inner - low)
        lines = min(width, columns - first)
        wide = -(-lines // lanes) * lanes
        to = begin + low * padded + length * first
        pack(matrix, low * step + first * column, step, column, lines, wide, length, panels, to)


@compiled_exactly
def _tiles(
    vectors: int, given: Any, at: int, jump: int, narrow: Any, left: int, panels: Any, right: int,
    count: int, out: Any, to: int, stride: int, rows: int,
) -> None:  # fmt: skip
    """One tile below the other, as many as `rows` begin."""
    whole_registers()
    for i in range(0, rows, ROWS):
        here, start, place = at + i * jump, left + i * count, to + i * stride
        if vectors == 3:
            _three(given, here, jump, narrow, start, panels, right, count, out, place, stride)
        elif vectors == 2:
            _two(given, here, jump, narrow, start, panels, right, count, out, place, stride)
        else:
            _one(given, here, jump, narrow, start, panels, right, count, out, place, stride)


@compiled_exactly
def multiply_pieces(
    place: int, row: int, step: int, inner: int, block: int, panels: Any, begin: int, added: Any,
    more: bool, out: Any, length: int, groups: int, start: int, stop: int,
) -> None:  # fmt: skip
    """Some pieces of the product, each of at most `length` rows and one of the groups of panels.

    A number of the first matrix and the next in its row are `step` apart, and in its column `row`.
    With `more` it is added to what is there.
    """
    rows, columns = out.shape
    lanes = REGISTER // out.itemsize
    width = _VECTORS * lanes
    number = -(-columns // width)
    padded = -(-columns // lanes) * lanes
    matrix = _numbers(out.dtype.type(1), place)
    result = out.reshape(out.size)
    tall = -(-length // ROWS) * ROWS
    narrow, spare = numpy.empty(tall * block, out.dtype), numpy.empty(tall * width, out.dtype)
    nothing = numpy.zeros(width, out.dtype)
    # Of plain numbers Numba would make kinds of their own, and compile what takes them once more.
    none, across = int64(0), int64(ROWS)
    for piece in range(start, stop):
        top = piece // groups * length
        high = min(length, rows - top)
        panel, last = (piece % groups) * number // groups, (piece % groups + 1) * number // groups
        for low in range(0, inner, block):
            count = min(block, inner - low)
            for i in range(0, high, ROWS):
                at = (top + i) * row + low * step
                pack(matrix, at, step, row, min(ROWS, high - i), across, count, narrow, i * count)
            for first in range(panel * width, min(last * width, columns), width):
                right = begin + low * padded + count * first
                lines = min(width, columns - first)
                vectors = -(-lines // lanes)
                to = top * columns + first
                whole = 0 if lines % lanes else high // ROWS * ROWS
                given, at, jump = nothing, none, none
                if low or more:
                    given, at, jump = result, to, columns
                elif len(added):
                    given, at = added, first
                _tiles(
                    vectors, given, at, jump, narrow, none, panels, right, count,
                    result, to, columns, whole,
                )  # fmt: skip
                # Tiles that are wider than what is left of the rows, or higher, lie elsewhere.
                wide = vectors * lanes
                _tiles(
                    vectors, nothing, none, none, narrow, whole * count, panels, right, count,
                    spare, none, wide, high - whole,
                )  # fmt: skip
                for i in range(high - whole):
                    for j in range(lines):
                        before = given[at + (whole + i) * jump + j]
                        result[to + (whole + i) * columns + j] = before + spare[i * wide + j]


def _steps(matrix: Any) -> tuple[int, int]:
    """The numbers from one row to the next and from one column; one of them is 1, or both are 0."""
    size = matrix.itemsize
    (rows, columns), (down, across) = matrix.shape, matrix.strides
    if across == size and down >= columns * size and not down % size:
        return down // size, 1
    if down == size and across >= rows * size and not across % size:
        return 1, across // size
    return 0, 0


def _fits(a: Any, b: Any, out: Any) -> bool:
    """Whether these are matrices of one kind that multiply, and not all but vectors."""
    if not a.ndim == b.ndim == 2 or a.dtype is not b.dtype or a.shape[1] != b.shape[0]:
        return False
    if out is not None and (not out.flags.c_contiguous or out.dtype is not a.dtype):
        return False
    return min(*a.shape, b.shape[1]) >= _FEW and bool(_steps(a)[0] and _steps(b)[0])


def pieces_of(rows: int, threads: int) -> tuple[int, int]:
    """How many pieces the rows are, and of how many rows: as many for each thread, of no fewer."""
    pieces = threads * -(-rows // (threads * _MANY_ROWS))
    pieces = max(1, min(pieces, rows // _FEW_ROWS))
    length = -(-rows // (pieces * ROWS)) * ROWS
    return -(-rows // length), length


def threads_of(a: Any, b: Any, out: Any) -> int:
    """On how many threads a product is made here; 0 where it is left to the BLAS."""
    return lanes(a.size * b.shape[1], _LEAST) if _fits(a, b, out) else 0


def multiply(a: Any, b: Any, out: Any, row: Any, threads: int, then: Any = None) -> Any:
    """The product of two matrices on so many threads.

    `then` is a loop that stands for `multiply_pieces` where the sums become whole, and what it is
    given after all that this one is.
    """
    (rows, inner), columns = a.shape, b.shape[1]
    lanes = REGISTER // a.itemsize
    (a_row, a_step), (b_row, b_step) = _steps(a), _steps(b)
    if out is None:
        out = numpy.empty((rows, columns), a.dtype)
    blocks = -(-inner // _INNER)
    # Whole registers, so that a panel's lines are turned as they are read.
    block = -(-inner // (blocks * _WHOLE)) * _WHOLE
    number = -(-columns // (_VECTORS * lanes))
    padded = -(-columns // lanes) * lanes
    part = min(inner, max(1, _PANELS // (padded * block)) * block)
    # Panels begin where a line of the cache does.
    panels = numpy.empty(padded * part + _LINE, a.dtype)
    begin = -panels.ctypes.data % _LINE // a.itemsize
    added = numpy.zeros(0 if row is None else number * _VECTORS * lanes, a.dtype)
    if row is not None:
        added[:columns] = row
    pieces, length = pieces_of(rows, threads)
    groups = 1 if pieces >= threads else min(number, threads)
    left, right = a.ctypes.data, b.ctypes.data
    for low in range(0, inner, part):
        count = min(part, inner - low)
        begins = right + low * b_row * a.itemsize
        filled = (begins, b_row, b_step, count, block, columns, panels, begin)
        together(shared(_fill), threads, -(-count // block) * number, 1, *filled)
        begins = left + low * a_step * a.itemsize
        given = (begins, a_row, a_step, count, block, panels, begin, added)
        rest = (low > 0, out, length, groups)
        loop, more = (multiply_pieces, ()) if then is None or low + count < inner else then
        together(shared(loop), threads, pieces * groups, 1, *given, *rest, *more)
    return out


def matrix_product(xp: Any, a: Any, b: Any, out: Any, row: Any) -> Any:
    """The product of two arrays as matmul gives it, plus a row where one is given."""
    if not blas_address("cblas_sgemm"):
        return None
    for array in (a, b):
        if type(array) is not numpy.ndarray:
            # A symbol, which stands for an array while a plan is made, notes the call.
            given = (xp, a, b, out, row)
            return array.__array_function__(kernels.matrix_product, (), given, {})
    with blas_alone():
        threads = threads_of(a, b, out)
        if threads:
            return multiply(a, b, out, row, threads)
        return products.matrix_product(xp, a, b, out, row)
