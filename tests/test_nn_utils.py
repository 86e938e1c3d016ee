"""What is done to modules from outside (parametrizations, norms, pruning, fusion), as in torch."""

import copy

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ArgumentError

torch = pytest.importorskip("torch")

LAYERS = [
    ("Linear", (4, 3), (5, 4)),
    ("Linear", (3, 4), (5, 3)),
    ("Conv1d", (4, 3, 2), (2, 4, 6)),
    ("ConvTranspose1d", (4, 3, 2), (2, 4, 6)),
]
X = np.random.default_rng(3)


def pair(name, arguments, change):
    """A layer of each library with one's weights, changed alike, with one's state."""
    reference = getattr(torch.nn, name)(*arguments).double()
    layer = getattr(nn, name)(*arguments).double()
    state = {key: mg.tensor(value.numpy()) for key, value in reference.state_dict().items()}
    layer.load_state_dict(state)
    reference, layer = change(torch.nn, reference), change(nn, layer)
    wanted = reference.state_dict()
    assert list(layer.state_dict()) == list(wanted)
    layer.load_state_dict({key: mg.tensor(value.numpy()) for key, value in wanted.items()})
    return layer, reference


def same(mine, wanted):
    np.testing.assert_allclose(
        mine.detach().numpy(), wanted.detach().numpy(), rtol=1e-9, atol=1e-12
    )


def check(layer, reference, shape):
    """Outputs, gradients and buffers, twice in training and then in evaluation."""
    x = X.normal(size=shape)
    for training in (True, True, False):
        layer.train(training)
        reference.train(training)
        mine, wanted = layer(mg.tensor(x)), reference(torch.tensor(x))
        same(mine, wanted)
        (mine**2).sum().backward()
        (wanted**2).sum().backward()
        parameters = dict(reference.named_parameters())
        for name, parameter in layer.named_parameters():
            same(parameter.grad, parameters[name].grad)
        for name, value in reference.state_dict().items():
            same(layer.state_dict()[name], value)


CHANGES = {
    "weight norm": lambda lib, m: lib.utils.parametrizations.weight_norm(m),
    "weight norm of all": lambda lib, m: lib.utils.parametrizations.weight_norm(m, dim=None),
    "weight norm, dim 1": lambda lib, m: lib.utils.parametrizations.weight_norm(m, dim=1),
    "spectral norm": lambda lib, m: lib.utils.parametrizations.spectral_norm(m),
    "three iterations": lambda lib, m: lib.utils.parametrizations.spectral_norm(
        m, n_power_iterations=3, dim=1
    ),
    "weight norm by hook": lambda lib, m: lib.utils.weight_norm(m, "weight", 1),
    "spectral norm by hook": lambda lib, m: lib.utils.spectral_norm(m),
}


@pytest.mark.filterwarnings("ignore:.*(weight_norm|spectral_norm).*:FutureWarning")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("name", "arguments", "shape"), LAYERS)
def test_reparametrized_layers_equal_torchs(name, arguments, shape, change):
    check(*pair(name, arguments, CHANGES[change]), shape)


@pytest.mark.parametrize("factor", [False, True])
@pytest.mark.parametrize("kind", [None, "matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize(("name", "arguments", "shape"), [*LAYERS[:2], ("Linear", (4, 4), (5, 4))])
def test_orthogonal_layers_equal_torchs(name, arguments, shape, kind, factor):
    def change(lib, module):
        return lib.utils.parametrizations.orthogonal(
            module, "weight", kind, use_trivialization=factor
        )

    if not factor:
        # Without a factor, torch inverts Householder's map alone; a state can be loaded in any.
        layer = change(nn, getattr(nn, name)(*arguments).double())
        reference = change(torch.nn, getattr(torch.nn, name)(*arguments).double())
        state = {key: mg.tensor(v.numpy()) for key, v in reference.state_dict().items()}
        layer.load_state_dict(state)
    else:
        layer, reference = pair(name, arguments, change)
    check(layer, reference, shape)
    weight = layer.weight.detach().numpy()
    weight = weight if len(weight) >= weight.shape[1] else weight.T
    if factor or kind != "householder":
        np.testing.assert_allclose(weight.T @ weight, np.eye(weight.shape[1]), atol=1e-9)


class Doubled(nn.Module):
    def forward(self, x):
        return 2 * x

    def right_inverse(self, x):
        return x / 2


class Shifted(nn.Module):
    def forward(self, x):
        return x + 1


def test_a_parametrized_weight_is_computed_assigned_and_removed():
    layer = nn.Linear(3, 2)
    held, before = layer.weight, layer.weight.detach().clone()
    nn.utils.parametrize.register_parametrization(layer, "weight", Doubled())
    assert type(layer).__name__ == "ParametrizedLinear"
    assert nn.utils.parametrize.is_parametrized(layer, "weight")
    assert not nn.utils.parametrize.is_parametrized(layer, "bias")
    assert layer.parametrizations.weight.original is held
    assert (layer.weight == before).all()
    layer.weight = mg.ones(2, 3)
    assert (held == 0.5).all()
    nn.utils.parametrize.register_parametrization(layer, "weight", Shifted())
    assert (layer.weight == 2).all()
    with pytest.raises(ArgumentError, match="Shifted has no right_inverse"):
        layer.weight = mg.ones(2, 3)
    twin = copy.deepcopy(layer)
    held.data = mg.zeros(2, 3)
    assert (twin.weight == 2).all()
    with nn.utils.parametrize.cached():
        assert layer.weight is layer.weight
    assert layer.weight is not layer.weight
    nn.utils.parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert layer.weight is held
    assert (held == 1).all()
    assert list(layer.state_dict()) == ["bias", "weight"]
    nn.utils.parametrize.remove_parametrizations(twin, "weight", leave_parametrized=False)
    assert (twin.weight == 0.5).all()


def test_parametrizations_that_change_the_shape_are_refused():
    class Cut(nn.Module):
        def forward(self, x):
            return x[:1]

    with pytest.raises(ArgumentError, match="unsafe=True"):
        nn.utils.parametrize.register_parametrization(nn.Linear(3, 2), "weight", Cut())
    with pytest.raises(ArgumentError, match="no parameter or buffer 'wight'"):
        nn.utils.parametrize.register_parametrization(nn.Linear(3, 2), "wight", Cut())
    with pytest.raises(ArgumentError, match="not parametrized"):
        nn.utils.parametrize.remove_parametrizations(nn.Linear(3, 2), "weight")


@pytest.mark.filterwarnings("ignore:.*(weight_norm|spectral_norm).*:FutureWarning")
@pytest.mark.parametrize("kind", ["weight", "spectral"])
def test_norms_by_hook_are_removed(kind):
    layer = getattr(nn.utils, f"{kind}_norm")(nn.Linear(4, 3).double())
    layer(mg.zeros(1, 4).double())
    layer.eval()
    x = mg.tensor(X.normal(size=(2, 4)))
    expected = layer(x)
    getattr(nn.utils, f"remove_{kind}_norm")(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    same(layer(x), expected)
    with pytest.raises(ArgumentError, match="is not normalised"):
        getattr(nn.utils, f"remove_{kind}_norm")(layer)


SCORES = X.normal(size=(6, 5))
MASK = (X.uniform(size=(6, 5)) > 0.4) * 1.0
PRUNINGS = {
    "l1": [lambda lib, of, p, m: p.l1_unstructured(m, "weight", 0.3)],
    "l1 twice": [
        lambda lib, of, p, m: p.l1_unstructured(m, "weight", 7),
        lambda lib, of, p, m: p.l1_unstructured(m, "weight", 0.5),
    ],
    "scores": [
        lambda lib, of, p, m: p.l1_unstructured(m, "weight", 4, importance_scores=of(SCORES))
    ],
    "channels": [
        lambda lib, of, p, m: p.ln_structured(m, "weight", 2, n=1, dim=0),
        lambda lib, of, p, m: p.ln_structured(m, "weight", 0.5, n=2, dim=1),
    ],
    "mask": [
        lambda lib, of, p, m: p.l1_unstructured(m, "weight", 0.2),
        lambda lib, of, p, m: p.custom_from_mask(m, "weight", of(MASK)),
    ],
    "nothing": [lambda lib, of, p, m: p.identity(m, "weight")],
    "together": [
        lambda lib, of, p, m: p.global_unstructured(
            [(m, "weight"), (m, "bias")], p.L1Unstructured, amount=0.4
        )
    ],
}


@pytest.mark.parametrize("name", PRUNINGS)
def test_pruning_equals_torchs(name):
    prune = pytest.importorskip("torch.nn.utils.prune")
    reference, layer = torch.nn.Linear(5, 6).double(), nn.Linear(5, 6).double()
    layer.load_state_dict({k: mg.tensor(v.numpy()) for k, v in reference.state_dict().items()})
    for change in PRUNINGS[name]:
        change(nn, mg.tensor, nn.utils.prune, layer)
        change(torch.nn, torch.tensor, prune, reference)
    x = X.normal(size=(3, 5))
    same(layer(mg.tensor(x)), reference(torch.tensor(x)))
    for key, value in reference.state_dict().items():
        same(layer.state_dict()[key], value)
    layer(mg.tensor(x)).sum().backward()
    reference(torch.tensor(x)).sum().backward()
    same(layer.weight_orig.grad, reference.weight_orig.grad)
    assert nn.utils.prune.is_pruned(layer)
    same(nn.utils.prune.remove(layer, "weight").weight, prune.remove(reference, "weight").weight)
    assert nn.utils.prune.is_pruned(layer) == prune.is_pruned(reference)


@pytest.mark.parametrize(("amount", "left"), [(0.0, 30), (0.5, 15), (11, 19), (1.0, 0)])
def test_random_pruning_takes_as_many_as_asked(amount, left):
    layer = nn.utils.prune.random_unstructured(nn.Linear(5, 6), "weight", amount)
    assert int((layer.weight_mask != 0).sum()) == left
    if left:
        nn.utils.prune.random_structured(layer, "weight", 1, dim=0)
        assert bool(((layer.weight_mask != 0).sum(1) == 0).any())


def test_pruning_refuses_what_does_not_fit():
    with pytest.raises(ArgumentError, match="no parameter 'wight'"):
        nn.utils.prune.l1_unstructured(nn.Linear(2, 2), "wight", 1)
    with pytest.raises(ArgumentError, match="at most 4, got 5"):
        nn.utils.prune.l1_unstructured(nn.Linear(2, 2), "weight", 5)
    with pytest.raises(ArgumentError, match="amount must be a share"):
        nn.utils.prune.l1_unstructured(nn.Linear(2, 2), "weight", 1.5)
    with pytest.raises(ArgumentError, match="is not pruned"):
        nn.utils.prune.remove(nn.Linear(2, 2), "weight")


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_fused_layers_do_what_both_did(bias, affine):
    cases = [
        (nn.Conv2d(3, 4, 2, bias=bias), nn.BatchNorm2d(4, affine=affine), (2, 3, 5, 5), {}),
        (
            nn.ConvTranspose2d(3, 4, 2, bias=bias), nn.BatchNorm2d(4, affine=affine), (2, 3, 5, 5),
            {"transpose": True},
        ),
        (nn.Linear(3, 4, bias=bias), nn.BatchNorm1d(4, affine=affine), (5, 3), None),
    ]  # fmt: skip
    for layer, norm, shape, options in cases:
        both = nn.Sequential(layer, norm).double()
        both(mg.tensor(X.normal(size=shape)))
        both.eval()
        utils = nn.utils
        if options is None:
            fused = utils.fuse_linear_bn_eval(layer, norm)
        else:
            fused = utils.fuse_conv_bn_eval(layer, norm, **options)
        x = mg.tensor(X.normal(size=shape))
        same(fused(x), both(x))
        assert fused is not layer
    with pytest.raises(ArgumentError, match="evaluation"):
        nn.utils.fuse_linear_bn_eval(nn.Linear(3, 4), nn.BatchNorm1d(4))


def test_gradients_are_clipped_by_a_norm_found_before():
    first = mg.tensor([3.0, 0.0], requires_grad=True)
    second = mg.tensor([4.0], requires_grad=True)
    ((first**2).sum() / 2 + (second**2).sum() / 2).backward()
    norm = nn.utils.get_total_norm([first.grad, second.grad])
    assert norm.item() == 5.0
    nn.utils.clip_grads_with_norm_([first, second], 1.0, norm)
    np.testing.assert_allclose(first.grad.numpy(), [0.6, 0.0], rtol=1e-5)
    nn.utils.clip_grads_with_norm_([first, second], 9.0, norm)
    np.testing.assert_allclose(second.grad.numpy(), [0.8], rtol=1e-5)
