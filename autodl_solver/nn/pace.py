"""Pace: how far a contract has come, and whether there is time for one more step."""

from __future__ import annotations

import math

from autodl_solver.budget import Budget

PACE_STEPS = 8
"""Steps after which it is known whether the clock or max_epochs will end the contract."""


class Pace:
    """How far a contract has come: by steps if max_steps will be reached in time, else by the clock."""

    def __init__(self, budget: Budget, max_steps: int) -> None:
        self._budget = budget
        self._start_s = budget.elapsed
        self._seconds = budget.left
        self._max_steps = max_steps
        self._step_s = 0.0
        self._by_clock = False
        self._same_since = 0, self._start_s  # steps and seconds when steps were last changed

    def look(self, n_steps: int) -> None:
        """Reads the clock after n_steps."""
        steps, seconds = self._same_since
        self._step_s = (self._budget.elapsed - seconds) / (n_steps - steps)
        if n_steps >= PACE_STEPS:
            self._by_clock |= self._step_s * self._max_steps > 0.8 * self._seconds

    def steps_left(self) -> float:
        """Steps like the latest for which there is time; infinite where not the clock will end the contract."""
        return self._budget.left / max(self._step_s, 1e-9) if self._by_clock else math.inf

    def steps_grow(self, factor: float, n_steps: int) -> None:
        """From now on each step takes so many times as long."""
        self._step_s *= factor
        self._same_since = n_steps, self._budget.elapsed

    def is_over(self, n_steps: int) -> bool:
        """Whether there is no time for one more step, or all are done."""
        return n_steps >= self._max_steps or self._budget.left <= self._step_s

    def progress(self, n_steps: int) -> float:
        """In [0, 1]."""
        if not self._by_clock:
            return n_steps / self._max_steps
        return min(1.0, (self._budget.elapsed - self._start_s) / max(self._seconds - self._step_s, 1e-9))
