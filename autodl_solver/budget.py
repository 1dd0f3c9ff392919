"""Budget: seconds that are left, and slices of them. The only reader of a clock.

A learner is told its seconds as a Budget and asks it how far it may go; tests hand in a clock that they move
themselves.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Budget:
    """A deadline on a monotonic clock.

    Args:
        seconds: how long it lasts from now; None means without end.
        clock: returns seconds that never go back.
    """

    def __init__(self, seconds: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self._end = self._start + (math.inf if seconds is None else max(0.0, seconds))

    @property
    def elapsed(self) -> float:
        """Seconds since this budget began."""
        return self._clock() - self._start

    @property
    def left(self) -> float:
        """Seconds until the deadline, never negative; infinite without a deadline."""
        return max(0.0, self._end - self._clock())

    @property
    def expired(self) -> bool:
        """Whether the deadline has come."""
        return self.left == 0.0

    def slice(self, seconds: float) -> Budget:
        """A budget of `seconds` from now, which never outlasts this one."""
        return Budget(min(seconds, self.left), self._clock)
