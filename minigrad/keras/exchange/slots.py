"""The state of an optimizer as the numbered variables that Keras 3 keeps for it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy

import minigrad
from minigrad.keras.exchange.hdf5 import numbered
from minigrad.keras.layers.weight import Variable, Weight

__all__ = ["read_optimizer", "write_optimizer"]

# The variables before the states are the number of steps and, unless a schedule gives it, the rate.

# The states of each parameter as minigrad.optim names them, in Keras's order. Those of one inner
# tuple take turns, parameter by parameter; the tuples follow each other.
_SLOTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Adadelta": (("square_avg", "acc_delta"),),
    "Adagrad": (("sum",),),
    "Adam": (("exp_avg", "exp_avg_sq"), ("max_exp_avg_sq",)),
    "AdamW": (("exp_avg", "exp_avg_sq"), ("max_exp_avg_sq",)),
    "Adamax": (("exp_avg", "exp_inf"),),
    "Nadam": (("exp_avg", "exp_avg_sq"),),
    "RMSprop": (("square_avg",), ("momentum_buffer",), ("grad_avg",)),
    "SGD": (("momentum_buffer",),),
}


def _layout(optimizer: Any, count: int) -> list[tuple[int, str]] | None:
    """The parameter and state of each variable of a parameter; None for a user's class."""
    groups = _SLOTS.get(type(optimizer).__name__)
    if groups is None:
        return None
    wanted = {
        "max_exp_avg_sq": getattr(optimizer, "amsgrad", False),
        "momentum_buffer": getattr(optimizer, "momentum", 0),
        "grad_avg": getattr(optimizer, "centered", False),
    }
    return [
        (index, slot)
        for group in groups
        for index in range(count)
        for slot in group
        if wanted.get(slot, True)
    ]


def _factor(optimizer: Any, slot: str) -> float:
    """What turns the state into Keras's: its momentum is a step, with the rate and the sign."""
    if slot != "momentum_buffer":
        return 1.0
    rate = float(optimizer.learning_rate)
    return -rate if type(optimizer).__name__ == "SGD" else rate


def _in_layout_of(weight: Weight, values: Any) -> Weight:
    """A weight over these values, a tensor in torch's layout, seen as the given one is."""
    variable = Variable(values, requires_grad=False)
    return type(weight)(variable, None, weight.name, axes=weight.axes, view=weight.view)


def write_optimizer(parent: Any, model: Any) -> None:
    """Write the number of steps, the rate and the states, where Keras 3 looks for them.

    SGD's momentum is multiplied by the rate, and may come back different in its last bit. A user's
    own optimizer, and one that has made no step, is left out: a reader starts anew.
    """
    optimizer = model.optimizer
    weights = model.trainable_weights
    layout = _layout(optimizer, len(weights))
    if layout is None or not optimizer.built or not optimizer.iterations:
        return
    state = _states(optimizer, weights)
    variables = parent.create_group("optimizer/vars")
    variables.attrs["name"] = optimizer.name
    found = [numpy.asarray(optimizer.iterations, "int32")]
    if optimizer._schedule is None:
        found.append(numpy.asarray(float(optimizer.learning_rate), "float32"))
    for index, slot in layout:
        weight, kept = weights[index], state[index]
        if kept.get(slot) is None:
            found.append(numpy.zeros(weight.shape, "float32"))
            continue
        values = _in_layout_of(weight, kept[slot]).numpy()
        found.append((values * _factor(optimizer, slot)).astype(values.dtype))
    if type(optimizer).__name__ == "Nadam":
        found.append(numpy.asarray(float(state[0].get("mu_product", 1.0)), "float32"))
    for number, values in enumerate(found):
        variables[str(number)] = values


def _states(optimizer: Any, weights: list[Weight]) -> list[dict[str, Any]]:
    """The state of the parameter of each weight, which is empty before its first step."""
    return [optimizer.inner.state.get(weight.tensor, {}) for weight in weights]


def read_optimizer(variables: Any, model: Any, path: str) -> None:
    """Take the number of steps and the states of the group `variables`.

    Warns, and lets the optimizer start anew, where they are not those of this optimizer.
    """
    optimizer = model.optimizer
    weights = model.trainable_weights
    arrays = numbered(variables, path)
    if not weights or not arrays or not int(arrays[0][()]):
        return
    layout = _layout(optimizer, len(weights))
    first = 1 if optimizer._schedule is not None else 2
    last = int(type(optimizer).__name__ == "Nadam")
    problem = ""
    if layout is None:
        problem = f"{type(optimizer).__name__} is no optimizer of Keras"
    elif len(arrays) != first + len(layout) + last:
        problem = f"there are {len(arrays)} variables, not {first + len(layout) + last}"
    else:
        for (index, _), array in zip(layout, arrays[first:]):
            if tuple(array.shape) != tuple(weights[index].shape):
                problem = f"a state of '{weights[index].path}' has shape {tuple(array.shape)}"
    if problem or layout is None:
        warnings.warn(
            f"load_model(): the optimizer's state in {path} does not fit, and it starts anew: "
            f"{problem}",
            stacklevel=4,
        )
        return
    optimizer.build([weight.tensor for weight in weights])
    steps = int(arrays[0][()])
    optimizer.iterations = steps
    if optimizer._schedule is None:
        # The configuration has the same rate with all of its digits, unless training changed it.
        stored = float(arrays[1][()])
        if numpy.float32(optimizer.learning_rate) != numpy.float32(stored):
            optimizer.learning_rate = stored
    states: list[dict[str, Any]] = [{} for _ in weights]
    for (index, slot), array in zip(layout, arrays[first:]):
        seen = _in_layout_of(weights[index], minigrad.zeros_like(weights[index].tensor.detach()))
        factor = _factor(optimizer, slot)
        seen.assign(array[()] / factor if factor else array[()])
        states[index][slot] = seen.tensor.detach()
    _fill(optimizer, states, steps, float(arrays[-1][()]) if last else None)


def _fill(optimizer: Any, states: list[dict[str, Any]], steps: int, product: Any) -> None:
    saved = optimizer.inner.state_dict()
    for state in states:
        if type(optimizer).__name__ != "SGD":
            state["step"] = steps
        if product is not None:
            state["mu_product"] = product
    saved["state"] = dict(enumerate(states))
    optimizer.inner.load_state_dict(saved)
