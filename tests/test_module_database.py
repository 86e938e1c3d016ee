"""Every layer against torch's module database: outputs, states, and gradients with one's weights.

Each input of the database makes torch's layer and ours with the same arguments; ours takes over
torch's state dict, and both are run in training and in evaluation.
"""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy
import pytest

torch = pytest.importorskip("torch", reason="the module database is torch's: install torch")
pytest.importorskip(
    "torch.testing._internal.common_modules",
    reason="the module database needs what torch's own tests need: install expecttest",
    exc_type=ImportError,
)

from torch.nn.utils.rnn import PackedSequence  # noqa: E402
from torch.testing._internal.common_modules import module_db  # noqa: E402
from torch.testing._internal.common_utils import set_rng_seed  # noqa: E402

import minigrad as mg  # noqa: E402

ENTRIES = [
    entry
    for entry in module_db
    if entry.module_cls.__module__.startswith("torch.nn.modules") and not entry.is_lazy
]
# Of each layer's inputs; MINIGRAD_MODULE_INPUTS=1000 runs all that there are.
MOST = int(os.environ.get("MINIGRAD_MODULE_INPUTS", "8"))
# Drawn anew at each call, so that only shapes can be compared.
RANDOM = {"FractionalMaxPool2d", "FractionalMaxPool3d"}
# The double precision results of two orders of the same sums.
TOLERANCE = {"rtol": 1e-7, "atol": 1e-9}


def ours(value: Any, leaves: list[Any]) -> Any:
    """A torch value as minigrad's; tensors that require a gradient are added to `leaves`."""
    if isinstance(value, PackedSequence):
        parts = [None if part is None else ours(part, leaves) for part in value]
        return mg.nn.utils.rnn.PackedSequence(*parts)
    if isinstance(value, torch.Tensor):
        tensor = mg.tensor(value.detach().numpy())
        if value.requires_grad:
            leaves.append(tensor.requires_grad_())
        return tensor
    if isinstance(value, (list, tuple)):
        return type(value)(ours(item, leaves) for item in value)
    if isinstance(value, dict):
        return {name: ours(item, leaves) for name, item in value.items()}
    if isinstance(value, torch.dtype):
        return getattr(mg, str(value).removeprefix("torch."))
    if isinstance(value, torch.nn.TransformerEncoderLayer):
        return mg.nn.TransformerEncoderLayer(
            value.self_attn.embed_dim,
            value.self_attn.num_heads,
            value.linear1.out_features,
            value.dropout.p,
            ours(value.activation, []),
            batch_first=value.self_attn.batch_first,
            norm_first=value.norm_first,
            bias=value.linear1.bias is not None,
        )
    if callable(value) and str(getattr(value, "__module__", "")).startswith("torch."):
        return getattr(mg.nn.functional, value.__name__)
    assert not isinstance(value, torch.nn.Module), f"no counterpart for {value} here"
    return value


def theirs(value: Any, leaves: list[Any]) -> Any:
    """A torch value as a fresh one of its own, its tensors that require a gradient as leaves."""
    if isinstance(value, PackedSequence):
        return PackedSequence(*[None if part is None else theirs(part, leaves) for part in value])
    if isinstance(value, torch.Tensor):
        fresh = value.detach().clone()
        if value.requires_grad:
            leaves.append(fresh.requires_grad_())
        return fresh
    if isinstance(value, (list, tuple)):
        return type(value)(theirs(item, leaves) for item in value)
    if isinstance(value, dict):
        return {name: theirs(item, leaves) for name, item in value.items()}
    return copy.deepcopy(value) if isinstance(value, torch.nn.Module) else value


def tensors(value: Any, kind: type) -> list[Any]:
    """The tensors of a result, nested tuples opened."""
    if isinstance(value, kind):
        return [value]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in tensors(item, kind)]
    return []


def built(given: Any, cls: type, convert: Callable[..., Any]) -> Any:
    """A layer from the database's arguments, in double precision where it takes a dtype."""
    arguments = given.constructor_input
    return cls(*convert(arguments.args, []), **convert(arguments.kwargs, [])).double()


def seeds(outputs: list[Any]) -> list[Any]:
    """A cotangent for each output."""
    rng = numpy.random.default_rng(7)
    return [rng.normal(size=tuple(output.shape)) for output in outputs]


def compare(what: str, mine: Any, wanted: Any) -> None:
    """Both as NumPy arrays; None stands for zeros."""
    if mine is None or wanted is None:
        other = wanted if mine is None else mine
        assert other is None or not other.detach().numpy().any(), what
        return
    assert str(mine.dtype) == str(wanted.dtype).removeprefix("torch."), what
    assert tuple(mine.shape) == tuple(wanted.shape), what
    numpy.testing.assert_allclose(
        mine.detach().numpy(), wanted.detach().numpy(), err_msg=what, **TOLERANCE
    )


def check(given: Any, cls: Any, training: bool) -> None:
    """Both layers on one input of the database."""
    set_rng_seed(0)
    reference = built(given, cls, theirs).train(training)
    layer = built(given, getattr(mg.nn, cls.__name__), ours).train(training)
    wanted = reference.state_dict()
    assert list(layer.state_dict()) == list(wanted), "the names in the state dict"
    layer.load_state_dict({name: mg.tensor(value.numpy()) for name, value in wanted.items()})
    forward = given.forward_input
    my_leaves: list[Any] = []
    their_leaves: list[Any] = []
    my_arguments = ours(forward.args, my_leaves), ours(forward.kwargs, my_leaves)
    their_arguments = theirs(forward.args, their_leaves), theirs(forward.kwargs, their_leaves)
    expected = reference(*their_arguments[0], **their_arguments[1])
    got = layer(*my_arguments[0], **my_arguments[1])
    mine, right = tensors(got, mg.Tensor), tensors(expected, torch.Tensor)
    assert len(mine) == len(right)
    if cls.__name__ in RANDOM and "_random_samples" not in given.constructor_input.kwargs:
        assert [tuple(m.shape) for m in mine] == [tuple(w.shape) for w in right]
        return
    for position, (output, wanted_output) in enumerate(zip(mine, right, strict=True)):
        compare(f"output {position}", output, wanted_output)
    for name, value in reference.state_dict().items():
        compare(f"{name} after the call", layer.state_dict()[name], value)
    places = [place for place, output in enumerate(right) if output.requires_grad]
    assert places == [place for place, output in enumerate(mine) if output.requires_grad]
    if not places:
        return
    cotangents = seeds([right[place] for place in places])
    torch.autograd.backward(
        [right[place] for place in places], [torch.tensor(g) for g in cotangents]
    )
    mg.autograd.backward([mine[place] for place in places], [mg.tensor(g) for g in cotangents])
    parameters = dict(layer.named_parameters())
    for name, parameter in reference.named_parameters():
        compare(f"gradient of {name}", parameters[name].grad, parameter.grad)
    for position, (leaf, wanted_leaf) in enumerate(zip(my_leaves, their_leaves, strict=True)):
        compare(f"gradient of input {position}", leaf.grad, wanted_leaf.grad)


def strided(given: list[Any]) -> list[Any]:
    """At most MOST inputs, evenly spread, the first and the last among them."""
    if len(given) <= MOST:
        return given
    step = (len(given) - 1) / (MOST - 1)
    return [given[round(number * step)] for number in range(MOST)]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.module_cls.__name__)
def test_layer_equals_torchs(entry: Any) -> None:
    count = 0
    # torch warns of what it does for some of its own arguments.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for training in (True, False):
            set_rng_seed(0)
            given = entry.module_inputs_func(
                entry, "cpu", torch.float64, requires_grad=True, training=training
            )
            for one in strided(given):
                check(one, entry.module_cls, training)
                count += 1
    assert count
