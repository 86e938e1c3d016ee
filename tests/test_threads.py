"""The number of threads is asked and set in torch's words, and loops run on so many."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import minigrad
from minigrad.backend import lanes, threads
from minigrad.errors import ArgumentError


@pytest.fixture(autouse=True)
def restored():
    """Put back what a test has set."""
    before = threads._count, threads._told, threads._interop, threads.blas_threads()
    yield
    threads._count, threads._told, threads._interop = before[:3]
    if before[3] is not None:
        threads.set_blas_threads(before[3])


def test_the_number_of_threads_is_set_for_minigrad_and_blas_alike():
    minigrad.set_num_threads(2)
    assert minigrad.get_num_threads() == 2
    assert threads.blas_threads() in (2, None)
    minigrad.set_num_threads(np.int64(1))
    assert minigrad.get_num_threads() == 1
    assert threads.blas_threads() in (1, None)


def test_numba_is_told_but_not_loaded():
    code = (
        "import sys, minigrad\n"
        "minigrad.set_num_threads(1)\n"
        "assert 'numba' not in sys.modules\n"
        "minigrad.nn.functional.layer_norm(minigrad.ones(300, 100), (100,))\n"
        "import numba\n"
        "assert numba.get_num_threads() == 1\n"
    )
    pytest.importorskip("numba", reason="asks Numba")
    environment = {k: v for k, v in os.environ.items() if k not in threads.THREAD_VARIABLES}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.parametrize(
    ("told", "count"), [("3", 3), ("2,1", 2), ("", None), ("0", None), ("many", None)]
)
def test_without_a_word_it_is_the_environments_or_the_cores(monkeypatch, told, count):
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    monkeypatch.setattr(threads, "_count", 0)
    assert minigrad.get_num_threads() == (count or threads.cores())


@pytest.mark.parametrize("function", ["set_num_threads", "set_num_interop_threads"])
@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (0, ArgumentError, "at least 1, got 0"),
        (-2, ArgumentError, "at least 1, got -2"),
        (1.5, TypeError, "must be an integer, not float"),
        (True, TypeError, "must be an integer, not bool"),
        ("2", TypeError, "must be an integer, not str"),
    ],
)
def test_what_is_no_number_of_threads_is_refused(function, value, error, words):
    before = minigrad.get_num_threads(), minigrad.get_num_interop_threads()
    with pytest.raises(error, match=rf"{function}\(\): argument 'num' .*{words}"):
        getattr(minigrad, function)(value)
    assert (minigrad.get_num_threads(), minigrad.get_num_interop_threads()) == before


def test_interop_threads_are_remembered():
    assert minigrad.get_num_interop_threads() >= 1
    minigrad.set_num_interop_threads(3)
    assert minigrad.get_num_interop_threads() == 3


@pytest.mark.parametrize(("size", "expected"), [(0, 1), (199, 1), (200, 2), (399, 3), (9999, 4)])
def test_small_loops_get_few_threads(size, expected):
    minigrad.set_num_threads(4)
    assert lanes.lanes(size, 100) == expected


@pytest.mark.parametrize("count", [0, 1, 2, 50])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_every_piece_runs_once(count, number):
    seen = []
    lanes.run(seen.append, count, number)
    assert sorted(seen) == list(range(count))


def test_pieces_run_on_several_threads():
    # Each waits for the other: one thread alone would not get past the first.
    meeting = threading.Barrier(2, timeout=600)
    lanes.run(lambda piece: meeting.wait(), 2, 2)


def test_a_piece_starts_no_loop_of_its_own():
    minigrad.set_num_threads(4)
    found = []
    lanes.run(lambda piece: found.append(lanes.lanes(10**9, 1)), 4, 2)
    assert found == [1] * 4
    assert lanes.lanes(10**9, 1) == 4


def test_an_error_in_a_piece_is_raised_where_the_loop_was_asked_for():
    def task(piece):
        if piece == 3:
            raise ValueError("the third")

    with pytest.raises(ValueError, match="the third"):
        lanes.run(task, 8, 2)
    seen = []
    lanes.run(seen.append, 8, 2)
    assert len(seen) == 8


def test_loops_from_several_threads_at_once():
    totals = {}

    def caller(name):
        for _ in range(30):
            seen = []
            lanes.run(seen.append, 9, 3)
            totals[name] = totals.get(name, 0) + len(seen)

    callers = [threading.Thread(target=caller, args=(name,)) for name in range(4)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join(30)
    assert totals == dict.fromkeys(range(4), 270)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_threads_of_its_own():
    code = (
        "import os, threading\n"
        "from minigrad.backend import lanes\n"
        "def both():\n"
        "    meeting = threading.Barrier(2, timeout=600)\n"
        "    lanes.run(lambda piece: meeting.wait(), 2, 2)\n"
        "both()\n"
        "child = os.fork()\n"
        "both()\n"
        "if not child:\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=600)


def in_another_thread(enter, leave):
    """Run `in_pieces` in a thread; events say that it is inside, and let it leave."""
    workers = pytest.importorskip(
        "minigrad.kernels.compiled.workers", reason="needs Numba", exc_type=ImportError
    )

    def piece(start, stop):
        if start == 0:
            enter.set()
            assert leave.wait(10)

    thread = threading.Thread(target=workers.in_pieces, args=(piece, 2, workers.LEAST))
    thread.start()
    assert enter.wait(10)
    return thread


@pytest.mark.skipif(threads.blas_threads() is None, reason="this NumPy's BLAS cannot be asked")
@pytest.mark.parametrize("first", [0, 1])
def test_blas_stays_on_one_thread_until_the_last_of_two_users_has_left(first):
    # One thread each: the lanes are left out, so that both users run their own pieces.
    minigrad.set_num_threads(1)
    threads.set_blas_threads(2)
    events = [(threading.Event(), threading.Event()) for _ in range(2)]
    users = [in_another_thread(*pair) for pair in events]
    assert threads.blas_threads() == 1
    events[first][1].set()
    users[first].join(10)
    assert threads.blas_threads() == 1
    events[1 - first][1].set()
    users[1 - first].join(10)
    assert threads.blas_threads() == 2


@pytest.mark.skipif(threads.blas_threads() is None, reason="this NumPy's BLAS cannot be asked")
def test_a_number_set_while_blas_is_alone_holds_afterwards():
    threads.set_blas_threads(1)
    with threads.blas_alone():
        minigrad.set_num_threads(2)
        assert threads.blas_threads() == 1
    assert threads.blas_threads() == 2
    with threads.blas_alone():
        minigrad.set_num_threads(1)
    assert threads.blas_threads() == 1
