"""Writing the public function of a primitive: source that does no more than it needs.

`source(op)` is the text; `deferred(op, names)` is a function that compiles it when first called.
"""

from __future__ import annotations

import itertools
import linecache
import types
from typing import Any

_serial = itertools.count()


def deferred(op: Any, names: dict[str, Any]) -> types.FunctionType:
    """A function that writes and compiles its own source when it is first called.

    Compiling every operation at import would take most of the time that the import may take.
    """

    def compile_and_call(*args: Any, **kwargs: Any) -> Any:
        _compile(op, dispatch)
        return dispatch(*args, **kwargs)

    names["compile_and_call"] = compile_and_call
    names["call"] = dispatch = types.FunctionType(_stub.__code__, names, op.name)
    return dispatch


def _stub(*args: Any, **kwargs: Any) -> Any:
    return compile_and_call(*args, **kwargs)  # type: ignore[name-defined] # noqa: F821


def _compile(op: Any, dispatch: types.FunctionType) -> None:
    """Give the function the code written for its operation."""
    text = source(op)
    filename = f"<minigrad primitive {op.name} {next(_serial)}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    written: dict[str, Any] = {}
    exec(compile(text, filename, "exec"), {}, written)
    dispatch.__code__ = written[op.name].__code__
    dispatch.__defaults__ = op.forward.__defaults__
    dispatch.__kwdefaults__ = op.forward.__kwdefaults__


def source(op: Any) -> str:
    """The text of the operation's public function."""
    optional = len(op.inputs) - len(op.forward.__defaults__ or ())
    keywords = op.forward.__kwdefaults__ or {}
    parts = [n if i < optional else f"{n}=None" for i, n in enumerate(op.inputs)]
    if op.constants:
        parts.append("*")
        parts += [f"{n}=None" if n in keywords else n for n in op.constants]
    body = "\n".join(f"    {line}" for line in _body(op))
    return f"def {op.name}({', '.join(parts)}):\n{body}\n"


def _kept(op: Any, rule: Any, name: str | None) -> str:
    """The source of the tuple that one rule keeps."""
    free = {"shape": f"{name}_array.shape", "dtype": f"{name}_array.dtype", "out": "out"}
    free["needed"] = "(" + "".join(f"{n}_node is not None, " for n in op.inputs) + ")"
    items = [
        free.get(need) or (f"{need}_array" if need in op.inputs else need)
        for need in op.needs[rule]
    ]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _body(op: Any) -> list[str]:
    """The body of the operation's public function, written out for its inputs and rules."""
    inputs, constants = op.inputs, op.constants
    ruled = [name for name in inputs if name in op.rules]
    arrays = [f"{name}_array" for name in inputs]
    passed = ", ".join([*arrays, *(f"{name}={name}" for name in constants)])
    lines = [*_handing_over(op), "traced = None"]
    for name in inputs:
        head, take, *rest = _unpacking(name)
        lines += [head, f"{take}; traced = {name}", *rest]
    if op.kind.agree is not None:
        lines += _agreement(op)
    if op.kind.floating is not None:
        lines += [
            f"if {arrays[0]}.__class__ is not ndarray or {arrays[0]}.dtype.kind not in 'fc':",
            f"    {arrays[0]} = floating('{op.name}', {arrays[0]})",
        ]
    on_cpu = " and ".join(f"{array}.__class__ is ndarray" for array in arrays[:2])
    if op.kind.agree is not None and len(inputs) == 2:
        on_cpu = " or ".join(f"{array}.__class__ is ndarray" for array in arrays)
    named = ", ".join(f"{name}={array}" for name, array in zip(inputs, arrays))
    where = f"namespace('{op.name}', {named})"
    given = ", ".join([*(f"'{n}': {a}" for n, a in zip(inputs, arrays)),
                       *(f"'{n}': {n}" for n in constants)])  # fmt: skip
    lines += [
        f"xp = numpy if {on_cpu} else {where}",
        "try:",
        *(f"    {line}" for line in _forward(op, arrays, passed)),
        "except (ValueError, TypeError, IndexError, ArithmeticError, MemoryError) as error:",
        f"    raise explain(op, error, {{{given}}}) from error",
    ]
    several = op.kind.outputs > 1
    if not several:
        lines += ["if out.__class__ is not ndarray:", "    out = as_array(out)"]
    lines += ["if traced is None:", "    return out", "node = None"]
    if ruled:
        some = " or ".join(f"{name}_node is not None" for name in ruled)
        lines += [f"if ({some}) and is_recording():"]
        lines += [f"    {line}" for line in _recording(op, ruled)]
    if several:
        lines += ["return spread(traced, out, node)"]
    else:
        lines += [
            "result = new(traced._tensor)",
            "result._array = out",
            "result._node = node",
        ]
        if op.kind.view:
            pairs = ", ".join(f"'{name}': {name}" for name in constants)
            others = "".join(f"{name}, " for name in inputs[1:])
            lines += [
                "if out.base is not None or out is traced._array:",
                f"    link(result, {inputs[0]}, call, ({others}), {{{pairs}}})",
            ]
        lines += ["return result"]
    return lines


def _handing_over(op: Any) -> list[str]:
    """Source that hands the call to the transform that made one of its arguments, if one did."""
    everything = "".join(f"{name}, " for name in (*op.inputs, *op.constants))
    inputs = "".join(f"{name}, " for name in op.inputs)
    constants = ", ".join(f"'{name}': {name}" for name in op.constants)
    return [
        "if LEVELS:",
        f"    level = highest(({everything}))",
        "    if level is not None:",
        f"        return level.apply(op, call, ({inputs}), {{{constants}}})",
    ]


def raised(op: Any, dispatch: types.FunctionType, names: dict[str, Any]) -> types.FunctionType:
    """The public function of an operation with other names behind its source."""
    if dispatch.__code__ is _stub.__code__:
        _compile(op, dispatch)
    made = types.FunctionType(dispatch.__code__, {**dispatch.__globals__, **names}, op.name)
    made.__defaults__ = dispatch.__defaults__
    made.__kwdefaults__ = dispatch.__kwdefaults__
    return made


def _forward(op: Any, arrays: list[str], passed: str) -> list[str]:
    """Source that calls the forward, or for large arrays what does the same on all cores."""
    plain = f"out = forward(xp, {passed})"
    if op.function is None:
        return [plain]
    first = arrays[0]
    large = f"{first}.__class__ is ndarray and {first}.nbytes >= WIDE"
    return [
        f"if {large} and {first}.dtype.kind == 'f':",
        f"    out = wide(function, {passed})",
        "else:",
        f"    {plain}",
    ]


def _agreement(op: Any) -> list[str]:
    """Source that lets operands through when they agree, and calls `agree` when they do not."""
    inputs = op.inputs
    arrays = [f"{name}_array" for name in inputs]
    if len(inputs) == 2:
        a, b = arrays
        test = [
            f"if {a}.__class__ is {b}.__class__:",
            f"    agreed = {a}.dtype is {b}.dtype",
            f"elif {b}.__class__ is float or {b}.__class__ is int:",
            f"    agreed = {a}.dtype.kind == 'f'",
            f"elif {a}.__class__ is float or {a}.__class__ is int:",
            f"    agreed = {b}.dtype.kind == 'f'",
            "else:",
            "    agreed = False",
        ]
    else:
        kinds = " and ".join(f"{array}.__class__ is ndarray" for array in arrays)
        same = " and ".join(f"{arrays[0]}.dtype is {array}.dtype" for array in arrays[1:])
        test = [f"agreed = {kinds} and {same}" if same else "agreed = True"]
    named = ", ".join(f"{name!r}: {name}" for name in inputs)
    lines = [*test, "if not agreed:", f"    {', '.join(inputs)} = agree('{op.name}', {{{named}}})"]
    for name in inputs:
        lines += [f"    {line}" for line in _unpacking(name)]
    return ["if traced is not None:", *(f"    {line}" for line in lines)]


def _unpacking(name: str) -> list[str]:
    """Source that takes an input's array and node."""
    return [
        f"if isinstance({name}, Traced):",
        f"    {name}_array = {name}._array; {name}_node = {name}._node",
        "else:",
        f"    {name}_array = {name}; {name}_node = None",
    ]


def _recording(op: Any, ruled: list[str]) -> list[str]:
    """Source that builds the node."""

    def edge(name: str) -> str:
        shape = f"{name}_shape" if op.kind.broadcasts else "None"
        rule = f"large_{name} if large else rule_{name}" if name in op.large else f"rule_{name}"
        return f"({name}_node, {rule}, {_kept(op, op.rules[name], name)}, {shape})"

    lines = ["large = out.nbytes >= WIDE"] if op.large else []
    if op.kind.broadcasts:
        lines += ["out_shape = out.shape"]
        for name in ruled:
            lines += [
                f"{name}_shape = getattr({name}_array, 'shape', out_shape)"
                if len(op.inputs) > 2
                else f"{name}_shape = {name}_array.shape if {name}_node is not None else out_shape",
                f"if {name}_shape == out_shape:",
                f"    {name}_shape = None",
            ]
    if len(ruled) == 1 and op.joint is None:
        lines += [f"edges = ({edge(ruled[0])},)"]
    elif len(ruled) == 2 and op.joint is None:
        first, second = ruled
        lines += [
            f"if {second}_node is None:",
            f"    edges = ({edge(first)},)",
            f"elif {first}_node is None:",
            f"    edges = ({edge(second)},)",
            "else:",
            f"    edges = ({edge(first)}, {edge(second)})",
        ]
    else:
        lines += ["edges = []"]
        for name in ruled:
            lines += [f"if {name}_node is not None:", f"    edges.append({edge(name)})"]
        lines += ["edges = tuple(edges)"]
    if op.joint is not None:
        return [*lines, f"node = record(op, edges, {_kept(op, op.joint, None)})"]
    # Without the call of __init__.
    return [*lines, "node = new(Node)", "node.op = op; node.edges = edges; node.order = tick()"]
