"""What goes wrong on the command line, told in one line."""

from __future__ import annotations


class CommandError(Exception):
    """Bad input of the user; the message says what to do."""


def one_line(error: BaseException) -> str:
    """The message of an error in one line, without the number that Python puts before it."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    named = isinstance(error, OSError) and error.filename is not None
    if isinstance(error, OSError) and named:
        text = f"{error.filename}: {text}"
    return " ".join(text.split())
