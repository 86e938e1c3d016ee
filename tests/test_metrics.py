"""Metrics: equal to scikit-learn's on drawn inputs, in one piece or many, on either device."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sk
from sklearn.exceptions import UndefinedMetricWarning

import minigrad
from minigrad.errors import ArgumentError, DeviceError
from minigrad.training import metrics as mg
from tests.strict import strict_device

# Sums in another order, of at most 40 numbers in float64.
CLOSE = {"rel": 1e-6, "abs": 1e-6}
FEW = settings(max_examples=60, deadline=None)

# Ties, both ends and their neighbours are drawn often.
SCORES = st.one_of(
    st.sampled_from([0.0, 1.0, 0.5, 1e-7, 1e-30, 1.0 - 1e-9, 0.25]), st.floats(0.0, 1.0, width=32)
)
WEIGHTS = st.sampled_from([0.0, 1.0, 0.5, 3.0])
NUMBERS = st.one_of(st.sampled_from([0.0, 1e6, -1e6, 1.0]), st.floats(-100, 100))


@st.composite
def binary(draw):
    """Scores, targets 0 or 1, and weights of which one at least is not 0."""
    size = draw(st.integers(1, 40))
    scores = draw(hnp.arrays(float, size, elements=SCORES))
    target = draw(hnp.arrays(int, size, elements=st.integers(0, 1)))
    weight = draw(hnp.arrays(float, size, elements=WEIGHTS))
    weight[draw(st.integers(0, size - 1))] = 1.0
    return scores, target, weight


@st.composite
def classes(draw, number=4):
    """Probabilities (n, classes), class numbers, and weights of which one at least is not 0."""
    size = draw(st.integers(1, 20))
    raw = draw(hnp.arrays(float, (size, number), elements=SCORES))
    raw[np.arange(size), draw(hnp.arrays(int, size, elements=st.integers(0, number - 1)))] += 0.1
    target = draw(hnp.arrays(int, size, elements=st.integers(0, number - 1)))
    weight = draw(hnp.arrays(float, size, elements=WEIGHTS))
    weight[0] = 2.0
    return raw / raw.sum(axis=1, keepdims=True), target, weight


@st.composite
def numbers(draw):
    """Outputs and targets (n, 2), and weights of which one at least is not 0."""
    size = draw(st.integers(2, 20))
    output = draw(hnp.arrays(float, (size, 2), elements=NUMBERS))
    target = draw(hnp.arrays(float, (size, 2), elements=NUMBERS))
    weight = draw(hnp.arrays(float, size, elements=WEIGHTS))
    weight[0] = 1.0
    return output, target, weight


def measured(metric, output, target, weight=None):
    """The number in one piece; in pieces, after a reset, it is the same."""
    metric.update(output, target, weight)
    whole = metric.compute()
    metric.reset()
    for piece in (slice(0, 1), slice(1, 4), slice(4, 4), slice(4, None)):
        metric.update(output[piece], target[piece], None if weight is None else weight[piece])
    pieces = metric.compute()
    assert pieces == pytest.approx(whole, rel=1e-9, abs=1e-9, nan_ok=True)
    return whole


def one_hot(target, number=4):
    return np.eye(number, dtype=int)[target]


def check(make, expected, output, target, weight):
    """With weights and without, a metric is what scikit-learn's function says."""
    for given_weight in (None, weight):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            wanted = expected(given_weight)
        found = measured(make(), output, target, given_weight)
        assert found == pytest.approx(wanted, **CLOSE, nan_ok=True)


@FEW
@given(binary())
def test_binary_metrics_equal_scikit_learns(drawn):
    scores, target, weight = drawn
    guess = scores > 0.5

    def counted(function):
        return lambda w: function(target, guess, sample_weight=w)

    def cell(row, column):
        return lambda w: sk.confusion_matrix(target, guess, labels=[0, 1], sample_weight=w)[
            row, column
        ]

    cases = {
        mg.BinaryAccuracy: counted(sk.accuracy_score),
        mg.Accuracy: counted(sk.accuracy_score),
        mg.Precision: lambda w: sk.precision_score(
            target, guess, sample_weight=w, zero_division=0.0
        ),
        mg.Recall: lambda w: sk.recall_score(target, guess, sample_weight=w, zero_division=0.0),
        mg.F1Score: lambda w: sk.f1_score(target, guess, sample_weight=w, zero_division=0.0),
        mg.TruePositives: cell(1, 1),
        mg.FalsePositives: cell(0, 1),
        mg.FalseNegatives: cell(1, 0),
        mg.TrueNegatives: cell(0, 0),
        mg.BinaryCrossentropy: lambda w: sk.log_loss(
            target, scores, sample_weight=w, labels=[0, 1]
        ),
    }
    for make, expected in cases.items():
        check(make, expected, scores, target, weight)


@FEW
@given(binary())
def test_areas_equal_scikit_learns(drawn):
    scores, target, weight = drawn

    def roc(w):
        kept = target if w is None else target[w > 0]
        if len(set(kept.tolist())) < 2:
            return math.nan
        return sk.roc_auc_score(target, scores, sample_weight=w)

    def precision_recall(w):
        if not (target if w is None else target[w > 0]).any():
            return math.nan
        return sk.average_precision_score(target, scores, sample_weight=w)

    check(mg.AUC, roc, scores, target, weight)
    check(lambda: mg.AUC(curve="PR"), precision_recall, scores, target, weight)


@FEW
@given(binary())
def test_the_area_at_thresholds_is_near_the_exact_one(drawn):
    scores, target, weight = drawn
    # Scores on a grid that the thresholds separate leave nothing to approximate.
    scores = np.round(scores * 10) / 10
    thresholds = (np.arange(10) + 0.5) / 10
    exact = measured(mg.AUC(), scores, target, weight)
    found = measured(mg.AUC(thresholds=thresholds.tolist()), scores, target, weight)
    assert found == pytest.approx(0.0 if math.isnan(exact) else exact, **CLOSE)


@FEW
@given(classes())
def test_class_metrics_equal_scikit_learns(drawn):
    scores, target, weight = drawn
    guess = scores.argmax(1)
    labels = list(range(4))

    def accuracy(w):
        return sk.accuracy_score(target, guess, sample_weight=w)

    def log_loss(w):
        return sk.log_loss(target, scores, sample_weight=w, labels=labels)

    check(mg.SparseCategoricalAccuracy, accuracy, scores, target, weight)
    check(mg.SparseCategoricalAccuracy, accuracy, scores, target[:, None], weight)
    check(mg.CategoricalAccuracy, accuracy, scores, one_hot(target), weight)
    check(mg.Accuracy, accuracy, scores, target, weight)
    check(mg.Accuracy, accuracy, scores, one_hot(target), weight)
    check(mg.SparseCategoricalCrossentropy, log_loss, scores, target, weight)
    check(mg.CategoricalCrossentropy, log_loss, scores, one_hot(target), weight)
    for average in ("micro", "macro", "weighted", None):
        check(
            lambda average=average: mg.F1Score(average),
            lambda w, average=average: sk.f1_score(
                target, guess, labels=labels, average=average, sample_weight=w, zero_division=0.0
            ),
            scores,
            one_hot(target),
            weight,
        )
    table = mg.ConfusionMatrix(4)
    for w in (None, weight):
        table.reset()
        table.update(scores, target, w)
        expected = sk.confusion_matrix(target, guess, labels=labels, sample_weight=w)
        np.testing.assert_allclose(table.compute().numpy(), expected)
    area = mg.AUC(multi_label=True)
    found = measured(area, scores, one_hot(target), weight)
    if len(set(target[weight > 0].tolist())) == 4:
        assert found == pytest.approx(
            sk.roc_auc_score(one_hot(target), scores, sample_weight=weight, average="macro"),
            **CLOSE,
        )
    else:
        assert math.isnan(found)


@FEW
@given(classes(), st.integers(1, 4))
def test_top_k_equals_scikit_learns_where_no_scores_tie(drawn, k):
    _, target, weight = drawn
    scores = np.random.default_rng(0).permuted(np.tile(np.arange(4.0), (len(target), 1)), axis=1)

    def expected(w):
        return sk.top_k_accuracy_score(
            target, scores, k=k, labels=list(range(4)), sample_weight=w, normalize=True
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)  # k = 4 of 4 is always right
        check(lambda: mg.SparseTopKCategoricalAccuracy(k=k), expected, scores, target, weight)
        check(lambda: mg.TopKCategoricalAccuracy(k=k), expected, scores, one_hot(target), weight)


@FEW
@given(numbers())
def test_regression_metrics_equal_scikit_learns(drawn):
    output, target, weight = drawn

    def of(function):
        return lambda w: function(target, output, sample_weight=w)

    check(mg.MeanAbsoluteError, of(sk.mean_absolute_error), output, target, weight)
    check(mg.MeanSquaredError, of(sk.mean_squared_error), output, target, weight)
    # scikit-learn takes the root of each output's mean, this the root of the mean of all.
    check(
        mg.RootMeanSquaredError,
        lambda w: math.sqrt(sk.mean_squared_error(target, output, sample_weight=w)),
        output,
        target,
        weight,
    )
    check(
        mg.MeanSquaredLogarithmicError,
        lambda w: sk.mean_squared_log_error(abs(target), abs(output), sample_weight=w),
        abs(output),
        abs(target),
        weight,
    )
    away_from_zero = abs(target) + 1.0
    check(
        mg.MeanAbsolutePercentageError,
        lambda w: 100 * sk.mean_absolute_percentage_error(away_from_zero, output, sample_weight=w),
        output,
        away_from_zero,
        weight,
    )


@FEW
@given(numbers(), st.sampled_from([0.0, 1e3]))
def test_r2_equals_scikit_learns(drawn, mean):
    output, target, weight = drawn
    # Whole numbers, so that constant targets are exactly constant to either formula.
    output, target = output.round() + mean, target.round() + mean
    check(
        mg.R2Score,
        lambda w: sk.r2_score(target, output, sample_weight=w),
        output,
        target,
        weight,
    )


@FEW
@given(st.lists(st.sampled_from([-1e4, 1e4, 0.0, 3.0, -2.5]), min_size=6, max_size=6))
def test_cross_entropies_of_logits_equal_torchs(logits):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    scores = np.array(logits).reshape(2, 3)
    labels = np.array([2, 0])
    there = torch.tensor(scores)
    expected = functional.cross_entropy(there, torch.tensor(labels)).item()
    sparse = mg.SparseCategoricalCrossentropy(from_logits=True)
    assert measured(sparse, scores, labels) == pytest.approx(expected, **CLOSE)
    hot = one_hot(labels, 3)
    categorical = mg.CategoricalCrossentropy(from_logits=True)
    assert measured(categorical, scores, hot) == pytest.approx(expected, **CLOSE)
    smooth = functional.cross_entropy(there, torch.tensor(labels), label_smoothing=0.1).item()
    categorical = mg.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    assert measured(categorical, scores, hot) == pytest.approx(smooth, **CLOSE)
    wanted = functional.binary_cross_entropy_with_logits(there, torch.tensor(hot, dtype=float))
    binary = mg.BinaryCrossentropy(from_logits=True)
    assert measured(binary, scores, hot) == pytest.approx(wanted.item(), **CLOSE)


def test_the_areas_are_keras_s_at_its_thresholds():
    """The numbers are those of Keras 3 (torch backend) for the same calls."""
    target = [0, 0, 1, 1, 1, 0, 1]
    scores = [0.1, 0.4, 0.35, 0.8, 0.8, 0.8, 1.0]
    weight = [1, 2, 1, 0, 1, 1, 0.5]
    expected = {
        ("ROC", "interpolation"): 0.6499999761581421,
        ("ROC", "minoring"): 0.6000000238418579,
        ("ROC", "majoring"): 0.7000000476837158,
        ("PR", "interpolation"): 0.6396670341491699,
        ("PR", "minoring"): 0.3733333349227905,
        ("PR", "majoring"): 0.7818182110786438,
    }
    for (curve, method), area in expected.items():
        metric = mg.AUC(20, curve, method)
        metric.update(scores, target, weight)
        assert metric.compute() == pytest.approx(area, abs=1e-6)


def test_thresholds_top_k_and_class_id_are_keras_s():
    """The numbers are those of Keras 3 for the same calls."""
    precision = mg.Precision(thresholds=[0, 0.5, 0.9])
    precision.update([0.1, 0.6, 0.9, 0.8], [0, 1, 1, 0])
    assert precision.compute() == pytest.approx([0.5, 2 / 3, 0.0])
    precision = mg.Precision(top_k=2)
    precision.update([[0.1, 0.6, 0.9, 0.8]], [[0, 1, 1, 0]])
    assert precision.compute() == 0.5
    recall = mg.Recall(class_id=1)
    recall.update([[0.9, 0.9], [0.9, 0.1], [0.9, 0.9]], [[1, 1], [1, 1], [1, 0]])
    assert recall.compute() == 0.5
    top = mg.SparseTopKCategoricalAccuracy(k=2)
    top.update([[0.3, 0.3, 0.3], [0.5, 0.2, 0.3], [math.nan, 1, math.nan]], [0, 1, 2])
    assert top.compute() == pytest.approx(1 / 3)
    f1 = mg.F1Score(average=None)
    f1.update([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]], [[1, 0], [0, 1], [0, 1]])
    assert f1.compute() == pytest.approx([2 / 3, 2 / 3])


def test_how_near_to_0_a_probability_may_come_can_be_said():
    loss = mg.BinaryCrossentropy(epsilon=1e-7)
    loss.update([0.0, 1.0], [1, 0])
    assert loss.compute() == pytest.approx(-math.log(1e-7))


EMPTY = {
    0.0: [
        mg.Mean, mg.Accuracy, mg.BinaryAccuracy, mg.CategoricalAccuracy, mg.Precision, mg.Recall,
        mg.SparseCategoricalAccuracy, mg.MeanSquaredError, mg.RootMeanSquaredError, mg.F1Score,
        mg.TruePositives, mg.BinaryCrossentropy, lambda: mg.AUC(200),
    ],
    math.nan: [mg.AUC, mg.R2Score],
}  # fmt: skip


@pytest.mark.parametrize(
    ("make", "expected"), [(make, value) for value, makers in EMPTY.items() for make in makers]
)
def test_without_batches(make, expected):
    assert make().compute() == pytest.approx(expected, nan_ok=True)


def test_weights_of_zero_alone_count_nothing():
    accuracy = mg.BinaryAccuracy()
    accuracy.update([0.9, 0.1], [0, 0], [0.0, 0.0])
    assert accuracy.compute() == 0.0
    score = mg.R2Score()
    score.update([1.0, 2.0], [1.0, 3.0], [0.0, 0.0])
    assert math.isnan(score.compute())
    score.update([1.0, 2.0], [1.0, 3.0], [1.0, 1.0])
    assert score.compute() == pytest.approx(0.5)


def test_sequences_and_their_weights():
    """(n, t) values: the weight is per sample or per step; (n, classes, t) is torch's layout."""
    scores = minigrad.tensor([[[0.9, 0.1], [0.1, 0.9]], [[0.2, 0.3], [0.8, 0.7]]])  # (2, 2, 2)
    labels = minigrad.tensor([[0, 0], [1, 1]])
    accuracy = mg.SparseCategoricalAccuracy()
    accuracy.update(scores, labels)
    assert accuracy.compute() == 0.75
    accuracy.reset()
    accuracy.update(scores, labels, [3.0, 1.0])
    assert accuracy.compute() == pytest.approx((3 * 0.5 + 1) / 4)
    accuracy.reset()
    accuracy.update(scores, labels, [[1.0, 0.0], [0.0, 1.0]])
    assert accuracy.compute() == 1.0
    last = mg.SparseCategoricalAccuracy(dim=-1)
    last.update(scores.transpose(1, 2), labels)
    assert last.compute() == 0.75


def test_a_function_is_a_metric():
    def worst(output, target):
        return (output - target).abs()

    metric = mg.as_metric(worst)
    assert metric.name == "worst"
    metric.update(minigrad.tensor([1.0, 2.0]), minigrad.tensor([0.0, 0.0]), [1.0, 3.0])
    assert metric.compute() == pytest.approx(7 / 4)
    mean = mg.as_metric(minigrad.nn.functional.mse_loss)
    mean.update(minigrad.tensor([1.0, 3.0]), minigrad.tensor([0.0, 0.0]))
    mean.update(minigrad.tensor([1.0]), minigrad.tensor([0.0]))
    assert mean.compute() == pytest.approx((5 * 2 + 1) / 3)
    with pytest.raises(ArgumentError, match="cannot weight"):
        mean.update(minigrad.tensor([1.0]), minigrad.tensor([0.0]), [1.0])


def test_names():
    assert mg.Accuracy().name == "accuracy"
    assert mg.AUC().name == "auc"
    assert mg.R2Score().name == "r2_score"
    assert mg.F1Score().name == "f1_score"
    assert mg.SparseTopKCategoricalAccuracy().name == "sparse_top_k_categorical_accuracy"
    for name in mg.NAMES:
        assert mg.as_metric(name).name == name
    with pytest.raises(ArgumentError, match=r"unknown metric 'acuracy'.*accuracy"):
        mg.as_metric("acuracy")
    with pytest.raises(TypeError, match=r"AUC\(\), not AUC"):
        mg.as_metric(mg.AUC)


SCORES3 = np.ones((4, 3))
REFUSED = {
    "one-hot for a sparse metric": (
        mg.SparseCategoricalAccuracy, (SCORES3, SCORES3),
        r"sparse_categorical_accuracy: .*\(4, 3\).*one-hot",
    ),
    "class numbers for a one-hot metric": (
        mg.CategoricalAccuracy, (SCORES3, np.ones(4)),
        r"categorical_accuracy: .*\(4,\).*Sparse",
    ),
    "another number of samples": (
        mg.SparseCategoricalAccuracy, (SCORES3, np.ones(5)), r"\(4,\).*got shape \(5,\)",
    ),
    "one score": (mg.SparseCategoricalAccuracy, (np.ones(4), np.ones(4)), "BinaryAccuracy"),
    "another shape": (
        mg.MeanSquaredError, (SCORES3, np.ones((4, 2))), r"mean_squared_error: .*\(4, 3\).*\(4, 2\)"
    ),
    "a weight too many": (
        mg.MeanSquaredError, (np.ones(4), np.ones(4), np.ones(5)), r"weight has shape \(5,\)",
    ),
    "a class too many": (
        lambda: mg.Precision(class_id=3), (SCORES3, SCORES3), "class_id 3 is no column",
    ),
    "too few classes": (lambda: mg.Recall(top_k=4), (SCORES3, SCORES3), "top_k=4"),
    "labels": (
        lambda: mg.AUC(multi_label=True, label_weights=[1, 2]), (SCORES3, SCORES3), "2 labels",
    ),
    "matrix of probabilities": (
        lambda: mg.ConfusionMatrix(2), (np.ones(4), np.ones(4)), "class numbers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_fit_is_refused(what):
    make, arguments, message = REFUSED[what]
    with pytest.raises(ArgumentError, match=message):
        make().update(*arguments)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mg.AUC(curve="ROCK"), "ROC, PR"),
        (lambda: mg.AUC(1), "num_thresholds"),
        (lambda: mg.AUC(thresholds=[2.0]), "between 0 and 1"),
        (lambda: mg.AUC(summation_method="sum"), "minoring"),
        (lambda: mg.AUC(label_weights=[1.0]), "multi_label"),
        (lambda: mg.Precision(thresholds=1.5), "Precision.*1.5"),
        (lambda: mg.SparseTopKCategoricalAccuracy(k=0), "at least 1, got 0"),
        (lambda: mg.F1Score("mean"), "micro"),
        (lambda: mg.ConfusionMatrix(0), "classes"),
        (lambda: mg.BinaryCrossentropy(label_smoothing=2), "label_smoothing"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_what_only_the_numbers_tell_is_told_by_compute():
    area = mg.AUC(200)
    area.update([-3.0, 4.0], [0, 1])
    with pytest.raises(ArgumentError, match="from_logits=True"):
        area.compute()
    logits = mg.AUC(200, from_logits=True)
    logits.update([-3.0, 4.0], [0, 1])
    assert logits.compute() == pytest.approx(1.0)
    table = mg.ConfusionMatrix(2)
    table.update(np.array([0, 1]), np.array([0, 2]))
    with pytest.raises(ArgumentError, match="outside 0 to 1"):
        table.compute()


def test_a_batch_may_be_overwritten_after_it_was_taken_in():
    area = mg.AUC()
    scores = np.array([0.1, 0.9])
    area.update(scores, np.array([0, 1]))
    scores[:] = 0.5
    assert area.compute() == 1.0


ON_A_DEVICE = {
    "sparse": (mg.SparseCategoricalAccuracy, "scores", "labels"),
    "categorical": (mg.CategoricalAccuracy, "scores", "hot"),
    "automatic": (mg.Accuracy, "scores", "labels"),
    "sparse top": (lambda: mg.SparseTopKCategoricalAccuracy(k=2), "scores", "labels"),
    "top": (lambda: mg.TopKCategoricalAccuracy(k=2), "scores", "hot"),
    "sparse entropy": (mg.SparseCategoricalCrossentropy, "scores", "labels"),
    "sparse entropy of logits": (
        lambda: mg.SparseCategoricalCrossentropy(from_logits=True), "scores", "labels",
    ),
    "entropy": (lambda: mg.CategoricalCrossentropy(label_smoothing=0.1), "scores", "hot"),
    "table": (lambda: mg.ConfusionMatrix(3), "scores", "labels"),
    "f1": (mg.F1Score, "scores", "hot"),
    "binary": (mg.BinaryAccuracy, "chance", "yes"),
    "binary entropy": (mg.BinaryCrossentropy, "chance", "yes"),
    "binary entropy of logits": (
        lambda: mg.BinaryCrossentropy(from_logits=True), "chance", "yes",
    ),
    "precision": (lambda: mg.Precision([0.2, 0.5]), "chance", "yes"),
    "recall": (lambda: mg.Recall(top_k=2, class_id=1), "scores", "hot"),
    "negatives": (mg.TrueNegatives, "chance", "yes"),
    "area": (mg.AUC, "chance", "yes"),
    "area of precision": (lambda: mg.AUC(curve="PR"), "chance", "yes"),
    "area at thresholds": (lambda: mg.AUC(50), "chance", "yes"),
    "areas": (lambda: mg.AUC(50, multi_label=True), "scores", "hot"),
    "absolute": (mg.MeanAbsoluteError, "chance", "numbers"),
    "squared": (mg.RootMeanSquaredError, "chance", "numbers"),
    "percent": (mg.MeanAbsolutePercentageError, "chance", "numbers"),
    "logarithmic": (mg.MeanSquaredLogarithmicError, "chance", "numbers"),
    "r2": (mg.R2Score, "chance", "numbers"),
}  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("what", ON_A_DEVICE)
def test_the_same_on_a_device_that_converts_nothing(what, weighted):
    make, output, target = ON_A_DEVICE[what]
    minigrad.manual_seed(0)
    scores = minigrad.randn(12, 3).softmax(1)
    labels = minigrad.arange(12).remainder(3)
    values = {
        "scores": scores, "labels": labels, "hot": (labels[:, None] == minigrad.arange(3)).float(),
        "chance": scores[:, 0], "yes": (labels == 0).float(), "numbers": scores[:, 1],
    }  # fmt: skip
    weight = minigrad.arange(12).float() if weighted else None
    here, away = make(), make()
    with strict_device() as place:
        for half in (slice(0, 5), slice(5, 12)):
            batch = [values[output][half], values[target][half]]
            batch += [weight[half]] if weighted else []
            here.update(*batch)
            away.update(*(part.to(place) for part in batch))
        found, expected = away.compute(), here.compute()
        if what == "table":
            found, expected = found.flatten().tolist(), expected.flatten().tolist()
        assert found == pytest.approx(expected, rel=1e-5)
        with pytest.raises(DeviceError, match="is on"):
            away.update(values[output].to(place), values[target])


def test_nothing_is_recorded_and_no_graph_kept():
    output = minigrad.randn(4, 3).requires_grad_()
    metric = mg.FunctionMetric(lambda output, target: (output * 2).mean(1))
    metric.update(output * 2, minigrad.zeros(4))
    assert not any(isinstance(value, minigrad.Tensor) for value in vars(metric).values())
