"""Loss modules and the activations made with them: values and gradients against torch's."""

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ArgumentError, DtypeError

torch = pytest.importorskip("torch")

N, C = 5, 4
RNG = np.random.default_rng(0)
SCORES = RNG.standard_normal((N, C)) * 2
OTHERS = RNG.standard_normal((N, C))
SIGNS = np.where(RNG.standard_normal((N, C)) > 0, 1.0, -1.0)
CLASSES = RNG.integers(0, C, N)
WEIGHT = RNG.uniform(0.5, 2, C)
LISTED = np.array([[2, 0, -1, 1], [-1, 0, 1, 2], [0, 1, 2, 3], [3, -1, -1, -1], [1, 3, 0, -1]])
LOSSES = [
    ("L1Loss", {}, [SCORES, OTHERS]),
    ("MSELoss", {}, [SCORES, OTHERS]),
    ("HuberLoss", {"delta": 0.5}, [SCORES, OTHERS]),
    ("SmoothL1Loss", {"beta": 0.5}, [SCORES, OTHERS]),
    ("KLDivLoss", {}, [SCORES, np.exp(OTHERS)]),
    ("KLDivLoss", {"log_target": True}, [SCORES, OTHERS]),
    ("BCELoss", {}, [1 / (1 + np.exp(SCORES)), (SIGNS + 1) / 2]),
    ("BCEWithLogitsLoss", {"pos_weight": WEIGHT}, [SCORES, (SIGNS + 1) / 2]),
    ("NLLLoss", {"weight": WEIGHT}, [SCORES, CLASSES]),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, [SCORES, CLASSES]),
    ("PoissonNLLLoss", {"full": True}, [SCORES, np.abs(OTHERS) * 3]),
    ("GaussianNLLLoss", {"full": True}, [SCORES, OTHERS, np.abs(OTHERS) + 0.1]),
    ("HingeEmbeddingLoss", {"margin": 0.5}, [SCORES, SIGNS]),
    ("CosineEmbeddingLoss", {"margin": 0.2}, [SCORES, OTHERS, SIGNS[:, 0]]),
    ("MarginRankingLoss", {"margin": 0.2}, [SCORES, OTHERS, SIGNS]),
    ("TripletMarginLoss", {"swap": True}, [SCORES, OTHERS, OTHERS[::-1].copy()]),
    ("TripletMarginWithDistanceLoss", {"margin": 2.0}, [SCORES, OTHERS, OTHERS[::-1].copy()]),
    ("SoftMarginLoss", {}, [SCORES, SIGNS]),
    ("MultiMarginLoss", {}, [SCORES, CLASSES]),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": WEIGHT}, [SCORES, CLASSES]),
    ("MultiLabelMarginLoss", {}, [SCORES, LISTED]),
    ("MultiLabelSoftMarginLoss", {}, [SCORES, (SIGNS + 1) / 2]),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, [SCORES, (SIGNS + 1) / 2]),
]


def evaluated(lib, name, options, arrays):
    """The loss, and the gradients of a fixed projection of it by the floating arguments."""
    options = {
        key: lib.tensor(value) if isinstance(value, np.ndarray) else value
        for key, value in options.items()
    }
    # Torch has no gradient by the target of this one.
    wanted = 1 if name == "SoftMarginLoss" else len(arrays)
    inputs = [
        lib.tensor(array, requires_grad=place < wanted and array.dtype.kind == "f")
        for place, array in enumerate(arrays)
    ]
    loss = getattr(lib.nn, name)(**options)(*inputs)
    projection = np.linspace(0.5, 1.5, max(loss.numel(), 1)).reshape(tuple(loss.shape))
    (loss * lib.tensor(projection)).sum().backward()
    return loss.detach().numpy(), [x.grad.numpy() for x in inputs if x.grad is not None]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "options", "arrays"), LOSSES)
def test_losses_and_gradients_are_torchs(name, options, arrays, reduction):
    if name == "KLDivLoss" and reduction == "mean":
        reduction = "batchmean"  # torch warns of the other
    options = {**options, "reduction": reduction}
    (loss, gradients), (expected, others) = (
        evaluated(lib, name, options, arrays) for lib in (mg, torch)
    )
    assert loss.shape == expected.shape
    # Double precision; exponentials and sums in another order.
    np.testing.assert_allclose(loss, expected, rtol=1e-10, atol=1e-13)
    assert len(gradients) == len(others)
    for gradient, other in zip(gradients, others, strict=True):
        np.testing.assert_allclose(gradient, other, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("name", ["MultiMarginLoss", "MultiLabelMarginLoss"])
def test_one_sample_without_a_batch(name):
    target = CLASSES[0] if name == "MultiMarginLoss" else LISTED[0]
    results = [
        evaluated(lib, name, {"reduction": "none"}, [SCORES[0], np.asarray(target)])[0]
        for lib in (mg, torch)
    ]
    assert results[0].shape == results[1].shape == ()
    np.testing.assert_allclose(*results, rtol=1e-12)


@pytest.mark.parametrize("name", ["MultiMarginLoss", "MultiLabelMarginLoss"])
def test_losses_of_labels_have_second_derivatives(name):
    target = mg.tensor(CLASSES if name == "MultiMarginLoss" else LISTED)
    options = {"p": 2} if name == "MultiMarginLoss" else {}
    loss = getattr(nn, name)(**options)
    x = mg.tensor(SCORES, requires_grad=True)
    assert mg.autograd.gradcheck(lambda x: loss(x, target) ** 2, (x,))
    assert mg.autograd.gradgradcheck(lambda x: loss(x, target) ** 2, (x,))


def test_distances_are_torchs():
    for name, options in [
        ("CosineSimilarity", {"dim": 0}),
        ("CosineSimilarity", {}),
        ("PairwiseDistance", {"p": 1.0, "keepdim": True}),
        ("PairwiseDistance", {}),
    ]:
        ours, theirs = (evaluated(lib, name, options, [SCORES, OTHERS]) for lib in (mg, torch))
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
        for a, b in zip(ours[1], theirs[1], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


def test_a_distance_of_your_own():
    def furthest(a, b):
        return (a - b).abs().amax(1)

    arrays = [SCORES, OTHERS, OTHERS[::-1].copy()]
    options = {"distance_function": furthest, "reduction": "sum"}
    ours, theirs = (
        evaluated(lib, "TripletMarginWithDistanceLoss", options, arrays) for lib in (mg, torch)
    )
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)


def test_a_random_slope_in_training_and_the_mean_one_in_evaluation():
    mg.manual_seed(0)
    layer = nn.RReLU(0.1, 0.5)
    x = mg.tensor([-1.0, 2.0] * 500)
    out = layer(x)
    assert (out[1::2] == 2).all()
    slopes = -out[::2]
    assert 0.1 <= slopes.min().item() < 0.12
    assert 0.48 < slopes.max().item() < 0.5
    expected = torch.nn.RReLU(0.1, 0.5).eval()(torch.tensor([-1.0, 2.0])).tolist()
    assert layer.eval()(mg.tensor([-1.0, 2.0])).tolist() == expected
    assert repr(layer) == repr(torch.nn.RReLU(0.1, 0.5))


@pytest.mark.parametrize("name", [name for name in nn.activation.__all__ if name != "Threshold"])
def test_every_activation_is_torchs(name):
    x = np.linspace(-3, 3, 24).reshape(2, 3, 4)
    x = x[None] if name == "Softmax2d" else x
    options = {"dim": 1} if name in ("Softmax", "Softmin", "LogSoftmax") else {}
    results = []
    for lib in (mg, torch):
        layer = getattr(lib.nn, name)(**options).eval()
        if name == "PReLU":
            layer = layer.double()
        results.append(layer(lib.tensor(x)).detach().numpy())
    np.testing.assert_allclose(*results, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "loss", [nn.BCEWithLogitsLoss(mg.ones(2), "sum", mg.ones(2)), nn.MultiMarginLoss(2)]
)
def test_losses_are_copied_and_pickled(loss):
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert type(twin) is type(loss)
        assert twin.reduction == loss.reduction
        assert list(twin.state_dict()) == list(loss.state_dict())


x, y = mg.zeros(2, 3), mg.tensor([0, 1])


@pytest.mark.parametrize(
    ("action", "kind", "message"),
    [
        (lambda: nn.MultiMarginLoss(p=3), ArgumentError, "p must be 1 or 2, got 3"),
        (lambda: nn.MultiMarginLoss()(x, mg.tensor([0, 3])), IndexError, "label 3 at position"),
        (lambda: nn.MultiMarginLoss()(x, mg.tensor([0, -1])), IndexError, "label -1 at position"),
        (lambda: nn.MultiMarginLoss()(x, y.float()), DtypeError, "class numbers are integers"),
        (lambda: nn.MultiMarginLoss()(x, y[:1]), ArgumentError, r"shape \[2\] beside"),
        (lambda: nn.MultiMarginLoss()(x[None], y), ArgumentError, r"\(N, C\) or \(C,\), got"),
        (lambda: nn.MultiMarginLoss(weight=mg.ones(2))(x, y), ArgumentError, r"shape \[3\]"),
        (lambda: nn.MultiLabelMarginLoss()(x, x), DtypeError, "labels are class numbers"),
        (lambda: nn.MultiLabelMarginLoss()(x, x.long() + 3), IndexError, "outside 0 to 2"),
        (lambda: nn.MultiLabelMarginLoss()(x, y), ArgumentError, "must have the same shape"),
        (lambda: nn.MultiLabelSoftMarginLoss()(x, y), ArgumentError, "must have the same shape"),
        (lambda: nn.SoftMarginLoss("average"), ArgumentError, "reduction must be 'mean', 'sum'"),
        (lambda: nn.SoftMarginLoss(x, x), TypeError, r"loss_function = nn\.SoftMarginLoss\(\)"),
    ],
)
def test_refusals(action, kind, message):
    with pytest.raises(kind, match=message):
        action()
