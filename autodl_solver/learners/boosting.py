"""Gradient boosting of trees (LightGBM) for one label a row, several, or shares of labels; dense, sparse, with NaN.

One booster grows one tree a label and round on rows that are binned once, from gradients that are computed here: so
fourteen labels cost one pass of binning, and fractional labels are what they say. It stops when its budget does and
keeps the rounds it has.
Sources: Ke et al., LightGBM: A Highly Efficient Gradient Boosting Decision Tree, NeurIPS 2017; Geurts, Ernst and
Wehenkel, Extremely randomized trees, Machine Learning 2006; Shi et al., Gradient Boosting With Piece-Wise Linear
Regression Trees, IJCAI 2019.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse, special

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array
from autodl_solver.learners.base import Features, Learner

MIN_HESSIAN = 1e-6
"""Of a row: keeps the step of a leaf finite where the scores are sure."""

LARGEST_STEP = 2.0
"""Of a leaf, in logits before the learning rate. Few rows of a class overshoot without a bound: with one row in a class
(hypothyroid) 30 quick rounds reached a NAUC of .41 without it, .96 with it; other tables do not mind."""

ROWS_PER_SMALL_LEAF = 50
"""Leaves of small tables may hold one row in so many of theirs."""

TREE_COLUMNS = 8
"""A tree may use so many columns at least: half of five would be too few to see how they act together."""

ROWS_PER_BIN, FEWEST_BINS, MOST_BINS = 16, 63, 255
"""Bins of a column: a split looks through all of them, which costs more than the rows where those are few."""

VALUES_OF_ONE_THREAD = 2_000_000
"""Smaller tables are grown by one thread: a second saves nothing, and waits for any other busy process."""

SAFETY = 1.5
"""A round is begun when the slowest so far would fit this many times into what is left."""


@dataclass(frozen=True)
class Boosting:
    """How trees are grown; the defaults are LightGBM's.

    Attributes:
        n_rounds: trees a label.
        learning_rate: share of its step that a tree takes.
        n_leaves: of a tree.
        min_leaf_rows: rows that a leaf holds at least; fewer on small tables.
        column_share: columns that a tree may use, where there are many.
        row_share: rows that a tree is grown on.
        l2: penalty on the values of leaves.
        extra_trees: one random threshold a column instead of the best.
        linear_leaves: a leaf predicts linearly.
        max_categories: whole-number columns of 3 to so many values are taken for categories; 0 for none.
    """

    n_rounds: int = 100
    learning_rate: float = 0.1
    n_leaves: int = 31
    min_leaf_rows: int = 20
    column_share: float = 1.0
    row_share: float = 1.0
    l2: float = 0.0
    extra_trees: bool = False
    linear_leaves: bool = False
    max_categories: int = 0

    def params(self, n_trees: int, rows: Any, seed: int) -> dict[str, Any]:
        """LightGBM's names for this, with `n_trees` a round, for a table [n_rows, n_columns]."""
        n_rows = rows.shape[0]
        return {
            "objective": "none",
            "num_class": n_trees,
            "learning_rate": self.learning_rate,
            "num_leaves": self.n_leaves,
            "min_data_in_leaf": min(self.min_leaf_rows, max(n_rows // ROWS_PER_SMALL_LEAF, 1)),
            "feature_fraction": max(self.column_share, min(1.0, TREE_COLUMNS / max(rows.shape[1], 1))),
            "bagging_fraction": self.row_share,
            "bagging_freq": int(self.row_share < 1),
            "lambda_l2": self.l2,
            "max_delta_step": LARGEST_STEP,
            "extra_trees": self.extra_trees,
            "linear_tree": self.linear_leaves,
            "seed": seed,
            "max_bin": min(max(n_rows // ROWS_PER_BIN, FEWEST_BINS), MOST_BINS),
            "num_threads": n_threads() if _n_values(rows) > VALUES_OF_ONE_THREAD else 1,
            ("force_col_wise" if sparse.issparse(rows) else "force_row_wise"): True,  # instead of a trial of both
            "verbosity": -1,
        }


class BoostingLearner(Learner):
    """Boosted trees; a second fit begins anew, since the bins of more rows differ.

    Args:
        n_classes: columns of the labels.
        seed: see Learner.
        boosting: how trees are grown.
    """

    def __init__(self, n_classes: int, seed: int = 0, boosting: Boosting | None = None) -> None:
        super().__init__(n_classes, seed)
        self._boosting = boosting or Boosting()
        self._booster: Any = None

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        self._target = Target.of(y)
        self._booster = None
        if self._target.n_logits == 0 or budget.expired:
            return
        import lightgbm

        rows = _table(x)
        params = self._boosting.params(self._target.n_logits, rows, self.seed)
        data = lightgbm.Dataset(rows, np.zeros(len(y)), categorical_feature=self._categories(rows), params=params)
        booster = lightgbm.Booster(params, data)
        if not any(data.feature_num_bin(k) for k in range(rows.shape[1])):
            return  # no column varies, of which LightGBM would make an error
        gradients = self._target.gradients(y)
        slowest_s = 0.0
        for _ in range(self._boosting.n_rounds):
            started_s = budget.elapsed
            if booster.update(fobj=gradients):
                break  # no tree could split any more
            slowest_s = max(slowest_s, budget.elapsed - started_s)
            if budget.left < SAFETY * slowest_s:
                break
        self._booster = booster.free_dataset()

    def _predict_proba(self, x: Features) -> Array:
        if self._booster is None:
            return self._target.proba(np.zeros((x.shape[0], self._target.n_logits)))
        scores = self._booster.predict(_table(x), raw_score=True, num_threads=n_threads())
        return self._target.proba(scores.reshape(x.shape[0], -1))

    def _categories(self, rows: Any) -> list[int]:
        """Columns that look like codes of categories."""
        if sparse.issparse(rows) or not self._boosting.max_categories:
            return []
        return [k for k in range(rows.shape[1]) if _is_category(rows[:, k], self._boosting.max_categories)]


@dataclass(frozen=True)
class Target:
    """What the logits of the trees mean: a softmax where every row carries one label, else a sigmoid a label.

    Labels that all rows have, or none, get no trees; two labels that exclude each other share one logit.

    Attributes:
        frequencies: [n_classes] float64, smoothed.
        learned: classes that a logit stands for.
        softmax: the learned classes share one.
        complement: the class that a row has if it has not the learned one; None if there is no such.
    """

    frequencies: Array
    learned: Array
    softmax: bool
    complement: int | None

    @classmethod
    def of(cls, y: Array) -> Target:
        """For labels [n_rows, n_classes]."""
        varying = np.flatnonzero(y.max(axis=0) > y.min(axis=0))
        exclusive = len(varying) > 1 and bool(np.all(np.abs(y[:, varying].sum(axis=1) - 1) < 1e-5))
        frequencies = (y.sum(axis=0, dtype=np.float64) + 0.5) / (len(y) + 1)
        if exclusive and len(varying) == 2:
            return cls(frequencies, varying[1:], False, int(varying[0]))
        return cls(frequencies, varying, exclusive, None)

    @property
    def n_logits(self) -> int:
        return len(self.learned)

    def gradients(self, y: Array) -> Callable[[Array, Any], tuple[Array, Array]]:
        """LightGBM's objective: first and second derivative of the log loss at the scores of the rows of y."""
        labels = y[:, self.learned]
        # the diagonal of a softmax's second derivative is too small by as much (Friedman, Annals of Statistics 2001)
        factor = self.n_logits / (self.n_logits - 1) if self.softmax else 1.0

        def objective(scores: Array, _: Any) -> tuple[Array, Array]:
            proba = self._learned_proba(scores.reshape(len(labels), -1, order="F"))
            first, second = proba - labels, np.maximum(factor * proba * (1 - proba), MIN_HESSIAN)
            return (first.ravel(), second.ravel()) if self.n_logits == 1 else (first, second)

        return objective

    def proba(self, scores: Array) -> Array:
        """[n_rows, n_classes] probabilities from [n_rows, n_logits] scores; frequencies for classes without a logit."""
        proba: Array = np.tile(self.frequencies, (len(scores), 1))
        if self.n_logits:
            proba[:, self.learned] = self._learned_proba(scores)
        if self.complement is not None:
            proba[:, self.complement] = 1 - proba[:, self.learned[0]]
        return proba

    def _learned_proba(self, scores: Array) -> Array:
        """[n_rows, n_logits] probabilities; the trees begin at the frequencies."""
        prior = self.frequencies[self.learned]
        if self.softmax:
            return np.asarray(special.softmax(scores + np.log(prior), axis=1), np.float32)
        return np.asarray(special.expit(scores + special.logit(prior)), np.float32)


def n_threads() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _table(x: Features) -> Any:
    """[n_rows, n_features], of a kind that LightGBM reads without a copy."""
    if isinstance(x, sparse.csr_array):
        return sparse.csr_matrix((x.data, x.indices, x.indptr), x.shape)
    return x.reshape(len(x), -1)


def _n_values(rows: Any) -> int:
    return int(rows.nnz if sparse.issparse(rows) else rows.size)


def _is_category(column: Array, most: int) -> bool:
    values = column[np.isfinite(column)]
    if not len(values) or values.min() < 0 or np.any(values != np.floor(values)):
        return False
    return 3 <= len(np.unique(values)) <= most
