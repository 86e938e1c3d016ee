"""The .keras archives of Keras 3, as Keras writes and reads them."""

import io
import json
import re
import zipfile

import numpy
import pytest

from minigrad import keras
from minigrad.errors import ArgumentError
from minigrad.io import CheckpointError
from minigrad.keras import layers

h5py = pytest.importorskip("h5py")

GENERATOR = numpy.random.default_rng(0)

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
    assert model(rows).tolist() == [[1, 0, 0], [7, 6, 6]]
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
        assert numpy.array_equal(again.predict(ROWS, verbose=0), model.predict(ROWS, verbose=0))


def test_an_archive_that_cannot_be_written_leaves_the_old_one(tmp_path):
    model = network()
    model.save(tmp_path / "net.keras")
    before = (tmp_path / "net.keras").read_bytes()
    model.compile("sgd", lambda y_true, y_pred: y_pred.mean(-1))
    with pytest.raises(ArgumentError, match="define it with def"):
        model.save(tmp_path / "net.keras")
    assert (tmp_path / "net.keras").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
