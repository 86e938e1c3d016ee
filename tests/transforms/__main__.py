"""`python -m tests.transforms`: every transform on the operators of torch's database, counted."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

NAMES = Path(__file__).parent.parent / "opdb" / "names.txt"


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run the names and print what differs; 1 if anything does."""
    parser = argparse.ArgumentParser(prog="python -m tests.transforms", description=__doc__)
    parser.add_argument("names", nargs="*", help="names to run; without any, all of names.txt")
    parser.add_argument("--samples", type=int, default=4, help="samples of each entry (4)")
    parser.add_argument("--dtype", action="append", help="float64 or complex128; both without")
    parser.add_argument("--check", help="run only the checks whose name holds this")
    parser.add_argument("--from", dest="start", help="begin with this name")
    parser.add_argument("-v", "--verbose", action="store_true", help="show where it failed")
    options = parser.parse_args()
    import torch

    from tests.transforms.run import failures_of

    names = options.names or NAMES.read_text("utf-8").split()
    if options.start:
        names = [name for name in names if name >= options.start]
    kinds = [getattr(torch, kind) for kind in options.dtype or ("float64", "complex128")]
    counts: Counter[str] = Counter()
    warnings.simplefilter("ignore")
    for name in names:
        start = time.perf_counter()
        failed: Counter[str] = Counter()
        for check, problem, trace in failures_of(
            name, kinds, options.samples, options.check, counts
        ):
            failed[check] += 1
            if failed[check] == 1:
                say(f"{name}: {check}: {problem.splitlines()[0]}")
                if options.verbose and trace is not None:
                    traceback.print_exception(trace)
        counts["names that pass" if not failed else "names that fail"] += 1
        seconds = time.perf_counter() - start
        if seconds > 20:
            say(f"{name}: {seconds:.0f} s")
    say(str(dict(counts)))
    return 1 if counts["names that fail"] else 0


if __name__ == "__main__":
    sys.exit(main())
