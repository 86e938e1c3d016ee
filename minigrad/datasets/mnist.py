"""MNIST and Fashion-MNIST, found on the disk or downloaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

from minigrad.datasets.files import Source, locate
from minigrad.datasets.idx import read_idx
from minigrad.datasets.images import ImageDataset
from minigrad.tensor import Tensor

_IMAGES = "{}-images-idx3-ubyte.gz"
_LABELS = "{}-labels-idx1-ubyte.gz"


class MNIST(ImageDataset):
    """Handwritten digits of 28 x 28 pixels: 60,000 for training, 10,000 for testing.

    The files are taken from `root` (a folder that holds `mnist/`), else from the folder named by
    the environment variable MINIGRAD_DATA, else from the cache, else downloaded; their SHA-256 is
    checked everywhere. Raises DataFileError when they cannot be had or are damaged.
    Source: Y. LeCun, C. Cortes and C. Burges, The MNIST database of handwritten digits;
    CC BY-SA 3.0.
    """

    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")
    source: ClassVar[Source] = Source(
        folder="mnist",
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "http://yann.lecun.com/exdb/mnist/",
        ),
        sha256={
            "train-images-idx3-ubyte.gz": (
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
            ),
            "train-labels-idx1-ubyte.gz": (
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
            ),
            "t10k-images-idx3-ubyte.gz": (
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
            ),
            "t10k-labels-idx1-ubyte.gz": (
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
            ),
        },
    )

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[[Tensor], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        download: bool = True,
    ) -> None:
        part = "train" if train else "t10k"
        images = read_idx(locate(self.source, _IMAGES.format(part), root, download))
        labels = read_idx(locate(self.source, _LABELS.format(part), root, download))
        super().__init__(images, labels, transform, target_transform)


class FashionMNIST(MNIST):
    """Articles of clothing of 28 x 28 pixels: 60,000 for training, 10,000 for testing.

    The files are found as those of MNIST are, in `fashion-mnist/`.
    Source: H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST: a novel image dataset for
    benchmarking machine learning algorithms, 2017, arXiv:1708.07747; MIT licence.
    """

    classes: ClassVar[tuple[str, ...]] = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    source: ClassVar[Source] = Source(
        folder="fashion-mnist",
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        sha256={
            "train-images-idx3-ubyte.gz": (
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
            ),
            "train-labels-idx1-ubyte.gz": (
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
            ),
            "t10k-images-idx3-ubyte.gz": (
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
            ),
            "t10k-labels-idx1-ubyte.gz": (
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
            ),
        },
    )
