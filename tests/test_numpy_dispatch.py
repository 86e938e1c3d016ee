"""NumPy's own functions called on a Tensor: no gradient is dropped in silence."""

import importlib
from pathlib import Path

import numpy
import pytest

import minigrad
from minigrad import numpy as mnp
from minigrad.numpy.absent import ABSENT


@pytest.fixture
def tensor():
    return minigrad.tensor([1.0, 2.0, 3.0], dtype=minigrad.float64, requires_grad=True)


CALLS = {
    "sin": lambda np, x: np.sin(x),
    "sum": lambda np, x: np.sum(x, axis=0),
    "concatenate": lambda np, x: np.concatenate([x, x * 2]),
    "stack of both kinds": lambda np, x: np.stack([x, numpy.ones(3)]),
    "where": lambda np, x: np.where(x > 1.5, x, 0.0),
    "norm": lambda np, x: np.linalg.norm(x),
    "solve": lambda np, x: np.linalg.solve(np.eye(3) * 2 + np.outer(x, x), x),
    "fft": lambda np, x: np.abs(np.fft.fft(x)),
    "add.reduce": lambda np, x: np.add.reduce(x),
    "multiply.outer": lambda np, x: np.multiply.outer(x, x),
    "add.accumulate": lambda np, x: np.add.accumulate(x),
    "einsum": lambda np, x: np.einsum("i,j->ij", x, x),
    "clip": lambda np, x: np.clip(x, 1.5, 2.5),
    "median": lambda np, x: np.median(x),
    "array first": lambda np, x: numpy.arange(3.0) * x,
    "scalar first": lambda np, x: numpy.float64(2.0) / x,
    "matmul": lambda np, x: numpy.eye(3) @ x,
    "interp": lambda np, x: np.interp(x, [0.0, 2.2, 4.0], [0.0, 1.0, 5.0]),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_function_of_numpy_carries_gradients(name, tensor):
    call = CALLS[name]
    result = call(numpy, tensor)
    assert type(result) is minigrad.Tensor
    expected = call(numpy, tensor.detach().numpy())
    numpy.testing.assert_allclose(result.detach().numpy(), expected, 1e-12)
    (found,) = minigrad.autograd.grad(result.sum(), tensor)
    move = numpy.array([0.3, -0.2, 0.5])
    ends = [
        numpy.sum(call(numpy, tensor.detach().numpy() + sign * 1e-6 * move)) for sign in (1, -1)
    ]
    assert float((found.numpy() * move).sum()) == pytest.approx(
        (ends[0] - ends[1]) / 2e-6, rel=1e-6
    )


def test_an_operator_with_an_array_first_does_what_the_tensors_operator_does():
    tensor = minigrad.tensor([1, 2])
    for array in (numpy.array([1.5, 2.5], "f4"), numpy.array([1, 2], "i2"), numpy.float64(2.0)):
        for one, other in ((array * tensor, tensor * array), (array > tensor, tensor < array)):
            assert type(one) is minigrad.Tensor
            assert one.dtype == other.dtype
            assert one.tolist() == other.tolist()


def test_results_are_of_the_kind_of_the_arguments(tensor):
    assert type(numpy.sqrt(tensor)) is minigrad.Tensor
    assert type(numpy.sqrt(mnp.asarray(tensor))) is mnp.ndarray
    assert type(numpy.add(numpy.ones(3), mnp.asarray(tensor))) is mnp.ndarray
    assert type(numpy.linalg.slogdet(minigrad.eye(2))).__name__ == "SlogdetResult"


def test_what_has_no_counterpart_is_refused_where_a_gradient_would_be_dropped(tensor):
    with pytest.raises(TypeError, match="requires a gradient, which it would drop"):
        numpy.poly(tensor)
    with pytest.raises(TypeError, match="requires a gradient"):
        numpy.savetxt("never-written", tensor)
    assert numpy.poly(tensor.detach()).tolist() == [1.0, -6.0, 11.0, -6.0]
    with pytest.raises(RuntimeError, match="no derivative"):
        numpy.nextafter(tensor, 0.0)
    with pytest.raises(TypeError, match="known for it are"):
        numpy.subtract.reduce(tensor)


def test_a_numpy_array_as_out_is_refused_for_a_gradient(tensor):
    out = numpy.zeros(3)
    with pytest.raises(RuntimeError, match="would drop the gradient"):
        numpy.exp(tensor, out=out)
    with pytest.raises(RuntimeError, match="would drop the gradient"):
        out += tensor
    assert out.tolist() == [0.0, 0.0, 0.0]
    assert numpy.add(tensor.detach(), 1.0, out=out) is out
    assert out.tolist() == [2.0, 3.0, 4.0]
    into = mnp.zeros(3)
    assert mnp.multiply(mnp.asarray(tensor), 2, out=into) is into
    assert into.requires_grad


def test_scipys_special_functions_carry_gradients(tensor):
    special = pytest.importorskip("scipy.special")
    for name in ("expit", "erf", "xlogy"):
        function = getattr(special, name)
        args = (tensor, tensor) if name == "xlogy" else (tensor,)
        result = function(*args)
        assert result.requires_grad
        expected = function(*(arg.detach().numpy() for arg in args))
        numpy.testing.assert_allclose(result.detach().numpy(), expected, 1e-12)
    with pytest.raises(TypeError, match="would drop"):
        special.kv(1, tensor)


def test_a_name_that_is_not_there_says_why():
    for name, reason in ABSENT.items():
        if hasattr(mnp, name):
            raise AssertionError(f"{name} is there")
        with pytest.raises(AttributeError) as caught:
            getattr(mnp, name)
        assert reason in str(caught.value)
    with pytest.raises(AttributeError, match="did you mean 'concatenate'"):
        mnp.concatenat  # noqa: B018


def test_every_public_name_of_numpy_is_there_or_explained():
    names = {name for name in dir(numpy) if not name.startswith("_")}
    missing = {name for name in names if not hasattr(mnp, name)}
    assert sorted(missing - set(ABSENT)) == []
    for part in ("linalg", "fft"):
        ours = getattr(mnp, part)
        theirs = set(getattr(numpy, part).__all__)
        assert sorted({n for n in theirs if not hasattr(ours, n)} - set(ABSENT)) == []


def test_the_tables_of_the_page_are_current(monkeypatch):
    docs = Path(__file__).parent.parent / "docs"
    monkeypatch.syspath_prepend(docs)
    page = importlib.import_module("make_numpy").page()
    assert (docs / "numpy.md").read_text("utf-8") == page, "run: python docs/make_numpy.py"
