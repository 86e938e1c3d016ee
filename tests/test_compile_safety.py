"""A compiled function gives the right numbers or runs eagerly, whatever is done around it."""

from __future__ import annotations

import array
import collections
import contextvars
import copy
import dataclasses
import functools
import gc
import os
import pickle
import sys
import threading
import time
import types
import warnings

import numpy
import pytest

import minigrad
from minigrad import nn, optim

pytestmark = pytest.mark.filterwarnings("ignore:minigrad.compile")


def ones(*shape, **options):
    return minigrad.ones(*shape, **options)


class Slotted:
    __slots__ = ("k",)


class Plain:
    k = 1.0


class Hidden:
    held: collections.abc.Mapping = {}

    def __init__(self):
        self._k = 1.0

    @property
    def k(self):
        return self._k


@dataclasses.dataclass
class Record:
    k: float = 1.0


class Longer(list):
    pass


def replacing(thing, place, value):
    """A change of one entry or attribute."""

    def change():
        if isinstance(place, str) and not isinstance(thing, dict):
            setattr(thing, place, value)
        else:
            thing[place] = value

    return change


def setting(kind, name="k"):
    thing = kind()
    setattr(thing, name, 1.0)
    return (lambda x: x * getattr(thing, "k")), replacing(thing, name, 3.0)  # noqa: B009


def holding(thing, place=0, value=3.0):
    return (lambda x: x * thing[place]), replacing(thing, place, value)


def of_module(depth):
    outer = inner = types.ModuleType("outer")
    for _ in range(depth):
        inner.sub = types.ModuleType("outer.sub")
        inner = inner.sub
    inner.k = 1.0
    names = {"outer": outer}
    exec(f"def function(x): return x * outer{'.sub' * depth}.k", names)
    return names["function"], replacing(inner, "k", 3.0)


def of_function():
    def inner(k=1.0):
        return k

    return (lambda x: x * inner()), replacing(inner, "__defaults__", (3.0,))


def of_code():
    def inner():
        return 1.0

    def other():
        return 3.0

    return (lambda x: x * inner()), replacing(inner, "__code__", other.__code__)


def of_attribute():
    def inner():
        return inner.k

    inner.k = 1.0
    return (lambda x: x * inner()), replacing(inner, "k", 3.0)


def of_closure():
    k = 1.0

    def change():
        nonlocal k
        k = 3.0

    return (lambda x: x * k), change


def of_partial():
    held = [1.0]
    inner = functools.partial(lambda factor: held[0] * factor, 1.0)
    return (lambda x: x * inner()), replacing(held, 0, 3.0)


def of_default():
    held = {"k": 1.0}
    return (lambda x, held=held: x * held["k"]), replacing(held, "k", 3.0)


def of_array():
    held = numpy.ones(1, numpy.float32)
    return (lambda x: x * minigrad.tensor(held)), replacing(held, 0, 3.0)


def of_shared_memory():
    held = numpy.ones(1, numpy.float32)
    tensor = minigrad.from_numpy(held)
    return (lambda x: x * tensor), replacing(held, 0, 3.0)


def of_class():
    thing = Plain()
    return (lambda x: x * thing.k), replacing(Plain, "k", 3.0)


def of_environment():
    name = "MINIGRAD_TEST_FACTOR"
    os.environ[name] = "1"
    return (lambda x: x * float(os.environ[name])), lambda: os.environ.update({name: "3"})


def of_context():
    variable = contextvars.ContextVar("variable", default=1.0)
    return (lambda x: x * variable.get()), lambda: variable.set(3.0)


def of_file(path):
    path.write_text("1")
    return (lambda x: x * float(path.read_text())), lambda: path.write_text("3")


def of_globals():
    names = {"k": 1.0}
    exec("def function(x): return x * globals()['k']", names)
    return names["function"], replacing(names, "k", 3.0)


def of_import():
    module = sys.modules["minigrad_test_module"] = types.ModuleType("minigrad_test_module")
    module.k = 1.0
    names = {}
    exec(
        "def function(x):\n import minigrad_test_module\n return x * minigrad_test_module.k", names
    )
    return names["function"], replacing(module, "k", 3.0)


def of_method():
    class Model(nn.Module):
        def forward(self, x):
            return self.inner(x)

        def inner(self, x):
            return x * 1.0

    return Model(), replacing(Model, "inner", lambda self, x: x * 3.0)


WORLDS = {
    "attribute": lambda: setting(Plain),
    "attribute of the class": of_class,
    "slots": lambda: setting(Slotted),
    "property": lambda: setting(Hidden, "_k"),
    "dataclass": lambda: setting(Record),
    "namespace": lambda: setting(types.SimpleNamespace),
    "thread local": lambda: setting(threading.local),
    "list": lambda: holding([1.0]),
    "list subclass": lambda: holding(Longer([1.0])),
    "dict": lambda: holding({0: 1.0}),
    "ordered dict": lambda: holding(collections.OrderedDict({0: 1.0})),
    "deque": lambda: holding(collections.deque([1.0])),
    "array": lambda: holding(array.array("d", [1.0])),
    "bytes": lambda: holding(bytearray(b"\x01"), value=3),
    "memory": lambda: holding(memoryview(bytearray(b"\x01")), value=3),
    "module": lambda: of_module(0),
    "module below": lambda: of_module(2),
    "defaults": of_function,
    "code": of_code,
    "function attribute": of_attribute,
    "closure": of_closure,
    "partial": of_partial,
    "default argument": of_default,
    "numpy array": of_array,
    "shared memory": of_shared_memory,
    "environment": of_environment,
    "context variable": of_context,
    "globals()": of_globals,
    "import": of_import,
    "method": of_method,
}


@pytest.mark.parametrize("name", WORLDS)
def test_a_change_is_noticed(name):
    function, change = WORLDS[name]()
    fast = minigrad.compile(function)
    try:
        assert [fast(ones(1)).item() for _ in range(3)] == [1.0] * 3
        change()
        assert [fast(ones(1)).item() for _ in range(3)] == [3.0] * 3
    finally:
        Plain.k = 1.0
        sys.modules.pop("minigrad_test_module", None)
        os.environ.pop("MINIGRAD_TEST_FACTOR", None)


def test_files_and_clocks_are_read_at_each_call(tmp_path):
    function, change = of_file(tmp_path / "factor")
    fast = minigrad.compile(function)
    assert [fast(ones(1)).item() for _ in range(2)] == [1.0] * 2
    change()
    assert fast(ones(1)).item() == 3.0
    now = minigrad.compile(lambda x: x + time.perf_counter_ns() % 10**6)
    assert len({now(ones(1, dtype=minigrad.float64)).item() for _ in range(20)}) > 1


def test_python_state_that_a_call_changes():
    seen = []
    last = {}
    average = minigrad.zeros(2)

    def function(x):
        nonlocal average
        seen.append(x)
        last["x"] = x * 2
        average = average * 0.5 + x
        return average * len(seen)

    expected = copy.deepcopy(average)
    fast = minigrad.compile(function)
    for n in range(1, 5):
        x = ones(2) * n
        expected = expected * 0.5 + x
        assert fast(x).tolist() == (expected * n).tolist()
        assert last["x"].tolist() == (x * 2).tolist()
    assert [x.tolist() for x in seen] == [[n, n] for n in (1.0, 2.0, 3.0, 4.0)]


def test_a_captured_buffer_changed_in_place_is_replayed():
    buffer = minigrad.zeros(2)

    def function(x):
        buffer.mul_(0.5).add_(x)
        buffer[0] = x[1]
        return buffer.clone()

    fast = minigrad.compile(function)
    found = [fast(ones(2) * n).tolist() for n in range(4)]
    assert found == [[0.0, 0.0], [1.0, 1.0], [2.0, 2.5], [3.0, 4.25]]
    assert fast._replays == 3


def test_which_tensors_are_the_same():
    fast = minigrad.compile(lambda x, y: x * (1.0 if x is y else 2.0))
    x, y = ones(1), ones(1)
    assert [fast(*pair).item() for pair in ((x, y), (x, x), (x, y), (x, x))] == [2, 1, 2, 1]
    captured = ones(1)
    asking = minigrad.compile(lambda x: x * (1.0 if x is captured else 2.0))
    assert [asking(t).item() for t in (x, x, captured, captured, x)] == [2, 2, 1, 1, 2]
    fast = minigrad.compile(lambda x: (x, x * 2, [x * 3] * 2, x))
    for _ in range(2):
        first, _, (left, right), last = fast(x)
        assert first is x
        assert last is x
        assert left is right


def test_inputs_that_share_memory():
    def function(x, y):
        x.add_(1)
        return y * 2

    fast = minigrad.compile(function)
    for _ in range(2):
        assert fast(minigrad.zeros(2), minigrad.zeros(2)).tolist() == [0, 0]
    base = minigrad.zeros(2)
    assert fast(base, base[:]).tolist() == [2, 2]


def test_results_are_views_where_eager_ones_are():
    layer = nn.Linear(2, 2)
    fast = minigrad.compile(lambda x: (x[1:], layer.weight.detach()[0]))
    x = ones(3)
    for _ in range(2):
        part, row = fast(x)
    with minigrad.no_grad():
        layer.weight.fill_(7.0)
    x.fill_(5.0)
    assert part.tolist() == [5, 5]
    assert row.tolist() == [7, 7]


def test_a_result_does_not_share_a_gradient():
    w = minigrad.ones(2, requires_grad=True)

    def function(x):
        y = x * 1
        (w * y).sum().backward()
        return y

    fast = minigrad.compile(function)
    for _ in range(3):
        w.grad = None
        fast(ones(2) * 3).fill_(0.0)
        assert w.grad.tolist() == [3, 3]


def test_gradients_held_or_set_by_the_user():
    w = minigrad.ones(2, requires_grad=True)
    fast = minigrad.compile(lambda x: (w * x).sum().backward())
    fast(ones(2))
    fast(ones(2))
    w.grad = minigrad.zeros(2)
    held = w.grad
    fast(ones(2))
    assert w.grad is held
    assert held.tolist() == [1, 1]
    w.grad = None
    fast(ones(2))
    assert (held.tolist(), w.grad.tolist()) == ([1, 1], [1, 1])


def test_an_argument_that_is_made_a_leaf_in_the_call():
    def function(x):
        x.requires_grad_()
        (x**2).sum().backward()
        return x.grad

    fast = minigrad.compile(function)
    for n in range(3):
        x = ones(2) * n
        assert fast(x).tolist() == [2.0 * n] * 2
        assert x.requires_grad
        assert x.grad.tolist() == [2.0 * n] * 2


def everything(model, optimizer):
    return [
        minigrad.get_rng_state().tolist(),
        [value.tolist() for value in model.state_dict().values()],
        [None if p.grad is None else p.grad.tolist() for p in model.parameters()],
        [
            {name: numpy.asarray(value).tolist() for name, value in own.items()}
            for own in optimizer.state.values()
        ],
        [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups],
    ]


@pytest.mark.parametrize("warm", [0, 1, 3])
def test_a_failing_step_leaves_the_state_as_it_was(warm):
    """Recorded or replayed: parameters, gradients, statistics, optimizer, rates, generator."""
    minigrad.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Dropout(0.3), nn.Linear(4, 2))
    table = nn.Embedding(5, 2)
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    schedule = optim.lr_scheduler.StepLR(optimizer, 1, 0.5)

    def step(x, rows):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        schedule.step()
        # The rows are looked up last, after everything has changed.
        return model(table(rows + 0)).detach().sum()

    twin, other = copy.deepcopy((model, optimizer))
    fast = minigrad.compile(step)
    x, rows = minigrad.rand(3, 2), minigrad.tensor([0, 1, 4])
    for _ in range(warm):
        fast(x, rows)
    before, epoch = everything(model, optimizer), schedule.last_epoch
    for _ in range(2):
        with pytest.raises(IndexError, match="7"):
            fast(x, minigrad.tensor([0, 1, 7]))
        assert everything(model, optimizer) == before
        assert schedule.last_epoch == epoch
    if warm:
        twin.load_state_dict(model.state_dict())
        other.load_state_dict(optimizer.state_dict())
    follow = optim.lr_scheduler.StepLR(other, 1, 0.5)
    follow.load_state_dict(schedule.state_dict())
    state = minigrad.get_rng_state()
    expected = fast(x, rows).item()
    minigrad.set_rng_state(state)
    model, optimizer, schedule = twin, other, follow
    assert step(x, rows).item() == expected


def test_an_error_of_the_functions_own():
    model = nn.Linear(2, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    flag = {"bad": False}

    def step(x):
        optimizer.zero_grad()
        (model(x) ** 2).sum().backward()
        optimizer.step()
        if flag["bad"]:
            raise RuntimeError("by hand")

    fast = minigrad.compile(step)
    fast(ones(1, 2))
    fast(ones(1, 2))
    before = everything(model, optimizer)
    flag["bad"] = True
    with pytest.raises(RuntimeError, match="by hand"):
        fast(ones(1, 2))
    assert everything(model, optimizer) == before


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (3, "must be a function or a module, not int"),
        ("text", "not str"),
        (nn.Linear, "is the class Linear"),
        (int, "is the class int"),
        (len, "len\\(\\) is built in"),
        ((lambda: (yield)), "generator or a coroutine"),
    ],
)
def test_what_cannot_be_compiled(thing, text):
    with pytest.raises(TypeError, match=text):
        minigrad.compile(thing)


def test_a_coroutine_cannot_be_compiled():
    async def later(x):
        return x

    with pytest.raises(TypeError, match="later\\(\\) is a generator or a coroutine"):
        minigrad.compile(later)


def test_ways_to_pass_arguments():
    fast = minigrad.compile(lambda x, *a, k=1.0, **more: x * k + sum(a) + sum(more.values()))
    x = ones(1)
    pair = collections.namedtuple("Pair", "first second")
    nested = minigrad.compile(lambda tree: tree["a"][0] * tree["b"].first + tree["b"].second)
    for _ in range(2):
        assert fast(x).item() == 1
        assert fast(x, 2.0).item() == 3
        assert fast(x, x, x * 2).item() == 4
        assert fast(x, k=3.0).item() == 3
        assert fast(x, y=2.0, z=x).item() == 4
        assert fast(x, z=2.0, y=x * 5).item() == 8
        assert nested({"a": [x * 2], "b": pair(x * 3, 1.0)}).item() == 7
    assert nested._replays == 1
    for value in (True, 1, 1.0, True, 1, 1.0, float("nan"), float("nan"), -0.0, 0.0):
        plus = minigrad.tensor([1, 2]) + value
        same = minigrad.compile(lambda x, k: x + k)(minigrad.tensor([1, 2]), value)
        assert same.dtype == plus.dtype
        assert numpy.array_equal(same.numpy(), plus.numpy(), equal_nan=True)


def test_models_and_optimizers_as_arguments():
    @minigrad.compile
    def step(model, optimizer, x):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    for seed in range(2):
        minigrad.manual_seed(seed)
        model = nn.Linear(2, 2)
        twin = copy.deepcopy(model)
        first = optim.Adam(model.parameters(), lr=0.1)
        second = optim.Adam(twin.parameters(), lr=0.1)
        for _ in range(3):
            left = step(model, first, ones(3, 2)).item()
            assert left == step.function(twin, second, ones(3, 2)).item()
    assert (step._recordings, step._replays) == (2, 4)


def test_methods_of_several_objects():
    class Scaled(nn.Module):
        def __init__(self, k):
            self.k = k

        @minigrad.compile
        def forward(self, x):
            return x * self.k

        @staticmethod
        @minigrad.compile
        def twice(x):
            return x * 2

    first, second = Scaled(1.0), Scaled(2.0)
    for _ in range(2):
        assert [first(ones(1)).item(), second(ones(1)).item()] == [1, 2]
        assert Scaled.twice(ones(1)).item() == 2
    first.k = 5.0
    assert first(ones(1)).item() == 5


def test_compiled_functions_within_compiled_functions():
    inner = minigrad.compile(lambda x: x * 2)
    outer = minigrad.compile(lambda x: inner(x) + 1)
    assert [outer(ones(1)).item() for _ in range(3)] == [3.0] * 3
    assert outer._replays == 2
    held = [1.0]

    def again(x, n):
        return x * held[0] if n == 0 else fast(x, n - 1) + 1

    fast = minigrad.compile(again)
    assert [fast(ones(1), 3).item() for _ in range(3)] == [4.0] * 3
    held[0] = 2.0
    assert fast(ones(1), 3).item() == 5


def test_a_compiled_module_is_a_module():
    class Outer(nn.Module):
        def __init__(self):
            self.body = minigrad.compile(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))
            self.head = nn.Linear(3, 1)

        def forward(self, x):
            return self.head(self.body(x))

    model = Outer()
    assert len(list(model.parameters())) == 6
    assert "body.0.weight" in model.state_dict()
    assert isinstance(model.body, nn.Module)
    model.eval()
    assert not model.body.training
    model.body.training = True
    assert model.body.function.training
    model.to(minigrad.float64)
    assert model.body[0].weight.dtype == minigrad.float64
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    before = model.body[0].weight.tolist()
    model(minigrad.rand(4, 2, dtype=minigrad.float64)).sum().backward()
    optimizer.step()
    assert model.body[0].weight.tolist() != before


def test_copies_and_pickles_record_anew():
    model = nn.Linear(2, 2)
    fast = minigrad.compile(model)
    with minigrad.no_grad():
        fast(ones(1, 2))
        kept = fast(ones(1, 2)).tolist()
        others = [copy.deepcopy(fast), pickle.loads(pickle.dumps(fast))]
        model.weight.fill_(0.0)
        for other in others:
            assert other(ones(1, 2)).tolist() == kept
        assert copy.copy(fast)(ones(1, 2)).tolist() == fast(ones(1, 2)).tolist() != kept


def test_whatever_happens_between_calls():
    """Rates, groups, states, freezing, modes, dtypes and seeds change; the numbers are eager's."""
    outcomes = []
    for compiled in (False, True):
        minigrad.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.2), nn.Linear(4, 2))
        optimizer = optim.SGD(model[0].parameters(), lr=0.01, momentum=0.1)
        start = copy.deepcopy(model.state_dict())

        def step(x, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = (model(x) ** 2).sum()
            loss.backward()
            optimizer.step()
            return loss

        step = minigrad.compile(step) if compiled else step
        seen = []

        def several(dtype=minigrad.float32, step=step, seen=seen, model=model, optimizer=optimizer):
            seen.extend(step(ones(5, 3, dtype=dtype) * 0.1 * n).item() for n in range(3))
            seen.append(everything(model, optimizer))

        several()
        optimizer.param_groups[0]["lr"] = 0.1
        several()
        optimizer.add_param_group({"params": model[2].parameters(), "lr": 0.05})
        several()
        model.load_state_dict(start)
        several()
        model[0].weight.requires_grad_(False)
        several()
        model[0].weight.requires_grad_(True)
        model.eval()
        several()
        model.train()
        model[1].p = 0.7
        several()
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        minigrad.manual_seed(9)
        several()
        model[0].weight = nn.Parameter(minigrad.ones(4, 3))
        several()
        model.to(minigrad.float64)
        optimizer = optim.SGD(model.parameters(), lr=0.01)
        seen.append(step(ones(5, 3, dtype=minigrad.float64), optimizer=optimizer).item())
        outcomes.append(seen)
    assert outcomes[0] == outcomes[1]


def test_the_default_dtype_is_part_of_the_signature():
    fast = minigrad.compile(lambda x: x + minigrad.ones(2))
    assert fast(ones(2)).dtype == minigrad.float32
    minigrad.set_default_dtype(minigrad.float64)
    try:
        assert fast(ones(2, dtype=minigrad.float32)).dtype == minigrad.float64
    finally:
        minigrad.set_default_dtype(minigrad.float32)


def test_empty_batches_and_single_rows():
    model = nn.Linear(3, 2)

    def function(x):
        y = model(x).relu()
        return y.sum(), y.softmax(1), y[:1], x.shape[0] * y

    fast = minigrad.compile(minigrad.no_grad()(function))
    for n in (0, 1, 0, 1, 2, 0):
        with minigrad.no_grad():
            for left, right in zip(fast(ones(n, 3)), function(ones(n, 3)), strict=True):
                assert left.shape == right.shape
                assert numpy.array_equal(left.numpy(), right.numpy())
    assert fast._recordings == 3


def test_a_single_row_of_a_single_number():
    model = nn.Linear(2, 1)
    twin = copy.deepcopy(model)

    def loss_of(model, x):
        loss = model(x).sum()
        loss.backward()
        return loss

    fast = minigrad.compile(loss_of)
    for _ in range(3):
        assert fast(model, ones(1, 2)).item() == loss_of(twin, ones(1, 2)).item()
        assert model.weight.grad.tolist() == twin.weight.grad.tolist()
    assert fast._replays == 2


def test_a_profiler_of_the_users_is_left_in_place():
    seen = []
    fast = minigrad.compile(lambda x: x * 2)

    def profile(frame, event, argument):
        seen.append(event)

    sys.setprofile(profile)
    try:
        found = [fast(ones(1)).item() for _ in range(2)]
        left = sys.getprofile()
    finally:
        sys.setprofile(None)
    assert left is profile
    assert found == [2, 2]
    assert fast._replays == 1


def test_a_collection_of_garbage_is_no_work_of_the_function():
    seen = []

    def callback(phase, info):
        seen.append(phase)

    def function(x):
        parts = [[x * n] for n in range(200)]
        return parts[3][0]

    before = gc.get_threshold()
    gc.callbacks.append(callback)
    gc.set_threshold(10)
    try:
        fast = minigrad.compile(function)
        assert [fast(ones(1)).item() for _ in range(3)] == [3.0] * 3
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(callback)
    assert fast._replays == 2
    assert gc.isenabled()
    assert seen


def test_a_function_that_takes_the_profiler_away():
    def function(x):
        sys.setprofile(None)
        return minigrad.tensor(x.numpy() * 2)

    fast = minigrad.compile(function)
    assert [fast(ones(1) * n).item() for n in range(3)] == [0, 2, 4]
    assert sys.getprofile() is None


def test_threads_record_and_train_side_by_side():
    """Each thread has its own model; one compiled function serves all."""

    @minigrad.compile
    def step(model, optimizer, x):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    wrong = []

    def work(seed):
        model = nn.Linear(3, 2)
        twin = copy.deepcopy(model)
        first = optim.Adam(model.parameters(), lr=0.1)
        second = optim.Adam(twin.parameters(), lr=0.1)
        for n in range(12):
            x = ones(1 + n % 3, 3) * seed
            if step(model, first, x).item() != step.function(twin, second, x).item():
                wrong.append((seed, n))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_scalars_that_change_at_each_call_are_given_up():
    weights = {"k": 0.0}
    fast = minigrad.compile(lambda x: x * weights["k"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in range(80):
            weights["k"] = float(n)
            assert fast(ones(1)).item() == n
    assert [str(w.message).count("change with nearly every call") for w in caught] == [1]
