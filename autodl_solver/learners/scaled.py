"""Ridge regression behind a scikit-learn transformer that is fitted on the training rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array
from autodl_solver.learners.base import Features
from autodl_solver.learners.linear import LinearLearner

FITTED_ROWS = 50_000
"""Dense rows that a transformer is fitted on, evenly spread: more would tell the same of a column, and are copied."""


class ScaledLinearLearner(LinearLearner):
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
        many = isinstance(x, np.ndarray) and len(x) > FITTED_ROWS
        self._transformer.fit(x[:: -(-len(x) // FITTED_ROWS)] if many else x)
        self._ridge = None
        super()._fit(x, y, budget)

    def _features(self, x: Features) -> Features:
        made = self._transformer.transform(x)
        return sparse.csr_array(made) if sparse.issparse(made) else made  # some answer with the older kind


def standardised_linear(n_classes: int, seed: int) -> ScaledLinearLearner:
    """Every feature with mean 0 and variance 1, then linear."""
    return ScaledLinearLearner(n_classes, seed, StandardScaler)
