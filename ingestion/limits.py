"""The clock of the budget, and the alarm that interrupts a model at the end of its time.

The alarm interrupts Python code. A model that is deep in C code, or that blocks or swallows the alarm, is left to the
watchdog. Where the system has no SIGALRM (Windows), the watchdog is all there is.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ingestion.errors import BudgetExceededError

_REPEAT_S = 0.5  # the alarm rings again, because Python drops an exception that is raised in a destructor or callback
_MIN_ALARM_S = 1e-3  # less may be rounded to 0, which means no alarm at all


class BudgetClock:
    """Starts with the budget.

    Attributes:
        start_time: seconds since 1970.
    """

    def __init__(self, budget_s: float) -> None:
        self.start_time = time.time()
        self._start = time.monotonic()
        self._budget_s = budget_s

    def remaining_s(self) -> float:
        """Seconds left; negative once the budget is over."""
        return self._budget_s - (time.monotonic() - self._start)

    def timestamp(self) -> float:
        """Now, in seconds since 1970, unmoved by a correction of the system clock during the run."""
        return self.start_time + time.monotonic() - self._start


@contextmanager
def time_limit(seconds: float, activity: str) -> Iterator[None]:
    """Raise in the body once `seconds` have passed.

    Args:
        seconds: must be positive.
        activity: names the body in the error, for example "train".
    Raises:
        BudgetExceededError: the time is over.
    """

    def interrupt(_signal_number: int, _frame: FrameType | None) -> None:
        raise BudgetExceededError(
            f"{activity} must return within the time it is told, however it was still busy after {seconds:.2f} s"
        )

    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, _MIN_ALARM_S), _REPEAT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
