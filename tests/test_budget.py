"""Budgets on a clock that the test moves."""

import math

import pytest

from autodl_solver.budget import Budget, WorkClock


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_left_counts_down_to_zero_and_stays_there() -> None:
    clock = FakeClock()
    budget = Budget(10, clock)
    clock.now += 4
    assert (budget.elapsed, budget.left, budget.expired) == (4, 6, False)
    clock.now += 7
    assert (budget.elapsed, budget.left, budget.expired) == (11, 0, True)


@pytest.mark.parametrize(
    ("seconds", "left"),
    [
        (3.0, 3.0),  # a part of it
        (30.0, 10.0),  # more than remains
        (math.inf, 10.0),  # all that remains
        (-1.0, 0.0),  # a reserve larger than what remains
    ],
)
def test_slice_never_exceeds_what_remains(seconds: float, left: float) -> None:
    clock = FakeClock()
    part = Budget(10, clock).slice(seconds)
    assert part.left == left
    clock.now += 20
    assert part.expired


def test_without_seconds_it_never_ends() -> None:
    budget = Budget(None)
    assert budget.left == math.inf
    assert not budget.expired
    assert budget.slice(5).left <= 5


def test_a_work_clock_counts_what_was_spent_and_a_clock_of_seconds_does_not() -> None:
    work, seconds = Budget(10, WorkClock()), Budget(10, FakeClock())
    for budget in (work, seconds):
        part = budget.slice(4)
        part.spend(3)
        assert part.left == (1 if budget is work else 4)
    assert (work.elapsed, seconds.elapsed) == (3, 0)
