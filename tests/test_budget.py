"""Budgets on a clock that the test moves."""

import math

import pytest

from autodl_solver.budget import Budget, WorkClock, parse_duration
from autodl_solver.errors import InputError


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


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),  # seconds, as a command line hands them over
        (90, 90.0),
        (0.5, 0.5),
        ("90s", 90.0),
        ("5m", 300.0),
        ("5min", 300.0),
        ("1h30m", 5400.0),
        ("1h 30m 5s", 5405.0),  # with spaces
        ("1.5H", 5400.0),  # fractions, capitals
        (".5m", 30.0),
        ("2d", 172800.0),
    ],
)
def test_durations_are_read_as_people_write_them(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "0s",
        "-5",
        "5x",
        "m",
        "1h30",
        "30m1h",
        "1m1m",
        "nan",
        "inf",
        "1e3",
        "٣m",
        ".",
        math.nan,
        math.inf,
        -1,
    ],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str | float) -> None:
    with pytest.raises(InputError, match="such as 90s, 5m or 1h30m; however it is"):
        parse_duration(text)
