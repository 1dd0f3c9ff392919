"""Series -> summary statistics, the resampled course and its spectrum. Fidelity: points of the course."""

from __future__ import annotations

import numpy as np

from autodl_solver.data.examples import Array, Ragged, Rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.sequences import as_ragged, resampled
from autodl_solver.modalities.spec import Pipeline

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


class SeriesPipeline(Pipeline):
    """What a series is like (statistics of values and of steps), when (course) and how fast (spectrum)."""

    def transform(self, x: Rows, view: str, fidelity: int) -> Array:
        """[n_rows, n_features] float32; the mean of the channel stands in for NaN and infinity."""
        series = self._sequences(x)
        course = resampled(Ragged(_filled(series), series.offsets), fidelity)  # [n, points, channel]
        steps = np.diff(course, axis=1)
        spectrum = np.log1p(np.abs(np.fft.rfft(course - course.mean(axis=1, keepdims=True), axis=1)))[:, 1:]
        parts = [course, spectrum]
        for signal in (course, steps):
            parts.append(np.quantile(signal, QUANTILES, axis=1).transpose(1, 0, 2))
            parts.append(np.stack([signal.mean(axis=1), signal.std(axis=1), np.abs(signal).mean(axis=1)], axis=1))
        flat = [part.reshape(len(course), -1) for part in parts]
        return np.concatenate([*flat, np.log1p(series.lengths)[:, None]], axis=1).astype(np.float32)

    def _sequences(self, x: Rows) -> Ragged:
        """Time on the first axis: a series that lies along the columns or rows of one time step is turned."""
        if self.info.sequence_size == 1 and isinstance(x, np.ndarray):
            x = x.reshape(len(x), -1, 1, 1, x.shape[-1])
        return as_ragged(x)


def _filled(series: Ragged) -> Array:
    """[n_steps, n_channels] with the channel's mean in place of NaN and infinity."""
    values = series.values.reshape(len(series.values), -1)
    finite = np.isfinite(values)
    if finite.all():
        return values
    mean = np.where(finite, values, 0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    return np.where(finite, values, mean).astype(values.dtype)


def made_up_series(info: DatasetInfo) -> Rows:
    """Noise of the dataset's channels."""
    spec = info.specs[0]
    length = info.sequence_size if info.sequence_size > 0 else 100
    shape = (32, length, max(spec.n_rows, 1), max(spec.n_cols, 1), spec.n_channels)
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)
