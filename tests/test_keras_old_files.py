"""The .h5 files of Keras 2 and before its archives: models and weights by the names of layers."""

import json

import numpy
import pytest

from minigrad import keras
from minigrad.errors import ArgumentError
from minigrad.io import CheckpointError
from minigrad.keras import layers

h5py = pytest.importorskip("h5py")

KERNEL = numpy.arange(6, dtype="float32").reshape(3, 2)

# A model in the file of Keras 2: calls are lists, and nothing has a module.
OLD = {
    "class_name": "Functional",
    "config": {
        "name": "net",
        "layers": [
            {
                "class_name": "InputLayer",
                "config": {"batch_input_shape": [None, 3], "dtype": "float32", "name": "x"},
                "name": "x",
                "inbound_nodes": [],
            },
            {
                "class_name": "Dense",
                "config": {
                    "name": "first",
                    "trainable": True,
                    "units": 2,
                    "activation": "relu",
                    "kernel_initializer": {"class_name": "Zeros", "config": {}},
                },
                "name": "first",
                "inbound_nodes": [[["x", 0, 0, {}]]],
            },
            {
                "class_name": "Concatenate",
                "config": {"name": "both", "trainable": True, "axis": -1},
                "name": "both",
                "inbound_nodes": [[["first", 0, 0, {}], ["x", 0, 0, {}]]],
            },
        ],
        "input_layers": [["x", 0, 0]],
        "output_layers": [["both", 0, 0]],
    },
}
OLD_TRAINING = {
    "loss": "mse",
    "metrics": [
        [
            {
                "class_name": "MeanMetricWrapper",
                "config": {"name": "mae", "dtype": "float32", "fn": "mean_absolute_error"},
            }
        ]
    ],
    "weighted_metrics": None,
    "optimizer_config": {
        "class_name": "Custom>Adam",
        "config": {"name": "Adam", "learning_rate": 0.5, "is_legacy_optimizer": False},
    },
}


def old(path, names=("first/kernel:0", "first/bias:0"), config=OLD):
    with h5py.File(path, "w") as file:
        if config is not None:
            file.attrs["model_config"] = json.dumps(config)
            file.attrs["training_config"] = json.dumps(OLD_TRAINING).encode()
        weights = file if config is None else file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"x", b"first", b"both"]
        for name in ("x", "first", "both"):
            weights.create_group(name).attrs["weight_names"] = []
        weights["first"].attrs["weight_names"] = [name.encode() for name in names]
        for name, values in zip(names, (KERNEL, numpy.float32([1, -2]))):
            weights[f"first/{name}"] = values
    return path


def test_an_old_file_is_a_model(tmp_path):
    model = keras.models.load_model(old(tmp_path / "net.h5"))
    rows = numpy.float32([[1, 0, 0], [0, 1, 1]])
    assert model(rows).tolist() == [[1, 0, 1, 0, 0], [7, 6, 0, 1, 1]]
    assert (model.optimizer.learning_rate, model.optimizer.iterations) == (0.5, 0)
    targets = numpy.zeros((2, 5), "float32")
    assert model.evaluate(rows, targets, verbose=0, return_dict=True).keys() >= {"loss"}
    assert not keras.models.load_model(tmp_path / "net.h5", compile=False).compiled
    for config in (OLD, None):
        model.set_weights([KERNEL * 0, numpy.zeros(2, "float32")])
        model.load_weights(old(tmp_path / "w.h5", config=config))
        assert numpy.array_equal(model.get_weights()[0], KERNEL)


def test_old_files_that_do_not_fit(tmp_path):
    path = old(tmp_path / "net.h5", config=None)
    with pytest.raises(CheckpointError, match=r"holds no model but weights.*load_weights\(\)"):
        keras.models.load_model(path)
    with pytest.raises(ArgumentError, match=r"has 2 weights, and .* holds 1 for it under 'first'"):
        keras.models.load_model(old(path, names=["first/kernel:0"]))
    deeper = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dense(2)])
    old(path)
    with pytest.raises(ArgumentError, match=r"weights of 1 layers, and .* has 2 with weights"):
        deeper.load_weights(path)
    with h5py.File(path, "a") as file:
        file["model_weights/first"].attrs["weight_names"] = [b"first/gone:0"]
    with pytest.raises(CheckpointError, match=r"there is no array 'first/gone:0'"):
        keras.models.load_model(path)
