"""What goes wrong on the command line, told in one line."""

from __future__ import annotations


class CommandError(Exception):
    """Bad input of the user; the message says what to do."""


def one_line(error: BaseException) -> str:
    """The message of an error in one line, without the number that Python puts before it."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    return " ".join(text.split())
