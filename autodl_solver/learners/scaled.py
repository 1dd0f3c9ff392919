"""Any learner behind a scikit-learn transformer that is fitted on the training rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy import sparse
from sklearn.preprocessing import StandardScaler

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, Examples
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.linear import LinearLearner


class ScaledLinearLearner(Learner):
    """Scales or weights the features, then learns them linearly.

    A second fit begins anew: what the transformer makes of more rows may have other columns, and a closed form gains
    nothing from an earlier solution.

    Args:
        n_classes: columns of the labels.
        seed: see Learner.
        make_transformer: makes a scikit-learn transformer of [n_rows, n_features].
    """

    def __init__(self, n_classes: int, seed: int, make_transformer: Callable[[], Any]) -> None:
        super().__init__(n_classes, seed)
        self._make_transformer = make_transformer

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        self._transformer = self._make_transformer()
        self._linear = LinearLearner(self.n_classes, self.seed)
        self._linear.fit(Examples(_features(self._transformer.fit_transform(x)), y), budget)

    def _predict_proba(self, x: Features) -> Array:
        return self._linear.predict_proba(_features(self._transformer.transform(x)))


def standardised_linear(n_classes: int, seed: int) -> ScaledLinearLearner:
    """Every feature with mean 0 and variance 1, then linear."""
    return ScaledLinearLearner(n_classes, seed, StandardScaler)


def _features(x: Any) -> Features:
    """Some transformers answer with the older kind of sparse matrix."""
    return sparse.csr_array(x) if sparse.issparse(x) else x
