"""Transforms of functions: against torch.func, against each other, and what they refuse."""

import copy

import numpy as np
import pytest
import torch

import minigrad
from minigrad import func
from minigrad.autograd import functional
from minigrad.errors import ArgumentError, DtypeError, GraphError
from minigrad.nn import functional as F

F64 = minigrad.float64

# torch's forward mode warns of what it uses itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")


def tensor(*shape, seed=0):
    return minigrad.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def same(ours, theirs, tolerance=1e-10):
    if isinstance(theirs, (tuple, list)):
        for mine, wanted in zip(ours, theirs, strict=True):
            same(mine, wanted, tolerance)
        return
    np.testing.assert_allclose(
        ours.detach().numpy(), theirs.detach().numpy(), rtol=tolerance, atol=tolerance
    )


def theirs(value):
    return torch.from_numpy(value.detach().numpy().copy())


def wave(library):
    return lambda x: (library.sin(x) * library.exp(x)).sum()


def vector(library):
    return lambda x: library.tanh(x @ x.T) + library.sin(x).sum()


NESTED = {
    "grad": (wave, lambda f: lambda T: T.grad(f)),
    "grad grad": (wave, lambda f: lambda T: T.grad(lambda x: T.grad(f)(x).sum())),
    "jacrev": (vector, lambda f: lambda T: T.jacrev(f)),
    "jacfwd": (vector, lambda f: lambda T: T.jacfwd(f)),
    "hessian": (wave, lambda f: lambda T: T.hessian(f)),
    "jacrev jacfwd": (vector, lambda f: lambda T: T.jacrev(T.jacfwd(f))),
    "jacfwd jacfwd": (vector, lambda f: lambda T: T.jacfwd(T.jacfwd(f))),
    "vmap grad": (wave, lambda f: lambda T: T.vmap(T.grad(f))),
    "vmap hessian": (wave, lambda f: lambda T: T.vmap(T.hessian(f))),
    "vmap vmap": (wave, lambda f: lambda T: T.vmap(T.vmap(lambda x: x * x.cos()))),
    "grad vmap grad": (
        wave,
        lambda f: lambda T: T.grad(lambda x: T.vmap(T.grad(f))(x).sin().sum()),
    ),
    "jacfwd vmap grad": (wave, lambda f: lambda T: T.jacfwd(T.vmap(T.grad(f)))),
    "vmap jacrev jacfwd": (
        wave,
        lambda f: lambda T: T.vmap(T.jacrev(T.jacfwd(lambda x: x.sin() * x.sum()))),
    ),
    "grad jvp grad": (
        wave,
        lambda f: lambda T: T.grad(lambda x: T.jvp(T.grad(f), (x,), (x,))[1].sum()),
    ),
    "jvp vmap jvp": (
        wave,
        lambda f: (
            lambda T: (
                lambda x: T.jvp(T.vmap(lambda r: T.jvp(f, (r,), (r * r,))[1]), (x,), (x.cos(),))[1]
            )
        ),
    ),
}


@pytest.mark.parametrize("name", NESTED)
def test_nested_transforms_are_torchs(name):
    made, nest = NESTED[name]
    x = tensor(3, 2)
    found = nest(made(minigrad))(func)(x)
    expected = nest(made(torch))(torch.func)(theirs(x))
    assert not found.requires_grad
    same(found, expected)


def derivative(transform, f, x):
    if transform == "jvp":
        return func.jvp(f, (x,), (minigrad.ones_like(x),))[1]
    if transform == "linearize":
        return func.linearize(f, x)[1](minigrad.ones_like(x))
    return func.grad(f)(x)


KINDS = ("jvp", "grad", "linearize")


@pytest.mark.parametrize("outer", KINDS)
@pytest.mark.parametrize("inner", KINDS)
def test_perturbations_are_not_confused(outer, inner):
    # d/dx [x d/dy (x + y)] is 1, though both derivatives pass through one sum.
    s = minigrad.tensor(2.0, dtype=F64)
    found = derivative(outer, lambda x: x * derivative(inner, lambda y: x + y, s), s)
    assert found.item() == 1.0
    # d/dx [x d/dy (x y)] is 2 x.
    found = derivative(outer, lambda x: x * derivative(inner, lambda y: x * y, s), s)
    assert found.item() == 4.0
    constant = derivative(outer, lambda x: derivative(inner, lambda y: x, s) + 0 * x, s)
    assert constant.item() == 0.0


@pytest.mark.parametrize("kinds", [("jvp", "grad", "jvp"), ("grad", "jvp", "linearize")])
def test_three_derivatives_of_a_sine(kinds):
    first, second, third = kinds

    def f(x):
        return derivative(first, lambda y: derivative(second, minigrad.sin, y), x)

    s = minigrad.tensor(0.7, dtype=F64)
    assert derivative(third, f, s).item() == pytest.approx(-np.cos(0.7), rel=1e-14)


def test_closures_over_tensors_of_outer_graphs_are_followed():
    w = minigrad.tensor(3.0, dtype=F64, requires_grad=True)
    s = minigrad.tensor(2.0, dtype=F64)
    loss = func.grad(lambda x: x * x * w * w)(s)
    loss = loss + func.jvp(lambda x: x * x * w, (s,), (s,))[1]
    loss = loss + func.vmap(lambda x: func.grad(lambda y: y * y * w)(x))(s.reshape(1)).sum()
    loss.backward()
    # 2 x w^2 + 2 x x w + 2 x w
    assert w.grad.item() == pytest.approx(2 * 2 * 2 * 3 + 2 * 2 * 2 + 2 * 2)
    with minigrad.no_grad():
        assert not func.grad(lambda x: x * w)(s).requires_grad
        assert not func.vmap(func.grad(lambda x: x * w))(s.reshape(1)).requires_grad


def test_what_is_switched_off_inside_has_no_derivative():
    def f(x):
        with minigrad.no_grad():
            c = x * x
        return x * c

    s = minigrad.tensor(3.0, dtype=F64)
    assert func.grad(f)(s).item() == 9.0
    assert func.vmap(func.grad(f))(s.reshape(1)).item() == 9.0


def test_structures_go_in_and_come_out():
    def f(parameters, x):
        return {"out": parameters["w"] * x + parameters["b"], "w": parameters["w"]}, "aux"

    parameters = {"w": tensor(2), "b": tensor(2, seed=1)}
    x = tensor(2, seed=2)
    value, back, note = func.vjp(lambda p: f(p, x), parameters, has_aux=True)
    assert note == "aux"
    (gradient,) = back(value)
    same(gradient["b"], value["out"])
    jacobian = func.jacfwd(lambda p: f(p, x)[0])(parameters)
    same(jacobian["out"]["w"], minigrad.diag(x))
    same(jacobian["w"]["b"], minigrad.zeros(2, 2, dtype=F64))
    same(func.jacrev(lambda p: f(p, x)[0])(parameters)["out"]["w"], jacobian["out"]["w"])
    both = func.grad_and_value(lambda p, x: (f(p, x)[0]["out"].sum(), x), (0, 1), has_aux=True)
    (by_p, by_x), (_, same_x) = both(parameters, x)
    same(by_p["w"], x)
    same(by_x, parameters["w"])
    same(same_x, x)
    assert func.value_and_grad(lambda x: x.sum())(x)[0].item() == pytest.approx(x.sum().item())


def test_vmap_of_dimensions_and_structures_is_torchs():
    x, y = tensor(3, 4, 2), tensor(2, 4, seed=1)

    def make(library):
        def f(pair, y, scale):
            a, b = pair
            return {"sum": a @ y + b.sum() * scale, "y": y}

        return library(f, in_dims=((1, None), 1, None), out_dims={"sum": -1, "y": 0})

    ours = make(func.vmap)((x, x), y, 2.0)
    wanted = make(torch.func.vmap)((theirs(x), theirs(x)), theirs(y), 2.0)
    for name in wanted:
        same(ours[name], wanted[name])
    chunked = func.vmap(lambda x: x.cumsum(0), in_dims=1, out_dims=1, chunk_size=3)(x)
    same(chunked, func.vmap(lambda x: x.cumsum(0), in_dims=1, out_dims=1)(x))
    assert func.vmap(lambda x: x + 1)(minigrad.zeros(0, 2)).shape == (0, 2)


def test_gradients_for_each_sample_of_a_network():
    minigrad.manual_seed(0)
    model = minigrad.nn.Sequential(
        minigrad.nn.Conv2d(1, 2, 3),
        minigrad.nn.ReLU(),
        minigrad.nn.MaxPool2d(2),
        minigrad.nn.Flatten(),
        minigrad.nn.LayerNorm(8),
        minigrad.nn.Linear(8, 3),
    ).double()
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    x, y = tensor(4, 1, 6, 6), minigrad.tensor([0, 2, 1, 1])

    def loss(parameters, x, y):
        return F.cross_entropy(func.functional_call(model, parameters, (x[None],)), y[None])

    rows = func.vmap(func.grad(loss), in_dims=(None, 0, 0))(parameters, x, y)
    for place in range(4):
        model.zero_grad()
        F.cross_entropy(model(x[place : place + 1]), y[place : place + 1]).backward()
        for name, parameter in model.named_parameters():
            same(rows[name][place], parameter.grad)


def test_an_ensemble_of_models():
    models = [minigrad.nn.Linear(3, 2) for _ in range(4)]
    parameters, buffers = func.stack_module_state(models)
    assert buffers == {}
    assert parameters["weight"].requires_grad
    base = copy.deepcopy(models[0])
    x = minigrad.randn(5, 3)

    def run(parameters, x):
        return func.functional_call(base, parameters, (x,))

    same(
        func.vmap(run, in_dims=(0, None))(parameters, x),
        minigrad.stack([model(x) for model in models]),
        1e-6,
    )
    func.vmap(run, in_dims=(0, None))(parameters, x).sum().backward()
    same(parameters["bias"].grad, minigrad.full((4, 2), 5.0))


def test_functional_call_replaces_and_restores():
    layer = minigrad.nn.Linear(2, 2)
    held = layer.weight
    new = {"weight": minigrad.eye(2)}
    assert func.functional_call(layer, new, minigrad.ones(2)).shape == (2,)
    assert layer.weight is held
    with pytest.raises(ArgumentError, match="no parameter"):
        func.functional_call(layer, {"wieght": held}, minigrad.ones(2))
    with pytest.raises(ArgumentError, match="missing"):
        func.functional_call(layer, new, minigrad.ones(2), strict=True)
    tied = minigrad.nn.Sequential(minigrad.nn.Linear(2, 2), minigrad.nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    zero = {"0.weight": minigrad.zeros(2, 2)}
    out = func.functional_call(tied, zero, minigrad.ones(2))
    same(out, tied[1].bias)


@pytest.mark.parametrize("draw", [minigrad.rand, minigrad.randn, minigrad.randperm])
def test_randomness_is_said(draw):
    x = minigrad.zeros(3, 4)
    with pytest.raises(GraphError, match="randomness"):
        func.vmap(lambda x: x + draw(4))(x)
    rows = func.vmap(lambda x: x + draw(4), randomness="same")(x)
    same(rows[0], rows[1])
    rows = func.vmap(lambda x: x + draw(4), randomness="different")(minigrad.zeros(40, 4))
    assert len({tuple(row) for row in rows.tolist()}) > 1


def test_dropout_inside_of_vmap():
    x = minigrad.ones(50, 8)
    for function in (F.dropout, minigrad.bernoulli, lambda x: x.clone().bernoulli_(0.5)):
        half = x * 0.5 if function is minigrad.bernoulli else x
        rows = func.vmap(function, randomness="different")(half).tolist()
        assert len({tuple(row) for row in rows}) > 10
        rows = func.vmap(function, randomness="same")(half).tolist()
        assert len({tuple(row) for row in rows}) == 1


@pytest.mark.parametrize(
    "look",
    [
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x * x[0].item(),
        lambda x: x + float(x[0]),
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: minigrad.tensor(x.tolist()),
        lambda x: minigrad.from_numpy(np.sin(x.numpy())),
        lambda x: minigrad.masked_select(x, x > 0),
    ],
)
def test_vmap_refuses_what_depends_on_values(look):
    with pytest.raises(GraphError, match=r"vmap\(\)"):
        func.vmap(look)(tensor(3, 4))


def test_vmap_refuses_bad_arguments():
    x = tensor(3, 4)
    for wrong, message in [
        (lambda: func.vmap(minigrad.add)(x, x[:2]), "different sizes"),
        (lambda: func.vmap(minigrad.add, in_dims=(0,))(x, x), "structure"),
        (lambda: func.vmap(minigrad.sin, in_dims=None)(x), "no argument"),
        (lambda: func.vmap(minigrad.sin, in_dims=2)(x), "no such dimension"),
        (lambda: func.vmap(minigrad.add)(x, 2.0), "no Tensor"),
        (lambda: func.vmap(minigrad.sin, out_dims=None)(x), "out_dims"),
        (lambda: func.vmap(minigrad.sin, out_dims=5)(x), "out_dims"),
        (lambda: func.vmap(lambda x: 1)(x), "must return Tensors"),
        (lambda: func.vmap(minigrad.sin, randomness="some"), "randomness"),
        (lambda: func.vmap(minigrad.sin, chunk_size=0), "chunk_size"),
        (lambda: func.grad(minigrad.sin)(x), "without dimensions"),
        (lambda: func.grad(minigrad.sin, argnums=1)(x), "argnums"),
        (lambda: func.jvp(minigrad.sin, (x,), (x[0],)), "shape"),
        (lambda: func.jvp(minigrad.sin, (x,), (x, x)), "structure"),
    ]:
        with pytest.raises(ArgumentError, match=message):
            wrong()
    with pytest.raises(DtypeError, match="floating"):
        func.grad(lambda x: x.sum())(minigrad.arange(3))
    with pytest.raises(TypeError, match="Tensors"):
        func.grad(lambda x: x)(2.0)


def test_a_tensor_that_leaks_out_of_a_transform_is_refused():
    kept = []
    func.vmap(lambda x: kept.append(x) or x)(tensor(3))
    with pytest.raises(GraphError, match="after it ended"):
        kept[0] + 1
    assert "BatchedTensor" in repr(kept[0])


def test_in_place_work_inside_of_transforms():
    def f(x):
        y = x * 1
        y[0] = x[1] * 3
        y[1:].mul_(x[0])
        z = y.view(-1)
        z += x
        return (y * y).sum()

    x = tensor(3, 4)
    same(func.vmap(func.grad(f))(x), minigrad.stack([func.grad(f)(row) for row in x]))
    same(func.hessian(f)(x[0]), func.jacrev(func.grad(f))(x[0]))
    same(func.vmap(func.hessian(f))(x), minigrad.stack([func.hessian(f)(row) for row in x]))

    def filled(x):
        out = minigrad.zeros(3, dtype=F64)
        view = out[1:]
        out[0] = x[1]
        view.add_(x[:2])
        return out.sin()

    same(func.jacfwd(filled)(x[0]), func.jacrev(filled)(x[0]))


def test_in_place_work_reaches_the_tensor_given_and_not_one_captured():
    x, captured = tensor(3, 4), minigrad.zeros(4, dtype=F64)
    before = x.clone()
    func.vmap(lambda row: row.add_(1))(x)
    same(x, before + 1)
    with pytest.raises(ArgumentError, match="same at each place"):
        func.vmap(lambda row: captured.add_(row))(x)
    same(captured, minigrad.zeros(4, dtype=F64))


def test_forward_mode_keeps_nothing():
    # Tangents travel with the values: a long chain holds no more than its last link.
    sizes = []

    def chain(x):
        for _ in range(50):
            x = x.sin()
        sizes.append(x._node)
        return x

    func.jvp(chain, (tensor(4),), (tensor(4, seed=1),))
    assert sizes == [None]


@pytest.mark.parametrize("create", [False, True])
def test_autograd_functional_is_torchs(create):
    def make(library):
        return lambda x, y: (x * x * y).sum() + library.sin(x).sum()

    x, y = tensor(3), tensor(3, seed=1)
    v = (tensor(3, seed=2), tensor(3, seed=3))
    torch_inputs, torch_v = (theirs(x), theirs(y)), tuple(map(theirs, v))
    f, g = make(minigrad), make(torch)
    for name in ("hvp", "vhp"):
        ours = getattr(functional, name)(f, (x, y), v, create_graph=create)
        same(ours, getattr(torch.autograd.functional, name)(g, torch_inputs, torch_v))
    same(functional.hessian(f, (x, y)), torch.autograd.functional.hessian(g, torch_inputs))

    def pair(x, y):
        return x * y, x + 2 * y

    for strategy in ("reverse-mode", "forward-mode"):
        same(
            functional.jacobian(pair, (x, y), strategy=strategy),
            torch.autograd.functional.jacobian(pair, torch_inputs),
        )
    same(
        functional.jvp(pair, (x, y), v), torch.autograd.functional.jvp(pair, torch_inputs, torch_v)
    )
    same(
        functional.vjp(pair, (x, y), v), torch.autograd.functional.vjp(pair, torch_inputs, torch_v)
    )
    assert functional.vjp(minigrad.sin, x, v[0])[1].requires_grad is False


def test_autograd_functional_records_when_asked():
    x = minigrad.tensor([1.0, 2.0], dtype=F64, requires_grad=True)
    rows = functional.jacobian(lambda x: x**3, x, create_graph=True)
    rows.sum().backward()
    same(x.grad, 6 * x)
    assert not functional.jacobian(lambda x: x**3, x).requires_grad
    with pytest.raises(GraphError, match="strict"):
        functional.jacobian(lambda x: minigrad.ones(2), x, strict=True)


def test_dual_numbers_by_torchs_lower_names():
    forward_ad = minigrad.autograd.forward_ad
    x, t = tensor(3), tensor(3, seed=1)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, t)
        value, tangent = forward_ad.unpack_dual(dual.sin() * 2)
        assert forward_ad.unpack_dual(x.sin()).tangent is None
        with pytest.raises(ArgumentError, match="shape"):
            forward_ad.make_dual(x, t[:2])
    same(value, 2 * x.sin())
    same(tangent, 2 * x.cos() * t)
    with pytest.raises(GraphError, match="dual level"):
        forward_ad.make_dual(x, t)


def test_what_a_transform_cannot_see_into_is_refused():
    class Double(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = tensor(3)
    same(func.grad(lambda x: Double.apply(x).sum())(x), minigrad.full((3,), 2.0, dtype=F64))
    same(func.jacrev(Double.apply)(x), 2 * minigrad.eye(3, dtype=F64))
    for transform in (func.vmap, func.jacfwd):
        with pytest.raises(GraphError, match="custom function"):
            transform(Double.apply)(x)


def test_running_statistics_inside_of_transforms():
    x = tensor(4, 3)

    def run(x, running):
        return F.batch_norm(x, running, running + 1, training=True).sin()

    running = minigrad.zeros(3, dtype=F64)
    same(func.jacfwd(run)(x, running), func.jacrev(run)(x, minigrad.zeros(3, dtype=F64)), 1e-8)
    with pytest.raises(GraphError, match=r"vmap\(\)"):
        func.vmap(lambda x: run(x, running))(tensor(2, 4, 3))
