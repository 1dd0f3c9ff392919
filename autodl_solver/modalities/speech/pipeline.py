"""Clips -> statistics of their log-mel spectrogram. Fidelity: frames looked at in a clip, at most."""

from __future__ import annotations

import numpy as np

from autodl_solver.data.examples import Array, Examples, Ragged, Rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.sequences import as_ragged
from autodl_solver.modalities.spec import Pipeline

N_MELS = 40
N_SEGMENTS = 6
MIN_FFT, MAX_FFT = 128, 1024


class SpeechPipeline(Pipeline):
    """Mean energies in equal segments of the clip, and their spread and change over the whole clip."""

    def __init__(self, info: DatasetInfo) -> None:
        super().__init__(info)
        self._n_fft = MIN_FFT

    def fit(self, sample: Examples) -> None:
        """The window follows the length of the clips, since the rate is unknown: about as many frames as bands."""
        length = float(np.median(as_ragged(sample.x).lengths))
        self._n_fft = int(np.clip(2 ** np.round(np.log2(4 * np.sqrt(max(length, 1.0)))), MIN_FFT, MAX_FFT))

    def transform(self, x: Rows, view: str, fidelity: int) -> Array:
        """[n_rows, (N_SEGMENTS + 4) * N_MELS] float32."""
        from autodl_solver.nn.spectrogram import log_mel  # torch takes seconds to import

        clips = as_ragged(x)
        starts, n_frames = _frame_starts(clips, self._n_fft, fidelity)
        energies = log_mel(clips.values.reshape(-1), starts, self._n_fft, N_MELS)
        return _statistics(energies, n_frames)


def _frame_starts(clips: Ragged, n_fft: int, max_frames: int) -> tuple[Array, Array]:
    """First samples of evenly spaced frames, half a window apart or more; and how many each clip has (at least one)."""
    room = np.maximum(clips.lengths - n_fft, 0)
    n_frames = np.clip(room // (n_fft // 2) + 1, 1, max_frames)
    first = np.cumsum(n_frames) - n_frames
    rank = np.arange(n_frames.sum()) - np.repeat(first, n_frames)
    spacing = room / np.maximum(n_frames - 1, 1)
    return np.repeat(clips.offsets[:-1], n_frames) + (rank * np.repeat(spacing, n_frames)).astype(np.int64), n_frames


def _statistics(energies: Array, n_frames: Array) -> Array:
    """[n_frames of all clips, N_MELS] -> [n_clips, (N_SEGMENTS + 4) * N_MELS]; segments have no loudness."""
    ends = np.cumsum(n_frames)
    starts = ends - n_frames
    sums = np.concatenate([np.zeros((1, N_MELS)), np.cumsum(energies, axis=0, dtype=np.float64)])
    squares = np.concatenate([np.zeros((1, N_MELS)), np.cumsum(energies.astype(np.float64) ** 2, axis=0)])
    mean = (sums[ends] - sums[starts]) / n_frames[:, None]
    spread = np.sqrt(np.maximum((squares[ends] - squares[starts]) / n_frames[:, None] - mean**2, 0.0))
    loudest = np.maximum.reduceat(energies, starts, axis=0)
    change = np.abs(np.diff(energies, axis=0, append=energies[-1:]))
    change[ends - 1] = 0.0
    pace = np.add.reduceat(change, starts, axis=0) / n_frames[:, None]
    segments = []
    for k in range(N_SEGMENTS):
        lower = starts + k * n_frames // N_SEGMENTS
        upper = np.maximum(starts + (k + 1) * n_frames // N_SEGMENTS, lower + 1)
        segments.append((sums[upper] - sums[lower]) / (upper - lower)[:, None] - mean.mean(axis=1, keepdims=True))
    return np.concatenate([*segments, mean, spread, loudest - mean, pace], axis=1).astype(np.float32)


def made_up_clips(info: DatasetInfo) -> Rows:
    """Noise of a few thousand samples."""
    rng = np.random.default_rng(0)
    offsets = np.arange(0, 33) * 4000
    return Ragged(rng.normal(0, 1000, (offsets[-1], 1, 1, 1)).astype(np.float32), offsets)
