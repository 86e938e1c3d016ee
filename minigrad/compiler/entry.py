"""The short way into a plan: whether a call is of the kind that the plan was recorded for.

`signature` takes any call apart, and the plans of its kind are looked up. Here the same questions
are written out for one plan, in one expression that makes no list and no key: where a function is
called again and again with the same kind of arguments, this is all that its calls go through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import dtypes
from minigrad.backend import is_array, ndarray
from minigrad.compiler.guards import PLAIN
from minigrad.graph import Traced, is_recording
from minigrad.tensor import Tensor

Entry = Callable[[tuple[Any, ...]], Any]

OTHER: Any = object()
"""What an entry gives for a call that is not of its kind, or that its plan does not fit."""


def entry(plan: Any, args: tuple[Any, ...], modes: tuple[Any, ...], reached: set[int]) -> Entry:
    """A function of positional arguments that replays the plan with them, or gives OTHER.

    `modes` are the grad mode and the default dtype that the plan is for; `reached` holds the ids of
    the tensors that the compiled function has in another way than as arguments.
    """
    names: dict[str, Any] = {
        "Tensor": Tensor, "ndarray": ndarray, "OTHER": OTHER, "reached": reached,
        "is_recording": is_recording, "default_dtype": dtypes.get_default_dtype,
        "recorded": modes[0], "default": modes[1],
        "plan": plan, "asks": plan.asks, "run": plan.run, **plan.fits.names,
    }  # fmt: skip
    terms = [
        f"len(args) == {len(args)}",
        "is_recording() is recorded and default_dtype() is default",
    ]
    tensors: list[Any] = []
    for position, value in enumerate(args):
        given = f"args[{position}]"
        if value.__class__ is Tensor and type(value._array) is ndarray:
            number = len(tensors)
            tensors.append(value)
            terms += _of_tensor(number, given, value._array, names)
            continue
        names[f"value{position}"], names[f"kind{position}"] = value, value.__class__
        # A zero may have a sign, and NaN is not equal to itself.
        if value.__class__ in (int, str, bool) or (value.__class__ is float and abs(value) > 0):
            terms.append(f"{given}.__class__ is kind{position} and {given} == value{position}")
        elif value is None or not (isinstance(value, _TAKEN_APART) or is_array(value)):
            terms.append(f"{given} is value{position}")
        else:
            return _other
    count = len(tensors)
    if len({*map(id, tensors)}) < count:
        return _other
    if count:
        ids = ", ".join(f"id(t{number})" for number in range(count))
        terms.append(f"len(ids := {{{ids}}}) == {count} and reached.isdisjoint(ids)")
    arrays = "".join(f"a{number}, " for number in range(count))
    made_of = "".join(f"t{number}, " for number in range(count))
    terms += plan.fits.terms
    if plan.asks is not None:
        terms.append(f"asks({arrays})")
    lines = [
        "def enter(args):",
        "    try:",
        "        if not (",
        "            " + "\n            and ".join(terms),
        "        ):",
        "            return OTHER",
        "    except (KeyError, ValueError, IndexError, AttributeError):",
        "        return OTHER",
        *_ending(plan, arrays, f"({made_of})"),
    ]
    exec(compile("\n".join(lines) + "\n", "<minigrad entry>", "exec"), names)
    enter: Entry = names["enter"]
    return enter


def _ending(plan: Any, arrays: str, tensors: str) -> list[str]:
    """What is done with a call of the plan's kind."""
    if not plan.undo.nothing:
        return [f"    return plan.replay(({arrays}), {tensors})"]
    # Nothing has to be put back where the plan fails.
    return [
        "    try:",
        f"        result = run({arrays}{tensors})",
        "    except BaseException as error:",
        "        explained = plan.explain(error)",
        "        if explained is error:",
        "            raise",
        "        raise explained from error",
        "    plan.replays += 1",
        "    return result",
    ]


def _of_tensor(number: int, given: str, array: Any, names: dict[str, Any]) -> list[str]:
    """Terms that say that an argument is a tensor like the one that was recorded."""
    tensor, held = f"t{number}", f"a{number}"
    names[f"dtype{number}"] = array.dtype
    return [
        f"({tensor} := {given}).__class__ is Tensor and {tensor}._node is None",
        f"((base := {tensor}._base) is None or base._node is None)",
        f"({held} := {tensor}._array).__class__ is ndarray and {held}.dtype is dtype{number}",
        f"{held}.shape == {array.shape} and {held}.strides == {array.strides}",
        f"{held}.flags.writeable is {array.flags.writeable}",
    ]


def _other(args: tuple[Any, ...]) -> Any:
    return OTHER


_TAKEN_APART = (Traced, tuple, list, dict, *PLAIN)
