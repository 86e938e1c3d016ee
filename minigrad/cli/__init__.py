"""The command line: train, predict, info, compile-kernels, run-as-torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from minigrad.cli.arguments import make_parser
from minigrad.cli.failure import CommandError, one_line
from minigrad.datasets import DataFileError
from minigrad.errors import DeviceError
from minigrad.extras import MissingExtra
from minigrad.io import CheckpointError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and give the exit status: 0, 2 for bad input, 130 when interrupted."""
    arguments = make_parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except BrokenPipeError:
        # The reader of the output has gone, as in `minigrad info | head -1`. Python would complain
        # once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (
        CheckpointError, CommandError, DataFileError, DeviceError, MissingExtra, OSError
    ) as error:  # fmt: skip
        print(f"minigrad {arguments.command}: error: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"minigrad {arguments.command}: interrupted", file=sys.stderr)
        return 130
    return status
