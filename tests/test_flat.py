"""Parameters in one flat array: every optimizer steps the same, and nobody else can tell."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import GraphError
from tests.test_optim import OPTIMIZERS

torch = pytest.importorskip("torch")

ELEMENTWISE = [(name, options) for name, options in OPTIMIZERS if name != "Adafactor"]
SHAPES = [(4, 3), (3,), (), (0, 2), (5,), (130, 130)]


def leaves(dtype=mg.float32):
    rng = np.random.default_rng(3)
    return [
        mg.tensor(rng.standard_normal(shape)).to(dtype).clone().requires_grad_() for shape in SHAPES
    ]


def set_gradients(parameters, step):
    rng = np.random.default_rng(step)
    for parameter in parameters:
        parameter.grad = mg.tensor(rng.standard_normal(parameter.shape)).to(parameter.dtype)


def settled(parameter):
    """Whether the parameter lies in a flat array."""
    return parameter._place is not None and not parameter._array.flags.owndata


def network():
    mg.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def train(model, optimizer, steps=2):
    for _ in range(steps):
        optimizer.zero_grad()
        model(mg.ones(5, 3)).square().sum().backward()
        optimizer.step()


@pytest.mark.parametrize("dtype", [mg.float32, mg.float64, mg.complex64])
@pytest.mark.parametrize(("name", "options"), ELEMENTWISE)
def test_a_step_is_the_same_to_the_last_bit(name, options, dtype):
    results = []
    for way in ("flat", "copied", "alone"):
        parameters = leaves(dtype)
        held = [p._array for p in parameters] if way == "copied" else []
        groups = [{"params": [p]} for p in parameters] if way == "alone" else parameters
        optimizer = getattr(mg.optim, name)(groups, **options)
        assert [settled(p) for p in parameters[:5]] == [way == "flat"] * 5
        assert not settled(parameters[5])
        for step in range(4):
            set_gradients(parameters, step)
            if step == 2:
                parameters[1].grad = None
            optimizer.step()
        assert all(p._array is array for p, array in zip(parameters, held))
        states = [value for p in parameters for value in optimizer.state[p].values()]
        results.append([p.detach().numpy() for p in parameters] + states)
    for other in results[1:]:
        for left, right in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(left, right)


def test_parameters_and_their_state_are_parts_of_one_array():
    parameters = leaves()[:5]
    optimizer = mg.optim.Adam(parameters)
    set_gradients(parameters, 0)
    optimizer.step()
    assert len({id(p._array.base) for p in parameters}) == 1
    assert len({id(optimizer.state[p]["exp_avg"].base) for p in parameters}) == 1
    assert all(optimizer.state[p]["exp_avg"].shape == p.shape for p in parameters)
    assert not np.shares_memory(parameters[0].detach().numpy(), parameters[1].detach().numpy())


def test_state_dicts_go_round():
    first, second = network(), network()
    optimizers = [mg.optim.Adam(model.parameters(), lr=0.1) for model in (first, second)]
    train(first, optimizers[0])
    assert list(first.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    before = [p._array for p in second.parameters()]
    second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    optimizers[1].load_state_dict(pickle.loads(pickle.dumps(optimizers[0].state_dict())))
    assert all(p._array is array for p, array in zip(second.parameters(), before, strict=True))
    train(first, optimizers[0])
    train(second, optimizers[1])
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
    saved = optimizers[1].state_dict()["state"]
    assert [sorted(own) for own in saved.values()] == [["exp_avg", "exp_avg_sq", "step"]] * 4
    assert saved[2]["exp_avg"].shape == (2, 4)


def test_memory_that_others_hold_stays_shared():
    owned = np.ones(3, np.float32)
    taken = mg.from_numpy(owned).requires_grad_()
    seen = nn.Parameter(mg.zeros(2))
    look = seen.detach()
    row = nn.Parameter(mg.zeros(2, 2))
    part = row.detach()[0]
    kept = nn.Parameter(mg.ones(2))
    graph = kept * kept
    free = [nn.Parameter(mg.zeros(2)), nn.Parameter(mg.zeros(3))]
    parameters = [taken, seen, row, kept, *free]
    optimizer = mg.optim.SGD(parameters, lr=1.0)
    assert [settled(p) for p in parameters] == [False] * 4 + [True] * 2
    for parameter in parameters:
        parameter.grad = mg.ones(*parameter.shape)
    optimizer.step()
    assert owned.tolist() == [0.0] * 3
    assert look.tolist() == part.tolist() == [-1.0] * 2
    with pytest.raises(GraphError, match=r"by step\(\)"):
        graph.sum().backward()


def test_arrays_that_were_reshaped_are_moved_unless_their_whole_is_held():
    drawn = [nn.Parameter(mg.randn(2, 2)), nn.Parameter(mg.randn(3))]
    whole = np.zeros(6, np.float32)
    held = [nn.Parameter(mg.from_numpy(whole[:2])), nn.Parameter(mg.from_numpy(whole[2:]))]
    frozen = [nn.Parameter(mg.from_numpy(np.frombuffer(bytearray(8), np.float32)))]
    optimizer = mg.optim.SGD([*drawn, *held, *frozen], lr=1.0)
    assert [settled(p) for p in (*drawn, *held, *frozen)] == [True] * 2 + [False] * 3
    for parameter in (*drawn, *held, *frozen):
        parameter.grad = mg.ones(*parameter.shape)
    optimizer.step()
    assert whole.tolist() == [-1.0] * 6


def test_parameters_that_share_memory_step_one_after_the_other():
    results = []
    for lib in (mg, torch):
        one = lib.ones(3, requires_grad=True)
        two = one.detach().requires_grad_()
        raw = np.ones(4, np.float32)
        low = lib.from_numpy(raw[:3]).requires_grad_()
        high = lib.from_numpy(raw[1:]).requires_grad_()
        parameters = [one, two, low, high]
        optimizer = lib.optim.SGD(parameters, lr=0.5, momentum=0.9)
        for step in range(3):
            for number, parameter in enumerate(parameters):
                parameter.grad = lib.full((3,), float(number + step))
            optimizer.step()
        results.append([one.tolist(), two.tolist(), raw.tolist()])
    assert results[0] == results[1]


def test_what_is_taken_later_sees_every_step():
    model = network()
    optimizer = mg.optim.SGD(model.parameters(), lr=0.1)
    look, row = model[0].weight.detach(), model[0].weight.detach()[1]
    array, saved = model[0].bias.detach().numpy(), model.state_dict()
    train(model, optimizer)
    np.testing.assert_array_equal(look.numpy(), model[0].weight.detach().numpy())
    np.testing.assert_array_equal(row.numpy(), model[0].weight.detach().numpy()[1])
    np.testing.assert_array_equal(array, model[0].bias.detach().numpy())
    np.testing.assert_array_equal(saved["2.bias"].numpy(), model[2].bias.detach().numpy())


def test_a_change_of_one_parameter_is_no_change_of_another():
    first, second = nn.Parameter(mg.ones(2)), nn.Parameter(mg.ones(3))
    mg.optim.SGD([first, second], lr=0.1)
    value = (first * first).sum()
    with mg.no_grad():
        second.add_(1)
    assert (first._version, second._version) == (0, 1)
    value.backward()
    assert first.grad.tolist() == [2.0, 2.0]


def test_a_step_is_noticed_by_backward():
    first, second = nn.Parameter(mg.ones(2)), nn.Parameter(mg.ones(3))
    optimizer = mg.optim.SGD([first, second], lr=0.1)
    value, viewed = (first * first).sum(), first[1:].square().sum()
    second.grad, first.grad = mg.ones(3), mg.ones(2)
    optimizer.step()
    for stale in (value, viewed):
        with pytest.raises(GraphError, match=r"by step\(\) at .*test_flat"):
            stale.backward()


def test_versions_count_on():
    parameters = [nn.Parameter(mg.ones(2)), nn.Parameter(mg.ones(3))]
    with mg.no_grad():
        parameters[0].mul_(2).mul_(3)
    mg.optim.SGD(parameters, lr=0.1)
    assert [p._version for p in parameters] == [2, 0]


def test_a_gradient_that_is_kept_does_not_change():
    model = network()
    optimizer = mg.optim.Adam(model.parameters())
    train(model, optimizer, steps=1)
    kept = model[0].weight.grad
    values = kept.tolist()
    train(model, optimizer, steps=2)
    assert kept.tolist() == values
    optimizer.zero_grad()
    assert model[0].weight.grad is None


def test_replaced_arrays_and_edited_state_are_noticed():
    results = []
    for joined in (True, False):
        parameters = leaves()[:5]
        groups = parameters if joined else [{"params": [p]} for p in parameters]
        optimizer = mg.optim.Adam(groups, lr=0.1)
        for step in range(7):
            if step == 2:
                parameters[0].data = mg.zeros(4, 3)
            if step == 3:
                optimizer.state[parameters[1]]["step"] = 1
            if step == 4:
                optimizer.state[parameters[2]]["exp_avg"] = np.ones((), np.float32)
            if step == 5:
                del optimizer.state[parameters[4]]
            if step == 6:
                optimizer.state[parameters[0]]["exp_avg"][...] = 1
            set_gradients(parameters, step)
            optimizer.step()
        results.append([p.detach().numpy() for p in parameters])
    for left, right in zip(*results, strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_model_that_is_converted_steps_in_its_new_dtype():
    model = network()
    optimizer = mg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    train(model, optimizer)
    model.double()
    optimizer.zero_grad()
    before = model[0].bias.detach().clone()
    model(mg.ones(5, 3, dtype=mg.float64)).square().sum().backward()
    optimizer.step()
    assert model[0].bias.dtype == mg.float64
    assert not (model[0].bias == before).any()


def test_copies_and_pickles_hold_their_own_values_alone():
    parameters = [nn.Parameter(mg.ones(2)), nn.Parameter(mg.ones(16_000))]
    before = len(pickle.dumps(parameters[0]))
    mg.optim.SGD(parameters, lr=0.1)
    assert len(pickle.dumps(parameters[0])) == before
    for made in (copy.deepcopy(parameters[0]), pickle.loads(pickle.dumps(parameters[0]))):
        assert not settled(made)
        with mg.no_grad():
            made.zero_()
    assert parameters[0].tolist() == [1.0, 1.0]


def test_copied_models_train_apart():
    model = network()
    optimizer = mg.optim.Adam(model.parameters(), lr=0.1)
    train(model, optimizer)
    again = copy.deepcopy({"model": model, "optimizer": optimizer})
    train(again["model"], again["optimizer"])
    assert not (again["model"][0].weight == model[0].weight).any()
    train(model, optimizer)
    for a, b in zip(again["model"].parameters(), model.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_a_second_optimizer_uses_the_flat_array_that_is_there():
    model = network()
    first = mg.optim.SGD(model.parameters(), lr=0.1)
    arrays = [p._array for p in model.parameters()]
    second = mg.optim.Adam(model[2].parameters(), lr=0.1)
    alternating = copy.deepcopy(model)
    for optimizer in (first, second, first):
        train(model, optimizer, steps=1)
    assert all(p._array is a for p, a in zip(model.parameters(), arrays, strict=True))
    first = mg.optim.SGD([{"params": [p]} for p in alternating.parameters()], lr=0.1)
    second = mg.optim.Adam([{"params": [p]} for p in alternating[2].parameters()], lr=0.1)
    for optimizer in (first, second, first):
        train(alternating, optimizer, steps=1)
    for a, b in zip(model.parameters(), alternating.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_a_new_optimizer_takes_what_an_old_one_left():
    model = network()
    mg.optim.SGD([{"params": [p]} for p in model.parameters()], lr=0.1)
    old = mg.optim.SGD(model[2].parameters(), lr=0.1)
    arrays = [p._array for p in model[2].parameters()]
    assert all(settled(p) for p in model[2].parameters())
    new = mg.optim.SGD(model.parameters(), lr=0.1)
    assert len({id(p._array.base) for p in model.parameters()}) == 2
    del arrays
    new = mg.optim.SGD(model.parameters(), lr=0.1)
    assert len({id(p._array.base) for p in model.parameters()}) == 1
    for optimizer in (new, old):
        before = model[2].bias.detach().clone()
        train(model, optimizer, steps=1)
        assert not (model[2].bias == before).any()


def test_added_groups_and_frozen_parameters():
    model = network()
    model[0].requires_grad_(False)
    optimizer = mg.optim.SGD(model[2].parameters(), lr=0.1)
    optimizer.add_param_group({"params": model[0].parameters(), "lr": 0.01})
    frozen = model[0].weight.detach().clone()
    train(model, optimizer)
    assert (model[0].weight == frozen).all()
    model[0].requires_grad_(True)
    train(model, optimizer)
    assert not (model[0].weight == frozen).any()


def test_the_layout_of_a_parameter_stays():
    turned = nn.Parameter(mg.tensor(np.asfortranarray(np.ones((4, 3), np.float32))))
    turned.data = mg.ones(3, 4).t()
    others = [nn.Parameter(mg.ones(2)), nn.Parameter(mg.ones(3))]
    optimizer = mg.optim.SGD([turned, *others], lr=1.0)
    for parameter in (turned, *others):
        parameter.grad = mg.ones(*parameter.shape)
    optimizer.step()
    assert turned.stride() == (1, 4)
    assert (turned == 0).all()


def test_memory_goes_with_its_last_user():
    parameters = [nn.Parameter(mg.ones(2)), nn.Parameter(mg.ones(3))]
    optimizer = mg.optim.Adam(parameters)
    set_gradients(parameters, 0)
    optimizer.step()
    flat = weakref.ref(parameters[0]._place[0])
    gc.disable()
    try:
        del optimizer, parameters
        assert flat() is None
    finally:
        gc.enable()
