"""Ctrl-C during a run: the first one asks it to stop, the second one leaves at once."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType, TracebackType

SHOW_CURSOR = b"\x1b[?25h"
INTERRUPTED = 130


class Interrupts:
    """Counts the requests to end (Ctrl-C, SIGTERM) while it is entered; the program goes on until the second one.

    The second one ends the process without further ado: what the run keeps on disk is whole at any time.
    """

    def __init__(self) -> None:
        self.count = 0
        self._numbers = (signal.SIGINT, signal.SIGTERM)

    def __enter__(self) -> Interrupts:
        self._before = [signal.signal(number, self._note) for number in self._numbers]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in zip(self._numbers, self._before, strict=True):
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 1:
            if sys.stdout.isatty():
                os.write(1, SHOW_CURSOR)
            os.write(2, b"\nautodl-solver: interrupted; the same command goes on from the last stage\n")
            os._exit(INTERRUPTED)
