"""Elementwise work on large arrays is cut among the cores, and nothing but the time shows it."""

import threading
import warnings

import numpy as np
import pytest

import minigrad
from minigrad.backend import wide
from minigrad.backend.wide import WIDE
from minigrad.graph import registry

COUNT = WIDE // 4 + 77


@pytest.fixture(params=[1, 2, 3])
def threads(request, monkeypatch):
    monkeypatch.setattr(minigrad.backend.threads, "_count", request.param)
    return request.param


@pytest.fixture(params=["reference", "numba"])
def way(request):
    """How the pieces are handed over: by Python, or by a compiled loop."""
    if request.param == "numba" and not minigrad.kernels.ready.installed():
        pytest.skip("Numba is not installed")
    with minigrad.kernels.use(request.param, "fill"):
        yield request.param


@pytest.fixture
def calls(monkeypatch):
    """The functions that were called on vectors cut into pieces."""
    seen = []
    fill = wide._fill

    def counted(xp, out, function, operands):
        seen.append(function)
        return fill(xp, out, function, operands)

    monkeypatch.setattr(wide, "_fill", counted)
    return seen


@pytest.fixture
def pieces(monkeypatch):
    """The numbers of pieces that Python handed over."""
    seen = []
    run = wide.run

    def counted(task, count, threads):
        seen.append(count)
        run(task, count, threads)

    monkeypatch.setattr(wide, "run", counted)
    return seen


def values(count=COUNT, dtype="float32", seed=0):
    return np.random.default_rng(seed).normal(size=count).astype(dtype)


UNARY = ["exp", "log", "sqrt", "sin", "cos", "tanh", "relu"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
def test_arithmetic_is_numpys_bit_for_bit(name, dtype, way, threads, calls, pieces):
    a, b = values(dtype=dtype), values(dtype=dtype, seed=1)
    function = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}[name]
    operation = getattr(minigrad, name)
    x, y = minigrad.tensor(a), minigrad.tensor(b)
    np.testing.assert_array_equal(operation(x, y).numpy(), function(a, b))
    np.testing.assert_array_equal(operation(x, 3).numpy(), function(a, 3))
    np.testing.assert_array_equal(operation(x, 0.1).numpy(), function(a, 0.1))
    assert calls == [function] * 3 * (threads > 1)
    assert bool(pieces) == (threads > 1 and way == "reference")
    assert all(count > 1 for count in pieces)


@pytest.mark.parametrize("name", ["mul", "tanh", "scaled"])
def test_a_compiled_step_takes_one_function_as_eager_code_does(name, threads, calls):
    function = {"mul": np.multiply, "tanh": np.tanh, "scaled": np.multiply}[name]
    a, b = values(), values(seed=1)
    arrays, numbers = {"mul": ([a, b], []), "tanh": ([a], []), "scaled": ([a], [0.1])}[name]
    operation = minigrad.tanh if name == "tanh" else minigrad.mul
    step = minigrad.compile(lambda *tensors: operation(*tensors, *numbers))
    tensors = [minigrad.tensor(array) for array in arrays]
    step(*tensors)
    calls.clear()
    found = step(*tensors)
    np.testing.assert_array_equal(found.numpy(), function(*arrays, *numbers))
    assert calls == [function] * (threads > 1)


@pytest.mark.parametrize("name", UNARY)
def test_functions_are_the_same_on_any_number_of_threads(name, way, threads):
    x = minigrad.tensor(np.abs(values()) + 0.1)
    with minigrad.kernels.use("reference", "exp", "relu"):
        found = getattr(minigrad, name)(x).numpy()
    whole = np.maximum(x.numpy(), 0) if name == "relu" else getattr(np, name)(x.numpy())
    np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize("name", ["mul", "div", "exp"])
def test_gradients_of_any_order(name, threads):
    x = minigrad.tensor(np.abs(values(dtype="float64")) + 0.5, requires_grad=True)
    y = minigrad.tensor(np.abs(values(dtype="float64", seed=1)) + 0.5, requires_grad=True)

    def both(x, y):
        out = x.exp() * y if name == "exp" else getattr(minigrad, name)(x, y)
        first = minigrad.autograd.grad(out.sum(), [x, y], create_graph=True)
        second = minigrad.autograd.grad((first[0] * first[1]).sum(), [x, y])
        return [found.detach().numpy() for found in (*first, *second)]

    small = [part.detach()[:100].requires_grad_() for part in (x, y)]
    for large, exact in zip(both(x, y), both(*small)):
        np.testing.assert_allclose(large[:100], exact, 1e-14)


@pytest.mark.parametrize("case", ["rows", "strided", "dtypes", "empty", "integers", "scalar"])
def test_what_is_not_alike_goes_the_plain_way(case, monkeypatch, calls):
    monkeypatch.setattr(minigrad.backend.threads, "_count", 2)
    a = values(2 * COUNT).reshape(2, -1)
    first, second = {
        "rows": (a, a[0]),
        "strided": (a.T, a.T),
        "dtypes": (a, a.astype("float64")),
        "empty": (a[:, :0], a[:, :0]),
        "integers": (a.astype("int32"), a.astype("int32")),
        "scalar": (a, np.float64(0.1)),
    }[case]
    found, plain = wide.wide(np.add, first, second), np.add(first, second)
    assert found.dtype == plain.dtype
    np.testing.assert_array_equal(found, plain)
    assert not calls


def test_pieces_heed_what_numpy_was_told_about_errors(way, threads):
    zeros = minigrad.zeros(COUNT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(divide="ignore"):
            assert (zeros.log() == -np.inf).all()
        with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
            np.log(np.zeros(3))
        with np.errstate(divide="raise"), pytest.raises(minigrad.errors.ArgumentError):
            zeros.log()


CASES = {
    "add": (np.add, 3e38, 3e38, "overflow encountered in add"),
    "add in place": (np.add, 3e38, 3e38, "overflow encountered in add"),
    "sub": (np.subtract, np.inf, np.inf, "invalid value encountered in subtract"),
    "sum in place": (np.add, np.inf, -np.inf, "invalid value encountered in add"),
    "mul": (np.multiply, 1e30, 1e30, "overflow encountered in multiply"),
    "mul in place": (np.multiply, 0, np.inf, "invalid value encountered in multiply"),
    "div": (np.divide, 1, 0, "divide by zero encountered in divide"),
    "div in place": (np.divide, 1, 0, "divide by zero encountered in divide"),
    "sub in place": (np.subtract, 3e38, -3e38, "overflow encountered in subtract"),
    "log": (np.log, -1, None, "invalid value encountered in log"),
}


@pytest.mark.parametrize("name", CASES)
def test_one_element_is_warned_of_as_numpy_does(name, way, threads):
    function, left, right, message = CASES[name]
    a, b = np.full((2, COUNT), 0.5, "float32")
    a[-3] = left
    operands = (a,) if right is None else (a, b)
    b[-3] = b[-3] if right is None else right
    with np.errstate(all="ignore"):
        plain = function(*operands)
    with pytest.warns(RuntimeWarning, match=message) as told:
        found = wide.wide(function, *operands, out=a if "place" in name else None)
    assert found.tobytes() == plain.tobytes()
    assert {str(each.message) for each in told} == {message}


@pytest.mark.parametrize(
    ("function", "operands"),
    [(np.add, (-np.inf, 1)), (np.multiply, (np.nan, 2)), (np.multiply, (1e-30, 1e-30))],
)
def test_what_numpy_says_nothing_of_is_not_told(function, operands, way, threads):
    a, b = (np.full(COUNT, operand, "float32") for operand in operands)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = wide.wide(function, a, b)
    np.testing.assert_array_equal(found, function(a[0], b[0]))


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(("function", "right"), [(np.multiply, 1e-30), (np.divide, 1e30)])
def test_what_is_too_small_is_told_where_that_is_asked_for(function, right, inside, way, threads):
    small, other = np.full(COUNT, 1e-30, "float32"), np.full(COUNT, right, "float32")
    with np.errstate(under="raise"), pytest.raises(FloatingPointError, match="underflow"):
        wide.wide(function, small, other, out=small if inside else None)


@pytest.mark.parametrize("step", [1, 1000])
def test_what_is_half_in_place_of_an_operand_is_as_numpy_makes_it(step, way, threads):
    whole = values(COUNT + step)
    plain = np.add(whole[:-step], whole[step:])
    wide.wide(np.add, whole[:-step], whole[step:], out=whole[step:])
    np.testing.assert_array_equal(whole[step:], plain)


@pytest.mark.parametrize("number", [1e300, 2**60, 10**400, np.inf, True, 7])
def test_numbers_become_what_numpy_makes_of_them(number, way, threads):
    a = values()

    def made(function):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                found = function(a, number).tobytes()
            except OverflowError as error:
                found = type(error)
        return found, {str(each.message) for each in told}

    assert made(lambda *given: wide.wide(np.multiply, *given)) == made(np.multiply)


def test_loops_from_several_threads_at_once(way, monkeypatch):
    monkeypatch.setattr(minigrad.backend.threads, "_count", 3)
    a = values()
    product = a * np.float32(2.5)
    equal = []

    def work():
        equal.extend(np.array_equal(wide.wide(np.multiply, a, 2.5), product) for _ in range(5))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert equal == [True] * 20


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "complex64"])
@pytest.mark.parametrize("layout", ["plain", "turned", "one number", "strided", "small"])
@pytest.mark.parametrize("number", [1.5, -0.0, np.inf, np.nan])
def test_copies_are_equal_and_their_own(number, layout, dtype, way, threads):
    a = values(4 * COUNT).astype(dtype).reshape(4, -1)
    a[0, 0] = number if dtype[0] in "fc" else 3
    array = {
        "plain": a,
        "turned": a.T,
        "one number": np.broadcast_to(a[0, 0], a.shape),
        "strided": a[:, ::2],
        "small": a[:2, :5],
    }[layout]
    copy = wide.duplicate(array)
    assert copy.tobytes() == array.tobytes()
    assert copy.dtype == array.dtype
    assert copy.flags.c_contiguous
    assert copy.flags.writeable
    assert not np.shares_memory(copy, array)


def test_a_large_gradient_is_summed_where_paths_meet(threads):
    x = minigrad.tensor(values(), requires_grad=True)
    seed = minigrad.tensor(values(seed=1))
    (x * 2 + x * 3 + x).backward(seed)
    expected = seed.numpy() + (seed.numpy() * np.float32(3) + seed.numpy() * np.float32(2))
    np.testing.assert_allclose(x.grad.numpy(), expected, 1e-6)
    x.grad = None
    (x + x).backward(seed)
    np.testing.assert_array_equal(x.grad.numpy(), 2 * seed.numpy())
    assert not np.shares_memory(x.grad.numpy(), seed.numpy())


def test_what_is_declared_wide_is_one_function_of_numpys():
    found = {op.name: op.function for op in registry.values() if op.kind.is_wide}
    assert found["mul"] is np.multiply
    assert found["div"] is np.true_divide
    assert None not in found.values()
    assert set(UNARY) - {"exp", "relu"} <= set(found)


def test_rules_that_are_one_operator_are_taken_on_all_cores():
    found = {(op.name, name) for op in registry.values() for name in op.large}
    assert found == {
        ("mul", "input"), ("mul", "other"), ("div", "input"), ("sub", "other"), ("log", "input")
    }  # fmt: skip


@pytest.mark.parametrize(
    "forward",
    [
        lambda xp, a, b: a + b * 1,
        lambda xp, a, b: b - a,
        lambda xp, a, b: xp.add(a, b, where=True),
        lambda xp, a, b: a,
        lambda xp, a, b: (a * b) * a,
    ],
)
def test_other_forwards_are_not_one_function(forward):
    assert wide.function_of(forward, ("a", "b")) is None


@pytest.mark.parametrize("name", ["mul", "div", "sub"])
def test_derivatives_of_large_arrays_are_those_of_the_plain_rules(name, threads, calls):
    a, b, g, h = (values(seed=seed) + 3 for seed in range(4))
    x, y = (minigrad.tensor(v, requires_grad=True) for v in (a, b))
    first = minigrad.autograd.grad(
        getattr(minigrad, name)(x, y), [x, y], minigrad.tensor(g), create_graph=True
    )
    plain = {
        "mul": (g * b, g * a),
        "div": (g / b, -g * (a / b) / b),
        "sub": (g, -g),
    }[name]
    for found, expected in zip(first, plain, strict=True):
        np.testing.assert_array_equal(found.detach().numpy(), expected)
    assert bool(calls) == (threads > 1)
    if name != "sub":
        (second,) = minigrad.autograd.grad(first[0], [y], minigrad.tensor(h))
        expected = {"mul": h * g, "div": -h * (g / b) / b}[name]
        np.testing.assert_array_equal(second.numpy(), expected)
