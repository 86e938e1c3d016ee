"""Linear and logistic regression by gradient descent, against the formula and scikit-learn."""

import numpy
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import minigrad
from minigrad import nn, optim
from minigrad.sklearn import LinearRegressionGD, LogisticRegressionGD
from minigrad.training import Callback
from minigrad.utils.data import DataLoader, TensorDataset

RANDOM = numpy.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
Y = X @ [2.0, -1.0, 0.5] + 3.0
LABELS = (Y + RANDOM.normal(size=60) > 3.0).astype(int)


def test_batch_descent_is_the_formula_step_by_step():
    regression = LinearRegressionGD(learning_rate=0.05, max_iter=20).fit(X, Y)
    weight, bias, costs = numpy.ones(3), 0.0, []
    for _ in range(20):
        error = X @ weight + bias - Y
        costs.append((error**2).mean())
        weight = weight - 0.05 * 2 / 60 * (X.T @ error)
        bias = bias - 0.05 * 2 * error.mean()
    # Twenty steps in float64, whose sums are rounded in another order.
    numpy.testing.assert_allclose(regression.coef_, weight, rtol=1e-12)
    assert regression.intercept_ == pytest.approx(bias, rel=1e-12)
    numpy.testing.assert_allclose(regression.cost_history_, costs, rtol=1e-12)
    assert regression.epoch_history_ == list(range(20))
    assert regression.loss_curve_ == regression.cost_history_
    assert regression.n_iter_ == 20


@pytest.mark.parametrize(
    ("method", "epochs"), [("batch", 200), ("stochastic", 20), ("mini-batch", 100)]
)
def test_every_method_finds_the_line_there_is(method, epochs):
    regression = LinearRegressionGD(method=method, max_iter=epochs, random_state=0).fit(X, Y)
    reference = LinearRegression().fit(X, Y)
    # The data has no noise, so that the steps of each method shrink to nothing.
    numpy.testing.assert_allclose(regression.coef_, reference.coef_, atol=1e-8)
    assert regression.intercept_ == pytest.approx(reference.intercept_, abs=1e-8)
    assert regression.score(X, Y) > 0.999999


@pytest.mark.parametrize(("method", "steps"), [("batch", 1), ("stochastic", 60), ("mini-batch", 3)])
def test_the_history_counts_epochs_in_the_steps_of_the_method(method, steps):
    regression = LinearRegressionGD(
        method=method, batch_size=20, max_iter=4, record_every=2, random_state=0
    ).fit(X, Y)
    assert len(regression.cost_history_) == len(regression.epoch_history_) == 2 * steps
    assert regression.epoch_history_[1] == 2 / steps
    assert len(regression.loss_curve_) == 4


@pytest.mark.parametrize("optimizer", ["SGD", "adam", optim.RMSprop])
def test_it_is_a_linear_layer_trained_in_the_plain_way(optimizer):
    regression = LogisticRegressionGD(
        method="mini-batch", batch_size=16, optimizer=optimizer, init="uniform", random_state=3,
        max_iter=5,
    ).fit(X, LABELS)  # fmt: skip
    with minigrad.random.fork_rng():
        minigrad.manual_seed(3)
        layer = nn.Linear(3, 1, dtype=minigrad.float64)
        kind = {"SGD": optim.SGD, "adam": optim.Adam}.get(optimizer, optim.RMSprop)
        steps = kind(layer.parameters(), lr=0.1)
        target = minigrad.tensor(LABELS.reshape(-1, 1), dtype=minigrad.float64)
        data = TensorDataset(minigrad.from_numpy(X), target)
        for _ in range(5):
            for x, y in DataLoader(data, batch_size=16, shuffle=True):
                steps.zero_grad()
                nn.BCEWithLogitsLoss()(layer(x), y).backward()
                steps.step()
    numpy.testing.assert_array_equal(regression.coef_, layer.weight.detach().numpy())
    numpy.testing.assert_array_equal(regression.intercept_, layer.bias.detach().numpy())


def test_the_logistic_one_reaches_the_maximum_of_the_likelihood():
    regression = LogisticRegressionGD(learning_rate=2.0, max_iter=500).fit(X, LABELS)
    reference = LogisticRegression(C=numpy.inf, tol=1e-10, max_iter=1000).fit(X, LABELS)
    # Both stop where the gradient is about 1e-7.
    numpy.testing.assert_allclose(regression.coef_, reference.coef_, atol=1e-4)
    numpy.testing.assert_allclose(
        regression.predict_proba(X), reference.predict_proba(X), atol=1e-5
    )
    numpy.testing.assert_array_equal(regression.predict(X), reference.predict(X))


def test_three_classes_go_through_the_softmax():
    iris, kinds = load_iris(return_X_y=True)
    names = numpy.array(["setosa", "versicolor", "virginica"])[kinds]
    steps = make_pipeline(
        StandardScaler(), LogisticRegressionGD(init="zeros", learning_rate=0.5, max_iter=300)
    )
    steps.fit(iris, names)
    probability = steps.predict_proba(iris)
    assert steps.score(iris, names) > 0.95
    numpy.testing.assert_allclose(probability.sum(axis=1), 1.0, rtol=1e-12)
    assert steps[-1].coef_.shape == (3, 4)
    numpy.testing.assert_allclose(numpy.exp(steps.predict_log_proba(iris)), probability)


@pytest.mark.parametrize("kind", [LinearRegressionGD, LogisticRegressionGD])
def test_a_weight_counts_a_sample_as_often(kind):
    target = LABELS.astype(float) if kind is LinearRegressionGD else LABELS
    weights = RANDOM.integers(0, 4, size=60)
    weighed = kind().fit(X, target, sample_weight=weights)
    repeated = kind().fit(X.repeat(weights, axis=0), target.repeat(weights))
    numpy.testing.assert_allclose(weighed.coef_, repeated.coef_, rtol=1e-12)


def test_the_random_state_decides_and_the_users_numbers_go_on_undisturbed():
    parameters = {"method": "stochastic", "max_iter": 2, "random_state": 5}
    minigrad.manual_seed(1)
    expected = minigrad.rand(3).tolist()
    minigrad.manual_seed(1)
    first = LinearRegressionGD(**parameters).fit(X, Y)
    assert minigrad.rand(3).tolist() == expected
    second = LinearRegressionGD(**parameters).fit(X, Y)
    other = LinearRegressionGD(**{**parameters, "random_state": 6}).fit(X, Y)
    numpy.testing.assert_array_equal(first.coef_, second.coef_)
    assert not numpy.array_equal(first.coef_, other.coef_)


def test_options_of_a_run():
    plain = LinearRegressionGD(max_iter=10).fit(X, Y)
    momentum = LinearRegressionGD(max_iter=10, optimizer_options={"momentum": 0.5}).fit(X, Y)
    assert momentum.loss_curve_[-1] < plain.loss_curve_[-1]
    through = LinearRegressionGD(fit_intercept=False).fit(X, Y)
    assert through.intercept_ == 0.0
    settled = LinearRegressionGD(tol=1e-3, max_iter=1000).fit(X, Y)
    assert 10 < settled.n_iter_ < 100
    twice = LinearRegressionGD(max_iter=5, warm_start=True).fit(X, Y).fit(X, Y)
    numpy.testing.assert_array_equal(twice.coef_, plain.coef_)


def test_a_callback_hears_of_every_epoch_and_is_cloned_with_the_estimator():
    class Count(Callback):
        heard = 0

        def on_epoch_end(self, epoch, logs):
            self.heard += 1

    regression = LinearRegressionGD(max_iter=7, callbacks=[Count()]).fit(X, Y)
    assert regression.callbacks[0].heard == 7
    assert regression.callbacks[0].trainer is None
    assert clone(regression).callbacks[0] is not regression.callbacks[0]


def test_steps_that_are_too_long_are_told():
    with pytest.warns(ConvergenceWarning, match=r"the cost rose from .* learning_rate below 2"):
        LinearRegressionGD(learning_rate=2.0).fit(X, Y)
    with pytest.raises(
        ValueError, match=r"the loss is (inf|nan) after epoch \d+: .*StandardScaler"
    ):
        LinearRegressionGD(learning_rate=2.0, max_iter=2000).fit(X, Y)


def test_verbose_writes_a_line_for_each_epoch(capsys):
    LinearRegressionGD(max_iter=2, verbose=1).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["Epoch 1", "Epoch 2"]
    assert "loss = " in lines[0]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "minibatch"}, "'method' .* Did you mean 'mini-batch'?"),
        ({"init": "one"}, "'init' .* Did you mean 'ones'?"),
        ({"batch_size": 0}, "'batch_size' .* integer of at least 1. Got 0"),
        ({"learning_rate": 0.0}, r"'learning_rate' .* \(0, inf\). Got 0.0"),
        ({"optimizer": "Adamm"}, "'optimizer' .* Did you mean 'Adam'?"),
        ({"optimizer": nn.Linear}, "'optimizer' .* class of an optimizer"),
        ({"optimizer_options": {"momentun": 1}}, "options of SGD.* Did you mean 'momentum'?"),
    ],
    ids=str,
)
def test_a_parameter_out_of_range_is_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        LinearRegressionGD(**parameters).fit(X, Y)


def test_bad_data_is_refused_in_words():
    with pytest.raises(ValueError, match="Input X contains NaN"):
        LinearRegressionGD().fit(numpy.where(X > 2, numpy.nan, X), Y)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        LinearRegressionGD().fit(X, numpy.full(60, numpy.nan))
    with pytest.raises(ValueError, match="Unknown label type"):
        LogisticRegressionGD().fit(X, Y)
    with pytest.raises(ValueError, match="got 1 class"):
        LogisticRegressionGD().fit(X, LABELS, sample_weight=LABELS)
    with pytest.raises(ValueError, match="X has 2 features, but LinearRegressionGD is expecting 3"):
        LinearRegressionGD().fit(X, Y).predict(X[:, :2])
