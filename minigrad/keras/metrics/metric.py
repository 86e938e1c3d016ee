"""The base of Keras's metrics, and the means and sums that most of them are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras.layers.weight import Variable
from minigrad.keras.losses.loss import of_one_rank
from minigrad.keras.naming import snake_case, unique_name
from minigrad.tensor import Tensor
from minigrad.training.metrics import FunctionMetric
from minigrad.training.metrics import Mean as TrainingMean
from minigrad.training.metrics import Metric as TrainingMetric

__all__ = ["Known", "Mean", "MeanMetricWrapper", "Metric", "Sum", "auto_name"]


class Metric(TrainingMetric):
    """A number about targets and predictions that is gathered batch by batch.

    A subclass makes its variables by `add_weight` in `__init__`, changes them in
    `update_state(y_true, y_pred, sample_weight=None)`, and gives the number in `result()`;
    `reset_state()` sets the variables to what they were at first. A Trainer calls it by the names
    of minigrad.training: `update(output, target, weight)`, `compute()` and `reset()`.

    >>> class Largest(Metric):
    ...     def __init__(self, name="largest", **kwargs):
    ...         super().__init__(name=name, **kwargs)
    ...         self.seen = self.add_weight(name="seen", initializer="zeros")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.seen.assign(minigrad.maximum(self.seen, y_pred.max()))
    ...     def result(self):
    ...         return self.seen
    >>> metric = Largest()
    >>> metric.update(minigrad.tensor([[1.0], [3.0]]), minigrad.tensor([[1.0], [1.0]]))
    >>> metric.compute()
    3.0
    """

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        # The variables that a reset would touch are only made after this.
        self.name = name or snake_case(type(self).__name__)
        self.dtype = dtype or minigrad.get_default_dtype()
        self._first: list[tuple[Any, Any]] = []

    # Keras's names, which a subclass defines.

    def add_weight(
        self,
        shape: tuple[int, ...] = (),
        initializer: Any = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> Any:
        """A variable with `assign`, `assign_add` and `assign_sub`, which starts at zero.

        `initializer` may be "ones", or one of keras.initializers.
        """
        from minigrad.keras import initializers

        found = initializers.get("zeros" if initializer is None else initializer)
        dtype = self.dtype if dtype is None else dtype
        start = found(tuple(shape))
        variable = Variable(minigrad.as_tensor(start).to(dtype).clone(), requires_grad=False)
        variable.name = name or "variable"
        self._first.append((variable, start))
        return variable

    add_variable = add_weight

    @property
    def variables(self) -> list[Any]:
        """What `add_weight` has made."""
        return [variable for variable, _ in vars(self).get("_first", ())]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch."""
        raise ArgumentError(
            f"{type(self).__name__} has no update_state(self, y_true, y_pred, sample_weight=None)"
        )

    def result(self) -> Any:
        """The number over all batches since the last reset."""
        raise ArgumentError(f"{type(self).__name__} has no result(self)")

    def reset_state(self) -> None:
        """Forget all batches."""
        for variable, start in vars(self).get("_first", ()):
            variable.assign(start)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take in a batch, and give the number so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    # The Trainer's names.

    def update(self, output: Any, target: Any, weight: Any = None) -> None:
        """Take in a batch: the model's outputs, the targets, and a weight per sample."""
        with minigrad.no_grad():
            if isinstance(output, Tensor):
                output = output.detach()
            if weight is None:
                self.update_state(target, output)
            else:
                self.update_state(target, output, weight)

    def compute(self) -> Any:
        """The number as a float, or a list of them."""
        value = self.result()
        if isinstance(value, Tensor) and value.ndim:
            return value.tolist()
        return float(value)

    def reset(self) -> None:
        """Forget all batches."""
        self.reset_state()

    # Configurations.

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same metric again."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The metric of these arguments."""
        return cls(**config)


class Known(Metric):
    """A metric of minigrad.training, which comes after this class among the bases.

    The subclass's `__init__` calls `start`, with Keras's own arguments for `get_config`.
    """

    def start(self, config: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        """Make the metric of minigrad.training with its arguments."""
        self.dtype = minigrad.get_default_dtype()
        self.config = config
        super(Metric, self).__init__(*args, **kwargs)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch: targets, predictions, and a weight for each sample."""
        super(Metric, self).update(y_pred, y_true, sample_weight)

    def result(self) -> Any:
        """The number over all batches since the last reset."""
        return minigrad.tensor(super(Metric, self).compute(), dtype=self.dtype)

    def reset_state(self) -> None:
        """Forget all batches."""
        super(Metric, self).reset()

    def compute(self) -> Any:
        """The number as a float, or a list of them."""
        if type(self).result is Known.result:
            return super(Metric, self).compute()
        return super().compute()

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same metric again."""
        return {"name": self.name, **self.config}


class Mean(Known, TrainingMean):
    """The weighted mean of numbers: `update_state(values, sample_weight=None)`.

    >>> mean = Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> mean.result()
    tensor(2.)
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        self.start({}, name)

    def update_state(  # type: ignore[override]
        self, values: Any, sample_weight: Any = None
    ) -> None:
        """Take in values, and a weight for each."""
        TrainingMean.update(self, values, weight=sample_weight)

    def update(self, output: Any, target: Any = None, weight: Any = None) -> None:
        """Take in values; the second argument, or `weight`, is their weight."""
        TrainingMean.update(self, output, target, weight)


class Sum(Metric):
    """The weighted sum of numbers: `update_state(values, sample_weight=None)`."""

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.total = self.add_weight(name="total")

    def update_state(  # type: ignore[override]
        self, values: Any, sample_weight: Any = None
    ) -> None:
        """Take in values, and a weight for each."""
        values = minigrad.as_tensor(values).to(self.total.dtype)
        if sample_weight is not None:
            values = values * minigrad.as_tensor(sample_weight).to(values.dtype)
        self.total.assign_add(values.detach().sum())

    def result(self) -> Any:
        """The sum since the last reset."""
        return self.total.detach().clone()


class MeanMetricWrapper(Known, FunctionMetric):
    """The weighted mean of what a function of (y_true, y_pred) gives for each sample.

    `kwargs` are passed on to the function.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        self.fn = fn
        self.kwargs = kwargs
        self.start(kwargs, self._swapped, name or _name_of(fn))

    def _swapped(self, output: Any, target: Any) -> Any:
        target, output = of_one_rank(_tensor(target), _tensor(output))
        return self.fn(target, output, **self.kwargs)


def _name_of(function: Any) -> str:
    """The function's name, "lambda" where it has none."""
    name: str = getattr(function, "__name__", "metric")
    return name.strip("<>")


def auto_name(metric: Metric) -> str:
    """`precision` for the first Precision, then `precision_1`: Keras numbers some metrics."""
    return unique_name(snake_case(type(metric).__name__))


def _tensor(value: Any) -> Any:
    return value if isinstance(value, Tensor) else minigrad.as_tensor(value)
