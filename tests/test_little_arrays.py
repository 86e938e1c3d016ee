"""What is done in another way for little arrays, to start faster, is the same for large ones."""

import numpy as np
import pytest

import minigrad
from minigrad.backend import backend_of, numpy
from minigrad.ops import matmul

SIDE = round(matmul._LITTLE**0.5)
EXACT = {"float32": 1e-5, "float64": 1e-13, "complex64": 1e-5, "int64": 0}
"""Tolerances for sums of some hundred products: the order of adding up is the library's."""


def values(*shape, dtype="float32", seed=0):
    rng = np.random.default_rng(seed)
    if dtype == "int64":
        return rng.integers(-9, 9, shape)
    real = rng.normal(size=shape)
    return (real + 1j * rng.normal(size=shape) if dtype == "complex64" else real).astype(dtype)


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize(
    "shape",
    [
        *((1, 1, 1), (1, 7, 1), (5, 1, 3), (0, 3, 2), (3, 0, 2), (4, 3, 0)),
        *((SIDE - 1, 9, SIDE), (SIDE, 9, SIDE), (2 * SIDE, 3, SIDE)),
    ],
)
def test_products_of_matrices_are_numpys(shape, dtype):
    rows, inner, columns = shape
    a, b = values(rows, inner, dtype=dtype), values(inner, columns, dtype=dtype, seed=1)
    for left in (a, np.asfortranarray(a), np.repeat(a, 2, axis=1)[:, ::2]):
        product = minigrad.matmul(minigrad.from_numpy(left), minigrad.from_numpy(b)).numpy()
        assert product.dtype == dtype
        assert product.shape == (rows, columns)
        np.testing.assert_allclose(product, a @ b, rtol=EXACT[dtype], atol=10 * EXACT[dtype])


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 6, 1), (SIDE, 9, SIDE), (9, SIDE, SIDE)])
@pytest.mark.parametrize("bias", [False, True])
def test_gradients_of_a_layer_are_products(shape, bias):
    rows, inner, outer = shape
    x, w, g = values(rows, inner), values(outer, inner, seed=1), values(rows, outer, seed=2)
    leaves = [minigrad.tensor(array, requires_grad=True) for array in (x, w)]
    constant = minigrad.tensor(values(outer), requires_grad=True) if bias else None
    out = minigrad.nn.functional.linear(*leaves, constant)
    for create in (False, True):
        found = minigrad.autograd.grad(
            out, leaves, minigrad.tensor(g), retain_graph=True, create_graph=create
        )
        for gradient, expected in zip(found, (g @ w, g.T @ x), strict=True):
            np.testing.assert_allclose(gradient.detach().numpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [numpy._LITTLE - 8, numpy._LITTLE, numpy._LITTLE + 8])
@pytest.mark.parametrize("place", [None, 0, 1])
def test_the_gradient_of_a_sum_is_its_own(size, place):
    x = minigrad.tensor(values(size // 8, 8), requires_grad=True)
    total = x.sum() if place is None else x.sum(place)
    seed = values(*total.shape, seed=1)
    total.backward(minigrad.tensor(seed))
    expected = np.broadcast_to(seed if place != 1 else seed[:, None], x.shape).copy()
    assert x.grad.numpy().tolist() == expected.tolist()
    x.grad[0, 0] = 100
    expected[0, 0] = 100
    assert x.grad.numpy().tolist() == expected.tolist()


@pytest.mark.parametrize("shape", [(), (1,), (8,), (1, 8), (3, 1, 8), (3, 5, 1)])
@pytest.mark.parametrize("rows", [5, 500])
def test_arrays_are_spread_as_numpy_broadcasts(shape, rows):
    array = values(*shape)
    if array.ndim == 3 and shape[1] != 1:
        array = array[:, :1].repeat(rows, 1)
    size = (3, rows, 8)
    found = backend_of(array).spread(array, size)
    assert found.shape == size
    assert found.dtype == array.dtype
    assert found.tolist() == np.broadcast_to(array, size).tolist()
