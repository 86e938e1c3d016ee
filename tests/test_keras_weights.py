"""Weights in HDF5, in the layout that Keras 3 writes and reads."""

import numpy
import pytest

from minigrad import extras, keras
from minigrad.errors import ArgumentError
from minigrad.io import CheckpointError
from minigrad.keras import layers

h5py = pytest.importorskip("h5py")

GENERATOR = numpy.random.default_rng(0)
IMAGES = GENERATOR.random((6, 8, 8, 1), dtype="float32")
WORDS = GENERATOR.integers(0, 10, (6, 5))


def nested():
    inner = keras.Sequential([layers.Dense(3, activation="relu"), layers.Dense(2)], name="inner")
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x))
    x = layers.Add()([layers.Dense(4)(x), layers.Dense(4, kernel_regularizer="l2")(x)])
    return keras.Model(inputs, inner(layers.Dropout(0.1)(x)))


def recurrent():
    return keras.Sequential(
        [
            keras.Input((5,)),
            layers.Embedding(10, 4),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.GRU(3),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


class Written(keras.Model):
    def __init__(self):
        super().__init__()
        self.before = layers.Dense(2)
        self.zeroth = layers.Dense(3)
        self.many = [layers.Dense(4), layers.Dense(4)]
        self.attention = layers.MultiHeadAttention(2, 3)

    def call(self, x):
        x = self.before(x)
        for layer in self.many:
            x = layer(x)
        return self.zeroth(self.attention(x, x))


def output(model, data):
    return model(data).detach().numpy()


def shapes(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, one: found.update({name: one.shape} if hasattr(one, "shape") else {})
        )
    return found


# What h5py lists of files that Keras 3.15 wrote for the same models.
NESTED = {
    "layers/batch_normalization/vars/0": (4,),
    "layers/batch_normalization/vars/1": (4,),
    "layers/batch_normalization/vars/2": (4,),
    "layers/batch_normalization/vars/3": (4,),
    "layers/conv2d/vars/0": (3, 3, 1, 4),
    "layers/conv2d/vars/1": (4,),
    "layers/dense/vars/0": (4, 4),
    "layers/dense/vars/1": (4,),
    "layers/dense_1/vars/0": (4, 4),
    "layers/dense_1/vars/1": (4,),
    "layers/sequential/layers/dense/vars/0": (4, 3),
    "layers/sequential/layers/dense/vars/1": (3,),
    "layers/sequential/layers/dense_1/vars/0": (3, 2),
    "layers/sequential/layers/dense_1/vars/1": (2,),
}
RECURRENT = {
    "layers/bidirectional/backward_layer/cell/vars/0": (4, 12),
    "layers/bidirectional/backward_layer/cell/vars/1": (3, 12),
    "layers/bidirectional/backward_layer/cell/vars/2": (12,),
    "layers/bidirectional/forward_layer/cell/vars/0": (4, 12),
    "layers/bidirectional/forward_layer/cell/vars/1": (3, 12),
    "layers/bidirectional/forward_layer/cell/vars/2": (12,),
    "layers/dense/vars/0": (3, 1),
    "layers/dense/vars/1": (1,),
    "layers/embedding/vars/0": (10, 4),
    "layers/gru/cell/vars/0": (6, 9),
    "layers/gru/cell/vars/1": (3, 9),
    "layers/gru/cell/vars/2": (2, 9),
}
WRITTEN = {
    "attention/key_dense/vars/0": (4, 2, 3),
    "attention/key_dense/vars/1": (2, 3),
    "attention/output_dense/vars/0": (2, 3, 4),
    "attention/output_dense/vars/1": (4,),
    "attention/query_dense/vars/0": (4, 2, 3),
    "attention/query_dense/vars/1": (2, 3),
    "attention/value_dense/vars/0": (4, 2, 3),
    "attention/value_dense/vars/1": (2, 3),
    "before/vars/0": (3, 2),
    "before/vars/1": (2,),
    "layers/dense_1/vars/0": (4, 3),
    "layers/dense_1/vars/1": (3,),
    "layers/dense_2/vars/0": (2, 4),
    "layers/dense_2/vars/1": (4,),
    "layers/dense_3/vars/0": (4, 4),
    "layers/dense_3/vars/1": (4,),
}


@pytest.mark.parametrize(
    ("make", "data", "layout"),
    [
        (nested, IMAGES, NESTED),
        (recurrent, WORDS, RECURRENT),
        (Written, IMAGES[:, 0, :, :1] @ numpy.ones((1, 3), "float32"), WRITTEN),
    ],
)
def test_weights_lie_where_keras_looks_for_them(tmp_path, make, data, layout):
    model, other = make(), make()
    wanted, before = output(model, data), output(other, data)
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    assert shapes(path) == layout
    assert not numpy.array_equal(wanted, before)
    other.load_weights(path)
    assert numpy.array_equal(output(other, data), wanted)
    assert [one.name for one in tmp_path.iterdir()] == ["model.weights.h5"]


def test_a_gru_has_its_gates_in_keras_order(tmp_path):
    model = keras.Sequential([keras.Input((5, 2)), layers.GRU(1)])
    kernel = numpy.arange(6, dtype="float32").reshape(2, 3)
    model.set_weights([kernel, *model.get_weights()[1:]])
    model.save_weights(tmp_path / "model.weights.h5")
    with h5py.File(tmp_path / "model.weights.h5") as file:
        assert numpy.array_equal(file["layers/gru/cell/vars/0"][()], kernel)


def test_weights_that_do_not_fit_change_nothing(tmp_path):
    path = tmp_path / "model.weights.h5"
    nested().save_weights(path)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.Dense(3)])
    before = model.get_weights()
    with pytest.raises(ArgumentError, match=r"holds weights of layers/batch_norm.*nothing was cha"):
        model.load_weights(path)
    short = keras.Sequential([keras.Input((4,)), layers.Dense(4)])
    short.save_weights(path)
    with pytest.raises(ArgumentError, match=r"has 2 weights, and .* holds 0 for it under 'layers/"):
        model.load_weights(path)
    keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.Dense(5)]).save_weights(path)
    with pytest.raises(ArgumentError, match=r"has shape \(4, 3\), and .* holds one of .*\(4, 5\)"):
        model.load_weights(path)
    assert all(numpy.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_links_and_text_in_a_file_are_refused(tmp_path):
    path = tmp_path / "model.weights.h5"
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4)])
    for put, message in (
        (h5py.ExternalLink("other.h5", "/0"), "the link '0' to another place; refused"),
        (h5py.SoftLink("/layers/dense/vars/1"), "the link '0' to another place; refused"),
        (numpy.array([b"text"] * 4), "has dtype .*, and weights are numbers"),
    ):
        model.save_weights(path)
        with h5py.File(path, "a") as file:
            del file["layers/dense/vars/0"]
            file["layers/dense/vars/0"] = put
        with pytest.raises(CheckpointError, match=message):
            model.load_weights(path)


def test_damaged_files_and_a_missing_h5py_are_named(tmp_path, monkeypatch):
    path = tmp_path / "model.weights.h5"
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4)])
    model.save_weights(path)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(CheckpointError, match=r"model.weights.h5 is damaged or no HDF5 file"):
        model.load_weights(path)
    with pytest.raises(ArgumentError, match=r"ending .weights.h5, as in Keras.*'w.weights.h5'"):
        model.save_weights("w.h5")
    before = path.read_bytes()

    def none(module):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr(extras.importlib, "import_module", none)
    for call in (model.save_weights, model.load_weights):
        with pytest.raises(extras.MissingExtra, match=r'pip install "minigrad-engine\[keras\]"'):
            call(path)
    assert path.read_bytes() == before
