"""L-BFGS: steps by an inverse Hessian that is told by the last few steps and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import dtypes, mutation
from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.wolfe import Point, search

_NUMBERS = ("t", "H_diag", "prev_loss")


class LBFGS(Optimizer):
    """The limited-memory method of Broyden, Fletcher, Goldfarb and Shanno; `step` needs a closure.

    Each step makes up to `max_iter` iterations and `max_eval` evaluations (five quarters of
    `max_iter` by default), and ends where no element of the gradient exceeds `tolerance_grad`, or
    parameters or loss change by less than `tolerance_change`. `history_size` steps are remembered.
    `line_search_fn` is None (steps of `lr`) or "strong_wolfe". One group of parameters only.

    Source: Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989.

    >>> import minigrad
    >>> x = minigrad.tensor([4.0, -3.0], requires_grad=True)
    >>> optimizer = LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (x * x).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(25., grad_fn=<SumBackward>)
    >>> bool(closure() < 1e-10)
    True
    """

    positive = ("lr",)
    elementwise = False

    def __init__(
        self,
        params: Any,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """One group; a line search that there is."""
        super().check(group)
        if self.param_groups:
            raise ArgumentError(
                "LBFGS() knows no groups of parameters; give all of them in one list"
            )
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ArgumentError(
                f"LBFGS(): line_search_fn must be None or 'strong_wolfe', got "
                f"{group['line_search_fn']!r}"
            )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters; `closure` clears the gradients, computes them and the loss.

        Returns the loss before. Raises TypeError without a closure.
        """
        if closure is None:
            raise TypeError(
                "LBFGS.step() needs a closure that clears the gradients, computes the loss, calls "
                "backward() on it and returns it: optimizer.step(closure)"
            )
        for hook in list(self._before.values()):
            hook(self, (closure,), {})
        self.has_stepped = True
        loss = self._evaluate(closure)
        self._iterate(closure, float(loss))
        for hook in list(self._after.values()):
            hook(self, (closure,), {})
        return loss

    def _iterate(self, closure: Callable[[], Any], loss: float) -> None:
        """The iterations of one step, from parameters with gradients and their loss."""
        group = self.param_groups[0]
        lr, tolerance = group["lr"], group["tolerance_change"]
        state = self.state.setdefault(group["params"][0], {"func_evals": 0, "n_iter": 0})
        evaluations = 1
        state["func_evals"] += 1
        gradient = self._gradient()
        if _largest(gradient) <= group["tolerance_grad"]:
            return
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0, d=-gradient)
                step = min(1.0, 1.0 / float(abs(gradient).sum())) * lr
            else:
                self._remember(state, gradient, group["history_size"])
                state["d"] = _direction(state, gradient)
                step = lr
            state.update(prev_flat_grad=gradient, prev_loss=loss, t=step)
            direction, before = state["d"], loss
            slope = float(gradient @ direction)
            if slope > -tolerance:
                return
            more = 0
            if group["line_search_fn"]:
                point, more = self._search(closure, Point(0.0, loss, gradient, slope), state)
                loss, gradient, step = point.loss, point.gradient, point.step
                state["t"] = step
            else:
                self._move(step * direction)
                # What the last iteration leads to, only the next step's closure tells.
                if iteration < group["max_iter"]:
                    loss = float(self._evaluate(closure))
                    gradient = self._gradient()
                    more = 1
            evaluations += more
            state["func_evals"] += more
            if (
                evaluations >= group["max_eval"]
                or _largest(gradient) <= group["tolerance_grad"]
                or _largest(direction * step) <= tolerance
                or abs(loss - before) < tolerance
            ):
                return

    def _remember(self, state: dict[str, Any], gradient: Any, most: int) -> None:
        """Add the last step and change of the gradient to the memory, if they are of any use."""
        change = gradient - state["prev_flat_grad"]
        moved = state["d"] * state["t"]
        product = float(change @ moved)
        if product <= 1e-10:
            return
        if len(state["ro"]) == most:
            for name in ("old_dirs", "old_stps", "ro"):
                state[name].pop(0)
        state["old_dirs"].append(change)
        state["old_stps"].append(moved)
        state["ro"].append(1.0 / product)
        state["H_diag"] = product / float(change @ change)

    def _search(
        self, closure: Callable[[], Any], start: Point, state: dict[str, Any]
    ) -> tuple[Point, int]:
        """The point that a line search finds, and how many it evaluated; parameters go there."""
        group = self.param_groups[0]
        direction = state["d"]
        held = [parameter._array.copy() for parameter in group["params"]]

        def put(step: float) -> None:
            for parameter, values in zip(group["params"], held):
                parameter._array[...] = values
            self._move(step * direction)

        def evaluate(step: float) -> Point:
            put(step)
            loss = float(self._evaluate(closure))
            gradient = self._gradient()
            return Point(step, loss, gradient, float(gradient @ direction))

        width = _largest(direction)
        point, count = search(evaluate, start, state["t"], width, group["tolerance_change"])
        put(point.step)
        return point, count

    def _gradient(self) -> Any:
        """All gradients end to end; a complex one as its real and imaginary parts."""
        parts = []
        for parameter in self.param_groups[0]["params"]:
            array = parameter._array
            grad = parameter.grad
            xp = backend_of(array).xp
            values = xp.zeros_like(array) if grad is None else grad._array
            parts.append(_real(xp.ascontiguousarray(values)).reshape(-1))
        return backend_of(parts[0]).xp.concatenate(parts)

    def _move(self, change: Any) -> None:
        """Add a flat change to the parameters."""
        line = mutation.caller()
        start = 0
        for parameter in self.param_groups[0]["params"]:
            array = parameter._array
            part = change[start : start + _count(array)]
            if array.dtype.kind == "c":
                part = part.astype(dtypes.real_of(array.dtype)).view(array.dtype)
            array += part.reshape(array.shape)
            mutation.touch(array, "step", line)
            start += _count(array)

    def _saved(self, parameter: Any, value: Any) -> Any:
        if isinstance(value, list):
            return [self._saved(parameter, item) for item in value]
        return super()._saved(parameter, value)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a saved state; raises ArgumentError, changing nothing, when it does not fit."""
        super().load_state_dict(state_dict)
        for own in self.state.values():
            own.pop("al", None)  # torch's working memory, of which nothing outlives an iteration

    def _loaded(self, name: str, value: Any, parameter: Any) -> Any:
        if name == "al":
            return None
        if name in _NUMBERS:
            return float(value)
        if isinstance(value, list):
            single = "t" if name == "ro" else name
            return [self._loaded(single, item, parameter) for item in value]
        if isinstance(value, (int, float)):
            return value
        dtype = dtypes.real_of(parameter._array.dtype)
        return value.detach().to(parameter.device, dtype)._array.copy()


def _direction(state: dict[str, Any], gradient: Any) -> Any:
    """Minus the gradient times the inverse Hessian, by the recursion in two loops."""
    pairs = list(zip(state["old_dirs"], state["old_stps"], state["ro"]))
    found = -gradient
    shares = []
    for change, moved, inverse in reversed(pairs):
        share = float(moved @ found) * inverse
        shares.append(share)
        found -= share * change
    found *= state["H_diag"]
    for (change, moved, inverse), share in zip(pairs, reversed(shares)):
        found += (share - float(change @ found) * inverse) * moved
    return found


def _largest(values: Any) -> float:
    """The size of the largest element."""
    return float(abs(values).max())


def _real(array: Any) -> Any:
    """A complex array seen as its real and imaginary parts; a real one itself."""
    return array.view(dtypes.real_of(array.dtype)) if array.dtype.kind == "c" else array


def _count(array: Any) -> int:
    """How many real numbers an array holds."""
    return int(array.size) * (2 if array.dtype.kind == "c" else 1)
