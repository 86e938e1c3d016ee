"""Products of matrices and vectors, and the affine map of a linear layer."""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad import dtypes, kernels
from minigrad.backend import add_up, namespace, ndarray
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, broadcasting, primitive
from minigrad.kernels.products import LARGE_PRODUCT
from minigrad.ops import reduce
from minigrad.ops.blocks import LARGE
from minigrad.ops.elementwise import conj, mul
from minigrad.ops.shape import reshape, transpose, unsqueeze

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "dot", "ger", "inner", "matmul", "mm",
    "mv", "outer", "vdot",
]  # fmt: skip


def _check_dtypes(operation: str, **arguments: Any) -> None:
    """Raise DtypeError unless the arguments have one dtype that can be multiplied."""
    (first, a), *others = arguments.items()
    if a.dtype == dtypes.bool:
        raise DtypeError(
            f"{operation}(): argument '{first}' is bool, which has no products of matrices; "
            f"convert it, for example {first}.float()"
        )
    for name, b in others:
        if a.dtype != b.dtype:
            raise DtypeError(
                f"{operation}(): argument '{first}' has dtype {a.dtype} and argument '{name}' "
                f"{b.dtype}; a product of matrices needs one dtype, for example "
                f"{first}.to({name}.dtype)"
            )


def _mismatch(operation: str, error: Exception, **arguments: Any) -> Exception:
    """The error for shapes that do not multiply."""
    (first, a), (second, b) = arguments.items()
    if a.ndim and b.ndim:
        inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
        if a.shape[-1] != inner:
            return ArgumentError(
                f"{operation}(): argument '{first}' has shape {list(a.shape)} and argument "
                f"'{second}' {list(b.shape)}: the last size of '{first}', {a.shape[-1]}, must be "
                f"the {'second to last' if b.ndim > 1 else 'only'} size of '{second}', {inner}"
            )
    return ArgumentError(
        f"{operation}(): argument '{first}' has shape {list(a.shape)} and argument '{second}' "
        f"{list(b.shape)}, which do not multiply: {error}"
    )


def _product(xp: Any, a: Any, b: Any, row: Any = None) -> Any:
    """The product, with many rows times one matrix done as one product, plus a row if given."""
    if a.ndim == b.ndim == 2:
        return _dot(a, b, row)
    if a.ndim > 2 and b.ndim == 2 and a.flags.c_contiguous:
        *lead, size = a.shape
        return _dot(a.reshape(prod(lead), size), b, row).reshape(*lead, b.shape[1])
    out = xp.matmul(a, b)
    if row is not None:
        out += row
    return out


def _dot(a: Any, b: Any, row: Any = None) -> Any:
    """The product of two matrices, plus a row if given.

    NumPy's `dot` starts faster than `@`, but clears its result.
    """
    if a.__class__ is ndarray is b.__class__:
        size = len(a) * b.shape[1]
        if size * a.shape[1] >= LARGE_PRODUCT:
            return kernels.matrix_product(namespace("matmul", input=a), a, b, None, row)
        out = a.dot(b) if size < _LITTLE else a @ b
    else:
        out = a @ b
    if row is not None:
        out += row
    return out


_LITTLE = 1 << 14


def _rows(x: Any) -> Any:
    """The tensor as a matrix: its last dimension, and all others made one."""
    return x if x.ndim == 2 else reshape(x, (prod(x.shape[:-1]), x.shape[-1]))


def _first_cotangent(g: Any, other: Any, shape: tuple[int, ...]) -> Any:
    """The cotangent of `input` in input @ other."""
    if len(shape) == 2 == other.ndim:
        return linear(g, other) if isinstance(g, Traced) else _dot(g, other.T)
    if other.ndim == 1:
        return g * other if len(shape) == 1 else unsqueeze(g, -1) * other
    turned = transpose(other, -2, -1)
    if len(shape) == 1:
        return reshape(reduce.sum_to(matmul(unsqueeze(g, -2), turned), size=(1, *shape)), shape)
    product = matmul(g, turned)
    return product if product.shape == shape else reduce.sum_to(product, size=shape)


def _second_cotangent(g: Any, input: Any, shape: tuple[int, ...]) -> Any:
    """The cotangent of `other` in input @ other."""
    if len(shape) == 2 == input.ndim:
        return _turned_product(input, g)
    if len(shape) == 1:
        return g * input if input.ndim == 1 else matmul(reshape(g, (prod(g.shape),)), _rows(input))
    if input.ndim == 1:
        return unsqueeze(input, -1) * unsqueeze(g, -2)
    if len(shape) == 2:
        return _dot(_rows(input).T, _rows(g))
    product = matmul(transpose(input, -2, -1), g)
    return product if product.shape == shape else reduce.sum_to(product, size=shape)


@primitive(
    input=lambda g, other, shape: _first_cotangent(g, other, shape),
    other=lambda g, input, shape: _second_cotangent(g, input, shape),
)
def matmul(xp: Any, input: Any, other: Any) -> Any:
    """The product of matrices, of vectors, or of both; leading dimensions are broadcast.

    [..., n, k] @ [..., k, m] gives [..., n, m]; a vector stands for a row on the left and a column
    on the right. Raises ArgumentError where sizes do not match, DtypeError where dtypes differ.

    >>> import minigrad
    >>> minigrad.matmul(minigrad.ones(2, 3), minigrad.ones(3))
    tensor([3., 3.])
    """
    if input.dtype is not other.dtype or input.dtype is dtypes.bool:
        _check_dtypes("matmul", input=input, other=other)
    try:
        return _product(xp, input, other)
    except ValueError as error:
        raise _mismatch("matmul", error, input=input, other=other) from error


def _turned_product(a: Any, b: Any) -> Any:
    """a.T @ b, for two matrices; one node where it is recorded."""
    return _matmul_turned(a, b) if isinstance(a, Traced) else _dot(a.T, b)


@primitive(
    input=lambda g, other: linear(other, g) if isinstance(g, Traced) else _dot(other, g.T),
    other=lambda g, input: _dot(input, g),
)
def _matmul_turned(xp: Any, input: Any, other: Any) -> Any:
    """The product input.T @ other of two matrices."""
    return _dot(input.T, other)


def _linear_input(g: Any, weight: Any) -> Any:
    if weight.ndim == 1:
        return unsqueeze(g, -1) * weight
    return _dot(g, weight) if g.ndim == 2 else matmul(g, weight)


def _linear_weight(g: Any, input: Any, shape: tuple[int, ...]) -> Any:
    if len(shape) == 1:
        return _second_cotangent(g, input, shape)
    if g.ndim == 2:
        return _turned_product(g, input)
    if g.ndim == 1:
        return unsqueeze(g, -1) * input
    return _turned_product(_rows(g), _rows(input))


def _linear_bias(g: Any, shape: tuple[int, ...]) -> Any:
    if g.__class__ is ndarray and g.ndim == 2 and g.shape[1:] == shape and g.nbytes < LARGE:
        return add_up(g, 0)
    return reduce.sum_to(g, size=shape)


@primitive(
    input=lambda g, weight: _linear_input(g, weight),
    weight=lambda g, input, shape: _linear_weight(g, input, shape),
    bias=lambda g, shape: _linear_bias(g, shape),
)
def linear(xp: Any, input: Any, weight: Any, bias: Any = None) -> Any:
    """The affine map input @ weight.T + bias.

    input [..., n], weight [m, n] or [n], bias [m] or None; gives [..., m], or [...] for a weight of
    one dimension. Raises ArgumentError where sizes do not match, DtypeError where dtypes differ.
    """
    if input.dtype is not weight.dtype or input.dtype is dtypes.bool:
        _check_dtypes("linear", input=input, weight=weight)
    fits = False
    if bias is not None:
        if bias.dtype is not weight.dtype:
            _check_dtypes("linear", weight=weight, bias=bias)
        fits = weight.ndim == 2 and bias.shape == weight.shape[:1]
    try:
        out = _product(xp, input, weight.T, bias if fits else None)
    except ValueError as error:
        raise ArgumentError(
            f"linear(): argument 'input' has shape {list(input.shape)} and argument 'weight' "
            f"{list(weight.shape)}; the last size of both must be equal (weight is "
            f"[out_features, in_features])"
        ) from error
    if bias is not None and not fits:
        out += bias
    return out


@broadcasting(
    input=lambda g, beta: g if beta == 1 else g * beta,
    mat1=lambda g, mat2, alpha: _times(matmul(g, transpose(mat2, -2, -1)), alpha),
    mat2=lambda g, mat1, alpha: _times(matmul(transpose(mat1, -2, -1), g), alpha),
)
def _addmm(xp: Any, input: Any, mat1: Any, mat2: Any, *, beta: Any, alpha: Any) -> Any:
    out = xp.matmul(mat1, mat2)
    if alpha != 1:
        out *= alpha
    if beta == 1:
        out += input
    elif beta != 0:
        out += input * beta
    return out


def _times(value: Any, number: Any) -> Any:
    return value if number == 1 else value * number


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """The sum beta * input + alpha * (mat1 @ mat2), `input` broadcast; with beta 0 it is not read.

    Raises ArgumentError unless mat1 and mat2 are matrices that multiply.
    """
    return _added("addmm", 2, input, mat1, mat2, beta, alpha, ("mat1", "mat2"))


def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """The sum beta * input + alpha * (batch1 @ batch2) for batches of matrices; see `addmm`."""
    return _added("baddbmm", 3, input, batch1, batch2, beta, alpha, ("batch1", "batch2"))


def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """The sum beta * input + alpha * (the sum of all batch1[i] @ batch2[i]); see `addmm`."""
    _check_pair("addbmm", 3, batch1=batch1, batch2=batch2)
    count, rows, inner = batch1.shape
    left = reshape(transpose(batch1, 0, 1), (rows, count * inner))
    right = reshape(batch2, (count * inner, batch2.shape[-1]))
    return _added("addbmm", 2, input, left, right, beta, alpha, ("batch1", "batch2"))


def _added(
    operation: str, ndim: int, input: Any, a: Any, b: Any, beta: Any, alpha: Any,
    names: tuple[str, str],
) -> Any:  # fmt: skip
    _check_pair(operation, ndim, **{names[0]: a, names[1]: b})
    _check_dtypes(operation, input=input, **{names[0]: a, names[1]: b})
    shape = (*a.shape[:-1], b.shape[-1])
    _check_expands(operation, input, shape)
    beta, alpha = (_whole(factor, input.dtype) for factor in (beta, alpha))
    _check_factors(operation, input.dtype, beta=beta, alpha=alpha)
    return _addmm(input, a, b, beta=beta, alpha=alpha)


def _check_expands(operation: str, input: Any, shape: tuple[int, ...]) -> None:
    present = tuple(input.shape)
    fits = all(n in (1, m) for n, m in zip(present[::-1], shape[::-1]))
    if len(present) > len(shape) or not fits:
        raise ArgumentError(
            f"{operation}(): argument 'input' has shape {list(present)}, which does not broadcast "
            f"to the product's shape {list(shape)}"
        )


def _whole(factor: Any, dtype: Any) -> Any:
    """A factor beside integers, of which torch takes the whole part."""
    return int(factor) if dtype.kind in "iu" and isinstance(factor, float) else factor


def _check_factors(operation: str, dtype: Any, **factors: Any) -> None:
    """Raise DtypeError for a float factor beside integers or a complex one beside floats."""
    for name, factor in factors.items():
        if dtypes.category(dtypes.scalar_dtype(factor)) > dtypes.category(dtype):
            raise DtypeError(
                f"{operation}(): argument '{name}' is {factor!r}, which does not fit tensors of "
                f"dtype {dtype}"
            )


def _check_pair(operation: str, ndim: int, **arguments: Any) -> None:
    """Raise ArgumentError unless two arguments of `ndim` dimensions multiply, batch by batch."""
    (first, a), (second, b) = arguments.items()
    for name, value in arguments.items():
        if value.ndim != ndim:
            raise ArgumentError(
                f"{operation}(): argument '{name}' must have {ndim} dimensions, it has shape "
                f"{list(value.shape)}; matmul() takes any number"
            )
    if a.shape[:-2] != b.shape[:-2] or a.shape[-1] != b.shape[-2]:
        raise ArgumentError(
            f"{operation}(): argument '{first}' has shape {list(a.shape)} and argument '{second}' "
            f"{list(b.shape)}, which do not multiply"
        )


def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices; raises ArgumentError for anything else."""
    _check_pair("mm", 2, input=input, mat2=mat2)
    return matmul(input, mat2)


def bmm(input: Any, mat2: Any) -> Any:
    """The products of two batches of matrices, [b, n, k] and [b, k, m]; nothing is broadcast."""
    _check_pair("bmm", 3, input=input, mat2=mat2)
    return matmul(input, mat2)


def mv(input: Any, vec: Any) -> Any:
    """The product of a matrix and a vector."""
    if input.ndim != 2 or vec.ndim != 1 or input.shape[1] != vec.shape[0]:
        raise ArgumentError(
            f"mv(): argument 'input' must be a matrix [n, k] and 'vec' a vector [k], they have "
            f"shapes {list(input.shape)} and {list(vec.shape)}"
        )
    return matmul(input, vec)


def _check_vectors(operation: str, a: Any, b: Any, name: str) -> None:
    if a.ndim != 1 or b.ndim != 1 or a.shape != b.shape:
        raise ArgumentError(
            f"{operation}(): arguments 'input' and '{name}' must be vectors of one size, they have "
            f"shapes {list(a.shape)} and {list(b.shape)}"
        )


def dot(input: Any, tensor: Any) -> Any:
    """The sum of the products of two vectors' elements, none conjugated."""
    _check_vectors("dot", input, tensor, "tensor")
    return matmul(input, tensor)


def vdot(input: Any, other: Any) -> Any:
    """The inner product of two vectors: the first's elements conjugated."""
    _check_vectors("vdot", input, other, "other")
    return matmul(conj(input), other)


def inner(input: Any, other: Any) -> Any:
    """The sums of products over the last dimension of both; with a number, its multiple."""
    if not input.ndim or not other.ndim:
        return mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise ArgumentError(
            f"inner(): arguments 'input' and 'other' must have one last size, they have shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    rows = matmul(_rows(input), transpose(_rows(other), 0, 1))
    return reshape(rows, (*input.shape[:-1], *other.shape[:-1]))


def outer(input: Any, vec2: Any) -> Any:
    """The matrix of all products of two vectors' elements."""
    if input.ndim != 1 or vec2.ndim != 1:
        raise ArgumentError(
            f"outer(): arguments 'input' and 'vec2' must be vectors, they have shapes "
            f"{list(input.shape)} and {list(vec2.shape)}"
        )
    return mul(unsqueeze(input, -1), vec2)


ger = outer


def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """The sum beta * input + alpha * (mat @ vec)."""
    product = mv(mat, vec)
    _check_expands("addmv", input, tuple(product.shape))
    beta, alpha = (_whole(factor, product.dtype) for factor in (beta, alpha))
    return _sum("addmv", input, product, beta, alpha)


def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """The sum beta * input + alpha * outer(vec1, vec2)."""
    product = outer(vec1, vec2)
    _check_expands("addr", input, tuple(product.shape))
    return _sum("addr", input, product, beta, alpha)


def _sum(operation: str, input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    if product.dtype is dtypes.bool and isinstance(alpha, int) and isinstance(beta, int):
        beta, alpha = bool(beta), bool(alpha)
    _check_factors(operation, product.dtype, beta=beta, alpha=alpha)
    scaled = _times(product, alpha)
    return scaled if beta == 0 else _times(input, beta) + scaled
