"""Keras models in files: what comes back is what went in, and what is no model is refused."""

import json
import pickle

import numpy
import pytest

from minigrad import keras, load
from minigrad.errors import ArgumentError
from minigrad.io import CheckpointError
from minigrad.keras import layers
from minigrad.keras.models import saving

X = numpy.random.default_rng(0).random((24, 6), dtype="float32")
Y = numpy.arange(24) % 3


def sequence():
    model = keras.Sequential(
        [
            layers.Dense(5, activation="relu", kernel_regularizer="l2", input_shape=(6,)),
            layers.BatchNormalization(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.01, 2, 0.9)),
        "sparse_categorical_crossentropy",
        metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2, name="top")],
    )
    return model


def graph():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared = layers.Dense(4, activation=keras.activations.tanh)
    middle = layers.Concatenate()([shared(a), shared(b)])[:, 1:7] * 2.0 + 1.0
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(2)], name="inner")
    model = keras.Model({"a": a, "b": b}, [inner(middle), layers.Dense(1, name="one")(middle)])
    model.compile("sgd", ["mse", keras.losses.Huber(0.5)], loss_weights=[1.0, 2.0])
    return model


@keras.saving.register_keras_serializable(package="Tests")
class Doubled(layers.Layer):
    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")

    def call(self, inputs):
        return self.activation(inputs @ self.kernel * 2)


class Wrapped(keras.Model):
    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.inner = layers.Dense(units)

    def call(self, inputs):
        return self.inner(inputs)


def same(one, other, data):
    found, wanted = (model.predict(data, verbose=0) for model in (one, other))
    pairs = zip(found, wanted) if isinstance(found, list) else [(found, wanted)]
    return all(numpy.array_equal(a, b) for a, b in pairs)


def test_a_sequence_goes_on_training_as_if_it_had_never_been_saved(tmp_path):
    model = sequence()
    model.fit(X, Y, epochs=2, batch_size=8, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert same(model, again, X)
    assert [weight.path for weight in again.weights] == [weight.path for weight in model.weights]
    assert again.optimizer.iterations == 6
    assert again.optimizer.learning_rate == model.optimizer.learning_rate
    runs = [
        one.fit(X, Y, epochs=2, batch_size=8, shuffle=False, verbose=0).history
        for one in (model, again)
    ]
    assert runs[0] == runs[1]
    assert set(runs[0]) == {"loss", "accuracy", "top"}
    assert same(model, again, X)


def test_a_graph_with_shared_layers_operators_and_a_nested_model(tmp_path):
    model = graph()
    data = {"a": X[:, :3], "b": X[:, 3:]}
    model.save(str(tmp_path / "graph.keras"))
    again = keras.saving.load_model(str(tmp_path / "graph.keras"))
    assert same(model, again, data)
    assert again.input_names == ["a", "b"]
    assert again.output_names == model.output_names
    assert len(again.weights) == len(model.weights) == 6
    targets = [X[:, :2], X[:, :1]]
    assert model.evaluate(data, targets, verbose=0) == again.evaluate(data, targets, verbose=0)


def test_without_compile_and_before_it(tmp_path):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(2)])
    model.save(tmp_path / "plain.keras")
    assert not keras.models.load_model(tmp_path / "plain.keras").compiled
    sequence().save(tmp_path / "compiled.keras")
    assert not keras.models.load_model(tmp_path / "compiled.keras", compile=False).compiled
    assert keras.models.load_model(tmp_path / "compiled.keras").compiled


def test_layers_and_models_of_the_user(tmp_path):
    model = keras.Sequential([keras.Input((6,)), Doubled(3, activation="relu")])
    model.save(tmp_path / "registered.keras")
    again = keras.models.load_model(tmp_path / "registered.keras")
    assert same(model, again, X)
    assert again.layers[0].units == 3

    wrapped = Wrapped(units=2)
    wrapped(X)
    wrapped.save(tmp_path / "wrapped.keras")
    with pytest.raises(ArgumentError, match=r"'Wrapped' is not known; pass custom_objects=\{'Wr"):
        keras.models.load_model(tmp_path / "wrapped.keras")
    known = {"Wrapped": Wrapped}
    assert same(
        wrapped, keras.models.load_model(tmp_path / "wrapped.keras", custom_objects=known), X
    )
    with keras.utils.custom_object_scope(known):
        assert keras.models.load_model(tmp_path / "wrapped.keras").units == 2


def test_weights_alone(tmp_path):
    model, other = sequence(), sequence()
    path = tmp_path / "model.weights.keras"
    model.save_weights(path)
    assert not same(model, other, X)
    other.load_weights(path)
    assert same(model, other, X)
    model.save(tmp_path / "whole.keras")
    third = sequence()
    third.load_weights(tmp_path / "whole.keras")
    assert same(model, third, X)
    with pytest.raises(CheckpointError, match=r"use model.load_weights\(\)"):
        keras.models.load_model(path)
    with pytest.raises(ArgumentError, match=r"do not fit.*has 2 weights.*got 8"):
        keras.Sequential([keras.Input((6,)), layers.Dense(1)]).load_weights(path)


def test_configurations_and_clones():
    for model, data in ((sequence(), X), (graph(), {"a": X[:, :3], "b": X[:, 3:]})):
        for copy in (
            keras.models.model_from_json(model.to_json()),
            type(model).from_config(model.get_config()),
            keras.models.clone_model(model),
        ):
            assert type(copy) is type(model)
            assert not same(model, copy, data)
            copy.set_weights(model.get_weights())
            assert same(model, copy, data)
    json.dumps(graph().get_config())


def test_a_frozen_layer_stays_frozen(tmp_path):
    model = sequence()
    model.layers[0].trainable = False
    model.save(tmp_path / "frozen.keras")
    again = keras.models.load_model(tmp_path / "frozen.keras")
    assert [layer.trainable for layer in again.layers] == [False, True, True]
    assert len(again.trainable_weights) == len(model.trainable_weights) == 4


def test_without_h5py_the_file_is_safetensors(tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "is_installed", lambda module: False)
    sequence().save(tmp_path / "model.keras")
    content = load(tmp_path / "model.keras")
    assert content["kind"] == "minigrad.keras model"
    assert [entry["path"].split("/")[1] for entry in content["weights"]][:2] == ["kernel", "bias"]


def test_files_of_others_are_refused(tmp_path):
    pickled = tmp_path / "model.pickle"
    pickled.write_bytes(pickle.dumps({"kind": "minigrad.keras model"}))
    with pytest.raises(CheckpointError, match="pickle"):
        keras.models.load_model(pickled)
    with pytest.raises(FileNotFoundError, match="no such file"):
        keras.models.load_model(tmp_path / "missing.keras")
    with pytest.raises(ArgumentError, match=r"not written to HDF5 files.*'model.keras'"):
        sequence().save("model.h5")
    with pytest.raises(ArgumentError, match="no weights yet"):
        keras.Sequential([layers.Dense(1)]).save(tmp_path / "unbuilt.keras")


def test_an_existing_file_is_kept_when_asked(tmp_path):
    model = sequence()
    model.save(tmp_path / "model.keras")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        model.save(tmp_path / "model.keras", overwrite=False)


def test_a_loss_without_a_name_cannot_be_saved(tmp_path):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1)])
    model.compile("sgd", lambda y_true, y_pred: (y_true - y_pred).abs().mean(-1))
    with pytest.raises(ArgumentError, match="define it with def"):
        model.save(tmp_path / "model.keras")
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_of_the_callback_are_whole_models(tmp_path):
    model = sequence()
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.keras", monitor="loss", save_best_only=True
    )
    every = keras.callbacks.ModelCheckpoint(
        tmp_path / "{epoch:02d}.weights.keras", save_weights_only=True
    )
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[best, every])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["01.weights.keras", "02.weights.keras", "best.keras"]
    other = sequence()
    other.load_weights(tmp_path / "02.weights.keras")
    assert same(model, other, X)
    assert keras.models.load_model(tmp_path / "best.keras").compiled


def test_a_model_survives_a_pickle():
    model = sequence()
    model.fit(X, Y, verbose=0)
    assert same(model, pickle.loads(pickle.dumps(model)), X)
