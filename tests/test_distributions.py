"""Every distribution's functions against torch's: values, gradients, shapes, dtypes, expansion."""

from __future__ import annotations

import zlib

import numpy
import pytest

import minigrad
from minigrad import distributions
from tests.distribution_cases import CASES, SHAPES

torch = pytest.importorskip("torch", reason="the values are compared with torch's")

PROPERTIES = ("mean", "mode", "variance", "stddev")
METHODS = ("entropy", "perplexity")
OF_VALUE = ("log_prob", "cdf")


def drawn(case, shape, seed=0):
    """Parameters and a value as arrays, the same in every run."""
    rng = numpy.random.default_rng((zlib.crc32(case.id.encode()), len(shape), seed))
    parameters = case.parameters(rng, shape)
    return parameters, case.values(rng, shape, parameters)


def ours(case, parameters, dtype="float64", requires_grad=False):
    tensors = {
        name: minigrad.tensor(value, dtype=dtype, requires_grad=requires_grad)
        for name, value in parameters.items()
    }
    return getattr(distributions, case.name)(**tensors, **case.constants), tensors


def theirs(case, parameters, dtype="float64", requires_grad=False):
    tensors = {
        name: torch.tensor(value, dtype=getattr(torch, dtype), requires_grad=requires_grad)
        for name, value in parameters.items()
    }
    return getattr(torch.distributions, case.name)(**tensors, **case.constants), tensors


def answer(distribution, what, *arguments):
    """What a distribution answers, or None where it says that it has no such thing."""
    try:
        found = getattr(distribution, what)
        return found(*arguments) if callable(found) else found
    except NotImplementedError:
        return None


def assert_same(found, expected, tolerance, what):
    assert tuple(found.shape) == tuple(expected.shape), what
    values = expected.detach().numpy()
    assert str(found.dtype) == str(values.dtype), what
    numpy.testing.assert_allclose(
        found.detach().numpy(), values, rtol=tolerance, atol=tolerance, err_msg=what
    )


def questions(case, value, library):
    """All that can be asked of a case, with arguments in either library."""
    for what in (*PROPERTIES, *METHODS):
        yield what, ()
    for what in OF_VALUE:
        yield what, (value,)
    if not case.discrete:
        rng = numpy.random.default_rng(1)
        yield "icdf", (library.tensor(rng.uniform(0.05, 0.95, tuple(value.shape))),)


@pytest.fixture(autouse=True)
def doubles():
    """Constants inside torch's distributions in double precision, as the parameters are."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_answers_and_gradients_equal_torchs(case, shape):
    parameters, number = drawn(case, shape)
    mine, leaves = ours(case, parameters, requires_grad=True)
    other, their_leaves = theirs(case, parameters, requires_grad=True)
    value = minigrad.tensor(number, requires_grad=not case.discrete)
    their_value = torch.tensor(number, requires_grad=not case.discrete)
    assert tuple(mine.batch_shape) == tuple(other.batch_shape)
    assert tuple(mine.event_shape) == tuple(other.event_shape)
    assert mine.has_rsample == other.has_rsample
    asked = 0
    wrt = [*leaves.values(), *([] if case.discrete else [value])]
    their_wrt = [*their_leaves.values(), *([] if case.discrete else [their_value])]
    for (what, arguments), (_, their_arguments) in zip(
        questions(case, value, minigrad), questions(case, their_value, torch)
    ):
        expected = None if what in case.skip else answer(other, what, *their_arguments)
        if expected is None:
            continue
        asked += 1
        found = answer(mine, what, *arguments)
        assert found is not None, f"{what} is missing"
        assert_same(found, expected, case.tolerance, what)
        if expected.requires_grad:
            assert found.requires_grad, f"{what} is detached"
            assert_same_gradients(case, what, found, expected, wrt, their_wrt)
    assert asked


def assert_same_gradients(case, what, found, expected, wrt, their_wrt):
    """Gradients of a projection; where torch refuses one, so do we."""
    numbers = weights(expected)
    try:
        wanted = torch.autograd.grad(
            (expected * torch.tensor(numbers)).sum(),
            their_wrt,
            retain_graph=True,
            allow_unused=True,
        )
    except RuntimeError as error:
        if "not implemented" not in str(error):
            raise
        with pytest.raises(RuntimeError, match="not implemented"):
            found.sum().backward(retain_graph=True)
        return
    gradients = minigrad.autograd.grad(
        (found * minigrad.tensor(numbers)).sum(), wrt, retain_graph=True, allow_unused=True
    )
    for gradient, want, leaf in zip(gradients, wanted, their_wrt):
        want = torch.zeros_like(leaf) if want is None else want
        gradient = minigrad.zeros(tuple(leaf.shape)).double() if gradient is None else gradient
        if case.triangular and leaf is their_wrt[-2]:
            # torch gives slopes to the upper triangle, which it does not read.
            want, gradient = want.tril(), gradient.tril()
        assert_same(gradient, want, 10 * case.tolerance, f"the gradient of {what}")


def weights(like):
    return numpy.random.default_rng(2).uniform(0.5, 1.5, tuple(like.shape))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_single_precision_stays_single(case):
    torch.set_default_dtype(torch.float32)
    parameters, number = drawn(case, (2, 3))
    mine, _ = ours(case, parameters, "float32")
    other, _ = theirs(case, parameters, "float32")
    value = minigrad.tensor(number, dtype="float32")
    their_value = torch.tensor(number, dtype=torch.float32)
    for what, arguments in (("mean", ()), ("variance", ()), ("entropy", ()), ("log_prob", None)):
        if what in case.skip:
            continue
        expected = answer(other, what, *(arguments if arguments is not None else (their_value,)))
        if expected is None:
            continue
        found = answer(mine, what, *(arguments if arguments is not None else (value,)))
        assert_same(found, expected, max(2e-4, 10 * case.tolerance), what)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_an_expanded_distribution_is_the_same(case):
    parameters, number = drawn(case, (3,))
    plain, _ = ours(case, parameters)
    wide = plain.expand((2, 3))
    assert type(wide) is type(plain)
    assert tuple(wide.batch_shape) == (2, 3)
    assert wide.event_shape == plain.event_shape
    value = minigrad.tensor(number)
    once = plain.log_prob(value)
    twice = wide.log_prob(value)
    assert tuple(twice.shape) == (2, *once.shape)
    for row in twice.numpy():
        numpy.testing.assert_allclose(row, once.numpy(), rtol=1e-12)
    assert tuple(wide.sample((5,)).shape) == (5, 2, 3, *plain.event_shape)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_sample_has_its_shape_and_dtype_and_lies_in_the_support(case):
    parameters, _ = drawn(case, (2, 3))
    for dtype in ("float32", "float64"):
        mine, leaves = ours(case, parameters, dtype, requires_grad=True)
        kind = "int64" if case.name == "Categorical" else dtype
        for shape in ((), (4,), (2, 0)):
            sample = mine.sample(shape)
            assert tuple(sample.shape) == (*shape, 2, 3, *mine.event_shape)
            assert not sample.requires_grad
            assert str(sample.dtype) == kind
            assert bool(mine.support.check(sample).all())
            mine.log_prob(sample)
        if mine.has_rsample:
            assert mine.rsample((4,)).requires_grad
        else:
            with pytest.raises(NotImplementedError, match="rsample"):
                mine.rsample()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_seed_means_the_same_sample(case):
    parameters, _ = drawn(case, (3,))
    mine, _ = ours(case, parameters)
    first, other = mine.sample((2,)), mine.sample((2,))
    minigrad.manual_seed(0)
    assert minigrad.equal(mine.sample((2,)), first)
    assert case.discrete or not minigrad.equal(first, other)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_values_of_a_discrete_distribution_are_enumerated(case):
    parameters, _ = drawn(case, (2, 3))
    mine, _ = ours(case, parameters)
    other, _ = theirs(case, parameters)
    assert mine.has_enumerate_support == other.has_enumerate_support
    for expand in (True, False):
        if mine.has_enumerate_support:
            assert_same(mine.enumerate_support(expand), other.enumerate_support(expand), 0, "it")
        else:
            with pytest.raises(NotImplementedError, match="enumerate_support"):
                mine.enumerate_support(expand)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_value_that_is_no_number_is_refused(case):
    parameters, number = drawn(case, (3,))
    mine, _ = ours(case, parameters)
    with pytest.raises(ValueError, match=r"argument 'value'.*nan"):
        mine.log_prob(minigrad.tensor(number * numpy.nan))
    with pytest.raises(ValueError, match="must be a Tensor"):
        mine.log_prob("0.5")
    with pytest.raises(ValueError, match="shape"):
        mine.log_prob(minigrad.zeros(7, *mine.event_shape, 7))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_parameter_that_is_no_number_is_refused(case):
    parameters, _ = drawn(case, (3,))
    name = next(iter(parameters))
    with pytest.raises(ValueError, match=rf"argument '{name}'.*nan"):
        ours(case, {**parameters, name: parameters[name] * numpy.nan})
