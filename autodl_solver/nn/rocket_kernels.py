"""What the transforms with convolutional kernels share: clean series, and the channels that kernels look at.

A series is a row of [n_channels, n_points] in which NaN means "not there": gaps are bridged linearly, and what is
missing in all channels at the end lies past the end of the series and counts nowhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch

from autodl_solver.data.examples import Array
from autodl_solver.errors import ShapeError
from autodl_solver.nn.threads import each_in_threads

PARTS_A_THREAD = 4
"""Of the rows, so that a thread which has finished early takes some of another's."""

LARGEST = 1e3
"""Standard deviations beyond which a value is cut off, so that no sum overflows."""


@dataclass(frozen=True)
class Series:
    """Rows without gaps.

    Shape:
        values: [n_rows, n_channels, n_points] float32, 0 past the end of a row; lengths: [n_rows] int64, at least 1.
    """

    values: Array
    lengths: Array


@dataclass(frozen=True)
class ChannelScale:
    """Mean and spread of each channel over all training rows; levels and amplitudes of single rows are kept."""

    mean: Array  # [n_channels, 1]
    spread: Array  # [n_channels, 1]

    @classmethod
    def fitted(cls, x: Array) -> ChannelScale:
        """x: [n_rows, n_channels, n_points], NaN where missing."""
        there = np.isfinite(x)
        count = np.maximum(there.sum(axis=(0, 2)), 1)
        mean = np.where(there, x, 0).sum(axis=(0, 2), dtype=np.float64) / count
        deviation = np.where(there, x - mean[:, None], 0)
        spread = np.sqrt(np.square(deviation, dtype=np.float64).sum(axis=(0, 2)) / count)
        return cls(mean[:, None], np.where(spread > 1e-12 * np.abs(mean), spread, 1.0)[:, None] + 1e-30)

    def series(self, x: Array) -> Series:
        """[n_rows, n_channels, n_points], NaN where missing -> scaled rows without gaps."""
        there = np.isfinite(x)
        lengths = np.full(len(x), x.shape[2], dtype=np.int64)
        values = (x - self.mean.astype(x.dtype)) / self.spread.astype(x.dtype)
        if not there.all():
            values[~there] = np.nan  # no infinity
            seen = np.logical_or.reduce(there, axis=1)  # [n_rows, n_points]
            lengths = np.maximum(x.shape[2] - np.argmax(seen[:, ::-1], axis=1), 1)
            lengths[~np.logical_or.reduce(seen, axis=1)] = 1
            within = (np.arange(x.shape[2]) < lengths[:, None])[:, None]
            if not np.array_equal(there, np.broadcast_to(within, x.shape)):  # not only ends are missing
                values = _bridged(values, there)
            values = np.where(within, values, 0)
        return Series(np.ascontiguousarray(values.clip(-LARGEST, LARGEST), np.float32), lengths)


def _bridged(values: Array, there: Array) -> Array:
    """Gaps filled linearly, ends with the nearest value, channels that are missing altogether with 0."""
    points = np.arange(values.shape[2])
    before = np.maximum.accumulate(np.where(there, points, -1), axis=2)
    after = np.minimum.accumulate(np.where(there, points, len(points))[..., ::-1], axis=2)[..., ::-1]
    before, after = np.where(before < 0, after, before), np.where(after == len(points), before, after)
    left = np.take_along_axis(values, before.clip(0, len(points) - 1), axis=2)
    right = np.take_along_axis(values, after.clip(0, len(points) - 1), axis=2)
    share = (points - before) / np.maximum(after - before, 1)
    filled = np.where(there, values, left + (right - left) * share.astype(np.float32))
    return np.where(there.any(axis=2, keepdims=True), filled, 0).astype(np.float32)


def steps(series: Series) -> Series:
    """Differences from point to point; the first is 0."""
    values = np.diff(series.values, axis=2, prepend=series.values[..., :1])
    return Series(values, series.lengths)


def random_mixing(n_groups: int, n_channels: int, most: int, random: torch.Generator) -> Array:
    """[n_groups, n_channels] float32: each group looks at some channels, `most` at most.

    Every other group adds them up, the rest look at contrasts: random weights that sum to 0. On log-mel bands contrasts
    bring much (4-fold cross-validation NAUC .926 -> .970 on esc10, .9936 -> .9975 on 900 rows of fsdd), and on
    channels of another kind they do no harm (japanese_vowels .998 -> .998).
    """
    if n_channels == 1:
        return np.ones((n_groups, 1), np.float32)
    largest = min(n_channels, most)
    is_contrast = torch.arange(n_groups) % 2 == 1
    sizes = torch.exp2(torch.rand(n_groups, generator=random) * np.log2(largest + 1)).long().clamp(1, largest)
    sizes = torch.where(is_contrast, sizes.clamp_min(2), sizes)
    ranks = torch.rand(n_groups, n_channels, generator=random).argsort(dim=1).argsort(dim=1)
    mixing = (ranks < sizes[:, None]).float()
    contrasts = mixing * torch.randn(n_groups, n_channels, generator=random)
    contrasts -= mixing * (contrasts.sum(dim=1) / sizes)[:, None]
    return np.asarray(torch.where(is_contrast[:, None], contrasts, mixing).numpy())


class KernelTransform(ABC):
    """Features of series, from kernels that are fixed once it is made."""

    n_features: int

    def transform(self, series: Series, features: Array, rows: Array) -> None:
        """Writes the features of each row, on all cores.

        Args:
            series: what to look at.
            features: [any, n_features] float32, overwritten in `rows`.
            rows: [n_series] int64.
        Raises:
            ShapeError: series or features are not what the kernels were made for, or the kernels are damaged: compiled
                loops do not look where they read and write.
        """
        if not self._fits(series.values.shape[1], features.shape[1]):
            raise ShapeError(
                "Kernels must fit each other, the channels and the features; however those of this "
                f"{type(self).__name__} do not, for {series.values.shape=} and {features.shape=}."
            )
        n_together = -(-len(rows) // (PARTS_A_THREAD * torch.get_num_threads())) or 1

        def write_part(start: int) -> None:
            part = slice(start, start + n_together)
            self._write(Series(series.values[part], series.lengths[part]), features, rows[part])

        each_in_threads(write_part, range(0, len(rows), n_together))

    @abstractmethod
    def _fits(self, n_channels: int, n_features: int) -> bool:
        """Whether no loop leaves its arrays for series of so many channels and so many columns of features."""

    @abstractmethod
    def _write(self, series: Series, features: Array, rows: Array) -> None:
        """As `transform`, in one thread."""
