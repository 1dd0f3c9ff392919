"""Guard: the one place that forgives. A step that raises, or does not end in time, leaves what was there before."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal, TypeVar

from autodl_solver.anytime.history import Record
from autodl_solver.anytime.worker import AbandonedError, Worker

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Guard:
    """Runs the steps of a solver in a thread of their own, so that whoever waits can keep a deadline.

    Args:
        on_error: "log" forgives a step that raises; "raise" (tests) does not.

    Attributes:
        abandoned: whether a stage was left running: its thread may hold learners and rows that others would need.
    """

    def __init__(self, on_error: Literal["log", "raise"]) -> None:
        self._on_error = on_error
        self._worker = Worker()
        self.abandoned = False

    def waiting(self, step: Callable[[], T], seconds: float) -> T:
        """What the step returns, or raises; AbandonedError if it has not ended by then."""
        return self._worker.run(step, seconds)

    def forgiving(self, what: str, step: Callable[[], T], seconds: float, record: Record | None = None) -> T | None:
        """What the step returns; None if it raises or overruns, and then the record is marked as failed."""
        failure: BaseException
        try:
            return self._worker.run(step, seconds)
        except AbandonedError as error:
            failure = error
            self.abandoned |= record is not None
            logger.warning("The %s did not end in time; what was there before stands.", what)
        except Exception as error:
            failure = error
            logger.exception("The %s failed; what was there before stands.", what)
            if self._on_error == "raise":
                raise
        if record is not None:
            record.error = failure
        return None
