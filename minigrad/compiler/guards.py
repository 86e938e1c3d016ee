"""What a plan took for granted about Python's state: closures, globals, modules, containers.

A recording follows one path through the Python code. `Watch` walks from the function over all that
its code can name and remembers what it found; `changed()` says what is no longer the same, so
that another path might be taken. What cannot be watched is named in `problem`.
"""

from __future__ import annotations

import dis
import functools
import math
import re
import sys
import sysconfig
import threading
import types
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any, ClassVar

from numpy import dtype

from minigrad.backend import device, generic, ndarray
from minigrad.compiler.audit import is_generator, ours
from minigrad.graph import Traced
from minigrad.nn.module import Module
from minigrad.optim.lr_scheduler.schedule import LRScheduler
from minigrad.optim.optimizer import Optimizer

PLAIN = (
    int, float, complex, str, bytes, bool, types.NoneType, type(Ellipsis), slice, range,
    frozenset, device, dtype, generic,
)  # fmt: skip
ATTRIBUTES = {"__dict__", "getattr", "vars", "setattr", "hasattr", "locals", "globals"}
MOST = 5_000
# Trainers hand what their steps read of them to the compiled function as arguments.
_TRAINERS = ("minigrad.training.trainer", "minigrad.keras.models.trainer")
# Objects of Keras that only hold what they were made with.
_SETTLED = ("minigrad.keras.losses", "minigrad.keras.regularizers", "minigrad.keras.constraints")
WATCHED = 1 << 12
"""Bytes of the largest NumPy array whose elements are compared at each call."""


def same(left: Any, right: Any) -> bool:
    """Whether two plain values are equal in type and value, NaN to itself; others by identity."""
    if left is right:
        return True
    if type(left) is not type(right) or not isinstance(left, PLAIN):
        return False
    if isinstance(left, float):
        return (left == right and math.copysign(1, left) == math.copysign(1, right)) or (
            left != left and right != right
        )
    if isinstance(left, (complex, generic)):
        return False
    return bool(left == right)


class Watch:
    """The state that a function's code, and objects, can reach, as it was when this was made."""

    ABSENT: ClassVar[Any] = object()

    def __init__(self, function: Any, objects: Iterable[Any] = (), apart: bool = False) -> None:
        self.apart = apart
        self.problem: str | None = None
        self.codes: set[types.CodeType] = set()
        self.names: set[str] = set()
        self.tensors: list[Any] = []
        self.mappings: list[tuple[Any, list[Any]]] = []
        self.sequences: list[tuple[Any, list[Any]]] = []
        self.places: list[tuple[dict[str, Any], str, Any]] = []
        self.cells: list[tuple[Any, Any]] = []
        self._seen: dict[int, Any] = {}
        self._deferred: list[Any] = []
        self._named: dict[int, set[str]] = {}
        self.functions: list[tuple[Any, Any, Any]] = []
        self.arrays: list[tuple[Any, Any]] = []
        self.keys: list[tuple[Any, list[Any]]] = []
        self.objects = tuple(objects)
        self._modules: set[tuple[int, int]] = set()
        self._waiting: list[Any] = [function, *self.objects]
        while self._waiting and self.problem is None:
            self._visit(self._waiting.pop())
            if not self._waiting:
                self._visit_deferred()
        self._seen = {}

    # Comparing.

    def changed(self) -> str | None:
        """What is no longer as it was; None if everything is."""
        for values, key, expected in self.places:
            if not same(values.get(key, _ABSENT), expected):
                return f"'{key}'"
        for cell, expected in self.cells:
            if not same(_contents(cell), expected):
                return "a variable of an enclosing function"
        for attributes, names in self.keys:
            if [*attributes] != names:
                return f"the attributes {names}"
        for function, code, defaults in self.functions:
            if function.__code__ is not code or function.__defaults__ is not defaults:
                return f"the code or the defaults of {function.__qualname__}()"
        for array, held in self.arrays:
            alike = array.dtype is held.dtype and array.shape == held.shape
            if not alike or array.tobytes() != held.tobytes():
                return "the elements of a NumPy array"
        for mapping, held in self.mappings:
            now = [*mapping, *mapping.values()]
            if len(now) != len(held):
                return f"the entries {sorted(map(str, mapping))}"
            for position, (value, expected) in enumerate(zip(now, held, strict=True)):
                if not same(value, expected):
                    return f"'{now[position % len(mapping)]}'"
        for sequence, held in self.sequences:
            if len(sequence) != len(held) or not all(map(same, sequence, held)):
                return f"a {type(sequence).__name__} of {len(held)}"
        return None

    # Finding.

    def _visit(self, value: Any) -> None:
        if isinstance(value, PLAIN) or id(value) in self._seen:
            return
        if isinstance(value, Traced):
            self.tensors.append(value)
            return
        self._seen[id(value)] = value
        home = str(type(value).__module__)
        if len(self._seen) > MOST:
            self.problem = "it can reach more Python objects than can be watched"
        elif home.startswith("minigrad.compiler"):
            self._waiting.append(value.function)
        elif isinstance(value, (type, types.FunctionType)) and _standard(value) and not self.apart:
            self._visit_apart(value)
        elif isinstance(value, types.FunctionType):
            if (value.__module__ or "").startswith("numpy"):
                return
            if not ours(value.__code__):
                self._visit_function(value)
            elif hasattr(value, "__wrapped__") or value.__closure__:
                self._visit_closure(value)
        elif isinstance(value, types.MethodType):
            self._waiting += [value.__self__, value.__func__]
        elif isinstance(value, functools.partial):
            self._waiting += [value.func, value.args, value.keywords]
        elif isinstance(value, type):
            self._visit_class(value)
        elif isinstance(value, Module):
            self._visit_object(value)
        elif isinstance(value, (Optimizer, LRScheduler)):
            self._deferred.append(value)
        elif home in _TRAINERS:
            return
        elif home.startswith(_SETTLED):
            self._visit_mapping(vars(value))
        elif isinstance(value, dict):
            self._visit_mapping(value)
            if hasattr(value, "__dict__"):
                self._visit_object(value)
        elif isinstance(value, (list, tuple)):
            if not isinstance(value, tuple):
                self.sequences.append((value, list(value)))
            self._waiting += value
            if hasattr(value, "__dict__"):
                self._visit_object(value)
        elif isinstance(value, types.ModuleType):
            if value.__name__ == "numpy.random":
                self.problem = "it can reach numpy.random, whose draws cannot be replayed"
        elif isinstance(value, types.BuiltinFunctionType) or is_generator(value):
            return
        elif isinstance(value, ndarray):
            if value.nbytes > WATCHED or value.dtype.hasobject:
                self.problem = "it can reach a NumPy array, whose changes cannot be watched"
            self.arrays.append((value, value.copy()))
        elif home.startswith("numpy.random"):
            self.problem = f"it can reach a NumPy {type(value).__name__}"
        elif hasattr(type(value), "__next__"):
            self.problem = f"it can reach an iterator ({type(value).__name__})"
        elif isinstance(value, (set, bytearray, threading.local)):
            self.problem = f"it can reach a {type(value).__name__}, which cannot be watched"
        elif home.startswith("minigrad."):
            self._deferred.append(value)
        else:
            self._visit_other(value)

    def _visit_apart(self, value: Any) -> None:
        """Watch what is in the standard library, if it can be; if not, it must not be called."""
        found = Watch(value, apart=True)
        if found.problem is None:
            self.codes |= found.codes
            for kind in ("mappings", "sequences", "places", "cells", "functions", "arrays", "keys"):
                getattr(self, kind).extend(getattr(found, kind))

    def _visit_other(self, value: Any) -> None:
        kind: Any = type(value)
        if isinstance(value, _INERT) or kind is object or _has_methods_only(kind):
            return
        if not hasattr(value, "__dict__") or any("__slots__" in vars(k) for k in kind.__mro__[:-1]):
            self.problem = f"it can reach a {kind.__name__}, whose changes cannot be watched"
        else:
            self._deferred.append(value)
            self._waiting.append(kind)

    def _visit_function(self, function: types.FunctionType) -> None:
        codes = [function.__code__]
        for code in codes:
            codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        self.codes.update(codes)
        names = {name for code in codes for name in code.co_names}
        loaded = {name for code in codes for name in globals_of(code)}
        imported = {name for code in codes for name in imports_of(code)}
        texts = {c for code in codes for c in code.co_consts if isinstance(c, str)}
        self.names |= names | texts
        values = function.__globals__
        for name in sorted(loaded):
            if name in values:
                value = values[name]
                self.places.append((values, name, value))
                self._waiting.append(value)
                if isinstance(value, types.ModuleType):
                    self._visit_module(value, names)
        for name in sorted(imported):
            if name in sys.modules:
                self.places.append((sys.modules, name, sys.modules[name]))
                self._visit_module(sys.modules[name], names)
            else:
                self.problem = f"it imports {name or 'a module'} while it runs"
        self.functions.append((function, function.__code__, function.__defaults__))
        if function.__kwdefaults__:
            self._visit_mapping(function.__kwdefaults__)
        if function.__dict__ or names & ATTRIBUTES:
            self._visit_mapping(function.__dict__)
        self._visit_closure(function, names)
        self._waiting += function.__defaults__ or ()

    def _visit_closure(self, function: types.FunctionType, names: Any = frozenset()) -> None:
        for cell in function.__closure__ or ():
            value = _contents(cell)
            self.cells.append((cell, value))
            self._waiting.append(value)
            if isinstance(value, types.ModuleType):
                self._visit_module(value, names)

    def _visit_module(self, module: types.ModuleType, names: set[str]) -> None:
        if _trusted(module) or (id(module), id(names)) in self._modules:
            return
        self._modules.add((id(module), id(names)))
        if names & ATTRIBUTES and not _installed(module):
            # Any attribute may be asked for by name.
            names = set(vars(module))
        for name in sorted(names & set(vars(module))):
            value = vars(module)[name]
            self.places.append((vars(module), name, value))
            self._waiting.append(value)
            if isinstance(value, types.ModuleType):
                self._visit_module(value, names)

    def _visit_mapping(self, mapping: Any) -> None:
        self.mappings.append((mapping, [*mapping, *mapping.values()]))
        self._waiting += mapping.values()

    def _visit_object(self, value: Any) -> None:
        self._visit_mapping(vars(value))
        self._waiting.append(type(value))

    def _visit_class(self, kind: type) -> None:
        for base in kind.__mro__:
            if base.__module__.split(".")[0] not in _LIBRARIES:
                members = base.__dict__
                self.mappings.append((members, [*members, *members.values()]))
                for name, member in members.items():
                    if isinstance(member, property):
                        self._waiting += [f for f in (member.fget, member.fset) if f]
                    elif isinstance(member, (staticmethod, classmethod)):
                        self._waiting.append(member.__func__)
                    elif "__dataclass_fields__" not in members or not _is_generated(name, member):
                        self._waiting.append(member)

    def _visit_deferred(self) -> None:
        """Of objects that are used live, only the attributes that the code names are watched."""
        for value in self._deferred:
            held = getattr(value, "__dict__", {})
            ours = str(type(value).__module__).startswith("minigrad.")
            if not ours and self.names & ATTRIBUTES and id(value) not in self._named:
                self._visit_mapping(held)
                self._named[id(value)] = set(held)
                continue
            if not ours and id(value) not in self._named:
                # An attribute that is not there may be asked for, or found in the class.
                self.keys.append((held, [*held]))
            wanted = set(held) if self.names & ATTRIBUTES else self.names & set(held)
            for name in sorted(wanted - self._named.setdefault(id(value), set())):
                self._named[id(value)].add(name)
                self.places.append((held, name, held[name]))
                self._waiting.append(held[name])


@functools.cache
def globals_of(code: types.CodeType) -> frozenset[str]:
    """The global variables, and built-in functions, that a function's code names."""
    return frozenset(
        here.argval
        for here in dis.get_instructions(code)
        if here.opname.startswith(("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL"))
    )


@functools.cache
def imports_of(code: types.CodeType) -> frozenset[str]:
    """The modules that a function imports while it runs, by the names that they are loaded by."""
    return frozenset(
        here.argval.split(".")[0]
        for here in dis.get_instructions(code)
        if here.opname == "IMPORT_NAME"
    )


_INERT = (
    re.Pattern, types.WrapperDescriptorType, types.MethodWrapperType, types.MethodDescriptorType,
    types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType,
    types.CodeType, property, staticmethod, classmethod, Fraction, Decimal, PurePath,
)  # fmt: skip
_LIBRARIES = {"minigrad", "builtins", "typing", "collections", "abc", "enum", "numpy"}
_ABSENT = Watch.ABSENT


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _ABSENT


def _is_generated(name: str, member: Any) -> bool:
    """Whether `dataclass` wrote a member of a class; where one is called, the call is refused."""
    file = getattr(getattr(member, "__code__", None), "co_filename", None)
    return name in ("__dataclass_fields__", "__dataclass_params__") or file == "<string>"


def _standard(value: Any) -> bool:
    """Whether a function or class is of the standard library."""
    root = str(value.__module__).partition(".")[0]
    return root in sys.stdlib_module_names and root not in ("builtins", "__main__")


@functools.cache
def _has_methods_only(kind: Any) -> bool:
    """Whether objects of a built-in type, such as locks, tell nothing but by being called."""
    members = {name: value for base in kind.__mro__[:-1] for name, value in vars(base).items()}
    telling = (types.GetSetDescriptorType, types.MemberDescriptorType)
    return not members.keys() & _TELLING and not any(
        isinstance(value, telling) or not callable(value)
        for name, value in members.items()
        if not name.startswith("__")
    )


_TELLING = {
    "__getitem__", "__iter__", "__len__", "__bool__", "__index__", "__int__", "__float__",
    "__add__", "__mul__", "__getattr__", "__call__", "__dict__",
}  # fmt: skip


def _installed(module: types.ModuleType) -> bool:
    """Whether a module comes with Python or from a package, not from the user's own files."""
    place = str(getattr(module, "__file__", None) or "")
    return not place or place.startswith(_PLACES)


_PLACES = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def _trusted(module: types.ModuleType) -> bool:
    """Whether a module's attributes are taken to stay what they are."""
    return module.__name__.split(".")[0] in ("minigrad", "math", "operator", "builtins")
