"""Sequences of different lengths: packing, padding, and recurrent layers over them, as in torch."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ArgumentError
from minigrad.nn.utils import rnn

torch = pytest.importorskip("torch")
theirs = pytest.importorskip("torch.nn.utils.rnn")

LENGTHS = [[5, 3, 3, 1], [4, 4], [2], [1, 4, 2], [3, 5, 5, 1]]


def values(lengths, features=(2,)):
    rng = np.random.default_rng(0)
    return rng.normal(size=(max(lengths), len(lengths), *features))


def both(lengths, batch_first, array=None):
    """The same padded sequences packed by torch and by minigrad, from leaves."""
    array = values(lengths) if array is None else array
    array = array.swapaxes(0, 1) if batch_first else array
    ordered = lengths == sorted(lengths, reverse=True)
    mine = mg.tensor(array, requires_grad=True)
    other = torch.tensor(array, requires_grad=True)
    return (
        (mine, rnn.pack_padded_sequence(mine, lengths, batch_first, ordered)),
        (other, theirs.pack_padded_sequence(other, torch.tensor(lengths), batch_first, ordered)),
    )


def same(mine, wanted, **tolerances):
    assert (mine is None) == (wanted is None)
    if mine is not None:
        assert str(mine.dtype) == str(wanted.dtype).removeprefix("torch.")
        np.testing.assert_allclose(mine.detach().numpy(), wanted.detach().numpy(), **tolerances)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_packing_equals_torchs(lengths, batch_first):
    (mine, packed), (other, wanted) = both(lengths, batch_first)
    for part, wanted_part in zip(packed, wanted, strict=True):
        same(part, wanted_part)
    for total in (None, 7):
        options = {"batch_first": batch_first, "padding_value": -2.0, "total_length": total}
        padded, counts = rnn.pad_packed_sequence(packed, **options)
        wanted_padded, wanted_counts = theirs.pad_packed_sequence(wanted, **options)
        same(padded, wanted_padded)
        same(counts, wanted_counts)
    (padded**2).sum().backward()
    (wanted_padded**2).sum().backward()
    same(mine.grad, other.grad)
    for part, wanted_part in zip(
        rnn.unpack_sequence(packed), theirs.unpack_sequence(wanted), strict=True
    ):
        same(part, wanted_part)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_padding_and_packing_of_lists_equals_torchs(batch_first, side):
    arrays = [np.arange(2.0 * n).reshape(n, 2) for n in (2, 4, 1)]
    mine, other = [mg.tensor(a) for a in arrays], [torch.tensor(a) for a in arrays]
    same(
        rnn.pad_sequence(mine, batch_first, 9.0, side),
        theirs.pad_sequence(other, batch_first, 9.0, side),
    )
    packed, wanted = rnn.pack_sequence(mine, False), theirs.pack_sequence(other, False)
    for part, wanted_part in zip(packed, wanted, strict=True):
        same(part, wanted_part)
    padded = rnn.pad_sequence(mine, batch_first)
    for part, array in zip(rnn.unpad_sequence(padded, [2, 4, 1], batch_first), arrays, strict=True):
        np.testing.assert_array_equal(part.numpy(), array)


LAYERS = [
    ("RNN", {"nonlinearity": "relu"}),
    ("GRU", {"bidirectional": True, "num_layers": 2}),
    ("LSTM", {}),
    ("LSTM", {"bidirectional": True, "num_layers": 2, "bias": False}),
    ("LSTM", {"bidirectional": True, "proj_size": 2}),
]


@pytest.mark.parametrize("with_states", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(("name", "options"), LAYERS)
def test_recurrent_layers_over_packed_sequences_equal_torchs(name, options, lengths, with_states):
    reference = getattr(torch.nn, name)(2, 3, **options).double()
    layer = getattr(nn, name)(2, 3, **options).double()
    layer.load_state_dict({n: mg.tensor(v.numpy()) for n, v in reference.state_dict().items()})
    (mine, packed), (other, wanted) = both(lengths, False)
    hx, their_hx = (), ()
    if with_states:
        count = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
        rng = np.random.default_rng(1)
        shapes = [(count, len(lengths), size) for size in layer.state_sizes()]
        states = [rng.normal(size=shape) for shape in shapes]
        hx = tuple(mg.tensor(state, requires_grad=True) for state in states)
        their_hx = tuple(torch.tensor(state, requires_grad=True) for state in states)

    def given(states):
        return () if not states else (states if len(states) > 1 else states[0],)

    output, last = layer(packed, *given(hx))
    wanted_output, wanted_last = reference(wanted, *given(their_hx))
    last = last if isinstance(last, tuple) else (last,)
    wanted_last = wanted_last if isinstance(wanted_last, tuple) else (wanted_last,)
    same(output.data, wanted_output.data, rtol=1e-9)
    same(output.sorted_indices, wanted_output.sorted_indices)
    for state, wanted_state in zip(last, wanted_last, strict=True):
        same(state, wanted_state, rtol=1e-9)
    (sum((state * state).sum() for state in last) + (output.data**3).sum()).backward()
    (sum((s * s).sum() for s in wanted_last) + (wanted_output.data**3).sum()).backward()
    same(mine.grad, other.grad, rtol=1e-8, atol=1e-12)
    for state, their_state in zip(hx, their_hx, strict=True):
        same(state.grad, their_state.grad, rtol=1e-8, atol=1e-12)
    parameters = dict(reference.named_parameters())
    for key, parameter in layer.named_parameters():
        same(parameter.grad, parameters[key].grad, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda: rnn.pack_padded_sequence(mg.zeros(3, 2), [1, 3]), "enforce_sorted=False"),
        (lambda: rnn.pack_padded_sequence(mg.zeros(3, 2), [4, 3]), "at most 3"),
        (lambda: rnn.pack_padded_sequence(mg.zeros(3, 2), [3, 0]), "at least 1"),
        (lambda: rnn.pack_padded_sequence(mg.zeros(3, 2), [3]), "must be 2 lengths"),
        (
            lambda: rnn.pad_packed_sequence(
                rnn.pack_padded_sequence(mg.zeros(3, 2), [3, 1]), total_length=2
            ),
            "'total_length' is 2",
        ),
        (lambda: rnn.pad_sequence([]), "at least one"),
        (lambda: rnn.pad_sequence([mg.zeros(1)], padding_side="top"), "'right' or 'left'"),
        (
            lambda: nn.GRU(3, 4)(rnn.pack_padded_sequence(mg.zeros(3, 2, 2), [3, 1])),
            r"must have shape \[steps, 3\]",
        ),
    ],
)
def test_what_does_not_fit_is_refused(action, message):
    with pytest.raises(ArgumentError, match=message):
        action()
