"""Data sets to train on: one that comes with the package, the others found or downloaded."""

from minigrad.datasets.cifar import CIFAR10, read_cifar
from minigrad.datasets.digits import Digits
from minigrad.datasets.idx import DataFileError, read_idx
from minigrad.datasets.images import ImageDataset
from minigrad.datasets.mnist import MNIST, FashionMNIST
from minigrad.datasets.tables import HomePrices, Insurance, TableDataset, read_csv
from minigrad.datasets.texts import Names, TinyShakespeare

__all__ = [
    "CIFAR10",
    "MNIST",
    "DataFileError",
    "Digits",
    "FashionMNIST",
    "HomePrices",
    "ImageDataset",
    "Insurance",
    "Names",
    "TableDataset",
    "TinyShakespeare",
    "read_cifar",
    "read_csv",
    "read_idx",
]
