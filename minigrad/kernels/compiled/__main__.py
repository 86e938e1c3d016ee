"""`python -m minigrad.kernels.compiled FAMILY:DTYPE ...` compiles for other processes to load.

The dtype is its character, as in `softmax:f`. A line is written for each: the name, and "done" or
why not.
"""

from __future__ import annotations

import importlib
import os
import sys

from minigrad.kernels import marks, ready


def _answer(family: str, char: str) -> str:
    compiler = importlib.import_module("minigrad.kernels.compiled.compiler")
    importlib.import_module(f"minigrad.kernels.compiled.{family}")
    if compiler.folder() is None:
        return "no folder that Numba could keep them in can be written to"
    ready.load((family, char))
    return ready.problem((family, char)) or ready.DONE


def _main(names: list[str]) -> None:
    if hasattr(os, "nice"):
        os.nice(19)
    for name in names:
        family, _, char = name.partition(":")
        if marks.there((family, char)):
            answer = ready.DONE
        else:
            try:
                answer = _answer(family, char)
            # A Numba that cannot be imported fails in its own way.
            except Exception as error:  # noqa: BLE001
                answer = f"{type(error).__name__}: {error}".splitlines()[0]
        try:
            sys.stdout.write(f"{name} {answer}\n")
            sys.stdout.flush()
        except OSError:
            # The program that asked has ended; the next one will find it done.
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


_main(sys.argv[1:])
