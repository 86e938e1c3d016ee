"""A plan: a recorded call as one flat function, and when that function may stand for the call."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Sequence
from typing import Any

from minigrad.compiler.capture import Captured
from minigrad.compiler.checks import Check
from minigrad.compiler.lower import Lowered
from minigrad.compiler.source import Source
from minigrad.compiler.steps import Slot, Step
from minigrad.graph import explain

__all__ = ["Fresh", "Plan", "Slot", "Step", "write"]

_serial = itertools.count()
Fresh = list


def write(array: Any, value: Any) -> None:
    """Put values into an array in place."""
    array[...] = value


class Plan:
    """What a recorded call did, ready to be done again on other inputs."""

    def __init__(self, recorder: Any, outputs: Any, trace: bool = True) -> None:
        self.watch = recorder.watch
        captured = list(recorder.captured.values())
        self.gradients = list(recorder.gradients.values())
        self.trained = [(tensor, before is not None) for tensor, before in recorder.initial()]
        tensors = {id(t): t for t in (*recorder.watch.tensors, *recorder.leaves)}
        tensors.update((id(t), t) for t, _ in captured)
        self.layouts = [
            (tensor, tensor._node, array.__class__, array.dtype, array.shape, array.strides)
            for tensor, array in ((t, t._array) for t in tensors.values())
        ]
        self.replays = 0
        self.undo: Any = None
        self.fits = Check(self)
        # What is done on a device is called as it is: its functions are not NumPy's.
        self.away = recorder.away
        lowered = Lowered(recorder, outputs, trace and not self.away)
        source = Source(lowered, outputs, recorder.predicates)
        lowered.tape.close()
        self.source, self.lines = source.text, source.lines
        self.instructions = source.instructions
        self.steps = [s for s in recorder.steps if s.kind not in ("constant", "list", "part")]
        self.eager_bytes = sum(s.slot.size for s in recorder.steps if s.slot is not None)
        self.made = source.made
        self.filename = f"<minigrad plan {next(_serial)}>"
        linecache.cache[self.filename] = (
            len(self.source), None, self.source.splitlines(True), self.filename,
        )  # fmt: skip
        self.names = {"__name__": __name__, **source.names}
        written: dict[str, Any] = {}
        exec(compile(self.source, self.filename, "exec"), self.names, written)
        self.run: Any = written["replay"]
        self.asks = written.get("asks")
        self.graph: Captured | None = None
        if self.away:
            self.graph = self.run = Captured(recorder, outputs, self.run)

    def replay(self, arrays: Sequence[Any], given: Sequence[Any]) -> Any:
        """What the recorded call did, on the arrays of these tensors; undone if it fails midway."""
        saved = self.undo.save(arrays)
        try:
            result = self.run(*arrays, given)
        except BaseException as error:
            self.undo.restore(saved)
            explained = self.explain(error)
            if explained is error:
                raise
            raise explained from error
        self.replays += 1
        return result

    # Failing.

    def explain(self, error: BaseException) -> BaseException:
        """The error that the eager call would raise for a step that failed."""
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self.filename:
                instruction = self.lines[trace.tb_lineno - 1]
                step: Any = None if instruction is None else instruction.step
                forward = step is not None and step.kind in ("forward", "forwards")
                if forward and isinstance(error, _EXPLAINED):
                    given = dict(zip(step.function.inputs, step.args, strict=False))
                    return explain(step.function, error, {**given, **step.named})
                return error
            trace = trace.tb_next
        return error

    # Telling.

    def summary(self) -> str:
        """The plan in lines: what became of each step, and the bytes that it makes."""
        total = sum(self.made.get(id(i), 0) for i in self.instructions)
        lines = [
            f"{len(self.steps)} operations in {len(self.instructions)} calls, {total} bytes made "
            f"(eager {self.eager_bytes}), {self.replays} replays"
        ]
        if self.graph is not None:
            lines.append(f"  {self.graph.summary()}")
        calls: dict[int, list[str]] = {}
        sizes: dict[int, int] = {}
        chains = [i for i in self.instructions if i.kind == "fused"]
        for instruction in self.instructions:
            if instruction.kind == "fused":
                place = f"in chain {chains.index(instruction)}"
                for link in instruction.function.links:
                    calls.setdefault(id(link.step), []).append(f"{link.label()} ({place})")
            elif instruction.kind != "empty":
                calls.setdefault(id(instruction.step), []).append(instruction.label())
            key = id(instruction.step)
            sizes[key] = sizes.get(key, 0) + self.made.get(id(instruction), 0)
        for number, step in enumerate(self.steps):
            how = ", ".join(calls.get(id(step), ["nothing left to do"]))
            size = sizes.get(id(step), 0)
            lines.append(f"  {number:4d}  {step.label():<40}{size:>12}  {how}")
        return "\n".join(lines)


_EXPLAINED = (ValueError, TypeError, IndexError, ArithmeticError, MemoryError)
