"""`python -m tests.opdb`: every name of names.txt against PyTorch's operator database, counted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

NAMES = Path(__file__).with_name("names.txt")

DESCRIPTION = """\
Run PyTorch's operator database (torch.testing._internal.common_methods_invocations.op_db) on
minigrad: for each name every sample of every dtype is called as a function, a method, an operator
and in place, and compared with torch: values, dtypes, shapes, arguments after the call; for float64
and complex128 first and second gradients; and every error input must be refused.
"""
EPILOG = """\
examples:
  python -m tests.opdb                     all names
  python -m tests.opdb sin nn.functional.relu -v
  python -m tests.opdb --match nn. --dtype float64
  python -m tests.opdb --library torch     the harness's self test: torch against torch
The exit status is 1 if anything fails. Names need not be in names.txt: any of torch's works.
"""


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.opdb",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", help="names to run; without any, all of names.txt")
    parser.add_argument("--match", help="run the names of names.txt that contain this text")
    parser.add_argument("--dtype", action="append", help="run this dtype only (repeatable)")
    parser.add_argument(
        "--max-samples", type=int, help="at most so many samples of each entry and dtype"
    )
    parser.add_argument(
        "--reference", action="store_true", help="torch's larger set of samples, where it has one"
    )
    parser.add_argument("--library", default="minigrad", choices=("minigrad", "torch"))
    parser.add_argument("-v", "--verbose", action="store_true", help="show failures in full")
    parser.add_argument(
        "--failures", type=int, default=5, help="failures shown for a name (default 5)"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the names, print the table, return the exit status."""
    options = parsed(arguments)
    # torch takes seconds to import, so that --help does not wait for it.
    import torch

    from tests.opdb.libraries import DTYPES, LIBRARIES
    from tests.opdb.report import header, summary
    from tests.opdb.run import Settings, run_name

    torch.set_num_threads(1)
    names = options.names or NAMES.read_text(encoding="utf-8").split()
    if options.match:
        names = [name for name in names if options.match in name]
    dtypes = [getattr(torch, name) for name in options.dtype or ()]
    settings = Settings(
        dtypes=dtypes or DTYPES,
        max_samples=options.max_samples,
        reference=options.reference,
    )
    library = LIBRARIES[options.library]()
    reports = []
    print(header())
    for name in names:
        report = run_name(library, name, settings)
        reports.append(report)
        print(report.line(), flush=True)
        for failure in report.failures[: options.failures]:
            print("       " + (failure.full() if options.verbose else str(failure)))
        hidden = len(report.failures) - options.failures
        if hidden > 0:
            print(f"       and {hidden} more")
    print(summary(reports))
    return 0 if all(report.passes for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
