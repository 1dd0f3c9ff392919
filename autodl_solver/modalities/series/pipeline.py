"""Series -> what they are like, when and how fast; or the features of convolutional kernels; or the series themselves.

view            features                                                      fidelity
""              statistics of values and steps, resampled course, spectrum    points of the course
"hydra"         competing random kernels (nn/rocket_hydra.py)                 groups of kernels per dilation
"minirocket"    fixed kernels with biases (nn/rocket_minirocket.py)           features
"course"        [n_points, n_channels + 1], scaled; 1 where the series lasts  points, at most
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autodl_solver.data.examples import Array, Examples, Ragged, Rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.sequences import as_ragged, resampled
from autodl_solver.modalities.spec import Pipeline

if TYPE_CHECKING:
    from autodl_solver.nn.rocket_features import Kind, RocketFeatures

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)

MAX_POINTS = 1024
"""Longer series are thinned for kernels."""

MAX_VALUES = 2**15
"""Of a row in the view "course": of many channels fewer points are kept."""

LARGEST = 1e12
"""Larger values are cut off, so that their squares are finite."""

COURSE = "course"
"""View of the series themselves."""

KINDS: dict[str, Kind] = {"hydra": "hydra", "minirocket": "minirocket"}
"""Views that are made by kernels."""


class SeriesPipeline(Pipeline):
    """See the module; NaN and infinity are missing values."""

    def __init__(self, info: DatasetInfo) -> None:
        super().__init__(info)
        self._kernels: RocketFeatures | None = None
        self._means: Array = np.zeros(0, np.float32)  # [n_channels] of training

    def fit(self, sample: Examples) -> None:
        """Means of the channels; scales, lengths and biases of the kernels."""
        from autodl_solver.nn.rocket_features import RocketFeatures  # torch takes seconds to import

        series = _flat(self._sequences(sample.x))
        self._means = _means(series.values)
        self._kernels = RocketFeatures(series, MAX_POINTS)

    def transform(self, x: Rows, view: str, fidelity: int) -> Array:
        """[n_rows, n_features] float32 or, of the courses, [n_rows, n_points, n_channels + 1] float16; finite."""
        series = _flat(self._sequences(x))
        if not view:
            return _summary(Ragged(_filled(series.values, self._means), series.offsets), fidelity)
        assert self._kernels is not None, "a pipeline is fitted before it transforms"
        if view == COURSE:
            most = max(MAX_VALUES // (series.values.shape[1] + 1), 1)
            return self._kernels.courses(series, min(fidelity, most))
        return self._kernels.transform(series, KINDS[view], fidelity)

    def _sequences(self, x: Rows) -> Ragged:
        """Time on the first axis: a series that lies along the columns or rows of one time step is turned."""
        if self.info.sequence_size == 1 and isinstance(x, np.ndarray):
            x = x.reshape(len(x), -1, 1, 1, x.shape[-1])
        return as_ragged(x)


def _flat(series: Ragged) -> Ragged:
    """Steps as [n_steps, n_channels]."""
    return Ragged(series.values.reshape(len(series.values), -1), series.offsets)


def _summary(series: Ragged, n_points: int) -> Array:
    """[n_rows, n_features] float32 of finite values."""
    course = resampled(series, n_points)  # [n, points, channel]
    steps = np.diff(course, axis=1)
    spectrum = np.log1p(np.abs(np.fft.rfft(course - course.mean(axis=1, keepdims=True), axis=1)))[:, 1:]
    parts = [course, spectrum]
    for signal in (course, steps):
        parts.append(np.quantile(signal, QUANTILES, axis=1).transpose(1, 0, 2))
        parts.append(np.stack([signal.mean(axis=1), signal.std(axis=1), np.abs(signal).mean(axis=1)], axis=1))
    flat = [part.reshape(len(course), -1) for part in parts]
    return np.concatenate([*flat, np.log1p(series.lengths)[:, None]], axis=1).astype(np.float32)


def _means(values: Array) -> Array:
    """[n_channels] of what is finite in [n_steps, n_channels]."""
    finite = np.isfinite(values)
    total = np.where(finite, values.clip(-LARGEST, LARGEST), 0).sum(axis=0, dtype=np.float64)
    return np.asarray(total / np.maximum(finite.sum(axis=0), 1), values.dtype)


def _filled(values: Array, means: Array) -> Array:
    """[n_steps, n_channels] with the mean that a channel had in training in place of NaN and infinity."""
    finite = np.isfinite(values)
    values = values.clip(-LARGEST, LARGEST)
    return values if finite.all() else np.where(finite, values, means)


def made_up_series(info: DatasetInfo) -> Rows:
    """Noise of the dataset's channels."""
    spec = info.specs[0]
    length = info.sequence_size if info.sequence_size > 0 else 100
    shape = (32, length, max(spec.n_rows, 1), max(spec.n_cols, 1), spec.n_channels)
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)
