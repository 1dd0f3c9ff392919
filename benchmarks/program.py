"""How the programs of the benchmark end: exit codes, Ctrl-C, errors that their user can read."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType

from benchmarks.errors import BenchmarkError


def exit_code_of(program: str, work: Callable[[], bool]) -> int:
    """Do the work: 0 if it says that all is done, 1 if not or after a BenchmarkError, 130 after Ctrl-C or SIGTERM.

    Args:
        program: its name, for errors.
        work: says whether all runs have a result; finds its results again when it is called once more.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return 0 if work() else 1
    except KeyboardInterrupt:
        print("Interrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    except BenchmarkError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Treat a request to end as Ctrl-C, so that the run of the moment is ended and what is done is written."""
    raise KeyboardInterrupt
