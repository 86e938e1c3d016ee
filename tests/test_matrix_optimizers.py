"""Optimizers that look at more than one element at a time, LBFGS and Muon: as torch's, by steps."""

import copy

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ArgumentError

torch = pytest.importorskip("torch")


def curved(lib, x, y):
    """Rosenbrock's valley in many dimensions, and a matrix that is pulled to a fixed one."""
    valley = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
    return valley + ((y @ y.T - 3 * lib.eye(2, dtype=lib.float64)) ** 2).sum()


def start(lib):
    x = lib.tensor(np.linspace(-1.2, 0.9, 6), requires_grad=True)
    y = lib.tensor(np.arange(4.0).reshape(2, 2) / 3, requires_grad=True)
    return x, y


def descend(lib, steps, optimizer=None, parameters=None, **options):
    x, y = parameters or start(lib)
    optimizer = optimizer or lib.optim.LBFGS([x, y], **options)

    def closure():
        optimizer.zero_grad()
        loss = curved(lib, x, y)
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(steps)]
    return losses, [x, y], optimizer


@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.01},
        {"lr": 0.02, "history_size": 3, "max_iter": 7},
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "lr": 0.5, "history_size": 2, "max_iter": 4},
        {"line_search_fn": "strong_wolfe", "max_iter": 30, "max_eval": 9},
        {"line_search_fn": "strong_wolfe", "tolerance_grad": 1.0},
        {"lr": 0.01, "tolerance_change": 1e-2},
    ],
)
def test_lbfgs_follows_torch(options):
    mine, parameters, optimizer = descend(mg, 6, **options)
    theirs, wanted, reference = descend(torch, 6, **options)
    # Sums in another order, through up to 150 iterations in a curved valley.
    np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-9)
    for a, b in zip(parameters, wanted, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)
    state, expected = optimizer.state[parameters[0]], reference.state[wanted[0]]
    assert state["func_evals"] == expected["func_evals"]
    assert state["n_iter"] == expected["n_iter"]


def test_a_saved_lbfgs_continues_exactly():
    options = {"line_search_fn": "strong_wolfe", "max_iter": 3}
    straight, parameters, _ = descend(mg, 5, **options)
    first, halfway, optimizer = descend(mg, 2, **options)
    saved = copy.deepcopy(optimizer.state_dict())
    resumed = mg.optim.LBFGS(halfway, lr=9.0)
    resumed.load_state_dict(saved)
    rest, halfway, _ = descend(mg, 3, optimizer=resumed, parameters=halfway)
    assert first + rest == straight
    for a, b in zip(parameters, halfway, strict=True):
        assert (a == b).all()


@pytest.mark.parametrize(("source", "to"), [(mg, torch), (torch, mg)])
def test_an_lbfgs_state_goes_on_in_the_other_library(source, to):
    options = {"line_search_fn": "strong_wolfe", "max_iter": 3}
    _, parameters, optimizer = descend(source, 2, **options)

    def converted(value):
        if isinstance(value, source.Tensor):
            return to.tensor(value.detach().numpy().copy())
        if isinstance(value, dict):
            return {name: converted(item) for name, item in value.items()}
        return [converted(item) for item in value] if isinstance(value, list) else value

    taken = [to.tensor(p.detach().numpy().copy(), requires_grad=True) for p in parameters]
    resumed = to.optim.LBFGS(taken, **options)
    resumed.load_state_dict(converted(optimizer.state_dict()))
    found, _, _ = descend(to, 2, optimizer=resumed, parameters=taken)
    expected, _, _ = descend(source, 2, optimizer=optimizer, parameters=parameters)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_lbfgs_trains_complex_numbers():
    def run(lib):
        z = lib.tensor([1 + 2j, -3j], dtype=lib.complex128, requires_grad=True)
        optimizer = lib.optim.LBFGS([z], max_iter=5, line_search_fn="strong_wolfe")

        def closure():
            optimizer.zero_grad()
            loss = (abs(z - (0.5 - 1j)) ** 4).sum() + (abs(z) ** 2).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        return z.detach().numpy()

    np.testing.assert_allclose(run(mg), run(torch), rtol=1e-8)


def test_lbfgs_refuses_what_it_cannot_do():
    x, y = start(mg)
    with pytest.raises(ArgumentError, match="no groups"):
        mg.optim.LBFGS([{"params": [x]}, {"params": [y]}])
    with pytest.raises(ArgumentError, match="strong_wolfe"):
        mg.optim.LBFGS([x], line_search_fn="armijo")
    with pytest.raises(TypeError, match="closure"):
        mg.optim.LBFGS([x]).step()


MUON = [
    {"lr": 0.1},
    {"lr": 0.1, "nesterov": False, "momentum": 0.5, "weight_decay": 0.0},
    {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3},
    {"lr": 0.1, "adjust_lr_fn": "original", "ns_coefficients": (2.0, -1.5, 0.5), "eps": 10.0},
]


def matrices(lib, options, steps=6):
    shapes = [(3, 2), (2, 5), (4, 4)]
    rng = np.random.default_rng(0)
    parameters = [lib.tensor(rng.normal(size=shape), requires_grad=True) for shape in shapes]
    optimizer = lib.optim.Muon(parameters, **options)
    for step in range(steps):
        optimizer.zero_grad()
        sum(((p - 0.1 * step) ** 2).sum() * (i + 1) for i, p in enumerate(parameters)).backward()
        optimizer.step()
    return [p.detach().numpy() for p in parameters]


@pytest.mark.parametrize("options", MUON)
def test_muon_follows_torch_in_its_own_precision(options, monkeypatch):
    """Torch's iteration runs in bfloat16; here it is kept from rounding, to compare exactly."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    for a, b in zip(matrices(mg, options), matrices(torch, options), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


def test_muon_steps_by_a_matrix_that_is_nearly_orthogonal():
    weight = mg.tensor(np.random.default_rng(1).normal(size=(6, 4)), requires_grad=True)
    before = weight.detach().numpy().copy()
    (weight * mg.tensor(np.random.default_rng(2).normal(size=(6, 4)))).sum().backward()
    mg.optim.Muon([weight], lr=1.0, weight_decay=0.0).step()
    step = (before - weight.detach().numpy()) / np.sqrt(6 / 4)
    sizes = np.linalg.svd(step, compute_uv=False)
    # The quintic's values lie in this band, by design (Jordan and others, 2024).
    assert ((sizes > 0.6) & (sizes < 1.3)).all()


def test_muon_refuses_what_is_no_matrix():
    with pytest.raises(ArgumentError, match="matrices"):
        mg.optim.Muon([mg.zeros(3, requires_grad=True)])
    with pytest.raises(ArgumentError, match="adjust_lr_fn"):
        mg.optim.Muon([mg.zeros(3, 3, requires_grad=True)], adjust_lr_fn="other")
