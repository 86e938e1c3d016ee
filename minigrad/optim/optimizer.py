"""The base of every optimizer: parameter groups, state, the step, saving and loading.

An algorithm is two functions on raw arrays: `init(p, group)` makes the state of one array and
`update(p, g, state, group)` changes array and state in place. Since both work element by element,
the base keeps small parameters end to end in one flat array and hands them that: a step of a
small model is then a dozen NumPy calls, whatever the number of its layers. Complex parameters
come that way always, as the flat array of their real and imaginary parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from minigrad import mutation
from minigrad.errors import ArgumentError, GraphError
from minigrad.graph import Leaf, Traced, grad_mode, wrap
from minigrad.hooks import RemovableHandle
from minigrad.optim import flat
from minigrad.tensor import Tensor

__all__ = ["Optimizer"]

# What a group may hold besides options: parameters, their names, and what schedules keep there.
_OF_GROUPS = {
    "params", "param_names", "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum",
}  # fmt: skip


class Optimizer:
    """Changes parameters so that the loss falls; subclasses say how.

    `params` is an iterable of tensors, of (name, tensor) pairs, or of dicts that each hold
    'params' and the options of one group. Raises ArgumentError when it is empty or a tensor comes
    twice, TypeError when something in it is no Tensor.
    """

    # The options that a group may hold, with what they must fulfil.
    positive: ClassVar[tuple[str, ...]] = ("lr", "eps", "weight_decay")

    # The names of the numbers in a parameter's state; a loaded state may hold tensors for them.
    numbers: ClassVar[tuple[str, ...]] = ("step",)

    # Whether `update` works element by element, so that parameters may be joined.
    elementwise: ClassVar[bool] = True

    # Whether step() was ever called; schedules warn when they come first.
    has_stepped = False

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: dict[Any, dict[str, Any]] = {}
        self.param_groups: list[dict[str, Any]] = []
        self._families: dict[tuple[int, ...], list[flat.Family]] = {}
        self._before: dict[int, Callable[..., Any]] = {}
        self._after: dict[int, Callable[..., Any]] = {}
        if isinstance(params, Traced):
            raise TypeError(
                f"{type(self).__name__}(): params must be an iterable of Tensors, not one Tensor; "
                f"write [parameter] or model.parameters()"
            )
        if callable(getattr(params, "parameters", None)):
            raise TypeError(
                f"{type(self).__name__}(): params must be an iterable of Tensors, not a "
                f"{type(params).__name__}; pass its parameters: model.parameters()"
            )
        if callable(params):
            raise TypeError(
                f"{type(self).__name__}(): params is a function that was not called; write "
                f"model.parameters() with brackets"
            )
        if not isinstance(params, Iterable):
            raise TypeError(
                f"{type(self).__name__}(): params must be an iterable of Tensors, such as "
                f"model.parameters(), not {type(params).__name__}"
            )
        groups = list(params)
        if not groups:
            raise ArgumentError(
                f"{type(self).__name__}(): params is empty; pass model.parameters() of a model "
                f"that has some (an iterator that was used up is empty too)"
            )
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # The algorithm, written by subclasses.

    def init(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """The state of one raw array: arrays of its shape, and Python numbers."""
        return {}

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Change the raw array `p`, given its gradient, and the state, in place."""
        raise ArgumentError(f"{type(self).__name__} has no update(p, g, state, group)")

    # Groups.

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Train more parameters, with options of their own.

        Raises ArgumentError for an unknown option, an option out of range, or a parameter that
        is trained already.
        """
        group = dict(param_group)
        if "params" not in group:
            raise ArgumentError("add_param_group(): the group has no 'params'")
        params = group["params"]
        members = [params] if isinstance(params, Traced) else list(params)
        named = [m for m in members if isinstance(m, tuple)]
        if named:
            group["param_names"] = [name for name, _ in named]
            members = [tensor for _, tensor in named]
        unknown = set(group) - set(self.defaults) - _OF_GROUPS
        if unknown:
            raise ArgumentError(
                f"{type(self).__name__}: unknown options {sorted(unknown)} in a parameter group; "
                f"it has {sorted(self.defaults)}"
            )
        taken = {id(p) for g in self.param_groups for p in g["params"]}
        for parameter in members:
            if not isinstance(parameter, Traced):
                several = callable(getattr(parameter, "parameters", None))
                fix = "; write [*first.parameters(), *second.parameters()]" if several else ""
                raise TypeError(
                    f"{type(self).__name__} trains Tensors, got {type(parameter).__name__}{fix}"
                )
            if parameter._node is not None and not isinstance(parameter._node, Leaf):
                raise GraphError(
                    f"{type(self).__name__} trains leaves, but a tensor of shape "
                    f"{list(parameter._array.shape)} was computed from others; pass the tensors "
                    f"it was computed from, or x.detach().requires_grad_()"
                )
            if id(parameter) in taken:
                raise ArgumentError(
                    f"{type(self).__name__}: a parameter of shape {list(parameter._array.shape)} "
                    f"appears more than once"
                )
            taken.add(id(parameter))
        group["params"] = members
        group = {**self.defaults, **group}
        self.check(group)
        self.param_groups.append(group)
        if self.elementwise:
            flat.settle(members)

    def check(self, group: dict[str, Any]) -> None:
        """Raise ArgumentError for an option out of its range."""
        for name in self.positive:
            value = group.get(name)
            if value is not None and not value >= 0:
                raise ArgumentError(
                    f"{type(self).__name__}(): {name} must be at least 0, got {value!r}"
                )
        for position, beta in enumerate(group.get("betas", ())):
            if not 0 <= beta < 1:
                raise ArgumentError(
                    f"{type(self).__name__}(): betas[{position}] must be in [0, 1), got {beta}"
                )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none:
                    parameter.grad = None
                elif parameter.grad is not None:
                    parameter.grad = parameter.grad.detach().zero_()

    # The step.

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient; returns the closure's loss, if any."""
        loss = None
        if closure is not None:
            loss = self._evaluate(closure)
        for hook in list(self._before.values()):
            hook(self, (closure,), {})
        self.has_stepped = True
        for group in self.param_groups:
            self._step_group(group)
        for hook in list(self._after.values()):
            hook(self, (closure,), {})
        return loss

    def _evaluate(self, closure: Callable[[], Any]) -> Any:
        token = grad_mode.set(True)
        try:
            return closure()
        finally:
            grad_mode.reset(token)

    def _step_group(self, group: dict[str, Any]) -> None:
        small, gradients = [], []
        state = self.state
        line = mutation.caller()
        may_join = self.elementwise and len(group["params"]) > 1
        for parameter in group["params"]:
            grad = parameter.grad
            if grad is None:
                continue
            array, g = parameter._array, grad._array
            if g.dtype is not array.dtype or g.shape != array.shape:
                _check_gradient(type(self).__name__, parameter, g)
            if (may_join and array.size <= flat.LARGEST) or array.dtype.kind == "c":
                small.append(parameter)
                gradients.append(g)
                continue
            own = state.get(parameter)
            if own is None:
                own = state[parameter] = self.init(array, group)
            self.update(array, -g if group.get("maximize") else g, own, group)
            mutation.touch(array, "step", line)
        if not small:
            return
        key = tuple(map(id, small))
        families = self._families.get(key)
        if families is None or not all(family.valid(state) for family in families):
            families = self._families[key] = flat.families(self, small, group)
        for family in families:
            family.step(self, gradients, group, line)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before each step."""
        return RemovableHandle.add(self._before, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return RemovableHandle.add(self._after, hook)

    # Saving and loading.

    def state_dict(self) -> dict[str, Any]:
        """The state of every parameter by its position, and the groups' options, as in torch."""
        position: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            packed = {name: value for name, value in group.items() if name != "params"}
            for parameter in group["params"]:
                position.setdefault(id(parameter), len(position))
            packed["params"] = [position[id(parameter)] for parameter in group["params"]]
            groups.append(packed)
        state = {
            position[id(parameter)]: {
                name: self._saved(parameter, value) for name, value in own.items()
            }
            for parameter, own in self.state.items()
        }
        return {"state": state, "param_groups": groups}

    def _saved(self, parameter: Any, value: Any) -> Any:
        """One entry of a parameter's state as it is saved: a number, or a Tensor."""
        return value if isinstance(value, (int, float)) else wrap(parameter, value)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a saved state; raises ArgumentError, changing nothing, when it does not fit."""
        saved, groups = state_dict["state"], state_dict["param_groups"]
        sizes = [len(group["params"]) for group in self.param_groups]
        found = [len(group["params"]) for group in groups]
        if sizes != found:
            raise ArgumentError(
                f"load_state_dict(): the saved groups hold {found} parameters, the optimizer's "
                f"hold {sizes}"
            )
        owners = {
            index: parameter
            for group, own in zip(groups, self.param_groups, strict=True)
            for index, parameter in zip(group["params"], own["params"], strict=True)
        }
        state = {}
        for index, values in saved.items():
            parameter = owners[int(index)]
            state[parameter] = {
                name: self._loaded(name, value, parameter) for name, value in values.items()
            }
        self.state = state
        self._families = {}
        for group, own in zip(groups, self.param_groups, strict=True):
            own.update({name: value for name, value in group.items() if name != "params"})

    def _loaded(self, name: str, value: Any, parameter: Any) -> Any:
        """One entry of a saved state, as this optimizer holds it."""
        if isinstance(value, (int, float)):
            return value
        if not isinstance(value, Tensor):
            value = Tensor(value)
        array = parameter._array
        if name in self.numbers:
            return int(value._array) if name == "step" else float(value._array)
        if self.elementwise and value._array.shape != array.shape:
            raise ArgumentError(
                f"load_state_dict(): '{name}' has shape {list(value._array.shape)} for a parameter "
                f"of shape {list(array.shape)}"
            )
        return value.detach().to(parameter.device, array.dtype)._array.copy()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_families": {}, "_before": {}, "_after": {}}

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {n}: {group[n]}" for n in sorted(group) if n != "params"]
        return "\n".join([*lines, ")"])


def _check_gradient(name: str, parameter: Any, g: Any) -> None:
    array = parameter._array
    if g.shape != array.shape or g.dtype != array.dtype:
        raise ArgumentError(
            f"{name}.step(): a parameter is {array.dtype}{list(array.shape)} but its gradient is "
            f"{g.dtype}{list(g.shape)}; they must be equal"
        )
