"""Keras's optimizers by name, each one an optimizer of minigrad.optim with Keras's defaults.

The steps are those of minigrad.optim, which are torch's. Where Keras puts epsilon elsewhere, the
docstring says so; that makes a difference for gradients which are as small as epsilon, and in
RMSprop as its root.
"""

from __future__ import annotations

from typing import Any

from minigrad import optim
from minigrad.keras.optimizers.optimizer import Optimizer

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Nadam",
    "RMSprop",
]


class SGD(Optimizer):
    """Steps against the gradient, with momentum if wanted; `nesterov` looks ahead along it.

    While the learning rate stays the same the steps are Keras's; where it changes, Keras's
    momentum keeps the rate of the steps that it was gathered in.

    >>> SGD(learning_rate=0.1, momentum=0.9)
    SGD(learning_rate=0.1, momentum=0.9, nesterov=False)
    """

    options = ("momentum", "nesterov")

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **common: Any,
    ) -> None:
        self.momentum = momentum
        self.nesterov = nesterov
        super().__init__(learning_rate, **common)

    def make(self, parameters: list[Any], lr: float) -> optim.Optimizer:
        """The optimizer of minigrad.optim with these settings."""
        nesterov = bool(self.nesterov and self.momentum)
        return optim.SGD(parameters, lr, self.momentum, nesterov=nesterov)


class RMSprop(Optimizer):
    """Steps by the gradient over the root of its running mean square (Hinton 2012).

    epsilon is added to the root; Keras adds it to the mean square.
    """

    options = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **common: Any,
    ) -> None:
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        super().__init__(learning_rate, **common)

    def make(self, parameters: list[Any], lr: float) -> optim.Optimizer:
        """The optimizer of minigrad.optim with these settings."""
        return optim.RMSprop(
            parameters,
            lr,
            alpha=self.rho,
            eps=self.epsilon,
            momentum=self.momentum,
            centered=self.centered,
        )


class Adam(Optimizer):
    """Steps by the running mean of the gradient over the root of that of its square.

    epsilon is added to the root after its correction for the first steps, as in the first form of
    the algorithm in Kingma and Ba 2015; Keras adds it before, as in the second.

    >>> Adam().learning_rate
    0.001
    """

    options: tuple[str, ...] = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
        super().__init__(learning_rate, **common)

    def make(self, parameters: list[Any], lr: float) -> optim.Optimizer:
        """The optimizer of minigrad.optim with these settings."""
        settings: dict[str, Any] = {
            "betas": (self.beta_1, self.beta_2),
            "eps": self.epsilon,
            "amsgrad": self.amsgrad,
        }
        if self.weight_decay:
            return optim.AdamW(parameters, lr, weight_decay=self.weight_decay, **settings)
        return optim.Adam(parameters, lr, **settings)

    def decays_inside(self) -> bool:
        """Whether the inner optimizer itself does the weight decay."""
        return True


class AdamW(Adam):
    """Adam with weight decay, which acts on the parameters themselves (Loshchilov, Hutter 2019)."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
            weight_decay=weight_decay,
            **common,
        )


class Adagrad(Optimizer):
    """Steps by the gradient over the root of the sum of its squares (Duchi et al. 2011).

    epsilon is added to the root; Keras adds it to the sum.
    """

    options = ("initial_accumulator_value", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon
        super().__init__(learning_rate, **common)

    def make(self, parameters: list[Any], lr: float) -> optim.Optimizer:
        """The optimizer of minigrad.optim with these settings."""
        return optim.Adagrad(
            parameters,
            lr,
            initial_accumulator_value=self.initial_accumulator_value,
            eps=self.epsilon,
        )


class Adadelta(Optimizer):
    """Steps whose size is that of the recent steps (Zeiler 2012)."""

    options = ("rho", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        self.rho = rho
        self.epsilon = epsilon
        super().__init__(learning_rate, **common)

    def make(self, parameters: list[Any], lr: float) -> optim.Optimizer:
        """The optimizer of minigrad.optim with these settings."""
        return optim.Adadelta(parameters, lr, rho=self.rho, eps=self.epsilon)


class Adamax(Optimizer):
    """Adam by the largest recent gradient instead of the mean square (Kingma and Ba 2015).

    epsilon is added to each gradient's size; Keras adds it to the largest.
    """

    options = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        super().__init__(learning_rate, **common)

    def make(self, parameters: list[Any], lr: float) -> optim.Optimizer:
        """The optimizer of minigrad.optim with these settings."""
        betas = (self.beta_1, self.beta_2)
        return optim.Adamax(parameters, lr, betas=betas, eps=self.epsilon)


class Nadam(Optimizer):
    """Adam with Nesterov's momentum (Dozat 2016), whose warm-up takes tens of steps as in Keras."""

    options = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        super().__init__(learning_rate, **common)

    def make(self, parameters: list[Any], lr: float) -> optim.Optimizer:
        """The optimizer of minigrad.optim with these settings."""
        # Keras's momentum is beta_1 * (1 - 0.96**t / 2), torch's has the exponent t * decay.
        betas = (self.beta_1, self.beta_2)
        return optim.NAdam(parameters, lr, betas=betas, eps=self.epsilon, momentum_decay=1.0)
