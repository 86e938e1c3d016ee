"""The command: `python -m examples` lists the examples; a name or --all runs them."""

import argparse
import ast
import difflib
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
CHAPTERS = {
    "One neuron": (
        "one_neuron", "small_and_large", "perceptron", "sklearn_perceptron", "my_nn",
        "gradient_descents",
    ),
    "The parts of a network": ("activations", "losses", "learning_rate", "race"),
    "Networks from scratch": ("scalar_graph", "xor", "parabola", "spirals"),
    "Images and letters": (
        "mnist_explored", "digits", "keras_mnist", "cnn_mnist", "cnn_cifar10", "shakespeare",
    ),
    "Three faces, and the tools around them": ("three_faces", "trainer", "resume", "tuning", "gpu"),
    "More from automatic differentiation": ("custom_function", "gradient_penalty"),
}  # fmt: skip
NAMES = tuple(name for names in CHAPTERS.values() for name in names)


def title(name):
    """What an example shows: the first sentence of its docstring, on one line."""
    docstring = ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text("utf-8")))
    return " ".join(docstring.split("\n\n")[0].split())


def run(name, quick=False, out=".", **options):
    """Run an example in a process of its own; `options` are those of `subprocess.run`."""
    flags = ["--quick"] if quick else []
    command = [sys.executable, str(HERE / f"{name}.py"), *flags, "--out", str(out)]
    return subprocess.run(command, text=True, **options)


def run_all(quick, out):
    """Run every example, keep what it prints in NAME.txt beside its figure, and count failures."""
    Path(out).mkdir(parents=True, exist_ok=True)
    failures = 0
    start = time.perf_counter()
    for name in NAMES:
        print(f"{name:20}", end=" ", flush=True)
        begin = time.perf_counter()
        done = run(name, quick, out, capture_output=True)
        seconds = time.perf_counter() - begin
        (Path(out) / f"{name}.txt").write_text(done.stdout, "utf-8")
        failures += done.returncode != 0
        last = (done.stderr if done.returncode else done.stdout).rstrip().rpartition("\n")[2]
        print(f"{seconds:7.1f} s  {'FAILED: ' if done.returncode else ''}{last}", flush=True)
    seconds = time.perf_counter() - start
    print(f"{len(NAMES) - failures} of {len(NAMES)} examples ran, in {seconds:.0f} s")
    return failures


def main():
    parser = argparse.ArgumentParser(prog="python -m examples", description=__doc__)
    parser.add_argument("name", nargs="?", help="the example to run")
    parser.add_argument("--all", action="store_true", help="run every example")
    parser.add_argument("--quick", action="store_true", help="short runs: fewer samples and steps")
    parser.add_argument("--out", default=".", metavar="FOLDER", help="where figures are saved")
    options = parser.parse_args()
    if options.all and options.name:
        parser.error("give a name or --all, not both")
    if options.all:
        sys.exit(run_all(options.quick, options.out) > 0)
    if not options.name:
        for chapter, names in CHAPTERS.items():
            print(f"{chapter}:")
            for name in names:
                print(f"  {name:18} {title(name)}")
        return
    if options.name not in NAMES:
        close = difflib.get_close_matches(options.name, NAMES) or NAMES
        parser.error(f"there is no example {options.name!r}; there is {', '.join(close)}")
    sys.exit(run(options.name, options.quick, os.path.abspath(options.out)).returncode)


if __name__ == "__main__":
    main()
