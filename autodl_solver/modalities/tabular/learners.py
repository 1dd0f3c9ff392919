"""Linear on imputed, scaled and binned columns (docs/experiments.md: what bins gain on seven tables)."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import KBinsDiscretizer, MaxAbsScaler, StandardScaler

from autodl_solver.learners.scaled import ScaledLinearLearner

MIN_BINS = 4
"""Fewer bins than that are not worth their columns."""

QUANTILE_ROWS = 10_000
"""Rows whose quantiles bound the bins."""


class QuantileBins(KBinsDiscretizer):  # type: ignore[misc]
    """One-hot quantile bins; constant columns and repeated quantiles, which are ordinary here, do not warn."""

    def __init__(self, n_bins: int = 16) -> None:
        super().__init__(
            n_bins,
            encode="onehot-dense",
            strategy="quantile",
            quantile_method="linear",
            subsample=QUANTILE_ROWS,
            random_state=0,
        )

    def fit(self, X: Any, y: Any = None) -> QuantileBins:
        """Bounds each column's bins by its quantiles; X is [n_rows, n_columns] without NaN."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Feature .* is constant|Bins whose width", UserWarning)
            super().fit(X)
        return self


def make_dense_learner(n_classes: int, seed: int, n_bins: int) -> ScaledLinearLearner:
    """Missing values become the median and a column that says so; columns are standardised and binned; linear."""
    return ScaledLinearLearner(n_classes, seed, partial(_dense_transformer, n_bins))


def _dense_transformer(n_bins: int) -> Any:
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    if n_bins < MIN_BINS:
        return make_pipeline(imputer, StandardScaler())
    return make_pipeline(imputer, make_union(StandardScaler(), QuantileBins(n_bins)))


def make_sparse_learner(n_classes: int, seed: int) -> ScaledLinearLearner:
    """Columns scaled by their largest absolute value, which keeps zeros; linear."""
    return ScaledLinearLearner(n_classes, seed, MaxAbsScaler)
