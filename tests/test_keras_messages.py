"""What minigrad.keras says to the mistakes that people make: each message, by its words."""

import re
import warnings

import numpy
import pytest

from minigrad import keras, nn, optim, tensor
from minigrad.errors import ArgumentError
from minigrad.keras import layers

RANDOM = numpy.random.default_rng(0)
X = RANDOM.random((40, 8), dtype="float32")
CLASSES = numpy.arange(40) % 3
ONE_HOT = numpy.eye(3)[CLASSES]
NUMBERS = RANDOM.random((40, 1))


def model(loss="sparse_categorical_crossentropy", activation="softmax", units=3, **compiled):
    made = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            layers.Dense(4, activation="relu", name="hidden"),
            layers.Dense(units, activation=activation, name="last"),
        ],
        name="net",
    )
    if loss is not None:
        made.compile(**{"optimizer": "sgd", "loss": loss, **compiled})
    return made


def says(*words):
    """An ArgumentError that holds these words in this order."""
    return pytest.raises(ArgumentError, match="(?s)" + ".*".join(map(re.escape, words)))


def fit(made, *data, **options):
    return made.fit(*data, **{"verbose": 0, **options})


# Before there is anything to train.


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_a_model_that_is_not_compiled(method):
    with says(f"{method}()", "'net' is not compiled", "model.compile(optimizer='adam'"):
        getattr(model(loss=None), method)(X, CLASSES)


def test_a_model_without_a_loss():
    with says("nothing to minimize", "compile(optimizer='adam', loss='mse')"):
        fit(compiled_without_loss(), X, CLASSES)


def compiled_without_loss():
    made = model(loss=None)
    made.compile(optimizer="sgd")
    return made


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"optimizer": "adm"}, ["unknown optimizer 'adm'", "'adam'"]),
        ({"loss": "mean_square_error"}, ["unknown loss", "'mean_squared_error'"]),
        ({"metrics": ["acuracy"]}, ["unknown metric 'acuracy'", "'accuracy'"]),
    ],
)
def test_unknown_names_come_with_the_nearest(arguments, words):
    with says(*words):
        model(loss=None).compile(**arguments)


def test_an_unknown_activation_comes_with_the_nearest():
    with says("unknown activation 'sofmax'", "'softmax'"):
        layers.Dense(3, activation="sofmax")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"optimizer": keras.optimizers.Adam}, "optimizer is the class Adam; make an instance"),
        ({"loss": keras.losses.MeanSquaredError}, "MeanSquaredError; make an instance"),
        ({"metrics": [keras.metrics.Precision]}, "the class Precision; make an instance"),
        ({"loss": nn.MSELoss()}, "minigrad.nn.MSELoss, which takes (output, target)"),
        (
            {"optimizer": optim.SGD([tensor([1.0], requires_grad=True)], lr=0.5)},
            "keras.optimizers.SGD(learning_rate=0.5)",
        ),
    ],
)
def test_classes_and_strangers_in_compile(arguments, words):
    with says(words):
        model(loss=None).compile(**arguments)


def test_classes_where_instances_belong():
    with says("got the class Dense; make a layer of it: Dense(...)"):
        keras.Sequential([layers.Dense])
    with pytest.raises(TypeError, match=r"EarlyStopping; make an instance: EarlyStopping\(\)"):
        fit(model(), X, CLASSES, callbacks=[keras.callbacks.EarlyStopping])
    with says("is called on tensors, arrays", "Dense"):
        layers.Dense(2)(layers.Dense)


# Losses and the ends of models.


def test_softmax_with_a_loss_of_logits_warns():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with pytest.warns(UserWarning, match="from_logits=True.*ends with softmax.*drop the softmax"):
        model(loss=loss)
    with pytest.warns(UserWarning, match="ends with sigmoid"):
        model(keras.losses.BinaryCrossentropy(from_logits=True), "sigmoid", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(loss=loss, activation=None)


@pytest.mark.parametrize(
    ("loss", "units", "words"),
    [
        ("sparse_categorical_crossentropy", 3, ["activation='softmax'", "from_logits=True"]),
        ("categorical_crossentropy", 3, ["losses.CategoricalCrossentropy(from_logits=True)"]),
        ("binary_crossentropy", 1, ["activation='sigmoid'", "BinaryCrossentropy(from_logits"]),
    ],
)
def test_any_numbers_with_a_loss_of_probabilities(loss, units, words):
    with says("takes probabilities", "activation linear", *words):
        model(loss, None, units)


def test_the_activation_may_be_a_layer_or_in_a_nested_model():
    ends = keras.Sequential([layers.Dense(3), layers.Activation("softmax")])
    ends.compile("sgd", "categorical_crossentropy")
    nested = keras.Sequential([keras.Input((8,)), model(loss=None, activation=None)])
    with says("activation linear"):
        nested.compile("sgd", "categorical_crossentropy")


def test_a_softmax_over_one_output():
    with says("a softmax over one output, which is always 1", "sigmoid"):
        model("binary_crossentropy", "softmax", 1)


# Targets.


def test_one_hot_labels_with_a_sparse_loss():
    with says("looks one-hot", "loss='categorical_crossentropy', or y.argmax(-1)"):
        fit(model(), X, ONE_HOT)


def test_class_numbers_with_a_loss_of_one_hot_rows():
    with says(
        "(40,) holds class numbers", "sparse_categorical_crossentropy", "to_categorical(y, 3)"
    ):
        fit(model("categorical_crossentropy"), X, CLASSES)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (CLASSES + 1, ["largest label in y is 3", "3 outputs", "subtract 1 from the labels"]),
        (CLASSES * 5, ["largest label in y is 10", "3 outputs", "11 units"]),
        (CLASSES - 1, ["smallest label in y is -1", "from 0 to 2"]),
    ],
)
def test_labels_out_of_range_are_found_before_the_training(labels, words):
    made = model()
    before = made.get_weights()
    with says("fit()", *words):
        fit(made, X, labels)
    assert all(numpy.array_equal(a, b) for a, b in zip(before, made.get_weights()))


def test_targets_of_a_binary_loss_out_of_range():
    made = model("binary_crossentropy", "sigmoid", 1)
    with says("from -1 to 1", "targets from 0 to 1", "(y + 1) / 2"):
        fit(made, X, numpy.where(CLASSES > 0, 1, -1))
    with says("from 0 to 2", "'sparse_categorical_crossentropy'"):
        fit(made, X, CLASSES)


def test_targets_of_another_shape_than_the_outputs():
    with says("mean_squared_error", "[32]", "[32, 10]", "must have the same shape"):
        fit(model("mse", "linear", 10), X, NUMBERS[:, 0])
    flat = fit(model("mse", "linear", 1), X, NUMBERS[:, 0])
    assert flat.history["loss"][0] > 0


# Data.


def test_the_wrong_shape_names_the_layer_and_the_reshape():
    with says("x has shape (40, 2, 4)", "layer 'hidden'", "(None, 8)", "x.reshape(-1, 8)"):
        fit(model(), X.reshape(40, 2, 4), CLASSES)
    images = keras.Sequential([layers.Flatten(input_shape=(2, 4), name="flat"), layers.Dense(1)])
    images.compile("sgd", "mse")
    with says("x has shape (40, 8)", "layer 'flat'", "x.reshape(-1, 2, 4)"):
        fit(images, X, NUMBERS)
    with says("predict()", "(8,)", "single sample", "x[None]"):
        model().predict(X[0], verbose=0)


def test_the_wrong_shape_at_a_layer_of_a_built_model():
    with says("layer 'hidden' (Dense) expects the length 8 in axis -1", "(3, 9)"):
        model()(numpy.ones((3, 9), "float32"))


def test_lengths_that_differ():
    with says("equally many samples", "x has 40, y has 30"):
        fit(model(), X, CLASSES[:30])


def test_no_data():
    with says("the data are empty: x has no samples"):
        fit(model(), X[:0], CLASSES[:0])
    with says("x is None"):
        fit(model())
    with says("y is missing", "(x, y)"):
        fit(model(), X)


def test_numbers_that_are_none():
    broken = X.copy()
    broken[3, 2] = numpy.nan
    broken[7, 1] = numpy.inf
    with says("x holds 2 values (of 320)", "the first at index (3, 2): nan", "nan_to_num"):
        fit(model(), broken, CLASSES)
    with says("y holds 1 value (of 40)", "index (5, 0): inf"):
        targets = NUMBERS.copy()
        targets[5] = numpy.inf
        fit(model("mse", "linear", 1), X, targets)


def test_numbers_so_large_that_their_squares_overflow_are_numbers():
    made = model("mse", "linear", 1)
    made.evaluate(X * 1e30, NUMBERS, verbose=0)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (X.astype(str), ["x holds text", "astype('float32')"]),
        (numpy.array([["a"] * 8] * 40, dtype=object), ["array of objects, such as 'a'"]),
        ([[1.0, 2.0], [3.0]], ["cannot be made into an array", "pad the shorter"]),
    ],
)
def test_data_that_are_no_numbers(data, words):
    with says(*words):
        fit(model(), data, CLASSES)


@pytest.mark.parametrize(
    ("fraction", "words"),
    [
        (1.0, ["must lie between 0 and 1, got 1.0"]),
        (-0.5, ["must lie between 0 and 1"]),
        (0.99, ["validation_split=0.99 of 40 samples leaves none for training"]),
    ],
)
def test_a_validation_split_that_leaves_nothing(fraction, words):
    with says(*words):
        fit(model(), X, CLASSES, validation_split=fraction)


def test_a_generator_that_is_used_up():
    batches = ((X[at : at + 8], CLASSES[at : at + 8]) for at in range(0, 40, 8))
    with says("the generator is used up"):
        fit(model(), batches, epochs=2)


def test_other_arguments_of_fit():
    with says("class_weight must be a dict", "got list"):
        fit(model(), X, CLASSES, class_weight=[1, 2, 3])
    with says("batch_size must be a positive integer, got 0"):
        fit(model(), X, CLASSES, batch_size=0)
    with says("leave y and sample_weight out"):
        fit(model(), iter([(X, CLASSES)]), CLASSES)


# Models and layers.


def test_weights_that_do_not_fit_change_nothing():
    made = model()
    before = made.get_weights()
    with says("'net' has 4 weights", "got 1"):
        made.set_weights([1])
    given = made.get_weights()
    given[0], given[2] = given[0] + 1, given[2].T
    with says("'last/kernel'", "(4, 3)", "(3, 4)", "nothing was changed"):
        made.set_weights(given)
    assert all(numpy.array_equal(a, b) for a, b in zip(before, made.get_weights()))


def test_layers_that_are_not_there():
    with says("no layer named 'hiden'", "'hidden'"):
        model().get_layer("hiden")
    with says("index 7 is out of range", "2 layers"):
        model().get_layer(index=7)
    with says("has a layer named 'hidden' already"):
        model(loss=None).add(layers.Dense(1, name="hidden"))


def test_graphs_that_do_not_connect():
    with says("depends on 'other'", "not among the inputs ['one']"):
        keras.Model(keras.Input((2,), name="one"), layers.Dense(1)(keras.Input((2,), name="other")))
    with says("inputs must be what keras.Input(...) gives", "got a Dense"):
        keras.Model(layers.Dense(1), layers.Dense(2))


def test_a_symbolic_tensor_is_no_array():
    symbol = keras.Input((2,), name="x")
    with pytest.raises(TypeError, match=r"'x' is a KerasTensor.*Lambda"):
        numpy.asarray(symbol)
    with pytest.raises(TypeError, match="if and while"):
        bool(symbol)
    with says("matmul(shape (None, 2), shape (None, 2))"):
        symbol @ symbol


def test_a_subclass_without_call_or_super():
    class Silent(layers.Layer):
        pass

    class Forgetful(layers.Layer):
        def __init__(self):
            self.units = 3

        def call(self, inputs):
            return inputs

    with says("Silent has no call(); write `def call(self, inputs)"):
        Silent()(X)
    with says("super().__init__() was not called", "Forgetful.__init__()"):
        Forgetful()(X)


def test_arguments_that_a_layer_does_not_have():
    with pytest.raises(TypeError, match=r"Dense\(\): unexpected argument 'unit_count'"):
        layers.Dense(3, unit_count=4)


def test_several_inputs_and_outputs_by_name():
    one, two = keras.Input((2,), name="one"), keras.Input((2,), name="two")
    made = keras.Model([one, two], [layers.Dense(1, name="a")(one), layers.Dense(1, name="b")(two)])
    made.compile("sgd", {"a": "mse", "b": "mse"})
    with says("inputs are named ['one', 'two']", "['two'] is not in the given dict"):
        fit(made, {"one": X[:, :2], "tow": X[:, :2]}, [NUMBERS, NUMBERS])
    with says("2 inputs ['one', 'two'], got 1"):
        fit(made, X, [NUMBERS, NUMBERS])
    with says("2 outputs ['a', 'b'], got one array"):
        fit(made, [X[:, :2], X[:, :2]], NUMBERS)
    with says("unknown output 'c'"):
        made.compile("sgd", {"c": "mse"})
    with says("say which metrics are whose"):
        made.compile("sgd", "mse", metrics=["mae"])
