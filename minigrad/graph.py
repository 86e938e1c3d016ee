"""How work is recorded: nodes, the `primitive` declaration, and the grad modes.

A primitive is declared with its derivative rules:

    @elementwise.wide(input=lambda g, other: g * other, other=lambda g, input: g * input)
    def mul(xp, input, other):
        return input * other

Positional parameters after `xp` are inputs, keyword-only ones are constants. A rule gives the
cotangent of one input from `g`, the cotangent of the output, and from exactly the names it asks
for: inputs, constants, `out`, the input's own `shape`, `dtype` or `needed`. Those, and nothing
else, are kept alive by the node. An input without a rule is not differentiable. One rule named
`joint` may give the cotangents of all inputs at once.

`primitive` writes, from the signature, the source of a function that does no more than this
operation needs (`print(mul.primitive.source)` shows it). Given arrays it returns an array; given
any Tensor it returns a Tensor and, where a gradient may be wanted, records a `Node`. The rules
are written with operators and primitives, so they run on raw arrays in a plain backward, and on
Tensors (recorded in their turn) when a graph of the gradient is wanted.

Cotangents are linear: a complex rule multiplies by the derivative, without conjugating. The ends
of the walk conjugate, which gives torch's convention (see `minigrad.engine`).
"""

from __future__ import annotations

import copy
import types
import weakref
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

import numpy

from minigrad import mutation, specialise
from minigrad.backend import as_array, namespace, ndarray
from minigrad.backend.levels import LEVELS, highest
from minigrad.backend.wide import WIDE, function_of, wide, widened
from minigrad.errors import ArgumentError, DeviceError, DtypeError
from minigrad.mutation import tick

P = ParamSpec("P")
T = TypeVar("T")
Rule = Callable[..., Any]
Edge = tuple[Any, Rule, Sequence[Any], "tuple[int, ...] | None"]

grad_mode: ContextVar[bool] = ContextVar("minigrad_grad_mode", default=True)
is_recording = grad_mode.get
WALKING: Any = 0
"""The grad mode of a walk that is not recorded: off, but not because the user switched it off."""
new = object.__new__


class Traced:
    """What the graph needs of a Tensor: its raw array and the node that made it."""

    _array: Any
    _node: Node | None
    _base: Any = None
    _view: Any = None
    _views: Any = None
    _tensor: ClassVar[type[Any]]


class Node:
    """One recorded operation: an edge to each input that wants a gradient.

    An edge is (parent node, rule, what the rule keeps, shape to sum down to or None). `order`
    falls with every node made, so that a parent's is always greater than its child's.
    """

    __slots__ = ("__weakref__", "edges", "op", "order")

    op: Primitive
    edges: tuple[Edge, ...] | None
    order: float

    def __init__(self, op: Primitive, edges: tuple[Edge, ...] | None, order: float) -> None:
        self.op = op
        self.edges = edges
        self.order = order

    def name(self) -> str:
        """The node's name in torch's manner, such as "MulBackward"."""
        if self.op.name in ("hook", "output") and self.edges:
            return str(self.edges[0][0].name())
        words = self.op.name.strip("_").split("_")
        return "".join(word[:1].upper() + word[1:] for word in words) + "Backward"

    @property
    def next_functions(self) -> tuple[tuple[Node, int], ...]:
        """The nodes that the gradient goes to next, in torch's form."""
        return tuple((edge[0], 0) for edge in self.edges or ())

    def __repr__(self) -> str:
        return f"<{self.name()}>"


class Leaf(Node):
    """The end of a walk: a tensor whose gradient is accumulated. It holds the tensor weakly."""

    __slots__ = ("accumulated", "hooks", "tensor")

    def __init__(self, tensor: Any) -> None:
        super().__init__(_LEAF, (), 0)
        self.tensor = weakref.ref(tensor)
        self.hooks: dict[int, Callable[[Any], Any]] | None = None
        self.accumulated: dict[int, Callable[[Any], Any]] | None = None

    def name(self) -> str:
        return "AccumulateGrad"


class Parts(tuple[Any, ...]):
    """The cotangents of a primitive with several outputs, or inputs; None where there is none."""

    __slots__ = ()

    def __add__(self, other: Any) -> Parts:
        return Parts(b if a is None else a if b is None else a + b for a, b in zip(self, other))


class Primitive:
    """The record of a declaration: names, rules, and what each rule needs."""

    def __init__(self, forward: Any, rules: dict[str, Rule], kind: Declaration) -> None:
        self.forward = forward
        self.kind = kind
        self.name = forward.__name__.strip("_")
        self.doc = forward.__doc__
        code = forward.__code__
        named = code.co_argcount + code.co_kwonlyargcount
        self.inputs = code.co_varnames[1 : code.co_argcount]
        self.constants = code.co_varnames[code.co_argcount : named]
        self.variadic = code.co_varnames[named] if code.co_flags & _TAKES_VARIADIC else None
        self.joint = _own(rules.pop("joint")) if "joint" in rules else None
        self.needs: dict[Rule, tuple[str, ...]] = {}
        self.input_of: dict[Rule, str] = {}
        if self.joint is not None:
            self.needs[self.joint] = _needs(self.joint)
            rules = {name: _pick(position) for position, name in enumerate(self.inputs)}
        self.rules: dict[str, Rule] = {}
        known = {*self.inputs, *self.constants, "out", "shape", "dtype", "needed", self.variadic}
        for name, rule in rules.items():
            if name not in self.inputs and name != self.variadic:
                raise TypeError(f"{self.name}: a rule is given for '{name}', which is no input")
            rule = _own(rule)
            self.rules[name] = rule
            self.input_of[rule] = name
            self.needs[rule] = () if self.joint else _needs(rule)
        for rule, needs in self.needs.items():
            unknown = [n for n in needs if n not in known and n not in ("position", "shapes")]
            if unknown:
                raise TypeError(f"{self.name}: rule {rule} asks for unknown {unknown}")
        # What large arrays are given to instead: one function of NumPy, and rules that are one.
        self.function = function_of(forward, self.inputs) if kind.is_wide else None
        self.large = widened(self.rules) if kind.is_wide else {}
        for name, rule in self.large.items():
            self.input_of[rule] = name
            self.needs[rule] = self.needs[self.rules[name]]

    @property
    def source(self) -> str:
        """The source of the operation's public function, as written for it."""
        return specialise.source(self)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


def _own(rule: Any) -> Rule:
    """A copy of a rule's function, so that each rule is one object that stands for one input."""
    if not isinstance(rule, types.FunctionType):
        return lambda *arguments: rule(*arguments)
    return types.FunctionType(
        rule.__code__, rule.__globals__, rule.__name__, rule.__defaults__, rule.__closure__
    )


def _needs(rule: Any) -> tuple[str, ...]:
    code: types.CodeType = rule.__code__
    return code.co_varnames[1 : code.co_argcount]


def _pick(position: int) -> Rule:
    return lambda g: g[position]


_TAKES_VARIADIC = 0x04
_RESERVED = ("g", "out", "shape", "dtype", "needed", "position", "shapes", "joint")

registry: dict[str, Primitive] = {}
"""Every primitive of the package by name; the tests are generated from it."""


class Declaration:
    """A decorator factory for one kind of primitive.

    `agree` brings differing operands to one dtype before the forward; `broadcasts` says that an
    input may be smaller than the output, so that its cotangent is summed down; `view` that the
    output may share the first input's memory; `outputs` that the forward returns so many arrays.
    """

    def __init__(
        self,
        *,
        agree: Callable[..., tuple[Any, ...]] | None = None,
        broadcasts: bool = False,
        view: bool = False,
        outputs: int = 1,
        floating: Callable[[str, Any], Any] | None = None,
    ) -> None:
        self.agree = agree
        self.broadcasts = broadcasts
        self.view = view
        self.outputs = outputs
        self.floating = floating
        self.is_wide = False

    @property
    def wide(self) -> Declaration:
        """The same, where the forward is one of NumPy's functions: large arrays on all cores."""
        made = copy.copy(self)
        made.is_wide = True
        return made

    def __call__(
        self, **rules: Rule
    ) -> Callable[[Callable[Concatenate[Any, P], T]], Callable[P, Any]]:
        def declare(forward: Callable[Concatenate[Any, P], T]) -> Callable[P, Any]:
            op = Primitive(forward, dict(rules), self)
            for name in (*op.inputs, *op.constants):
                if name in _RESERVED:
                    raise TypeError(f"{op.name}: a parameter may not be called '{name}'")
            dispatch = variadic(op) if op.variadic else specialise.deferred(op, _names(op))
            if forward.__name__ in registry:
                raise TypeError(f"a primitive called '{forward.__name__}' is declared twice")
            registry[forward.__name__] = op
            dispatch.__doc__ = forward.__doc__
            dispatch.__module__ = forward.__module__
            dispatch.primitive = op  # type: ignore[attr-defined]
            return dispatch

        return declare


primitive = Declaration()
"""Declares an operation whose inputs are taken as they are."""

broadcasting = Declaration(broadcasts=True)
"""Declares an operation whose inputs may be smaller than its output."""

view = Declaration(view=True)
"""Declares an operation whose output may share its first input's memory."""

_LEAF = Primitive(lambda xp: None, {}, primitive)
_LEAF.name = "accumulate"
_FAN = Primitive(lambda xp: None, {}, primitive)
_FAN.name = "joint"
_OUTPUT = Primitive(lambda xp: None, {}, primitive)
_OUTPUT.name = "output"


def wrap(like: Traced, array: Any, node: Node | None = None) -> Any:
    """A plain Tensor of the same family as `like`."""
    tensor = new(like._tensor)
    tensor._array = array
    tensor._node = node
    return tensor


def record(op: Primitive, edges: tuple[Edge, ...], joint_kept: tuple[Any, ...]) -> Node:
    """A node for an operation just done whose joint rule gets a node of its own between."""
    fan = Node(op, edges, tick())
    assert op.joint is not None
    return Node(op, ((fan, op.joint, joint_kept, None),), tick())


def spread(like: Traced, outputs: Any, node: Node | None) -> tuple[Any, ...]:
    """The Tensors of a primitive with several outputs: floating ones join the node's cotangents."""
    arrays = tuple(as_array(output) for output in outputs)
    count = len(arrays)
    return tuple(
        wrap(like, array, output_node(node, position, count, array))
        for position, array in enumerate(arrays)
    )


def output_node(node: Node | None, position: int, count: int, array: Any) -> Node | None:
    """The node of one output among several; None for an output that has no gradient."""
    if node is None or array.dtype.kind not in "fc":
        return None

    def place(g: Any) -> Parts:
        return Parts(g if i == position else None for i in range(count))

    return Node(_OUTPUT, ((node, place, (), None),), tick())


def explain(op: Primitive, error: Exception, arguments: dict[str, Any]) -> Exception:
    """The error to raise for a forward that failed: the operation, its arguments, their shapes."""
    if isinstance(error, (ArgumentError, DeviceError, DtypeError)):
        return error
    parts = []
    for name, value in arguments.items():
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            parts.append(f"{name}: {value.dtype}{list(value.shape)}")
        elif not isinstance(value, (tuple, list)) or not any(hasattr(v, "shape") for v in value):
            parts.append(f"{name}: {value!r}")
        else:
            shapes = ", ".join(f"{v.dtype}{list(v.shape)}" for v in value if hasattr(v, "shape"))
            parts.append(f"{name}: ({shapes})")
    message = f"{op.name}(): {_reason(op, error, arguments)} ({'; '.join(parts)})"
    kinds = ((IndexError, IndexError), (MemoryError, MemoryError), (TypeError, DtypeError))
    for kind, raised in kinds:
        if isinstance(error, kind):
            return raised(message)
    return ArgumentError(message)


def _reason(op: Primitive, error: Exception, arguments: dict[str, Any]) -> str:
    shapes = [(n, v.shape) for n, v in arguments.items() if hasattr(v, "shape")]
    if op.kind.broadcasts and len(shapes) > 1:
        width = max(len(shape) for _, shape in shapes)
        for axis in range(1, width + 1):
            sizes = {n: s[-axis] for n, s in shapes if len(s) >= axis and s[-axis] != 1}
            if len(set(sizes.values())) > 1:
                named = " and ".join(f"{size} in '{n}'" for n, size in sizes.items())
                return f"the sizes of dimension {width - axis} do not match: {named}"
    return str(error)


def _names(op: Primitive) -> dict[str, Any]:
    """What the written source refers to."""
    return {
        "LEVELS": LEVELS, "Node": Node, "Traced": Traced, "WIDE": WIDE, "as_array": as_array,
        "explain": explain, "highest": highest, "is_recording": is_recording,
        "link": mutation.link, "namespace": namespace, "ndarray": ndarray, "new": new,
        "numpy": numpy, "record": record, "spread": spread, "tick": tick, "wide": wide,
        "agree": op.kind.agree, "floating": op.kind.floating, "forward": op.forward,
        "function": op.function, "op": op,
        **{f"rule_{name}": rule for name, rule in op.rules.items()},
        **{f"large_{name}": rule for name, rule in op.large.items()},
    }  # fmt: skip


def variadic(op: Primitive, forward: Any = None) -> Callable[..., Any]:
    """The public function of an operation on any number of inputs, such as `cat`.

    Its rule may ask for `position` (which input), `shapes` (of all inputs) and the inputs
    themselves by their common name. A transform gives another `forward`, on its own arrays.
    """
    raised = forward is not None
    forward, star = forward or op.forward, op.variadic
    assert star is not None
    rule = op.rules[star]
    needs = op.needs[rule]

    def dispatch(*inputs: Any, **constants: Any) -> Any:
        if LEVELS and not raised:
            level = highest((inputs, constants))
            if level is not None:
                return level.apply(op, dispatch, inputs, constants)
        traced = None
        arrays: Any = []
        on_cpu = True
        for value in inputs:
            if isinstance(value, Traced):
                traced = value
                value = value._array
            on_cpu = on_cpu and value.__class__ is ndarray
            arrays.append(value)
        if (on_cpu and arrays) or raised:
            xp: Any = numpy
        else:
            xp = namespace(op.name, **{f"{star}[{i}]": array for i, array in enumerate(arrays)})
        try:
            out = as_array(forward(xp, *arrays, **constants))
        except (ValueError, TypeError, IndexError, ArithmeticError, MemoryError) as error:
            raise explain(op, error, {star: arrays, **constants}) from error
        if traced is None:
            return out
        nodes = [value._node if isinstance(value, Traced) else None for value in inputs]
        if not any(nodes) or not is_recording():
            return wrap(traced, out)
        free = {**constants, "out": out, star: tuple(arrays)}
        if "shapes" in needs:
            free["shapes"] = tuple(array.shape for array in arrays)
        edges = []
        for position, parent in enumerate(nodes):
            if parent is not None:
                free["position"], free["shape"] = position, arrays[position].shape
                shape = free["shape"] if op.kind.broadcasts else None
                edges.append((parent, rule, tuple(free[n] for n in needs), shape))
        return wrap(traced, out, Node(op, tuple(edges), tick()))

    dispatch.__name__ = dispatch.__qualname__ = op.name
    return dispatch
