"""Log-mel spectrograms of clips of any length, all frames of a batch as rows of one matrix."""

from __future__ import annotations

import math

import numpy as np
import torch
from torchaudio.functional import melscale_fbanks

from autodl_solver.data.examples import Array
from autodl_solver.nn.threads import each_in_threads

ASSUMED_HZ = 16_000
"""The sample rate is not in the metadata; the mel scale is bent as if it were this one."""

SAMPLES_AT_ONCE = 1 << 19
"""Of the frames of a block: what fits into the cache."""

FLOOR = 1e-8
"""Least energy, relative to `loudest`: 80 dB below it."""

LEAST_SIZE = 256
"""Shorter frames are filled up with zeros, so that each of 40 bands holds a frequency."""

LEAST_ENERGY = 1e-20


def log_mel(samples: Array, starts: Array, rooms: Array, n_fft: int, n_mels: int, loudest: float) -> Array:
    """Log mel energies of windowed frames.

    Args:
        samples: [n_samples] float, clips one after the other.
        starts: [n_frames] first sample of each frame.
        rooms: [n_frames] samples of its clip from there on; what a frame holds beyond them is 0.
        n_fft: samples per frame.
        n_mels: bands.
        loudest: energy that is far above the floor; the same for all clips that are compared.
    Returns:
        [n_frames, n_mels] float32, natural logarithm, floored 80 dB below `loudest`.
    """
    energies = mel_energies(samples, starts, rooms, n_fft, n_mels)
    return np.asarray(np.maximum(np.log(energies + LEAST_ENERGY), floor(loudest)), dtype=np.float32)


def floor(loudest: float) -> float:
    """The logarithm of the least energy that is told from silence."""
    return math.log(max(loudest, LEAST_ENERGY) * FLOOR)


def mel_energies(samples: Array, starts: Array, rooms: Array, n_fft: int, n_mels: int) -> Array:
    """[n_frames, n_mels] float32, not negative: see log_mel."""
    signal = torch.zeros(len(samples) + n_fft)
    signal[: len(samples)] = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))
    frames = signal.unfold(0, n_fft, 1)  # [n_samples + 1, n_fft], a view
    window = torch.hann_window(n_fft)
    size = max(n_fft, LEAST_SIZE)
    bank = melscale_fbanks(size // 2 + 1, 0.0, ASSUMED_HZ / 2, n_mels, ASSUMED_HZ)  # [size // 2 + 1, n_mels]
    energies = np.empty((len(starts), n_mels), np.float32)
    at_once = max(1, SAMPLES_AT_ONCE // n_fft)

    def fill(first: int) -> None:
        block = slice(first, first + at_once)
        seen = frames[torch.from_numpy(starts[block])] * window
        if (rooms[block] < n_fft).any():
            seen *= torch.arange(n_fft) < torch.from_numpy(rooms[block])[:, None]
        spectrum = torch.fft.rfft(seen, n=size)
        power = torch.view_as_real(spectrum).square().sum(dim=2)
        energies[block] = (power @ bank).numpy()

    each_in_threads(fill, range(0, len(starts), at_once))
    return energies
