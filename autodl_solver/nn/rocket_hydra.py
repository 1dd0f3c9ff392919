"""Hydra: groups of random kernels compete at each point; how often, and by how much, each wins describes a series.

Source: Dempster, Schmidt and Webb, Hydra: competing convolutional kernels for fast and accurate time series
classification, Data Mining and Knowledge Discovery 2023 (https://arxiv.org/abs/2203.13652).
Differences: sums are means over the points of a row, since rows may differ in length; half of the groups see the level
of a series too (kernels of the others sum to 0), which cross-validation favours on five datasets of five.
Cost: 1,125 rows of 128 points, 4,096 features, 0.08 s on 2 cores with AVX-512.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from autodl_solver.data.examples import Array
from autodl_solver.nn.rocket_kernels import KernelTransform, Series, random_mixing, steps
from autodl_solver.nn.rocket_loops import compete
from autodl_solver.nn.rocket_vectors import RIVALS, TAPS

MOST_CHANNELS = 8


@dataclass(frozen=True)
class Kernels:
    """Groups of kernels of one dilation; the kernels of a group look at the same mixture of channels.

    Shape:
        weights: [n_groups, RIVALS, TAPS] float32; mixing: [n_groups, n_channels] float32.
    """

    weights: Array
    mixing: Array
    dilation: int


class Hydra(KernelTransform):
    """Random kernels; nothing is learned from the rows. Features: roots of mean winning responses and shares of losses.

    Args:
        n_channels, n_points: of the series (the longest).
        seed: of the kernels.
        n_groups: per dilation, one half for the course and one for its steps; RIVALS kernels each.
    """

    def __init__(self, n_channels: int, n_points: int, seed: int, n_groups: int = 64) -> None:
        random = torch.Generator().manual_seed(seed)
        self._kernels: list[tuple[Kernels, Kernels]] = []
        dilation = 1
        while dilation == 1 or dilation * (TAPS - 1) < n_points:
            pair = [self._random(n_groups // 2, n_channels, dilation, random) for _ in range(2)]
            self._kernels.append((pair[0], pair[1]))
            dilation *= 2
        self.n_features = len(self._kernels) * (n_groups // 2) * 2 * RIVALS * 2

    @staticmethod
    def _random(groups: int, channels: int, dilation: int, random: torch.Generator) -> Kernels:
        weights = torch.randn(groups, RIVALS, TAPS, generator=random)
        weights -= weights.mean(dim=2, keepdim=True)
        sees_level = (torch.arange(groups) % 4 < 2).view(-1, 1, 1)  # with every kind of mixing of channels
        weights += sees_level * torch.randn(groups, RIVALS, 1, generator=random)
        weights /= weights.abs().sum(dim=2, keepdim=True)
        return Kernels(weights.numpy(), random_mixing(groups, channels, MOST_CHANNELS, random), dilation)

    def _fits(self, n_channels: int, n_features: int) -> bool:
        kernels = [one for pair in self._kernels for one in pair]
        return n_features == sum(2 * one.weights[..., 0].size for one in kernels) and all(
            one.weights.dtype == np.float32
            and one.weights.flags.c_contiguous
            and one.weights.shape[1:] == (RIVALS, TAPS)
            and one.mixing.shape == (len(one.weights), n_channels)
            and one.dilation >= 1
            for one in kernels
        )

    def _write(self, series: Series, features: Array, rows: Array) -> None:
        signals, first = (series, steps(series)), 0
        for pair in self._kernels:
            for kernels, signal in zip(pair, signals, strict=True):
                mixing, weights, dilation = kernels.mixing, kernels.weights, kernels.dilation
                compete(signal.values, signal.lengths, mixing, weights, dilation, features, rows, first)
                first += 2 * weights[..., 0].size
