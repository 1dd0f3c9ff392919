"""MiniRocket: 84 fixed kernels at many dilations; the share of points where a response exceeds a bias.

Source: Dempster, Schmidt and Webb, MiniRocket: a very fast (almost) deterministic transform for time series
classification, KDD 2021 (https://arxiv.org/abs/2012.08791).
Differences: rows may differ in length, and kernels share mixtures of channels in groups of seven. The poolings that
MultiRocket adds (https://arxiv.org/abs/2102.00457; tried without the longest stretch) took twice the time for no gain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch

from autodl_solver.data.examples import Array
from autodl_solver.nn.rocket_kernels import KernelTransform, Series, random_mixing
from autodl_solver.nn.rocket_loops import exceed, respond_each
from autodl_solver.nn.rocket_vectors import TAPS

N_KERNELS = math.comb(TAPS, 3)
KERNELS_PER_GROUP = 7
MOST_CHANNELS = 9
MAX_DILATIONS = 32
SAMPLE_ROWS = 64
BIASES_PER_MIXTURE = 4
GOLDEN = (math.sqrt(5) + 1) / 2


PLACES = np.array(list(combinations(range(TAPS), 3)))
"""[N_KERNELS, 3]: the taps that a kernel weighs with 2; it weighs the other six with -1, so all sum to 0."""


@dataclass(frozen=True)
class FixedKernels:
    """The kernels of one dilation; those of a group look at the same mixture of channels.

    Shape:
        places: [n_groups, KERNELS_PER_GROUP, 3] int64, of PLACES; mixing: [n_groups, n_channels] float32.
    """

    places: Array
    mixing: Array
    dilation: int


class MiniRocket(KernelTransform):
    """Biases are quantiles of responses to training rows; features are shares, in [0, 1].

    Args:
        series: training rows; some dozens are enough.
        seed: of the rows that biases are taken from, and of the channels.
        n_features: as many as fit, a multiple of 84.
    """

    def __init__(self, series: Series, seed: int, n_features: int = 9996) -> None:
        random = torch.Generator().manual_seed(seed)
        picked = torch.randperm(len(series.lengths), generator=random)[:SAMPLE_ROWS].numpy()
        sample = Series(series.values[picked], series.lengths[picked])
        n_channels, n_points = series.values.shape[1:]
        dilations, counts = _dilations(n_points, max(n_features // N_KERNELS, 1))
        if n_channels > 1:
            dilations, counts = _with_more_mixtures(dilations, counts)
        self._bank: list[tuple[FixedKernels, Array]] = []  # kernels; biases [n_biases, 84]
        first = 1
        for dilation, count in zip(dilations, counts, strict=True):
            places = PLACES[torch.randperm(N_KERNELS, generator=random).numpy()].reshape(-1, KERNELS_PER_GROUP, 3)
            mixing = random_mixing(len(places), n_channels, MOST_CHANNELS, random)
            kernels = FixedKernels(places, mixing, dilation)
            shares = (np.arange(first, first + count * N_KERNELS) * GOLDEN) % 1
            first += count * N_KERNELS
            self._bank.append((kernels, _biases(sample, kernels, shares.reshape(count, -1), random)))
        self.n_features = sum(biases.size for _, biases in self._bank)

    def _fits(self, n_channels: int, n_features: int) -> bool:
        return n_features == sum(biases.size for _, biases in self._bank) and all(
            one.places.shape == (len(one.places), KERNELS_PER_GROUP, 3)
            and np.isin(one.places, np.arange(TAPS)).all()
            and one.mixing.shape == (len(one.places), n_channels)
            and one.dilation >= 1
            and biases.shape[1:] == (one.places[..., 0].size,)
            for one, biases in self._bank
        )

    def _write(self, series: Series, features: Array, rows: Array) -> None:
        first = 0
        for kernels, biases in self._bank:
            mixing, places, dilation = kernels.mixing, kernels.places, kernels.dilation
            exceed(series.values, series.lengths, mixing, places, dilation, biases, features, rows, first)
            first += biases.size


def _dilations(n_points: int, per_kernel: int) -> tuple[list[int], list[int]]:
    """Dilations, exponentially spread up to the length, and how many biases each kernel has at each."""
    n = min(per_kernel, MAX_DILATIONS)
    largest = np.log2(max((n_points - 1) / (TAPS - 1), 1))
    dilations, times = np.unique(np.exp2(np.linspace(0, largest, n)).astype(int), return_counts=True)
    counts = np.maximum(times * per_kernel // n, 1)
    counts[0] += max(per_kernel - counts.sum(), 0)
    return dilations.tolist(), counts.tolist()


def _with_more_mixtures(dilations: list[int], counts: list[int]) -> tuple[list[int], list[int]]:
    """Dilations that have many biases are repeated: so each mixture of channels has a few of them only.

    Short series have few dilations, and without this few mixtures of their channels.
    """
    parts = [-(-count // BIASES_PER_MIXTURE) for count in counts]
    repeated = [dilation for dilation, n in zip(dilations, parts, strict=True) for _ in range(n)]
    return repeated, [count // n + (k < count % n) for count, n in zip(counts, parts, strict=True) for k in range(n)]


def _biases(sample: Series, kernels: FixedKernels, shares: Array, random: torch.Generator) -> Array:
    """[n_biases, 84] float32: quantiles of the responses of each kernel to a row of its own.

    shares: [n_biases, 84], in [0, 1).
    """
    rows = torch.randint(len(sample.lengths), (N_KERNELS,), generator=random).numpy()
    found = np.empty((N_KERNELS, sample.values.shape[2]), np.float32)
    counts = np.empty(N_KERNELS, np.int64)
    respond_each(sample.values, sample.lengths, rows, kernels.mixing, kernels.places, kernels.dilation, found, counts)
    found.sort(axis=1)  # infinity stays behind
    places = shares * (counts - 1)
    below, columns = places.astype(np.int64), np.arange(N_KERNELS)
    low, high = found[columns, below], found[columns, np.minimum(below + 1, counts - 1)]
    return np.asarray(low + (places - below) * (high - low), np.float32)
