"""Calling a module that has hooks; a module without any never comes here."""

from __future__ import annotations

from typing import Any

from minigrad.graph import Traced
from minigrad.tensor import Tensor


def call_with_hooks(
    module: Any, hooks: dict[str, dict[int, Any]], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Run a module's forward with its pre, forward and backward hooks."""
    for hook, with_kwargs in list(hooks.get("pre", {}).values()):
        if with_kwargs:
            result = hook(module, args, kwargs)
            if result is not None:
                args, kwargs = result
        else:
            result = hook(module, args)
            if result is not None:
                args = result if isinstance(result, tuple) else (result,)
    watched = bool(hooks.get("backward") or hooks.get("backward_pre"))
    record = _Gradients(module, hooks) if watched else None
    if record is not None:
        args = record.watch_inputs(args)
    output = module.forward(*args, **kwargs)
    for hook, with_kwargs in list(hooks.get("forward", {}).values()):
        result = hook(module, args, kwargs, output) if with_kwargs else hook(module, args, output)
        if result is not None:
            output = result
    if record is not None:
        output = record.watch_outputs(output)
    return output


class _Gradients:
    """Collects the gradients of one call's inputs and outputs and hands them to the hooks."""

    def __init__(self, module: Any, hooks: dict[str, dict[int, Any]]) -> None:
        self.module = module
        self.hooks = hooks
        self.outputs: list[Any] = []
        self.inputs: dict[int, Any] = {}
        self.count = 0

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those that require a gradient as fresh tensors with a hook each."""
        self.count = len(args)
        places = [i for i, a in enumerate(args) if isinstance(a, Traced) and a._node is not None]
        watched = list(args)
        for i in places:
            tensor: Any = args[i]
            view = tensor.view(tensor.shape)
            view.register_hook(lambda g, i=i: self.input_gradient(i, g, places))
            watched[i] = view
        self.without_inputs = not places
        return tuple(watched)

    def watch_outputs(self, output: Any) -> Any:
        """The output, its tensors with a hook each."""
        parts = output if isinstance(output, tuple) else (output,)
        self.outputs = [None] * len(parts)
        watched = []
        for i, part in enumerate(parts):
            if isinstance(part, Tensor) and part.requires_grad:
                part = part.view(part.shape)
                part.register_hook(lambda g, i=i: self.output_gradient(i, g))
            watched.append(part)
        return tuple(watched) if isinstance(output, tuple) else watched[0]

    def output_gradient(self, place: int, g: Tensor) -> Any:
        """Note an output's gradient; pre-hooks may change it."""
        self.outputs[place] = g
        for hook in list(self.hooks.get("backward_pre", {}).values()):
            result = hook(self.module, tuple(self.outputs))
            if result is not None:
                self.outputs = list(result if isinstance(result, tuple) else (result,))
        if self.without_inputs:
            self.call((None,) * self.count)
        return self.outputs[place]

    def input_gradient(self, place: int, g: Tensor, places: list[int]) -> Any:
        """Note an input's gradient; when it is the last, call the hooks."""
        self.inputs[place] = g
        if len(self.inputs) < len(places):
            return None
        gradients = tuple(self.inputs.get(i) for i in range(self.count))
        self.inputs = {}
        replaced = self.call(gradients)
        return replaced[place]

    def call(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        """Call the backward hooks; the gradients of the inputs as they leave them."""
        for hook in list(self.hooks.get("backward", {}).values()):
            result = hook(self.module, gradients, tuple(self.outputs))
            if result is not None:
                gradients = result if isinstance(result, tuple) else (result,)
        return gradients
