"""Follower: the thread that watches a run: it feeds the display, writes the page, and passes on the wish to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from autodl_solver.cli.displays import Display
from autodl_solver.cli.interrupts import Interrupts
from autodl_solver.serve.page import write_static_page

if TYPE_CHECKING:
    from autodl_solver.session import Status

logger = logging.getLogger(__name__)

TICK_S = 0.25


class Follower:
    """Watches a run while it is entered; on leaving it looks once more.

    Args:
        status: how the run stands.
        stop: ends the run soon.
        display: is shown each moment.
        interrupts: tells whether the user wants to end.
        page: file that shows the run, written anew when something changed.
        title: of the page.
    """

    def __init__(
        self,
        status: Callable[[], Status],
        stop: Callable[[], None],
        display: Display,
        interrupts: Interrupts,
        page: Path,
        title: str,
    ) -> None:
        self._status, self._stop, self._display = status, stop, display
        self._interrupts, self._page, self._title = interrupts, page, title
        self._is_stopping = False
        self._drawn: tuple[object, ...] = ()  # what the page shows
        self._can_write = True
        self._lost: OSError | None = None  # whoever read our output has left
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="follower", daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave.set()
        self._thread.join()
        self._look()
        self._display.close()
        if self._lost is not None and error is None:
            raise self._lost

    def _watch(self) -> None:
        while not self._leave.wait(TICK_S):
            self._look()

    def _look(self) -> None:
        is_asked = self._interrupts.count > 0 and not self._is_stopping
        if is_asked:
            self._is_stopping = True
            self._stop()
        status = self._status()
        self._write_page(status)
        if self._lost is not None:
            return
        try:
            if is_asked:
                self._display.tell("interrupt", "Stopping with the best so far; Ctrl-C again leaves at once.")
            self._display.show(status)
        except OSError as error:  # the run goes on without
            self._lost = error

    def _write_page(self, status: Status) -> None:
        shown = (status.state, status.stage, status.n_stages, len(status.curve))
        if not self._can_write or shown == self._drawn:
            return
        self._drawn = shown
        try:
            write_static_page(self._page, status, self._title)
        except OSError as error:
            logger.warning("The page %s cannot be written (%s); the run goes on without.", self._page, error)
            self._can_write = False
