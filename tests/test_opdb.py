"""minigrad against PyTorch's operator database, and the harness against planted faults.

`python -m tests.opdb` runs the whole database; here each name runs on a few dtypes and samples.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the operator database is torch's: install torch")
pytest.importorskip(
    "torch.testing._internal.common_methods_invocations",
    reason="the operator database needs what torch's own tests need: install expecttest",
    exc_type=ImportError,
)

from tests.opdb.calling import function  # noqa: E402
from tests.opdb.libraries import MinigradLibrary, TorchLibrary  # noqa: E402
from tests.opdb.run import Settings, run_name  # noqa: E402

NAMES = (Path(__file__).parent / "opdb" / "names.txt").read_text(encoding="utf-8").split()
SETTINGS = Settings(
    dtypes=(torch.float64, torch.complex128, torch.float32, torch.int64, torch.bool, torch.float16),
    max_samples=12,
)


@pytest.mark.parametrize("name", NAMES)
def test_minigrad_passes_the_operator_database(name: str) -> None:
    report = run_name(MinigradLibrary(), name, SETTINGS)
    assert report.passes, "\n".join(failure.full() for failure in report.failures[:3])


class WithGradient(torch.autograd.Function):
    """A function whose gradient is what the caller says it is."""

    @staticmethod
    def forward(ctx: Any, value: Any, result: Any, gradient: Any) -> Any:
        ctx.save_for_backward(gradient)
        return result.clone()

    @staticmethod
    def backward(ctx: Any, cotangent: Any) -> Any:
        return cotangent * ctx.saved_tensors[0], None, None


def wrong_gradient(value: Any) -> Any:
    return WithGradient.apply(value, torch.tanh(value.detach()), 1.001 * (1 - value.tanh() ** 2))


def constant_gradient(value: Any) -> Any:
    return WithGradient.apply(value, value.detach().exp(), value.detach().exp())


def changes_its_argument(value: Any) -> Any:
    result = torch.floor(value)
    value.detach().add_(1)
    return result


def any_error_is_zero(*args: Any, **kwargs: Any) -> Any:
    try:
        return torch.gather(*args, **kwargs)
    except RuntimeError:
        return torch.zeros(())


def lookup_for_every_error(*args: Any, **kwargs: Any) -> Any:
    try:
        return torch.diagonal(*args, **kwargs)
    except (IndexError, RuntimeError):
        raise LookupError("diagonal") from None


def unscaled_dropout(
    value: Any, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Any:
    return value * torch.bernoulli(torch.full_like(value, 1 - p)) if training else value.clone()


def with_repeats(weights: Any, count: int, replacement: bool = False, **kwargs: Any) -> Any:
    return torch.multinomial(weights, count, True)


def reversed_indices(*args: Any, **kwargs: Any) -> Any:
    values, indices = torch.topk(*args, **kwargs)
    return torch.return_types.topk((values, indices.flip(-1) if indices.ndim else indices))


def unnamed_fields(*args: Any, **kwargs: Any) -> Any:
    return tuple(torch.sort(*args, **kwargs))


def too_many_left_vectors(*args: Any, **kwargs: Any) -> Any:
    left, values, right = torch.linalg.svd(*args, **kwargs)
    return torch.return_types.linalg_svd((2 * left, values, right))


def drifting(input: Any, running_mean: Any, *args: Any, **kwargs: Any) -> Any:
    result = torch.nn.functional.batch_norm(input, running_mean, *args, **kwargs)
    if running_mean is not None:
        running_mean.mul_(1.01)
    return result


# The name, what replaces it, and the kind of check that must catch it.
FAULTS: list[tuple[str, str, Callable[..., Any], str]] = [
    ("sin", "sin", lambda value: 1.001 * torch.sin(value), "samples"),
    ("argmax", "argmax", lambda *a, **k: torch.argmax(*a, **k).int(), "samples"),
    ("mean", "mean", lambda *a, **k: torch.mean(*a, **k).unsqueeze(0), "samples"),
    ("cos", "cos", lambda value: torch.cos(value).detach(), "samples"),
    ("floor", "floor", changes_its_argument, "samples"),
    ("split", "split", lambda *a, **k: torch.split(*a, **k)[:1], "samples"),
    ("topk", "topk", reversed_indices, "samples"),
    ("sort", "sort", unnamed_fields, "samples"),
    ("argsort", "argsort", lambda *a, **k: torch.argsort(*a, **k) * 0, "samples"),
    ("linalg.svd", "linalg.svd", too_many_left_vectors, "samples"),
    ("item", "Tensor.item", lambda value: value, "samples"),
    ("nn.functional.batch_norm", "nn.functional.batch_norm", drifting, "samples"),
    ("tanh", "tanh", wrong_gradient, "gradients"),
    ("exp", "exp", constant_gradient, "second"),
    ("gather", "gather", any_error_is_zero, "errors"),
    ("diagonal", "diagonal", lookup_for_every_error, "errors"),
    ("square", "Tensor.square", lambda value: value.abs(), "method"),
    ("mul", "Tensor.mul_", lambda value, other: value * other, "in-place"),
    ("sqrt", "Tensor.sqrt_", lambda value: value.sqrt_().mul_(1.001), "in-place"),
    ("nn.functional.dropout", "nn.functional.dropout", unscaled_dropout, "samples"),
    ("multinomial", "multinomial", with_repeats, "samples"),
    ("bernoulli", "bernoulli", lambda p: torch.bernoulli(0.95 * p), "samples"),
    ("randn", "randn", lambda *a, **k: 1.05 * torch.randn(*a, **k), "samples"),
    ("randint", "randint", lambda *a, **k: torch.randint(*a, **k).sort(0).values, "samples"),
]


@pytest.mark.parametrize(("name", "replaced", "fault", "kind"), FAULTS)
def test_a_planted_fault_is_caught(
    name: str, replaced: str, fault: Callable[..., Any], kind: str
) -> None:
    settings = Settings(dtypes=(torch.float64, torch.float32, torch.int64), max_samples=24)
    assert run_name(TorchLibrary(), name, settings).passes
    report = run_name(TorchLibrary({replaced: fault}), name, settings)
    assert kind in {failure.kind for failure in report.failures}


@pytest.mark.parametrize(
    ("name", "dtype", "factor"),
    [
        ("mm", torch.float32, 1.0001),
        ("nn.functional.conv2d", torch.complex64, 1.0001),
        ("nn.functional.gelu", torch.float16, 1.01),
        ("cumsum", torch.float16, 1.01),
    ],
)
def test_no_allowance_covers_a_wrong_value(name: str, dtype: torch.dtype, factor: float) -> None:
    def wrong(*args: Any, **kwargs: Any) -> Any:
        return function(TorchLibrary(), name)(*args, **kwargs) * factor

    settings = Settings(dtypes=(dtype,), max_samples=12)
    report = run_name(TorchLibrary({name: wrong}), name, settings)
    assert "samples" in {failure.kind for failure in report.failures}


class Stranger(TorchLibrary):
    """torch under another name, whose messages must name what they are about."""

    name = "stranger"


def test_a_message_that_names_nothing_is_caught() -> None:
    def silent(*args: Any, **kwargs: Any) -> Any:
        try:
            return torch.amax(*args, **kwargs)
        except (RuntimeError, IndexError) as error:
            raise type(error)("this cannot be done") from None

    settings = Settings(dtypes=(torch.float64,), max_samples=1)
    report = run_name(Stranger({"amax": silent}), "amax", settings)
    assert "names neither" in "".join(failure.message for failure in report.failures)


def test_a_missing_name_fails_each_of_its_samples() -> None:
    settings = Settings(dtypes=(torch.float64,), max_samples=3)
    empty = TorchLibrary()
    empty.module = pytest
    report = run_name(empty, "nn.functional.relu", settings)
    assert len(report.failures) == 3
    assert "no function" in report.failures[0].message


def test_an_unknown_name_does_not_pass() -> None:
    assert not run_name(TorchLibrary(), "no_such_operation", Settings()).passes
