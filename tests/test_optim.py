"""Optimizers and schedules: step for step as torch's; refusals that name the option."""

import copy

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ArgumentError, GraphError

torch = pytest.importorskip("torch")

OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "maximize": True}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True}),
    ("RMSprop", {"lr": 0.05}),
    ("RMSprop", {"lr": 0.05, "momentum": 0.8, "centered": True, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.2, "initial_accumulator_value": 0.5}),
    ("Adadelta", {"lr": 1.0}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {"lr": 0.05}),
    ("Adamax", {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adamax", {"lr": 0.05, "maximize": True}),
    ("NAdam", {"lr": 0.05}),
    ("NAdam", {"lr": 0.05, "betas": (0.5, 0.9), "weight_decay": 0.1, "momentum_decay": 0.3}),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {"lr": 0.05}),
    ("RAdam", {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("Rprop", {"lr": 0.05}),
    ("Rprop", {"lr": 0.05, "etas": (0.3, 1.5), "step_sizes": (0.02, 0.1), "maximize": True}),
    ("ASGD", {"lr": 0.05}),
    ("ASGD", {"lr": 0.05, "lambd": 0.1, "alpha": 0.5, "t0": 3, "weight_decay": 0.1}),
    ("ASGD", {"lr": 0.05, "t0": 5, "maximize": True}),
    ("Adafactor", {"lr": 0.05}),
    ("Adafactor", {"lr": 0.5, "beta2_decay": -0.5, "eps": (1e-3, 0.1), "weight_decay": 0.1}),
    ("Adafactor", {"lr": 0.05, "d": 2.0, "maximize": True}),
]


@pytest.fixture(autouse=True)
def _double():
    """Torch keeps the numbers in an optimizer's state in its default dtype: here double."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


# The last is too large to be joined with others, and for one block of Adam's.
SHAPES = [(3, 2), (2,), (), (190, 180)]


def start(lib):
    rng = np.random.default_rng(0)
    return [
        lib.tensor(rng.standard_normal(shape), dtype=lib.float64, requires_grad=True)
        for shape in SHAPES
    ]


def loss(parameters, step):
    """A function whose gradients change from step to step."""
    return sum(((p - 0.1 * step) ** 2).sum() * (i + 1) for i, p in enumerate(parameters))


def run(lib, name, options, steps=50, groups=False):
    parameters = start(lib)
    given = parameters
    if groups:
        given = [{"params": parameters[:2]}, {"params": parameters[2:], "lr": 0.01}]
    optimizer = getattr(lib.optim, name)(given, **options)
    for step in range(steps):
        optimizer.zero_grad()
        loss(parameters, step).backward()
        if step == 4:
            parameters[1].grad = None
        optimizer.step()
    return [p.detach().numpy() for p in parameters]


@pytest.mark.parametrize("groups", [False, True])
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_optimizer_follows_torch(name, options, groups):
    ours = run(mg, name, options, groups=groups)
    theirs = run(torch, name, options, groups=groups)
    for a, b in zip(ours, theirs, strict=True):
        # The same algebra in float64; rounding differs in the order of factors.
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_a_saved_state_continues_exactly(name, options):
    straight = start(mg)
    optimizer = getattr(mg.optim, name)(straight, **options)
    other = None
    for step in range(8):
        if step == 4:
            saved = copy.deepcopy(optimizer.state_dict())
            other = [p.detach().clone().requires_grad_() for p in straight]
            resumed = getattr(mg.optim, name)(other, lr=9.0)
            resumed.load_state_dict(saved)
            assert resumed.param_groups[0]["lr"] == options["lr"]
        optimizer.zero_grad()
        loss(straight, step).backward()
        optimizer.step()
        if other is not None:
            resumed.zero_grad()
            loss(other, step).backward()
            resumed.step()
    for a, b in zip(straight, other, strict=True):
        assert (a == b).all()


def translated(state_dict, to, other):
    """A state dict with the tensors of one library as those of another."""
    state = {
        index: {
            name: to.tensor(value.numpy()) if isinstance(value, other.Tensor) else value
            for name, value in values.items()
        }
        for index, values in state_dict["state"].items()
    }
    return {"state": state, "param_groups": state_dict["param_groups"]}


@pytest.mark.parametrize(("source", "to"), [(mg, torch), (torch, mg)])
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_a_state_goes_on_in_the_other_library(name, options, source, to):
    """A state dict is saved by one library after some steps and loaded by the other."""
    parameters = {lib: start(lib) for lib in (source, to)}
    optimizers = {lib: getattr(lib.optim, name)(parameters[lib], **options) for lib in (source, to)}

    def steps(lib, numbers):
        for step in numbers:
            optimizers[lib].zero_grad()
            loss(parameters[lib], step).backward()
            optimizers[lib].step()

    steps(source, range(4))
    for mine, theirs in zip(parameters[to], parameters[source], strict=True):
        mine.data = to.tensor(theirs.detach().numpy().copy())
    saved = translated(optimizers[source].state_dict(), to, source)
    own = optimizers[to].state_dict()["param_groups"][0]
    for group in saved["param_groups"]:
        # Options of torch's own, such as foreach, are no part of the exchange.
        group.update({option: value for option, value in own.items() if option not in group})
    optimizers[to].load_state_dict(saved)
    for lib in (source, to):
        steps(lib, range(4, 8))
    for mine, theirs in zip(parameters[to], parameters[source], strict=True):
        a, b = mine.detach().numpy(), theirs.detach().numpy()
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


def test_state_dict_has_torch_s_form():
    keys = []
    for lib in (mg, torch):
        parameters = start(lib)
        optimizer = lib.optim.Adam(parameters, lr=0.1, amsgrad=True)
        loss(parameters, 0).backward()
        optimizer.step()
        state = optimizer.state_dict()
        keys.append((sorted(state["state"]), sorted(state["state"][0])))
        assert state["param_groups"][0]["params"] == [0, 1, 2, 3]
    assert keys[0] == keys[1]


def test_state_of_joined_parameters_reads_as_their_own():
    parameters = start(mg)
    optimizer = mg.optim.Adam(parameters)
    loss(parameters, 0).backward()
    optimizer.step()
    assert optimizer.state[parameters[0]]["exp_avg"].shape == (3, 2)
    before = parameters[0]._array
    optimizer.step()
    assert parameters[0]._array is before


def test_a_parameter_without_gradient_stays():
    parameters = start(mg)
    optimizer = mg.optim.SGD(parameters, lr=0.1)
    (parameters[0] * 2).sum().backward()
    values = parameters[3].detach().clone()
    optimizer.step()
    assert (parameters[3] == values).all()


def test_closure_and_hooks():
    parameters = start(mg)
    optimizer = mg.optim.SGD(parameters, lr=0.1)
    order = []
    optimizer.register_step_pre_hook(lambda *_: order.append("before"))
    optimizer.register_step_post_hook(lambda *_: order.append("after"))

    def closure():
        optimizer.zero_grad()
        value = loss(parameters, 0)
        value.backward()
        return value

    first = optimizer.step(closure).item()
    assert optimizer.step(closure).item() < first
    assert order == ["before", "after", "before", "after"]


def test_frozen_and_tied_parameters():
    model = mg.nn.Sequential(mg.nn.Linear(2, 2), mg.nn.Linear(2, 2))
    model[1].weight = model[0].weight
    model[0].bias.requires_grad_(False)
    frozen = model[0].bias.detach().clone()
    optimizer = mg.optim.Adam(model.parameters(), lr=0.1)
    model(mg.ones(1, 2)).sum().backward()
    optimizer.step()
    assert model[1].weight is model[0].weight
    assert (model[0].bias == frozen).all()


def test_a_changed_parameter_is_noticed_by_backward():
    w = mg.ones(3, requires_grad=True)
    optimizer = mg.optim.SGD([w], lr=0.1)
    value = (w * w).sum()
    w.grad = mg.ones(3)
    optimizer.step()
    with pytest.raises(GraphError, match=r"by step\(\)"):
        value.backward()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: mg.optim.SGD(p, lr=-1), "lr must be at least 0, got -1"),
        (lambda p: mg.optim.SGD(p, lr=float("nan")), "lr must be at least 0, got nan"),
        (lambda p: mg.optim.SGD(p, lr=1, nesterov=True), "nesterov=True needs a momentum"),
        (lambda p: mg.optim.Adam(p, betas=(1.0, 0.9)), r"betas\[0\] must be in \[0, 1\), got 1.0"),
        (lambda p: mg.optim.Adam([]), "params is empty"),
        (lambda p: mg.optim.Adam([*p, p[0]]), "more than once"),
        (lambda p: mg.optim.Adam([{"params": p, "rate": 1}]), r"unknown options \['rate'\]"),
        (lambda p: mg.optim.RMSprop(p, alpha=2), "alpha must be in"),
        (lambda p: mg.optim.Adadelta(p, rho=2), "rho must be in"),
        (lambda p: mg.optim.NAdam(p, momentum_decay=-1), "momentum_decay must be at least 0"),
        (lambda p: mg.optim.RAdam(p, betas=(0.9, 1)), r"betas\[1\] must be in \[0, 1\), got 1"),
        (lambda p: mg.optim.Rprop(p, etas=(1.5, 1.2)), r"etas must be a factor in \(0, 1\)"),
        (lambda p: mg.optim.Rprop(p, step_sizes=(2, 1)), "the least and the largest step"),
        (lambda p: mg.optim.Adafactor(p, beta2_decay=1), "beta2_decay must be at most 0"),
        (lambda p: mg.optim.Adafactor(p, d=0.5), "d must be at least 1"),
        (lambda p: mg.optim.Adafactor(p, eps=(-1, 1)), r"eps\[0\] must be at least 0"),
        (
            lambda p: mg.optim.Adafactor([mg.ones(2, dtype=mg.complex64, requires_grad=True)]),
            "no complex parameters",
        ),
    ],
)
def test_bad_options_are_named(make, message):
    with pytest.raises(ArgumentError, match=message):
        make(start(mg))


def test_bad_parameters_are_named():
    x = mg.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match="iterable of Tensors"):
        mg.optim.SGD(x, lr=1)
    with pytest.raises(TypeError, match="got int"):
        mg.optim.SGD([3], lr=1)
    with pytest.raises(GraphError, match="leaves"):
        mg.optim.SGD([x * 2], lr=1)
    optimizer = mg.optim.SGD([x], lr=1)
    with pytest.raises(ArgumentError, match=r"\[2\].*\[1\]"):
        optimizer.load_state_dict(mg.optim.SGD(start(mg)[:2], lr=1).state_dict())


def test_asgd_keeps_the_mean_of_its_parameters():
    p = mg.tensor([4.0], requires_grad=True)
    optimizer = mg.optim.ASGD([p], lr=0.5, lambd=0.0, t0=0)
    seen = []
    for _ in range(3):
        p.grad = mg.ones(1)
        optimizer.step()
        seen.append(p.item())
    assert seen == [3.5, 3.0, 2.5]
    assert optimizer.state[p]["ax"].tolist() == [2.75]  # of the second and third


@pytest.mark.parametrize("name", ["Adadelta", "Adamax", "NAdam", "RAdam", "Rprop", "ASGD"])
def test_a_step_keeps_single_precision(name):
    parameters = [mg.ones(3, requires_grad=True), mg.ones(2, 2, requires_grad=True)]
    optimizer = getattr(mg.optim, name)(parameters, lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss(parameters, 1).backward()
        optimizer.step()
    arrays = [v for state in optimizer.state.values() for v in state.values()]
    assert {str(a.dtype) for a in arrays if hasattr(a, "dtype")} == {"float32"}
    assert parameters[0].dtype == mg.float32
    assert (parameters[0] < 1).all()


@pytest.mark.parametrize("owner", ["optimizer", "module"])
def test_zeroing_a_gradient_that_is_not_finite(owner):
    layer = mg.nn.Linear(2, 1, bias=False)
    layer.weight.grad = held = mg.tensor([[np.nan, np.inf]])
    zeroing = layer if owner == "module" else mg.optim.SGD(layer.parameters(), lr=0.1)
    zeroing.zero_grad(set_to_none=False)
    assert layer.weight.grad.tolist() == held.tolist() == [[0.0, 0.0]]


def test_joined_parameters_that_changed_their_dtype_step_in_the_new_one():
    results = []
    for joined in (True, False):
        a = mg.tensor([1.0, 2.0], requires_grad=True)
        b = mg.tensor([3.0], requires_grad=True)
        groups = [a, b] if joined else [{"params": [a]}, {"params": [b]}]
        optimizer = mg.optim.SGD(groups, lr=0.1, momentum=0.9)
        for step in range(4):
            if step == 2:
                a.data, b.data = a.data.double() + 1e-10, b.data.double() - 1e-10
            optimizer.zero_grad()
            ((a * a).sum() + (b * b).sum()).backward()
            optimizer.step()
        results.append(a.tolist() + b.tolist())
    np.testing.assert_allclose(*results, rtol=1e-12)


@pytest.mark.parametrize(
    "name",
    ["Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "ASGD"],
)
def test_complex_parameters_step_by_their_parts(name):
    results = []
    for lib in (mg, torch):
        a = lib.tensor([1 + 1j, 2 - 3j], dtype=lib.complex128, requires_grad=True)
        b = lib.tensor([[3 + 2j]], dtype=lib.complex128, requires_grad=True)
        for parameters in ([a], [b, a]):
            optimizer = getattr(lib.optim, name)(parameters, lr=0.1, weight_decay=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                ((a * a * a.conj()).real.sum() + (b * b).imag.sum() * a.real.sum()).backward()
                optimizer.step()
        results.append([a.detach().numpy(), b.detach().numpy()])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_large_parameter_that_changes_its_layout_keeps_its_state():
    results = []
    for lib in (mg, torch):
        start_ = np.linspace(-1, 1, 200 * 200).reshape(200, 200)
        a = lib.tensor(start_).t().requires_grad_()
        optimizer = lib.optim.Adam([a], lr=0.1)
        for step in range(4):
            if step == 2:
                a.data = a.data.contiguous()
            optimizer.zero_grad()
            (a * a).sum().backward()
            optimizer.step()
        results.append(a.detach().numpy())
    # Some elements end near 0, as differences of numbers near 1.
    np.testing.assert_allclose(*results, rtol=1e-12, atol=1e-15)
