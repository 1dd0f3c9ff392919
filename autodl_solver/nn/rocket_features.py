"""Series of any length -> features of one length, by kernels that one dataset keeps.

Kernels, scales and biases come from a sample of training rows: so the features of a row depend on itself only, and can
be kept for every learner and every growing subset.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from autodl_solver.data.examples import Array, Ragged, take_rows
from autodl_solver.nn.rocket_hydra import Hydra
from autodl_solver.nn.rocket_kernels import ChannelScale
from autodl_solver.nn.rocket_minirocket import MiniRocket

Kind = Literal["hydra", "minirocket"]

VALUES_AT_ONCE = 1_000_000
"""Of the padded rows of a block: 4 MB, however many channels there are."""

SEED = 0


class RocketFeatures:
    """The transforms of a dataset.

    Args:
        sample: training rows, values [n_steps, n_channels] with NaN where missing; some dozens are enough.
        max_points: longer series are thinned: so many neighbouring points become their mean that the longest has room.
    """

    def __init__(self, sample: Ragged, max_points: int) -> None:
        self._max_points = max_points
        self._factor = -(-int(sample.lengths.max(initial=1)) // max_points)
        self._sample = self._padded(sample)
        self._scale = ChannelScale.fitted(self._sample)
        self._transforms: dict[tuple[Kind, int], Hydra | MiniRocket] = {}

    def transform(self, rows: Ragged, kind: Kind, size: int) -> Array:
        """Features of each row.

        Args:
            rows: values [n_steps, n_channels] with NaN where missing; a row may have no steps.
            kind: of transform.
            size: groups of kernels per dilation (hydra), or features (minirocket).
        Returns:
            [n_rows, n_features] float32, finite.
        """
        transform = self._transform(kind, size)
        features = np.empty((len(rows), transform.n_features), np.float32)
        for index in self._blocks(rows):
            block = take_rows(rows, index)
            assert isinstance(block, Ragged), "a part of ragged rows is ragged"
            transform.transform(self._scale.series(self._padded(block)), features, index)
        return features

    def courses(self, rows: Ragged, max_points: int) -> Array:
        """The rows themselves, scaled and without gaps, neighbouring points becoming one where there are too many.

        Args:
            rows: as for transform.
            max_points: of a row.
        Returns:
            [n_rows, n_points, n_channels + 1] float16: the longest row of the sample just fits, what is longer is cut;
            the last channel is 1 within a row and 0 past its end, where all others are 0.
        """
        n_channels, longest = self._sample.shape[1:]
        factor = -(-longest // max_points)
        n_points = -(-longest // factor)
        courses = np.zeros((len(rows), n_points, n_channels + 1), np.float16)
        for index in self._blocks(rows):
            block = take_rows(rows, index)
            assert isinstance(block, Ragged), "a part of ragged rows is ragged"
            series = self._scale.series(self._padded(block))
            values = series.values[:, :, : n_points * factor]
            within = np.arange(values.shape[2]) < series.lengths[:, None]
            starts = np.arange(0, values.shape[2], factor)
            sizes = np.add.reduceat(within, starts, axis=1, dtype=np.float32)  # points that become one
            means = np.add.reduceat(values, starts, axis=2) / np.maximum(sizes, 1)[:, None]
            courses[index, : len(starts), :-1] = means.swapaxes(1, 2)
            courses[index, : len(starts), -1] = sizes > 0
        return courses

    def _blocks(self, rows: Ragged) -> Iterator[Array]:
        """Rows of similar lengths, as many as are cheap to pad."""
        points = self._points(rows.lengths) * rows.values.shape[1]
        order = np.argsort(points, kind="stable")
        start = 0
        while start < len(order):
            stop = start + 1
            while stop < len(order) and (stop - start + 1) * points[order[stop]] <= VALUES_AT_ONCE:
                stop += 1
            yield order[start:stop]
            start = stop

    def _transform(self, kind: Kind, size: int) -> Hydra | MiniRocket:
        if (kind, size) not in self._transforms:
            n_channels, n_points = self._sample.shape[1:]
            self._transforms[kind, size] = (
                Hydra(n_channels, n_points, SEED, n_groups=size)
                if kind == "hydra"
                else MiniRocket(self._scale.series(self._sample), SEED, n_features=size)
            )
        return self._transforms[kind, size]

    def _factors(self, lengths: Array) -> Array:
        """Neighbouring points that become one, the same for all rows but for those much longer than the sample's."""
        return np.asarray(np.maximum(self._factor, -(-lengths // (2 * self._max_points))))

    def _points(self, lengths: Array) -> Array:
        points: Array = -(-lengths // self._factors(lengths))
        return points

    def _padded(self, rows: Ragged) -> Array:
        """[n_rows, n_channels, n_points] float32, NaN where missing and past the end of a row."""
        points = self._points(rows.lengths)
        padded = np.full((len(rows), max(1, points.max(initial=1)), rows.values.shape[1]), np.nan, np.float32)
        ends = np.cumsum(points)
        row = np.repeat(np.arange(len(rows)), points)
        place = np.arange(len(row)) - np.repeat(ends - points, points)
        padded[row, place] = self._thinned(rows, points, row, place)
        by_channel: Array = padded.swapaxes(1, 2)
        return by_channel

    def _thinned(self, rows: Ragged, points: Array, row: Array, place: Array) -> Array:
        """[sum of points, n_channels]: means of neighbouring numbers, NaN where there are none."""
        factors = self._factors(rows.lengths)
        if not len(row) or factors.max() == 1:
            return np.asarray(rows.values)
        starts = rows.offsets[row] + place * factors[row]
        there = np.isfinite(rows.values)
        sums = np.add.reduceat(np.where(there, rows.values, 0.0), starts, axis=0)
        counts = np.add.reduceat(there, starts, axis=0, dtype=np.int64)
        return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
