"""`minigrad.compile`: a function recorded once for each kind of call, and replayed after that.

The first call of a signature runs as always while a `Recorder` notes what is done to which array;
a `Plan` then does the same again without a Tensor or Node. Nothing is taken on trust: what cannot
be accounted for makes the signature run eagerly, with one warning that names the reason.
"""

from __future__ import annotations

import functools
import gc
import inspect
import sys
import threading
import warnings
from collections import OrderedDict
from types import BuiltinFunctionType
from typing import Any

from minigrad import dtypes
from minigrad.backend import ndarray
from minigrad.compiler.entry import OTHER, entry
from minigrad.compiler.guards import Watch
from minigrad.compiler.outputs import (
    Outputs,
    Unknown,
    handed_over,
    leaves,
    renewed,
    restored,
    signature,
)
from minigrad.compiler.plan import Plan
from minigrad.compiler.record import Recorder
from minigrad.compiler.special import Departed
from minigrad.compiler.undo import Undo
from minigrad.graph import is_recording
from minigrad.nn.module import Module
from minigrad.tensor import Tensor

__all__ = ["Compiled", "compile"]

_FIELDS = frozenset(
    {
        "function", "_limit", "_plans", "_refused", "_lock", "_recordings", "_dropped", "_tries",
        "_reached", "_given_up", "_enter",
    }
)  # fmt: skip

LIMIT = 16
"""Plans held for one function; beyond, the least recently used is dropped."""

SETTLING = 1
"""Calls of a signature that may change Python's state, and be recorded again."""

PATIENCE = 64
"""Recordings after which a function that replays less than it records runs eagerly."""


class Compiled:
    """A function or module whose calls are replayed; attributes are those of what it was made of.

    `function` is the original. `explain()` prints what was recorded and what was not, and why.
    """

    def __init__(self, function: Any, limit: int) -> None:
        self.function = function
        self._limit = limit
        self._plans: OrderedDict[Any, list[Plan]] = OrderedDict()
        self._refused: OrderedDict[Any, str] = OrderedDict()
        self._lock = threading.RLock()
        self._recordings = 0
        self._dropped = 0
        self._tries: dict[Any, int] = {}
        self._reached: set[int] = set()
        self._given_up: str | None = None
        self._enter: Any = None
        if not isinstance(function, Module):
            functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if type(sys.getprofile()) is Recorder:
            return self.function(*args, **kwargs)
        enter = self._enter
        if enter is not None and not kwargs:
            try:
                result = enter(args)
            except Departed:
                self._enter = None
            else:
                if result is not OTHER:
                    return result
        return self._look_up(args, kwargs)

    def _look_up(self, args: Any, kwargs: Any) -> Any:
        if self._given_up is not None:
            return self.function(*args, **kwargs)
        arrays: list[Any] = []
        given: list[Any] = []
        objects: list[Any] = []
        try:
            parts: list[Any] = [is_recording(), dtypes.get_default_dtype()]
            for value in args:
                if value.__class__ is Tensor and value._node is None:
                    array, base = value._array, value._base
                    if array.__class__ is ndarray and (base is None or base._node is None):
                        # What `signature` gives, without the call.
                        arrays.append(array)
                        given.append(value)
                        parts += array.dtype, array.shape, array.strides, array.flags.writeable
                        continue
                parts.append(signature(value, arrays, given, objects))
            key: Any = tuple(parts)
            if kwargs:
                key = (key, signature(kwargs, arrays, given, objects))
        except Unknown as reason:
            return self._refuse(str(reason), str(reason), args, kwargs)
        numbers = {*map(id, given)}
        if len(numbers) < len(given):
            places = [*map(id, given)]
            key = (key, *map(places.index, places))
        if not self._reached.isdisjoint(numbers):
            # An argument is also a tensor that the function has in another way.
            return self.function(*args, **kwargs)
        for plan in self._plans.get(key, ()):
            if plan.fits() and (plan.asks is None or plan.asks(*arrays)):
                if not kwargs:
                    if plan.fits.entry is None:
                        plan.fits.entry = entry(plan, args, key[:2], self._reached)
                    self._enter = plan.fits.entry
                try:
                    return plan.replay(arrays, given)
                except Departed:
                    continue
        if key in self._refused:
            return self.function(*args, **kwargs)
        return self._record(key, args, kwargs, given, objects)

    @property
    def _replays(self) -> int:
        kept = (plan.replays for plans in self._plans.values() for plan in plans)
        return self._dropped + sum(kept)

    def _record(self, key: Any, args: Any, kwargs: Any, given: Any, objects: Any) -> Any:
        with self._lock:
            if self._recordings >= PATIENCE and self._replays < self._recordings:
                self._enter = None
                self._given_up = (
                    f"it was recorded {self._recordings} times and replayed {self._replays} times: "
                    f"its shapes, arguments or state change with nearly every call"
                )
                self._say(self._given_up, 5)
                return self.function(*args, **kwargs)
            self._recordings += 1
            watch = Watch(self.function, objects)
            if not {id(t) for t in watch.tensors}.isdisjoint(map(id, given)):
                return self.function(*args, **kwargs)
            recorder = Recorder(watch)
            made: list[Any] = []
            known: dict[int, Any] = {}
            args, kwargs = renewed(args, made, known), renewed(kwargs, made, known)
            recorder.take(made, leaves([args, kwargs]))
            before, collects = sys.getprofile(), gc.isenabled()
            # A collection would run callbacks and finalizers, which are no work of the function.
            gc.disable()
            sys.setprofile(recorder)
            try:
                result = self.function(*args, **kwargs)
            except BaseException:
                sys.setprofile(before)
                if recorder.problem is None:
                    recorder.undo()
                raise
            finally:
                sys.setprofile(before)
                if collects:
                    gc.enable()
            recorder.close()
            handed_over(made, given)
            outputs = None
            if recorder.problem is None:
                try:
                    outputs = Outputs(result, recorder, made)
                except Unknown as reason:
                    recorder.refuse(str(reason))
            if outputs is None or recorder.problem is not None:
                tries = self._tries.get(key, 0)
                if recorder.unsettled and tries < SETTLING:
                    # A first call may set what later ones find: caches, modes.
                    self._tries[key] = tries + 1
                else:
                    self._note(key, str(recorder.problem))
            else:
                plan = Plan(recorder, outputs)
                plan.undo = Undo(recorder)
                self._reached |= {id(tensor) for tensor in watch.tensors}
                self._plans.setdefault(key, []).insert(0, plan)
                self._plans.move_to_end(key)
                while sum(map(len, self._plans.values())) > self._limit:
                    oldest = next(iter(self._plans))
                    self._dropped += self._plans[oldest].pop().replays
                    self._enter = None
                    if not self._plans[oldest]:
                        del self._plans[oldest]
                    held = [p.watch.tensors for plans in self._plans.values() for p in plans]
                    self._reached &= {id(tensor) for tensors in held for tensor in tensors}
            return restored(result, made, given)

    # Falling back.

    def _refuse(self, key: Any, reason: str, args: Any, kwargs: Any) -> Any:
        with self._lock:
            self._note(key, reason)
        return self.function(*args, **kwargs)

    def _note(self, key: Any, reason: str) -> None:
        if key not in self._refused:
            if reason not in self._refused.values():
                self._say(reason)
            self._refused[key] = reason
            if len(self._refused) > 16 * self._limit:
                self._refused.popitem(last=False)

    def _say(self, reason: str, depth: int = 6) -> None:
        name = getattr(self.function, "__qualname__", type(self.function).__name__)
        warnings.warn(
            f"minigrad.compile: {name} runs eagerly: {reason}", UserWarning, stacklevel=depth
        )

    # Telling.

    def explain(self) -> str:
        """Print, and return, the plans: operations, bytes, replays; and what fell back and why."""
        name = getattr(self.function, "__qualname__", type(self.function).__name__)
        lines = [f"compiled {name}: {self._recordings} recordings, {self._replays} replays"]
        for plans in self._plans.values():
            lines += [plan.summary() for plan in plans]
        lines += [f"eager: {reason}" for reason in dict.fromkeys(self._refused.values())]
        if self._given_up is not None:
            lines.append(f"eager: {self._given_up}")
        text = "\n".join(lines)
        sys.stdout.write(text + "\n")
        return text

    def __getattr__(self, name: str) -> Any:
        if name == "function":
            raise AttributeError(name)
        return getattr(self.function, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIELDS or not isinstance(self.function, Module):
            object.__setattr__(self, name, value)
        else:
            setattr(self.function, name, value)

    def __getitem__(self, index: Any) -> Any:
        return self.function[index]

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """A compiled module is a Module: models find it, and its parameters, inside them."""
        return type(self.function) if isinstance(self.function, Module) else Compiled

    def __reduce__(self) -> Any:
        # Plans hold live objects; a copy records its own.
        return Compiled, (self.function, self._limit)

    def __get__(self, instance: Any, kind: Any = None) -> Any:
        if instance is None:
            return self
        return functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"compiled({self.function!r})"


def compile(function: Any = None, *, limit: int = LIMIT) -> Any:
    """A function, module or whole training step that is recorded once and then replayed.

    The first call of each signature (shapes, dtypes, layouts and plain arguments, grad mode)
    records what is done to which array, the backward pass and the optimizer's step included; later
    ones repeat that without making Tensors or nodes. Modules' modes, and the variables, attributes
    and containers that the code can reach, are watched; parameters, captured tensors, optimizers
    and generators are read live. Results are equal bit for bit. `limit` plans are kept.

    Whatever cannot be replayed runs eagerly, with one warning that says why: values that are
    looked at (`item()`, `bool(x)`, `numpy()`), Python state that is changed, foreign calls, hooks,
    results that still require a gradient, derivatives of derivatives.
    Python code in the function runs only while recording.

    >>> import minigrad
    >>> double = compile(lambda x: x * 2)
    >>> double(minigrad.tensor([1.0])), double(minigrad.tensor([2.0]))
    (tensor([2.]), tensor([4.]))
    """
    if function is None:
        return lambda later: compile(later, limit=limit)
    if not callable(function):
        raise TypeError(
            f"compile(): argument 'function' must be a function or a module, not "
            f"{type(function).__name__}"
        )
    if isinstance(function, type):
        raise TypeError(
            f"compile(): argument 'function' is the class {function.__name__}; compile an "
            f"instance, compile({function.__name__}(...)), or decorate its method"
        )
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is not None and code.co_flags & _STEPWISE:
        raise TypeError(
            f"compile(): {code.co_name}() is a generator or a coroutine, which stops between its "
            f"steps; compile the function that does the work of one step"
        )
    if isinstance(function, BuiltinFunctionType):
        raise TypeError(
            f"compile(): {function.__name__}() is built in; compile a Python function that calls it"
        )
    return Compiled(function, limit)


_STEPWISE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
