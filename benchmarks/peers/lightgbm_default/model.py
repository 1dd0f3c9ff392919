"""LightGBM with its defaults: 100 trees of 31 leaves, learning rate .1; a model for each label of rows with several."""

from __future__ import annotations

from typing import Any

from lightgbm import LGBMClassifier
from scipy import sparse

from autodl_solver.data.examples import Array, Rows
from benchmarks.peers.one_shot import OneShot, PerLabel, as_table


class Model(OneShot):
    def fit(self, x: Rows, y: Array, seconds: float) -> None:
        self._model = PerLabel(lambda: LGBMClassifier(random_state=self.seed, verbose=-1))
        self._model.fit(table_of(x), y)

    def predict_proba(self, x: Rows) -> Array:
        return self._model.predict_proba(table_of(x))


def table_of(x: Rows) -> Any:
    """Sparse rows stay sparse; LightGBM takes matrices of scipy only, no arrays."""
    table = as_table(x)
    return sparse.csr_matrix(table) if sparse.issparse(table) else table
