"""AutoDLClassifier: the scikit-learn way to the solver: fit within a time budget on any kind of data, then predict.

model = AutoDLClassifier().fit(X, y, time_budget="5m")      # arrays, DataFrames, texts, files ...
model.predict(X_new)
"""

from __future__ import annotations

import logging
import math
import numbers
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from autodl_solver.budget import Budget, parse_duration
from autodl_solver.data.examples import Array
from autodl_solver.errors import InputError
from autodl_solver.fitted_model import FittedModel
from autodl_solver.fitting import Earlier, Fitting
from autodl_solver.inputs.table import TableInput
from autodl_solver.run_folder import RunFolder
from autodl_solver.session import Status

logger = logging.getLogger(__name__)


class AutoDLClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Learns to classify examples of any kind within a time budget.

    Args:
        kind: of the examples: "table", "text", "series", "image", "audio" or "video"; None to see for itself.
        time_budget: seconds, or words such as "90s", "5m", "1h30m"; `fit` may be given another.
        random_state: a whole number, or a RandomState that draws one; the same one and the same stages give the same
            predictions.
        run_dir: a folder in which the run is kept after each stage, so that `fit(..., resume=True)` can go on after a
            crash; None keeps nothing on disk.

    Attributes:
        classes_: [n_classes] in the order of the columns of predict_proba.
        model_: the FittedModel that answers.
        score_: its hold-out NAUC (2 mean AUC - 1); nan where nothing can tell.
        curve_: [n_answers, 2] float64: seconds, hold-out NAUC.
        n_features_in_, feature_names_in_: of tables.
    """

    _earlier: Earlier | None = None  # what a resumed fit goes on with
    _fitting: Fitting | None = None  # while a fit goes on
    _last_status: Status | None = None
    _answered = False

    def __init__(
        self,
        kind: str | None = None,
        *,
        time_budget: float | str = "5m",
        random_state: int | np.random.RandomState | None = 0,
        run_dir: str | Path | None = None,
    ) -> None:
        self.kind = kind
        self.time_budget = time_budget
        self.random_state = random_state
        self.run_dir = run_dir

    def fit(
        self,
        X: Any,
        y: Any,
        time_budget: float | str | None = None,
        *,
        on_improvement: Callable[[FittedModel], None] | None = None,
        resume: bool = False,
    ) -> AutoDLClassifier:
        """Learns until the time is up, or nothing is worth its cost any more. Ctrl-C keeps the best so far.

        Args:
            X: examples: a DataFrame or matrix (also sparse), texts, arrays [n, time, channel], [n, row, col, channel]
                or [n, time, row, col, channel], or paths of image, audio or video files.
            y: a label for each: [n] of numbers, words or booleans; or several: a 0/1 matrix or a list of sets.
            time_budget: see the class; of this call.
            on_improvement: called with each better model while learning goes on.
            resume: adds the time to that of an earlier fit on the same X and y, or goes on with a run of `run_dir` that
                was killed.
        Raises:
            InputError: X or y cannot be learned from, or differ from those to go on with.
        """
        self._answered = False
        models = self.improvements(X, y, time_budget, resume=resume)
        try:
            for model in models:
                if on_improvement is not None:
                    on_improvement(model)
        except KeyboardInterrupt:
            models.close()  # keeps the best so far, if there is one
            if not self._answered:
                raise
            logger.warning("Interrupted; the best so far is kept.")
        finally:
            models.close()  # also where on_improvement raised: nothing learns on unseen
        return self

    def improvements(
        self, X: Any, y: Any, time_budget: float | str | None = None, *, resume: bool = False
    ) -> Generator[FittedModel, None, None]:
        """Like `fit`, and yields each better model as soon as there is one.

        Leaving the loop, or Ctrl-C inside it, ends the fit with the best so far.
        """
        budget = Budget(parse_duration(self.time_budget if time_budget is None else time_budget))
        earlier = self._earlier if resume else None
        seed = _seed(self.random_state)
        run = None if self.run_dir is None else RunFolder(self.run_dir)
        fitting = Fitting(X, y, budget, kind=self.kind, seed=seed, run=run, earlier=earlier, resume=resume)
        self._fitting = fitting
        try:
            for model in fitting.models():
                self._accept(model)
                yield model
        finally:
            self._accept(fitting.finish())
            self._earlier, self._last_status, self._fitting = fitting.earlier(), fitting.status(), None

    def predict(self, X: Any) -> Any:
        """[n] labels as in y; of several labels a row, the form that y had."""
        check_is_fitted(self, "model_")
        return self.model_.predict(X)

    def predict_proba(self, X: Any) -> Array:
        """[n, n_classes] float64 in [0, 1]; rows sum to one unless a row may have several labels."""
        check_is_fitted(self, "model_")
        return self.model_.predict_proba(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy: the share of rows whose labels are all right. A class that was not there at fit is a miss."""
        check_is_fitted(self, "model_")
        if not self.model_.labels.is_multi_label:
            return float(super().score(X, y, sample_weight))
        return float(np.average(self.model_.labels.agree(y, self.predict(X)), weights=sample_weight))

    def status(self) -> Status | None:
        """What the fit is doing, or how it ended; None if there was none. Any thread may ask."""
        return self._last_status if self._fitting is None else self._fitting.status()

    def stop(self) -> None:
        """Ends a fit that runs in another thread, with the best so far."""
        if self._fitting is not None:
            self._fitting.stop()

    def leaderboard(self) -> Any:
        """A DataFrame of the stages that ran: what each cost, its hold-out score, its weight in the answer."""
        import pandas as pd

        check_is_fitted(self, "model_")
        stages = self.model_.facts["stages"]
        return pd.DataFrame(stages).sort_values("score", ascending=False, ignore_index=True)

    @property
    def curve_(self) -> Array:
        """[n_answers, 2] float64: seconds since the fit began, hold-out NAUC of the answer."""
        check_is_fitted(self, "model_")
        return np.array(self.model_.facts["curve"], dtype=np.float64).reshape(-1, 2)

    @property
    def score_(self) -> float:
        """Hold-out NAUC of the answer."""
        check_is_fitted(self, "model_")
        score = self.model_.facts["score"]
        return math.nan if score is None else float(score)

    def plot_curve(self, ax: Any = None) -> Any:
        """Draws the hold-out score over time; needs matplotlib.

        Args:
            ax: matplotlib axes; None makes some.
        Returns:
            The axes.
        """
        import matplotlib.pyplot as plt

        curve = self.curve_
        if ax is None:
            _, ax = plt.subplots()
        ax.step(curve[:, 0], curve[:, 1], where="post", marker=".")
        ax.set(xlabel="seconds", ylabel="hold-out NAUC", xscale="log")
        return ax

    def save(self, folder: str | Path) -> None:
        """Writes the model as a folder without pickle; see FittedModel.save."""
        check_is_fitted(self, "model_")
        self.model_.save(folder)

    @classmethod
    def load(cls, folder: str | Path) -> AutoDLClassifier:
        """A classifier that predicts as the saved one did; see FittedModel.load."""
        model = FittedModel.load(folder)
        made = cls()
        made._accept(model)
        return made

    def _accept(self, model: FittedModel) -> None:
        self.model_ = model
        self.classes_ = model.labels.class_array()
        if isinstance(model.input, TableInput):
            self.n_features_in_ = model.input.n_columns
            if model.input.names:
                self.feature_names_in_ = np.array(model.input.names, dtype=object)
        self._answered = True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.classifier_tags.multi_label = True
        tags.non_deterministic = True  # stages follow the clock
        return tags


def _seed(random_state: Any) -> int:
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if random_state is None:
        return 0
    if not isinstance(random_state, numbers.Integral) or random_state < 0:
        raise InputError(
            f"random_state must be a whole number from 0 or a RandomState; however it is {random_state!r:.40}."
        )
    return int(random_state)
