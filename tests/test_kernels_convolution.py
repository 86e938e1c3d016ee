"""Each compiled way to convolve equals the plain one, whatever the shape, layout and values."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import kernels
from minigrad.backend import threads

pytest.importorskip("numba", reason="compares the kernels that Numba compiles")

from minigrad.kernels.compiled import (
    abreast,
    convolution,
    lines,
    unrolled,
    winograd,
    winograd_batches,
    winograd_filters,
    workers,
)

WAYS = {"lines": lines, "abreast": abreast, "unrolled": unrolled, "winograd": winograd}
# Sums in another order cost a few units in the last place; Winograd's transforms some ten more.
TOLERANCES = {"float32": 3e-6, "float64": 1e-13, "winograd": 2e-5}


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    take(monkeypatch, request.param)
    return request.param


def take(patch, name):
    """Take this way whatever the shape."""
    patch.setattr(convolution, "way", lambda *shape: WAYS[name])
    patch.setattr(convolution, "gradient_way", lambda *shape: WAYS[name])


def assert_close(got, wanted, tolerance):
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(np.isfinite(got), finite)
    np.testing.assert_array_equal(got[~finite], wanted[~finite])
    scale = max(1, abs(wanted[finite]).max(initial=0))
    np.testing.assert_allclose(got[finite], wanted[finite], rtol=0, atol=tolerance * scale)


def compare(case, tolerance):
    """All three functions, compiled and plain, on one case."""
    x, w, bias, shift, g, stride, padding, dilation, groups = case
    windows = (stride, padding, dilation, groups)
    calls = (
        (kernels.convolve, (x, w, bias, *windows, g.shape[2:])),
        (kernels.convolve_input_grad, (g, w, shift, x.shape[2:], *windows)),
        (kernels.convolve_weight_grad, (g, x, w.shape[2:], *windows)),
    )
    for function, arguments in calls:
        results = []
        for implementation in ("reference", "numba"):
            with kernels.use(implementation), np.errstate(invalid="ignore"):
                results.append(function(np, *arguments))
        assert_close(results[1], results[0], tolerance)


# Panels of filters hold 16 to 64 of them.
COUNTS = st.one_of(st.integers(1, 13), st.sampled_from([20, 32, 50, 64]))


@st.composite
def cases(draw, square, batches=(1, 2, 9)):
    """Images, filters, biases and cotangents; for `square` what Winograd's tiles can do."""
    dims = 2 if square else draw(st.integers(1, 3))

    def sizes(low, high, fixed):
        if square:
            return (fixed,) * dims
        return tuple(draw(st.integers(low, high)) for _ in range(dims))

    groups = 1 if square else draw(st.integers(1, 3))
    channels, filters = draw(st.integers(1, 5)), draw(COUNTS)
    kernel, stride, dilation = sizes(1, 4, 3), sizes(1, 3, 1), sizes(1, 2, 1)
    padding = tuple(draw(st.integers(0, 2)) for _ in range(dims))
    least = [
        max(1, d * (k - 1) + 1 - 2 * p) for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    size = tuple(n + draw(st.integers(0, 13 if dims < 3 else 4)) for n in least)
    batch = draw(st.sampled_from(batches))
    out = kernels.output_sizes(size, kernel, stride, padding, dilation)
    # A transposed convolution may leave windows out, where they move by more than one.
    out = tuple(
        max(1, n - draw(st.integers(0, 1))) if step > 1 else n
        for n, step in zip(out, stride, strict=True)
    )
    dtype = "float32" if square else draw(st.sampled_from(["float32", "float64"]))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    x, g = (
        rng.normal(size=(batch, groups * many, *sides)).astype(dtype)
        for many, sides in ((channels, size), (filters, out))
    )
    if draw(st.booleans()):
        x, g = (np.moveaxis(np.moveaxis(a, 1, -1).copy(), -1, 1) for a in (x, g))
    w = rng.normal(size=(groups * filters, channels, *kernel)).astype(dtype)
    bias = rng.normal(size=groups * filters).astype(dtype) if draw(st.booleans()) else None
    shift = rng.normal(size=groups * channels).astype(dtype) if draw(st.booleans()) else None
    if draw(st.integers(0, 4)) == 0:
        x[(0,) * x.ndim] = draw(st.sampled_from([np.nan, np.inf]))
        g[(-1,) * g.ndim] = draw(st.sampled_from([np.nan, -np.inf]))
    return x, w, bias, shift, g, stride, padding, dilation, groups


@pytest.mark.parametrize("name", ["lines", "abreast", "unrolled"])
@settings(max_examples=60, deadline=None)
@given(case=cases(square=False), held=st.sampled_from([0, 1 << 16]))
def test_windows_of_all_kinds(name, case, held):
    with pytest.MonkeyPatch.context() as patch:
        take(patch, name)
        # Images are cut, and held one or several at a time; kernels are met in parts.
        patch.setattr(lines, "BANDS", 300)
        patch.setattr(lines, "HELD", held)
        for module in (lines, abreast):
            patch.setattr(module, "LONG", 100)
            patch.setattr(module, "LEAST", 100)
            module.planned.cache_clear()
        compare(case, TOLERANCES[case[0].dtype.name])


@settings(max_examples=60, deadline=None)
@given(case=cases(square=True, batches=(1, 2, 9, 16, 31)))
def test_tiles(case):
    with pytest.MonkeyPatch.context() as patch:
        take(patch, "winograd")
        # Images are held one or a few at a time.
        patch.setattr(winograd, "_BLOCK", 10000)
        patch.setattr(winograd_batches, "HELD", 10000)
        compare(case, TOLERANCES["winograd"])


def images(shape, filters, kernel, padding, seed=0):
    """A case with windows that move by one."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape).astype("float32")
    w = rng.normal(size=(filters, shape[1], kernel, kernel)).astype("float32")
    side = shape[2] + 2 * padding - kernel + 1
    g = rng.normal(size=(shape[0], filters, side, side)).astype("float32")
    return x, w, None, None, g, (1, 1), (padding, padding), (1, 1), 1


@pytest.mark.parametrize("batch", [9, 32])
def test_results_do_not_depend_on_the_number_of_threads(way, batch, monkeypatch):
    for module in (workers, lines, abreast, winograd_batches, winograd_filters):
        monkeypatch.setattr(module, "LEAST", 1000)
    x, w, _, _, g, *windows = images((batch, 8, 12, 12), 40, 3, 1)
    before = threads.get_num_threads()
    results = []
    try:
        for count in (1, 3):
            threads.set_num_threads(count)
            with kernels.use("numba"):
                results.append(
                    (
                        kernels.convolve(np, x, w, None, *windows, g.shape[2:]),
                        kernels.convolve_input_grad(np, g, w, None, x.shape[2:], *windows),
                        kernels.convolve_weight_grad(np, g, x, (3, 3), *windows),
                    )
                )
            assert threads.blas_threads() in (None, count)
    finally:
        threads.set_num_threads(before)
    for one, three in zip(*results, strict=True):
        np.testing.assert_array_equal(one, three)


def test_no_product_of_a_convolution_wakes_the_threads_of_blas(monkeypatch):
    """They would wait actively after it, on the cores that the other loops run on."""
    if threads.blas_threads() is None:
        pytest.skip("this BLAS cannot be asked for its threads")
    seen = []
    product = np.matmul

    def matmul(*arguments, **options):
        seen.append(threads.blas_threads())
        return product(*arguments, **options)

    x, w, *_ = images((4, 64, 32, 32), 64, 3, 1)
    before = threads.get_num_threads()
    monkeypatch.setattr(np, "matmul", matmul)
    threads.set_num_threads(2)
    try:
        winograd.convolve(x, w, None, (1, 1), (32, 32))
        assert threads.blas_threads() == 2
    finally:
        threads.set_num_threads(before)
    assert len(seen) > 1
    assert set(seen) == {1}


def test_many_channels_and_images_of_any_size(way):
    for batch in (3, 16):
        compare(images((batch, 70, 19, 19), 33, 3, 1), TOLERANCES["winograd"])


def test_images_wider_than_a_strip():
    x = np.ones((1, 1, 3, 3000), "float32")
    compare((x, x[:, :, :, :3] * 2, None, None, x[:, :, :1, 2:], (1, 1), (0, 0), (1, 1), 1), 1e-6)


def described(
    channels, filters, kernel, side, dtype="float32", stride=1, groups=1, batch=32, choose=None
):
    both = (1, stride, stride)
    pad = kernel // 2
    sizes = (channels, filters, (1, kernel, kernel), both, (0, pad, pad), (1, 1, 1))
    choose = choose or convolution.way
    return choose(np.dtype(dtype), batch, *sizes, groups, (1, side, side))


def test_the_way_fits_the_shape():
    assert described(64, 64, 3, 32) is winograd
    assert described(64, 64, 3, 32, dtype="float64") is abreast
    assert described(64, 64, 3, 32, stride=2) is abreast
    assert described(256, 256, 3, 8) is winograd
    assert described(256, 256, 3, 8, batch=4) is abreast
    assert described(64, 64, 3, 8) is abreast
    assert described(64, 1, 3, 8) is lines
    assert described(1, 8, 3, 28) is lines
    assert described(1, 1, 3, 32, groups=64) is lines
    assert described(64, 64, 1, 32) is unrolled
    assert described(64, 64, 1, 32, stride=2) is unrolled
    assert described(512, 512, 3, 7, batch=8) is abreast
    assert described(512, 512, 3, 7, batch=1) is unrolled
    assert described(512, 8, 3, 7, batch=8) is unrolled
    assert described(1, 16, 30, 5) is None


def test_the_way_of_the_filters_gradient_fits_the_shape():
    assert described(256, 256, 3, 8, choose=convolution.gradient_way) is winograd
    assert described(256, 256, 3, 8, batch=4, choose=convolution.gradient_way) is abreast
    assert described(64, 128, 3, 8, choose=convolution.gradient_way) is abreast
    assert described(256, 256, 3, 32, choose=convolution.gradient_way) is abreast
    assert described(64, 8, 3, 8, choose=convolution.gradient_way) is lines
    assert described(128, 128, 3, 8, choose=convolution.gradient_way) is abreast
    assert described(256, 256, 1, 8, choose=convolution.gradient_way) is abreast
    assert described(256, 8, 1, 8, choose=convolution.gradient_way) is unrolled


def test_nothing_to_convolve_is_left_to_the_reference():
    rng = np.random.default_rng(0)
    compare(
        (
            np.zeros((0, 2, 5, 5)), rng.normal(size=(3, 2, 3, 3)), None, None,
            np.zeros((0, 3, 3, 3)), (1, 1), (0, 0), (1, 1), 1,
        ),
        0,
    )  # fmt: skip


def test_many_channels_are_met_in_parts_and_summed_in_parts():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 130, 12, 12))
    w = rng.normal(size=(70, 130, 3, 3))
    g = rng.normal(size=(2, 70, 12, 12))
    compare((x, w, None, None, g, (1, 1), (1, 1), (1, 1), 1), TOLERANCES["float64"])


def test_a_single_large_image_is_cut_for_all_cores():
    compare(images((1, 20, 200, 200), 24, 3, 1), TOLERANCES["float32"])


NARROW = """
import sys
import numpy as np
from llvmlite import binding

known = binding.get_host_cpu_features
binding.get_host_cpu_features = lambda: {"avx": True}
from minigrad.kernels.compiled import registers

binding.get_host_cpu_features = known
from minigrad import kernels
from minigrad.kernels.compiled import abreast, lines, winograd

assert registers.REGISTER == 32
assert "minigrad.kernels.compiled.line_loops" in sys.modules
x = np.random.default_rng(0).normal(size=(3, 5, 20, 20)).astype("float32")
w = np.random.default_rng(1).normal(size=(7, 5, 3, 3)).astype("float32")
both = []
for implementation in ("reference", "numba"):
    with kernels.use(implementation):
        out = kernels.convolve(np, x, w, None, (1, 1), (1, 1), (1, 1), 1, (20, 20))
        back = kernels.convolve_weight_grad(np, out, x, (3, 3), (1, 1), (1, 1), (1, 1), 1)
        heads = x.reshape(1, 5, 3 * 100, 4)
        seen, logs = kernels.attend(np, heads, heads, heads, True, 0.5, 64)
        rest = (heads, heads, heads, seen, logs, True, 0.5, 64)
        met = kernels.attend_grad(np, seen, *rest)
    both.append((out, back, seen, *met))
tiles = winograd.convolve(np.repeat(x, 5, axis=0), w, None, (1, 1), (20, 20))
given = (both[0][0][:, :, None], x[:, :, None], (1, 3, 3), (1, 1, 1), (0, 1, 1), (1, 1, 1), 1)
both[0] += (both[0][1][:, :, None],)
both[1] += (abreast.weight_grad(*given),)
both[0] += (np.repeat(both[0][0], 5, axis=0),)
both[1] += (tiles,)
for plain, compiled in zip(*both, strict=True):
    np.testing.assert_allclose(compiled, plain, rtol=0, atol=6e-6 * abs(plain).max())
print("equal")
"""


def test_a_processor_with_narrower_registers_computes_the_same(tmp_path):
    """Its loops are compiled on this processor, which has those registers too."""
    environment = dict(os.environ, NUMBA_CACHE_DIR=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", NARROW], capture_output=True, text=True, env=environment
    )
    assert done.stdout == "equal\n", done.stderr
