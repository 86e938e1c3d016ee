"""When compiled kernels are there: what the user asked for, and compiling beside the program.

A family that Numba has kept on disk whole is loaded at its first call, so that all runs but the
first give the same results. Another is compiled by a process of its own while the reference runs
("background"), at once ("wait") or never ("off").
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import importlib.util
import os
import sys
import threading
import warnings
from typing import Any

from minigrad.backend import lanes
from minigrad.backend.threads import THREAD_VARIABLES
from minigrad.errors import ArgumentError
from minigrad.kernels import marks
from minigrad.kernels.marks import Wanted

DONE = "done"

_MODES = ("background", "wait", "off")

_loaded: dict[Wanted, Any] = {}
_refused: dict[Wanted, str] = {}
_asked: set[Wanted] = set()
_pending: list[Wanted] = []
_queue = threading.Lock()
_loading = threading.RLock()
_ended = False
_told = False
_missed = 0


def _checked(mode: str, told: str) -> str:
    if mode not in _MODES:
        raise ArgumentError(f"{told} must be 'background', 'wait' or 'off', got {mode!r}")
    return mode


_mode = _checked(os.environ.get("MINIGRAD_KERNELS") or "background", "MINIGRAD_KERNELS")


def get_compile_mode() -> str:
    """When kernels are compiled: "background", "wait" or "off"; MINIGRAD_KERNELS says it first."""
    return _mode


def set_compile_mode(mode: str) -> None:
    """When kernels that Numba has not kept are compiled: by another process, at once, or never.

    With "background" the reference runs until the other process has finished, with "wait" the
    first call waits. Kernels that are there already are used at once with either, and with "off"
    none is. Raises ArgumentError for another word.

    >>> set_compile_mode(get_compile_mode())
    """
    global _mode
    _mode = _checked(mode, "set_compile_mode(): argument 'mode'")


@functools.cache
def installed() -> bool:
    """Whether Numba can be imported and compiles; it is not imported to find out."""
    interprets = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
    return not interprets and importlib.util.find_spec("numba") is not None


def is_refused(family: str) -> bool:
    """Whether a family's compiled functions cannot be had."""
    return any(wanted[0] == family for wanted in _refused)


def twins(family: str, char: str, wait: bool) -> Any:
    """A family's compiled functions; None where the reference is to run, for now or for good."""
    wanted = (family, char)
    if wanted in _loaded:
        return _loaded[wanted]
    if wanted in _refused:
        _tell(wanted)
        return None
    if wait or _mode == "wait":
        return load(wanted)
    if wanted not in _asked:
        if marks.there(wanted):
            return load(wanted)
        _ask(wanted)
    global _missed
    _missed += 1
    return None


def missed() -> int:
    """How often the reference ran because a compiled function was not there yet."""
    return _missed


def load(wanted: Wanted, quietly: bool = False) -> Any:
    """A family's compiled functions, compiled now if Numba has not kept them; None if that fails.

    The first failure of all is told in a warning.
    """
    with _loading:
        if wanted not in _loaded and wanted not in _refused and not _ended:
            watching = sys.getprofile()
            # Numba's half a million calls are none of the program's, and to watch them takes longer
            # than to make them.
            sys.setprofile(None)
            try:
                _loaded[wanted] = _made(wanted)
            # Whatever is broken in Numba or its files: the reference is as right.
            except Exception as error:  # noqa: BLE001
                lines = f"{type(error).__name__}: {error}".splitlines()
                _refused[wanted] = lines[0]
            finally:
                sys.setprofile(watching)
    if wanted in _refused and not quietly:
        _tell(wanted)
    return _loaded.get(wanted)


def problem(wanted: Wanted) -> str:
    """Why a family's compiled functions cannot be had; empty where they can."""
    return _refused.get(wanted, "")


def _made(wanted: Wanted) -> Any:
    family, char = wanted
    with contextlib.nullcontext() if marks.there(wanted) else marks.alone(family):
        module = importlib.import_module(f"minigrad.kernels.compiled.{family}")
        samples = importlib.import_module("minigrad.kernels.compiled.samples")
        compiler = importlib.import_module("minigrad.kernels.compiled.compiler")
        whole = marks.there(wanted)
        if not whole:
            marks.forget_older(compiler.folder())
        lanes.keep_awake(importlib.import_module("minigrad.kernels.compiled.together").attend)
        samples.run(family, char)
        if not whole and compiler.folder() is not None:
            marks.leave(wanted)
    return module


def _tell(wanted: Wanted) -> None:
    """One warning, whatever else cannot be had either."""
    global _told
    if not _told:
        _told = True
        warnings.warn(
            f"the plain kernels are used, since the compiled ones cannot be had: "
            f"{_refused[wanted]}; install a Numba that knows this NumPy, give Numba a folder that "
            f"can be written to (NUMBA_CACHE_DIR), or set MINIGRAD_KERNELS=off",
            RuntimeWarning,
            stacklevel=5,
        )


def _ask(wanted: Wanted) -> None:
    """Have a family compiled by another process, and loaded by a thread when that has ended."""
    _asked.add(wanted)
    with _queue:
        _pending.append(wanted)
        if len(_pending) == 1:
            threading.Thread(target=_serve, name="minigrad-kernels", daemon=True).start()


def _serve() -> None:
    while True:
        with _queue:
            batch = list(_pending)
        said = _compiled_apart(batch)
        for wanted in batch:
            answer = said.get(wanted, "the process that was to compile them ended early")
            if answer == DONE:
                load(wanted, quietly=True)
            else:
                _refused[wanted] = answer
        with _queue:
            del _pending[: len(batch)]
            if not _pending:
                return


def _compiled_apart(batch: list[Wanted]) -> dict[Wanted, str]:
    """What another process says of each: `DONE`, or why not.

    It is no fork, is out of reach of Ctrl-C, and holds none of the program's streams. It ends when
    it has compiled the batch, even if the program ends before.
    """
    import subprocess

    names = [":".join(wanted) for wanted in batch]
    environment = dict(os.environ) | dict.fromkeys(THREAD_VARIABLES, "1")
    environment["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    environment["MINIGRAD_KERNELS"] = "wait"
    command = [sys.executable, "-P", "-W", "ignore", "-m", "minigrad.kernels.compiled", *names]
    try:
        with subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        ) as process:
            output, _ = process.communicate()
    except OSError as error:
        return dict.fromkeys(batch, f"no process can be started: {error}")
    found = {}
    for line in output.splitlines():
        name, _, answer = line.partition(" ")
        family, _, char = name.partition(":")
        found[family, char] = answer
    return found


def _before_fork() -> None:
    # A copy of a process in which a thread imports Numba would wait for that thread for ever.
    _loading.acquire()


def _in_parent() -> None:
    _loading.release()


def _in_child() -> None:
    global _loading, _queue
    _loading = threading.RLock()
    _queue = threading.Lock()
    # What the parent has asked for is not asked for again by each of its workers.
    _pending.clear()


def _at_exit() -> None:
    """Let a load come to its end: a thread in LLVM does not outlive the interpreter."""
    global _ended
    with _loading:
        _ended = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)
atexit.register(_at_exit)
