"""FLAML's AutoML with its defaults; the labels of a row with several share the budget evenly.

It is given data frames, because it fills in missing values of those only.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from flaml import AutoML

from autodl_solver.data.examples import Array, Rows
from benchmarks.peers.one_shot import OneShot, PerLabel, as_dense_table, is_single_label

WARM_UP_S = 2.0


class Model(OneShot):
    def warm_up(self) -> None:
        """A fit on noise imports the learners; seconds that would else be lost."""
        noise = np.random.default_rng(0).normal(size=(100, 3))
        AutoML(task="classification", time_budget=WARM_UP_S, verbose=0, log_file_name="").fit(noise, noise[:, 0] > 0)

    def fit(self, x: Rows, y: Array, seconds: float) -> None:
        n_models = 1 if is_single_label(y) else y.shape[1]
        settings = {
            "task": "classification",
            "time_budget": seconds / n_models,
            "seed": self.seed,
            "verbose": 0,
            "log_file_name": "",
        }
        self._model = PerLabel(lambda: AutoML(**settings))
        self._model.fit(pd.DataFrame(as_dense_table(x)), y)

    def predict_proba(self, x: Rows) -> Array:
        return self._model.predict_proba(pd.DataFrame(as_dense_table(x)))
