"""The random generator: the published words, the same numbers on every path, seeds and states."""

from __future__ import annotations

import copy
import ctypes
import importlib.util
import pickle
import shutil
import subprocess
import sys
import threading
from typing import Any

import numpy
import pytest

from minigrad.backend import philox, random
from minigrad.backend.random import Generator

FLOATS = ("float16", "float32", "float64", "complex64", "complex128")
INTEGERS = ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64")
# What a draw may ask of an array library: nothing here is rounded differently by another device.
EXACT = (
    "all", "arange", "argsort", "asarray", "cumsum", "flatnonzero", "minimum", "ones",
    "searchsorted", "sort", "sqrt", "stack", "where", "zeros_like",
)  # fmt: skip


class PlainLibrary:
    """An array library that is not NumPy's module, so that it takes the other path to the words.

    It refuses everything but the functions named in EXACT.
    """

    __name__ = "plain"

    def __getattr__(self, name: str) -> Any:
        if name not in EXACT:
            raise AttributeError(f"a draw may not use {name}: devices may round it differently")
        return getattr(numpy, name)


PLAIN = PlainLibrary()


def seeded(seed: int = 12345) -> Generator:
    return Generator().manual_seed(seed)


def test_words_are_the_published_ones():
    # The known answer for counter 0 and key 0, from the authors' Random123 distribution.
    expected = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert philox.plain_words(numpy, 0, -1, 1).tolist() == expected


SEEDS_AND_STARTS = [(0, 0), (1, 1), (2**64 - 1, 2**32 - 3), (0x123456789ABCDEF0, 2**63 - 100)]


@pytest.mark.parametrize(("seed", "start"), SEEDS_AND_STARTS)
def test_plain_words_are_those_of_numpy(seed: int, start: int):
    expected = numpy.random.Philox(key=seed, counter=start).random_raw(4 * 50)
    numpy.testing.assert_array_equal(philox.plain_words(numpy, seed, start, 50), expected)
    numpy.testing.assert_array_equal(philox.words(PLAIN, seed, start, 50), expected)
    numpy.testing.assert_array_equal(philox.HostWords()(seed, start, 50), expected)


def test_cuda_source_gives_the_same_words(tmp_path: Any):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C++ compiler to stand in for CUDA's")
    prelude = """
    #define __global__
    struct Place { unsigned x; };
    static Place blockIdx, blockDim, threadIdx;
    static unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
        return (unsigned long long)(((unsigned __int128)a * b) >> 64);
    }
    """
    launch = """
    extern "C" void launch(unsigned grid, unsigned threads, word* words, word seed, word start,
                           word blocks) {
        blockDim.x = threads;
        for (blockIdx.x = 0; blockIdx.x < grid; ++blockIdx.x)
            for (threadIdx.x = 0; threadIdx.x < threads; ++threadIdx.x)
                philox_words(words, seed, start, blocks);
    }
    """
    source = tmp_path / "philox.cpp"
    source.write_text(prelude + philox.CUDA_SOURCE + launch)
    library = tmp_path / "philox.so"
    subprocess.run(
        [compiler, "-x", "c++", "-shared", "-fPIC", "-O1", str(source), "-o", str(library)],
        check=True,
    )
    compiled = ctypes.CDLL(str(library)).launch

    class Kernel:
        """Runs the compiled source as a CuPy kernel is run."""

        def __init__(self, source: str, name: str) -> None:
            assert source == philox.CUDA_SOURCE
            assert f"void {name}(" in source

        def __call__(self, grid: Any, threads: Any, arguments: Any) -> None:
            words, *numbers = arguments
            compiled(
                ctypes.c_uint(*grid),
                ctypes.c_uint(*threads),
                ctypes.c_void_p(words.ctypes.data),
                *(ctypes.c_uint64(int(number)) for number in numbers),
            )

    class Cuda:
        __name__ = "cupy"
        RawKernel = Kernel
        empty = staticmethod(numpy.empty)

    for seed, start in SEEDS_AND_STARTS:
        for blocks in (0, 1, 256, 300):
            expected = philox.plain_words(numpy, seed, start, blocks)
            drawn = philox.words(Cuda(), seed, start, blocks)
            numpy.testing.assert_array_equal(drawn, expected)


def test_products_keep_their_upper_half():
    values = [0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 0xDEADBEEFCAFEF00D]
    a = numpy.array(values, numpy.uint64)
    product = philox.multiply_high(numpy, a[:, None], a[None, :])
    assert product.tolist() == [[(x * y) >> 64 for y in values] for x in values]


def libraries() -> list[Any]:
    """The array libraries that are here, NumPy apart: CuPy among them where there is a GPU."""
    found = [PLAIN]
    if importlib.util.find_spec("cupy") is not None:
        cupy = importlib.import_module("cupy")
        if cupy.is_available():
            found.append(cupy)
    return found


# Around the bounds of a block, of a stretch made ahead and of a part.
SIZES = (0, 1, 7, 8, 9, 2047, 2048, 2049, 16_384, 16_385, 50_001)

DRAWS: dict[str, Any] = {
    **{f"uniform {d}": lambda g, xp, n, d=d: g.uniform(xp, n, d) for d in FLOATS},
    **{f"uniform range {d}": lambda g, xp, n, d=d: g.uniform(xp, n, d, -2.5, 7) for d in FLOATS},
    **{f"normal {d}": lambda g, xp, n, d=d: g.normal(xp, n, d) for d in FLOATS},
    **{f"normal moved {d}": lambda g, xp, n, d=d: g.normal(xp, n, d, 3, 0.7) for d in FLOATS},
    **{f"exponential {d}": lambda g, xp, n, d=d: g.exponential(xp, n, d, 2.5) for d in FLOATS[:3]},
    **{f"integers {d}": lambda g, xp, n, d=d: g.integers(xp, 0, 2, n, d) for d in INTEGERS},
    "integers wide": lambda g, xp, n: g.integers(xp, -(2**40), 2**62, n),
    "integers full": lambda g, xp, n: g.integers(xp, -(2**63), 2**63, n),
    "bits": lambda g, xp, n: g.bits(xp, n),
    "permutation": lambda g, xp, n: g.permutation(xp, n),
    "bernoulli": lambda g, xp, n: g.bernoulli(xp, 0.3, n),
    "bernoulli of arrays": lambda g, xp, n: g.bernoulli(xp, g.uniform(xp, n), dtype="float32"),
    "multinomial": lambda g, xp, n: g.multinomial(xp, g.uniform(xp, (2, 50)), n + 1, True),
    "race": lambda g, xp, n: g.multinomial(xp, g.uniform(xp, (3, n + 1), "float64"), n + 1),
}


@pytest.mark.parametrize("xp", libraries(), ids=lambda xp: xp.__name__)
@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
def test_every_library_draws_the_same_bits(draw: Any, xp: Any):
    host, other = seeded(), seeded()
    for size in SIZES:
        expected = draw(host, numpy, size)
        drawn = draw(other, xp, size)
        drawn = drawn.get() if hasattr(drawn, "get") else drawn
        assert drawn.dtype == expected.dtype
        assert drawn.shape == expected.shape
        assert drawn.tobytes() == expected.tobytes(), size
    numpy.testing.assert_array_equal(host.get_state(), other.get_state())


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
def test_numpy_and_another_library_take_turns(draw: Any):
    one, two = seeded(), seeded()
    for turn, size in enumerate((5, 300, 9, 9, 20_000, 3)):
        expected = draw(one, numpy, size)
        drawn = draw(two, (numpy, PLAIN)[turn % 2], size)
        assert drawn.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("method", ["uniform", "normal", "exponential"])
def test_one_large_draw_is_many_small_ones(method: str, dtype: str):
    pieces = (16, 2048, 160, 32_768 + 16, 16, 1024)
    whole, parts = seeded(), seeded()
    expected = getattr(whole, method)(numpy, sum(pieces), dtype)
    drawn = [getattr(parts, method)(numpy, size, dtype) for size in pieces]
    assert numpy.concatenate(drawn).tobytes() == expected.tobytes()


def test_a_draw_takes_whole_blocks():
    one, two = seeded(), seeded()
    one.uniform(numpy, 1)
    two.uniform(numpy, 8)
    numpy.testing.assert_array_equal(one.get_state(), two.get_state())
    two.uniform(numpy, 0)
    numpy.testing.assert_array_equal(one.get_state(), two.get_state())


def test_the_numbers_of_a_seed_stay():
    # Another release that draws other numbers changes every run that a seed was meant to fix.
    g = Generator().manual_seed(0)
    assert g.integers(numpy, 0, 1000, 5).tolist() == [11, 241, 111, 564, 502]
    uniform = [0.9668209552764893, 0.2538226842880249, 0.4000338315963745]
    assert g.uniform(numpy, 3).tolist() == uniform
    normal = [-0.7927371263504028, -1.4577492475509644, -2.0084211826324463]
    assert g.normal(numpy, 3).tolist() == normal
    normal64 = [0.7702672474453995, 0.44039963833214346, -0.12603530469042193]
    assert g.normal(numpy, 3, "float64").tolist() == normal64
    exponential = [1.8025934524754639, 2.982625526057345, 0.7526627712076455]
    assert g.exponential(numpy, 3, "float64").tolist() == exponential
    assert g.permutation(numpy, 8).tolist() == [1, 4, 6, 7, 2, 0, 5, 3]


def test_a_small_draw_keeps_no_more_alive_than_itself():
    drawn = seeded().normal(numpy, 8)
    owner = drawn
    while owner.base is not None:
        owner = owner.base
    assert owner.nbytes == drawn.nbytes


def test_an_interrupted_draw_leaves_nothing_wrong():
    generator = seeded()
    generator.bits(numpy, 4)
    state = generator.get_state()
    source = generator._host_words._source

    class Interrupted:
        def random_raw(self, count: int) -> Any:
            source.random_raw(3)
            raise KeyboardInterrupt

    generator._host_words._source = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        generator.bits(numpy, 4)
    generator._host_words._source = source
    generator.set_state(state)
    expected = philox.plain_words(numpy, 12345, 1, 1)
    numpy.testing.assert_array_equal(generator.bits(numpy, 4), expected)


def test_threads_never_share_a_number():
    generator = seeded()
    drawn: list[int] = []

    def draw() -> None:
        for size in (4, 8, 4, 40) * 50:
            drawn.extend(generator.bits(numpy, size).tolist())

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = philox.plain_words(numpy, 12345, 0, len(drawn) // 4)
    assert sorted(drawn) == sorted(expected.tolist())


def test_a_seed_starts_its_sequence():
    generator = Generator()
    assert generator.initial_seed() == 67280421310721
    assert generator.manual_seed(7) is generator
    assert generator.initial_seed() == 7
    first = generator.normal(numpy, 5).tolist()
    assert generator.normal(numpy, 5).tolist() != first
    assert generator.manual_seed(7).normal(numpy, 5).tolist() == first
    assert generator.manual_seed(8).normal(numpy, 5).tolist() != first
    assert Generator().manual_seed(-1).initial_seed() == 2**64 - 1
    assert Generator().manual_seed(numpy.int64(3)).initial_seed() == 3


def test_a_seed_by_chance():
    generator = Generator()
    seeds = {generator.seed() for _ in range(5)}
    assert len(seeds) == 5
    assert all(0 <= seed < 2**53 for seed in seeds)
    assert generator.initial_seed() in seeds


def test_a_state_brings_the_sequence_back():
    generator = seeded()
    generator.normal(numpy, 5)
    generator.uniform(numpy, 30_000)
    state = generator.get_state()
    assert state.dtype == numpy.uint8
    assert state.shape == (24,)
    expected = [draw(generator, numpy, 9).tolist() for draw in DRAWS.values()]
    other = Generator()
    other.set_state(state)
    assert [draw(other, numpy, 9).tolist() for draw in DRAWS.values()] == expected
    generator.set_state(state)
    assert [draw(generator, numpy, 9).tolist() for draw in DRAWS.values()] == expected
    state[...] = 0
    assert generator.get_state().any()


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda generator: pickle.loads(pickle.dumps(generator))]
)
def test_copies_go_their_own_way(duplicate: Any):
    generator = Generator("cpu").manual_seed(5)
    generator.normal(numpy, 3)
    other = duplicate(generator)
    assert other.device == generator.device
    assert repr(other) == "Generator(device='cpu', initial_seed=5)"
    assert other.normal(numpy, 3).tolist() == generator.normal(numpy, 3).tolist()
    other.normal(numpy, 100)
    assert other.get_state().tolist() != generator.get_state().tolist()


def test_the_default_generator():
    with random.fork_rng():
        assert random.manual_seed(3) is random.default_generator
        assert random.initial_seed() == 3
        state = random.get_rng_state()
        first = random.default_generator.bits(numpy, 4).tolist()
        random.set_rng_state(state)
        assert random.default_generator.bits(numpy, 4).tolist() == first
        assert random.seed() == random.initial_seed()


def test_a_fork_leaves_no_trace():
    before = random.get_rng_state().tolist()
    with random.fork_rng(devices=[0]):
        random.manual_seed(0)
    assert random.get_rng_state().tolist() == before
    with pytest.raises(TypeError), random.fork_rng():
        random.manual_seed(random.manual_seed(0))
    assert random.get_rng_state().tolist() == before
    with random.fork_rng():
        with random.fork_rng(enabled=False):
            random.manual_seed(0)
        assert random.initial_seed() == 0


def test_numpy_random_waits_for_the_first_draw():
    program = (
        "import sys, numpy; from minigrad.backend.random import default_generator as g;"
        "assert 'numpy.random' not in sys.modules; g.bits(numpy, 1);"
        "assert 'numpy.random' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_plain_library_refuses_what_devices_round_differently():
    with pytest.raises(AttributeError, match="a draw may not use log"):
        _ = PLAIN.log
    assert all(hasattr(PLAIN, name) for name in EXACT)
