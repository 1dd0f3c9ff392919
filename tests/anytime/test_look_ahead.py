"""What a stage is worth with what follows it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autodl_solver.anytime.forecast import Outlook
from autodl_solver.anytime.look_ahead import LookAhead, Moment, Option
from autodl_solver.anytime.stage import Stage
from autodl_solver.learners.prior import PriorLearner

NOW = Moment(elapsed_s=6.0, left_s=114.0, error=0.024, t0_s=6.0)


def option(family: str, cost_s: float, error: float = 0.02, refit_share: float = 0.0, *, lasts: bool = True) -> Option:
    """A stage that is sure to have that error, or a refit that takes a share of the answer's."""
    refit_of = f"{family} before" if refit_share else None
    stage = Stage(f"{family} {cost_s}", PriorLearner, 1, 1000, family=family, refit_of=refit_of)
    return Option(
        stage, Outlook(cost_s, 0.0, math.log(error), 0.0), refit_share=refit_share, lasts=lasts and refit_share > 0
    )


def weight_left(seconds: float) -> float:
    """Share of the log time after so many seconds more."""
    total_s = NOW.elapsed_s + NOW.left_s
    return 1 - math.log1p((NOW.elapsed_s + seconds) / NOW.t0_s) / math.log1p(total_s / NOW.t0_s)


def test_a_refit_that_lasts_takes_nothing_from_what_another_stage_gains() -> None:
    refit, other = option("trees", 0.1, refit_share=0.1), option("network", 4.0, error=0.02)
    refit_first, other_first = LookAhead([refit, other], NOW).areas()
    assert refit_first == pytest.approx(0.0024 * weight_left(0.1) + 0.004 * weight_left(4.1))
    assert other_first == pytest.approx(0.004 * weight_left(4.0) + 0.1 * 0.02 * weight_left(4.1))


def test_what_a_family_may_outgrow_is_lost_in_what_another_stage_gains() -> None:
    refit, other = option("trees", 0.1, refit_share=0.1, lasts=False), option("network", 4.0, error=0.02)
    refit_first, _ = LookAhead([refit, other], NOW).areas()
    assert refit_first == pytest.approx(0.0024 * weight_left(0.1) + 0.0016 * weight_left(4.1))


def test_what_gains_most_per_second_goes_first() -> None:
    refit, other = option("trees", 0.1, refit_share=0.03), option("network", 4.0, error=0.0235)
    areas = LookAhead([other, refit], NOW).areas()
    assert areas.argmax() == 1
    areas = LookAhead([option("network", 0.1, error=0.0235), option("trees", 4.0, refit_share=0.03)], NOW).areas()
    assert areas.argmax() == 0


def test_of_two_alike_the_second_gains_nothing() -> None:
    alone = LookAhead([option("a", 1.0)], NOW).areas()
    both = LookAhead([option("a", 1.0), option("b", 1.0)], NOW).areas()
    assert np.allclose(both, alone)


def test_what_does_not_fit_into_the_time_left_follows_nothing() -> None:
    alone = LookAhead([option("a", 1.0)], NOW).areas()
    with_late = LookAhead([option("a", 1.0), option("b", 113.5, error=0.001)], NOW).areas()
    assert with_late[0] == pytest.approx(alone[0])
