"""Keras's losses: against Keras 3's own numbers, torch, scikit-learn and the formulas, to the end
of what probabilities and logits can be; and what each mistake is answered.
"""

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from sklearn import metrics as sklearn_metrics

import minigrad
from minigrad.errors import ArgumentError, DtypeError
from minigrad.keras import config, lookup, losses
from minigrad.nn import functional as F
from tests.strict import strict_device

P = numpy.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0], [0.2, 0.3, 0.5]], "float32")
ONE_HOT = numpy.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]], "float32")
CLASSES = [0, 0, 2]
LOGITS = numpy.array([[2.0, -1.0, 0.5], [1e4, -1e4, 0.0], [0.3, 0.2, -4.0]], "float32")
BINARY = numpy.array([[1, 0, 1], [0, 1, 1], [0, 0, 1]], "float32")
X = numpy.array([[0.5, -2.0, 3.0], [1.0, 4.0, -0.5], [0.0, 2.5, 1.5]], "float32")
Y = numpy.array([[1.0, -1.0, 0.0], [1.5, -4.0, 2.0], [0.0, 2.0, 100.0]], "float32")
WEIGHT = numpy.array([1.0, 0.5, 3.0], "float32")

# The numbers of Keras 3.15 in float32 for: no weight, WEIGHT, the sum without weight, and
# "mean_with_sample_weight" with WEIGHT.
KERAS = [
    ("MeanSquaredError", {}, Y, X, [1087.0278, 3239.2224, 3261.0835, 2159.4814]),
    ("MeanAbsoluteError", {}, Y, X, [12.722222, 34.111111, 38.166668, 22.740742]),
    ("MeanAbsolutePercentageError", {}, Y, X,
     [333333440.0, 333333440.0, 1000000300.0, 222222290.0]),
    ("MeanSquaredLogarithmicError", {}, Y, X, [2.1729677, 5.0048223, 6.5189028, 3.3365483]),
    ("Huber", {"delta": 2.0}, Y, X, [24.097221, 66.506943, 72.291664, 44.337963]),
    ("LogCosh", {}, Y, X, [12.225636, 33.473824, 36.67691, 22.315882]),
    ("CosineSimilarity", {}, Y, X, [-0.075335972, -0.56155789, -0.22600791, -0.37437192]),
    ("Poisson", {}, BINARY, P, [2.4967222, 1.9219719, 7.4901667, 1.2813146]),
    ("KLDivergence", {}, ONE_HOT, P, [5.7226367, 3.4983838, 17.16791, 2.3322558]),
    ("Hinge", {}, BINARY, X, [0.94444442, 1.75, 2.8333333, 1.1666666]),
    ("SquaredHinge", {}, BINARY, X, [2.1944444, 4.7916665, 6.583333, 3.1944444]),
    ("CategoricalHinge", {}, ONE_HOT, X, [3.1666667, 3.8333333, 9.5, 2.5555556]),
    ("BinaryCrossentropy", {}, BINARY, P, [2.2526071, 1.6400386, 6.7578211, 1.0933591]),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, BINARY, P,
     [2.4549665, 1.8034648, 7.3648996, 1.2023098]),
    ("BinaryCrossentropy", {"from_logits": True}, BINARY, LOGITS,
     [2223.031, 1113.1415, 6669.0928, 742.0943]),
    ("BinaryFocalCrossentropy", {}, BINARY, P, [2.0265033, 1.1786786, 6.0795097, 0.78578573]),
    ("BinaryFocalCrossentropy",
     {"apply_class_balancing": True, "gamma": 1.5, "from_logits": True}, BINARY, LOGITS,
     [1.9566375, 1.3985697, 5.8699126, 0.93237984]),
    ("CategoricalCrossentropy", {}, ONE_HOT, P, [5.7226391, 3.4983883, 17.167917, 2.3322589]),
    ("CategoricalCrossentropy", {"label_smoothing": 0.3}, ONE_HOT, 2 * P,
     [5.3395629, 3.4790871, 16.018688, 2.3193915]),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ONE_HOT, LOGITS,
     [335.01981, 171.46526, 1005.0594, 114.31017]),
    ("CategoricalFocalCrossentropy", {}, ONE_HOT, P,
     [1.3602899, 0.71758389, 4.0808697, 0.47838926]),
    ("SparseCategoricalCrossentropy", {}, CLASSES, P,
     [5.7226391, 3.4983883, 17.167917, 2.3322589]),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, CLASSES, LOGITS,
     [1.7309355, 5.0319319, 5.1928062, 3.3546212]),
    ("SparseCategoricalCrossentropy", {"ignore_class": 0}, CLASSES, P,
     [0.69314718, 2.0794415, 0.69314718, 0.69314718]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings", "y_true", "y_pred", "expected"), KERAS)
def test_the_numbers_are_keras_own(name, settings, y_true, y_pred, expected):
    make = getattr(losses, name)
    mean, total = make(**settings), make(reduction="sum", **settings)
    weighted = make(reduction="mean_with_sample_weight", **settings)
    found = [
        mean(y_true, y_pred),
        mean(y_true, y_pred, sample_weight=WEIGHT),
        total(y_true, y_pred),
        weighted(y_true, y_pred, WEIGHT[:, None]),
    ]
    # Both round in float32; sums of three numbers differ in the last digits.
    numpy.testing.assert_allclose([value.item() for value in found], expected, rtol=3e-6)


@pytest.mark.parametrize(("name", "settings", "y_true", "y_pred", "expected"), KERAS)
def test_the_loss_of_each_sample_adds_up_to_the_mean(name, settings, y_true, y_pred, expected):
    each = getattr(losses, name)(reduction="none", **settings)(y_true, y_pred)
    assert each.shape == (3,)
    counted = 1 if settings.get("ignore_class") == 0 else 3
    assert each.sum().item() / counted == pytest.approx(expected[0], rel=3e-6)


@pytest.mark.parametrize(("name", "settings", "y_true", "y_pred", "expected"), KERAS)
def test_the_gradient_is_that_of_the_loss(name, settings, y_true, y_pred, expected):
    if name == "MeanAbsolutePercentageError":
        y_true = Y + 5.0  # where a target is 0, the slope of 1e7 leaves no digits to compare
    if "from_logits" in settings:
        y_pred = numpy.clip(y_pred, -8, 8)
    elif y_pred is not X:
        y_pred = numpy.clip(y_pred, 0.01, 0.99)  # away from the kinks of the clipping
    y_pred = y_pred.astype("float64") + 1e-3  # and of the hinges
    loss = getattr(losses, name)(**settings)
    minigrad.autograd.gradcheck(
        lambda prediction: loss(y_true, prediction),
        [minigrad.tensor(y_pred, requires_grad=True)],
    )


# Extremes.

probabilities = st.sampled_from([0.0, 1e-30, 1e-8, 1e-7, 0.5, 1 - 1e-8, 1.0]) | st.floats(0, 1)
logits = st.sampled_from([-1e4, -100.0, 0.0, 100.0, 1e4]) | st.floats(-1e4, 1e4)
SHAPE = (4, 3)


def matrix(elements, dtype="float64"):
    return arrays_of.arrays(dtype, SHAPE, elements=elements)


@settings(max_examples=50)
@given(matrix(probabilities), matrix(st.sampled_from([0.0, 1.0])))
def test_binary_crossentropy_is_scikit_learns_log_loss(p, y):
    loss = losses.BinaryCrossentropy()(y, p).item()
    clipped = numpy.clip(p, 1e-7, 1 - 1e-7).reshape(-1)
    expected = sklearn_metrics.log_loss(y.reshape(-1), clipped, labels=[0, 1])
    assert loss == pytest.approx(expected, rel=1e-6, abs=1e-6)


@settings(max_examples=50)
@given(matrix(probabilities), st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_both_categorical_losses_are_scikit_learns_log_loss(p, classes):
    p = p + (p.sum(1, keepdims=True) < 1e-30)  # a row of zeros is no distribution
    q = p / p.sum(1, keepdims=True)
    clipped = numpy.clip(q, 1e-7, 1 - 1e-7)
    right = clipped[numpy.arange(4), classes]
    expected = -numpy.log(right).mean()
    found = losses.CategoricalCrossentropy()(numpy.eye(3)[classes], p).item()
    sparse = losses.SparseCategoricalCrossentropy()(classes, p).item()
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert sparse == pytest.approx(expected, rel=1e-6, abs=1e-6)
    # scikit-learn does not clip by 1e-7, and renormalises: only what needs neither is compared.
    if (q > 1e-7).all() and (q < 1 - 1e-7).all():
        log_loss = sklearn_metrics.log_loss(classes, q, labels=[0, 1, 2])
        assert found == pytest.approx(log_loss, rel=1e-6, abs=1e-6)


@settings(max_examples=50)
@given(matrix(logits), matrix(st.sampled_from([0.0, 0.3, 1.0])))
def test_binary_crossentropy_of_logits_is_torchs(z, y):
    found = losses.BinaryCrossentropy(from_logits=True)(y, z).item()
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(z), torch.tensor(y)
    )
    assert found == pytest.approx(expected.item(), rel=1e-6, abs=1e-6)


@settings(max_examples=50)
@given(
    matrix(logits),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
    st.sampled_from([0.0, 0.1, 1.0]),
)
def test_categorical_crossentropy_of_logits_is_torchs(z, classes, smoothing):
    y = numpy.eye(3)[classes]
    loss = losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(z), torch.tensor(y), label_smoothing=smoothing
    ).item()
    assert loss(y, z).item() == pytest.approx(expected, rel=1e-6, abs=1e-6)
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)(classes, z).item()
    hard = torch.nn.functional.cross_entropy(torch.tensor(z), torch.tensor(classes)).item()
    assert sparse == pytest.approx(hard, rel=1e-6, abs=1e-6)


numbers = st.floats(-1e4, 1e4)


@settings(max_examples=50)
@given(matrix(numbers), matrix(numbers), st.floats(0.1, 100))
def test_losses_of_amounts_are_torchs(x, y, delta):
    a, b = torch.tensor(x), torch.tensor(y)
    pairs = [
        (losses.MeanSquaredError(), torch.nn.functional.mse_loss(a, b)),
        (losses.MeanAbsoluteError(), torch.nn.functional.l1_loss(a, b)),
        (losses.Huber(delta), torch.nn.functional.huber_loss(a, b, delta=delta)),
    ]
    for loss, expected in pairs:
        assert loss(y, x).item() == pytest.approx(expected.item(), rel=1e-6, abs=1e-6)
    error = numpy.abs(x - y)
    log_cosh = (error + numpy.log1p(numpy.exp(-2 * error)) - numpy.log(2)).mean()
    assert losses.LogCosh()(y, x).item() == pytest.approx(log_cosh, rel=1e-6, abs=1e-6)


EXTREME = [
    ("BinaryCrossentropy", {}, [0.0, 1.0], [[1.0], [0.0]]),
    ("BinaryCrossentropy", {"from_logits": True}, [0.0, 1.0], [[1e4], [-1e4]]),
    ("BinaryFocalCrossentropy", {"gamma": 0.5}, [0.0, 1.0], [[1.0], [1.0]]),
    ("BinaryFocalCrossentropy", {"from_logits": True}, [0.0, 1.0], [[1e4], [-1e4]]),
    ("CategoricalCrossentropy", {}, [[0, 1], [1, 0]], [[1.0, 0.0], [0.0, 0.0]]),
    ("CategoricalCrossentropy", {"from_logits": True}, [[0, 1], [1, 0]], [[1e4, -1e4]] * 2),
    ("CategoricalFocalCrossentropy", {"gamma": 0.5}, [[0, 1], [1, 0]], [[0.0, 1.0]] * 2),
    ("SparseCategoricalCrossentropy", {}, [1, 0], [[1.0, 0.0], [0.0, 0.0]]),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, [1, 0], [[1e4, -1e4]] * 2),
    ("KLDivergence", {}, [[0.0, 1.0]], [[1.0, 0.0]]),
    ("Poisson", {}, [[0.0, 3.0]], [[0.0, 0.0]]),
    ("LogCosh", {}, [[0.0, 1.0]], [[1e4, 1.0]]),
    ("CosineSimilarity", {}, [[0.0, 0.0]], [[0.0, 0.0]]),
    ("MeanAbsolutePercentageError", {}, [[0.0]], [[0.0]]),
    ("MeanSquaredLogarithmicError", {}, [[0.0]], [[-5.0]]),
]


@pytest.mark.parametrize(("name", "settings", "y_true", "y_pred"), EXTREME)
@pytest.mark.parametrize("dtype", [minigrad.float32, minigrad.float64])
def test_extremes_give_a_finite_loss_and_gradient(name, settings, y_true, y_pred, dtype):
    y_pred = minigrad.tensor(y_pred, dtype=dtype, requires_grad=True)
    loss = getattr(losses, name)(**settings)(numpy.array(y_true), y_pred)
    assert loss.dtype == dtype
    loss.backward()
    assert numpy.isfinite(loss.item())
    assert numpy.isfinite(y_pred.grad.numpy()).all()


def test_half_precision_is_computed_in_single():
    y_pred = minigrad.tensor([[0.0, 1.0]], dtype=minigrad.float16)
    # In float16 1 - 1e-7 is 1, whose logarithm's complement is infinite.
    assert losses.binary_crossentropy([[0.0, 1.0]], y_pred).item() == pytest.approx(1e-7, rel=0.3)


def test_epsilon_comes_from_the_configuration():
    before = config.epsilon()
    config.set_epsilon(1e-3)
    try:
        found = losses.categorical_crossentropy([[1.0, 0.0]], [[0.0, 1.0]]).item()
    finally:
        config.set_epsilon(before)
    assert found == pytest.approx(-numpy.log(1e-3), rel=1e-6)


# The very operations of the PyTorch style.


def bits(loss, y_true, y_pred):
    y_pred = minigrad.tensor(y_pred, requires_grad=True)
    value = loss(y_true, y_pred)
    value.backward()
    return value.detach().numpy().tobytes(), y_pred.grad.numpy().tobytes()


@pytest.mark.parametrize(
    ("loss", "function", "y_true"),
    [
        ("MeanSquaredError", F.mse_loss, minigrad.tensor(Y)),
        ("MeanAbsoluteError", F.l1_loss, minigrad.tensor(Y)),
        ("Huber", F.huber_loss, minigrad.tensor(Y)),
        ("SparseCategoricalCrossentropy", F.cross_entropy, minigrad.tensor(CLASSES)),
        ("CategoricalCrossentropy", F.cross_entropy, minigrad.tensor(ONE_HOT)),
        ("BinaryCrossentropy", F.binary_cross_entropy_with_logits, minigrad.tensor(BINARY)),
    ],
)
def test_value_and_gradient_are_those_of_the_functional_bit_for_bit(loss, function, y_true):
    settings = {"from_logits": True} if loss.endswith("Crossentropy") else {}
    made = getattr(losses, loss)(**settings)
    assert bits(made, y_true, LOGITS) == bits(lambda y, z: function(z, y), y_true, LOGITS)


# Shapes and weights.


def test_one_target_a_sample_stands_beside_a_column():
    column = losses.MeanSquaredError()([1.0, 2.0], [[1.0], [4.0]])
    assert column.item() == losses.MeanSquaredError()([[1.0], [2.0]], [1.0, 4.0]).item() == 2.0


def test_class_numbers_may_be_a_column_and_any_whole_numbers():
    loss = losses.SparseCategoricalCrossentropy()
    wanted = loss(CLASSES, P).item()
    column = numpy.array(CLASSES, "uint8")[:, None]
    assert loss(column, P).item() == loss(numpy.array(CLASSES, "float64"), P).item() == wanted


def test_sequences_of_classes_have_a_loss_each():
    z = numpy.random.default_rng(0).normal(size=(2, 5, 3))
    classes = numpy.array([[0, 1, 2, 0, 1], [2, 2, 1, 0, 0]])
    each = losses.sparse_categorical_crossentropy(classes, z, from_logits=True)
    one_hot = losses.categorical_crossentropy(numpy.eye(3)[classes], z, from_logits=True)
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(z).movedim(-1, 1), torch.tensor(classes), reduction="none"
    ).numpy()
    numpy.testing.assert_allclose(each.numpy(), expected, rtol=1e-12)
    numpy.testing.assert_allclose(one_hot.numpy(), expected, rtol=1e-12)
    # A weight for each sample reaches all of its steps.
    weighted = losses.SparseCategoricalCrossentropy(from_logits=True)(classes, z, [0.0, 2.0])
    assert weighted.item() == pytest.approx(2 * expected[1].sum() / 10, rel=1e-12)


def test_classes_along_another_axis():
    z = numpy.random.default_rng(0).normal(size=(2, 3, 5))
    classes = numpy.array([[0, 1, 2, 0, 1], [2, 2, 1, 0, 0]])
    p = torch.softmax(torch.tensor(z), 1)
    found = losses.SparseCategoricalCrossentropy(axis=1)(classes, p.numpy())
    expected = torch.nn.functional.cross_entropy(torch.tensor(z), torch.tensor(classes))
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)


def test_weights_keep_the_losses_of_single_predictions_apart():
    found = losses.MeanSquaredError()([1.0, 2.0], [2.0, 4.0], sample_weight=[1.0, 0.0])
    assert found.item() == 0.5


def test_ignoring_every_target_gives_zero():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert loss([-1, -1, -1], P).item() == 0.0


def test_a_weight_for_each_class_reaches_the_loss_as_sample_weights():
    # A class weight is a sample weight drawn by the label; torch divides by the weights' sum.
    of_class = numpy.array([0.2, 1.0, 3.0])
    loss = losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    z = LOGITS.astype("float64")
    found = loss(CLASSES, z, sample_weight=of_class[CLASSES])
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(z), torch.tensor(CLASSES), weight=torch.tensor(of_class)
    )
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)


# A user's own.


def test_a_function_of_targets_and_predictions_is_a_loss():
    def lopsided(y_true, y_pred):
        return minigrad.where(y_pred > y_true, 3.0, 1.0).mul((y_pred - y_true).abs()).mean(-1)

    loss = losses.as_loss(lopsided)
    assert loss.name == "lopsided"
    y_pred = minigrad.tensor([[2.0], [0.0]], requires_grad=True)
    value = loss([[1.0], [1.0]], y_pred)
    value.backward()
    assert value.item() == 2.0
    assert y_pred.grad.tolist() == [[1.5], [-0.5]]
    assert loss([[1.0], [1.0]], y_pred, sample_weight=[0.0, 1.0]).item() == 0.5


def test_a_function_that_leaves_the_graph_is_refused():
    loss = losses.as_loss(lambda y_true, y_pred: float((y_true - y_pred).detach().sum()))
    with pytest.raises(TypeError, match="returned float"):
        loss([[1.0]], [[2.0]])


def test_a_subclass_writes_call():
    class Cubed(losses.Loss):
        def call(self, y_true, y_pred):
            return ((y_true - y_pred).abs() ** 3).mean(-1)

    assert Cubed()([[1.0]], [[3.0]]).item() == 8.0
    assert Cubed(reduction="none")([[1.0], [1.0]], [[3.0], [1.0]]).tolist() == [8.0, 0.0]


# Names.


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("mse", losses.mean_squared_error),
        ("MAE", losses.mean_absolute_error),
        ("kld", losses.kl_divergence),
        ("binary_crossentropy", losses.binary_crossentropy),
    ],
)
def test_short_names_are_functions(name, found):
    assert losses.get(name) is found
    assert losses.as_loss(name).fn is found


def test_names_in_camel_case_are_instances():
    assert type(losses.get("CategoricalCrossentropy")) is losses.CategoricalCrossentropy
    assert losses.get(losses.Huber).name == "huber_loss"
    made = losses.get({"class_name": "Huber", "config": {"delta": 3.0}})
    assert made.kwargs == {"delta": 3.0}


@pytest.mark.parametrize(
    "loss",
    [losses.Huber(2.0, reduction="sum"), losses.BinaryCrossentropy(from_logits=True), "mse"],
)
def test_configurations_lead_back(loss):
    again = losses.deserialize(losses.serialize(losses.get(loss)))
    if isinstance(loss, str):
        assert again is losses.get(loss)
    else:
        assert type(again) is type(loss)
        assert again.get_config() == loss.get_config()


def test_a_users_own_name_is_known_within_its_scope():
    def mine(y_true, y_pred):
        return (y_true - y_pred).sum(-1)

    with lookup.custom_object_scope({"mine": mine}):
        assert losses.get("mine") is mine
        assert losses.serialize(mine) == "mine"
    with pytest.raises(ArgumentError, match="unknown loss 'mine'"):
        losses.get("mine")


# Mistakes.


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: losses.get("mean_sqared_error"), ArgumentError, "did you mean 'mean_squared_e"),
        (lambda: losses.get("zzz"), ArgumentError, "known are BCE"),
        (lambda: losses.get(3), ArgumentError, "got 3 of type int"),
        (lambda: losses.Huber(reduction="auto"), ArgumentError, "'auto' is now 'sum_over"),
        (
            lambda: losses.CategoricalCrossentropy()(CLASSES, P),
            ArgumentError,
            "use 'sparse_categorical_crossentropy'",
        ),
        (
            lambda: losses.SparseCategoricalCrossentropy()(ONE_HOT, P),
            ArgumentError,
            "looks one-hot.*use 'categorical_crossentropy'",
        ),
        (
            lambda: losses.SparseCategoricalCrossentropy()([0, 1, 3], P),
            IndexError,
            r"the label 3 \(at 2 of 3\).*3 classes, 0 to 2; the last layer needs at least 4",
        ),
        (
            lambda: losses.SparseCategoricalCrossentropy(from_logits=True)([1, 2, 3], LOGITS),
            IndexError,
            "count from 0: subtract 1",
        ),
        (
            # torch's default for labels to ignore is no label to ignore here.
            lambda: losses.SparseCategoricalCrossentropy(from_logits=True)([1, -100, 0], LOGITS),
            IndexError,
            "say ignore_class=-100",
        ),
        (
            lambda: losses.SparseCategoricalCrossentropy()([0.5, 1.0, 2.0], P),
            DtypeError,
            "no whole numbers",
        ),
        (
            lambda: losses.CategoricalCrossentropy()(ONE_HOT, LOGITS),
            ArgumentError,
            "below 0.*'softmax', or say from_logits=True",
        ),
        (
            lambda: losses.BinaryCrossentropy()(BINARY, LOGITS + 1e4),
            ArgumentError,
            "above 1.*'sigmoid', or say from_logits=True",
        ),
        (
            lambda: losses.CategoricalCrossentropy()([[1.0]], [[0.5]]),
            ArgumentError,
            "one class only.*'binary_crossentropy'",
        ),
        (
            lambda: losses.CategoricalCrossentropy()(numpy.eye(4)[:3], P),
            ArgumentError,
            "the last layer needs 4 units",
        ),
        (
            lambda: losses.MeanSquaredError()(numpy.zeros(3), X),
            ArgumentError,
            r"y_true of shape \[3\] and y_pred of shape \[3, 3\].*should give 1 number a sample",
        ),
        (lambda: losses.MeanSquaredError()(Y, X, [1.0, 2.0]), ArgumentError, "sample_weight of sh"),
        (lambda: losses.Poisson()(Y, X), ArgumentError, "rates are at least 0"),
        (
            lambda: losses.CategoricalCrossentropy(label_smoothing=1.5)(ONE_HOT, P),
            ArgumentError,
            "label_smoothing must be between 0 and 1, got 1.5",
        ),
        (lambda: losses.Loss()([1.0], [1.0]), ArgumentError, "has no call"),
    ],
)
def test_mistakes_are_answered(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_nan_predictions_reach_the_loss():
    # A run that has gone astray is stopped by a callback that looks at the loss.
    for name in ("CategoricalCrossentropy", "BinaryCrossentropy"):
        value = getattr(losses, name)()([[0.0, 1.0]], [[numpy.nan, 0.5]])
        assert numpy.isnan(value.item())


@pytest.mark.parametrize(("name", "settings", "y_true", "y_pred", "expected"), KERAS)
def test_losses_stay_on_the_device_of_the_predictions(name, settings, y_true, y_pred, expected):
    with strict_device() as place:
        prediction = minigrad.tensor(y_pred).to(place).requires_grad_()
        loss = getattr(losses, name)(**settings)
        value = loss(y_true, prediction)
        value.backward()
        assert value.device == prediction.grad.device == prediction.device
        assert value.item() == pytest.approx(expected[0], rel=3e-6)
        weighted = loss(y_true, prediction, sample_weight=WEIGHT)
        assert weighted.item() == pytest.approx(expected[1], rel=3e-6)
