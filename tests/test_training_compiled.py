"""Compiled steps of a Trainer and of Keras models: the numbers of eager ones, to the last bit."""

import numpy
import pytest

import minigrad
from minigrad import keras, nn, optim
from minigrad.training import Callback, LambdaCallback, Trainer
from minigrad.utils.data import DataLoader, TensorDataset

layers = keras.layers
minigrad.manual_seed(7)
X = minigrad.randn(70, 5)
Y = (X[:, :1] * X[:, 1:2] > 0).float()
LABELS = (X[:, 0] > 0).long()


@pytest.fixture(autouse=True)
def names_start_anew():
    """Other tests read the names of layers, which count up."""
    yield
    keras.utils.clear_session()


def data(target=Y, batch_size=16, weight=None):
    parts = (X, target) if weight is None else (X, target, weight)
    return DataLoader(TensorDataset(*parts), batch_size=batch_size, shuffle=True)


def network():
    return nn.Sequential(
        nn.Linear(5, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 1)
    )


def bits(model):
    return [value.numpy().tobytes() for value in model.state_dict().values()]


def fitted(kind=Trainer, target=Y, loss=None, weight=None, schedule=None, **options):
    """The histories and weights of a run with validation, and its Trainer."""
    minigrad.manual_seed(1)
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    trainer = kind(
        model,
        optimizer,
        loss or nn.BCEWithLogitsLoss(),
        scheduler=schedule and schedule(optimizer),
        **options,
    )
    history = trainer.fit(data(target, weight=weight), epochs=4, validation=data(target))
    return history.history, bits(model), trainer


def replays(trainer):
    """How often the steps of training and of evaluation were replayed, and recorded."""
    found = trainer._replayed
    return [(step._replays, step._recordings) for step in (found._train, found._test)]


class Penalised(Trainer):
    factor = 1e-2

    def compute_loss(self, output, target, weight):
        penalty = sum(p.square().sum() for p in self.model.parameters())
        return super().compute_loss(output, target, weight) + self.factor * penalty


CASES = {
    "plain": {},
    "clipped by norm": {"clip_norm": 0.1},
    "clipped by value": {"clip_value": 0.01},
    "weights": {"weight": minigrad.linspace(0, 2, 70)},
    "a schedule of steps": {
        "schedule": lambda o: optim.lr_scheduler.StepLR(o, 3, 0.7),
        "schedule_every": "step",
    },
    "a schedule of epochs": {"schedule": lambda o: optim.lr_scheduler.ExponentialLR(o, 0.5)},
    "a subclass": {"kind": Penalised},
    "a function as loss": {"loss": lambda output, target: (output - target).square().mean()},
    "metrics": {"metrics": [lambda output, target: (output - target).abs().mean()]},
}


@pytest.mark.parametrize("case", CASES)
def test_a_compiled_run_has_the_curves_and_weights_of_an_eager_one(case):
    history, weights, _ = fitted(**CASES[case])
    compiled_history, compiled_weights, trainer = fitted(compile=True, **CASES[case])
    assert compiled_history == history
    assert compiled_weights == weights
    # Twenty batches, the last of each epoch a smaller one: a kind of its own.
    assert replays(trainer) == [(18, 2), (18, 2)]


def test_accumulated_gradients_are_those_of_an_eager_run():
    # Five batches in groups of three: the epoch ends with a group of two, which steps eagerly.
    history, weights, _ = fitted(accumulate=3, clip_norm=0.5)
    compiled_history, compiled_weights, trainer = fitted(accumulate=3, clip_norm=0.5, compile=True)
    assert (compiled_history, compiled_weights) == (history, weights)
    assert replays(trainer)[0][0] >= 14


def test_settings_that_change_are_heeded():
    def changed(compile):
        def change(epoch, logs):
            trainer = callback.trainer
            trainer.clip_norm = 0.01 if epoch == 0 else None
            trainer.optimizer.param_groups[0]["lr"] /= 2
            if epoch == 1:
                trainer.loss = nn.MSELoss()

        callback = LambdaCallback(on_epoch_end=change)
        history, weights, _ = fitted(clip_norm=1.0, callbacks=[callback], compile=compile)
        return history, weights

    assert changed(True) == changed(False)


def test_a_field_of_a_subclass_that_changes_is_heeded():
    class Falling(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.trainer.factor = 0.1**epoch

    runs = [fitted(Penalised, callbacks=[Falling()], compile=c)[:2] for c in (True, False)]
    assert runs[0] == runs[1]


def test_callbacks_see_the_same_numbers_and_may_evaluate():
    def seen(compile):
        found = []

        class Look(Callback):
            def on_train_batch_end(self, batch, logs=None):
                found.append(dict(logs)["loss"])
                if batch == 2:
                    found.append(self.trainer.evaluate(data())["loss"])

        fitted(callbacks=[Look()], compile=compile)
        return found

    assert seen(True) == seen(False)


def test_a_model_that_looks_at_values_runs_eagerly_and_says_so_once():
    class Looking(nn.Module):
        def __init__(self):
            super().__init__()
            self.inside = nn.Linear(5, 1)

        def forward(self, x):
            return self.inside(x) * (2.0 if x.mean().item() > 0 else 1.0)

    def run(compile):
        minigrad.manual_seed(2)
        model = Looking()
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        trainer = Trainer(model, optimizer, nn.BCEWithLogitsLoss(), compile=compile)
        return trainer.fit(data(), epochs=3).history, bits(model), trainer

    history, weights, _ = run(False)
    with pytest.warns(UserWarning, match=r"train_step runs eagerly: .*item\(\)") as told:
        compiled_history, compiled_weights, trainer = run(True)
    assert len(told) == 1
    assert (compiled_history, compiled_weights) == (history, weights)
    assert replays(trainer)[0][0] == 0


def test_explain_tells_of_both_steps(capsys):
    _, _, trainer = fitted(compile=True)
    text = trainer.explain()
    assert "compiled train_step: 2 recordings, 18 replays" in text
    assert "compiled test_step" in text
    assert capsys.readouterr().out == text + "\n"


def test_a_step_that_fails_leaves_the_model_as_it_was():
    _, weights, trainer = fitted(target=LABELS, loss=Classes(), compile=True)
    with pytest.raises(IndexError):
        trainer.train_batch((X[:16], minigrad.full((16,), 9)))
    assert bits(trainer.model) == weights


class Classes(nn.CrossEntropyLoss):
    def forward(self, output, target):
        return super().forward(minigrad.cat([output, -output], 1), target)


# Keras.


def two_outputs():
    given = keras.Input((5,))
    first = layers.Dense(6, activation="tanh")(given)
    joined = layers.Concatenate()([first, layers.Dense(4)(first)])
    return keras.Model(given, [layers.Dense(1, name="u")(joined), layers.Dense(1, name="v")(first)])


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = layers.Dense(6, activation="gelu")
        self.drop = layers.Dropout(0.2)
        self.last = layers.Dense(1)

    def call(self, inputs, training=None):
        return self.last(self.drop(self.first(inputs), training=training))


def sequence(*parts):
    return lambda: keras.Sequential([*parts_of(parts)])


def parts_of(makers):
    return [make() for make in makers]


def dense(units, activation=None, **options):
    return lambda: layers.Dense(units, activation=activation, **options)


R = numpy.random.default_rng(0)
TABLE = R.normal(size=(60, 5)).astype("float32")
NUMBERS = R.normal(size=(60, 1)).astype("float32")
YES = R.integers(0, 2, 60).astype("float32")
KINDS = R.integers(0, 3, 60)
WORDS = R.integers(0, 20, (60, 6))
ONE_HOT = numpy.eye(3, dtype="float32")[KINDS]
GRID = R.normal(size=(60, 8, 8, 1)).astype("float32")

MODELS = {
    "classes": (
        sequence(dense(8, "relu"), dense(3, "softmax")), TABLE, KINDS,
        "sparse_categorical_crossentropy", ["accuracy"],
    ),
    "logits": (
        sequence(dense(8, "relu"), dense(3)), TABLE, KINDS,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"],
    ),
    "one-hot": (
        sequence(dense(8, "elu"), dense(3, "softmax")), TABLE, ONE_HOT,
        "categorical_crossentropy", ["accuracy"],
    ),
    "yes or no": (
        sequence(
            dense(8, "relu"), layers.BatchNormalization, lambda: layers.Dropout(0.3, seed=4),
            dense(1, "sigmoid"),
        ), TABLE, YES, "binary_crossentropy", ["accuracy"],
    ),
    "hinge": (sequence(dense(8, "tanh"), dense(1)), TABLE, YES, "hinge", None),
    "penalties and bounds": (
        sequence(
            dense(8, "relu", kernel_regularizer="l2", kernel_constraint="max_norm"),
            dense(1, kernel_constraint="non_neg"),
        ), TABLE, NUMBERS, "mse", ["mae"],
    ),
    "images": (
        sequence(
            lambda: layers.Conv2D(3, 3, activation="relu"), layers.MaxPooling2D, layers.Flatten,
            dense(3, "softmax"),
        ), GRID, KINDS, "sparse_categorical_crossentropy", ["accuracy"],
    ),
    "words": (
        sequence(lambda: layers.Embedding(20, 5), lambda: layers.LSTM(4), dense(1, "sigmoid")),
        WORDS, YES, "binary_crossentropy", ["accuracy"],
    ),
    "several outputs": (two_outputs, TABLE, [NUMBERS, -NUMBERS], "mse", None),
    "a subclass": (Own, TABLE, NUMBERS, "huber", ["mae"]),
}  # fmt: skip


def keras_fit(name, jit_compile, optimizer="adam", **options):
    make, x, y, loss, metrics = MODELS[name]
    keras.utils.set_random_seed(3)
    model = make()
    model.compile(optimizer, loss, metrics=metrics, jit_compile=jit_compile)
    history = model.fit(
        x, y, batch_size=16, epochs=3, verbose=0, validation_data=(x, y), **options
    ).history
    return history, [weight.tobytes() for weight in model.get_weights()], model


@pytest.mark.parametrize("name", MODELS)
def test_a_compiled_keras_model_trains_as_an_eager_one(name):
    history, weights, _ = keras_fit(name, False)
    compiled_history, compiled_weights, model = keras_fit(name, True)
    assert compiled_history == history
    assert compiled_weights == weights
    # Twelve batches: the first and, of each epoch, the smaller last are kinds of their own.
    assert replays(model._trainer) == [(10, 2), (10, 2)]


def test_a_second_fit_replays_what_the_first_recorded():
    _, _, model = keras_fit("classes", True)
    _, x, y, _, _ = MODELS["classes"]
    first = model.history
    for _ in range(2):
        model.fit(x, y, batch_size=16, verbose=0)
        model.evaluate(x, y, batch_size=16, verbose=0)
    assert model.history is not first
    assert model.history.history["loss"]
    assert replays(model._trainer) == [(18, 2), (18, 2)]


OPTIMIZERS = {
    "a schedule": lambda: keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5), momentum=0.9, clipnorm=0.3
    ),
    "decay of weights": lambda: keras.optimizers.RMSprop(
        0.01, weight_decay=0.1, global_clipnorm=1.0
    ),
    "decay inside": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1, clipvalue=0.2),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_of_keras_step_as_in_an_eager_run(name):
    runs = [keras_fit("yes or no", jit, OPTIMIZERS[name]()) for jit in (True, False)]
    assert runs[0][:2] == runs[1][:2]
    assert replays(runs[0][2]._trainer)[0][0] == 10
    assert runs[0][2].optimizer.iterations == 12


def test_a_decay_of_weights_follows_the_rate_of_a_schedule():
    # The rate is a number in each step's own arithmetic, so that every step is recorded anew.
    def optimizer():
        rate = keras.optimizers.schedules.ExponentialDecay(0.05, 1, 0.5)
        return keras.optimizers.SGD(rate, weight_decay=0.1)

    runs = [keras_fit("classes", jit, optimizer())[:2] for jit in (True, False)]
    assert runs[0] == runs[1]


def test_a_callback_that_sets_the_rate_is_heeded():
    def halved():
        return [keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)]

    runs = [keras_fit("classes", jit, callbacks=halved())[:2] for jit in (True, False)]
    assert runs[0] == runs[1]


def test_a_penalty_on_activities_runs_eagerly_and_says_why():
    def fit(jit_compile):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([layers.Dense(4, activity_regularizer="l2"), layers.Dense(1)])
        model.compile("adam", "mse", jit_compile=jit_compile)
        return model.fit(TABLE, NUMBERS, batch_size=16, epochs=2, verbose=0).history

    eager = fit(False)
    with pytest.warns(UserWarning, match="train_step runs eagerly: the function changes"):
        assert fit(True) == eager


def test_a_change_of_epsilon_is_heeded():
    def fit(jit_compile):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
        model.compile("sgd", "binary_crossentropy", jit_compile=jit_compile)
        found = [model.train_on_batch(TABLE, YES)]
        before = keras.config.epsilon()
        keras.config.set_epsilon(0.4)
        try:
            return [*found, model.train_on_batch(TABLE, YES)]
        finally:
            keras.config.set_epsilon(before)

    assert fit(True) == fit(False)


@pytest.mark.parametrize("given", ["auto", False, None])
def test_keras_models_run_eagerly_unless_told_otherwise(given):
    _, _, model = keras_fit("hinge", given)
    assert model._trainer._replayed is None


def test_jit_compile_has_no_other_values_and_gives_way_to_run_eagerly():
    model = keras.Sequential([layers.Dense(1)])
    with pytest.raises(minigrad.errors.ArgumentError, match="jit_compile must be True, False or"):
        model.compile("adam", "mse", jit_compile="always")
    with pytest.warns(UserWarning, match="run_eagerly=True forbids"):
        model.compile("adam", "mse", jit_compile=True, run_eagerly=True)
    model.fit(TABLE, NUMBERS, verbose=0)
    assert model._trainer._replayed is None
