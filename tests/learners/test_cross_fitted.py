"""No row is spared, and none is scored by a learner that saw it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, Examples
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.cross_fitted import N_FOLDS, CrossFittedLearner
from autodl_solver.learners.linear import LinearLearner
from autodl_solver.metrics import nauc


class Remembering(Learner):
    """Knows the rows it was fitted on, and nothing else: 1 for those, 0 for others."""

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        self._seen = {float(row[0]) for row in x}

    def _predict_proba(self, x: Features) -> Array:
        return np.array([[float(row[0]) in self._seen] * self.n_classes for row in x], np.float32)


@pytest.mark.parametrize("n_rows", [1, 2, 7, 40])
def test_no_row_is_predicted_by_a_learner_that_saw_it(n_rows: int) -> None:
    x, y = np.arange(n_rows, dtype=np.float32)[:, None], np.eye(2, dtype=np.float32)[np.arange(n_rows) % 2]
    learner = CrossFittedLearner(2, 0, Remembering)
    learner.looks = 3
    learner.fit(Examples(x, y), Budget())
    assert {one.looks for one in learner._learners} == {3}
    assert learner.out_of_fold.shape == y.shape
    if n_rows >= N_FOLDS:
        assert (learner.out_of_fold == 0).all()
        assert learner.predict_proba(x) == pytest.approx((N_FOLDS - 1) / N_FOLDS)


def test_a_learner_that_spared_some_rows_already_is_the_first_part() -> None:
    x, y = np.arange(40, dtype=np.float32)[:, None], np.eye(2, dtype=np.float32)[np.arange(40) % 2]
    spared = np.arange(40) % 7 == 3
    first = Remembering(2, 0)
    first.fit(Examples(x[~spared], y[~spared]), Budget())
    learner = CrossFittedLearner(2, 0, Remembering, first, spared)
    learner.fit(Examples(x, y), Budget())
    assert (learner.out_of_fold == 0).all()
    assert (first.predict_proba(x[spared]) == 0).all()  # it learned nothing more
    assert learner.predict_proba(x) == pytest.approx((N_FOLDS - 1) / N_FOLDS)


def test_the_estimate_is_that_of_unseen_rows() -> None:
    x, labels = load_breast_cancer(return_X_y=True)
    x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[labels]
    learner = CrossFittedLearner(2, 0, LinearLearner)
    learner.fit(Examples(x[:100], y[:100]), Budget())
    unseen = nauc(y[100:], learner.predict_proba(x[100:]))
    assert nauc(y[:100], learner.out_of_fold) == pytest.approx(unseen, abs=0.04)
