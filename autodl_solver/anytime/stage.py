"""Stage: one contract of a learner, on so many rows at such a fidelity, within so many seconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from autodl_solver.learners.base import Learner

LearnerFactory: TypeAlias = Callable[[int, int], Learner]
"""(n_classes, seed) -> an unfitted learner."""


@dataclass(frozen=True)
class Stage:
    """What to run next.

    Attributes:
        name: unique within a run.
        make_learner: makes the learner, unless the stage goes on with an earlier one.
        fidelity: how much of each example the learner sees, in the unit of the modality (pixels, frames, tokens,
            points).
        n_examples: rows of the training split it asks for, hold-out rows among them.
        seconds: its contract; the solver shortens it to what is left.
        family: name of the family (plan.py) that it is of.
        kind: of the family: those of one kind differ in settings only.
        view: of the examples, which the pipeline makes at the fidelity.
        continues: name of an earlier stage whose learner goes on; None for a new learner.
        refit_of: name of the stage that is repeated on the hold-out rows too, and so without a score of its own.
        looks: factor on the views of each row that its learner predicts from.
        restart: number of a learner that begins anew, with a seed of its own, and answers together with the one that
            the stage continues; 0 for one that goes on by itself.
        cross_fits: whether it repeats a stage in parts: its learner and others, each of which spares other rows, answer
            together, and tell how well on all rows.
    """

    name: str
    make_learner: LearnerFactory
    fidelity: int
    n_examples: int
    seconds: float = math.inf
    family: str = ""
    kind: str = ""
    view: str = ""
    continues: str | None = None
    refit_of: str | None = None
    looks: int = 1
    restart: int = 0
    cross_fits: bool = False

    @property
    def refit(self) -> bool:
        """Whether the stage learns from the hold-out rows too."""
        return self.refit_of is not None

    @property
    def begins_anew(self) -> bool:
        """Whether a learner is made for it, which may answer together with an earlier one."""
        return self.continues is None or self.restart > 0


def trained_s(stage: Stage, others: Mapping[str, Stage]) -> float:
    """Seconds of a contract and of those that it goes on with.

    Args:
        stage: of a learner that goes on for as long as it is given.
        others: stages by name, those before it among them.
    """
    total, earlier = stage.seconds, stage.continues
    while earlier is not None and earlier in others:
        total += others[earlier].seconds
        earlier = others[earlier].continues
    return total
