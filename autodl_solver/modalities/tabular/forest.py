"""Forests of fully grown trees: slower than boosting to be good, but other errors, which is what a blend asks for.

Trees regress on the labels: on 0/1 labels the squared error is the Gini impurity, so the same forest serves one label a
row, several, and shares of labels. Trees are added in chunks until the budget ends.
Sources: Breiman, Random Forests, Machine Learning 2001; Geurts, Ernst and Wehenkel, Extremely randomized trees, 2006.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import sparse
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.boosting import n_threads

CHUNK = 10
"""Trees between two looks at the clock."""

SAFETY = 1.3
"""A chunk is begun when the slowest so far would fit this many times into what is left."""

FIRST_CHUNK = 2
"""Both cores grow one tree each, which tells what a tree costs."""

MOST_LEAVES = 6_000_000
"""Of all trees, if each row had a leaf of its own: about a gigabyte."""

KINDS = {"extra": ExtraTreesRegressor, "random": RandomForestRegressor}


class ForestLearner(Learner):
    """The mean over trees; a second fit begins anew.

    Args:
        n_classes: columns of the labels.
        seed: see Learner.
        kind: "extra" draws the thresholds of its splits, "random" searches them on drawn rows.
        n_trees: at most.
        min_leaf_rows: rows that a leaf holds at least.
        sees_all_columns: whether each split chooses among all columns, not among as many as the root of their number.
        n_jobs: threads; None for as many as there are cores.
    """

    def __init__(
        self,
        n_classes: int,
        seed: int = 0,
        kind: Literal["extra", "random"] = "extra",
        n_trees: int = 300,
        min_leaf_rows: int = 1,
        sees_all_columns: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(n_classes, seed)
        self._kind = kind
        self._n_trees = n_trees
        self._min_leaf_rows = min_leaf_rows
        self._max_features = 1.0 if sees_all_columns else "sqrt"
        self._n_jobs = n_threads() if n_jobs is None else n_jobs

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        rows = _table(x)
        self._forest = KINDS[self._kind](
            n_estimators=0,
            max_features=self._max_features,
            min_samples_leaf=self._min_leaf_rows,
            n_jobs=self._n_jobs,
            random_state=self.seed,
            warm_start=True,
        )
        n_trees = min(self._n_trees, max(MOST_LEAVES * self._min_leaf_rows // len(y), FIRST_CHUNK))
        n_more, slowest_s = FIRST_CHUNK, 0.0
        while n_more and (budget.left > SAFETY * slowest_s or not slowest_s):
            started_s = budget.elapsed
            self._forest.set_params(n_estimators=self._forest.n_estimators + n_more)
            self._forest.fit(rows, y if self.n_classes > 1 else y[:, 0])
            slowest_s = max((budget.elapsed - started_s) * CHUNK / n_more, 1e-9)
            n_more = min(CHUNK, n_trees - self._forest.n_estimators)

    def _predict_proba(self, x: Features) -> Array:
        return np.asarray(self._forest.predict(_table(x))).reshape(x.shape[0], self.n_classes)


def _table(x: Features) -> Any:
    """[n_rows, n_features] float32; NaN is a value that trees split on."""
    return x if isinstance(x, sparse.csr_array) else x.reshape(len(x), -1)
