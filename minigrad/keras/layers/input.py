"""Input and InputLayer: where data enter a model."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.keras.layers.base import Layer
from minigrad.keras.symbolic import KerasTensor, Node

__all__ = ["Input", "InputLayer"]


class InputLayer(Layer):
    """The layer that hands the data of one input to the others.

    `shape` is without the batch, `batch_shape` with it.
    """

    keeps_dtype = True

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        batch_shape: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        shape = kwargs.pop("input_shape", shape)
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        super().__init__(name=name, dtype=dtype, **kwargs)
        if batch_shape is None:
            if shape is None:
                raise ArgumentError("Input(): give the shape of one sample: Input(shape=(784,))")
            batch_shape = (batch_size, *_lengths(shape))
        self.batch_shape = tuple(batch_shape)
        self.batch_input_shape = None
        self._input_shape = self.batch_shape
        self.tensor = KerasTensor(self.batch_shape, self.dtype, self.name)
        self._nodes.append(Node(self, (), {}, self.tensor))
        self._finish_build()

    def call(self, inputs: Any) -> Any:
        """The inputs themselves."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The shape with the batch, the dtype and the name."""
        return {"batch_shape": list(self.batch_shape), "dtype": self.dtype, "name": self.name}


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
) -> KerasTensor:
    """A KerasTensor for the data of one input; `shape` is that of a sample, without the batch.

    >>> Input(shape=(28, 28), name="image")
    <KerasTensor shape=(None, 28, 28), dtype=float32, name=image>
    """
    return InputLayer(shape, batch_size, dtype, batch_shape, name).tensor


def _lengths(shape: Any) -> tuple[int | None, ...]:
    if isinstance(shape, int):
        raise ArgumentError(f"Input(): shape must be a tuple, write shape=({shape},)")
    lengths = tuple(shape)
    for length in lengths:
        if length is not None and (not isinstance(length, int) or length < 0):
            raise ArgumentError(
                f"Input(): shape holds the lengths of one sample's dimensions, got {lengths}"
            )
    return lengths
