"""Keras's metrics: Keras 3's numbers in two batches, weights, a user's own metrics, names."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from sklearn import metrics as sklearn_metrics

import minigrad
from minigrad import keras
from minigrad.errors import ArgumentError
from minigrad.keras import losses, metrics

_DRAWN = numpy.random.default_rng(3)
P = _DRAWN.random((40, 6)).astype("float32")
P /= P.sum(1, keepdims=True)
CLASSES = _DRAWN.integers(0, 6, 40)
ONE_HOT = numpy.eye(6, dtype="float32")[CLASSES]
YES = (_DRAWN.random((40, 1)) > 0.5).astype("float32")
CHANCE = _DRAWN.random((40, 1)).astype("float32")
X = _DRAWN.normal(0, 3, (40, 2)).astype("float32")
Y = _DRAWN.normal(0, 3, (40, 2)).astype("float32")
WEIGHT = _DRAWN.random(40).astype("float32")

# Keras 3.15's results without weights, and with WEIGHT.
KERAS = [
    (metrics.BinaryAccuracy(threshold=0.3), YES, CHANCE, 0.625, 0.7014094),
    (metrics.CategoricalAccuracy(), ONE_HOT, P, 0.075, 0.1332184),
    (metrics.SparseCategoricalAccuracy(), CLASSES, P, 0.075, 0.1332184),
    (metrics.TopKCategoricalAccuracy(k=2), ONE_HOT, P, 0.3, 0.3311366),
    (metrics.SparseTopKCategoricalAccuracy(k=3), CLASSES, P, 0.525, 0.4885163),
    (metrics.Accuracy(), CLASSES, P.argmax(1), 0.075, 0.1332184),
    (
        metrics.Precision(thresholds=[0.2, 0.8]),
        YES,
        CHANCE,
        [0.6129032, 0.5714286],
        [0.6224803, 0.4813321],
    ),
    (metrics.Precision(top_k=2), ONE_HOT, P, 0.15, 0.1655683),
    (metrics.Recall(top_k=2, class_id=1), ONE_HOT, P, 0, 0),
    (metrics.TruePositives(), YES, CHANCE, 9, 5.309813),
    (metrics.FalsePositives(0.3), YES, CHANCE, 8, 3.224354),
    (metrics.TrueNegatives(), YES, CHANCE, 9, 4.532321),
    (metrics.FalseNegatives(thresholds=[0.1, 0.9]), YES, CHANCE, [3, 22], [0.3425986, 11.19399]),
    (metrics.AUC(), YES, CHANCE, 0.5351562, 0.5952313),
    (metrics.AUC(num_thresholds=50, curve="PR"), YES, CHANCE, 0.5894517, 0.6213915),
    (metrics.AUC(multi_label=True), ONE_HOT, P, 0.4935174, 0.4707356),
    (metrics.F1Score(average="macro"), ONE_HOT, P, 0.07213307, 0.1179602),
    (
        metrics.F1Score(),
        ONE_HOT,
        P,
        [0, 0, 0.117647, 0.1333333, 0.1818181, 0],
        [0, 0, 0.2489506, 0.1439025, 0.3149078, 0],
    ),
    (metrics.MeanSquaredError(), Y, X, 17.11433, 18.04839),
    (metrics.RootMeanSquaredError(), Y, X, 4.136947, 4.24834),
    (metrics.MeanAbsoluteError(), Y, X, 3.253822, 3.493487),
    (metrics.MeanAbsolutePercentageError(), Y, X, 473.3538, 437.1992),
    (metrics.MeanSquaredLogarithmicError(), Y, X, 0.8851522, 1.050863),
    (metrics.R2Score(), Y, X, -1.123305, -1.348077),
    (metrics.CosineSimilarity(), Y, X, -0.02987111, -0.2076925),
    (metrics.LogCoshError(), Y, X, 2.64818, 2.865949),
    (metrics.Hinge(), YES, X[:, :1], 1.750984, 1.230923),
    (metrics.SquaredHinge(), YES, X[:, :1], 6.569765, 4.07392),
    (metrics.CategoricalHinge(), ONE_HOT, P, 1.122619, 1.124283),
    (metrics.KLDivergence(), ONE_HOT, P, 2.042182, 2.048187),
    (metrics.Poisson(), YES, CHANCE, 1.136641, 1.022936),
    (metrics.BinaryCrossentropy(label_smoothing=0.1), YES, CHANCE, 1.084084, 0.8912841),
    (metrics.CategoricalCrossentropy(from_logits=True), ONE_HOT, P, 1.802657, 1.803171),
    (metrics.SparseCategoricalCrossentropy(), CLASSES, P, 2.04219, 2.048194),
]  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred", "plain", "weighted"),
    KERAS,
    ids=[case[0].name for case in KERAS],
)
def test_the_numbers_are_keras_own(metric, y_true, y_pred, plain, weighted):
    metric = metrics.deserialize(metrics.serialize(metric))
    for weight, expected in ((None, plain), (WEIGHT, weighted)):
        metric.reset_state()
        for part in (slice(0, 17), slice(17, 40)):
            share = None if weight is None else weight[part]
            metric.update_state(y_true[part], y_pred[part], sample_weight=share)
        # Keras counts in float32.
        numpy.testing.assert_allclose(metric.result().numpy(), expected, rtol=3e-6)
        numpy.testing.assert_allclose(metric.compute(), expected, rtol=3e-6)


def test_a_metric_as_the_trainer_calls_it():
    metric = metrics.SparseCategoricalAccuracy()
    output = minigrad.tensor(P, requires_grad=True)
    metric.update(output, minigrad.tensor(CLASSES))
    expected = sklearn_metrics.accuracy_score(CLASSES, P.argmax(1))
    assert metric.compute() == pytest.approx(expected)
    metric.reset()
    assert metric.compute() == 0.0


def test_a_call_updates_and_tells():
    mean = metrics.Mean()
    assert mean([1.0, 3.0]).item() == 2.0
    assert mean([5.0], sample_weight=[2.0]).item() == 3.5
    total = metrics.Sum()
    total.update_state([1, 2], sample_weight=[2, 1])
    assert total(3.0).item() == 7.0
    total.reset_state()
    assert total.result().item() == 0.0


chances = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)


@settings(max_examples=50)
@given(
    arrays_of.arrays("float64", 12, elements=chances),
    arrays_of.arrays("int64", 12, elements=st.integers(0, 1)),
    arrays_of.arrays("float64", 12, elements=st.floats(0.1, 10)),
)
def test_decisions_are_scikit_learns(p, y, weight):
    found = p > 0.5
    for metric, function in (
        (metrics.BinaryAccuracy(), sklearn_metrics.accuracy_score),
        (metrics.Precision(), sklearn_metrics.precision_score),
        (metrics.Recall(), sklearn_metrics.recall_score),
    ):
        more = {} if metric.name == "binary_accuracy" else {"zero_division": 0}
        metric.update(minigrad.tensor(p), minigrad.tensor(y), minigrad.tensor(weight))
        expected = function(y, found, sample_weight=weight, **more)
        assert metric.compute() == pytest.approx(expected, rel=1e-9)
    if 0 < y.sum() < 12:
        area = metrics.AUC(num_thresholds=None)
        area.update(minigrad.tensor(p), minigrad.tensor(y), minigrad.tensor(weight))
        expected = sklearn_metrics.roc_auc_score(y, p, sample_weight=weight)
        assert area.compute() == pytest.approx(expected, rel=1e-9, abs=1e-12)


# A user's own.


class HarmonicMean(metrics.Metric):
    """As Keras's guide writes one: variables, and other metrics inside."""

    def __init__(self, name="harmonic", **kwargs):
        super().__init__(name=name, **kwargs)
        self.hits = self.add_weight(name="hits", initializer="zeros")
        self.seen = self.add_weight(shape=(2,), initializer="ones")
        self.precision = metrics.Precision()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.hits.assign_add(minigrad.sum((y_pred > 0.5).float() * y_true))
        self.seen.assign(self.seen * 2)
        self.precision.update_state(y_true, y_pred, sample_weight)

    def result(self):
        return self.hits / (self.precision.result() + 1.0)

    def reset_state(self):
        self.hits.assign(0.0)
        self.precision.reset_state()


def test_a_metric_of_ones_own():
    metric = HarmonicMean()
    assert [variable.name for variable in metric.variables] == ["hits", "variable"]
    output = minigrad.tensor([0.9, 0.8, 0.1], requires_grad=True)
    metric.update(output, minigrad.tensor([1.0, 0.0, 1.0]))
    assert metric.compute() == pytest.approx(1 / 1.5)
    assert metric.seen.tolist() == [2.0, 2.0]
    metric.reset()
    assert metric.compute() == 0.0
    assert not metric.hits.requires_grad


def test_variables_start_again_by_themselves():
    class Counter(metrics.Metric):
        def __init__(self):
            super().__init__()
            self.count = self.add_weight(initializer="ones", name="count")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.count.assign_add(1.0)

        def result(self):
            return self.count

    metric = Counter()
    metric.update([0.0], [0.0])
    assert (metric.name, metric.compute()) == ("counter", 2.0)
    metric.reset()
    assert metric.compute() == 1.0


def test_a_known_metric_changed_in_a_subclass_is_told_by_the_trainer_too():
    class OfLargest(metrics.MeanSquaredError):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, y_pred.max(-1).values, sample_weight)

        def result(self):
            return super().result() * 10

    metric = OfLargest()
    metric.update(minigrad.tensor([[1.0, 3.0]]), minigrad.tensor([2.0]))
    assert metric.compute() == 10.0


def test_functions_and_losses_are_averaged():
    def largest(y_true, y_pred):
        return (y_true - y_pred).abs().amax(-1)

    metric = metrics.as_metric(largest)
    assert metric.name == "largest"
    metric.update([[1.0, 5.0], [1.0, 1.0]], [[1.0, 2.0], [1.0, 1.0]])
    assert metric.compute() == 1.5
    hinge = metrics.as_metric(losses.Hinge())
    hinge.update([[0.5]], [[1.0]])
    assert (hinge.name, hinge.compute()) == ("hinge", 0.5)


def test_metrics_in_a_model():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Softmax()])
    model.compile(loss="categorical_crossentropy", metrics=["accuracy", "AUC", HarmonicMean("own")])
    found = model.evaluate(numpy.log(P), ONE_HOT, verbose=0, return_dict=True, batch_size=7)
    assert set(found) == {"loss", "accuracy", "AUC", "own"}
    expected = sklearn_metrics.accuracy_score(CLASSES, P.argmax(1))
    assert found["accuracy"] == pytest.approx(expected)
    assert found["loss"] == pytest.approx(sklearn_metrics.log_loss(CLASSES, P), rel=1e-6)


# Names.


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mae", metrics.MeanAbsoluteError),
        ("AUC", metrics.AUC),
        ("auc", metrics.AUC),
        ("precision", metrics.Precision),
        ("top_k_categorical_accuracy", metrics.TopKCategoricalAccuracy),
        ("SparseCategoricalAccuracy", metrics.SparseCategoricalAccuracy),
        ("kl_divergence", metrics.KLDivergence),
    ],
)
def test_a_metric_bears_the_name_that_it_was_called_by(name, kind):
    metric = metrics.as_metric(name)
    assert type(metric) is kind
    assert metric.name == name


@pytest.mark.parametrize("name", ["accuracy", "acc"])
@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ([[1], [0]], [[0.7], [0.6]], 0.5),
        ([1, 0], [[0.2, 0.8], [0.2, 0.8]], 0.5),
        ([[1], [1]], [[0.2, 0.8], [0.2, 0.8]], 1.0),
        ([[1, 0], [1, 0]], [[0.2, 0.8], [0.2, 0.8]], 0.0),
    ],
)
def test_accuracy_is_of_the_kind_that_the_shapes_tell(name, y_true, y_pred, expected):
    metric = metrics.as_metric(name)
    metric.update(numpy.array(y_pred), numpy.array(y_true))
    assert (metric.name, metric.compute()) == (name, expected)


def test_precisions_are_numbered_as_in_keras():
    keras.utils.clear_session()
    names = [metrics.Precision().name, metrics.Precision().name, metrics.Recall().name]
    assert names == ["precision", "precision_1", "recall"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.get("acuracy"), ArgumentError, "did you mean 'accuracy'"),
        (lambda: metrics.as_metric(5), ArgumentError, "got 5 of type int"),
        (lambda: metrics.Metric().update_state([1], [1]), ArgumentError, "has no update_state"),
        (lambda: metrics.Metric().result(), ArgumentError, "has no result"),
        (
            lambda: metrics.CategoricalAccuracy().update_state(CLASSES, P),
            ArgumentError,
            "class numbers: use the metric with Sparse",
        ),
    ],
)
def test_mistakes_are_answered(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_functions_tell_of_each_sample():
    assert metrics.binary_accuracy([[1], [0]], [[0.7], [0.6]]).tolist() == [[1.0], [0.0]]
    found = metrics.sparse_categorical_accuracy(CLASSES, P)
    assert found.tolist() == (P.argmax(1) == CLASSES).tolist()
    assert metrics.categorical_accuracy(ONE_HOT, P).tolist() == found.tolist()
    among = metrics.sparse_top_k_categorical_accuracy(CLASSES, P, k=2)
    assert among.tolist() == metrics.top_k_categorical_accuracy(ONE_HOT, P, k=2).tolist()
    assert among.mean().item() == pytest.approx(
        sklearn_metrics.top_k_accuracy_score(CLASSES, P, k=2)
    )
    assert metrics.accuracy([1, 2], [1, 3]).tolist() == [1.0, 0.0]
