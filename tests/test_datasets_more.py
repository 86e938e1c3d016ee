"""CIFAR-10, the tables and the texts: what is in them, and what damaged files say."""

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pooch
import pytest

import minigrad
from minigrad import datasets
from minigrad.datasets import DataFileError, files, read_cifar, read_csv
from minigrad.datasets.cifar import CIFAR10
from minigrad.errors import ArgumentError
from minigrad.utils.data import DataLoader, default_collate
from tests.golden_files import check_golden

HERE = os.environ.get(files.FOLDER_VARIABLE, "/nowhere")


def needs(folder):
    there = Path(HERE, folder).is_dir()
    return pytest.mark.skipif(not there, reason=f"MINIGRAD_DATA names no folder with {folder}/")


def refusal(action, *arguments, **options):
    with pytest.raises(DataFileError) as caught:
        action(*arguments, **options)
    return str(caught.value)


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No folder of data, an empty cache, and no mirror that answers."""

    def refuse(url, **options):
        raise OSError(f"no route to {url}")

    monkeypatch.delenv(files.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    monkeypatch.setattr(pooch, "retrieve", refuse)
    return tmp_path


# CIFAR-10: a small archive in the place of the published one.


def records(labels, seed=0):
    """A file of records with these labels and images of noise."""
    images = np.random.default_rng(seed).integers(0, 256, (len(labels), 3072), dtype=np.uint8)
    return np.concatenate([np.array(labels, np.uint8)[:, None], images], axis=1).tobytes()


def archive(batches):
    """The bytes of a tar.gz with these files in the folder of the published one."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, data in batches.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def small(contents, monkeypatch):
    """A class like CIFAR10 whose published files are these, by name."""
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    for attribute in ("source", "subset_source"):
        source = getattr(CIFAR10, attribute)
        known = {name: sums.get(name, "0" * 64) for name in source.sha256}
        monkeypatch.setattr(CIFAR10, attribute, source._replace(sha256=known))
    return CIFAR10


def put(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)


def whole_archive():
    batches = {f"data_batch_{n}": records([n, 0, 0], seed=n) for n in range(1, 6)}
    return {"cifar-10-binary.tar.gz": archive({**batches, "test_batch": records([7, 8])})}


def subset_files():
    return {
        "train_subset.bin.gz": gzip.compress(records([3, 1])),
        "test_subset.bin.gz": gzip.compress(records([9])),
    }


def test_the_whole_archive_is_read_in_order(nowhere, monkeypatch):
    contents = whole_archive()
    put(nowhere / "root" / "cifar10", contents)
    kind = small(contents, monkeypatch)
    train, test = kind(nowhere / "root"), kind(nowhere / "root", train=False)
    assert train.targets.tolist() == [1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0, 5, 0, 0]
    assert test.targets.tolist() == [7, 8]
    assert not train.subset
    assert repr(test) == "CIFAR10(2 images of 32 x 32, 10 classes, the whole)"
    # Record 0 of data_batch_2, whose label byte comes before its first red byte.
    first = records([2, 0, 0], seed=2)
    assert train.data[3].numpy().tobytes() == first[1:3073]
    image, label = train[3]
    assert (image.shape, image.dtype, label) == ((3, 32, 32), minigrad.float32, 2)
    assert image[1, 0, 0].item() == np.float32(first[1 + 1024]) / np.float32(255)


def test_batches_of_colour_images_are_the_collated_samples(nowhere, monkeypatch):
    contents = subset_files()
    put(nowhere / "root" / "cifar10", contents)
    dataset = small(contents, monkeypatch)(nowhere / "root", subset=True)
    images, labels = next(iter(DataLoader(dataset, batch_size=2)))
    expected = default_collate([dataset[0], dataset[1]])
    assert images.shape == (2, 3, 32, 32)
    assert images.tolist() == expected[0].tolist()
    assert labels.tolist() == [3, 1]


def test_the_subset_is_taken_where_the_whole_is_missing_and_says_so(nowhere, monkeypatch):
    contents = subset_files()
    put(nowhere / "data" / "cifar10", contents)
    monkeypatch.setenv(files.FOLDER_VARIABLE, str(nowhere / "data"))
    kind = small(contents, monkeypatch)
    with pytest.warns(UserWarning, match="subset of 2 images"):
        train = kind()
    assert train.subset
    assert repr(train) == "CIFAR10(2 images of 32 x 32, 10 classes, a balanced subset)"
    assert kind(train=False, subset=True).targets.tolist() == [9]
    with pytest.raises(DataFileError, match=r"no mirror gave it.*subset=True"):
        kind(subset=False)


def test_the_whole_is_taken_where_both_are(nowhere, monkeypatch):
    contents = {**whole_archive(), **subset_files()}
    put(nowhere / "root" / "cifar10", contents)
    kind = small(contents, monkeypatch)
    assert len(kind(nowhere / "root")) == 15
    assert len(kind(nowhere / "root", subset=False)) == 15
    assert len(kind(nowhere / "root", subset=True)) == 2


def test_the_subset_is_drawn_from_the_whole_where_its_file_is_missing(nowhere, monkeypatch):
    contents = whole_archive()
    put(nowhere / "root" / "cifar10", contents)
    monkeypatch.setattr("minigrad.datasets.cifar._EACH", {True: 4, False: 1})
    dataset = small(contents, monkeypatch)(nowhere / "root", subset=True)
    assert dataset.subset
    assert dataset.targets.tolist() == [1, 0, 0, 2, 0, 0, 3, 4, 5]


def test_subset_is_yes_no_or_none():
    with pytest.raises(ArgumentError, match="subset is 4000"):
        CIFAR10(subset=4000)


def test_what_damaged_files_of_cifar_say(nowhere, monkeypatch):
    good = records([1, 2, 3])
    packed = gzip.compress(good, mtime=0)
    wrong = bytearray(good)
    wrong[2 * 3073] = 11
    cases = {
        "empty.bin": b"",
        "cut.bin": good[:-1],
        "label.bin": bytes(wrong),
        "cut.bin.gz": packed[:-9],
        "page.bin.gz": b"<html>Moved</html>",
    }
    put(nowhere, cases)
    lines = [refusal(read_cifar, nowhere / name) for name in cases]
    for number, data in enumerate(
        [b"<html>Moved</html>", archive({"data_batch_1": good}), archive({"test_batch": good[:9]})]
    ):
        contents = {"cifar-10-binary.tar.gz": data}
        put(nowhere / str(number) / "cifar10", contents)
        kind = small(contents, monkeypatch)
        lines.append(refusal(kind, nowhere / str(number), train=False))
    check_golden("data/cifar_files", "\n".join(lines), folder=nowhere)


def test_a_damaged_subset_is_refused(nowhere, monkeypatch):
    contents = subset_files()
    kind = small(contents, monkeypatch)
    put(nowhere / "root" / "cifar10", {"train_subset.bin.gz": b"half"})
    with pytest.raises(DataFileError, match=r"damaged: it has 4 bytes .* put the whole one"):
        kind(nowhere / "root", subset=True)


@needs("cifar10")
def test_the_subset_is_the_one_that_was_drawn():
    train, test = CIFAR10(subset=True), CIFAR10(train=False, subset=True)
    assert train.targets[:12].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3, 4, 7]
    assert test.targets[:12].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1, 0, 9]
    assert np.bincount(train.targets.numpy()).tolist() == [400] * 10
    assert np.bincount(test.targets.numpy()).tolist() == [100] * 10
    assert train.data[0, :, 0, 0].tolist() == [59, 62, 63]
    assert test.data[0, :, 0, 0].tolist() == [158, 112, 49]
    assert (train.classes[6], train.classes[9]) == ("frog", "truck")


# Tables.


def test_a_table_is_read(tmp_path):
    path = tmp_path / "homes.csv"
    path.write_text("\ufeffarea, price\r\n1056,39.07\r\n\r\n2600, 1.2e2\r\n", "utf-8")
    columns, values = read_csv(path)
    assert columns == ("area", "price")
    assert values.dtype == np.float64
    assert values.tolist() == [[1056, 39.07], [2600, 120]]
    table = datasets.TableDataset(path)
    assert repr(table) == "TableDataset(2 rows: area -> price)"
    assert table.column("price").tolist() == table.targets.tolist() == [np.float32(39.07), 120]
    row, target = table[1]
    assert (row.tolist(), target.item()) == ([2600], 120)
    rows, targets = next(iter(DataLoader(table, batch_size=2)))
    assert (rows.tolist(), targets.shape) == ([[1056], [2600]], (2,))
    with pytest.raises(ArgumentError, match="no column 'size'; the columns are area, price"):
        table.column("size")


def test_what_damaged_tables_say(tmp_path):
    cases = {
        "empty.csv": b"",
        "header.csv": b"age,bought\n22,0\n",
        "page.csv": b"<html>Moved</html>\n",
        "twice.csv": b"age,age\n22,0\n",
        "rows.csv": b"age,bought_insurance\n",
        "short.csv": b"age,bought_insurance\n22,0\n\n25\n",
        "long.csv": b"age,bought_insurance\n22,0,1\n",
        "blank.csv": b"age,bought_insurance\n22,0\n25,\n",
        "word.csv": b"age,bought_insurance\n22,yes\n",
        "nan.csv": b"age,bought_insurance\nnan,1\n",
        "binary.csv": b"\x1f\x8b\x08\x00",
    }
    put(tmp_path, cases)
    lines = []
    for name in cases:
        columns = ["age", "bought_insurance"] if name in ("header.csv", "page.csv") else None
        lines.append(refusal(read_csv, tmp_path / name, columns))
    (tmp_path / "one.csv").write_text("age\n22\n")
    lines.append(refusal(datasets.TableDataset, tmp_path / "one.csv"))
    check_golden("data/csv_files", "\n".join(lines), folder=tmp_path)


def test_a_file_goes_by_its_published_name_on_the_mirror(nowhere, monkeypatch):
    asked = []
    monkeypatch.setattr(pooch, "retrieve", lambda url, fname, **more: asked.append((url, fname)))
    source = datasets.Insurance.affordability_source
    files.locate(source, "insurance_data_affordibility.csv")
    assert asked == [(source.mirrors[0] + "insurance_data.csv", "insurance_data_affordibility.csv")]


@needs("insurance")
def test_the_insurance_tables_are_the_published_ones():
    plain, more = datasets.Insurance(), datasets.Insurance(affordability=True)
    assert repr(plain) == "Insurance(27 rows: age -> bought_insurance)"
    assert more.columns == ("age", "affordibility", "bought_insurance")
    assert (plain.targets.sum().item(), more.targets.sum().item()) == (14, 14)
    assert (plain.data.min().item(), plain.data.max().item(), len(more)) == (18, 62, 28)


@needs("homeprices")
def test_the_home_prices_are_the_published_ones():
    plain, more = datasets.HomePrices(), datasets.HomePrices(age=True)
    assert repr(plain) == "HomePrices(20 rows: area, bedrooms -> price)"
    assert plain.values[0].tolist() == [1056, 2, 39.07]
    assert more.columns == ("area", "bedrooms", "age", "price")
    assert more.values[-1].tolist() == [4100, 6, 8, 810000]


# Texts.


@pytest.fixture
def play(tmp_path, monkeypatch):
    """The class, for a text of ten characters."""
    data = b"to be, or!"
    source = datasets.TinyShakespeare.source._replace(
        sha256={"input.txt": hashlib.sha256(data).hexdigest()}
    )
    monkeypatch.setattr(datasets.TinyShakespeare, "source", source)
    put(tmp_path / "tinyshakespeare", {"input.txt": data})
    return lambda **options: datasets.TinyShakespeare(tmp_path, **options)


def test_a_text_is_cut_into_samples(play):
    text = play(length=3)
    assert (text.text, text.vocabulary, len(text)) == ("to be, or", " !,beort", 6)
    samples = [(text.decode(x.tolist()), text.decode(y.tolist())) for x, y in (text[0], text[-1])]
    assert samples == [("to ", "o b"), (", o", " or")]
    assert text.encode("be").tolist() == [3, 4]
    inputs, targets = text.gather([0, -1])
    assert inputs.dtype == minigrad.int64
    assert [inputs[1].tolist(), targets[1].tolist()] == [part.tolist() for part in text[5]]
    with pytest.raises(IndexError):
        text[6]
    with pytest.raises(IndexError):
        text.gather([0, 6])


def test_what_is_no_part_of_a_text(play):
    with pytest.raises(ArgumentError, match=r"'T', 'z' not in the vocabulary"):
        play(length=3).encode("To z")
    with pytest.raises(ArgumentError, match="length is 9; it must be from 1 to 8"):
        play(length=9)


@needs("tinyshakespeare")
def test_tiny_shakespeare_is_the_published_one():
    train, test = datasets.TinyShakespeare(), datasets.TinyShakespeare(train=False)
    assert len(train.text) + len(test.text) == 1_115_394
    assert train.text.startswith("First Citizen:\nBefore we proceed")
    assert len(test.vocabulary) == 65


@needs("names")
def test_the_names_are_the_published_ones():
    names = datasets.Names()
    assert (len(names), names[0], len(set(names.names))) == (32_033, "emma", 29_494)
    assert names.decode(names.encode("emma").tolist()) == "emma"
    assert names.encode(".az").tolist() == [0, 1, 26]
    with pytest.raises(ArgumentError, match="'é' not in the vocabulary"):
        names.encode("zoé")
    assert repr(names) == "Names(32,033 names, emma to zzyzx)"
