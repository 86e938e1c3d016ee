"""The base of Keras's optimizers: an optimizer of minigrad.optim that is made once its parameters
are known, with Keras's names, clipping, weight decay and schedules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy

import minigrad
from minigrad import optim
from minigrad.errors import ArgumentError, GraphError
from minigrad.keras.lookup import nearest
from minigrad.keras.naming import snake_case
from minigrad.keras.optimizers.schedules import LearningRateSchedule
from minigrad.keras.optimizers.schedules import deserialize as schedule_of
from minigrad.keras.optimizers.schedules import serialize as config_of
from minigrad.nn.utils import clip_grad_norm_, clip_grad_value_

__all__ = ["Optimizer"]

_COMMON = ("learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "name")


class Rate(float):
    """A learning rate that knows its optimizer: a number that listings `assign` to."""

    optimizer: Optimizer

    def assign(self, value: Any) -> None:
        """Set the optimizer's rate."""
        self.optimizer.learning_rate = value

    def numpy(self) -> Any:
        """The number as NumPy's."""
        return numpy.float32(self)


class Optimizer:
    """Changes parameters so that the loss falls; subclasses name the optimizer of minigrad.optim.

    `learning_rate` is a number or a schedule. At most one of these bounds each gradient: `clipnorm`
    the norm of each, `global_clipnorm` the norm of all together, `clipvalue` each element.
    `weight_decay` shrinks every parameter by learning_rate * weight_decay at each step.

    `build(parameters)` makes the inner optimizer; then `zero_grad`, `step`, `state_dict`,
    `load_state_dict` and `param_groups` are those of minigrad.optim, so that a Trainer takes it.
    A step of the optimizer sets the rate that the schedule gives, clips, decays, and steps.

    Raises ArgumentError for an argument that is unknown or out of range.
    """

    # The subclass's own options, in the order of its arguments.
    options: tuple[str, ...] = ()

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **unknown: Any,
    ) -> None:
        kind = type(self).__name__
        for argument in unknown:
            raise ArgumentError(_unknown(kind, argument, unknown[argument], self.options))
        bounds = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        given = {argument: value for argument, value in bounds.items() if value is not None}
        if len(given) > 1:
            raise ArgumentError(f"{kind}(): give only one of {' and '.join(given)}")
        for argument, value in {**given, "weight_decay": weight_decay or 0}.items():
            if not value >= 0:
                raise ArgumentError(f"{kind}(): {argument} must be at least 0, got {value!r}")
        self.name = name or snake_case(kind)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.iterations = 0
        self.inner: Any = None
        self._schedule: Any = None
        self._rate = 0.0
        self.learning_rate = learning_rate

    def make(self, parameters: list[Any], lr: float) -> optim.Optimizer:
        """The optimizer of minigrad.optim with these settings."""
        raise ArgumentError(
            f"{type(self).__name__} has no make(self, parameters, lr); write one that returns an "
            f"optimizer of minigrad.optim"
        )

    # Parameters.

    @property
    def built(self) -> bool:
        """Whether the parameters are known."""
        return self.inner is not None

    def build(self, parameters: Iterable[Any]) -> None:
        """Make the inner optimizer for these parameters.

        A second call with some of the same changes nothing. Raises ArgumentError for others, since
        the means of the gradients belong to the first.
        """
        parameters = list(parameters)
        if self.inner is None:
            self.inner = self.make(parameters, self._current_rate())
            return
        known = {id(parameter) for parameter in self.variables}
        strange = sum(id(parameter) not in known for parameter in parameters)
        if strange:
            raise ArgumentError(
                f"{type(self).__name__}.build(): the optimizer already trains other parameters, "
                f"and {strange} of these {len(parameters)} are new to it; make a new optimizer "
                f"for each model, and compile again after adding layers"
            )

    @property
    def variables(self) -> list[Any]:
        """The parameters."""
        groups = [] if self.inner is None else self.inner.param_groups
        return [parameter for group in groups for parameter in group["params"]]

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of the inner optimizer."""
        groups: list[dict[str, Any]] = self._built("param_groups").param_groups
        return groups

    def _built(self, wanted: str) -> Any:
        if self.inner is None:
            raise GraphError(
                f"{type(self).__name__}.{wanted}: the optimizer knows no parameters yet; compile a "
                f"model with it, or call build(model.parameters())"
            )
        return self.inner

    # The rate.

    def _current_rate(self) -> float:
        if self._schedule is not None:
            return float(self._schedule(self.iterations))
        if self.inner is not None:
            return float(self.inner.param_groups[0]["lr"])
        return self._rate

    @property
    def learning_rate(self) -> Rate:
        """The rate of the next step; settable to a number or a schedule at any time."""
        rate = Rate(self._current_rate())
        rate.optimizer = self
        return rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, dict):
            value = schedule_of(value)
        if isinstance(value, LearningRateSchedule):
            self._schedule = value
            value = value(self.iterations)
        elif callable(value):
            raise ArgumentError(
                f"{type(self).__name__}(): learning_rate must be a number or a schedule of "
                f"keras.optimizers.schedules, got {value!r}; for a function of the epoch use the "
                f"callback LearningRateScheduler"
            )
        else:
            self._schedule = None
        self._rate = float(value)
        if not self._rate >= 0:
            raise ArgumentError(
                f"{type(self).__name__}(): learning_rate must be at least 0, got {value!r}"
            )
        if self.inner is not None:
            self._pass_on(self._rate)

    @property
    def lr(self) -> Rate:
        """Short for `learning_rate`."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    def _pass_on(self, rate: float) -> None:
        for group in self.inner.param_groups:
            group["lr"] = rate

    # The step.

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        self._built("zero_grad()").zero_grad(set_to_none)

    def step(self) -> None:
        """Change every parameter that has a gradient."""
        self.set_rate()
        self.change()
        self.iterations += 1

    def set_rate(self) -> None:
        """Give the inner optimizer the rate that the schedule has for this step."""
        if self._schedule is not None:
            self._built("step()")
            self._pass_on(float(self._schedule(self.iterations)))

    def change(self) -> None:
        """The part of a step that works on arrays: clip, decay, and let the inner one step."""
        inner = self._built("step()")
        self._clip()
        if self.weight_decay and not self.decays_inside():
            self._decay(inner)
        inner.step()

    def settings(self) -> tuple[Any, ...]:
        """All that `change` reads of the optimizer itself, the parameters aside."""
        bounds = (self.clipnorm, self.global_clipnorm, self.clipvalue)
        if not self.weight_decay or self.decays_inside():
            return self.inner, *bounds
        rates = [group["lr"] for group in self._built("step()").param_groups]
        return self.inner, *bounds, self.weight_decay, *rates

    def decays_inside(self) -> bool:
        """Whether the inner optimizer itself does the weight decay."""
        return False

    def _clip(self) -> None:
        if self.clipnorm:
            for parameter in self.variables:
                if parameter.grad is not None:
                    clip_grad_norm_([parameter], self.clipnorm)
        elif self.global_clipnorm:
            clip_grad_norm_(self.variables, self.global_clipnorm)
        elif self.clipvalue:
            clip_grad_value_(self.variables, self.clipvalue)

    def _decay(self, inner: Any) -> None:
        assert self.weight_decay is not None
        with minigrad.no_grad():
            for group in inner.param_groups:
                kept = 1 - group["lr"] * self.weight_decay
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        parameter.mul_(kept)

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Any] | None = None) -> None:
        """Step with these gradients, one for each parameter.

        The parameters are those that the optimizer was built with, or are given here.
        """
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
            self.build(trainable_variables)
        self._built("apply()")
        variables = self.variables if trainable_variables is None else trainable_variables
        grads = list(grads)
        if len(grads) != len(variables):
            raise ArgumentError(
                f"{type(self).__name__}.apply(): there are {len(grads)} gradients for "
                f"{len(variables)} parameters"
            )
        self.zero_grad()
        for parameter, grad in zip(variables, grads, strict=True):
            parameter.grad = grad
        self.step()

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> None:
        """Step with these pairs of a gradient and its parameter."""
        pairs = list(grads_and_vars)
        self.apply([grad for grad, _ in pairs], [parameter for _, parameter in pairs])

    # Saving and loading.

    def state_dict(self) -> dict[str, Any]:
        """The state of the inner optimizer, and the number of steps taken."""
        return {**self._built("state_dict()").state_dict(), "iterations": self.iterations}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a saved state; raises ArgumentError when it does not fit."""
        inner = self._built("load_state_dict()")
        inner.load_state_dict(
            {"state": state_dict["state"], "param_groups": state_dict["param_groups"]}
        )
        self.iterations = int(state_dict.get("iterations", 0))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same optimizer again."""
        common: dict[str, Any] = {argument: getattr(self, argument) for argument in _COMMON}
        common["learning_rate"] = self._current_rate()
        if self._schedule is not None:
            common["learning_rate"] = config_of(self._schedule)
        return {**common, **{option: getattr(self, option) for option in self.options}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The optimizer of these arguments."""
        return cls(**config)

    def __repr__(self) -> str:
        config = {**self.get_config(), "learning_rate": self._schedule or self._current_rate()}
        settings = ", ".join(
            f"{argument}={value!r}"
            for argument, value in config.items()
            if value is not None and argument != "name"
        )
        return f"{type(self).__name__}({settings})"


def _unknown(kind: str, argument: str, value: Any, options: tuple[str, ...]) -> str:
    """The message for an argument that is not there: what to write instead."""
    if argument == "lr":
        return f"{kind}(): the argument 'lr' is now 'learning_rate': {kind}(learning_rate={value})"
    if argument == "decay":
        return (
            f"{kind}(): there is no argument 'decay'; for a rate that falls with the steps write "
            f"learning_rate=keras.optimizers.schedules.InverseTimeDecay(rate, 1, {value})"
        )
    known = [*_COMMON, *options]
    close = nearest(argument, known)
    more = f"did you mean '{close[0]}'?" if close else f"it has {', '.join(known)}"
    return f"{kind}(): there is no argument {argument!r}; {more}"
