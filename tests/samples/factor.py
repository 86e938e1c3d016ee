"""Rows of decompositions: LU, Cholesky, LDL, eigenvalues, and functions of matrices."""

from __future__ import annotations

from typing import Any

import numpy

from tests.samples.linear import hermitian, square, tall
from tests.samples.row import Row, Sample, sample, torch
from tests.samples.source import Source


def exchanged(s: Source) -> Sample:
    """Matrices whose rows must be exchanged."""
    return sample(tall(s)[..., ::-1, :], pivot=True)


def pivots(s: Source) -> Sample:
    rows = s.pick((3, 4))
    values = numpy.array(s.pick(([3, 2, 3], [1, 3, 3], [[2, 2], [3, 2]], [])), s.dtype)
    return sample(values, rows=rows, to=numpy.dtype("float64"))


def permutation(pivots: Any, rows: int, to: Any) -> Any:
    both = torch.zeros((*pivots.shape[:-1], rows, pivots.shape[-1]), dtype=torch.float64)
    return torch.lu_unpack(both, pivots.int())[0]


def perhaps_definite(s: Source) -> Sample:
    matrix = hermitian(s)
    return sample(matrix - s.pick((0, 4.5, 20)) * numpy.eye(matrix.shape[-1], dtype=s.dtype))


def indefinite(s: Source) -> Sample:
    """Matrices with blocks of two on D's diagonal, and with one."""
    shape = s.pick(((4, 4), (3, 3), (2, 3, 3), (1, 1), (0, 0)))
    half = s.rng.uniform(-2, 2, shape)
    if s.dtype.kind == "c":
        half = half + 1j * s.rng.uniform(-1, 1, shape)
    is_hermitian = s.flag()
    flipped = half.swapaxes(-1, -2)
    matrix = half + (flipped.conj() if is_hermitian else flipped)
    matrix = matrix * (1 - s.pick((0.9, 0.0, 1.0)) * numpy.eye(half.shape[-1]))
    return sample(matrix.astype(s.dtype), hermitian=is_hermitian)


def eig_call(op: Any, A: Any) -> Any:
    """What does not depend on the phases of the vectors: values, and projections."""
    values, vectors = op(A)
    return values, vectors[..., :1] @ vectors[..., :1].mH


def eig(A: Any) -> Any:
    return eig_call(torch.linalg.eig, A)


def points(s: Source) -> Sample:
    first, second = s.pick((
        ((2, 3), (3, 3)), ((2, 2, 3), (2, 1, 3)), ((0, 2), (3, 2)), ((1, 1), (2, 1)),
    ))  # fmt: skip
    return sample(s.floats(first, -2, -0.5), s.floats(second, 0.5, 2))


def same_points(s: Source) -> Sample:
    values = numpy.array([[0.5, 1.0], [2.0, 0.0]], s.dtype)
    return sample(values, values[:1].copy())


def distances(x1: Any, x2: Any) -> Any:
    return torch.cdist(x1, x2, compute_mode="use_mm_for_euclid_dist")


def triples(s: Source) -> Sample:
    first, second, dim = s.pick((
        ((3,), (3,), -1), ((2, 3), (1, 3), -1), ((3, 2), (3, 2), -2), ((3, 2, 2), (3, 1, 2), -3),
        ((0, 3), (1, 3), -1),
    ))  # fmt: skip
    return sample(s.floats(first), s.floats(second), dim=dim)


ROWS = {
    "_lu_factor": Row(
        exchanged, lambda A, pivot: tuple(torch.linalg.lu_factor_ex(A, pivot=pivot)), "fc"
    ),
    "_permutation": Row(pivots, permutation, "i", 0),
    "_no_info": Row(square, lambda A: torch.linalg.inv_ex(A)[1], "fc", 0),
    "_nothing": Row(square, lambda A: A.new_zeros(0), "f", 0),
    "_blank": Row(
        lambda s: sample(*square(s).inputs, size=s.shape()),
        lambda A, size: A.new_zeros(size), "fc", 0,
    ),
    "_definite_order": Row(perhaps_definite, lambda A: torch.linalg.cholesky_ex(A)[1], "fc", 0),
    "_geqrf": Row(lambda s: sample(tall(s)), lambda A: tuple(torch.geqrf(A)), "fc", 0),
    "_ldl_factor": Row(
        indefinite,
        lambda A, hermitian: tuple(torch.linalg.ldl_factor_ex(A, hermitian=hermitian)), "fc", 0,
        count=12,
    ),
    "_eig": Row(square, eig, "fc", call=eig_call),
    "_eigvals": Row(square, lambda A: torch.linalg.eigvals(A), "fc", 0),
    "_matrix_exp": Row(square, lambda A: torch.linalg.matrix_exp(A), "fc", rtol=1e-5),
    "_cdist": Row(points, distances, "f", kinks=same_points),
    "_cross": Row(triples, lambda a, b, dim: torch.linalg.cross(a, b, dim=dim), "fci", count=8),
}  # fmt: skip
