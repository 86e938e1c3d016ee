"""The Perceptron against scikit-learn's: equal coefficients, in every option, to the last digit."""

import subprocess
import sys

import numpy
import pytest

pytest.importorskip("sklearn")

from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Perceptron as Reference
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from minigrad.sklearn import Perceptron
from minigrad.sklearn.perceptron_rule import EpochOrders, exchanges_of, margins_in_order

# The rule does scikit-learn's arithmetic in scikit-learn's order, so that it differs by nothing on
# the machines at hand; a compiler that fuses multiplication and addition may round the last digit.
CLOSE = {"float64": 1e-12, "float32": 1e-4}


def data(classes=2, samples=120, dtype="float64", seed=0):
    X, y = make_classification(
        n_samples=samples,
        n_features=6,
        n_informative=4,
        n_classes=classes,
        flip_y=0.2,
        random_state=seed,
    )
    return X.astype(dtype), y


def assert_same(mine, reference, dtype="float64"):
    bound = CLOSE[dtype]
    numpy.testing.assert_allclose(mine.coef_, reference.coef_, rtol=bound, atol=bound)
    numpy.testing.assert_allclose(mine.intercept_, reference.intercept_, rtol=bound, atol=bound)
    assert mine.coef_.dtype == reference.coef_.dtype
    assert mine.n_iter_ == reference.n_iter_
    assert mine.t_ == reference.t_
    numpy.testing.assert_array_equal(mine.classes_, reference.classes_)


def both(X, y, *, sample_weight=None, **parameters):
    mine = Perceptron(**parameters).fit(X, y, sample_weight=sample_weight)
    return mine, Reference(**parameters).fit(X, y, sample_weight=sample_weight)


def test_the_listing_has_the_coefficients_and_the_accuracy_of_scikit_learn():
    X, y = make_classification(n_samples=1000, n_features=10, n_classes=2, random_state=42)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
    found = []
    for kind in (Perceptron, Reference):
        perceptron = kind(max_iter=1000, eta0=0.1, random_state=42, tol=1e-3)
        perceptron.fit(X_train, y_train)
        found.append((perceptron, accuracy_score(y_test, perceptron.predict(X_test))))
    (mine, accuracy), (reference, expected) = found
    assert_same(mine, reference)
    assert accuracy == expected
    assert accuracy > 0.7


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"tol": None, "max_iter": 12},
        {"shuffle": False, "fit_intercept": False, "tol": 0.0, "max_iter": 200},
        {"penalty": "l2", "alpha": 0.05, "eta0": 0.5},
        {"penalty": "l2", "alpha": 30.0},
        {"penalty": "l1", "alpha": 0.002, "eta0": 0.1},
        {"penalty": "elasticnet", "alpha": 0.01, "l1_ratio": 0.4},
        {"penalty": "elasticnet", "alpha": 0.2, "l1_ratio": 0.4},
        {"penalty": "elasticnet", "alpha": 0.2, "eta0": 0.5, "l1_ratio": 0.7},
        {"early_stopping": True, "validation_fraction": 0.3, "n_iter_no_change": 2},
        {"early_stopping": True, "penalty": "l2", "alpha": 0.02, "class_weight": "balanced"},
        {"class_weight": {0: 3.0, 1: 0.5}, "random_state": 7},
    ],
    ids=str,
)
def test_every_option_gives_the_coefficients_of_scikit_learn(parameters, classes, dtype):
    X, y = data(classes, dtype=dtype)
    assert_same(*both(X, y, **parameters), dtype)


def test_a_slow_shrinking_passes_the_point_where_the_scale_is_reset():
    X, y = data(samples=400)
    parameters = {"penalty": "l2", "alpha": 0.3, "tol": None, "max_iter": 3}
    assert 0.7**100 < 1e-9
    assert_same(*both(X, y, **parameters))


@pytest.mark.parametrize("weight", [0.5, [0.0, 2.0, 1.0]], ids=["number", "array"])
def test_sample_weights(weight):
    X, y = data()
    weight = numpy.resize(weight, len(y)) if isinstance(weight, list) else weight
    assert_same(*both(X, y, sample_weight=weight))


def test_labels_may_be_strings():
    X, y = load_iris(return_X_y=True)
    names = numpy.array(["setosa", "versicolor", "virginica"])[y]
    mine, reference = both(X, names, random_state=3)
    assert_same(mine, reference)
    assert (mine.predict(X) == reference.predict(X)).all()
    assert mine.score(X, names) == reference.score(X, names)


def test_a_generator_as_random_state_is_drawn_from_alike():
    X, y = data()
    mine = Perceptron(random_state=numpy.random.RandomState(5), early_stopping=True).fit(X, y)
    reference = Reference(random_state=numpy.random.RandomState(5), early_stopping=True).fit(X, y)
    assert_same(mine, reference)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("penalty", [None, "l2", "l1"])
def test_parts_of_the_data_one_after_another(classes, penalty):
    X, y = data(classes)
    pair = [kind(penalty=penalty, alpha=0.01, eta0=0.1) for kind in (Perceptron, Reference)]
    for start in range(0, 120, 40):
        part = slice(start, start + 40)
        for estimator in pair:
            estimator.partial_fit(X[part], y[part], classes=numpy.unique(y))
        assert_same(*pair)


def test_a_warm_start_goes_on_from_the_last_fit_and_leaves_its_numbers_alone():
    X, y = data(3)
    pair = [kind(warm_start=True, tol=None, max_iter=3) for kind in (Perceptron, Reference)]
    for estimator in pair:
        estimator.fit(X, y)
    before = pair[0].coef_
    kept = before.copy()
    for estimator in pair:
        estimator.fit(X, y)
    assert_same(*pair)
    numpy.testing.assert_array_equal(before, kept)


def test_a_fit_from_given_coefficients():
    X, y = data()
    start = {"coef_init": numpy.ones((1, 6)), "intercept_init": [0.5]}
    assert_same(Perceptron().fit(X, y, **start), Reference().fit(X, y, **start))
    with pytest.raises(ValueError, match=r"coef_init has shape \(5,\).*must be \(1, 6\)"):
        Perceptron().fit(X, y, coef_init=numpy.ones(5))


@pytest.mark.parametrize("width", [1, 2, 5, 9, 64])
@pytest.mark.parametrize("features", [1, 7, 8, 9, 33, 200])
def test_the_scores_add_from_the_first_feature_to_the_last(features, width):
    random = numpy.random.default_rng(features)
    columns, weights = random.normal(size=(features, width)), random.normal(size=features)
    expected = []
    for column in columns.T.tolist():
        total = 0.0
        for a, b in zip(column, weights.tolist(), strict=True):
            total += a * b
        expected.append(total)
    assert margins_in_order(columns, weights[:, None]).tolist() == expected
    # As a part of more columns, which is how the blocks are cut.
    wider = numpy.concatenate([columns, columns], axis=1)
    assert margins_in_order(wider[:, :width], weights[:, None]).tolist() == expected


def test_the_shuffle_is_a_permutation_that_is_applied_again_in_each_epoch():
    orders = EpochOrders(50, seed=12345)
    first, second = next(iter(orders)), next(iter(orders))
    exchanges = exchanges_of(50, 12345)
    assert sorted(exchanges.tolist()) == list(range(50))
    numpy.testing.assert_array_equal(first, exchanges)
    numpy.testing.assert_array_equal(second, exchanges[exchanges])


def test_xor_is_not_learned_and_says_so():
    X, y = numpy.array([[0, 0], [0, 1], [1, 0], [1, 1]]), [0, 1, 1, 0]
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        perceptron = Perceptron(max_iter=3).fit(X, y)
    assert perceptron.score(X, y) < 1.0


def test_numbers_that_overflow_are_an_error_that_advises_scaling():
    X, y = numpy.array([[1e308, 1.0], [1e308, 2.0], [1e308, 3.0]]), [0, 1, 0]
    with pytest.raises(ValueError, match=r"overflow occurred at epoch #1\. .*StandardScaler"):
        Perceptron(eta0=10.0).fit(X, y)
    Perceptron(tol=None, max_iter=2).fit(StandardScaler().fit_transform(X[:, 1:]), y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"penalty": "elastic"}, "'penalty' .* Did you mean 'elasticnet'?"),
        ({"penalty": "L3"}, "'penalty' parameter of Perceptron must be one of None, 'l2'"),
        ({"eta0": 0}, r"'eta0' parameter of Perceptron must be a number in the range \(0, inf\)"),
        ({"alpha": -1.0}, r"'alpha' .* \[0, inf\). Got -1.0"),
        ({"l1_ratio": 1.5}, r"'l1_ratio' .* \[0, 1\]"),
        ({"max_iter": 0}, "'max_iter' .* an integer of at least 1. Got 0"),
        ({"max_iter": True}, "'max_iter' .* Got True"),
        ({"tol": "small"}, "'tol' .* Got 'small'"),
        ({"shuffle": 1}, "'shuffle' .* must be True or False. Got 1"),
        ({"class_weight": "balance"}, "'class_weight' .* Did you mean 'balanced'"),
        ({"validation_fraction": 1.0}, r"'validation_fraction' .* \(0, 1\)"),
    ],
    ids=str,
)
def test_a_parameter_out_of_range_is_named(parameters, message):
    X, y = data()
    with pytest.raises(ValueError, match=message):
        Perceptron(**parameters).fit(X, y)


def test_bad_data_is_refused_in_words():
    X, y = data()
    with pytest.raises(ValueError, match="greater than one; got 1 class"):
        Perceptron().fit(X, numpy.zeros(len(X)))
    with pytest.raises(ValueError, match=r"sample_weight.shape == \(3,\), expected \(120,\)"):
        Perceptron().fit(X, y, sample_weight=[1, 2, 3])
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        Perceptron().fit(X, y, sample_weight=-numpy.ones(120))
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        Perceptron().partial_fit(X, y)
    with pytest.raises(ValueError, match=r"not among the classes \[0, 1\]: 2"):
        Perceptron().partial_fit(X, numpy.where(y, 2, 0), classes=[0, 1])
    with pytest.raises(ValueError, match="not the same as on last call"):
        Perceptron().partial_fit(X, y, classes=[0, 1]).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="early_stopping should be False"):
        Perceptron(early_stopping=True).partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="compute_class_weight"):
        Perceptron(class_weight="balanced").partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="validation set are all zero"):
        Perceptron(early_stopping=True).fit(X, y, sample_weight=numpy.zeros(120))


def test_without_scikit_learn_the_import_says_what_to_install():
    script = "import sys; sys.modules['sklearn'] = None; import minigrad.sklearn"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert "MissingExtra: minigrad.sklearn needs the package 'scikit-learn'" in run.stderr
    assert 'pip install "minigrad-engine[sklearn]"' in run.stderr
