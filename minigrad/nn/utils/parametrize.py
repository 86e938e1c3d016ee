"""Parametrizations: parameters of a module computed from others each time that they are read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.modes import no_grad
from minigrad.nn.container import ModuleDict, ModuleList
from minigrad.nn.module import Module, Parameter
from minigrad.tensor import Tensor

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "type_before_parametrizations",
]

_cache: ContextVar[dict[tuple[int, str], Any] | None] = ContextVar(
    "minigrad_parametrize_cache", default=None
)


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Within it each parametrized tensor is computed once, at its first use."""
    token = _cache.set({})
    try:
        yield
    finally:
        _cache.reset(token)


class ParametrizationList(ModuleList):
    """The modules that make one tensor, first to last, and what they make it from.

    That is `original`, or `original0`, `original1`... where the first module's `right_inverse`
    gives several tensors.
    """

    def __init__(self, modules: Sequence[Module], original: Any, unsafe: bool = False) -> None:
        super().__init__(modules)
        self.unsafe = unsafe
        found = original
        with no_grad():
            for module in reversed(modules):
                inverse = getattr(module, "right_inverse", None)
                if inverse is not None:
                    # As good as no inverse: the tensor itself is what it is made from.
                    with contextlib.suppress(NotImplementedError):
                        found = inverse(found)
        self.is_tensor = isinstance(found, Tensor)
        trained = isinstance(original, Parameter)
        if self.is_tensor:
            if found is not original:
                _check_original(original, found, unsafe)
                # The same object, so that an optimizer that knows it goes on training it.
                original._array = found.detach()._array
            self._hold("original", original, trained)
            self.ntensors = 1
        else:
            self.ntensors = len(found)
            for place, part in enumerate(found):
                if trained:
                    part = Parameter(part.detach(), requires_grad=original.requires_grad)
                self._hold(f"original{place}", part, trained)
        if not unsafe:
            with no_grad():
                _check_result(self(), original)

    def _hold(self, name: str, value: Any, trained: bool) -> None:
        if trained:
            self.register_parameter(name, value)
        else:
            self.register_buffer(name, value)

    def _originals(self) -> list[Any]:
        if self.is_tensor:
            return [self.original]  # type: ignore[attr-defined]
        return [getattr(self, f"original{place}") for place in range(self.ntensors)]

    def right_inverse(self, value: Any) -> None:
        """Change what the tensor is made from so that it is made to be `value`.

        Raises ArgumentError for a parametrization without a `right_inverse`.
        """
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise ArgumentError(
                        f"parametrize: {type(module).__name__} has no right_inverse(value), so "
                        f"that the tensor it makes cannot be assigned; assign to `original`"
                    )
                value = module.right_inverse(value)
            parts = [value] if self.is_tensor else list(value)
            originals = self._originals()
            if len(parts) != len(originals):
                raise ArgumentError(
                    f"parametrize: right_inverse() gave {len(parts)} tensors, there are "
                    f"{len(originals)}"
                )
            for held, part in zip(originals, parts):
                _check_original(held, part, self.unsafe)
                held.copy_(part)

    def forward(self) -> Any:
        """The tensor."""
        first, *others = self
        value = first(*self._originals())
        for module in others:
            value = module(value)
        return value


def _check_original(original: Any, found: Any, unsafe: bool) -> None:
    if not unsafe and (found.shape != original.shape or found.dtype != original.dtype):
        raise ArgumentError(
            f"parametrize: right_inverse() made {found.dtype}{list(found.shape)} of "
            f"{original.dtype}{list(original.shape)}; pass unsafe=True if that is meant"
        )


def _check_result(made: Any, original: Any) -> None:
    if not isinstance(made, Tensor):
        raise ArgumentError(
            f"parametrize: a parametrization must return a Tensor, got {type(made).__name__}"
        )
    if made.shape != original.shape or made.dtype != original.dtype:
        raise ArgumentError(
            f"parametrize: the parametrization makes {made.dtype}{list(made.shape)} of "
            f"{original.dtype}{list(original.shape)}; pass unsafe=True if that is meant"
        )


def _property(name: str) -> property:
    """The attribute of a parametrized class: computed when read, inverted when written."""

    def read(module: Any) -> Any:
        held = _cache.get()
        if held is None:
            return module.parametrizations[name]()
        key = (id(module), name)
        if key not in held:
            held[key] = module.parametrizations[name]()
        return held[key]

    def write(module: Any, value: Any) -> None:
        module.parametrizations[name].right_inverse(value)

    return property(read, write)


def _set_class(module: Any) -> None:
    """Give a module a class of its own with a property for each tensor that is parametrized.

    Made anew each time: copies of a module share their class.
    """
    cls = type_before_parametrizations(module)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = cls
        return
    names = {name: _property(name) for name in module.parametrizations.keys()}  # noqa: SIM118
    made = {"_before": cls, "__module__": cls.__module__, **names}
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), made)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Have a parameter or buffer of a module made by `parametrization` from what it was.

    Its `right_inverse(value)`, if it has one, says from what a value would be made: at
    registration and when the tensor is assigned. What is trained and saved is then
    `module.parametrizations[tensor_name].original`; further parametrizations take what the last
    one makes. Unless `unsafe`, shape and dtype may not change. Returns the module.

    Raises ArgumentError for a name that is no parameter or buffer.

    >>> import minigrad
    >>> from minigrad import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all())
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        held = module.parametrizations[tensor_name]  # type: ignore[attr-defined]
        if not unsafe:
            with no_grad():
                made = getattr(module, tensor_name)
                _check_result(parametrization(made), made)
        held.append(parametrization)
        return module
    original = vars(module).get(tensor_name)
    buffers = module._buffers or {}
    if not isinstance(original, Parameter) and tensor_name not in buffers:
        raise ArgumentError(
            f"register_parametrization(): {type(module).__name__} has no parameter or buffer "
            f"'{tensor_name}'"
        )
    made_from = ParametrizationList([parametrization], original, unsafe)
    if not is_parametrized(module):
        module.parametrizations = ModuleDict()
    del vars(module)[tensor_name]
    buffers.pop(tensor_name, None)
    module.parametrizations[tensor_name] = made_from  # type: ignore[attr-defined]
    _set_class(module)
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has a parametrization, or one for this tensor."""
    held = vars(module).get("parametrizations")
    if not isinstance(held, ModuleDict) or not len(held):
        return False
    return tensor_name is None or tensor_name in held


def type_before_parametrizations(module: Module) -> type[Any]:
    """The class that a module had before it was parametrized."""
    return getattr(type(module), "_before", type(module))


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Make a tensor a plain parameter or buffer again; returns the module.

    It keeps the value that the parametrization makes, or with `leave_parametrized=False` the one it
    is made from. Raises ArgumentError for a tensor that is not parametrized.
    """
    if not is_parametrized(module, tensor_name):
        raise ArgumentError(
            f"remove_parametrizations(): '{tensor_name}' of {type(module).__name__} is not "
            f"parametrized"
        )
    held = module.parametrizations[tensor_name]  # type: ignore[attr-defined]
    trained = isinstance(held._originals()[0], Parameter)
    if not leave_parametrized and not held.is_tensor:
        raise ArgumentError(
            "remove_parametrizations(): leave_parametrized=False needs one tensor that "
            f"'{tensor_name}' is made from, there are {held.ntensors}"
        )
    original = held._originals()[0]
    if leave_parametrized:
        with no_grad():
            value = getattr(module, tensor_name).detach()
        if held.is_tensor and value.dtype == original.dtype:
            original._array = value._array
        else:
            wanted = original.requires_grad
            original = Parameter(value, requires_grad=wanted) if trained else value
    del module.parametrizations[tensor_name]  # type: ignore[attr-defined]
    _set_class(module)
    if trained:
        module.register_parameter(tensor_name, original)
    else:
        module.register_buffer(tensor_name, original)
    return module
