"""What the transforms with convolutional kernels share: clean series in, responses of dilated kernels out.

A series is a row of [n_channels, n_points] in which NaN means "not there": gaps are bridged linearly, and what is
missing in all channels at the end lies past the end of the series and counts nowhere. Responses of a block of rows are
one matrix product, and a block is small enough for the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from autodl_solver.data.examples import Array
from autodl_solver.nn.threads import each_in_threads

TAPS = 9
"""Points that a kernel looks at."""

BLOCK_RESPONSES = 2**19
"""Of all kernels of a dilation to the points of a block: 2 MB stay in the cache. Smaller blocks are no faster, and two
threads with many small operations wait for each other: 16 groups of Hydra took longer with two threads than with one.
"""

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
        return Series(values.astype(np.float32).clip(-LARGEST, LARGEST), lengths)


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


def blocks(series: Series, n_points: int) -> Iterator[tuple[Array, torch.Tensor, torch.Tensor]]:
    """Rows of similar lengths together, cut to the longest of them.

    Yields:
        rows [n] int64; their values [n_channels, n, length]; and [n, length], 1 within the row and 0 past its end.
    """
    order = np.argsort(series.lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop - start + 1) * series.lengths[order[stop]] <= n_points:
            stop += 1
        rows = order[start:stop]
        length = int(series.lengths[rows[-1]])
        values = torch.from_numpy(np.ascontiguousarray(series.values[rows, :, :length].swapaxes(0, 1)))
        lengths = torch.from_numpy(series.lengths[rows])
        yield rows, values, (torch.arange(length) < lengths[:, None]).float()
        start = stop


def steps(values: torch.Tensor, within: torch.Tensor) -> torch.Tensor:
    """Differences from point to point, [n_channels, n, length]; the first is 0."""
    return torch.diff(values, dim=2, prepend=values[..., :1]) * within


@dataclass(frozen=True)
class Kernels:
    """Groups of kernels of one dilation; the kernels of a group look at the same mixture of channels.

    Shape:
        weights: [n_groups, n_kernels, TAPS]; mixing: [n_groups, n_channels], or None where there is one channel.
    """

    weights: torch.Tensor
    mixing: torch.Tensor | None
    dilation: int

    def responses(self, values: torch.Tensor) -> torch.Tensor:
        """[n_channels, n, length] -> [n_groups, n_kernels, n, length], as if there were zeros on both sides."""
        n, length = values.shape[1:]
        if self.mixing is not None:
            values = (self.mixing @ values.flatten(1)).view(-1, n, length)  # [n_groups, n, length]
        reach = TAPS // 2 * self.dilation
        padded = torch.nn.functional.pad(values, (reach, reach))
        starts = range(0, TAPS * self.dilation, self.dilation)
        seen = torch.stack([padded[..., s : s + length] for s in starts], dim=1).flatten(
            2
        )  # [groups, TAPS, n * length]
        n_groups, n_kernels = self.weights.shape[:2]
        found = self.weights.flatten(0, 1) @ seen[0] if self.mixing is None else torch.bmm(self.weights, seen)
        return found.view(n_groups, n_kernels, n, length)


def random_mixing(n_groups: int, n_channels: int, most: int, random: torch.Generator) -> torch.Tensor | None:
    """[n_groups, n_channels], or None for one channel: each group looks at some channels, `most` at most.

    Every other group adds them up, the rest look at contrasts: random weights that sum to 0. On log-mel bands contrasts
    bring much (4-fold cross-validation NAUC .926 -> .970 on esc10, .9936 -> .9975 on 900 rows of fsdd), and on
    channels of another kind they do no harm (japanese_vowels .998 -> .998).
    """
    if n_channels == 1:
        return None
    largest = min(n_channels, most)
    is_contrast = torch.arange(n_groups) % 2 == 1
    sizes = torch.exp2(torch.rand(n_groups, generator=random) * np.log2(largest + 1)).long().clamp(1, largest)
    sizes = torch.where(is_contrast, sizes.clamp_min(2), sizes)
    ranks = torch.rand(n_groups, n_channels, generator=random).argsort(dim=1).argsort(dim=1)
    mixing = (ranks < sizes[:, None]).float()
    contrasts = mixing * torch.randn(n_groups, n_channels, generator=random)
    contrasts -= mixing * (contrasts.sum(dim=1) / sizes)[:, None]
    return torch.where(is_contrast[:, None], contrasts, mixing)


def gathered(
    series: Series, n_features: int, n_kernels: int, features_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
) -> Array:
    """[n_rows, n_features] float32: what `features_of(values, within)` makes of each block, in order of the rows.

    n_kernels: that look at a block at the same time.
    """
    features = np.empty((len(series.lengths), n_features), np.float32)

    def fill(block: tuple[Array, torch.Tensor, torch.Tensor]) -> None:
        rows, values, within = block
        features[rows] = features_of(values, within).numpy()

    each_in_threads(fill, blocks(series, BLOCK_RESPONSES // n_kernels))
    return features
