"""Series, random convolutions, scaled features, ridge regression: the recipe of the papers, with aeon's transforms.

aeon's own classifiers answer with 0 and 1 where the ridge has no probabilities; here the scores of the ridge answer,
so that they can be ranked. Series of differing lengths are brought to the median length by linear interpolation.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.preprocessing import StandardScaler

from autodl_solver.data.examples import Array, Rows
from autodl_solver.data.sequences import as_ragged, resampled
from benchmarks.peers.one_shot import OneShot, is_single_label

MIN_STEPS = 10  # MiniRocket's kernels are nine steps long, those of MultiRocket see the differences too


def n_cores() -> int:
    """Cores of this run; aeon's n_jobs=-1 means those of the machine, and more than numba was given is an error."""
    return len(os.sched_getaffinity(0))


class ConvolvedSeries(OneShot):
    """A submission that leaves only the choice of the transforms open."""

    def transforms(self) -> Sequence[Any]:
        """aeon transforms of [n_rows, n_channels, n_steps]; their features stand side by side."""
        raise NotImplementedError

    def warm_up(self) -> None:
        """Compiles: numba takes most of a minute."""
        noise = np.random.default_rng(0).normal(size=(8, 2, 32)).astype(np.float32)
        for transform in self.transforms():
            transform.fit(noise)
            transform.transform(noise)
        univariate = noise[:, :1]
        for transform in self.transforms():
            transform.fit(univariate)
            transform.transform(univariate)

    def fit(self, x: Rows, y: Array, seconds: float) -> None:
        self._n_steps = max(int(np.median(as_ragged(x).lengths)), MIN_STEPS)
        series = self._series(x)
        self._transforms = self.transforms()
        for transform in self._transforms:
            transform.fit(series)
        self._scaler = StandardScaler()
        features = self._scaler.fit_transform(self._features(series))
        self._ridge = RidgeClassifierCV(alphas=np.logspace(-3, 3, 10))
        target = y.argmax(axis=1) if is_single_label(y) else (y > 0.5).astype(int)
        self._ridge.fit(features, target)
        self._columns = np.unique(target) if target.ndim == 1 else np.arange(y.shape[1])
        self._n_classes = y.shape[1]

    def predict_proba(self, x: Rows) -> Array:
        decisions = self._ridge.decision_function(self._scaler.transform(self._features(self._series(x))))
        if decisions.ndim == 1:  # two classes
            decisions = np.stack([-decisions, decisions], axis=1)
        scores = np.zeros((len(decisions), self._n_classes))
        scores[:, self._columns] = 1 / (1 + np.exp(-decisions))
        return scores

    def _series(self, x: Rows) -> Array:
        """[n_rows, n_channels, n_steps] float32."""
        return np.ascontiguousarray(resampled(as_ragged(x), self._n_steps).transpose(0, 2, 1), np.float32)

    def _features(self, series: Array) -> Array:
        return np.concatenate([np.asarray(transform.transform(series)) for transform in self._transforms], axis=1)
