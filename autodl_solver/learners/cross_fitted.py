"""Any learner, fitted on each part of the rows but one in turn: no row is spared, and each is predicted unseen.

The learners of all parts answer together, so nothing needs to be refitted.
Source: Breiman, Stacked regressions, 1996 (cross-validated predictions); van der Laan et al., Super Learner, 2007.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, Examples, take_rows
from autodl_solver.data.split import folds
from autodl_solver.learners.base import Features, Learner

N_FOLDS = 5


class CrossFittedLearner(Learner):
    """One learner for each fold, which learns the other folds.

    Args:
        n_classes: columns of the labels.
        seed: of the first learner; the others count on from it.
        make_learner: (n_classes, seed) -> the learner of a fold.
        first: learned all rows but some already, those of the first fold; None for one that has to be fitted.
        spared: [n_rows] bool, the rows that it did not learn from.

    Attributes:
        out_of_fold: [n_rows, n_classes] after fit: the prediction for each row by the learner that did not see it.
    """

    def __init__(
        self,
        n_classes: int,
        seed: int,
        make_learner: Callable[[int, int], Learner],
        first: Learner | None = None,
        spared: Array | None = None,
    ) -> None:
        super().__init__(n_classes, seed)
        self._learners = [make_learner(n_classes, seed + k) for k in range(N_FOLDS)]
        self._spared = None if first is None else spared
        if first is not None:
            self._learners[0] = first
        self.out_of_fold: Array = np.zeros((0, n_classes), np.float32)

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        fold = folds(y, N_FOLDS) if self._spared is None else _folds_beside(self._spared, y)
        self.out_of_fold = np.empty(y.shape, np.float32)
        for k, learner in enumerate(self._learners):
            inside, outside = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            if len(inside) == 0:  # fewer rows than folds, all of them in this one
                inside = outside
            learner.looks = self.looks
            if k > 0 or self._spared is None:
                learner.fit(Examples(take_rows(x, inside), y[inside]), budget.slice(budget.left / (N_FOLDS - k)))
            self.out_of_fold[outside] = learner.predict_proba(take_rows(x, outside))

    def _predict_proba(self, x: Features) -> Array:
        return np.asarray(np.mean([learner.predict_proba(x) for learner in self._learners], axis=0))


def _folds_beside(spared: Array, y: Array) -> Array:
    """[n_rows] int64: part 0 of the rows that are spared, the others cut into the other parts."""
    fold = np.zeros(len(y), np.int64)
    fold[~spared] = 1 + folds(y[~spared], N_FOLDS - 1)
    return fold
