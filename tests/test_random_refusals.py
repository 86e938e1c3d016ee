"""What the random generator refuses: the message says what was wrong, and nothing is drawn."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from minigrad.backend.random import Generator

G = Generator()
REFUSALS: list[tuple[Any, type[Exception], str]] = [
    (
        lambda: G.manual_seed(1.5),
        TypeError,
        "manual_seed(): argument 'seed' must be an integer, not float; for example manual_seed(0)",
    ),
    (
        lambda: G.manual_seed(True),
        TypeError,
        "manual_seed(): argument 'seed' must be an integer, not bool; for example manual_seed(0)",
    ),
    (
        lambda: G.manual_seed(2**64),
        ValueError,
        "manual_seed(): argument 'seed' must be in [-2**63, 2**64), but it is 18446744073709551616",
    ),
    (
        lambda: G.set_state([1, 2]),
        TypeError,
        "set_state(): argument 'state' must be the uint8 array that get_state() gave, not list",
    ),
    (
        lambda: G.set_state(numpy.zeros(24)),
        TypeError,
        "set_state(): argument 'state' must be the uint8 array that get_state() gave, not float64",
    ),
    (
        lambda: G.set_state(numpy.zeros(5056, numpy.uint8)),
        RuntimeError,
        "set_state(): argument 'state' must have shape (24,), as get_state() gives it, but its "
        "shape is (5056,)",
    ),
    (
        lambda: G.set_state(numpy.zeros(24, numpy.uint8)),
        RuntimeError,
        "set_state(): argument 'state' is not a state of this generator; pass an array that "
        "get_state() gave, unchanged",
    ),
    (
        lambda: G.uniform(numpy, (2, -1)),
        RuntimeError,
        "uniform(): a size must be at least 0, but the shape is (2, -1)",
    ),
    (
        lambda: G.permutation(numpy, -1),
        RuntimeError,
        "permutation(): a size must be at least 0, but the shape is (-1,)",
    ),
    (
        lambda: G.uniform(numpy, 3, "int64"),
        TypeError,
        "uniform(): argument 'dtype' must be a floating or complex dtype, not int64; for example "
        "float32",
    ),
    (
        lambda: G.uniform(numpy, 3, "float32", 2.0, 1.0),
        RuntimeError,
        "uniform(): the range must have low <= high and a width that float32 can hold, but it is "
        "[2.0, 1.0)",
    ),
    (
        lambda: G.uniform(numpy, 3, "float32", -3e38, 3e38),
        RuntimeError,
        "uniform(): the range must have low <= high and a width that float32 can hold, but it is "
        "[-3e+38, 3e+38)",
    ),
    (
        lambda: G.uniform(numpy, 3, "float32", 0.0, math.nan),
        RuntimeError,
        "uniform(): the range must have low <= high and a width that float32 can hold, but it is "
        "[0.0, nan)",
    ),
    (
        lambda: G.normal(numpy, 3, std=-1.0),
        RuntimeError,
        "normal(): argument 'std' must be at least 0, but it is -1.0",
    ),
    (
        lambda: G.exponential(numpy, 3, rate=0.0),
        RuntimeError,
        "exponential(): argument 'rate' must be positive and finite, but it is 0.0",
    ),
    (
        lambda: G.exponential(numpy, 3, "complex64"),
        TypeError,
        "exponential(): argument 'dtype' must be real, not complex64",
    ),
    (
        lambda: G.bernoulli(numpy, 1.5, 3),
        RuntimeError,
        "bernoulli(): argument 'probability' must be in [0, 1], but it is 1.5",
    ),
    (
        lambda: G.bernoulli(numpy, numpy.array([0.5, math.nan])),
        RuntimeError,
        "bernoulli(): argument 'probability' has elements outside [0, 1]",
    ),
    (
        lambda: G.integers(numpy, 5, 5, 2),
        RuntimeError,
        "integers(): 'low' must be less than 'high', but the range is [5, 5)",
    ),
    (
        lambda: G.integers(numpy, 0, 300, 2, "uint8"),
        RuntimeError,
        "integers(): the range [0, 300) does not fit uint8, which holds the integers from 0 to 255",
    ),
    (
        lambda: G.integers(numpy, 0, 2**25, 2, "float32"),
        RuntimeError,
        "integers(): the range [0, 33554432) does not fit float32, which holds the integers from "
        "-16777216 to 16777216",
    ),
    (
        lambda: G.integers(numpy, 0, 2, 2, "complex64"),
        TypeError,
        "integers(): argument 'dtype' must be an integer, boolean or floating dtype, not complex64",
    ),
    (
        lambda: G.multinomial(numpy, numpy.array([1, 2]), 1),
        TypeError,
        "multinomial(): the weights must be floating-point, not int64; for example weights.float()",
    ),
    (
        lambda: G.multinomial(numpy, numpy.ones((2, 2, 2)), 1),
        RuntimeError,
        "multinomial(): the weights must be of shape (categories,) or (rows, categories), but "
        "their shape is (2, 2, 2)",
    ),
    (
        lambda: G.multinomial(numpy, numpy.ones(3), 0),
        RuntimeError,
        "multinomial(): at least 1 sample must be drawn, not 0",
    ),
    (
        lambda: G.multinomial(numpy, numpy.array([1.0, -1.0]), 1),
        RuntimeError,
        "multinomial(): the weights include a negative, infinite or nan one",
    ),
    (
        lambda: G.multinomial(numpy, numpy.array([1.0, math.inf]), 1),
        RuntimeError,
        "multinomial(): the weights include a negative, infinite or nan one",
    ),
    (
        lambda: G.multinomial(numpy, numpy.array([[1.0, 2.0], [0.0, 0.0]]), 1, True),
        RuntimeError,
        "multinomial(): a row of weights is zero throughout",
    ),
    (
        lambda: G.multinomial(numpy, numpy.array([[1.0, 2.0], [1.0, 0.0]]), 2),
        RuntimeError,
        "multinomial(): 2 samples without replacement need as many weights above zero, but a row "
        "has 1; pass replacement=True or draw fewer",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), REFUSALS)
def test_refusals_say_what_to_do(call: Any, kind: type[Exception], message: str):
    before = G.get_state().tolist()
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
    assert G.get_state().tolist() == before
