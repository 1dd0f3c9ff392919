"""Statistics of log-mel spectrograms: mean energies in equal segments, spread and change over the whole clip."""

from __future__ import annotations

import numpy as np

from autodl_solver.data.examples import Array

N_SEGMENTS = 6


def statistics(energies: Array, n_frames: Array) -> Array:
    """Features of one length; segments have no loudness.

    Args:
        energies: [n_frames of all clips, n_mels].
        n_frames: [n_clips], at least 1 each.
    Returns:
        [n_clips, (N_SEGMENTS + 4) * n_mels] float32.
    """
    ends = np.cumsum(n_frames)
    starts = ends - n_frames
    zero = np.zeros((1, energies.shape[1]))
    sums = np.concatenate([zero, np.cumsum(energies, axis=0, dtype=np.float64)])
    squares = np.concatenate([zero, np.cumsum(energies.astype(np.float64) ** 2, axis=0)])
    mean = (sums[ends] - sums[starts]) / n_frames[:, None]
    spread = np.sqrt(np.maximum((squares[ends] - squares[starts]) / n_frames[:, None] - mean**2, 0.0))
    loudest = np.maximum.reduceat(energies, starts, axis=0) if len(starts) else mean
    change = np.abs(np.diff(energies, axis=0, append=energies[-1:]))
    change[ends - 1] = 0.0
    pace = np.add.reduceat(change, starts, axis=0) / n_frames[:, None] if len(starts) else mean
    segments = []
    for k in range(N_SEGMENTS):
        lower = starts + k * n_frames // N_SEGMENTS
        upper = np.maximum(starts + (k + 1) * n_frames // N_SEGMENTS, lower + 1)
        segments.append((sums[upper] - sums[lower]) / (upper - lower)[:, None] - mean.mean(axis=1, keepdims=True))
    return np.concatenate([*segments, mean, spread, loudest - mean, pace], axis=1).astype(np.float32)
