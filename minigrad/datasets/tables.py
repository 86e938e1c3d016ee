"""Small tables of numbers: the reader of CSV files, and the data sets made of them."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy

import minigrad
from minigrad.datasets.files import Source, locate
from minigrad.datasets.idx import DataFileError
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor
from minigrad.utils.data import Dataset
from minigrad.utils.data.dataset import take_rows

_LESSONS = "https://raw.githubusercontent.com/codebasics/py/master/"


class TableDataset(Dataset[tuple[Tensor, Tensor]]):
    """Samples (row, target): the columns of a CSV file but the last, and the last one.

    `columns` names all columns, `features` all but the last and `target` the last. `data` is
    float32 of shape (n, features), `targets` float32 of shape (n,), and `values` everything as
    a NumPy array of float64, shape (n, columns).
    """

    columns: tuple[str, ...]
    values: numpy.ndarray[Any, Any]

    def __init__(self, path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> None:
        self.columns, self.values = read_csv(path, columns)
        if len(self.columns) < 2:
            raise DataFileError(
                f"{os.fspath(path)} has the one column {self.columns[0]!r}; a data set needs at "
                "least one column to predict from and one to predict"
            )
        table = minigrad.from_numpy(self.values.astype(numpy.float32))
        self.data = table[:, :-1]
        self.targets = table[:, -1]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the columns to predict from."""
        return self.columns[:-1]

    @property
    def target(self) -> str:
        """The name of the column to predict."""
        return self.columns[-1]

    def column(self, name: str) -> Tensor:
        """The values of one column, float32, shape (n,). Raises ArgumentError for no column."""
        if name not in self.columns:
            raise ArgumentError(
                f"{type(self).__name__}.column(): there is no column {name!r}; the columns are "
                f"{', '.join(self.columns)}"
            )
        column: Tensor = self.targets
        if name != self.target:
            column = self.data[:, self.features.index(name)]
        return column

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> tuple[Tensor, Tensor]:
        return self.data[index], self.targets[index]

    def gather(self, indices: Sequence[int]) -> list[Tensor]:
        """The batch of these rows."""
        return [take_rows(self.data, indices), take_rows(self.targets, indices)]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self)} rows: {', '.join(self.features)} -> {self.target})"
        )


class Insurance(TableDataset):
    """Who bought an insurance: 27 rows of an age and a yes (1) or no (0).

    With `affordability=True` another table: 28 rows of an age, whether the person can afford it
    (the column is spelt `affordibility`), and a yes or no.

    The file insurance_data.csv or insurance_data_affordibility.csv is found as those of MNIST are,
    in `insurance/`.
    Source: codebasics, tutorials on machine learning, https://github.com/codebasics/py.
    """

    source: ClassVar[Source] = Source(
        folder="insurance",
        mirrors=(_LESSONS + "ML/7_logistic_reg/",),
        sha256={
            "insurance_data.csv": "9f77a3308a97118c7b42a167384177db8e608178dfa181c1babd7d76041f6014"
        },
    )
    affordability_source: ClassVar[Source] = Source(
        folder="insurance",
        mirrors=(_LESSONS + "DeepLearningML/6_gradient_descent/",),
        sha256={
            "insurance_data_affordibility.csv": (
                "b0c76d79019d89ad685bd6fd363533a12af4ff91c06b866869c95efecd467c29"
            )
        },
        published={"insurance_data_affordibility.csv": "insurance_data.csv"},
    )

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        affordability: bool = False,
        download: bool = True,
    ) -> None:
        source = self.affordability_source if affordability else self.source
        columns = ["age", *(["affordibility"] if affordability else []), "bought_insurance"]
        (name,) = source.sha256
        super().__init__(locate(source, name, root, download), columns)


class HomePrices(TableDataset):
    """What homes cost: 20 rows of an area, a number of bedrooms and a price in lakh rupees.

    With `age=True` another table: 6 rows of an area, bedrooms, an age in years, and a price in
    dollars. Areas are in square feet.

    The file homeprices_banglore.csv or homeprices.csv is found as those of MNIST are, in
    `homeprices/`.
    Source: codebasics, tutorials on machine learning, https://github.com/codebasics/py.
    """

    source: ClassVar[Source] = Source(
        folder="homeprices",
        mirrors=(_LESSONS + "DeepLearningML/8_sgd_vs_gd/",),
        sha256={
            "homeprices_banglore.csv": (
                "e06682ab199511280fd50a1ed86aa6aedc79b64bae4e4f1fc9dd11a82e34bb95"
            ),
            "homeprices.csv": "770da1e2744f1adcbf708b0e3001291c685898529256e37da5df8e8a193eff03",
        },
    )

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        age: bool = False,
        download: bool = True,
    ) -> None:
        name = "homeprices.csv" if age else "homeprices_banglore.csv"
        columns = ["area", "bedrooms", *(["age"] if age else []), "price"]
        super().__init__(locate(self.source, name, root, download), columns)


def read_csv(
    path: str | os.PathLike[str], columns: Sequence[str] | None = None
) -> tuple[tuple[str, ...], numpy.ndarray[Any, Any]]:
    """The column names in the first line of a CSV file, and its numbers, float64 (rows, columns).

    Raises DataFileError, naming the line and the column, for a header other than `columns` where
    they are given, for a row of another length, and for a cell that holds no finite number.
    """
    name = os.fspath(path)
    try:
        with open(name, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataFileError(f"{name} is not a CSV file in UTF-8: {error}") from error
    if not lines:
        raise DataFileError(f"{name} is empty: its first line must name the columns")
    number, cells = lines[0]
    header = tuple(cell.strip() for cell in cells)
    if columns is not None and header != tuple(columns):
        raise DataFileError(
            f"{name}, line {number}: the columns are {', '.join(header)}, but "
            f"{', '.join(columns)} belong there"
        )
    if len(set(header)) < len(header) or "" in header:
        raise DataFileError(
            f"{name}, line {number}: the columns {', '.join(map(repr, header))} need a name each, "
            "and all different"
        )
    if len(lines) == 1:
        raise DataFileError(f"{name} has no row below its header {', '.join(header)}")
    rows = [_numbers(cells, header, f"{name}, line {number}") for number, cells in lines[1:]]
    return header, numpy.array(rows, numpy.float64)


def _numbers(cells: list[str], header: tuple[str, ...], where: str) -> list[float]:
    if len(cells) != len(header):
        raise DataFileError(
            f"{where}: the number of values is {len(cells)}, but there are {len(header)} columns: "
            f"{', '.join(header)}"
        )
    numbers = []
    for column, cell in zip(header, cells):
        try:
            number = float(cell)
        except ValueError:
            what = "is empty" if not cell.strip() else f"has {cell!r}, which is no number"
            raise DataFileError(f"{where}: column {column!r} {what}") from None
        if not math.isfinite(number):
            raise DataFileError(f"{where}: column {column!r} has {cell!r}, not a finite number")
        numbers.append(number)
    return numbers
