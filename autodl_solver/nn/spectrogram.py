"""Log-mel spectrograms of clips of any length, all frames of a batch in one matrix."""

from __future__ import annotations

import numpy as np
import torch
from torchaudio.functional import melscale_fbanks

from autodl_solver.data.examples import Array

ASSUMED_HZ = 16_000
"""The sample rate is not in the metadata; the mel scale is bent as if it were this one."""

FRAMES_AT_ONCE = 16_384


def log_mel(samples: Array, starts: Array, n_fft: int, n_mels: int) -> Array:
    """Log mel energies of windowed frames.

    Args:
        samples: [n_samples] float, clips one after the other.
        starts: [n_frames] first sample of each frame; a frame that runs past the end is filled with zeros.
        n_fft: samples per frame.
        n_mels: bands.
    Returns:
        [n_frames, n_mels] float32, natural logarithm, floored 80 dB below the loudest value.
    """
    signal = torch.zeros(len(samples) + n_fft)
    signal[: len(samples)] = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))
    frames = signal.unfold(0, n_fft, 1)  # [n_samples + 1, n_fft], a view
    window = torch.hann_window(n_fft)
    bank = melscale_fbanks(n_fft // 2 + 1, 0.0, ASSUMED_HZ / 2, n_mels, ASSUMED_HZ)  # [n_fft // 2 + 1, n_mels]
    parts = []
    for chunk in torch.split(torch.from_numpy(starts), FRAMES_AT_ONCE):
        power = torch.fft.rfft(frames[chunk] * window).abs().square()
        parts.append(power @ bank)
    if not parts:
        return np.zeros((0, n_mels), np.float32)
    energy = torch.cat(parts)
    floor = energy.max().clamp_min(1e-10) * 1e-8
    return np.asarray(energy.clamp_min(floor).log())
