"""Runs of a schedule on recorded stages: no training, no clock, so that policies are compared in seconds.

What a simulated run leaves out: scores of the test split are those of the hold-out; the answer is the best stage so
far, so blending gains nothing; costs are those that a stage had when it was recorded, with the rows that had been read
and transformed before it; the schedule itself takes no time; nothing fails but for want of time.
Cost: some milliseconds a stage, most of them the schedule's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.look_ahead import RESERVE
from autodl_solver.anytime.schedule import Schedule
from autodl_solver.anytime.stage import Stage
from autodl_solver.anytime.world import World
from autodl_solver.metrics import time_weight

AnswerRule: TypeAlias = Callable[[History, float], bool]
"""(history, seconds since the latest answer, or since the start) -> whether the present answer is given."""


@dataclass(frozen=True)
class Simulated:
    """A run that was never made.

    Attributes:
        history: its stages.
        curve: (seconds, NAUC) of each answer.
        budget_s: of the run.
    """

    history: History
    curve: tuple[tuple[float, float], ...]
    budget_s: float

    def alc(self, t0_s: float) -> float:
        """Area under the learning curve over log time, a step function."""
        ends = [*self.curve, (self.budget_s, 0.0)]
        steps = (
            score * (time_weight(end, self.budget_s, t0_s) - time_weight(start, self.budget_s, t0_s))
            for (start, score), (end, _) in pairwise(ends)
        )
        return math.fsum(steps)


def simulate(schedule: Schedule, world: World, budget_s: float, gives_answer: AnswerRule | None = None) -> Simulated:
    """Plays a run as the solver would.

    Args:
        schedule: made for `world.plan`.
        world: that it plays in.
        budget_s: finite.
        gives_answer: when a better answer is given; None: at once. What is held back is given when the schedule ends.
    """
    run = _Run(world, budget_s)
    is_due = gives_answer or (lambda history, since_s: True)
    while run.left_s > 0 and (choice := schedule(run.history, run.left_s)) is not None:
        run.stage(choice.stage)
        if run.is_better and is_due(run.history, run.history.elapsed_s - run.answered_s):
            run.answer()
    if run.is_better:
        run.answer()
    return Simulated(run.history, tuple(run.curve), budget_s)


class _Run:
    """The state of a run in a world."""

    def __init__(self, world: World, budget_s: float) -> None:
        self.history = History(world.n_train)
        self.curve: list[tuple[float, float]] = []
        self.is_better = False  # than the latest answer
        self._world = world
        self._budget_s = budget_s
        self._error = 1.0
        self._contracts_s: dict[str, float] = {}  # by stage, with those that it went on with

    @property
    def answered_s(self) -> float:
        """When the latest answer came; 0 before the first."""
        return self.curve[-1][0] if self.curve else 0.0

    @property
    def left_s(self) -> float:
        """Seconds left."""
        return max(0.0, self._budget_s - self.history.elapsed_s)

    def stage(self, stage: Stage) -> None:
        """Runs a stage, or what the budget leaves of it."""
        world, history = self._world, self.history
        if math.isfinite(stage.seconds):
            own_s = max(0.0, min(stage.seconds, self.left_s - RESERVE * history.last_predict_s))
            stage = replace(stage, seconds=own_s)
            self._contracts_s[stage.name] = own_s + self._contracts_s.get(stage.continues or "", 0.0)
        contract_s = self._contracts_s.get(stage.name, 0.0)
        cost_s = world.fit_seconds(stage, contract_s)
        if math.isfinite(stage.seconds):
            cost_s += stage.seconds * world.contract_share(stage)
        record = Record(stage, world.n_rows(stage), min(cost_s, self.left_s))
        if cost_s >= self.left_s:
            record.error = TimeoutError()
        history.elapsed_s += record.fit_s
        history.records.append(record)
        if not record.failed:
            self._score(record, contract_s)

    def _score(self, record: Record, contract_s: float) -> None:
        history, share = self.history, self._world.held_out_share
        most = max(one.n_examples for one in history.records)
        record.n_held_out = 0 if record.stage.refit else max(1, round(share * most))
        spared = 0 if record.stage.refit or share == 1 else round(share * record.n_examples)
        record.n_fitted = max(1, record.n_examples - spared)
        if record.stage.refit:
            member = next(one for one in history.records if one.stage.name == record.stage.refit_of)
            is_first = not any(one.stage.refit_of == record.stage.refit_of for one in history.records[:-1])
            begins_anew = record.stage.begins_anew
            before = self._error if begins_anew else math.exp(self._world.log_error(record.stage, contract_s))
            error = before * math.exp(-self._world.refit_gain(member) * is_first)
        else:
            error = math.exp(self._world.log_error(record.stage, contract_s))
            record.score = 1 - error
        if error < self._error:
            self._error, self.is_better = error, True
            for one in history.records:
                one.weight = 0.0
            record.weight = 1.0
            if record.stage.refit:
                member.weight = 1.0
        best = [one.score for one in history.records if math.isfinite(one.score)]
        record.answer_score = max(best)

    def answer(self) -> None:
        """The test pass of the member, if there is time for it."""
        member = next(record for record in reversed(self.history.records) if record.weight > 0)
        cost_s = self._world.predict_seconds(member.stage)
        self.is_better = False
        if cost_s < self.left_s:
            self.history.elapsed_s += cost_s
            self.history.n_test = self._world.n_test
            member.predict_s = cost_s
            self.curve.append((self.history.elapsed_s, 1 - self._error))
        else:
            self.history.elapsed_s = self._budget_s
