"""Freed memory stays with the process, where the C library can be told and the user has not."""

import os
import subprocess
import sys

import pytest

from minigrad.backend import memory

FAULTS = (
    "import resource, sys\n"
    "if sys.argv[1] == 'minigrad':\n"
    "    import minigrad\n"
    "import numpy\n"
    "def work():\n"
    "    arrays = [numpy.ones(1_000_000, 'float32') for _ in range(12)]\n"
    "for _ in range(3):\n"
    "    work()\n"
    "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
    "for _ in range(10):\n"
    "    work()\n"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)\n"
)


def faults(module, **environment):
    kept = {k: v for k, v in os.environ.items() if k not in memory._SET_BY_USER}
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, module],
        env={**kept, **environment}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.skipif(not memory.keep_freed_memory(), reason="the C library cannot be told")
def test_large_temporaries_use_memory_again():
    # Ten times twelve arrays of nearly a thousand pages.
    assert faults("numpy") > 50_000
    assert faults("minigrad") < 5_000


@pytest.mark.parametrize("name", memory._SET_BY_USER)
def test_what_the_user_has_set_stands(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert memory.keep_freed_memory() is False


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert memory.keep_freed_memory() is False


def test_other_c_libraries_are_left_alone(monkeypatch):
    class Bare:
        mallopt = None

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: Bare())
    for name in memory._SET_BY_USER:
        monkeypatch.delenv(name, raising=False)
    assert memory.keep_freed_memory() is False
