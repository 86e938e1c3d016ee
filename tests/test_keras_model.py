"""Keras models: built, called, trained, measured and described as Keras does."""

import numpy
import pytest

import minigrad
from minigrad import keras, nn, optim
from minigrad.errors import ArgumentError
from minigrad.keras import layers
from minigrad.utils.data import DataLoader, TensorDataset
from tests.strict import strict_device

# Waves, so that the same numbers can be made in any library. The literals below are Keras 3.15's
# (torch backend) for the same program; float32 sums in another order explain the tolerance.
KERAS = {"rel": 2e-6, "abs": 2e-6}
X = numpy.sin(numpy.arange(60, dtype="float32")).reshape(20, 3)
Y = numpy.arange(20) * 7 % 3
RANDOM = numpy.random.default_rng(0)


def waves(shapes):
    return [
        0.5 * numpy.cos(numpy.arange(numpy.prod(shape), dtype="float32") + index).reshape(shape)
        for index, shape in enumerate(shapes)
    ]


def classifier():
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, activation="tanh", kernel_regularizer=keras.regularizers.L2(0.01)),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.set_weights(waves([(3, 4), (4,), (4, 3), (3,)]))
    return model


def two_headed():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    joined = layers.Concatenate()([layers.Dense(2, name="s")(a), b * 2.0])
    outputs = [
        layers.Dense(1, name="o1")(joined),
        layers.Dense(3, activation="softmax", name="o2")(joined),
    ]
    model = keras.Model([a, b], outputs)
    model.set_weights(waves([weight.shape for weight in model.weights]))
    return model


def check(history, expected):
    assert list(history) == list(expected)
    for name, values in expected.items():
        assert history[name] == pytest.approx(values, **KERAS), name


# Numbers of Keras.


def test_fit_with_a_split_momentum_and_a_penalty():
    model = classifier()
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        X, Y, epochs=3, batch_size=6, shuffle=False, validation_split=0.25, verbose=0
    )
    expected = {
        "accuracy": [0.333333, 0.333333, 0.4],
        "loss": [1.152134, 1.126747, 1.106953],
        "val_accuracy": [0.2, 0.2, 0.2],
        "val_loss": [1.173434, 1.130233, 1.10927],
    }
    check(history.history, expected)
    assert history.epoch == [0, 1, 2]
    assert history.params["epochs"] == 3
    assert history.params["steps"] == 3
    assert model.evaluate(X, Y, verbose=0) == pytest.approx([1.107793, 0.35], **KERAS)
    assert model.metrics_names == ["loss", "accuracy"]


def test_weights_of_classes_weigh_the_samples():
    model, other = classifier(), classifier()
    for one in (model, other):
        one.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    options = {"epochs": 2, "batch_size": 6, "shuffle": False, "verbose": 0}
    by_class = model.fit(X, Y, class_weight={0: 1.0, 1: 2.0, 2: 0.5}, **options)
    by_sample = other.fit(X, Y, sample_weight=numpy.array([1.0, 2.0, 0.5])[Y], **options)
    assert by_class.history == by_sample.history
    plain = classifier()
    plain.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    assert plain.fit(X, Y, **options).history != by_class.history


def test_several_inputs_and_outputs():
    model = two_headed()
    model.compile(
        "sgd",
        {"o1": "mse", "o2": "sparse_categorical_crossentropy"},
        loss_weights={"o1": 0.5, "o2": 2.0},
        metrics={"o1": ["mae"], "o2": ["accuracy"]},
    )
    history = model.fit(
        {"a": X, "b": X[:, :2]},
        {"o1": X[:, :1], "o2": Y},
        epochs=2,
        batch_size=8,
        shuffle=False,
        verbose=0,
    )
    expected = {
        "loss": [3.45421, 3.326942],
        "o1_loss": [1.662404, 1.442675],
        "o1_mae": [1.130422, 1.053948],
        "o2_accuracy": [0.3, 0.3],
        "o2_loss": [1.311504, 1.302802],
    }
    check(history.history, expected)
    measured = model.evaluate([X, X[:, :2]], [X[:, :1], Y], verbose=0)
    assert measured == pytest.approx([3.231251, 1.290747, 1.292939, 0.999226, 0.3], **KERAS)
    assert [layer.name for layer in model.layers] == ["a", "b", "s", "concatenate", "o1", "o2"]
    paths = ["s/kernel", "s/bias", "o1/kernel", "o1/bias", "o2/kernel", "o2/bias"]
    assert [weight.path for weight in model.weights] == paths
    first, second = model.predict([X, X[:, :2]], verbose=0)
    assert (first.shape, second.shape) == ((20, 1), (20, 3))
    assert second.sum(1) == pytest.approx(1.0, rel=1e-6)


def test_a_convolution_with_statistics():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(2, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    shapes = [(3, 3, 1, 2), (2,), (2,), (2,), (2,), (2,), (8, 1), (1,)]
    assert [weight.shape for weight in model.weights] == shapes
    values = waves(shapes)
    values[5] = abs(values[5]) + 1
    model.set_weights(values)
    images = numpy.sin(numpy.arange(8 * 36, dtype="float32")).reshape(8, 6, 6, 1)
    model.compile(keras.optimizers.SGD(0.01), "mse", metrics=["mae"])
    history = model.fit(
        images, numpy.arange(8), epochs=2, batch_size=4, shuffle=False, verbose=0,
        validation_data=(images, numpy.arange(8)),
    )  # fmt: skip
    expected = {
        "loss": [15.682421, 14.046466],
        "mae": [3.329704, 3.137065],
        "val_loss": [15.369204, 13.855751],
        "val_mae": [3.262784, 3.081161],
    }
    check(history.history, expected)
    sums = [-0.37776, 0.05471, -0.7921, -0.66743, -0.13207, 2.56156, 0.34157, 0.62843]
    assert [weight.sum() for weight in model.get_weights()] == pytest.approx(sums, abs=1e-5)


# The same network in PyTorch's style.


@pytest.mark.parametrize(
    ("keras_optimizer", "torch_optimizer"),
    [
        (lambda: "sgd", lambda p: optim.SGD(p, lr=0.01)),
        (lambda: keras.optimizers.Adam(0.01, epsilon=1e-8), lambda p: optim.Adam(p, lr=0.01)),
    ],
)
def test_the_weights_are_bit_for_bit_those_of_a_loop_by_hand(keras_optimizer, torch_optimizer):
    x = RANDOM.random((70, 3, 4), dtype="float32")
    y = RANDOM.integers(0, 5, 70)
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [layers.Flatten(), layers.Dense(16, activation="relu"), layers.Dense(5)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras_optimizer(), loss, metrics=["accuracy"])
    model.fit(x, y, epochs=2, verbose=0)

    minigrad.manual_seed(1)
    linears = []
    for sizes in ((12, 16), (16, 5)):
        linears.append(nn.Linear(*sizes))
        nn.init.xavier_uniform_(linears[-1].weight)
        nn.init.zeros_(linears[-1].bias)
    network = nn.Sequential(nn.Flatten(), linears[0], nn.ReLU(), linears[1])
    optimizer = torch_optimizer(network.parameters())
    data = TensorDataset(minigrad.from_numpy(x), minigrad.from_numpy(y))
    loader = DataLoader(data, batch_size=32, shuffle=True)
    for _ in range(2):
        for inputs, target in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(inputs), target).backward()
            optimizer.step()
    for one, other in zip(model.parameters(), network.parameters()):
        assert (one == other).all()


# Sequential.


def test_the_shape_may_come_from_anywhere():
    makers = [
        lambda: keras.Sequential([keras.Input((4,)), layers.Dense(3)]),
        lambda: keras.Sequential([layers.InputLayer((4,)), layers.Dense(3)]),
        lambda: keras.Sequential([layers.Dense(3, input_shape=(4,))]),
        lambda: keras.Sequential([layers.Dense(3, input_shape=[4])]),
        lambda: keras.Sequential([layers.Dense(3, input_dim=4)]),
    ]
    for make in makers:
        model = make()
        assert model.built
        assert model.count_params() == 15
        assert model.input_shape == (None, 4)
        assert model.output_shape == (None, 3)
        assert len(model.layers) == 1


def test_a_deferred_sequential_is_built_by_data_or_by_a_shape():
    for build in (
        lambda model: model(numpy.ones((2, 4))),
        lambda model: model.build((None, 4)),
        lambda model: model.predict(numpy.ones((2, 4)), verbose=0),
    ):
        model = keras.Sequential([layers.Dense(3), layers.Dense(2)])
        assert not model.built
        assert model.weights == []
        build(model)
        assert [weight.shape for weight in model.weights] == [(4, 3), (3,), (3, 2), (2,)]


def test_add_and_pop():
    model = keras.Sequential(name="grown")
    model.add(keras.Input((4,)))
    model.add(layers.Dense(3))
    model.add(layers.Dense(2, name="top"))
    assert model.output_shape == (None, 2)
    assert model.pop().name == "top"
    assert model.output_shape == (None, 3)
    model.add(layers.Dense(7))
    assert model(numpy.ones((5, 4))).shape == (5, 7)
    with pytest.raises(ArgumentError, match="an Input must come first"):
        model.add(keras.Input((4,)))


def test_names_count_up_and_start_anew():
    keras.backend.clear_session()
    assert [layers.Dense(1).name for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert layers.MaxPooling2D().name == "max_pooling2d"
    keras.utils.clear_session()
    assert layers.Dense(1).name == "dense"


def test_one_dimensional_data_for_one_feature():
    model = keras.Sequential([layers.Dense(1, input_shape=[1])])
    model.compile("sgd", "mean_squared_error")
    history = model.fit([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0], epochs=40, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert model.predict(numpy.array([10.0]), verbose=0).shape == (1, 1)


def test_integers_reach_an_embedding_and_pixels_become_floats():
    words = keras.Sequential([layers.Embedding(9, 4), layers.Flatten(), layers.Dense(1)])
    words.compile("adam", "mse")
    words.fit(RANDOM.integers(0, 9, (12, 5)), RANDOM.random(12), verbose=0)
    assert words.output_shape == (None, 1)
    pixels = RANDOM.integers(0, 256, (6, 4, 4), dtype="uint8")
    images = keras.Sequential([layers.Flatten(input_shape=(4, 4)), layers.Dense(1)])
    given = images.predict(pixels, verbose=0)
    assert numpy.array_equal(given, images.predict(pixels.astype("float32"), verbose=0))


# Graphs.


def test_a_layer_that_is_called_twice_shares_its_weights():
    shared = layers.Dense(3)
    a, b = keras.Input((2,)), keras.Input((2,))
    model = keras.Model([a, b], shared(a) - shared(b))
    assert len(model.weights) == 2
    x = RANDOM.random((5, 2), dtype="float32")
    assert numpy.array_equal(model.predict([x, x], verbose=0), numpy.zeros((5, 3)))


def test_operators_on_symbols_compute_on_data():
    a, b = keras.Input((3,)), keras.Input((3,))
    results = [a + b, a - b, a * b, a / b, 2 * a, 1 - a, 1 / b, -a, a**2, abs(a), a[:, :2]]
    model = keras.Model([a, b], results)
    x, y = (RANDOM.random((4, 3), dtype="float32") + 0.5 for _ in range(2))
    expected = [x + y, x - y, x * y, x / y, 2 * x, 1 - x, 1 / y, -x, x**2, abs(x), x[:, :2]]
    for found, wanted, symbol in zip(model.predict([x, y], verbose=0), expected, results):
        assert found == pytest.approx(wanted, rel=1e-6)
        assert symbol.shape == (None, *wanted.shape[1:])


def test_features_from_the_middle_of_a_model():
    model = classifier()
    middle = keras.Model(model.input, model.layers[0].output)
    expected = numpy.tanh(X @ model.get_weights()[0] + model.get_weights()[1])
    assert middle.predict(X, verbose=0) == pytest.approx(expected, abs=1e-6)
    assert middle.layers[-1] is model.layers[0]


def test_models_are_layers_of_models():
    inner = classifier()
    entry = keras.Input((3,))
    outer = keras.Model(entry, layers.Dense(1, name="head")(inner(entry)))
    assert len(outer.weights) == 6
    inner.trainable = False
    assert [weight.path for weight in outer.trainable_weights] == ["head/kernel", "head/bias"]
    before = inner.get_weights()
    outer.compile("sgd", "mse")
    outer.fit(X, X[:, 0], verbose=0)
    assert all(numpy.array_equal(a, b) for a, b in zip(before, inner.get_weights()))


def test_dictionaries_go_in_and_come_out():
    p, q = keras.Input((2,), name="p"), keras.Input((2,), name="q")
    model = keras.Model({"p": p, "q": q}, {"sum": p + q, "product": layers.Dense(1)(p * q)})
    data = {"q": X[:, 1:], "p": X[:, :2]}
    found = model.predict(data, verbose=0)
    assert found["sum"] == pytest.approx(X[:, :2] + X[:, 1:], abs=1e-6)
    model.compile("sgd", {"product": "mse"})
    history = model.fit(data, {"product": X[:, :1]}, verbose=0)
    assert list(history.history) == ["loss", "product_loss"]


# A user's own layers and models.


class Scale(layers.Layer):
    def __init__(self, start="ones", **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        self.factor = self.add_weight(
            shape=(input_shape[-1],), initializer=self.start, regularizer="l2", name="factor"
        )
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, inputs, training=None):
        self.calls.assign_add(1.0)
        return inputs * self.factor if training else inputs * self.factor * 10


def test_a_layer_of_the_user():
    layer = Scale()
    symbol = layer(keras.Input((3,)))
    assert symbol.shape == (None, 3)
    assert [weight.name for weight in layer.weights] == ["factor", "calls"]
    assert [weight.name for weight in layer.non_trainable_weights] == ["calls"]
    assert layer(X, training=True).numpy(force=True) == pytest.approx(X)
    assert layer(X).numpy(force=True) == pytest.approx(10 * X)
    assert not layer.training
    # 0.01 times the sum of three squares.
    assert [loss.item() for loss in layer.losses] == pytest.approx([0.03])
    assert list(layer.state_dict()) == ["factor", "calls"]
    copy = Scale.from_config({**layer.get_config(), "start": "zeros"})
    assert (copy.name, copy.start) == (layer.name, "zeros")


class Branches(keras.Model):
    def __init__(self, units=4):
        super().__init__()
        self.units = units
        self.hidden = [layers.Dense(units, activation="relu"), layers.Dropout(0.5)]
        self.last = layers.Dense(1)

    def call(self, inputs, training=None):
        for layer in self.hidden:
            inputs = layer(inputs)
        self.add_loss(0.1 * inputs.mean())
        return self.last(inputs)


def test_a_model_of_the_user():
    model = Branches()
    model.compile("adam", "mse", metrics=["mae"])
    history = model.fit(X, X[:, 0], epochs=2, verbose=0, validation_data=(X, X[:, 0]))
    assert list(history.history) == ["loss", "mae", "val_loss", "val_mae"]
    assert len(model.weights) == 4
    assert [layer.name for layer in model.layers] == [
        *(layer.name for layer in model.hidden), model.last.name,
    ]  # fmt: skip
    # Dropout is off outside of training.
    assert (model(X) == model(X)).all()
    assert not (model(X, training=True) == model(X, training=True)).all()
    plain = model.evaluate(X, model.predict(X, verbose=0), verbose=0)[0]
    assert plain == pytest.approx(model.losses[0].item(), rel=1e-5)
    assert len(model.losses) == 1


def test_freezing_a_layer():
    model = classifier()
    model.layers[0].trainable = False
    assert len(model.trainable_weights) == 2
    before = model.get_weights()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X, Y, verbose=0)
    after = model.get_weights()
    assert [numpy.array_equal(a, b) for a, b in zip(before, after)] == [True, True, False, False]


# The loop.


def test_generators_loaders_and_frames():
    class Frame:
        def __init__(self, values):
            self.values = values

        def to_numpy(self):
            return self.values

    def endless():
        while True:
            yield X[:5], Y[:5]

    class Indexed:
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return X[index * 5 : index * 5 + 5], Y[index * 5 : index * 5 + 5]

    expected = None
    loader = DataLoader(
        TensorDataset(minigrad.tensor(X), minigrad.tensor(Y)), batch_size=5, shuffle=False
    )
    sources = [(X, Y), (X.tolist(), Y.tolist()), (Frame(X), Frame(Y)), (loader,), (Indexed(),)]
    for source in sources:
        model = classifier()
        model.compile("sgd", "sparse_categorical_crossentropy")
        options = {"batch_size": 5} if len(source) == 2 else {}
        found = model.fit(*source, shuffle=False, epochs=2, verbose=0, **options).history
        expected = found if expected is None else expected
        assert found == expected
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model.fit(endless(), steps_per_epoch=3, epochs=2, verbose=0).params["steps"] == 3


def test_a_callback_may_stop_and_change_the_rate():
    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            seen.append((epoch, self.model.optimizer.learning_rate))
            self.model.optimizer.learning_rate = 0.5
            self.model.stop_training = epoch == 1

    seen = []
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X, Y, epochs=5, verbose=0, callbacks=Watch())
    assert seen == [(0, pytest.approx(0.01)), (1, 0.5)]
    assert model.history.epoch == [0, 1]


def test_one_batch():
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    loss, accuracy = model.test_on_batch(X, Y)
    assert model.train_on_batch(X, Y, return_dict=True) == {
        "loss": pytest.approx(loss),
        "accuracy": accuracy,
    }
    assert model.train_on_batch(X, Y)[0] < loss
    assert numpy.array_equal(model.predict_on_batch(X), model.predict(X, verbose=0))
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert isinstance(model.evaluate(X, Y, verbose=0), float)
    assert list(model.evaluate(X, Y, verbose=0, return_dict=True)) == ["loss"]


def test_constraints_hold_after_every_step():
    model = keras.Sequential([layers.Dense(4, kernel_constraint=keras.constraints.MaxNorm(0.5))])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.fit(X, 5 * numpy.ones((20, 4)), verbose=0)
    assert (numpy.linalg.norm(model.get_weights()[0], axis=0) <= 0.5 + 1e-6).all()


def test_custom_losses_and_metrics():
    def distance(y_true, y_pred):
        return (y_true - y_pred).abs().mean(-1)

    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", distance, metrics=[distance, keras.metrics.MeanSquaredError()])
    names = list(model.fit(X, X[:, :1], verbose=0).history)
    assert names == ["distance", "loss", "mean_squared_error"]
    by_loss, by_metric, _ = model.evaluate(X, X[:, :1], verbose=0)
    assert by_loss == pytest.approx(by_metric)


# Looks.


def test_the_summary_of_a_sequence():
    keras.backend.clear_session()
    model = keras.Sequential(
        [
            layers.Flatten(input_shape=(28, 28)),
            layers.Dense(128, activation="relu"),
            layers.BatchNormalization(),
        ]
    )
    texts = []
    model.summary(print_fn=texts.append)
    assert (
        texts[0]
        == """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ flatten (Flatten)               │ (None, 784)            │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ (None, 128)            │       100,480 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization             │ (None, 128)            │           512 │
│ (BatchNormalization)            │                        │               │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 100,992 (394.50 KB)
 Trainable params: 100,736 (393.50 KB)
 Non-trainable params: 256 (1.00 KB)"""
    )


def test_the_summary_of_a_graph_says_what_feeds_what():
    keras.backend.clear_session()
    texts = []
    two_headed().summary(print_fn=texts.append)
    lines = texts[0].splitlines()
    assert "│ concatenate         │ (None, 4)         │          0 │ s[0][0],          │" in lines
    assert "│ (Concatenate)       │                   │            │ multiply[0][0]    │" in lines
    assert "│ multiply            │ (None, 2)         │          0 │ b[0][0]           │" in lines


def test_the_summary_before_the_shape_is_known(capsys):
    keras.Sequential([layers.Dense(3, name="first")]).summary()
    shown = capsys.readouterr().out
    assert "first (Dense)" in shown
    assert "0 (unbuilt)" in shown


# Building by hand.


def test_build_makes_the_weights_once_whoever_calls_it():
    layer = layers.Dense(3)
    layer.build((None, 4))
    assert layer.built
    assert layer(numpy.ones((2, 4))).shape == (2, 3)
    assert len(layer.weights) == 2
    model = Branches()
    model.build((None, 3))
    assert len(model.weights) == 4
    own = Scale()
    own.build((None, 3))
    own(X)
    assert len(own.weights) == 2


def test_weights_made_on_the_way_to_a_shape_draw_new_numbers():
    minigrad.manual_seed(0)
    first, second = Branches(), Branches()
    first.build((None, 3))
    second.build((None, 3))
    assert not numpy.array_equal(first.get_weights()[0], second.get_weights()[0])


# Another device, where nothing moves by itself.


def test_a_model_on_another_device_learns_the_same():
    def run(place):
        keras.utils.set_random_seed(0)
        bound = keras.constraints.MaxNorm(1.0)
        hidden = layers.Dense(4, kernel_constraint=bound, kernel_regularizer="l2")
        model = keras.Sequential(
            [keras.Input((3,)), hidden, layers.Dropout(0.2), layers.Dense(3, activation="softmax")]
        )
        model.to(place)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        options = {"epochs": 2, "validation_split": 0.2, "class_weight": {0: 2.0}, "verbose": 0}
        return model.fit(X, Y, **options).history, model.predict(X, verbose=0)

    history, outputs = run("cpu")
    with strict_device() as away:
        other_history, other_outputs = run(away)
    assert history == other_history
    assert numpy.array_equal(outputs, other_outputs)
