"""Budget: seconds that are left, and slices of them. The only reader of a clock.

A learner is told its seconds as a Budget and asks it how far it may go; tests hand in a clock that they move
themselves. With a WorkClock nothing depends on how fast the machine is: work counts as the seconds that it takes
nominally, so the same run does the same stages again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class WorkClock:
    """A clock that stands still unless work is done: whoever works says how many nominal seconds that was."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def __call__(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Goes on by nominal seconds."""
        self._seconds += max(0.0, seconds)


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

    def spend(self, nominal_s: float) -> None:
        """Says that work was done which nominally takes so long; counts on a WorkClock only."""
        if isinstance(self._clock, WorkClock):
            self._clock.advance(nominal_s)
