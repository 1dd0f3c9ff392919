"""What to run next: the stage with which the area under the learning curve is expected to grow most.

Each candidate (plan.py) is followed by a greedy guess of what comes after it, and the whole is judged by the area that
it adds: an expected fall of the error counts for the log time that is left once it has come. So a cheap small gain goes
first, a long stage waits until the short ones are done, and the last one ends with the budget.

A schedule is a pure function: no state, no clock. What is expected comes from forecast.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from autodl_solver.anytime.forecast import Forecast, Outlook
from autodl_solver.anytime.history import History
from autodl_solver.anytime.plan import Family, Plan, following, next_stages
from autodl_solver.anytime.priors import NO_PRIORS, Priors
from autodl_solver.anytime.stage import Stage
from autodl_solver.anytime.stage_entries import Expectation
from autodl_solver.metrics import time_weight

RESERVE = 1.5
"""A stage is started if so many times its expected cost is left."""

T0_SHARE = 1 / 20
"""t0 as a share of the budget, which alone is told: 60 s of 1,200 s in the challenge."""

HORIZON_S = 1200.0
"""Without a budget the run is planned as if it had so many seconds, and twice as many as have passed."""

LOOK_AHEAD = 4
"""Stages of the greedy guess behind each candidate."""

LAST_MARGIN = 0.02
"""Share of the time left that the last contract does not use."""

MIN_GAIN = 2e-5
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
        moment = _Moment.of(history, left_s, forecast.answer_error())
        options = _options(next_stages(plan, history, moment.left_s), families, priors, history, forecast, moment)
        ranked = sorted(options, key=lambda option: -_area(option, options, moment))
        if not ranked:
            return None
        best, area = ranked[0], _area(ranked[0], options, moment)
        return Choice(best.stage, _expected(best, area, ranked[1:], moment)) if area > MIN_GAIN else None

    return schedule


@dataclass(frozen=True)
class _Moment:
    """Where the run stands: seconds that have passed and that are left, and the error of the answer."""

    elapsed_s: float
    left_s: float
    error: float

    @classmethod
    def of(cls, history: History, left_s: float, error: float) -> _Moment:
        if math.isinf(left_s):
            left_s = max(HORIZON_S - history.elapsed_s, history.elapsed_s)
        return cls(history.elapsed_s, left_s, error)

    def after(self, option: _Option) -> _Moment:
        """The moment at which the option's answer is there."""
        cost_s = option.outlook.cost_s
        gain = option.gain(self.error)
        return _Moment(self.elapsed_s + cost_s, self.left_s - cost_s, self.error - gain)

    def worth(self, option: _Option) -> float:
        """What the option adds to the area: its gain, for the log time left once its answer is there."""
        total_s = self.elapsed_s + self.left_s
        return option.gain(self.error) * (
            1 - time_weight(self.elapsed_s + option.outlook.cost_s, total_s, total_s * T0_SHARE)
        )

    def admits(self, option: _Option) -> bool:
        """Whether the option would end in time, even if what is not its contract took longer than expected."""
        contract_s = option.stage.seconds if math.isfinite(option.stage.seconds) else 0.0
        return contract_s + RESERVE * (option.outlook.cost_s - contract_s) < self.left_s


@dataclass(frozen=True)
class _Option:
    """A candidate; `then`: what its family could go on with."""

    stage: Stage
    outlook: Outlook
    blend: float
    refit_share: float
    then: tuple[_Option, ...] = ()

    def gain(self, error: float) -> float:
        """Expected fall of the answer's error; that of a refit is a share of it."""
        return error * self.refit_share if self.stage.refit else self.outlook.gain(error, self.blend)


def _options(
    stages: Sequence[Stage],
    families: Mapping[str, Family],
    priors: Priors,
    history: History,
    forecast: Forecast,
    moment: _Moment,
) -> list[_Option]:
    outlooks = forecast.outlooks(stages)
    trimmed = [_trimmed(stage, outlook, moment.left_s) for stage, outlook in zip(stages, outlooks, strict=True)]
    later = [
        [] if stage.refit else following(families[stage.family], stage, history.n_available) for stage, _ in trimmed
    ]
    later_outlooks = iter(forecast.outlooks([one for group in later for one in group]))
    now, of_newcomer = forecast.blend_now(), priors.blend
    present = {record.stage.family for record in history.records if record.weight > 0}
    options = []
    for (stage, outlook), group in zip(trimmed, later, strict=True):
        blend = now if stage.family in present else now * of_newcomer
        then = tuple(_Option(one, next(later_outlooks), blend, 0.0) for one in group)
        share = forecast.refit_share(stage) if stage.refit else 0.0
        option = _Option(stage, outlook, blend, share, then)
        if moment.admits(option):
            options.append(option)
    return options


def _trimmed(stage: Stage, outlook: Outlook, left_s: float) -> tuple[Stage, Outlook]:
    """A contract for all the time that is left, less what is needed besides."""
    if math.isinf(stage.seconds) or stage.seconds < left_s:
        return stage, outlook
    besides_s = outlook.cost_s - stage.seconds
    seconds = max(left_s - (RESERVE + 0.01) * besides_s - LAST_MARGIN * left_s, 0.0)
    return replace(stage, seconds=seconds), replace(outlook, fit_s=outlook.fit_s - stage.seconds + seconds)


def _area(first: _Option, options: Sequence[_Option], moment: _Moment) -> float:
    """What an option and a greedy guess of the stages behind it add to the area."""
    area, open_options, chosen = 0.0, list(options), first
    for _ in range(LOOK_AHEAD):
        area += moment.worth(chosen)
        moment = moment.after(chosen)
        rivals = [one for one in open_options if one.stage.family != chosen.stage.family or one.stage.refit]
        open_options = [one for one in [*rivals, *chosen.then] if one is not chosen]
        admitted = [one for one in open_options if moment.admits(one)]
        if not admitted:
            break
        chosen = max(admitted, key=lambda one: moment.worth(one) / max(one.outlook.cost_s, 1e-3))
    return area


def _expected(best: _Option, area: float, others: Sequence[_Option], moment: _Moment) -> Expectation:
    gain = best.gain(moment.error)
    reason = f"{moment.error:.4f} - {gain:.4f} error in {best.outlook.cost_s:.2g} s"
    if others:
        reason += f"; rather than {others[0].stage.name}"
    score = math.nan if best.stage.refit else 1 - math.exp(best.outlook.log_error)
    return {
        "score": score,
        "fit_s": best.outlook.fit_s,
        "predict_s": best.outlook.predict_s,
        "gain": gain,
        "area": area,
        "reason": reason,
    }
