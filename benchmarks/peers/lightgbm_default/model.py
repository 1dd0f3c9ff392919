"""LightGBM with its defaults: 100 trees of 31 leaves, learning rate .1; a model for each label of rows with several."""

from __future__ import annotations

from lightgbm import LGBMClassifier

from autodl_solver.data.examples import Array, Rows
from benchmarks.peers.one_shot import OneShot, PerLabel, as_table


class Model(OneShot):
    def fit(self, x: Rows, y: Array, seconds: float) -> None:
        self._model = PerLabel(lambda: LGBMClassifier(random_state=self.seed, verbose=-1))
        self._model.fit(as_table(x), y)

    def predict_proba(self, x: Rows) -> Array:
        return self._model.predict_proba(as_table(x))
