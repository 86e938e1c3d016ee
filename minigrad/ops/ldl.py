"""Symmetric and Hermitian matrices that need not be definite: A = L @ D @ L.mT, rows exchanged."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any, NamedTuple

from minigrad.backend import backend_of, cpu
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Declaration
from minigrad.ops.diagonal import tril
from minigrad.ops.extremes import take_along
from minigrad.ops.gather import raw_of
from minigrad.ops.matmul import matmul
from minigrad.ops.select import where
from minigrad.ops.solve import (
    adjoint,
    check_matrices,
    check_rows,
    check_same_dtype,
    matrices_solved,
    raise_for_info,
    require_no_gradient,
    triangle_solved,
    turned,
)

__all__: list[str] = []


class LDLFactor(NamedTuple):
    """L and D in one lower triangle, and LAPACK's account of the rows exchanged."""

    LD: Any
    pivots: Any


class LDLFactorEx(NamedTuple):
    """As `LDLFactor`; `info` is the first block of D that is zero, or 0 for none."""

    LD: Any
    pivots: Any
    info: Any


# The growth of elements is least where 1-by-1 and 2-by-2 pivots are told apart by this number.
_ALPHA = (1 + sqrt(17)) / 8


@Declaration(outputs=3)()
def _ldl_factor(xp: Any, A: Any, *, hermitian: bool) -> Any:
    """J. R. Bunch and L. Kaufman, "Some stable methods for calculating inertia and solving
    symmetric linear systems", 1977, algorithm A, with the pivots as LAPACK writes them.

    Each matrix exchanges other rows and takes other steps, so they go one by one.
    """
    count, size = prod(A.shape[:-2]), A.shape[-1]
    given = A.reshape(count, size, size)
    lower = xp.tril(given, -1)
    flipped = lower.swapaxes(-1, -2)
    heads = given * xp.eye(size, dtype=A.dtype)
    if hermitian and A.dtype.kind == "c":
        flipped = flipped.conj()
        heads = heads.real
    work = lower + flipped + heads
    pivots = xp.zeros((count, size), "int32")
    info = xp.zeros(count, "int32")
    for place in range(count):
        info[place] = _factor_one(xp, work[place], pivots[place], hermitian)
    return xp.tril(work).reshape(A.shape), pivots.reshape(A.shape[:-1]), info.reshape(A.shape[:-2])


def _sizes(values: Any) -> Any:
    """Magnitudes; as in LAPACK those of complex numbers are their parts' together."""
    return abs(values.real) + abs(values.imag) if values.dtype.kind == "c" else abs(values)


def _factor_one(xp: Any, a: Any, pivots: Any, hermitian: bool) -> int:
    """Factor one matrix in place; its first zero block, or 0."""
    size, step, info = a.shape[0], 0, 0
    while step < size:
        pivot, width = _pivot(a, step)
        if pivot < 0:
            info = info or step + 1
            pivots[step] = step + 1
            step += 1
            continue
        last, behind = step + width - 1, step + width
        if pivot != last:
            # Both the rows and the columns of what is left; earlier columns of L stay as they are.
            rows = xp.concatenate((a[pivot : pivot + 1, step:], a[last : last + 1, step:]))
            a[last, step:], a[pivot, step:] = rows[0], rows[1]
            columns = xp.concatenate((a[step:, pivot : pivot + 1], a[step:, last : last + 1]), 1)
            a[step:, last], a[step:, pivot] = columns[:, 0], columns[:, 1]
        pivots[step:behind] = pivot + 1 if width == 1 else -(pivot + 1)
        beside = a[behind:, step:behind].copy()
        block = a[step:behind, step:behind]
        scaled = beside / block if width == 1 else beside @ xp.linalg.inv(block)
        other = beside.conj() if hermitian else beside
        a[behind:, behind:] -= scaled @ other.T
        a[behind:, step:behind] = scaled
        step = behind
    return info


def _pivot(a: Any, step: int) -> tuple[int, int]:
    """The row to exchange with, and the size of the block; a negative row for a column of zeros."""
    head = float(_sizes(a[step : step + 1, step])[0])
    below = _sizes(a[step + 1 :, step])
    largest = float(below.max()) if below.size else 0.0
    if max(head, largest) == 0 or head != head:
        return -1, 1
    if head >= _ALPHA * largest:
        return step, 1
    row = step + 1 + int(below.argmax())
    beside = _sizes(a[row, step:])
    beside[row - step] = 0
    widest = float(beside.max())
    if head >= _ALPHA * largest * (largest / widest):
        return step, 1
    if float(_sizes(a[row : row + 1, row])[0]) >= _ALPHA * widest:
        return row, 1
    return row, 2


def ldl_factor_ex(A: Any, *, hermitian: bool = False, check_errors: bool = False) -> LDLFactorEx:
    """The factors of symmetric matrices, without an error for singular ones.

    A is [..., n, n], of which the lower triangle is read; with `hermitian` its conjugate transpose
    is its other half. D's diagonal and that below it, and L below them, are in LD's lower triangle.
    A positive pivot p exchanged row p, counted from 1, a negative one, which comes twice, stands
    for a block of two rows. There is no gradient; RuntimeError is raised where one is wanted.
    """
    return _factored("linalg.ldl_factor_ex", A, hermitian, check_errors)


def _factored(operation: str, A: Any, hermitian: bool, check_errors: bool) -> LDLFactorEx:
    check_matrices(operation, A, square=True)
    require_no_gradient(operation, A, "linalg.solve()")
    found = LDLFactorEx(*_ldl_factor(A, hermitian=hermitian))
    if check_errors:
        advice = "nothing could be solved with its factors; ldl_factor_ex() gives them nevertheless"
        raise_for_info(operation, found.info, "singular", advice)
    return found


def ldl_factor(A: Any, *, hermitian: bool = False) -> LDLFactor:
    """The factors of symmetric matrices; see `ldl_factor_ex`. Raises for singular ones."""
    both, pivots, _ = _factored("linalg.ldl_factor", A, hermitian, True)
    return LDLFactor(both, pivots)


def ldl_solve(LD: Any, pivots: Any, B: Any, *, hermitian: bool = False) -> Any:
    """The solution X of A @ X = B by what `linalg.ldl_factor` gave of A.

    B is [..., n, k]; leading dimensions are broadcast.
    """
    operation = "linalg.ldl_solve"
    check_matrices(operation, LD, square=True, name="LD")
    check_matrices(operation, B, name="B")
    check_same_dtype(operation, LD=LD, B=B)
    check_rows(operation, LD, B, True)
    raw = raw_of(pivots)
    if not hasattr(raw, "dtype") or raw.dtype.kind != "i":
        found = getattr(raw, "dtype", type(raw).__name__)
        raise DtypeError(f"{operation}(): argument 'pivots' must hold integers, got {found}")
    if tuple(raw.shape) != tuple(LD.shape[:-1]):
        raise ArgumentError(
            f"{operation}(): argument 'pivots' has shape {list(raw.shape)}; with 'LD' of shape "
            f"{list(LD.shape)} it must have {list(LD.shape[:-1])}"
        )
    places, exchanges, in_block = _layout(raw)
    exchange = exchanges.astype(LD.dtype)
    other = adjoint if hermitian else turned
    ordered = take_along(LD, indices=places, dim=LD.ndim - 2)
    blocks = where(in_block, tril(LD), 0)
    D = blocks + other(tril(blocks, -1))
    L = where(in_block, 0, ordered)
    inner = triangle_solved(operation, L, matmul(exchange, B), False, True, True)
    outer = triangle_solved(operation, other(L), matrices_solved(D, inner), True, True, True)
    return matmul(exchange.swapaxes(-1, -2), outer)


def _layout(pivots: Any) -> tuple[Any, Any, Any]:
    """How to read L, the row exchanges, and which elements are D's, from LAPACK's pivots.

    LAPACK leaves the columns of L as they were made, before later exchanges; `places` says from
    which row of its column each element of L comes.
    """
    backend = backend_of(pivots)
    host = backend.to_numpy(pivots)
    xp = cpu.xp
    size = host.shape[-1]
    count = prod(host.shape[:-1])
    places = xp.zeros((count, size, size), "int64") + xp.arange(size)[:, None]
    order = xp.zeros((count, size), "int64") + xp.arange(size)
    in_block = xp.zeros((count, size, size), "bool") | xp.eye(size, dtype="bool")
    for number, row in enumerate(host.reshape(count, size).tolist()):
        step = 0
        while step < size:
            width = 1 if row[step] > 0 else 2
            last, chosen = step + width - 1, abs(row[step]) - 1
            for exchanged in (places[number, :, :step], order[number]):
                exchanged[[last, chosen]] = exchanged[[chosen, last]]
            in_block[number, last, step] = True
            step += width
    lead = host.shape[:-1]
    device = backend.device_of(pivots)
    exchanges = order[:, :, None] == xp.arange(size)
    return tuple(
        backend.from_numpy(part.reshape(*lead, size, size), device)
        for part in (places, exchanges, in_block)
    )
