"""Extra trees, 300 of them, else with scikit-learn's defaults."""

from __future__ import annotations

from sklearn.ensemble import ExtraTreesClassifier

from autodl_solver.data.examples import Array, Rows
from benchmarks.peers.one_shot import OneShot, PerLabel, as_dense_table


class Model(OneShot):
    def fit(self, x: Rows, y: Array, seconds: float) -> None:
        self._model = PerLabel(lambda: ExtraTreesClassifier(300, n_jobs=-1, random_state=self.seed))
        self._model.fit(as_dense_table(x), y)

    def predict_proba(self, x: Rows) -> Array:
        return self._model.predict_proba(as_dense_table(x))
