"""Decompositions where the operator database does not look: large, singular, indefinite ones."""

import numpy
import pytest

import minigrad
from minigrad import linalg
from minigrad.autograd import gradcheck, gradgradcheck
from minigrad.errors import ArgumentError

RNG = numpy.random.default_rng(5)


def drawn(*shape, dtype="float64"):
    values = RNG.standard_normal(shape)
    if dtype == "complex128":
        values = values + 1j * RNG.standard_normal(shape)
    return minigrad.tensor(values.astype(dtype))


def symmetric(*shape, dtype="float64", hermitian=False):
    half = drawn(*shape, dtype=dtype)
    return half + (half.mH if hermitian else half.mT)


def close(found, expected, rtol=1e-9):
    numpy.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=rtol, atol=rtol)


def torchs(tensor):
    torch = pytest.importorskip("torch", reason="the reference is torch's LAPACK")
    return torch, torch.from_numpy(tensor.numpy().copy())


DTYPES = ["float64", "complex128"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(70, 70), (90, 40), (40, 90), (2, 65, 65), (3, 0), (2, 0, 4, 4)])
def test_lu_of_several_panels(shape, dtype):
    """More columns than are factored at once."""
    A = drawn(*shape, dtype=dtype)
    P, L, U = linalg.lu(A)
    close(P @ L @ U, A)
    torch, there = torchs(A)
    both, pivots, info = linalg.lu_factor_ex(A)
    expected = torch.linalg.lu_factor_ex(there)
    assert pivots.tolist() == expected.pivots.tolist()
    assert info.tolist() == expected.info.tolist()
    numpy.testing.assert_allclose(both.numpy(), expected.LU.numpy(), rtol=1e-8, atol=1e-8)


def test_the_gradient_of_lu_reaches_all_panels():
    A = drawn(40, 36).requires_grad_()
    seed = drawn(40, 36)
    linalg.lu_factor(A).LU.backward(seed)
    torch, there = torchs(A.detach())
    there.requires_grad_()
    torch.linalg.lu_factor(there).LU.backward(torchs(seed)[1])
    numpy.testing.assert_allclose(A.grad.numpy(), there.grad.numpy(), rtol=1e-6, atol=1e-6)


def test_lu_without_exchanges():
    A = minigrad.tensor([[1.0, 2.0], [3.0, 5.0]], dtype=minigrad.float64)
    P, L, U = linalg.lu(A, pivot=False)
    assert P.shape == (0,)
    assert L.tolist() == [[1.0, 0.0], [3.0, 1.0]]
    assert U.tolist() == [[1.0, 2.0], [0.0, -1.0]]
    assert linalg.lu_factor(A, pivot=False).pivots.tolist() == [1, 2]
    assert gradgradcheck(lambda A: linalg.lu_factor(A, pivot=False).LU, [A.requires_grad_()])


SINGULAR = [[1.0, 2.0], [2.0, 4.0]]
REGULAR = [[2.0, 1.0], [1.0, 3.0]]


def test_singular_matrices_among_others():
    A = minigrad.tensor([SINGULAR, REGULAR], dtype=minigrad.float64, requires_grad=True)
    B = minigrad.ones(2, 2, 1, dtype=minigrad.float64)
    result, info = linalg.solve_ex(A, B)
    assert info.tolist() == [2, 0]
    assert result[0].isnan().all()
    close(result[1].detach(), linalg.solve(A.detach()[1], B[1]))
    result[1].sum().backward()
    assert A.grad[0].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert A.grad[1].isfinite().all()
    inverse, info = linalg.inv_ex(A.detach())
    assert info.tolist() == [2, 0]
    close(inverse[1], linalg.inv(A.detach()[1]))
    with pytest.raises(ArgumentError, match="number 0 that is singular"):
        linalg.solve_ex(A, B, check_errors=True)
    with pytest.raises(ArgumentError, match=r"linalg\.inv_ex"):
        linalg.inv_ex(A, check_errors=True)
    with pytest.raises(ArgumentError, match="lu_factor_ex"):
        linalg.lu_factor(A)


def test_solve_ex_of_vectors_and_from_the_right():
    A = minigrad.tensor(REGULAR)
    close(linalg.solve_ex(A, minigrad.ones(2)).result, linalg.solve(A, minigrad.ones(2)), 1e-6)
    B = minigrad.ones(1, 2)
    close(linalg.solve_ex(A, B, left=False).result @ A, B, 1e-6)


@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_ex_says_where_a_matrix_is_not_definite(upper):
    A = minigrad.tensor([[[4.0, 2.0], [2.0, 3.0]], [[1.0, 2.0], [2.0, 1.0]]])
    L, info = linalg.cholesky_ex(A, upper=upper)
    assert info.tolist() == [0, 2]
    close(L[0], linalg.cholesky(A[0], upper=upper), 1e-6)
    assert L[1].isnan().all()
    with pytest.raises(ArgumentError, match="number 1 that is not positive definite"):
        linalg.cholesky_ex(A, upper=upper, check_errors=True)


def test_cholesky_reads_one_triangle():
    lower = minigrad.tensor([[4.0, 77.0], [2.0, 3.0]])
    whole = minigrad.tensor([[4.0, 2.0], [2.0, 3.0]])
    close(linalg.cholesky(lower), linalg.cholesky(whole))
    close(linalg.cholesky(lower.mT, upper=True), linalg.cholesky(whole, upper=True))


@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(12, 12), (3, 2, 7, 7)])
def test_ldl_of_indefinite_matrices(shape, dtype, hermitian):
    """Zeros on the diagonal ask for blocks of two."""
    A = symmetric(*shape, dtype=dtype, hermitian=hermitian)
    A = A * (1 - minigrad.eye(shape[-1], dtype=minigrad.float64))
    B = drawn(*shape[:-1], 3, dtype=dtype)
    both, pivots, info = linalg.ldl_factor_ex(A, hermitian=hermitian)
    assert (pivots < 0).any()
    torch, there = torchs(A)
    expected = torch.linalg.ldl_factor_ex(there, hermitian=hermitian)
    assert pivots.tolist() == expected.pivots.tolist()
    numpy.testing.assert_allclose(both.numpy(), expected.LD.numpy(), rtol=1e-8, atol=1e-8)
    assert not info.any()
    close(A @ linalg.ldl_solve(both, pivots, B, hermitian=hermitian), B, 1e-8)


def test_ldl_solve_has_a_gradient():
    A = symmetric(4, 4) * (1 - minigrad.eye(4, dtype=minigrad.float64))
    both, pivots = linalg.ldl_factor(A)
    lower = both.requires_grad_()
    B = drawn(4, 2).requires_grad_()
    assert gradcheck(lambda LD, B: linalg.ldl_solve(LD, pivots, B), [lower, B])


def test_ldl_of_a_singular_matrix():
    zeros = minigrad.zeros(2, 3, 3)
    assert linalg.ldl_factor_ex(zeros).info.tolist() == [1, 1]
    with pytest.raises(ArgumentError, match="singular"):
        linalg.ldl_factor(zeros)


def test_what_has_no_derivative_says_so():
    A = symmetric(3, 3).requires_grad_()
    with pytest.raises(RuntimeError, match=r"linalg\.qr"):
        minigrad.geqrf(A)
    with pytest.raises(RuntimeError, match=r"linalg\.solve"):
        linalg.ldl_factor(A)
    with minigrad.no_grad():
        minigrad.geqrf(A)
    linalg.ldl_factor_ex(A.detach())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 3), (4, 4), (2, 6, 2), (3, 0)])
def test_reflections_make_q(shape, dtype):
    A = drawn(*shape, dtype=dtype)
    a, tau = minigrad.geqrf(A)
    Q = linalg.householder_product(a, tau)
    R = minigrad.triu(a)[..., : shape[-1], :]
    close(Q @ R, A)
    whole = minigrad.eye(shape[-2]).to(A.dtype).expand(*shape[:-1], shape[-2])
    square = minigrad.ormqr(a, tau, whole)
    close(square.mH @ square, whole)
    close(square[..., : shape[-1]], Q)


def test_reflections_with_a_factor_of_zero():
    A = drawn(4, 3)
    tau = minigrad.tensor([0.5, 0.0, 1.5], dtype=minigrad.float64)
    torch, there = torchs(A)
    expected = torch.linalg.householder_product(there, torchs(tau)[1])
    found = linalg.householder_product(A, tau)
    numpy.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-9, atol=1e-9)
    assert gradgradcheck(linalg.householder_product, [A.requires_grad_(), tau.requires_grad_()])


def test_exponentials_of_small_and_large_matrices_together():
    """Each is scaled by itself; a turn by any angle is known."""
    angles = minigrad.tensor([1e-9, 0.5, 30.0, 2000.0], dtype=minigrad.float64)
    turn = minigrad.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=minigrad.float64)
    found = minigrad.matrix_exp(angles[:, None, None] * turn)
    cos, sin = angles.cos(), angles.sin()
    expected = minigrad.stack((cos, -sin, sin, cos), -1).reshape(4, 2, 2)
    close(found, expected, 1e-11)


def test_the_exponential_equals_scipys():
    scipy = pytest.importorskip("scipy.linalg", reason="the reference is SciPy's expm")
    A = drawn(3, 8, 8, dtype="complex128") * 2
    found = minigrad.matrix_exp(A).numpy()
    expected = scipy.expm(A.numpy())
    assert abs(found - expected).max() < 1e-12 * abs(expected).max()


def test_the_exponential_of_what_is_not_finite():
    A = minigrad.tensor([[[float("nan"), 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]]])
    found = minigrad.matrix_exp(A)
    assert found[0].isnan().any()
    assert found[1, 0, 0].item() == 1.0


def test_eigenvalues_of_a_real_matrix_are_complex_and_its_gradient_is_real():
    A = minigrad.tensor([[0.0, -2.0], [2.0, 0.0]], requires_grad=True)
    values, vectors = linalg.eig(A)
    assert values.dtype == minigrad.complex64
    assert sorted(values.imag.tolist()) == [-2.0, 2.0]
    close(A.detach().to(minigrad.complex64) @ vectors.detach(), (vectors * values).detach(), 1e-6)
    values.abs().sum().backward()
    assert A.grad.dtype == minigrad.float32


def test_eigenvectors_have_no_phase_to_differentiate():
    A = drawn(3, 3, dtype="complex128").requires_grad_()
    _, vectors = linalg.eig(A)
    with pytest.raises(ArgumentError, match="up to a phase"):
        vectors[0, 0].real.backward()


def test_eigenvalues_of_what_is_not_finite():
    with pytest.raises(ArgumentError, match="inf or nan"):
        linalg.eigvals(minigrad.tensor([[float("inf")]]))


@pytest.mark.parametrize("p", [0, 0.5, 1, 2, 3, float("inf")])
def test_distances_of_any_order(p):
    x, y = drawn(2, 1, 4, 3), drawn(3, 5, 3)
    torch, there = torchs(x)
    expected = torch.cdist(there, torchs(y)[1], p=p)
    numpy.testing.assert_allclose(minigrad.cdist(x, y, p).numpy(), expected.numpy(), rtol=1e-9)


@pytest.mark.parametrize("mode", ["use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"])
def test_distances_can_be_differentiated_twice(mode):
    x, y = drawn(3, 2).requires_grad_(), drawn(2, 2).requires_grad_()
    assert gradgradcheck(lambda x, y: minigrad.cdist(x, y, compute_mode=mode), [x, y])


def test_many_distances_equal_few():
    x, y = drawn(30, 4), drawn(40, 4)
    exact = minigrad.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    close(minigrad.cdist(x, y), exact)
    with pytest.raises(ArgumentError, match="compute_mode"):
        minigrad.cdist(x, y, compute_mode="fast")


def test_low_rank_of_a_low_rank_matrix_is_exact():
    A = drawn(40, 3) @ drawn(3, 25)
    minigrad.manual_seed(1)
    U, S, V = minigrad.svd_lowrank(A, q=3)
    close((U * S) @ V.mH, A)
    close(S, linalg.svdvals(A)[:3])
    minigrad.manual_seed(1)
    close(minigrad.svd_lowrank(A, q=3).U, U, 0)
    turned = minigrad.svd_lowrank(A.mT, q=3)
    close(turned.S, S)
    assert turned.U.shape == (25, 3)


def test_principal_components_are_of_what_differs_from_the_mean():
    A = drawn(50, 2) @ drawn(2, 6) + 100
    _, S, V = minigrad.pca_lowrank(A, q=2)
    centred = A - A.mean(0)
    close(S, linalg.svdvals(centred)[:2])
    close(centred @ V @ V.mH, centred)
    with pytest.raises(ArgumentError, match="'q' is 7"):
        minigrad.pca_lowrank(A, q=7)


def test_a_triangular_system_takes_matrices_only():
    """[2, 2] beside [2, 2, 2] is one matrix for both, not a vector for each."""
    A = minigrad.tensor([[[1.0, 0.0], [1.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]]])
    B = minigrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    found = linalg.solve_triangular(A, B, upper=False)
    assert found.tolist() == [[[1.0, 2.0], [2.0, 2.0]], [[0.5, 1.0], [1.5, 2.0]]]


def test_whole_parts_of_factors_beside_integers():
    ones = minigrad.ones(2, 2, 2, dtype=minigrad.int64)
    assert minigrad.addbmm(ones[0], ones, ones, beta=1.9).tolist() == [[5, 5], [5, 5]]
    assert minigrad.block_diag().shape == (1, 0)


REFUSALS = {
    "cross": lambda: minigrad.cross(minigrad.ones(2, 4), minigrad.ones(2, 4)),
    "linalg.cross": lambda: linalg.cross(minigrad.ones(3), minigrad.ones(1, 3)),
    "linalg.vander": lambda: linalg.vander(minigrad.ones(3), N=1),
    "renorm": lambda: minigrad.renorm(minigrad.ones(3), 2, 0, 1),
    "block_diag": lambda: minigrad.block_diag(minigrad.ones(1, 1, 1)),
    "lu_unpack": lambda: minigrad.lu_unpack(minigrad.ones(2, 2), minigrad.ones(2)),
    "linalg.lu_solve": lambda: linalg.lu_solve(
        minigrad.ones(2, 2), minigrad.ones(3, dtype=minigrad.int32), minigrad.ones(2, 1)
    ),
    "linalg.ldl_solve": lambda: linalg.ldl_solve(
        minigrad.ones(2, 2), minigrad.ones(3, dtype=minigrad.int32), minigrad.ones(2, 1)
    ),
    "linalg.tensorsolve": lambda: linalg.tensorsolve(minigrad.ones(2, 3), minigrad.ones(2)),
    "linalg.tensorinv": lambda: linalg.tensorinv(minigrad.ones(2, 3), 1),
    "linalg.householder_product": lambda: linalg.householder_product(
        minigrad.ones(2, 3), minigrad.ones(2)
    ),
    "ormqr": lambda: minigrad.ormqr(minigrad.ones(3, 2), minigrad.ones(2), minigrad.ones(2, 2)),
    "matrix_exp": lambda: minigrad.matrix_exp(minigrad.ones(2, 3)),
    "linalg.lstsq": lambda: linalg.lstsq(minigrad.ones(3, 2), minigrad.ones(3, 1), driver="gel"),
    "svd_lowrank": lambda: minigrad.svd_lowrank(minigrad.ones(3, 2), q=-1),
    "cdist": lambda: minigrad.cdist(minigrad.ones(2, 3), minigrad.ones(2, 2)),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_name_the_operation_and_an_argument(name):
    with pytest.raises((ArgumentError, TypeError), match=rf"{name}\(\): .*'"):
        REFUSALS[name]()


@pytest.mark.parametrize("upper", [False, True])
def test_a_large_triangular_system(upper):
    """Larger than what is solved at once, with one matrix for several right sides."""
    A = drawn(150, 150) + 20 * minigrad.eye(150, dtype=minigrad.float64)
    B = drawn(2, 150, 3)
    triangle = minigrad.triu(A) if upper else minigrad.tril(A)
    close(triangle @ linalg.solve_triangular(A, B, upper=upper), B)
    right = linalg.solve_triangular(A, B.mT, upper=upper, left=False)
    close(right @ triangle, B.mT)


@pytest.mark.parametrize("p", [None, 2, -2, 1, -1, float("inf"), float("-inf"), "fro", "nuc"])
def test_condition_numbers_of_all_orders(p):
    A = drawn(2, 3, 3)
    A[1] = minigrad.tensor([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 1.0]])
    torch, there = torchs(A)
    found = linalg.cond(A, p).numpy()
    expected = torch.linalg.cond(there, p).numpy()
    numpy.testing.assert_allclose(found[0], expected[0], rtol=1e-9)
    if p in (None, 2, -2):
        assert min(found[1], 1 / found[1]) < 1e-15
    else:
        # torch's number of order "nuc" is of rounded singular values, and not quite inf.
        assert found[1] == float("inf")
        assert expected[1] > 1e15
