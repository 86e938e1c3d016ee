"""Layers, containers, losses, modules: the same keys, outputs and gradients as torch's."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ArgumentError, DtypeError, GraphError

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(0)


def real(*shape):
    return RNG.standard_normal(shape)


def labels(*shape, classes):
    return RNG.integers(0, classes, shape)


def probabilities(*shape):
    return RNG.uniform(0.05, 0.95, shape)


def each(lib, *arrays):
    return [lib.tensor(a) if isinstance(a, np.ndarray) else a for a in arrays]


LAYERS = {
    "Linear": ((4, 3), {}, (real(5, 4),)),
    "Linear-no-bias": ((4, 3), {"bias": False}, (real(2, 5, 4),)),
    "Bilinear": ((3, 4, 2), {}, (real(5, 3), real(5, 4))),
    "Identity": ((), {}, (real(3),)),
    "Flatten": ((), {}, (real(2, 3, 4),)),
    "Unflatten": ((1, (2, 3)), {}, (real(4, 6),)),
    "Conv1d": ((4, 6, 3), {"stride": 2, "padding": 1, "groups": 2}, (real(2, 4, 9),)),
    "Conv2d": ((3, 4, 3), {"padding": 1}, (real(2, 3, 6, 5),)),
    "Conv2d-same": ((3, 4, (3, 2)), {"padding": "same", "dilation": 2}, (real(2, 3, 6, 7),)),
    "Conv2d-reflect": ((3, 4, 3), {"padding": 2, "padding_mode": "reflect"}, (real(2, 3, 6, 5),)),
    "Conv2d-circular": ((3, 4, 3), {"padding": 1, "padding_mode": "circular"}, (real(2, 3, 6, 5),)),
    "Conv3d": ((2, 3, 2), {"stride": (1, 2, 1)}, (real(2, 2, 4, 5, 4),)),
    "ConvTranspose1d": ((3, 4, 3), {"stride": 2, "padding": 1}, (real(2, 3, 5),)),
    "ConvTranspose2d": (
        (4, 2, 3),
        {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2},
        (real(2, 4, 4, 3),),
    ),
    "ConvTranspose3d": ((2, 3, 2), {"dilation": 2}, (real(2, 2, 3, 3, 3),)),
    "MaxPool1d": ((2,), {}, (real(2, 3, 8),)),
    "MaxPool2d": ((3, 2), {"padding": 1}, (real(2, 3, 7, 8),)),
    "MaxPool3d": ((2,), {}, (real(1, 2, 4, 4, 4),)),
    "AvgPool1d": ((2,), {}, (real(2, 3, 8),)),
    "AvgPool2d": ((3, 2), {"padding": 1, "count_include_pad": False}, (real(2, 3, 7, 8),)),
    "AvgPool3d": ((2,), {}, (real(1, 2, 4, 4, 4),)),
    "AdaptiveAvgPool1d": ((3,), {}, (real(2, 3, 8),)),
    "AdaptiveAvgPool2d": (((3, 2),), {}, (real(2, 3, 7, 8),)),
    "AdaptiveMaxPool2d": ((2,), {}, (real(2, 3, 7, 8),)),
    "BatchNorm1d": ((4,), {}, (real(6, 4),)),
    "BatchNorm1d-length": ((4,), {"momentum": None}, (real(6, 4, 5),)),
    "BatchNorm2d": ((3,), {}, (real(4, 3, 5, 4),)),
    "BatchNorm2d-plain": (
        (3,),
        {"affine": False, "track_running_stats": False},
        (real(4, 3, 5, 4),),
    ),
    "BatchNorm3d": ((2,), {}, (real(3, 2, 3, 2, 2),)),
    "InstanceNorm1d": ((3,), {"affine": True}, (real(2, 3, 6),)),
    "InstanceNorm2d": ((3,), {}, (real(2, 3, 4, 5),)),
    "LayerNorm": (((4, 5),), {}, (real(2, 3, 4, 5),)),
    "LayerNorm-no-bias": ((5,), {"bias": False}, (real(3, 5),)),
    "RMSNorm": ((5,), {}, (real(3, 5),)),
    "GroupNorm": ((2, 4), {}, (real(3, 4, 5),)),
    "LocalResponseNorm": ((3,), {}, (real(2, 5, 4, 4),)),
    "Embedding": ((7, 3), {"padding_idx": 2}, (labels(2, 5, classes=7),)),
    "ReLU": ((), {}, (real(3, 4),)),
    "ReLU6": ((), {}, (real(3, 4) * 5,)),
    "ELU": ((0.7,), {}, (real(3, 4),)),
    "CELU": ((0.7,), {}, (real(3, 4),)),
    "SELU": ((), {}, (real(3, 4),)),
    "GELU": ((), {}, (real(3, 4),)),
    "GELU-tanh": ((), {"approximate": "tanh"}, (real(3, 4),)),
    "GLU": ((), {}, (real(3, 4),)),
    "SiLU": ((), {}, (real(3, 4),)),
    "Mish": ((), {}, (real(3, 4),)),
    "Sigmoid": ((), {}, (real(3, 4),)),
    "Tanh": ((), {}, (real(3, 4),)),
    "LogSigmoid": ((), {}, (real(3, 4) * 10,)),
    "Softplus": ((2.0, 5.0), {}, (real(3, 4) * 5,)),
    "Softsign": ((), {}, (real(3, 4),)),
    "Tanhshrink": ((), {}, (real(3, 4),)),
    "Hardshrink": ((), {}, (real(3, 4),)),
    "Softshrink": ((), {}, (real(3, 4),)),
    "Hardtanh": ((-0.5, 0.8), {}, (real(3, 4),)),
    "Hardsigmoid": ((), {}, (real(3, 4) * 4,)),
    "Hardswish": ((), {}, (real(3, 4) * 4,)),
    "LeakyReLU": ((0.2,), {}, (real(3, 4),)),
    "PReLU": ((4,), {}, (real(3, 4),)),
    "Threshold": ((0.1, 2.0), {}, (real(3, 4),)),
    "Softmax": ((1,), {}, (real(3, 4),)),
    "LogSoftmax": ((0,), {}, (real(3, 4),)),
    "Softmin": ((1,), {}, (real(3, 4),)),
    "Softmax2d": ((), {}, (real(2, 3, 4, 4),)),
    "MSELoss": ((), {}, (real(3, 4), real(3, 4))),
    "L1Loss": ((), {"reduction": "sum"}, (real(3, 4), real(3, 4))),
    "SmoothL1Loss": ((), {"beta": 0.5}, (real(3, 4), real(3, 4))),
    "HuberLoss": ((), {"delta": 0.5}, (real(3, 4), real(3, 4))),
    "BCELoss": ((), {}, (probabilities(3, 4), probabilities(3, 4))),
    "BCEWithLogitsLoss": ((), {}, (real(3, 4), probabilities(3, 4))),
    "NLLLoss": ((), {}, (real(5, 4), labels(5, classes=4))),
    "CrossEntropyLoss": ((), {}, (real(5, 4), labels(5, classes=4))),
    "CrossEntropyLoss-smooth": (
        (),
        {"label_smoothing": 0.1, "reduction": "sum"},
        (real(5, 4, 2), labels(5, 2, classes=4)),
    ),
    "CrossEntropyLoss-none": ((), {"reduction": "none"}, (real(5, 4), labels(5, classes=4))),
    "KLDivLoss": ((), {"reduction": "batchmean"}, (real(3, 4), probabilities(3, 4))),
    "PoissonNLLLoss": ((), {}, (real(3, 4), probabilities(3, 4))),
    "GaussianNLLLoss": ((), {}, (real(3, 4), real(3, 4), probabilities(3, 4))),
    "HingeEmbeddingLoss": ((), {}, (real(3, 4), np.sign(real(3, 4)))),
    "CosineEmbeddingLoss": ((), {}, (real(3, 4), real(3, 4), np.array([1.0, -1.0, 1.0]))),
    "MarginRankingLoss": ((0.2,), {}, (real(3), real(3), np.array([1.0, -1.0, 1.0]))),
    "TripletMarginLoss": ((), {}, (real(3, 4), real(3, 4), real(3, 4))),
}


def pair(name):
    """The layer in both libraries with the same float64 state."""
    kind = name.split("-")[0]
    args, options, inputs = LAYERS[name]
    ours = getattr(nn, kind)(*args, **options).double()
    theirs = getattr(torch.nn, kind)(*args, **options).double()
    state = {k: np.asarray(v.numpy()) for k, v in theirs.state_dict().items()}
    ours.load_state_dict({k: mg.tensor(v) for k, v in state.items()})
    return ours, theirs, inputs


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_layer_equals_torch(name, training):
    ours, theirs, arrays = pair(name)
    ours.train(training)
    theirs.train(training)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    results = []
    for lib, layer in ((mg, ours), (torch, theirs)):
        inputs = each(lib, *arrays)
        for value in inputs:
            if value.is_floating_point():
                value.requires_grad_()
        output = layer(*inputs)
        weights = lib.tensor(np.cos(np.arange(np.prod(output.shape))).reshape(output.shape))
        if output.requires_grad:
            (output * weights).sum().backward()
        results.append(
            {
                "output": output.detach().numpy(),
                **{f"input{i}": v.grad.numpy() for i, v in enumerate(inputs) if v.grad is not None},
                **{k: p.grad.numpy() for k, p in layer.named_parameters() if p.grad is not None},
                **{k: b.numpy() for k, b in layer.named_buffers()},
            }
        )
    assert results[0].keys() == results[1].keys()
    for key, value in results[1].items():
        # float64 on both sides; only the order of sums differs. torch holds the factor of two of
        # them (1 / alpha, 1 / 6) in float32.
        rtol = 1e-7 if name in ("CELU", "Hardsigmoid") else 1e-9
        np.testing.assert_allclose(results[0][key], value, rtol=rtol, atol=1e-10, err_msg=key)


# Here every field is named and strings are quoted, where torch's own layers are of two minds.
OWN_REPR = {
    "AvgPool1d", "Conv2d-same", "Conv2d-reflect", "Conv2d-circular", "Hardshrink",
    "LocalResponseNorm", "Softshrink",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(LAYERS.keys() - OWN_REPR))
def test_repr_reads_like_torch(name):
    kind = name.split("-")[0]
    args, options, _ = LAYERS[name]
    ours = repr(getattr(nn, kind)(*args, **options))
    theirs = repr(getattr(torch.nn, kind)(*args, **options))
    assert ours == theirs


def test_repr_of_a_model_is_a_tree():
    model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU()))
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Sequential(torch.nn.ReLU()))
    assert repr(model) == repr(theirs)


def test_initial_values_have_torch_s_range():
    mg.manual_seed(0)
    weight = nn.Linear(100, 500).weight.numpy(force=True)
    assert abs(weight).max() <= 0.1
    assert weight.std() == pytest.approx(0.1 / np.sqrt(3), rel=0.02)
    assert nn.Embedding(300, 40).weight.numpy(force=True).std() == pytest.approx(1, rel=0.03)


class Net(nn.Module):
    def __init__(self):
        self.first = nn.Linear(3, 4)
        self.scale = nn.Parameter(mg.ones(4))
        self.register_buffer("steps", mg.zeros(1))
        self.register_buffer("cache", mg.zeros(1), persistent=False)
        self.blocks = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 2)])

    def forward(self, x):
        x = self.first(x) * self.scale
        for block in self.blocks:
            x = block(mg.relu(x))
        return x


def test_what_is_in_a_module():
    net = Net()
    names = [name for name, _ in net.named_parameters()]
    assert names == [
        "scale", "first.weight", "first.bias",
        "blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias",
    ]  # fmt: skip
    assert list(net.state_dict()) == [*names[:1], "steps", *names[1:]]
    assert [name for name, _ in net.named_buffers()] == ["steps", "cache"]
    assert [name for name, _ in net.named_children()] == ["first", "blocks"]
    assert net.get_submodule("blocks.1").out_features == 2
    assert net.get_parameter("first.weight") is net.first.weight
    with pytest.raises(AttributeError, match="blocks"):
        net.get_submodule("first.blocks")


def test_tied_parameters_come_once_and_stay_tied():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    assert len(list(net.parameters())) == 3
    assert len(net.state_dict()) == 4
    net.double()
    assert net[1].weight is net[0].weight
    twin = copy.deepcopy(net)
    assert twin[1].weight is twin[0].weight
    assert twin[0].weight is not net[0].weight


def test_a_parameter_is_not_lost_to_a_plain_tensor():
    layer = nn.Linear(3, 2)
    for value in (mg.zeros(2, 3), layer.weight * 2, 3):
        with pytest.raises(TypeError, match=r"Linear\.weight is a parameter"):
            layer.weight = value
    layer.bias = None
    layer.weight = nn.Parameter(mg.ones(2, 3))
    assert [name for name, _ in layer.named_parameters()] == ["weight"]


def test_a_plain_list_of_modules_warns():
    class Hidden(nn.Module):
        def __init__(self):
            self.layers = [nn.Linear(2, 2)]

    with pytest.warns(UserWarning, match="ModuleList"):
        assert list(Hidden().parameters()) == []


def test_load_state_dict_reports_everything_and_changes_nothing():
    net = Net()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    state = {k: v + 1 for k, v in before.items()}
    del state["scale"]
    state["extra"] = mg.zeros(1)
    state["first.weight"] = mg.zeros(2, 2)
    with pytest.raises(ArgumentError) as error:
        net.load_state_dict(state)
    text = str(error.value)
    assert "missing keys: scale" in text
    assert "unexpected keys: extra" in text
    assert "'first.weight' has shape [2, 2] in the state dict and [4, 3] in the model" in text
    for key, value in net.state_dict().items():
        assert (value == before[key]).all()
    del state["first.weight"]
    result = net.load_state_dict(state, strict=False)
    assert result.missing_keys == ["scale", "first.weight"]
    assert result.unexpected_keys == ["extra"]
    assert (net.first.bias == before["first.bias"] + 1).all()


def test_state_dicts_go_both_ways_with_torch():
    ours = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(32, 5))
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3),
        torch.nn.BatchNorm2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(32, 5),
    )
    state = {k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()}
    theirs.load_state_dict(state)
    x = np.float32(real(3, 1, 6, 6))
    ours.eval()
    theirs.eval()
    np.testing.assert_allclose(
        ours(mg.tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-4,
        atol=1e-6,
    )  # fmt: skip


def test_train_eval_apply_and_requires_grad():
    net = Net()
    net.eval()
    assert not any(m.training for m in net.modules())
    net.train()
    seen = []
    net.apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "Linear", "Linear", "ModuleList", "Net"]
    net.first.requires_grad_(False)
    net(mg.zeros(1, 3)).sum().backward()
    assert net.first.weight.grad is None
    assert net.scale.grad is not None
    net.zero_grad()
    assert net.scale.grad is None


def test_module_to_a_dtype_keeps_the_parameters():
    net = Net()
    weight = net.first.weight
    net.to(mg.float64)
    assert net.first.weight is weight
    assert weight.dtype == mg.float64
    assert weight.requires_grad
    assert net.steps.dtype == mg.float64
    net(mg.zeros(1, 3, dtype=mg.float64)).sum().backward()
    assert weight.grad.dtype == mg.float64


def test_modules_pickle_and_copy():
    net = Net()
    twin = pickle.loads(pickle.dumps(net))
    x = mg.ones(2, 3)
    assert (twin(x) == net(x)).all()
    other = copy.deepcopy(net)
    with mg.no_grad():
        other.scale.mul_(2)
    assert (net.scale == 1).all()


def test_forward_hooks():
    net = nn.Linear(2, 2)
    calls = []
    pre = net.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
    post = net.register_forward_hook(lambda m, args, out: calls.append(args[0].sum().item()))
    net(mg.ones(1, 2))
    assert calls == [4.0]
    pre.remove()
    post.remove()
    net(mg.ones(1, 2))
    assert calls == [4.0]


def test_backward_hooks_see_the_gradients():
    seen = {}
    for lib, module in ((mg, nn.Linear(2, 1).double()), (torch, torch.nn.Linear(2, 1).double())):
        with lib.no_grad():
            module.weight.copy_(lib.tensor([[2.0, 3.0]], dtype=lib.float64))

        def note(module, before, after, lib=lib):
            seen[lib] = (before[0].tolist(), after[0].tolist())

        module.register_full_backward_hook(note)
        x = lib.ones(1, 2, dtype=lib.float64).requires_grad_()
        (module(x) * 5).sum().backward()
    assert seen[mg] == seen[torch]


def test_containers():
    layers = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    assert len(layers) == 3
    assert isinstance(layers[-1], nn.Linear)
    assert [type(m).__name__ for m in layers[:2]] == ["Linear", "ReLU"]
    layers.append(nn.Tanh())
    layers.insert(0, nn.Flatten())
    del layers[1]
    assert [type(m).__name__ for m in layers] == ["Flatten", "ReLU", "Linear", "Tanh"]
    assert list(dict(layers.named_children())) == ["0", "1", "2", "3"]
    named = nn.Sequential({"a": nn.Linear(1, 2), "b": nn.ReLU()})
    assert list(named.state_dict()) == ["a.weight", "a.bias"]
    table = nn.ModuleDict({"x": nn.Linear(1, 1)})
    table["y"] = nn.ReLU()
    assert list(table) == ["x", "y"]
    assert "x" in table
    weights = nn.ParameterList([mg.zeros(2), mg.ones(3)])
    assert [tuple(p.shape) for p in weights.parameters()] == [(2,), (3,)]
    with pytest.raises(TypeError, match="ModuleList holds Modules, got int"):
        nn.ModuleList([3])
    with pytest.raises(IndexError, match="out of range"):
        layers[9]
    many = nn.Sequential(*(nn.Identity() for _ in range(12)))
    assert list(dict(many.named_children())) == [str(i) for i in range(12)]


def test_dropout_trains_and_evaluates():
    mg.manual_seed(1)
    drop = nn.Dropout(0.25)
    x = mg.ones(200, 50)
    y = drop(x).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.02)
    drop.eval()
    assert (drop(x) == x).all()
    with pytest.raises(ArgumentError, match=r"\[0, 1\], got 1.5"):
        nn.Dropout(1.5)


def test_no_warnings_where_torch_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mg.nn.functional.softmax(mg.tensor([float("-inf"), 0.0]), 0)


@pytest.mark.parametrize(
    "name", ["xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"]
)
def test_initialisers_have_torch_s_spread(name):
    mg.manual_seed(0)
    torch.manual_seed(0)
    ours = getattr(nn.init, name)(mg.empty(200, 150)).std().item()
    theirs = getattr(torch.nn.init, name)(torch.empty(200, 150)).std().item()
    assert ours == pytest.approx(theirs, rel=0.02)


def test_orthogonal_dirac_trunc_and_sparse():
    mg.manual_seed(0)
    q = nn.init.orthogonal_(mg.empty(3, 5), gain=2).double()
    np.testing.assert_allclose((q @ q.T).numpy(), 4 * np.eye(3), atol=1e-5)
    weight = nn.init.dirac_(mg.empty(3, 3, 3))
    x = mg.randn(1, 3, 6)
    np.testing.assert_allclose(
        mg.nn.functional.conv1d(x, weight, padding=1).numpy(), x.numpy(), rtol=1e-6
    )
    cut = nn.init.trunc_normal_(mg.empty(1000), a=-0.5, b=0.5).numpy()
    assert abs(cut).max() <= 0.5
    thin = nn.init.sparse_(mg.empty(10, 4), 0.3)
    assert ((thin == 0).sum(0) == 3).all()
    with pytest.raises(ArgumentError, match="at least 2 dimensions"):
        nn.init.xavier_uniform_(mg.empty(3))


def test_clipping_gradients():
    for norm in (1.0, 2.0, float("inf")):
        results = []
        for lib in (mg, torch):
            p = [lib.ones(3, requires_grad=True), lib.ones(2, 2, requires_grad=True)]
            (p[0].sum() * 3 + (p[1] * 4).sum()).backward()
            total = lib.nn.utils.clip_grad_norm_(p, 1.0, norm)
            results.append((float(total), p[0].grad.tolist(), p[1].grad.tolist()))
        np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-6)
        np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-5)
        np.testing.assert_allclose(results[0][2], results[1][2], rtol=1e-5)
    p = mg.ones(3, requires_grad=True)
    (p * mg.tensor([-5.0, 0.1, 5.0])).sum().backward()
    nn.utils.clip_grad_value_([p], 1.0)
    np.testing.assert_allclose(p.grad.numpy(), [-1, 0.1, 1])
    (p * float("inf")).sum().backward()
    with pytest.raises(ArgumentError, match="total norm"):
        nn.utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)


@pytest.mark.parametrize("dtypes", [["float32", "float64"], ["float16"] * 2, ["complex64"] * 2])
def test_clipping_gradients_of_other_dtypes(dtypes):
    results = []
    for lib in (mg, torch):
        parameters = []
        for number, dtype in enumerate(dtypes):
            parameter = lib.ones(number, 2, dtype=getattr(lib, dtype), requires_grad=True)
            scalar = lib.ones((), dtype=getattr(lib, dtype), requires_grad=True)
            parameters += [parameter, scalar]
        for parameter in parameters:
            # In half precision the sum of the squares would be infinite.
            parameter.grad = lib.full(tuple(parameter.shape), 400.0, dtype=parameter.dtype)
        total = lib.nn.utils.clip_grad_norm_(parameters, 100.0)
        grads = [p.grad.tolist() for p in parameters]
        assert [p.grad.dtype for p in parameters] == [p.dtype for p in parameters]
        results.append((float(total), grads))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-3)
    for ours, theirs in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def test_clipping_is_noticed_by_backward():
    p = mg.ones(2, requires_grad=True)
    (p * p).sum().backward(create_graph=True)
    for clip in (nn.utils.clip_grad_norm_, nn.utils.clip_grad_value_):
        p.grad = p.grad.detach().clone().requires_grad_()
        value = (p.grad * p.grad).sum()
        clip([p], 0.5)
        with pytest.raises(GraphError, match=rf"by {clip.__name__}\(\) at .*test_nn"):
            value.backward()
    p = mg.ones(2, dtype=mg.complex64, requires_grad=True)
    p.grad = mg.ones(2, dtype=mg.complex64)
    with pytest.raises(DtypeError, match="no order to clip by"):
        nn.utils.clip_grad_value_([p], 0.5)


def test_parameters_as_one_vector():
    net = Net()
    vector = nn.utils.parameters_to_vector(net.parameters())
    nn.utils.vector_to_parameters(vector * 2, net.parameters())
    assert (nn.utils.parameters_to_vector(net.parameters()) == vector * 2).all()
    with pytest.raises(ArgumentError, match="elements"):
        nn.utils.vector_to_parameters(vector[1:], net.parameters())


def test_an_unpickled_parameter_has_the_very_dtype_that_operations_look_for():
    # NumPy unpickles an equal dtype that is another object; every operation would convert it.
    weight = pickle.loads(pickle.dumps(nn.Linear(2, 2))).weight
    assert weight.dtype is mg.float32
