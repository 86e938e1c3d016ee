"""Write docs/coverage.md: every public name of torch, and whether it is here, differs or is absent.

Run: python docs/make_coverage.py, where torch is installed. With a file that names things of torch
in the first column of tables, it prints how many of them are here, and the others with the reason.
"""

import importlib
import sys
import types
import warnings
from collections import defaultdict
from pathlib import Path

import minigrad
from minigrad.absent.table import reason_for
from minigrad.compat.layout import find, module_for

PAGE = Path(__file__).parent / "coverage.md"

HEAD = """# Coverage of torch

Made by `python docs/make_coverage.py` from the two libraries; do not edit. Names that begin with
an underscore and modules within modules are left out. A name that is here has torch's arguments,
defaults, dtypes and refusals, as the operator database, the module tests and the programs in
`tests/programs` check; what differs is said below and in [Semantics](semantics.md). The reasons are
those of the AttributeError for the name: *planned*, *pointless here*, or what to *use instead*.
"""

SPACES = [
    "torch", "torch.Tensor", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.nn.utils",
    "torch.nn.utils.rnn", "torch.nn.utils.parametrize", "torch.nn.utils.parametrizations",
    "torch.nn.utils.prune", "torch.optim", "torch.optim.lr_scheduler", "torch.optim.swa_utils",
    "torch.linalg", "torch.fft", "torch.special", "torch.func", "torch.autograd",
    "torch.autograd.functional", "torch.autograd.graph", "torch.distributions", "torch.utils.data",
    "torch.utils.checkpoint", "torch.random", "torch.signal.windows", "torch.amp", "torch.cuda",
]  # fmt: skip

DIFFERS = {
    "Tensor.type": "says `minigrad.float32`, not `torch.FloatTensor`",
    "Tensor.dtype": "is NumPy's dtype object",
    "amp.autocast": "with `enabled=False` only: nothing is cast on its own",
    "autograd.Variable": "gives a tensor; it is no class of its own",
    "compile": "records a step and replays it; see [Compiled steps](compile.md)",
    "cuda.manual_seed": "seeds the one generator of all devices",
    "cuda.manual_seed_all": "seeds the one generator of all devices",
    "inference_mode": "is `no_grad`",
    "load": "runs nothing, whatever `weights_only` says; reads safetensors too",
    "manual_seed": "gives the same numbers on every device, not torch's",
    "save": "writes torch's format for .pt, .pth and the like, otherwise safetensors",
}


def public(space):
    """The public names of a module or class of torch that are torch's own."""
    owner = importlib.import_module(space) if space != "torch.Tensor" else None
    if owner is None:
        kind = importlib.import_module("torch").Tensor
        return [name for name in dir(kind) if not name.startswith("_")]
    names = set(getattr(owner, "__all__", ())) or set(dir(owner))
    if space == "torch":
        names |= set(dir(owner))
    found = []
    for name in sorted(names):
        value = getattr(owner, name, None)
        home = getattr(value, "__module__", None) or "torch"
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        if isinstance(value, type | types.FunctionType) and not home.startswith("torch"):
            continue
        if not home.startswith("typing"):
            found.append(name)
    return found


def state(space, name):
    """The word `there`, or the reason why `name` is not; None where nothing explains it."""
    path = f"{space}.{name}".partition(".")[2]
    if space not in ("torch", "torch.Tensor") and module_for(space.partition(".")[2]) is None:
        return reason_for(path)
    try:
        find(f"{space}.{name}")
    except AttributeError:
        return reason_for(path)
    return "there"


def surface():
    """The state of every name, by space."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own deprecated names
        return {space: {name: state(space, name) for name in public(space)} for space in SPACES}


def coded(names):
    return ", ".join(f"`{name}`" for name in names)


def page(states):
    lines = [HEAD, "| names of | here | absent |", "|---|---:|---:|"]
    for space, found in states.items():
        here = sum(value == "there" for value in found.values())
        lines.append(f"| {space} | {here} | {len(found) - here} |")
    for space, found in states.items():
        lines.append(f"\n## {space}\n")
        here = [name for name, value in found.items() if value == "there"]
        lines.append((coded(here) or "None is here yet.") + "\n")
        rows = [
            f"| `{name}` | {DIFFERS[path]} |"
            for name in here
            if (path := f"{space}.{name}".partition(".")[2]) in DIFFERS
        ]
        if rows:
            lines += ["| differs | how |", "|---|---|", *rows, ""]
        reasons = defaultdict(list)
        for name, value in found.items():
            if value != "there":
                reasons[value or "not explained"].append(name)
        if reasons:
            lines += ["| absent | why |", "|---|---|"]
            lines += [f"| {coded(names)} | {reason} |" for reason, names in sorted(reasons.items())]
    return "\n".join(lines).rstrip() + "\n"


def resolves(spelled):
    """Whether a name such as `torch.nn.Linear`, `Tensor.add_` or `Module.eval` is here."""
    name = spelled.split(" ")[0].split("[")[0]
    if name.startswith("Tensor.__r"):
        return None  # how an operator was reached, not a name
    top = name.split(".")[0]
    owners = {
        "Tensor": "torch.", "Module": "torch.nn.", "optim": "torch.", "utils": "torch.",
        "Linear": "torch.nn.", "Embedding": "torch.nn.", "ModuleList": "torch.nn.",
        "Size": "torch.", "Generator": "torch.", "torch": "", "distributions": "torch.",
    }  # fmt: skip
    if top not in owners:
        return None
    try:
        find(owners[top] + name)
    except AttributeError:
        # What an instance has of its own: `weight`, `training`, `param_groups`.
        return top != "torch" and top != "Tensor"
    return True


def count(listing):
    """Print how many of the names in the first column of a file's tables are here."""
    first = [line.split("|")[1].strip() for line in listing.splitlines() if line.startswith("| `")]
    known = {name.strip("`"): resolves(name.strip("`")) for name in first}
    asked = {name: here for name, here in known.items() if here is not None}
    print(f"{sum(asked.values())} of {len(asked)} names are here")
    for name, here in asked.items():
        if not here:
            path = name.split(" ")[0].removeprefix("torch.")
            print(f"{name}: {reason_for(path) or 'not explained'}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        count(Path(sys.argv[1]).read_text("utf-8"))
    else:
        PAGE.write_text(page(surface()), "utf-8")
        print(f"{PAGE.name} of minigrad {minigrad.__version__} is written")
