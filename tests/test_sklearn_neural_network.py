"""MLPClassifier and MLPRegressor: the plain loop bit for bit, and scikit-learn around them."""

import copy
import pickle

import numpy
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import minigrad
from minigrad import nn, optim
from minigrad.sklearn import MLPClassifier, MLPRegressor
from minigrad.training import Callback, EarlyStopping, metrics
from minigrad.utils.data import DataLoader, TensorDataset
from tests.strict import strict_device

IRIS, KINDS = load_iris(return_X_y=True)
FLOWERS = StandardScaler().fit_transform(IRIS).astype("float32")
SMALL, SIZES = FLOWERS[:, :2], FLOWERS[:, 2]


class TwoLayers(nn.Module):
    def __init__(self, features=4, outputs=3, dropout=0.0):
        self.first = nn.Linear(features, 8)
        self.dropout = nn.Dropout(dropout)
        self.second = nn.Linear(8, outputs)

    def forward(self, input):
        return self.second(self.dropout(self.first(input).tanh()))


def with_dropout():
    return TwoLayers(dropout=0.25)


def small_network():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 10)
    )


def weights_of(module):
    return {name: value.numpy() for name, value in module.state_dict().items()}


def assert_same_weights(mine, plain):
    mine, plain = weights_of(mine), weights_of(plain)
    assert list(mine) == list(plain)
    for name, value in plain.items():
        numpy.testing.assert_array_equal(mine[name], value, err_msg=name)


def plain_loop(factory, X, y, *, seed, epochs, batch_size, kind, rate, loss):
    with minigrad.random.fork_rng():
        minigrad.manual_seed(seed)
        model = factory()
        optimizer = kind(model.parameters(), lr=rate)
        data = TensorDataset(minigrad.from_numpy(X), minigrad.from_numpy(y))
        for _ in range(epochs):
            for x, target in DataLoader(data, batch_size=batch_size, shuffle=True):
                optimizer.zero_grad()
                loss(model(x), target).backward()
                optimizer.step()
    return model


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.RMSprop])
@pytest.mark.parametrize("factory", [TwoLayers, with_dropout])
def test_fit_is_the_plain_loop_bit_for_bit(factory, kind):
    plain = plain_loop(
        factory, FLOWERS, KINDS, seed=7, epochs=4, batch_size=32, kind=kind, rate=0.02,
        loss=nn.CrossEntropyLoss(),
    )  # fmt: skip
    mine = MLPClassifier(
        module=factory, optimizer=kind.__name__, learning_rate=0.02, batch_size=32, max_epochs=4,
        random_state=7,
    ).fit(FLOWERS, KINDS)  # fmt: skip
    assert_same_weights(mine.module_, plain)
    parts = MLPClassifier(
        module=factory, optimizer=kind, learning_rate=0.02, batch_size=32, random_state=7
    )
    for _ in range(4):
        parts.partial_fit(FLOWERS, KINDS, classes=[0, 1, 2])
    assert_same_weights(parts.module_, plain)
    assert parts.loss_curve_ == mine.loss_curve_


def test_images_reach_a_convolution_as_they_are():
    digits = load_digits()
    images = (digits.images[:, None] / 16).astype("float32")
    plain = plain_loop(
        small_network, images, digits.target, seed=0, epochs=4, batch_size=64, kind=optim.Adam,
        rate=0.01, loss=nn.CrossEntropyLoss(),
    )  # fmt: skip
    mine = MLPClassifier(
        module=small_network, learning_rate=0.01, batch_size=64, max_epochs=4, random_state=0
    ).fit(images, digits.target)
    assert_same_weights(mine.module_, plain)
    assert mine.score(images, digits.target) > 0.85


def test_the_network_that_is_built_has_what_the_parameters_ask_for():
    classifier = MLPClassifier(
        (6, 5), "gelu", batch_norm=True, dropout=0.5, max_epochs=1, random_state=0
    ).fit(FLOWERS, KINDS)
    names = [type(layer).__name__ for layer in classifier.module_]
    assert names == ["Linear", "BatchNorm1d", "GELU", "Dropout"] * 2 + ["Linear"]
    assert [len(layer.weight) for layer in classifier.module_[::4]] == [6, 5, 3]
    assert classifier.predict_proba(FLOWERS).dtype == "float32"
    wide = MLPClassifier(max_epochs=1).fit(IRIS, KINDS)
    assert wide.predict_proba(IRIS).dtype == "float64"


@pytest.mark.parametrize(
    "loss", ["CrossEntropyLoss", "nllloss", nn.BCEWithLogitsLoss, nn.BCELoss()], ids=str
)
def test_every_loss_for_two_classes_gives_probabilities(loss):
    names = numpy.array(["no", "yes"])[(KINDS == 1).astype(int)]
    classifier = MLPClassifier(
        (16,), loss=loss, learning_rate=0.05, max_epochs=60, random_state=0
    ).fit(FLOWERS, names)
    probability = classifier.predict_proba(FLOWERS)
    assert probability.shape == (150, 2)
    numpy.testing.assert_allclose(probability.sum(axis=1), 1.0, rtol=1e-6)  # float32
    assert classifier.score(FLOWERS, names) > 0.95
    chosen = classifier.classes_[probability.argmax(axis=1)]
    numpy.testing.assert_array_equal(classifier.predict(FLOWERS), chosen)
    if hasattr(classifier, "decision_function"):
        numpy.testing.assert_array_equal(
            classifier.decision_function(FLOWERS) > 0, probability[:, 1] > probability[:, 0]
        )
    else:
        assert isinstance(loss, nn.BCELoss)


def test_a_loss_may_be_any_function_of_output_and_target():
    def sharpened(output, target):
        return nn.functional.cross_entropy(2 * output, target)

    classifier = MLPClassifier(loss=sharpened, learning_rate=0.02, random_state=0)
    assert classifier.fit(FLOWERS, KINDS).score(FLOWERS, KINDS) > 0.9


def test_a_module_that_is_given_is_copied_and_started_from_each_time():
    given = TwoLayers()
    before = weights_of(given)
    classifier = MLPClassifier(module=given, max_epochs=2, random_state=0).fit(FLOWERS, KINDS)
    first = weights_of(classifier.module_)
    for name, value in before.items():
        numpy.testing.assert_array_equal(weights_of(given)[name], value)
        assert not numpy.array_equal(first[name], value)
    classifier.fit(FLOWERS, KINDS)
    for name, value in first.items():
        numpy.testing.assert_array_equal(weights_of(classifier.module_)[name], value)


def test_the_regressor_learns_one_column_or_several():
    one = MLPRegressor((16,), learning_rate=0.02, random_state=0).fit(SMALL, SIZES)
    assert one.score(SMALL, SIZES) > 0.8
    assert one.predict(SMALL).shape == (150,)
    both = MLPRegressor((16,), learning_rate=0.02, random_state=0).fit(SMALL, FLOWERS[:, 2:])
    assert both.predict(SMALL).shape == (150, 2)
    flat = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    assert MLPRegressor(module=flat, max_epochs=1).fit(SMALL, SIZES).predict(SMALL).shape == (150,)


def test_what_is_held_out_is_measured_and_may_stop_the_training():
    classifier = MLPClassifier(
        learning_rate=0.05, validation_fraction=0.2, max_epochs=8, random_state=0
    ).fit(FLOWERS, KINDS)
    assert len(classifier.validation_curve_) == len(classifier.loss_curve_) == 8
    assert classifier.history_["val_loss"] == classifier.validation_curve_
    assert classifier.best_loss_ == min(classifier.loss_curve_)
    stopped = MLPClassifier(
        (64,), tol=0.0, learning_rate=0.1, early_stopping=True, n_iter_no_change=3, random_state=0,
        max_epochs=500,
    ).fit(FLOWERS, KINDS)  # fmt: skip
    assert stopped.n_iter_ < 500
    curve = stopped.validation_curve_
    best = min(curve)
    assert len(curve) - 1 - curve.index(best) <= 10
    held_out = MLPClassifier(module=stopped.module_, max_epochs=1, learning_rate=1e-30,
                             early_stopping=True, random_state=0).fit(FLOWERS, KINDS)  # fmt: skip
    # The same samples are held out, and the weights that were restored give the best loss again.
    assert held_out.validation_curve_[0] == pytest.approx(best, rel=1e-6)


def test_metrics_and_callbacks_of_the_training_loop():
    stopping = EarlyStopping("val_accuracy", patience=2)
    classifier = MLPClassifier(
        learning_rate=0.05,
        metrics=[metrics.SparseCategoricalAccuracy("accuracy")],
        callbacks=[stopping],
        validation_fraction=0.2,
        random_state=0,
    ).fit(FLOWERS, KINDS)
    assert set(classifier.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert classifier.n_iter_ == stopping.best_epoch + 3 < 100
    assert stopping.model is None
    pickle.dumps(classifier)


def test_a_network_on_another_device_learns_the_same():
    parameters = {"max_epochs": 3, "batch_size": 50, "random_state": 0}
    here = MLPClassifier(**parameters).fit(FLOWERS, KINDS)
    with strict_device() as place:
        there = MLPClassifier(**parameters, device=place).fit(FLOWERS, KINDS)
        assert {p.device.type for p in there.module_.parameters()} == {place}
        found = there.predict_proba(FLOWERS)
        with pytest.raises(ValueError, match="devise"):
            MLPClassifier(device="devise").fit(FLOWERS, KINDS)
    # float32, added in another order.
    numpy.testing.assert_allclose(found, here.predict_proba(FLOWERS), rtol=1e-4)


def test_a_warm_start_goes_on_with_the_optimizer_and_the_random_numbers():
    whole = MLPClassifier(dropout=0.3, max_epochs=6, random_state=1).fit(FLOWERS, KINDS)
    parts = MLPClassifier(dropout=0.3, max_epochs=3, random_state=1, warm_start=True)
    parts.fit(FLOWERS, KINDS).fit(FLOWERS, KINDS)
    assert_same_weights(parts.module_, whole.module_)
    assert parts.n_iter_ == 6
    parts.fit(FLOWERS[KINDS < 2], KINDS[KINDS < 2])
    assert parts.predict_proba(FLOWERS).shape == (150, 2)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_a_copy_goes_on_as_the_original_does(copied):
    original = MLPClassifier(dropout=0.3, random_state=1, callbacks=[Callback()])
    original.partial_fit(FLOWERS, KINDS, classes=[0, 1, 2])
    other = copied(original)
    for classifier in (original, other):
        classifier.partial_fit(FLOWERS, KINDS)
    assert_same_weights(other.module_, original.module_)
    unfitted = copied(MLPClassifier(module=TwoLayers(), random_state=3))
    assert unfitted.set_params(max_epochs=1).fit(FLOWERS, KINDS).n_iter_ == 1


def test_the_users_random_numbers_go_on_undisturbed():
    minigrad.manual_seed(4)
    expected = minigrad.rand(2).tolist()
    minigrad.manual_seed(4)
    MLPClassifier(max_epochs=2, random_state=0, dropout=0.1).fit(FLOWERS, KINDS).predict(FLOWERS)
    assert minigrad.rand(2).tolist() == expected
    runs = []
    for _ in range(2):
        minigrad.manual_seed(9)
        runs.append(MLPClassifier(max_epochs=2).fit(FLOWERS, KINDS).loss_curve_)
    assert runs[0] == runs[1]


def test_weights_of_zero_leave_a_sample_out_and_weights_of_two_count_double():
    weights = numpy.arange(150) % 3
    parameters = {"hidden_layer_sizes": (5,), "optimizer": "SGD", "batch_size": 1000,
                  "max_epochs": 20, "random_state": 0}  # fmt: skip
    weighed = MLPRegressor(**parameters).fit(IRIS[:, :2], IRIS[:, 2], sample_weight=weights)
    repeated = MLPRegressor(**parameters).fit(
        IRIS[:, :2].repeat(weights, axis=0), IRIS[:, 2].repeat(weights)
    )
    # Equal up to the order of the sums of float64.
    numpy.testing.assert_allclose(
        weighed.predict(IRIS[:, :2]), repeated.predict(IRIS[:, :2]), rtol=1e-10
    )


def test_pipeline_grid_search_and_cross_validation():
    steps = make_pipeline(StandardScaler(), MLPClassifier((8,), random_state=0, max_epochs=30))
    grid = {"mlpclassifier__learning_rate": [1e-5, 0.05], "mlpclassifier__dropout": [0.0]}
    search = GridSearchCV(steps, grid, cv=3).fit(IRIS, KINDS)
    assert search.best_params_["mlpclassifier__learning_rate"] == 0.05
    assert search.best_score_ > 0.9
    assert cross_val_score(clone(search.best_estimator_), IRIS, KINDS, cv=3).mean() > 0.9


def test_a_table_gives_its_names_to_what_comes_in_and_out():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(IRIS, columns=["a", "b", "c", "d"])
    steps = make_pipeline(StandardScaler(), MLPClassifier(max_epochs=3, random_state=0))
    steps.set_output(transform="pandas").fit(table, KINDS)
    assert steps[-1].feature_names_in_.tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names should match"):
        steps.predict(table.rename(columns={"a": "z"}))


def test_numbers_for_an_embedding_stay_whole():
    words = numpy.arange(60).reshape(20, 3) % 7
    module = nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(12, 2))
    classifier = MLPClassifier(module=module, dtype="int64", learning_rate=0.1, random_state=0).fit(
        words, words[:, 0] % 2
    )
    assert classifier.score(words, words[:, 0] % 2) == 1.0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"activation": "rellu"}, "'activation' .* Did you mean 'relu'?"),
        ({"loss": "CrossEntropy"}, "'loss' .* Did you mean 'CrossEntropyLoss'?"),
        ({"loss": 3}, "'loss' .* Got 3"),
        ({"loss": "BCELoss"}, "BCELoss is for two classes, but y has 3"),
        ({"batch_size": 0}, "'batch_size' .* integer of at least 1. Got 0"),
        ({"dropout": 1.0}, r"'dropout' .* \[0, 1\). Got 1.0"),
        ({"hidden_layer_sizes": (5, 0)}, r"'hidden_layer_sizes' .* Got \(5, 0\)"),
        ({"module": 5}, "'module' .* Got 5"),
        ({"module": nn.ReLU()}, "'module' .* nothing to learn|params is empty"),
        ({"module": lambda: TwoLayers(outputs=4)}, r"gives \(150, 4\) .* needs \(150, 3\)"),
        ({"dtype": "flaot32"}, "'dtype' .* Got 'flaot32'"),
        ({"dtype": "int64"}, "'dtype' .* floating point"),
        ({"validation_fraction": 2}, r"'validation_fraction' .* \(0, 1\)"),
        ({"random_state": "a"}, "cannot be used to seed"),
    ],
    # The address of a function differs from process to process.
    ids=lambda value: str(value).partition(" at 0x")[0],
)
def test_a_parameter_out_of_range_is_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**parameters).fit(FLOWERS, KINDS)


def test_bad_data_is_refused_in_words():
    classifier = MLPClassifier(module=TwoLayers, max_epochs=1)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        classifier.fit(numpy.full((9, 4), numpy.nan), KINDS[:9])
    with pytest.raises(ValueError, match=r"too large for dtype\('float32'\)"):
        classifier.fit(IRIS * 1e300, KINDS)
    with pytest.raises(ValueError, match=r"not among the classes \[0, 1\]: 2"):
        clone(classifier).partial_fit(FLOWERS, KINDS, classes=[0, 1])
    with pytest.raises(ValueError, match=r"gives \(150, 3\) for a target of shape \(150, 1\)"):
        MLPRegressor(module=TwoLayers).fit(FLOWERS, SIZES)
    with pytest.raises(ValueError, match="early_stopping should be False"):
        MLPRegressor(early_stopping=True).partial_fit(SMALL, SIZES)
    with pytest.raises(ValueError, match="in the call before it had no columns"):
        MLPRegressor().partial_fit(SMALL, SIZES).partial_fit(SMALL, FLOWERS)
    with pytest.raises(ValueError, match=r"the loss is (inf|nan) after epoch"):
        MLPRegressor(optimizer="SGD", learning_rate=1e30).fit(SMALL, SIZES)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"max_iter": 5}, r"MLPClassifier\(\) has no parameter 'max_iter'. Write max_epochs=…"),
        ({"solver": "sgd"}, "Write optimizer='Adam' or optimizer='SGD'"),
        ({"alpha": 0.1}, "weight_decay"),
        ({"drop_out": 0.1}, "Did you mean 'dropout'"),
    ],
)
def test_scikit_learns_own_names_are_answered_by_ours(parameters, words):
    with pytest.raises(TypeError, match=words):
        MLPClassifier(**parameters)


def test_verbose_may_be_true(capsys):
    MLPClassifier((4,), max_epochs=2, verbose=True).fit(FLOWERS, KINDS)
    assert capsys.readouterr().out.count("Epoch") == 2


@pytest.mark.parametrize(
    ("last", "loss"),
    [
        (nn.Softmax(1), None),
        (nn.Sigmoid(), None),
        (nn.Softmax(1), nn.NLLLoss),
        (nn.Identity(), None),
        (nn.LogSoftmax(1), nn.NLLLoss),
    ],
)
def test_a_last_layer_that_the_loss_does_itself_is_refused(last, loss):
    module = nn.Sequential(nn.Linear(4, 3), last)
    classifier = MLPClassifier(module=module, loss=loss, max_epochs=1)
    if isinstance(last, (nn.Softmax, nn.Sigmoid)):
        with pytest.raises(ValueError, match=f"the module ends with {type(last).__name__}, but"):
            classifier.fit(FLOWERS, KINDS)
    else:
        assert (classifier.fit(FLOWERS, KINDS).predict_proba(FLOWERS) <= 1).all()


def test_a_loss_that_rises_is_told():
    with pytest.warns(ConvergenceWarning, match=r"cost rose .* learning_rate below 1e\+08"):
        MLPClassifier((8,), learning_rate=1e8, max_epochs=3, random_state=0).fit(FLOWERS, KINDS)
