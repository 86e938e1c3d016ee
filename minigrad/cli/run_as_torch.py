"""`minigrad run-as-torch`: a program for torch run on minigrad, or searched for what it lacks."""

from __future__ import annotations

import os
import runpy
import sys

from minigrad.cli.failure import CommandError
from minigrad.compat import missing_names, torch_alias

__all__ = ["run_as_torch"]


def run_as_torch(script: str, arguments: list[str], *, check: bool) -> int:
    """Run the script with `import torch` meaning minigrad; with `check`, list what it would miss.

    What it spells and minigrad lacks is listed on the error stream before it runs, as it may not
    come to all of it. Gives 0, or 1 where `check` found something.
    """
    try:
        found = missing_names(script)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise CommandError(f"{script}: it is no Python program: {error}") from error
    lines = [f"{script}:{name.line}: {name.name}: {name.reason}" for name in found]
    if check:
        print("\n".join(lines) or f"{script}: every name of torch that it spells is there")
        return 1 if found else 0
    if lines:
        print("\n".join(["names of torch that are not there:", *lines]), file=sys.stderr)
    sys.argv = [script, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    try:
        alias = torch_alias()
    except RuntimeError as error:
        raise CommandError(str(error)) from error
    with alias:
        try:
            runpy.run_path(script, run_name="__main__")
        except (OSError, RuntimeError, ValueError, ImportError):
            sys.excepthook(*sys.exc_info())  # the program's own error, not one of this command
            return 1
    return 0
