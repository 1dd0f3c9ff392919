"""A thread that does the work, so that whoever waits for it can keep a deadline.

NumPy, scikit-learn, LightGBM and PyTorch let go of the interpreter while they compute, so the waiting thread wakes in
time even when a learner hangs in C code; what that thread does is then nobody's concern any more. scipy.linalg does not
let go: use numpy.linalg (docs/decisions/0004).
"""

from __future__ import annotations

import atexit
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from autodl_solver.errors import AutoDLSolverError

MARGIN_S = 0.4
"""Before the end of a budget work is abandoned: what it takes to return and to write an answer."""

MARGIN_SHARE = 0.2
"""But no more than so much of what is left."""

EXIT_S = 10.0
"""The end of the process waits so long for an abandoned step: native threads that still run would abort it."""

T = TypeVar("T")
_Task: TypeAlias = "tuple[Callable[[], Any], queue.SimpleQueue[Any]] | None"


class AbandonedError(AutoDLSolverError):
    """A step did not end in time; its thread was left to itself."""


class Worker:
    """Runs one step at a time, always in the same thread, so that thread pools below it (OpenMP) stay warm.

    The thread ends with the worker.
    """

    def __init__(self) -> None:
        self._steps: queue.SimpleQueue[_Task] | None = None
        self._thread: threading.Thread | None = None

    def run(self, step: Callable[[], T], seconds: float) -> T:
        """What the step returns, or raises.

        Args:
            step: not to be relied upon after an AbandonedError: it may still be running.
            seconds: how long to wait; infinite is allowed.
        Raises:
            AbandonedError: the step has not ended by then. The next step gets a fresh thread.
        """
        if self._steps is None:
            self._steps = queue.SimpleQueue()
            self._thread = threading.Thread(target=_work, args=(self._steps,), name="autodl_solver", daemon=True)
            self._thread.start()
            weakref.finalize(self, self._steps.put, None).atexit = False
        outcome: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._steps.put((step, outcome))
        try:
            result, error = outcome.get(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX))
        except queue.Empty:
            self._steps.put(None)  # nothing will follow
            if self._thread is not None:
                atexit.register(self._thread.join, EXIT_S)
            self._steps = self._thread = None
            raise AbandonedError(f"A step must end in time; however {seconds:.2f} s were not enough.") from None
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]


def usable_s(left_s: float) -> float:
    """Seconds until work is abandoned."""
    return left_s - min(MARGIN_S, MARGIN_SHARE * left_s)


def _work(steps: queue.SimpleQueue[_Task]) -> None:
    while (task := steps.get()) is not None:
        step, outcome = task
        try:
            outcome.put((step(), None))
        except BaseException as error:  # handed to whoever waits
            outcome.put((None, error))
        del task, step, outcome  # else the data of a step that has ended lie in memory until the next one
