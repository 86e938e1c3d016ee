"""The callback that writes the numbers of each epoch into a table."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.io.atomic import check_writable
from minigrad.training.callback import Callback

__all__ = ["CSVLogger"]


class CSVLogger(Callback):
    """Writes a line of comma-separated values per epoch to the file `filename`.

    The first line names the columns: the epoch, counted from 0, and the numbers of the first
    epoch's logs, with those of a validation that is still to come. What an epoch lacks is "NA".
    With `append`, or in a run that was resumed, an older file is gone on with; ArgumentError where
    its columns are others. Each line is in the file as soon as the epoch is over.
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._goes_on = append
        self._file: Any = None
        self._columns: list[str] = []

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Fail early where the file cannot be written."""
        check_writable(self.filename)
        self._goes_on = self.append

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Write the line of the epoch."""
        if self._file is None:
            self._open(logs)
        row = {"epoch": epoch, **logs}
        self._write([_cell(row.get(name, "NA")) for name in self._columns])

    def _open(self, logs: Mapping[str, float]) -> None:
        columns = ["epoch", *logs]
        if not any(name.startswith("val_") for name in logs):
            columns += [f"val_{name}" for name in logs if name != "learning_rate"]
        before = self._header() if self._goes_on else []
        if before:
            missing = [name for name in logs if name not in before]
            if missing:
                raise ArgumentError(
                    f"CSVLogger: {self.filename} has the columns {', '.join(before)}, but this run "
                    f"also has {', '.join(missing)}; use another file, or append=False"
                )
            columns = before
        self._columns = columns
        self._file = open(  # noqa: SIM115
            self.filename, "a" if self._goes_on else "w", encoding="utf-8", newline=""
        )
        self._goes_on = True
        if not before:
            self._write(columns)

    def _header(self) -> list[str]:
        """The columns of the file that is there; none if it is empty or not there."""
        if not os.path.exists(self.filename):
            return []
        with open(self.filename, encoding="utf-8", newline="") as file:
            return next(csv.reader(file, delimiter=self.separator), [])

    def _write(self, cells: list[Any]) -> None:
        csv.writer(self._file, delimiter=self.separator, lineterminator="\n").writerow(cells)
        self._file.flush()

    def close(self) -> None:
        """Close the file, also when the run has failed."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The run was resumed: go on in the file."""
        self._goes_on = True


def _cell(value: Any) -> Any:
    """A number so that it reads back as it was; several in one cell."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(str, value)) + "]"
    return value
