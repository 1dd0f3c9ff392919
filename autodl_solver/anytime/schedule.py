"""What to run next: a pure function of history and budget. No state, no clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from autodl_solver.anytime.answer import members
from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.stage import LearnerFactory, Stage

Schedule: TypeAlias = Callable[[History, float], Stage | None]
"""(history, seconds left) -> the next stage, or None when nothing is worth its cost."""

GROWTH = 4
"""Each stage asks for so many times the rows of the last: all together cost a third more than the last alone."""

MIN_GROWTH = 1.5
"""The last step goes to all rows at once where less growth than that would be left."""

MIN_ROWS = 8
"""With fewer rows than that nothing is tried."""

RESERVE = 1.5
"""A stage is started if so many times its expected cost is left."""


def doubling(make_learner: LearnerFactory, fidelities: Sequence[int], first_n: int, max_n: int = 10**9) -> Schedule:
    """Growing subsets at the first fidelity up to all rows, then all rows at each further fidelity, then refits of
    the answer's members on everything.

    Args:
        make_learner: the one learner of all stages.
        fidelities: in growing order.
        first_n: rows of the first stage.
        max_n: rows that are never exceeded.
    """

    def stage(fidelity: int, n: int, continues: str | None) -> Stage:
        return Stage(f"{n}@{fidelity}", make_learner, fidelity, n, continues=continues)

    def schedule(history: History, left_s: float) -> Stage | None:
        everything = min(max_n, history.n_available if history.n_available is not None else max_n)
        if not history.records:
            return stage(fidelities[0], min(first_n, everything), None)
        last = history.records[-1]
        if last.stage.refit:
            return _refit(history, left_s)
        if last.failed:
            return after_failure(history, left_s)
        if last.stage.n_examples <= last.n_examples < everything:
            n = last.n_examples * GROWTH
            n = n if n * MIN_GROWTH <= everything else everything
            following = stage(last.stage.fidelity, n, last.stage.name)
        elif (rank := fidelities.index(last.stage.fidelity)) + 1 < len(fidelities):
            following = stage(fidelities[rank + 1], last.stage.n_examples, None)
        else:
            return _refit(history, left_s)
        failed = {record.stage.name for record in history.records if record.failed}
        if following.name in failed or _expected_s(last, following) * RESERVE >= left_s:
            return _refit(history, left_s)
        return following

    def after_failure(history: History, left_s: float) -> Stage | None:
        """More would fail as well: what worked is done with all rows, and while nothing worked fewer rows are tried."""
        n = history.records[-1].stage.n_examples // GROWTH
        if history.champion() is not None:
            return _refit(history, left_s)
        return stage(fidelities[0], n, None) if n >= MIN_ROWS else None

    return schedule


def _refit(history: History, left_s: float) -> Stage | None:
    """The weightiest member of the answer that was not yet repeated on the hold-out rows too, if there is time."""
    tried = {record.stage.refit_of for record in history.records}
    for member in sorted(members(history), key=lambda member: -member.weight):
        stage = member.record.stage
        if not stage.refit and stage.name not in tried and _expected_s(member.record, stage) * RESERVE < left_s:
            return Stage(
                f"{stage.name} refit", stage.make_learner, stage.fidelity, stage.n_examples, refit_of=stage.name
            )
    return None


def _expected_s(last: Record, following: Stage) -> float:
    """Seconds that the next stage should take: fitting grows with rows and fidelity, the test pass with fidelity."""
    detail = following.fidelity / last.stage.fidelity
    rows = following.n_examples / max(last.n_examples, 1)
    predict_s = 0.0 if math.isnan(last.predict_s) else last.predict_s
    return last.fit_s * rows * detail + predict_s * detail
