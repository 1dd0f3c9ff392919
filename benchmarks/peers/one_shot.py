"""What the peers share: reading with our native reader, labels in the layout that their libraries ask for, one answer.

A peer that cannot answer before it has ended gets what is left of the budget, less what predicting takes: a share
(`FIT_SHARE`), since libraries overrun their own limits (FLAML was seen to take 115 s of 100) and an answer that comes
too late is none. Nothing of ours but the reader is used, so that a peer stands for its library.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autodl_solver.data.examples import Array, Examples, Rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.source import RecordReader

FIT_SHARE = 0.8
"""Of what is left of the budget, for libraries that take a time limit."""


class Peer(ABC):
    """A submission of the challenge.

    Args:
        metadata: an AutoDLMetadata.

    Attributes:
        done_training: whether the last answer has been prepared.
        info: facts of the dataset.
        seed: from AUTODL_SEED, which the benchmark sets.
    """

    def __init__(self, metadata: Any) -> None:
        self.done_training = False
        self.info = DatasetInfo.from_metadata(metadata)
        self.seed = int(os.environ.get("AUTODL_SEED", "0"))
        self.warm_up()

    def warm_up(self) -> None:
        """What may be done before the budget runs: imports, compilation."""
        return

    def read(self, dataset: Any) -> Examples:
        """All examples of a split."""
        reader = RecordReader(Path(dataset.folder), self.info)
        return reader.read(0, reader.n_rows)

    @abstractmethod
    def train(self, dataset: Any, remaining_time_budget: float | None = None) -> None: ...

    @abstractmethod
    def test(self, dataset: Any, remaining_time_budget: float | None = None) -> Array: ...


class OneShot(Peer):
    """Fits once and predicts once."""

    @abstractmethod
    def fit(self, x: Rows, y: Array, seconds: float) -> None:
        """Learn from all training examples.

        Args:
            x: rows in the layout of the reader.
            y: [n_examples, n_classes] float32.
            seconds: for a library that takes a time limit.
        """

    @abstractmethod
    def predict_proba(self, x: Rows) -> Array:
        """[n_rows, n_classes] scores."""

    def train(self, dataset: Any, remaining_time_budget: float | None = None) -> None:
        started = time.monotonic()
        train = self.read(dataset)
        assert train.y is not None, "training examples carry labels"
        left = (remaining_time_budget or 1200.0) - (time.monotonic() - started)
        self.fit(train.x, train.y, FIT_SHARE * left)
        self.done_training = True

    def test(self, dataset: Any, remaining_time_budget: float | None = None) -> Array:
        return np.nan_to_num(np.asarray(self.predict_proba(self.read(dataset).x), np.float64))


class PerLabel:
    """A classifier in the manner of scikit-learn over the labels of the challenge.

    One classifier where each row has one label; one for each label elsewhere. Classes without an example score 0.

    Args:
        make: makes a classifier with fit(x, y), predict_proba(x) and classes_.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def fit(self, x: Any, y: Array) -> None:
        """Args: x: what the classifier takes; y: [n_rows, n_classes]."""
        self._prior = y.mean(axis=0)
        self._is_single = is_single_label(y)
        if self._is_single:
            self._models = [self._fitted(x, y.argmax(axis=1))]
        else:
            self._models = [self._fitted(x, (column > 0.5).astype(int)) for column in y.T]

    def predict_proba(self, x: Any) -> Array:
        """[n_rows, n_classes]."""
        n_rows = x.shape[0] if hasattr(x, "shape") else len(x)
        scores = np.zeros((n_rows, len(self._prior)))
        if self._is_single and self._models[0] is not None:
            scores[:, np.asarray(self._models[0].classes_, int)] = self._models[0].predict_proba(x)
            return scores
        for column, model in enumerate(self._models if not self._is_single else []):
            scores[:, column] = self._prior[column] if model is None else model.predict_proba(x)[:, 1]
        return scores

    def _fitted(self, x: Any, target: Array) -> Any:
        """None where there is nothing to tell apart."""
        if len(np.unique(target)) < 2:
            return None
        model = self._make()
        model.fit(x, target)
        return model


def is_single_label(y: Array) -> bool:
    """Whether each row has exactly one label."""
    return bool(((y > 0.5).sum(axis=1) == 1).all())


def as_table(x: Rows) -> Any:
    """Rows of a table as [n_rows, n_columns] float32, NaN where a value is missing or infinite; sparse ones stay so."""
    if not isinstance(x, np.ndarray):
        return x
    table = x.reshape(len(x), -1).astype(np.float32)
    table[np.isinf(table)] = np.nan
    return table


def as_dense_table(x: Rows) -> Array:
    """The same for libraries that take no sparse rows."""
    table = as_table(x)
    return table if isinstance(table, np.ndarray) else np.asarray(table.toarray(), np.float32)
