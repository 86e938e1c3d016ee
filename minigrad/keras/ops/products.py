"""keras.ops of vectors and matrices: products, decompositions, solutions."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad.keras.ops.translate import binary, of_floats, operation, tensor, unary

__all__ = [
    "cholesky", "cross", "det", "dot", "einsum", "inner", "inv", "matmul", "outer", "solve",
    "tensordot", "vdot",
]  # fmt: skip

matmul = binary("matmul", minigrad.matmul)
inner = binary("inner", minigrad.inner)
cholesky = unary("cholesky", minigrad.linalg.cholesky, floats=True)
det = unary("det", minigrad.linalg.det, floats=True)
inv = unary("inv", minigrad.linalg.inv, floats=True)


@operation
def outer(x1: Any, x2: Any) -> Any:
    """The products of every number of x1 with every one of x2."""
    return minigrad.outer(tensor(x1).reshape(-1), tensor(x2).reshape(-1))


@operation
def vdot(x1: Any, x2: Any) -> Any:
    """The sum of the products of all numbers."""
    return minigrad.vdot(tensor(x1).reshape(-1), tensor(x2).reshape(-1))


@operation
def dot(x1: Any, x2: Any) -> Any:
    """NumPy's dot: the last axis of x1 against the last but one of x2."""
    x1, x2 = tensor(x1), tensor(x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return x1 * x2
    if x2.ndim <= 2:
        return minigrad.matmul(x1, x2)
    return minigrad.tensordot(x1, x2, ([x1.ndim - 1], [x2.ndim - 2]))


@operation
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """The sum of products over so many axes, or over those listed for each."""
    if not isinstance(axes, int):
        axes = tuple([one] if isinstance(one, int) else list(one) for one in axes)
    return minigrad.tensordot(tensor(x1), tensor(x2), axes)


@operation
def einsum(subscripts: str, *operands: Any) -> Any:
    """Sums of products as the letters say: einsum("ij,jk->ik", a, b) is a matrix product."""
    return minigrad.einsum(subscripts, *[tensor(one) for one in operands])


@operation
def cross(x1: Any, x2: Any, axis: int = -1) -> Any:
    """The cross product of vectors of three numbers along the axis."""
    x1, x2 = minigrad.broadcast_tensors(tensor(x1), tensor(x2))
    a = x1.unbind(axis)
    b = x2.unbind(axis)
    return minigrad.stack(
        [a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3] for i in range(3)], axis
    )


@operation
def solve(a: Any, b: Any) -> Any:
    """The x of a @ x = b."""
    return minigrad.linalg.solve(of_floats(a), of_floats(b))
