"""The data sets: what is in them, where their files are looked for, and what damaged files say."""

import gzip
import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pooch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import minigrad
from minigrad import datasets
from minigrad.datasets import files
from minigrad.datasets.idx import DataFileError, read_idx
from minigrad.utils.data import DataLoader, default_collate
from tests.golden_files import check_golden

CODES = {"uint8": 8, "int8": 9, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def idx(array):
    """The array as the bytes of an IDX file."""
    kind = CODES[array.dtype.name]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def refusal(action, *arguments, **options):
    with pytest.raises(DataFileError) as caught:
        action(*arguments, **options)
    return str(caught.value)


# The format.


@given(st.data())
def test_idx_files_give_what_was_written(tmp_path_factory, data):
    dtype = data.draw(st.sampled_from(sorted(CODES)))
    shape = data.draw(arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    array = data.draw(arrays.arrays(dtype, shape))
    for suffix, pack in (("idx", bytes), ("idx.gz", gzip.compress)):
        path = tmp_path_factory.getbasetemp() / f"array.{suffix}"
        path.write_bytes(pack(idx(array)))
        read = read_idx(path)
        assert (read.dtype, read.shape) == (array.dtype, array.shape)
        assert read.tobytes() == array.tobytes()
        assert read.flags.writeable


def test_idx_files_that_are_none(tmp_path):
    whole = idx(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    packed = gzip.compress(whole, mtime=0)
    flipped = bytearray(packed)
    flipped[-6] ^= 1  # in the checksum
    cases = {
        "empty": b"",
        "text": b"<html>Not here</html>",
        "png": b"\x89PNG\r\n\x1a\n",
        "unknown-kind": b"\0\0\x07\x01" + bytes(8),
        "no-sizes": whole[:9],
        "short": whole[:-5],
        "long": whole + b"!",
        "huge": whole[:4] + b"\xff" * 12 + whole[16:],
        "plain.gz": whole,
        "cut.gz": packed[:-12],
        "flipped.gz": bytes(flipped),
        "garbled.gz": packed[:12] + b"\xff\xff\xff" + packed[15:],
        "page.gz": b"<html>Moved</html>",
    }
    lines = []
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        lines.append(refusal(read_idx, tmp_path / name))
    check_golden("data/idx_files", "\n".join(lines), folder=tmp_path)


def test_a_missing_idx_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "missing")


# The digits.


def test_the_digits_are_the_published_ones():
    train, test = datasets.Digits(train=True), datasets.Digits(train=False)
    assert (len(train), len(test)) == (1442, 355)
    images = np.concatenate([train.data.numpy(), test.data.numpy()])
    labels = np.concatenate([train.targets.numpy(), test.targets.numpy()])
    # Counts and sum of scikit-learn's copy of the same file.
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (images.shape, images.min(), images.max()) == ((1797, 8, 8), 0, 16)
    assert int(images.sum(dtype=np.int64)) == 561718
    assert np.bincount(test.targets.numpy()).min() == 34
    assert not {i.tobytes() for i in train.data.numpy()} & {i.tobytes() for i in test.data.numpy()}


def test_the_files_of_the_digits_are_small():
    folder = Path(datasets.__file__).parent
    assert sum(path.stat().st_size for path in folder.glob("digits-*")) < 50_000


def test_samples_are_scaled_and_labelled():
    digits = datasets.Digits()
    image, label = digits[0]
    assert (image.shape, image.dtype, label) == ((1, 8, 8), minigrad.float32, 0)
    assert image.max().item() == digits.data[0].max().item() / 16
    assert repr(digits) == "Digits(1442 images of 8 x 8, 10 classes)"


def test_batches_are_the_collated_samples():
    digits = datasets.Digits(train=False)
    batch, labels = next(iter(DataLoader(digits, batch_size=5)))
    images, expected = default_collate([digits[i] for i in range(5)])
    assert batch.tolist() == images.tolist()
    assert (batch.shape, batch.dtype) == (images.shape, images.dtype)
    assert (labels.tolist(), labels.dtype) == (expected.tolist(), expected.dtype)


def test_transforms_are_applied_one_by_one_and_in_batches():
    digits = datasets.Digits(
        transform=lambda image: image.flatten() - 1, target_transform=lambda label: label % 2
    )
    image, label = digits[3]
    plain = datasets.Digits()[3]
    assert image.tolist() == (plain[0].flatten() - 1).tolist()
    assert label == 1
    batch, labels = next(iter(DataLoader(digits, batch_size=4)))
    assert batch.shape == (4, 64)
    assert labels.tolist() == [0, 1, 0, 1]


def test_as_many_labels_as_images():
    with pytest.raises(ValueError, match="3 images and 2 labels"):
        datasets.ImageDataset(np.zeros((3, 2, 2), np.uint8), np.zeros(2, np.uint8))


# Files of data sets: a small one takes the place of MNIST's.


class Mirror:
    """What `pooch.retrieve` does, from memory: the content by address, and what was asked."""

    def __init__(self, content):
        self.content = content
        self.asked = []

    def retrieve(self, url, known_hash, fname, path, progressbar):
        self.asked.append(url)
        if url not in self.content:
            raise OSError(f"404 Client Error: Not Found for url: {url}\nand more")
        data = self.content[url]
        if "sha256:" + hashlib.sha256(data).hexdigest() != known_hash:
            raise ValueError(f"SHA256 hash of downloaded file ({fname}) does not match")
        os.makedirs(path, exist_ok=True)
        target = os.path.join(path, fname)
        Path(target).write_bytes(data)
        return target


IMAGES = np.arange(3 * 28 * 28).astype(np.uint8).reshape(3, 28, 28)
CONTENT = {
    "t10k-images-idx3-ubyte.gz": gzip.compress(idx(IMAGES), mtime=0),
    "t10k-labels-idx1-ubyte.gz": gzip.compress(idx(np.array([7, 1, 3], np.uint8)), mtime=0),
}
NAMES = sorted(CONTENT)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A class like MNIST, of three images, with two mirrors, a cache and no folder of data."""
    source = files.Source(
        folder="small",
        mirrors=("https://one.example/", "https://two.example/"),
        sha256={name: hashlib.sha256(data).hexdigest() for name, data in CONTENT.items()},
    )
    monkeypatch.delenv(files.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return type("Small", (datasets.MNIST,), {"source": source})


@pytest.fixture
def mirror(monkeypatch):
    """Nothing can be had until the test says so."""
    mirror = Mirror({})
    monkeypatch.setattr(pooch, "retrieve", mirror.retrieve)
    return mirror


def put(folder, content=CONTENT):
    folder.mkdir(parents=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)


def opened(small, **options):
    dataset = small(train=False, **options)
    assert dataset.data.numpy().tolist() == IMAGES.tolist()
    assert dataset.targets.tolist() == [7, 1, 3]
    assert dataset[1][1] == 1


def test_files_are_found_in_the_folder_of_the_environment(small, mirror, monkeypatch, tmp_path):
    put(tmp_path / "data" / "small")
    monkeypatch.setenv(files.FOLDER_VARIABLE, str(tmp_path / "data"))
    opened(small)
    assert mirror.asked == []


def test_files_are_found_in_the_root(small, mirror, tmp_path):
    put(tmp_path / "root" / "small")
    opened(small, root=tmp_path / "root")
    assert mirror.asked == []


def test_files_are_found_in_the_cache(small, mirror, monkeypatch, tmp_path):
    put(tmp_path / "cache" / "minigrad" / "small")
    monkeypatch.setenv(files.FOLDER_VARIABLE, str(tmp_path / "elsewhere"))
    opened(small)
    assert mirror.asked == []


def test_files_are_downloaded_once(small, mirror, tmp_path):
    mirror.content = {"https://one.example/" + name: data for name, data in CONTENT.items()}
    opened(small)
    opened(small)
    assert mirror.asked == ["https://one.example/" + name for name in NAMES]
    assert sorted(os.listdir(tmp_path / "cache" / "minigrad" / "small")) == NAMES


def test_a_second_mirror_helps_where_the_first_fails(small, mirror):
    mirror.content = {"https://two.example/" + name: data for name, data in CONTENT.items()}
    mirror.content["https://one.example/" + NAMES[0]] = b"<html>Moved</html>"
    opened(small)
    assert mirror.asked == [
        base + name for name in NAMES for base in ("https://one.example/", "https://two.example/")
    ]


def test_a_damaged_file_in_the_cache_is_downloaded_again(small, mirror, tmp_path):
    put(tmp_path / "cache" / "minigrad" / "small", {NAMES[0]: b"half", NAMES[1]: CONTENT[NAMES[1]]})
    mirror.content = {"https://one.example/" + name: data for name, data in CONTENT.items()}
    opened(small)
    assert mirror.asked == ["https://one.example/" + NAMES[0]]


def test_what_is_said_of_files_that_cannot_be_had(small, mirror, monkeypatch, tmp_path):
    lines = [refusal(small, train=False)]
    lines.append(refusal(small, train=False, download=False))
    lines.append(refusal(small, root=tmp_path / "root", train=False, download=False))
    monkeypatch.setenv(files.FOLDER_VARIABLE, str(tmp_path / "data"))
    lines.append(refusal(small, train=False))
    put(tmp_path / "data" / "small", {NAMES[0]: CONTENT[NAMES[0]][:-1], NAMES[1]: b""})
    lines.append(refusal(small, train=False))
    # How gzip packs, and with it size and sum, is not the same everywhere.
    half = (tmp_path / "data" / "small" / NAMES[0]).read_bytes()
    check_golden(
        "data/dataset_files", "\n".join(lines), folder=tmp_path, size=len(half),
        found=hashlib.sha256(half).hexdigest(), published=small.source.sha256[NAMES[0]],
    )  # fmt: skip


def test_pooch_is_asked_for_what_it_can_do(small, tmp_path, monkeypatch):
    """The real `pooch.retrieve`, from a mirror on this disk."""
    put(tmp_path / "served")
    monkeypatch.setattr(files, "is_installed", lambda module: False)  # no bar in the output

    class FromDisk:
        def __call__(self, url, output_file, pooch, check_only=False):
            name = url.rpartition("/")[2]
            if url.startswith("https://one.example/"):
                raise OSError("no route to one.example")
            Path(output_file).write_bytes((tmp_path / "served" / name).read_bytes())

    monkeypatch.setattr("pooch.core.choose_downloader", lambda *args, **kwargs: FromDisk())
    opened(small)


@pytest.mark.skipif(
    not Path(os.environ.get(files.FOLDER_VARIABLE, "/nowhere"), "mnist").is_dir(),
    reason="MINIGRAD_DATA names no folder with mnist/",
)
def test_mnist_is_the_published_one():
    train, test = datasets.MNIST(train=True), datasets.MNIST(train=False)
    assert train.targets[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.targets[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(train.targets.numpy()).tolist() == counts
    assert round(float(train.data.numpy().mean()) / 255, 4) == 0.1307
    assert repr(test) == "MNIST(10000 images of 28 x 28, 10 classes)"


@pytest.mark.skipif(
    not Path(os.environ.get(files.FOLDER_VARIABLE, "/nowhere"), "fashion-mnist").is_dir(),
    reason="MINIGRAD_DATA names no folder with fashion-mnist/",
)
def test_fashion_mnist_is_the_published_one():
    test = datasets.FashionMNIST(train=False)
    assert test.targets[:10].tolist() == [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]
    assert np.bincount(test.targets.numpy()).tolist() == [1000] * 10
    assert test.classes[9] == "Ankle boot"


@pytest.mark.parametrize("kind", [datasets.MNIST, datasets.FashionMNIST])
def test_every_file_has_a_sum_and_two_mirrors(kind):
    assert len(kind.source.mirrors) >= 2
    assert all(mirror.endswith("/") for mirror in kind.source.mirrors)
    assert len(set(kind.source.sha256.values())) == 4
    assert all(len(bytes.fromhex(value)) == 32 for value in kind.source.sha256.values())


def test_without_pooch_it_says_what_to_install():
    script = (
        "import sys; sys.modules['pooch'] = None\n"
        "from minigrad.datasets import MNIST\n"
        "try: MNIST()\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    environment = {k: v for k, v in os.environ.items() if k != files.FOLDER_VARIABLE}
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, timeout=60, check=True, env=environment,
    )  # fmt: skip
    check_golden("data/without_pooch", run.stdout.strip())
