"""The losses and metrics of a compiled model, matched to its outputs."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.keras import losses, metrics
from minigrad.keras.lookup import unknown
from minigrad.keras.symbolic import flatten
from minigrad.training.mean import RunningMean

__all__ = ["Losses", "Measures"]

# The kinds of cross-entropy: for one output, for one-hot targets, for class numbers.
_CROSSENTROPIES = (
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
)


class Losses:
    """A loss for each output, or None; their sum, each times its weight, is minimized."""

    def __init__(self, given: Any, weights: Any, names: list[str]) -> None:
        self.given = given
        self.weights_given = weights
        each = _per_output("loss", given, names)
        self.each = [_made_loss(loss) for loss in each]
        factors = _per_output("loss_weights", weights, names)
        _check_factors(factors, weights)
        self.weights = [1.0 if factor is None else float(factor) for factor in factors]
        self.names = names
        self.parts = [RunningMean() for _ in self.each] if len(self.each) > 1 else []
        self.values: list[Any] = []  # the loss of each output in the last batch

    def spread(self, count: int) -> list[Any]:
        """The loss of each of `count` outputs; a single one serves all, as in Keras."""
        return self.each * count if len(self.each) == 1 else self.each

    def reset(self) -> None:
        """Forget the means."""
        for part in self.parts:
            part.reset()

    def compute(self, output: Any, target: Any, weight: Any) -> Any:
        """The loss of a batch, as one number; None where no output has one."""
        if not isinstance(output, (list, tuple, dict)):
            loss = self.each[0]
            target = _single(target)
            weight = _single(weight)
            if loss is None:
                return None
            value = loss(target, output) if weight is None else loss(target, output, weight)
            return value if self.weights[0] == 1.0 else value * self.weights[0]
        return self._of_several(flatten(output), output, target, weight)

    def _of_several(self, outputs: list[Any], output: Any, target: Any, weight: Any) -> Any:
        targets = _listed(target, output, len(outputs))
        weights = (
            _listed(weight, output, len(outputs)) if weight is not None else [None] * len(outputs)
        )
        each = self.spread(len(outputs))
        if len(each) != len(outputs):
            raise ArgumentError(
                f"compile() was given {len(each)} losses and the model has {len(outputs)} outputs"
            )
        factors = self.weights * len(outputs) if len(self.weights) == 1 else self.weights
        total = None
        values: list[Any] = []
        for place, (loss, one, wanted, own) in enumerate(zip(each, outputs, targets, weights)):
            if loss is None or wanted is None:
                values.append(None)
                continue
            value = loss(wanted, one, own)
            values.append(value)
            value = value if factors[place] == 1.0 else value * factors[place]
            total = value if total is None else total + value
        self.values = values if len(each) > 1 else []
        return total

    def count(self, values: list[Any], output: Any) -> None:
        """Add the losses of a batch's outputs, as `compute` left them, to their means."""
        if values and len(self.parts) != len(values):
            self.parts = [RunningMean() for _ in values]
        for part, value, one in zip(self.parts, values, flatten(output)):
            if value is not None:
                part.add(value, len(one))

    def logs(self, names: list[str]) -> dict[str, float]:
        """The mean loss of each output, where there are several."""
        return {
            f"{name}_loss": part.compute() for name, part in zip(names, self.parts) if part.count
        }


def _check_factors(factors: list[Any], given: Any) -> None:
    for factor in factors:
        if factor is not None and not hasattr(factor, "__float__"):
            raise ArgumentError(
                f"compile(): loss_weights, the third argument, must be numbers, got {given!r}; "
                f"for metrics write metrics={given if isinstance(given, list) else [factor]!r}"
            )


def _made_loss(loss: Any) -> Any:
    if isinstance(loss, type):
        raise ArgumentError(
            f"compile(): loss is the class {loss.__name__}; make an instance: {loss.__name__}()"
        )
    if type(loss).__module__.startswith("minigrad.nn"):
        own = type(loss).__name__
        raise ArgumentError(
            f"compile(): loss is minigrad.nn.{own}, which takes (output, target); a model compiled "
            "in Keras's style takes a loss of keras.losses, such as 'mse'"
        )
    return losses.as_loss(loss)


def _per_output(what: str, given: Any, names: list[str]) -> list[Any]:
    """What was given for each output: by the names of a dict, in the order of a list."""
    if isinstance(given, dict) and "class_name" not in given:
        strange = [name for name in given if names and name not in names]
        if strange:
            raise ArgumentError("compile(): " + unknown(what, "output", str(strange[0]), names))
        return [given.get(name) for name in names or given]
    if isinstance(given, (list, tuple)):
        if names and len(given) != len(names):
            raise ArgumentError(
                f"compile(): {what} has {len(given)} entries and the model has {len(names)} "
                f"outputs {names}"
            )
        return list(given)
    return [given] * max(1, len(names)) if what == "loss" else [given]


def _listed(structure: Any, output: Any, count: int) -> list[Any]:
    """Targets in the order of the outputs."""
    if isinstance(structure, dict) and isinstance(output, dict):
        return [structure.get(name) for name in output]
    listed = list(structure) if isinstance(structure, (list, tuple)) else flatten(structure)
    if len(listed) != count:
        raise ArgumentError(f"the model has {count} outputs and there are {len(listed)} targets")
    return listed


def _single(structure: Any) -> Any:
    if isinstance(structure, (list, tuple)) and len(structure) == 1:
        return structure[0]
    return structure


class Measures:
    """The metrics of each output; "crossentropy" takes its kind from the first batch's shapes."""

    def __init__(self, given: Any, weighted: Any, names: list[str]) -> None:
        self.names = names
        self.places: list[tuple[int, Any, bool]] = []
        for which, use_weight in ((given, False), (weighted, True)):
            for place, listed in enumerate(_lists(which, names)):
                for metric in listed:
                    self.places.append((place, _made_metric(metric), use_weight))
        self.metrics: list[Any] = []
        self.ready = False

    def _prepare(self, outputs: list[Any], targets: list[Any]) -> None:
        several = len(outputs) > 1
        used: dict[str, int] = {}
        prepared = []
        for place, metric, use_weight in self.places:
            if place >= len(outputs):
                raise ArgumentError(
                    f"compile() was given metrics for {place + 1} outputs and the model has "
                    f"{len(outputs)}"
                )
            if isinstance(metric, str):
                metric = _by_shape(metric, outputs[place], targets[place])
            own = metric.name
            name = f"{self._name(place)}_{own}" if several else own
            if use_weight and name in used:
                name = f"{self._name(place)}_weighted_{own}" if several else f"weighted_{own}"
            count = used.get(name, 0)
            used[name] = count + 1
            metric.name_in_logs = f"{name}_{count}" if count else name
            prepared.append((place, metric, use_weight))
        self.places = prepared
        self.metrics = [metric for _, metric, _ in prepared]
        self.ready = True

    def _name(self, place: int) -> str:
        return self.names[place] if place < len(self.names) else f"output_{place + 1}"

    def reset(self) -> None:
        """Forget all batches."""
        for metric in self.metrics:
            metric.reset()

    def update(self, output: Any, target: Any, weight: Any) -> None:
        """Tell the metrics of a batch."""
        if not self.places:
            return
        if isinstance(output, (list, tuple, dict)):
            outputs = flatten(output)
            targets = _listed(target, output, len(outputs))
            weights = [None] * len(outputs)
            if weight is not None:
                weights = _listed(weight, output, len(outputs))
        else:
            outputs, targets, weights = [output], [_single(target)], [_single(weight)]
        if not self.ready:
            self._prepare(outputs, targets)
        for place, metric, use_weight in self.places:
            if targets[place] is None:
                continue
            own = weights[place] if use_weight else None
            metric.update(outputs[place], targets[place], own)

    def logs(self) -> dict[str, float]:
        """The numbers over all batches."""
        return {metric.name_in_logs: float(metric.compute()) for metric in self.metrics}


def _lists(given: Any, names: list[str]) -> list[list[Any]]:
    """The metrics of each output. For one output, a list; for several, a list of lists or dict."""
    count = max(1, len(names))
    if given is None:
        return [[] for _ in range(count)]
    if isinstance(given, dict):
        strange = [name for name in given if names and name not in names]
        if strange:
            raise ArgumentError(
                "compile(): " + unknown("metrics", "output", str(strange[0]), names)
            )
        return [_as_list(given.get(name)) for name in names or given]
    if not isinstance(given, (list, tuple)):
        raise ArgumentError(
            f"compile(): metrics must be a list such as ['accuracy'], got {given!r}"
        )
    if count == 1:
        if not names and any(isinstance(one, (list, tuple)) or one is None for one in given):
            # A subclass, whose outputs are not known before it is called: a list for each.
            return [_as_list(one) for one in given]
        nested = [metric for one in given for metric in _as_list(one)]
        return [nested]
    if any(isinstance(one, (list, tuple)) or one is None for one in given) or len(given) == count:
        if len(given) != count:
            raise ArgumentError(
                f"compile(): metrics has {len(given)} entries and the model has {count} outputs "
                f"{names}; give a list for each, or a dict by their names"
            )
        return [_as_list(one) for one in given]
    raise ArgumentError(
        f"compile(): the model has {count} outputs {names}; say which metrics are whose: "
        f"metrics={{{names[0]!r}: [...]}}"
    )


def _as_list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _made_metric(metric: Any) -> Any:
    """The metric, or the name of one whose kind the shapes will tell."""
    if isinstance(metric, type):
        raise ArgumentError(
            f"compile(): metrics holds the class {metric.__name__}; make an instance: "
            f"{metric.__name__}()"
        )
    if metric in ("crossentropy", "ce"):
        return metric
    return metrics.as_metric(metric)


def _by_shape(name: str, output: Any, target: Any) -> Any:
    """The kind of cross-entropy that goes with the shapes of targets and outputs."""
    single = output.ndim == 1 or output.shape[-1] == 1
    whole = target.ndim < output.ndim or (target.shape[-1] == 1 and output.shape[-1] > 1)
    made = metrics.as_metric(_CROSSENTROPIES[0 if single else 2 if whole else 1])
    made.name = name
    return made
