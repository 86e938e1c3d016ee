"""Data sets to train on: one that comes with the package, the others found or downloaded."""

from minigrad.datasets.digits import Digits
from minigrad.datasets.idx import DataFileError, read_idx
from minigrad.datasets.images import ImageDataset
from minigrad.datasets.mnist import MNIST, FashionMNIST

__all__ = ["MNIST", "DataFileError", "Digits", "FashionMNIST", "ImageDataset", "read_idx"]
