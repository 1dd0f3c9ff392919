"""The best network for sound that is affordable here, and the features that it gives of clips of any length.

The sample rate of a clip is unknown, and no property of a sound tells it for certain (an empty upper half of the bands
is seen in 16 kHz recordings of a telephone as well). These networks know 16 kHz; so clips are taken to have that rate,
as were those of the challenge: 8 kHz ones sound an octave higher and twice as fast, 44.1 kHz ones as much lower, all
of a dataset alike. Long clips are seen in windows, whose features are averaged.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autodl_solver.data.examples import Array, Ragged
from autodl_solver.nn.pretrained_rule import Backbone, FrozenNetworks, best_affordable, fastest_s
from autodl_solver.nn.pretrained_sound import SoundWeights, found_sound_weights

if TYPE_CHECKING:
    from autodl_solver.nn.pretrained_sound_network import SoundNetwork

WINDOW = 32_000
"""Samples: 2 s of what the networks were trained on."""

STEPS = 8
"""Clips are filled up to a multiple of an eighth of a window, so that some are of one length and computed together."""

CHUNK_SAMPLES = {"cpu": 128_000, "cuda": 8_000_000}
"""That a pass takes at a time: maps of 50 MB at the widest."""

PROBE_CLIPS = 2


def affordable_sound_backbone(sizes: Sequence[int], n_examples: int) -> Backbone[SoundWeights] | None:
    """The best of the networks on this disk that are fast enough on this machine; None without any.

    Args:
        sizes: samples of a clip that are looked at, at most.
        n_examples: of the training split, -1 where unknown.
    """
    found = found_sound_weights()
    return _chosen(found, tuple(sizes), n_examples) if found else None


@functools.lru_cache(maxsize=32)  # a plan is made twice: before the budget runs, and again when it does
def _chosen(found: tuple[SoundWeights, ...], sizes: tuple[int, ...], n_examples: int) -> Backbone[SoundWeights] | None:
    return best_affordable(found, n_examples, lambda weights: _seconds_a_row(weights, sizes), _frozen_network)


def _seconds_a_row(weights: SoundWeights, sizes: Sequence[int]) -> dict[int, float]:
    """Of a forward pass for clips of these lengths, by a network with random weights."""
    import torch

    from autodl_solver.nn.pretrained_sound_network import SoundNetwork

    with torch.random.fork_rng(devices=[]):
        network = SoundNetwork(weights.model)
    taken = {}
    for window in sorted({min(size, WINDOW) for size in sizes}):
        clips = Ragged(np.zeros(PROBE_CLIPS * window, np.float32), np.arange(PROBE_CLIPS + 1) * window)
        taken[window] = fastest_s(functools.partial(_features, network, clips, window)) / PROBE_CLIPS
    return {size: taken[min(size, WINDOW)] * max(1, size // WINDOW) for size in sizes}


@functools.lru_cache(maxsize=2)
def _frozen_network(weights: SoundWeights) -> SoundNetwork:
    """Shared by all who look at it.

    Raises:
        DataError: the file is damaged, or of another network.
    """
    import torch

    from autodl_solver.nn.pretrained_sound_network import sound_network

    with torch.random.fork_rng(devices=[]):
        return sound_network(weights)


class SoundFeatures(FrozenNetworks[SoundWeights, "SoundNetwork"]):
    """What pretrained networks hear in clips."""

    def of(self, clips: Ragged, name: str, n_samples: int) -> Array:
        """The features of each clip, which depend on itself only.

        Args:
            clips: values [n_samples] float32, finite, from -1 to 1 or thereabouts.
            name: of the file of weights, without its ending.
            n_samples: that are looked at, at most.
        Returns:
            [n, n_features] float32.
        Raises:
            DataError: the weights are neither here nor on this disk.
        """
        return _features(self._network(name), clips, n_samples)

    def _found(self) -> Sequence[SoundWeights]:
        return found_sound_weights()

    def _load(self, weights: SoundWeights) -> SoundNetwork:
        return _frozen_network(weights)


def _features(network: SoundNetwork, clips: Ragged, n_samples: int) -> Array:
    """[n, n_features] float32: the mean over the windows of each clip."""
    import torch

    from autodl_solver.nn.device import best_compute

    compute = best_compute()
    network = network.to(compute.device)
    windows = Windows.spread(clips, n_samples, network.least_samples)
    samples = torch.from_numpy(np.append(clips.values, np.float32(0.0)))  # what an empty clip holds
    sums = torch.zeros(len(clips), network.n_features)
    with torch.inference_mode(), compute.autocast():
        for batch in windows.batches(CHUNK_SAMPLES[compute.device.type]):
            lengths = torch.from_numpy(windows.lengths[batch])
            place = torch.arange(int(windows.filled[batch[0]])) % lengths[:, None]  # what is missing: its beginning
            waves = samples[torch.from_numpy(windows.starts[batch])[:, None] + place]
            seen = network.features(waves.to(compute.device), lengths.to(compute.device))
            sums.index_add_(0, torch.from_numpy(windows.clips[batch]), seen.float().cpu())
    n_windows = np.bincount(windows.clips, minlength=len(clips))[:, None]
    return np.asarray(sums.numpy() / n_windows, dtype=np.float32)


@dataclass(frozen=True)
class Windows:
    """What is looked at of some clips.

    Shape:
        clips, starts, lengths, filled: [n_windows]: which clip, first sample, samples, and samples with those that are
        repeated to fill it up.
    """

    clips: Array
    starts: Array
    lengths: Array
    filled: Array

    @classmethod
    def spread(cls, clips: Ragged, n_samples: int, least: int) -> Windows:
        """All of a short clip; of a long one windows that are spread evenly, the only one in its middle.

        Args:
            clips: at least 0 samples each.
            n_samples: of all windows of a clip, at most.
            least: samples that a window is filled up to.
        """
        size = min(n_samples, WINDOW)
        n_windows = np.clip(-(-clips.lengths // size), 1, max(1, n_samples // size))
        clip = np.repeat(np.arange(len(clips)), n_windows)
        rank = np.arange(len(clip)) - np.repeat(np.cumsum(n_windows) - n_windows, n_windows)
        room = np.maximum(clips.lengths - size, 0)[clip]
        last = (n_windows - 1)[clip]
        place = np.where(last > 0, room * rank // np.maximum(last, 1), room // 2)
        starts = np.where(clips.lengths[clip] > 0, clips.offsets[:-1][clip] + place, len(clips.values))
        lengths = np.clip(clips.lengths[clip], 1, size)
        step = max(1, size // STEPS)
        return cls(clip, starts, lengths, np.maximum(-(-lengths // step) * step, least))

    def batches(self, n_samples: int) -> list[Array]:
        """Windows of one length together, so many samples at most."""
        found: list[Array] = []
        for filled in np.unique(self.filled):
            rows, n_rows = np.flatnonzero(self.filled == filled), max(1, n_samples // int(filled))
            found.extend(rows[first : first + n_rows] for first in range(0, len(rows), n_rows))
        return found
