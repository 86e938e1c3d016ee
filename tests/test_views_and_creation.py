"""Views that share memory, in-place changes of shape, and what `tensor` makes of its data."""

import numpy as np
import pytest

import minigrad
from minigrad.errors import GraphError


def numbers(*shape):
    return minigrad.arange(float(np.prod(shape, dtype=int))).reshape(*shape)


VIEWS = {
    "an integer": lambda x: x[1, 2],
    "a slice": lambda x: x[0:1, ::2],
    "None and Ellipsis": lambda x: x[None, ..., 0],
    "reshape": lambda x: x.reshape(6, 2),
    "view": lambda x: x.view(-1),
    "transpose": lambda x: x.transpose(0, 1),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "permute": lambda x: x.permute(1, 0),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "flatten": lambda x: x.flatten(),
    "unflatten": lambda x: x.unflatten(1, (2, 2)),
    "diagonal": lambda x: x.diagonal(),
    "narrow": lambda x: x.narrow(1, 1, 2),
    "select": lambda x: x.select(0, 2),
    "split": lambda x: x.split(2)[1],
    "chunk": lambda x: x.chunk(2, dim=1)[0],
    "unbind": lambda x: x.unbind()[2],
    "tensor_split": lambda x: x.tensor_split((1,), dim=1)[1],
    "movedim": lambda x: x.movedim(0, 1),
    "view of another dtype": lambda x: x.view(minigrad.int32),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_writes_into_its_base(name):
    x = numbers(3, 4)
    view = VIEWS[name](x)
    assert np.shares_memory(view.numpy(), x.numpy())
    before = x.tolist()
    view.zero_()
    assert x.tolist() != before
    assert not view.numpy().any()


COPIES = {
    "an index array": lambda x: x[minigrad.tensor([0, 1])],
    "a mask": lambda x: x[x > 1],
    "clone": lambda x: x.clone(),
    "flip": lambda x: x.flip(0),
    "repeat": lambda x: x.repeat(1, 1),
    "diag": lambda x: x.diag(),
    "tril": lambda x: x.tril(),
    "cat of one": lambda x: minigrad.cat((x,)),
    "index_select": lambda x: x.index_select(0, minigrad.tensor([0])),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_does_not(name):
    x = numbers(3, 4)
    assert not np.shares_memory(COPIES[name](x).numpy(), x.numpy())


def test_a_view_that_needs_a_copy_is_refused():
    with pytest.raises(ValueError, match=r"view\(\).*reshape"):
        numbers(2, 3).T.view(6)


def test_parts_of_a_split_carry_a_recorded_change_to_the_base():
    w = minigrad.tensor([2.0, 3.0], requires_grad=True)
    x = numbers(4) * 1
    x.chunk(2)[1].mul_(w)
    x.sum().backward()
    assert x.tolist() == [0.0, 1.0, 4.0, 9.0]
    assert w.grad.tolist() == [2.0, 3.0]


def test_a_split_has_one_node_whose_gradient_is_put_together():
    x = minigrad.tensor([1.0, 2.0, 3.0], requires_grad=True)
    first, second = x.split((1, 2))
    (5 * first.sum() + (second * second).sum()).backward()
    assert x.grad.tolist() == [5.0, 4.0, 6.0]
    x.grad = None
    x.split((1, 2))[1].sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 1.0]


def test_changing_shape_in_place_keeps_views_and_graph():
    w = minigrad.ones(2, 3, requires_grad=True)
    x = w * 2
    row = x[0]
    x.transpose_(0, 1).unsqueeze_(0)
    assert list(x.shape) == [1, 3, 2]
    x[0, 0].mul_(10)
    assert row.tolist() == [20.0, 2.0, 2.0]
    (x * minigrad.tensor([1.0, 0.0])).sum().backward()
    assert w.grad.tolist() == [[20.0, 2.0, 2.0], [0.0, 0.0, 0.0]]


def test_changing_the_shape_of_a_leaf_is_refused_while_recording():
    leaf = minigrad.ones(2, 3, requires_grad=True)
    with pytest.raises(GraphError, match="transpose_"):
        leaf.transpose_(0, 1)
    with minigrad.no_grad():
        leaf.transpose_(0, 1)
    assert list(leaf.shape) == [3, 2]
    assert leaf.requires_grad


def test_an_index_changed_after_it_was_used_is_noticed():
    x = minigrad.ones(3, requires_grad=True)
    index = minigrad.tensor([0, 2])
    y = x[index].sum()
    index.zero_()
    with pytest.raises(GraphError, match="getitem"):
        y.backward()


@pytest.mark.parametrize(
    ("index", "says"),
    [
        ([[0, 1], [1, 0]], "ambiguous"),
        (1.0, "float"),
        (np.array([1.0]), "long"),
        (np.array([1], np.uint8), "bool"),
        (slice(None, None, -1), "flip"),
        ((0, 0, 0), "too many"),
        (["a"], "list"),
    ],
)
def test_an_index_that_means_nothing_or_two_things_is_refused(index, says):
    with pytest.raises((IndexError, ValueError), match=says):
        numbers(2, 3)[index]


# One value of each kind, and what torch 2 makes of it.
DATA = [
    (True, "bool"),
    (3, "int64"),
    (2.5, "float32"),
    (1j, "complex64"),
    ([], "float32"),
    ([True, 2], "int64"),
    ([True, 2.5], "float32"),
    ([[1, 2], [3, 4]], "int64"),
    (range(3), "int64"),
    (np.float64(2), "float64"),
    ([np.float64(2)], "float64"),
    ([np.int32(1), 2], "int64"),
    (np.ones(2, np.int16), "int16"),
    ([np.ones(2), np.ones(2)], "float64"),
    (minigrad.ones(2, dtype=minigrad.float16), "float16"),
    ([minigrad.tensor(1), minigrad.tensor(2.0)], "float32"),
]


@pytest.mark.parametrize(("data", "dtype"), DATA, ids=repr)
def test_the_dtype_of_data(data, dtype):
    assert minigrad.tensor(data).dtype == dtype


def test_python_floats_take_the_default_dtype():
    minigrad.set_default_dtype(minigrad.float64)
    assert minigrad.tensor([1.0]).dtype == minigrad.float64
    assert minigrad.tensor([1j]).dtype == minigrad.complex128
    assert minigrad.zeros(1).dtype == minigrad.float64


@pytest.mark.parametrize(
    "data", ["a", None, {1: 2}, [1, "a"], [[1, 2], [3]], [2**63], [minigrad.ones(2)]], ids=repr
)
def test_data_that_are_no_numbers_are_refused(data):
    with pytest.raises((TypeError, ValueError), match=r"tensor\(\).*'data'"):
        minigrad.tensor(data)


def test_tensor_copies_and_from_numpy_shares():
    array = np.zeros(2)
    assert not np.shares_memory(minigrad.tensor(array).numpy(), array)
    assert np.shares_memory(minigrad.from_numpy(array).numpy(), array)
    assert np.shares_memory(minigrad.as_tensor(array).numpy(), array)
    with pytest.raises(TypeError, match="byte order"):
        minigrad.from_numpy(np.zeros(2, ">f4"))
    with pytest.raises(TypeError, match="list"):
        minigrad.from_numpy([1.0])


def test_random_fills_change_the_tensor_itself():
    x = minigrad.empty(1000)
    assert x.uniform_(2, 3) is x
    assert 2 <= x.min().item() <= x.max().item() < 3
    x.normal_(5, 0.1)
    assert abs(x.mean().item() - 5) < 0.02  # 6 standard errors
    assert set(x.bernoulli_(0.5).tolist()) == {0.0, 1.0}
    assert x.exponential_().min().item() > 0
    whole = x.random_(10)
    assert set(whole.tolist()) == set(range(10))


def test_the_state_of_the_generator_is_a_tensor():
    state = minigrad.get_rng_state()
    assert state.dtype == minigrad.uint8
    first = minigrad.rand(3)
    minigrad.set_rng_state(state)
    assert minigrad.rand(3).tolist() == first.tolist()
    with minigrad.random.fork_rng():
        minigrad.rand(3)
    minigrad.set_rng_state(state)
    assert minigrad.rand(3).tolist() == first.tolist()


def test_many_values_are_scattered_to_the_same_places_as_few():
    index = np.random.default_rng(0).integers(-7, 7, (50, 20))
    values = np.random.default_rng(1).standard_normal((50, 20, 3))
    wanted = np.zeros((7, 3))
    np.add.at(wanted, index, values)
    x = minigrad.zeros(7, 3, dtype=minigrad.float64, requires_grad=True)
    x[minigrad.tensor(index)].backward(minigrad.tensor(values))
    # A thousand numbers of size one are added in another order.
    assert np.allclose(x.grad.numpy(), wanted, rtol=0, atol=1e-11)
    with pytest.raises(IndexError, match="out of bounds"):
        x.index_put((minigrad.tensor(index - 1),), minigrad.tensor(values), accumulate=True)
