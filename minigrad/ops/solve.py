"""Linear systems and inverses."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Declaration, primitive
from minigrad.ops.diagonal import tril, triu
from minigrad.ops.elementwise import conj
from minigrad.ops.expand import broadcast_shapes, expand
from minigrad.ops.shape import squeeze, transpose, unsqueeze

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


def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """The solution X of A @ X = B, or with `left` False of X @ A = B.

    A is [..., n, n]; B is [..., n, k], or a vector: [n], or [..., n] with A's leading dimensions.
    Leading dimensions are broadcast. Raises ArgumentError for a singular A.
    """
    check_matrices("linalg.solve", A, square=True)
    if not hasattr(B, "dtype") or B.dtype != A.dtype:
        found = getattr(B, "dtype", type(B).__name__)
        raise ArgumentError(
            f"linalg.solve(): argument 'A' has dtype {A.dtype} and 'B' {found}; they must be equal"
        )
    is_vector = B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1]))
    right = unsqueeze(B, -1) if is_vector else B
    if is_vector and not left:
        raise ArgumentError("linalg.solve(): with 'left' False 'B' must hold matrices, not vectors")
    if right.ndim < 2 or right.shape[-2 if left else -1] != A.shape[-1]:
        raise ArgumentError(
            f"linalg.solve(): argument 'A' has shape {list(A.shape)} and 'B' {list(B.shape)}; "
            f"{'the rows' if left else 'the columns'} of B must be as many as A's"
        )
    lead = broadcast_shapes(A.shape[:-2], right.shape[:-2])
    if left:
        result = _solve(A, _lead(right, lead))
    else:
        result = turned(_solve(turned(A), turned(_lead(right, lead))))
    return squeeze(result, -1) if is_vector else result


def _lead(x: Any, lead: tuple[int, ...]) -> Any:
    """The matrices with these leading dimensions."""
    return x if x.ndim > 2 or not lead else expand(x, (*lead, *x.shape[-2:]))


def solve_triangular(
    A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """The solution X of A @ X = B for triangular A, of which the other triangle is not read."""
    check_matrices("linalg.solve_triangular", A, square=True)
    triangle = triu(A, 1 if unitriangular else 0) if upper else tril(A, -1 if unitriangular else 0)
    if unitriangular:
        triangle = triangle + identity_like(triangle)
    return solve(triangle, B, left=left)
