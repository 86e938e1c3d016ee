"""Saving and loading: what comes back, what a damaged file says, and what a failure leaves."""

import json
import math
import os
import subprocess
import sys
import textwrap
import zlib

import numpy as np
import pytest
import safetensors
import safetensors.numpy
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minigrad
from minigrad import nn, optim
from minigrad.io import CheckpointError, atomic
from minigrad.tensor import Tensor
from tests.golden_files import check_golden
from tests.strict import strict_device


@pytest.fixture
def path(tmp_path):
    return tmp_path / "saved.safetensors"


def same(one, other):
    """Whether two nested objects agree in types, order of keys, dtypes and every bit."""
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and (
            one.requires_grad == other.requires_grad
            and same(one.detach().numpy(), other.detach().numpy())
        )
    if isinstance(one, dict):  # a state dict is an OrderedDict, and comes back as a dict
        return isinstance(other, dict) and same(list(one.items()), list(other.items()))
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, (np.ndarray, np.generic)):
        facts = [(a.dtype, a.shape, np.ascontiguousarray(a).tobytes()) for a in (one, other)]
        return facts[0] == facts[1]
    return one == other or (one != one and other != other)


def returns(obj, path):
    minigrad.save(obj, path)
    return same(obj, minigrad.load(path))


DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
    "complex64", "complex128",
)  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_tensors_of_every_dtype_and_shape_come_back(dtype, shape, path):
    values = np.arange(math.prod(shape)).reshape(shape) - 2
    if np.dtype(dtype).kind == "c":
        values = values * (1 - 2j)
    assert returns(minigrad.from_numpy(values.astype(dtype)), path)


def test_special_values_keep_their_bits(path):
    bits = np.array([0x7FC00001, 0xFFC12345, 0x80000000, 0x00000001, 0x7F800000], np.uint32)
    assert returns(minigrad.from_numpy(bits.view(np.float32)), path)
    assert returns(minigrad.tensor([complex(-0.0, math.nan), complex(math.inf, -0.0)]), path)


def test_views_come_back_as_they_look(path):
    base = minigrad.arange(24).reshape(4, 6)
    for view in (base.T, base[1:3, ::2], base[:, 5], base.flip(0), base.expand(2, 4, 6)):
        assert returns(view, path)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.sampled_from([np.float64(0.5), np.int8(-3), np.bool_(True), np.float32("nan")])
)
keys = st.text(max_size=4) | st.integers(-3, 300) | st.booleans() | st.none() | st.floats()
leaves = scalars | st.lists(st.integers(-9, 9)).map(
    lambda v: minigrad.tensor(v, dtype=minigrad.int64)
)
nested = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(obj=nested)
def test_nested_objects_come_back(obj, path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # 150 waits for the disk otherwise
    assert returns(obj, path)


def test_keys_that_would_share_a_name_stay_apart(path):
    one, two, three = (minigrad.tensor([float(i)]) for i in range(3))
    assert returns({"a.b": one, "a": {"b": two}, ("a",): {"b": three}}, path)
    assert returns({"__metadata__": one, "": two, 1: three, "1": one, "\ud800": two}, path)


def test_one_tensor_twice_is_one_tensor_again(path):
    weight = minigrad.ones(2, requires_grad=True)
    minigrad.save({"encoder": weight, "decoder": weight, "other": minigrad.ones(2)}, path)
    loaded = minigrad.load(path)
    assert loaded["encoder"] is loaded["decoder"]
    assert loaded["encoder"] is not loaded["other"]
    assert loaded["encoder"].requires_grad
    assert not loaded["other"].requires_grad


def test_what_is_loaded_is_not_tied_to_the_file(path):
    minigrad.save({"a": minigrad.zeros(3)}, path)
    loaded = minigrad.load(path)["a"]
    loaded.add_(1)
    assert minigrad.load(path)["a"].tolist() == [0, 0, 0]
    minigrad.save({"a": minigrad.full((3,), 5.0)}, path)
    assert loaded.tolist() == [1, 1, 1]


def trained(kind, steps=3):
    minigrad.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    optimizer = kind(model.parameters())
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    advance(model, optimizer, schedule, steps)
    return model, optimizer, schedule


def advance(model, optimizer, schedule, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        model(minigrad.randn(5, 3)).square().mean().backward()
        optimizer.step()
        schedule.step()


OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: optim.Adam(p, amsgrad=True),
    "adamw": optim.AdamW,
    "rmsprop": lambda p: optim.RMSprop(p, momentum=0.5, centered=True),
    "adagrad": optim.Adagrad,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_bit_for_bit(name, path):
    parts = trained(OPTIMIZERS[name])
    saved = [part.state_dict() for part in parts] + [minigrad.get_rng_state()]
    assert returns(saved, path)
    advance(*parts, steps=3)
    expected = parts[0].state_dict()

    others = trained(OPTIMIZERS[name], steps=0)
    for other, state in zip(others, minigrad.load(path)):
        other.load_state_dict(state)
    minigrad.set_rng_state(minigrad.load(path)[-1])
    advance(*others, steps=3)
    assert same(expected, others[0].state_dict())
    assert same(parts[1].state_dict(), others[1].state_dict())
    assert same(parts[2].state_dict(), others[2].state_dict())


def test_generators_come_back(path):
    generator = minigrad.Generator().manual_seed(7)
    minigrad.rand(5, generator=generator)
    minigrad.save({"state": generator.get_state()}, path)
    expected = minigrad.rand(5, generator=generator)
    other = minigrad.Generator()
    other.set_state(minigrad.load(path)["state"])
    assert same(expected, minigrad.rand(5, generator=other))


# Other programs.


def test_other_programs_read_the_tensors(path):
    model = trained(optim.Adam)[0]
    minigrad.save(model.state_dict(), path)
    read = safetensors.torch.load_file(path)
    assert set(read) == set(model.state_dict())
    for name, value in model.state_dict().items():
        assert torch.equal(read[name], torch.from_numpy(value.numpy()))


def test_files_of_other_programs_are_read(path):
    tensors = {"b": torch.randn(2, 3), "a": torch.arange(4), "c": torch.tensor(True)}
    safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})
    loaded = minigrad.load(path)
    assert set(loaded) == {"a", "b", "c"}
    for name, value in tensors.items():
        assert loaded[name].numpy().tobytes() == value.numpy().tobytes()


def test_map_location_says_where_the_tensors_go(path):
    minigrad.save([minigrad.ones(2)], path)
    assert minigrad.load(path, map_location="cpu")[0].device == "cpu"
    with pytest.raises(minigrad.errors.DeviceError, match="nowhere"):
        minigrad.load(path, map_location="nowhere")


# Bad input.


def refusal(kind, action, *arguments):
    with pytest.raises(kind) as caught:
        action(*arguments)
    error = caught.value
    return error.strerror if isinstance(error, OSError) else str(error)


def test_objects_that_cannot_be_saved(path):
    endless = []
    endless.append({"again": endless})
    lines = [
        refusal(kind, minigrad.save, obj, path)
        for kind, obj in [
            (TypeError, {"model": nn.Linear(2, 2)}),
            (TypeError, {"layers": [1, {2, 3}]}),
            (TypeError, {"blob": b"123"}),
            (TypeError, {"when": np.datetime64("2020-01-01")}),
            (TypeError, np.array(["a"])),
            (TypeError, np.ma.masked_array([1.0], [True])),
            (TypeError, {frozenset({1}): 2}),
            (ValueError, endless),
        ]
    ]
    check_golden("data/save_objects", "\n".join(lines))
    assert not path.exists()


def damaged(whole, change):
    data = bytearray(whole)
    change(data)
    return bytes(data)


def test_files_that_cannot_be_loaded(path, tmp_path):
    minigrad.save({"weight": minigrad.arange(8).float()}, path)
    whole = path.read_bytes()
    first = 8 + int.from_bytes(whole[:8], "little")
    later = whole.replace(rb"\"version\":1", rb"\"version\":9")
    assert later != whole
    cases = {
        "empty": b"",
        "short": whole[: first - 10],
        "no_tensors": whole[:-9],
        "longer": whole + b"more",
        "flipped": whole[:-1] + bytes([whole[-1] ^ 1]),
        "text": b"Once upon a time there was a file of text.",
        "zip": b"PK\x03\x04" + bytes(60),
        "pickle": b"\x80\x02}q\x00." + bytes(20),
        "huge_header": b"\xff" * 64,
        "version": later,
        "no_checksum": whole.replace(rb"\"crc32\"", rb"\"other\""),
    }
    lines = []
    for name, data in cases.items():
        broken = tmp_path / f"{name}.safetensors"
        broken.write_bytes(data)
        lines.append(refusal(CheckpointError, minigrad.load, broken))
    lines.append(refusal(FileNotFoundError, minigrad.load, tmp_path / "missing.safetensors"))
    lines.append(refusal(IsADirectoryError, minigrad.load, tmp_path))
    check_golden("data/load_files", "\n".join(lines), folder=tmp_path)


def test_every_flipped_byte_is_noticed(path):
    obj = {"weight": minigrad.arange(5), "epoch": 3, "rate": 0.25, "name": "x"}
    minigrad.save(obj, path)
    whole = path.read_bytes()
    harmless = 0
    for position in range(len(whole)):
        path.write_bytes(
            damaged(whole, lambda data, at=position: data.__setitem__(at, data[at] ^ 4))
        )
        try:
            loaded = minigrad.load(path)
        except CheckpointError:
            continue
        assert same(obj, loaded), f"byte {position} was changed and nobody noticed"
        harmless += 1
    assert harmless <= 8  # white space that fills the header up to a multiple of eight bytes


@pytest.mark.parametrize("length", [0, 7, 8, 50, 200, -1])
def test_a_file_cut_short_is_noticed(length, path):
    minigrad.save({"weight": minigrad.arange(50)}, path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError, match=r"saved\.safetensors"):
        minigrad.load(path)


def described_as(structure, path):
    """A whole file with this description, as a later minigrad may write it."""
    text = json.dumps(structure, separators=(",", ":"))
    entry = {"crc32": f"{zlib.crc32(text.encode()):08x}", "version": 1, "structure": structure}
    metadata = {"minigrad": json.dumps(entry, separators=(",", ":"))}
    safetensors.numpy.save_file({}, path, metadata=metadata)
    return path


def test_descriptions_that_describe_nothing(path):
    assert minigrad.load(described_as([1, {"tuple": [2]}], path)) == [1, (2,)]
    structures = [{"surprise": 1}, {"tensor": "missing"}, {"dict": [1]}, {"float": "x"}]
    lines = [refusal(CheckpointError, minigrad.load, described_as(s, path)) for s in structures]
    assert all("its description is damaged" in line for line in lines)


def test_the_same_object_gives_the_same_file(path):
    obj = {"b": minigrad.arange(3), "a": [minigrad.ones(2, 2), 0.5], "c": {1: "x"}}
    files = set()
    for _ in range(5):
        minigrad.save(obj, path)
        files.add(path.read_bytes())
    assert len(files) == 1


def test_tensors_of_a_dtype_that_is_not_ours(path):
    safetensors.torch.save_file({"w": torch.ones(2, dtype=torch.bfloat16)}, path)
    if hasattr(minigrad, "bfloat16"):
        assert minigrad.load(path)["w"].dtype == minigrad.bfloat16
    else:
        message = refusal(CheckpointError, minigrad.load, path)
        assert "it holds a tensor that minigrad cannot hold" in message
        assert "bfloat16" in message


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("a file")
    lines = [
        refusal(OSError, minigrad.save, {}, place)
        for place in (tmp_path / "no" / "where.safetensors", tmp_path)
    ]
    check_golden("data/save_places", "\n".join(lines), folder=tmp_path)


# What a failure leaves.


def listing(folder):
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("step", ["save_file", "fsync", "replace"])
def test_a_failure_at_any_step_keeps_the_old_file(step, path, tmp_path, monkeypatch):
    minigrad.save({"epoch": 1}, path)

    def fail(*arguments, **options):
        raise OSError(28, "No space left on device")

    owner = {"save_file": safetensors.numpy, "fsync": os, "replace": os}[step]
    monkeypatch.setattr(owner, step, fail)
    message = refusal(OSError, minigrad.save, {"epoch": 2}, path)
    monkeypatch.undo()
    check_golden("data/save_full_disk", message, folder=tmp_path)
    assert minigrad.load(path) == {"epoch": 1}
    assert listing(tmp_path) == [path.name]


def test_an_interruption_keeps_the_old_file(path, tmp_path, monkeypatch):
    minigrad.save({"epoch": 1}, path)

    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        minigrad.save({"epoch": 2}, path)
    monkeypatch.undo()
    assert minigrad.load(path) == {"epoch": 1}
    assert listing(tmp_path) == [path.name]


def in_another_process(script, *arguments):
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX's")
def test_a_really_full_place_keeps_the_old_file(path, tmp_path):
    minigrad.save({"epoch": 1}, path)
    script = """
        import resource, signal, sys, minigrad
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            minigrad.save({"large": minigrad.zeros(1_000_000)}, sys.argv[1])
        except OSError as error:
            print(error.strerror)
    """
    run = in_another_process(script, path)
    assert "cannot write" in run.stdout, run.stderr
    assert "unchanged" in run.stdout
    assert minigrad.load(path) == {"epoch": 1}
    assert listing(tmp_path) == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_a_kill_while_writing_keeps_the_old_file(path):
    minigrad.save({"epoch": 1}, path)
    script = """
        import os, signal, sys, minigrad
        os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
        minigrad.save({"epoch": 2}, sys.argv[1])
    """
    assert in_another_process(script, path).returncode == -9
    assert minigrad.load(path) == {"epoch": 1}


def test_a_new_file_gets_the_usual_permissions_and_an_old_one_keeps_its_own(path):
    minigrad.save(1, path)
    plain = path.with_name("plain")
    plain.write_text("")
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o640)
    minigrad.save(2, path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("")
    link.symlink_to(target)
    minigrad.save(5, link)
    assert link.is_symlink()
    assert minigrad.load(target) == 5


def test_probing_a_place_leaves_nothing(tmp_path):
    atomic.check_writable(tmp_path / "new")
    assert listing(tmp_path) == []


def test_without_safetensors_it_says_what_to_install(path):
    script = """
        import sys
        sys.modules["safetensors"] = None
        import minigrad
        for action in (lambda: minigrad.save({}, sys.argv[1]), lambda: minigrad.load(sys.argv[1])):
            try:
                action()
            except ModuleNotFoundError as error:
                print(error)
    """
    path.write_text("no archive of torch")
    run = in_another_process(script, path)
    check_golden("data/without_safetensors", run.stdout.strip())


def test_tensors_of_another_device(path):
    with strict_device() as place:
        weight = minigrad.arange(6).reshape(2, 3).float().to(place)
        minigrad.save({"weight": weight}, path)
        assert minigrad.load(path)["weight"].device == "cpu"
        loaded = minigrad.load(path, map_location=place)["weight"]
        assert loaded.device == place
        assert loaded.tolist() == [[0, 1, 2], [3, 4, 5]]
