"""The schedule as a pure function: whole runs in no time."""

import math
from collections.abc import Collection

import numpy as np
import pytest

from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.schedule import Schedule, doubling
from autodl_solver.learners.prior import PriorLearner


def play(
    schedule: Schedule, n_available: int, budget_s: float, row_s: float = 1e-3, fails: Collection[str] = ()
) -> list[str]:
    """Runs a schedule against a machine that needs row_s per row; returns the stages' names."""
    history = History(n_available=n_available)
    history.y_held_out = np.zeros((0, 2))
    left = budget_s
    names = []
    while (stage := schedule(history, left)) is not None:
        n = min(stage.n_examples, n_available)
        cost = n * row_s * stage.fidelity
        record = Record(stage, n, cost, error=ValueError() if stage.name in fails else None, predict_s=0.1)
        history.records.append(record)
        names.append(stage.name)
        left -= cost + 0.1
        assert len(names) < 50, "a schedule must end"
    return names


@pytest.mark.parametrize(
    ("n_available", "budget_s", "expected"),
    [
        (5000, 1e6, ["1000@1", "5000@1", "5000@2", "5000@2 refit"]),  # all time in the world
        (20_000, 1e6, ["1000@1", "4000@1", "20000@1", "20000@2", "20000@2 refit"]),  # 16,000 are nearly all
        (800, 1e6, ["800@1", "800@2", "800@2 refit"]),  # fewer rows than the first stage asks for
        (1000, 1e6, ["1000@1", "1000@2", "1000@2 refit"]),  # exactly as many
        (5000, 6.0, ["1000@1", "1000@1 refit"]),  # 5,000 rows would not be finished in time
        (5000, 0.5, ["1000@1"]),  # no time for a second stage: the first is always tried
    ],
)
def test_ladder(n_available: int, budget_s: float, expected: list[str]) -> None:
    assert play(doubling(PriorLearner, (1, 2), 1000), n_available, budget_s) == expected


def test_rows_beyond_the_bound_are_never_asked_for() -> None:
    names = play(doubling(PriorLearner, (1,), 1000, max_n=3000), 10**6, 1e6)
    assert names == ["1000@1", "3000@1", "3000@1 refit"]


@pytest.mark.parametrize(
    ("fails", "expected"),
    [
        ({"5000@1"}, ["1000@1", "5000@1", "1000@1 refit"]),  # what worked is kept
        ({"1000@1"}, ["1000@1", "250@1", "250@1 refit"]),  # nothing worked yet: fewer rows
        ({"1000@1", "250@1", "62@1", "15@1"}, ["1000@1", "250@1", "62@1", "15@1"]),  # nothing works
        ({"5000@1", "1000@1 refit"}, ["1000@1", "5000@1", "1000@1 refit"]),  # the last one fails
    ],
)
def test_after_a_failure_less_is_asked_for(fails: set[str], expected: list[str]) -> None:
    assert play(doubling(PriorLearner, (1, 2), 1000), 5000, 1e6, fails=fails) == expected


def test_unknown_number_of_rows_is_explored_by_growth() -> None:
    history = History(n_available=None)
    schedule = doubling(PriorLearner, (1,), 100)
    first = schedule(history, math.inf)
    assert first is not None
    history.records.append(Record(first, 100, 0.1))
    second = schedule(history, math.inf)
    assert second is not None
    assert second.n_examples == 400
    assert second.continues == first.name
    history.records.append(Record(second, 250, 0.1))  # the split ended
    third = schedule(history, math.inf)
    assert third is not None
    assert third.refit


def test_same_history_same_answer() -> None:
    schedule = doubling(PriorLearner, (1, 2), 1000)
    assert schedule(History(n_available=10), 5.0) == schedule(History(n_available=10), 5.0)
