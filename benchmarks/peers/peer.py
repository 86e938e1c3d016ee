"""What a peer must offer: its arrays, its functions, and how it takes each kind of step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from benchmarks.contenders import RowFailed


class PeerStep:
    """A step to repeat, and the arrays that its result stands for."""

    def __init__(self, step: Callable[[], Any], arrays: Callable[[Any], list[Any]]) -> None:
        self.step = step
        self.arrays = arrays

    def __call__(self) -> Any:
        return self.step()


@dataclass(frozen=True)
class Optimizer:
    """An optimizer by the name of its kind, with what torch's defaults leave to say."""

    kind: str
    rate: float
    momentum: float = 0.0
    decay: float = 0.0


@dataclass(frozen=True)
class Network:
    """A model as a function: `loss(peer, parameters, inputs, labels)`, its first parameters as
    arrays, and the places of those that torch keeps transposed.
    """

    scores: Callable[..., Any]
    parameters: list[Any]
    turned: tuple[int, ...] = ()

    def as_in_torch(self, arrays: Sequence[Any]) -> list[Any]:
        """Parameters or gradients laid out as torch has them."""
        return [a.T if place in self.turned else a for place, a in enumerate(arrays)]


@dataclass
class Batches:
    """Batches as arrays, and endlessly as a peer's own."""

    pairs: list[tuple[Any, Any]]
    made: list[tuple[Any, ...]] = field(default_factory=list)

    def of(self, peer: Peer) -> Iterator[tuple[Any, ...]]:
        """The batches in the peer's arrays, made before anything is timed."""
        self.made = [(peer.constant(images), peer.labels(labels)) for images, labels in self.pairs]
        return cycle(self.made)


def missing(what: str) -> Any:
    """Refuse a row for what a library does not have."""
    raise RowFailed(what)


class Peer(ABC):
    """A library with the functions that workloads are written in."""

    @abstractmethod
    def constant(self, values: Any) -> Any:
        """An array of the library from NumPy's, of which no gradient is asked."""

    def labels(self, values: Any) -> Any:
        """An array of integers."""
        return self.constant(values)

    def number(self, value: float) -> Any:
        """A Python number as it may stand beside an array without changing its dtype."""
        return value

    @abstractmethod
    def forward(self, function: Callable[..., Any], inputs: Sequence[Any]) -> PeerStep:
        """The function alone, unrecorded."""

    @abstractmethod
    def inference(self, network: Network, batches: Batches) -> PeerStep:
        """A network's scores for the next batch."""

    @abstractmethod
    def both(
        self,
        function: Callable[..., Any],
        leaves: Sequence[Any],
        seed: Any = None,
        constants: Sequence[Any] = (),
    ) -> PeerStep:
        """A function of leaves and constants, and the gradients of the leaves from a cotangent,
        or of a scalar without one; the arrays are the result, and each leaf with its gradient.
        """

    @abstractmethod
    def gradients(self, network: Network, batches: Batches) -> PeerStep:
        """The loss of the next batch and its gradients."""

    @abstractmethod
    def train(self, network: Network, batches: Batches, optimizer: Optimizer) -> PeerStep:
        """A full training step on the next batch; the arrays are the loss and the parameters."""

    @abstractmethod
    def update(
        self, parameters: Sequence[Any], gradients: Sequence[Any], optimizer: Optimizer
    ) -> PeerStep:
        """The step of an optimizer from ready gradients; the arrays are the parameters."""

    def product(
        self, function: Callable[..., Any], leaves: Sequence[Any], vectors: Sequence[Any]
    ) -> PeerStep:
        """The product of a scalar function's Hessian with vectors."""
        return missing("no derivatives of derivatives")


def interleaved(values: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
    """Each value followed by its gradient."""
    return [array for pair in zip(values, gradients, strict=True) for array in pair]
