"""History: what has run, at what cost, with what hold-out score; and whose predictions to trust."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from autodl_solver.anytime.stage import Stage
from autodl_solver.data.examples import Array
from autodl_solver.metrics import nauc

NOISE, DOUBTFUL_ROWS = 0.7, 5.0
"""A factor, and how many more rows might be wrong: with these members of tables were weighed best, by 20 to 4,000 rows
(docs/experiments.md)."""


@dataclass(eq=False)
class Record:
    """One stage that ran.

    Attributes:
        stage: what was asked for.
        n_examples: rows of the training split that it got.
        fit_s: seconds of reading, transforming, fitting and scoring.
        held_out: [n_held_out, n_classes] predictions for the hold-out rows among its rows, None after a failure or a
            refit.
        score: NAUC on those rows; nan where there is none.
        error: why it failed; None if it did not.
        predict_s: seconds of its pass over the test split; nan until there was one.
        n_held_out: hold-out rows that it was scored on.
        n_fitted: rows that the learner learned from: all of them after a refit, or where the estimate is cross-fitted.
        weight: its share of the answer after it ran, and since.
        answer_score: NAUC of the answer on the hold-out right after this stage; nan where there is none.
        retired: whether its learner is gone, so that it cannot be a member again.
        started_s: seconds since the first call of train.
        out_of_fold: [n_examples, n_classes] predictions for all rows of the split, each by a learner that did not see
            it, where a stage was repeated in parts; else None.
    """

    stage: Stage
    n_examples: int
    fit_s: float
    held_out: Array | None = None
    score: float = math.nan
    error: BaseException | None = None
    predict_s: float = math.nan
    n_held_out: int = 0
    n_fitted: int = 0
    weight: float = 0.0
    answer_score: float = math.nan
    retired: bool = False
    started_s: float = 0.0
    out_of_fold: Array | None = None

    @property
    def failed(self) -> bool:
        """Whether fitting, scoring or predicting raised, or was abandoned."""
        return self.error is not None

    def scored(self, y: Array, held_out: Array) -> None:
        """Takes predictions for the hold-out rows, with the labels y, both [n_held_out, n_classes]."""
        self.held_out, self.n_held_out, self.score = held_out, len(held_out), nauc(y, held_out)


@dataclass
class History:
    """The stages so far, and the labels of the hold-out, which grows with the stream.

    Attributes:
        n_available: rows of the training split; None until it is known.
        records: in the order of running.
        y_held_out: [n_held_out, n_classes] of all hold-out rows seen so far, in stream order.
        y: [n_available, n_classes] of all rows, once a stage was repeated in parts.
        n_test: rows of the test split; 0 until it is known.
        elapsed_s: seconds since the first call of train, when the schedule is asked.
    """

    n_available: int | None = None
    records: list[Record] = field(default_factory=list)
    y_held_out: Array | None = None
    y: Array | None = None
    n_test: int = 0
    elapsed_s: float = 0.0

    @property
    def answer_score(self) -> float:
        """NAUC of the present answer on the hold-out; nan while there is none or nothing can tell."""
        scores = [record.answer_score for record in self.records if math.isfinite(record.answer_score)]
        return scores[-1] if scores else math.nan

    @property
    def last_predict_s(self) -> float:
        """Seconds of the latest pass over the test split; 0 while there was none."""
        costs = [record.predict_s for record in self.records if not math.isnan(record.predict_s)]
        return costs[-1] if costs else 0.0

    def champion(self) -> Record | None:
        """The record whose learner predicts.

        Records are compared on the hold-out rows that both have seen: those of the earlier are the first rows of the
        later. The later one saw more rows or more detail, so it is preferred unless it is worse by more than the noise
        of the estimate.
        """
        champion: Record | None = None
        for record in self.records:
            if not record.failed and not record.retired and (champion is None or self._replaces(record, champion)):
                champion = record
        return champion

    def _replaces(self, later: Record, earlier: Record) -> bool:
        if later.stage.refit or later.held_out is None or earlier.held_out is None or self.y_held_out is None:
            return True
        n_shared = min(len(later.held_out), len(earlier.held_out))
        y = self.y_held_out[:n_shared]
        before = nauc(y, earlier.held_out[:n_shared])
        gain = nauc(y, later.held_out[:n_shared]) - before
        return math.isnan(gain) or gain >= -noise_of_nauc(n_shared, before)


def noise_of_nauc(n_rows: int, score: float) -> float:
    """About one standard error of a NAUC difference between two related predictions.

    The wrong pairs of a good prediction are few, so their number is known better: the error falls with the root of
    1 - NAUC, of which a few rows more might be wrong.
    Source: Hanley and McNeil, The meaning and use of the area under a receiver operating characteristic (ROC) curve,
    Radiology 1982.

    Args:
        n_rows: that both were scored on.
        score: NAUC of the one that the other is compared with.
    """
    n_rows = max(n_rows, 1)
    return NOISE * math.sqrt((1 - score + DOUBTFUL_ROWS / n_rows) / n_rows)
