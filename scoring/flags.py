"""Command-line flags as the challenge writes them: one dash or two, `=` or a space before the value."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable


def flag_adder(parser: argparse.ArgumentParser) -> Callable[..., None]:
    """A function like `parser.add_argument` that gives a flag both spellings, `-name` and `--name`."""

    def add(name: str, **options: object) -> None:
        parser.add_argument(f"--{name}", f"-{name}", **options)  # type: ignore[arg-type]

    return add


def positive_seconds(text: str) -> float:
    """A flag's value in seconds: a finite number above 0."""
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a positive number of seconds, however it is {text}")
    return value
