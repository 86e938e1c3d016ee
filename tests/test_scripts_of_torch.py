"""The names around tensors that scripts written for torch use: limits, settings, timers."""

from __future__ import annotations

import math
import warnings

import numpy
import pytest

import minigrad
from minigrad.errors import ArgumentError, DtypeError


def test_limits_of_dtypes() -> None:
    limits, wanted = minigrad.finfo(minigrad.float64), numpy.finfo("float64")
    assert (limits.bits, limits.eps, limits.max) == (64, wanted.eps, wanted.max)
    assert minigrad.finfo().dtype == "float32"
    assert minigrad.finfo(minigrad.complex128).dtype == "float64"
    assert (minigrad.iinfo(minigrad.uint8).min, minigrad.iinfo(minigrad.uint8).max) == (0, 255)
    with pytest.raises(DtypeError, match="iinfo"):
        minigrad.finfo(minigrad.int32)
    with pytest.raises(DtypeError, match="finfo"):
        minigrad.iinfo(minigrad.float32)
    assert minigrad.pi == math.pi
    assert minigrad.newaxis is None


def test_axis_means_dim() -> None:
    x = minigrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x.sum(axis=0).tolist() == [4.0, 6.0]
    assert x.mean(axis=1).tolist() == [1.5, 3.5]
    assert x.cumsum(axis=1).tolist() == [[1.0, 3.0], [3.0, 7.0]]
    assert minigrad.cumprod(x, axis=0).tolist() == [[1.0, 2.0], [3.0, 8.0]]
    assert minigrad.concatenate((x, x), axis=1).shape == (2, 4)


def test_methods_that_change_a_tensor_are_functions() -> None:
    x = minigrad.tensor([-1.0, 2.0])
    assert minigrad.relu_(x) is x
    assert x.tolist() == [0.0, 2.0]
    with pytest.raises(AttributeError, match="no_such_method_"):
        _ = minigrad.no_such_method_


def test_printing_profiles_and_exponents() -> None:
    x = minigrad.tensor([0.001, 1.0])
    try:
        minigrad.set_printoptions(profile="short")
        assert repr(minigrad.tensor([1.2345])) == "tensor([1.23])"
        minigrad.set_printoptions(sci_mode=True)
        assert "e-03" in repr(x)
        with pytest.raises(ArgumentError, match="profile"):
            minigrad.set_printoptions(profile="long")
    finally:
        minigrad.set_printoptions(profile="default")
    assert repr(x) == "tensor([0.0010, 1.0000])"


def test_a_statement_is_timed_in_runs() -> None:
    from minigrad.utils.benchmark import Timer

    timer = Timer("x + 1", globals={"x": 1}, label="sum")
    once = timer.timeit(20)
    assert (once.number_per_run, len(once.times), once.iqr) == (20, 1, 0.0)
    assert once.mean == once.median > 0
    assert len(timer.blocked_autorange(min_run_time=0.001).times) >= 1


def test_diagonals_are_filled_in_place() -> None:
    torch = pytest.importorskip("torch", reason="compares with torch")
    for shape in ((3, 3), (2, 4), (7, 3), (3, 3, 3)):
        for wrap in (False, True):
            expected = torch.zeros(shape).fill_diagonal_(2.0, wrap).tolist()
            assert minigrad.zeros(shape).fill_diagonal_(2.0, wrap).tolist() == expected
    with pytest.raises(ArgumentError, match="fill_diagonal"):
        minigrad.zeros(2, 3, 4).fill_diagonal_(1.0)


def test_cauchy_draws_have_its_quartiles() -> None:
    minigrad.manual_seed(0)
    drawn = minigrad.zeros(20_000).cauchy_(1.0, 2.0)
    quartiles = minigrad.quantile(drawn, minigrad.tensor([0.25, 0.5, 0.75]))
    assert minigrad.allclose(quartiles, minigrad.tensor([-1.0, 1.0, 3.0]), atol=0.15)


def test_settings_are_remembered_and_checked() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        minigrad.use_deterministic_algorithms(True, warn_only=True)
    assert minigrad.get_deterministic_debug_mode() == 1
    minigrad.set_deterministic_debug_mode("default")
    assert not minigrad.are_deterministic_algorithms_enabled()
    with pytest.raises(ArgumentError, match="precision"):
        minigrad.set_float32_matmul_precision("low")


def test_types_have_their_old_names_too() -> None:
    assert minigrad.ones(2).type("torch.LongTensor").dtype == minigrad.int64
    assert minigrad.ones(2).type(minigrad.DoubleTensor).dtype == minigrad.float64
    assert minigrad.typename(minigrad.arange(2)) == "minigrad.LongTensor"
    assert minigrad.typename([]) == "list"


def test_the_default_device_is_the_cpu() -> None:
    minigrad.set_default_device("cpu")
    assert minigrad.get_default_device().type == "cpu"
    assert minigrad.ones(1).get_device() == -1
    with pytest.raises(ArgumentError, match="made on the CPU"):
        minigrad.set_default_device("cuda")
