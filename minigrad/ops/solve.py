"""Linear systems and inverses."""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Declaration, Traced, is_recording, primitive
from minigrad.ops.diagonal import tril, triu
from minigrad.ops.elementwise import conj
from minigrad.ops.expand import broadcast_shapes, expand
from minigrad.ops.shape import movedim, reshape, squeeze, transpose, unsqueeze

__all__ = ["inverse"]


def check_matrices(operation: str, array: Any, square: bool = False, name: str = "A") -> None:
    """Raise unless an argument holds matrices of single or double precision, square if asked."""
    if not hasattr(array, "dtype"):
        raise TypeError(
            f"{operation}(): argument '{name}' must be a Tensor, not {type(array).__name__}"
        )
    if array.dtype.kind not in "fc" or array.dtype.itemsize == 2:
        raise DtypeError(
            f"{operation}(): argument '{name}' has dtype {array.dtype}; it must be float32, "
            f"float64, complex64 or complex128"
        )
    if array.ndim < 2 or (square and array.shape[-1] != array.shape[-2]):
        kind = "square matrices" if square else "matrices"
        raise ArgumentError(
            f"{operation}(): argument '{name}' must hold {kind} in its last two dimensions, it has "
            f"shape {list(array.shape)}"
        )


def raise_for_info(operation: str, info: Any, what: str, advice: str) -> None:
    """Raise ArgumentError where the `info` of a factorization is not zero."""
    array = getattr(info, "_array", info)
    if not array.any():
        return
    flat = array.reshape(-1)
    first = int((flat != 0).argmax())
    number = f" number {first}" if array.ndim else ""
    raise ArgumentError(
        f"{operation}(): argument 'A' holds a matrix{number} that is {what} (info is "
        f"{int(flat[first])}); {advice}"
    )


def require_no_gradient(operation: str, input: Any, instead: str) -> None:
    """Raise ArgumentError where a gradient of a function that has none would be recorded."""
    if isinstance(input, Traced) and input._node is not None and is_recording():
        raise ArgumentError(
            f"{operation}(): the operation has no derivative, as in torch, and the argument "
            f"requires one; give it a detached tensor, or use {instead}"
        )


def adjoint(x: Any) -> Any:
    """The conjugate transpose of each matrix."""
    turned = transpose(x, -2, -1)
    return conj(turned) if x.dtype.kind == "c" else turned


@primitive()
def identity_like(xp: Any, input: Any) -> Any:
    """The identity matrix as large as the input's last dimension."""
    return xp.eye(input.shape[-1], dtype=input.dtype)


def turned(x: Any) -> Any:
    return transpose(x, -2, -1)


@primitive(A=lambda g, out: -(turned(out) @ g @ turned(out)))
def _inv(xp: Any, A: Any) -> Any:
    return xp.linalg.inv(A)


def inv(A: Any) -> Any:
    """The inverse of square matrices; raises ArgumentError for a singular one.

    >>> import minigrad
    >>> inv(minigrad.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    check_matrices("linalg.inv", A, square=True)
    return _inv(A)


inverse = inv


def _solve_rule(g: Any, A: Any, out: Any, needed: tuple[bool, ...]) -> tuple[Any, Any]:
    by_b = _solve(turned(A), g)
    return -(by_b @ turned(out)) if needed[0] else None, by_b if needed[1] else None


@Declaration(broadcasts=True)(joint=_solve_rule)
def _solve(xp: Any, A: Any, B: Any) -> Any:
    return xp.linalg.solve(A, B)


def _solve_triangle_rule(
    g: Any, A: Any, out: Any, upper: bool, needed: tuple[bool, ...]
) -> tuple[Any, Any]:
    by_b = _solve_triangle(turned(A), g, upper=not upper)
    if not needed[0]:
        return None, by_b
    by_a = -(by_b @ turned(out))
    return triu(by_a) if upper else tril(by_a), by_b if needed[1] else None


@Declaration(broadcasts=True)(joint=_solve_triangle_rule)
def _solve_triangle(xp: Any, A: Any, B: Any, *, upper: bool) -> Any:
    """The solution of a triangular system by halves; the other triangle is not read."""
    size = A.shape[-1]
    if size <= _SMALL:
        return xp.linalg.solve(xp.triu(A) if upper else xp.tril(A), B)
    first, last = slice(size // 2), slice(size // 2, None)
    known, other = (last, first) if upper else (first, last)
    solve = _solve_triangle.primitive.forward  # type: ignore[attr-defined]
    x = solve(xp, A[..., known, known], B[..., known, :], upper=upper)
    rest = B[..., other, :] - A[..., other, known] @ x
    y = solve(xp, A[..., other, other], rest, upper=upper)
    return xp.concatenate((y, x) if upper else (x, y), axis=-2)


_SMALL = 64


def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """The solution X of A @ X = B, or with `left` False of X @ A = B.

    A is [..., n, n]; B is [..., n, k], or a vector: [n], or [..., n] with A's leading dimensions.
    Leading dimensions are broadcast. Raises ArgumentError for a singular A.
    """
    is_vector = check_system("linalg.solve", A, B, left)
    result = matrices_solved(A, unsqueeze(B, -1) if is_vector else B, left)
    return squeeze(result, -1) if is_vector else result


def check_system(operation: str, A: Any, B: Any, left: bool) -> bool:
    """Raise unless A and B make a linear system; whether B holds vectors."""
    check_matrices(operation, A, square=True)
    check_same_dtype(operation, A=A, B=B)
    is_vector = B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1]))
    if is_vector and not left:
        raise ArgumentError(f"{operation}(): with 'left' False 'B' must hold matrices, not vectors")
    check_rows(operation, A, B, left, is_vector)
    return is_vector


def check_same_dtype(operation: str, **arguments: Any) -> None:
    """Raise ArgumentError unless two arguments are tensors of one dtype."""
    (first, a), (second, b) = arguments.items()
    if not hasattr(b, "dtype") or b.dtype != a.dtype:
        found = getattr(b, "dtype", type(b).__name__)
        raise ArgumentError(
            f"{operation}(): argument '{first}' has dtype {a.dtype} and '{second}' {found}; they "
            f"must be equal"
        )


def check_rows(operation: str, A: Any, B: Any, left: bool, is_vector: bool = False) -> None:
    """Raise ArgumentError unless B has as many rows, or without `left` columns, as A."""
    if B.ndim < 2 - is_vector or B.shape[-1 if is_vector or not left else -2] != A.shape[-1]:
        raise ArgumentError(
            f"{operation}(): argument 'A' has shape {list(A.shape)} and 'B' {list(B.shape)}; "
            f"{'the rows' if left else 'the columns'} of B must be as many as A's"
        )


def matrices_solved(A: Any, B: Any, left: bool = True) -> Any:
    """The solution of a system of matrices, leading dimensions broadcast."""
    lead = broadcast_shapes(A.shape[:-2], B.shape[:-2])
    if left:
        return _solve(A, _lead(B, lead))
    return turned(_solve(turned(A), turned(_lead(B, lead))))


def _lead(x: Any, lead: tuple[int, ...]) -> Any:
    """The matrices with these leading dimensions."""
    return x if x.ndim > 2 or not lead else expand(x, (*lead, *x.shape[-2:]))


def solve_triangular(
    A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """The solution X of A @ X = B for triangular A, of which the other triangle is not read."""
    check_matrices("linalg.solve_triangular", A, square=True)
    return triangle_solved("linalg.solve_triangular", A, B, upper, left, unitriangular)


def triangle_solved(
    operation: str, A: Any, B: Any, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """`solve_triangular` for square matrices, under an operation's own name."""
    check_same_dtype(operation, A=A, B=B)
    check_rows(operation, A, B, left)
    if unitriangular:
        A = (triu(A, 1) if upper else tril(A, -1)) + identity_like(A)
    B = _lead(B, broadcast_shapes(A.shape[:-2], B.shape[:-2]))
    if left:
        return _solve_triangle(A, B, upper=upper)
    return turned(_solve_triangle(turned(A), turned(B), upper=not upper))


def tensorsolve(A: Any, B: Any, dims: Any = None) -> Any:
    """The tensor X whose product with A, summed over all of X's dimensions, is B.

    A is [*B.shape, *X.shape]; `dims` are dimensions of A that are moved behind the others first.
    Raises ArgumentError unless B has as many elements as X.
    """
    check_same_dtype("linalg.tensorsolve", A=A, B=B)
    if dims is not None:
        A = movedim(A, tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    shape = tuple(A.shape[B.ndim :])
    count = prod(shape)
    if prod(A.shape[: B.ndim]) != count:
        raise ArgumentError(
            f"linalg.tensorsolve(): argument 'A' has shape {list(A.shape)} and 'B' "
            f"{list(B.shape)}; the sizes of A's first {B.ndim} dimensions must multiply to those "
            f"of the others"
        )
    return reshape(solve(reshape(A, (count, count)), reshape(B, (-1,))), shape)


def tensorinv(A: Any, ind: int = 2) -> Any:
    """The inverse of what `tensordot(A, X, X.ndim)` does, of A taken as a matrix.

    The first `ind` dimensions are its rows, the others its columns. Raises ArgumentError unless
    both have as many elements.
    """
    rows, columns = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    if ind < 1 or prod(rows) != prod(columns):
        raise ArgumentError(
            f"linalg.tensorinv(): argument 'A' has shape {list(A.shape)} and 'ind' is {ind}; it "
            f"must be above zero, and the sizes before it must multiply to those behind"
        )
    count = prod(rows)
    return reshape(inv(reshape(A, (count, count))), (*columns, *rows))
