"""Keras's utilities, configuration and data sets, and the lookup of names that all parts share."""

import os
import random
from pathlib import Path

import numpy
import pytest

import minigrad
from minigrad.errors import ArgumentError, DtypeError
from minigrad.extras import is_installed
from minigrad.keras import backend, config, datasets, lookup, utils
from minigrad.nn import functional as F
from minigrad.utils.data import DataLoader, TensorDataset


@pytest.fixture
def settings():
    """Put back what a test sets for all."""
    before = config.epsilon(), config.image_data_format()
    yield
    config.set_epsilon(before[0])
    config.set_image_data_format(before[1])


# Labels.


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "bool"])
def test_one_hot_rows(dtype):
    found = utils.to_categorical(numpy.array([0, 1, 1], dtype), num_classes=3)
    assert found.dtype == numpy.float32
    assert found.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0]]


def test_one_hot_rows_of_a_column_a_grid_and_a_tensor():
    assert utils.to_categorical([[2], [0]]).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert utils.to_categorical([[0, 1], [1, 0]]).shape == (2, 2, 2)
    assert utils.to_categorical(1, 2).tolist() == [0, 1]
    classes = minigrad.tensor([2, 0])
    found = utils.to_categorical(classes, 3)
    assert found.tolist() == F.one_hot(classes, 3).tolist()
    assert found.dtype == minigrad.float32


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: utils.to_categorical([0, 3], 3), IndexError, "label 3, but num_classes=3.*0 to 2"),
        (lambda: utils.to_categorical([1, 2, 3], 3), IndexError, "subtract 1 from the labels"),
        (lambda: utils.to_categorical([-1, 0]), IndexError, "the label -1"),
        (lambda: utils.to_categorical([0.5, 1.0]), DtypeError, "no whole numbers"),
        (lambda: utils.to_categorical([numpy.nan]), DtypeError, "no whole numbers"),
        (lambda: utils.to_categorical(["cat"]), DtypeError, "numpy.unique"),
        (lambda: utils.to_categorical([]), ArgumentError, "x is empty"),
        (lambda: utils.split_dataset([1, 2]), ArgumentError, "say left_size"),
        (lambda: utils.split_dataset([1, 2], 1.5), ArgumentError, "between 0 and 1, got 1.5"),
        (lambda: utils.split_dataset([1, 2], 2), ArgumentError, "2 samples cannot be split"),
        (
            lambda: utils.split_dataset((numpy.ones(3), numpy.ones(4)), 0.5),
            ArgumentError,
            r"one length, got \[3, 4\]",
        ),
        (lambda: utils.pad_sequences([[1]], padding="left"), ArgumentError, "'pre' or 'post'"),
        (lambda: utils.pad_sequences([1, 2]), ArgumentError, "a list of lists"),
        (
            lambda: utils.pad_sequences([[[1, 2]], [[1, 2, 3]]]),
            ArgumentError,
            "different shapes",
        ),
        (lambda: utils.get_file("x"), ArgumentError, "say origin"),
        (lambda: config.set_floatx("float8"), ArgumentError, "'float16', 'float32' or 'float64'"),
        (lambda: config.set_epsilon(0), ArgumentError, "above 0"),
        (lambda: config.set_image_data_format("first"), ArgumentError, "'channels_last' or"),
        (lambda: datasets.insurance.load_data(test_split=1.0), ArgumentError, "test_split"),
    ],
)
def test_mistakes_are_answered(call, error, message):
    if "insurance" in message or "test_split" in message:
        needs_data("insurance")
    with pytest.raises(error, match=message):
        call()


def test_vectors_of_length_one():
    x = numpy.array([[3.0, 4.0], [0.0, 0.0]])
    assert utils.normalize(x).tolist() == [[0.6, 0.8], [0.0, 0.0]]
    assert utils.normalize(x, axis=0).tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert utils.normalize(x, order=1).tolist() == [[3 / 7, 4 / 7], [0.0, 0.0]]
    tensor = utils.normalize(minigrad.tensor(x, requires_grad=True))
    assert tensor.requires_grad
    numpy.testing.assert_allclose(tensor.detach().numpy(), utils.normalize(x))


# Seeds.


def test_a_seed_is_that_of_manual_seed_and_of_numpy_and_python():
    utils.set_random_seed(7)
    drawn = minigrad.rand(3).tolist(), numpy.random.rand(3).tolist(), random.random()  # noqa: NPY002
    minigrad.manual_seed(7)
    assert minigrad.rand(3).tolist() == drawn[0]
    utils.set_random_seed(7)
    assert (minigrad.rand(3).tolist(), numpy.random.rand(3).tolist(), random.random()) == drawn  # noqa: NPY002


# Splitting and padding.


def test_a_split_keeps_pairs_together():
    x, y = numpy.arange(10), numpy.arange(10) * 2
    left, right = utils.split_dataset((x, y), left_size=0.7, shuffle=True, seed=3)
    assert len(left) == 7
    assert len(right) == 3
    pairs = [(int(a), int(b)) for part in (left, right) for a, b in part]
    assert sorted(pairs) == [(n, 2 * n) for n in range(10)]
    assert pairs != sorted(pairs)
    again = utils.split_dataset((x, y), left_size=0.7, shuffle=True, seed=3)[0]
    assert [int(a) for a, _ in again] == [a for a, _ in pairs[:7]]
    batch = next(iter(DataLoader(left, batch_size=7)))
    assert batch[0].tolist() == [a for a, _ in pairs[:7]]


@pytest.mark.parametrize(
    ("left", "right", "sizes"),
    [(3, None, (3, 7)), (None, 0.2, (8, 2)), (0.5, 0.25, (5, 2)), (4, 4, (4, 4))],
)
def test_the_sizes_of_a_split(left, right, sizes):
    dataset = TensorDataset(minigrad.arange(10))
    first, second = utils.split_dataset(dataset, left, right)
    assert (len(first), len(second)) == sizes
    # The right part is the end of the data.
    assert second[len(second) - 1][0].item() == 9


def test_padding_fills_and_cuts_at_either_end():
    sequences = [[1], [2, 3, 4], []]
    assert utils.pad_sequences(sequences).tolist() == [[0, 0, 1], [2, 3, 4], [0, 0, 0]]
    post = utils.pad_sequences(sequences, 2, "float32", padding="post", truncating="post", value=9)
    assert post.tolist() == [[1, 9], [2, 3], [9, 9]]
    assert post.dtype == numpy.float32
    assert utils.pad_sequences([[[1, 2]], [[3, 4], [5, 6]]]).shape == (2, 2, 2)


# Files.


@pytest.mark.skipif(not is_installed("pooch"), reason="downloads need pooch")
def test_a_file_is_fetched_once_and_checked(tmp_path):
    import hashlib
    import tarfile

    page = tmp_path / "page.txt"
    page.write_text("a page")
    archive = tmp_path / "pages.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(page, "page.txt")
    import pooch

    def served(url, output_file, _pooch):
        with open(output_file, "wb") as file:
            file.write((tmp_path / url.rpartition("/")[2]).read_bytes())

    cache = tmp_path / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pooch.core, "choose_downloader", lambda *args, **kwargs: served)
        known = hashlib.sha256(b"a page").hexdigest()
        path = utils.get_file(
            origin="https://example.org/page.txt", file_hash=known, cache_dir=cache
        )
        assert Path(path).read_text() == "a page"
        assert os.path.dirname(path) == str(cache / "datasets")
        folder = utils.get_file(
            origin="https://example.org/pages.tar.gz",
            md5_hash=hashlib.md5(archive.read_bytes()).hexdigest(),
            extract=True,
            cache_dir=cache,
        )
        assert os.listdir(folder) == ["page.txt"]
        page.write_text("another page")
        with pytest.raises(ValueError, match="hash"):
            utils.get_file(
                "new.txt", "https://example.org/page.txt", md5_hash="0" * 32, cache_dir=cache
            )


# Configuration.


def test_floatx_is_the_default_dtype():
    assert config.floatx() == backend.floatx() == "float32"
    config.set_floatx("float64")
    assert minigrad.tensor(1.0).dtype == minigrad.float64
    assert utils.to_categorical([0]).dtype == numpy.float64
    minigrad.set_default_dtype(minigrad.float32)
    assert config.floatx() == "float32"


@pytest.mark.usefixtures("settings")
def test_settings_hold_until_they_are_changed():
    config.set_epsilon(1e-5)
    assert backend.epsilon() == 1e-5
    backend.set_image_data_format("channels_first")
    assert config.image_data_format() == config.standard_data_format(None) == "channels_first"
    assert config.standard_data_format("channels_last") == "channels_last"
    assert backend.backend() == "minigrad"


# Data sets.


def needs_data(folder):
    path = os.path.join(os.environ.get("MINIGRAD_DATA", ""), folder)
    if not os.environ.get("MINIGRAD_DATA") or not os.path.isdir(path):
        pytest.skip(f"MINIGRAD_DATA names no folder with {folder}/")


def test_the_digits_are_arrays():
    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data()
    assert (x_train.shape, y_train.shape) == ((1442, 8, 8), (1442,))
    assert (x_test.shape, y_test.shape) == ((355, 8, 8), (355,))
    assert x_train.dtype == y_train.dtype == numpy.uint8
    assert int(x_train.max()) == 16


@pytest.mark.parametrize(
    ("name", "folder", "labels"),
    [("mnist", "mnist", [5, 0, 4, 1, 9]), ("fashion_mnist", "fashion-mnist", [9, 0, 0, 3, 0])],
)
def test_grey_images_have_keras_shapes(name, folder, labels):
    needs_data(folder)
    (x_train, y_train), (x_test, y_test) = getattr(datasets, name).load_data()
    assert (x_train.shape, y_train.shape) == ((60000, 28, 28), (60000,))
    assert (x_test.shape, y_test.shape) == ((10000, 28, 28), (10000,))
    assert {array.dtype for array in (x_train, y_train, x_test, y_test)} == {numpy.dtype("uint8")}
    assert y_train[:5].tolist() == labels


def test_coloured_images_have_their_channels_last():
    needs_data("cifar10")
    from minigrad.datasets import CIFAR10

    (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data(subset=True)
    assert (x_train.shape, y_train.shape) == ((4000, 32, 32, 3), (4000, 1))
    assert (x_test.shape, y_test.shape) == ((1000, 32, 32, 3), (1000, 1))
    assert x_train.dtype == y_train.dtype == numpy.uint8
    first = CIFAR10(subset=True).data[0].numpy()
    assert (x_train[0, :, :, 1] == first[1]).all()
    assert numpy.bincount(y_test[:, 0]).tolist() == [100] * 10


@pytest.mark.parametrize(
    ("name", "options", "rows", "columns"),
    [
        ("insurance", {}, 27, 1),
        ("insurance", {"affordability": True}, 28, 2),
        ("homeprices", {}, 20, 2),
        ("homeprices", {"age": True}, 6, 3),
    ],
)
def test_tables_are_split_by_a_seed(name, options, rows, columns):
    needs_data(name)
    load = getattr(datasets, name).load_data
    (x_train, y_train), (x_test, y_test) = load(**options)
    assert len(x_test) == len(y_test) == round(0.2 * rows)
    assert x_train.shape == (rows - len(x_test), columns)
    (x, y), (nothing, _) = load(test_split=0, **options)
    assert len(nothing) == 0
    assert (numpy.concatenate([x_train, x_test]) == x).all()
    assert (numpy.concatenate([y_train, y_test]) == y).all()
    (other, _), _ = load(seed=1, **options)
    assert not (other == x_train).all()


# Names.


def test_names_are_known_in_every_style():
    found = lookup.Lookup("keras.things", "thing", {"LeakyReLU": abs, "hard_sigmoid": len})
    assert found.find("leaky_relu") is abs
    assert found.find("HardSigmoid") is len
    assert found.get(len) is len


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mean_sqared", "did you mean 'mean_squared'"),
        ("MeanSqared", "did you mean 'MeanSquared'"),
        ("sqared", "did you mean 'squared'"),
        ("nothing", "known are MeanSquared, mean_squared, squared"),
    ],
)
def test_the_nearest_names_are_told(name, message):
    known = {"MeanSquared": abs, "mean_squared": abs, "squared": abs}
    with pytest.raises(ArgumentError, match=message):
        lookup.Lookup("keras.things", "thing", known).get(name)


def test_registered_classes_are_found_by_their_package():
    @lookup.register_keras_serializable("mine")
    class Thing:
        def __init__(self, size=1):
            self.size = size

        def get_config(self):
            return {"size": self.size}

    try:
        things = lookup.Lookup("keras.things", "thing", {}, Thing)
        saved = things.to_config(Thing(3))
        assert saved == {"class_name": "mine>Thing", "config": {"size": 3}}
        assert things.get(saved).size == 3
        thing = Thing()
        assert things.get(thing) is thing
    finally:
        del lookup.CUSTOM["mine>Thing"]
    with pytest.raises(ArgumentError, match="unknown thing 'mine>Thing'"):
        things.get(saved)


def test_configurations_that_lead_nowhere_are_refused():
    things = lookup.Lookup("keras.things", "thing", {"abs": abs})
    assert things.get({"class_name": "function", "config": "abs"}) is abs
    with pytest.raises(ArgumentError, match=r"entries 'class_name' and 'config', got \['name'\]"):
        things.get({"name": "abs"})
    with pytest.raises(ArgumentError, match="has no name to be found again by"):
        things.to_config(lambda: 0)
