"""Budget: seconds that are left, and slices of them. The only reader of a clock.

A learner is told its seconds as a Budget and asks it how far it may go; tests hand in a clock that they move
themselves. With a WorkClock nothing depends on how fast the machine is: work counts as the seconds that it takes
nominally, so the same run does the same stages again.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable

from autodl_solver.errors import InputError

UNITS_S = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
DURATION = re.compile(rf"(?:{NUMBER}d)?(?:{NUMBER}h)?(?:{NUMBER}m(?:in)?)?(?:{NUMBER}s)?", re.ASCII)


class WorkClock:
    """A clock that stands still unless work is done: whoever works says how many nominal seconds that was."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def __call__(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Goes on by nominal seconds."""
        self._seconds += max(0.0, seconds)


class StoppableClock:
    """Real time, with a switch: once it is stopped, whatever budget runs on it has expired.

    So whoever works ends as at the end of a budget, with what it has.
    """

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def __call__(self) -> float:
        return time.monotonic()

    @property
    def stopped(self) -> bool:
        """Whether it was stopped."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Ends all budgets on it; any thread may say so."""
        self._stopped.set()


class Budget:
    """A deadline on a monotonic clock.

    Args:
        seconds: how long it lasts from now; None means without end.
        clock: returns seconds that never go back.
        spent_s: seconds that had passed already, of a run that goes on.
    """

    def __init__(
        self, seconds: float | None = None, clock: Callable[[], float] = time.monotonic, spent_s: float = 0.0
    ) -> None:
        self._clock = clock
        now = clock()
        self._start = now - spent_s
        self._end = now + (math.inf if seconds is None else max(0.0, seconds))

    @property
    def elapsed(self) -> float:
        """Seconds since this budget began."""
        return self._clock() - self._start

    @property
    def left(self) -> float:
        """Seconds until the deadline, never negative; infinite without a deadline."""
        if isinstance(self._clock, StoppableClock) and self._clock.stopped:
            return 0.0
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


def parse_duration(text: str | float) -> float:
    """Seconds of a duration as people write it: "90", "90s", "5m", "1h30m", "1.5h", "2d"; a number is seconds.

    Raises:
        InputError: it is no duration, or not above 0.
    """
    if isinstance(text, str):
        compact = "".join(text.split()).lower()
        parts = DURATION.fullmatch(compact)
        if re.fullmatch(NUMBER, compact, re.ASCII):
            seconds = float(compact)
        elif compact and parts:
            seconds = sum(float(part) * unit for part, unit in zip(parts.groups("0"), UNITS_S.values(), strict=True))
        else:
            seconds = math.nan
    else:
        seconds = float(text)
    if not 0 < seconds < math.inf:
        raise InputError(
            "A time budget must be seconds above 0, or a duration such as 90s, 5m or 1h30m; however it is "
            f"{text!r:.80}; write one of these."
        )
    return seconds
