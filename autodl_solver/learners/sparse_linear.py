"""Logistic regression of sparse rows, one score a class, all classes at once.

L-BFGS whose vectors are kept as combinations of rows: weights = X'A with a coefficient for each row and class. Every
inner product of weights is then one of coefficients and scores (K A, K = XX'), so an iteration costs one product with
X' and one with X, and the search along a line none. A column of a single row adds to the diagonal of K only, which
leaves out half of the columns of word pairs without changing the solution. The classes are problems of their own with
steps of their own: rare ones are solved as soon as common ones (a joint softmax took three times the iterations).

Sources: Liu and Nocedal, On the limited memory BFGS method, Mathematical Programming 1989; Kimeldorf and Wahba, Some
results on Tchebycheffian spline functions, 1971 (solutions are combinations of rows).
Cost: 11,314 documents, 3.6 million weights, 20 classes .9 s; 43,410 documents, 1.2 million, 28 classes 1.2 s; 2 cores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array
from autodl_solver.learners.base import Features

PENALTY = 0.1
"""Of the squared weights, beside the sum of the losses: C = 10."""

INTERCEPT = 0.1
"""Square of the constant that stands beside every row; the base rate of a class is not penalised."""

TOLERANCE = 0.05
"""Length of the gradient, relative to that at the start, at which a class is solved."""

MAX_ITERATIONS = 15
MEMORY = 6
"""Pairs of steps and changes of the gradient that are remembered."""

LINE_STEPS = 5
"""Newton steps along a line, at most."""

BLOCK_VALUES = 2**20
"""Rows x classes that are solved at a time: with their MEMORY pairs they take 130 MB."""

TINY = 1e-20


@dataclass(frozen=True)
class LogisticWeights:
    """logits = x @ weights + intercept; weights [n_features, n_classes], intercept [n_classes], float32."""

    weights: Array
    intercept: Array

    def logits(self, x: sparse.csr_array) -> Array:
        """[n_rows, n_classes] float32."""
        return np.asarray(x @ self.weights) + self.intercept


def as_sparse(x: Features) -> sparse.csr_array:
    """float32 rows; NaN and infinity become 0."""
    rows = sparse.csr_array(x if isinstance(x, sparse.csr_array) else x.reshape(len(x), -1), dtype=np.float32)
    if not np.isfinite(rows.data).all():
        values = np.nan_to_num(rows.data, posinf=0.0, neginf=0.0)
        rows = sparse.csr_array((values, rows.indices, rows.indptr), rows.shape)
    return rows


def fit_logistic(x: sparse.csr_array, y: Array, budget: Budget, penalty: float = PENALTY) -> LogisticWeights:
    """Minimises the log losses of all rows + penalty / 2 * squared weights, for each class.

    Args:
        x: [n_rows, n_features] float32.
        y: [n_rows, n_classes] in [0, 1].
        budget: after it ends, the iterations end.
        penalty: see PENALTY.
    """
    n_rows, n_classes = y.shape
    gram = _Gram(x)
    coefficients = np.zeros((n_rows, n_classes), np.float32)
    rate = np.clip(y.mean(axis=0), 0.5 / n_rows, 1 - 0.5 / n_rows).astype(np.float32)
    base = special.logit(rate)
    width = max(BLOCK_VALUES // n_rows, 1)
    for start in range(0, n_classes, width):
        block = slice(start, start + width)
        share = (min(start + width, n_classes) - start) / (n_classes - start)
        problem = _Problem(gram, np.asarray(y[:, block], np.float32), base[block], penalty)
        coefficients[:, block] = problem.solved(budget.slice(budget.left * share))
    return LogisticWeights(
        np.asarray(gram.transposed @ coefficients), INTERCEPT * coefficients.sum(axis=0, dtype=np.float32) + base
    )


class _Gram:
    """K = XX' + INTERCEPT, without forming it."""

    def __init__(self, x: sparse.csr_array) -> None:
        n_rows, n_columns = x.shape
        shared = np.bincount(x.indices, minlength=n_columns) > 1
        of_shared = shared[x.indices]
        column = (np.cumsum(shared) - 1).astype(np.int32)
        offsets = np.concatenate([[0], np.cumsum(of_shared)])[x.indptr]
        self._rows = sparse.csr_array(
            (x.data[of_shared], column[x.indices[of_shared]], offsets), shape=(n_rows, int(shared.sum()))
        )
        self._columns = sparse.csr_array(self._rows.T.tocsr())
        row = np.repeat(np.arange(n_rows), np.diff(x.indptr))[~of_shared]
        self._own = np.bincount(row, x.data[~of_shared] ** 2, minlength=n_rows).astype(np.float32)[:, None]
        self.transposed = x.T

    def times(self, rows: Array) -> Array:
        """K rows, both [n_rows, n_classes] float32."""
        product = np.asarray(self._rows @ np.asarray(self._columns @ rows))
        product += self._own * rows
        product += INTERCEPT * rows.sum(axis=0)
        return product


@dataclass(frozen=True)
class _Pair:
    """A step, the change of the gradient along it, and both seen as scores (multiplied by K)."""

    step: Array
    step_scores: Array
    change: Array
    change_scores: Array
    inverse_curvature: Array  # [n_classes]; 0 where nothing was learnt


class _Problem:
    """Some classes of a logistic regression; every array is [n_rows, n_classes] unless said otherwise."""

    def __init__(self, gram: _Gram, y: Array, base: Array, penalty: float) -> None:
        self._gram, self._y, self._base, self._penalty = gram, y, base, np.float32(penalty)

    def solved(self, budget: Budget) -> Array:
        """Coefficients of the rows."""
        a = np.zeros_like(self._y)
        scores = np.zeros_like(self._y)
        gradient = self._rates(scores) - self._y
        gradient_scores = self._gram.times(gradient)
        size = _dots(gradient, gradient_scores)
        enough = TOLERANCE**2 * size
        pairs: list[_Pair] = []
        for _ in range(MAX_ITERATIONS):
            going = size > np.maximum(enough, TINY)
            if not going.any():
                break
            step, step_scores = _direction(gradient, gradient_scores, pairs)
            length = np.where(going, self._line_search(a, scores, step, step_scores, bool(pairs)), 0)
            step *= length.astype(np.float32)
            step_scores *= length.astype(np.float32)
            a += step
            scores += step_scores
            if budget.expired:
                break
            previous, previous_scores = gradient, gradient_scores
            gradient = self._rates(scores) - self._y + self._penalty * a
            gradient_scores = self._gram.times(gradient)
            size = _dots(gradient, gradient_scores)
            change, change_scores = gradient - previous, gradient_scores - previous_scores
            curvature = _dots(step, change_scores)
            inverse = np.where(curvature > TINY, 1 / np.maximum(curvature, TINY), 0)
            pairs = [*pairs[1 - MEMORY :], _Pair(step, step_scores, change, change_scores, inverse)]
        return a

    def _rates(self, scores: Array) -> Array:
        return np.asarray(special.expit(scores + self._base))

    def _line_search(self, a: Array, scores: Array, step: Array, step_scores: Array, has_scale: bool) -> Array:
        """[n_classes]: how far to go along the step of each class, by Newton steps within a bracket."""
        slope_of_penalty = self._penalty * _dots(a, step_scores)
        curve_of_penalty = self._penalty * _dots(step, step_scores)
        length = np.full(a.shape[1], 1.0 if has_scale else 0.0)
        low, high = np.zeros_like(length), np.full_like(length, np.inf)
        for _ in range(LINE_STEPS):
            rates = self._rates(scores + length.astype(np.float32) * step_scores)
            slope = _dots(rates - self._y, step_scores) + slope_of_penalty + length * curve_of_penalty
            curve = _dots(rates * (1 - rates) * step_scores, step_scores) + curve_of_penalty
            low, high = np.where(slope < 0, length, low), np.where(slope < 0, high, length)
            newton = length - slope / np.maximum(curve, TINY)
            middle = np.where(np.isfinite(high), (low + np.minimum(high, 1e9)) / 2, 2 * length)
            inside = (newton >= low) & (newton <= high) & (newton <= 4 * length + (length == 0) * 1e9)
            following = np.where(inside, newton, middle)
            if np.all(np.abs(following - length) <= 0.2 * np.abs(length)):
                break
            length = following
        return length


def _direction(gradient: Array, gradient_scores: Array, pairs: list[_Pair]) -> tuple[Array, Array]:
    """Minus the inverse Hessian, as far as the pairs tell it, times the gradient: coefficients and scores."""
    step, scores = -gradient, -gradient_scores
    shares = []
    scratch = np.empty_like(step)
    for pair in reversed(pairs):
        share = (pair.inverse_curvature * _dots(pair.step, scores)).astype(np.float32)
        step -= np.multiply(share, pair.change, out=scratch)
        scores -= np.multiply(share, pair.change_scores, out=scratch)
        shares.append(share)
    if pairs:
        last = pairs[-1]
        squares = last.inverse_curvature * _dots(last.change, last.change_scores)
        scale = np.where(squares > TINY, 1 / np.maximum(squares, TINY), 1).astype(np.float32)
        step *= scale
        scores *= scale
    for pair, share in zip(pairs, reversed(shares), strict=True):
        correction = share - (pair.inverse_curvature * _dots(pair.change, scores)).astype(np.float32)
        step += np.multiply(correction, pair.step, out=scratch)
        scores += np.multiply(correction, pair.step_scores, out=scratch)
    return step, scores


def _dots(first: Array, second: Array) -> Array:
    """[n_classes] float64: the inner product of each column."""
    products: Array = np.einsum("nc,nc->c", first, second)
    return products.astype(np.float64)
