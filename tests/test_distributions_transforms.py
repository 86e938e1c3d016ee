"""Transforms, constraints, and distributions that are made of others, against torch's."""

from __future__ import annotations

import copy

import numpy
import pytest

import minigrad
from minigrad import distributions
from minigrad.distributions import biject_to, constraints, transform_to, transforms
from tests.test_distributions import assert_same, doubles

torch = pytest.importorskip("torch", reason="the values are compared with torch's")
theirs = torch.distributions
assert doubles

ELEMENTWISE = {
    "exp": lambda t, lib: t.ExpTransform(),
    "power": lambda t, lib: t.PowerTransform(lib.tensor([1.5]).double()),
    "sigmoid": lambda t, lib: t.SigmoidTransform(),
    "softplus": lambda t, lib: t.SoftplusTransform(),
    "tanh": lambda t, lib: t.TanhTransform(),
    "affine": lambda t, lib: t.AffineTransform(0.5, -2.0),
    "affine of tensors": lambda t, lib: t.AffineTransform(
        lib.tensor([0.5, 1.0, -1.0]).double(), lib.tensor([-2.0, 0.5, 3.0]).double()
    ),
    "composed": lambda t, lib: t.ComposeTransform([t.TanhTransform(), t.AffineTransform(1.0, 2.0)]),
    "inverse": lambda t, lib: t.ExpTransform().inv,
    "identity": lambda t, lib: t.identity_transform,
}
JOINT = {
    "stick breaking": (lambda t: t.StickBreakingTransform(), (2, 3)),
    "correlations": (lambda t: t.CorrCholeskyTransform(), (2, 6)),
    "independent": (lambda t: t.IndependentTransform(t.ExpTransform(), 1), (2, 3)),
    "affine": (lambda t: t.AffineTransform(0.5, 2.0, event_dim=1), (2, 3)),
    "reshape": (lambda t: t.ReshapeTransform((2, 3), (6,)), (4, 2, 3)),
    "stack": (lambda t: t.StackTransform([t.ExpTransform(), t.TanhTransform()], 0), (2, 3)),
    "cat": (
        lambda t: t.CatTransform([t.ExpTransform(), t.identity_transform], 1, [2, 1]),
        (2, 3),
    ),
    "nested": (
        lambda t: t.ComposeTransform([t.AffineTransform(0.0, 2.0), t.StickBreakingTransform()]),
        (2, 3),
    ),
}
ONE_WAY = {
    "softmax": (lambda t: t.SoftmaxTransform(), (2, 3)),
    "lower": (lambda t: t.LowerCholeskyTransform(), (2, 3, 3)),
    "positive definite": (lambda t: t.PositiveDefiniteTransform(), (2, 3, 3)),
    "abs": (lambda t: t.AbsTransform(), (2, 3)),
}


def numbers(shape, low=0.1, high=1.2):
    return numpy.random.default_rng(5).uniform(low, high, shape)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_volume_of_a_function_of_numbers_is_its_slope(name):
    transform = ELEMENTWISE[name](transforms, minigrad)
    x = minigrad.tensor(numbers((2, 3)), requires_grad=True)
    y = transform(x)
    (slope,) = minigrad.autograd.grad(y.sum(), x, retain_graph=True)
    volume = transform.log_abs_det_jacobian(x, y)
    numpy.testing.assert_allclose(
        volume.detach().numpy(), numpy.log(numpy.abs(slope.numpy())), rtol=1e-9, atol=1e-12
    )
    expected = ELEMENTWISE[name](theirs.transforms, torch)(torch.tensor(numbers((2, 3))))
    assert_same(y, expected, 1e-12, name)
    assert minigrad.allclose(transform.inv(y), x)
    sign = transform.sign
    sign = sign.numpy() if isinstance(sign, minigrad.Tensor) else sign
    assert (numpy.sign(slope.numpy()) == sign).all()


@pytest.mark.parametrize("name", [*JOINT, *ONE_WAY])
def test_functions_of_vectors_equal_torchs(name):
    make, shape = {**JOINT, **ONE_WAY}[name]
    x = numbers(shape, -1.0, 1.0)
    mine, other = make(transforms), make(theirs.transforms)
    y, their_y = mine(minigrad.tensor(x)), other(torch.tensor(x))
    assert_same(y, their_y, 1e-12, name)
    assert mine.bijective == other.bijective
    if not hasattr(mine, "transforms"):
        assert tuple(mine.forward_shape(minigrad.Size(shape))) == tuple(y.shape)
        assert bool(mine.codomain.check(y).all())
    assert_same(mine.inv(y), other.inv(their_y), 1e-9, "the inverse")
    if name in JOINT:
        volume = mine.log_abs_det_jacobian(minigrad.tensor(x), y)
        expected = other.log_abs_det_jacobian(torch.tensor(x), their_y)
        assert_same(volume, expected, 1e-9, "the volume")
        back = mine.inv.log_abs_det_jacobian(y, minigrad.tensor(x))
        assert minigrad.allclose(back, -volume)


def test_stick_breaking_has_the_volume_of_its_jacobian():
    transform = transforms.StickBreakingTransform()
    x = minigrad.tensor(numbers((3,)), requires_grad=True)
    y = transform(x)
    rows = [minigrad.autograd.grad(y[i], x, retain_graph=True)[0].numpy() for i in range(3)]
    volume = transform.log_abs_det_jacobian(x, y).item()
    assert volume == pytest.approx(numpy.linalg.slogdet(numpy.stack(rows))[1])


def test_a_cache_makes_the_inverse_exact_and_free():
    transform = transforms.SigmoidTransform(cache_size=1)
    x = minigrad.tensor([60.0])
    y = transform(x)
    assert transform(x) is y
    assert transform.inv(y) is x
    assert transforms.SigmoidTransform().inv(y) is not x
    composed = transforms.ComposeTransform([transforms.ExpTransform()] * 2).with_cache()
    assert composed.inv(composed(x * 0)).tolist() == [0.0]
    assert transform.with_cache(1) is transform
    assert copy.deepcopy(transform)._cached == (None, None)
    with pytest.raises(ValueError, match="cache_size"):
        transforms.ExpTransform(cache_size=2)


def test_the_inverse_of_an_inverse_is_the_transform_and_equals_its_like():
    exp = transforms.ExpTransform()
    assert exp.inv.inv is exp
    assert exp.inv == transforms.ExpTransform().inv != transforms.TanhTransform().inv
    composed = transforms.ComposeTransform([exp, transforms.AffineTransform(0, 2)])
    assert composed.inv.inv is composed
    assert composed == transforms.ComposeTransform([exp, transforms.AffineTransform(0, 2)])
    assert transforms.AffineTransform(0, 1) != transforms.AffineTransform(0, minigrad.tensor(2.0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: transforms.ReshapeTransform((2, 3), (5,)), "in_shape"),
        (lambda: transforms.CatTransform([3]), "tseq"),
        (lambda: transforms.StackTransform([transforms.ExpTransform()])(minigrad.ones(2)), "1"),
        (lambda: transforms.CorrCholeskyTransform()(minigrad.ones(4)), "length 4"),
        (lambda: transforms.StickBreakingTransform().forward_shape(()), "1 dim"),
        (lambda: distributions.TransformedDistribution(distributions.Normal(0.0, 1.0), 3), "trans"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


SETS = {
    "real": ((), None), "positive": ((), None), "nonnegative": ((), None),
    "unit_interval": ((), None), "greater_than": ((), (-2.0,)), "greater_than_eq": ((), (3.0,)),
    "less_than": ((), (-2.0,)), "interval": ((), (-3.0, 5.0)),
    "half_open_interval": ((), (-3.0, 5.0)), "simplex": ((3,), None),
    "corr_cholesky": ((6,), None), "lower_cholesky": ((3, 3), None),
    "positive_definite": ((3, 3), None), "real_vector": ((3,), None),
}  # fmt: skip


@pytest.mark.parametrize("registry", [biject_to, transform_to], ids=["biject_to", "transform_to"])
@pytest.mark.parametrize("name", SETS)
def test_unconstrained_numbers_are_brought_into_a_set(name, registry):
    event, arguments = SETS[name]
    found, other = (getattr(lib, name) for lib in (constraints, theirs.constraints))
    if arguments is not None:
        found, other = found(*arguments), other(*arguments)
    kind = "biject_to" if registry is biject_to else "transform_to"
    try:
        their_transform = getattr(theirs, kind)(other)
    except NotImplementedError:
        with pytest.raises(NotImplementedError, match="registered"):
            registry(found)
        return
    x = numbers((4, *event), -1.5, 1.5)
    transform = registry(found)
    y = transform(minigrad.tensor(x))
    assert bool(found.check(y).all())
    assert_same(y, their_transform(torch.tensor(x)), 1e-12, name)
    if transform.bijective:
        assert minigrad.allclose(transform.inv(y), minigrad.tensor(x), atol=1e-6)


MATRICES = numpy.stack(
    [numpy.eye(3), -numpy.eye(3), numpy.tri(3), numpy.ones((3, 3)), 2 * numpy.eye(3) + 0.3]
)
CHECKED = {
    "boolean": [0, 1, 0.5, -1], "nonnegative_integer": [0, 1, 0.5, -1, 1e6],
    "positive_integer": [0, 1, 2.5], "real": [1.0, numpy.nan, numpy.inf],
    "positive": [0, 1e-30, -1], "nonnegative": [0, -1e-30], "unit_interval": [0, 1, 1.1, -0.1],
    "one_hot": [[0, 1, 0], [1, 1, 0], [0, 0, 0], [0.5, 0.5, 0]],
    "simplex": [[0.2, 0.8], [0.2, 0.7], [-0.2, 1.2]], "lower_triangular": MATRICES,
    "lower_cholesky": MATRICES, "corr_cholesky": MATRICES, "square": MATRICES,
    "symmetric": MATRICES, "positive_semidefinite": MATRICES, "positive_definite": MATRICES,
}  # fmt: skip


@pytest.mark.parametrize("name", CHECKED)
def test_sets_hold_what_torchs_hold(name):
    values = numpy.asarray(CHECKED[name], float)
    found = getattr(constraints, name).check(minigrad.tensor(values))
    wanted = getattr(theirs.constraints, name).check(torch.tensor(values))
    assert found.tolist() == wanted.tolist()
    assert repr(getattr(constraints, name)) == repr(getattr(theirs.constraints, name))


def test_a_transformed_distribution_equals_torchs():
    def made(lib):
        d, t = lib.distributions, lib.distributions.transforms
        base = d.Normal(lib.zeros(3).double(), lib.ones(3).double())
        return d.TransformedDistribution(base, [t.AffineTransform(0.5, -2.0), t.ExpTransform()])

    mine, other = made(minigrad), made(torch)
    x = numbers((2, 3))
    for what in ("log_prob", "cdf", "icdf"):
        value = x / 2 if what == "icdf" else x
        found, wanted = getattr(mine, what), getattr(other, what)
        assert_same(found(minigrad.tensor(value)), wanted(torch.tensor(value)), 1e-10, what)
    wide = mine.expand((4, 3))
    assert tuple(wide.rsample((2,)).shape) == (2, 4, 3)
    assert wide.has_rsample
    with pytest.raises(ValueError, match="argument 'value'"):
        mine.log_prob(-minigrad.ones(3))


def mixture(lib):
    d = lib.distributions
    weights = lib.tensor(numbers((2, 4)))
    means = lib.tensor(numbers((2, 4, 3), -2.0, 2.0))
    parts = d.Independent(d.Normal(means, lib.ones(2, 4, 3).double()), 1)
    return d.MixtureSameFamily(d.Categorical(weights), parts)


def test_a_mixture_equals_torchs():
    mine, other = mixture(minigrad), mixture(torch)
    x = numbers((5, 2, 3))
    assert_same(mine.log_prob(minigrad.tensor(x)), other.log_prob(torch.tensor(x)), 1e-10, "it")
    assert_same(mine.mean, other.mean, 1e-10, "mean")
    assert_same(mine.variance, other.variance, 1e-10, "variance")
    sample = mine.sample((4000,))
    assert tuple(sample.shape) == (4000, 2, 3)
    error = (mine.variance / 4000).sqrt() * 5
    assert bool(((sample.mean(0) - mine.mean).abs() < error).all())
    assert tuple(mine.expand((7, 2)).sample().shape) == (7, 2, 3)
    with pytest.raises(ValueError, match="components' batch"):
        distributions.MixtureSameFamily(
            distributions.Categorical(minigrad.ones(3)),
            distributions.Normal(minigrad.zeros(4), 1.0),
        )


def test_validation_is_a_choice():
    bad = minigrad.tensor([1.0, -1.0])
    with pytest.raises(ValueError, match=r"Normal\(\): argument 'scale'.*-1.0"):
        distributions.Normal(0.0, bad)
    assert distributions.Normal(0.0, bad, validate_args=False).scale is not None
    distributions.Distribution.set_default_validate_args(False)
    try:
        distributions.Normal(0.0, bad)
    finally:
        distributions.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="exactly one"):
        distributions.Bernoulli(0.5, 0.5)
    with pytest.raises(ValueError, match="exactly one"):
        distributions.Bernoulli()
    with pytest.raises(ValueError, match="numbers, not str"):
        distributions.Normal("0", 1.0)
    with pytest.raises(NotImplementedError, match="Poisson has no cdf"):
        distributions.Poisson(1.0).cdf(minigrad.ones(1))


def test_infinite_and_undefined_moments_are_said():
    alpha = minigrad.tensor([0.5, 1.5, 3.0])
    pareto = distributions.Pareto(minigrad.ones(3), alpha)
    assert pareto.mean.isinf().tolist() == [True, False, False]
    assert pareto.variance.isinf().tolist() == [True, True, False]
    modes = distributions.Weibull(minigrad.ones(3), alpha).mode
    assert modes.tolist()[0] == 0
    assert distributions.Cauchy(0.0, 1.0).mean.isnan().item()


def test_the_attribute_is_there_and_importing_alone_does_not_load_it():
    assert minigrad.distributions is distributions
    assert set(theirs.__all__) <= set(dir(distributions))
