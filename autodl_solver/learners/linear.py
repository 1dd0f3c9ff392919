"""Ridge regression on 0/1 targets: closed form where one side of the data is small, conjugate gradients elsewhere.

One eigendecomposition gives the solution for every penalty together with its leave-one-out predictions, which choose
the penalty and calibrate the scores. Sources: Golub, Heath and Wahba, Generalized cross-validation, Technometrics 1979;
Rifkin and Lippert, Notes on regularized least squares, MIT 2007 (both sides of the data, several targets at once).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, sparse, special

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.blas import threads_for
from autodl_solver.learners.label_kind import is_exclusive, probabilities

CLOSED_FORM_SIDE = 1500
"""The closed form is used up to this smaller side of the data: its eigendecomposition takes half a second."""

EIGEN_PASSES = 10
"""An eigendecomposition costs so many products of its matrix with itself."""

SELECTION_ROWS = 1000
"""Rows whose leave-one-out predictions choose the penalty and the calibration."""

CHUNK_ROWS = 4096
"""Rows that are centred at a time."""

WHOLE_ROWS = 20_000
"""Features of so many rows are made at once and kept for the fit: transformers take milliseconds for each call."""

PENALTIES = np.logspace(-5, 2, 15)
"""Candidates, relative to the mean squared norm of a centred row."""

INDIFFERENCE = 1.03
"""The largest penalty whose error is within so much of the least is taken: the curve is flat where rows are few."""

TOLERANCE = 0.05
"""Residual, relative to the target, at which iterations end: going on changes NAUC by less than .002 on five texts."""

MAX_SLOPE = 12.0
"""Steepest calibration: scores one apart become odds of e^12, which six printed digits still tell from 1."""


class LinearLearner(Learner):
    """Ridge regression whose scores are turned into calibrated probabilities.

    Rows that carry one label share a softmax, other labels get a sigmoid each; slope and offset are those that fit the
    leave-one-out predictions best.
    """

    def __init__(self, n_classes: int, seed: int = 0) -> None:
        super().__init__(n_classes, seed)
        self._ridge: _Ridge | None = None

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        rows = _Rows(x, self._features)
        if min(rows.shape) <= CLOSED_FORM_SIDE:
            self._ridge = self._in_closed_form(rows, y)
            return
        if self._ridge is None or len(self._ridge.weights) != rows.shape[1]:
            chosen = _spread(len(y), SELECTION_ROWS)
            self._ridge = self._in_closed_form(rows[chosen], y[chosen])
        self._ridge = _iterated(rows[:], y, self._ridge, budget)

    def _in_closed_form(self, rows: Any, y: Array) -> _Ridge:
        side, other = sorted(rows.shape)
        with threads_for(side**2 * (other + EIGEN_PASSES * side)):
            ridge, chosen, left_out = _closed_form(rows, y)
        self._calibration = _Calibration.fitted(left_out, y[chosen])
        return ridge

    def _predict_proba(self, x: Features) -> Array:
        assert self._ridge is not None, "the base class refuses an unfitted learner"
        rows = _Rows(x, self._features)
        with threads_for(math.prod(rows.shape) * self.n_classes):
            scores = [self._ridge.scores(rows[start : start + CHUNK_ROWS]) for start in range(0, len(rows), CHUNK_ROWS)]
        return self._calibration.proba(np.concatenate(scores))

    def _features(self, x: Features) -> Features:
        """What it is linear in, [n_rows, n_features] from rows, any number of them."""
        return x


class _Rows:
    """Features of rows, made for those that are asked for: all at once may take many times the memory of the rows.

    Args:
        x: the rows.
        features: makes features of some of them.
    """

    def __init__(self, x: Features, features: Callable[[Features], Features]) -> None:
        self._x = x
        self._features = features
        self._made = _filled(features(x)) if x.shape[0] <= WHOLE_ROWS else None
        self.shape = (x.shape[0], self[:1].shape[1])

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, rows: slice | Array) -> Any:
        """[n_chosen, n_features] floats without NaN or infinity."""
        return _filled(self._features(self._x[rows])) if self._made is None else self._made[rows]


@dataclass(frozen=True)
class _Ridge:
    """scores = x @ weights + intercept."""

    weights: Array  # [n_features, n_classes]
    intercept: Array  # [n_classes]
    penalty: float

    def scores(self, x: Any) -> Array:
        return np.asarray(x @ self.weights + self.intercept)


@dataclass(frozen=True)
class _Calibration:
    """From scores to probabilities, monotone for each label."""

    exclusive: bool  # one label a row: the classes share a softmax
    slope: float
    offset: float

    def proba(self, scores: Array) -> Array:
        logits = self.slope * scores + self.offset
        return probabilities(logits, self.exclusive)

    @classmethod
    def fitted(cls, scores: Array, y: Array) -> _Calibration:
        """The slope (and offset) of least log loss; scores and y are [n_rows, n_classes]."""
        exclusive = is_exclusive(y)

        def log_loss(parameters: Array) -> float:
            logits = parameters[0] * scores + parameters[1]
            if exclusive:
                return float(-np.mean(np.sum(y * special.log_softmax(logits, axis=1), axis=1)))
            return float(-np.mean(y * special.log_expit(logits) + (1 - y) * special.log_expit(-logits)))

        offsets = (0.0, 0.0) if exclusive else (-MAX_SLOPE, MAX_SLOPE)
        best = optimize.minimize(log_loss, [4.0, offsets[0] / 4], bounds=[(0.5, MAX_SLOPE), offsets], method="L-BFGS-B")
        return cls(exclusive, float(best.x[0]), float(best.x[1]))


def _filled(x: Features) -> Any:
    """[n_rows, n_features] floats without NaN or infinity: both become 0, the mean of scaled features."""
    values = x.data if isinstance(x, sparse.csr_array) else x.reshape(len(x), -1)
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    return sparse.csr_array((values, x.indices, x.indptr), x.shape) if isinstance(x, sparse.csr_array) else values


def _spread(n_rows: int, n_chosen: int) -> Array:
    """Indices of at most n_chosen rows, evenly spread."""
    return np.arange(n_rows) if n_rows <= n_chosen else np.linspace(0, n_rows - 1, n_chosen).astype(np.int64)


def _closed_form(x: Any, y: Array) -> tuple[_Ridge, Array, Array]:
    """Ridge regression with the penalty of least leave-one-out squared error.

    With the eigenpairs of the smaller of X'X and XX', prediction and leverage h of any row are sums over them, and the
    prediction for a row left out is (prediction - h y) / (1 - h).

    Returns:
        The solution; [n_chosen] rows that were left out in turn; their predictions, [n_chosen, n_classes].
    """
    n_rows, n_features = x.shape
    mean_y = y.mean(axis=0)
    chosen = _spread(n_rows, SELECTION_ROWS)
    if n_features <= n_rows:
        some = _dense(x[chosen])
        mean_x, squares, products = _centred_gram(x, y, some.mean(axis=0))
        values, vectors = np.linalg.eigh(squares)
        basis = some @ vectors - mean_x @ vectors  # [n_chosen, n_features]
        targets = vectors.T @ products  # [n_features, n_classes]
        leverages = basis**2
    else:
        x = x[:]
        mean_x = np.asarray(x.mean(axis=0)).ravel()
        kernel = _dense(x @ x.T).astype(np.float64)
        kernel -= kernel.mean(axis=0) + kernel.mean(axis=1)[:, None] - kernel.mean()
        values, vectors = np.linalg.eigh(kernel)
        targets = vectors.T @ (y - mean_y)  # [n_rows, n_classes]
        basis = vectors[chosen] * values
        leverages = vectors[chosen] * basis
    values = np.maximum(values, 0.0)
    scale = max(values.sum() / n_rows, 1e-12)
    candidates = []
    for penalty in PENALTIES * scale:
        shrunk = 1.0 / (values + penalty)
        h = (1 / n_rows + leverages @ shrunk)[:, None]
        left_out = (mean_y + basis @ (targets * shrunk[:, None]) - h * y[chosen]) / np.maximum(1 - h, 1e-6)
        candidates.append((float(np.mean((left_out - y[chosen]) ** 2)), penalty, left_out))
    least = min(error for error, _, _ in candidates)
    _, penalty, left_out = [candidate for candidate in candidates if candidate[0] <= least * INDIFFERENCE][-1]
    solution = vectors @ (targets / (values + penalty)[:, None])
    weights = np.asarray(solution if n_features <= n_rows else x.T @ solution, dtype=np.float32)
    return _Ridge(weights, mean_y - mean_x @ weights, penalty), chosen, left_out


def _dense(x: Any) -> Array:
    return x.toarray() if sparse.issparse(x) else np.asarray(x)


def _centred_gram(x: Any, y: Array, near: Array) -> tuple[Array, Array, Array]:
    """Mean of the rows, X'X [n_features, n_features] and X'Y [n_features, n_classes] of centred rows.

    Summed in double precision, in a single pass over rows that are centred on `near`, a guess of their mean: nothing
    is lost where it is a good one.
    """
    squares = np.zeros((x.shape[1], x.shape[1]))
    products = np.zeros((x.shape[1], y.shape[1]))
    total = np.zeros(x.shape[1])
    mean_y = y.mean(axis=0)
    for start in range(0, x.shape[0], CHUNK_ROWS):
        rows = _dense(x[start : start + CHUNK_ROWS]) - near
        squares += rows.T @ rows
        products += rows.T @ (y[start : start + CHUNK_ROWS] - mean_y)
        total += rows.sum(axis=0, dtype=np.float64)
    beside = total / x.shape[0]  # labels are centred exactly, so their products need no correction
    return (near + beside).astype(near.dtype), squares - x.shape[0] * np.outer(beside, beside), products


def _iterated(x: Any, y: Array, start: _Ridge, budget: Budget) -> _Ridge:
    """Ridge regression on all rows with the penalty of `start`, by conjugate gradients on the smaller side of the data.

    Rows are centred without forming them, so sparse rows stay sparse.
    """
    mean_x, mean_y = np.asarray(x.mean(axis=0), dtype=np.float32).ravel(), y.mean(axis=0)
    if x.shape[0] < x.shape[1]:

        def kernel(rows: Array) -> Array:  # (H X X'H + penalty) rows, H the centring matrix
            scores = np.asarray(x @ np.asarray(x.T @ (rows - rows.mean(axis=0))))
            return np.asarray(scores - scores.mean(axis=0) + start.penalty * rows)

        dual = _conjugate_gradients(kernel, y - mean_y, np.zeros_like(y), budget)
        weights = np.asarray(x.T @ (dual - dual.mean(axis=0)))
    else:

        def transposed(rows: Array) -> Array:
            return np.asarray(x.T @ rows) - np.outer(mean_x, rows.sum(axis=0))

        def squares(weights: Array) -> Array:  # (Xc'Xc + penalty) weights
            return transposed(np.asarray(x @ weights) - mean_x @ weights) + start.penalty * weights

        weights = _conjugate_gradients(squares, transposed(y - mean_y), start.weights, budget)
    return _Ridge(weights, mean_y - mean_x @ weights, start.penalty)


def _conjugate_gradients(operator: Callable[[Array], Array], target: Array, start: Array, budget: Budget) -> Array:
    """Solves operator(solution) = target for each column, until residuals are small or the budget is spent.

    Source: Hestenes and Stiefel, Methods of conjugate gradients for solving linear systems, 1952.
    """
    solution: Array = start.copy()
    residual = target - operator(solution) if start.any() else target.copy()
    direction = residual.copy()
    size = (residual**2).sum(axis=0)
    enough = TOLERANCE**2 * np.maximum((target**2).sum(axis=0), 1e-30)
    while np.any(size > enough) and not budget.expired:
        moved = operator(direction)
        step = size / np.maximum((direction * moved).sum(axis=0), 1e-30)
        solution += step * direction
        residual -= step * moved
        previous, size = size, (residual**2).sum(axis=0)
        direction = residual + size / np.maximum(previous, 1e-30) * direction
    return solution
