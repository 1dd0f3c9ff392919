"""Linear on columns that are scaled and binned (docs/experiments.md: what bins gain on tables), or in a kernel."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import KBinsDiscretizer, MaxAbsScaler, QuantileTransformer, StandardScaler

from autodl_solver.learners.scaled import ScaledLinearLearner

MIN_BINS = 4
"""Fewer bins than that are not worth their columns."""

QUANTILE_ROWS = 10_000
"""Rows whose quantiles bound the bins."""

MAX_QUANTILES = 200
"""Quantiles between which normal scores are interpolated."""

LANDMARKS = 600
"""Rows that a kernel compares with: as many columns for the closed form."""

NARROW, WIDE = 2.0, 0.1
"""Inverse squared widths of a kernel, over the number of columns: among near rows, and almost linear."""


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


def make_kernel_learner(n_classes: int, seed: int, by_ranks: bool) -> ScaledLinearLearner:
    """Ridge regression with a Gaussian kernel, which the rows' likeness to drawn rows approximates.

    Source: Williams and Seeger, Using the Nystroem Method to Speed Up Kernel Machines, NeurIPS 2000.

    Args:
        n_classes, seed: see Learner.
        by_ranks: a wide kernel on normal scores of the columns, which heavy tails do not disturb; else a narrow one on
            standardised columns.
    """
    return ScaledLinearLearner(n_classes, seed, partial(_kernel_transformer, seed, by_ranks))


def _kernel_transformer(seed: int, by_ranks: bool) -> Any:
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    scaler = NormalScores() if by_ranks else StandardScaler()
    return make_pipeline(imputer, scaler, Likeness(WIDE if by_ranks else NARROW, seed))


class NormalScores(QuantileTransformer):  # type: ignore[misc]
    """Each column's ranks as quantiles of the normal distribution; no more quantiles than rows."""

    def __init__(self) -> None:
        super().__init__(output_distribution="normal", subsample=QUANTILE_ROWS, random_state=0)

    def fit(self, X: Any, y: Any = None) -> NormalScores:
        """X is [n_rows, n_columns] without NaN."""
        self.n_quantiles = min(MAX_QUANTILES, len(X))
        super().fit(X)
        return self


class Likeness(Nystroem):  # type: ignore[misc]
    """Gaussian kernel features; the width follows the number of columns, landmarks the number of rows."""

    def __init__(self, inverse_width: float, seed: int) -> None:
        super().__init__(random_state=seed)
        self.inverse_width = inverse_width
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Likeness:
        """X is [n_rows, n_columns], scaled, without NaN."""
        self.gamma = self.inverse_width / X.shape[1]
        self.n_components = min(LANDMARKS, len(X))
        super().fit(X)
        return self


def make_sparse_learner(n_classes: int, seed: int) -> ScaledLinearLearner:
    """Columns scaled by their largest absolute value, which keeps zeros; linear."""
    return ScaledLinearLearner(n_classes, seed, MaxAbsScaler)
