"""Rows of products and of linear algebra: matmul, contractions, solutions, decompositions."""

from __future__ import annotations

from typing import Any

import numpy

from tests.samples.row import Row, Sample, sample, torch
from tests.samples.source import Source

PRODUCTS = (
    ((2, 3), (3, 2)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 2, 3), (3, 2)),
    ((2, 2, 3), (2, 3, 1)), ((2, 1, 2, 3), (2, 3, 2)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,)),
    ((2, 3), (2, 3, 2)), ((0, 3), (3, 2)), ((2, 0), (0, 3)),
)  # fmt: skip


def product(s: Source) -> Sample:
    first, second = s.pick(PRODUCTS)
    return sample(s.floats(first), s.floats(second))


def turned(s: Source) -> Sample:
    first, second = s.pick((((3, 2), (3, 4)), ((1, 2), (1, 1)), ((0, 2), (0, 3)), ((2, 0), (2, 1))))
    return sample(s.floats(first), s.floats(second))


def affine(s: Source) -> Sample:
    shape, weight, bias = s.pick((
        ((2, 3), (4, 3), (4,)), ((3,), (2, 3), (2,)), ((2, 2, 3), (4, 3), (4,)),
        ((2, 3), (3,), None), ((3,), (3,), None), ((2, 3), (4, 3), None), ((0, 3), (2, 3), (2,)),
    ))  # fmt: skip
    return sample(s.floats(shape), s.floats(weight), None if bias is None else s.floats(bias))


def addmm(s: Source) -> Sample:
    shape, first, second = s.pick((
        ((2, 2), (2, 3), (3, 2)), ((2,), (2, 3), (3, 2)), ((), (2, 3), (3, 2)),
        ((3, 2, 2), (3, 2, 1), (3, 1, 2)),
    ))  # fmt: skip
    beta, alpha = s.pick(((1, 1), (2, 3), (1, 0.5) if s.dtype.kind in "fc" else (1, 2)))
    return sample(s.floats(shape), s.floats(first), s.floats(second), beta=beta, alpha=alpha)


def contracted(s: Source) -> Sample:
    left, right, result = s.pick((
        ("ab", "bc", "ac"), ("ab", "bc", "ca"), ("abc", "cb", "a"), ("ab", "ab", ""),
        ("a", "b", "ab"), ("zab", "zbc", "zac"), ("ba", "zb", "za"),
    ))  # fmt: skip
    sizes = {"a": 2, "b": 3, "c": 2, "z": 2}
    a, b = ([sizes[letter] for letter in term] for term in (left, right))
    labels = {"left": tuple(left), "right": tuple(right), "result": tuple(result)}
    return sample(s.floats(a), s.floats(b), **labels)


def contract(a: Any, b: Any, left: Any, right: Any, result: Any) -> Any:
    return torch.einsum(f"{''.join(left)},{''.join(right)}->{''.join(result)}", a, b)


def regular(s: Source, shape: Any = None) -> Any:
    """Matrices far from singular, with distinct singular values."""
    shape = shape or s.pick(((3, 3), (2, 2), (2, 3, 3), (1, 1)))
    values = numpy.array(s.floats(shape, -0.5, 0.5))
    return (values + numpy.diag(numpy.arange(2.0, 2.0 + shape[-1]))).astype(s.dtype)


def square(s: Source) -> Sample:
    return sample(regular(s))


def singular(s: Source) -> Sample:
    return sample(numpy.array([[1.0, 2.0], [2.0, 4.0]]))


def hermitian(s: Source) -> Any:
    matrix = regular(s)
    return matrix + matrix.conj().swapaxes(-1, -2)


def definite(s: Source) -> Sample:
    return sample(hermitian(s), even=True, upper=s.flag())


def system(s: Source) -> Sample:
    matrix, right = s.pick((((3, 3), (3, 2)), ((2, 2), (2, 1)), ((2, 3, 3), (2, 3, 1))))
    return sample(regular(s, matrix), s.floats(right))


def triangular(s: Source) -> Sample:
    """With numbers in the other triangle, which is not read."""
    return sample(*system(s).inputs, upper=s.flag())


def tall(s: Source) -> Any:
    shape = s.pick(((3, 2), (3, 3), (2, 3), (2, 3, 2)))
    values = numpy.array(s.floats(shape, -0.5, 0.5))
    least = min(shape[-2:])
    diagonal = numpy.zeros(shape[-2:])
    diagonal[range(least), range(least)] = numpy.arange(2.0, 2.0 + least)
    return (values + diagonal).astype(s.dtype)


def cofactors(A: Any) -> Any:
    return torch.linalg.det(A)[..., None, None] * torch.linalg.inv(A).mT


def eigh_call(op: Any, A: Any, UPLO: str) -> Any:
    """What does not depend on the phases of the vectors: values, and projections."""
    values, vectors = op((A + A.mH) / 2, UPLO=UPLO)
    return values, vectors[..., :1] @ vectors[..., :1].mH


def eigh(A: Any, UPLO: str) -> Any:
    values, vectors = torch.linalg.eigh((A + A.mH) / 2, UPLO)
    return values, vectors[..., :1] @ vectors[..., :1].mH


def svd_call(op: Any, A: Any, full_matrices: bool) -> Any:
    U, S, Vh = op(A, full_matrices=full_matrices)
    return S, U[..., :1] @ Vh[..., :1, :], U[..., :1] @ U[..., :1].mH


def svd(A: Any, full_matrices: bool) -> Any:
    U, S, Vh = torch.linalg.svd(A, full_matrices=full_matrices)
    return S, U[..., :1] @ Vh[..., :1, :], U[..., :1] @ U[..., :1].mH


def qr_call(op: Any, A: Any, mode: str) -> Any:
    """The factors with the phases of R's diagonal taken out, which libraries choose freely."""
    Q, R = op(A, mode=mode)
    return Q[..., :1] @ R[..., :1, :], Q[..., :1] @ Q[..., :1].mH, abs(R[..., 0, 0])


def qr(A: Any, mode: str) -> Any:
    Q, R = torch.linalg.qr(A, mode)
    return Q[..., :1] @ R[..., :1, :], Q[..., :1] @ Q[..., :1].mH, abs(R[..., 0, 0])


def phase_free(s: Source) -> Sample:
    values = numpy.array(s.floats((3,)))
    return sample(values.real.astype(s.dtype), factors="eigh(): eigenvectors")


def normed(s: Source) -> Sample:
    shape = s.pick(((2, 3), (4,), (2, 1, 3), (1, 2)))
    order = s.pick((2, 1, 3, 4.5, 1.5, -1.5, float("inf"), float("-inf"), 0))
    values = s.floats(shape, away=(0,)) if abs(order) < 9 else s.distinct(shape, 0.2, 2.0)
    return sample(values, ord=order, dim=s.dims(shape), keepdim=s.flag())


def vector_norm(x: Any, ord: float, dim: Any, keepdim: bool) -> Any:
    return torch.linalg.vector_norm(x, ord, dim, keepdim)


def zero_norm(s: Source) -> Sample:
    values = numpy.array([[0.0, 0.0], [1.0, -1.0], [0.0, 2.0]], s.dtype)
    return sample(values, ord=s.pick((2, 1, float("inf"), 3, 0.5)), dim=(1,), keepdim=False)


ROWS = {
    "matmul": Row(product, lambda a, b: torch.matmul(a, b), "fci", count=13),
    "_matmul_turned": Row(turned, lambda a, b: torch.matmul(a.T, b), "fci", count=5),
    "linear": Row(affine, lambda x, w, b: torch.nn.functional.linear(x, w, b), "fc", count=8),
    "_addmm": Row(
        addmm, lambda x, a, b, beta, alpha: beta * x + alpha * torch.matmul(a, b), "fci", count=9
    ),
    "contract": Row(contracted, contract, "fc", count=8),
    "_det": Row(square, lambda A: torch.linalg.det(A), "fc", kinks=singular),
    "_cofactors": Row(square, cofactors, "fc", atol=1e-6),
    "_slogdet": Row(square, lambda A: tuple(torch.linalg.slogdet(A)), "fc"),
    "_inv": Row(square, lambda A: torch.linalg.inv(A), "fc"),
    "identity_like": Row(square, lambda A: torch.eye(A.shape[-1], dtype=A.dtype), "f", 0),
    "_solve": Row(system, lambda A, B: torch.linalg.solve(A, B), "fc"),
    "_solve_triangle": Row(
        triangular, lambda A, B, upper: torch.linalg.solve_triangular(A, B, upper=upper), "fc"
    ),
    "_cholesky": Row(
        definite,
        lambda A, even, upper: torch.linalg.cholesky((A + A.mH) / 2 if even else A), "fc",
        call=lambda op, A, even, upper: op((A + A.mH) / 2 if even else A, upper=upper),
        kinks=lambda s: sample(*definite(s).inputs, even=False, upper=s.flag()),
    ),
    "_eigh": Row(
        lambda s: sample(hermitian(s), UPLO=s.pick(("L", "U"))), eigh, "fc", call=eigh_call
    ),
    "_eigvalsh": Row(
        lambda s: sample(hermitian(s), UPLO=s.pick(("L", "U"))),
        lambda A, UPLO: torch.linalg.eigvalsh(A, UPLO), "fc", 0,
    ),
    "_svd": Row(
        lambda s: sample(tall(s), full_matrices=False), svd, "fc", call=svd_call
    ),
    "_svdvals": Row(lambda s: sample(tall(s)), lambda A: torch.linalg.svdvals(A), "fc", 0),
    "_qr": Row(
        lambda s: sample(regular(s), mode="reduced"), qr, "fc", call=qr_call
    ),
    "_phase_free": Row(phase_free, lambda x, factors: x.clone(), "fc"),
    "_pinv": Row(
        lambda s: sample(tall(s), atol=0.0, rtol=1e-7, hermitian=False),
        lambda A, atol, rtol, hermitian: torch.linalg.pinv(A, atol=atol, rtol=rtol), "fc",
    ),
    "_vector_norm": Row(normed, vector_norm, "fc", count=18, kinks=zero_norm),
}  # fmt: skip
