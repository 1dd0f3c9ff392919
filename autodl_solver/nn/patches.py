"""Patches: whitened pieces of the training images or clips as filters, over space and (some frames deep) over time.

A filter is a piece of a training clip after whitening, so it answers to an edge, a blob, or to how one moves; what it
answers is thresholded and averaged over regions and times. No gradient is needed, and a linear learner does the rest.
An image is a clip of one frame.
Sources: Coates, Lee and Ng, An analysis of single-layer networks in unsupervised feature learning, AISTATS 2011
(whitened random patches as filters, thresholds, quadrants); Le et al., Learning hierarchical invariant spatio-temporal
features for action recognition with independent subspace analysis, CVPR 2011 (patches of space and time).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array
from autodl_solver.nn.device import Compute, best_compute

PATCHES = 20_000
"""Pieces from which whitening is learned."""

MAX_VALUES = 1000
"""Of a patch: whitening takes their third power, .3 s for so many; many channels get smaller patches."""

PATCH_CLIPS = 200
"""Clips from which the pieces come."""

ACTIVE_SHARE = 0.2
"""Of the places, where a filter answers at all."""

GRID = 2
"""Regions per side over which answers are averaged."""

PHASES = 3
"""Parts of the clip over which answers are averaged."""

CHUNK_VALUES = 1e6
"""Answers computed at a time: few enough to stay in the cache, which halves the time."""

FLOOR = 0.05
"""Added to the variance along each direction, relative to the mean one: noise is not blown up."""


class Patches:
    """Filters learned from clips, and what clips answer to them.

    Args:
        n_filters: how many.
        size_px: side of a patch.
        depth: frames of a patch.
        stride: pixels between the places where answers are computed.
        seed: which patches are taken.
        compute: device and precision; None: the fastest.
    """

    def __init__(
        self,
        n_filters: int = 128,
        size_px: int = 6,
        depth: int = 3,
        stride: int = 1,
        seed: int = 0,
        compute: Compute | None = None,
    ) -> None:
        self._n_filters = n_filters
        self._size_px = size_px
        self._depth = depth
        self._stride = stride
        self._seed = seed
        self._compute = best_compute() if compute is None else compute

    def fit(self, clips: Array) -> None:
        """Learns whitening and takes filters, from [n, time, row, col, channel] clips of any dtype."""
        random = np.random.default_rng(self._seed)
        patches = torch.from_numpy(self._patches(clips, random))  # [n_patches, n_values]
        mean = patches.mean(dim=0)
        values, vectors = torch.linalg.eigh((patches - mean).T @ (patches - mean) / len(patches))
        values = values.clamp_min(0)
        scale = (values + FLOOR * values.mean() + 1e-8).rsqrt()
        white = ((patches - mean) @ vectors) * scale
        norms = white.norm(dim=1)
        vivid = torch.nonzero(norms >= norms.median()).ravel().numpy()  # flat pieces would be mostly noise
        chosen = torch.from_numpy(random.choice(vivid, self._n_filters))
        directions = white[chosen] / norms[chosen, None].clamp_min(1e-8)
        filters = (directions * scale) @ vectors.T  # [n_filters, n_values], of patches that are not whitened
        answers = (patches[:5000] - mean) @ filters.T
        thresholds = torch.quantile(answers, 1 - ACTIVE_SHARE, dim=0)
        self._filters = filters
        self._offsets = -(filters @ mean) - thresholds

    def answers(self, clips: Array, budget: Budget | None = None) -> Array:
        """Mean answers of regions and of phases, and the greatest ones; each row for itself.

        Args:
            clips: [n >= 1, time, row, col, channel] like those of fit.
            budget: seconds; what it leaves no time for is left out, but for a first chunk.
        Returns:
            [n or fewer, n_answers * n_filters] float32: GRID**2 regions, the greatest answer, and of clips PHASES.
        """
        n, time, height, width, _ = clips.shape
        depth, size = self._extent(clips)
        places = (time - depth + 1) * ((height - size) // self._stride + 1) * ((width - size) // self._stride + 1)
        step = max(1, int(CHUNK_VALUES / (places * self._n_filters)))
        first = self._answers(clips[:step])
        answers = np.empty((n, first.shape[1]), np.float32)  # small pieces among large ones scatter the heap
        answers[: len(first)], n_done = first, len(first)
        while n_done < n and not (budget is not None and budget.expired):
            answers[n_done : n_done + step] = self._answers(clips[n_done : n_done + step])
            n_done = min(n_done + step, n)
        return answers[:n_done]

    def _extent(self, clips: Array) -> tuple[int, int]:
        """Frames and side of a patch: no more than clips have, and than can be whitened."""
        _, time, height, width, n_channels = clips.shape
        depth = min(self._depth, time)
        return depth, min(self._size_px, height, width, math.isqrt(max(MAX_VALUES // (depth * n_channels), 1)))

    @torch.inference_mode()
    def _answers(self, clips: Array) -> Array:
        frames = torch.from_numpy(_normed(clips)).to(self._compute.device)  # [n, time, channel, row, col]
        n, time, n_channels = frames.shape[:3]
        depth, size = self._extent(clips)
        stacked = torch.cat([frames[:, k : time - depth + 1 + k] for k in range(depth)], dim=2)
        weight = self._filters.view(-1, depth * n_channels, size, size).to(frames.device)
        with self._compute.autocast():
            maps = functional.conv2d(
                stacked.flatten(0, 1).contiguous(memory_format=torch.channels_last),
                weight.contiguous(memory_format=torch.channels_last),
                self._offsets.to(frames.device),
                self._stride,
            ).relu_()
        return _pooled(maps, n).cpu().numpy()

    def _patches(self, clips: Array, random: np.random.Generator) -> Array:
        """[PATCHES, depth * channel * size * size] float32, from random clips and places."""
        n, time, height, width, _ = clips.shape
        depth, size = self._extent(clips)
        n_clips = min(n, PATCH_CLIPS)
        frames = _normed(clips[np.sort(random.choice(n, n_clips, replace=False))])
        windows = np.lib.stride_tricks.sliding_window_view(frames, (depth, size, size), axis=(1, 3, 4))
        # windows: [n, time', channel, row', col', depth, size, size]
        places = [
            random.integers(size, size=PATCHES)
            for size in (n_clips, time - depth + 1, height - size + 1, width - size + 1)
        ]
        taken = windows[places[0], places[1], :, places[2], places[3]]  # [PATCHES, channel, depth, size, size]
        return np.ascontiguousarray(taken.transpose(0, 2, 1, 3, 4)).reshape(PATCHES, -1)


def _pooled(maps: Tensor, n: int) -> Tensor:
    """[n * time, filter, row, col] -> [n, n_answers * filter] float32; roots draw in what is strong."""
    regions = functional.adaptive_avg_pool2d(maps, GRID).float().reshape(n, -1, *maps.shape[1:2], GRID**2)
    greatest = maps.amax(dim=(2, 3)).float().reshape(n, -1, maps.shape[1]).mean(dim=1)
    parts = [regions.mean(dim=1).flatten(1).sqrt(), greatest]
    if regions.shape[1] > 1:  # what a single moment answers has no course
        course = regions.mean(dim=3).transpose(1, 2)  # [n, filter, time]
        parts.append(functional.adaptive_avg_pool1d(course, PHASES).flatten(1).sqrt())
    return torch.cat(parts, dim=1)


def _normed(clips: Array) -> Array:
    """[n, time, channel, row, col] float32, of each clip with mean 0 and variance 1."""
    x = np.ascontiguousarray(np.moveaxis(clips, 4, 2), dtype=np.float32)
    x -= x.mean(axis=(1, 2, 3, 4), keepdims=True)
    x /= x.std(axis=(1, 2, 3, 4), keepdims=True) + 1e-6
    return x
