"""`import torch` that gives minigrad, in a process without torch, once a program asks for it.

Each module of torch is a face: a module of its own that takes its names from minigrad's, so that
what a program sets on `torch.nn` changes nothing of minigrad, and all of it can be taken away.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType, TracebackType
from typing import Any

import minigrad
from minigrad.absent.table import reason_for
from minigrad.compat.layout import module_for

__all__ = ["torch_alias"]

# The version whose names, defaults and results are the model of minigrad's.
_MODEL = "2.13.0"
_EXTRA: dict[str, dict[str, Any]] = {
    "torch": {"__version__": f"{_MODEL}+minigrad.{minigrad.__version__}"},
    "torch.version": {"__version__": _MODEL, "cuda": None, "hip": None, "git_version": "minigrad"},
}


class Face(ModuleType):
    """A module of torch, whose names are looked up in a module of minigrad."""

    def __init__(self, name: str, target: ModuleType) -> None:
        super().__init__(name, target.__doc__)
        vars(self)["_target"] = target
        vars(self).update(_EXTRA.get(name, {}))

    def __getattr__(self, name: str) -> Any:
        child = f"{self.__name__}.{name}"
        target = vars(self)["_target"]
        try:
            value = getattr(target, name)
        except AttributeError:
            if name.startswith("_") or not _there(child):
                raise
            return importlib.import_module(child)
        if isinstance(value, ModuleType) and _there(child):
            return importlib.import_module(child)
        vars(self)[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # `import torch.autograd.gradcheck` puts the module where the function should stay.
        if isinstance(value, Face):
            own = getattr(vars(self)["_target"], name, None)
            if own is not None and not isinstance(own, ModuleType):
                return
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *dir(vars(self)["_target"])})


def _there(name: str) -> bool:
    return name in _EXTRA or module_for(name.partition(".")[2]) is not None


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds torch and its modules before Python looks for them on the disk."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        top, _, rest = fullname.partition(".")
        if top != "torch":
            return None
        if not _there(fullname):
            reason = reason_for(rest)
            raise ModuleNotFoundError(
                f"No module named '{fullname}' in minigrad, which stands for torch here"
                + (f": {reason}" if reason else ""),
                name=fullname,
            )
        return importlib.machinery.ModuleSpec(fullname, self, origin="minigrad", is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        target = module_for(spec.name.partition(".")[2])
        return Face(spec.name, minigrad if target is None else target)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to be run."""


_finder = _Finder()


class torch_alias:
    """Let `import torch` give minigrad from now on; as a context manager, within the block only.

    `import torch.nn as nn`, `from torch.utils.data import DataLoader` and the like work too. What
    a program sets on torch's modules is theirs alone. Raises RuntimeError where the real torch was
    imported already, as two libraries under one name would mix.
    """

    def __init__(self) -> None:
        real = sys.modules.get("torch")
        if real is not None and not isinstance(real, Face):
            raise RuntimeError(
                "torch_alias(): the real torch is already imported from "
                f"{getattr(real, '__file__', 'somewhere')}; call torch_alias() before anything "
                "imports it, in a process of its own: python -m minigrad run-as-torch SCRIPT"
            )
        self.first = _finder not in sys.meta_path
        if self.first:
            sys.meta_path.insert(0, _finder)

    def __enter__(self) -> torch_alias:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.first:
            self.remove()

    def remove(self) -> None:
        """Take the alias away: a later `import torch` looks for the real one."""
        if _finder in sys.meta_path:
            sys.meta_path.remove(_finder)
        for name, module in list(sys.modules.items()):
            if isinstance(module, Face):
                del sys.modules[name]
