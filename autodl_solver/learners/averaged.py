"""Learners of one kind that began differently, and answer together: they err in different places.

Source: Lakshminarayanan, Pritzel and Blundell, Simple and scalable predictive uncertainty estimation using deep
ensembles, 2017.
"""

from __future__ import annotations

import numpy as np

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, Examples
from autodl_solver.learners.base import Features, Learner


class AveragedLearner(Learner):
    """The mean of what its members predict; fit trains the newest of them.

    Args:
        earlier: fitted; one that is averaged already brings its members.
        newest: of the same kind, with another seed.
    """

    def __init__(self, earlier: Learner, newest: Learner) -> None:
        super().__init__(newest.n_classes, newest.seed)
        before = earlier._members if isinstance(earlier, AveragedLearner) else [earlier]
        self._members: list[Learner] = [*before, newest]

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        self._members[-1].fit(Examples(x, y), budget)

    def _predict_proba(self, x: Features) -> Array:
        return np.asarray(np.mean([member.predict_proba(x) for member in self._members], axis=0))
