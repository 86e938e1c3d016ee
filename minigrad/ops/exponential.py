"""The exponential of matrices."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.graph import primitive
from minigrad.ops.index import getitem
from minigrad.ops.join import cat
from minigrad.ops.operands import check_tensor
from minigrad.ops.promotion import require_floating
from minigrad.ops.select import zero
from minigrad.ops.solve import turned

__all__ = ["matrix_exp"]

# The numerator of Pade's approximant of degree 13, and the largest norm at which it is exact to
# double precision: N. J. Higham, "The scaling and squaring method for the matrix exponential
# revisited", 2005, table 2.3.
_NUMERATOR = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0,
    129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0,
    40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
_LARGEST = 5.371920351148152


def _matrix_exp_rule(g: Any, A: Any) -> Any:
    """Frechet's derivative is a block of the exponential of a matrix twice as large.

    R. Mathias, "A chain rule for matrix functions and applications", 1996.
    """
    X = turned(A)
    size = A.shape[-1]
    upper = cat((X, g), -1)
    lower = cat((zero(X), X), -1)
    both = _matrix_exp(cat((upper, lower), -2))
    return getitem(both, index=(Ellipsis, slice(size), slice(size, None)))


@primitive(A=_matrix_exp_rule)
def _matrix_exp(xp: Any, A: Any) -> Any:
    """Higham's scaling and squaring, each matrix scaled by itself, in double precision.

    Squaring doubles the error with every step, which single precision could not bear.
    """
    if not A.size:
        return A.copy()
    x = A.astype("complex128" if A.dtype.kind == "c" else "float64")
    norm = abs(x).sum(-2).max(-1)
    times = xp.ceil(xp.log2(xp.maximum(norm / _LARGEST, 1)))
    times = xp.where(xp.isfinite(times), times, 0)[..., None, None]
    x = x * xp.exp2(-times)
    ones = xp.eye(x.shape[-1], dtype=x.dtype)
    square = x @ x
    power, even, odd = ones, 0, 0
    for place in range(0, len(_NUMERATOR), 2):
        even = even + _NUMERATOR[place] * power
        odd = odd + _NUMERATOR[place + 1] * power
        power = power @ square
    odd = x @ odd
    result = xp.linalg.solve(even - odd, even + odd)
    for step in range(int(times.max())):
        result = xp.where(step < times, result @ result, result)
    return result.astype(A.dtype)


def matrix_exp(A: Any) -> Any:
    """The exponential of square matrices: the sum of A multiplied n times over n factorial.

    >>> import minigrad
    >>> matrix_exp(minigrad.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    check_tensor("matrix_exp", "A", A)
    require_floating("matrix_exp", "A", A)
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise ArgumentError(
            f"matrix_exp(): argument 'A' must hold square matrices in its last two dimensions, it "
            f"has shape {list(A.shape)}"
        )
    return _matrix_exp(A)
