"""HIPS autograd's transforms: against formulas, NumPy and finite differences."""

import numpy
import pytest

import minigrad
import minigrad.compat.autograd.numpy as np
import minigrad.compat.autograd.numpy.random as npr
from minigrad.compat import autograd
from minigrad.compat.autograd import (
    checkpoint,
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_vector_product,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    multigrad_dict,
    value_and_grad,
    vector_jacobian_product,
)
from minigrad.compat.autograd.extend import defvjp, notrace_primitive, primitive
from minigrad.compat.autograd.numpy.linalg import slogdet
from minigrad.compat.autograd.scipy.integrate import odeint

A = numpy.random.default_rng(0).standard_normal((4, 4))
X = numpy.random.default_rng(1).standard_normal(4)


def near(found, expected):
    numpy.testing.assert_allclose(numpy.asarray(found), expected, 1e-9, 1e-12)


def quadratic(x):
    return np.dot(np.dot(x, A), x)


def test_a_gradient_of_any_order():
    function = np.tanh
    values = [0.7864477329659274, -0.7268619813835872, -0.5652092882597706]
    for value in values:
        function = grad(function)
        near(function(0.5), value)


def test_results_carry_no_graph_unless_something_outside_requires_a_gradient():
    assert not grad(quadratic)(X).requires_grad
    assert not value_and_grad(quadratic)(X)[0].requires_grad
    weight = minigrad.tensor(2.0, dtype=minigrad.float64, requires_grad=True)
    slope = grad(lambda x: weight * x**2)(3.0)
    assert slope.requires_grad
    slope.backward()
    near(weight.grad, 6.0)


def test_transforms_nest_with_closures():
    near(grad(lambda x: grad(lambda y: x * y**2)(2.0))(3.0), 4.0)
    near(grad(lambda x, y: grad(lambda z: z * x * y)(2.0))(3.0, 4.0), 4.0)


def test_second_derivatives():
    near(hessian(quadratic)(X), A + A.T)
    near(hessian_vector_product(quadratic)(X, X), (A + A.T) @ X)
    product, slope = make_hvp(quadratic)(X)
    near(product(X), (A + A.T) @ X)
    near(slope, (A + A.T) @ X)


def test_products_with_the_jacobian():
    def function(x):
        return np.sin(np.dot(A, x))

    expected = numpy.cos(A @ X)[:, None] * A
    near(jacobian(function)(X), expected)
    near(vector_jacobian_product(function)(X, X), X @ expected)
    pullback, value = make_vjp(function)(X)
    near(value, numpy.sin(A @ X))
    near(pullback(X), X @ expected)
    near(pullback(X), X @ expected)
    value, tangent = make_jvp(function)(X)(X)
    near(value, numpy.sin(A @ X))
    near(tangent, expected @ X)
    near(make_ggnvp(function)(X)(X), expected.T @ expected @ X)
    assert jacobian(lambda x: np.reshape(function(x), (2, 2)))(X).shape == (2, 2, 4)


def test_arguments_of_other_forms():
    parameters = {"a": X, "b": [2 * X, (3 * X,)]}
    found = grad(lambda p: np.sum(p["a"] * p["b"][0] * p["b"][1][0]))(parameters)
    near(found["a"], 6 * X**2)
    near(found["b"][0], 3 * X**2)
    near(found["b"][1][0], 2 * X**2)
    assert isinstance(found["b"][1], tuple)
    one, other = grad(lambda x, y: x * y**2, (0, 1))(2.0, 3.0)
    near(one, 9.0)
    near(other, 12.0)
    near(grad_named(lambda x, y: x * y**2, "y")(2.0, 3.0), 12.0)
    both = multigrad_dict(lambda x, y=3.0: x * y**2)(2.0)
    near(both["x"], 9.0)
    near(both["y"], 12.0)


def test_values_beside_gradients():
    value, slope = value_and_grad(quadratic)(X)
    near(value, X @ A @ X)
    near(slope, (A + A.T) @ X)
    slope, other = grad_and_aux(lambda x: (x**2, [x * 3]))(2.0)
    near(slope, 4.0)
    near(other[0], 6.0)
    assert not other[0].requires_grad
    near(elementwise_grad(np.sin)(X), numpy.cos(X))
    near(deriv(np.sin)(0.5), numpy.cos(0.5))
    near(grad(lambda x: 3.0)(1.0), 0.0)


def test_complex_gradients_are_the_conjugate_of_torchs():
    z = 1 + 2j
    near(grad(lambda z: np.real(np.conj(z) * z))(z), 2 - 4j)
    near(holomorphic_grad(np.sin)(z), numpy.cos(z))
    tensor = minigrad.tensor(z, dtype=minigrad.complex128, requires_grad=True)
    (tensor.conj() * tensor).real.backward()
    near(tensor.grad, 2 + 4j)


def test_dtypes_of_gradients_are_those_of_arguments():
    for dtype in (numpy.float16, numpy.float32):
        assert grad(lambda x: np.sum(x**2))(X.astype(dtype)).dtype.type is dtype


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: grad(np.sin)(X), TypeError, "one real number"),
        (lambda: grad(np.sin)(3), TypeError, "write 3.0 for 3"),
        (lambda: grad(np.sin)(1j), TypeError, "holomorphic_grad"),
        (lambda: grad(np.sin, 1)(1.0), TypeError, "argnum is 1"),
        (lambda: grad(np.sin)("a"), TypeError, "no gradient"),
        (lambda: elementwise_grad(lambda x: x + 1j)(1.0), TypeError, "real numbers"),
        (lambda: make_vjp(np.sin)(1.0)[0]((1.0, 2.0)), ValueError, "1 arrays"),
        (lambda: jacobian(lambda p: p[0] + p[1])([1.0, 2.0]), TypeError, "one array"),
    ],
)
def test_what_cannot_be_differentiated_says_why(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_primitive_of_the_users_own():
    seen = []

    @primitive
    def cube(x, scale=1.0):
        seen.append(type(x))
        return scale * x**3

    defvjp(cube, lambda ans, x, scale=1.0: lambda g: g * scale * 3 * x**2)
    near(cube(X), X**3)
    near(elementwise_grad(lambda x: cube(x, scale=2.0))(X), 6 * X**2)
    near(hessian(lambda x: np.sum(cube(x)))(X), numpy.diag(6 * X))
    assert set(seen) == {numpy.ndarray}

    @primitive
    def bare(x):
        return x

    with pytest.raises(NotImplementedError, match="argument 0"):
        grad(bare)(1.0)
    assert notrace_primitive(numpy.argmax)(np.array(X)) == X.argmax()


def test_a_checkpoint_changes_no_number():
    def plain(x, y):
        return np.sin(x * y) + y**2

    def run(function):
        return lambda x: function(x, x / 3.0) + function(x, x**2)

    near(grad(run(checkpoint(plain)))(3.0), grad(run(plain))(3.0))
    near(grad(grad(run(checkpoint(plain))))(3.0), grad(grad(run(plain)))(3.0))


def test_a_gaussian_density_as_a_user_of_autograd_writes_it():
    def density(mean, root):
        covariance = np.dot(root, root.T) + np.eye(4)
        off = X - mean
        sign, logarithm = slogdet(covariance)
        return -0.5 * (np.dot(off, np.linalg.solve(covariance, off)) + sign * logarithm)

    found = grad(density)(np.zeros(4), A)
    near(found, numpy.linalg.solve(A @ A.T + numpy.eye(4), X))
    step = 1e-6 * numpy.eye(4)[0]
    slope = (density(step, A) - density(-step, A)) / 2e-6
    assert float(found[0]) == pytest.approx(float(slope), rel=1e-6)


def test_random_numbers_are_numpys_own():
    npr.seed(3)
    near(npr.randn(2, 3), numpy.random.RandomState(3).randn(2, 3))
    near(npr.RandomState(1).normal(2.0, 3.0, 4), numpy.random.RandomState(1).normal(2.0, 3.0, 4))
    near(npr.default_rng(1).random(3), numpy.random.default_rng(1).random(3))
    noise = numpy.random.RandomState(1).standard_normal(4)
    found = grad(lambda s: np.sum(npr.RandomState(1).normal(0.0, s, 4)))(2.0)
    near(found, noise.sum())
    with pytest.raises(RuntimeError, match="no derivative"):
        grad(lambda s: np.sum(npr.gamma(s, 1.0, 4)))(2.0)
    numbers = np.arange(10.0)
    npr.RandomState(0).shuffle(numbers)
    assert sorted(numbers.tolist()) == list(range(10))


def test_a_differential_equation():
    times = numpy.linspace(0.0, 2.0, 5)

    def solved(y0, rate):
        return odeint(lambda y, t, k: np.array([y[1], -k * y[0]]), y0, times, (rate,))

    root = numpy.sqrt(2.0)
    near_enough = {"rtol": 1e-6, "atol": 1e-6}
    numpy.testing.assert_allclose(
        solved(numpy.array([1.0, 0.0]), 2.0)[:, 0], numpy.cos(root * times), **near_enough
    )
    slope = jacobian(lambda k: solved(numpy.array([1.0, 0.0]), k)[:, 0])(2.0)
    expected = -times * numpy.sin(root * times) / (2 * root)
    numpy.testing.assert_allclose(slope, expected, **near_enough)
    start = jacobian(lambda y0: solved(y0, 2.0)[-1, 0])(numpy.array([1.0, 0.0]))
    expected = [numpy.cos(2 * root), numpy.sin(2 * root) / root]
    numpy.testing.assert_allclose(start, expected, **near_enough)
    end = grad(lambda t: odeint(lambda y, s: y, np.ones(1), np.array([0.0, t]))[-1, 0])(1.0)
    assert float(end) == pytest.approx(numpy.e, rel=1e-6)
    with pytest.raises(ValueError, match="stiff"):
        odeint(lambda y, t: -1e9 * y, np.ones(1), [0.0, 1.0], mxstep=50)


def test_the_names_are_there():
    assert set(autograd.__all__) <= set(dir(autograd))
    assert np.fft.fft is not None
    assert float(autograd.numpy.sum(np.ones(3))) == 3.0
    with pytest.raises(AttributeError, match="it has integrate, special, stats"):
        autograd.scipy.optimize  # noqa: B018


@pytest.mark.parametrize(
    ("name", "args", "named"),
    [
        ("norm", (X, 1.0, 2.0), {}),
        ("norm", (X,), {"loc": 0.5, "scale": 2.0}),
        ("multivariate_normal", (X, numpy.ones(4), A @ A.T + numpy.eye(4)), {}),
        ("multivariate_normal", (X,), {"mean": numpy.ones(4), "cov": numpy.eye(4)}),
        ("beta", (numpy.array([0.2, 0.7]), 2.0, 3.0), {}),
        ("gamma", (X**2, 2.0), {"scale": 2.0}),
        ("chi2", (X**2, 3.0), {}),
        ("t", (X, 3.0, 1.0, 2.0), {}),
        ("dirichlet", (numpy.array([0.3, 0.7]), numpy.array([1.0, 2.0])), {}),
        ("poisson", (numpy.array([1.0, 3.0]), 2.5), {}),
    ],
)
def test_a_density_is_scipys(name, args, named):
    if name not in ("norm", "multivariate_normal") and not hasattr(minigrad, "lgamma"):
        pytest.skip("it needs the gamma function")
    scipy_stats = pytest.importorskip("scipy.stats")
    suffix = "pmf" if name == "poisson" else "pdf"
    ours, theirs = getattr(autograd.scipy.stats, name), getattr(scipy_stats, name)
    for method in ("log" + suffix, suffix, *(("cdf", "sf", "logcdf") if name == "norm" else ())):
        found = getattr(ours, method)(*args, **named)
        numpy.testing.assert_allclose(found, getattr(theirs, method)(*args, **named), 1e-9)
    if len(args) > 1:
        step = 1e-6
        logarithm = getattr(ours, "log" + suffix)
        slope = jacobian(lambda a: logarithm(args[0], a, *args[2:], **named))(args[1])
        move = numpy.ones_like(args[1])
        ends = [
            getattr(theirs, "log" + suffix)(args[0], args[1] + s * move, *args[2:], **named)
            for s in (step, -step)
        ]
        expected = (ends[0] - ends[1]) / (2 * step)
        found = numpy.asarray(slope)
        found = found.sum(-1) if numpy.ndim(args[1]) else found
        numpy.testing.assert_allclose(found, expected, 1e-6, 1e-6)
