"""keras.ops and keras.random: NumPy's numbers, KerasTensors, gradients, what is refused."""

import numpy
import pytest

import minigrad
from minigrad import keras
from minigrad.keras import backend as K
from minigrad.keras import ops

RNG = numpy.random.default_rng(0)
A = RNG.standard_normal((2, 3, 4)).astype("float32")
B = RNG.standard_normal((2, 3, 4)).astype("float32")
M = RNG.standard_normal((4, 4)).astype("float32")
PLACES = numpy.array([2, 0, 1])

UNARY = [
    "absolute", "ceil", "floor", "trunc", "negative", "sign", "square", "isfinite", "isnan",
    "logical_not", "arctan", "arcsinh", "cos", "cosh", "exp", "exp2", "expm1", "sin", "sinh",
    "tan", "tanh", "reciprocal", "ravel", "transpose", "zeros_like", "ones_like",
]  # fmt: skip
BINARY = [
    "add", "subtract", "multiply", "true_divide", "divide", "floor_divide", "mod", "arctan2",
    "logaddexp", "maximum", "minimum", "equal", "not_equal", "greater", "greater_equal", "less",
    "less_equal", "logical_and", "logical_or", "logical_xor",
]  # fmt: skip
REDUCTIONS = ["sum", "mean", "max", "min", "std", "var", "prod", "all", "any", "median"]


@pytest.fixture(autouse=True)
def _names_from_the_start():
    """Layers are numbered anew in each test, and in the tests that come after."""
    keras.utils.clear_session()
    yield
    keras.utils.clear_session()


def same(found, wanted):
    wanted = numpy.asarray(wanted)
    assert tuple(found.shape) == wanted.shape
    # Two of NumPy's float32 sums in another order differ by this.
    numpy.testing.assert_allclose(found.numpy(), wanted, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_one_tensor_is_numpys(name):
    same(getattr(ops, name)(A), getattr(numpy, name)(A))


@pytest.mark.parametrize("name", ["log", "log1p", "log2", "log10", "sqrt", "arcsin", "arccos"])
def test_functions_of_a_part_of_the_line(name):
    positive = numpy.abs(A) % 1
    same(getattr(ops, name)(positive), getattr(numpy, name)(positive))


@pytest.mark.parametrize("name", BINARY)
def test_a_function_of_two_tensors_is_numpys(name):
    same(getattr(ops, name)(A, B), getattr(numpy, name)(A, B))
    same(getattr(ops, name)(A, 0.5), getattr(numpy, name)(A, numpy.float32(0.5)))
    same(getattr(ops, name)(0.5, A), getattr(numpy, name)(numpy.float32(0.5), A))


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_a_reduction_is_numpys(name, axis, keepdims):
    found = getattr(ops, name)(A, axis=axis, keepdims=keepdims)
    same(found, getattr(numpy, name)(A, axis=axis, keepdims=keepdims))


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (ops.argmax(A, axis=1), numpy.argmax(A, 1)),
        (ops.argmin(A), numpy.argmin(A)),
        (ops.argsort(A, axis=0), numpy.argsort(A, 0)),
        (ops.average(A, axis=1, weights=[1.0, 2.0, 3.0]), numpy.average(A, 1, [1, 2, 3])),
        (ops.broadcast_to(A[:, :1], (2, 3, 4)), numpy.broadcast_to(A[:, :1], (2, 3, 4))),
        (ops.clip(A, -0.5, 0.5), numpy.clip(A, -0.5, 0.5)),
        (ops.concatenate([A, B], axis=-1), numpy.concatenate([A, B], -1)),
        (ops.count_nonzero(A > 0, axis=1), numpy.count_nonzero(A > 0, 1)),
        (ops.cross(A[..., :3], B[..., :3]), numpy.cross(A[..., :3], B[..., :3])),
        (ops.cumprod(A, axis=2), numpy.cumprod(A, 2)),
        (ops.cumsum(A), numpy.cumsum(A)),
        (ops.det(M), numpy.linalg.det(M)),
        (ops.diag(M, 1), numpy.diag(M, 1)),
        (ops.dot(A, M), numpy.dot(A, M)),
        (ops.dot(M, B.transpose(0, 2, 1)), numpy.dot(M, B.transpose(0, 2, 1))),
        (ops.einsum("bij,kj->bik", A, M), numpy.einsum("bij,kj->bik", A, M)),
        (ops.expand_dims(A, (0, -1)), numpy.expand_dims(A, (0, -1))),
        (ops.eye(3, 4, k=1), numpy.eye(3, 4, 1)),
        (ops.flip(A, 1), numpy.flip(A, 1)),
        (ops.hstack([A, B]), numpy.hstack([A, B])),
        (ops.inv(M), numpy.linalg.inv(M)),
        (ops.isclose(A, A + 1e-7), numpy.isclose(A, A + 1e-7)),
        (ops.linspace(0, 1, 5, endpoint=False), numpy.linspace(0, 1, 5, endpoint=False)),
        (ops.matmul(A, M), A @ M),
        (ops.moveaxis(A, 0, -1), numpy.moveaxis(A, 0, -1)),
        (ops.nan_to_num([numpy.nan, 1.0]), [0.0, 1.0]),
        (ops.norm(A, axis=-1), numpy.linalg.norm(A, axis=-1)),
        (ops.outer(A[0, 0], B[0, 0]), numpy.outer(A[0, 0], B[0, 0])),
        (ops.pad(M, ((1, 0), (2, 1))), numpy.pad(M, ((1, 0), (2, 1)))),
        (ops.power(numpy.abs(A), 1.5), numpy.abs(A) ** 1.5),
        (ops.repeat(A, 2, axis=1), numpy.repeat(A, 2, 1)),
        (ops.reshape(A, (6, -1)), A.reshape(6, -1)),
        (ops.roll(A, 1, axis=2), numpy.roll(A, 1, 2)),
        (ops.round(A, 1), numpy.round(A, 1)),
        (ops.slice(A, (0, 1, 2), (2, 2, 1)), A[0:2, 1:3, 2:3]),
        (ops.solve(M, M[:, :2]), numpy.eye(4)[:, :2]),
        (ops.sort(A, axis=1), numpy.sort(A, 1)),
        (ops.split(A, 2, axis=2)[1], A[:, :, 2:]),
        (ops.split(A, [1, 3], axis=2)[1], A[:, :, 1:3]),
        (ops.squeeze(A[:, :1]), A[:, 0]),
        (ops.stack([A, B], axis=1), numpy.stack([A, B], 1)),
        (ops.swapaxes(A, 0, 2), numpy.swapaxes(A, 0, 2)),
        (ops.take(A, PLACES, axis=1), numpy.take(A, PLACES, 1)),
        (ops.take(A, -1, axis=2), numpy.take(A, -1, 2)),
        (ops.take_along_axis(M, M.argsort(1), axis=1), numpy.sort(M, 1)),
        (ops.tensordot(A, M, axes=1), numpy.tensordot(A, M, 1)),
        (ops.tile(M, (2, 1)), numpy.tile(M, (2, 1))),
        (ops.trace(M), numpy.trace(M)),
        (ops.transpose(A, (1, 0, 2)), A.transpose(1, 0, 2)),
        (ops.tri(3, k=-1), numpy.tri(3, k=-1)),
        (ops.tril(M, -1), numpy.tril(M, -1)),
        (ops.unstack(A, axis=1)[2], A[:, 2]),
        (ops.vstack([A, B]), numpy.vstack([A, B])),
        (ops.where(A > 0, A, 0.0), numpy.where(A > 0, A, 0)),
        (ops.where(A > 0)[1], numpy.where(A > 0)[1]),
    ],
)
def test_other_functions_are_numpys(found, wanted):
    same(found, wanted)


def test_functions_of_networks():
    scores = minigrad.tensor([[1.0, 2.0, 0.0], [0.0, 0.5, 3.0]])
    assert ops.one_hot([2, 0], 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert ops.multi_hot([[0, 2], [1, 1]], 3).tolist() == [[1, 0, 1], [0, 1, 0]]
    assert ops.in_top_k([0, 1], scores, 2).tolist() == [True, True]
    values, places = ops.top_k(scores, 2)
    assert (values.tolist(), places.tolist()) == ([[2, 1], [3, 0.5]], [[1, 0], [2, 1]])
    # -log(softmax) of the second class, and the sigmoid's, by their formulas.
    rows = ops.sparse_categorical_crossentropy([1, 1], scores, from_logits=True)
    e = numpy.exp(scores.numpy())
    same(rows, -numpy.log(e[:, 1] / e.sum(1)))
    same(ops.categorical_crossentropy([[0, 1, 0]] * 2, scores, from_logits=True), rows.numpy())
    each = ops.binary_crossentropy([[1.0, 0.0]], [[0.25, 0.25]])
    same(each, -numpy.log([[0.25, 0.75]]))


def test_numbers_lists_and_whole_numbers_become_tensors_of_kerass_dtypes():
    assert ops.convert_to_tensor([1.0, 2.0]).dtype == minigrad.float32
    assert ops.convert_to_tensor([1, 2]).dtype == minigrad.int32
    assert ops.mean([1, 2]).item() == 1.5
    assert ops.sqrt(4).item() == 2.0
    assert ops.add(1, 2).item() == 3
    assert ops.cast([0.0, 2.0], "bool").tolist() == [False, True]
    assert ops.convert_to_numpy([minigrad.tensor(1.0), 2.0]).tolist() == [1.0, 2.0]
    assert ops.arange(3).dtype == minigrad.int32


def test_gradients_flow_through():
    x = minigrad.tensor([1.0, -2.0, 3.0], requires_grad=True)
    ops.sum(ops.square(ops.relu(x))).backward()
    assert x.grad.tolist() == [2.0, 0.0, 6.0]
    assert not ops.stop_gradient(x).requires_grad


def test_a_graph_of_functions_is_a_model_that_can_be_saved(tmp_path):
    inputs = keras.Input((4,), name="x")
    hidden = keras.layers.Dense(3)(inputs)
    both = ops.concatenate([ops.relu(hidden), keras.activations.tanh(-hidden)], axis=-1)
    outputs = ops.mean(both, axis=1, keepdims=True) * 2 + ops.expand_dims(inputs[:, 0], 1)
    assert both.shape == (None, 6)
    assert outputs.shape == (None, 1)
    model = keras.Model(inputs, outputs)
    x = A.reshape(-1, 4)
    kernel, bias = model.get_weights()
    z = x @ kernel + bias
    wanted = 2 * numpy.concatenate([numpy.maximum(z, 0), numpy.tanh(-z)], -1).mean(1)[:, None]
    numpy.testing.assert_allclose(model.predict(x, verbose=0), wanted + x[:, :1], atol=1e-6)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert (again.predict(x, verbose=0) == model.predict(x, verbose=0)).all()


def test_what_is_refused_says_what_would_work():
    with pytest.raises(ValueError, match="axis 2 has the length 4, which 3 equal parts"):
        ops.split(A, 3, axis=2)
    with pytest.raises(ValueError, match="only an axis of length 1"):
        ops.squeeze(A, axis=0)
    with pytest.raises(ValueError, match="mode must be one of constant, reflect, edge, wrap"):
        ops.pad(M, 1, mode="mirror")
    with pytest.raises(ValueError, match="seed must be an integer, a SeedGenerator or None"):
        keras.random.normal((2,), seed="x")


def test_draws_repeat_with_a_seed_and_go_on_with_a_generator():
    assert keras.random.normal((3,), seed=1).tolist() == keras.random.normal((3,), seed=1).tolist()
    source = keras.random.SeedGenerator(1)
    first = keras.random.uniform((3,), seed=source).tolist()
    assert first != keras.random.uniform((3,), seed=source).tolist()
    drawn = keras.random.randint((1000,), 2, 5, seed=0)
    assert (drawn.min().item(), drawn.max().item(), drawn.dtype) == (2, 4, minigrad.int32)
    assert sorted(keras.random.shuffle(numpy.arange(9), seed=0).tolist()) == list(range(9))
    kept = keras.random.dropout(numpy.ones((100, 100), "float32"), 0.25, seed=0)
    # 10,000 draws: the share that is kept is within 5 standard deviations, 0.0217, of 0.75.
    assert abs((kept != 0).float().mean().item() - 0.75) < 0.0217
    assert sorted(set(kept.reshape(-1).tolist())) == pytest.approx([0.0, 1 / 0.75])
    rows = keras.random.categorical([[0.0, 50.0]], 5, seed=0)
    assert rows.tolist() == [[1, 1, 1, 1, 1]]
    assert keras.random.truncated_normal((1000,), seed=0).abs().max().item() <= 2


def test_the_backend_has_keras_2s_names():
    assert K.mean(K.square(K.constant([1.0, 3.0]))).item() == 5.0
    assert K.int_shape(keras.Input((3,))) == (None, 3)
    held = K.variable([1.0, 2.0])
    K.set_value(held, [3.0, 4.0])
    assert K.get_value(held).tolist() == [3.0, 4.0]
    assert K.flatten(A).shape == (24,)
    assert K.switch(K.greater(A, 0), A, -A).numpy().tolist() == numpy.abs(A).tolist()
