"""Learner: fit within a budget, then predict class scores.

The public methods check shapes and promise their results to every caller; a learner implements `_fit` and
`_predict_proba`.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, Examples, Rows
from autodl_solver.errors import ShapeError

Features: TypeAlias = "Array | sparse.csr_array"
"""What a pipeline hands to a learner: [n_examples, ...], or a sparse [n_examples, n_features]."""


class Learner(ABC):
    """A contract algorithm: it is told its seconds, and a second fit goes on from where the first stopped.

    Args:
        n_classes: columns of the labels.
        seed: the same seed and the same calls give the same predictions.

    Attributes:
        looks: factor on the views of each row that it predicts from; learners without further views take no notice.
    """

    looks: int = 1

    def __init__(self, n_classes: int, seed: int = 0) -> None:
        self.n_classes = n_classes
        self.seed = seed
        self._feature_shape: tuple[int, ...] | None = None

    def fit(self, train: Examples, budget: Budget) -> None:
        """Learns from the examples, within the budget.

        Args:
            train: x [n_examples, ...] with at least one row, y [n_examples, n_classes] in [0, 1].
            budget: seconds this call may take.
        Raises:
            ShapeError: no rows, no labels, or shapes that disagree with n_classes or with an earlier fit.
        """
        if train.y is None or len(train) == 0 or train.y.shape[1:] != (self.n_classes,):
            shape = None if train.y is None else train.y.shape
            raise ShapeError(f"fit needs y of [n_examples >= 1, {self.n_classes}]; however y has the shape {shape}.")
        x = self._checked(train.x)
        self._feature_shape = x.shape[1:]
        self._fit(x, train.y, budget)

    def predict_proba(self, x: Rows) -> Array:
        """Scores per class.

        Args:
            x: [n_examples, ...], shaped like the rows of fit.
        Returns:
            [n_examples, n_classes] float32, finite, in [0, 1].
        Raises:
            ShapeError: rows shaped differently from those of fit, or fit was never called.
        """
        if self._feature_shape is None:
            raise ShapeError("predict_proba needs a learner that was fitted; however fit was never called.")
        x = self._checked(x)
        if x.shape[0] == 0:
            return np.zeros((0, self.n_classes), np.float32)
        proba: Array = np.clip(np.nan_to_num(self._predict_proba(x), nan=0.0), 0.0, 1.0)
        return proba.astype(np.float32)

    def snapshot(self) -> Mapping[str, Any]:
        """A copy of everything that fit changes, which later fits leave alone."""
        return copy.deepcopy(self.__dict__)

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Goes back to a snapshot."""
        self.__dict__.update(copy.deepcopy(dict(snapshot)))

    def _checked(self, x: Rows) -> Features:
        if not isinstance(x, (np.ndarray, sparse.csr_array)):
            raise ShapeError(f"A learner needs an array or a csr_array; however x is a {type(x).__name__}.")
        if x.ndim < 2 or (self._feature_shape is not None and x.shape[1:] != self._feature_shape):
            raise ShapeError(f"x must be [n_examples, *{self._feature_shape}]; however {x.shape=}.")
        return x

    @abstractmethod
    def _fit(self, x: Features, y: Array, budget: Budget) -> None: ...

    @abstractmethod
    def _predict_proba(self, x: Features) -> Array: ...
