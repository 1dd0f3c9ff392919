"""AutoGluon's TabularPredictor with a preset and the time limit of the budget.

Its neural networks are left out: they would bring torch, and its presets go on without what is not installed.
"""

from __future__ import annotations

import tempfile
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from autogluon.tabular import TabularPredictor

from autodl_solver.data.examples import Array, Rows
from benchmarks.peers.one_shot import OneShot, PerLabel, as_dense_table, is_single_label

LABEL = "label"
WARM_UP_S = 20.0


class Predictor:
    """TabularPredictor in the manner of scikit-learn.

    Args:
        folder: for its models.
        preset: see AutoGluonTables.
        seconds: its time limit.
        settings: further arguments of its fit.
    """

    def __init__(self, folder: str, preset: str, seconds: float, **settings: Any) -> None:
        self._folder = folder
        self._preset = preset
        self._seconds = seconds
        self._settings = settings

    def fit(self, x: Array, y: Array) -> None:
        table = pd.DataFrame(x).add_prefix("c")
        table[LABEL] = y
        self._predictor = TabularPredictor(LABEL, path=tempfile.mkdtemp(dir=self._folder), verbosity=0)
        self._predictor.fit(table, time_limit=self._seconds, presets=self._preset, **self._settings)
        self.classes_ = np.array(self._predictor.class_labels)

    def predict_proba(self, x: Array) -> Any:
        return self._predictor.predict_proba(pd.DataFrame(x).add_prefix("c"))[self.classes_].to_numpy()


class AutoGluonTables(OneShot):
    """A predictor of its own for each label where there are several."""

    preset: ClassVar[str]
    """How AutoGluon calls its settings."""

    def warm_up(self) -> None:
        """A fit on noise imports what the presets use; seconds that would else be lost."""
        self._folder = tempfile.TemporaryDirectory(prefix="autogluon-")  # removed when the process ends
        noise = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
        Predictor(self._folder.name, self.preset, WARM_UP_S).fit(noise, (noise[:, 0] > 0).astype(int))

    def fit(self, x: Rows, y: Array, seconds: float) -> None:
        settings: dict[str, Any] = {}
        if not is_single_label(y):
            seconds /= y.shape[1]
            # its trial of stacks takes a quarter of the limit; where no model is done by then, AutoGluon 1.6 raises
            settings["dynamic_stacking"] = False
        self._model = PerLabel(lambda: Predictor(self._folder.name, self.preset, seconds, **settings))
        self._model.fit(as_dense_table(x), y)

    def predict_proba(self, x: Rows) -> Array:
        return self._model.predict_proba(as_dense_table(x))
