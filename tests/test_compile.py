"""A compiled function gives what it gives uncompiled, bit for bit, or says that it runs eagerly."""

from __future__ import annotations

import gc
import random
import threading
import warnings
import weakref

import numpy
import pytest

import minigrad
from minigrad import nn, optim
from minigrad.nn import functional as F
from minigrad.nn.utils import clip_grad_norm_, clip_grad_value_

RNG = numpy.random.default_rng(7)


def data(shape, classes=4, count=3):
    return [
        (
            minigrad.tensor(RNG.normal(size=shape).astype(numpy.float32)),
            minigrad.tensor(RNG.integers(0, classes, shape[0])),
        )
        for _ in range(count)
    ]


def mlp():
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(3 * 9, 4),
    )  # fmt: skip


def dropping():
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.GELU(), nn.Dropout(0.4),
                         nn.LayerNorm(16), nn.Linear(16, 4))  # fmt: skip


class Recurrent(nn.Module):
    def __init__(self, kind):
        self.cells = kind(5, 7, batch_first=True)
        self.head = nn.Linear(7, 4)

    def forward(self, x):
        out, _ = self.cells(x)
        return self.head(out[:, -1])


class Words(nn.Module):
    def __init__(self):
        self.table = nn.Embedding(11, 6)
        self.head = nn.Linear(6, 4)

    def forward(self, tokens):
        x = self.table(tokens)
        x = x + (x @ x.transpose(1, 2) / 6**0.5).softmax(dim=-1) @ x
        return self.head(x.mean(dim=1))


def training_step(model, optimizer, extra=None):
    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        if extra is not None:
            extra(list(model.parameters()))
        optimizer.step()
        return loss

    return step


def twins(build, make_optimizer):
    """Two equal models with equal optimizers."""
    made = []
    for _ in range(2):
        minigrad.manual_seed(3)
        model = build()
        made.append((model, make_optimizer(model.parameters())))
    return made


def state(model):
    held = [value.detach().numpy().copy() for value in model.state_dict().values()]
    grads = [None if p.grad is None else p.grad.numpy().copy() for p in model.parameters()]
    return held, grads


def assert_equal(first, second):
    for left, right in zip(first, second, strict=True):
        for a, b in zip(left, right, strict=True):
            assert (a is None) == (b is None)
            assert a is None or (a.dtype == b.dtype and numpy.array_equal(a, b, equal_nan=True))


def adam(parameters):
    return optim.Adam(parameters, lr=0.01)


TRAININGS = {
    "mlp": (mlp, (5, 6)),
    "cnn": (cnn, (5, 1, 6, 6)),
    "dropping": (dropping, (5, 6)),
    "lstm": (lambda: Recurrent(nn.LSTM), (5, 3, 5)),
    "gru": (lambda: Recurrent(nn.GRU), (5, 3, 5)),
    "rnn": (lambda: Recurrent(nn.RNN), (5, 3, 5)),
}
OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": adam,
    "adamw": lambda p: optim.AdamW(p, lr=0.01),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", TRAININGS)
def test_training_equals_eager(name, optimizer):
    build, shape = TRAININGS[name]
    (plain, first), (model, second) = twins(build, OPTIMIZERS[optimizer])
    eager = training_step(plain, first)
    step = minigrad.compile(training_step(model, second))
    batches = data(shape)
    losses = []
    for function in (eager, step):
        minigrad.manual_seed(11)
        losses.append([function(*batches[i % 3]).item() for i in range(12)])
    assert losses[0] == losses[1]
    assert_equal(state(plain), state(model))
    assert step._replays == 11


def test_embedding_and_attention_equal_eager():
    (plain, first), (model, second) = twins(Words, adam)
    eager = training_step(plain, first)
    step = minigrad.compile(training_step(model, second))
    for i in range(6):
        tokens = minigrad.tensor(RNG.integers(0, 11, (3, 5)))
        labels = minigrad.tensor(RNG.integers(0, 4, 3))
        assert eager(tokens, labels).item() == step(tokens, labels).item(), i
    assert_equal(state(plain), state(model))
    assert step._replays == 5
    with pytest.raises(IndexError, match="11"):
        step(minigrad.tensor([[1, 2, 3, 4, 11]] * 3), labels)


def test_other_shapes_are_recorded_anew():
    (plain, first), (model, second) = twins(mlp, adam)
    eager, step = training_step(plain, first), minigrad.compile(training_step(model, second))
    for size in (5, 3, 5, 1, 3, 5):
        x, y = data((size, 6), count=1)[0]
        assert eager(x, y).item() == step(x, y).item()
    assert step._recordings == 3
    assert step._replays == 3


def test_training_and_evaluation_modes_are_told_apart():
    minigrad.manual_seed(0)
    model = dropping()
    forward = minigrad.compile(model)
    x = data((5, 6))[0][0]
    for mode in (True, False, True, False, False):
        model.train(mode)
        with minigrad.no_grad():
            minigrad.manual_seed(5)
            expected = model(x).numpy()
            minigrad.manual_seed(5)
            before = [b.clone() for b in model.buffers()]
            found = forward(x).numpy()
            assert mode or all((a == b).all() for a, b in zip(before, model.buffers(), strict=True))
        assert numpy.array_equal(expected, found), mode


def test_inference_of_a_module_with_keywords():
    class Scaled(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(6, 3)

        def forward(self, x, *, scale=1.0, shift=None):
            out = self.inner(x) * scale
            return {"out": out if shift is None else out + shift, "size": x.shape[0]}

    model = Scaled()
    fast = minigrad.compile(model)
    x = data((5, 6))[0][0]
    with minigrad.no_grad():
        for scale in (1.0, 2.0, 1.0, -0.0, 0.0):
            for shift in (None, minigrad.ones(3)):
                left, right = model(x, scale=scale, shift=shift), fast(x, scale=scale, shift=shift)
                assert left["size"] == right["size"]
                bits = [value["out"].numpy().view(numpy.int32) for value in (left, right)]
                assert numpy.array_equal(*bits)
    assert [*fast.parameters()] == [*model.parameters()]


def test_scalars_and_closures_are_seen_through():
    factor = 1.0
    weight = minigrad.ones(3)

    @minigrad.compile
    def scale(x):
        return x * factor + weight

    x = minigrad.tensor([1.0, 2.0, 3.0])
    assert scale(x).tolist() == [2.0, 3.0, 4.0]
    assert scale(x).tolist() == [2.0, 3.0, 4.0]
    factor = 2.0
    assert scale(x).tolist() == [3.0, 5.0, 7.0]
    weight.zero_()
    assert scale(x).tolist() == [2.0, 4.0, 6.0]
    weight = minigrad.tensor([10.0, 10.0, 10.0])
    assert scale(x).tolist() == [12.0, 14.0, 16.0]
    weight.data = minigrad.zeros(3)
    assert scale(x).tolist() == [2.0, 4.0, 6.0]


SETTINGS = {"scale": 1.0, "parts": [1.0, 2.0]}


def test_globals_and_containers_are_watched():
    def function(x):
        return x * SETTINGS["scale"] + sum(SETTINGS["parts"])

    fast = minigrad.compile(function)
    x = minigrad.ones(2)
    try:
        for scale, parts in ((1.0, [1.0]), (2.0, [1.0]), (2.0, [1.0, 5.0]), (2, [1.0, 5.0])):
            SETTINGS["scale"] = scale
            SETTINGS["parts"][:] = parts
            for _ in range(2):
                assert fast(x).tolist() == function(x).tolist()
    finally:
        SETTINGS.update(scale=1.0, parts=[1.0, 2.0])
    assert fast._replays == 4  # 2 and 2.0 are told apart, although these results are equal


def test_a_module_changed_by_hand_is_noticed():
    model = mlp()
    fast = minigrad.compile(model)
    x = data((5, 6))[0][0]
    with minigrad.no_grad():
        assert numpy.array_equal(fast(x).numpy(), model(x).numpy())
        model[2].weight = nn.Parameter(minigrad.ones(4, 8))
        assert numpy.array_equal(fast(x).numpy(), model(x).numpy())
        model[0].bias.fill_(3.0)
        assert numpy.array_equal(fast(x).numpy(), model(x).numpy())
        model[1] = nn.ReLU()
        assert numpy.array_equal(fast(x).numpy(), model(x).numpy())
        model.double()
        assert numpy.array_equal(fast(x.double()).numpy(), model(x.double()).numpy())


def test_the_shape_of_a_captured_tensor_is_watched():
    table = minigrad.ones(3, 2)
    fast = minigrad.compile(lambda x: x * table.shape[0])
    x = minigrad.ones(1)
    assert [fast(x).item(), fast(x).item()] == [3.0, 3.0]
    table.data = minigrad.ones(5, 2)
    assert fast(x).item() == 5.0


def test_leaves_as_arguments_are_told_apart():
    fast = minigrad.compile(lambda w, x: (w * x).sum().backward())
    for value in (1.0, 2.0, 3.0):
        w = minigrad.tensor([value], requires_grad=True)
        for count in (1, 2, 3):
            fast(w, minigrad.tensor([4.0]))
            assert w.grad.item() == 4.0 * count


def test_frozen_parameters_get_no_gradient():
    (plain, first), (model, second) = twins(mlp, adam)
    eager, step = training_step(plain, first), minigrad.compile(training_step(model, second))
    x, y = data((5, 6))[0]
    for frozen in (False, True, True, False):
        for held in (plain, model):
            held[0].weight.requires_grad_(not frozen)
        assert eager(x, y).item() == step(x, y).item()
        assert_equal(state(plain), state(model))


@pytest.mark.parametrize(
    "extra",
    [
        lambda parameters: clip_grad_norm_(parameters, 0.01),
        lambda parameters: clip_grad_norm_((p for p in parameters), 0.01, norm_type=1.0),
        lambda parameters: clip_grad_value_(parameters, 0.001),
    ],
)
def test_clipping_equals_eager(extra):
    (plain, first), (model, second) = twins(mlp, adam)
    eager = training_step(plain, first, extra)
    step = minigrad.compile(training_step(model, second, extra))
    for x, y in data((5, 6), count=6):
        assert eager(x, y).item() == step(x, y).item()
        assert_equal(state(plain), state(model))
    assert step._replays == 5


@pytest.mark.parametrize("inside", [True, False])
def test_schedules_are_followed(inside):
    (plain, first), (model, second) = twins(mlp, lambda p: optim.SGD(p, lr=0.5))
    schedules = [optim.lr_scheduler.StepLR(o, 2, 0.5) for o in (first, second)]
    steps = []
    for (held, optimizer), schedule in zip(
        ((plain, first), (model, second)), schedules, strict=True
    ):
        inner = training_step(held, optimizer)

        def with_schedule(x, y, inner=inner, schedule=schedule):
            loss = inner(x, y)
            schedule.step()
            return loss

        steps.append(with_schedule if inside else inner)
    steps[1] = minigrad.compile(steps[1])
    for x, y in data((5, 6), count=6):
        losses = [step(x, y).item() for step in steps]
        assert losses[0] == losses[1]
        if not inside:
            for schedule in schedules:
                schedule.step()
    assert steps[1]._replays == 5
    assert first.param_groups[0]["lr"] == second.param_groups[0]["lr"] == 0.5 / 8
    second.param_groups[0]["lr"] = first.param_groups[0]["lr"] = 0.3
    assert steps[0](x, y).item() == steps[1](x, y).item()
    assert_equal(state(plain), state(model))


def test_gradients_accumulate_over_calls():
    (plain, _), (model, _) = twins(mlp, adam)

    def loss_of(held):
        def accumulate(x, y):
            loss = F.cross_entropy(held(x), y) / 2
            loss.backward()
            return loss.detach()

        return accumulate

    eager, fast = loss_of(plain), minigrad.compile(loss_of(model))
    for i, (x, y) in enumerate(data((5, 6), count=8)):
        assert eager(x, y).item() == fast(x, y).item()
        assert_equal(state(plain), state(model))
        if i == 3:
            plain.zero_grad()
            model.zero_grad(set_to_none=False)
            assert model[0].weight.grad.abs().max().item() == 0
            model.zero_grad()
    assert fast._replays == 7


def test_gradients_forgotten_by_hand():
    (plain, _), (model, _) = twins(mlp, adam)

    def trained(held):
        parameters = list(held.parameters())

        def step(x, y):
            for p in parameters:
                p.grad = None
            F.cross_entropy(held(x), y).backward()
            with minigrad.no_grad():
                for p in parameters:
                    p -= 0.1 * p.grad

        return step

    eager, fast = trained(plain), minigrad.compile(trained(model))
    for x, y in data((5, 6), count=8):
        eager(x, y)
        fast(x, y)
        assert_equal(state(plain), state(model))
    assert fast._replays == 6


def test_two_compiled_functions_share_parameters():
    (plain, first), (model, second) = twins(mlp, adam)
    eager, step = training_step(plain, first), minigrad.compile(training_step(model, second))
    look = minigrad.compile(minigrad.no_grad()(lambda x: model(x).argmax(dim=1)))
    for x, y in data((5, 6), count=5):
        assert eager(x, y).item() == step(x, y).item()
        assert look(x).tolist() == plain(x).argmax(dim=1).tolist()
    assert look._replays == 4


def test_results_are_fresh():
    fast = minigrad.compile(lambda x: (x * 2, x, x.reshape(-1)))
    x = minigrad.tensor([[1.0, 2.0]])
    fast(x)
    first = fast(x)
    second = fast(minigrad.tensor([[5.0, 6.0]]))
    assert first[0].tolist() == [[2.0, 4.0]]
    assert second[0].tolist() == [[10.0, 12.0]]
    assert first[1] is x
    first[2].zero_()  # a view of the input, as always
    assert x.tolist() == [[0.0, 0.0]]


def test_inputs_changed_in_place():
    def function(x, y):
        x += y
        x[0] = 7
        y.mul_(2)
        return x.sum()

    fast = minigrad.compile(function)
    for _ in range(4):
        pairs = [(minigrad.ones(3), minigrad.tensor([1.0, 2.0, 3.0])) for _ in range(2)]
        results = [f(*pair).item() for f, pair in zip((function, fast), pairs, strict=True)]
        assert results[0] == results[1]
        assert [t.tolist() for t in pairs[0]] == [t.tolist() for t in pairs[1]]
    assert fast._replays == 3
    same = minigrad.ones(3)
    other = minigrad.ones(3)
    assert fast(same, same).item() == function(other, other).item()
    assert same.tolist() == other.tolist()


def test_random_draws_come_from_the_same_stream():
    def noisy(x):
        return F.dropout(x, 0.5) + minigrad.rand(4) + minigrad.randn(4)

    fast = minigrad.compile(noisy)
    x = minigrad.ones(4)
    drawn = []
    for function in (noisy, fast):
        minigrad.manual_seed(2)
        drawn.append([function(x).tolist() for _ in range(4)] + [minigrad.rand(1).item()])
    assert drawn[0] == drawn[1]
    assert fast._replays == 3


def test_errors_of_a_replayed_operation_are_explained():
    table = minigrad.ones(3, 3)

    def function(x):
        return minigrad.linalg.inv(x + table)

    fast = minigrad.compile(function)
    fast(minigrad.eye(3))
    messages = []
    for f in (function, fast):
        with pytest.raises(ValueError, match="Singular") as caught:
            f(minigrad.zeros(3, 3))
        messages.append((type(caught.value), str(caught.value)))
    assert messages[0] == messages[1]


COUNTS = {"calls": 0}


def reading_item(x):
    return x * 2 if x.sum().item() > 0 else x


def deciding(x):
    return x * 2 if (x > 0).all() else x


def counting(x):
    COUNTS["calls"] += 1
    return x * COUNTS["calls"]


def throwing_dice(x):
    return x * random.random()


def throwing_numpy_dice(x):
    return x * float(numpy.random.rand())  # noqa: NPY002


def leaving(x):
    return x.numpy() * 2


def through_numpy(x):
    return minigrad.tensor(x.numpy() * 2)


def printing(x):
    print(end="")  # noqa: T201
    return x * 2


@pytest.mark.parametrize(
    "function",
    [reading_item, deciding, counting, throwing_dice, throwing_numpy_dice, leaving, through_numpy,
     printing],
)  # fmt: skip
def test_what_cannot_be_replayed_runs_eagerly_and_says_so_once(function):
    fast = minigrad.compile(function)
    results = []
    for f in (function, fast):
        COUNTS["calls"] = 0
        random.seed(1)
        numpy.random.seed(1)  # noqa: NPY002
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            values = [minigrad.tensor([1.0, 2.0]), minigrad.tensor([-1.0, -2.0])] * 2
            results.append([f(value).tolist() for value in values])
    assert results[0] == results[1]
    assert [w.category for w in caught] == [UserWarning]
    assert function.__name__ in str(caught[0].message)
    assert fast._replays == 0


def test_iterators_in_a_closure_run_eagerly():
    source = iter([minigrad.ones(1) * i for i in range(5)])

    @minigrad.compile
    def step():
        for value in source:
            return value + 1
        return None

    with pytest.warns(UserWarning, match="iterator"):
        found = [step().item() for _ in range(3)]
    assert found == [1.0, 2.0, 3.0]


def test_a_result_that_needs_a_graph_runs_eagerly():
    model = mlp()
    fast = minigrad.compile(model)
    x, y = data((5, 6))[0]
    with pytest.warns(UserWarning, match="requires a gradient"):
        out = fast(x)
    F.cross_entropy(fast(x), y).backward()
    assert out.requires_grad
    assert model[0].weight.grad is not None


def test_hooks_run():
    model = mlp()
    seen = []
    fast = minigrad.compile(minigrad.no_grad()(lambda x: model(x)))
    x = data((5, 6))[0][0]
    fast(x)
    fast(x)
    model[1].register_forward_hook(lambda module, args, out: seen.append(1))
    fast(x)
    with pytest.warns(UserWarning, match="eagerly"):
        fast(x)
    assert seen == [1, 1]


def test_a_hook_of_a_parameter_runs():
    (plain, first), (model, second) = twins(mlp, adam)
    eager, step = training_step(plain, first), minigrad.compile(training_step(model, second))
    x, y = data((5, 6))[0]
    for _ in range(2):
        assert eager(x, y).item() == step(x, y).item()
    for held in (plain, model):
        held[0].weight.register_hook(lambda g: g * 0)
    with pytest.warns(UserWarning, match="hook"):
        assert eager(x, y).item() == step(x, y).item()
    assert eager(x, y).item() == step(x, y).item()
    assert_equal(state(plain), state(model))


def test_gradients_by_grad():
    w = minigrad.tensor([1.0, 2.0], requires_grad=True)

    def slope(x):
        (g,) = minigrad.autograd.grad((w * x).sin().sum(), w)
        return g

    fast = minigrad.compile(slope)
    for value in (1.0, 2.0, 3.0):
        x = minigrad.tensor([value, -value])
        assert fast(x).tolist() == slope(x).tolist()
    assert fast._replays == 2
    assert w.grad is None


def test_the_loss_has_no_second_backward():
    (_, _), (model, optimizer) = twins(mlp, adam)
    step = minigrad.compile(training_step(model, optimizer))
    x, y = data((5, 6))[0]
    for _ in range(2):
        loss = step(x, y)
        assert loss.requires_grad
        with pytest.raises(minigrad.errors.GraphError, match="second time"):
            loss.backward()


def test_nothing_leaks():
    def build():
        model = mlp()
        optimizer = adam(model.parameters())
        step = minigrad.compile(training_step(model, optimizer))
        x, y = data((5, 6))[0]
        loss = step(x, y)
        loss = step(x, y)
        return weakref.ref(model), weakref.ref(model[0].weight), weakref.ref(x), weakref.ref(loss)

    references = build()
    gc.collect()
    assert [reference() for reference in references] == [None] * 4


def test_inputs_are_not_kept():
    fast = minigrad.compile(lambda x: x * 2)
    x = minigrad.ones(3)
    fast(x)
    fast(x)
    reference = weakref.ref(x)
    del x
    gc.collect()
    assert reference() is None


def test_plans_are_bounded():
    fast = minigrad.compile(lambda x: x * 2, limit=2)
    for size in (1, 2, 3, 1, 2, 3, 3):
        assert fast(minigrad.ones(size)).tolist() == [2.0] * size
    assert sum(map(len, fast._plans.values())) == 2
    assert fast._replays == 1


def test_ever_new_arguments_are_given_up_with_a_warning():
    fast = minigrad.compile(lambda x, k: x * k)
    with pytest.warns(UserWarning, match="change with nearly every call"):
        found = [fast(minigrad.ones(1), k).item() for k in range(80)]
    assert found == list(range(80))


def test_threads():
    model = mlp()
    fast = minigrad.compile(minigrad.no_grad()(lambda x: model(x)))
    batches = [x for x, _ in data((5, 6), count=4)]
    with minigrad.no_grad():
        expected = [model(x).numpy() for x in batches]
    wrong = []

    def work(position):
        for _ in range(50):
            found = fast(batches[position]).numpy()
            wrong.extend([position] * (not numpy.array_equal(found, expected[position])))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert fast._replays >= 196


def test_views_and_indexing_equal_eager():
    def function(x, index):
        rows = x[1:, ::2]
        rows = rows.transpose(0, 1).contiguous().view(-1)
        joined = minigrad.cat([rows, x[0]], dim=0)
        top, where = joined.max(dim=0)
        return joined.softmax(dim=0), top, where, minigrad.where(joined > 0, joined, 0.0)

    fast = minigrad.compile(function)
    for x, y in data((4, 6), count=4):
        for left, right in zip(function(x, y), fast(x, y), strict=True):
            assert numpy.array_equal(left.numpy(), right.numpy())
            assert left.dtype == right.dtype


def test_decorators_and_methods():
    class Doubling:
        factor = 2.0

        @minigrad.compile(limit=4)
        def forward(self, x):
            return x * self.factor

    minigrad.compile(Doubling().forward)
    with pytest.raises(TypeError, match="must be a function or a module"):
        minigrad.compile(3)


def test_explain_names_the_operations_and_the_reasons(capsys):
    model = mlp()
    fast = minigrad.compile(model)
    x = data((5, 6))[0][0]
    with minigrad.no_grad():
        fast(x)
        fast(x)
    with pytest.warns(UserWarning, match="still requires a gradient"):
        fast(x)
    text = fast.explain()
    assert capsys.readouterr().out == text + "\n"
    for part in ("linear", "tanh", "bytes", "1 replays", "still requires a gradient"):
        assert part in text
