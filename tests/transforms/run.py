"""The checks of one name, and what of them fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch

from tests.opdb.exclusions import ExcludedError
from tests.transforms.checks import OF_DERIVATIVES, OF_VALUES, BothRefuseError
from tests.transforms.operations import Sample, samples


def failures_of(
    name: str, kinds: Any, limit: int, wanted: str | None, counts: Counter[str]
) -> Iterator[tuple[str, str, BaseException | None]]:
    """Each check of a name that fails: its name, what differs, and the error if one was raised."""
    for dtype in kinds:
        for sample in samples(name, dtype, limit):
            for check, differs in checks_of(sample):
                if wanted is not None and wanted not in check:
                    continue
                if dtype.is_complex and check == "jvp of grad":
                    continue
                label = f"{check} {str(dtype).removeprefix('torch.')}"
                try:
                    problem = differs(sample)
                except (BothRefuseError, ExcludedError):
                    counts["refused by both"] += 1
                    continue
                except Exception as error:  # noqa: BLE001 - what is raised is a finding
                    yield label, f"{type(error).__name__}: {str(error)[:200]}", error
                    continue
                counts["checks"] += 1
                if problem is not None:
                    yield label, problem, None


def checks_of(sample: Sample) -> Iterator[tuple[str, Any]]:
    """The checks that have a meaning for a sample."""
    if not sample.tensors:
        return
    yield from OF_VALUES.items()
    if sample.floating and sample.operation.supports_autograd:
        try:
            outputs = sample.keep_floating_outputs()
        except RuntimeError:
            return
        if outputs and torch.is_grad_enabled():
            yield from OF_DERIVATIVES.items()
