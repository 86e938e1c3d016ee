"""How a run tells of itself: a bar or a line for the progress, and lines that leave it whole."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol

from minigrad.extras import is_installed, require
from minigrad.training.callback import Callback

__all__ = ["ProgressBar", "ProgressLine", "write"]

_PAUSE = 0.1
"""Seconds between two updates: faster than the eye reads costs time and fills logs."""

_WIDTH = 20


class Display(Protocol):
    """Something on the screen that lines are written above."""

    def above(self, text: str) -> None:
        """Write a line above it."""


_displays: list[Display] = []


def write(text: str) -> None:
    """Write a line to stdout, above the bar or line of progress where there is one."""
    if _displays:
        _displays[-1].above(text)
    else:
        _put(text + "\n")


def _put(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


class ProgressBar(Callback):
    """A bar over all epochs on stderr, and a line for each complete epoch on stdout.

    The bar needs tqdm and is shown on a terminal, or wherever `bar=True` asks for it (`bar=False`
    never). `lines=False` leaves out the lines. A subclass words them in `describe`.
    """

    def __init__(self, bar: bool | None = None, lines: bool = True) -> None:
        self.wanted = bar
        self.lines = lines
        self.bar: Any = None
        self._started = 0.0

    def describe(self, epoch: int, logs: Mapping[str, float], seconds: float) -> str:
        """The line of an epoch, which counts from 0."""
        epochs = self.params["epochs"]
        digits = len(str(epochs))
        numbers = "".join(f"  {name} {_number(value)}" for name, value in logs.items())
        return f"epoch {epoch + 1:>{digits}}/{epochs}{numbers}  {seconds:.2f} s"

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Open the bar."""
        if self.wanted is False or not (self.wanted or is_installed("tqdm")):
            return
        steps = self.params["steps"]
        epochs = self.params["epochs"] - self.params.get("initial_epoch", 0)
        bar = require("tqdm", "the progress bar").tqdm
        total = None if steps is None else steps * epochs
        # None lets tqdm look whether stderr is a terminal.
        self.bar = bar(
            total=total, unit=" step", leave=False, disable=False if self.wanted else None
        )
        if self.bar.disable:
            self.bar = None
            return
        _displays.append(self)

    def above(self, text: str) -> None:
        """Write a line above the bar."""
        self.bar.write(text, file=sys.stdout)
        sys.stdout.flush()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Start the clock of the epoch."""
        self._started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Move the bar; the logs are read only when it is drawn."""
        if self.bar is not None and self.bar.update():
            self.bar.set_postfix_str(f"loss {(logs or {})['loss']:.3f}", refresh=False)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Write the line of the epoch."""
        if self.lines:
            write(self.describe(epoch, logs, time.perf_counter() - self._started))

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            _displays.remove(self)
            self.bar.close()
            self.bar = None


class ProgressLine(Callback):
    """Keras's line of progress: what `verbose` 1 (a line that grows) and 2 (one per epoch) show.

    Where stdout is neither a terminal nor a notebook the line is written once, when it is
    complete. It tells of training, evaluation and prediction. The numbers stand in alphabetical
    order, those of the validation after the others.
    """

    def __init__(self, verbose: int = 1) -> None:
        self.verbose = verbose
        self._training = False
        self._open = False  # whether a line is on the screen that is not complete
        self._steps: int | None = None
        self._done = 0
        self._start = self._first = self._next = 0.0
        self._drawn = 0
        self._moving = False

    # What happens.

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Training begins: evaluations within it are parts of its lines."""
        self._training = True

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Head the epoch."""
        if self.verbose:
            write(f"Epoch {epoch + 1}/{self.params['epochs']}")
        self._begin()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Draw the line anew, where a tenth of a second has passed."""
        self._step(batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Complete the line."""
        self._finish(logs)

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Training ends."""
        self._training = False

    def on_test_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Begin the line of an evaluation."""
        if not self._training:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Draw the line of an evaluation anew."""
        if not self._training:
            self._step(batch, logs)

    def on_test_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Complete the line of an evaluation."""
        if not self._training:
            self._finish(logs or {})

    def on_predict_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Begin the line of a prediction."""
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Draw the line of a prediction anew."""
        self._step(batch, None)

    def on_predict_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Complete the line of a prediction."""
        self._finish({})

    def close(self) -> None:
        """Leave a line that was interrupted as it is, and go to the next."""
        if self._drawn:
            _put("\n")
            self._drawn = 0
        self._forget()
        self._training = False

    # How it is shown.

    def _begin(self) -> None:
        self._steps = self.params.get("steps")
        self._done = 0
        self._drawn = 0
        self._moving = self.verbose == 1 and _redraws()
        self._start = self._first = time.perf_counter()
        self._next = self._start if self._moving else float("inf")

    def _step(self, batch: int, logs: Mapping[str, float] | None) -> None:
        self._done = batch + 1
        now = time.perf_counter()
        if batch == 0:
            self._first = now
        if now < self._next:
            return
        self._next = now + _PAUSE
        if not self._open:
            self._open = True
            _displays.append(self)
        columns = _columns() - 1
        text = self._text(now, logs or {}, complete=False)[:columns]
        _put("\r" + text + " " * (self._drawn - len(text)))
        self._drawn = len(text)

    def _finish(self, logs: Mapping[str, float]) -> None:
        if not self.verbose:
            return
        self._erase()
        self._forget()
        write(self._text(time.perf_counter(), logs, complete=True))

    def _erase(self) -> None:
        if self._drawn:
            _put("\r" + " " * self._drawn + "\r")
            self._drawn = 0

    def _forget(self) -> None:
        if self._open:
            self._open = False
            _displays.remove(self)

    def above(self, text: str) -> None:
        """Write a line in the place of the unfinished one, which is drawn anew with the next."""
        self._erase()
        _put(text + "\n")

    def _text(self, now: float, logs: Mapping[str, float], complete: bool) -> str:
        """The line: how far, how long, how fast, and the numbers."""
        steps = self._done if complete else self._steps
        # The first batch is left out of the pace: it also made what the later ones use again.
        each = (now - self._first) / (self._done - 1) if self._done > 1 else now - self._start
        seconds = now - self._start
        if not complete and steps is not None:
            seconds = each * (steps - self._done)
        time_left = f"{_duration(seconds)} {_pace(each)}"
        numbers = [f"{name}: {_number(logs[name])}" for name in sorted(logs, key=_order)]
        if self.verbose == 2:
            return " - ".join([f"{self._done}/{steps}", _duration(seconds), _pace(each), *numbers])
        if steps is None:
            head = f"{self._done:>7}/Unknown"
        else:
            filled = _WIDTH * self._done // steps if steps else _WIDTH
            head = f"{self._done:>{len(str(steps))}}/{steps} {_bar(filled)}"
        return " - ".join([f"{head} {time_left}", *numbers])


def _order(name: str) -> tuple[bool, bool, str]:
    return name == "learning_rate", name.startswith("val_"), name


def _number(value: Any) -> str:
    """Four decimals, or four digits of a small number."""
    try:
        value = float(value)
    except (TypeError, ValueError):
        return str(value)
    return f"{value:.4f}" if value == 0 or not abs(value) <= 1e-3 else f"{value:.4e}"


def _duration(seconds: float) -> str:
    """3s, 1:05 or 2:03:04."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole >= 60 else f"{whole}s"


def _pace(each: float) -> str:
    if each >= 1.0 or each == 0.0:
        return f"{each:.0f}s/step"
    return f"{each * 1e3:.0f}ms/step" if each >= 1e-3 else f"{each * 1e6:.0f}us/step"


def _bar(filled: int) -> str:
    """A bar of 20 signs, in letters that stdout can show."""
    full, empty = "━", "─"
    try:
        full.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        full, empty = "=", "."
    return full * filled + empty * (_WIDTH - filled)


def _redraws() -> bool:
    """Whether what is on stdout can be drawn over: on a terminal or in a notebook."""
    stream = sys.stdout
    return stream.isatty() or type(stream).__module__.startswith("ipykernel")


def _columns() -> int:
    """The width of the terminal."""
    try:
        columns = os.get_terminal_size().columns
    except OSError:
        columns = 0
    return columns or 80  # some terminals say 0, some have no size
