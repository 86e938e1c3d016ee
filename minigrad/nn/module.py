"""Module: what holds a model's parameters, and how they are found, moved and saved.

Nothing is registered behind the user's back: parameters, buffers and sub-modules are found by
walking the attributes in the order in which they were set, so a subclass need not call
`super().__init__()`.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from types import NoneType
from typing import Any, Self

from minigrad.backend import device
from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.hooks import RemovableHandle
from minigrad.modes import no_grad
from minigrad.nn.constructor import name_constructor
from minigrad.nn.hooks import call_with_hooks
from minigrad.nn.parameter import Parameter
from minigrad.nn.state import IncompatibleKeys, load_state
from minigrad.tensor import Tensor

__all__ = ["Module", "Parameter"]


class Module:
    """A part of a model: parameters, buffers, sub-modules, and a `forward`.

    >>> import minigrad
    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Parameter(minigrad.tensor(2.0))
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale()(minigrad.tensor(3.0)).item()
    6.0
    """

    training: bool = True
    fields: tuple[str, ...] = ()
    _buffers: dict[str, bool] | None = None
    _hooks: dict[str, dict[int, Any]] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.startswith("minigrad."):
            name_constructor(cls)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; written by the subclass."""
        raise ArgumentError(
            f"{type(self).__name__} has no forward(); write `def forward(self, x): ...` in it"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooks is None:
            return self.forward(*args, **kwargs)
        return self._call_with_hooks(args, kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        held = vars(self).get(name)
        if isinstance(held, Parameter) and not isinstance(value, (Parameter, NoneType)):
            raise TypeError(
                f"{type(self).__name__}.{name} is a parameter and would be trained no more: assign "
                f"an nn.Parameter or None, not {type(value).__name__}; to change its values write "
                f"`with no_grad(): module.{name}.copy_(values)`"
            )
        object.__setattr__(self, name, value)

    # Finding what is inside.

    def _find(self, kind: type[Any]) -> Iterator[tuple[str, Any]]:
        for name, value in vars(self).items():
            if isinstance(value, kind):
                yield name, value
            elif isinstance(value, (list, tuple)) and not name.startswith("_"):
                self._warn_hidden(name, value)

    def _warn_hidden(self, name: str, values: Any) -> None:
        if any(isinstance(value, (Module, Parameter)) for value in values):
            held = "ParameterList" if isinstance(values[0], Parameter) else "ModuleList"
            warnings.warn(
                f"{type(self).__name__}.{name} is a plain {type(values).__name__}: the parameters "
                f"in it are not found, trained or saved; use nn.{held}(...)",
                stacklevel=4,
            )

    def _own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        return self._find(Parameter)

    def _own_buffers(self) -> Iterator[tuple[str, Tensor, bool]]:
        for name, persistent in (self._buffers or {}).items():
            value = vars(self).get(name)
            if value is not None:
                yield name, value, persistent

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct sub-modules with their names, each once."""
        seen: set[int] = set()
        for name, module in self._find(Module):
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Module]:
        """The direct sub-modules, each once."""
        return (module for _, module in self.named_children())

    def named_modules(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, with dotted names."""
        memo = set() if memo is None else memo
        if remove_duplicate and id(self) in memo:
            return
        memo.add(id(self))
        yield prefix, self
        for name, module in self._find(Module):
            path = f"{prefix}.{name}" if prefix else name
            yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def _named_members(
        self, members: Callable[[Module], Any], prefix: str, recurse: bool, once: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=once)
        for path, module in modules if recurse else [(prefix, self)]:
            for name, value, *_ in members(module):
                if once and id(value) in seen:
                    continue
                seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with dotted names; one that is shared comes once."""
        return self._named_members(Module._own_parameters, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with dotted names."""
        return self._named_members(Module._own_buffers, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The sub-module at a dotted path. Raises AttributeError naming the part not found."""
        module: Any = self
        for name in target.split(".") if target else ():
            if not isinstance(getattr(module, name, None), Module):
                raise AttributeError(f"{type(module).__name__} has no sub-module '{name}'")
            module = getattr(module, name)
        return module  # type: ignore[no-any-return]

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path. Raises AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        value = getattr(self.get_submodule(path), name, None)
        if not isinstance(value, Parameter):
            raise AttributeError(f"'{target}' is no parameter of {type(self).__name__}")
        return value

    # Putting things inside.

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Hold a tensor that is state but not trained; `persistent` ones are saved."""
        _check_name(self, name)
        if tensor is not None and not isinstance(tensor, Traced):
            raise TypeError(
                f"register_buffer(): '{name}' must be a Tensor or None, not {type(tensor).__name__}"
            )
        if self._buffers is None:
            self._buffers = {}
        self._buffers[name] = persistent
        setattr(self, name, tensor)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Hold a parameter under a name; None keeps the place empty."""
        _check_name(self, name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"register_parameter(): '{name}' must be a Parameter or None, "
                f"not {type(param).__name__}; wrap it in nn.Parameter(...)"
            )
        setattr(self, name, param)

    def add_module(self, name: str, module: Module | None) -> None:
        """Hold a sub-module under a name."""
        _check_name(self, name)
        if module is not None and not isinstance(module, Module):
            raise TypeError(
                f"add_module(): '{name}' must be a Module or None, not {type(module).__name__}"
            )
        setattr(self, name, module)

    register_module = add_module

    # Changing all of it.

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every sub-module, then on this one; returns the module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set training mode here and below; dropout and batch norm behave by it."""
        if not isinstance(mode, bool):
            raise ArgumentError(f"train(): mode must be True or False, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set evaluation mode here and below."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say whether the parameters are trained; returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = parameter.grad.detach().zero_()

    def _convert(self, change: Callable[[Tensor], Any]) -> Self:
        """Change every parameter's, gradient's and buffer's array, keeping the tensor objects."""
        with no_grad():
            seen: set[int] = set()
            for module in self.modules():
                held = [value for _, value in module._own_parameters()]
                held += [value for _, value, _ in module._own_buffers()]  # type: ignore[misc]
                for tensor in held:
                    if id(tensor) in seen:
                        continue
                    seen.add(id(tensor))
                    tensor._array = change(tensor.detach())._array
                    if tensor.grad is not None:
                        tensor.grad = change(tensor.grad.detach())
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move to a device, or convert the floating parameters and buffers to a dtype, in place.

        `to(device)`, `to(dtype)`, `to(device, dtype)`, `to(tensor)`; returns the module.
        """

        def change(tensor: Tensor) -> Any:
            if tensor._array.dtype.kind in "fc":
                return tensor.to(*args, **kwargs)
            moved: list[Any] = [value for value in args if isinstance(value, (device, Traced))]
            moved += [v for v in args if isinstance(v, str) and v.split(":")[0] in ("cpu", "cuda")]
            place = kwargs.get("device", moved[0] if moved else None)
            if isinstance(place, Tensor):
                place = place.device
            return tensor if place is None else tensor.to(device=place)

        return self._convert(change)

    def cpu(self) -> Self:
        """Move to the host's memory."""
        return self.to(device("cpu"))

    def cuda(self, device: Any = "cuda") -> Self:
        """Move to a GPU's memory."""
        return self.to(device)

    def float(self) -> Self:
        """Convert floating parameters and buffers to float32."""
        return self._convert(lambda t: t.float() if t.is_floating_point() else t)

    def double(self) -> Self:
        """Convert floating parameters and buffers to float64."""
        return self._convert(lambda t: t.double() if t.is_floating_point() else t)

    def half(self) -> Self:
        """Convert floating parameters and buffers to float16."""
        return self._convert(lambda t: t.half() if t.is_floating_point() else t)

    def type(self, dst_type: Any) -> Self:
        """Convert all parameters and buffers to a dtype."""
        return self._convert(lambda t: t.to(dst_type))

    # Saving and loading.

    def state_dict(
        self, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Tensor]:
        """The parameters and persistent buffers by dotted name, sharing memory with the module."""
        result: OrderedDict[str, Tensor] = OrderedDict() if destination is None else destination
        for name, parameter in self._own_parameters():
            result[prefix + name] = parameter if keep_vars else parameter.detach()
        for name, buffer, persistent in self._own_buffers():
            if persistent:
                result[prefix + name] = buffer if keep_vars else buffer.detach()
        for name, module in self._find(Module):
            module.state_dict(result, f"{prefix}{name}.", keep_vars)
        return result

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy saved values into the parameters and buffers.

        Nothing is changed unless everything fits: with `strict`, missing or unexpected keys raise
        ArgumentError, as do differing shapes always; the message lists every one of them.
        `assign` takes the given tensors themselves in place of copies.
        """
        return load_state(self, state_dict, strict, assign)

    # Hooks.

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before forward; what it returns replaces the arguments."""
        return self._add_hook("pre", (hook, with_kwargs))

    def register_forward_hook(
        self, hook: Callable[..., Any], *, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after forward; what it returns replaces the output."""
        return self._add_hook("forward", (hook, with_kwargs))

    def register_full_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the module's input has its gradient.

        What it returns replaces the gradients of the inputs.
        """
        return self._add_hook("backward", hook)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, grad_output)` when the module's output has its gradient."""
        return self._add_hook("backward_pre", hook)

    def _add_hook(self, kind: str, hook: Any) -> RemovableHandle:
        if self._hooks is None:
            self._hooks = {}
        return RemovableHandle.add(self._hooks.setdefault(kind, {}), hook)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return call_with_hooks(self, self._hooks or {}, args, kwargs)

    # Looks.

    def extra_repr(self) -> str:
        """What stands between the brackets of the repr: the fields of the layer."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.fields)

    def __repr__(self) -> str:
        lines = []
        for name, module in self._find(Module):
            text = repr(module).replace("\n", "\n  ")
            lines.append(f"  ({name}): {text}")
        extra = self.extra_repr()
        head = f"{type(self).__name__}({extra}"
        return f"{head})" if not lines else head + "\n" + "\n".join(lines) + "\n)"

    def __getstate__(self) -> dict[str, Any]:
        return dict(vars(self))


def _check_name(module: Module, name: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"a name must be a string, not {type(name).__name__}")
    if "." in name or not name:
        raise KeyError(f"a name may not be empty or hold a '.', got {name!r}")
    if hasattr(module, name) and name not in vars(module):
        raise KeyError(f"'{name}' is already an attribute of {type(module).__name__}")
