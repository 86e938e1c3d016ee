"""What can be said on the command line, and the checks that need no data."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Collection
from typing import Any, NoReturn

from minigrad.cli.recipe import DATASETS, MODELS, OPTIMIZERS


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all errors of the program are."""

    def error(self, message: str) -> NoReturn:
        name = self.prog.removeprefix("python -m ")
        self.exit(2, f"{name}: error: {message} (see {self.prog} --help)\n")


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole program; `run` of what it gives is the function of the command."""
    parser = Parser(
        prog="python -m minigrad",
        description="Train small networks, and use them.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(
        dest="command",
        required=True,
        metavar="train | predict | info | compile-kernels | run-as-torch",
        parser_class=Parser,
    )
    _add_train(commands)
    _add_predict(commands)
    _add_info(commands)
    _add_compile_kernels(commands)
    _add_run_as_torch(commands)
    return parser


def _add_train(commands: Any) -> None:
    train = commands.add_parser(
        "train",
        help="train a network on a data set, save and plot it",
        description="Train a network, show how it learns, save its weights and plot the result.",
        epilog="Defaults in brackets are for digits; the other data sets have their own. MNIST "
        "and Fashion-MNIST are looked for in the folder that the environment variable "
        "MINIGRAD_DATA names, then in the cache, and downloaded otherwise. NumPy's BLAS runs on "
        "one thread; OMP_NUM_THREADS in the environment says otherwise.",
        allow_abbrev=False,
    )
    train.add_argument(
        "dataset", type=one_of(DATASETS), help="what to learn: " + ", ".join(DATASETS)
    )
    train.add_argument(
        "--model", type=one_of(MODELS), metavar="MODEL", help=f"{' or '.join(MODELS)} [mlp]"
    )
    train.add_argument(
        "--hidden",
        type=sizes,
        metavar="SIZES",
        help="sizes of the hidden dense layers, such as 256,128; 0 for none [256,128]",
    )
    train.add_argument("--epochs", type=count, metavar="N", help="passes over the data in all [20]")
    train.add_argument("--batch-size", type=count, metavar="N", help="images in a step [32]")
    train.add_argument(
        "--optimizer",
        type=one_of(OPTIMIZERS),
        metavar="NAME",
        help=", ".join(OPTIMIZERS) + " [adam]",
    )
    train.add_argument(
        "--lr",
        type=rate,
        metavar="RATE",
        help="learning rate [0.002; 0.01 for adagrad, 0.02 for sgd]",
    )
    train.add_argument(
        "--lr-decay",
        type=rate,
        metavar="FACTOR",
        help="factor on the learning rate after each epoch [0.9]",
    )
    train.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N [cpu]")
    train.add_argument(
        "--compile", action="store_true", help="replay recorded steps: the same numbers, faster"
    )
    train.add_argument("--seed", type=whole, metavar="N", help="start of the random numbers [0]")
    train.add_argument("--save", metavar="PATH", help="weights [DATASET-MODEL.safetensors]")
    train.add_argument("--plot", metavar="PATH", help="curves and images [DATASET-MODEL.png]")
    train.add_argument("--resume", metavar="PATH", help="go on with the run saved in PATH")
    train.set_defaults(run=_run_train)


def _add_predict(commands: Any) -> None:
    predict = commands.add_parser(
        "predict",
        help="say what an image shows",
        description="Load the weights of a training run and say what an image shows.",
        allow_abbrev=False,
    )
    predict.add_argument("weights", help="the file that train saved")
    predict.add_argument("image", nargs="?", help="an image file")
    predict.add_argument(
        "--index", type=whole, metavar="N", help="an image of the test set, by its number"
    )
    predict.add_argument(
        "--dataset",
        type=one_of(DATASETS),
        metavar="DATASET",
        help="whose test set [the one trained on]",
    )
    predict.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N [cpu]")
    predict.set_defaults(run=_run_predict)


def _add_info(commands: Any) -> None:
    info = commands.add_parser("info", help="versions, devices, kernels and threads")
    info.set_defaults(run=_run_info)


def _add_compile_kernels(commands: Any) -> None:
    compile_kernels = commands.add_parser(
        "compile-kernels",
        help="compile the kernels ahead of time",
        description="Compile all kernels by Numba, and say where they are kept. It takes about a "
        "minute, and a second where they are there already. For the image of a container, a step "
        "of a test server, or a first run that is as fast as all others.",
        allow_abbrev=False,
    )
    compile_kernels.set_defaults(run=_run_compile_kernels)


def _add_run_as_torch(commands: Any) -> None:
    run_as_torch = commands.add_parser(
        "run-as-torch",
        help="run a program that was written for torch",
        description="Run a program that imports torch, with minigrad in torch's place. Names of "
        "torch that it spells and minigrad lacks are listed first, each with the reason.",
        allow_abbrev=False,
    )
    run_as_torch.add_argument("--check", action="store_true", help="list these names, run nothing")
    run_as_torch.add_argument("script", metavar="SCRIPT", help="the program's file")
    run_as_torch.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="...", help="what the program is given"
    )
    run_as_torch.set_defaults(run=_run_as_torch)


# Each command is imported when it runs, so that --help and errors come at once.


def _run_train(arguments: argparse.Namespace) -> int:
    from minigrad.cli.train import train

    return train(arguments)


def _run_as_torch(arguments: argparse.Namespace) -> int:
    from minigrad.cli.run_as_torch import run_as_torch

    return run_as_torch(arguments.script, arguments.arguments, check=arguments.check)


def _run_predict(arguments: argparse.Namespace) -> int:
    from minigrad.cli.predict import predict

    return predict(arguments)


def _run_info(arguments: argparse.Namespace) -> int:
    from minigrad.cli.info import info

    return info()


def _run_compile_kernels(arguments: argparse.Namespace) -> int:
    from minigrad.cli.compile_kernels import compile_kernels

    return compile_kernels()


def one_of(names: Collection[str]) -> Callable[[str], str]:
    """One of these names."""
    known = ", ".join(names)

    def name(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"'{text}' is none of {known}")
        return text

    return name


def count(text: str) -> int:
    """A positive integer."""
    return int(_number(text, int, 1, "a positive integer"))


def whole(text: str) -> int:
    """An integer that is not negative."""
    return int(_number(text, int, 0, "an integer that is not negative"))


def rate(text: str) -> float:
    """A positive finite number."""
    return float(_number(text, float, sys.float_info.min, "a positive number"))


def sizes(text: str) -> list[int]:
    """Sizes of layers, separated by commas; 0 stands for none."""
    if text == "0":
        return []
    try:
        return [count(part) for part in text.split(",")]
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a list of sizes such as 256,128 (0 for none)"
        ) from None


def _number(text: str, kind: Any, least: float, wanted: str) -> Any:
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not math.isfinite(value) or value < least:
        raise argparse.ArgumentTypeError(f"'{text}' is not {wanted}")
    return value
