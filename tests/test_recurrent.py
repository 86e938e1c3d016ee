"""Recurrent layers and cells: values, gradients and state dicts against torch's; refusals."""

import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ArgumentError, DtypeError

torch = pytest.importorskip("torch")

STEPS, BATCH, FEATURES, SIZE = 5, 3, 4, 6
KINDS = ["RNN", "LSTM", "GRU"]
OPTIONS = [
    {},
    {"bias": False},
    {"batch_first": True},
    {"num_layers": 3},
    {"bidirectional": True},
    {"num_layers": 2, "bidirectional": True, "batch_first": True},
]


def pair(kind, *sizes, **options):
    """Our layer and torch's, in double precision, with the same parameters."""
    theirs = getattr(torch.nn, kind)(*sizes, **options, dtype=torch.float64)
    ours = getattr(nn, kind)(*sizes, **options, dtype=mg.float64)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({n: mg.tensor(v.numpy()) for n, v in theirs.state_dict().items()})
    return ours, theirs


def drawn(seed, *shape):
    values = np.random.default_rng(seed).standard_normal(shape)
    return mg.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)


def flat(result):
    """The tensors in nested tuples, in order."""
    if isinstance(result, tuple):
        return [tensor for part in result for tensor in flat(part)]
    return [result]


def compare(ours, theirs, inputs, more=()):
    """Equal results, and equal gradients of every parameter, input and state."""
    mine, other = zip(*inputs)
    extra = [tuple(side) if len(more) > 1 else side[0] for side in zip(*more)]
    results = [
        flat(module(*given, *([extra[i]] if extra else [])))
        for i, (module, given) in enumerate(((ours, mine), (theirs, other)))
    ]
    assert len(results[0]) == len(results[1])
    totals = []
    for side in results:
        total = 0
        for place, tensor in enumerate(side):
            total = total + ((place + 1) * tensor * tensor.cos()).sum()
        totals.append(total)
        total.backward()
    for a, b in zip(*results):
        assert tuple(a.shape) == tuple(b.shape)
        # The same algebra in double precision, in another order.
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-13)
    gradients = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        expected = gradients[name].grad.numpy()
        np.testing.assert_allclose(parameter.grad.numpy(), expected, rtol=1e-9, atol=1e-12)
    for a, b in [*inputs, *more]:
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-9, atol=1e-12)


def first_states(kind, options, batch=(BATCH,), short=SIZE):
    count = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    states = [drawn(1, count, *batch, short)]
    return [*states, drawn(2, count, *batch, SIZE)] if kind == "LSTM" else states


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_layers_equal_torchs(kind, options, given):
    ours, theirs = pair(kind, FEATURES, SIZE, **options)
    lead = (BATCH, STEPS) if options.get("batch_first") else (STEPS, BATCH)
    states = first_states(kind, options) if given else []
    compare(ours, theirs, [drawn(0, *lead, FEATURES)], states)
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_an_input_without_a_batch(kind, batch_first, given):
    options = {"batch_first": batch_first, "bidirectional": True}
    ours, theirs = pair(kind, FEATURES, SIZE, **options)
    states = first_states(kind, options, ()) if given else []
    compare(ours, theirs, [drawn(0, STEPS, FEATURES)], states)


def test_rectified_layers_equal_torchs():
    ours, theirs = pair("RNN", FEATURES, SIZE, 2, nonlinearity="relu")
    compare(ours, theirs, [drawn(0, STEPS, BATCH, FEATURES)])
    assert nn.RNN(2, 3, 1, "relu").nonlinearity == "relu"


@pytest.mark.parametrize("bidirectional", [False, True])
def test_shorter_outputs_equal_torchs(bidirectional):
    options = {"num_layers": 2, "proj_size": 2, "bidirectional": bidirectional}
    ours, theirs = pair("LSTM", FEATURES, SIZE, **options)
    states = first_states("LSTM", options, short=2)
    compare(ours, theirs, [drawn(0, STEPS, BATCH, FEATURES)], states)
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("shape", [(BATCH, FEATURES), (FEATURES,)])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_cells_equal_torchs(kind, bias, given, shape):
    ours, theirs = pair(f"{kind}Cell", FEATURES, SIZE, bias=bias)
    count = 0 if not given else 2 if kind == "LSTM" else 1
    states = [drawn(1 + n, *shape[:-1], SIZE) for n in range(count)]
    compare(ours, theirs, [drawn(0, *shape)], states)
    assert repr(ours) == repr(theirs)


def test_a_rectified_cell_equals_torchs():
    ours, theirs = pair("RNNCell", FEATURES, SIZE, nonlinearity="relu")
    compare(ours, theirs, [drawn(0, BATCH, FEATURES)])
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_in_a_loop_is_the_layer(kind):
    layer = getattr(nn, kind)(FEATURES, SIZE)
    cell = getattr(nn, f"{kind}Cell")(FEATURES, SIZE)
    cell.load_state_dict({n.removesuffix("_l0"): v for n, v in layer.state_dict().items()})
    x = mg.randn(STEPS, BATCH, FEATURES)
    output, _ = layer(x)
    state = None
    for step in range(STEPS):
        state = cell(x[step], state)
        hidden = state[0] if kind == "LSTM" else state
        # Single precision; the products have other numbers of rows.
        np.testing.assert_allclose(hidden.detach(), output[step].detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_one_layer_and_direction_by_itself(kind):
    layer = getattr(nn, kind)(FEATURES, SIZE, bidirectional=True, batch_first=True)
    x = mg.randn(BATCH, STEPS, FEATURES)
    output, _ = layer(x)
    zeros = (mg.zeros(BATCH, SIZE),) * len(layer.states)
    back, states = layer.layer(x, zeros, reverse=True, batch_first=True)
    assert (back.transpose(0, 1) == output[:, :, SIZE:]).all()
    assert (states[0] == output[:, 0, SIZE:]).all()


def test_dropout_acts_between_the_layers_in_training():
    mg.manual_seed(0)
    layer = nn.GRU(FEATURES, SIZE, num_layers=2, dropout=0.5)
    x = mg.randn(STEPS, BATCH, FEATURES)
    assert (layer(x)[0] != layer(x)[0]).any()
    assert (layer.eval()(x)[0] == layer(x)[0]).all()
    silent = nn.GRU(FEATURES, SIZE, num_layers=2, dropout=1.0)
    expected = nn.GRU(SIZE, SIZE)
    expected.load_state_dict(
        {n.replace("l1", "l0"): v for n, v in silent.state_dict().items() if "l1" in n}
    )
    assert (silent(x)[0] == expected(mg.zeros(STEPS, BATCH, SIZE))[0]).all()


def test_dropout_of_one_layer_warns():
    with pytest.warns(UserWarning, match=r"no effect with num_layers=1.*nn\.Dropout"):
        nn.LSTM(2, 3, dropout=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.LSTM(2, 3, num_layers=2, dropout=0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_gradients(kind):
    layer = getattr(nn, kind)(2, 2, num_layers=2, bidirectional=True, dtype=mg.float64)
    x = drawn(0, 3, 2, 2)[0]

    def last(x):
        output, states = layer(x)
        return output[-1], *flat(states)

    assert mg.autograd.gradcheck(last, (x,))
    assert mg.autograd.gradgradcheck(last, (x,))


def test_the_last_output_alone_trains():
    layer = nn.LSTM(FEATURES, SIZE, batch_first=True)
    output, (h_n, c_n) = layer(mg.randn(BATCH, STEPS, FEATURES))
    assert (output[:, -1] == h_n[0]).all()
    c_n.sum().backward()
    assert all(bool((p.grad != 0).any()) for p in layer.parameters())


def test_frozen_weights_get_no_gradient():
    layer = nn.GRU(FEATURES, SIZE)
    layer.weight_hh_l0.requires_grad_(False)
    layer.bias_hh_l0.requires_grad_(False)
    layer(mg.randn(STEPS, BATCH, FEATURES))[0].sum().backward()
    assert layer.weight_hh_l0.grad is None
    assert layer.bias_hh_l0.grad is None
    assert layer.weight_ih_l0.grad is not None


def test_nothing_is_recorded_without_a_gradient():
    with mg.no_grad():
        output, h_n = nn.GRU(FEATURES, SIZE)(mg.randn(STEPS, BATCH, FEATURES))
    assert not output.requires_grad
    assert not h_n.requires_grad


def test_an_empty_batch():
    output, (h_n, _) = nn.LSTM(FEATURES, SIZE)(mg.zeros(STEPS, 0, FEATURES))
    assert output.shape == (STEPS, 0, SIZE)
    assert h_n.shape == (1, 0, SIZE)


def test_the_parameters_of_each_layer():
    layer = nn.GRU(2, 3, num_layers=2, bidirectional=True)
    theirs = torch.nn.GRU(2, 3, num_layers=2, bidirectional=True)
    shapes = [[tuple(p.shape) for p in part] for part in theirs.all_weights]
    assert [[tuple(p.shape) for p in part] for part in layer.all_weights] == shapes
    layer.flatten_parameters()
    bound = 1 / 3**0.5
    assert all(float(p.abs().max()) <= bound for p in layer.parameters())


@pytest.mark.parametrize(
    ("action", "kind", "message"),
    [
        (lambda: nn.LSTM(3, 4)(mg.zeros(3)), ArgumentError, r"\[steps, batch, 3\].*got \[3\]"),
        (lambda: nn.LSTM(3, 4)(mg.zeros(5, 2, 4)), ArgumentError, r"got \[5, 2, 4\]"),
        (lambda: nn.RNN(1, 4)(mg.zeros(5, 2)), ArgumentError, r"x\.unsqueeze\(-1\)"),
        (lambda: nn.GRU(3, 4)(mg.zeros(0, 2, 3)), ArgumentError, "no steps"),
        (lambda: nn.GRU(3, 4)(mg.zeros(5, 2, 3).double()), DtypeError, r"'input' has dtype float6"),
        (lambda: nn.GRU(3, 4)([1.0]), TypeError, "not list"),
        (lambda: nn.GRU(3, 4)(np.zeros(3)), TypeError, "a PackedSequence .*, not ndarray"),
        (
            lambda: nn.GRU(3, 4)(mg.zeros(5, 2, 3), mg.zeros(2, 4)),
            ArgumentError,
            r"'hx' must have shape \[1, 2, 4\].*got \[2, 4\]",
        ),
        (
            lambda: nn.LSTM(3, 4)(mg.zeros(5, 2, 3), mg.zeros(1, 2, 4)),
            ArgumentError,
            r"pair of Tensors, \(h_0, c_0\), got a Tensor",
        ),
        (
            lambda: nn.LSTM(3, 4)(mg.zeros(5, 2, 3), (mg.zeros(1, 2, 4), mg.zeros(1, 1, 4))),
            ArgumentError,
            r"'c_0' must have shape \[1, 2, 4\]",
        ),
        (
            lambda: nn.GRU(3, 4)(mg.zeros(5, 2, 3), mg.zeros(1, 2, 4).double()),
            DtypeError,
            "'hx' has dtype float64",
        ),
        (lambda: nn.LSTM(3, 0), ArgumentError, "hidden_size must be at least 1, got 0"),
        (lambda: nn.LSTM(3, 4.0), TypeError, "hidden_size must be an int, got float"),
        (lambda: nn.LSTM(3, 4, 0), ArgumentError, "num_layers must be at least 1"),
        (lambda: nn.LSTM(3, 4, 2, dropout=2), ArgumentError, "dropout must be a probability"),
        (lambda: nn.LSTM(3, 4, proj_size=4), ArgumentError, "proj_size must be from 0"),
        (lambda: nn.RNN(3, 4, nonlinearity="gelu"), ArgumentError, "'tanh' or 'relu'"),
        (lambda: nn.RNNCell(3, 4, nonlinearity="gelu"), ArgumentError, "'tanh' or 'relu'"),
        (lambda: nn.RNNCell(3, 4)(mg.zeros(5, 2, 3)), ArgumentError, "nn.RNN whole sequences"),
        (
            lambda: nn.RNNCell(3, 4)(mg.zeros(2, 3), mg.zeros(3, 4)),
            ArgumentError,
            r"shape \[2, 4\].*got \[3, 4\]",
        ),
        (lambda: nn.LSTMCell(3, 4)(mg.zeros(2, 3), mg.zeros(2, 4)), ArgumentError, "a pair"),
    ],
)
def test_refusals_say_what_would_work(action, kind, message):
    with pytest.raises(kind, match=message):
        action()
