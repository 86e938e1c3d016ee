"""Rows of convolution and pooling, of the shapes that networks for images and signals have."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.arrays import random
from benchmarks.fused import both_ways
from benchmarks.rows import Row, Step, Work, add_row

Sizes = tuple[int, ...]


def forward(lib: Any, operation: str, images: Sizes, filters: Sizes, **options: Any) -> Step:
    """One call of a convolution, or of a pooling where `filters` is empty, unrecorded."""
    shapes = [images, filters] if filters else [images]
    inputs = [random(lib, *shape, differentiable=False, seed=n) for n, shape in enumerate(shapes)]
    function = getattr(lib.nn.functional, operation)
    return Work(lambda: function(*inputs, **options))


def recorded(lib: Any, operation: str, images: Sizes, filters: Sizes, **options: Any) -> Step:
    """The same recorded, and its backward from a ready cotangent."""
    shapes = [images, filters] if filters else [images]
    leaves = tuple(random(lib, *shape, seed=n) for n, shape in enumerate(shapes))
    function = partial(getattr(lib.nn.functional, operation), **options)
    seed = random(lib, *function(*leaves).shape, differentiable=False, seed=9)
    return both_ways(function, leaves, seed)


def _add(
    name: str, title: str, operation: str, images: Sizes, filters: Sizes = (), **options: Any
) -> None:
    for suffix, part, build in (
        ("-forward", "forward", forward),
        ("", "forward and backward", recorded),
    ):
        add_row(
            Row(
                name=f"{name}{suffix}",
                title=f"{title}: {part}",
                family="convolutions",
                build=partial(
                    build, operation=operation, images=images, filters=filters, **options
                ),
                goal=1.2,
                tolerance=1e-3,
            )
        )


_add(
    "conv-5x5",
    "5x5 convolution from 32 to 64 channels, 28x28, batch 16",
    "conv2d",
    (16, 32, 28, 28),
    (64, 32, 5, 5),
    padding=2,
)
_add(
    "conv-stride2",
    "3x3 convolution by steps of 2 from 64 to 128 channels, 32x32, batch 16",
    "conv2d",
    (16, 64, 32, 32),
    (128, 64, 3, 3),
    padding=1,
    stride=2,
)
_add(
    "conv-stem",
    "7x7 convolution by steps of 2 from 3 to 64 channels, 224x224, batch 4",
    "conv2d",
    (4, 3, 224, 224),
    (64, 3, 7, 7),
    padding=3,
    stride=2,
)
_add(
    "conv-1x1",
    "1x1 convolution from 64 to 256 channels, 28x28, batch 16",
    "conv2d",
    (16, 64, 28, 28),
    (256, 64, 1, 1),
)
_add(
    "conv-groups",
    "3x3 convolution of 128 channels in 32 groups, 28x28, batch 16",
    "conv2d",
    (16, 128, 28, 28),
    (128, 4, 3, 3),
    padding=1,
    groups=32,
)
_add(
    "conv-dilated",
    "3x3 convolution of 64 channels, dilated by 2, 32x32, batch 8",
    "conv2d",
    (8, 64, 32, 32),
    (64, 64, 3, 3),
    padding=2,
    dilation=2,
)
_add(
    "conv-256",
    "3x3 convolution of 256 channels, 8x8, batch 32",
    "conv2d",
    (32, 256, 8, 8),
    (256, 256, 3, 3),
    padding=1,
)
_add(
    "conv-transposed",
    "4x4 transposed convolution by steps of 2 from 64 to 32 channels, 16x16, batch 16",
    "conv_transpose2d",
    (16, 64, 16, 16),
    (64, 32, 4, 4),
    padding=1,
    stride=2,
)
_add(
    "conv1d",
    "convolution of signals, 9 wide, 64 channels, length 4096, batch 4",
    "conv1d",
    (4, 64, 4096),
    (64, 64, 9),
    padding=4,
)
_add(
    "conv3d",
    "3x3x3 convolution from 16 to 32 channels, 16x28x28, batch 2",
    "conv3d",
    (2, 16, 16, 28, 28),
    (32, 16, 3, 3, 3),
    padding=1,
)
_add(
    "pool-3x3",
    "largest of 3x3 by steps of 2, 64 channels, 112x112, batch 4",
    "max_pool2d",
    (4, 64, 112, 112),
    kernel_size=3,
    stride=2,
    padding=1,
)
_add(
    "avgpool",
    "mean of 3x3 by steps of 1, 64 channels, 28x28, batch 16",
    "avg_pool2d",
    (16, 64, 28, 28),
    kernel_size=3,
    stride=1,
    padding=1,
)
