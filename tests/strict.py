"""A stand-in for CuPy that needs no GPU: arrays that refuse what CuPy's refuse.

`StrictArray` holds a NumPy array and never becomes one by itself. Its module has the functions
that CuPy has, with CuPy's parameters (tests/cupy_names.txt, from CuPy 13.6), takes and returns
strict arrays alone, gives 0-d arrays where NumPy gives scalars, has no `ufunc.at`, and wraps
positions that are out of bounds as CuPy does. It is the device "strict" inside `strict_device()`.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy

from minigrad.backend import Backend, cpu, device, register

NUMBERS = (bool, int, float, complex, numpy.generic)
NAMES: dict[str, str | None] = {}
for _line in Path(__file__).with_name("cupy_names.txt").read_text("utf-8").split("\n"):
    _name, _, _parameters = _line.partition("(")
    NAMES[_name] = _parameters.rstrip(")") or None

LINALG = {
    "cholesky", "det", "eigh", "eigvalsh", "inv", "lstsq", "matrix_power", "matrix_rank", "norm",
    "pinv", "qr", "slogdet", "solve", "svd", "tensorinv", "tensorsolve",
}  # fmt: skip
UFUNC_PARAMETERS = {"out", "dtype", "casting"}
OF_SEQUENCES = {
    "concatenate", "stack", "vstack", "hstack", "dstack", "column_stack", "array", "asarray",
    "einsum", "ravel_multi_index", "select", "choose", "block",
}  # fmt: skip
FROM_HOST = {"array", "asarray", "asanyarray"}
"""What copies NumPy arrays to the device when asked to."""
TAKES_NUMBERS = {"arange", "zeros", "ones", "empty", "eye", "tri", "identity", "linspace"}
PLAIN_RESULTS = {
    "can_cast", "iscomplexobj", "isrealobj", "isscalar", "issubdtype", "may_share_memory", "ndim",
    "promote_types", "result_type", "shape", "shares_memory", "size",
}  # fmt: skip
METHODS = {
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "astype", "choose", "clip",
    "compress", "conj", "conjugate", "copy", "cumprod", "cumsum", "diagonal", "dot", "fill",
    "flatten", "max", "mean", "min", "nonzero", "partition", "prod", "put", "ravel", "repeat",
    "reshape", "round", "sort", "squeeze", "std", "sum", "swapaxes", "take", "trace", "transpose",
    "var", "view",
}  # fmt: skip
CHANGING = {"fill", "partition", "put", "sort"}
"""Methods that change the array."""
SILENT = functools.partial(numpy.errstate, all="ignore")
"""A GPU gives infinities and NaN without a warning."""
FORBIDDEN_KEYWORDS = {"where", "initial", "stable", "mode"}


class Capturing:
    """The tape of what is captured as a graph, if anything is; see tests/graphs.py."""

    tape: Any = None


def performed(
    compute: Callable[[], Any], sources: tuple[Any, ...], targets: tuple[Any, ...] = ()
) -> Any:
    """What NumPy computes, as a strict array; `targets` are the NumPy arrays that it changes."""
    tape = Capturing.tape
    if tape is not None:
        tape.keep(targets)
    with SILENT():
        result = compute()
    if result is NotImplemented:
        return result
    made = wrapped(result, sources)
    if tape is not None:
        tape.note(compute, made)
    return made


def waits() -> None:
    """The host waits for the device, which a capture does not let it."""
    if Capturing.tape is not None:
        raise RuntimeError("operation not permitted when stream is capturing")


class Flags:
    """What CuPy's flags tell: nothing of writing, since its arrays can all be written."""

    def __init__(self, flags: Any) -> None:
        self.c_contiguous = flags.c_contiguous
        self.f_contiguous = flags.f_contiguous
        self.owndata = flags.owndata


class StrictArray:
    """An array that behaves as CuPy's on the host."""

    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, held: Any, base: StrictArray | None = None) -> None:
        if held.dtype.kind not in "biufc":
            raise TypeError(f"Unsupported dtype {held.dtype}")
        self._held = held
        self.base = base

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed; use to_numpy() or .numpy()"
        )

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            return Method(self, name)
        raise AttributeError(f"CuPy's arrays have no '{name}'")

    shape = property(lambda self: self._held.shape)
    dtype = property(lambda self: self._held.dtype)
    ndim = property(lambda self: self._held.ndim)
    size = property(lambda self: self._held.size)
    itemsize = property(lambda self: self._held.itemsize)
    nbytes = property(lambda self: self._held.nbytes)
    strides = property(lambda self: self._held.strides)
    flags = property(lambda self: Flags(self._held.flags))
    T = property(lambda self: wrapped(self._held.T, (self,)))
    real = property(lambda self: wrapped(self._held.real, (self,)))
    imag = property(lambda self: wrapped(self._held.imag, (self,)))

    def __bool__(self) -> bool:
        waits()
        return bool(self._held)

    def __int__(self) -> int:
        waits()
        return int(self._held)

    def __index__(self) -> int:
        return self._held.__index__()  # type: ignore[no-any-return]

    def __float__(self) -> float:
        waits()
        return float(self._held)

    def __complex__(self) -> complex:
        return complex(self._held)

    def item(self, *place: Any) -> Any:
        """One element as a Python number."""
        waits()
        return self._held.item(*place)

    def tolist(self) -> Any:
        """The elements as Python numbers."""
        waits()
        return self._held.tolist()

    def get(self) -> Any:
        """A copy on the host."""
        return self._held.copy()

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[StrictArray]:
        return (self[place] for place in range(len(self)))

    def __repr__(self) -> str:
        return f"strict {self._held!r}"

    def __getitem__(self, index: Any) -> StrictArray:

        def compute() -> Any:
            plain = self._index(index)
            if not any(part is Ellipsis for part in plain):
                # A single element is an array without dimensions, a view.
                plain = (*plain, Ellipsis)
            return self._held[plain]

        return performed(compute, (self,))  # type: ignore[no-any-return]

    def __setitem__(self, index: Any, value: Any) -> None:
        values = operand(value)

        def write() -> Any:
            self._held[self._index(index)] = values
            return self._held

        performed(write, (self,), (self._held,))

    def _index(self, index: Any) -> Any:
        """An index of raw things; integer arrays wrap around, as on a GPU."""
        if not isinstance(index, tuple):
            return self._index((index,))
        taken = [1 if not isinstance(i, StrictArray) or i.dtype.kind != "b" else i.ndim
                 for i in index if i is not None and i is not Ellipsis]  # fmt: skip
        dim, found = 0, []
        for item in index:
            if isinstance(item, (list, numpy.ndarray)):
                raise TypeError(f"Unsupported type {type(item)} in an index")
            if item is Ellipsis:
                dim += self.ndim - sum(taken)
            elif isinstance(item, StrictArray) and item.dtype.kind != "b":
                size = self.shape[dim] if dim < self.ndim else 1
                held = item._held
                item = held % size if size and held.dtype.kind in "iu" else held
                dim += 1
            elif isinstance(item, StrictArray):
                dim += item.ndim
                item = item._held
            elif item is not None:
                dim += 1
            found.append(item)
        return tuple(found)


def operand(value: Any) -> Any:
    """The raw form of what an operator takes; raises TypeError for what CuPy refuses."""
    if isinstance(value, StrictArray):
        return value._held
    if isinstance(value, NUMBERS):
        return value
    raise TypeError(f"Unsupported type {type(value)}")


def wrapped(result: Any, sources: tuple[Any, ...]) -> Any:
    """A NumPy result as a strict one; a view knows the array that owns its memory."""
    if isinstance(result, (tuple, list)):
        parts = [wrapped(part, sources) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    if isinstance(result, numpy.generic):
        return StrictArray(numpy.asarray(result))
    if not isinstance(result, numpy.ndarray):
        return result
    for source in sources:
        if result is source._held:
            return source
        owner = source if source.base is None else source.base
        if result.base is not None and (
            result.base is owner._held or result.base is source._held
            or result.base is owner._held.base
        ):  # fmt: skip
            return StrictArray(result, owner)
    return StrictArray(result)


class Method:
    """A method of a strict array, called as CuPy's."""

    def __init__(self, array: StrictArray, name: str) -> None:
        self.array, self.name = array, name

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        refuse_keywords(self.name, keywords)
        if self.name == "repeat" and isinstance(arguments[0], StrictArray):
            raise TypeError("repeat() takes an int or a sequence of ints, no array")
        sources: list[Any] = [self.array]
        plain = [unwrapped(a, sources, self.name in OF_SEQUENCES) for a in arguments]
        named = {n: unwrapped(a, sources, False) for n, a in keywords.items()}
        held = self.array._held

        def compute() -> Any:
            result = getattr(held, self.name)(*plain, **named)
            if self.name == "diagonal":
                # A view that NumPy forbids to write to and CuPy does not.
                result.flags.writeable = held.flags.writeable
            return result

        changed = (held,) if self.name in CHANGING else ()
        return performed(compute, tuple(sources), changed)


def refuse_keywords(name: str, keywords: dict[str, Any]) -> None:
    for keyword in FORBIDDEN_KEYWORDS & set(keywords):
        raise TypeError(f"{name}() got an unexpected keyword argument '{keyword}'")


def unwrapped(value: Any, sources: list[Any], sequences: bool) -> Any:
    """An argument with its strict arrays as NumPy's, which are noted in `sources`."""
    if isinstance(value, StrictArray):
        sources.append(value)
        return value._held
    if isinstance(value, numpy.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, (tuple, list)):
        if not sequences and any(isinstance(part, StrictArray) for part in value):
            raise TypeError(f"Unsupported type {type(value)} of arrays")
        return type(value)(unwrapped(part, sources, sequences) for part in value)
    return value


class Function:
    """A function of the strict module: NumPy's, with CuPy's parameters."""

    def __init__(self, name: str, function: Callable[..., Any], parameters: str | None) -> None:
        self.name, self.function, self.is_ufunc = name, function, parameters == "ufunc"
        self.known: set[str] | None = None
        if self.is_ufunc:
            self.known = UFUNC_PARAMETERS
        elif parameters is not None and "*" not in parameters:
            self.known = set(parameters.split(", "))

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        unknown = set(keywords) - self.known if self.known is not None else set()
        if unknown:
            raise TypeError(f"CuPy's {self.name}() takes no argument {sorted(unknown)}")
        if self.name == "lexsort" and not isinstance(arguments[0], StrictArray):
            raise TypeError("CuPy's lexsort() takes one array of keys")
        if self.name in TAKES_NUMBERS and any(isinstance(a, StrictArray) for a in arguments):
            raise TypeError(f"CuPy's {self.name}() takes numbers, no arrays")
        if self.is_ufunc:
            for argument in arguments:
                operand(argument)
        sources: list[Any] = []
        sequences = self.name in OF_SEQUENCES
        if self.name in FROM_HOST and isinstance(arguments[0], numpy.ndarray):
            arguments = (StrictArray(arguments[0].copy()), *arguments[1:])
        plain = [unwrapped(argument, sources, sequences) for argument in arguments]
        named = {n: unwrapped(argument, sources, False) for n, argument in keywords.items()}
        if self.name in PLAIN_RESULTS:
            return self.function(*plain, **named)
        changed = (named["out"],) if named.get("out") is not None else ()
        return performed(lambda: self.function(*plain, **named), tuple(sources), changed)


class Module:
    """A namespace of functions; what CuPy lacks is not there."""

    def __init__(self, module: Any, names: dict[str, str | None], parts: dict[str, Any]) -> None:
        self.__name__ = "strict"
        self._module, self._names = module, names
        self.__dict__.update(parts)

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise AttributeError(f"CuPy has no '{name}'")
        value = getattr(self._module, name)
        if not isinstance(value, type) and callable(value):
            value = Function(name, value, self._names[name])
        self.__dict__[name] = value
        return value


_tricks = Module(numpy.lib.stride_tricks, dict.fromkeys(("as_strided", "sliding_window_view")), {})
strict = Module(numpy, NAMES, {
    "ndarray": StrictArray,
    "linalg": Module(
        numpy.linalg, dict.fromkeys(LINALG), {"LinAlgError": numpy.linalg.LinAlgError}
    ),
    "fft": Module(numpy.fft, dict.fromkeys(("fftn", "ifftn", "irfft", "rfft")), {}),
    "lib": Module(None, {}, {"stride_tricks": _tricks}),
})  # fmt: skip


def _binary(name: str) -> Callable[..., Any]:
    def operator(self: StrictArray, other: Any) -> Any:
        if not isinstance(other, (StrictArray, numpy.ndarray, *NUMBERS)):
            return NotImplemented
        sources = (self, other) if isinstance(other, StrictArray) else (self,)
        value = operand(other)
        return performed(lambda: getattr(self._held, name)(value), sources)

    return operator


def _in_place(name: str) -> Callable[..., Any]:
    def operator(self: StrictArray, other: Any) -> Any:
        value = operand(other)
        performed(lambda: getattr(self._held, name)(value), (self,), (self._held,))
        return self

    return operator


def _unary(name: str) -> Callable[..., Any]:
    return lambda self: performed(lambda: getattr(self._held, name)(), (self,))


for _word in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or",
              "xor", "lshift", "rshift", "divmod"):  # fmt: skip
    setattr(StrictArray, f"__{_word}__", _binary(f"__{_word}__"))
    setattr(StrictArray, f"__r{_word}__", _binary(f"__r{_word}__"))
    if _word not in ("divmod", "matmul"):
        setattr(StrictArray, f"__i{_word}__", _in_place(f"__i{_word}__"))
for _word in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(StrictArray, f"__{_word}__", _binary(f"__{_word}__"))
for _word in ("neg", "pos", "abs", "invert"):
    setattr(StrictArray, f"__{_word}__", _unary(f"__{_word}__"))


class StrictBackend(Backend):
    """The backend of strict arrays."""

    name = "strict"
    xp = strict
    array_type = StrictArray

    def device_of(self, array: Any) -> device:
        return device("strict")

    def from_numpy(self, array: Any, place: device) -> Any:
        waits()
        return StrictArray(array.copy(order="K"))

    def to_numpy(self, array: Any) -> Any:
        waits()
        return array._held.copy()

    def address(self, array: Any) -> int:
        return int(array._held.__array_interface__["data"][0])

    def as_strided(
        self, array: Any, size: tuple[int, ...], stride: tuple[int, ...], start: int
    ) -> Any:
        seen = cpu.as_strided(array._held, size, stride, start)
        return StrictArray(seen, array if array.base is None else array.base)

    def scatter_add(self, array: Any, index: Any, values: Any) -> None:
        added = operand(values)

        def add() -> Any:
            numpy.add.at(array._held, array._index(index), added)
            return array._held

        performed(add, (array,), (array._held,))


@contextlib.contextmanager
def strict_device(backend: Backend | None = None) -> Iterator[str]:
    """The device "strict", known for as long as this lasts."""
    register(StrictBackend() if backend is None else backend)
    try:
        yield "strict"
    finally:
        del Backend.by_name["strict"], Backend.by_type[StrictArray], Backend.loaders["strict"]
