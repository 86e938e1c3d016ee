"""Writes the tables of docs/numpy.md: `python docs/make_numpy.py`."""

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # this tree's package, installed or not

import numpy

from minigrad import numpy as face
from minigrad.numpy.absent import ABSENT

PAGE = Path(__file__).with_name("numpy.md")
MARK = "<!-- names -->\n"

# What a function does otherwise than NumPy's of the same name.
DIFFERS = {
    "argpartition": "the positions are those of argsort",
    "array": "C order only; no objects, texts or dates",
    "asarray": "C order only; no objects, texts or dates",
    "bitwise_count": "no derivative, as for all functions of bits",
    "cbrt": "within a few units in the last place",
    "empty": "the elements are zero",
    "empty_like": "the elements are zero",
    "frexp": "the derivative is that between two powers of 2",
    "geomspace": "bounds carry no gradient",
    "histogram": "only weights carry a gradient",
    "linalg.eig": "always complex, as the Array API standard has it",
    "linalg.eigvals": "always complex, as the Array API standard has it",
    "linalg.lstsq": "the rank is a Python integer",
    "linalg.matrix_rank": "no gradient goes through",
    "linalg.qr": "no mode 'raw'",
    "maximum": "complex numbers have no order; equal elements share the gradient evenly",
    "minimum": "complex numbers have no order; equal elements share the gradient evenly",
    "max": "complex numbers have no order; equal elements share the gradient evenly",
    "min": "complex numbers have no order; equal elements share the gradient evenly",
    "nan_to_num": "always a copy",
    "ndarray": "a Tensor; results of no dimensions are arrays, never NumPy's scalars",
    "nextafter": "no derivative: refuses arrays that require a gradient",
    "pad": "modes constant, edge, reflect, symmetric, wrap",
    "partition": "sorts wholly",
    "quantile": "no weights; the discontinuous methods but inverted_cdf are absent",
    "r_": "no directives in text",
    "c_": "no directives in text",
    "resize": "the function, not the method",
    "spacing": "no derivative: refuses arrays that require a gradient",
    "std": "the gradient is 0 where nothing varies",
    "unique": "the elements carry gradients",
    "unique_values": "always in order",
}


def spaces():
    """The namespaces: how they are written, ours, NumPy's, and NumPy's names."""
    yield "", face, numpy, [name for name in dir(numpy) if not name.startswith("_")]
    for part in ("linalg", "fft"):
        theirs = importlib.import_module(f"numpy.{part}")
        yield f"{part}.", getattr(face, part), theirs, sorted(theirs.__all__)


def table():
    same, differs, absent = [], [], []
    for prefix, ours, _, names in spaces():
        for name in names:
            path = prefix + name
            if not hasattr(ours, name):
                absent.append((path, ABSENT[name]))
            elif path in DIFFERS:
                differs.append((path, DIFFERS[path]))
            else:
                same.append(path)
    total = len(same) + len(differs) + len(absent)
    lines = [
        f"Of NumPy's {total} public names {len(same)} are the same, {len(differs)} differ as said "
        f"here, and {len(absent)} are absent.\n",
        "### The same\n",
        ", ".join(f"`{name}`" for name in same) + ".\n",
        "### Differs\n",
        "| name | how |",
        "|---|---|",
        *(f"| `{name}` | {how} |" for name, how in sorted(differs)),
        "",
        "### Absent\n",
        "| names | why |",
        "|---|---|",
    ]
    for reason in dict.fromkeys(why for _, why in absent):
        names = ", ".join(f"`{name}`" for name, why in absent if why == reason)
        lines.append(f"| {names} | {reason} |")
    return "\n".join(lines) + "\n"


def page():
    """The page as it is, with the tables made anew."""
    before, _, rest = PAGE.read_text("utf-8").partition(MARK)
    _, _, after = rest.partition(MARK)
    return before + MARK + table() + MARK + after


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"{PAGE.name}: {len(page().splitlines())} lines")
