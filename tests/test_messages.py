"""The messages of bad input to tensors, operations, layers and losses, as golden files."""

import re

import numpy as np
import pytest

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import nn
from tests.golden_files import check_golden


def refusal(action):
    """The kind and message of the error that an action raises."""
    try:
        result = action()
    except Exception as error:  # noqa: BLE001 - the kind is part of what is compared
        return f"{type(error).__name__}: {error}"
    raise AssertionError(f"nothing was refused, the result is {result!r}")


def golden(name, actions):
    """Compare the refusals of named actions with a golden file."""
    lines = []
    for title, action in actions.items():
        message = re.sub(r" at \S*?([\w.]+\.py):\d+", r" at \1:LINE", refusal(action))
        lines.append(f"# {title}\n{message}\n")
    check_golden(f"messages/{name}", "\n".join(lines).strip())


def leaf(*shape):
    return mg.ones(*shape, requires_grad=True)


def test_shapes():
    x, y = mg.zeros(2, 3), mg.zeros(4, 5)
    golden(
        "shapes",
        {
            "add": lambda: x + y,
            "mul of three dimensions": lambda: mg.zeros(5, 2, 3) * mg.zeros(5, 4, 3),
            "matmul": lambda: x @ y,
            "mm": lambda: mg.mm(x, mg.zeros(3)),
            "bmm": lambda: mg.bmm(mg.zeros(2, 3, 4), mg.zeros(2, 5, 6)),
            "linear": lambda: F.linear(x, mg.zeros(4, 5)),
            "Linear layer": lambda: nn.Linear(5, 2)(x),
            "reshape": lambda: x.reshape(4, 2),
            "reshape with two unknowns": lambda: x.reshape(-1, -1),
            "view of a transpose": lambda: x.t().view(6),
            "cat": lambda: mg.cat([x, y]),
            "cat of nothing": lambda: mg.cat([]),
            "stack": lambda: mg.stack([x, y]),
            "expand": lambda: x.expand(4, 3),
            "squeeze dim": lambda: x.squeeze(5),
            "sum dim": lambda: x.sum(2),
            "sum dim twice": lambda: x.sum((0, 0)),
            "transpose dim": lambda: x.transpose(0, 2),
            "permute": lambda: x.permute(0, 0),
            "split": lambda: x.split([1, 2], dim=0),
            "where": lambda: mg.where(x > 0, x, y),
            "gather": lambda: x.gather(1, mg.tensor([0])),
            "conv2d channels": lambda: F.conv2d(mg.zeros(1, 3, 8, 8), mg.zeros(4, 2, 3, 3)),
            "conv2d kernel too large": lambda: F.conv2d(mg.zeros(1, 2, 2, 2), mg.zeros(4, 2, 3, 3)),
            "conv2d dims": lambda: F.conv2d(mg.zeros(8, 8), mg.zeros(4, 2, 3, 3)),
            "max_pool2d": lambda: F.max_pool2d(mg.zeros(1, 1, 2, 2), 3),
            "max_pool2d padding": lambda: F.max_pool2d(mg.zeros(1, 1, 4, 4), 2, padding=2),
            "batch_norm": lambda: nn.BatchNorm1d(4)(mg.zeros(3, 5)),
            "BatchNorm2d dims": lambda: nn.BatchNorm2d(4)(mg.zeros(3, 4)),
            "layer_norm": lambda: F.layer_norm(mg.zeros(2, 3), (4,)),
            "einsum": lambda: mg.einsum("ij,jk->ik", x, y),
            "einsum operands": lambda: mg.einsum("ij,jk->ik", x),
            "solve": lambda: mg.linalg.solve(mg.eye(3), mg.zeros(2)),
            "inv of a rectangle": lambda: mg.linalg.inv(x),
            "setitem": lambda: x.__setitem__(0, mg.zeros(2)),
            "in-place broadcast": lambda: mg.zeros(3).add_(x),
        },
    )


def test_dtypes_and_types():
    x, i = mg.zeros(2), mg.tensor([1, 2])
    golden(
        "dtypes",
        {
            "matmul of two dtypes": lambda: mg.zeros(2, 2) @ mg.zeros(2, 2, dtype=mg.float64),
            "requires_grad of ints": lambda: i.requires_grad_(),
            "mean of ints": lambda: i.mean(),
            "bool minus bool": lambda: (x > 0) - (x > 0),
            "int to a negative power": lambda: i**-1,
            "in-place float into int": lambda: i.add_(0.5),
            "unknown dtype": lambda: mg.zeros(2, dtype="float8"),
            "add a string": lambda: x + "one",
            "add None": lambda: x + None,
            "sin of a list": lambda: mg.sin([1.0]),
            "relu of a number": lambda: F.relu(1.0),
            "tensor of strings": lambda: mg.tensor(["a", "b"]),
            "tensor of ragged lists": lambda: mg.tensor([[1, 2], [3]]),
            "tensor of an object": lambda: mg.tensor(object()),
            "embedding of floats": lambda: F.embedding(x, mg.zeros(3, 2)),
            "index with a float": lambda: x[0.5],
            "index with a float tensor": lambda: x[mg.tensor([0.5])],
            "truth of many": lambda: bool(x == x),
            "item of many": lambda: x.item(),
            "float of many": lambda: float(x),
            "index of a float": lambda: [1, 2, 3][mg.tensor(1.5)],
            "complex into real": lambda: x.__setitem__(0, mg.tensor(1j)),
            "from_numpy of a list": lambda: mg.from_numpy([1.0]),
            "from_numpy of strings": lambda: mg.from_numpy(np.array(["a"])),
            "numpy of a leaf": lambda: leaf(2).numpy(),
        },
    )


def test_indices_and_labels():
    x = mg.zeros(3, 4)
    golden(
        "indices",
        {
            "too large": lambda: x[3],
            "too small": lambda: x[-4],
            "second dimension": lambda: x[0, 4],
            "too many": lambda: x[0, 0, 0],
            "negative step": lambda: x[::-1],
            "integer tensor": lambda: x[mg.tensor([0, 5])],
            "mask of another shape": lambda: x[mg.tensor([True, False])],
            "index shapes": lambda: x[mg.tensor([0, 1]), mg.tensor([0, 1, 2])],
            "index_select": lambda: x.index_select(0, mg.tensor([3])),
            "gather": lambda: x.gather(1, mg.tensor([[4]])),
            "scatter": lambda: x.scatter(1, mg.tensor([[9]]), 1.0),
            "embedding": lambda: F.embedding(mg.tensor([5]), mg.zeros(5, 2)),
            "one_hot": lambda: F.one_hot(mg.tensor([0, 3]), 3),
            "cross_entropy label": lambda: F.cross_entropy(mg.zeros(2, 3), mg.tensor([0, 3])),
            "cross_entropy negative": lambda: F.cross_entropy(mg.zeros(2, 3), mg.tensor([-1, 0])),
            "nll_loss label": lambda: F.nll_loss(mg.zeros(2, 3), mg.tensor([7, 0])),
            "size": lambda: x.size(2),
            "select": lambda: x.select(1, 4),
        },
    )


def test_losses():
    p, t = mg.full((3, 1), 0.5), mg.ones(3)
    nan = float("nan")
    golden(
        "losses",
        {
            "mse_loss (n, 1) against (n,)": lambda: F.mse_loss(p, t),
            "mse_loss (n,) against (n, 1)": lambda: F.mse_loss(t, p),
            "l1_loss": lambda: F.l1_loss(p, t),
            "smooth_l1_loss": lambda: F.smooth_l1_loss(p, t),
            "huber_loss": lambda: F.huber_loss(p, t),
            "binary_cross_entropy": lambda: F.binary_cross_entropy(p, t),
            "binary_cross_entropy_with_logits": lambda: F.binary_cross_entropy_with_logits(p, t),
            "binary_cross_entropy outside": lambda: F.binary_cross_entropy(p * 4, t[:, None]),
            "cross_entropy classes as floats": lambda: F.cross_entropy(mg.zeros(3, 2), t),
            "cross_entropy NaN labels": lambda: F.cross_entropy(
                mg.zeros(2, 2), mg.tensor([nan, 1.0])
            ),
            "cross_entropy batch": lambda: F.cross_entropy(mg.zeros(3, 2), mg.tensor([0, 1])),
            "cross_entropy weight": lambda: F.cross_entropy(
                mg.zeros(2, 3), mg.tensor([0, 1]), weight=mg.ones(2)
            ),
            "cross_entropy smoothing": lambda: F.cross_entropy(
                mg.zeros(2, 3), mg.tensor([0, 1]), label_smoothing=2.0
            ),
            "reduction": lambda: F.mse_loss(t, t, reduction="average"),
            "dropout": lambda: F.dropout(t, 1.5),
        },
    )


def test_first_steps():
    layer, x, label = nn.Linear(2, 3), mg.zeros(1, 2), mg.tensor([0])
    golden(
        "first_steps",
        {
            "a class in Sequential": lambda: nn.Sequential(layer, nn.ReLU),
            "a list in Sequential": lambda: nn.Sequential([layer, nn.ReLU()]),
            "a function in Sequential": lambda: nn.Sequential(layer, F.relu),
            "a number in Sequential": lambda: nn.Sequential(layer, 3),
            "a class in ModuleDict": lambda: nn.ModuleDict({"activation": nn.Tanh}),
            "ModuleList of one": lambda: nn.ModuleList(layer),
            "ParameterList of one": lambda: nn.ParameterList(layer.weight),
            "a loss made of tensors": lambda: nn.CrossEntropyLoss(layer(x), label),
            "a loss made of one tensor": lambda: nn.MSELoss(x),
            "a loss made of a target": lambda: nn.NLLLoss(layer(x), target=label),
            "too many arguments of a loss": lambda: nn.MSELoss("mean", None, None),
            "too few arguments of a convolution": lambda: nn.Conv2d(3),
            "too few arguments of a pool": lambda: nn.MaxPool2d(),
            "too few arguments of a recurrent layer": lambda: nn.LSTM(3),
            "an optimizer of a model": lambda: mg.optim.SGD(layer, lr=0.1),
            "an optimizer of models": lambda: mg.optim.SGD([layer, layer], lr=0.1),
            "parameters that were not called": lambda: mg.optim.SGD(layer.parameters, lr=0.1),
            "an optimizer of a tensor": lambda: mg.optim.SGD(layer.weight, lr=0.1),
            "an optimizer of a number": lambda: mg.optim.SGD(0.1),
            "a recurrent layer without features": lambda: nn.RNN(1, 4)(mg.zeros(5, 2)),
            "a recurrent layer's states": lambda: nn.LSTM(3, 4)(mg.zeros(5, 2, 3), mg.zeros(4)),
        },
    )


def test_graph():
    def changed():
        x = leaf(2)
        y = x * 2
        z = (y * y).sum()
        y.detach().add_(1)
        z.backward()

    def twice():
        x = leaf(2)
        y = (x * x).sum()
        y.backward()
        y.backward()

    def leaf_view():
        leaf(2)[0].add_(1)

    golden(
        "graph",
        {
            "backward of many": lambda: (leaf(2) * 2).backward(),
            "backward of a complex": lambda: (leaf(1) * 1j).sum().backward(),
            "backward of data": lambda: mg.zeros(1).backward(),
            "backward twice": twice,
            "gradient of another shape": lambda: (leaf(2) * 2).backward(mg.ones(3)),
            "changed in place": changed,
            "leaf in place": lambda: leaf(2).add_(1),
            "leaf item": lambda: leaf(2).__setitem__(0, 1.0),
            "view of a leaf": leaf_view,
            "unused input": lambda: mg.autograd.grad(leaf(1).sum(), [leaf(2)]),
            "input without gradient": lambda: mg.autograd.grad(leaf(1).sum(), [mg.ones(2)]),
            "grad_outputs": lambda: mg.autograd.grad([leaf(2).sum()], [leaf(2)], [None, None]),
            "deepcopy of a result": lambda: (leaf(2) * 2).__deepcopy__({}),
            "hook that returns a number": lambda: _hook_returning(3.0),
            "hook that returns another shape": lambda: _hook_returning(mg.ones(3)),
            "gradcheck without inputs": lambda: mg.autograd.gradcheck(mg.sin, mg.ones(2)),
            "gradcheck in float32": lambda: mg.autograd.gradcheck(mg.exp, leaf(2) * 1),
            "gradcheck at a kink": lambda: mg.autograd.gradcheck(
                mg.relu, mg.zeros(1, dtype=mg.float64, requires_grad=True)
            ),
        },
    )


def _hook_returning(value):
    x = leaf(2)
    y = x * 2
    y.register_hook(lambda g: value)
    y.sum().backward()


def test_devices():
    x = mg.zeros(2)
    golden(
        "devices",
        {
            "unknown": lambda: x.to("gpu"),
            "malformed": lambda: mg.zeros(2, device="cuda:first"),
            "two numbers": lambda: mg.device("cuda:1", 2),
        },
    )


def test_cuda_says_what_is_missing():
    words = refusal(lambda: mg.zeros(2, device="cuda").fail)
    there = "'Tensor' object has no attribute 'fail'" in words
    assert there or ("device 'cuda' needs" in words and "device='cpu'" in words)


def test_arguments():
    golden(
        "arguments",
        {
            "arange step zero": lambda: mg.arange(0, 5, 0),
            "arange wrong sign": lambda: mg.arange(0, 5, -1),
            "negative size": lambda: mg.zeros(-1),
            "randint empty range": lambda: mg.randint(5, 5, (2,)),
            "multinomial of zeros": lambda: mg.multinomial(mg.zeros(3), 1),
            "bernoulli of 2": lambda: mg.bernoulli(mg.tensor([2.0])),
            "topk too many": lambda: mg.zeros(3).topk(4),
            "argmax of nothing": lambda: mg.zeros(0).argmax(),
            "max of nothing": lambda: mg.zeros(0).max(),
            "clamp without bounds": lambda: mg.zeros(2).clamp(),
            "repeat": lambda: mg.zeros(2, 3).repeat(2),
            "conv groups": lambda: nn.Conv2d(3, 4, 3, groups=2),
            "conv padding": lambda: F.conv2d(
                mg.zeros(1, 1, 4, 4), mg.zeros(1, 1, 3, 3), padding="full"
            ),
            "conv same with stride": lambda: F.conv2d(
                mg.zeros(1, 1, 4, 4), mg.zeros(1, 1, 3, 3), stride=2, padding="same"
            ),
            "interpolate": lambda: F.interpolate(mg.zeros(1, 1, 4, 4)),
            "interpolate mode": lambda: F.interpolate(mg.zeros(1, 1, 4), 2, mode="cubic"),
            "softmax dim": lambda: F.softmax(mg.zeros(2), 1),
            "attention": lambda: F.scaled_dot_product_attention(
                mg.zeros(2, 3, 4), mg.zeros(2, 3, 5), mg.zeros(2, 3, 4)
            ),
            "train": lambda: nn.ReLU().train("yes"),
            "no forward": lambda: nn.Module()(1),
            "register_buffer": lambda: nn.ReLU().register_buffer("x", 3),
            "register_parameter": lambda: nn.ReLU().register_parameter("x", mg.zeros(2)),
            "dotted name": lambda: nn.ReLU().add_module("a.b", nn.ReLU()),
            "gain": lambda: nn.init.calculate_gain("swish"),
            "singular": lambda: mg.linalg.inv(mg.zeros(2, 2)),
            "manual_seed": lambda: mg.manual_seed("one"),
        },
    )


@pytest.mark.parametrize("name", ["conv4d", "Linaer"])
def test_a_missing_name_says_so(name):
    with pytest.raises(AttributeError, match=name):
        getattr(nn, name)
    with pytest.raises(AttributeError, match=name):
        getattr(mg, name)
