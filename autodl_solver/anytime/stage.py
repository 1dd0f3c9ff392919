"""Stage: one contract of a learner, on so many rows at such a fidelity, within so many seconds."""

from __future__ import annotations

import math
from collections.abc import Callable
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

    @property
    def refit(self) -> bool:
        """Whether the stage learns from the hold-out rows too."""
        return self.refit_of is not None
