"""Learning curves made by hand, against the formula written out."""

from __future__ import annotations

from math import log

import pytest

from scoring.curve import STEP, TRAPEZOID, LearningCurve


def x(t: float, t0: float = 60.0, T: float = 1200.0) -> float:
    return log(1 + t / t0) / log(1 + T / t0)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], 0.0),  # nothing came
        ([(0, 1.0)], 1.0),  # perfect at once
        ([(1200, 1.0)], 0.0),  # perfect at the last moment
        ([(60, 0.8)], 0.8 * (1 - x(60))),  # 0 before the first prediction, held until T
        ([(5, 0.4), (60, 0.9)], 0.4 * (x(60) - x(5)) + 0.9 * (1 - x(60))),  # the latest counts
        ([(5, 0.9), (60, 0.4)], 0.9 * (x(60) - x(5)) + 0.4 * (1 - x(60))),  # also when it is worse
        ([(60, 0.9), (5, 0.4)], 0.4 * (x(60) - x(5)) + 0.9 * (1 - x(60))),  # in any order
        ([(5, 0.4), (1300, 0.9)], 0.4 * (1 - x(5))),  # after the budget: ignored
        ([(-0.5, 0.7)], 0.7),  # two clocks that disagree
        ([(10, 0.2), (10, 0.6)], 0.6 * (1 - x(10))),  # two at the same time: the latter
        ([(10, -0.5)], -0.5 * (1 - x(10))),  # worse than chance costs
    ],
)
def test_step_area_is_the_formula(points: list[tuple[float, float]], expected: float) -> None:
    assert LearningCurve(tuple(points), 1200.0, 60.0, STEP).area() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], 0.0),  # nothing came
        ([(60, 0.8)], 0.8 * x(60) / 2 + 0.8 * (1 - x(60))),  # a ramp from (0, 0), then held
        (
            [(5, 0.4), (60, 0.9)],
            0.4 * x(5) / 2 + (0.4 + 0.9) / 2 * (x(60) - x(5)) + 0.9 * (1 - x(60)),
        ),  # straight lines
        ([(5, 0.4), (1300, 0.9)], 0.4 * x(5) / 2 + 0.4 * (1 - x(5))),  # after the budget: ignored
    ],
)
def test_trapezoid_area_is_the_formula(points: list[tuple[float, float]], expected: float) -> None:
    assert LearningCurve(tuple(points), 1200.0, 60.0, TRAPEZOID).area() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("t0", "T"),
    [(60, 1200), (60, 7200), (1, 1200), (1000, 10)],  # usual, long, early seconds matter more, nearly linear
)
def test_area_holds_for_any_t0_and_budget(t0: float, T: float) -> None:
    curve = LearningCurve(((T / 10, 0.5), (T / 2, 0.7)), T, t0)
    expected = 0.5 * (x(T / 2, t0, T) - x(T / 10, t0, T)) + 0.7 * (1 - x(T / 2, t0, T))
    assert curve.area() == pytest.approx(expected, abs=1e-12)
