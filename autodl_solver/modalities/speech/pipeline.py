"""Clips -> what their log-mel spectrogram is like; or the features of kernels on it; or the spectrogram itself.

    view          a row                                                               fidelity
    ""            statistics of the energies, overall and in segments of the clip     frames looked at, at most
    "hydra"       competing random kernels on the bands (nn/rocket_hydra.py)          groups of kernels per dilation
    "log_mel"     [n_frames, N_MELS], one pace for all clips                          frames
    "features X"  what the pretrained network of the file X hears in the waveform     samples looked at, at most

The sample rate is unknown: the window follows the lengths of the clips. Frames are a quarter of a window apart (for
statistics, half a window), or further where clips are long.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl_solver.data.examples import Array, Examples, Ragged, Rows, take_rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.sequences import as_ragged
from autodl_solver.modalities.spec import Pipeline
from autodl_solver.modalities.speech.statistics import statistics
from autodl_solver.nn.pretrained_sound_choice import SoundFeatures

if TYPE_CHECKING:
    from autodl_solver.nn.rocket_features import RocketFeatures

FEATURES = "features "
"""And the name of the file of weights."""

N_MELS = 40
MIN_FFT, MAX_FFT = 128, 1024

MAX_FRAMES = 512
"""Of a long clip, for kernels; frames of longer ones are further apart."""

LOUDNESS_FRAMES = 64
"""Of a clip, that its loudest is looked for in."""

LONG = 0.9
"""Quantile of the lengths that sets the pace of a dataset's frames."""

SAMPLES_AT_ONCE = 8_000_000
"""Of the clips that are transformed together: 32 MB, however long they are."""


NOTHING = Ragged(np.zeros(0, np.float32), np.zeros(1, np.int64))


class SpeechPipeline(Pipeline):
    """See the module. Loudness is relative to the first training clips, so that a clip depends on itself only."""

    def __init__(self, info: DatasetInfo) -> None:
        super().__init__(info)
        self._sample = NOTHING
        self._n_fft = MIN_FFT
        self._hop = MIN_FFT // 4
        self._gain = 1.0
        self._loudest = 1.0
        self._frozen: SoundFeatures | None = None  # until somebody asks for features

    def fit(self, sample: Examples) -> None:
        """Window, pace and loudness."""
        from autodl_solver.nn.spectrogram import mel_energies  # torch takes seconds to import

        clips = self._sample = _heard(as_ragged(sample.x))
        length = float(np.median(clips.lengths))
        self._n_fft = int(np.clip(2 ** np.round(np.log2(4 * np.sqrt(max(length, 1.0)))), MIN_FFT, MAX_FFT))
        self._hop = max(self._n_fft // 4, int(np.quantile(clips.lengths, LONG)) // MAX_FRAMES)
        peak = float(np.abs(clips.values).max(initial=0.0))
        self._gain = 1.0 / peak if peak > 0 else 1.0
        frames = Frames.spread(clips, self._n_fft, self._hop, LOUDNESS_FRAMES)
        energies = mel_energies(clips.values * self._gain, frames.starts, frames.rooms, self._n_fft, N_MELS)
        self._loudest = float(energies.max(initial=0.0))

    def attributes_to_save(self) -> dict[str, Any]:
        """Spectrograms in place of the first training clips: nobody's recordings lie in a saved model."""
        if len(self._sample) == 0:
            return vars(self)
        return {**vars(self), "_sampled": self._sampled, "_sample": NOTHING}

    @cached_property
    def _sampled(self) -> Ragged:
        """Spectrograms of the first training clips: not made before a view asks for them."""
        return self._spectrograms(self._sample, self._hop, 4 * MAX_FRAMES)

    @cached_property
    def _kernels(self) -> RocketFeatures:
        from autodl_solver.nn.rocket_features import RocketFeatures

        return RocketFeatures(self._sampled, MAX_FRAMES)

    def transform(self, x: Rows, view: str, fidelity: int) -> Array:
        """[n_rows, ...]: see the module."""
        clips = as_ragged(x)
        per_block = max(1, SAMPLES_AT_ONCE // max(1, int(clips.lengths.max(initial=1))))
        blocks = range(0, max(1, len(clips)), per_block)
        return np.concatenate([self._view(take_rows(clips, slice(b, b + per_block)), view, fidelity) for b in blocks])

    def _view(self, rows: Rows, view: str, fidelity: int) -> Array:
        clips = _heard(as_ragged(rows))
        if view.startswith(FEATURES):
            self._frozen = SoundFeatures() if self._frozen is None else self._frozen
            scaled = Ragged(clips.values * self._gain, clips.offsets)
            return self._frozen.of(scaled, view.removeprefix(FEATURES), fidelity)
        if view == "hydra":
            return self._kernels.transform(self._spectrograms(clips, self._hop, 4 * MAX_FRAMES), "hydra", fidelity)
        if view == "log_mel":
            return self._pictures(clips, fidelity)
        found = self._spectrograms(clips, self._n_fft // 2, fidelity)
        return statistics(found.values, found.lengths)

    def _spectrograms(self, clips: Ragged, hop: int, max_frames: int) -> Ragged:
        """Log-mel frames of each clip, values [n_frames, N_MELS] float32."""
        from autodl_solver.nn.spectrogram import log_mel

        frames = Frames.spread(clips, self._n_fft, hop, max_frames)
        samples = clips.values * self._gain
        energies = log_mel(samples, frames.starts, frames.rooms, self._n_fft, N_MELS, self._loudest)
        return Ragged(energies, np.concatenate([[0], np.cumsum(frames.n_frames)]).astype(np.int64))

    def _pictures(self, clips: Ragged, n_frames: int) -> Array:
        """[n_rows, n_frames, N_MELS] float16, each band with mean 0 and variance 1; silence past the end of a clip.

        Clips that are long in this dataset just fit; the rest of a longer one is left out.
        """
        from autodl_solver.nn.spectrogram import floor

        long_frames = int(np.quantile(self._sampled.lengths, LONG))
        found = self._spectrograms(clips, max(self._hop, self._hop * long_frames // n_frames), 4 * n_frames)
        mean, spread = self._sampled.values.mean(axis=0), self._sampled.values.std(axis=0) + 1e-3
        scaled = (found.values - mean) / spread
        silence = (floor(self._loudest) - mean) / spread
        pictures = np.broadcast_to(silence, (len(clips), n_frames, N_MELS)).astype(np.float16)
        row = np.repeat(np.arange(len(clips)), found.lengths)
        place = np.arange(len(row)) - np.repeat(found.offsets[:-1], found.lengths)
        fits = place < n_frames
        pictures[row[fits], place[fits]] = scaled[fits]
        return pictures


@dataclass(frozen=True)
class Frames:
    """Where the frames of some clips lie.

    Shape:
        starts, rooms: [sum of n_frames], first sample and samples of the clip from there on; n_frames: [n_clips], >= 1.
    """

    starts: Array
    rooms: Array
    n_frames: Array

    @classmethod
    def spread(cls, clips: Ragged, n_fft: int, hop: int, max_frames: int) -> Frames:
        """A hop apart, or further where a clip would have more than max_frames."""
        room = np.maximum(clips.lengths - n_fft, 0)
        n_frames = np.clip(room // hop + 1, 1, max_frames)
        first = np.cumsum(n_frames) - n_frames
        rank = np.arange(n_frames.sum()) - np.repeat(first, n_frames)
        spacing = np.where(room // hop < max_frames, hop, room / np.maximum(n_frames - 1, 1))
        place = (rank * np.repeat(spacing, n_frames)).astype(np.int64)
        return cls(
            place + np.repeat(clips.offsets[:-1], n_frames), np.repeat(clips.lengths, n_frames) - place, n_frames
        )


def _heard(clips: Ragged) -> Ragged:
    """Values as [n_samples] float32; NaN and infinity are silence."""
    values = clips.values.reshape(-1)
    if not np.isfinite(values).all():
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return Ragged(values.astype(np.float32, copy=False), clips.offsets)


def made_up_clips(info: DatasetInfo) -> Rows:
    """Noise of a few thousand samples."""
    rng = np.random.default_rng(0)
    offsets = np.arange(0, 33) * 4000
    return Ragged(rng.normal(0, 1000, (offsets[-1], 1, 1, 1)).astype(np.float32), offsets)
