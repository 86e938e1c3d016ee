"""Error inputs: a library must refuse what torch refuses, by a compatible type and in words."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import torch
from torch.testing._internal.opinfo.core import ErrorInput, OpInfo

from tests.opdb.arguments import Arguments
from tests.opdb.calling import function
from tests.opdb.exclusions import NO_ERROR, NO_OUT, ExcludedError
from tests.opdb.libraries import MissingError, TorchLibrary


def error_differs(library: TorchLibrary, operation: OpInfo, error_input: ErrorInput) -> str | None:
    """Return how a library's refusal of an error input falls short, or None."""
    sample = error_input.sample_input
    reference = Arguments(TorchLibrary(), sample, False)
    if _raised(operation.op, reference) is None:
        raise ExcludedError(NO_ERROR)
    call = function(library, operation.name)
    if operation.variant_test_name == "in_place":
        call = library.method(operation.name + "_")
    raised = _raised(call, Arguments(library, sample, False))
    if raised is None:
        return f"nothing was raised, torch raises {error_input.error_type.__name__}"
    if "out" in sample.kwargs and isinstance(raised, TypeError) and "'out'" in str(raised):
        raise ExcludedError(NO_OUT)
    kind = type(raised)
    both = isinstance(raised, ValueError) and isinstance(raised, RuntimeError)
    if not (isinstance(raised, error_input.error_type) or both):
        return f"{kind.__name__}({raised}), torch raises {error_input.error_type.__name__}"
    if library.name == "torch":
        return None
    words = set(re.findall(r"[a-z_]+[a-z_0-9]*", str(raised).lower()))
    if not words & _names(operation, call):
        return f"{kind.__name__}({raised}) names neither the operation nor an argument"
    return None


def _raised(call: Callable[..., Any], arguments: Arguments) -> Exception | None:
    try:
        arguments.call(call)
    except MissingError:
        raise
    except Exception as error:  # noqa: BLE001 - any refusal is looked at
        return error
    return None


def _names(operation: OpInfo, call: Callable[..., Any]) -> set[str]:
    """Return the words by which a message can name the operation or one of its arguments."""
    base = operation.name.rpartition(".")[2]
    names = {operation.name, base, base.strip("_"), *(alias.name for alias in operation.aliases)}
    for schema in torch._C._jit_get_schemas_for_operator(f"aten::{base.strip('_')}"):
        names.update(argument.name for argument in schema.arguments)
    try:
        names.update(inspect.signature(call).parameters)
    except (TypeError, ValueError):  # a built-in without a signature
        return names
    return names
