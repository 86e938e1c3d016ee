"""What a compiled function is given and gives back: trees of tensors and plain values."""

from __future__ import annotations

import weakref
from typing import Any

from minigrad import mutation
from minigrad.backend import Backend, is_array, ndarray
from minigrad.compiler.guards import PLAIN
from minigrad.graph import Leaf, Traced, wrap
from minigrad.tensor import Tensor


class Unknown(Exception):
    """An argument or a result that cannot be taken apart; its text says which."""


def signature(value: Any, arrays: list[Any], given: list[Any], objects: list[Any]) -> Any:
    """What a plan depends on of an argument.

    Tensors' arrays are added to `arrays`, the tensors to `given`, and what is known by its identity
    and must be watched to `objects`.
    """
    kind = value.__class__
    if kind is Tensor and value._node is None:
        array = value._array
        base = value._base
        if base is not None and base._node is not None:
            raise Unknown("an argument is a view of a tensor that requires a gradient")
        arrays.append(array)
        given.append(value)
        if array.__class__ is not ndarray:
            place = Backend.by_type[array.__class__].device_of(array)
            return (place, array.dtype, array.shape, array.strides)
        return (array.dtype, array.shape, array.strides, array.flags.writeable)
    if isinstance(value, Traced):
        if value._node is not None and type(value._node) is not Leaf:
            raise Unknown("an argument was computed outside of the call and requires a gradient")
        return (kind, id(value))
    if kind is float:
        return (kind, value) if value and value == value else (kind, str(value))
    if kind in (int, str, bool, type(None), bytes, complex):
        return (kind, value)
    if kind is tuple or kind is list:
        return (kind, *[signature(item, arrays, given, objects) for item in value])
    if kind is dict:
        return (
            kind,
            *[
                (signature(k, [], [], objects), signature(v, arrays, given, objects))
                for k, v in value.items()
            ],
        )
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return (kind, *[signature(item, arrays, given, objects) for item in value])
    if isinstance(value, PLAIN) and not isinstance(value, (slice, frozenset)):
        return (kind, value)
    if is_array(value):
        raise Unknown("an argument is a raw array; make a tensor of it first")
    objects.append(value)
    return (kind, id(value))


def leaves(value: Any) -> list[Any]:
    """The tensors of an argument that a plan uses as they are: leaves and parameters."""
    if isinstance(value, Traced):
        return [] if value.__class__ is Tensor and value._node is None else [value]
    if type(value) is dict:
        return leaves(list(value.values()))
    if isinstance(value, tuple) or type(value) is list:
        return [leaf for item in value for leaf in leaves(item)]
    return []


def renewed(value: Any, made: list[Any], known: dict[int, Any]) -> Any:
    """The argument with a new Tensor, on a new view, for each: told apart from captured ones."""
    kind = type(value)
    if kind is Tensor and value._node is None:
        if id(value) not in known:
            known[id(value)] = wrap(value, value._array[...])
        made.append(known[id(value)])
        return made[-1]
    if kind is tuple or kind is list:
        return kind(renewed(item, made, known) for item in value)
    if kind is dict:
        return {key: renewed(item, made, known) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind(*(renewed(item, made, known) for item in value))
    return value


def handed_over(made: list[Any], given: list[Any]) -> None:
    """Let the caller's own tensors have what was done to those made for the recording."""
    for new, old in zip(made, given, strict=True):
        if new._node is not None:
            old._node = new._node
            if type(new._node) is Leaf:
                new._node.tensor = weakref.ref(old)
        if new.grad is not None:
            old.grad = new.grad


def restored(value: Any, made: list[Any], given: list[Any]) -> Any:
    """A result with the caller's own tensors in place of those made for the recording."""
    if isinstance(value, Traced):
        for new, old in zip(made, given, strict=True):
            if value is new:
                return old
        return value
    if type(value) in (tuple, list):
        return type(value)(restored(item, made, given) for item in value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(restored(item, made, given) for item in value))
    if type(value) is dict:
        return {key: restored(item, made, given) for key, item in value.items()}
    return value


class Outputs:
    """The results of a recorded call, by the slots of their arrays."""

    def __init__(self, value: Any, recorder: Any, made: list[Any]) -> None:
        self.recorder = recorder
        self.made = made
        self.seen: dict[int, Any] = {}
        self.tree = self._describe(value)

    def _describe(self, value: Any) -> Any:
        if isinstance(value, Traced):
            return self._describe_tensor(value)
        named = isinstance(value, tuple) and hasattr(value, "_fields")
        if named or type(value) in (tuple, list):
            return (type(value), [self._describe(item) for item in value])
        if type(value) is dict and all(type(key) is str for key in value):
            return (dict, {key: self._describe(item) for key, item in value.items()})
        if isinstance(value, PLAIN):
            return ("constant", value)
        raise Unknown(f"the result is a {type(value).__name__}")

    def _describe_tensor(self, tensor: Any) -> Any:
        if id(tensor) not in self.seen:
            self.seen[id(tensor)] = (self._describe_new(tensor), len(self.seen))
        described, number = self.seen[id(tensor)]
        return (*described, number) if described[0] in ("tensor", "freed") else described

    def _describe_new(self, tensor: Any) -> Any:
        for position, made in enumerate(self.made):
            if tensor is made:
                return ("given", position)
        if any(tensor is held for held, _, _ in self.recorder.before):
            return ("constant", tensor)
        if id(mutation.owner(tensor._array)) in self.recorder.constants:
            raise Unknown("the result is a constant")
        if type(tensor) is not Tensor:
            raise Unknown(f"the result is a new {type(tensor).__name__}")
        node = tensor._node
        slot = self.recorder.resolve(tensor)
        if self.recorder.problem is not None:
            raise Unknown(self.recorder.problem)
        if node is None:
            return ("tensor", slot)
        if node.edges is None:
            return ("freed", slot, node.op)
        raise Unknown(
            "the result still requires a gradient; take the whole step into the function, or "
            "call it under no_grad()"
        )

    def slots(self) -> list[Any]:
        """The slots that the results need."""
        found: list[Any] = []

        def collect(tree: Any) -> None:
            if tree[0] in ("tensor", "freed"):
                found.append(tree[1])
            elif tree[0] is dict:
                for item in tree[1].values():
                    collect(item)
            elif isinstance(tree[0], type):
                for item in tree[1]:
                    collect(item)

        collect(self.tree)
        return found

    def text(self, text: Any, constant: Any) -> str:
        """The source that makes the results; a tensor that comes twice is made once."""
        bound: set[str] = set()

        def build(tree: Any) -> str:
            kind = tree[0]
            if kind in ("tensor", "freed"):
                name = f"t{tree[-1]}"
                if name in bound:
                    return name
                bound.add(name)
                if kind == "tensor":
                    return f"({name} := wrap(Traced, {text(tree[1])}))"
                return f"({name} := freed({text(tree[1])}, Traced, {constant(tree[2])}))"
            if kind == "given":
                return f"given[{tree[1]}]"
            if kind == "constant":
                return str(constant(tree[1]))
            if kind is dict:
                return "{" + ", ".join(f"{k!r}: {build(v)}" for k, v in tree[1].items()) + "}"
            items = "".join(build(item) + ", " for item in tree[1])
            if kind is list:
                return f"[{items}]"
            return f"({items})" if kind is tuple else f"{constant(kind)}({items})"

        return build(self.tree)
