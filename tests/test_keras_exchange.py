"""Files of Keras 3 itself: weights in HDF5 and .keras archives, in the layout that Keras reads."""

import io
import json
import re
import zipfile

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


# A file of Keras 3.15, its configuration shortened by what is the default.

POLICY = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}


def described(kind, module="keras.layers", **config):
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def tensor(name):
    history = {"shape": [None, 4], "dtype": "float32", "keras_history": [name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": history}


def called(config, *args):
    nodes = [{"args": list(args), "kwargs": {"training": False, "mask": None}}]
    return {**config, "name": config["config"]["name"], "inbound_nodes": nodes if args else []}


DENSE = described(
    "Dense",
    name="first",
    trainable=True,
    dtype=POLICY,
    units=2,
    activation="relu",
    kernel_initializer=described(
        "GlorotUniform", "keras.initializers", seed=None, input_axes=None, output_axes=None
    ),
    kernel_regularizer=described("L2", "keras.regularizers", l2=0.5),
    quantization_config=None,
)
ADAM = described(
    "Adam",
    "keras.src.backend.torch.optimizers.torch_adam",
    name="adam",
    learning_rate=0.5,
    beta_1=0.5,
    use_ema=False,
    ema_momentum=0.99,
    gradient_accumulation_steps=None,
)
START = {"batch_shape": [None, 3], "dtype": "float32", "sparse": False, "optional": False}
CONFIG = {
    "module": "keras.src.models.functional",
    "class_name": "Functional",
    "config": {
        "name": "net",
        "trainable": True,
        "layers": [
            called(described("InputLayer", name="x", **START)),
            called(DENSE, tensor("x")),
            called(
                {**described("GetItem", "keras.src.ops.numpy", name="part")},
                tensor("first"),
                [
                    {
                        "class_name": "__slice__",
                        "config": {"start": None, "stop": None, "step": None},
                    },
                    {"class_name": "__slice__", "config": {"start": 1, "stop": 2, "step": None}},
                ],
            ),
            called(
                described("Concatenate", name="both", dtype=POLICY, axis=-1),
                [tensor("first"), tensor("part")],
            ),
        ],
        "input_layers": ["x", 0, 0],
        "output_layers": ["both", 0, 0],
    },
    "registered_name": "Functional",
    "build_config": {"input_shape": None},
    "compile_config": {"optimizer": ADAM, "loss": "mse", "metrics": ["mae"], "jit_compile": False},
}
KERNEL = numpy.arange(6, dtype="float32").reshape(3, 2)


def archive(path, config=CONFIG, weights=True, arrays=None):
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file["layers/dense/vars/0"] = KERNEL
        file["layers/dense/vars/1"] = numpy.float32([1, -2])
        file.create_group("layers/dense/seed_generator/vars")["0"] = numpy.uint32([1, 2])
        states = [numpy.int32(3), numpy.float32(0.5), KERNEL, KERNEL + 1]
        states += [numpy.float32([1, 2]), numpy.float32([3, 4])]
        for number, values in enumerate(states):
            file[f"optimizer/vars/{number}"] = values
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        file.writestr("config.json", json.dumps(config))
        if weights:
            file.writestr("model.weights.h5", content.getvalue())
    return path


def test_an_archive_of_keras_is_a_model(tmp_path):
    model = keras.models.load_model(archive(tmp_path / "net.keras"))
    assert [layer.name for layer in model.layers] == ["x", "first", "both"]
    rows = numpy.float32([[1, 0, 0], [0, 1, 1]])
    assert output(model, rows).tolist() == [[1, 0, 0], [7, 6, 6]]
    assert model.layers[1].kernel.regularizer.get_config() == {"l2": 0.5}
    optimizer = model.optimizer
    assert (optimizer.beta_1, optimizer.iterations, optimizer.learning_rate) == (0.5, 3, 0.5)
    state = optimizer.inner.state[model.layers[1].kernel.tensor]
    assert state["step"] == 3
    # Keras's kernels are (in, out), those of nn.Linear [out, in].
    assert numpy.array_equal(state["exp_avg"], KERNEL.T)
    assert numpy.array_equal(state["exp_avg_sq"], KERNEL.T + 1)
    assert not keras.models.load_model(tmp_path / "net.keras", compile=False).compiled
    model.set_weights([KERNEL * 0, numpy.zeros(2, "float32")])
    model.load_weights(tmp_path / "net.keras")
    assert numpy.array_equal(model.get_weights()[0], KERNEL)


def changed(old, new):
    return json.loads(json.dumps(CONFIG).replace(old, new))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (changed('"Concatenate"', '"Hashing"'), "needs keras.layers.Hashing, which minigrad.keras"),
        (changed('"GetItem"', '"Sliced"'), "the operation Sliced, which keras.ops does not have"),
        (changed('"Concatenate"', '"Lambda"'), "compiled Python code.*never run"),
        (changed('"relu"', '{"class_name": "__lambda__", "config": {}}'), "never run"),
        (changed('"name": "float32"', '"name": "mixed_float16"'), "policy 'mixed_float16'"),
        (changed('"use_ema": false', '"use_ema": true'), "Adam of Keras has use_ema=True"),
        (changed('["first", 0, 0]', '["lost", 0, 0]'), "'part' waits for a tensor"),
        (changed('["both", 0, 0]}', '["lost", 0, 0]}'), "'both' waits for|ends at layer 'lost'"),
        (
            changed('"keras.layers", "class_name": "Dense"', '"shop", "class_name": "Own"'),
            "shop.Own",
        ),
    ],
)
def test_what_is_not_known_is_named(tmp_path, config, message):
    assert config != CONFIG
    with pytest.raises(ArgumentError, match=message):
        keras.models.load_model(archive(tmp_path / "net.keras", config))


def test_archives_that_are_no_models(tmp_path):
    path = archive(tmp_path / "net.keras", weights=False)
    with pytest.raises(CheckpointError, match=re.escape("without model.weights.h5")):
        keras.models.load_model(path)
    with pytest.raises(CheckpointError, match="describes no model"):
        keras.models.load_model(archive(path, {}))
    archive(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(CheckpointError, match=r"net\.keras is damaged"):
        keras.models.load_model(path)


def test_states_of_another_optimizer_start_anew_with_a_warning(tmp_path):
    path = archive(tmp_path / "net.keras", changed('"class_name": "Adam"', '"class_name": "SGD"'))
    with pytest.raises(ArgumentError, match=r"SGD of Keras has beta_1=0\.5"):
        keras.models.load_model(path)
    plain = json.loads(json.dumps(CONFIG).replace('"class_name": "Adam"', '"class_name": "SGD"'))
    plain["compile_config"]["optimizer"]["config"].pop("beta_1")
    with pytest.warns(UserWarning, match="starts anew: there are 6 variables, not 2"):
        model = keras.models.load_model(archive(path, plain))
    assert model.optimizer.iterations == 0


def network(optimizer="sgd"):
    inputs = keras.Input((6,), name="x")
    shared = layers.Dense(4, activation="tanh", kernel_regularizer="l2", name="shared")
    x = shared(inputs)
    x = keras.ops.concatenate([x[:, 1:3] * 2.0, x], axis=-1)
    x = layers.BatchNormalization(name="norm")(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="last")(x), name="net")
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


ROWS = GENERATOR.random((24, 6), dtype="float32")
CLASSES = numpy.arange(24) % 3


def test_an_archive_is_written_as_keras_describes_its_models(tmp_path):
    model = network(keras.optimizers.Adam(0.5))
    model.save(tmp_path / "net.keras")
    with zipfile.ZipFile(tmp_path / "net.keras") as file:
        assert file.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        config = json.loads(file.read("config.json"))
    assert (config["module"], config["class_name"]) == ("keras.src.models.functional", "Functional")
    listed = {one["name"]: one for one in config["config"]["layers"]}
    assert [one["class_name"] for one in listed.values()] == [
        "InputLayer", "Dense", "GetItem", "Multiply", "Concatenate", "BatchNormalization", "Dense",
    ]  # fmt: skip
    shared = listed["shared"]
    assert shared["module"] == "keras.layers"
    assert shared["config"]["dtype"] == {**POLICY, "registered_name": None}
    assert shared["config"]["kernel_initializer"]["module"] == "keras.initializers"
    (call,) = shared["inbound_nodes"]
    assert call["args"][0]["class_name"] == "__keras_tensor__"
    assert call["args"][0]["config"]["keras_history"] == ["x", 0, 0]
    assert "batch_input_shape" not in shared["config"]
    joined = next(one for one in listed.values() if one["class_name"] == "Concatenate")
    assert joined["module"] == "keras.src.ops.numpy"
    assert joined["config"]["axis"] == -1
    assert config["config"]["input_layers"] == ["x", 0, 0]
    assert config["config"]["output_layers"] == ["last", 0, 0]
    optimizer = config["compile_config"]["optimizer"]
    assert (optimizer["module"], optimizer["class_name"]) == ("keras.optimizers", "Adam")
    assert optimizer["config"]["learning_rate"] == 0.5


SCHEDULE = keras.optimizers.schedules.ExponentialDecay(0.01, 2, 0.9)


@pytest.mark.parametrize(
    ("optimizer", "tolerance", "variables"),
    [
        (keras.optimizers.SGD(0.1), 0, 2),
        # The momentum was multiplied by the rate and divided by it: one rounding each.
        (keras.optimizers.SGD(0.1, momentum=0.9), 1e-6, 8),
        (keras.optimizers.Adam(SCHEDULE, amsgrad=True), 0, 19),
        (keras.optimizers.AdamW(0.01), 0, 14),
        (keras.optimizers.Adagrad(0.1), 0, 8),
        (keras.optimizers.Adadelta(1.0), 0, 14),
        (keras.optimizers.Adamax(0.01), 0, 14),
        (keras.optimizers.Nadam(0.01), 1e-6, 15),
        (keras.optimizers.RMSprop(0.01, centered=True), 0, 14),
    ],
)
def test_training_goes_on_from_an_archive(tmp_path, optimizer, tolerance, variables):
    model = network(optimizer)
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0}
    model.fit(ROWS, CLASSES, **settings)
    model.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras")
    with zipfile.ZipFile(tmp_path / "net.keras") as file:
        content = io.BytesIO(file.read("model.weights.h5"))
    with h5py.File(content) as file:
        assert len(file["optimizer/vars"]) == variables
        assert int(file["optimizer/vars/0"][()]) == again.optimizer.iterations == 3
    losses = [one.fit(ROWS, CLASSES, **settings).history["loss"][0] for one in (model, again)]
    assert abs(losses[0] - losses[1]) <= tolerance
    for one, other in zip(model.get_weights(), again.get_weights()):
        assert numpy.abs(one - other).max() <= tolerance


class Own(layers.Layer):
    def call(self, x):
        return x * 2


def test_what_keras_has_not_is_written_for_minigrad_alone(tmp_path):
    path = tmp_path / "net.keras"
    inputs = keras.Input((6,))
    for last in (Own(), lambda x: keras.ops.flip(x, axis=1)):
        model = keras.Model(inputs, last(layers.Dense(2)(inputs)))
        model.save(path)
        assert not zipfile.is_zipfile(path)
        again = keras.models.load_model(path, custom_objects={"Own": Own})
        assert numpy.array_equal(output(again, ROWS), output(model, ROWS))


def test_an_archive_that_cannot_be_written_leaves_the_old_one(tmp_path):
    model = network()
    model.save(tmp_path / "net.keras")
    before = (tmp_path / "net.keras").read_bytes()
    model.compile("sgd", lambda y_true, y_pred: y_pred.mean(-1))
    with pytest.raises(ArgumentError, match="define it with def"):
        model.save(tmp_path / "net.keras")
    assert (tmp_path / "net.keras").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
