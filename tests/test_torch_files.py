"""Checkpoints of torch: read here, written for torch, and what a malicious or damaged one does."""

import collections
import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch

import minigrad
from minigrad import nn, optim
from minigrad.io import CheckpointError
from tests.golden_files import check_golden


@pytest.fixture
def path(tmp_path):
    return tmp_path / "saved.pt"


def from_torch(obj, path, **options):
    torch.save(obj, path)
    return minigrad.load(path, **options)


def to_torch(obj, path, **options):
    minigrad.save(obj, path)
    return torch.load(path, weights_only=True, **options)


def same(ours, theirs):
    """Whether a nested object of ours has torch's values, dtypes, types and order of keys."""
    if isinstance(theirs, torch.Tensor):
        return (
            isinstance(ours, minigrad.Tensor)
            and ours.requires_grad == theirs.requires_grad
            and isinstance(ours, nn.Parameter) == isinstance(theirs, torch.nn.Parameter)
            and str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
            and tuple(ours.shape) == tuple(theirs.shape)
            and np.array_equal(ours.detach().numpy(), theirs.detach().numpy(), equal_nan=True)
        )
    if isinstance(theirs, torch.Size):
        return isinstance(ours, minigrad.Size) and tuple(ours) == tuple(theirs)
    if isinstance(theirs, torch.dtype):
        return str(ours) == str(theirs).removeprefix("torch.")
    if isinstance(theirs, torch.device):
        return isinstance(ours, minigrad.device) and str(ours) == str(theirs)
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, dict):
        return same(list(ours.items()), list(theirs.items()))
    if isinstance(ours, (list, tuple)):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return ours == theirs or (ours != ours and theirs != theirs)


DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
    "complex64", "complex128", "uint16", "uint32", "uint64",
)  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_of_every_dtype_and_shape_go_both_ways(dtype, path):
    shapes = [(), (0,), (3,), (2, 0, 3), (2, 3, 4)]
    values = [np.arange(np.prod(s)).reshape(s).astype(dtype) for s in shapes]
    theirs = [torch.from_numpy(value) for value in values]
    ours = from_torch(theirs, path)
    assert same(ours, theirs)
    assert all(tensor.dtype is getattr(minigrad, dtype) for tensor in ours)
    assert same(ours, to_torch(ours, path))


PLAIN = {
    "numbers": [0, 255, 256, -1, 2**31, -(2**63), 2**200, 0.5, float("inf"), float("nan"), 1j],
    "strings": ["", "é", "x" * 300, "same", "same"],
    "none": [None, True, False],
    "nested": {"a": ({"b": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)]},), 1: {2.5: None}},
    "bytes": b"\x00\xff",
    "set": {1, 2},
    "ordered": collections.OrderedDict([("z", 1), ("a", 2)]),
    (1, "key"): "of a tuple",
}


def test_plain_objects_go_both_ways(path):
    assert same(from_torch(PLAIN, path), PLAIN)
    assert same(PLAIN, to_torch(PLAIN, path))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_of_pickles_is_read(protocol, path):
    obj = {**PLAIN, "tensor": torch.arange(3), "bytearray": bytearray(b"ab")}
    torch.save(obj, path, pickle_protocol=protocol)
    assert same(minigrad.load(path), obj)


def test_torch_s_own_kinds_go_both_ways(path):
    theirs = {
        "size": torch.Size([2, 3]),
        "device": torch.device("cuda:1"),
        "place": torch.device("cpu"),
        "dtype": torch.float16,
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "frozen": torch.nn.Parameter(torch.ones(2), requires_grad=False),
        "leaf": torch.ones(2, requires_grad=True),
    }
    ours = from_torch(theirs, path)
    assert same(ours, theirs)
    assert same(ours, to_torch(ours, path))


def test_attributes_of_tensors_are_read(path):
    weight, tensor = torch.nn.Parameter(torch.ones(2)), torch.ones(3)
    weight.rank = tensor.rank = "low"
    ours = from_torch([weight, tensor], path)
    assert same(ours, [weight, tensor])
    assert [one.rank for one in ours] == ["low", "low"]


def test_numpy_numbers_and_arrays_are_read(path):
    obj = {
        "scalar": np.float64(0.5),
        "integer": np.int16(-3),
        "array": np.arange(6, dtype=">i4").reshape(2, 3),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }
    ours = from_torch(obj, path)
    for name, value in obj.items():
        assert type(ours[name]) is type(value)
        assert ours[name].dtype == value.dtype.newbyteorder("=")
        assert np.array_equal(ours[name], value)


def test_strides_and_shared_storages_go_both_ways(path):
    base = torch.arange(24.0).reshape(4, 6)
    views = [base, base.T, base[1:3, ::2], base[:, 5], base[0].expand(3, 6), base.view(-1)[3:9]]
    ours = from_torch(views, path)
    assert same(ours, views)
    assert [view.stride() for view in ours] == [view.stride() for view in views]
    for tensors in (ours, to_torch(ours, path)):
        tensors[0].fill_(7)
        assert [float(view.sum() / view.numel()) for view in tensors] == [7.0] * len(views)


def test_tensors_apart_in_one_memory_are_written_without_the_rest(path):
    memory = minigrad.zeros(1_000_000)
    minigrad.save([memory[:10], memory[500:510]], path)
    assert path.stat().st_size < 5000
    whole = minigrad.arange(10)
    assert same([whole.flip(0), whole[::3]], to_torch([whole.flip(0), whole[::3]], path))


def test_one_tensor_twice_is_one_tensor_again(path):
    weight = torch.nn.Parameter(torch.ones(2))
    ours = from_torch({"a": weight, "b": weight}, path)
    assert ours["a"] is ours["b"]
    theirs = to_torch(ours, path)
    assert theirs["a"] is theirs["b"]


def pair(library):
    layers = library.nn
    return layers.Sequential(
        layers.Conv2d(1, 2, 3), layers.BatchNorm2d(2), layers.Flatten(), layers.Linear(8, 3)
    )


def advanced(library, model, optimizer):
    images = library.arange(64, dtype=library.float64).reshape(4, 1, 4, 4).sin()
    for _ in range(2):
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()


def trained(library, kind):
    layers = library.nn
    model = layers.Sequential(layers.Conv2d(1, 2, 3), layers.Tanh(), layers.Flatten())
    model = layers.Sequential(model, layers.Linear(8, 3)).double()
    optimizer = kind(model.parameters())
    advanced(library, model, optimizer)
    return model, optimizer


OPTIMIZERS = {
    "sgd": lambda library: lambda p: library.optim.SGD(p, lr=0.1, momentum=0.9),
    "adam": lambda library: lambda p: library.optim.Adam(p, lr=0.01, amsgrad=True),
    "rmsprop": lambda library: lambda p: library.optim.RMSprop(p, lr=0.01, centered=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_goes_on_in_the_other_library(name, path):
    # Both go on from the same file for two steps. The libraries sum in another order, which costs
    # a few units in the last place; Adam's division by a small root may enlarge them a hundredfold.
    for writer, reader in ((torch, minigrad), (minigrad, torch)):
        model, optimizer = trained(writer, OPTIMIZERS[name](writer))
        writer.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
        other, other_optimizer = trained(reader, OPTIMIZERS[name](reader))
        saved = reader.load(path)
        other.load_state_dict(saved["model"])
        other_optimizer.load_state_dict(saved["optimizer"])
        advanced(writer, model, optimizer)
        advanced(reader, other, other_optimizer)
        for one, two in zip(model.state_dict().values(), other.state_dict().values()):
            np.testing.assert_allclose(one.numpy(), two.numpy(), rtol=1e-11, atol=1e-12)


def test_state_dicts_keep_what_they_note_of_versions(path):
    model = pair(torch)
    ours = from_torch(model.state_dict(), path)
    assert type(ours) is collections.OrderedDict
    assert ours._metadata == model.state_dict()._metadata
    assert to_torch(ours, path)._metadata == model.state_dict()._metadata
    assert same(ours, model.state_dict())


def test_bfloat16_becomes_float32_with_a_note(path):
    theirs = torch.tensor([1.0, -2.5, 3e38, float("inf")], dtype=torch.bfloat16)
    torch.save([theirs, theirs[1:]], path)
    with pytest.warns(UserWarning, match="bfloat16"):
        ours = minigrad.load(path)
    assert ours[0].dtype == minigrad.float32
    assert ours[0].tolist() == theirs.float().tolist()
    ours[0].fill_(0)
    assert ours[1].tolist() == [0, 0, 0]


def test_files_of_machines_of_the_other_byte_order(path):
    theirs = torch.arange(5, dtype=torch.float32)
    records = contents(saved([theirs, theirs > 2], path))
    records["byteorder"] = b"big"
    records["data/0"] = theirs.numpy().astype(">f4").tobytes()
    ours = minigrad.load(io.BytesIO(archived(records)))
    assert ours[0].tolist() == theirs.tolist()
    assert ours[0].dtype is minigrad.float32
    assert ours[1].tolist() == (theirs > 2).tolist()


def test_mapped_files_are_the_same_and_private(path):
    theirs = {"a": torch.randn(1000), "b": torch.arange(7, dtype=torch.int8)}
    ours = from_torch(theirs, path, mmap=True)
    assert same(ours, theirs)
    before = path.read_bytes()
    ours["a"].fill_(0)
    assert path.read_bytes() == before
    minigrad.save(ours, path)  # replaced, not overwritten: the old memory stays
    assert ours["b"].tolist() == list(range(7))
    assert same(ours, torch.load(path, weights_only=True, mmap=True))


def test_open_files(path):
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(2)}, buffer)
    with pytest.raises(CheckpointError, match=r"seek\(0\)"):
        minigrad.load(buffer)
    buffer.seek(0)
    assert minigrad.load(buffer)["a"].tolist() == [1, 1]
    for format in ("torch", "safetensors", None):
        buffer = io.BytesIO()
        minigrad.save({"a": minigrad.ones(2)}, buffer, format=format)
        buffer.seek(0)
        assert minigrad.load(buffer)["a"].tolist() == [1, 1]
    buffer.seek(0)
    assert torch.load(buffer)["a"].tolist() == [1, 1]
    with open(path, "wb") as file:
        minigrad.save([3], file)
    assert minigrad.load(path) == [3]


def test_the_ending_of_a_path_or_the_format_says_what_is_written(tmp_path):
    for name, format, start in [
        ("a.pt", None, b"PK"),
        ("b.pth", None, b"PK"),
        ("c.safetensors", "torch", b"PK"),
    ]:
        minigrad.save([minigrad.ones(1)], tmp_path / name, format=format)
        assert (tmp_path / name).read_bytes().startswith(start)
        assert minigrad.load(tmp_path / name)[0].tolist() == [1]
    minigrad.save([minigrad.ones(1)], tmp_path / "d.pt", format="safetensors")
    assert not (tmp_path / "d.pt").read_bytes().startswith(b"PK")
    with pytest.raises(ValueError, match="'pickle'"):
        minigrad.save([], tmp_path / "e.pt", format="pickle")


def test_map_location(path):
    seen = []

    def here(storage, tag):
        seen.append((storage.tolist(), tag))
        return storage

    for place in ("cpu", minigrad.device("cpu"), {"cuda:0": "cpu"}, here, lambda s, t: None):
        assert from_torch([torch.ones(2)], path, map_location=place)[0].device == "cpu"
    assert seen == [([1.0, 1.0], "cpu")]
    with pytest.raises(minigrad.errors.DeviceError, match="nowhere"):
        minigrad.load(path, map_location="nowhere")
    with pytest.raises(minigrad.errors.ArgumentError, match="map_location"):
        minigrad.load(path, map_location=3)


def test_the_same_object_gives_the_same_file(path):
    files = set()
    for _ in range(3):
        minigrad.save({"a": minigrad.ones(3), "b": [1, "x"]}, path)
        files.add(path.read_bytes())
    assert len(files) == 1


# Bad input.


def saved(obj, path):
    torch.save(obj, path)
    return path


def contents(path):
    with zipfile.ZipFile(path) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def archived(records, *, folder="archive/", compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in records.items():
            archive.writestr(folder + name, content)
    return buffer.getvalue()


class Harmful:
    """An object whose pickle asks for a call."""

    def __init__(self, function, *arguments):
        self.asked = function, arguments

    def __reduce__(self):
        return self.asked


def refusal(content, path):
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        minigrad.load(path)
    return str(caught.value)


def with_pickle(pickled, **records):
    return archived({"data.pkl": pickled, "version": b"3\n", **records})


def test_nothing_of_a_malicious_pickle_is_run(path, tmp_path):
    proof = tmp_path / "proof"
    attacks = [
        Harmful(os.system, f"touch {proof}"),
        Harmful(exec, f"open({str(proof)!r}, 'w')"),
        Harmful(getattr, "".join, "__class__"),
        Harmful(__import__, "subprocess"),
        Harmful(open, str(proof), "w"),
    ]
    lines = [
        refusal(with_pickle(pickle.dumps(attack, protocol)), path)
        for attack in attacks
        for protocol in (2, 4)
    ]
    lines.append(refusal(with_pickle(b"cos\nsystem\n."), path))
    lines.append(refusal(with_pickle(b"(S'touch'\nios\nsystem\n."), path))
    lines.append(refusal(with_pickle(b"\x82\x01."), path))
    # A name that is admitted, called with what it is not for.
    rebuild = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n"
    lines.append(refusal(with_pickle(rebuild + b"(K\x01tR."), path))
    lines.append(refusal(with_pickle(b"\x80\x02ctorch\nFloatStorage\n)R."), path))
    lines.append(refusal(with_pickle(b"\x80\x02ctorch.nn.parameter\nParameter\n)\x81."), path))
    assert not proof.exists()
    check_golden("data/torch_attacks", "\n".join(lines), folder=tmp_path)


def test_objects_that_are_no_data_are_named(path, tmp_path):
    import argparse

    objects = [
        torch.nn.Linear(2, 2),
        torch.optim.SGD([torch.ones(1)], 0.1),
        argparse.Namespace(lr=0.1),
        torch.ones(2).to_sparse(),
        torch.ones(2, device="meta"),
        torch.ones(2).to(torch.float8_e5m2),
        np.array(["text"]),
        np.array([object()]),
    ]
    lines = []
    for obj in objects:
        buffer = io.BytesIO()
        torch.save(obj, buffer)
        lines.append(refusal(buffer.getvalue(), path))
    check_golden("data/torch_objects", "\n".join(lines), folder=tmp_path)


def changed(path, old, new):
    """The file's records, with a part of the pickle changed."""
    records = contents(path)
    assert records["data.pkl"].count(old) == 1
    records["data.pkl"] = records["data.pkl"].replace(old, new)
    return archived(records)


def test_sizes_that_do_not_fit_are_refused_before_memory_is_taken(path, tmp_path):
    saved(torch.full((77,), 3.0), path)
    # In the pickle: the storage has K\x4d elements, the tensor begins at K\x00, has (K\x4d,) sizes
    # and (K\x01,) strides.
    count, sizes, strides = b"K\x4dtq", b"K\x4d\x85q", b"K\x01\x85q"
    huge = b"\x8a\x06" + (1 << 40).to_bytes(6, "little")
    below = b"J" + struct.pack("<i", -1)
    whole = path.read_bytes()
    cases = [
        changed(path, count, huge + b"tq"),
        changed(path, sizes, huge + b"\x85q"),
        changed(path, strides, huge + b"\x85q"),
        changed(path, sizes, below + b"\x85q"),
        changed(path, strides, below + b"\x85q"),
        changed(path, sizes, b"K\x4eq"[:2] + b"\x85q"),
        archived({**contents(path), "data/0": b""}),
        archived({k: v for k, v in contents(path).items() if k != "data/0"}),
        with_pickle(b"\x80\x02X\xff\xff\xff\x7fx."),
        with_pickle(b"\x80\x02\x8b\xff\xff\xff\xffx."),
        with_pickle(b"\x80\x02"),
        with_pickle(b""),
        with_pickle(b"\x80\x02j\x00\x00\x00\x7f."),
        with_pickle(b"\x80\x02((."),
        with_pickle(b"\x80\x02\x85."),
        with_pickle(b"\x80\x02}]K\x01s."),
        whole[: len(whole) // 2],
        whole[:100],
    ]
    lines = [refusal(content, path) for content in cases]
    check_golden("data/torch_sizes", "\n".join(lines), folder=tmp_path)


def test_archives_that_torch_would_not_write(path, tmp_path):
    pickled = pickle.dumps([1], 2)
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("archive/data.pkl", pickled)
    cases = [
        archived({"data.pkl": pickled, "../../../escape": b""}),
        archived({"data.pkl": pickled}, folder="/"),
        archived({"data.pkl": pickled, "..\\escape": b""}),
        archived({"data.pkl": bytes(10_000_000)}, compression=zipfile.ZIP_DEFLATED),
        archived({"a.txt": b"text"}),
        archived({"data.pkl": pickled, "constants.pkl": pickled}),
        twice.getvalue(),
        archived({"data.pkl": pickled}).replace(b"K\x01", b"K\x02"),
    ]
    lines = [refusal(content, path) for content in cases]
    check_golden("data/torch_archives", "\n".join(lines), folder=tmp_path)


def test_records_that_lie_over_each_other_are_refused(path):
    # One stored megabyte, named by many entries of the table, would fill any memory.
    whole = archived({"data.pkl": bytes(1000)})
    end = whole.index(b"PK\x05\x06")
    start = whole.index(b"PK\x01\x02")
    entry = whole[start:end]
    entries = [entry.replace(b"data.pkl", f"data{i:04}".encode()) for i in range(50)]
    table = b"".join([entry, *entries])
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 51, 51, len(table), start, 0)
    assert "larger together than the file" in refusal(whole[:start] + table + tail, path)


def test_every_flipped_byte_is_refused_or_harmless(path):
    theirs = {"weight": torch.arange(6.0).reshape(2, 3), "epoch": 3}
    minigrad.save(minigrad.load(saved(theirs, path)), path)
    whole = path.read_bytes()
    noticed = 0
    for position in range(0, len(whole), 3):
        data = bytearray(whole)
        data[position] ^= 4
        path.write_bytes(bytes(data))
        try:
            loaded = minigrad.load(path)
        except CheckpointError:
            noticed += 1
            continue
        assert same(loaded, theirs), f"byte {position} was changed and nobody noticed"
    assert noticed > 100


@pytest.mark.parametrize("kind", [list, tuple])
def test_deep_nesting_is_no_way_to_crash(kind, path):
    deep = b"]" * 100_000 + b"a" * 99_999 if kind is list else b")" + b"\x85" * 100_000
    path.write_bytes(with_pickle(b"\x80\x02" + deep + b"."))
    assert type(minigrad.load(path)) is kind
    if kind is tuple:  # Python would hash it by recursion
        assert "is no key" in refusal(with_pickle(b"\x80\x02}" + deep + b"Ns."), path)


def test_what_torch_would_refuse_to_read_is_not_written(path):
    endless = []
    endless.append(endless)
    x = minigrad.ones(2, requires_grad=True)
    cases = [
        (TypeError, {"a": [nn.Linear(1, 1)]}),
        (TypeError, {"loss": np.float64(0.5)}),
        (TypeError, {"data": np.ones(2)}),
        (TypeError, {"y": x * 2}),
        (TypeError, {frozenset(): 1}),
        (ValueError, endless),
    ]
    lines = []
    for kind, obj in cases:
        with pytest.raises(kind) as caught:
            minigrad.save(obj, path)
        lines.append(str(caught.value))
    check_golden("data/torch_writes", "\n".join(lines))
    assert not path.exists()


def test_a_failure_keeps_the_old_file(path, tmp_path, monkeypatch):
    minigrad.save({"epoch": 1}, path)

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="unchanged"):
        minigrad.save({"epoch": 2}, path)
    monkeypatch.undo()
    assert minigrad.load(path) == {"epoch": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_trainer_s_state_fits_into_both_formats(tmp_path):
    model = nn.Linear(2, 1)
    optimizer = optim.Adam(model.parameters())
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": optim.lr_scheduler.StepLR(optimizer, 2).state_dict(),
        "generator": minigrad.get_rng_state(),
    }
    for name in ("run.pt", "run.safetensors"):
        minigrad.save(state, tmp_path / name)
        again = minigrad.load(tmp_path / name)
        assert again["optimizer"] == state["optimizer"]
        assert again["schedule"] == state["schedule"]
