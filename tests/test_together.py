"""Compiled loops whose pieces are handed from thread to thread without Python's lock."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import minigrad
from minigrad.backend import lanes

pytest.importorskip("numba", reason="runs loops that Numba compiles")

from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.together import attend, shared
from minigrad.kernels.compiled.words import add, pause, read


@compiled
def doubled(x, out, start, stop):
    for i in range(start, stop):
        out[i] = 2 * x[i]


@compiled
def scaled(x, factor, out):
    for i in range(len(out)):
        out[i] = factor * x[i]


@compiled
def met(inside, seen, start, stop):
    """Waits a while for another piece to run as well."""
    add(inside, 1)
    for _ in range(100_000):
        if read(inside) > 1:
            seen[start] = 1
        pause()
    add(inside, -1)


@compiled
def starved(out, start, stop):
    if start == 0:
        raise MemoryError
    for i in range(start, stop):
        out[i] = 1


@compiled
def crowd(inside, out, start, stop):
    """Notes how many threads are inside at once."""
    out[start] = max(out[start], add(inside, 1) + 1)
    for _ in range(20):
        pause()
    add(inside, -1)


@pytest.fixture(autouse=True)
def awake():
    lanes.keep_awake(attend)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(("rows", "length"), [(0, 1), (1, 1), (7, 3), (1000, 1000), (1001, 10)])
def test_every_row_is_done_once(threads, rows, length):
    x, out = np.arange(float(rows)), np.full(rows, -1.0)
    lanes.together(shared(doubled), threads, rows, length, x, out)
    assert np.array_equal(out, 2 * x)


@pytest.mark.parametrize("threads", [1, 3])
def test_arrays_are_cut_into_pieces_and_short_ones_are_seen_by_each(threads):
    x, same, out = np.arange(100.0), np.ones(30), np.zeros(100)
    lanes.together(shared(scaled, cuts=True), threads, 100, 30, x, 3.0, out)
    assert np.array_equal(out, 3 * x)
    lanes.together(shared(scaled, cuts=True), threads, 100, 30, same, 2.0, out)
    assert np.array_equal(out, np.full(100, 2.0))


def test_pieces_run_at_the_same_time():
    inside, seen = np.zeros(1, np.int64), np.zeros(2)
    for _ in range(10_000):
        # Who is just falling asleep is not there for one loop, but for the next.
        lanes.together(shared(met), 2, 2, 1, inside.ctypes.data, seen)
        if seen.all():
            break
    assert seen.all()
    assert inside[0] == 0


def test_no_more_threads_take_part_than_were_asked_for():
    lanes.run(lambda piece: None, 8, 4)
    seen = np.zeros(1, np.int64)
    out = np.zeros(1000)
    for _ in range(200):
        lanes.together(shared(crowd), 2, 1000, 1, seen.ctypes.data, out)
    assert out.max() <= 2
    assert seen[0] == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_a_piece_without_memory_raises_and_harms_no_later_loop(threads):
    out = np.zeros(6)
    with pytest.raises(MemoryError, match="memory that it works in"):
        lanes.together(shared(starved), threads, 6, 2, out)
    assert np.array_equal(out, [0, 0, 1, 1, 1, 1])
    lanes.together(shared(doubled), threads, 6, 2, np.ones(6), out)
    assert np.array_equal(out, np.full(6, 2.0))


def test_loops_from_several_threads_at_once():
    wrong = []

    def caller(number):
        x = np.arange(5000.0) + number
        for _ in range(200):
            out = np.zeros(5000)
            lanes.together(shared(doubled), 3, 5000, 100, x, out)
            if not np.array_equal(out, 2 * x):
                wrong.append(number)

    callers = [threading.Thread(target=caller, args=(number,)) for number in range(4)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join(60)
    assert not any(thread.is_alive() for thread in callers)
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_a_table_of_its_own():
    code = (
        "import os, numpy as np\n"
        "import minigrad\n"
        "minigrad.set_num_threads(2)\n"
        "x = minigrad.tensor(np.linspace(-1, 1, 1 << 18, dtype='f'))\n"
        "def right():\n"
        "    return np.array_equal(x.relu().numpy(), np.maximum(x.numpy(), 0))\n"
        "assert right()\n"
        "child = os.fork()\n"
        "assert all(right() for _ in range(50))\n"
        "if not child:\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    environment = {**os.environ, "MINIGRAD_KERNELS": "wait"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    subprocess.run(command, check=True, timeout=600, env=environment)


def test_the_number_of_threads_does_not_change_results():
    before = minigrad.get_num_threads()
    x = np.random.default_rng(0).normal(size=300_001).astype("f")
    found = []
    try:
        for count in (1, 2, 3):
            minigrad.set_num_threads(count)
            t = minigrad.tensor(x, requires_grad=True)
            minigrad.nn.functional.gelu(t).sum().backward()
            found.append(t.grad.numpy())
    finally:
        minigrad.set_num_threads(before)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


@pytest.fixture
def moved(monkeypatch):
    """A thread of the cores 0 to 2, woken from core 1, and where it was let be."""
    seen = []
    monkeypatch.setattr(lanes, "_core", lambda: 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: {0, 1, 2}, raising=False)
    move = lambda thread, cores: seen.append(cores)  # noqa: E731
    monkeypatch.setattr(os, "sched_setaffinity", move, raising=False)
    return seen


def woken():
    sleeper = lanes._Sleeper()
    sleeper.prepare()
    sleeper.wake()
    sleeper.sleep()


def test_a_thread_is_woken_on_another_core_than_its_waker(moved):
    woken()
    assert moved == [{0, 2}, {0, 1, 2}]


def test_a_thread_with_one_core_is_woken_there(moved, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: {1}, raising=False)
    woken()
    assert moved == []


def test_a_thread_is_woken_where_threads_cannot_be_moved(moved, monkeypatch):
    def refuse(thread, cores):
        moved.append(cores)
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refuse, raising=False)
    woken()
    assert moved == [{0, 2}]


@pytest.mark.parametrize("size", [1 << 17, 1_000_000, 10_000_000])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_there_are_pieces_for_a_thread_that_comes_late(size, threads):
    count = lanes.portions(size, threads)
    assert count == 1 if threads == 1 else count > threads
    assert count == 1 or size // count >= 1 << 13
