"""SavedRun: what a run has learned so far, in a form that outlives it; another solver goes on from there.

A stage is made by its family, so what makes its learner is not saved: the plan of the new run tells it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.plan import Plan
from autodl_solver.anytime.stage import Stage
from autodl_solver.data.examples import Array
from autodl_solver.errors import ModelFileError
from autodl_solver.learners.base import Learner


class FailedBeforeError(Exception):
    """What a stage of an earlier run raised, in words."""


@dataclass(frozen=True)
class SavedRun:
    """A run between two stages.

    Attributes:
        elapsed_s: since its first stage began, pauses left out.
        records: of each stage its Record as plain values; see `fields_of`.
        y_held_out: see History.
        learners: of the stages that may still be needed, by stage name.
    """

    elapsed_s: float
    records: tuple[Mapping[str, Any], ...]
    y_held_out: Array | None
    learners: Mapping[str, Learner]

    @classmethod
    def of(cls, history: History, elapsed_s: float, learners: Mapping[str, Learner]) -> SavedRun:
        """What is to be kept of a run."""
        records = tuple(fields_of(record) for record in history.records)
        return cls(elapsed_s, records, history.y_held_out, dict(learners))

    def records_of(self, plan: Plan) -> list[Record]:
        """The records, with stages of this plan.

        Raises:
            ModelFileError: a stage is of a family that the plan does not hold.
        """
        makers = {family.name: family.make_learner for family in plan}
        records = []
        for saved in self.records:
            values = dict(saved)
            stage, error = dict(values.pop("stage")), values.pop("error")
            if stage["family"] not in makers:
                raise ModelFileError(
                    f"A run goes on with the learners it began with; however this version has none named "
                    f"{stage['family']!r}; begin a new run."
                )
            record = Record(Stage(make_learner=makers[stage["family"]], **stage), **values)
            record.error = None if error is None else FailedBeforeError(error)
            records.append(record)
        return records


def fields_of(record: Record) -> dict[str, Any]:
    """A record as plain values and arrays; the stage without what makes its learner, the error in words."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    stage = record.stage
    values["stage"] = {
        field.name: getattr(stage, field.name) for field in fields(stage) if field.name != "make_learner"
    }
    values["error"] = None if record.error is None else f"{type(record.error).__name__}: {record.error}"
    return values
