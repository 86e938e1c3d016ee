"""Well-known Keras programs, shortened: only the import differs from Keras's own.

Numbers said to be Keras's were printed by Keras 3.15 over torch for the same weights, which
`start_alike` sets, and the same order of the batches.
"""

import numpy
import pytest

from minigrad import keras
from minigrad.keras import layers, ops

# Keras adds epsilon at another place than torch in Adam, which changes the fifth digit.
CLOSE = {"rel": 2e-4, "abs": 2e-5}


@pytest.fixture(autouse=True)
def _names_from_the_start():
    """Layers are numbered anew in each test, and in the tests that come after."""
    keras.utils.clear_session()
    yield
    keras.utils.clear_session()


def start_alike(model, seed=0):
    """Weights that a seed draws: the same in any library."""
    rng = numpy.random.default_rng(seed)
    new = []
    for weight in model.get_weights():
        if weight.ndim >= 2:
            new.append(0.2 * rng.standard_normal(weight.shape))
        else:
            new.append(weight + 0.05 * numpy.abs(rng.standard_normal(weight.shape)))
    model.set_weights(new)


def draws(seed=0):
    return numpy.random.RandomState(seed)


def fitted(model, *data, **options):
    """The history of a fit without shuffling."""
    return model.fit(*data, shuffle=False, verbose=0, **options).history


def expect(history, wanted):
    assert list(history) == list(wanted)
    for name, numbers in wanted.items():
        assert history[name] == pytest.approx(numbers, **CLOSE), name


def test_a_ticket_classifier_of_three_inputs_and_two_outputs():
    title, body = keras.Input((None,), name="title"), keras.Input((None,), name="body")
    tags = keras.Input((12,), name="tags")
    first = layers.LSTM(16)(layers.Embedding(1000, 16)(title))
    second = layers.LSTM(8)(layers.Embedding(1000, 16)(body))
    x = layers.concatenate([first, second, tags])
    outputs = {
        "priority": layers.Dense(1, name="priority")(x),
        "department": layers.Dense(4, name="department")(x),
    }
    model = keras.Model([title, body, tags], outputs)
    # As Keras walks a dict: sorted by its keys.
    assert [layer.name for layer in model.layers][-2:] == ["department", "priority"]
    start_alike(model)
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss={
            "priority": keras.losses.BinaryCrossentropy(from_logits=True),
            "department": keras.losses.CategoricalCrossentropy(from_logits=True),
        },
        loss_weights={"priority": 1.0, "department": 0.2},
    )
    r = draws()
    data = {
        "title": r.randint(1000, size=(128, 10)),
        "body": r.randint(1000, size=(128, 20)),
        "tags": r.randint(2, size=(128, 12)).astype("float32"),
    }
    wanted = {
        "priority": r.random_sample(size=(128, 1)),
        "department": r.randint(2, size=(128, 4)),
    }
    history = fitted(model, data, wanted, epochs=2)
    expect(history, TICKETS)
    found = model.predict(data, verbose=0)
    assert {name: part.shape for name, part in found.items()} == {
        "priority": (128, 1),
        "department": (128, 4),
    }


TICKETS = {
    "department_loss": [2.9077, 2.8746],
    "loss": [1.2938, 1.2794],
    "priority_loss": [0.71224, 0.70449],
}


def contrastive(y_true, y_pred):
    close = y_true * ops.square(y_pred)
    return ops.mean(close + (1 - y_true) * ops.square(ops.maximum(1.0 - y_pred, 0)))


def distance(pair):
    squares = ops.sum(ops.square(pair[0] - pair[1]), axis=1, keepdims=True)
    return ops.sqrt(ops.maximum(squares, 1e-7))


def test_a_siamese_network_with_its_own_loss():
    r = draws()
    a = r.randn(64, 8).astype("float32")
    b = r.randn(64, 8).astype("float32")
    y = r.randint(0, 2, 64).astype("float32")
    base = keras.Sequential(
        [keras.Input((8,)), layers.Dense(6, activation="relu"), layers.Dense(4)], name="embedding"
    )
    left, right = keras.Input((8,), name="left"), keras.Input((8,), name="right")
    apart = layers.Lambda(distance, output_shape=(1,))([base(left), base(right)])
    model = keras.Model([left, right], layers.Dense(1, activation="sigmoid")(apart))
    assert len(model.weights) == 6
    start_alike(model)
    model.compile(loss=contrastive, optimizer="sgd", metrics=["accuracy"])
    # y is (64,) and the predictions (64, 1): pairing each with each would be another number.
    expect(fitted(model, [a, b], y, epochs=2, batch_size=16), SIAMESE)
    named = model.predict({"left": a, "right": b}, verbose=0)
    assert (named == model.predict([a, b], verbose=0)).all()


SIAMESE = {"accuracy": [0.54688, 0.54688], "loss": [0.25014, 0.25014]}


class Attend(layers.Layer):
    def __init__(self, width, heads, inner, **kwargs):
        super().__init__(**kwargs)
        self.attend = layers.MultiHeadAttention(num_heads=heads, key_dim=width)
        self.inner = keras.Sequential([layers.Dense(inner, activation="relu"), layers.Dense(width)])
        self.first = layers.LayerNormalization(epsilon=1e-6)
        self.second = layers.LayerNormalization(epsilon=1e-6)

    def call(self, inputs):
        x = self.first(inputs + self.attend(inputs, inputs))
        return self.second(x + self.inner(x))


class Embed(layers.Layer):
    def __init__(self, longest, words, width, **kwargs):
        super().__init__(**kwargs)
        self.words = layers.Embedding(words, width)
        self.places = layers.Embedding(longest, width)

    def call(self, x):
        return self.words(x) + self.places(ops.arange(start=0, stop=ops.shape(x)[-1], step=1))


def test_a_transformer_block_of_custom_layers():
    r = draws()
    x = r.randint(0, 30, (64, 10))
    y = (x[:, 0] > 15).astype("int32")
    inputs = layers.Input(shape=(10,))
    hidden = layers.GlobalAveragePooling1D()(Attend(8, 2, 16)(Embed(10, 30, 8)(inputs)))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(hidden))
    start_alike(model)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    expect(fitted(model, x, y, batch_size=16, epochs=2, validation_split=0.25), TRANSFORMER)


TRANSFORMER = {
    "accuracy": [0.41667, 0.41667],
    "loss": [0.69667, 0.6942],
    "val_accuracy": [0.5625, 0.5625],
    "val_loss": [0.68752, 0.68745],
}


def test_an_autoencoder_whose_halves_are_models():
    inputs = keras.Input((12,))
    code = layers.Dense(3, activation="relu")(inputs)
    whole = keras.Model(inputs, layers.Dense(12, activation="sigmoid")(code))
    encoder = keras.Model(inputs, code)
    given = keras.Input((3,))
    decoder = keras.Model(given, whole.layers[-1](given))
    start_alike(whole)
    whole.compile(optimizer="sgd", loss="binary_crossentropy")
    x = draws().rand(64, 12).astype("float32")
    history = fitted(whole, x, x, epochs=3)
    assert history["loss"][2] < history["loss"][0]
    by_halves = decoder.predict(encoder.predict(x, verbose=0), verbose=0)
    assert (by_halves == whole.predict(x, verbose=0)).all()


def test_frozen_layers_stay_and_a_thawed_one_learns():
    r = draws()
    x, y = r.rand(64, 6, 6, 3).astype("float32"), r.randint(0, 2, 64)
    base = keras.Sequential(
        [keras.Input((6, 6, 3)), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Flatten()]
    )
    base.trainable = False
    inputs = keras.Input((6, 6, 3))
    outputs = layers.Dense(1)(base(layers.Rescaling(2.0, -1.0)(inputs), training=False))
    model = keras.Model(inputs, outputs)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=[keras.metrics.BinaryAccuracy()])
    before = base.get_weights()
    assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (2, 6)
    fitted(model, x, y)
    assert [(a == b).all() for a, b in zip(before, base.get_weights())] == [True] * 6
    base.trainable = True
    base.layers[0].trainable = False
    model.compile(keras.optimizers.Adam(0.01), loss)
    fitted(model, x, y)
    kept = [bool((a == b).all()) for a, b in zip(before, base.get_weights())]
    # The kernel and bias are frozen, scale and shift learn, and training=False keeps the means.
    assert kept == [True, True, False, False, True, True]


def test_a_variational_encoder_with_its_own_draws_and_added_loss():
    class Sampling(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seed = keras.random.SeedGenerator(1337)

        def call(self, inputs):
            mean, log_var = inputs
            noise = keras.random.normal(ops.shape(mean), seed=self.seed)
            return mean + ops.exp(0.5 * log_var) * noise

    class Variational(keras.Model):
        def __init__(self, encoder, decoder, **kwargs):
            super().__init__(**kwargs)
            self.encoder, self.decoder = encoder, decoder

        def call(self, x):
            mean, log_var, code = self.encoder(x)
            self.add_loss(-0.5 * ops.mean(1 + log_var - ops.square(mean) - ops.exp(log_var)))
            return self.decoder(code)

    given = keras.Input((12,))
    mean, log_var = layers.Dense(2)(given), layers.Dense(2)(given)
    encoder = keras.Model(given, [mean, log_var, Sampling()([mean, log_var])])
    code = keras.Input((2,))
    decoder = keras.Model(code, layers.Dense(12, activation="sigmoid")(code))
    model = Variational(encoder, decoder)
    model.compile("adam", "binary_crossentropy")
    x = draws().rand(64, 12).astype("float32")
    history = fitted(model, x, x, epochs=4)
    assert history["loss"][3] < history["loss"][0]
    assert len(model.trainable_weights) == 6


def test_a_callback_in_keras_2s_manner_sees_every_batch_and_sets_the_rate():
    class Watch(keras.callbacks.Callback):
        def on_train_begin(self, logs={}):  # noqa: B006 - as the listings have it
            self.losses = []

        def on_batch_end(self, batch, logs={}):  # noqa: B006
            self.losses.append(logs.get("loss"))

        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.learning_rate.assign(0.5 / (epoch + 1))

    r = draws()
    x = r.randn(96, 5).astype("float32")
    y = (x.sum(1, keepdims=True) > 0).astype("float32")
    model = keras.Sequential([keras.Input((5,)), layers.Dense(1, activation="sigmoid")])
    start_alike(model)
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    watch = Watch()
    fitted(model, x, y, epochs=2, callbacks=[watch])
    # Keras's, of the first epoch.
    assert watch.losses[:3] == pytest.approx([0.2504, 0.2491, 0.2475], abs=1e-4)
    assert len(watch.losses) == 6
    assert float(model.optimizer.learning_rate) == 0.25


def test_callbacks_that_stop_save_log_and_slow_down(tmp_path, capsys):
    r = draws()
    x, y = r.randn(128, 5).astype("float32"), r.randint(0, 2, (128, 1))
    model = keras.Sequential(
        [keras.Input((5,)), layers.Dense(16, activation="tanh"), layers.Dense(1, "sigmoid")]
    )
    start_alike(model)
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])
    best, log = tmp_path / "best.keras", tmp_path / "log.csv"
    callbacks = [
        keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True, verbose=1),
        keras.callbacks.ModelCheckpoint(best, monitor="val_loss", save_best_only=True),
        keras.callbacks.CSVLogger(log),
        keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1, min_lr=0.01),
    ]
    history = fitted(model, x, y, epochs=12, validation_split=0.25, callbacks=callbacks)
    # Keras's.
    assert history["val_loss"] == pytest.approx(
        [0.71013, 0.70963, 0.71084, 0.71177, 0.71227], **CLOSE
    )
    assert history["learning_rate"] == [0.5, 0.5, 0.5, 0.25, 0.125]
    said = capsys.readouterr().out
    assert "Epoch 5: early stopping" in said
    assert "Restoring model weights from the end of the best epoch: 2." in said
    assert len(log.read_text().split()) == 6
    found = [
        one.evaluate(x[96:], y[96:], verbose=0) for one in (model, keras.models.load_model(best))
    ]
    assert found[0] == found[1] == pytest.approx([0.70963, 0.375], **CLOSE)


def test_functions_and_objects_of_ones_own_as_losses_and_metrics():
    class Regularized(keras.losses.Loss):
        def call(self, y_true, y_pred):
            error = ops.mean(ops.square(y_true - y_pred), axis=-1)
            return error + 0.1 * ops.mean(ops.square(0.5 - y_pred), axis=-1)

    class Positive(keras.metrics.Metric):
        def __init__(self, name="positive", **kwargs):
            super().__init__(name=name, **kwargs)
            self.hits = self.add_weight(name="hits", initializer="zeros")
            self.count = self.add_weight(name="count", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.hits.assign_add(ops.sum(ops.cast(y_pred > 0, "float32")))
            self.count.assign_add(ops.cast(ops.size(y_pred), "float32"))

        def result(self):
            return self.hits / self.count

    def rmse(y_true, y_pred):
        return ops.sqrt(ops.mean(ops.square(y_pred - y_true)))

    def squares(y_true, y_pred):
        return (y_true - y_pred) ** 2

    r = draws()
    x, y = r.randn(64, 5), r.randn(64, 1)
    cases = [
        (Regularized(), [], {"loss": [0.95646, 0.9521]}),
        (squares, [rmse], {"loss": [0.93061, 0.92441], "rmse": [0.96262, 0.95935]}),
        ("mse", [Positive()], {"loss": [0.93061, 0.92441], "positive": [0.51562, 0.5]}),
        (
            "mse",
            [lambda a, b: ops.mean(a - b)],
            {"lambda": [-0.23797, -0.22742], "loss": [0.93061, 0.92441]},
        ),
    ]
    for loss, metrics, wanted in cases:
        model = keras.Sequential(
            [keras.Input((5,)), layers.Dense(4, activation="tanh"), layers.Dense(1)]
        )
        start_alike(model)
        model.compile(optimizer="sgd", loss=loss, metrics=metrics)
        expect(fitted(model, x, y, epochs=2), wanted)


@pytest.mark.parametrize("shape", [(64,), (64, 1)])
def test_targets_in_one_dimension_are_paired_one_by_one(shape):
    def squares(y_true, y_pred):
        assert tuple(y_true.shape) == tuple(y_pred.shape)
        return ops.mean(ops.square(y_true - y_pred))

    class Squares(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return squares(y_true, y_pred)

    x, y = draws().randn(64, 5), draws(1).randn(64).reshape(shape)
    model = keras.Sequential([keras.Input((5,)), layers.Dense(1)])
    wanted = ((model.predict(x, verbose=0)[:, 0] - y.reshape(-1)) ** 2).mean()
    for loss in (squares, Squares()):
        model.compile("sgd", loss, metrics=[squares])
        found = model.evaluate(x, y, verbose=0)
        assert found == pytest.approx([wanted, wanted], rel=1e-5)


def test_batches_by_number_and_from_generators_train_alike():
    r = draws()
    x = r.randn(100, 4).astype("float32")
    y = x[:, :1] * 2 + 1

    class Rows(keras.utils.PyDataset):
        ended = 0

        def __len__(self):
            return 10

        def __getitem__(self, index):
            return x[index * 10 : (index + 1) * 10], y[index * 10 : (index + 1) * 10]

        def on_epoch_end(self):
            self.ended += 1

    def rows():
        index = 0
        while True:
            yield Rows()[index]
            index = (index + 1) % 10

    def model():
        made = keras.Sequential(
            [keras.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dense(1)]
        )
        start_alike(made)
        made.compile("sgd", "mse", metrics=["mae"])
        return made

    source = Rows()
    histories = [
        fitted(model(), x, y, batch_size=10, epochs=2),
        fitted(model(), source, epochs=2),
        fitted(model(), rows(), steps_per_epoch=10, epochs=2),
    ]
    assert histories[0] == histories[1] == histories[2]
    assert source.ended == 2
    assert keras.utils.Sequence is keras.utils.PyDataset
    # Keras's.
    expect(histories[0], {"loss": [5.6038, 5.1974], "mae": [1.8995, 1.8475]})


def test_a_table_normalized_by_what_was_seen():
    r = draws()
    x = numpy.c_[r.randn(200) * 30 + 1000, r.randn(200) * 0.01, r.randint(0, 9, 200)]
    y = x @ [0.01, 30.0, 0.5] + r.randn(200) * 0.1
    normalizer = layers.Normalization(axis=-1)
    normalizer.adapt(x)
    # Keras's.
    mean = [1002.13, -0.00128014, 3.985]
    assert numpy.asarray(normalizer.mean)[0] == pytest.approx(mean, rel=1e-4)
    assert numpy.asarray(normalizer.variance).shape == (1, 3)
    model = keras.Sequential([normalizer, layers.Dense(16, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mean_absolute_error")
    model.build((None, 3))
    model.set_weights(model.get_weights())  # the count of samples among them has no dimension
    history = fitted(model, x, y, epochs=10, validation_split=0.2)
    assert history["val_loss"][-1] < 0.2 * history["val_loss"][0]
    column = layers.Normalization(axis=None)
    column.adapt(x[:, 0])
    assert column(x[:3, 0]).shape == (3,)


def test_models_of_one_own_class_with_two_outputs():
    class WideAndDeep(keras.Model):
        def __init__(self, units=6, **kwargs):
            super().__init__(**kwargs)
            self.deep = [layers.Dense(units, activation="relu") for _ in range(2)]
            self.main, self.aside = layers.Dense(1), layers.Dense(1)

        def call(self, inputs):
            wide, deep = inputs
            for layer in self.deep:
                deep = layer(deep)
            return self.main(layers.concatenate([wide, deep])), self.aside(deep)

    x = draws().randn(60, 4).astype("float32")
    y = numpy.arange(60) % 3
    model = WideAndDeep()
    model.compile("sgd", ["mse", "mse"], loss_weights=[0.9, 0.1], metrics=[["mae"], ["mse"]])
    history = fitted(model, [x[:, :2], x], (y, y))
    assert list(history) == [
        "loss", "output_1_loss", "output_1_mae", "output_2_loss", "output_2_mse",
    ]  # fmt: skip
    assert history["output_2_mse"] == pytest.approx(history["output_2_loss"])
    assert [part.shape for part in model.predict([x[:, :2], x], verbose=0)] == [(60, 1), (60, 1)]


def test_what_evaluate_and_the_summary_say():
    r = draws()
    x, y, weight = r.randn(100, 5).astype("float32"), r.randint(0, 3, 100), r.rand(100)
    model = keras.Sequential([keras.Input((5,)), layers.Dense(3, activation="softmax")])
    start_alike(model)
    both = {"metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}
    model.compile("adam", "sparse_categorical_crossentropy", **both)
    found = model.evaluate(x, y, sample_weight=weight, verbose=0, return_dict=True)
    assert list(found) == ["accuracy", "loss", "weighted_accuracy"]
    # Keras's.
    assert list(found.values()) == pytest.approx([0.34, 0.53608, 0.34008], **CLOSE)
    assert model.get_metrics_result() == found
    fitted(model, x, y)
    said = []
    model.summary(print_fn=said.append)
    # Two for each of 18 weights, the rate, and the number of steps, as Keras counts.
    assert " Optimizer params: 38 (152.00 B)" in said[0].split("\n")
    assert "Trainable" in model_lines(model, show_trainable=True)[2]


def model_lines(model, **options):
    said = []
    model.summary(print_fn=said.append, **options)
    return said[0].split("\n")


MISTAKES = [
    (lambda m, x, y: m.compile("adam", "mse", ["accuracy"]), r"write metrics=\['accuracy'\]"),
    (lambda m, x, y: m.fit(x, y, epochs="5"), "epochs must be an integer, got '5'"),
    (lambda m, x, y: m.fit(x, y, validation_data=x), r"y is missing.*\(x, y\)"),
    (
        lambda m, x, y: layers.LSTM(3)(layers.LSTM(3)(keras.Input((28, 1)))),
        "return_sequences=True",
    ),
    (lambda m, x, y: layers.Dence(3), "keras.layers has no 'Dence'; did you mean 'Dense'"),
    (lambda m, x, y: keras.layer, "did you mean .*'layers'"),
    (lambda m, x, y: Stepping().compile("sgd", "mse"), r"its own train_step\(\), which fit\(\)"),
    (lambda m, x, y: frozen(m).train_on_batch(x, y), r"train_on_batch\(\): .* no trainable weig"),
    (lambda m, x, y: keras.utils.PyDataset()[0], "has no __getitem__"),
    (
        lambda m, x, y: m.fit(x, y, callbacks=[keras.callbacks.ModelCheckpoint("best.h5")]),
        r"ModelCheckpoint\(\): whole models are not written to HDF5 files; use the ending .keras",
    ),
]


class Stepping(keras.Model):
    def train_step(self, data):
        return {}


def frozen(model):
    model.trainable = False
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(("mistake", "message"), MISTAKES)
def test_a_mistake_is_answered(mistake, message):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises((ValueError, TypeError, AttributeError), match=f"(?s){message}"):
        mistake(model, numpy.ones((8, 4), "float32"), numpy.ones((8, 1), "float32"))
