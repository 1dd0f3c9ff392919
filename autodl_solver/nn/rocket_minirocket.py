"""MiniRocket: 84 fixed kernels at many dilations; the share of points where a response exceeds a bias.

Source: Dempster, Schmidt and Webb, MiniRocket: a very fast (almost) deterministic transform for time series
classification, KDD 2021 (https://arxiv.org/abs/2012.08791).
Differences: rows may differ in length, and kernels share mixtures of channels in groups of seven. The poolings that
MultiRocket adds (https://arxiv.org/abs/2102.00457; tried without the longest stretch) took twice the time for no gain.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import torch

from autodl_solver.data.examples import Array
from autodl_solver.nn.rocket_kernels import BLOCK_RESPONSES, TAPS, Kernels, Series, blocks, gathered, random_mixing

N_KERNELS = 84
KERNELS_PER_GROUP = 7
MOST_CHANNELS = 9
MAX_DILATIONS = 32
SAMPLE_ROWS = 64
BIASES_PER_MIXTURE = 4
GOLDEN = (math.sqrt(5) + 1) / 2


def fixed_weights() -> torch.Tensor:
    """[84, TAPS]: every way of putting three 2s among six -1s."""
    weights = torch.full((N_KERNELS, TAPS), -1.0)
    for row, places in enumerate(combinations(range(TAPS), 3)):
        weights[row, list(places)] = 2.0
    return weights


class MiniRocket:
    """Biases are quantiles of responses to training rows.

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
        self._bank: list[tuple[Kernels, torch.Tensor]] = []  # kernels; biases [n_biases, 12, 7, 1, 1]
        first = 1
        for dilation, count in zip(dilations, counts, strict=True):
            weights = fixed_weights()[torch.randperm(N_KERNELS, generator=random)].view(-1, KERNELS_PER_GROUP, TAPS)
            kernels = Kernels(weights, random_mixing(len(weights), n_channels, MOST_CHANNELS, random), dilation)
            shares = (np.arange(first, first + count * N_KERNELS) * GOLDEN) % 1
            first += count * N_KERNELS
            self._bank.append((kernels, _biases(sample, kernels, shares.reshape(count, -1), random)))
        self.n_features = sum(biases.numel() for _, biases in self._bank)

    def transform(self, series: Series) -> Array:
        """[n_rows, n_features] float32, in [0, 1]."""
        return gathered(series, self.n_features, N_KERNELS, self._features)

    def _features(self, values: torch.Tensor, within: torch.Tensor) -> torch.Tensor:
        length = within.shape[1]
        is_full = bool(within.all())  # no row ends early: what is looked at is a slice, which costs nothing
        parts = []
        for kernels, biases in self._bank:
            found = kernels.responses(values)  # [12, 7, n, length]
            spans = [slice(0, length), _inner(length, kernels.dilation)]
            sizes = torch.tensor([[span.stop - span.start] for span in spans])
            if not is_full:
                looked_at = _looked_at(within, kernels.dilation)  # [2, n, length]
                sizes = looked_at.sum(dim=2)
                for half, region in zip(found.chunk(2), looked_at, strict=True):
                    half.masked_fill_(region == 0, -torch.inf)
                spans = [slice(0, length)] * 2
            above = torch.empty_like(found)
            for bias in biases:
                torch.gt(found, bias, out=above)
                for part, span, size in zip(above.chunk(2), spans, sizes, strict=True):
                    parts.append((part[..., span].sum(dim=3) / size).flatten(0, 1))
        return torch.cat(parts).T


def _inner(length: int, dilation: int) -> slice:
    """Points where no zeros are padded; all of a row too short to have such points."""
    reach = TAPS // 2 * dilation
    return slice(reach, length - reach) if length > 2 * reach else slice(0, length)


def _looked_at(within: torch.Tensor, dilation: int) -> torch.Tensor:
    """[2, n, length] of 0 and 1: all points for half of the kernels, for the others those where no zeros are padded.

    A row too short to have such points is looked at as a whole.
    """
    reach = TAPS // 2 * dilation
    inner = torch.zeros_like(within)
    if within.shape[1] > 2 * reach:
        inner[:, reach:-reach] = within[:, 2 * reach :]
    is_short = inner.sum(dim=1, keepdim=True) == 0
    return torch.stack([within, torch.where(is_short, within, inner)])


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


def _quantiles(values: Array, shares: Array) -> Array:
    """What np.quantile finds, in a tenth of the time for a few hundred values."""
    return np.asarray(np.interp(shares * (len(values) - 1), np.arange(len(values)), np.sort(values)))


def _biases(sample: Series, kernels: Kernels, shares: Array, random: torch.Generator) -> torch.Tensor:
    """[n_biases, n_groups, n_kernels, 1, 1]: quantiles of the responses of each kernel to a row of its own.

    shares: [n_biases, 84], in [0, 1).
    """
    rows = torch.randint(len(sample.lengths), (N_KERNELS,), generator=random).numpy()
    biases = np.empty(shares.shape, np.float32)
    for members, values, within in blocks(sample, BLOCK_RESPONSES // N_KERNELS):
        found = kernels.responses(values).flatten(0, 1)  # [84, n, length]
        looked_at = _looked_at(within, kernels.dilation) > 0
        for place, row in enumerate(members):
            for kernel in np.flatnonzero(rows == row):
                seen = found[kernel, place][looked_at[kernel // (N_KERNELS // 2), place]]
                biases[:, kernel] = _quantiles(seen.numpy(), shares[:, kernel])
    return torch.from_numpy(biases).view(len(shares), *kernels.weights.shape[:2], 1, 1)
