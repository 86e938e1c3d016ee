"""Plans on a device: replayed, and captured as graphs, with the results of eager calls."""

import pytest

import minigrad
from minigrad import nn, optim
from minigrad.compiler.capture import REMADE, WARM
from minigrad.nn import functional as F
from minigrad.training import Trainer
from minigrad.utils.data import DataLoader, TensorDataset
from tests.graphs import GraphBackend
from tests.strict import StrictArray, StrictBackend, strict_device


@pytest.fixture
def device():
    """A device that has graphs."""
    backend = GraphBackend()
    with strict_device(backend) as name:
        backend.place = name
        yield backend


def launches(device):
    return [tape.launches for tape in device.tapes]


def bits(tensors):
    return [tensor.detach().cpu().numpy().tobytes() for tensor in tensors]


def steps(place, count, compiled, sizes=(7,), dropout=0.0, decide=None, **options):
    """The losses and weights of training steps, and the function."""
    minigrad.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(5, 8), nn.LayerNorm(8), nn.GELU(), nn.Dropout(dropout), nn.Linear(8, 3)
    ).to(place)
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    schedule = optim.lr_scheduler.StepLR(optimizer, 7, 0.8)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        return loss

    if compiled:
        step = minigrad.compile(step)
    losses = []
    for number in range(count):
        size = sizes[number % len(sizes)]
        x, y = minigrad.randn(size, 5), minigrad.randint(0, 3, (size,))
        losses.append(step(x.to(place), y.to(place)))
        schedule.step()
        if decide is not None:
            decide(number, model)
    return bits(losses), bits(model.parameters()), step


def test_fifty_captured_steps_equal_eager_ones(device):
    # Adam's corrections and the schedule's rate are other numbers in each of them.
    losses, weights, _ = steps("strict", 50, False)
    captured, captured_weights, step = steps("strict", 50, True)
    assert captured == losses
    assert captured_weights == weights
    assert launches(device) == [49 - WARM]
    assert "captured as a graph of the device" in step.explain()


def test_each_signature_has_a_graph_of_its_own(device):
    expected = steps("strict", 20, False, sizes=(7, 4))[:2]
    assert steps("strict", 20, True, sizes=(7, 4))[:2] == expected
    assert launches(device) == [9 - WARM, 9 - WARM]


def test_a_capture_does_nothing_until_it_is_launched(device):
    x = minigrad.zeros(3, device="strict")

    @minigrad.compile
    def count(a):
        x.add_(a)
        return x * 1

    one = minigrad.ones(3, device="strict")
    values = [count(one).tolist() for _ in range(6)]
    assert values == [[float(n)] * 3 for n in range(1, 7)]
    assert launches(device) == [5 - WARM]


def test_former_results_are_not_overwritten(device):
    double = minigrad.compile(lambda x: (x * 2, {"exp": x.exp()}))
    arguments = [minigrad.tensor([float(n)]).to("strict") for n in range(8)]
    results = [double(x) for x in arguments]
    assert [twice.item() for twice, _ in results] == [2.0 * n for n in range(8)]
    assert bits(r["exp"] for _, r in results) == bits(x.exp() for x in arguments)
    assert launches(device) == [7 - WARM]


def test_gradients_of_former_calls_are_not_overwritten(device):
    w = minigrad.ones(3, device="strict", requires_grad=True)
    seen = []

    @minigrad.compile
    def backward(x):
        w.grad = None
        (w * x).sum().backward()

    for number in range(6):
        backward(minigrad.full((3,), float(number)).to("strict"))
        seen.append(w.grad)
    assert [grad.tolist() for grad in seen] == [[float(n)] * 3 for n in range(6)]
    # The first call finds no gradient, which is another kind.
    assert launches(device) == [4 - WARM]


def test_gradients_add_up_over_calls(device):
    w = minigrad.ones(2, device="strict", requires_grad=True)

    @minigrad.compile
    def backward(x):
        (w * x).sum().backward()

    for number in range(8):
        backward(minigrad.full((2,), float(number)).to("strict"))
    assert w.grad.tolist() == [28.0, 28.0]


def test_results_that_are_state_are_that_state(device):
    w = minigrad.zeros(2, device="strict")

    @minigrad.compile
    def move(x):
        w.add_(x)
        return w, w[:1], x

    for number in range(5):
        x = minigrad.full((2,), 1.0).to("strict")
        whole, part, given = move(x)
        assert whole is w
        assert given is x
        assert w.tolist() == [number + 1.0] * 2
    part.fill_(9.0)
    assert w.tolist() == [9.0, 5.0]
    assert launches(device) == [4 - WARM]


def test_a_view_of_an_argument_stays_one(device):
    flat = minigrad.compile(lambda x: (x.reshape(-1), x * 2))
    for _ in range(5):
        x = minigrad.zeros(2, 2, device="strict")
        view, _ = flat(x)
        view.fill_(3.0)
        assert x.tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert device.tapes == []
    assert "a result is a view of an argument" in flat.explain()


def test_an_argument_that_is_changed_is_changed(device):
    add = minigrad.compile(lambda x: x.add_(1.0))
    for _ in range(5):
        x = minigrad.zeros(2, device="strict")
        add(x)
        assert x.tolist() == [1.0, 1.0]
    assert "it changes an argument in place" in add.explain()


def test_random_numbers_stay_outside(device):
    expected = steps("strict", 10, False, dropout=0.4)[:2]
    *found, step = steps("strict", 10, True, dropout=0.4)
    assert tuple(found) == expected
    assert device.tapes == []
    assert "random_mask() is called, whose numbers are those of one call" in step.explain()


def test_products_stay_outside_where_the_library_refuses_them(device):
    device.captures_products = False
    expected = steps("strict", 6, False)[:2]
    *found, step = steps("strict", 6, True)
    assert tuple(found) == expected
    assert device.tapes == []
    assert "linear is a product of matrices" in step.explain()


def test_work_after_the_optimizers_step_stays_outside(device):
    w = minigrad.ones(2, device="strict", requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)

    @minigrad.compile
    def step(x):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()
        return (w.detach() * 1).sum()

    found = [step(minigrad.ones(2, device="strict")).item() for _ in range(5)]
    assert found == pytest.approx([1.8, 1.6, 1.4, 1.2, 1.0], rel=1e-6)
    assert "it computes after Optimizer.step()" in step.explain()


def test_a_capture_that_fails_leaves_everything_as_it_was(device, monkeypatch):
    def refuse(place, body):
        body()
        raise RuntimeError("operation not permitted when stream is capturing")

    real = device.capture

    def capture(place, body):
        return real(place, lambda: refuse(place, body))

    expected = steps("strict", 8, False)[:2]
    monkeypatch.setattr(device, "capture", capture)
    *found, step = steps("strict", 8, True)
    assert tuple(found) == expected
    text = step.explain()
    assert text.count("no graph of the device: RuntimeError: operation not permitted") == 1
    assert step._plans


def test_other_memory_makes_another_graph(device):
    def move(number, model):
        if number == 6:
            for parameter in model.parameters():
                parameter.data = parameter.data.clone()

    expected = steps("strict", 14, False, decide=move)[:2]
    assert steps("strict", 14, True, decide=move)[:2] == expected
    assert launches(device) == [6 - WARM, 7]


def test_memory_that_moves_in_every_call_ends_the_graphs(device):
    def move(number, model):
        model[0].weight.data = model[0].weight.data.clone()

    expected = steps("strict", 20, False, decide=move)[:2]
    *found, step = steps("strict", 20, True, decide=move)
    assert tuple(found) == expected
    assert len(device.tapes) == REMADE
    assert "move to other memory again and again" in step.explain()


def test_an_error_in_a_captured_step_is_the_eager_one(device):
    _, _, step = steps("strict", 6, True)
    x = minigrad.randn(7, 5).to("strict")
    with pytest.raises(IndexError):
        step(x, minigrad.full((7,), 5).to("strict"))


def test_a_device_without_graphs_replays_plans():
    with strict_device(StrictBackend()) as name:
        expected = steps(name, 6, False, dropout=0.3)[:2]
        *found, step = steps(name, 6, True, dropout=0.3)
        assert tuple(found) == expected
        text = step.explain()
        assert "1 recordings, 5 replays" in text
        assert "no graph of the device: the library of its arrays has no graphs" in text


def test_a_trainer_compiles_its_steps_on_a_device(device):
    def run(compile):
        minigrad.manual_seed(1)
        x = minigrad.randn(40, 4)
        model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
        optimizer = optim.AdamW(model.parameters(), lr=0.02)
        trainer = Trainer(model, optimizer, nn.MSELoss(), device="strict", compile=compile)
        data = DataLoader(TensorDataset(x, x[:, :1]), batch_size=16)
        history = trainer.fit(data, epochs=5, validation=data)
        return history.history, bits(model.parameters())

    assert run(True) == run(False)
    # Sixteen samples and eight, in training and in evaluation.
    assert sorted(launches(device)) == [4 - WARM, 4 - WARM, 9 - WARM, 9 - WARM]


def test_the_stand_in_does_nothing_before_a_launch(device):
    array = minigrad.ones(2, device="strict")._array
    made = []

    def body():
        made.append(array + 1)
        array[...] = made[0]

    launch = device.capture("strict", body)
    assert isinstance(made[0], StrictArray)
    assert (array.tolist(), made[0].tolist()) == ([1.0, 1.0], [113.0, 113.0])
    launch()
    launch()
    assert array.tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="not permitted"):
        device.capture("strict", lambda: array.tolist())
