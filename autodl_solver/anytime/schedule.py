"""What to run next: the stage with which the area under the learning curve is expected to grow most.

Each candidate (plan.py) is followed by a greedy guess of what comes after it, and the whole is judged by the area that
it adds (look_ahead.py): an expected fall of the error counts for the log time that is left once it has come. So a cheap
small gain goes first, a long stage waits until the short ones are done, and the last one ends with the budget.

A schedule is a pure function: no state, no clock. What is expected comes from forecast.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from autodl_solver.anytime.forecast import Forecast, Outlook
from autodl_solver.anytime.history import History
from autodl_solver.anytime.look_ahead import RESERVE, LookAhead, Moment, Option
from autodl_solver.anytime.plan import Family, Plan, following, is_complete, next_stages
from autodl_solver.anytime.priors import NO_PRIORS, Priors
from autodl_solver.anytime.stage import Stage
from autodl_solver.anytime.stage_entries import Expectation

T0_SHARE = 1 / 20
"""t0 as a share of the budget, which alone is told: 60 s of 1,200 s in the challenge."""

HORIZON_S = 1200.0
"""Without a budget the run is planned as if it had so many seconds, and twice as many as have passed."""

LAST_MARGIN = 0.03
"""Share of the time left that the last contract does not use."""

LAST_RESERVE = 2.0
"""Nor so many times what is needed beside it: its own test pass, and perhaps that of another new member. A refit
changes no weights, so that no other member is new: RESERVE is enough for it."""

LAST_MARGIN_S = 0.5
"""And so many seconds more."""

MIN_GAIN = 1e-5
"""Of the area: what is expected to add less is not worth running."""


@dataclass(frozen=True)
class Choice:
    """The stage to run, and what was expected of it.

    Attributes:
        stage: to run next.
        expected: of the stage, by name: score, fit_s, predict_s, gain, area, and the reason in words; may be empty.
    """

    stage: Stage
    expected: Expectation = field(default_factory=dict)


Schedule: TypeAlias = Callable[[History, float], Choice | None]
"""(history, seconds left) -> the next stage, or None when nothing is worth its cost."""


def by_gain(plan: Plan, priors: Priors = NO_PRIORS) -> Schedule:
    """The schedule of the solver.

    Args:
        plan: families of the modality; the first stage of the first one opens the run.
        priors: what they cost and bring.
    """
    families = {family.name: family for family in plan}

    def schedule(history: History, left_s: float) -> Choice | None:
        if not history.records:
            first = next_stages(plan, history, left_s)[0]
            return Choice(first, {"reason": "the first answer"})
        forecast = Forecast(priors, history)
        moment = _moment(history, left_s, forecast)
        options = _options(next_stages(plan, history, moment.left_s), families, priors, history, forecast, moment)
        if not options:
            return None
        look_ahead = LookAhead(options, moment)
        areas = look_ahead.areas()
        ranked = np.argsort(-areas, kind="stable")
        best = ranked[0]
        if areas[best] <= MIN_GAIN:
            return None
        gain = float(look_ahead.gains(moment.error)[0, best])
        rival = options[ranked[1]].stage.name if len(ranked) > 1 else None
        return Choice(options[best].stage, _expected(options[best], gain, float(areas[best]), moment.error, rival))

    return schedule


def _moment(history: History, left_s: float, forecast: Forecast) -> Moment:
    if math.isinf(left_s):
        left_s = max(HORIZON_S - history.elapsed_s, history.elapsed_s)
    t0_s = T0_SHARE * (history.elapsed_s + left_s)
    return Moment(history.elapsed_s, left_s, forecast.answer_error(), max(t0_s, 1e-6))


def _options(
    stages: Sequence[Stage],
    families: Mapping[str, Family],
    priors: Priors,
    history: History,
    forecast: Forecast,
    moment: Moment,
) -> list[Option]:
    """The candidates that would end in time, with what could follow each.

    A contract that would be shorter than what is needed beside it, for the hold-out and its test pass, is none.
    """
    outlooks = forecast.outlooks(stages)
    trimmed = [_trimmed(stage, outlook, moment.left_s) for stage, outlook in zip(stages, outlooks, strict=True)]
    later = [
        [] if stage.refit else following(families[stage.family], stage, history.n_available) for stage, _ in trimmed
    ]
    later_outlooks = iter(forecast.outlooks([one for group in later for one in group]))
    now = forecast.blend_now()
    present = {record.stage.family for record in history.records if record.weight > 0}
    options = []
    for (stage, outlook), group in zip(trimmed, later, strict=True):
        blend = now if stage.family in present else now * priors.blend
        then = tuple(Option(one, next(later_outlooks), blend) for one in group)
        repeats = stage.refit and stage.begins_anew
        share = forecast.refit_share(stage) if repeats else 0.0
        lasts = repeats and is_complete(families[stage.family], stage, history.n_available)
        option = Option(stage, outlook, blend, share, lasts, then)
        is_worth_it = stage.continues is None or stage.seconds >= outlook.cost_s - stage.seconds
        if option.needed_s < moment.left_s and is_worth_it:
            options.append(option)
    return options


def _trimmed(stage: Stage, outlook: Outlook, left_s: float) -> tuple[Stage, Outlook]:
    """A contract for all the time that is left, less what is needed besides.

    A first contract is not shortened: a network that could not have its own has no time to learn anything.
    """
    if math.isinf(stage.seconds) or stage.seconds < left_s or stage.continues is None:
        return stage, outlook
    besides_s = outlook.cost_s - stage.seconds
    reserve_s = (RESERVE if stage.refit else LAST_RESERVE) * besides_s
    seconds = max(left_s - reserve_s - LAST_MARGIN * left_s - LAST_MARGIN_S, 0.0)
    return replace(stage, seconds=seconds), replace(outlook, fit_s=outlook.fit_s - stage.seconds + seconds)


def _expected(best: Option, gain: float, area: float, error: float, rival: str | None) -> Expectation:
    """For the log: what the stage should bring, and why it was chosen."""
    reason = f"{error:.4f} - {gain:.4f} error in {best.outlook.cost_s:.2g} s"
    return {
        "score": math.nan if best.stage.refit else 1 - math.exp(best.outlook.log_error),
        "fit_s": best.outlook.fit_s,
        "predict_s": best.outlook.predict_s,
        "gain": gain,
        "area": area,
        "reason": reason if rival is None else f"{reason}; rather than {rival}",
    }
